"""Confidence sets as all values that a test does not reject: bounded or not, in one piece or several."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from juntos_eval.arrays import Floats

__all__ = ["Pieces", "inverted", "shape_in_words"]

Pieces = tuple[tuple[float, float], ...]
# in standard errors: where the even grid ends, and how far off a set without an end is taken to have none;
# further away rounding decides whether a draw is a tie
EVEN, FAR = 12.0, 1e4
BISECTIONS = 45


def inverted(p_of: Callable[[Floats], Floats], alpha: float, step: float = 0.05) -> Pieces:
    r"""Return the pieces of :math:`\{\delta : p(\delta) > \alpha\}`.

    Parameters
    ----------
    p_of : callable
        p values of an array of distances from the estimate, in standard errors.
    alpha : float
    step : float
        Of the even grid up to 12 standard errors; beyond it steps grow by half. Pieces and gaps
        between two points of the grid that lie on the same side are not seen; ends are found by bisection.

    Returns
    -------
    tuple of (low, high)
        Infinite where p stays above alpha.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.confidence_sets import inverted
    >>> [tuple(round(x, 9) for x in piece) for piece in inverted(lambda d: 1 / (1 + d**2), 0.2)]
    [(-2.0, 2.0)]
    """
    even = np.arange(0.0, EVEN + step / 2.0, step)
    further = EVEN * 1.5 ** np.arange(1, int(np.log(FAR / EVEN) / np.log(1.5)) + 2)
    right = np.concatenate([even, further])
    grid = np.concatenate([-right[:0:-1], right])
    inside = p_of(grid) > alpha
    pieces: list[tuple[float, float]] = []
    for first, last in _runs(inside):
        low = -np.inf if first == 0 else _end(p_of, alpha, grid[first], grid[first - 1])
        high = np.inf if last == len(grid) - 1 else _end(p_of, alpha, grid[last], grid[last + 1])
        pieces.append((float(low), float(high)))
    return tuple(pieces)


def _runs(inside: np.ndarray[tuple[int], np.dtype[np.bool_]] | Floats) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(np.int8), [0]])))
    return [(int(first), int(last) - 1) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _end(p_of: Callable[[Floats], Floats], alpha: float, inside: float, outside: float) -> float:
    for _ in range(BISECTIONS):
        middle = (inside + outside) / 2.0
        if middle in (inside, outside):
            break
        if p_of(np.array([middle]))[0] > alpha:
            inside = middle
        else:
            outside = middle
    return inside


def shape_in_words(sets: tuple[Pieces, ...]) -> str:
    """Say which of several sets have no end, come in pieces, or are empty; nothing where all are intervals.

    Parameters
    ----------
    sets : tuple of pieces

    Examples
    --------
    >>> from juntos_eval.inference.confidence_sets import shape_in_words
    >>> shape_in_words((((0.0, 1.0),), ((0.0, float("inf")),)))
    ', 1 of 2 confidence sets unbounded'
    """
    counts = {
        "unbounded": sum(any(np.isinf(end) for piece in one for end in piece) for one in sets),
        "in several pieces (their hull is shown)": sum(len(one) > 1 for one in sets),
        "empty": sum(not one for one in sets),
    }
    return "".join(
        f", {count} of {len(sets)} confidence sets {words}" for words, count in counts.items() if count
    )
