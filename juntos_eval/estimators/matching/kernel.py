r"""Kernel and local-linear matching: every row of the other arm near a target has a part in its match."""

from __future__ import annotations

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimators.matching.distance import Places
from juntos_eval.numerics.kernels import KernelLinks, kernel_at_zero
from juntos_eval.numerics.local_linear_links import local_linear_without_own

__all__ = ["cross_validated_bandwidth", "leave_one_out", "link_kernel"]

# bandwidths tried, from and to, in standard deviations of the distance
NARROWEST, WIDEST, TRIED = 0.02, 4.0, 24


def link_kernel(places: Places, targets: Codes, pool: Codes, kernel: str, bandwidth: float) -> KernelLinks:
    """Link targets to the pool rows within the kernel's reach, on a line.

    Parameters
    ----------
    places : Places
    targets, pool : numpy.ndarray of int64
        Rows.
    kernel : str
    bandwidth : float
        In units of the places.

    Returns
    -------
    KernelLinks

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.distance import on_a_line
    >>> from juntos_eval.estimators.matching.kernel import link_kernel
    >>> places = on_a_line(np.array([0.0, 0.1, 5.0]), np.zeros(3, dtype=np.int64), "score")
    >>> link_kernel(places, np.array([0]), np.array([1, 2]), "uniform", 0.5).counts.tolist()
    [1]
    """
    return KernelLinks(
        target_values=places.line[targets],
        pool_values=places.line[pool],
        target_blocks=places.blocks[targets],
        pool_blocks=places.blocks[pool],
        bandwidth=bandwidth,
        kernel=kernel,
    )


def leave_one_out(links: KernelLinks, values: Floats, base: Floats, *, ridge: float | None = None) -> Floats:
    r"""Return the kernel regression of pool values at each pool row without that row, NaN where none is near.

    .. math:: \hat m_{-j} = \frac{\sum_{k \ne j} K_{jk} b_k y_k}{\sum_{k \ne j} K_{jk} b_k}

    or the local-linear fit to the same rows.

    Parameters
    ----------
    links : KernelLinks
        From the pool to itself.
    values, base : numpy.ndarray, shape (pool,)
    ridge : float, optional
        Of the local-linear fit; None is the kernel's mean.

    Returns
    -------
    numpy.ndarray, shape (pool,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.distance import on_a_line
    >>> from juntos_eval.estimators.matching.kernel import leave_one_out, link_kernel
    >>> places = on_a_line(np.array([0.0, 0.1, 5.0]), np.zeros(3, dtype=np.int64), "score")
    >>> links = link_kernel(places, np.arange(3), np.arange(3), "epanechnikov", 1.0)
    >>> leave_one_out(links, np.array([1.0, 2.0, 3.0]), np.ones(3))[:2].tolist()
    [2.0, 1.0]
    """
    if ridge is not None:
        return local_linear_without_own(links, values, base, ridge)
    sums = links.gather(np.column_stack([base * (values - values.mean()), base]))
    own = kernel_at_zero(links.kernel) * base
    others = sums[:, 1] - own
    is_near = others > 1e-9 * own
    means = np.full(len(values), np.nan)
    np.divide(sums[:, 0] - own * (values - values.mean()), others, out=means, where=is_near)
    return np.asarray(means + values.mean())


def cross_validated_bandwidth(
    places: Places,
    pool: Codes,
    outcome: Floats,
    weights: Floats,
    kernel: str,
    *,
    ridge: float | None = None,
) -> float:
    r"""Choose the bandwidth that best predicts each untreated outcome from the others.

    .. math:: \hat h = \arg\min_h \sum_j w_j \{y_j - \hat m_{-j}(h)\}^2

    over a geometric grid, then refined between the neighbours of its best. A row with nobody near is
    predicted by the mean of all, so that narrow bandwidths pay for it.

    Parameters
    ----------
    places : Places
        On a line.
    pool : numpy.ndarray of int64
        Rows of the arm that is drawn on.
    outcome, weights : numpy.ndarray, shape (pool,)
    kernel : str
    ridge : float, optional
        Of a local-linear fit; None is the kernel's mean.

    Returns
    -------
    float

    Raises
    ------
    DesignError
        If the outcome does not vary in the pool.

    References
    ----------
    Galdo, J., Smith, J. & Black, D. (2008). Bandwidth selection and the estimation of treatment effects with
    unbalanced data. *Annals of Economics and Statistics* 91/92, 189–216.
    """
    if np.ptp(outcome) == 0:
        raise DesignError(
            "a bandwidth cannot be chosen by cross-validation where the outcome does not vary",
            where=f"{len(pool)} rows of the comparison arm at {outcome[0]:g}",
            remedy="give the bandwidth as a number",
        )
    grid = np.geomspace(NARROWEST, WIDEST, TRIED) * places.unit

    def error(bandwidth: float) -> float:
        links = link_kernel(places, pool, pool, kernel, bandwidth)
        return _prediction_error(links, outcome, weights, ridge)

    errors = [error(bandwidth) for bandwidth in grid]
    best = int(np.argmin(errors))
    fine = np.geomspace(grid[max(best - 1, 0)], grid[min(best + 1, TRIED - 1)], 9)
    errors += [error(bandwidth) for bandwidth in fine]
    tried = np.concatenate([grid, fine])
    return float(tried[int(np.argmin(errors))])


def _prediction_error(links: KernelLinks, outcome: Floats, weights: Floats, ridge: float | None) -> float:
    predicted = leave_one_out(links, outcome, np.ones(len(outcome)), ridge=ridge)
    predicted = np.where(np.isnan(predicted), np.average(outcome, weights=weights), predicted)
    return float(np.average((outcome - predicted) ** 2, weights=weights))
