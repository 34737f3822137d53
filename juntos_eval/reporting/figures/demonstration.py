"""Two groups, two waves: what a difference-in-differences compares."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from juntos_eval.reporting.figures.style import (
    COLOURS,
    GREY,
    Drawing,
    Setting,
    drawn,
    frame_off,
    house_style,
    new_figure,
    wrapped,
)
from juntos_eval.reporting.language import Language
from juntos_eval.reporting.report_input import ENTRANTS, ReportedEstimate, ReportInput, TrendPoint
from juntos_eval.reporting.suppression import is_publishable, is_small
from juntos_eval.reporting.text import demonstration_findings

__all__ = ["demonstration_figure"]

_ARMS = {"treated": ("blue", "o", "entrants"), "comparison": ("orange", "s", "never")}


def demonstration_figure(content: ReportInput, setting: Setting) -> Drawing:
    """Draw the means of entrants and never-beneficiaries, and where entrants would be if parallel.

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
    >>> from juntos_eval.reporting.figures import Setting, demonstration_figure
    >>> from juntos_eval.reporting.language import language
    >>> setting = Setting(words=language("en"), width="page", is_synthetic=True)
    >>> demonstration_figure(example_input(), setting).alt.split(". ")[0]
    'Two lines over two years'
    """
    words = setting.words
    shown = [e for e in content.estimates if e.study == ENTRANTS and e.trend and is_publishable(e)]
    columns = min(len(shown), 1 if setting.is_narrow else 2)
    rows = -(-len(shown) // columns)
    with house_style():
        figure = new_figure(setting, 0.3 + 2.6 * rows)
        grid = figure.subplots(rows, columns, squeeze=False)
        for place, axes in enumerate(grid.ravel()):
            if place < len(shown):
                _panel(axes, shown[place], words, setting.inches / columns)
            else:
                axes.set_visible(False)
    sentences = " ".join(demonstration_findings(estimate, words)[0].text for estimate in shown)
    return drawn(figure, words.say("alt.demonstration-figure", sentences=sentences))


def _panel(axes: Axes, shown: ReportedEstimate, words: Language, inches: float) -> None:
    frame_off(axes, "bottom")
    axes.grid(visible=True, axis="y")
    points = {
        arm: sorted((p for p in shown.trend if p.arm == arm and not is_small(p.n)), key=lambda p: p.time)
        for arm in _ARMS
    }
    for arm, line in points.items():
        _line(axes, line, arm, words)
    _parallel(axes, points["treated"], points["comparison"], words)
    times = sorted({point.time for point in shown.trend})
    axes.set_xticks(times, [str(time) for time in times])
    axes.set_xlim(times[0] - 0.12, times[-1] + 0.55)
    axes.set_ylim(0.0, None)
    is_share = shown.unit == "share"
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: words.percent(value, 0) if is_share else words.decimal(value, 1))
    )
    axes.tick_params(axis="y", labelsize=8.5, labelcolor=GREY)
    outcome, population = shown.labels["outcome"].capitalised, shown.labels["population"].inline
    title = f"{outcome.of(words.code)}, {population.of(words.code)}"
    axes.set_title(wrapped(title, inches - 0.5), family="Inter SemiBold", fontsize=9.0)


def _line(axes: Axes, line: Sequence[TrendPoint], arm: str, words: Language) -> None:
    colour, marker, name = _ARMS[arm]
    axes.plot(
        [p.time for p in line], [p.mean for p in line], color=COLOURS[colour], marker=marker, linewidth=2.0
    )
    for point in line:
        axes.plot([point.time] * 2, [point.conf_low, point.conf_high], color=COLOURS[colour], linewidth=1.2)
    if line:
        _label(axes, line[-1].time, line[-1].mean, words.say(f"legend.{name}"), COLOURS[colour])


def _parallel(axes: Axes, ours: Sequence[TrendPoint], theirs: Sequence[TrendPoint], words: Language) -> None:
    if len(ours) < 2 or len(theirs) < 2:
        return
    expected = ours[0].mean + theirs[-1].mean - theirs[0].mean
    axes.plot(
        [ours[0].time, ours[-1].time], [ours[0].mean, expected], color=COLOURS["blue"], linewidth=1.0,
        linestyle=(0, (3, 2)),
    )  # fmt: skip
    # the two ends of the treated lines may lie close together
    is_close = abs(expected - ours[-1].mean) < 0.08 * max(p.conf_high for p in (*ours, *theirs))
    shift = 0.0 if not is_close else 11.0 if expected >= ours[-1].mean else -11.0
    _label(axes, ours[-1].time, expected, words.say("legend.parallel"), GREY, shift)


def _label(axes: Axes, time: float, mean: float, text: str, colour: str, shift: float = 0.0) -> None:
    axes.annotate(
        text,
        (time, mean),
        textcoords="offset points",
        xytext=(9, shift),
        va="center",
        color=colour,
        fontsize=8.5,
    )
