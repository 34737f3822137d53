"""Raw gap and adjusted estimates side by side, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

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
    wrapped,
)
from juntos_eval.reporting.judgement import agreement
from juntos_eval.reporting.language import Language
from juntos_eval.reporting.questions import Question, questions
from juntos_eval.reporting.report_input import ENTRANTS, RAW_GAP, Label, ReportedEstimate, ReportInput
from juntos_eval.reporting.suppression import is_publishable
from juntos_eval.reporting.text import brief

__all__ = ["estimates_figure", "raw_and_adjusted_figure"]

#: Effects in shares are drawn in percentage points.
_FACTORS: Final = {"share": 100.0, "score": 1.0}


def estimates_figure(content: ReportInput, setting: Setting, study: str) -> Drawing:
    """Draw every estimate of a study, one panel a question; synthetic runs show the planted truth.

    Parameters
    ----------
    content : ReportInput
    setting : Setting
    study : str

    Returns
    -------
    Drawing

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.figures import Setting, estimates_figure
    >>> from juntos_eval.reporting.language import language
    >>> setting = Setting(words=language("en"), width="page", is_synthetic=True)
    >>> estimates_figure(example_input(), setting, "child_work").alt
    'Interval plot, panels: 1. Child work, children aged 5–13, 2024: raw gap +20.0, adjusted ... to −2.0.'
    """
    asked, columns = _arranged(questions(content, study), is_narrow=setting.is_narrow)
    rows = math.ceil(len(asked) / columns)
    designs = list(dict.fromkeys(shown.design for question in asked for shown in question.estimates))
    inches_for_names = 1.45 if setting.is_narrow else 2.3
    inches = (setting.inches - inches_for_names) / columns
    titles = [wrapped(title, inches) for title in _titles(asked, setting.words)]
    lines = max(title.count("\n") + 1 for title in titles)
    limits = {unit: _limits(asked, unit) for unit in _units(asked)}
    scale_inches = 0.4 if len(limits) > 1 else 0.0
    labels = {s.design: s.labels["design"].of(setting.words.code) for s in content.estimates}
    names = [wrapped(labels[design], inches_for_names) for design in designs]
    pitch = 0.05 + 0.12 * max(name.count("\n") + 1 for name in names)
    row_inches = 0.18 + 0.14 * lines + pitch * len(designs) + scale_inches
    with house_style():
        figure = new_figure(setting, 0.75 + rows * row_inches)
        grid = np.atleast_2d(figure.subplots(rows, columns, sharey=True, squeeze=False))
        for place, axes in enumerate(grid.ravel()):
            if place >= len(asked):
                axes.set_visible(False)
                continue
            _panel(axes, asked[place], titles[place], designs, setting.words)
            axes.set_xlim(*limits[asked[place].estimates[0].unit])
            # one scale below each column will do where all panels have the same
            is_last = place + columns >= len(asked)
            axes.tick_params(labelbottom=is_last or len(limits) > 1)
            unit = setting.words.say(f"unit.{asked[place].estimates[0].unit}.name")
            axes.set_xlabel(unit if is_last or len(limits) > 1 else "")
        grid[0, 0].set_yticks(range(len(designs)), names)
        grid[0, 0].set_ylim(len(designs) - 0.4, -0.6)
        legend_below(figure, _key(asked, setting.words), setting)
    return drawn(figure, _alt(asked, setting.words))


def _arranged(asked: Sequence[Question], *, is_narrow: bool) -> tuple[list[Question], int]:
    """Return questions in the order of panels: years side by side where each was asked in all of them."""
    columns = 1 if is_narrow else min(2, len(asked))
    years = list(dict.fromkeys(question.year for question in asked))
    rows: dict[tuple[str, str], list[Question]] = {}
    for question in asked:
        rows.setdefault((question.outcome, question.population), []).append(question)
    if 1 < len(years) < 4 and all([q.year for q in row] == years for row in rows.values()):
        return [question for row in rows.values() for question in row], 1 if is_narrow else len(years)
    return list(asked), columns


def _titles(asked: Sequence[Question], words: Language) -> list[str]:
    """Return what tells the panels apart: outcome or population where they differ, and the year."""
    titles = []
    for question in asked:
        varying = [
            question.label(name).capitalised.of(words.code)
            for name in ("outcome", "population")
            if len({other.label(name) for other in asked}) > 1
        ]
        titles.append(
            ", ".join([*(varying or [question.title.of(words.code).rsplit(", ", 1)[0]]), question.year])
        )
    return titles


def _units(asked: Sequence[Question]) -> set[str]:
    return {question.estimates[0].unit for question in asked}


def _limits(asked: Sequence[Question], unit: str) -> tuple[float, float]:
    ends = [0.0]
    for question in asked:
        for shown in question.estimates:
            if shown.unit == unit and is_publishable(shown):
                ends += [
                    _FACTORS[unit] * end for end in (*shown.interval, shown.value) if not math.isnan(end)
                ]
    margin = 0.06 * (max(ends) - min(ends)) or 1.0
    return min(ends) - margin, max(ends) + margin


def _panel(axes: Axes, question: Question, title: str, designs: Sequence[str], words: Language) -> None:
    frame_off(axes, "bottom")
    axes.grid(visible=True, axis="x")
    axes.axvline(0.0, color=INK, linewidth=0.9)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(_formatter(words))
    axes.set_title(title, family="Inter SemiBold", fontsize=9.0)
    for shown in question.estimates:
        if is_publishable(shown):
            _interval(axes, shown, designs.index(shown.design), is_main=shown is question.main)
    truth = question.estimates[0].truth
    if truth is not None:
        axes.axvline(
            _FACTORS[question.estimates[0].unit] * truth,
            color=COLOURS["green"],
            linestyle=(0, (3, 2)),
            zorder=1.5,
        )


def _interval(axes: Axes, shown: ReportedEstimate, height: float, *, is_main: bool) -> None:
    factor = _FACTORS[shown.unit]
    is_raw = shown.design == RAW_GAP
    colour = GREY if is_raw else COLOURS["blue"]
    low, high = shown.interval
    axes.plot(
        [factor * low, factor * high], [height, height], color=colour, linewidth=2.2 if is_main else 1.4
    )
    axes.plot(
        [factor * shown.value],
        [height],
        marker="o",
        markersize=6.2 if is_main else 4.6,
        color=colour,
        markerfacecolor=PAPER if is_raw else colour,
        zorder=3,
    )


def _key(asked: Sequence[Question], words: Language) -> list[Line2D]:
    handles = [
        Line2D([], [], color=GREY, marker="o", markerfacecolor=PAPER, label=words.say("legend.raw")),
        Line2D([], [], color=COLOURS["blue"], marker="o", label=words.say("legend.adjusted")),
    ]
    if any(shown.truth is not None for question in asked for shown in question.estimates):
        handles.append(
            Line2D([], [], color=COLOURS["green"], linestyle=(0, (3, 2)), label=words.say("legend.truth"))
        )
    return handles


def _formatter(words: Language) -> FuncFormatter:
    def written(value: float, _: int | None) -> str:
        digits = 0 if float(value).is_integer() else 1 if round(10 * value, 6).is_integer() else 2
        return words.decimal(value, digits)

    return FuncFormatter(written)


def _alt(asked: Sequence[Question], words: Language) -> str:
    sentences = []
    for question, panel in zip(asked, _titles(asked, words), strict=True):
        facts = agreement(question.adjusted)
        if question.raw is None or facts.count == 0:
            sentences.append(words.say("alt.estimates.panel_none", panel=panel))
            continue
        unit = question.raw.unit
        sentences.append(
            words.say(
                "alt.estimates.panel",
                raw=words.effect(question.raw.value, unit),
                low=words.effect(facts.low, unit),
                high=words.effect(facts.high, unit),
                panel=panel,
            )
        )
    return words.say("alt.estimates.text", panels=words.integer(len(asked)), sentences=" ".join(sentences))


def raw_and_adjusted_figure(content: ReportInput, setting: Setting) -> Drawing:
    """Draw, for every question, where adjustment takes the raw gap.

    Parameters
    ----------
    content : ReportInput
    setting : Setting

    Returns
    -------
    Drawing

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.figures import Setting, raw_and_adjusted_figure
    >>> from juntos_eval.reporting.language import language
    >>> setting = Setting(words=language("en"), width="column", is_synthetic=True)
    >>> len(raw_and_adjusted_figure(example_input(), setting).figure.axes)
    1
    """
    words = setting.words
    asked = [
        q for q in questions(content) if q.study != ENTRANTS and q.main is not None and q.raw is not None
    ]
    # outcomes of several groups may be one column each, with one name
    outcomes = list(dict.fromkeys(_outcome(question) for question in asked))
    panels = [[question for question in asked if _outcome(question) == outcome] for outcome in outcomes]
    sizes = [len(panel) for panel in panels]
    row_inches = 0.36 if setting.is_narrow else 0.25
    heights = [0.35 + row_inches * size for size in sizes]
    with house_style():
        figure = new_figure(setting, 0.6 + sum(0.32 + height for height in heights))
        grid = figure.subplots(len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
        for axes, panel in zip(grid.ravel(), panels, strict=True):
            _pairs(axes, panel, setting)
        legend_below(figure, _key(asked, words), setting)
    sentences = " ".join(brief(question, words)[0].text for question in asked)
    return drawn(
        figure, words.say("alt.raw-and-adjusted", count=words.integer(len(asked)), sentences=sentences)
    )


def _outcome(question: Question) -> tuple[Label, str]:
    return question.label("outcome"), question.estimates[0].unit


def _pairs(axes: Axes, panel: Sequence[Question], setting: Setting) -> None:
    words = setting.words
    frame_off(axes, "bottom")
    axes.grid(visible=True, axis="x")
    axes.axvline(0.0, color=INK, linewidth=0.9)
    axes.xaxis.set_major_formatter(_formatter(words))
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    unit = panel[0].estimates[0].unit
    for height, question in enumerate(panel):
        pair = [shown for shown in (question.raw, question.main) if shown is not None]
        axes.plot(
            [_FACTORS[unit] * shown.value for shown in pair], [height] * len(pair), color=RULE, linewidth=5.0,
            solid_capstyle="round", zorder=1,
        )  # fmt: skip
        for shown in pair:
            _interval(axes, shown, height, is_main=shown is question.main)
        truth = question.estimates[0].truth
        if truth is not None:
            axes.plot(
                [_FACTORS[unit] * truth] * 2, [height - 0.34, height + 0.34], color=COLOURS["green"],
                linewidth=2.0, zorder=2.5,
            )  # fmt: skip
    names = [question.label("population").capitalised.of(words.code) for question in panel]
    room = 1.45 if setting.is_narrow else setting.inches / 2
    labels = [wrapped(f"{name}, {question.year}", room) for name, question in zip(names, panel, strict=True)]
    axes.set_yticks(range(len(panel)), labels)
    axes.set_ylim(len(panel) - 0.4, -0.6)
    axes.set_xlim(*_limits(panel, unit))
    title = panel[0].label("outcome").capitalised.of(words.code)
    axes.set_title(wrapped(title, setting.inches - 1.75), family="Inter SemiBold")
    axes.set_xlabel(words.say(f"unit.{unit}.name"))
