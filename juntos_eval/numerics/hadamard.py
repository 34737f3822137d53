"""Hadamard matrices: signs whose columns are orthogonal, for balanced half-samples."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import linalg

from juntos_eval.arrays import Floats, frozen
from juntos_eval.errors import InferenceError

__all__ = ["hadamard_matrix"]

LARGEST = 4096


def hadamard_matrix(columns: int) -> Floats:
    r"""Return a Hadamard matrix with at least so many columns beside a first one of ones.

    .. math:: H'H = n I, \qquad h_{ij} \in \{-1, 1\}

    Orders are :math:`2^a (q + 1)` with a prime :math:`q \equiv 3 \bmod 4` (Paley's first construction,
    doubled by Sylvester's), the smallest that suffices among these and the powers of 2.

    Parameters
    ----------
    columns : int
        At least 1.

    Returns
    -------
    numpy.ndarray, shape (n, n)
        n > columns, the first column all ones.

    Raises
    ------
    InferenceError
        For less than one column or more than 4,095.

    References
    ----------
    Paley, R. E. A. C. (1933). On orthogonal matrices. *Journal of Mathematics and Physics*, 12, 311-320.

    Examples
    --------
    >>> from juntos_eval.numerics.hadamard import hadamard_matrix
    >>> signs = hadamard_matrix(9)
    >>> signs.shape, (signs.T @ signs / 12).diagonal().sum()
    ((12, 12), np.float64(12.0))
    """
    if not 1 <= columns < LARGEST:
        raise InferenceError(
            "there is no such Hadamard matrix here",
            where=f"{columns} columns",
            remedy=f"ask for 1 to {LARGEST - 1}; with more strata use the jackknife",
        )
    return _of_order(next(order for order in range(columns + 1, LARGEST + 1) if _is_known(order)))


def _is_known(order: int) -> bool:
    while order > 2 and order % 2 == 0:
        if _is_prime(order - 1) and (order - 1) % 4 == 3:
            return True
        order //= 2
    return order == 2


@cache
def _of_order(order: int) -> Floats:
    if order & (order - 1) == 0:
        return frozen(linalg.hadamard(order))
    q = order - 1
    if _is_prime(q) and q % 4 == 3:
        return _paley(q)
    return frozen(np.kron(np.array([[1, 1], [1, -1]]), _of_order(order // 2)))


def _paley(q: int) -> Floats:
    """I + S, S skew from the quadratic residues of q, with rows turned so that they begin with one."""
    residue = -np.ones(q)
    residue[(np.arange(1, q) ** 2) % q] = 1.0
    residue[0] = 0.0
    jacobsthal = residue[(np.arange(q)[:, None] - np.arange(q)) % q]
    skew = np.zeros((q + 1, q + 1))
    skew[0, 1:], skew[1:, 0] = 1.0, -1.0
    skew[1:, 1:] = jacobsthal
    signs = np.eye(q + 1) + skew
    return frozen(signs * signs[:, :1])


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % factor for factor in range(2, int(number**0.5) + 1))
