"""Newton's method with backtracking for smooth convex functions of a few parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from juntos_eval.arrays import Floats, frozen

__all__ = ["Minimum", "minimise_convex"]

Evaluate = Callable[[Floats], tuple[float, Floats, Floats]]

# share of the predicted decrease that a step must bring (Armijo)
SUFFICIENT = 1e-4
SHORTEST_STEP = 2.0**-40
# promised decreases below this share of the value are no longer seen in it
ROUNDING = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimum:
    """Where the search ended.

    Attributes
    ----------
    argument : numpy.ndarray, shape (p,)
    gradient : numpy.ndarray, shape (p,)
        At the argument.
    is_reached : bool
        Whether the gradient is within the tolerance; False where the function has no minimum.
    iterations : int

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.convex_newton import Minimum
    >>> Minimum(argument=np.zeros(1), gradient=np.zeros(1), is_reached=True, iterations=0).is_reached
    True
    """

    argument: Floats
    gradient: Floats
    is_reached: bool
    iterations: int

    def __post_init__(self) -> None:
        for name in ("argument", "gradient"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


def minimise_convex(
    evaluate: Evaluate, start: Floats, *, tolerance: float = 1e-12, max_iterations: int = 100
) -> Minimum:
    r"""Minimise a smooth convex function by damped Newton steps.

    .. math:: \gamma \leftarrow \gamma - s H(\gamma)^{-1} g(\gamma), \qquad s \in \{1, 1/2, 1/4, \dots\}

    s is the first that decreases the function enough or, where the decrease is lost in rounding, the
    gradient. When none does, the search ends: that is a minimum if the gradient is small there.

    Parameters
    ----------
    evaluate : callable
        From parameters (p,) to the value, its gradient (p,) and its Hessian (p, p).
    start : numpy.ndarray, shape (p,)
        Where the value is finite.
    tolerance : float
        Largest absolute gradient that counts as zero; scale the function so that this makes sense.
    max_iterations : int

    Returns
    -------
    Minimum

    References
    ----------
    Boyd, S., & Vandenberghe, L. (2004). *Convex Optimization*, section 9.5. Cambridge University Press.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.convex_newton import minimise_convex
    >>> def evaluate(x):
    ...     return float(np.exp(x[0]) - 2 * x[0]), np.exp(x) - 2, np.exp(x)[:, None]
    >>> minimise_convex(evaluate, np.zeros(1)).argument.round(6).tolist()
    [0.693147]
    """
    argument = np.array(start, dtype=np.float64)
    value, gradient, hessian = evaluate(argument)
    steps = 0
    while steps < max_iterations:
        step = _newton_step(gradient, hessian)
        moved = None if step is None else _backtrack(evaluate, argument, value, gradient, step)
        if moved is None:
            break
        was_reached = np.abs(gradient).max() <= tolerance
        argument, (value, gradient, hessian) = moved
        steps += 1
        # one step past the tolerance costs little and leaves rounding error only
        if was_reached:
            break
    is_reached = bool(np.abs(gradient).max() <= tolerance)
    return Minimum(argument=argument, gradient=gradient, is_reached=is_reached, iterations=steps)


def _newton_step(gradient: Floats, hessian: Floats) -> Floats | None:
    try:
        step = linalg.cho_solve(linalg.cho_factor(hessian), -gradient)
    except (linalg.LinAlgError, ValueError):
        return None
    return np.asarray(step) if np.isfinite(step).all() else None


def _backtrack(
    evaluate: Evaluate, argument: Floats, value: float, gradient: Floats, step: Floats
) -> tuple[Floats, tuple[float, Floats, Floats]] | None:
    """Return the next point and what the function is there, or None if no step decreases it."""
    promised = float(gradient @ step)
    size = 1.0
    while size > SHORTEST_STEP:
        candidate = argument + size * step
        found = evaluate(candidate)
        if np.isfinite(found[0]) and found[0] <= value + SUFFICIENT * size * promised:
            return candidate, found
        # next to the minimum a decrease drowns in rounding, but the gradient still tells
        if -promised < ROUNDING * (1.0 + abs(value)) and np.abs(found[1]).max() < np.abs(gradient).max():
            return candidate, found
        size /= 2.0
    return None
