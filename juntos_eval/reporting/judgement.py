"""From numbers to facts: signs, agreement, balance, overlap, hidden bias. Sentences come after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from juntos_eval.estimate import Check
from juntos_eval.reporting.questions import Question
from juntos_eval.reporting.report_input import BalanceRow, Label, Overlap, ReportedEstimate, Sensitivity

__all__ = [
    "OFF_SUPPORT_LIMIT",
    "SMD_LIMIT",
    "STRONG_BIAS",
    "VARIANCE_RATIO_LIMITS",
    "WEAK_BIAS",
    "Agreement",
    "BalanceFacts",
    "agreement",
    "balance_facts",
    "covers",
    "direction",
    "doubts",
    "failed_checks",
    "hidden_bias",
    "is_overlap_good",
    "other_failures",
]

#: Austin (2009): groups are taken as alike where no standardised mean difference exceeds this.
SMD_LIMIT: Final = 0.10
#: Rubin (2001): variances are taken as alike where their ratio lies within these.
VARIANCE_RATIO_LIMITS: Final = (0.5, 2.0)
#: A convention of this report: more treated rows off support change the population that is spoken of.
OFF_SUPPORT_LIMIT: Final = 0.05
#: Conventions of this report for words, always printed with the number itself.
WEAK_BIAS: Final = 1.25
STRONG_BIAS: Final = 2.0

Direction = Literal["positive", "negative", "unclear", "unknown"]
Bias = Literal["none", "weak", "moderate", "strong", "beyond", "unknown"]


def direction(interval: tuple[float, float]) -> Direction:
    """Return the sign that a confidence interval allows.

    Parameters
    ----------
    interval : tuple of float

    Returns
    -------
    {"positive", "negative", "unclear", "unknown"}
        unclear where the interval includes zero, unknown where there is none.

    Examples
    --------
    >>> from juntos_eval.reporting.judgement import direction
    >>> direction((0.01, 0.2)), direction((-0.1, 0.2))
    ('positive', 'unclear')
    """
    low, high = interval
    if math.isnan(low) or math.isnan(high):
        return "unknown"
    if low > 0:
        return "positive"
    return "negative" if high < 0 else "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How the adjusted estimates of a question stand to each other.

    Attributes
    ----------
    count : int
        Adjusted estimates with a number.
    positive, negative : int
        By sign of the value.
    clear_positive, clear_negative : int
        By an interval that excludes zero.
    low, high : float
        Smallest and largest value; NaN where there is none.

    Examples
    --------
    >>> from juntos_eval.reporting.judgement import Agreement
    >>> Agreement(count=2, positive=1, negative=1, clear_positive=0, clear_negative=0, low=-1.0,
    ...           high=1.0).kind
    'mixed'
    """

    count: int
    positive: int
    negative: int
    clear_positive: int
    clear_negative: int
    low: float
    high: float

    @property
    def kind(self) -> Literal["none", "positive", "negative", "mixed"]:
        """Whether all have one sign."""
        if self.count == 0:
            return "none"
        if self.positive == self.count:
            return "positive"
        return "negative" if self.negative == self.count else "mixed"


def agreement(estimates: Sequence[ReportedEstimate]) -> Agreement:
    """Return how estimates of one question agree.

    Parameters
    ----------
    estimates : sequence of ReportedEstimate

    Returns
    -------
    Agreement

    Examples
    --------
    >>> from juntos_eval.reporting.judgement import agreement
    >>> agreement(()).kind
    'none'
    """
    known = [shown for shown in estimates if not math.isnan(shown.value)]
    values = [shown.value for shown in known]
    directions = [direction(shown.interval) for shown in known]
    return Agreement(
        count=len(known),
        positive=sum(value > 0 for value in values),
        negative=sum(value < 0 for value in values),
        clear_positive=directions.count("positive"),
        clear_negative=directions.count("negative"),
        low=min(values, default=math.nan),
        high=max(values, default=math.nan),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceFacts:
    """The covariate in which the arms differ most.

    Attributes
    ----------
    covariates : int
    before, after : float
        Largest absolute standardised mean difference.
    worst : Label
        The covariate that differs most after adjustment.
    beyond : int
        Covariates whose difference is beyond the limit after adjustment.
    variance_beyond : int
        Covariates whose variance ratio is outside its limits after adjustment.

    Examples
    --------
    >>> from juntos_eval.reporting.judgement import balance_facts
    >>> balance_facts(()) is None
    True
    """

    covariates: int
    before: float
    after: float
    worst: Label
    beyond: int
    variance_beyond: int

    @property
    def is_good(self) -> bool:
        """Whether every mean difference is within the limit."""
        return self.beyond == 0 and not math.isnan(self.after)


def balance_facts(rows: Sequence[BalanceRow]) -> BalanceFacts | None:
    """Return what a balance table amounts to; None where there is none.

    Parameters
    ----------
    rows : sequence of BalanceRow

    Returns
    -------
    BalanceFacts or None

    Examples
    --------
    >>> from juntos_eval.reporting.judgement import balance_facts
    >>> from juntos_eval.reporting.report_input import BalanceRow, Label
    >>> row = BalanceRow(covariate="age", label=Label("age", "edad"), smd_before=-0.4, smd_after=0.02)
    >>> facts = balance_facts((row,))
    >>> facts.before, facts.after, facts.is_good
    (0.4, 0.02, True)
    """
    rows = [row for row in rows if not row.is_score]
    known = [row for row in rows if not math.isnan(row.smd_after)]
    if not known:
        return None
    worst = max(known, key=lambda row: abs(row.smd_after))
    low, high = VARIANCE_RATIO_LIMITS
    ratios = [row.variance_ratio_after for row in rows if not math.isnan(row.variance_ratio_after)]
    return BalanceFacts(
        covariates=len(rows),
        before=max((abs(row.smd_before) for row in rows if not math.isnan(row.smd_before)), default=math.nan),
        after=abs(worst.smd_after),
        worst=worst.label,
        # a covariate without a difference cannot be called balanced
        beyond=sum(abs(row.smd_after) > SMD_LIMIT for row in known) + len(rows) - len(known),
        variance_beyond=sum(not low <= ratio <= high for ratio in ratios),
    )


def is_overlap_good(overlap: Overlap | None) -> bool | None:
    """Return whether few treated rows are off support; None where it was not recorded.

    Parameters
    ----------
    overlap : Overlap, optional

    Returns
    -------
    bool or None

    Examples
    --------
    >>> from juntos_eval.reporting.judgement import is_overlap_good
    >>> is_overlap_good(None) is None
    True
    """
    return None if overlap is None else overlap.share_off_support <= OFF_SUPPORT_LIMIT


def hidden_bias(sensitivity: Sensitivity | None) -> Bias:
    """Return how strong a hidden bias would have to be to change the conclusion.

    Parameters
    ----------
    sensitivity : Sensitivity, optional

    Returns
    -------
    {"none", "weak", "moderate", "strong", "beyond", "unknown"}
        none: there is no conclusion to change; beyond: stronger than any that was tried.

    Examples
    --------
    >>> from juntos_eval.reporting.judgement import hidden_bias
    >>> hidden_bias(None)
    'unknown'
    """
    if sensitivity is None or math.isnan(sensitivity.critical_gamma):
        return "unknown"
    gamma = sensitivity.critical_gamma
    if sensitivity.p_upper[0] > sensitivity.alpha or gamma <= 1.0:
        return "none"
    if math.isinf(gamma):
        return "beyond"
    if gamma < WEAK_BIAS:
        return "weak"
    return "moderate" if gamma < STRONG_BIAS else "strong"


def failed_checks(checks: Sequence[Check]) -> tuple[str, ...]:
    """Return the names of the checks that failed.

    Parameters
    ----------
    checks : sequence of Check

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from juntos_eval.estimate import Check
    >>> from juntos_eval.reporting.judgement import failed_checks
    >>> failed_checks([Check("overlap", False, ""), Check("score", None, "")])
    ('overlap',)
    """
    return tuple(check.name for check in checks if check.passed is False)


def other_failures(checks: Sequence[Check]) -> tuple[str, ...]:
    """Return the failed checks that do not say again what balance and overlap say.

    Parameters
    ----------
    checks : sequence of Check

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from juntos_eval.estimate import Check
    >>> from juntos_eval.reporting.judgement import other_failures
    >>> other_failures([Check("balance", False, ""), Check("pre-trend", False, "")])
    ('pre-trend',)
    """
    return tuple(name for name in failed_checks(checks) if name not in ("balance", "overlap"))


def doubts(question: Question) -> tuple[str, ...]:
    """Return what speaks against comparing like with like in the main estimate.

    Parameters
    ----------
    question : Question

    Returns
    -------
    tuple of str
        Of ``balance no_balance overlap no_overlap checks agreement single``; empty where balance and overlap
        are good, no check failed, and several designs agree in sign.

    Examples
    --------
    >>> from juntos_eval.reporting.judgement import doubts
    >>> from juntos_eval.reporting.questions import Question
    >>> doubts(Question(study="s", outcome="o", population="p", year="2024", estimates=(),
    ...                 headline_design="ipw"))
    ('single',)
    """
    main = question.main
    if main is None:
        return ("single",)
    balance, is_overlapping = balance_facts(main.balance), is_overlap_good(main.overlap)
    agreed = agreement(question.adjusted)
    found = {
        "no_balance": balance is None,
        "balance": balance is not None and not balance.is_good,
        "no_overlap": is_overlapping is None,
        "overlap": is_overlapping is False,
        "checks": bool(other_failures(main.estimate.checks)),
        "agreement": agreed.count > 1 and agreed.kind == "mixed",
        "single": agreed.count < 2,
    }
    return tuple(doubt for doubt, is_present in found.items() if is_present)


def covers(interval: tuple[float, float], truth: float | None) -> bool | None:
    """Return whether an interval holds the planted effect; None where either is not known.

    Parameters
    ----------
    interval : tuple of float
    truth : float, optional

    Returns
    -------
    bool or None

    Examples
    --------
    >>> from juntos_eval.reporting.judgement import covers
    >>> covers((0.1, 0.3), 0.2), covers((0.1, 0.3), None)
    (True, None)
    """
    low, high = interval
    if truth is None or math.isnan(low) or math.isnan(high):
        return None
    return low <= truth <= high
