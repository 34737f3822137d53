"""Effects by time since treatment: one estimator, or several side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.reporting.figures.style import (
    COLOURS,
    GREY,
    INK,
    PAPER,
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
from juntos_eval.reporting.language import Language

__all__ = ["decimals", "event_study_figure", "mark_interval"]

#: Series that one panel can hold and still be read.
_OVERLAID: Final = 4
_SERIES: Final = (("blue", "o"), ("vermilion", "s"), ("green", "^"), ("purple", "D"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """A study as it is drawn."""

    name: str
    times: Floats
    values: Floats
    pointwise: Floats
    band: Floats
    is_reference: Bools


def event_study_figure(
    studies: Estimate | Mapping[str, Estimate], setting: Setting, *, level: float = 0.95
) -> Drawing:
    """Draw event studies with pointwise intervals and simultaneous bands.

    Up to four studies share a panel, more have one each.

    Parameters
    ----------
    studies : Estimate or Mapping of str to Estimate
        With rows by ``event_time``; others of their rows are left out.
    setting : Setting
    level : float

    Returns
    -------
    Drawing
        The reference, where there is one, is a hollow point at zero.

    Raises
    ------
    DesignError
        If an estimate has no effect by event time.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Estimate, Sample, Uncertainty
    >>> from juntos_eval.reporting.figures import Setting
    >>> from juntos_eval.reporting.figures.event_studies import event_study_figure
    >>> from juntos_eval.reporting.language import language
    >>> effects = Estimate(
    ...     spec={"estimator": "by hand", "outcome": "y", "reference": -1},
    ...     keys={"term": ("att",) * 3, "event_time": (-2, 0, 1)}, values=[0.1, 1.0, 2.0],
    ...     uncertainty=Uncertainty(method="known", covariance=0.01 * np.eye(3), df=np.inf),
    ...     sample=Sample(rows=10, units=5))
    >>> setting = Setting(words=language("en"), width="page", is_synthetic=False)
    >>> event_study_figure(effects, setting).alt
    'Event study of y, 1 series. by hand: ... at the start of treatment 1.00 ([0.80, 1.20]).'
    """
    named = {studies.title.split(":")[0]: studies} if isinstance(studies, Estimate) else dict(studies)
    series = [_series(name, one, level) for name, one in named.items()]
    words = setting.words
    panels = [series] if len(series) <= _OVERLAID else [[one] for one in series]
    columns = min(len(panels), 1 if setting.is_narrow else 3)
    rows = math.ceil(len(panels) / columns)
    with house_style():
        height = (2.6 if len(panels) == 1 else 1.55) * rows + 0.6
        figure = new_figure(setting, height)
        grid = np.atleast_2d(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False))
        for place, axes in enumerate(grid.ravel()):
            if place >= len(panels):
                axes.set_visible(False)
                continue
            _panel(axes, panels[place], setting, is_alone=len(panels) == 1)
            number_ticks(axes.yaxis, words)
            if len(panels) > 1:
                axes.set_title(wrapped(panels[place][0].name, setting.inches / columns - 0.3))
            if place + columns >= len(panels):
                axes.tick_params(labelbottom=True)
                axes.set_xlabel(words.say("timing.event_time"))
        legend_below(figure, _key(series, words, level, is_overlaid=len(panels) == 1), setting)
    outcome = next((str(one.spec["outcome"]) for one in named.values() if "outcome" in one.spec), "–")
    return drawn(figure, _alt(series, words, outcome))


def _series(name: str, estimate: Estimate, level: float) -> _Series:
    labels = estimate.keys.get("event_time", ())
    rows = [at for at, one in enumerate(labels) if one is not None and not _is_nan(one)]
    if not rows or "group" in estimate.keys:
        raise DesignError(
            "an event study has one effect for each time since treatment",
            where=f"{name}: keys {', '.join(estimate.keys)}",
            remedy="average over cohorts first: aggregate(…, 'dynamic'), or by='event_time'",
        )
    rows = sorted(rows, key=lambda at: float(labels[at]))
    times = np.array([float(labels[at]) for at in rows])
    # a band covers the effects drawn, so what is drawn is what it is asked of
    chosen = estimate.combine(np.eye(len(labels))[rows], {"term": ("att",) * len(rows)})
    pointwise = chosen.interval(level) if estimate.uncertainty.intervals is None else None
    if pointwise is None:
        pointwise = estimate.interval(estimate.uncertainty.intervals_level or level)[rows]
    whole = estimate if estimate.uncertainty.band is not None else chosen
    band = whole.interval(level, simultaneous=True)
    band = band[rows] if whole is estimate else band
    values = chosen.values
    error = chosen.uncertainty.std_error
    is_reference = (values == 0) & ~(error > 0)
    missing = _reference(estimate)
    if missing is not None and times.min() < float(missing) < times.max() and float(missing) not in times:
        at = int(np.searchsorted(times, float(missing)))
        times, values = np.insert(times, at, float(missing)), np.insert(values, at, 0.0)
        pointwise, band = (np.insert(one, at, np.nan, axis=0) for one in (pointwise, band))
        is_reference = np.insert(is_reference, at, True)
    return _Series(
        name=name, times=times, values=values, pointwise=pointwise, band=band, is_reference=is_reference
    )


def _reference(estimate: Estimate) -> float | None:
    """Return the event time that all are compared with, where there is a single one."""
    spec = estimate.spec
    if spec.get("estimator") == "LocalProjections":
        return -1.0
    if spec.get("base") == "universal":
        return -1.0 - float(spec.get("anticipation", 0))
    return None if spec.get("reference") is None else float(spec["reference"])


def _is_nan(label: Any) -> bool:
    return isinstance(label, float) and math.isnan(label)


def _panel(axes: Axes, series: Sequence[_Series], setting: Setting, *, is_alone: bool) -> None:
    frame_off(axes, "bottom", "left")
    axes.grid(visible=True, axis="y")
    axes.axhline(0.0, color=INK, linewidth=0.9)
    step = min(float(np.diff(one.times).min()) if len(one.times) > 1 else 1.0 for one in series)
    axes.axvline(-0.5 * step, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
    spread = 0.16 * step if len(series) > 1 else 0.0
    for place, one in enumerate(series):
        colour, marker = _SERIES[place % len(_SERIES)]
        offset = spread * (place - (len(series) - 1) / 2)
        mark_interval(axes, one, COLOURS[colour], marker, offset)
    axes.xaxis.set_major_locator(MaxNLocator(7 if is_alone else 5, integer=True))
    if is_alone:
        axes.set_ylabel(setting.words.say("timing.effect"))


def mark_interval(axes: Axes, one: Any, colour: str, marker: str, offset: float) -> None:
    """Draw points with thick pointwise intervals and thin simultaneous ones.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    one
        With ``times values pointwise band is_reference``.
    colour, marker : str
    offset : float
        Along the axis of time, where several are drawn.
    """
    at = one.times + offset
    axes.vlines(at, one.band[:, 0], one.band[:, 1], color=colour, linewidth=0.8)
    axes.vlines(at, one.pointwise[:, 0], one.pointwise[:, 1], color=colour, linewidth=2.4)
    shown = ~one.is_reference
    axes.plot(at[shown], one.values[shown], marker, color=colour, markersize=4.6, zorder=3)
    axes.plot(
        at[~shown], one.values[~shown], marker, color=colour, markerfacecolor=PAPER, markersize=5.2, zorder=3
    )


def _key(series: Sequence[_Series], words: Language, level: float, *, is_overlaid: bool) -> list[Line2D]:
    handles = []
    if is_overlaid and len(series) > 1:
        for place, one in enumerate(series):
            colour, marker = _SERIES[place % len(_SERIES)]
            handles.append(
                Line2D([], [], color=COLOURS[colour], marker=marker, linestyle="none", label=one.name)
            )
    share = words.percent(level, 0)
    handles += [
        Line2D([], [], color=INK, linewidth=2.4, label=words.say("timing.pointwise", level=share)),
        Line2D([], [], color=INK, linewidth=0.8, label=words.say("timing.band", level=share)),
    ]
    if any(one.is_reference.any() for one in series):
        handles.append(
            Line2D(
                [],
                [],
                color=INK,
                marker="o",
                markerfacecolor=PAPER,
                linestyle="none",
                label=words.say("timing.reference"),
            )
        )
    return handles


def _alt(series: Sequence[_Series], words: Language, outcome: str) -> str:
    digits = decimals([end for one in series for end in one.pointwise.ravel()]) + 1

    def text(value: float) -> str:
        return words.decimal(float(value), digits)

    sentences = []
    for one in series:
        ends = {"first": text(one.values[0]), "last": text(one.values[-1])}
        start = np.flatnonzero(one.times == 0)
        if not len(start):
            sentences.append(words.say("alt.timing.series_short", name=one.name, **ends))
            continue
        at = int(start[0])
        low, high = one.pointwise[at]
        times = {"from": words.decimal(one.times[0], 0), "to": words.decimal(one.times[-1], 0)}
        span = words.span(text(low), text(high))
        sentences.append(
            words.say(
                "alt.timing.series", name=one.name, value=text(one.values[at]), span=span, **ends, **times
            )
        )
    return words.say(
        "alt.timing.event_study",
        outcome=outcome,
        count=words.integer(len(series)),
        sentences=" ".join(sentences),
    )


def decimals(values: Sequence[float]) -> int:
    """Return how many decimals tell values of this size apart.

    Parameters
    ----------
    values : sequence of float

    Returns
    -------
    int

    Examples
    --------
    >>> from juntos_eval.reporting.figures.event_studies import decimals
    >>> decimals([0.012, -0.05]), decimals([150.0, 20.0])
    (3, 0)
    """
    known = [abs(one) for one in values if math.isfinite(one) and one]
    if not known:
        return 1
    return max(0, min(6, 1 - math.floor(math.log10(max(known)))))
