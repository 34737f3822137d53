"""Weighted shares by group, with their intervals."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from juntos_eval.reporting.figures.style import (
    COLOURS,
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
from juntos_eval.reporting.report_input import Label, ReportInput, Share
from juntos_eval.reporting.tables.survey import is_share_small

__all__ = ["FIES_TOPIC", "food_insecurity_figure"]

FIES_TOPIC = "fies_category"
_ARMS = {"juntos": ("blue", "o", -0.13), "comparison": ("orange", "s", 0.13)}


def food_insecurity_figure(content: ReportInput, setting: Setting) -> Drawing:
    """Draw shares of households by category of food insecurity and by group.

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
    >>> from juntos_eval.reporting.figures import Setting, food_insecurity_figure
    >>> from juntos_eval.reporting.language import language
    >>> setting = Setting(words=language("en"), width="page", is_synthetic=True)
    >>> food_insecurity_figure(example_input(), setting).alt
    'Dot plot of shares with intervals. Severe: with Juntos 50.0%, without Juntos 30.0%.'
    """
    words = setting.words
    shares = [
        s for s in content.survey.shares if s.topic == FIES_TOPIC and s.arm in _ARMS and not is_share_small(s)
    ]
    categories: dict[str, Label] = {}
    for share in shares:
        categories.setdefault(
            share.category, share.labels.get("category", Label(share.category, share.category))
        )
    with house_style():
        figure = new_figure(setting, 0.95 + 0.5 * len(categories))
        axes = figure.subplots()
        frame_off(axes, "bottom")
        axes.grid(visible=True, axis="x")
        for share in shares:
            _dot(axes, share, list(categories).index(share.category), words)
        room = setting.inches / 3
        names = [wrapped(label.capitalised.of(words.code), room) for label in categories.values()]
        axes.set_yticks(range(len(categories)), names)
        axes.set_ylim(len(categories) - 0.5, -0.5)
        axes.set_xlim(0.0, None)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.percent(value, 0)))
        axes.set_xlabel(words.say("axis.share"))
        handles = [
            Line2D([], [], color=COLOURS[colour], marker=marker, label=words.say(f"arm.{arm}"))
            for arm, (colour, marker, _) in _ARMS.items()
        ]
        legend_below(figure, handles, setting)
    return drawn(figure, _alt(shares, categories, words))


def _dot(axes: Axes, share: Share, height: int, words: Language) -> None:
    colour, marker, shift = _ARMS[share.arm]
    level = height + shift
    axes.plot([share.conf_low, share.conf_high], [level, level], color=COLOURS[colour], linewidth=2.0)
    axes.plot([share.share], [level], marker=marker, color=COLOURS[colour], markersize=6.0)
    axes.annotate(
        words.percent(share.share),
        (share.conf_high, level),
        textcoords="offset points",
        xytext=(6, 0),
        va="center",
        fontsize=8.5,
    )


def _alt(shares: list[Share], categories: dict[str, Label], words: Language) -> str:
    sentences = []
    for category, label in categories.items():
        values = ", ".join(
            f"{words.say(f'arm.{share.arm}')} {words.percent(share.share)}"
            for share in shares
            if share.category == category
        )
        sentences.append(f"{label.capitalised.of(words.code)}: {values}.")
    return words.say("alt.food-insecurity-shares", sentences=" ".join(sentences))
