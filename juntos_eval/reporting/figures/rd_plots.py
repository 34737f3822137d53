"""Pictures of a regression discontinuity: binned means and curves, densities, sensitivity of the effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from juntos_eval.errors import DesignError
from juntos_eval.estimators.rdd import DensityPicture, RdPlot
from juntos_eval.reporting.figures.event_studies import decimals
from juntos_eval.reporting.figures.style import (
    COLOURS,
    GREY,
    INK,
    RULE,
    Drawing,
    Setting,
    drawn,
    frame_off,
    house_style,
    legend_below,
    new_figure,
)
from juntos_eval.reporting.figures.ticks import number_ticks
from juntos_eval.reporting.language import Language

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["rd_density_figure", "rd_plot_figure", "rd_sensitivity_figure"]

_SIDES: Final = (("left", "blue"), ("right", "vermilion"))
#: Beyond so many bins on a side bars would hide the means.
_MOST_BARS: Final = 60
#: What a table of :mod:`juntos_eval.estimators.rdd` varies, and the word for it.
_VARIED: Final[Mapping[str, str]] = {
    "factor": "rd.factor",
    "order": "rd.order",
    "radius": "rd.radius",
    "cutoff": "rd.cutoff",
    "sample": "rd.sample",
    "window": "rd.window",
}


def rd_plot_figure(plot: RdPlot, setting: Setting, *, has_bars: bool = True) -> Drawing:
    """Draw binned means with their intervals, and the global polynomial of each side.

    Parameters
    ----------
    plot : RdPlot
    setting : Setting
    has_bars : bool
        Intervals of the means, cut at the edge of the picture; left out anyway where there are more than 60
        bins a side.

    Returns
    -------
    Drawing

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import BinChoices, rd_plot_bins
    >>> from juntos_eval.reporting.figures import Setting
    >>> from juntos_eval.reporting.figures.rd_plots import rd_plot_figure
    >>> from juntos_eval.reporting.language import language
    >>> frame = pd.DataFrame({"score": range(-20, 20), "y": [1.0, 2.0] * 10 + [5.0, 6.0] * 10})
    >>> plot = rd_plot_bins(frame, outcome="y", running="score", choices=BinChoices(count=4, order=1))
    >>> setting = Setting(words=language("en"), width="page", is_synthetic=True)
    >>> rd_plot_figure(plot, setting).alt
    'Means of y in bins of score, 4 left and 4 right of the cutoff 0, ... right at the cutoff: 1.6 and 5.4.'
    """
    words, cutoff = setting.words, float(plot.spec["cutoff"])
    bins, curve = plot.table(), plot.curve()
    with house_style():
        figure = new_figure(setting, 2.9 if setting.is_narrow else 3.6)
        axes = _axes(figure, cutoff)
        for at, (side, colour) in enumerate(_SIDES):
            here, line = bins[bins["side"] == side], curve[curve["side"] == side]
            if has_bars and max(plot.counts) <= _MOST_BARS:
                axes.vlines(
                    here["running"], here["conf_low"], here["conf_high"], color=COLOURS[colour], alpha=0.35
                )
            # many means are drawn smaller, so that each is seen
            size = 14.0 if plot.counts[at] <= _MOST_BARS else 5.0
            marker = "o" if side == "left" else "s"
            axes.scatter(here["running"], here["outcome"], s=size, color=COLOURS[colour], marker=marker)
            axes.plot(line["running"], line["fitted"], color=COLOURS[colour], linewidth=1.8)
        # bars of bins with two rows would flatten everything else
        shown = np.concatenate([bins["outcome"], curve["fitted"]])
        margin = 0.25 * (float(np.ptp(shown)) or 1.0)
        axes.set_ylim(shown.min() - margin, shown.max() + margin)
        _both(axes, words)
        axes.set_xlabel(str(plot.spec["running"]))
        axes.set_ylabel(str(plot.spec["outcome"]))
        legend_below(figure, _bin_key(plot, words, has_bars=has_bars), setting)
    ends = plot.coefficients[:, 0] + plot.shift
    digits = decimals(list(ends))
    return drawn(
        figure,
        words.say(
            "rd.alt_bins",
            outcome=str(plot.spec["outcome"]),
            running=str(plot.spec["running"]),
            left=words.integer(plot.counts[0]),
            right=words.integer(plot.counts[1]),
            cutoff=f"{cutoff:g}",
            level_left=words.decimal(float(ends[0]), digits),
            level_right=words.decimal(float(ends[1]), digits),
        ),
    )


def rd_density_figure(picture: DensityPicture, setting: Setting) -> Drawing:
    """Draw the histogram of a running variable and its density on both sides of the cutoff.

    Parameters
    ----------
    picture : DensityPicture
    setting : Setting

    Returns
    -------
    Drawing

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import density_picture
    >>> from juntos_eval.reporting.figures import Setting
    >>> from juntos_eval.reporting.figures.rd_plots import rd_density_figure
    >>> from juntos_eval.reporting.language import language
    >>> score = np.random.default_rng(5).normal(size=2000)
    >>> picture = density_picture(pd.DataFrame({"score": score}), running="score", points=9)
    >>> setting = Setting(words=language("en"), width="page", is_synthetic=True)
    >>> rd_density_figure(picture, setting).alt.split(";")[0]
    'Density of score on both sides of the cutoff 0: 0.40 to the left, 0.39 to the right'
    """
    words, test = setting.words, picture.test
    cutoff = float(test.spec["cutoff"])
    with house_style():
        figure = new_figure(setting, 2.8 if setting.is_narrow else 3.4)
        axes = _axes(figure, cutoff)
        for side, colour in _SIDES:
            bars = picture.histogram[picture.histogram["side"] == side]
            axes.bar(
                bars["low"], bars["density"], bars["high"] - bars["low"], align="edge", color=RULE,
                edgecolor="white", linewidth=0.5,
            )  # fmt: skip
            line = picture.curve[picture.curve["side"] == side]
            axes.fill_between(
                line["running"], line["conf_low"], line["conf_high"], color=COLOURS[colour], alpha=0.2,
                linewidth=0,
            )  # fmt: skip
            axes.plot(line["running"], line["density"], color=COLOURS[colour], linewidth=1.8)
        axes.set_ylim(bottom=0.0)
        _both(axes, words)
        axes.set_xlabel(str(test.spec["running"]))
        axes.set_ylabel(words.say("axis.density"))
        interval = words.say("rd.interval", level=words.percent(picture.level, 0))
        handles = [
            Line2D([], [], color=RULE, linewidth=6, label=words.say("rd.histogram")),
            Line2D([], [], color=INK, label=words.say("rd.density")),
            Line2D([], [], color=GREY, linewidth=6, alpha=0.3, label=interval),
        ]
        legend_below(figure, handles, setting)
    digits = decimals([float(value) for value in test.values[:2]])
    return drawn(
        figure,
        words.say(
            "rd.alt_density",
            running=str(test.spec["running"]),
            cutoff=f"{cutoff:g}",
            left=words.decimal(float(test.values[0]), digits),
            right=words.decimal(float(test.values[1]), digits),
            p=words.decimal(float(test.p_values()[2]), 3),
        ),
    )


def rd_sensitivity_figure(rows: DataFrame, setting: Setting) -> Drawing:
    """Draw how the effect moves with what a table of sensitivity varies.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of ``bandwidth_sensitivity``, ``polynomial_sensitivity``, ``donut_sensitivity``, ``placebo_cutoffs``,
        or ``placebo_samples``: told by its columns.
    setting : Setting

    Returns
    -------
    Drawing
        Placebos are hollow; what could not be estimated is left out and counted in the text.

    Raises
    ------
    DesignError
        For a table of something else, or without any estimate.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import RegressionDiscontinuity, bandwidth_sensitivity
    >>> from juntos_eval.reporting.figures import Setting
    >>> from juntos_eval.reporting.figures.rd_plots import rd_sensitivity_figure
    >>> from juntos_eval.reporting.language import language
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"x": rng.uniform(-1, 1, 900)})
    >>> frame["y"] = 2.0 * (frame["x"] >= 0) + rng.normal(size=900)
    >>> design = RegressionDiscontinuity(outcome="y", running="x")
    >>> rows = bandwidth_sensitivity(design, frame, factors=(0.5, 1.0, 2.0))
    >>> setting = Setting(words=language("en"), width="page", is_synthetic=True)
    >>> rd_sensitivity_figure(rows, setting).alt.split(":")[0]
    'Effects by multiple of the bandwidth, 3 of 3 estimated'
    """
    words = setting.words
    varied = next((name for name in _VARIED if name in rows.columns), None)
    known = rows[rows["estimate"].notna()] if varied and "estimate" in rows.columns else rows.iloc[:0]
    if varied is None or not len(known):
        raise DesignError(
            "this is no table of sensitivity with an estimate in it",
            where=f"columns {', '.join(map(str, rows.columns[:8]))}; {len(rows)} rows",
            remedy="give what bandwidth_sensitivity, donut_sensitivity, placebo_cutoffs … return",
        )
    is_named = varied == "sample"
    place = np.arange(len(known)) if is_named else known[varied].to_numpy(np.float64)
    is_placebo = known["is_placebo"].to_numpy(bool) if "is_placebo" in known else np.zeros(len(known), bool)
    with house_style():
        figure = new_figure(setting, 2.6 if setting.is_narrow else 3.1)
        axes = figure.subplots()
        frame_off(axes, "bottom", "left")
        axes.axhline(0.0, color=INK, linewidth=0.9)
        colours = [GREY if each else COLOURS["blue"] for each in is_placebo]
        axes.vlines(place, known["conf_low"], known["conf_high"], color=colours, linewidth=1.6)
        for hollow, colour in ((False, COLOURS["blue"]), (True, GREY)):
            at = is_placebo == hollow
            face = "white" if hollow else colour
            axes.scatter(place[at], known["estimate"][at], s=26, facecolor=face, edgecolor=colour, zorder=3)
        if is_named:
            axes.set_xticks(place, [str(name) for name in known["sample"]])
        elif varied == "order":
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        number_ticks(axes.yaxis, words)
        if not is_named:
            number_ticks(axes.xaxis, words)
        axes.set_xlabel(words.say(_VARIED[varied]))
        axes.set_ylabel(words.say("rd.effect"))
    digits = decimals(list(known["estimate"]))
    return drawn(
        figure,
        words.say(
            "rd.alt_sensitivity",
            varied=words.say(_VARIED[varied]).lower(),
            known=words.integer(len(known)),
            all=words.integer(len(rows)),
            low=words.decimal(float(known["estimate"].min()), digits),
            high=words.decimal(float(known["estimate"].max()), digits),
        ),
    )


def _axes(figure: Figure, cutoff: float) -> Axes:
    axes = figure.subplots()
    frame_off(axes, "bottom", "left")
    axes.axvline(cutoff, color=GREY, linewidth=0.9, linestyle=(0, (3, 2)))
    return axes


def _both(axes: Axes, words: Language) -> None:
    number_ticks(axes.xaxis, words)
    number_ticks(axes.yaxis, words)


def _bin_key(plot: RdPlot, words: Language, *, has_bars: bool) -> list[Line2D]:
    handles = [
        Line2D([], [], color=INK, marker="o", linestyle="", markersize=4, label=words.say("rd.mean")),
        Line2D([], [], color=INK, label=words.say("rd.polynomial", order=str(plot.spec["order"]))),
    ]
    if has_bars and max(plot.counts) <= _MOST_BARS:
        level = words.percent(float(plot.spec["level"]), 0)
        label = words.say("rd.interval", level=level)
        handles.append(Line2D([], [], color=INK, alpha=0.35, label=label))
    return handles
