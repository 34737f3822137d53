"""Recompute what a published table lets recompute, and list what does not agree.

Nothing here fails a record: an oddity of a printed number is the source's, and is reported beside it. Every
recomputation allows for the rounding of what was printed, and says whether rounding alone could explain it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from juntos_eval.evidence.decimals import half_unit
from juntos_eval.evidence.published import standard_error
from juntos_eval.evidence.record import PublishedNumber, StudyRecord

__all__ = ["CHECKS", "Inconsistency", "audit_record", "audit_records", "audit_row"]

_Z95: Final = 1.959963984540054
_LEVELS: Final = ((0.01, "***"), (0.05, "**"), (0.10, "*"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inconsistency:
    """Two printed numbers that do not agree.

    Attributes
    ----------
    study, row : str
    check : str
        One of :data:`CHECKS`, or ``subgroup sizes``.
    printed, implied : str
    rounding : bool
        Whether the rounding of what was printed can explain it.
    """

    study: str
    row: str
    check: str
    printed: str
    implied: str
    rounding: bool = False


def audit_records(records: Iterable[StudyRecord]) -> tuple[Inconsistency, ...]:
    """Return what does not agree in any of the records.

    Parameters
    ----------
    records : iterable of StudyRecord

    Returns
    -------
    tuple of Inconsistency

    Examples
    --------
    >>> from juntos_eval.evidence.audit import audit_records
    >>> from juntos_eval.evidence.load import load_record
    >>> found = audit_records([load_record("fernandez_saldarriaga_2014")])
    >>> sum(one.check == "stars" for one in found)
    5
    """
    return tuple(found for record in records for found in audit_record(record))


def audit_record(record: StudyRecord) -> tuple[Inconsistency, ...]:
    """Return what does not agree in one record.

    Parameters
    ----------
    record : StudyRecord

    Returns
    -------
    tuple of Inconsistency
    """
    rows = [found for row in record.results for found in audit_row(row, record.id)]
    return (*rows, *_subgroup_sizes(record))


def audit_row(row: PublishedNumber, study: str) -> tuple[Inconsistency, ...]:
    """Return what does not agree in one row.

    Parameters
    ----------
    row : PublishedNumber
    study : str

    Returns
    -------
    tuple of Inconsistency
    """
    found = []
    for name, check in CHECKS.items():
        said = check(row)
        if said is not None:
            printed, implied, rounding = said
            found.append(
                Inconsistency(
                    study=study, row=row.id, check=name, printed=printed, implied=implied, rounding=rounding
                )
            )
    return tuple(found)


_Said = tuple[str, str, bool] | None


def _two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))


def _stars_of(p: float) -> str:
    return next((stars for level, stars in _LEVELS if p < level), "")


def _p_range(row: PublishedNumber) -> tuple[float, float, float] | None:
    """Return the p of a normal test, and the least and most that rounding leaves possible."""
    se, rule = standard_error(row)
    if row.estimate is None or math.isnan(se) or se == 0 or "p value" in rule:
        return None
    if row.effect_measure == "odds_ratio":
        z = math.log(row.estimate) / se
        return _two_sided(z), _two_sided(abs(z) * 1.02), _two_sided(abs(z) * 0.98)
    from_interval = row.se is None and row.ci_low is not None
    shown = (
        (row.estimate, row.ci_low, row.ci_high) if from_interval else (row.estimate, row.se or row.t or 0.0)
    )
    slack = half_unit(*(value for value in shown if value is not None))
    slack_se = slack / _Z95 if from_interval else slack
    value = abs(row.estimate)
    least = _two_sided((value + slack) / max(se - slack_se, 1e-12))
    most = _two_sided(max(value - slack, 0.0) / (se + slack_se))
    return _two_sided(value / se), least, most


def _check_stars(row: PublishedNumber) -> _Said:
    ps = _p_range(row)
    if ps is None or row.stars is None or _stars_of(ps[0]) == row.stars:
        return None
    possible = {_stars_of(p) for p in ps} | {s for level, s in _LEVELS if ps[1] < level <= ps[2]}
    implied = _stars_of(ps[0]) or "none"
    return row.stars or "none", f"{implied} (p {ps[0]:.4f})", row.stars in possible


def _check_p(row: PublishedNumber) -> _Said:
    ps = _p_range(row)
    if ps is None or row.p is None:
        return None
    slack = half_unit(row.p)
    if row.p_rel == "<":
        if ps[0] < row.p * 1.05:
            return None
        return f"p < {row.p:g}", f"p {ps[0]:.4f}", ps[1] < row.p
    if abs(ps[0] - row.p) <= max(slack, 0.02):
        return None
    return f"p = {row.p:g}", f"p {ps[0]:.4f}", ps[1] - slack <= row.p <= ps[2] + slack


def _check_interval(row: PublishedNumber) -> _Said:
    """Hold the middle of an interval against its estimate (on the log scale for an odds ratio)."""
    if row.estimate is None or row.ci_low is None or row.ci_high is None or row.ci_low >= row.ci_high:
        return None
    scale = math.log if row.effect_measure == "odds_ratio" else float
    low, value, high = scale(row.ci_low), scale(row.estimate), scale(row.ci_high)
    middle = (low + high) / 2
    if abs(middle - value) <= 0.05 * (high - low):
        return None
    return f"estimate {value:g}", f"middle of the interval {middle:.4g}", False


def _check_interval_width(row: PublishedNumber) -> _Said:
    """Hold a printed standard error against a printed interval."""
    if row.se is None or row.ci_low is None or row.ci_high is None or row.effect_measure == "odds_ratio":
        return None
    implied = (row.ci_high - row.ci_low) / (2 * _Z95)
    slack = half_unit(row.ci_low, row.ci_high) / _Z95 + half_unit(row.se)
    if abs(implied - row.se) <= slack + 0.02 * row.se:
        return None
    return f"se {row.se:g}", f"se {implied:.4g} by the interval", False


def _check_share(row: PublishedNumber) -> _Said:
    """Hold a share against the count it is made of."""
    percent = _percent(row)
    if percent is None or row.count is None or row.n is None or row.estimate is None:
        return None
    implied = percent * row.count / row.n
    if abs(implied - row.estimate) <= half_unit(row.estimate) * 1.001:
        return None
    return f"{row.estimate:g}", f"{row.count}/{row.n} = {implied:.2f}", False


def _check_grim(row: PublishedNumber) -> _Said:
    """GRIM (Brown and Heathers 2017): whether any whole count of n gives the share printed."""
    percent = _percent(row)
    if percent is None or row.n is None or row.count is not None or row.estimate is None:
        return None
    nearest = round(row.estimate * row.n / percent)
    slack = max(half_unit(row.estimate), 10.0**-6)
    if "approximate" in row.units or row.kind != "descriptive":
        return None
    if any(abs(percent * (nearest + k) / row.n - row.estimate) <= slack * 1.001 for k in (-1, 0, 1)):
        return None
    return (
        f"{row.estimate:g} of n = {row.n}",
        f"nearest is {nearest}/{row.n} = {percent * nearest / row.n:.3f}",
        False,
    )


def _check_spread(row: PublishedNumber) -> _Said:
    r"""Hold the spread of an outcome in [0, 1] against its most, :math:`\sqrt{p (1 - p) n / (n - 1)}`."""
    percent = _percent(row)
    if row.sd is None or percent is None or row.estimate is None:
        return None
    share = row.estimate / percent
    n = row.n or 10**9
    most = percent * math.sqrt(share * (1 - share) * n / max(n - 1, 1))
    if row.sd <= most + half_unit(row.sd) + 1e-9:
        return None
    return f"sd {row.sd:g}", f"at most {most:.3g} for a mean of {row.estimate:g}", False


def _check_direction(row: PublishedNumber) -> _Said:
    """Hold the sign that the record gives against the number and its test at 10 percent."""
    if row.kind != "impact" or row.direction in (None, "mixed"):
        return None
    value = row.estimate if row.estimate is not None else row.range_low
    if value is None:
        return None
    centre = 1.0 if row.effect_measure == "odds_ratio" else 0.0
    sign = "+" if value > centre else "-" if value < centre else "0"
    if row.direction in ("+", "-") and row.direction != sign:
        return f"direction {row.direction}", f"sign {sign}", False
    return _check_significance(row)


def _check_significance(row: PublishedNumber) -> _Said:
    ps = _p_range(row)
    if ps is None or row.stars is not None:  # with stars the printed ones decide, and have their own check
        return None
    if row.direction == "0" and ps[2] < 0.10:
        return "not distinguishable from zero", f"p {ps[0]:.4f}", False
    if row.direction != "0" and ps[1] > 0.10:
        return f"direction {row.direction}", f"p {ps[0]:.4f}", False
    return None


def _check_fit(row: PublishedNumber) -> _Said:
    r2 = row.extra.get("r2")
    if isinstance(r2, (int, float)) and not 0 <= r2 <= 1:
        return f"R2 {r2:g}", "between 0 and 1", False
    return None


def _check_person_days(row: PublishedNumber) -> _Said:
    """Ask for one day or the seven days of a reference week of each individual."""
    individuals = row.extra.get("individuals")
    if not isinstance(individuals, int) or row.n is None or "day" not in (row.outcome + row.table).lower():
        return None
    if row.n in (individuals, 7 * individuals):
        return None
    return f"n {row.n}", f"{individuals} x 7 = {7 * individuals}", False


def _percent(row: PublishedNumber) -> float | None:
    """Return 100 or 1, the whole that a share is of; None where the number is no share."""
    if row.effect_measure not in {"share", "prevalence"}:
        return None
    return 100.0 if "%" in row.units or "percent" in row.units else 1.0


#: Name of each check of a row, in the order of the list.
CHECKS: Final[dict[str, Callable[[PublishedNumber], _Said]]] = {
    "stars": _check_stars,
    "p value": _check_p,
    "interval off its estimate": _check_interval,
    "interval and standard error": _check_interval_width,
    "share and count": _check_share,
    "share no count can give": _check_grim,
    "standard deviation": _check_spread,
    "direction": _check_direction,
    "r squared": _check_fit,
    "person-days": _check_person_days,
}


def _subgroup_sizes(record: StudyRecord) -> Iterable[Inconsistency]:
    """Girls and boys beside all, where a record gives the three."""
    sizes = record.data.n_detail
    for name, total in sizes.items():
        stem = name.removesuffix("_all")
        parts = [sizes.get(f"{stem}_{part}") for part in ("girls", "boys")]
        if name.endswith("_all") and None not in parts:
            implied = sum(part for part in parts if part is not None)
            if implied != total:
                yield Inconsistency(
                    study=record.id,
                    row=f"data.n_detail.{name}",
                    check="subgroup sizes",
                    printed=f"{total:g}",
                    implied=f"girls and boys give {implied:g}",
                )
