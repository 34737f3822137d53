"""Confidence sets for an effect when trends may differ by no more than a restriction allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import null_space
from scipy.special import ndtri

from juntos_eval.arrays import Bools, Floats
from juntos_eval.estimators.did.event_study_vector import EventVector
from juntos_eval.estimators.did.trend_restrictions import Polyhedron, polyhedra, second_differences
from juntos_eval.estimators.did.trend_restrictions import TrendRestriction as Restriction
from juntos_eval.numerics.fixed_length import BiasedEstimate, shortest_interval
from juntos_eval.numerics.moment_inequalities import (
    Inequalities,
    Truncation,
    conditional_test,
    least_favourable_value,
)

__all__ = ["FixedLength", "SetSearch", "Target", "accepted", "fixed_length", "search_set"]

Accepts = Callable[[Floats], Bools]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSearch:
    """How confidence sets are computed.

    Attributes
    ----------
    level : float
        Coverage.
    grid : tuple of float, optional
        Values of the effect to test; by default a fine grid that grows until it holds the set, whose ends
        are then refined to less than a thousandth of a standard error.
    draws : int
        Normal draws for the critical value of the hybrid's first stage.
    seed : int
    first_stage : float
        Share of 1 - level that the hybrid spends on its first stage.

    Examples
    --------
    >>> from juntos_eval.estimators.did.honest_sets import SetSearch
    >>> SetSearch().level
    0.95
    """

    level: float = 0.95
    grid: tuple[float, ...] | None = None
    draws: int = 10_000
    seed: int = 0
    first_stage: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """Whose set is asked for: effects, weights on those after the reference, and what trends may do.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.event_study_vector import event_vector
    >>> from juntos_eval.estimators.did.honest_sets import Target
    >>> from juntos_eval.estimators.did.trend_restrictions import TrendRestriction
    >>> effects = event_vector((np.array([0.1, 1.0]), np.eye(2), (-2, 0)))
    >>> Target(effects=effects, weights=np.ones(1), restriction=TrendRestriction(), m=1.0).plain
    (1.0, 1.0)
    """

    effects: EventVector
    weights: Floats
    restriction: Restriction
    m: float

    @property
    def plain(self) -> tuple[float, float]:
        """The weighted effect and its standard error, with trends taken as parallel."""
        before = self.effects.before
        covariance = self.effects.covariance[before:, before:]
        spread = float(np.sqrt(self.weights @ covariance @ self.weights))
        return float(self.weights @ self.effects.values[before:]), spread

    @property
    def sets(self) -> tuple[Polyhedron, ...]:
        """Polyhedra whose union is the restriction."""
        return polyhedra(self.restriction, self.m, self.effects.before, self.effects.after)


@dataclass(frozen=True, slots=True)
class FixedLength:
    """An affine estimate of an effect under smoothness: weights on all effects, centre, half-length.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.honest_sets import FixedLength
    >>> FixedLength(np.array([-1.0, 1.0]), 0.5, 0.2).half_length
    0.2
    """

    weights: Floats
    centre: float
    half_length: float


def fixed_length(target: Target, level: float) -> FixedLength:
    r"""Return the shortest interval of fixed length under smoothness.

    The estimate :math:`l'\hat\beta_{post} + v'\hat\beta_{pre}` is off by weights times the changes of slope,
    and by a multiple of the slope itself, which v takes away; with changes up to M its largest bias is M
    times the absolute weights.

    Parameters
    ----------
    target : Target
    level : float

    Returns
    -------
    FixedLength

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.event_study_vector import event_vector
    >>> from juntos_eval.estimators.did.honest_sets import Target, fixed_length
    >>> from juntos_eval.estimators.did.trend_restrictions import TrendRestriction
    >>> effects = event_vector((np.array([-0.5, 1.0]), np.eye(2), (-2, 0)))
    >>> smooth = Target(effects=effects, weights=np.ones(1), restriction=TrendRestriction(kind="smoothness"),
    ...                 m=0.0)
    >>> round(fixed_length(smooth, 0.95).centre, 6)
    0.5
    """
    effects, before = target.effects, target.effects.before
    changes = second_differences(before, effects.after)
    # differences in trends from the last slope before the reference and the changes of slope
    slope = np.zeros(before + effects.after)
    slope[before - 1] = -1.0
    from_changes = np.linalg.inv(np.vstack([slope[None, :], changes]))
    late = target.weights @ from_changes[before:]
    # v' = [-late slope, w'] back, where w are the weights on changes before the reference
    back = np.linalg.inv(from_changes[:before, :before]).T
    fixed, free = back @ np.append(-late[0], np.zeros(before - 1)), back[:, 1:]
    base = np.append(fixed, target.weights)
    covariance = effects.covariance
    problem = BiasedEstimate(
        quadratic=free.T @ covariance[:before, :before] @ free,
        linear=free.T @ (covariance[:before] @ base),
        constant=float(base @ covariance @ base),
        fixed_bias=float(np.abs(late[before:]).sum()),
        bound=target.m,
    )
    chosen, half_length = shortest_interval(problem, level)
    weights = base + np.append(free @ chosen, np.zeros(effects.after))
    return FixedLength(weights, float(weights @ effects.values), half_length)


def accepted(target: Target, method: str, search: SetSearch) -> Accepts:
    """Return the test of values of the effect: whether the restriction does not rule each out.

    Parameters
    ----------
    target : Target
    method : {"conditional", "hybrid", "hybrid_fixed_length"}
    search : SetSearch

    Returns
    -------
    callable
        From values (r,) to bool (r,).

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.event_study_vector import event_vector
    >>> from juntos_eval.estimators.did.honest_sets import SetSearch, Target, accepted
    >>> from juntos_eval.estimators.did.trend_restrictions import TrendRestriction
    >>> effects = event_vector((np.array([0.1, 1.0]), 0.01 * np.eye(2), (-2, 0)))
    >>> small = Target(effects=effects, weights=np.ones(1), restriction=TrendRestriction(), m=0.5)
    >>> accepted(small, "conditional", SetSearch())(np.array([-5.0, 1.0, 5.0])).tolist()
    [False, True, False]
    """
    size = 1 - search.level
    if method == "hybrid_fixed_length":
        first = fixed_length(target, 1 - search.first_stage * size)
        tests = [_one_set(target, one, search, method, first) for one in target.sets]
    else:
        tests = [_one_set(target, one, search, method, None) for one in target.sets]

    def is_accepted(values: Floats) -> Bools:
        found = np.zeros(len(values), dtype=bool)
        for test in tests:
            left = np.flatnonzero(~found)
            if len(left):
                found[left] = test(values[left])
        return found

    return is_accepted


def _one_set(
    target: Target, one: Polyhedron, search: SetSearch, method: str, first: FixedLength | None
) -> Accepts:
    effects, before = target.effects, target.effects.before
    rows = np.arange(len(one.matrix))
    if effects.after > 1:
        # moments of periods before alone say nothing about the effect, and cost power
        rows = np.flatnonzero(np.abs(one.matrix[:, before:]).max(axis=1) > 1e-12)
    matrix, limits = one.matrix[rows], one.limits[rows]
    scale = np.sqrt(np.einsum("ij,jk,ik->i", matrix, effects.covariance, matrix))
    matrix, limits = matrix / scale[:, None], limits / scale
    later = matrix[:, before:]
    slope = later @ target.weights / (target.weights @ target.weights)
    inequalities = Inequalities.of(
        matrix @ effects.covariance @ matrix.T, later @ null_space(target.weights[None, :])
    )
    start = matrix @ effects.values - limits
    size = 1 - search.level
    left = (
        size if method == "conditional" else size * (1 - search.first_stage) / (1 - search.first_stage * size)
    )
    upper = np.inf
    if method == "hybrid":
        upper = least_favourable_value(inequalities, search.first_stage * size, search.draws, search.seed)

    def is_accepted(values: Floats) -> Bools:
        moments = start - slope * values[:, None]
        if first is None:
            return ~conditional_test(inequalities, moments, Truncation(left, upper))
        centred = first.centre - values
        direction = np.tile(matrix @ effects.covariance @ first.weights, (len(values), 1))
        after = Truncation(left, np.inf, direction, centred, first.half_length)
        return ~conditional_test(inequalities, moments, after) & (np.abs(centred) <= first.half_length)

    return is_accepted


def search_set(accepts: Accepts, target: Target, search: SetSearch) -> tuple[float, float]:
    """Return the lowest and the highest value that is accepted; NaN twice if none is.

    Parameters
    ----------
    accepts : callable
    target : Target
    search : SetSearch

    Returns
    -------
    tuple of float
        Infinite where values are accepted however far one goes.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.event_study_vector import event_vector
    >>> from juntos_eval.estimators.did.honest_sets import SetSearch, Target, search_set
    >>> from juntos_eval.estimators.did.trend_restrictions import TrendRestriction
    >>> effects = event_vector((np.array([0.1, 1.0]), 0.01 * np.eye(2), (-2, 0)))
    >>> small = Target(effects=effects, weights=np.ones(1), restriction=TrendRestriction(), m=0.5)
    >>> low, high = search_set(lambda values: abs(values - 1) < 0.25, small, SetSearch())
    >>> round(low, 3), round(high, 3)
    (0.75, 1.25)
    """
    if search.grid is not None:
        grid = np.asarray(search.grid, dtype=np.float64)
        kept = grid[accepts(grid)]
        return (float(kept.min()), float(kept.max())) if len(kept) else (np.nan, np.nan)
    centre, spread = target.plain
    centres = [centre]
    if target.restriction.kind == "smoothness":
        # the line through earlier periods may lead far from the effect itself
        centres.append(fixed_length(target, search.level).centre)
    step = spread * float(ndtri(0.975)) / 40
    for points in (400, 1_600, 6_400):
        grid = np.unique(np.concatenate([at + step * np.arange(-points, points + 1) / 2 for at in centres]))
        is_in = accepts(grid)
        if is_in.any():
            inside = np.flatnonzero(is_in)
            ends = grid[inside[[0, -1]]]
            return _end(accepts, ends[0], -step), _end(accepts, ends[1], step)
    return np.nan, np.nan


def _end(accepts: Accepts, inside: float, step: float) -> float:
    """Return the end of the set beyond a value within it."""
    stride = step
    for _ in range(40):
        if not accepts(np.array([inside + stride]))[0]:
            break
        inside, stride = inside + stride, 2 * stride
    else:
        return float(np.sign(step) * np.inf)
    while abs(stride) > 1e-2 * abs(step):
        shares = np.arange(1, 16) / 16
        is_in = np.logical_and.accumulate(accepts(inside + shares * stride))
        inside, stride = inside + stride * is_in.sum() / 16, stride / 16
    return float(inside)
