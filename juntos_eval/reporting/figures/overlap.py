"""Where on the score both groups are found, before adjustment and after."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from juntos_eval.arrays import Floats
from juntos_eval.reporting.figures.style import (
    COLOURS,
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
from juntos_eval.reporting.language import Language
from juntos_eval.reporting.questions import headline_question
from juntos_eval.reporting.report_input import Overlap, ReportInput

__all__ = ["overlap_figure"]


def overlap_figure(content: ReportInput, setting: Setting) -> Drawing:
    """Draw mirrored histograms of the linear score, one panel a design of the headline question.

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
    >>> from juntos_eval.reporting.figures import Setting, overlap_figure
    >>> from juntos_eval.reporting.language import language
    >>> setting = Setting(words=language("es"), width="column", is_synthetic=True)
    >>> overlap_figure(example_input(), setting).alt.split(".")[0]
    'Histogramas enfrentados del puntaje lineal, paneles: 2'
    """
    words = setting.words
    shown = [estimate for estimate in headline_question(content).adjusted if estimate.overlap is not None]
    columns = min(2 if setting.is_narrow else 3, len(shown))
    rows = math.ceil(len(shown) / columns)
    with house_style():
        figure = new_figure(setting, 0.85 + 1.45 * rows)
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for place, axes in enumerate(grid.ravel()):
            if place >= len(shown):
                axes.set_visible(False)
                continue
            overlap = shown[place].overlap
            if overlap is not None:
                _panel(axes, overlap, words)
            title = shown[place].labels["design"].capitalised.of(words.code)
            axes.set_title(wrapped(title, setting.inches / columns), family="Inter SemiBold", fontsize=9.0)
            axes.tick_params(labelbottom=place + columns >= len(shown))
            is_middle = place == len(shown) - 1 - (len(shown) - 1) % columns + (columns - 1) // 2
            label = wrapped(words.say("axis.score"), setting.inches / columns)
            axes.set_xlabel(label if is_middle else "")
        legend_below(figure, _key(words), setting)
    return drawn(figure, _alt([estimate.overlap for estimate in shown if estimate.overlap], words))


def _panel(axes: Axes, overlap: Overlap, words: Language) -> None:
    frame_off(axes, "bottom")
    widths = np.diff(overlap.edges)
    axes.stairs(overlap.treated_after / widths, overlap.edges, fill=True, color=COLOURS["blue"], alpha=0.75)
    axes.stairs(
        -overlap.comparison_after / widths, overlap.edges, fill=True, color=COLOURS["orange"], alpha=0.75
    )
    axes.stairs(overlap.treated_before / widths, overlap.edges, color=INK, linewidth=0.8)
    axes.stairs(-overlap.comparison_before / widths, overlap.edges, color=INK, linewidth=0.8)
    axes.axhline(0.0, color=INK, linewidth=0.9)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.decimal(value, 0)))
    axes.set_xlim(*_seen(overlap))


def _seen(overlap: Overlap) -> tuple[float, float]:
    """Range in which any share is not all but nothing."""
    everything = [
        overlap.treated_before,
        overlap.treated_after,
        overlap.comparison_before,
        overlap.comparison_after,
    ]
    is_seen: Floats = np.max(everything, axis=0) > 0.002
    places = np.flatnonzero(is_seen)
    return float(overlap.edges[places[0]]), float(overlap.edges[places[-1] + 1])


def _key(words: Language) -> list[Patch | Line2D]:
    return [
        Patch(color=COLOURS["blue"], alpha=0.75, label=words.say("legend.treated")),
        Patch(color=COLOURS["orange"], alpha=0.75, label=words.say("legend.comparison")),
        Line2D([], [], color=INK, linewidth=0.8, label=words.say("legend.before")),
    ]


def _alt(overlaps: list[Overlap], words: Language) -> str:
    first = overlaps[0]
    ends = (*first.range_treated, *first.range_comparison)
    low, high, other_low, other_high = (words.decimal(end, 1) for end in ends)
    return words.say(
        "alt.overlap",
        panels=words.integer(len(overlaps)),
        low=low,
        high=high,
        other_low=other_low,
        other_high=other_high,
    )
