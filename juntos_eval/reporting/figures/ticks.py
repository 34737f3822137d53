"""Numbers at the ticks of an axis: as the language writes them, and never rounded to another value."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter

from juntos_eval.reporting.language import Language

__all__ = ["number_ticks", "tick_decimals"]

_MOST = 9


def tick_decimals(places: Sequence[float]) -> int:
    """Return the fewest decimals that write every tick as it is.

    Parameters
    ----------
    places : sequence of float

    Returns
    -------
    int
        At most 9.

    Examples
    --------
    >>> from juntos_eval.reporting.figures.ticks import tick_decimals
    >>> tick_decimals([-0.25, 0.0, 0.25]), tick_decimals([0.5, 1.0]), tick_decimals([10.0, 20.0])
    (2, 1, 0)
    """
    size = max((abs(place) for place in places), default=0.0) or 1.0
    for digits in range(_MOST):
        if all(abs(round(place, digits) - place) <= 1e-9 * size for place in places):
            return digits
    return _MOST


def number_ticks(axis: Axis, words: Language) -> None:
    """Write the ticks of an axis of numbers in a language, with as many decimals as they have.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        Changed.
    words : Language

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from juntos_eval.reporting.figures.ticks import number_ticks
    >>> from juntos_eval.reporting.language import language
    >>> axes = Figure().subplots()
    >>> axes.set_yticks([0.0, 0.25]) and number_ticks(axes.yaxis, language("es"))
    >>> [label.get_text() for label in axes.get_yticklabels()]
    ['0,00', '0,25']
    """
    axis.set_major_formatter(
        FuncFormatter(
            lambda value, _: words.decimal(float(value), tick_decimals(axis.get_majorticklocs().tolist()))
        )
    )
