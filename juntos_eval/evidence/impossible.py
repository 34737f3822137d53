"""Values that no study can have: what fails validation, told apart from what only looks odd."""

from __future__ import annotations

from juntos_eval.evidence.decimals import half_unit
from juntos_eval.evidence.record import PublishedNumber, StudyRecord

__all__ = ["impossible_values", "record_faults"]


def impossible_values(row: PublishedNumber) -> list[str]:
    """Return what is impossible about a row, in words; empty where nothing is.

    Parameters
    ----------
    row : PublishedNumber

    Returns
    -------
    list of str

    Examples
    --------
    >>> from juntos_eval.evidence.load import load_record
    >>> from dataclasses import replace
    >>> row = load_record("andersen_2015").number("haz_boys_ge2_y")
    >>> impossible_values(row), impossible_values(replace(row, p=1.2))
    ([], ['p is 1.2, not between 0 and 1'])
    """
    faults = [*_pairs(row), *_signs(row), *_ranges(row)]
    if row.misprint is None:
        faults += _contradictions(row)
    return faults


def _pairs(row: PublishedNumber) -> list[str]:
    faults = []
    for low, high in (("ci_low", "ci_high"), ("range_low", "range_high"), ("p", "p_rel")):
        if (getattr(row, low) is None) != (getattr(row, high) is None):
            faults.append(f"{low} and {high} go together")
    if row.range_low is not None and row.estimate is not None:
        faults.append("a range stands in place of an estimate, not beside it")
    if not row.has_value and row.p is None:
        faults.append("no estimate, range or p")
    if row.count is not None and row.n is None:
        faults.append("a count needs its n")
    if row.misprint is not None and not row.misprint.strip():
        faults.append("misprint says nothing")
    return faults


def _signs(row: PublishedNumber) -> list[str]:
    faults = []
    if row.se is not None and row.se <= 0:
        faults.append(f"se is {row.se:g}, not positive")
    if row.sd is not None and row.sd < 0:
        faults.append(f"sd is {row.sd:g}, below zero")
    if row.p is not None and not 0 <= row.p <= 1:
        faults.append(f"p is {row.p:g}, not between 0 and 1")
    if row.n is not None and row.n <= 0:
        faults.append(f"n is {row.n}, not positive")
    if row.count is not None and row.n is not None and not 0 <= row.count <= row.n:
        faults.append(f"count is {row.count}, not between 0 and n = {row.n}")
    if row.effect_measure == "odds_ratio":
        faults += [
            f"{name} of an odds ratio is {value:g}, not positive"
            for name in ("estimate", "ci_low", "ci_high")
            if (value := getattr(row, name)) is not None and value <= 0
        ]
    return faults


def _ranges(row: PublishedNumber) -> list[str]:
    faults = []
    if row.ci_low is not None and row.ci_high is not None and row.ci_low > row.ci_high:
        faults.append(f"the interval {row.ci_low:g} to {row.ci_high:g} runs backwards")
    if row.range_low is not None and row.range_high is not None and row.range_low > row.range_high:
        faults.append(f"the range {row.range_low:g} to {row.range_high:g} runs backwards")
    ceiling = _ceiling(row)
    if ceiling is not None:
        faults += [
            f"{name} of a {row.effect_measure} is {value:g}, not between 0 and {ceiling:g} ({row.units})"
            for name in ("estimate", "range_low", "range_high")
            if (value := getattr(row, name)) is not None and not 0 <= value <= ceiling
        ]
    return faults


def _ceiling(row: PublishedNumber) -> float | None:
    """Return the largest value that a share or prevalence can have, by its unit; None for others."""
    if row.effect_measure not in {"share", "prevalence"}:
        return None
    return 100.0 if "%" in row.units or "percent" in row.units else 1.0


def _contradictions(row: PublishedNumber) -> list[str]:
    """Say where an interval misses its estimate by more than rounding."""
    if row.estimate is None or row.ci_low is None or row.ci_high is None:
        return []
    slack = half_unit(row.estimate, row.ci_low, row.ci_high)
    if row.ci_low - slack <= row.estimate <= row.ci_high + slack:
        return []
    return [f"the interval {row.ci_low:g} to {row.ci_high:g} does not contain the estimate {row.estimate:g}"]


def record_faults(record: StudyRecord) -> list[str]:
    """Return what is impossible about a record beyond its rows.

    Parameters
    ----------
    record : StudyRecord

    Returns
    -------
    list of str
    """
    faults = []
    if record.design.verified and record.design.basis in {"inferred", "title", "none"}:
        faults.append(f"a design of basis '{record.design.basis}' is not verified")
    if record.year is not None and not 1990 <= record.year <= 2100:
        faults.append(f"year is {record.year}")
    if record.data.n is not None and record.data.n <= 0:
        faults.append(f"data.n is {record.data.n}, not positive")
    repeated = sorted({row.id for row in record.results if [r.id for r in record.results].count(row.id) > 1})
    if repeated:
        faults.append(f"results share the ids {', '.join(repeated)}")
    return faults
