"""Ratios of two totals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate, Fit, Groups, Inference
from juntos_eval.estimators.design import groups_to_carry, select
from juntos_eval.estimators.survey_statistics.domains import (
    domain_influence,
    domain_keys,
    domain_of,
    domain_sums,
    sample_of,
)
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Ratio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    r"""Total of an outcome over the total of a denominator: consumption per head, yield per hectare.

    .. math:: \hat R = \frac{\sum_i w_i y_i}{\sum_i w_i x_i}, \qquad
              \hat\psi_i = \frac{w_i (y_i - \hat R x_i)}{\sum_j w_j x_j}

    It is not the mean of the rows' own ratios.

    Parameters
    ----------
    outcome, denominator : str
        Columns of numbers or booleans; rows where one is missing are dropped and counted.
    by : str, optional
        Column of domains, one row of the result for each, in sorted order under the key ``group``.
    weights : str, optional
        Column of sampling weights.

    References
    ----------
    Woodruff, R. S. (1971). A simple method for approximating the variance of a complicated estimate.
    *Journal of the American Statistical Association*, 66(334), 411-414.
    Särndal, C.-E., Swensson, B., & Wretman, J. (1992). *Model Assisted Survey Sampling*, sec. 5.6. Springer.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.survey_statistics import Ratio
    >>> frame = pd.DataFrame({"consumption": [10.0, 30.0], "members": [1, 3]})
    >>> Ratio(outcome="consumption", denominator="members").fit(frame).values.tolist()
    [10.0]
    """

    outcome: str
    denominator: str
    by: str | None = None
    weights: str | None = None

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the ratios; by default with :class:`~juntos_eval.inference.robust.Robust` ``HC1``.

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
            Term ``ratio``; with ``by`` also the key ``group``.

        Raises
        ------
        DesignError
            For columns or weights that cannot be used, where no complete row is left, or where the total of
            the denominator is zero.
        """
        rule = inference or Robust()
        groups = (*groups_to_carry(rule, carry), *((self.by,) if self.by else ()))
        numeric = (self.outcome, self.denominator)
        chosen = select(data, numeric=numeric, weights=self.weights, carry=groups)
        domains = domain_of(chosen, self.by)
        above, below = (chosen.weights * chosen.columns[name] for name in numeric)
        totals = domain_sums(below, domains)
        _refuse_zero(totals, domains, self.denominator)
        values = domain_sums(above, domains) / totals
        influence = (above - values[domains.codes] * below) / totals[domains.codes]
        fit = Fit(
            values=values,
            influence=domain_influence(influence[:, None], domains),
            parameters=domains.count,
            groups=chosen.groups,
        )
        return Estimate(
            spec={"estimator": "Ratio", **asdict(self)},
            keys=domain_keys(["ratio"], domains, self.by),
            values=fit.values,
            uncertainty=rule.infer(fit),
            sample=sample_of(chosen),
            details={"rows": np.bincount(domains.codes, minlength=domains.count).tolist()},
            fit=fit,
            inference=rule,
        )


def _refuse_zero(totals: Floats, domains: Groups, column: str) -> None:
    empty = [repr(domains.levels[one]) for one in np.flatnonzero(totals == 0)]
    if empty:
        raise DesignError(
            f"the total of the denominator '{column}' is zero, so there is no ratio",
            where=f"column '{column}', {len(empty)} of {domains.count} domains: {', '.join(empty[:5])}",
            remedy="leave these rows out, or choose another denominator",
        )
