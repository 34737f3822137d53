"""Functions of a dose: splines, or an indicator of each level, with their slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.interpolate import BSpline

from juntos_eval.arrays import Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.numerics.least_squares import least_squares

__all__ = ["DoseBasis", "Kind", "chosen_knots", "dose_basis"]

Kind = Literal["spline", "levels"]
# most interior knots that cross-validation looks at
MOST_KNOTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseBasis:
    """A basis of functions of a dose on an interval.

    Attributes
    ----------
    kind : {"spline", "levels"}
    points : numpy.ndarray
        Knots of the spline with those repeated at the ends, or the levels.
    degree : int

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.dose_basis import dose_basis
    >>> line = dose_basis(np.array([1.0, 2.0, 3.0]), "spline", degree=1, knots=0)
    >>> line.values(np.array([1.0, 2.0])).tolist(), line.slopes(np.array([2.0])).tolist()
    ([[1.0, 0.0], [0.5, 0.5]], [[-0.5, 0.5]])
    """

    kind: Kind
    points: Floats
    degree: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", frozen(self.points))

    @property
    def ends(self) -> tuple[float, float]:
        """Smallest and largest dose."""
        return float(self.points[0]), float(self.points[-1])

    def values(self, dose: Floats) -> Floats:
        """Return the functions at doses, (n, p)."""
        if self.kind == "levels":
            return np.asarray(dose[:, None] == self.points, dtype=np.float64)
        return np.asarray(BSpline.design_matrix(dose, self.points, self.degree).toarray())

    def slopes(self, dose: Floats) -> Floats:
        """Return their derivatives, (n, p); from the level below, for levels."""
        count = len(self.points)
        if self.kind == "levels":
            steps, above = np.zeros((count, count)), np.arange(1, count)
            steps[above, above] = 1.0 / np.diff(self.points)
            steps[above, above - 1] = -1.0 / np.diff(self.points)
            return np.asarray(self.values(dose) @ steps)
        size = count - self.degree - 1
        derivative = BSpline(self.points, np.eye(size), self.degree).derivative()
        return np.asarray(derivative(dose))


def dose_basis(dose: Floats, kind: Kind, *, degree: int, knots: int) -> DoseBasis:
    """Return the basis for these doses: interior knots stand at their quantiles.

    Parameters
    ----------
    dose : numpy.ndarray, shape (n,)
        Of the treated.
    kind : {"spline", "levels"}
    degree, knots : int

    Returns
    -------
    DoseBasis

    Raises
    ------
    DesignError
        If there are fewer distinct doses than functions.

    Examples
    --------
    See :class:`DoseBasis`.
    """
    levels = np.unique(dose)
    if kind == "levels":
        return DoseBasis(kind=kind, points=levels, degree=0)
    inside = np.quantile(dose, np.linspace(0, 1, knots + 2)[1:-1])
    if len(np.unique(inside)) < knots or len(levels) < degree + 1 + knots:
        raise DesignError(
            "there are too few different doses for this spline",
            where=f"{len(levels)} doses of {len(dose)} treated units, degree {degree}, {knots} knots",
            remedy="set basis='levels', a lower degree or fewer knots",
        )
    ends = np.repeat([levels[0], levels[-1]], degree + 1)
    points = np.concatenate([ends[: degree + 1], inside, ends[degree + 1 :]])
    return DoseBasis(kind=kind, points=points, degree=degree)


def chosen_knots(dose: Floats, changes: Floats, weights: Floats, degree: int) -> int:
    r"""Return the number of interior knots with the smallest leave-one-out error of prediction.

    .. math:: CV = \sum_i w_i \Big(\frac{\hat e_i}{1 - h_i}\Big)^2

    Parameters
    ----------
    dose : numpy.ndarray, shape (n,)
    changes : numpy.ndarray, shape (n,)
        Of the outcome.
    weights : numpy.ndarray, shape (n,)
    degree : int

    Returns
    -------
    int

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.dose_basis import chosen_knots
    >>> dose = np.linspace(0, 1, 50)
    >>> chosen_knots(dose, 2 * dose + np.sin(40 * dose) / 50, np.ones(50), 1)
    0
    """
    errors = []
    for knots in range(MOST_KNOTS + 1):
        try:
            basis = dose_basis(dose, "spline", degree=degree, knots=knots)
        except DesignError:
            break
        fitted = least_squares(basis.values(dose), changes, weights)
        left = fitted.residuals / np.maximum(1.0 - fitted.leverage, 1e-10)
        errors.append(float((weights * left**2).sum()))
    return int(np.argmin(errors)) if errors else 0
