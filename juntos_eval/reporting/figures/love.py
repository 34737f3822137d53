"""Balance of every covariate before adjustment and after, by design."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import Final

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from juntos_eval.reporting.figures.style import (
    GREY,
    INK,
    PAPER,
    Drawing,
    Setting,
    Width,
    design_colour,
    design_marker,
    drawn,
    frame_off,
    house_style,
    legend_below,
    new_figure,
    wrapped,
)
from juntos_eval.reporting.judgement import SMD_LIMIT, balance_facts
from juntos_eval.reporting.language import Language
from juntos_eval.reporting.questions import headline_question
from juntos_eval.reporting.report_input import BalanceRow, ReportedEstimate, ReportInput

__all__ = ["love_figure"]

#: Room for the names of covariates.
_NAME_INCHES: Final[Mapping[Width, float]] = {"column": 1.5, "page": 2.7}


def love_figure(content: ReportInput, setting: Setting) -> Drawing:
    """Draw absolute standardised mean differences of the headline question (a "Love plot").

    Parameters
    ----------
    content : ReportInput
    setting : Setting

    Returns
    -------
    Drawing

    References
    ----------
    Ahmed, A. et al. (2006). Heart failure, chronic diuretic use, and increase in mortality and
    hospitalization: an observational study using propensity score methods. European Heart Journal 27.

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.figures import Setting, love_figure
    >>> from juntos_eval.reporting.language import language
    >>> setting = Setting(words=language("en"), width="page", is_synthetic=True)
    >>> love_figure(example_input(), setting).alt.split(". ")[1]
    'Largest before adjustment: 0.70'
    """
    question = headline_question(content)
    shown = [estimate for estimate in question.adjusted if estimate.balance]
    main = next(estimate for estimate in shown if estimate is question.main or estimate is shown[-1])
    order = sorted(main.balance, key=lambda row: _size(row.smd_before))
    words = setting.words
    names = [wrapped(row.label.capitalised.of(words.code), _NAME_INCHES[setting.width]) for row in order]
    middles, top = _middles(names)
    heights = {row.covariate: height for row, height in zip(order, middles, strict=True)}
    with house_style():
        figure = new_figure(setting, (1.4 if setting.is_narrow else 1.1) + top)
        axes = figure.subplots()
        frame_off(axes, "bottom")
        axes.grid(visible=True, axis="y", linewidth=0.5)
        axes.axvline(0.0, color=INK, linewidth=0.9)
        for limit in (SMD_LIMIT / 2, SMD_LIMIT):
            axes.axvline(limit, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
        before = [_size(row.smd_before) for row in order]
        axes.plot(before, middles, "o", color=GREY, markerfacecolor=PAPER, markersize=5.5)
        groups = _groups(shown)
        for estimates in groups:
            _after(axes, estimates[0], heights, is_main=main in estimates)
        axes.set_yticks(middles, names)
        axes.set_ylim(-0.05, top + 0.05)
        axes.set_xlim(-0.012, None)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.decimal(value, 1)))
        axes.set_xlabel(wrapped(words.say("axis.smd"), setting.inches - 1.5))
        legend_below(figure, _key(groups, words), setting)
    return drawn(figure, _alt(shown, words))


def _middles(names: list[str]) -> tuple[list[float], float]:
    """Return where each name stands, in inches from below, and where the last one ends."""
    rooms = [0.06 + 0.14 * (name.count("\n") + 1) for name in names]
    ends = list(accumulate(rooms))
    return [end - room / 2 for end, room in zip(ends, rooms, strict=True)], ends[-1]


def _size(value: float) -> float:
    return 0.0 if math.isnan(value) else abs(value)


def _groups(shown: list[ReportedEstimate]) -> list[list[ReportedEstimate]]:
    """Designs with the same balance are drawn once: AIPW has that of its weights."""
    groups: list[list[ReportedEstimate]] = []
    for estimate in shown:
        twin = next((group for group in groups if _is_same(group[0].balance, estimate.balance)), None)
        if twin is None:
            groups.append([estimate])
        else:
            twin.append(estimate)
    return groups


def _is_same(ours: tuple[BalanceRow, ...], theirs: tuple[BalanceRow, ...]) -> bool:
    left, right = ({row.covariate: row.smd_after for row in rows} for rows in (ours, theirs))
    return left.keys() == right.keys() and bool(
        np.allclose(list(left.values()), [right[name] for name in left], equal_nan=True)
    )


def _after(axes: object, shown: ReportedEstimate, heights: dict[str, float], *, is_main: bool) -> None:
    rows = [row for row in shown.balance if row.covariate in heights and not math.isnan(row.smd_after)]
    axes.plot(  # type: ignore[attr-defined]
        [abs(row.smd_after) for row in rows],
        [heights[row.covariate] for row in rows],
        linestyle="none",
        marker=design_marker(shown.design),
        color=design_colour(shown.design),
        markersize=6.0 if is_main else 4.4,
        markeredgecolor=PAPER,
        markeredgewidth=0.4,
        zorder=4 if is_main else 3,
    )


def _key(groups: list[list[ReportedEstimate]], words: Language) -> list[Line2D]:
    handles = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker="o",
            color=GREY,
            markerfacecolor=PAPER,
            label=words.say("legend.before"),
        )
    ]
    for estimates in groups:
        design = estimates[0].design
        names = ", ".join(estimate.labels["design"].inline.of(words.code) for estimate in estimates)
        label = wrapped(names, 2.8)
        handles.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker=design_marker(design),
                color=design_colour(design),
                label=label,
            )
        )
    return handles


def _alt(shown: list[ReportedEstimate], words: Language) -> str:
    facts = [(estimate, balance_facts(estimate.balance)) for estimate in shown]
    known = [(estimate, found) for estimate, found in facts if found is not None]
    return words.say(
        "alt.love-plot",
        covariates=words.integer(max(found.covariates for _, found in known)),
        before=words.decimal(max(found.before for _, found in known), 2),
        designs="; ".join(
            f"{estimate.labels['design'].inline.of(words.code)} {words.decimal(found.after, 2)}"
            for estimate, found in known
        ),
    )
