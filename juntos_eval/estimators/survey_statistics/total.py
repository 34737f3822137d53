"""Totals of a population from a sample of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.estimate import Estimate, Fit, Inference
from juntos_eval.estimators.design import groups_to_carry, select
from juntos_eval.estimators.survey_statistics.domains import (
    domain_influence,
    domain_keys,
    domain_of,
    domain_sums,
    sample_of,
)
from juntos_eval.inference.robust import Robust
from juntos_eval.inference.total_influence import TotalInfluence

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Total"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    r"""Total of an outcome in the population, of all or of each domain; of a column of ones, its size.

    .. math:: \hat T = \sum_i w_i y_i, \qquad \hat z_i = w_i y_i

    (Horvitz & Thompson 1952) with weights that count how many of the population each row stands for. Its
    error is that of a sum of independent units: rows, clusters or PSUs within strata, whose sums
    are measured from their mean; see :class:`~juntos_eval.inference.total_influence.TotalInfluence`.

    Parameters
    ----------
    outcome : str
        Column of numbers or booleans; rows where it is missing are dropped and counted: they then count
        as zero in the total.
    by : str, optional
        Column of domains, one row of the result for each, in sorted order under the key ``group``.
    weights : str, optional
        Column of sampling weights; without them the total is that of the sample.

    References
    ----------
    Horvitz, D. G., & Thompson, D. J. (1952). A generalization of sampling without replacement from a
    finite universe. *Journal of the American Statistical Association*, 47(260), 663-685.
    Särndal, C.-E., Swensson, B., & Wretman, J. (1992). *Model Assisted Survey Sampling*, ch. 2-4. Springer.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.survey_statistics import Total
    >>> frame = pd.DataFrame({"members": [2, 3, 5, 2], "w": [10.0, 10.0, 20.0, 20.0]})
    >>> Total(outcome="members", weights="w").fit(frame).values.tolist()
    [190.0]
    """

    outcome: str
    by: str | None = None
    weights: str | None = None

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the totals; by default with :class:`~juntos_eval.inference.robust.Robust` ``HC1``.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed.
        inference : Inference, optional
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Term ``total``; with ``by`` also the key ``group``.

        Raises
        ------
        DesignError
            For columns or weights that cannot be used, or where no complete row is left.
        """
        rule = inference or Robust()
        groups = (*groups_to_carry(rule, carry), *((self.by,) if self.by else ()))
        chosen = select(data, numeric=(self.outcome,), weights=self.weights, carry=groups)
        domains = domain_of(chosen, self.by)
        contributions = chosen.weights * chosen.columns[self.outcome]
        fit = Fit(
            values=domain_sums(contributions, domains),
            influence=TotalInfluence(domain_influence(contributions[:, None], domains)),
            parameters=1,
            groups=chosen.groups,
        )
        return Estimate(
            spec={"estimator": "Total", **asdict(self)},
            keys=domain_keys(["total"], domains, self.by),
            values=fit.values,
            uncertainty=rule.infer(fit),
            sample=sample_of(chosen),
            details={"rows": np.bincount(domains.codes, minlength=domains.count).tolist()},
            fit=fit,
            inference=rule,
        )
