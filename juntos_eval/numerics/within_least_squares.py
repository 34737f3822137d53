r"""Weighted least squares on columns from which effects were taken out.

By the Frisch-Waugh-Lovell theorem the coefficients are those of the regression with all the dummies. Few
columns on many rows are solved by their inner products and one step of refinement, unless they are close to
collinear; else, and on few rows always, by a QR decomposition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from juntos_eval.arrays import Bools, Codes, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.numerics.absorb import Absorber
from juntos_eval.numerics.least_squares import least_squares

__all__ = ["WithinLeastSquares", "within_least_squares"]

# entries up to which a QR decomposition costs nothing worth saving
_SMALL = 1_000_000
# share of a column's squared length, left by the columns before it, from which inner products do
_SAFE = 1e-3
# the same, from which they lose nothing worth a step of refinement
_PLAIN = 0.05
# rows whose products are summed at once, so that they stay in the cache
_CHUNK = 32_768
_FEW = 5
_SPANNED = 1e-9
_ROUNDING = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WithinLeastSquares:
    r"""A regression after effects were taken out.

    Attributes
    ----------
    coefficients : numpy.ndarray, shape (r,)
        Of the columns that were kept.
    kept : numpy.ndarray of int64, shape (r,)
    absorbed, collinear : numpy.ndarray of int64
        Columns that the effects span (a constant, without effects: none), and those that effects and earlier
        columns span together.
    design : numpy.ndarray, shape (n, r)
        Kept columns without the effects.
    residuals : numpy.ndarray, shape (n,)
    bread : numpy.ndarray, shape (r, r)
        :math:`(\tilde X'W\tilde X)^{-1}`.
    total, within : float
        :math:`\sum_i w_i (y_i - \bar y)^2` and :math:`\sum_i w_i \tilde y_i^2`.
    condition : float
        Condition number of the design with columns of length one.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.absorb import Factor, absorber
    >>> from juntos_eval.numerics.within_least_squares import within_least_squares
    >>> unit = absorber((Factor(codes=np.array([0, 0, 1, 1]), count=2),))
    >>> slope, fixed = np.array([0.0, 1.0, 0.0, 2.0]), np.array([1.0, 1.0, 2.0, 2.0])
    >>> fit = within_least_squares(np.array([0.0, 3.0, 5.0, 11.0]), (slope, fixed), within=unit)
    >>> fit.coefficients.round(12).tolist(), fit.absorbed.tolist()
    ([3.0], [1])
    """

    coefficients: Floats
    kept: Codes
    absorbed: Codes
    collinear: Codes
    design: Floats
    residuals: Floats
    bread: Floats
    total: float
    within: float
    condition: float

    def __post_init__(self) -> None:
        for name in ("coefficients", "design", "residuals", "bread"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for name in ("kept", "absorbed", "collinear"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))


def within_least_squares(
    outcome: Floats, columns: Sequence[Floats], *, within: Absorber, weights: Floats | None = None
) -> WithinLeastSquares:
    """Take effects out of the outcome and of columns, and fit the one by the others.

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
    columns : sequence of numpy.ndarray, shape (n,)
    within : Absorber
        With the same weights; one of no factors takes nothing out.
    weights : numpy.ndarray, shape (n,), optional

    Returns
    -------
    WithinLeastSquares

    Raises
    ------
    DesignError
        If no column, or nothing of the outcome, is left beside the effects.

    References
    ----------
    Lovell, M. C. (1963). Seasonal adjustment of economic time series and multiple regression analysis.
    Journal of the American Statistical Association 58(304), 993-1010.
    Björck, Å. (1996). *Numerical Methods for Least Squares Problems*, section 2.9 (refinement). SIAM.
    """
    whole = np.empty((len(outcome), len(columns) + 1), order="F")
    for position, column in enumerate((outcome, *columns)):
        whole[:, position] = column
    spread, size = _lengths(whole, weights, has_effects=bool(within.factors))
    within.take_out(whole, size)
    products = _products(whole, weights) if whole.size > _SMALL else None
    left = spread**2
    if within.factors:
        left = _squares(whole, weights) if products is None else np.diag(products)
    if within.factors:
        is_left = np.sqrt(left) > np.maximum(_SPANNED * spread, _ROUNDING * size)
    else:
        is_left = size > 0
        is_left[0] = spread[0] > _ROUNDING * size[0]
    _refuse_nothing_left(is_left, bool(within.factors))
    used = np.flatnonzero(is_left[1:])
    whole.flags.writeable = False
    design = whole[:, 1:] if is_left.all() else whole[:, 1:][:, used]
    if products is not None:
        products = products[np.ix_(np.append(0, used + 1), np.append(0, used + 1))]
    coefficients, kept, bread, residuals = _solve(design, whole[:, 0], weights, products)
    if len(kept) < len(used):
        design = design[:, kept]
    spanned = np.setdiff1d(np.arange(len(used)), kept)
    return WithinLeastSquares(
        coefficients=coefficients,
        kept=used[kept],
        absorbed=np.flatnonzero(~is_left[1:]),
        collinear=used[spanned],
        design=design,
        residuals=residuals,
        bread=bread,
        total=float(spread[0] ** 2),
        within=float(left[0]),
        condition=_condition(bread),
    )


def _solve(
    design: Floats, outcome: Floats, weights: Floats | None, products: Floats | None
) -> tuple[Floats, Codes, Floats, Floats]:
    """Solve by the inner products of outcome and design where they are given and do, else by a QR."""
    if products is not None:
        gram, right = products[1:, 1:], products[0, 1:]
        scale = 1.0 / np.sqrt(np.diag(gram))
        try:
            triangle = linalg.cholesky(gram * np.outer(scale, scale), lower=True)
        except linalg.LinAlgError:
            triangle = np.zeros((1, 1))
        own = np.diag(triangle).min() ** 2
        if own > _SAFE:
            bread = _inverse(triangle) * np.outer(scale, scale)
            coefficients = bread @ right
            residuals = _less_fitted(outcome, design, coefficients)
            if own > _PLAIN:
                return coefficients, np.arange(design.shape[1]), bread, residuals
            step = bread @ _against(design, residuals if weights is None else residuals * weights)
            residuals = _less_fitted(residuals, design, step)
            return coefficients + step, np.arange(design.shape[1]), bread, residuals
    fit = least_squares(design, outcome, weights)
    return fit.coefficients[fit.kept], fit.kept, fit.bread, fit.residuals


def _inverse(triangle: Floats) -> Floats:
    """Return the inverse of L L'."""
    # no general solver, whose threads take their time to wake up for a small matrix
    half = linalg.lapack.dtrtri(triangle, lower=1)[0]
    return np.asarray(half.T @ half)


def _products(matrix: Floats, weights: Floats | None) -> Floats:
    """Return X'WX, summed in chunks."""
    size = matrix.shape[1]
    gram = np.zeros((size, size))
    if size <= _FEW:  # single sums, which need no matrix product and its threads
        for place, column in enumerate(matrix.T):
            weighted = column if weights is None else column * weights
            for other in range(place + 1):
                gram[place, other] = gram[other, place] = np.einsum("i,i->", weighted, matrix[:, other])
        return gram
    if weights is None:
        return np.asarray(matrix.T @ matrix)
    for rows in _chunks(len(matrix)):
        part = matrix[rows]
        gram += part.T @ (part * weights[rows, None])
    return gram


def _against(design: Floats, values: Floats) -> Floats:
    return np.asarray([np.einsum("i,i->", column, values) for column in design.T])


def _less_fitted(outcome: Floats, design: Floats, coefficients: Floats) -> Floats:
    if len(coefficients) > _FEW:
        rest = np.asarray(outcome - design @ coefficients)
        rest.flags.writeable = False
        return rest
    rest = outcome.copy()
    for column, coefficient in zip(design.T, coefficients, strict=True):
        for rows in _chunks(len(rest)):
            rest[rows] -= column[rows] * coefficient
    rest.flags.writeable = False
    return rest


def _chunks(rows: int) -> Iterator[slice]:
    for start in range(0, rows, _CHUNK):
        yield slice(start, start + _CHUNK)


def _lengths(matrix: Floats, weights: Floats | None, *, has_effects: bool) -> tuple[Floats, Floats]:
    """Return the length of each column about its mean, and about zero."""
    spread, size = np.zeros(matrix.shape[1]), np.zeros(matrix.shape[1])
    total = float(len(matrix)) if weights is None else float(weights.sum())
    for position, column in enumerate(matrix.T):
        mean = float(column.sum() if weights is None else weights @ column) / total
        if position and has_effects:  # only its order of magnitude is asked for
            whole = float(np.einsum("i,i->", column, column if weights is None else column * weights))
            spread[position] = np.sqrt(max(whole - total * mean**2, 0.0))
            size[position] = np.sqrt(whole)
            continue
        squares = 0.0
        for rows in _chunks(len(column)):
            gap = column[rows] - mean
            squares += float(np.einsum("i,i->", gap, gap if weights is None else gap * weights[rows]))
        spread[position], size[position] = np.sqrt(squares), np.sqrt(squares + total * mean**2)
    return spread, size


def _squares(matrix: Floats, weights: Floats | None) -> Floats:
    if weights is None:
        return np.asarray([np.einsum("i,i->", column, column) for column in matrix.T])
    return np.asarray([np.einsum("i,i,i->", weights, column, column) for column in matrix.T])


def _condition(bread: Floats) -> float:
    scale = 1.0 / np.sqrt(np.diag(bread))
    # of the inverse with unit diagonal: within a factor of the columns' own, and what the errors feel
    roots = np.linalg.eigvalsh(bread * np.outer(scale, scale))
    return float(np.sqrt(roots[-1] / roots[0])) if roots[0] > 1e-300 else float("inf")


def _refuse_nothing_left(is_left: Bools, has_effects: bool) -> None:
    beside = " beside the absorbed effects" if has_effects else ""
    if not is_left[0]:
        raise DesignError(
            f"the outcome does not vary{beside}",
            where=f"{len(is_left) - 1} covariates",
            remedy="look at how the outcome is coded, or absorb fewer effects",
        )
    if not is_left[1:].any():
        raise DesignError(
            f"no covariate varies{beside}",
            where=f"{len(is_left) - 1} covariates",
            remedy="absorb fewer effects, or give covariates that vary within them",
        )
