"""Quantiles of a population, with intervals by inverting those of its distribution function."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Fit, Groups, Inference, Uncertainty
from juntos_eval.estimators.design import Selection, groups_to_carry, select
from juntos_eval.estimators.survey_statistics.domains import (
    domain_influence,
    domain_keys,
    domain_of,
    rows_by_domain,
    sample_of,
)
from juntos_eval.estimators.survey_statistics.proportion_intervals import (
    ProportionInterval,
    interval_of_proportion,
)
from juntos_eval.estimators.survey_statistics.weighted_distribution import QuantileRule, WeightedDistribution
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.distributions import normal_quantile, t_quantile

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Quantile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    r"""Quantiles of an outcome in the population, of all or of each domain.

    .. math:: \hat q_p = \min\{y : \hat F(y) \ge p\}, \qquad
              \hat F(y) = \frac{\sum_i w_i 1\{y_i \le y\}}{\sum_i w_i}

    **Intervals** are Woodruff's (1952): the inference gives :math:`\hat F(\hat q_p)` its interval, and both
    ends are turned back into values of the outcome, so they need not lie evenly around the quantile.
    Standard errors are half the width over the quantile of t. An end of the interval of
    :math:`\hat F` outside (0, 1] leaves the limit unknown: NaN, and a check says so.

    **Influence**, for another inference later, is
    :math:`-w_i (1\{y_i \le \hat q_p\} - \hat F(\hat q_p)) / (\hat f \sum_j w_j)` with the density
    :math:`\hat f` from the slope of :math:`\hat F` across the interval that a simple random sample of the
    effective size would have (Francisco & Fuller 1991); it is not known where values are so heaped that
    :math:`\hat F` does not slope there.

    Parameters
    ----------
    outcome : str
        Column of numbers; rows where it is missing are dropped and counted.
    probabilities : tuple of float
        Each strictly between 0 and 1; the median by default.
    by : str, optional
        Column of domains, under the key ``group``.
    weights : str, optional
        Column of sampling weights.
    rule : {"math", "school"}
        ``school`` takes the midpoint to the next value where :math:`\hat F` is p exactly.
    interval : {"mean", "logit", "beta", "asin", "wilson"}
        Of :math:`\hat F`; see :func:`~juntos_eval.estimators.survey_statistics.interval_of_proportion`.
    level : float
        Of the intervals.

    References
    ----------
    Woodruff, R. S. (1952). Confidence intervals for medians and other position measures. *Journal of the
    American Statistical Association*, 47(260), 635-646.
    Francisco, C. A., & Fuller, W. A. (1991). Quantile estimation with a complex survey design. *Annals of
    Statistics*, 19(1), 454-469.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.survey_statistics import Quantile
    >>> frame = pd.DataFrame({"soles": [1.0, 2.0, 3.0, 4.0, 5.0], "w": [1, 1, 1, 1, 6]})
    >>> Quantile(outcome="soles", probabilities=(0.2, 0.5), weights="w").fit(frame).values.tolist()
    [2.0, 5.0]
    """

    outcome: str
    probabilities: tuple[float, ...] = (0.5,)
    by: str | None = None
    weights: str | None = None
    rule: QuantileRule = "math"
    interval: ProportionInterval = "mean"
    level: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "probabilities", tuple(float(p) for p in self.probabilities))
        usable = bool(self.probabilities) and all(0 < p < 1 for p in self.probabilities)
        if not usable or self.rule not in get_args(QuantileRule) or not 0 < self.level < 1:
            raise DesignError(
                "quantiles need probabilities between 0 and 1, a known rule and a level",
                where=f"probabilities={self.probabilities}, rule={self.rule!r}, level={self.level}",
                remedy=f"give probabilities such as (0.5,); rules are {', '.join(get_args(QuantileRule))}",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the quantiles; by default with :class:`~juntos_eval.inference.robust.Robust` ``HC1``.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed.
        inference : Inference, optional
        carry : tuple of str
            Groupings to keep for another inference later, which then works on influence.

        Returns
        -------
        Estimate
            Terms ``quantile p``, with Woodruff's intervals at ``level``.

        Raises
        ------
        DesignError
            For columns or weights that cannot be used, or where no complete row is left.
        """
        inference = inference or Robust()
        groups = (*groups_to_carry(inference, carry), *((self.by,) if self.by else ()))
        chosen = select(data, numeric=(self.outcome,), weights=self.weights, carry=groups)
        domains = domain_of(chosen, self.by)
        found = _found(self, chosen, domains)
        uncertainty = _woodruff(self, inference.infer(found.shares), found)
        terms = [f"quantile {p:g}" for p in self.probabilities]
        return Estimate(
            spec={"estimator": "Quantile", **asdict(self)},
            keys=domain_keys(terms, domains, self.by),
            values=found.values,
            uncertainty=uncertainty,
            sample=sample_of(chosen),
            checks=_checks(uncertainty),
            details={"rows": found.rows.tolist(), "densities": found.densities.tolist()},
            fit=Fit(
                values=found.values,
                influence=domain_influence(found.influence, domains),
                parameters=domains.count,
                groups=chosen.groups,
            ),
            inference=inference,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    values: Floats
    densities: Floats
    rows: Floats
    shares: Fit  # of the rows at or below each quantile
    influence: Floats
    distributions: tuple[WeightedDistribution, ...]


def _found(choice: Quantile, chosen: Selection, domains: Groups) -> _Found:
    """Return quantiles, densities and the distribution function at the quantiles, domain by domain."""
    y, width = chosen.columns[choice.outcome], len(choice.probabilities)
    steps, influence = np.zeros((chosen.n, width)), np.zeros((chosen.n, width))
    values: list[Floats] = []
    shares: list[Floats] = []
    densities: list[Floats] = []
    distributions: list[WeightedDistribution] = []
    for rows in rows_by_domain(domains):
        weight = chosen.weights[rows]
        distribution = WeightedDistribution.of(y[rows], weight)
        quantiles = distribution.quantile(np.array(choice.probabilities), choice.rule)
        below = distribution.share_at_or_below(quantiles)
        density = _densities(distribution, below, weight, choice)
        gap = (y[rows, None] <= quantiles) - below
        steps[rows] = weight[:, None] * gap / weight.sum()
        influence[rows] = -steps[rows] / density
        for kept, new in ((values, quantiles), (shares, below), (densities, density)):
            kept.append(new)
        distributions.append(distribution)
    counts = np.bincount(domains.codes, minlength=domains.count)
    return _Found(
        values=np.concatenate(values),
        densities=np.concatenate(densities),
        rows=counts.repeat(width).astype(np.float64),
        shares=Fit(
            values=np.concatenate(shares),
            influence=domain_influence(steps, domains),
            parameters=domains.count,
            groups=chosen.groups,
        ),
        influence=influence,
        distributions=tuple(distributions),
    )


def _densities(distribution: WeightedDistribution, below: Floats, weight: Floats, choice: Quantile) -> Floats:
    effective = weight.sum() ** 2 / (weight**2).sum()
    half = normal_quantile(0.975) * np.sqrt(below * (1 - below) / effective)
    # at an edge of the distribution the slope is taken on the side that there is
    low, high = np.clip(below - half, 1e-9, 1.0), np.clip(below + half, 1e-9, 1.0)
    width = distribution.quantile(high, choice.rule) - distribution.quantile(low, choice.rule)
    return np.asarray(
        np.divide(high - low, width, out=np.full(len(below), np.nan), where=(width > 0) & (high > low))
    )


def _woodruff(choice: Quantile, drawn: Uncertainty, found: _Found) -> Uncertainty:
    ends = interval_of_proportion(
        found.shares.values,
        drawn.std_error,
        df=drawn.df,
        rows=found.rows,
        method=choice.interval,
        level=choice.level,
    )
    width = len(choice.probabilities)
    limits = np.full(ends.shape, np.nan)
    for one, distribution in enumerate(found.distributions):
        block = slice(one * width, (one + 1) * width)
        limits[block] = distribution.quantile(ends[block], choice.rule)
    t = float(t_quantile(0.5 + choice.level / 2, drawn.df))
    error = (limits[:, 1] - limits[:, 0]) / (2 * t)
    spread = drawn.std_error
    scale = np.divide(error, spread, out=np.full(len(error), np.nan), where=spread > 0)
    return Uncertainty(
        method=f"{drawn.method}; Woodruff intervals ({choice.interval})",
        # a larger share below is a smaller quantile, for both of a pair: the sign of the covariance stays
        covariance=drawn.covariance * np.outer(scale, scale),
        df=drawn.df,
        intervals=limits,
        intervals_level=choice.level,
    )


def _checks(uncertainty: Uncertainty) -> tuple[Check, ...]:
    unknown = int(np.isnan(uncertainty.std_error).sum())
    if not unknown:
        return ()
    count = len(uncertainty.covariance)
    detail = f"{unknown} of {count} intervals reach beyond the sample's smallest or largest value"
    return (Check("Woodruff intervals inside the sample", False, detail),)
