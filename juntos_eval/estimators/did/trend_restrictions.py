"""What differences in trends may be: linear restrictions on them, period by period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError

__all__ = ["Polyhedron", "TrendRestriction", "first_differences", "polyhedra", "second_differences"]

KINDS = ("relative_magnitudes", "smoothness", "relative_smoothness")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendRestriction:
    r"""How far the treated may have drifted from the controls, had they not been treated.

    With :math:`\delta_t` the difference in trends at distance t from the reference period
    (:math:`\delta_0 = 0`):

    - ``"relative_magnitudes"``: a change after the reference is at most m times the largest before,
      :math:`|\delta_{t+1} - \delta_t| \le m \max_{s<0} |\delta_{s+1} - \delta_s|`;
    - ``"smoothness"``: the slope changes by at most m a period,
      :math:`|(\delta_{t+1} - \delta_t) - (\delta_t - \delta_{t-1})| \le m`;
    - ``"relative_smoothness"``: a change of slope after the reference is at most m times the largest before.

    Attributes
    ----------
    kind : {"relative_magnitudes", "smoothness", "relative_smoothness"}
    sign : {None, "positive", "negative"}
        Of the bias after the reference.
    monotone : {None, "increasing", "decreasing"}
        Of the difference in trends over all periods.

    Raises
    ------
    DesignError
        For another word.

    Examples
    --------
    >>> from juntos_eval.estimators.did.trend_restrictions import TrendRestriction
    >>> TrendRestriction(kind="smoothness", sign="positive").label
    'smoothness, bias positive'
    """

    kind: str = "relative_magnitudes"
    sign: str | None = None
    monotone: str | None = None

    def __post_init__(self) -> None:
        allowed = {
            "kind": KINDS,
            "sign": (None, "positive", "negative"),
            "monotone": (None, "increasing", "decreasing"),
        }
        for name, words in allowed.items():
            if getattr(self, name) not in words:
                raise DesignError(
                    f"there is no restriction of trends whose {name} is {getattr(self, name)!r}",
                    where=f"{name}=",
                    remedy=f"choose one of {', '.join(map(repr, words))}",
                )

    @property
    def label(self) -> str:
        """The restriction in words."""
        parts = [self.kind.replace("_", " ")]
        if self.sign:
            parts.append(f"bias {self.sign}")
        if self.monotone:
            parts.append(f"trend {self.monotone}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Polyhedron:
    r"""Differences in trends with :math:`A\delta \le d`.

    Attributes
    ----------
    matrix : numpy.ndarray, shape (m, k)
        A; columns are the periods before and after the reference, which is left out.
    limits : numpy.ndarray, shape (m,)
        d.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.trend_restrictions import Polyhedron
    >>> Polyhedron(np.eye(2), np.zeros(2)).matrix.shape
    (2, 2)
    """

    matrix: Floats
    limits: Floats


def first_differences(before: int, after: int) -> Floats:
    """Return the matrix (before + after, before + after) of changes from a period to the next.

    Examples
    --------
    >>> from juntos_eval.estimators.did.trend_restrictions import first_differences
    >>> first_differences(1, 1).tolist()
    [[-1.0, 0.0], [0.0, 1.0]]
    """
    changes = np.diff(np.eye(before + after + 1), axis=0)
    # the reference is zero
    return np.delete(changes, before, axis=1)


def second_differences(before: int, after: int) -> Floats:
    """Return the matrix (before + after - 1, before + after) of changes of the slope.

    Examples
    --------
    >>> from juntos_eval.estimators.did.trend_restrictions import second_differences
    >>> second_differences(1, 1).tolist()
    [[1.0, 1.0]]
    """
    return np.diff(first_differences(before, after), axis=0)


def polyhedra(restriction: TrendRestriction, m: float, before: int, after: int) -> tuple[Polyhedron, ...]:
    """Return the polyhedra whose union is the restriction.

    Parameters
    ----------
    restriction : TrendRestriction
    m : float
        Bound; in units of the outcome for "smoothness", a ratio for the others.
    before, after : int
        Periods before and after the reference.

    Returns
    -------
    tuple of Polyhedron

    Examples
    --------
    >>> from juntos_eval.estimators.did.trend_restrictions import TrendRestriction, polyhedra
    >>> len(polyhedra(TrendRestriction(kind="relative_magnitudes"), 1.0, 3, 2))
    6
    """
    if restriction.kind == "smoothness":
        changes = second_differences(before, after)
        sets = [(np.vstack([changes, -changes]), np.full(2 * len(changes), m))]
    else:
        is_slope = restriction.kind == "relative_smoothness"
        changes = second_differences(before, after) if is_slope else first_differences(before, after)
        matrices = _relative(changes, before - 1 if is_slope else before, m)
        sets = [(matrix, np.zeros(len(matrix))) for matrix in matrices]
    signs = _shape(restriction, before, after)
    both = [(np.vstack([matrix, signs]), np.append(limits, np.zeros(len(signs)))) for matrix, limits in sets]
    return tuple(_without_empty(matrix, limits) for matrix, limits in both)


def _relative(changes: Floats, known: int, m: float) -> list[Floats]:
    """Return, for each of the known changes and signs, that it is the largest and bounds the others."""
    if known < 1:
        raise DesignError(
            "there are too few periods before treatment to bound later changes by earlier ones",
            where=f"{known} changes before the reference",
            remedy="use restriction='smoothness', or an event study with more periods before",
        )
    factor = np.where(np.arange(len(changes)) < known, 1.0, m)[:, None]
    found = []
    for largest in range(known):
        for sign in (1.0, -1.0):
            bound = factor * (sign * changes[largest])
            found.append(np.vstack([changes - bound, -changes - bound]))
    return found


def _shape(restriction: TrendRestriction, before: int, after: int) -> Floats:
    rows = [np.zeros((0, before + after))]
    if restriction.sign:
        later = np.hstack([np.zeros((after, before)), np.eye(after)])
        rows.append(-later if restriction.sign == "positive" else later)
    if restriction.monotone:
        changes = first_differences(before, after)
        rows.append(-changes if restriction.monotone == "increasing" else changes)
    return np.vstack(rows)


def _without_empty(matrix: Floats, limits: Floats) -> Polyhedron:
    kept = np.abs(matrix).max(axis=1) > 1e-12
    return Polyhedron(matrix[kept], limits[kept])
