"""Array types shared by every layer, and the guards that keep values frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Bools", "Codes", "Floats", "FrozenMapping", "encode", "frozen", "grouped_sums"]

K = TypeVar("K")
V = TypeVar("V")

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Bools = NDArray[np.bool_]


def frozen(values: ArrayLike, dtype: Any = np.float64) -> NDArray[Any]:
    """Return the values as an array that nobody can write to.

    Parameters
    ----------
    values : array_like
        Any shape. An array that somebody can write to, be it through the array it is a view of, is copied.
    dtype : dtype, default float64

    Returns
    -------
    numpy.ndarray
        Read-only.

    Examples
    --------
    >>> from juntos_eval.arrays import frozen
    >>> frozen([1, 2]).flags.writeable
    False
    """
    array = np.asarray(values, dtype=dtype)
    if not _is_shut(array):
        array = array.copy()
        array.flags.writeable = False
    return array


def _is_shut(array: NDArray[Any]) -> bool:
    """Whether nobody can write to the array's memory, the owner of which may be another array."""
    while not array.flags.writeable and isinstance(array.base, np.ndarray):
        array = array.base
    return not array.flags.writeable and bool(array.flags.owndata)


class FrozenMapping(Mapping[K, V]):
    """A mapping without a way to write to it, that can be pickled for parallel work.

    Parameters
    ----------
    items : Mapping
        Copied, so that later changes of the original are not seen.

    Examples
    --------
    >>> from juntos_eval.arrays import FrozenMapping
    >>> FrozenMapping({"n": 3})["n"]
    3
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[K, V] | None = None) -> None:
        self._items: dict[K, V] = dict(items or {})

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)


def encode(labels: ArrayLike) -> tuple[Codes, NDArray[Any]]:
    """Return codes 0 … G-1 in sorted order of the labels, and the G labels.

    Parameters
    ----------
    labels : array_like, shape (n,)
        Without missing values; the caller checks them and names the column.

    Returns
    -------
    codes : numpy.ndarray, shape (n,)
    levels : numpy.ndarray, shape (G,)

    Examples
    --------
    >>> from juntos_eval.arrays import encode
    >>> codes, levels = encode(["b", "a", "b"])
    >>> codes.tolist(), levels.tolist()
    ([1, 0, 1], ['a', 'b'])
    """
    levels, codes = np.unique(np.asarray(labels), return_inverse=True)
    return codes.astype(np.int64), levels


def grouped_sums(values: Floats, codes: Codes, groups: int) -> Floats:
    """Sum the rows of a matrix by group.

    Parameters
    ----------
    values : numpy.ndarray, shape (n, k)
    codes : numpy.ndarray, shape (n,)
        Group of each row, 0 … groups-1.
    groups : int

    Returns
    -------
    numpy.ndarray, shape (groups, k)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.arrays import grouped_sums
    >>> grouped_sums(np.array([[1.0], [2.0], [4.0]]), np.array([0, 1, 0]), 2).ravel().tolist()
    [5.0, 2.0]
    """
    return (
        np.column_stack([np.bincount(codes, weights=column, minlength=groups) for column in values.T])
        if values.shape[1]
        else np.zeros((groups, 0))
    )
