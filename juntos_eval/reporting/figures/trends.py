"""What a two-way coefficient is made of, and how far an effect stands bounds on trends."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from matplotlib.lines import Line2D

from juntos_eval.estimate import Estimate
from juntos_eval.estimators.did import BaconDecomposition, HonestIntervals
from juntos_eval.reporting.figures.event_studies import decimals
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
    wrapped,
)
from juntos_eval.reporting.figures.ticks import number_ticks

__all__ = ["bacon_figure", "honest_figure", "values_figure"]

#: Key of the words, colour and marker of each kind of comparison.
_KINDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "never treated as control": ("never_control", "blue", "o"),
    "always treated as control": ("always_control", "purple", "D"),
    "later treated as control": ("later", "green", "^"),
    "earlier treated as control": ("earlier", "vermilion", "X"),
}


def bacon_figure(parts: BaconDecomposition, setting: Setting) -> Drawing:
    """Draw the comparisons behind a two-way coefficient: estimate by weight and kind.

    Parameters
    ----------
    parts : BaconDecomposition
    setting : Setting

    Returns
    -------
    Drawing

    References
    ----------
    Goodman-Bacon, A. (2021). Difference-in-differences with variation in treatment timing. *Journal of
    Econometrics*, 225(2), 254-277. (Figure 6.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import bacon
    >>> from juntos_eval.reporting.figures import Setting
    >>> from juntos_eval.reporting.figures.trends import bacon_figure
    >>> from juntos_eval.reporting.language import language
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "year": [1, 2] * 2, "start": [2, 2, 0, 0],
    ...                       "y": [1.0, 4.0, 2.0, 3.0]})
    >>> parts = bacon(frame, outcome="y", unit="id", time="year", first_treated="start")
    >>> setting = Setting(words=language("en"), width="page", is_synthetic=False)
    >>> bacon_figure(parts, setting).alt.split(": ")[1]
    'two-way coefficient 2.0. never treated as control'
    """
    words = setting.words
    digits = decimals(list(parts.estimates))
    kinds = [kind for kind in _KINDS if kind in parts.kinds]
    of_kind = np.array(parts.kinds)
    with house_style():
        figure = new_figure(setting, 3.2)
        axes = figure.subplots()
        frame_off(axes, "bottom", "left")
        axes.grid(visible=True, axis="y")
        axes.axhline(0.0, color=INK, linewidth=0.9)
        axes.axhline(parts.coefficient, color=GREY, linestyle=(0, (3, 2)))
        handles = []
        for kind in kinds:
            key, colour, marker = _KINDS[kind]
            here = of_kind == kind
            axes.plot(
                parts.weights[here], parts.estimates[here], marker, color=COLOURS[colour], markersize=5.6
            )
            label = words.say(f"timing.{key}")
            handles.append(
                Line2D([], [], color=COLOURS[colour], marker=marker, linestyle="none", label=label)
            )
        axes.set_xlim(0.0, None)
        axes.set_xlabel(words.say("timing.weight"))
        axes.set_ylabel(words.say("timing.effect"))
        number_ticks(axes.xaxis, words)
        number_ticks(axes.yaxis, words)
        line = words.say("timing.two_way", value=words.decimal(parts.coefficient, digits + 1))
        handles.append(Line2D([], [], color=GREY, linestyle=(0, (3, 2)), label=line))
        legend_below(figure, handles, setting)
    summed = parts.by_kind().set_index("kind")
    sentences = [
        words.say(
            "alt.timing.kind",
            name=words.say(f"timing.{_KINDS[kind][0]}"),
            weight=words.decimal(float(summed["weight"][kind]), 2),
            value=words.decimal(float(summed["estimate"][kind]), digits),
        )
        for kind in kinds
    ]
    alt = words.say(
        "alt.timing.bacon",
        count=words.integer(len(parts.weights)),
        value=words.decimal(parts.coefficient, digits),
        sentences=" ".join(sentences),
    )
    return drawn(figure, alt)


def honest_figure(intervals: HonestIntervals, setting: Setting) -> Drawing:
    """Draw robust intervals by the bound on trends, beside the one under parallel trends.

    Parameters
    ----------
    intervals : HonestIntervals
    setting : Setting

    Returns
    -------
    Drawing
        Bounds whose interval is empty or not bounded are left out.

    References
    ----------
    Rambachan, A., & Roth, J. (2023). A more credible approach to parallel trends. *Review of Economic
    Studies*, 90(5), 2555-2591. (Figures 4 and 5.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did import honest
    >>> from juntos_eval.reporting.figures import Setting
    >>> from juntos_eval.reporting.figures.trends import honest_figure
    >>> from juntos_eval.reporting.language import language
    >>> effects = np.array([0.0, 0.1, 1.0]), 0.01 * np.eye(3), (-3, -2, 0)
    >>> setting = Setting(words=language("en"), width="page", is_synthetic=False)
    >>> len(honest_figure(honest(effects, m=(0.5, 1.0)), setting).figure.axes)
    1
    """
    words = setting.words
    ends = [*intervals.original, *intervals.low, *intervals.high]
    digits = decimals(ends)
    shown = np.isfinite(intervals.low) & np.isfinite(intervals.high)
    bounds = np.array(intervals.m)
    gap = float(np.diff(np.unique(bounds)).min()) if len(np.unique(bounds)) > 1 else max(bounds[0], 1.0)
    left = float(bounds.min()) - gap
    share = words.percent(intervals.level, 0)
    with house_style():
        figure = new_figure(setting, 3.0)
        axes = figure.subplots()
        frame_off(axes, "bottom", "left")
        axes.grid(visible=True, axis="y")
        axes.axhline(0.0, color=INK, linewidth=0.9)
        first = np.array([intervals.original])
        robust = np.column_stack([intervals.low, intervals.high])[shown]
        for colour, at, spans in (("vermilion", np.array([left]), first), ("blue", bounds[shown], robust)):
            axes.vlines(at, spans[:, 0], spans[:, 1], color=COLOURS[colour], linewidth=2.4)
            axes.plot(np.repeat(at, 2), spans.ravel(), "_", color=COLOURS[colour], markersize=7.0)
        handles = [
            Line2D([], [], color=COLOURS["vermilion"], label=words.say("timing.original", level=share)),
            Line2D([], [], color=COLOURS["blue"], label=words.say("timing.robust", level=share)),
        ]
        if 0 < intervals.breakdown < math.inf:
            label = words.say("timing.breakdown", value=words.decimal(intervals.breakdown, 2))
            if intervals.breakdown <= bounds.max() + gap:
                axes.axvline(intervals.breakdown, color=GREY, linestyle=(0, (3, 2)))
            handles.append(Line2D([], [], color=GREY, linestyle=(0, (3, 2)), label=label))
        ticks = bounds if len(bounds) <= 9 else bounds[:: math.ceil(len(bounds) / 9)]
        places = decimals(ticks.tolist())
        names = [words.decimal(float(one), places) for one in ticks]
        axes.set_xticks([left, *ticks], [words.say("timing.parallel"), *names])
        is_relative = "relative" in intervals.restriction
        axis = words.say("timing.bound_relative" if is_relative else "timing.bound_smooth")
        axes.set_xlabel(wrapped(axis, setting.inches - 0.6))
        axes.set_ylabel(words.say("timing.effect"))
        number_ticks(axes.yaxis, words)
        legend_below(figure, handles, setting)

    def span(low: float, high: float) -> str:
        return words.span(words.decimal(low, digits + 1), words.decimal(high, digits + 1))

    alt = words.say(
        "alt.timing.honest",
        original=span(*intervals.original),
        last=span(float(intervals.low[-1]), float(intervals.high[-1])),
        bound=words.decimal(float(bounds[-1]), 2),
        breakdown=words.decimal(intervals.breakdown, 2),
    )
    return drawn(figure, alt)


def values_figure(estimates: Mapping[str, Estimate], setting: Setting, *, level: float = 0.95) -> Drawing:
    """Draw every value of some estimates with its interval, one below the other.

    Parameters
    ----------
    estimates : Mapping of str to Estimate
    setting : Setting
    level : float

    Returns
    -------
    Drawing

    Examples
    --------
    >>> from juntos_eval.estimate import Estimate, Sample, Uncertainty
    >>> from juntos_eval.reporting.figures import Setting
    >>> from juntos_eval.reporting.figures.trends import values_figure
    >>> from juntos_eval.reporting.language import language
    >>> one = Estimate(
    ...     spec={"estimator": "by hand"}, keys={"term": ("att",)}, values=[1.0],
    ...     uncertainty=Uncertainty(method="known", covariance=[[0.25]], df=float("inf")),
    ...     sample=Sample(rows=10, units=10))
    >>> setting = Setting(words=language("en"), width="page", is_synthetic=False)
    >>> values_figure({"ours": one}, setting).alt
    'Interval plot of 1 values, from 1.0 to 1.0.'
    """
    words = setting.words
    names, values, spans = [], [], []
    for name, estimate in estimates.items():
        limits = estimate.interval(estimate.uncertainty.intervals_level or level)
        for at, value in enumerate(estimate.values):
            keys = [str(labels[at]) for labels in estimate.keys.values() if labels[at] is not None]
            label = name if len(estimate.values) == 1 else " ".join([name, *keys] if name else keys)
            names.append(wrapped(label, 2.4))
            values.append(float(value))
            spans.append(limits[at])
    digits = decimals([end for span in spans for end in span])
    heights = np.arange(len(values))
    with house_style():
        figure = new_figure(setting, 0.7 + 0.22 * len(values))
        axes = figure.subplots()
        frame_off(axes, "bottom")
        axes.grid(visible=True, axis="x")
        axes.axvline(0.0, color=INK, linewidth=0.9)
        axes.hlines(heights, [s[0] for s in spans], [s[1] for s in spans], color=COLOURS["blue"])
        axes.plot(values, heights, "o", color=COLOURS["blue"], markersize=4.8)
        axes.set_yticks(heights, names)
        axes.set_ylim(len(values) - 0.4, -0.6)
        axes.set_xlabel(words.say("timing.effect"))
        number_ticks(axes.xaxis, words)
    known = [value for value in values if math.isfinite(value)] or [math.nan]
    alt = words.say(
        "alt.timing.values",
        count=words.integer(len(values)),
        low=words.decimal(min(known), digits),
        high=words.decimal(max(known), digits),
    )
    return drawn(figure, alt)
