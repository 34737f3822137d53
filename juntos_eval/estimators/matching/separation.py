r"""Separation: covariates that tell treated from untreated rows without error.

Where a direction :math:`z` has :math:`(2 D_i - 1) x_i'z \ge 0` for all rows, not all zero, the likelihood
of a binary model has no maximum (Albert & Anderson 1984).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg, optimize, sparse

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError

__all__ = ["refuse_separation", "separating_direction"]


def refuse_separation(treated: Bools, covariates: Floats, names: tuple[str, ...], extreme: Bools) -> None:
    """Raise if the covariates separate treated from untreated rows, and name those that do.

    Parameters
    ----------
    treated : numpy.ndarray of bool, shape (n,)
    covariates : numpy.ndarray, shape (n, p)
        Standardised.
    names : tuple of str, length p
    extreme : numpy.ndarray of bool, shape (n,)
        Rows whose fitted probability is next to 0 or 1: only those can be separated.

    Raises
    ------
    DesignError

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.separation import refuse_separation
    >>> treated = np.array([True, False, True, False])
    >>> refuse_separation(treated, np.array([[1.0], [1.0], [-1.0], [-1.0]]), ("age",), np.zeros(4, bool))
    """
    direction = separating_direction(treated, covariates, extreme)
    if direction is None:
        return
    share = np.abs(direction[1:])
    alone = [j for j, column in enumerate(covariates.T) if _separates(treated, column)]
    guilty = alone or np.flatnonzero(share > 1e-6 * share.max()).tolist()
    stretched = np.abs(direction[0] + covariates @ direction[1:]) > 1e-7
    kind = "perfectly" if stretched.all() else "for some rows"
    raise DesignError(
        f"covariates tell treated from untreated rows {kind}, so that their score does not exist",
        where="; ".join(_describe(treated, covariates[:, j], names[j]) for j in guilty[:12])
        + f"; {int(stretched.sum())} of {len(treated)} rows are told apart",
        remedy="leave the covariate out, join levels, or keep to rows where both treated and untreated occur",
    )


def separating_direction(treated: Bools, covariates: Floats, extreme: Bools) -> Floats | None:
    """Return a direction (constant first) that separates, or None.

    Rows that are not extreme are not separated, so the direction is orthogonal to them: what is left of it
    has few dimensions, and a linear programme over the extreme rows (Konis 2007) decides.

    Parameters
    ----------
    treated, covariates, extreme
        As in :func:`refuse_separation`.

    Returns
    -------
    numpy.ndarray, shape (p + 1,), or None

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.separation import separating_direction
    >>> x = np.array([[-1.0], [1.0]])
    >>> found = separating_direction(np.array([False, True]), x, np.ones(2, bool))
    >>> found.round(6).tolist()
    [0.0, 1.0]
    """
    design = np.column_stack([np.ones(len(treated)), covariates])
    free = _null_space(design[~extreme])
    if not free.shape[1]:
        return None
    signed = np.where(treated, 1.0, -1.0)[extreme, None] * (design[extreme] @ free)
    signed = np.unique(signed.round(12), axis=0)
    separable = _separable(signed)
    if not separable.any():
        return None
    direction = _shortest(signed, separable, free)
    return np.asarray(direction / np.abs(direction).max())


def _separable(signed: Floats) -> Bools:
    """Return which rows some direction tells apart: the largest sum of margins, each counted up to one."""
    rows, size = signed.shape
    answer = _solve(
        np.concatenate([np.zeros(size), -np.ones(rows)]),
        _blocks([[-signed, sparse.eye_array(rows)]]),
        np.zeros(rows),
        [(None, None)] * size + [(0.0, 1.0)] * rows,
    )
    return np.asarray(answer[size:] > 0.5)


def _shortest(signed: Floats, separable: Bools, free: Floats) -> Floats:
    """Return the direction of least absolute coefficients that tells those rows apart: few names."""
    size, width = free.shape[1], free.shape[0]
    slopes = free[1:]
    length = sparse.eye_array(width - 1)
    answer = _solve(
        np.concatenate([np.zeros(size), np.ones(width - 1)]),
        _blocks([[-signed, None], [slopes, -length], [-slopes, -length]]),
        np.concatenate([-separable.astype(np.float64), np.zeros(2 * (width - 1))]),
        [(None, None)] * size + [(0.0, None)] * (width - 1),
    )
    return np.asarray(free @ answer[:size])


def _solve(cost: Floats, matrix: Any, limits: Floats, bounds: list[Any]) -> Floats:
    answer = optimize.linprog(cost, A_ub=matrix, b_ub=limits, bounds=bounds, method="highs")
    if answer.x is None:
        raise DesignError(
            "it could not be decided whether the covariates tell treated from untreated rows",
            where=f"linear programme of {len(limits)} rows: {answer.message}",
            remedy="leave out covariates that are next to collinear or of extreme values",
        )
    return np.asarray(answer.x)


def _blocks(pieces: list[list[Any]]) -> Any:
    return sparse.block_array([[None if x is None else sparse.csr_array(x) for x in row] for row in pieces])


def _null_space(rows: Floats) -> Floats:
    if not len(rows):
        return np.eye(rows.shape[1])
    triangle = np.asarray(np.linalg.qr(rows, mode="r"))
    return np.asarray(linalg.null_space(triangle, rcond=1e-9))


def _separates(treated: Bools, values: Floats) -> bool:
    """Say whether the arms share at most one value of a covariate."""
    one, other = values[treated], values[~treated]
    return bool(one.min() >= other.max() or one.max() <= other.min())


def _describe(treated: Bools, values: Floats, name: str) -> str:
    """Say how a covariate separates: by which value, when it has two and one of them is of one arm only."""
    levels = np.unique(values)
    if len(levels) == 2:
        for level, word in zip(levels, ("lower", "higher"), strict=True):
            here = treated[values == level]
            if here.all() or not here.any():
                arm = "treated" if here.all() else "untreated"
                return f"'{name}': all {len(here)} rows of its {word} value are {arm}"
    return f"'{name}'"
