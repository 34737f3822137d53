"""Proportions, of a yes or of each category, with intervals that stay between 0 and 1."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate, Fit, Groups, Inference
from juntos_eval.estimators.design import Selection, groups_to_carry, require_frame, select
from juntos_eval.estimators.survey_statistics.domains import (
    domain_influence,
    domain_keys,
    domain_of,
    domain_sums,
    sample_of,
)
from juntos_eval.estimators.survey_statistics.proportion_intervals import (
    ProportionInterval,
    proportion_intervals,
)
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Proportion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    r"""Share of the population of which an outcome is true, or that is in each of its categories.

    .. math:: \hat p_c = \frac{\sum_i w_i 1\{y_i = c\}}{\sum_i w_i}, \qquad
              \hat\psi_{ic} = \frac{w_i (1\{y_i = c\} - \hat p_c)}{\sum_j w_j}

    Parameters
    ----------
    outcome : str
        Column of booleans or 0 and 1: the share of ones. A column of text or categories: the share of each
        of its L categories, in their order (sorted, unless a categorical has its own), under the key
        ``outcome`` as ``column[category]``. Rows where it is missing are dropped and counted.
    by : str, optional
        Column of domains, under the key ``group``.
    weights : str, optional
        Column of sampling weights.
    interval : {"logit", "wilson", "beta", "asin", "mean"}
        See :func:`~juntos_eval.estimators.survey_statistics.interval_of_proportion`.
    level : float
        Of the intervals.

    References
    ----------
    Korn, E. L., & Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data. *Survey Methodology*, 24(2), 193-201.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.survey_statistics import Proportion
    >>> frame = pd.DataFrame({"area": ["rural", "urban", "urban", "urban"]})
    >>> shares = Proportion(outcome="area", interval="wilson").fit(frame)
    >>> shares.tidy()[["outcome", "estimate"]].values.tolist()
    [['area[rural]', 0.25], ['area[urban]', 0.75]]
    """

    outcome: str
    by: str | None = None
    weights: str | None = None
    interval: ProportionInterval = "logit"
    level: float = 0.95

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the shares; by default with :class:`~juntos_eval.inference.robust.Robust` ``HC1``.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed.
        inference : Inference, optional
        carry : tuple of str
            Groupings to keep for another inference later. Its intervals are then estimate plus and minus;
            ask for others by :func:`~juntos_eval.estimators.survey_statistics.proportion_intervals`.

        Returns
        -------
        Estimate
            Term ``proportion``, with intervals at ``level``.

        Raises
        ------
        DesignError
            For columns or weights that cannot be used, for numbers other than 0 and 1, or where no complete
            row is left.
        """
        rule = inference or Robust()
        groups = (*groups_to_carry(rule, carry), *((self.by,) if self.by else ()))
        coded, categories = _coded(data, self.outcome)
        chosen = select(coded, numeric=(self.outcome,), weights=self.weights, carry=groups)
        domains = domain_of(chosen, self.by)
        indicators, kept = _indicators(chosen.columns[self.outcome], categories, self.outcome)
        fit = _shares(chosen, indicators, domains)
        keys = dict(domain_keys(["proportion"] * indicators.shape[1], domains, self.by))
        if categories is not None:
            names = tuple(f"{self.outcome}[{categories[code]}]" for code in kept)
            keys = {"term": keys.pop("term"), "outcome": names * domains.count, **keys}
        rows = np.bincount(domains.codes, minlength=domains.count).repeat(indicators.shape[1])
        estimate = Estimate(
            spec={"estimator": "Proportion", **asdict(self)},
            keys=keys,
            values=fit.values,
            uncertainty=rule.infer(fit),
            sample=sample_of(chosen),
            details={"rows": rows.tolist()},
            fit=fit,
            inference=rule,
        )
        return proportion_intervals(estimate, method=self.interval, level=self.level)


def _shares(chosen: Selection, indicators: Floats, domains: Groups) -> Fit:
    total = domain_sums(chosen.weights, domains)
    weighted = chosen.weights[:, None] * indicators
    shares = np.column_stack([domain_sums(column, domains) for column in weighted.T]) / total[:, None]
    of_row = shares[domains.codes]
    influence = chosen.weights[:, None] * (indicators - of_row) / total[domains.codes, None]
    return Fit(
        # sums of weights may leave [0, 1] by a rounding
        values=np.clip(shares, 0.0, 1.0).ravel(),
        influence=domain_influence(influence, domains),
        parameters=domains.count,
        groups=chosen.groups,
    )


def _coded(data: DataFrame, outcome: str) -> tuple[DataFrame, list[Any] | None]:
    """Return the frame with categories of the outcome as numbers, and the categories."""
    import pandas as pd

    require_frame(data)
    if int((data.columns == outcome).sum()) != 1:
        return data, None  # which select refuses by name
    column = data[outcome]
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return data, None
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, levels = column.cat.codes.to_numpy(), list(column.cat.categories)
    else:
        codes, found = pd.factorize(column, sort=True)
        levels = list(found)
    numbers = np.where(codes < 0, np.nan, codes.astype(np.float64))
    return data.assign(**{outcome: numbers}), levels


def _indicators(values: Floats, categories: list[Any] | None, outcome: str) -> tuple[Floats, Codes]:
    if categories is not None:
        kept = np.unique(values).astype(np.int64)
        return (values[:, None] == kept).astype(np.float64), kept
    other = (values != 0) & (values != 1)
    if other.any():
        raise DesignError(
            f"the outcome '{outcome}' of a proportion must be 0 or 1, or categories",
            where=f"column '{outcome}', {int(other.sum())} rows with other numbers",
            remedy="recode it to 0 and 1, or to text for the share of each value; its mean is Mean()",
        )
    return values[:, None], np.array([1])
