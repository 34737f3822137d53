"""Bayesian pooling with a prior that is said, by integration instead of simulation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from scipy import optimize, stats

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Sample, Uncertainty
from juntos_eval.estimators.design import select

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["BayesianShrinkage"]

SpreadPrior = Literal["half_normal", "half_cauchy", "uniform"]
POINTS = 2001


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesianShrinkage:
    r"""The pooled effect and each study's own, drawn towards it as far as the data say.

    .. math:: y_i \sim N(\theta_i, s_i^2), \quad \theta_i \sim N(\mu, \tau^2), \quad \mu \sim N(m_0, s_0^2),
              \quad \tau \sim \pi

    Given :math:`\tau` everything is normal; :math:`\tau` is integrated out on a grid, so the posterior has no
    simulation error (Röver 2020).

    Parameters
    ----------
    outcome, std_error, study : str
        Columns of estimates, their standard errors, and labels.
    prior_mean, prior_sd : float
        Of :math:`\mu`; an infinite ``prior_sd`` is a flat prior.
    spread_prior : {"half_normal", "half_cauchy", "uniform"}
        Of :math:`\tau`, above zero.
    spread_scale : float
        Its scale, in the outcome's unit; the end of the uniform prior.
    level : float
        Of the intervals, which are equal-tailed.

    References
    ----------
    Gelman, A. (2006). Prior distributions for variance parameters in hierarchical models. *Bayesian
    Analysis*, 1(3), 515-534.
    Röver, C. (2020). Bayesian random-effects meta-analysis using the bayesmeta R package. *Journal of
    Statistical Software*, 93(6), section 2.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.synthesis import BayesianShrinkage
    >>> studies = pd.DataFrame({"study": ["a", "b", "c"], "effect": [0.0, 0.2, 0.7], "se": [0.1, 0.1, 0.3]})
    >>> model = BayesianShrinkage(outcome="effect", std_error="se", study="study", spread_scale=0.3)
    >>> found = model.fit(studies)
    >>> bool(0.2 < found.values[-1] < 0.7), found.keys["study"]
    (True, ('', '', 'a', 'b', 'c'))
    """

    outcome: str
    std_error: str
    study: str
    spread_scale: float
    spread_prior: SpreadPrior = "half_normal"
    prior_mean: float = 0.0
    prior_sd: float = float("inf")
    level: float = 0.95

    def __post_init__(self) -> None:
        is_known = self.spread_prior in get_args(SpreadPrior)
        is_usable = self.spread_scale > 0 and self.prior_sd > 0 and np.isfinite(self.prior_mean)
        if not is_known or not is_usable or not 0 < self.level < 1:
            raise DesignError(
                "a prior or a level is not one that there is",
                where=f"spread_prior={self.spread_prior!r}, spread_scale={self.spread_scale}, "
                f"prior_sd={self.prior_sd}, level={self.level}",
                remedy=f"choose one of {', '.join(get_args(SpreadPrior))} with positive scales",
            )

    def fit(self, data: DataFrame) -> Estimate:
        r"""Integrate the posterior.

        Parameters
        ----------
        data : pandas.DataFrame

        Returns
        -------
        Estimate
            Terms ``pooled`` (:math:`\mu`), ``spread`` (:math:`\tau`), ``study`` (:math:`\theta_i`, key
            ``study``): posterior means, covariance, equal-tailed intervals. ``details["shrinkage"]`` says how
            far each study was drawn towards the pooled effect; ``probability_positive`` is of each row.

        Raises
        ------
        DesignError
            For errors that are not positive or studies that stand twice.
        """
        chosen = select(data, numeric=(self.outcome, self.std_error), carry=(self.study,))
        effects, errors = chosen.columns[self.outcome], chosen.columns[self.std_error]
        groups = chosen.groups[self.study]
        if (errors <= 0).any() or groups.count < chosen.n:
            raise DesignError(
                "each study needs one estimate with a positive standard error",
                where=f"{chosen.n} rows, {groups.count} studies, "
                f"{int((errors <= 0).sum())} errors not positive",
                remedy="choose one estimate a study",
            )
        spread, mass = self._posterior_of_spread(effects, errors)
        parts = _given_spread(effects, errors, spread, self.prior_mean, self.prior_sd)
        labels = tuple(groups.levels[code] for code in groups.codes)
        values, covariance = _moments(spread, mass, *parts)
        intervals, positive = self._tails(spread, mass, parts)
        own = values[2:] - values[0]
        at_end = mass[-(POINTS // 100) :].sum()
        return Estimate(
            spec={"estimator": "BayesianShrinkage", **asdict(self)},
            keys={"term": ("pooled", "spread", *("study",) * chosen.n), "study": ("", "", *labels)},
            values=values,
            uncertainty=Uncertainty(
                method=f"posterior, mean ~ N({self.prior_mean:g}, {self.prior_sd:g}²), spread ~ "
                f"{self.spread_prior}({self.spread_scale:g})",
                covariance=covariance,
                df=np.inf,
                intervals=intervals,
                intervals_level=self.level,
            ),
            sample=Sample(rows=chosen.n, units=chosen.n, dropped=chosen.dropped),
            checks=(
                Check(
                    "prior of the spread",
                    bool(at_end < 1e-3),
                    f"{at_end:.2g} of the posterior lies in the last hundredth of the spreads looked at",
                ),
            ),
            details={
                "shrinkage": (1 - own / np.where(effects == values[0], np.nan, effects - values[0])).tolist(),
                "probability_positive": positive.tolist(),
            },
        )

    def _posterior_of_spread(self, effects: Floats, errors: Floats) -> tuple[Floats, Floats]:
        """Return grid points of the spread and the posterior mass at each."""
        scale = self.spread_scale
        end = (
            scale
            if self.spread_prior == "uniform"
            else max(8 * scale, 20 * float(np.std(effects) + errors.max()))
        )
        # finer near zero, where the spread of few studies lies
        grid = end * np.linspace(0.0, 1.0, POINTS) ** 2
        prior = {
            "half_normal": stats.halfnorm(scale=scale),
            "half_cauchy": stats.halfcauchy(scale=scale),
            "uniform": stats.uniform(scale=scale),
        }[self.spread_prior]
        variance = errors[None, :] ** 2 + grid[:, None] ** 2
        mean, mean_variance = _mean_given(effects, variance, self.prior_mean, self.prior_sd)
        log = (
            prior.logpdf(grid)
            + np.asarray(stats.norm.logpdf(effects[None, :], mean[:, None], np.sqrt(variance))).sum(axis=1)
            + 0.5 * np.log(mean_variance)
        )
        if np.isfinite(self.prior_sd):
            log += stats.norm.logpdf(mean, self.prior_mean, self.prior_sd)
        density = np.exp(log - log.max())
        widths = np.gradient(grid)
        widths[[0, -1]] /= 2
        mass = density * widths
        return grid, mass / mass.sum()

    def _tails(
        self, spread: Floats, mass: Floats, parts: tuple[Floats, Floats, tuple[Floats, Floats], Floats]
    ) -> tuple[Floats, Floats]:
        mean, mean_variance, shares, own_variance = parts
        centre = np.column_stack([mean, mean[:, None] + shares[0]])
        width = np.sqrt(
            np.column_stack([mean_variance, own_variance + (shares[1] ** 2) * mean_variance[:, None]])
        )
        tails = ((1 - self.level) / 2, (1 + self.level) / 2)
        rows = [
            [_mixture_quantile(mass, centre[:, j], width[:, j], q) for q in tails]
            for j in range(centre.shape[1])
        ]
        cumulated = np.cumsum(mass)
        of_spread = [float(np.interp(q, cumulated, spread)) for q in tails]
        positive = mass @ np.asarray(stats.norm.sf(0.0, centre, np.maximum(width, 1e-300)))
        return np.array([rows[0], of_spread, *rows[1:]]), np.concatenate([[positive[0], 1.0], positive[1:]])


def _mean_given(
    effects: Floats, variance: Floats, prior_mean: float, prior_sd: float
) -> tuple[Floats, Floats]:
    precision = 1.0 / variance
    prior_precision = prior_sd**-2.0
    total = precision.sum(axis=1) + prior_precision
    return (precision @ effects + prior_precision * prior_mean) / total, 1.0 / total


def _given_spread(
    effects: Floats, errors: Floats, spread: Floats, prior_mean: float, prior_sd: float
) -> tuple[Floats, Floats, tuple[Floats, Floats], Floats]:
    r"""Return, at each spread, mean and variance of mu, and how each study's effect hangs on mu.

    :math:`\theta_i \mid \mu, \tau = b_i y_i + (1 - b_i)\mu`, :math:`b_i = \tau^2/(\tau^2 + s_i^2)`, with
    variance :math:`b_i s_i^2`.
    """
    variance = errors[None, :] ** 2 + spread[:, None] ** 2
    mean, mean_variance = _mean_given(effects, variance, prior_mean, prior_sd)
    kept = spread[:, None] ** 2 / variance
    away = kept * (effects[None, :] - mean[:, None])
    return mean, mean_variance, (away, 1.0 - kept), kept * errors[None, :] ** 2


def _moments(
    spread: Floats,
    mass: Floats,
    mean: Floats,
    mean_variance: Floats,
    shares: tuple[Floats, Floats],
    own_variance: Floats,
) -> tuple[Floats, Floats]:
    """Return means and covariance of pooled effect, spread and studies, within and between grid points."""
    centre = np.column_stack([mean, spread, mean[:, None] + shares[0]])
    values = mass @ centre
    away = centre - values
    covariance = (away * mass[:, None]).T @ away
    slopes = np.column_stack([np.ones(len(mean)), np.zeros(len(mean)), shares[1]])
    covariance += (slopes * (mass * mean_variance)[:, None]).T @ slopes
    covariance[np.arange(2, len(values)), np.arange(2, len(values))] += mass @ own_variance
    return values, covariance


def _mixture_quantile(mass: Floats, centre: Floats, width: Floats, share: float) -> float:
    has_width = np.maximum(width, 1e-12)
    low, high = float((centre - 10 * has_width).min()), float((centre + 10 * has_width).max())
    return float(
        optimize.brentq(lambda x: float(mass @ stats.norm.cdf(x, centre, has_width)) - share, low, high)
    )
