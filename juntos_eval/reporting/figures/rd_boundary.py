"""The map of a boundary and the effects along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.reporting.figures.style import (
    COLOURS,
    GREY,
    INK,
    Drawing,
    Setting,
    drawn,
    frame_off,
    house_style,
    legend_below,
    new_figure,
)

__all__ = ["BoundaryMap", "boundary_figure"]

Lines = tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoundaryMap:
    """What the map shows.

    Attributes
    ----------
    lines : tuple of lines
        Of (longitude, latitude), as ``boundary_lines`` gives them.
    longitude, latitude : numpy.ndarray, shape (n,)
        Places, each once: districts, say.
    is_treated : numpy.ndarray of bool, shape (n,)
    estimate : Estimate
        Of ``BoundaryRD`` with points: its spec says where they are.

    Raises
    ------
    DesignError
        For an estimate without points.
    """

    lines: Lines
    longitude: Floats
    latitude: Floats
    is_treated: Bools
    estimate: Estimate

    def __post_init__(self) -> None:
        if not self.estimate.spec.get("points"):
            raise DesignError(
                "the estimate has no points of a boundary to map",
                where=f"estimator {self.estimate.spec.get('estimator')}",
                remedy="fit BoundaryRD with points=",
            )


def boundary_figure(content: BoundaryMap, setting: Setting) -> Drawing:
    """Draw places, boundary and numbered points, and beside them the robust interval at each point.

    Parameters
    ----------
    content : BoundaryMap
    setting : Setting

    Returns
    -------
    Drawing

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import BoundaryRD
    >>> from juntos_eval.reporting.figures import Setting
    >>> from juntos_eval.reporting.figures.rd_boundary import BoundaryMap, boundary_figure
    >>> from juntos_eval.reporting.language import language
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"lon": rng.uniform(-73, -71, 900), "lat": rng.uniform(-14, -13, 900)})
    >>> frame["km"] = 108.2 * (frame["lon"] + 72)
    >>> frame["y"] = 2.0 * (frame["km"] >= 0) + rng.normal(size=900)
    >>> design = BoundaryRD(outcome="y", running="km", latitude="lat", longitude="lon", method="location",
    ...                     points=((-13.5, -72.0),), bandwidth=60)
    >>> shown = BoundaryMap(lines=(((-72.0, -14.0), (-72.0, -13.0)),), longitude=frame["lon"].to_numpy(),
    ...                     latitude=frame["lat"].to_numpy(), is_treated=frame["km"].to_numpy() >= 0,
    ...                     estimate=design.fit(frame))
    >>> setting = Setting(words=language("en"), width="page", is_synthetic=True)
    >>> boundary_figure(shown, setting).alt.split(". ")[0]
    'Map of 900 places on two sides of a boundary with 1 numbered point, and the effect at each'
    """
    words = setting.words
    found = content.estimate.tidy()
    robust = found[found["term"] == "robust"]
    points = [tuple(point) for point in content.estimate.spec["points"]]
    with house_style():
        figure = new_figure(setting, 6.4 if setting.is_narrow else 3.6)
        grid = figure.subplots(*((2, 1) if setting.is_narrow else (1, 2)))
        _map(grid[0], content, points, setting)
        intervals = robust[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=np.float64)[: len(points)]
        _effects(grid[1], intervals, setting)
        legend_below(figure, grid[0].get_legend_handles_labels()[0], setting)
    sentences = " ".join(
        words.say(
            "boundary.sentence",
            number=str(at + 1),
            value=words.decimal(value, 3, is_signed=True),
            span=words.span(words.decimal(low, 3, is_signed=True), words.decimal(high, 3, is_signed=True)),
        )
        for at, (value, low, high) in enumerate(intervals.tolist())
    )
    which = "boundary.alt_one" if len(points) == 1 else "boundary.alt"
    alt = words.say(
        which,
        places=words.integer(len(content.longitude)),
        points=words.integer(len(points)),
        sentences=sentences,
    )
    return drawn(figure, alt)


def _map(axes: Axes, content: BoundaryMap, points: list[tuple[float, ...]], setting: Setting) -> None:
    words = setting.words
    frame_off(axes, "left", "bottom")
    for is_treated, colour, marker, key in (
        (False, "orange", "s", "boundary.untreated"),
        (True, "blue", "o", "boundary.treated"),
    ):
        here = content.is_treated == is_treated
        axes.plot(
            content.longitude[here], content.latitude[here], marker, color=COLOURS[colour], markersize=2.2,
            linestyle="none", label=words.say(key),
        )  # fmt: skip
    for at, line in enumerate(content.lines):
        label = words.say("boundary.line") if at == 0 else None
        axes.plot(*np.array(line, float).T, color=INK, linewidth=1.1, label=label)
    for at, (latitude, longitude) in enumerate(points):
        axes.annotate(
            str(at + 1), (longitude, latitude), ha="center", va="center", fontsize=7.5, color=INK,
            bbox={"boxstyle": "circle,pad=0.18", "facecolor": "white", "edgecolor": INK, "linewidth": 0.7},
        )  # fmt: skip
    axes.set_xlabel(words.say("boundary.longitude"))
    axes.set_ylabel(words.say("boundary.latitude"))
    # a degree of longitude is shorter than one of latitude
    axes.set_aspect(1.0 / np.cos(np.radians(float(content.latitude.mean()))))


def _effects(axes: Axes, intervals: Floats, setting: Setting) -> None:
    frame_off(axes, "bottom")
    place = np.arange(1, len(intervals) + 1)
    axes.axvline(0.0, color=GREY, linewidth=0.8)
    reach = np.abs(intervals[:, 1:] - intervals[:, :1]).T
    axes.errorbar(
        intervals[:, 0], place, xerr=reach, fmt="o", color=INK, ecolor=INK, elinewidth=1.2, capsize=0
    )
    axes.set_yticks(place, [str(number) for number in place])
    axes.set_ylim(len(place) + 0.6, 0.4)
    axes.set_xlabel(setting.words.say("boundary.effect"))
    axes.set_ylabel(setting.words.say("boundary.point"))
