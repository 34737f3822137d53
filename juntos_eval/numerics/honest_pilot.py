r"""What honest intervals need to know first: error variances near a cutoff, and a rule of thumb for M.

Variances are those of the residuals of a local linear fit, triangular kernel, at the bandwidth of Imbens &
Kalyanaraman (2012). The rule of thumb takes the largest second derivative of a quartic fitted to each whole
side (Armstrong & Kolesár 2020, section 4.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Floats, grouped_sums
from juntos_eval.errors import DesignError
from juntos_eval.numerics.local_polynomial import Side, local_fit

__all__ = ["Pilot", "first_bandwidth", "pilot_of", "rule_of_thumb"]

# the constant of the triangular kernel (Imbens & Kalyanaraman 2012, equation 17)
_TRIANGULAR = 3.4375
_QUARTIC = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pilot:
    """Preliminary fits.

    Attributes
    ----------
    bandwidth : float
    jumps : numpy.ndarray, shape (m,)
        Of the dependent columns.
    variances : numpy.ndarray, shape (2, m, m)
        Mean products of residuals, left and right.
    within : numpy.ndarray, shape (m, m)
        Mean products of residuals of different rows of a cluster; zero without clusters.
    """

    bandwidth: float
    jumps: Floats
    variances: Floats
    within: Floats


def first_bandwidth(sides: tuple[Side, Side], outcomes: tuple[Floats, Floats]) -> float:
    """Return the bandwidth of Imbens & Kalyanaraman (2012, section 4.2), triangular kernel.

    Parameters
    ----------
    sides : tuple of Side
    outcomes : tuple of numpy.ndarray
        On the rows of each side.

    Returns
    -------
    float
    """
    running = np.concatenate([side.sign * side.distance for side in sides])
    n = len(running)
    narrow = 1.84 * float(np.std(running, ddof=1)) * n**-0.2
    counts = [int(np.searchsorted(side.distance, narrow, side="right")) for side in sides]
    density = sum(counts) / (2.0 * n * narrow)
    if min(counts) < 2 or density <= 0:
        return float(max(side.distance[-1] for side in sides))
    spread = [float(np.var(y[:count], ddof=1)) for y, count in zip(outcomes, counts, strict=True)]
    if min(spread) <= 0:
        return float(max(side.distance[-1] for side in sides))
    third = 6.0 * _cubic(sides, outcomes)
    curved, noise = [], []
    for side, outcome, variance in zip(sides, outcomes, spread, strict=True):
        reach = side.distance[-1]
        if third != 0:
            reach = (7200.0 * variance / (density * third**2 * side.n)) ** (1.0 / 7.0)
        count = max(int(np.searchsorted(side.distance, reach, side="right")), min(side.n, 4))
        scaled = side.distance[:count] / side.distance[count - 1]
        fitted = np.polynomial.polynomial.polyfit(scaled, outcome[:count], 2)
        curved.append(2.0 * float(fitted[2]) / float(side.distance[count - 1]) ** 2)
        noise.append(2160.0 * variance / (count * reach**4))
    loss = density * ((curved[1] - curved[0]) ** 2 + sum(noise))
    whole = float(max(side.distance[-1] for side in sides))
    if not loss > 0:
        return whole
    return min(float(_TRIANGULAR * (sum(spread) / loss) ** 0.2 * n**-0.2), whole)


def _cubic(sides: tuple[Side, Side], outcomes: tuple[Floats, Floats]) -> float:
    """Return the cubic coefficient of one polynomial for both sides, with a jump."""
    unit = float(max(side.distance[-1] for side in sides))
    running = np.concatenate([side.sign * side.distance for side in sides]) / unit
    jump = np.repeat([0.0, 1.0], [side.n for side in sides])
    design = np.column_stack([np.vander(running, 4, increasing=True), jump])
    solved = np.linalg.lstsq(design, np.concatenate(outcomes), rcond=None)[0]
    return float(solved[3]) / unit**3


def pilot_of(sides: tuple[Side, Side], dependent: int, outcomes: tuple[Floats, Floats]) -> Pilot:
    """Fit both sides at the first bandwidth.

    Parameters
    ----------
    sides : tuple of Side
    dependent : int
        Outcome alone, or outcome and treatment.
    outcomes : tuple of numpy.ndarray, shape (dependent, n)
        The dependent columns on each side, covariates taken out.

    Returns
    -------
    Pilot
    """
    bandwidth = first_bandwidth(sides, (outcomes[0][0], outcomes[1][0]))
    # a line through two points has no residual
    bandwidth = max(bandwidth, *(_reach(side, 4) for side in sides))
    jumps, variances = np.zeros(dependent), []
    residuals, clusters = [], []
    for side, columns in zip(sides, outcomes, strict=True):
        fit = local_fit(side, bandwidth, 1, "triangular")
        inside = columns[:, : fit.n]
        jumps += side.sign * fit.coefficients(inside)[0]
        residual = np.array([row - fit.fitted(row) for row in inside])
        variances.append(residual @ residual.T / fit.n)
        residuals.append(residual)
        if side.clusters is not None:
            clusters.append(side.clusters[: fit.n])
    within = np.zeros((dependent, dependent))
    if clusters:
        within = _within(np.hstack(residuals), np.concatenate(clusters))
    return Pilot(bandwidth=bandwidth, jumps=jumps, variances=np.asarray(variances), within=within)


def _within(residuals: Floats, clusters: np.ndarray) -> Floats:
    """Return mean products of residuals of different rows of the same cluster."""
    groups = int(clusters.max()) + 1
    totals = grouped_sums(residuals.T, clusters, groups)
    sizes = np.bincount(clusters, minlength=groups).astype(np.float64)
    pairs = float(np.sum(sizes * (sizes - 1.0)))
    if pairs == 0:
        return np.zeros((len(residuals),) * 2)
    return np.asarray((totals.T @ totals - residuals @ residuals.T) / pairs)


def _reach(side: Side, distinct: int) -> float:
    """Return a bandwidth within which so many distinct values have weight."""
    starts = np.flatnonzero(np.r_[True, side.distance[1:] != side.distance[:-1]])
    if len(starts) < distinct:
        return float(side.distance[-1]) * (1.0 + 1e-6)
    return float(side.distance[starts[distinct - 1]]) * (1.0 + 1e-6)


def rule_of_thumb(side: Side, outcome: Floats) -> float:
    """Return the largest absolute second derivative of a quartic fitted to a side.

    Parameters
    ----------
    side : Side
    outcome : numpy.ndarray, shape (n,)

    Returns
    -------
    float

    Raises
    ------
    DesignError
        Where a side has too few distinct values for a quartic.
    """
    if side.unique <= _QUARTIC:
        raise DesignError(
            "the rule of thumb for the bound fits a quartic, for which a side has too few distinct values",
            where=f"{'right' if side.sign > 0 else 'left'} of the cutoff: {side.unique} distinct values",
            remedy="give the bound on the second derivative by bound=",
        )
    unit = float(side.distance[-1])
    scaled = side.distance / unit
    root = np.sqrt(side.weights)
    design = np.vander(scaled, _QUARTIC + 1, increasing=True) * root[:, None]
    quartic = np.polynomial.Polynomial(np.linalg.lstsq(design, outcome * root, rcond=None)[0])
    second = quartic.deriv(2)
    turn = second.deriv(1).roots()
    turn = turn.real[(np.abs(turn.imag) < 1e-12) & (turn.real > scaled[0]) & (turn.real < 1.0)]
    places = np.concatenate([[scaled[0], 1.0], turn])
    return float(np.abs(second(places)).max()) / unit**2
