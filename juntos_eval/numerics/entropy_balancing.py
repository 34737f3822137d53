r"""Entropy balancing: the weights nearest to the base weights that hit given means (Hainmueller 2012)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize

from juntos_eval.arrays import Bools, Codes, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.numerics.least_squares import independent_columns, least_squares

__all__ = ["EntropyBalance", "entropy_balance"]

# in standard deviations: what a mean may miss a linear relation by, and still be said to obey it
ROUNDING = 1e-8
# share of the predicted decrease that a step must bring (Armijo)
SUFFICIENT = 1e-4
# a Newton decrement below which differences of the dual are rounding, and full steps converge
QUADRATIC = 1e-8
REMEDY = "leave it out, balance fewer moments, or keep to rows where both arms occur"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntropyBalance:
    r"""Weights :math:`w_i \propto q_i \exp(x_i'\hat\lambda)` and the dual that makes them.

    Attributes
    ----------
    weights : numpy.ndarray, shape (n,)
        Positive, sum to one.
    dual : numpy.ndarray, shape (k,)
        :math:`\hat\lambda`, on the columns' own scale; zero for redundant ones.
    kept : numpy.ndarray of int64
        Columns that bind.
    redundant : numpy.ndarray of int64
        Columns whose mean follows from that of others.
    imbalance : float
        Largest distance to a target, in base-weighted standard deviations.
    iterations : int

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.entropy_balancing import entropy_balance
    >>> balanced = entropy_balance(np.array([[0.0], [1.0]]), np.array([0.25]), np.ones(2), names=("x",))
    >>> balanced.weights.round(12).tolist()
    [0.75, 0.25]
    """

    weights: Floats
    dual: Floats
    kept: Codes
    redundant: Codes
    imbalance: float
    iterations: int

    def __post_init__(self) -> None:
        for name in ("weights", "dual"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for name in ("kept", "redundant"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))


def entropy_balance(
    columns: Floats,
    targets: Floats,
    base: Floats,
    *,
    names: tuple[str, ...],
    tolerance: float = 1e-12,
    max_iterations: int = 200,
) -> EntropyBalance:
    r"""Find the weights of least Kullback-Leibler divergence from base weights q that hit target means.

    .. math::
        \min_w \sum_i w_i \log(w_i / q_i) \quad\text{with}\quad \sum_i w_i x_i = m, \; \sum_i w_i = 1

    through the dual :math:`\min_\lambda \log \sum_i q_i \exp\{(x_i - m)'\lambda\}`, by Newton's method with a
    line search. The weights exist where m lies inside the convex hull of the rows.

    Parameters
    ----------
    columns : numpy.ndarray, shape (n, k)
        Covariates, and their powers if further moments are to be balanced.
    targets : numpy.ndarray, shape (k,)
        m.
    base : numpy.ndarray, shape (n,)
        q: positive, of any sum.
    names : tuple of str, length k
        For errors.
    tolerance : float
        Largest imbalance, in base-weighted standard deviations.
    max_iterations : int

    Returns
    -------
    EntropyBalance

    Raises
    ------
    DesignError
        If no weights reach the targets: the columns that stand in the way are named.

    References
    ----------
    Hainmueller, J. (2012). Entropy balancing for causal effects. *Political Analysis* 20(1), 25-46.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.entropy_balancing import entropy_balance
    >>> x = np.array([[1.0], [2.0], [3.0]])
    >>> balanced = entropy_balance(x, np.array([2.5]), np.ones(3), names=("age",))
    >>> bool(abs(balanced.weights @ x[:, 0] - 2.5) < 1e-12)
    True
    """
    _refuse_unusable(columns, targets, base)
    share = base / base.sum()
    centred = columns - targets
    scale = np.sqrt(share @ (columns - share @ columns) ** 2)
    scale = np.where(scale > 1e-12 * (1.0 + np.abs(targets)), scale, 0.0)
    standard = centred / np.where(scale > 0, scale, 1.0)
    _refuse_outside_range(standard, columns, scale > 0, targets, names)
    kept = _binding(standard, scale > 0, share, names)
    if not len(kept):
        weights, argument, iterations = share, np.zeros(0), 0
    else:
        weights, argument, iterations = _newton(standard[:, kept], share, tolerance, max_iterations)
    imbalance = float(np.abs(weights @ standard[:, kept]).max(initial=0.0))
    if imbalance > tolerance:
        _refuse_infeasible(standard[:, kept], [names[j] for j in kept], imbalance)
    dual = np.zeros(len(targets))
    dual[kept] = argument / scale[kept]
    return EntropyBalance(
        weights=weights,
        dual=dual,
        kept=kept,
        redundant=np.setdiff1d(np.arange(len(targets)), kept),
        imbalance=imbalance,
        iterations=iterations,
    )


def _newton(rows: Floats, share: Floats, tolerance: float, limit: int) -> tuple[Floats, Floats, int]:
    """Return weights, dual and steps; where the targets are out of reach the weights miss them."""
    argument = np.zeros(rows.shape[1])
    value, weights = _dual(rows, share, argument)
    gradient = weights @ rows
    for step_count in range(1, limit + 1):
        step = _step(rows, weights, gradient)
        decrement = -float(gradient @ step)
        size = 1.0
        candidate, (found, tilted) = argument + step, _dual(rows, share, argument + step)
        while decrement > QUADRATIC and found > value - SUFFICIENT * size * decrement and size > 1e-10:
            size /= 2.0
            candidate = argument + size * step
            found, tilted = _dual(rows, share, candidate)
        moved = tilted @ rows
        was_reached = np.abs(gradient).max() <= tolerance
        if was_reached and np.abs(moved).max() >= np.abs(gradient).max():
            return weights, argument, step_count
        argument, value, weights, gradient = candidate, found, tilted, moved
        # all rows on one side of the targets: the dual falls for ever along this direction
        if was_reached or (rows @ argument).max() < 0.0:
            return weights, argument, step_count
    return weights, argument, limit


def _dual(rows: Floats, share: Floats, argument: Floats) -> tuple[float, Floats]:
    """Return the dual's value and the weights it stands for."""
    exponent = rows @ argument
    top = float(exponent.max())
    tilted = share * np.exp(exponent - top)
    total = float(tilted.sum())
    return top + float(np.log(total)), tilted / total


def _step(rows: Floats, weights: Floats, gradient: Floats) -> Floats:
    deviations = rows - gradient
    hessian = (deviations * weights[:, None]).T @ deviations
    # as the weights gather on few rows the Hessian loses rank: a ridge far below it keeps the step finite
    ridge = 1e-14 * max(float(np.trace(hessian)), 1e-300)
    return -np.asarray(linalg.solve(hessian + ridge * np.eye(len(gradient)), gradient, assume_a="sym"))


def _binding(standard: Floats, varies: Bools, share: Floats, names: tuple[str, ...]) -> Codes:
    """Return the columns that are no combination of earlier ones; refuse those that contradict them."""
    candidates = np.flatnonzero(varies)
    design = np.column_stack([np.ones(len(share)), standard[:, candidates]]) * np.sqrt(share)[:, None]
    free = independent_columns(design)[1:]
    kept = candidates[free]
    anchored = np.column_stack([np.ones(len(share)), standard[:, kept]])
    for column in candidates[~free]:
        # at the targets all standardised columns are zero, so the constant of a true relation is too
        relation = least_squares(anchored, standard[:, column], share)
        if abs(relation.coefficients[0]) > ROUNDING:
            raise DesignError(
                f"no weights balance '{names[column]}': its mean follows from others', which ask for another",
                where=f"{len(share)} rows to weight, '{names[column]}' is collinear with "
                f"{', '.join(names[j] for j in kept)}, off by {relation.coefficients[0]:.3g} sd",
                remedy=REMEDY,
            )
    return np.asarray(kept, dtype=np.int64)


def _refuse_outside_range(
    standard: Floats, columns: Floats, varies: Bools, targets: Floats, names: tuple[str, ...]
) -> None:
    low, high = standard.min(axis=0), standard.max(axis=0)
    constant_missed = ~varies & (np.abs(standard).max(axis=0) > ROUNDING * (1.0 + np.abs(targets)))
    outside = constant_missed | (varies & ((low >= 0) | (high <= 0)))
    if outside.any():
        raise DesignError(
            "entropy balancing asks for means that no weights reach",
            where="; ".join(
                f"'{names[j]}': mean {targets[j]:.6g} asked, rows to weight lie in "
                f"[{columns[:, j].min():.6g}, {columns[:, j].max():.6g}]"
                for j in np.flatnonzero(outside)
            )
            + f"; {len(columns)} rows to weight",
            remedy=REMEDY,
        )


def _refuse_infeasible(rows: Floats, names: list[str], imbalance: float) -> None:
    """Name the columns whose targets have to give way for the others to be reached."""
    count, size = rows.shape
    slack = np.eye(size)
    shares = np.concatenate([np.ones(count), np.zeros(2 * size)])
    answer = optimize.linprog(
        1.0 - shares,
        A_eq=np.vstack([np.hstack([rows.T, slack, -slack]), shares]),
        b_eq=np.append(np.zeros(size), 1.0),
        method="highs",
    )
    if answer.x is None:
        missed = f"imbalance {imbalance:.3g} sd left over {', '.join(names)}"
    else:
        gap = answer.x[count : count + size] + answer.x[count + size :]
        far = np.flatnonzero(gap > ROUNDING)
        missed = "; ".join(f"'{names[j]}' is missed by at least {gap[j]:.3g} sd" for j in far)
    raise DesignError(
        "no weights balance all covariates at once: their joint means lie outside what the rows span"
        if missed
        else "covariates are balanced only by leaving nearly all rows without weight",
        where=f"{count} rows to weight; {missed or ', '.join(names)}",
        remedy=REMEDY,
    )


def _refuse_unusable(columns: Floats, targets: Floats, base: Floats) -> None:
    shape = f"columns {columns.shape}, {len(targets)} targets, {len(base)} base weights"
    if columns.shape != (len(base), len(targets)) or not len(base):
        raise DesignError(
            "columns, targets and base weights of entropy balancing do not belong together",
            where=shape,
            remedy="give one target a column and one base weight a row",
        )
    if not (np.isfinite(columns).all() and np.isfinite(targets).all()):
        raise DesignError(
            "entropy balancing was given values that are not finite",
            where=shape,
            remedy="leave incomplete rows out first, and count them",
        )
    if not (np.isfinite(base).all() and (base > 0).all()):
        raise DesignError(
            "base weights of entropy balancing must be positive",
            where=f"{int((~(base > 0)).sum())} of {len(base)} are not",
            remedy="leave rows of weight zero out, and correct negative ones",
        )
