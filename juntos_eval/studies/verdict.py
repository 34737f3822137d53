"""Published against ours, one verdict a number; what is simulated or borrowed gets none of the good ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from juntos_eval.evidence.decimals import decimals, half_unit
from juntos_eval.evidence.published import standard_error
from juntos_eval.evidence.record import Finding, PublishedNumber

__all__ = ["VERDICTS", "Verdict", "cannot_run", "compare", "compare_sign"]

Word = Literal["reproduced", "close", "differs", "no published number seen", "cannot run"]

VERDICTS: Final[tuple[Word, ...]] = (
    "reproduced",
    "close",
    "differs",
    "no published number seen",
    "cannot run",
)

#: What still counts as close: a tenth of the number, or half its standard error, whichever is more.
CLOSE_SHARE: Final = 0.10
CLOSE_ERRORS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one published number.

    Attributes
    ----------
    row : str
        Id of the published number, or the outcome of a published sign.
    verdict : str
        One of :data:`VERDICTS`.
    published, ours, tolerance : float
        In published units; NaN where there is none.
    detail : str
        Why, in words.
    """

    row: str
    verdict: Word
    published: float
    ours: float
    tolerance: float
    detail: str


def compare(row: PublishedNumber, ours: float, *, tolerance: float | None = None, how: str = "") -> Verdict:
    r"""Return the verdict on a published number.

    ``reproduced`` where :math:`|\hat\theta - \theta^{pub}|` is at most half a unit of the last printed
    decimal (or the tolerance given), ``close`` where it is at most a tenth of the number or half its
    standard error, else ``differs``.

    Parameters
    ----------
    row : PublishedNumber
    ours : float
        In the published units.
    tolerance : float, optional
    how : str
        How ours was had.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from juntos_eval.evidence.load import load_record
    >>> from juntos_eval.studies.verdict import compare
    >>> row = load_record("andersen_2015").number("stunting_all_lt2_y")
    >>> compare(row, -100 * 15 / 188).verdict, compare(row, -8.3).verdict, compare(row, 3.0).verdict
    ('reproduced', 'close', 'differs')
    """
    if not row.has_value:
        return Verdict(
            row=row.id,
            verdict="no published number seen",
            published=math.nan,
            ours=ours,
            tolerance=math.nan,
            detail=how,
        )
    if row.estimate is None:
        return _compare_range(row, ours, how)
    # a printed -18.3 and the -18.343 behind it are one number
    allowed = _rounding(row, row.estimate) * (1 + 1e-9) if tolerance is None else tolerance
    gap = abs(ours - row.estimate)
    error = standard_error(row)[0]
    near = max(CLOSE_SHARE * abs(row.estimate), 0.0 if math.isnan(error) else CLOSE_ERRORS * error)
    word: Word = "reproduced" if gap <= allowed else "close" if gap <= near else "differs"
    if math.isnan(ours):
        word, gap = "cannot run", math.nan
    return Verdict(
        row=row.id,
        verdict=word,
        published=row.estimate,
        ours=ours,
        tolerance=allowed,
        detail=f"off by {gap:.4g}; reproduced within {allowed:.3g}, close within {near:.3g}. {how}".strip(),
    )


def _rounding(row: PublishedNumber, estimate: float) -> float:
    """Return what rounding can have hidden: -22 beside an interval from -42.5 was printed as -22.0."""
    if decimals(estimate):
        return half_unit(estimate)
    beside = [value for value in (row.se, row.ci_low, row.ci_high) if value is not None and decimals(value)]
    return min((half_unit(estimate), max((half_unit(value) for value in beside), default=math.inf)))


def _compare_range(row: PublishedNumber, ours: float, how: str) -> Verdict:
    low, high = row.range_low, row.range_high
    if low is None or high is None:
        return cannot_run(row.id, "half a range was published")
    if math.isnan(ours):
        return cannot_run(row.id, f"ours gave no number. {how}".strip())
    margin = 0.5 * (high - low)
    word: Word = (
        "reproduced"
        if low <= ours <= high
        else "close"
        if low - margin <= ours <= high + margin
        else "differs"
    )
    return Verdict(
        row=row.id,
        verdict=word,
        published=(low + high) / 2,
        ours=ours,
        tolerance=(high - low) / 2,
        detail=f"published as {low:g} to {high:g}. {how}".strip(),
    )


def compare_sign(finding: Finding, ours: float, error: float) -> Verdict:
    """Return the verdict where only a sign was published: none, with what ours says of it.

    Parameters
    ----------
    finding : Finding
    ours, error : float

    Returns
    -------
    Verdict
    """
    who = f", {finding.subgroup}" if finding.subgroup else ""
    if math.isnan(ours) or math.isnan(error):
        return cannot_run(f"{finding.outcome}{who}", "ours gave no number, or no error of it")
    is_clear = abs(ours) > 1.645 * error
    sign = ("+" if ours > 0 else "-") if is_clear else "0"
    agrees = "as published" if sign == finding.direction else f"published: {finding.direction}"
    return Verdict(
        row=f"{finding.outcome}{who}",
        verdict="no published number seen",
        published=math.nan,
        ours=ours,
        tolerance=math.nan,
        detail=f"sign at 10 percent: {sign} ({agrees})",
    )


def cannot_run(row: str, why: str) -> Verdict:
    """Return the verdict of a number that nothing of ours can be held against.

    Parameters
    ----------
    row, why : str

    Returns
    -------
    Verdict
    """
    return Verdict(
        row=row, verdict="cannot run", published=math.nan, ours=math.nan, tolerance=math.nan, detail=why
    )
