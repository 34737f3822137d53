r"""Anaemia of children from haemoglobin, altitude and age, by a rule that is named.

Two rules of WHO: ``who_1968``, in force until 2024 and the one behind ``HC57``, and ``who_2024``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from juntos_eval.arrays import Floats, frozen
from juntos_eval.errors import SchemaError

__all__ = ["LEVELS", "AnaemiaRule", "anaemia_level", "haemoglobin_adjustment"]

AnaemiaRule = Literal["who_1968", "who_2024"]

#: In the order of HC57; position + 1 is INEI's code.
LEVELS: Final = ("severe", "moderate", "mild", "none")

#: Thousand feet a metre, as DHS writes it; INEI's own code has 3.3 / 1000.
FEET_FACTOR: Final = 0.0032808

#: Where the correction of ``who_1968`` begins in the practice of WHO and CDC; below 443 m it is negative.
FLOOR_M: Final = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """Least haemoglobin (g/dl) of each level, for ages from ``from_month`` to ``to_month``."""

    from_month: float
    to_month: float
    none: float
    mild: float
    moderate: float


_CUTS: Final[dict[str, tuple[_Cut, ...]]] = {
    "who_1968": (_Cut(from_month=6, to_month=60, none=11.0, mild=10.0, moderate=7.0),),
    "who_2024": (
        _Cut(from_month=6, to_month=24, none=10.5, mild=9.5, moderate=7.0),
        _Cut(from_month=24, to_month=60, none=11.0, mild=10.0, moderate=7.0),
    ),
}


def haemoglobin_adjustment(
    altitude_m: ArrayLike,
    *,
    rule: AnaemiaRule = "who_1968",
    feet_factor: float = FEET_FACTOR,
    floor_m: float = FLOOR_M,
) -> Floats:
    r"""Return what altitude adds to haemoglobin, in g/dl: subtract it from the reading.

    With A the altitude in thousand feet and h in metres,

    .. math::

        \text{who\_1968}: \; -0.032 A + 0.022 A^2 \quad (h \ge floor), \qquad
        \text{who\_2024}: \; (0.0056384\, h + 0.0000003\, h^2) / 10 .

    Parameters
    ----------
    altitude_m : array_like, shape (n,)
        NaN stays NaN.
    rule : {"who_1968", "who_2024"}
    feet_factor : float
        Thousand feet a metre (``who_1968``): 0.0032808, or INEI's 0.0033.
    floor_m : float
        ``who_1968`` corrects nothing below; 0 applies the curve everywhere, which is negative below 443 m.

    Returns
    -------
    numpy.ndarray, shape (n,)

    Raises
    ------
    SchemaError
        If the rule is unknown.

    References
    ----------
    Sullivan, K. M. et al. (2008). Haemoglobin adjustments to define anaemia. Tropical Medicine &
    International Health, 13, 1267-1271 (who_1968). WHO (2024). Guideline on haemoglobin cutoffs to define
    anaemia in individuals and populations (who_2024, as adopted by NTS 213-MINSA/DGIESP-2024; the equation
    was read at second hand).

    Examples
    --------
    >>> from juntos_eval.surveys.growth import haemoglobin_adjustment
    >>> (11.5 - haemoglobin_adjustment([3200.0])).round(4).tolist()
    [9.4111]
    """
    _check_rule(rule)
    metres = np.asarray(altitude_m, dtype=np.float64)
    if rule == "who_2024":
        above = np.maximum(metres, 0.0)
        return np.asarray((0.0056384 * above + 0.0000003 * above**2) / 10.0)
    feet = metres * feet_factor
    adjustment = -0.032 * feet + 0.022 * feet**2
    return np.where(metres < floor_m, 0.0, adjustment)


def anaemia_level(
    haemoglobin_g_dl: ArrayLike, *, age_months: ArrayLike, rule: AnaemiaRule = "who_1968"
) -> Floats:
    """Return INEI's code of anaemia: 1 severe, 2 moderate, 3 mild, 4 none.

    Parameters
    ----------
    haemoglobin_g_dl : array_like, shape (n,)
        Adjusted for altitude; compared at one decimal, as it is read.
    age_months : array_like, shape (n,)
        Completed months.
    rule : {"who_1968", "who_2024"}

    Returns
    -------
    numpy.ndarray, shape (n,)
        NaN where haemoglobin or age is missing, or the age is not from 6 to 59 months.

    Raises
    ------
    SchemaError
        If the rule is unknown.

    Examples
    --------
    >>> from juntos_eval.surveys.growth import anaemia_level
    >>> [anaemia_level([10.7], age_months=[12], rule=rule).tolist() for rule in ("who_1968", "who_2024")]
    [[3.0], [4.0]]
    """
    _check_rule(rule)
    reading, months = np.broadcast_arrays(
        np.asarray(haemoglobin_g_dl, dtype=np.float64), np.asarray(age_months, dtype=np.float64)
    )
    # one decimal, halves up; the tiny addend undoes what binary fractions take away
    reading = np.floor(reading * 10.0 + 0.5 + 1e-9) / 10.0
    level = np.full(reading.shape, np.nan)
    for cut in _CUTS[rule]:
        own = (months >= cut.from_month) & (months < cut.to_month) & ~np.isnan(reading)
        steps = np.array([cut.moderate, cut.mild, cut.none]) - 1e-9
        level[own] = 1.0 + np.searchsorted(steps, reading[own], side="right")
    return frozen(level)


def _check_rule(rule: str) -> None:
    if rule not in _CUTS:
        raise SchemaError(
            f"There is no rule of anaemia {rule!r}", where="growth", remedy=f"one of {', '.join(_CUTS)}"
        )
