"""Products of rows summed by group: the Gram matrices of clusters in one pass."""

from __future__ import annotations

import numpy as np

from juntos_eval.arrays import Codes, Floats

__all__ = ["grouped_products"]

# rows a group from which a matrix product of its own pays
LARGE = 24


def grouped_products(left: Floats, right: Floats, codes: Codes, groups: int) -> Floats:
    r"""Return :math:`\sum_{i \in g} l_i r_i'` of each group.

    Parameters
    ----------
    left : numpy.ndarray, shape (n, p)
    right : numpy.ndarray, shape (n, q)
    codes : numpy.ndarray of int64, shape (n,)
        Group of each row, 0 … groups-1.
    groups : int

    Returns
    -------
    numpy.ndarray, shape (groups, p, q)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.grouped_products import grouped_products
    >>> x = np.array([[1.0], [2.0], [3.0]])
    >>> grouped_products(x, x, np.array([0, 1, 0]), 2).ravel().tolist()
    [10.0, 4.0]
    """
    found = np.empty((groups, left.shape[1], right.shape[1]))
    if groups * LARGE > len(codes):
        for i in range(left.shape[1]):
            for j in range(right.shape[1]):
                products = left[:, i] * right[:, j]
                found[:, i, j] = np.bincount(codes, weights=products, minlength=groups)
        return found
    # short integers are sorted by counting
    short = codes.astype(np.uint16) if groups <= np.iinfo(np.uint16).max else codes
    order = np.argsort(short, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=groups))
    sorted_left, sorted_right = left[order], right[order]
    for group, end in enumerate(ends):
        rows = slice(ends[group - 1] if group else 0, end)
        found[group] = sorted_left[rows].T @ sorted_right[rows]
    return found
