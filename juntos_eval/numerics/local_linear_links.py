r"""Links of local-linear regression on a line, ridged where few rows are near.

With :math:`u_{ij} = (v_j - x_i) / h`, kernel weights :math:`k_{ij} = K(u_{ij}) b_j` and their mean
:math:`\bar u_i`, base weights of mean :math:`\bar b`, the fit at target i is

.. math::
    \hat m_i = \bar y_i - \bar u_i \frac{\sum_j k_{ij} (u_{ij} - \bar u_i) y_j}
    {\sum_j k_{ij} (u_{ij} - \bar u_i)^2 + \rho \, r_K \bar b |\bar u_i|},
    \qquad r_K = \frac{K(0)}{4 \int K^2}

(Seifert & Gasser 2000): the line through the near rows, read at the target, drawn towards their mean where
they are few or lie on one side. With :math:`\rho = 0` it is the plain local-linear fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from juntos_eval.arrays import Codes, Floats, frozen
from juntos_eval.numerics.kernels import KernelLinks, kernel_at_zero, ridge_factor

__all__ = ["LocalLinearLinks", "local_linear_without_own"]

# near rows whose places differ by less than this part of a bandwidth stand at one place
ONE_PLACE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalLinearLinks:
    r"""Links whose strengths, times the base weights, are the weights of a local-linear fit.

    .. math::
        L_{ij} = K(u_{ij}) \{\alpha_i + \beta_i u_{ij}\}, \qquad \sum_j L_{ij} b_j = \sum_j K(u_{ij}) b_j

    Strengths may be negative, which is what takes the slope out. A target without rows near has none;
    without a ridge, neither has one whose near rows all stand at one place.

    Attributes
    ----------
    kernel_links : KernelLinks
    base : numpy.ndarray, shape (pool,)
        :math:`b_j`.
    ridge : float
        :math:`\rho`; 1 is Seifert and Gasser's rule, 0 none.

    References
    ----------
    Frölich, M. (2004). Finite-sample properties of propensity-score matching and weighting estimators.
    *Review of Economics and Statistics* 86(1), 77–90.

    Heckman, J. J., Ichimura, H. & Todd, P. (1998). Matching as an econometric evaluation estimator. *Review
    of Economic Studies* 65(2), 261–294.

    Seifert, B. & Gasser, T. (2000). Data adaptive ridging in local polynomial regression. *Journal of
    Computational and Graphical Statistics* 9(2), 338–360.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.kernels import KernelLinks
    >>> from juntos_eval.numerics.local_linear_links import LocalLinearLinks
    >>> zero = np.zeros(3, dtype=np.int64)
    >>> near = KernelLinks(target_values=[0.0], pool_values=[-0.2, 0.4, 0.6], target_blocks=zero[:1],
    ...                    pool_blocks=zero, bandwidth=1.0, kernel="epanechnikov")
    >>> links = LocalLinearLinks(kernel_links=near, base=np.ones(3), ridge=0.0)
    >>> sums = links.gather(np.array([[1.0, 0.8], [1.0, 1.4], [1.0, 1.6]]))
    >>> (sums[0, 1] / sums[0, 0]).round(12).tolist()
    1.0
    """

    kernel_links: KernelLinks
    base: Floats
    ridge: float
    level: Floats = field(init=False)
    slope: Floats = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", frozen(self.base))
        sums = [self.kernel_links.gather(self.base[:, None], degree=degree)[:, 0] for degree in (0, 1, 2)]
        level, slope = _coefficients(*sums, ridge=_ridges(self.kernel_links, self.base, self.ridge))
        object.__setattr__(self, "level", frozen(level))
        object.__setattr__(self, "slope", frozen(slope))

    @property
    def targets(self) -> int:
        """Number of targets m."""
        return self.kernel_links.targets

    @property
    def pool(self) -> int:
        """Number of rows in the pool."""
        return self.kernel_links.pool

    @property
    def counts(self) -> Codes:
        """Pool rows of the target's block within the kernel's support."""
        return self.kernel_links.counts

    @property
    def bandwidth(self) -> float:
        """h, in units of the values."""
        return self.kernel_links.bandwidth

    @property
    def kernel(self) -> str:
        """Name of the kernel."""
        return self.kernel_links.kernel

    def gather(self, values: Floats) -> Floats:
        """Sum values (pool, c) by strength of link, (m, c)."""
        flat = self.kernel_links.gather(values) * self.level[:, None]
        return flat + self.kernel_links.gather(values, degree=1) * self.slope[:, None]

    def scatter(self, weights: Floats) -> Floats:
        """Sum, for each pool row, the weights of the targets by strength of link."""
        flat = self.kernel_links.scatter(weights * self.level)
        return flat + self.kernel_links.scatter(weights * self.slope, degree=1)

    def scatter_squared(self, weights: Floats) -> Floats:
        """Sum, for each pool row, the weights of the targets by squared strength of link."""
        parts = (self.level**2, 2.0 * self.level * self.slope, self.slope**2)
        found = np.zeros(self.pool)
        for degree, part in enumerate(parts):
            found += self.kernel_links.scatter_squared(weights * part, degree=degree)
        return found


def local_linear_without_own(links: KernelLinks, values: Floats, base: Floats, ridge: float) -> Floats:
    r"""Return the local-linear fit at each pool row without that row, NaN where none is near.

    Parameters
    ----------
    links : KernelLinks
        From the pool to itself.
    values, base : numpy.ndarray, shape (pool,)
    ridge : float
        As in :class:`LocalLinearLinks`.

    Returns
    -------
    numpy.ndarray, shape (pool,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.kernels import KernelLinks
    >>> from juntos_eval.numerics.local_linear_links import local_linear_without_own
    >>> place, zero = np.array([0.0, 0.1, 0.3, 0.4]), np.zeros(4, dtype=np.int64)
    >>> own = KernelLinks(target_values=place, pool_values=place, target_blocks=zero, pool_blocks=zero,
    ...                   bandwidth=1.0, kernel="uniform")
    >>> local_linear_without_own(own, 1.0 + 2.0 * place, np.ones(4), 0.0).round(12).tolist()
    [1.0, 1.2, 1.6, 1.8]
    """
    centre = values.mean()
    columns = np.column_stack([base, base * (values - centre)])
    moments = [links.gather(columns, degree=degree) for degree in (0, 1)]
    second = links.gather(base[:, None], degree=2)[:, 0]
    # a row is at no distance from itself: only the sums of degree 0 hold it
    own = kernel_at_zero(links.kernel) * columns
    others = moments[0] - own
    mass = np.where(others[:, 0] > 1e-9 * own[:, 0], others[:, 0], 0.0)
    level, slope = _coefficients(mass, moments[1][:, 0], second, ridge=_ridges(links, base, ridge))
    is_fitted = (level != 0) | (slope != 0)
    rise = level * others[:, 1] + slope * moments[1][:, 1]
    fit = np.divide(rise, mass, out=np.full(len(mass), np.nan), where=is_fitted)
    return np.asarray(fit + centre)


def _ridges(links: KernelLinks, base: Floats, ridge: float) -> Floats:
    """Return each target's ridge, in the units that its strengths and the base weights have."""
    return np.asarray(ridge * ridge_factor(links.kernel) * float(base.mean()) * links.excess())


def _coefficients(mass: Floats, first: Floats, second: Floats, *, ridge: Floats) -> tuple[Floats, Floats]:
    """Return what a near row counts at the target and how that moves with its place, from kernel moments."""
    is_near = mass > 0
    safe = np.where(is_near, mass, 1.0)
    mean = np.where(is_near, first / safe, 0.0)
    spread = np.maximum(second - mean * first, 0.0)
    denominator = spread + np.where(mean != 0, ridge * np.abs(mean), 0.0)
    has_slope = is_near & (spread > ONE_PLACE**2 * mass) & np.isfinite(denominator)
    slope = np.divide(-mean * mass, denominator, out=np.zeros(len(mass)), where=has_slope)
    # a target amid rows of one place is read there; without a ridge it has no line to be read off
    is_fitted = is_near & ((ridge > 0) | has_slope | (np.abs(mean) <= ONE_PLACE))
    level = np.where(is_fitted, 1.0 - slope * mean, 0.0)
    return level, np.where(is_fitted, slope, 0.0)
