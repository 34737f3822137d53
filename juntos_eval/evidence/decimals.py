"""How precisely a number was printed, and what it can have been before it was rounded."""

from __future__ import annotations

from decimal import Decimal

__all__ = ["decimals", "half_unit"]


def decimals(*values: float) -> int:
    """Return the most decimals that any of the values shows.

    YAML drops trailing zeros, so numbers of one table column are asked together.

    Parameters
    ----------
    *values : float

    Returns
    -------
    int

    Examples
    --------
    >>> decimals(0.43, 0.8)
    2
    """
    return max((_decimals(value) for value in values), default=0)


def _decimals(value: float) -> int:
    if float(value).is_integer():
        return 0
    exponent = Decimal(repr(float(value))).as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def half_unit(*values: float) -> float:
    """Return half a unit of the last decimal shown: what rounding can have hidden.

    Parameters
    ----------
    *values : float

    Returns
    -------
    float

    Examples
    --------
    >>> half_unit(0.43, 0.8)
    0.005
    """
    return 0.5 * 10.0 ** -decimals(*values)
