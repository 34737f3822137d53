r"""The normal equations that are left of absorbed factors once the largest is eliminated.

With the eliminated components U (diagonal :math:`U'WU`) and those of the other factors Z,

.. math:: S = Z'WZ - Z'WU (U'WU)^{-1} U'WZ,

a small matrix when the other factors have few levels, else one that is only ever multiplied by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import linalg, sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import splu

from juntos_eval.arrays import Bools, Codes, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.numerics.absorb_factors import Component

__all__ = ["Blocks", "DenseSystem", "SparseSystem", "System", "blocks_of", "independent_levels"]

# pivot, of a matrix of unit diagonal, below which a column is spanned by the others
PIVOT = 1e-10
_STEPS = 3000
# relative to the right-hand side; whoever solves again for what is left gets the rest
_TOLERANCE = 1e-10
# share of a column's norm at which its right-hand side is rounding, and no longer in the range of S
_ROUNDING = 1e-14
_NEAR = 1e6
_FLAT = 1e-13
_PATIENCE = 50
# entries up to which the matrix itself is formed for a factorisation that is to help the iteration
_FORMED = 40_000_000
# multiplications up to which a matrix product keeps to one thread, and rows of it that are too few
_ONE_THREAD = 2**18
_FEW = 128
# levels up to which the equations are kept, to see at once how well they were solved
_KEPT = 200


class System(Protocol):
    """What solves :math:`S c = b` for some c, b in the range of S."""

    def solve(self, right: Floats, norms: Floats) -> Floats:
        """Return a solution for right-hand sides (q, k) of columns with norms (k,)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """The pieces of S: inner products of Z, and those of the eliminated components with Z.

    Examples
    --------
    >>> from juntos_eval.numerics.absorb_factors import Factor, components_of
    >>> from juntos_eval.numerics.absorb_system import blocks_of
    >>> unit = components_of(Factor(codes=[0, 0, 1, 1], count=2), None)
    >>> year = components_of(Factor(codes=[0, 1, 0, 1], count=2), None)
    >>> blocks_of(unit, year, None).matrix().tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """

    inner: sparse.csr_array
    cross: tuple[Floats | sparse.csr_array, ...]
    lengths: tuple[Floats, ...]

    @property
    def size(self) -> int:
        """Number of columns of Z."""
        return int(self.inner.shape[0])

    def matrix(self) -> Floats:
        """Return S, dense."""
        whole = np.asarray(self.inner.toarray())
        for cross, length in zip(self.cross, self.lengths, strict=True):
            whole -= _projected(cross, length)
        return np.asarray((whole + whole.T) / 2.0)

    def sparse_matrix(self) -> sparse.csr_array:
        """Return S, sparse."""
        whole = self.inner
        for cross, length in zip(self.cross, self.lengths, strict=True):
            column = sparse.csr_array(cross)
            whole = whole - column.T @ _over(column, length)
        return sparse.csr_array((whole + whole.T) / 2.0)

    def diagonal(self) -> Floats:
        """Return the diagonal of S."""
        squares = np.asarray(self.inner.diagonal(), dtype=np.float64)
        for cross, length in zip(self.cross, self.lengths, strict=True):
            scaled: Any = _over(cross, np.sqrt(length))
            product = scaled.multiply(scaled) if isinstance(scaled, sparse.csr_array) else scaled * scaled
            squares = squares - np.asarray(product.sum(axis=0)).ravel()
        return squares

    def times(self, vectors: Floats) -> Floats:
        """Return S times vectors (q, k), without forming S."""
        product = self.inner @ vectors
        for cross, length in zip(self.cross, self.lengths, strict=True):
            share = np.divide(1.0, length, out=np.zeros(len(length)), where=length > 0)
            product = product - cross.T @ ((cross @ vectors) * share[:, None])
        return np.asarray(product)


def blocks_of(eliminated: Sequence[Component], others: Sequence[Component], weights: Floats | None) -> Blocks:
    """Sum up the inner products of components.

    Parameters
    ----------
    eliminated, others : sequence of Component
    weights : numpy.ndarray, shape (n,), optional

    Returns
    -------
    Blocks
    """
    table = [[_products(one, other, weights) for other in others] for one in others]
    inner = sparse.csr_array(sparse.block_array([[sparse.csr_array(part) for part in row] for row in table]))
    cross = []
    for one in eliminated:
        parts = [_products(one, other, weights) for other in others]
        is_dense = not any(sparse.issparse(part) for part in parts)
        cross.append(np.hstack(parts) if is_dense else sparse.hstack(parts, format="csr"))
    return Blocks(inner, tuple(cross), tuple(one.lengths for one in eliminated))


def _products(one: Component, other: Component, weights: Floats | None) -> Any:
    """Return the inner products of two components, (levels, levels)."""
    values = weights
    for column in (one.column, other.column):
        if column is not None:
            values = column if values is None else values * column
    shape = (one.count, other.count)
    if one.codes is other.codes:
        if one is other and one.column is None:
            return sparse.csr_array(sparse.diags_array(one.lengths))
        diagonal = np.bincount(one.codes, weights=values, minlength=one.count).astype(np.float64)
        return sparse.csr_array(sparse.diags_array(diagonal))
    if one.count * other.count <= 2 * len(one.codes) + 100_000:
        cells = np.bincount(one.codes * other.count + other.codes, values, minlength=one.count * other.count)
        return cells.astype(np.float64).reshape(shape)
    entries = np.ones(len(one.codes)) if values is None else values
    return sparse.csr_array(sparse.coo_array((entries, (one.codes, other.codes)), shape=shape))


def _over(cross: Any, length: Floats) -> Any:
    share: Any = np.divide(1.0, length, out=np.zeros(len(length)), where=length > 0)
    return (
        sparse.csr_array(sparse.diags_array(share)) @ cross
        if isinstance(cross, sparse.csr_array)
        else cross * share[:, None]
    )


def _projected(cross: Any, length: Floats) -> Floats:
    r"""Return :math:`C' L^{-1} C`."""
    if isinstance(cross, sparse.csr_array):
        return np.asarray((cross.T @ _over(cross, length)).toarray(), dtype=np.float64)
    whole = np.zeros((cross.shape[1],) * 2)
    for rows in _stretches(len(cross), whole.size):
        whole += cross[rows].T @ _over(cross[rows], length[rows])
    return whole


def _stretches(rows: int, each: int) -> Iterator[slice]:
    """Yield stretches of rows that no matrix product, of so many products a row, shares out among threads."""
    stretch = _ONE_THREAD // max(each, 1)
    # of many columns threads are worth their while
    stretch = stretch if stretch >= _FEW else rows
    for start in range(0, rows, max(stretch, 1)):
        yield slice(start, start + stretch)


def independent_levels(blocks: Blocks, *, is_plain_pair: bool, matrix: Floats | None = None) -> Bools:
    """Say which columns of Z stick out of the span of the eliminated components and of the other columns.

    Two factors without slopes: all but one in each connected component of the graph of levels that meet in a
    row (Abowd, Creecy & Kramarz 2002), which is exact. Else by the pivots of a Cholesky factorisation.

    Parameters
    ----------
    blocks : Blocks
        Of unweighted components: the rank does not hang on positive weights.
    is_plain_pair : bool
    matrix : numpy.ndarray, shape (q, q), optional
        S, where it was formed already.

    Returns
    -------
    numpy.ndarray of bool, shape (q,)

    References
    ----------
    Abowd, J. M., Creecy, R. H. & Kramarz, F. (2002). Computing person and firm effects using linked
    longitudinal employer-employee data. Technical paper TP-2002-06, U.S. Census Bureau.
    Higham, N. J. (2002). *Accuracy and Stability of Numerical Algorithms* (2nd ed.), section 10.3. SIAM.
    """
    if is_plain_pair:
        used = blocks.inner.diagonal() > 0
        kept = np.asarray(used, dtype=np.bool_)
        _, first = np.unique(_connected(blocks, matrix)[used], return_index=True)
        kept[np.flatnonzero(used)[first]] = False
        return kept
    matrix = blocks.matrix() if matrix is None else matrix
    scale = _scale(np.asarray(blocks.inner.diagonal()))
    _, order, rank, _ = linalg.lapack.dpstrf(matrix * np.outer(scale, scale), tol=PIVOT, lower=1)
    kept = np.zeros(blocks.size, dtype=np.bool_)
    kept[order[:rank] - 1] = True
    return kept & (np.asarray(blocks.inner.diagonal()) > 0)


def _connected(blocks: Blocks, matrix: Floats | None) -> Codes:
    """Return the connected component of each level of the second factor."""
    cross = blocks.cross[0]
    if not sparse.issparse(cross):
        # levels that meet in a level of the first factor, all of whose products are positive
        graph = sparse.csr_array((blocks.matrix() if matrix is None else matrix) != 0)
        return np.asarray(csgraph.connected_components(graph, directed=False)[1], dtype=np.int64)
    rows, columns = cross.shape
    whole = sparse.block_array([[None, cross], [sparse.csr_array((columns, rows)), None]], format="csr")
    return np.asarray(csgraph.connected_components(whole, directed=False)[1], dtype=np.int64)[rows:]


def _scale(diagonal: Floats) -> Floats:
    return np.divide(1.0, np.sqrt(np.maximum(diagonal, 0.0)), out=np.zeros(len(diagonal)), where=diagonal > 0)


@dataclass(frozen=True, slots=True, eq=False)
class DenseSystem:
    """S factorised once, on the columns that are independent; the others have coefficient zero."""

    blocks: Blocks
    kept: Bools
    scale: Floats
    factor: Floats
    matrix: Floats

    @classmethod
    def of(cls, blocks: Blocks, kept: Bools, matrix: Floats) -> DenseSystem:
        """Factorise S."""
        reduced = matrix[np.ix_(kept, kept)]
        scale = _scale(np.diag(reduced))
        try:
            factor = linalg.cholesky(reduced * np.outer(scale, scale), lower=True)
        except linalg.LinAlgError as failure:
            raise DesignError(
                "the absorbed effects cannot be told apart: their equations are singular to rounding",
                where=f"{int(kept.sum()):,} effects beside the largest factor",
                remedy="look for weights of very different size, and slopes that hardly vary within a level",
            ) from failure
        has_own = len(matrix) <= _KEPT and not any(sparse.issparse(cross) for cross in blocks.cross)
        whole = frozen(matrix if has_own else np.zeros((0, 0)))
        return cls(blocks, frozen(kept, np.bool_), frozen(scale), frozen(factor), whole)

    def solve(self, right: Floats, norms: Floats) -> Floats:  # noqa: ARG002 (the protocol's)
        """Return the solution whose coefficients of spanned columns are zero."""
        solution = np.zeros_like(right)
        if self.kept.any():
            inner = linalg.cho_solve((self.factor, True), right[self.kept] * self.scale[:, None])
            solution[self.kept] = inner * self.scale[:, None]
        return solution

    def unsolved(self, right: Floats, solution: Floats) -> Floats:
        """Return what a solution leaves of the right-hand sides, where S was kept."""
        return right - self.matrix @ solution

    def of_others(self, means: Floats) -> Floats:
        """Return the inner products of Z with the eliminated component times coefficients, (q, k)."""
        cross, found = self.blocks.cross[0], np.zeros((self.blocks.size, means.shape[1]))
        # sums of sums carry less rounding, too
        for rows in _stretches(len(cross), self.blocks.size * means.shape[1]):
            found += cross[rows].T @ means[rows]
        return found

    def of_eliminated(self, solution: Floats) -> Floats:
        """Return the coefficients of Z times a solution on the eliminated component, (levels, k)."""
        cross, length = self.blocks.cross[0], self.blocks.lengths[0][:, None]
        sums = np.empty((len(cross), solution.shape[1]), order="F")
        for rows in _stretches(len(cross), solution.size):
            sums[rows] = cross[rows] @ solution
        return np.asarray(np.divide(sums, length, out=np.zeros_like(sums), where=length > 0))

    @property
    def is_kept(self) -> bool:
        """Whether S, and its one block with the eliminated component, are at hand."""
        return bool(len(self.matrix)) and len(self.blocks.cross) == 1


@dataclass(frozen=True, slots=True, eq=False)
class SparseSystem:
    """S multiplied by only, and solved by conjugate gradients: right for two large factors."""

    blocks: Blocks
    scale: Floats

    @classmethod
    def of(cls, blocks: Blocks) -> SparseSystem:
        """Prepare the preconditioner."""
        diagonal = blocks.diagonal()
        # a level that the eliminated factor spans alone keeps coefficient zero
        is_spanned = diagonal <= PIVOT * np.asarray(blocks.inner.diagonal())
        return cls(blocks, frozen(_scale(np.where(is_spanned, 0.0, diagonal))))

    def solve(self, right: Floats, norms: Floats) -> Floats:
        """Return one of the solutions, to ten digits; solve again for what is left to have more."""
        floor = (_ROUNDING * norms) ** 2
        solution, unsolved = conjugate_gradients(
            self.blocks.times, right, lambda rest: rest * self.scale[:, None] ** 2, floor
        )
        if unsolved.any():
            solution[:, unsolved] = self._solve_with_factorisation(right[:, unsolved], floor[unsolved])
        return solution

    def _solve_with_factorisation(self, right: Floats, floor: Floats) -> Floats:
        """Iterate once more, helped by a sparse factorisation: long chains of levels need it."""
        fill = sum(
            float((np.diff(sparse.csr_array(cross).indptr).astype(np.float64) ** 2).sum())
            for cross in self.blocks.cross
        )
        if fill > _FORMED:
            raise DesignError(
                "the absorbed effects did not converge",
                where=f"{self.blocks.size:,} effects beside the largest factor, {_STEPS:,} steps",
                remedy="absorb fewer large factors at once; look for levels that hardly connect with others",
            )
        ridge = sparse.diags_array(1e-9 * np.asarray(self.blocks.inner.diagonal()) + 1e-300)
        factor = splu(
            sparse.csc_array(self.blocks.sparse_matrix() + ridge),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        return conjugate_gradients(self.blocks.times, right, factor.solve, floor)[0]


def conjugate_gradients(
    times: Callable[[Floats], Floats],
    right: Floats,
    precondition: Callable[[Floats], Floats],
    floor: Floats,
) -> tuple[Floats, Bools]:
    """Solve for several right-hand sides at once, each with its own steps.

    Parameters
    ----------
    times : callable
        Vectors (q, k) to S times them; S positive semi-definite, the right-hand sides in its range.
    right : numpy.ndarray, shape (q, k)
    precondition : callable
        Vectors (q, k) to an approximate solution for them.
    floor : numpy.ndarray, shape (k,)
        Squared norm, in that of the preconditioner, below which a right-hand side is rounding.

    Returns
    -------
    solution : numpy.ndarray, shape (q, k)
    unsolved : numpy.ndarray of bool, shape (k,)
        Where the residual, in the norm of the preconditioner, fell neither to 1e-10 of its first size
        nor near the floor.

    References
    ----------
    Golub, G. H. & Van Loan, C. F. (2013). *Matrix Computations* (4th ed.), section 11.5.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.absorb_system import conjugate_gradients
    >>> matrix = np.array([[2.0, -1.0], [-1.0, 2.0]])
    >>> conjugate_gradients(matrix.__matmul__, np.ones((2, 1)), np.copy, np.zeros(1))[0].ravel().tolist()
    [1.0, 1.0]
    """
    solution, rest = np.zeros_like(right), right.copy()
    helped = precondition(rest)
    direction = helped.copy()
    size = np.einsum("ij,ij->j", rest, helped)
    goal = np.maximum(_TOLERANCE**2 * size, floor)
    best, since = size.copy(), np.zeros(len(size), dtype=np.int64)
    for _ in range(_STEPS):
        active = (size > goal) & ~((size <= _NEAR * floor) & (since > _PATIENCE))
        if not active.any():
            break
        image = times(direction)
        curvature = np.einsum("ij,ij->j", direction, image)
        # a direction that S maps to rounding is one along which nothing can be told
        moves = active & (curvature > _FLAT * size)
        if not moves.any():
            break
        step = np.divide(size, curvature, out=np.zeros_like(size), where=moves)
        solution += step * direction
        rest -= step * image
        helped = precondition(rest)
        now = np.where(moves, np.einsum("ij,ij->j", rest, helped), size)
        direction = helped + np.divide(now, size, out=np.zeros_like(now), where=moves) * direction
        size = now
        since = np.where(size < 0.9 * best, 0, since + 1)
        best = np.minimum(best, size)
    return solution, np.asarray(size > np.maximum(goal, _NEAR * floor))
