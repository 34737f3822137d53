r"""Weighted least squares, with the rank decided once and said.

Columns that earlier ones span are left out, so that what is left is fitted by one QR decomposition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from juntos_eval.arrays import Bools, Codes, Floats, frozen
from juntos_eval.errors import DesignError

__all__ = ["LeastSquares", "independent_columns", "least_squares"]

# share of a column's length below which what earlier columns leave of it is rounding
COLLINEAR = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastSquares:
    r"""A fit of :math:`\min_b \sum_i w_i (y_i - x_i'b)^2`.

    Attributes
    ----------
    coefficients : numpy.ndarray, shape (p,)
        NaN for the columns that were left out: they have no value of their own.
    kept : numpy.ndarray of int64, shape (r,)
        Columns that were fitted; r is the rank.
    dropped : numpy.ndarray of int64, shape (p - r,)
        Columns that earlier ones span, or that are zero.
    bread : numpy.ndarray, shape (r, r)
        :math:`(X'WX)^{-1}` of the kept columns.
    residuals : numpy.ndarray, shape (n,)
        Also of rows of weight zero.
    leverage : numpy.ndarray, shape (n,)
        :math:`h_i = w_i x_i'(X'WX)^{-1}x_i`.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.least_squares import least_squares
    >>> fit = least_squares(np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([1.0, 3.0]))
    >>> fit.coefficients.round(12).tolist(), fit.dropped.tolist()
    ([2.0, nan], [1])
    """

    coefficients: Floats
    kept: Codes
    dropped: Codes
    bread: Floats
    residuals: Floats
    leverage: Floats

    def __post_init__(self) -> None:
        for name in ("coefficients", "bread", "residuals", "leverage"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for name in ("kept", "dropped"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))

    @property
    def rank(self) -> int:
        """Number of columns that were fitted."""
        return len(self.kept)

    def predict(self, design: Floats) -> Floats:
        """Return the fitted values of other rows.

        Parameters
        ----------
        design : numpy.ndarray, shape (m, p)
            The same p columns; those that were left out are not used.

        Returns
        -------
        numpy.ndarray, shape (m,)
        """
        return np.asarray(design[:, self.kept] @ self.coefficients[self.kept])


def least_squares(design: Floats, outcome: Floats, weights: Floats | None = None) -> LeastSquares:
    r"""Fit an outcome by weighted least squares.

    .. math:: \hat b = (X'WX)^{-1} X'Wy

    by a column-pivoted QR decomposition of :math:`W^{1/2}X` with columns scaled to length one, so that
    neither units nor order decide the rank. Where columns are collinear, the later ones are left out.

    Parameters
    ----------
    design : numpy.ndarray, shape (n, p)
        With its column of ones, if it is to have a constant.
    outcome : numpy.ndarray, shape (n,)
    weights : numpy.ndarray, shape (n,), optional
        Not negative; ones by default.

    Returns
    -------
    LeastSquares

    Raises
    ------
    DesignError
        If there is nothing to fit: no row, no column, no positive weight, values that are not finite, or
        negative weights.

    References
    ----------
    Golub, G. H. & Van Loan, C. F. (2013). *Matrix Computations* (4th ed.), sections 5.3 and 5.4. Johns
    Hopkins University Press.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.least_squares import least_squares
    >>> design = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> least_squares(design, np.array([1.0, 3.0, 5.0])).coefficients.round(12).tolist()
    [1.0, 2.0]
    """
    weight = np.ones(len(design)) if weights is None else np.asarray(weights, dtype=np.float64)
    _refuse_unusable(design, outcome, weight)
    root = np.sqrt(weight)
    weighted = design * root[:, None]
    kept = independent_columns(weighted)
    if not kept.any():
        raise DesignError(
            "a regression has no column that is not zero",
            where=f"{design.shape[1]} columns, {int((weight > 0).sum())} rows with weight",
            remedy="give a constant or covariates that are not zero in these rows",
        )
    columns = np.flatnonzero(kept)
    scale = np.linalg.norm(weighted[:, columns], axis=0)
    basis, triangle, order = linalg.qr(
        weighted[:, columns] / scale, mode="economic", pivoting=True, check_finite=False
    )
    inverse = linalg.solve_triangular(triangle, np.eye(len(columns)))
    scaled = np.empty((len(columns), len(columns)))
    scaled[order] = inverse
    half = scaled / scale[:, None]
    coefficients = np.full(design.shape[1], np.nan)
    coefficients[columns] = half @ (basis.T @ (root * outcome))
    return LeastSquares(
        coefficients=coefficients,
        kept=columns,
        dropped=np.flatnonzero(~kept),
        bread=half @ half.T,
        residuals=outcome - design[:, columns] @ coefficients[columns],
        leverage=np.einsum("ij,ij->i", basis, basis),
    )


def independent_columns(matrix: Floats, tolerance: float = COLLINEAR) -> Bools:
    """Say which columns stick out of the span of the ones before them.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, p)
    tolerance : float
        Share of a column's length that must be its own.

    Returns
    -------
    numpy.ndarray of bool, shape (p,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.least_squares import independent_columns
    >>> independent_columns(np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 1.0]])).tolist()
    [True, False, True]
    """
    length = np.linalg.norm(matrix, axis=0)
    used = np.flatnonzero(length > 0)
    kept = np.zeros(matrix.shape[1], dtype=np.bool_)
    # the triangle has the columns' inner products, so the rest happens among p numbers a column, not n
    triangle = np.asarray(np.linalg.qr(matrix[:, used] / length[used], mode="r"))
    basis = np.zeros((triangle.shape[0], 0))
    for column, coordinates in zip(used, triangle.T, strict=True):
        rest = coordinates - basis @ (basis.T @ coordinates)
        rest = rest - basis @ (basis.T @ rest)  # once more against rounding
        left = float(np.linalg.norm(rest))
        if left > tolerance:
            kept[column] = True
            basis = np.column_stack([basis, rest / left])
    return kept


def _refuse_unusable(design: Floats, outcome: Floats, weight: Floats) -> None:
    shape = f"design {design.shape}, outcome {outcome.shape}, weights {weight.shape}"
    if design.ndim != 2 or outcome.shape != design.shape[:1] or weight.shape != design.shape[:1]:
        raise DesignError(
            "design, outcome and weights of a regression do not have the same rows",
            where=shape,
            remedy="give one outcome and one weight for each row of the design",
        )
    if not (np.isfinite(design).all() and np.isfinite(outcome).all() and np.isfinite(weight).all()):
        raise DesignError(
            "a regression was given values that are not finite",
            where=shape,
            remedy="leave incomplete rows out first, and count them",
        )
    if (weight < 0).any() or not (weight > 0).any():
        raise DesignError(
            "the weights of a regression are negative, or all zero",
            where=f"{int((weight < 0).sum())} negative of {len(weight)}",
            remedy="use weights that are not negative and not all zero",
        )
