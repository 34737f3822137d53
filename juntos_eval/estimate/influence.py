r"""Influence: what each row of the data adds to the error of an estimate.

An estimator with values :math:`\hat\theta` (k,) and truth :math:`\theta` satisfies, to first order,

.. math:: \hat\theta - \theta \approx \sum_{i=1}^{n} \psi_i, \qquad \sum_i \hat\psi_i = 0,

with :math:`\psi_i` (k,) the influence of row i **already divided by n**. Sums of influence over groups
are all that robust, clustered, survey-design and multiplier inference need, so the three
implementations here (dense, sparse, blocks) never have to be turned into one (n, k) matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from scipy import sparse

from juntos_eval.arrays import Codes, Floats, frozen, grouped_sums
from juntos_eval.errors import InferenceError
from juntos_eval.estimate.combination import combined

__all__ = ["Block", "BlockInfluence", "DenseInfluence", "Influence", "SparseInfluence"]

# rows of blocks that are laid out as one matrix at a time
STRETCH = 32_768


@runtime_checkable
class Influence(Protocol):
    """What every representation of influence can do; see the module for the scale."""

    @property
    def rows(self) -> int:
        """Number of rows n of the sample that was used."""
        ...

    @property
    def columns(self) -> int:
        """Number of values k."""
        ...

    def totals(self, codes: Codes, groups: int) -> Floats:
        """Sum influence by group: (groups, k)."""
        ...

    def covariance(self) -> Floats:
        r"""Return :math:`\sum_i \psi_i \psi_i'`, (k, k): no small-sample factor."""
        ...

    def weighted_sums(self, multipliers: Floats) -> Floats:
        """Sum influence times multipliers (draws, n) over rows: (draws, k)."""
        ...

    def combine(self, weights: Floats) -> Influence:
        """Influence of ``weights @ values`` for weights (m, k)."""
        ...

    def dense(self) -> Floats:
        """Return the (n, k) matrix itself; for display and tests, not for large data."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class DenseInfluence:
    """Influence as one (n, k) matrix: right for few values.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate.influence import DenseInfluence
    >>> DenseInfluence(np.array([[0.5], [-0.5]])).covariance().item()
    0.5
    """

    values: Floats

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64)
        object.__setattr__(self, "values", frozen(values.reshape(len(values), -1)))

    @property
    def rows(self) -> int:
        """Rows n."""
        return int(self.values.shape[0])

    @property
    def columns(self) -> int:
        """Values k."""
        return int(self.values.shape[1])

    def totals(self, codes: Codes, groups: int) -> Floats:
        """Sum by group, (groups, k)."""
        return grouped_sums(self.values, codes, groups)

    def covariance(self) -> Floats:
        """Sum of outer products, (k, k)."""
        return np.asarray(self.values.T @ self.values)

    def weighted_sums(self, multipliers: Floats) -> Floats:
        """Sum of influence times multipliers, (draws, k)."""
        return np.asarray(multipliers @ self.values)

    def combine(self, weights: Floats) -> DenseInfluence:
        """Influence of linear combinations."""
        return DenseInfluence(combined(self.values, np.asarray(weights, dtype=np.float64)))

    def dense(self) -> Floats:
        """Return the (n, k) matrix."""
        return self.values

    def stretch(self, start: int, stop: int) -> Floats:
        """Rows start to stop as a matrix."""
        return self.values[start:stop]


@dataclass(frozen=True, slots=True, eq=False)
class SparseInfluence:
    """Influence as a compressed sparse matrix (n, k): right when each row moves few values.

    Examples
    --------
    >>> from scipy import sparse
    >>> from juntos_eval.estimate.influence import SparseInfluence
    >>> SparseInfluence(sparse.csr_array([[1.0, 0.0], [-1.0, 0.0]])).covariance().tolist()
    [[2.0, 0.0], [0.0, 0.0]]
    """

    values: sparse.csr_array

    def __post_init__(self) -> None:
        values = sparse.csr_array(self.values, copy=True).astype(np.float64)
        values.data.flags.writeable = False
        object.__setattr__(self, "values", values)

    @property
    def rows(self) -> int:
        """Rows n."""
        return int(self.values.shape[0])

    @property
    def columns(self) -> int:
        """Values k."""
        return int(self.values.shape[1])

    def totals(self, codes: Codes, groups: int) -> Floats:
        """Sum by group, (groups, k)."""
        ones = np.ones(self.rows)
        pick = sparse.csr_array((ones, (codes, np.arange(self.rows))), shape=(groups, self.rows))
        return np.asarray((pick @ self.values).toarray())

    def covariance(self) -> Floats:
        """Sum of outer products, (k, k)."""
        return np.asarray((self.values.T @ self.values).toarray())

    def weighted_sums(self, multipliers: Floats) -> Floats:
        """Sum of influence times multipliers, (draws, k)."""
        return np.asarray((self.values.T @ multipliers.T).T)

    def combine(self, weights: Floats) -> SparseInfluence:
        """Influence of linear combinations."""
        matrix = sparse.csr_array(np.asarray(weights, dtype=np.float64))
        return SparseInfluence(sparse.csr_array(self.values @ matrix.T))

    def dense(self) -> Floats:
        """Return the (n, k) matrix."""
        return np.asarray(self.values.toarray())


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Rows × columns of an influence matrix that are not zero: one group-time cell, say.

    Kept with rows and columns in ascending order, each once; what comes for one of them twice is added.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate.influence import Block
    >>> Block(np.array([0, 4]), np.array([1]), np.ones((2, 1))).values.shape
    (2, 1)
    """

    rows: Codes
    columns: Codes
    values: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", frozen(self.rows, np.int64))
        object.__setattr__(self, "columns", frozen(self.columns, np.int64))
        object.__setattr__(self, "values", frozen(self.values))
        if self.values.shape != (len(self.rows), len(self.columns)):
            raise InferenceError(
                "a block of influence does not have the shape of its rows and columns",
                where=f"{self.values.shape} against ({len(self.rows)}, {len(self.columns)})",
                remedy="give one value for each row and column of the block",
            )
        if not _ascends(self.rows):
            rows, at = np.unique(self.rows, return_inverse=True)
            object.__setattr__(self, "values", frozen(grouped_sums(self.values, at, len(rows))))
            object.__setattr__(self, "rows", frozen(rows, np.int64))
        if not _ascends(self.columns):
            columns, at = np.unique(self.columns, return_inverse=True)
            object.__setattr__(self, "values", frozen(grouped_sums(self.values.T, at, len(columns)).T))
            object.__setattr__(self, "columns", frozen(columns, np.int64))


def _ascends(positions: Codes) -> bool:
    return bool((positions[1:] > positions[:-1]).all())


@dataclass(frozen=True, slots=True, eq=False)
class BlockInfluence:
    """Influence in blocks of rows × columns: right for many cells on subsets of many rows.

    Blocks may overlap; what they share is added.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate.influence import Block, BlockInfluence
    >>> block = Block(np.array([0, 2]), np.array([1]), np.array([[1.0], [-1.0]]))
    >>> BlockInfluence((block,), rows=3, columns=2).dense().tolist()
    [[0.0, 1.0], [0.0, 0.0], [0.0, -1.0]]
    """

    blocks: tuple[Block, ...]
    rows: int
    columns: int

    def totals(self, codes: Codes, groups: int) -> Floats:
        """Sum by group, (groups, k)."""
        sums = np.zeros((groups, self.columns))
        for block in self.blocks:
            sums[:, block.columns] += grouped_sums(block.values, codes[block.rows], groups)
        return sums

    def covariance(self) -> Floats:
        """Sum of outer products, (k, k)."""
        sums = np.zeros((self.columns, self.columns))
        for start in range(0, self.rows, STRETCH):
            stretch = self.stretch(start, min(start + STRETCH, self.rows))
            sums += stretch.T @ stretch
        return sums

    def weighted_sums(self, multipliers: Floats) -> Floats:
        """Sum of influence times multipliers, (draws, k)."""
        sums = np.zeros((len(multipliers), self.columns))
        for block in self.blocks:
            sums[:, block.columns] += multipliers[:, block.rows] @ block.values
        return sums

    def combine(self, weights: Floats) -> BlockInfluence:
        """Influence of linear combinations."""
        matrix = np.asarray(weights, dtype=np.float64)
        every = np.arange(len(matrix), dtype=np.int64)
        blocks = tuple(
            Block(block.rows, every, combined(block.values, matrix[:, block.columns]))
            for block in self.blocks
        )
        return BlockInfluence(blocks, self.rows, len(matrix))

    def dense(self) -> Floats:
        """Return the (n, k) matrix."""
        return self.stretch(0, self.rows)

    def stretch(self, start: int, stop: int) -> Floats:
        """Rows start to stop as a matrix: what blocks share is added."""
        matrix = np.zeros((stop - start, self.columns))
        for block in self.blocks:
            first, last = np.searchsorted(block.rows, (start, stop))
            rows = block.rows[first:last] - start
            # each block has a row once, so that what is added is not lost
            matrix[np.ix_(rows, block.columns)] += block.values[first:last]
        return matrix
