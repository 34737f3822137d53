"""Many linear programmes that share their constraints, solved together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import InferenceError

__all__ = ["SharedProgrammes"]

_TOLERANCE = 1e-10
_PIVOTS = 2_000


@dataclass(slots=True)
class _Basis:
    """One vertex: its columns, the inverse of their matrix, the point, and where its edges lead."""

    columns: Codes
    inverse: Floats
    point: Floats
    neighbours: dict[int, tuple[int, ...]] = field(default_factory=dict)


class SharedProgrammes:
    r"""Programmes over one polytope, for many objectives.

    .. math:: \max_\gamma \gamma'y \quad \text{where} \quad G\gamma = h, \gamma \ge 0.

    A vertex that is best for one y is often best for others, so the programmes walk together: those that
    stand on the same vertex share the inverse of its basis and every step. The right-hand side is moved by
    a little, each row by another amount, so that no step is of length zero and none is taken in a circle.

    Parameters
    ----------
    equalities : numpy.ndarray, shape (p, m)
        G.
    totals : numpy.ndarray, shape (p,)
        h.

    Raises
    ------
    InferenceError
        If the polytope is empty or its programmes have no end.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.linear_programmes import SharedProgrammes
    >>> simplex = SharedProgrammes(np.ones((1, 3)), np.ones(1))
    >>> best, vertices = simplex.solve(np.array([[1.0, 2.0, 0.0], [5.0, 2.0, 0.0]]))
    >>> best.tolist(), vertices.tolist()
    ([2.0, 5.0], [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    """

    def __init__(self, equalities: Floats, totals: Floats) -> None:
        self._equalities, self._right = _independent(equalities, totals)
        nudges = np.random.default_rng(0).uniform(0.5, 1.5, self._equalities.shape[1])
        # moved towards the inside of the polytope, so that it stays non-empty
        self._moved = self._right + 1e-7 * self._equalities @ nudges
        self._bases: dict[tuple[int, ...], _Basis] = {}
        self._start = self._first_vertex(len(self._right))

    def solve(self, objectives: Floats) -> tuple[Floats, Floats]:
        """Return the value (r,) and the best vertex (r, m) of each of r objectives (r, m)."""
        objectives = np.atleast_2d(objectives)
        waiting: dict[tuple[int, ...], Codes] = {self._start: np.arange(len(objectives))}
        vertices = np.zeros(objectives.shape)
        for _ in range(_PIVOTS):
            if not waiting:
                return np.einsum("ij,ij->i", objectives, vertices), vertices
            moved: dict[tuple[int, ...], list[Codes]] = {}
            for name, members in waiting.items():
                basis = self._basis(name)
                reduced = self._reduced(basis, objectives[members])
                entering = np.argmax(reduced, axis=1)
                scale = 1 + np.abs(objectives[members]).max(axis=1)
                is_best: Bools = reduced[np.arange(len(members)), entering] <= _TOLERANCE * scale
                vertices[np.ix_(members[is_best], basis.columns)] = basis.point
                for column in np.unique(entering[~is_best]):
                    target = self._neighbour(basis, int(column))
                    moved.setdefault(target, []).append(members[~is_best & (entering == column)])
            waiting = {name: np.concatenate(parts) for name, parts in moved.items()}
        raise InferenceError(
            "linear programmes did not come to an end",
            where=f"{sum(map(len, waiting.values()))} of {len(objectives)} after {_PIVOTS} steps",
            remedy="drop effects that are linear combinations of others",
        )

    def _reduced(self, basis: _Basis, objectives: Floats) -> Floats:
        prices = objectives[:, basis.columns] @ basis.inverse
        reduced = objectives - prices @ self._equalities
        reduced[:, basis.columns] = 0.0
        return np.asarray(reduced)

    def _basis(self, name: tuple[int, ...]) -> _Basis:
        found = self._bases.get(name)
        if found is None:
            columns = np.array(name, dtype=np.int64)
            inverse = np.asarray(np.linalg.inv(self._equalities[:, columns]), dtype=np.float64)
            point = np.maximum(inverse @ self._right, 0.0)
            found = self._bases[name] = _Basis(columns, inverse, np.where(point < 1e-13, 0.0, point))
        return found

    def _neighbour(self, basis: _Basis, entering: int) -> tuple[int, ...]:
        if entering not in basis.neighbours:
            step = basis.inverse @ self._equalities[:, entering]
            level = np.maximum(basis.inverse @ self._moved, 0.0)
            falls = step > 1e-9
            if not falls.any():
                raise InferenceError(
                    "a linear programme has no end",
                    where=f"along variable {entering + 1}",
                    remedy="see that no effect has a standard error of zero",
                )
            ratio = np.full(len(step), np.inf)
            ratio[falls] = level[falls] / step[falls]
            columns = basis.columns.copy()
            columns[int(np.argmin(ratio))] = entering
            basis.neighbours[entering] = tuple(sorted(int(column) for column in columns))
        return basis.neighbours[entering]

    def _first_vertex(self, rows: int) -> tuple[int, ...]:
        size = self._equalities.shape[1]
        found = linprog(np.zeros(size), A_eq=self._equalities, b_eq=self._moved, method="highs-ds")
        if found.x is None:
            raise InferenceError(
                "a set of weights on moments is empty",
                where=f"{rows} equalities on {size} weights",
                remedy="see that the covariance of the effects is finite and positive",
            )
        # a vertex of the moved polytope has as many positive weights as equalities
        order = np.argsort(-found.x, kind="stable")
        chosen: list[int] = []
        for column in order:
            tried = [*chosen, int(column)]
            if np.linalg.matrix_rank(self._equalities[:, tried], tol=1e-9) == len(tried):
                chosen = tried
            if len(chosen) == rows:
                break
        return tuple(sorted(chosen))


def _independent(equalities: Floats, totals: Floats) -> tuple[Floats, Floats]:
    """Return the rows without those that follow from the others."""
    kept: list[int] = []
    scale = np.abs(equalities).max()
    for row in range(len(equalities)):
        tried = [*kept, row]
        if np.linalg.matrix_rank(equalities[tried], tol=1e-10 * scale) == len(tried):
            kept = tried
    return equalities[kept], totals[kept]
