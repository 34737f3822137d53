"""Who is treated when: cohorts by period, and the effects of each cohort."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.did import Rollout
from juntos_eval.reporting.figures.event_studies import decimals, mark_interval
from juntos_eval.reporting.figures.style import (
    COLOURS,
    GREY,
    INK,
    PAPER,
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

__all__ = ["group_time_figure", "rollout_figure"]

_NEVER: Final = "#eceff2"
_NOT_YET: Final = "#c9e4f5"
# cells that still have room for the number of units
_NUMBERED: Final = 16


def rollout_figure(design: Rollout, setting: Setting) -> Drawing:
    """Draw cohorts by period: treated, not yet, never, and where nobody is seen.

    Parameters
    ----------
    design : Rollout
    setting : Setting

    Returns
    -------
    Drawing
        Cells carry the number of units where there is room.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import rollout
    >>> from juntos_eval.reporting.figures import Setting
    >>> from juntos_eval.reporting.figures.treatment_timing import rollout_figure
    >>> from juntos_eval.reporting.language import language
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "year": [1, 2] * 2, "start": [2, 2, 0, 0]})
    >>> setting = Setting(words=language("en"), width="column", is_synthetic=False)
    >>> rollout_figure(rollout(frame, unit="id", time="year", first_treated="start"), setting).alt
    'Grid of 2 cohorts by 2 periods: treated 1 of 4 cells with rows, 2 units in all.'
    """
    words = setting.words
    count, periods = design.rows.shape
    with house_style():
        figure = new_figure(setting, 0.95 + 0.24 * count)
        axes = figure.subplots()
        frame_off(axes)
        for row in range(count):
            for column in range(periods):
                _cell(axes, design, row, column, has_number=periods <= _NUMBERED)
        axes.set_xlim(0, periods)
        axes.set_ylim(count, 0)
        names = [
            f"{words.say('timing.never') if is_never else name} ({words.integer(size)})"
            for name, is_never, size in zip(design.cohorts, design.is_never, design.sizes, strict=True)
        ]
        axes.set_yticks(np.arange(count) + 0.5, names)
        step = max(1, math.ceil(periods / (8 if setting.is_narrow else 16)))
        shown = np.arange(0, periods, step)
        axes.set_xticks(shown + 0.5, [design.periods[at] for at in shown])
        axes.set_xlabel(words.say("timing.period"))
        axes.set_title(words.say("timing.cohort"), color=GREY, fontsize=8.5)
        handles = [
            Patch(facecolor=COLOURS["blue"], label=words.say("timing.treated")),
            Patch(facecolor=_NOT_YET, label=words.say("timing.not_yet")),
            Patch(facecolor=_NEVER, label=words.say("timing.never_treated")),
        ]
        if (design.rows == 0).any():
            handles.append(
                Patch(facecolor=PAPER, edgecolor=RULE, hatch="////", label=words.say("timing.absent"))
            )
        legend_below(figure, handles, setting)
    seen = design.rows > 0
    alt = words.say(
        "alt.timing.rollout",
        cohorts=words.integer(count),
        periods=words.integer(periods),
        treated=words.integer(int((np.nan_to_num(design.treated_share) > 0).sum())),
        seen=words.integer(int(seen.sum())),
        units=words.integer(int(design.sizes.sum())),
    )
    return drawn(figure, alt)


def _cell(axes: Axes, design: Rollout, row: int, column: int, *, has_number: bool) -> None:
    place = (column + 0.02, row + 0.04)
    if not design.rows[row, column]:
        axes.add_patch(
            Rectangle(place, 0.96, 0.92, facecolor=PAPER, edgecolor=RULE, hatch="////", linewidth=0)
        )
        return
    share = float(design.treated_share[row, column])
    plain = _NEVER if design.is_never[row] else _NOT_YET
    axes.add_patch(Rectangle(place, 0.96, 0.92, facecolor=plain, linewidth=0))
    if share > 0:
        # where treatment switches off, or is of part of a unit, the cell is filled as far
        axes.add_patch(Rectangle(place, 0.96 * share, 0.92, facecolor=COLOURS["blue"], linewidth=0))
    if has_number:
        axes.text(
            column + 0.5,
            row + 0.5,
            f"{design.units[row, column]:,}",
            ha="center",
            va="center",
            fontsize=7.5,
            color=PAPER if share > 0.5 else INK,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cohort:
    times: Floats
    values: Floats
    pointwise: Floats
    band: Floats
    is_reference: Bools
    after: Bools


def group_time_figure(estimate: Estimate, setting: Setting, *, level: float = 0.95) -> Drawing:
    """Draw effects by cohort and period, a panel for each cohort.

    Parameters
    ----------
    estimate : Estimate
        With rows by ``group``, ``time`` and ``event_time``, as of :class:`GroupTime`.
    setting : Setting
    level : float

    Returns
    -------
    Drawing

    Raises
    ------
    DesignError
        If the estimate has no such rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import GroupTime
    >>> from juntos_eval.reporting.figures import Setting
    >>> from juntos_eval.reporting.figures.treatment_timing import group_time_figure
    >>> from juntos_eval.reporting.language import language
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "year": [2019, 2020] * 4,
    ...                       "start": [2020] * 4 + [0] * 4, "y": [1.0, 5.0, 2.0, 4.0, 1.0, 2.0, 3.0, 3.5]})
    >>> cells = GroupTime(outcome="y", unit="id", time="year", first_treated="start").fit(frame)
    >>> setting = Setting(words=language("en"), width="page", is_synthetic=False)
    >>> len(group_time_figure(cells, setting).figure.axes)
    1
    """
    if not {"group", "time", "event_time"} <= set(estimate.keys):
        raise DesignError(
            "panels of cohorts need effects by group and time",
            where=f"keys {', '.join(estimate.keys)}",
            remedy="give the estimate of GroupTime, before it is averaged",
        )
    words = setting.words
    groups = list(dict.fromkeys(estimate.keys["group"]))
    cohorts = [_cohort(estimate, group, level) for group in groups]
    columns = min(len(groups), 1 if setting.is_narrow else 3)
    rows = math.ceil(len(groups) / columns)
    digits = decimals([end for one in cohorts for end in one.pointwise.ravel()])
    with house_style():
        figure = new_figure(setting, 1.4 * rows + 0.75)
        grid = np.atleast_2d(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False))
        for place, axes in enumerate(grid.ravel()):
            if place >= len(groups):
                axes.set_visible(False)
                continue
            _panel(axes, cohorts[place])
            axes.set_title(f"{words.say('timing.cohort')}: {groups[place]}")
            number_ticks(axes.yaxis, words)
            if place + columns >= len(groups):
                axes.tick_params(labelbottom=True)
                axes.set_xlabel(words.say("timing.period"))
        share = words.percent(level, 0)
        colours = ((GREY, "timing.before"), (COLOURS["blue"], "timing.after"))
        handles = [
            Line2D([], [], color=one, marker="o", linestyle="none", label=words.say(key))
            for one, key in colours
        ]
        handles += [
            Line2D([], [], color=INK, linewidth=2.4, label=words.say("timing.pointwise", level=share)),
            Line2D([], [], color=INK, linewidth=0.8, label=words.say("timing.band", level=share)),
        ]
        legend_below(figure, handles, setting)
    after = np.concatenate([one.values[one.after] for one in cohorts])
    known = after[np.isfinite(after)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (math.nan, math.nan)
    alt = words.say(
        "alt.timing.group_time",
        cohorts=words.integer(len(groups)),
        cells=words.integer(len(estimate.values)),
        low=words.decimal(low, digits + 1),
        high=words.decimal(high, digits + 1),
    )
    return drawn(figure, alt)


def _cohort(estimate: Estimate, group: object, level: float) -> _Cohort:
    rows = np.array([at for at, one in enumerate(estimate.keys["group"]) if one == group])
    error = estimate.uncertainty.std_error[rows]
    values = estimate.values[rows]
    times = estimate.keys["time"]
    return _Cohort(
        times=np.array([float(times[at]) if _is_number(times[at]) else float(at) for at in rows]),
        values=values,
        pointwise=estimate.interval(level)[rows],
        band=estimate.interval(level, simultaneous=True)[rows],
        is_reference=(values == 0) & ~(error > 0),
        after=np.array([float(estimate.keys["event_time"][at]) >= 0 for at in rows]),
    )


def _is_number(label: object) -> bool:
    return isinstance(label, int | float)


def _panel(axes: Axes, one: _Cohort) -> None:
    frame_off(axes, "bottom", "left")
    axes.grid(visible=True, axis="y")
    axes.axhline(0.0, color=INK, linewidth=0.9)
    for part, colour in ((~one.after, GREY), (one.after, COLOURS["blue"])):
        if part.any():
            some = _Cohort(
                times=one.times[part],
                values=one.values[part],
                pointwise=one.pointwise[part],
                band=one.band[part],
                is_reference=one.is_reference[part],
                after=one.after[part],
            )
            mark_interval(axes, some, colour, "o", 0.0)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
