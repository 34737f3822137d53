"""Pictures of staggered designs show the numbers of what they are pictures of, in both languages."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

import juntos_eval as je
from juntos_eval.reporting.figures import Setting
from juntos_eval.reporting.figures.event_studies import event_study_figure
from juntos_eval.reporting.figures.treatment_timing import rollout_figure
from juntos_eval.reporting.language import language

COLUMNS: dict[str, Any] = {"outcome": "y", "unit": "id", "time": "year", "first_treated": "start"}


@cache
def panel() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    start = np.repeat([2003, 2003, 2005, 0, 0, 0], 10)
    years = np.arange(2001, 2007)
    event = np.where(start[:, None] > 0, years - start[:, None], -99)
    y = rng.normal(size=(60, 1)) + 0.2 * years + (event >= 0) + 0.3 * rng.normal(size=(60, 6))
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(60), 6),
            "year": np.tile(years, 60),
            "start": np.repeat(start, 6),
            "y": y.ravel(),
        }
    )


@cache
def study() -> Any:
    return je.InteractionWeighted(**COLUMNS).fit(panel(), inference=je.Cluster("id"))


def spans(figure: Figure, width: float) -> np.ndarray:
    """Ends of the intervals of one width, in the order in which they are drawn."""
    lines: list[Any] = [one for one in figure.axes[0].collections if isinstance(one, LineCollection)]
    (chosen,) = [one for one in lines if one.get_linewidths()[0] == width]
    # the reference has none
    return np.array([segment[:, 1] for segment in chosen.get_segments() if len(segment)])


def test_an_event_study_shows_both_intervals_and_its_reference() -> None:
    figure, estimate = je.plot(study()), study()
    rows = [at for at, one in enumerate(estimate.keys["event_time"]) if one is not None]
    np.testing.assert_allclose(spans(figure, 2.4), estimate.interval()[rows])
    # a band of fewer values is narrower: it covers the effects that are drawn, not the overall one
    picked = estimate.combine(np.eye(len(estimate.values))[rows], {"term": ("att",) * len(rows)})
    np.testing.assert_allclose(spans(figure, 0.8), picked.interval(simultaneous=True))
    hollow: list[Any] = [line for line in figure.axes[0].lines if line.get_markerfacecolor() == "#ffffff"]
    assert [(x, y) for line in hollow for x, y in line.get_xydata()] == [(-1.0, 0.0)]


def test_several_estimators_share_a_panel_or_have_one_each() -> None:
    compared = je.compare_estimators(panel(), **COLUMNS, draws=99)
    assert not compared.failures
    few = {name: compared.events[name] for name in ("two-way", "imputation")}
    assert len(je.plot(few).axes) == 1
    visible = [axes for axes in je.plot(compared).axes if axes.get_visible()]
    assert [axes.get_title(loc="left").replace("\n", " ") for axes in visible] == list(compared.names)


def test_the_grid_of_cohorts_says_who_is_treated_when() -> None:
    design = je.rollout(panel(), unit="id", time="year", first_treated="start")
    drawing = rollout_figure(design, Setting(words=language("es"), width="page", is_synthetic=True))
    assert "6 de 18" in drawing.alt
    assert "60 unidades" in drawing.alt
    blue: list[Any] = [
        one
        for one in drawing.figure.axes[0].patches
        if one.get_facecolor()[:3] == (0, 0x72 / 255, 0xB2 / 255)
    ]
    places = sorted((round(one.get_x()), round(one.get_y())) for one in blue)
    assert places == [(2, 0), (3, 0), (4, 0), (4, 1), (5, 0), (5, 1)]


@pytest.mark.parametrize("code", ["en", "es"])
@pytest.mark.parametrize("width", ["column", "page"])
def test_every_result_has_its_picture(code: Any, width: Any) -> None:
    cells = je.GroupTime(**COLUMNS, base="universal").fit(panel())
    vector = (np.array([0.0, 0.1, 1.0]), 0.01 * np.eye(3), (-3, -2, 0))
    for result in (
        cells,
        je.aggregate(cells, "group"),
        je.bacon(panel(), **COLUMNS),
        je.honest(vector, m=(0.5, 1.0)),
        {"one": study(), "other": je.aggregate(cells, "simple")},
    ):
        figure = je.plot(result, language=code, width=width)
        assert figure.get_size_inches()[0] == {"column": 3.6, "page": 7.4}[width]
        assert figure.axes[0].has_data()


def test_what_has_no_picture_is_refused() -> None:
    with pytest.raises(je.DesignError, match="no picture of a str"):
        je.plot("a string")
    with pytest.raises(je.DesignError, match="one effect for each time"):
        event_study_figure(
            je.GroupTime(**COLUMNS).fit(panel()),
            Setting(words=language("en"), width="page", is_synthetic=False),
        )
