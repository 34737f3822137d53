r"""Linear GMM with instruments: two steps, iterated, or continuously updated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from juntos_eval.arrays import Codes, Floats, frozen, grouped_sums
from juntos_eval.errors import DesignError

__all__ = ["LinearGmm", "MomentCovariance", "linear_gmm", "moment_covariance"]

_CLOSE = 1e-13
_LIMIT = 1000

MomentCovariance = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearGmm:
    r"""Minimum of :math:`g(b)'S^{-1}g(b)` with :math:`g(b) = Q'(y - Xb)`.

    Attributes
    ----------
    coefficients : numpy.ndarray, shape (r,)
    generated : numpy.ndarray, shape (n, r)
        The instruments that the estimator amounts to: :math:`\hat X'(y - Xb) = 0`.
    objective : float
        :math:`g'S^{-1}g` at the estimate: Hansen's J.
    steps : int

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.gmm import linear_gmm, moment_covariance
    >>> x, y = np.full((4, 1), 0.5), np.array([2.0, 1.0, 5.0, 4.0])
    >>> linear_gmm(y, x, x, moment_covariance("robust"), "two-step").coefficients.round(9).tolist()
    [6.0]
    """

    coefficients: Floats
    generated: Floats
    objective: float
    steps: int

    def __post_init__(self) -> None:
        for name in ("coefficients", "generated"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


def moment_covariance(kind: str, codes: Codes | None = None) -> MomentCovariance:
    r"""Return the function that gives the covariance of moments from instruments and residuals.

    Parameters
    ----------
    kind : {"iid", "robust", "cluster"}
        :math:`\hat\sigma^2 Q'Q`, :math:`\sum_i q_iq_i'e_i^2`, or sums of squares of totals by cluster.
    codes : numpy.ndarray of int64, shape (n,), optional
        The clusters.

    Returns
    -------
    callable
        From two columns of residuals (the same one twice for a variance) times instruments.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.gmm import moment_covariance
    >>> moment_covariance("robust")(np.ones((2, 1)), np.array([1.0, 2.0])).item()
    5.0
    """

    def covariance(basis: Floats, residuals: Floats) -> Floats:
        if kind == "iid":
            return np.asarray((residuals @ residuals) / len(residuals) * (basis.T @ basis))
        scores = basis * residuals[:, None]
        if codes is not None:
            scores = grouped_sums(scores, codes, int(codes.max()) + 1)
        return np.asarray(scores.T @ scores)

    return covariance


def linear_gmm(
    outcome: Floats, regressors: Floats, basis: Floats, covariance: MomentCovariance, method: str
) -> LinearGmm:
    r"""Fit linear GMM, from 2SLS on.

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
        Rows times the root of their weights, as the others.
    regressors : numpy.ndarray, shape (n, r)
    basis : numpy.ndarray, shape (n, q)
        Orthonormal columns that span all instruments, included ones too; q is at least r.
    covariance : callable
        As of :func:`moment_covariance`.
    method : {"two-step", "iterated", "cue"}

    Returns
    -------
    LinearGmm

    Raises
    ------
    DesignError
        If the covariance of the moments is singular, or the iterations do not settle.

    References
    ----------
    Hansen, L. P. (1982). Large sample properties of generalized method of moments estimators. Econometrica
    50(4), 1029-1054.
    Hansen, L. P., Heaton, J. & Yaron, A. (1996). Finite-sample properties of some alternative GMM estimators.
    Journal of Business & Economic Statistics 14(3), 262-280.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.gmm import linear_gmm, moment_covariance
    >>> rng = np.random.default_rng(1)
    >>> z = np.linalg.qr(rng.normal(size=(50, 2)))[0]
    >>> x = z @ np.ones((2, 1)) + rng.normal(size=(50, 1)) / 50
    >>> fit = linear_gmm(x.ravel() * 3.0 + rng.normal(size=50) / 50, x, z, moment_covariance("robust"), "cue")
    >>> bool(abs(fit.coefficients[0] - 3.0) < 0.2)
    True
    """
    scale = np.linalg.norm(regressors, axis=0)
    scaled = regressors / scale
    gradient, moment = basis.T @ scaled, basis.T @ outcome
    first = _solution(np.eye(basis.shape[1]), gradient, moment)
    spread = _checked(covariance(basis, outcome - scaled @ first))
    found, steps = _solution(spread, gradient, moment), 2
    while method == "iterated":
        last = found
        spread = _checked(covariance(basis, outcome - scaled @ last))
        found, steps = _solution(spread, gradient, moment), steps + 1
        if np.abs(found - last).max() <= _CLOSE * max(1.0, float(np.abs(found).max())):
            break
        if steps > _LIMIT:
            raise _unsettled(f"{steps} steps")
    slope = gradient
    if method == "cue":
        found, spread, slope = _updated(outcome, scaled, basis, covariance, found)
    left = moment - gradient @ found
    return LinearGmm(
        coefficients=found / scale,
        generated=basis @ np.linalg.solve(spread, slope),
        objective=float(left @ np.linalg.solve(spread, left)),
        steps=steps,
    )


def _solution(spread: Floats, gradient: Floats, moment: Floats) -> Floats:
    whitened = np.linalg.solve(np.linalg.cholesky(spread), np.column_stack([gradient, moment]))
    return np.asarray(np.linalg.lstsq(whitened[:, :-1], whitened[:, -1], rcond=None)[0])


def _updated(
    outcome: Floats, scaled: Floats, basis: Floats, covariance: MomentCovariance, start: Floats
) -> tuple[Floats, Floats, Floats]:
    gradient, moment = basis.T @ scaled, basis.T @ outcome

    def pieces(point: Floats) -> tuple[Floats, Floats, Floats]:
        residuals = outcome - scaled @ point
        left, spread = moment - gradient @ point, covariance(basis, residuals)
        multiplier = np.linalg.solve(spread, left)
        # the covariance is quadratic in the residuals, so halves of differences give the cross terms
        cross = [
            (covariance(basis, column + residuals) - covariance(basis, column - residuals)) / 4.0
            for column in scaled.T
        ]
        slope = gradient - np.column_stack([part @ multiplier for part in cross])
        return left, spread, slope

    def objective(point: Floats) -> tuple[float, Floats]:
        left, spread, slope = pieces(point)
        multiplier = np.linalg.solve(spread, left)
        return float(left @ multiplier), np.asarray(-2.0 * slope.T @ multiplier)

    done = optimize.minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-10})
    found = np.asarray(done.x)
    if not np.abs(objective(found)[1]).max() <= 1e-6 * max(1.0, float(done.fun)):
        raise _unsettled(str(done.message))
    _, spread, slope = pieces(found)
    return found, _checked(spread), slope


def _checked(spread: Floats) -> Floats:
    scale = np.sqrt(np.diag(spread))
    if (scale > 0).all() and np.linalg.eigvalsh(spread / np.outer(scale, scale))[0] > 1e-12:
        return spread
    raise DesignError(
        "the covariance of the moments is singular, so GMM cannot weight them",
        where=f"{len(spread)} moments",
        remedy="use fewer instruments than clusters, or method='2sls'",
    )


def _unsettled(where: str) -> DesignError:
    return DesignError(
        "GMM did not settle on an answer",
        where=where,
        remedy="use method='gmm' (two steps) or '2sls', and look at the strength of the instruments",
    )
