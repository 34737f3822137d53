r"""Height, weight and body mass index of children as WHO z-scores.

Under 61 months by the 2006 standards, from 61 months on by the 2007 reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from juntos_eval.arrays import Bools, Codes, Floats, frozen
from juntos_eval.errors import SchemaError
from juntos_eval.numerics.lms import lms_score, restricted_lms_score
from juntos_eval.surveys.growth.reference import (
    DAYS_A_MONTH,
    LAST_DAY_2006,
    LAST_MONTH,
    Sex,
    Table,
    who_curve,
)

__all__ = ["FLAGS", "REASONS", "GrowthScores", "IndexScores", "growth_scores"]

#: Why a score cannot be used, by its code; 0 is a usable one.
REASONS: Final = (
    "usable",
    "missing measurement, age or sex",
    "age outside the reference",
    "length outside the reference",
    "oedema",
    "flagged: implausible",
)

#: Least and greatest plausible score of each index; beyond is flagged (WHO 2006, 2007).
FLAGS: Final = {"haz": (-6.0, 6.0), "waz": (-6.0, 5.0), "whz": (-5.0, 5.0), "baz": (-5.0, 5.0)}

#: The table of each index up to day 1856, and from month 61 on.
_TABLES: Final[dict[str, tuple[Table, Table]]] = {
    "haz": ("lfa", "lfa_2007"),
    "waz": ("wfa", "wfa_2007"),
    "baz": ("bmifa", "bmifa_2007"),
}

#: Lying is this much longer than standing.
LYING_EXCESS_CM: Final = 0.7

#: From this day on a child's height is measured standing.
FIRST_STANDING_DAY: Final = 731

#: Without age, and where nobody wrote down how, shorter ones were measured lying.
LYING_BELOW_CM: Final = 87.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexScores:
    """Scores of one index.

    Attributes
    ----------
    z : numpy.ndarray, shape (n,)
        As computed, flagged ones included; NaN where there is none.
    reason : numpy.ndarray, shape (n,)
        Position in ``REASONS``; 0 where the score is usable.
    """

    z: Floats
    reason: Codes

    def __post_init__(self) -> None:
        object.__setattr__(self, "z", frozen(self.z))
        object.__setattr__(self, "reason", frozen(self.reason, np.int64))

    @property
    def usable(self) -> Floats:
        """The scores, NaN where flagged."""
        return np.where(self.reason == 0, self.z, np.nan)

    @property
    def is_flagged(self) -> Bools:
        """Which scores are implausible."""
        return np.asarray(self.reason == REASONS.index("flagged: implausible"))

    def counts(self) -> dict[str, int]:
        """Rows by reason, in the order of ``REASONS``, those without a row left out."""
        found = np.bincount(self.reason, minlength=len(REASONS))
        return {reason: int(rows) for reason, rows in zip(REASONS, found, strict=True) if rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthScores:
    """Scores of every index.

    Attributes
    ----------
    haz, waz, whz, baz : IndexScores
        Height (length) for age, weight for age, weight for height (length), body mass index for age.
    height_cm : numpy.ndarray, shape (n,)
        Length of those under 731 days, height of others, after the correction of 0.7 cm.
    """

    haz: IndexScores
    waz: IndexScores
    whz: IndexScores
    baz: IndexScores
    height_cm: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "height_cm", frozen(self.height_cm))


def growth_scores(
    *,
    age_days: ArrayLike,
    is_female: ArrayLike,
    weight_kg: ArrayLike,
    height_cm: ArrayLike,
    is_lying: ArrayLike | None = None,
    has_oedema: ArrayLike | None = None,
) -> GrowthScores:
    r"""Return WHO z-scores of height, weight and body mass index.

    Scores are :math:`z = ((y/M)^L - 1)/(L S)`. Weight-based ones beyond three standard deviations are
    measured by the width of the last one (``restricted_lms_score``). Up to day 1856 L, M and S are those of
    the day (rounded), and for weight for length linear between the table's 0.1 cm; from 61 months on they are
    linear between completed months. A child under 731 days measured standing gains 0.7 cm, an older one
    measured lying loses it. Weights of children with oedema have no score.

    Parameters
    ----------
    age_days : array_like, shape (n,)
        In days, or months times 30.4375; NaN where unknown.
    is_female : array_like, shape (n,)
        1 girl, 0 boy, NaN unknown.
    weight_kg, height_cm : array_like, shape (n,)
        NaN where not measured.
    is_lying : array_like, shape (n,), optional
        1 measured lying, 0 standing, NaN not written down: as the age asks for.
    has_oedema : array_like, shape (n,), optional

    Returns
    -------
    GrowthScores

    Raises
    ------
    SchemaError
        If arrays differ in length, or a sex or position is neither 0 nor 1, or a measurement is not positive.

    References
    ----------
    WHO Multicentre Growth Reference Study Group (2006). WHO Child Growth Standards: Methods and development.
    de Onis, M. et al. (2007). Bulletin of the WHO, 85, 660-667.

    Examples
    --------
    >>> from juntos_eval.surveys.growth import growth_scores
    >>> boy = growth_scores(age_days=[100 * 30.4375], is_female=[0], weight_kg=[30], height_cm=[100])
    >>> boy.haz.z.round(2).tolist(), boy.baz.z.round(2).tolist(), boy.baz.is_flagged.tolist()
    ([-5.04], [5.03], [True])
    """
    given = {"age_days": age_days, "is_female": is_female, "weight_kg": weight_kg, "height_cm": height_cm}
    children = _Children.of(given, is_lying, has_oedema)
    bmi = children.weight_kg / (children.height_cm / 100.0) ** 2
    return GrowthScores(
        haz=_for_age("haz", children.height_cm, children),
        waz=_for_age("waz", children.weight_kg, children),
        whz=_for_height(children),
        baz=_for_age("baz", bmi, children),
        height_cm=children.height_cm,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Children:
    age_days: Floats
    is_female: Floats
    weight_kg: Floats
    height_cm: Floats
    is_length: Bools
    has_oedema: Bools

    @classmethod
    def of(
        cls, given: dict[str, ArrayLike], is_lying: ArrayLike | None, has_oedema: ArrayLike | None
    ) -> _Children:
        columns = {name: np.asarray(values, dtype=np.float64) for name, values in given.items()}
        size = len(columns["age_days"])
        absent = np.full(size, np.nan)
        columns["is_lying"] = absent if is_lying is None else np.asarray(is_lying, dtype=np.float64)
        columns["has_oedema"] = absent if has_oedema is None else np.asarray(has_oedema, dtype=np.float64)
        _check(columns, size)
        age, height, lying = columns["age_days"], columns["height_cm"], columns["is_lying"]
        # whole days, halves up, as WHO's macros round
        age = np.where(age < LAST_DAY_2006 + 1, np.floor(age + 0.5), age)
        is_length = np.where(np.isnan(age), _lies(lying, height), age < FIRST_STANDING_DAY)
        adds = (is_length == 1) & (lying == 0) & ~np.isnan(age)
        takes = (is_length == 0) & (lying == 1) & ~np.isnan(age)
        return cls(
            age_days=age,
            is_female=columns["is_female"],
            weight_kg=columns["weight_kg"],
            height_cm=height + LYING_EXCESS_CM * adds - LYING_EXCESS_CM * takes,
            is_length=is_length == 1,
            has_oedema=columns["has_oedema"] == 1,
        )


def _lies(lying: Floats, height: Floats) -> Floats:
    return np.where(np.isnan(lying), height < LYING_BELOW_CM, lying)


def _check(columns: dict[str, Floats], size: int) -> None:
    for name, values in columns.items():
        if values.shape != (size,):
            raise SchemaError(
                f"{name} has shape {values.shape} and age_days ({size},)",
                where="growth_scores",
                remedy="give one value a child",
            )
        known = values[~np.isnan(values)]
        if name.startswith(("is_", "has_")):
            odd = int((~np.isin(known, (0.0, 1.0))).sum())
        else:
            least = 0.0 if name == "age_days" else np.nextafter(0.0, 1.0)
            odd = int(((known < least) | np.isinf(known)).sum())
        if odd:
            raise SchemaError(
                f"{name} holds what it cannot hold",
                where=f"growth_scores, {odd:,} of {size:,} rows",
                remedy="0, 1 or NaN for answers; positive numbers or NaN for measurements",
            )


def _for_age(index: str, y: Floats, children: _Children) -> IndexScores:
    """Score a measurement by the table of each child's age and sex."""
    table, later = _TABLES[index]
    age = children.age_days
    is_early = age <= LAST_DAY_2006
    # the fifth of a day between the two tables counts as month 61
    months = np.maximum(age / DAYS_A_MONTH, 61.0)
    z = np.full(len(age), np.nan)
    _fill(z, y, table, is_early, age, children.is_female)
    _fill(z, y, later, ~is_early & ~np.isnan(age), months, children.is_female)
    is_outside = ~np.isnan(age) & ~is_early & (months > LAST_MONTH[later])
    lacks = np.isnan(y) | np.isnan(age) | np.isnan(children.is_female)
    return _finish(index, z, children, lacks=lacks, age_outside=is_outside, length_outside=None)


def _for_height(children: _Children) -> IndexScores:
    """Score weight by the table of the child's length or height, under five."""
    height, size = children.height_cm, len(children.height_cm)
    z = np.full(size, np.nan)
    is_outside = np.zeros(size, dtype=bool)
    is_old = children.age_days > LAST_DAY_2006
    by_position: tuple[tuple[Table, Bools], ...] = (("wfl", children.is_length), ("wfh", ~children.is_length))
    for table, rows in by_position:
        _fill(z, children.weight_kg, table, rows & ~is_old, height, children.is_female)
        is_outside |= rows & ~who_curve(table, "female").covers(height)
    lacks = np.isnan(children.weight_kg) | np.isnan(height) | np.isnan(children.is_female)
    return _finish(
        "whz", z, children, lacks=lacks, age_outside=is_old, length_outside=is_outside & ~np.isnan(height)
    )


def _fill(z: Floats, y: Floats, table: Table, rows: Bools, places: Floats, is_female: Floats) -> None:
    """Write the scores of some rows into ``z``, each sex by its own table."""
    known: tuple[tuple[Sex, float], ...] = (("female", 1.0), ("male", 0.0))
    # height is close to normal (L is 1 throughout), and needs no restriction
    score = lms_score if table.startswith("lfa") else restricted_lms_score
    for sex, code in known:
        own = rows & (is_female == code)
        if own.any():
            z[own] = score(y[own], *who_curve(table, sex).read(places[own]))


def _finish(
    index: str,
    z: Floats,
    children: _Children,
    *,
    lacks: Bools,
    age_outside: Bools,
    length_outside: Bools | None,
) -> IndexScores:
    reason = np.zeros(len(z), dtype=np.int64)
    least, greatest = FLAGS[index]
    has_oedema = children.has_oedema if index != "haz" else np.zeros(len(z), dtype=bool)
    outside = np.zeros(len(z), dtype=bool) if length_outside is None else length_outside
    # the first that holds, in the order of REASONS, is the one told
    is_flagged = (z < least) | (z > greatest)
    for place, rows in reversed(list(enumerate((lacks, age_outside, outside, has_oedema, is_flagged), 1))):
        reason[rows] = place
    return IndexScores(z=np.where((reason == 0) | is_flagged & (reason == 5), z, np.nan), reason=reason)
