"""How far hidden bias would have to go before the findings could be chance."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from juntos_eval.reporting.figures.style import (
    COLOURS,
    GREY,
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
from juntos_eval.reporting.language import Language
from juntos_eval.reporting.questions import headline_question
from juntos_eval.reporting.report_input import ReportedEstimate, ReportInput, Sensitivity
from juntos_eval.reporting.suppression import is_publishable

__all__ = ["sensitivity_figure"]

#: Above this a p value is far from any finding, and only flattens the curves.
_TOP = 0.3


def sensitivity_figure(content: ReportInput, setting: Setting) -> Drawing:
    """Draw the largest p value that each hidden bias allows; the headline in colour.

    Parameters
    ----------
    content : ReportInput
    setting : Setting

    Returns
    -------
    Drawing

    References
    ----------
    Rosenbaum, P. R. (2002). Observational Studies. 2nd ed. New York: Springer.

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.figures import Setting, sensitivity_figure
    >>> from juntos_eval.reporting.language import language
    >>> setting = Setting(words=language("en"), width="page", is_synthetic=True)
    >>> sensitivity_figure(example_input(), setting).alt
    'Line chart of the largest p value against Γ from 1 to 2.00. Critical ... children aged 5–13, 2024: 1.45.'
    """
    words = setting.words
    shown = [e for e in content.estimates if e.sensitivity is not None and is_publishable(e)]
    marked = headline_question(content).tested or shown[0]
    with house_style():
        figure = new_figure(setting, 2.9 if setting.is_narrow else 3.3)
        axes = figure.subplots()
        frame_off(axes, "bottom", "left")
        for estimate in shown:
            if estimate is not marked and estimate.sensitivity is not None:
                curve = estimate.sensitivity
                axes.plot(curve.gamma, curve.p_upper, color=GREY, linewidth=0.9, alpha=0.55)
        if marked.sensitivity is not None:
            _headline(axes, marked.sensitivity, words)
        axes.set_xlim(1.0, _last_gamma(shown))
        axes.set_xlabel(words.say("axis.gamma"))
        axes.set_ylabel(words.say("axis.p_upper"))
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.decimal(value, 1)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.decimal(value, 2)))
        axes.tick_params(axis="y", labelsize=8.5, labelcolor=GREY)
        handles = [
            Line2D(
                [],
                [],
                color=COLOURS["blue"],
                linewidth=2.4,
                label=wrapped(_name(marked, words), setting.inches - 0.6),
            )
        ]
        if len(shown) > 1:
            handles.append(Line2D([], [], color=GREY, linewidth=0.9, label=words.say("legend.other")))
        legend_below(figure, handles, setting)
    return drawn(figure, _alt(shown, words))


def _last_gamma(shown: list[ReportedEstimate]) -> float:
    """Half beyond the largest critical value, as far as the curves go."""
    curves = [estimate.sensitivity for estimate in shown if estimate.sensitivity is not None]
    critical = [curve.critical_gamma for curve in curves if math.isfinite(curve.critical_gamma)]
    end = max(float(curve.gamma[-1]) for curve in curves)
    wanted = 1.0 + 1.5 * (max(critical, default=end) - 1.0)
    return end if len(critical) < len(curves) else min(end, max(wanted, 1.2))


def _headline(axes: Axes, curve: Sensitivity, words: Language) -> None:
    axes.axhspan(curve.alpha, _TOP, color=RULE, alpha=0.35, linewidth=0)
    axes.axhline(curve.alpha, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
    note = f"{words.say('legend.not_significant')} ↑ "
    axes.text(
        0.995, curve.alpha, note, ha="right", va="bottom", fontsize=8.0, color=GREY,
        transform=axes.get_yaxis_transform(),
    )  # fmt: skip
    axes.plot(curve.gamma, curve.p_upper, color=COLOURS["blue"], linewidth=2.4, zorder=3)
    if 1.0 < curve.critical_gamma < math.inf:
        axes.plot([curve.critical_gamma], [curve.alpha], "o", color=COLOURS["blue"], markersize=6.0, zorder=4)
        axes.annotate(
            f"Γ = {words.decimal(curve.critical_gamma, 2)}",
            (curve.critical_gamma, curve.alpha),
            textcoords="offset points",
            xytext=(8, -11),
            color=COLOURS["blue"],
            family="Inter SemiBold",
        )
    axes.set_ylim(0.0, _TOP)


def _name(shown: ReportedEstimate, words: Language) -> str:
    return f"{shown.labels['population'].inline.of(words.code)}, {shown.year}"


def _alt(shown: list[ReportedEstimate], words: Language) -> str:
    curves = [(estimate, estimate.sensitivity) for estimate in shown if estimate.sensitivity is not None]
    critical = [
        f"{_name(estimate, words)}: "
        + (
            f">{curve.gamma.max():g}"
            if math.isinf(curve.critical_gamma)
            else words.decimal(curve.critical_gamma, 2)
        )
        for estimate, curve in curves
    ]
    top = max(float(curve.gamma.max()) for _, curve in curves)
    return words.say("alt.sensitivity-curve", gamma=words.decimal(top, 2), critical="; ".join(critical))
