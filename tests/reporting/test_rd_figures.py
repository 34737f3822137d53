"""Pictures of discontinuities: every mean is drawn, both languages, the same bytes for the same numbers."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimators.rdd import (
    BinChoices,
    RegressionDiscontinuity,
    density_picture,
    donut_sensitivity,
    placebo_cutoffs,
    placebo_samples,
    polynomial_sensitivity,
    rd_plot_bins,
)
from juntos_eval.reporting.figures import Setting
from juntos_eval.reporting.figures.output import svg_text
from juntos_eval.reporting.figures.rd_plots import rd_density_figure, rd_plot_figure, rd_sensitivity_figure
from juntos_eval.reporting.language import language

DESIGN = RegressionDiscontinuity(outcome="y", running="x", bandwidth=0.5)


@cache
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    x = rng.uniform(-1, 1, 1200)
    return pd.DataFrame({"x": x, "y": x + 2.0 * (x >= 0) + rng.normal(size=1200)})


def setting(code: str = "en") -> Setting:
    return Setting(words=language(code), width="page", is_synthetic=True)


@pytest.mark.parametrize("code", ["en", "es"])
def test_every_bin_is_drawn(code: str) -> None:
    plot = rd_plot_bins(frame(), outcome="y", running="x", choices=BinChoices(count=(6, 9), order=1))
    drawing = rd_plot_figure(plot, setting(code))
    axes = drawing.figure.axes[0]
    means = np.vstack(
        [
            points.get_offsets()
            for points in axes.collections
            if hasattr(points, "get_sizes") and len(points.get_sizes())
        ]
    )
    np.testing.assert_allclose(means, plot.table()[["running", "outcome"]])
    assert "6" in drawing.alt
    assert "9" in drawing.alt
    assert svg_text(drawing.figure) == svg_text(rd_plot_figure(plot, setting(code)).figure)


def test_densities_end_at_the_cutoff() -> None:
    picture = density_picture(frame(), running="x", points=7)
    left = picture.curve[picture.curve["side"] == "left"]
    assert left["running"].max() == 0
    # the curve at the cutoff is the density of the test: same rows, same polynomial
    at_cutoff = [left["density"].iloc[-1], picture.curve["density"].iloc[7]]
    np.testing.assert_allclose(at_cutoff, picture.test.values[:2], rtol=1e-9)
    errors = [left["std_error"].iloc[-1], picture.curve["std_error"].iloc[7]]
    np.testing.assert_allclose(errors, picture.test.uncertainty.std_error[:2], rtol=1e-9)
    assert (picture.histogram["low"] < 0).sum() == (picture.histogram["high"] <= 0).sum()
    for code in ("en", "es"):
        assert "x" in rd_density_figure(picture, setting(code)).alt
    with pytest.raises(DesignError):
        density_picture(frame(), running="x", reach=0)


def test_sensitivity_by_each_of_its_tables() -> None:
    half = frame().assign(y=frame()["x"])
    tables = {
        "Order": polynomial_sensitivity(DESIGN, frame(), orders=(1, 2)),
        "Radius": donut_sensitivity(DESIGN, frame(), radii=(0.0, 0.1)),
        "Cutoff": placebo_cutoffs(DESIGN, frame(), cutoffs=(0.5,)),
        "Sample": placebo_samples(DESIGN, {"before": half}, data=frame()),
    }
    for word, rows in tables.items():
        drawing = rd_sensitivity_figure(rows, setting())
        assert drawing.figure.axes[0].get_xlabel().startswith(word)
        assert "2 of 2" in drawing.alt
    assert rd_sensitivity_figure(tables["Order"], setting("es")).alt.startswith("Efectos según")
    with pytest.raises(DesignError):
        rd_sensitivity_figure(frame(), setting())


def test_orders_are_their_own_designs_and_samples_their_own_rows() -> None:
    rows = polynomial_sensitivity(DESIGN, frame(), orders=(2,))
    alone = RegressionDiscontinuity(outcome="y", running="x", bandwidth=0.5, order=2).fit(frame())
    assert rows["estimate"][0] == alone.values[2]
    before = frame().assign(y=np.random.default_rng(3).normal(size=len(frame())))
    found = placebo_samples(DESIGN, {"before": before, "few": before.head(3)}, data=frame())
    assert found["estimate"][1] == DESIGN.fit(before).values[2]
    assert found["passed"].tolist()[1] is True
    assert found["passed"].isna().tolist() == [True, False, True]
    assert found["reason"][2]
    with pytest.raises(DesignError):
        placebo_samples(DESIGN, {"design": before}, data=frame())


def test_one_verb_draws_them_all() -> None:
    import juntos_eval as je

    plot = rd_plot_bins(frame(), outcome="y", running="x", choices=BinChoices(count=5))
    assert je.plot(plot).axes[0].get_ylabel() == "y"
    assert je.plot(density_picture(frame(), running="x", points=3)).axes[0].get_ylabel() == "Density"
    rows = polynomial_sensitivity(DESIGN, frame(), orders=(1,))
    assert je.plot(rows).axes[0].get_xlabel() == "Order of the polynomial"
