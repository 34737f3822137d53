r"""From two weighted or predicted means to an effect with its influence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.arrays import Bools, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Groups, Inference, Sample
from juntos_eval.estimators.design import select
from juntos_eval.estimators.matching.nuisances import Term
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Comparison", "MeanOutcome", "complete_rows", "effect_estimate", "kish", "ratio", "refuse_outcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanOutcome:
    """A mean with its influence.

    Attributes
    ----------
    value : float
    influence : numpy.ndarray, shape (n,)
        Divided by n, sums to zero.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.effect import MeanOutcome
    >>> low, high = (MeanOutcome(value=v, influence=np.array([0.5, -0.5])) for v in (1.0, 3.0))
    >>> low.plus(high).value
    4.0
    """

    value: float
    influence: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "influence", frozen(self.influence))

    def plus(self, other: MeanOutcome) -> MeanOutcome:
        """Return the sum of two means."""
        return MeanOutcome(value=self.value + other.value, influence=self.influence + other.influence)


def ratio(numerator: Term, denominator: Term) -> MeanOutcome:
    r"""Return a ratio of sums with its influence.

    .. math:: \hat m = \frac{\sum_i a_i}{\sum_i b_i}, \qquad
              \hat\psi_i = \frac{a_i - \hat m b_i + c_i}{\sum_j b_j}

    with :math:`c_i` what row i adds through the nuisances of a and b.

    Parameters
    ----------
    numerator, denominator : Term

    Returns
    -------
    MeanOutcome

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.effect import ratio
    >>> from juntos_eval.estimators.matching.nuisances import Term
    >>> mean = ratio(Term(value=np.array([1.0, 5.0])), Term(value=np.ones(2)))
    >>> mean.value, mean.influence.tolist()
    (3.0, [-1.0, 1.0])
    """
    total = float(denominator.value.sum())
    value = float(numerator.value.sum()) / total
    moment = numerator.plus(denominator.times(np.full(len(denominator.value), -value)))
    return MeanOutcome(value=value, influence=(moment.value + moment.error()) / total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two mean outcomes of one target population, and what they rest on.

    Attributes
    ----------
    treated, untreated : MeanOutcome
    estimand : str
    parameters : int
        Coefficients estimated on the way, the two means included.
    arms : numpy.ndarray of bool, shape (n,)
        Rows that are treated.
    weights : numpy.ndarray, shape (n,)
        Weight of each row in its arm.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.effect import Comparison, MeanOutcome
    >>> low, high = (MeanOutcome(value=v, influence=np.array([0.5, -0.5])) for v in (1.0, 3.0))
    >>> Comparison(treated=high, untreated=low, estimand="att", parameters=2,
    ...            arms=np.array([True, False]), weights=np.ones(2)).effective
    (1.0, 1.0)
    """

    treated: MeanOutcome
    untreated: MeanOutcome
    estimand: str
    parameters: int
    arms: Bools
    weights: Floats

    @property
    def effective(self) -> tuple[float, float]:
        """Kish's effective number of treated and of untreated rows."""
        return kish(self.weights[self.arms]), kish(self.weights[~self.arms])

    def fit(self, groups: Mapping[str, Groups], *, means: bool) -> Fit:
        """Return effect and influence; with ``means`` also the two mean outcomes."""
        influence = np.column_stack([self.treated.influence, self.untreated.influence])
        rows = np.array([[1.0, -1.0], [1.0, 0.0], [0.0, 1.0]] if means else [[1.0, -1.0]])
        return Fit(
            values=rows @ np.array([self.treated.value, self.untreated.value]),
            influence=DenseInfluence(influence @ rows.T),
            parameters=self.parameters,
            groups=groups,
        )


def effect_estimate(
    comparison: Comparison,
    groups: Mapping[str, Groups],
    *,
    spec: Mapping[str, Any],
    inference: Inference | None,
    dropped: Mapping[str, int],
    checks: tuple[Check, ...],
    details: Mapping[str, Any],
) -> Estimate:
    """Return a comparison as an estimate.

    Parameters
    ----------
    comparison : Comparison
    groups : Mapping of str to Groups
        Carried groupings of the n rows.
    spec : Mapping
        Name of the estimator and its choices; ``means`` among them decides on the rows.
    inference : Inference or None
        None: the sandwich of the stacked moments, ``Robust("HC0")``.
    dropped : Mapping of str to int
    checks : tuple of Check
    details : Mapping
        Beside the two means and effective numbers of rows.

    Returns
    -------
    Estimate
        Term ``att``, ``ate``, ``atc`` or ``ato``; with ``means`` also ``mean_treated`` and
        ``mean_untreated``.
    """
    has_means = bool(spec["means"])
    fit = comparison.fit(groups, means=has_means)
    rule = inference or Robust("HC0")
    effective_treated, effective_untreated = comparison.effective
    return Estimate(
        spec=spec,
        keys={"term": (comparison.estimand, "mean_treated", "mean_untreated")[: len(fit.values)]},
        values=fit.values,
        uncertainty=rule.infer(fit),
        sample=Sample(
            rows=fit.n,
            units=fit.n,
            treated=int(comparison.arms.sum()),
            effective=effective_treated + effective_untreated,
            dropped=dropped,
        ),
        checks=checks,
        details={
            "mean_treated": comparison.treated.value,
            "mean_untreated": comparison.untreated.value,
            "effective_treated": effective_treated,
            "effective_untreated": effective_untreated,
            **details,
        },
        fit=fit,
        inference=rule,
    )


def kish(weights: Floats) -> float:
    r"""Return the effective number of rows, :math:`(\sum w)^2 / \sum w^2`; 0 where no row has weight.

    Parameters
    ----------
    weights : numpy.ndarray, shape (n,)

    Returns
    -------
    float

    References
    ----------
    Kish, L. (1965). *Survey Sampling*. Wiley.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.effect import kish
    >>> kish(np.array([1.0, 1.0, 0.0]))
    2.0
    """
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def complete_rows(
    data: DataFrame,
    *,
    outcome: str,
    treatment: str,
    others: tuple[str, ...],
    weights: str | None,
    carry: tuple[str, ...],
) -> tuple[DataFrame, Mapping[str, int]]:
    """Return the rows with everything an effect needs, and how many were left out for what.

    Parameters
    ----------
    data : pandas.DataFrame
    outcome, treatment : str
    others : tuple of str
        Covariates of the design and of the outcome model.
    weights : str or None
    carry : tuple of str

    Returns
    -------
    rows : pandas.DataFrame
        These columns only.
    dropped : Mapping of str to int

    Raises
    ------
    DesignError
        As :func:`~juntos_eval.estimators.design.select`.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.effect import complete_rows
    >>> frame = pd.DataFrame({"y": [1.0, None], "d": [1, 0], "age": [30, 40], "name": ["a", "b"]})
    >>> rows, dropped = complete_rows(
    ...     frame, outcome="y", treatment="d", others=("age",), weights=None, carry=())
    >>> rows.shape, dict(dropped)
    ((1, 3), {'y missing': 1})
    """
    chosen = select(
        data, numeric=(outcome,), required=(treatment,), covariates=others, weights=weights, carry=carry
    )
    used = dict.fromkeys([outcome, treatment, *others, *([weights] if weights else []), *carry])
    return data[list(used)].iloc[chosen.rows], chosen.dropped


def refuse_outcome(outcome: Floats, treated: Bools, name: str) -> None:
    """Raise where an outcome cannot answer: it does not vary, or an arm is a single row.

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
    treated : numpy.ndarray of bool, shape (n,)
    name : str
        Column of the outcome.

    Raises
    ------
    DesignError

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.effect import refuse_outcome
    >>> refuse_outcome(np.array([0.0, 1.0, 1.0, 0.0]), np.array([True, True, False, False]), "works")
    """
    if np.ptp(outcome) == 0:
        raise DesignError(
            f"the outcome '{name}' does not vary",
            where=f"column '{name}', all {len(outcome)} rows are {outcome[0]:g}",
            remedy="check how the outcome is coded and which rows were dropped",
        )
    for arm, count in (("treated", int(treated.sum())), ("untreated", int((~treated).sum()))):
        if count < 2:
            raise DesignError(
                f"a single {arm} row has no known error",
                where=f"{count} {arm} of {len(treated)} rows",
                remedy="use more rows; the design itself can be looked at without an effect",
            )
