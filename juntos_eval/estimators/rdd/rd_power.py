r"""Power, minimum detectable effect and sample size of a discontinuity, from data or from moments."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate

__all__ = ["DiscontinuityPower"]

_ROBUST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscontinuityPower:
    r"""What a two-sided robust test of a discontinuity would find.

    With the robust standard error s at the bandwidths of a fit, and :math:`z = \Phi^{-1}(1 - \alpha/2)`,

    .. math:: \text{power}(\tau) = 1 - \Phi(\tau/s + z) + \Phi(\tau/s - z).

    Bandwidths are held: with m times the rows the variance is s²/m.

    Parameters
    ----------
    std_error : float
        Robust standard error of the effect.
    rows : int
        Rows within the main bandwidths that it was had with.
    right_share : float
        Share of them at or right of the cutoff; sample sizes are split by it.
    alpha : float
        Size of the test.

    Raises
    ------
    DesignError
        For numbers that make no sense.

    References
    ----------
    Cattaneo, M. D., Titiunik, R. & Vazquez-Bare, G. (2019). Power calculations for regression-discontinuity
    designs. *Stata Journal* 19(1), 210-245.

    Examples
    --------
    >>> from juntos_eval.estimators.rdd import DiscontinuityPower
    >>> plan = DiscontinuityPower(std_error=0.1, rows=400, right_share=0.5)
    >>> round(plan.minimum_detectable(0.8), 4), plan.rows_needed(0.28016, 0.8)
    (0.2802, (200, 200))
    """

    std_error: float
    rows: int
    right_share: float = 0.5
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if not (isfinite(self.std_error) and self.std_error > 0 and self.rows > 0):
            raise DesignError(
                "a plan needs a positive standard error and number of rows",
                where=f"std_error={self.std_error!r}, rows={self.rows!r}",
            )
        if not (0 < self.right_share < 1 and 0 < self.alpha < 1):
            raise DesignError(
                "shares and sizes of tests lie between 0 and 1",
                where=f"right_share={self.right_share!r}, alpha={self.alpha!r}",
            )

    @staticmethod
    def of(estimate: Estimate, alpha: float = 0.05) -> DiscontinuityPower:
        """Take the moments from a fitted :class:`RegressionDiscontinuity`.

        Raises
        ------
        DesignError
            For an estimate of something else.
        """
        if estimate.spec.get("estimator") != "RegressionDiscontinuity":
            raise DesignError(
                "power is planned from a RegressionDiscontinuity",
                where=f"estimator {estimate.spec.get('estimator')}",
            )
        left, right = (int(estimate.details[name]) for name in ("n_left", "n_right"))
        return DiscontinuityPower(
            std_error=float(estimate.uncertainty.std_error[_ROBUST]),
            rows=left + right,
            right_share=right / (left + right),
            alpha=alpha,
        )

    @staticmethod
    def from_moments(
        variances: tuple[float, float], rows: tuple[int, int], alpha: float = 0.05
    ) -> DiscontinuityPower:
        """Take the robust variance and rows within the bandwidth of either side."""
        total = sum(rows)
        if total <= 0 or min(rows) <= 0 or min(variances) < 0:
            raise DesignError(
                "moments are variances and numbers of rows, left and right",
                where=f"variances={variances!r}, rows={rows!r}",
            )
        error = float(np.sqrt(sum(variances)))
        return DiscontinuityPower(std_error=error, rows=total, right_share=rows[1] / total, alpha=alpha)

    def power(self, effect: float) -> float:
        """Return the probability to reject no effect where it is this one."""
        return self._power(abs(effect) / self.std_error)

    def minimum_detectable(self, power: float = 0.8) -> float:
        """Return the smallest effect that is found with this probability."""
        return self._standardised(power) * self.std_error

    def rows_needed(self, effect: float, power: float = 0.8) -> tuple[int, int]:
        """Return the rows within the bandwidths, left and right, that find an effect with a probability."""
        if not (isfinite(effect) and effect != 0):
            raise DesignError("no number of rows finds an effect of zero", where=f"effect={effect!r}")
        # a whole number that rounding pushed up by a hair stays what it is
        needed = self.rows * (self.std_error * self._standardised(power) / effect) ** 2 - 1e-6
        left = ceil(needed * (1.0 - self.right_share))
        return left, ceil(needed * self.right_share)

    def _power(self, ratio: float) -> float:
        critical = float(norm.ppf(1.0 - self.alpha / 2.0))
        return float(norm.sf(ratio + critical) + norm.cdf(ratio - critical))

    def _standardised(self, power: float) -> float:
        if not self.alpha < power < 1:
            raise DesignError(
                "power lies between the size of the test and 1",
                where=f"power={power!r}, alpha={self.alpha:g}",
            )
        return float(brentq(lambda ratio: self._power(ratio) - power, 0.0, 50.0, xtol=1e-12))
