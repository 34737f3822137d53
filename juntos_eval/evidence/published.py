"""A published number as an Estimate: its value as printed, and a standard error from whatever was printed."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError
from juntos_eval.estimate import Check, Estimate, Sample, Uncertainty
from juntos_eval.evidence.record import PublishedNumber, StudyRecord
from juntos_eval.numerics.distributions import normal_quantile

__all__ = ["STANDARD_ERROR_RULES", "as_estimate", "standard_error"]

_Z95: Final = 1.959963984540054

#: In this order: the first that a row has is taken.
STANDARD_ERROR_RULES: Final = (
    "standard error printed",
    "from the printed t",
    "from the printed 95 % interval",
    "from the printed p value",
)


def standard_error(row: PublishedNumber) -> tuple[float, str]:
    r"""Return the standard error of a row and the rule that gave it; NaN and the reason where there is none.

    The printed one; else :math:`|\hat\theta / t|`; else :math:`(u - l) / (2 z_{0.975})`; else
    :math:`|\hat\theta| / z_{1 - p/2}` of an exactly printed p. An odds ratio is on the log scale throughout.

    Parameters
    ----------
    row : PublishedNumber

    Returns
    -------
    float
    str

    Examples
    --------
    >>> from juntos_eval.evidence.load import load_record
    >>> row = load_record("andersen_2015").number("haz_boys_ge2_y")
    >>> se, rule = standard_error(row)
    >>> round(se, 4), rule
    (0.1735, 'from the printed 95 % interval')
    """
    if row.estimate is None:
        what = "a range was published, no estimate" if row.range_low is not None else "no estimate was seen"
        return math.nan, what
    value = _scaled(row, row.estimate)
    candidates = zip(
        (_printed(row), _from_t(row, value), _from_interval(row), _from_p(row, value)),
        STANDARD_ERROR_RULES,
        strict=True,
    )
    for error, rule in candidates:
        if error is not None:
            return error, rule
    return math.nan, _reason(row)


def _printed(row: PublishedNumber) -> float | None:
    if row.se is None or row.estimate is None:
        return None
    # a printed error of an odds ratio is of the ratio: the delta method brings it to the log scale
    return row.se / row.estimate if _is_ratio(row) else row.se


def _from_t(row: PublishedNumber, value: float) -> float | None:
    return None if not row.t else abs(value / row.t)


def _from_interval(row: PublishedNumber) -> float | None:
    if row.ci_low is None or row.ci_high is None or row.ci_low >= row.ci_high:
        return None
    return (_scaled(row, row.ci_high) - _scaled(row, row.ci_low)) / (2 * _Z95)


def _from_p(row: PublishedNumber, value: float) -> float | None:
    if row.p is None or row.p_rel != "=" or not 0 < row.p < 1 or value == 0:
        return None
    return abs(value) / float(normal_quantile(1 - row.p / 2))


def _reason(row: PublishedNumber) -> str:
    if row.p is not None and row.p_rel == "<":
        return f"only a bound was printed, p < {row.p:g}"
    if row.stars is not None:
        return f"only stars were printed ({row.stars or 'none'})"
    return "no standard error, t, interval or p was seen"


def as_estimate(row: PublishedNumber, record: StudyRecord) -> Estimate:
    """Return a published number as an estimate of one value.

    Parameters
    ----------
    row : PublishedNumber
    record : StudyRecord
        The study it is of.

    Returns
    -------
    Estimate
        Without a fit. ``details["n"]`` is the published n, None where none was seen: no row of ours stands
        behind the number, so the sample counts the published rows or none. An odds ratio is given as its
        logarithm. Without a standard error the covariance is NaN, and a check says why.

    Raises
    ------
    SchemaError
        If the number is not one of the record.

    Examples
    --------
    >>> from juntos_eval.evidence.load import load_record
    >>> from juntos_eval.evidence.published import as_estimate
    >>> record = load_record("andersen_2015")
    >>> estimate = as_estimate(record.number("stunting_all_lt2_y"), record)
    >>> float(estimate.values[0]), round(float(estimate.uncertainty.std_error[0]), 2)
    (-7.98, 7.31)
    """
    if row not in record.results:
        raise SchemaError(
            f"the number '{row.id}' is not one of the record",
            where=record.id,
            remedy="take both from one record",
        )
    se, rule = standard_error(row)
    is_known = not math.isnan(se)
    value = math.nan if row.estimate is None else _scaled(row, row.estimate)
    checks = [Check("published standard error", is_known, rule)]
    if row.n is None:
        checks.append(Check("published sample size", None, "not seen"))
    if row.misprint:
        checks.append(Check("published as it stands", False, row.misprint))
    return Estimate(
        spec={
            "estimator": "published",
            "outcome": row.outcome,
            "study": record.id,
            "row": row.id,
            "specification": row.spec or "",
            "scale": "log odds ratio" if _is_ratio(row) else row.units,
        },
        keys={"term": (row.id,), "outcome": (row.outcome,), "group": (row.subgroup or "all",)},
        values=np.array([value]),
        uncertainty=Uncertainty(
            method=f"published: {rule}" if is_known else "published: not known",
            covariance=np.array([[se**2]]),
            df=math.inf,
        ),
        sample=Sample(rows=row.n or 0, units=row.n or 0),
        checks=tuple(checks),
        details=FrozenMapping(
            {
                "n": row.n,
                "range": None if row.range_low is None else [row.range_low, row.range_high],
                "units": row.units,
                "control_mean": row.control_mean,
            }
        ),
        provenance={
            "citation": record.citation,
            "table": row.table,
            "source": row.source,
            "seen": row.seen,
            "record": row.provenance,
        },
    )


def _is_ratio(row: PublishedNumber) -> bool:
    return row.effect_measure == "odds_ratio"


def _scaled(row: PublishedNumber, value: float) -> float:
    return math.log(value) if _is_ratio(row) else value
