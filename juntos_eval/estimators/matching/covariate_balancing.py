r"""Covariate balancing scores: a logit chosen so that the weights it makes balance covariates.

With index :math:`\eta = x'\beta`, probability :math:`p = 1 / (1 + e^{-\eta})` and sampling weight s, the
balance of an estimand is

.. math:: \sum_i s_i b(D_i, p_i) x_i = 0, \qquad
          b = \frac{D}{p} - \frac{1 - D}{1 - p} \;(\text{ATE}), \quad
          D - \frac{(1 - D) p}{1 - p} \;(\text{ATT}), \quad
          \frac{D (1 - p)}{p} - (1 - D) \;(\text{ATC})

Each is the gradient of a convex loss, so that a just-identified score exists once or not at all. With the
score of the likelihood beside it the moments are twice as many as coefficients, and GMM weighs them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, special

from juntos_eval.arrays import Bools, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check
from juntos_eval.estimators.matching.balancing_moments import Moments, gmm_minimum, moments
from juntos_eval.estimators.matching.nuisances import ScoreModel, information_root
from juntos_eval.estimators.matching.score import Score, fit_score
from juntos_eval.numerics.convex_newton import minimise_convex
from juntos_eval.numerics.distributions import chi_squared_tail

__all__ = ["BALANCED_ESTIMANDS", "StackedScore", "fit_balancing_score"]

BALANCED_ESTIMANDS = ("att", "ate", "atc")
# J tests below this are told as failed
LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class StackedScore:
    r"""A score that solves m stacked moments on the same basis, with the influence of its coefficients.

    Row i adds :math:`r_i \otimes x_i` to moments whose derivative is A, so that influence on all
    coefficients is :math:`-A^{-1} (r_i \otimes x_i)`; those of the score come first.

    Attributes
    ----------
    probability, density : numpy.ndarray, shape (n,)
    residuals : numpy.ndarray, shape (n, m)
        r.
    basis : numpy.ndarray, shape (n, k)
    derivative : numpy.ndarray, shape (m k, m k)
        A.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.covariate_balancing import StackedScore
    >>> half = np.array([0.5, 0.5])
    >>> score = StackedScore(probability=half, density=half, residuals=np.array([[1.0], [-1.0]]),
    ...                      basis=np.ones((2, 1)), derivative=np.array([[-2.0]]))
    >>> score.propagate(np.ones(2)).tolist()
    [1.0, -1.0]
    """

    probability: Floats
    density: Floats
    residuals: Floats
    basis: Floats
    derivative: Floats

    def __post_init__(self) -> None:
        for name in ("probability", "density", "residuals", "basis", "derivative"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def parameters(self) -> int:
        """Coefficients of the score, the constant included."""
        return int(self.basis.shape[1])

    def propagate(self, slope: Floats) -> Floats:
        """Return what each row adds to a sum through the score's coefficients."""
        moved = np.zeros(len(self.derivative))
        moved[: self.parameters] = self.basis.T @ slope
        direction = np.linalg.solve(self.derivative.T, -moved).reshape(-1, self.parameters)
        return np.asarray(((self.basis @ direction.T) * self.residuals).sum(axis=1))


def fit_balancing_score(
    treated: Bools,
    covariates: Floats,
    names: tuple[str, ...],
    weights: Floats,
    *,
    estimand: str,
    gmm: str | None,
) -> tuple[Score, ScoreModel | StackedScore]:
    """Fit a logit whose weights balance covariates, alone or together with its likelihood.

    Parameters
    ----------
    treated : numpy.ndarray of bool, shape (n,)
    covariates : numpy.ndarray, shape (n, p)
    names : tuple of str, length p
    weights : numpy.ndarray, shape (n,)
        Sampling weights.
    estimand : {"att", "ate", "atc"}
    gmm : {"two_step", "continuous"} or None
        None: balance alone, just identified. Else balance and the score of the likelihood, weighted by their
        covariance under the model, at the likelihood's coefficients or at those sought.

    Returns
    -------
    score : Score
    model : ScoreModel or StackedScore
        Its influence.

    Raises
    ------
    DesignError
        For separation, and where no score balances.

    References
    ----------
    Imai, K. & Ratkovic, M. (2014). Covariate balancing propensity score. *Journal of the Royal Statistical
    Society B* 76(1), 243-263, equations 8 to 13.

    Zhao, Q. (2019). Covariate balancing propensity score by tailored loss functions. *Annals of Statistics*
    47(2), 965-993.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.covariate_balancing import fit_balancing_score
    >>> treated = np.array([True, True, False, False, False])
    >>> x = np.array([[0.0], [1.0], [0.0], [1.0], [1.0]])
    >>> score, _ = fit_balancing_score(treated, x, ("x",), np.ones(5), estimand="att", gmm=None)
    >>> score.probability.round(6).tolist()
    [0.5, 0.333333, 0.5, 0.333333, 0.333333]
    """
    start = fit_score(treated, covariates, names, weights)
    columns = start.design[:, 1:]
    centre, scale = columns.mean(axis=0), columns.std(axis=0)
    basis = np.column_stack([np.ones(len(treated)), (columns - centre) / scale])
    share = weights * (len(weights) / weights.sum())
    first = np.concatenate(
        [[start.coefficients[0] + centre @ start.coefficients[1:]], start.coefficients[1:] * scale]
    )
    model: ScoreModel | StackedScore
    exact = _just_identified(treated, basis, share, estimand, first)
    if gmm is None:
        if exact is None:
            raise _no_balance(start.names, treated, estimand)
        found, model = exact, _score_model(treated, basis, exact, share, estimand)
        check = Check("covariate balancing score", True, "as many moments as coefficients: exact balance")
    else:
        starts = [first] if exact is None else [first, exact]
        found, model, check = _over_identified(treated, basis, share, estimand, gmm, starts)
    linear = basis @ found
    coefficients = np.concatenate([[found[0] - (centre / scale) @ found[1:]], found[1:] / scale])
    probability = special.expit(linear)
    information = (start.design * (weights * probability * (1.0 - probability))[:, None]).T @ start.design
    kept = tuple(seen for seen in start.checks if seen.name != "score converged")
    return Score(
        probability=probability,
        linear=linear,
        coefficients=coefficients,
        names=start.names,
        link="logit",
        converged=True,
        design=start.design,
        information_inverse=np.asarray(np.linalg.pinv(information)),
        checks=(*kept, check),
    ), model


def _just_identified(
    treated: Bools, basis: Floats, share: Floats, estimand: str, first: Floats
) -> Floats | None:
    """Return the coefficients at which the tailored loss is least, or None where it has no least value."""
    total = float(share.sum())

    def evaluate(coefficients: Floats) -> tuple[float, Floats, Floats]:
        with np.errstate(over="ignore", invalid="ignore"):
            value, slope, curvature = _loss(treated, basis @ coefficients, estimand)
            loss = float(share @ value) / total
            if not np.isfinite(loss):
                return np.inf, np.zeros(len(coefficients)), np.eye(len(coefficients))
            gradient = basis.T @ (share * slope) / total
            return loss, gradient, (basis * (share * curvature / total)[:, None]).T @ basis

    found = minimise_convex(evaluate, first, tolerance=1e-11, max_iterations=200)
    return found.argument if found.is_reached else None


def _loss(treated: Bools, index: Floats, estimand: str) -> tuple[Floats, Floats, Floats]:
    """Return a loss in the index whose slope is minus the balance moment, with slope and curvature."""
    up, down = np.exp(np.where(treated, 0.0, index)), np.exp(np.where(treated, -index, 0.0))
    tilted = np.where(treated, down, up)
    if estimand == "att":
        value = np.where(treated, -index, up)
        return value, np.where(treated, -1.0, up), np.where(treated, 0.0, up)
    if estimand == "atc":
        value = np.where(treated, down, index)
        return value, np.where(treated, -down, 1.0), np.where(treated, down, 0.0)
    side = np.where(treated, -1.0, 1.0)
    return tilted + side * index, side * (1.0 + tilted), tilted


def _score_model(
    treated: Bools, basis: Floats, coefficients: Floats, share: Floats, estimand: str
) -> ScoreModel:
    index = basis @ coefficients
    _, slope, curvature = _loss(treated, index, estimand)
    probability = special.expit(index)
    return ScoreModel(
        probability=probability,
        density=probability * (1.0 - probability),
        residual=-share * slope,
        basis=basis,
        root=information_root(basis, share * curvature, "the covariate balancing score"),
    )


def _over_identified(
    treated: Bools, basis: Floats, share: Floats, estimand: str, gmm: str, starts: list[Floats]
) -> tuple[Floats, StackedScore, Check]:
    fixed = moments(treated, basis @ starts[0], estimand) if gmm == "two_step" else None
    tries = [gmm_minimum(treated, basis, share, estimand, start, fixed) for start in starts]
    reached = [minimum for minimum in tries if minimum.is_reached]
    if not reached:
        raise DesignError(
            "the over-identified covariate balancing score does not converge",
            where=f"{len(treated)} rows, {basis.shape[1]} coefficients, {gmm}",
            remedy="use over_identified=False or fewer covariates",
        )
    best = min(reached, key=lambda minimum: minimum.value)
    index = basis @ best.coefficients
    seen = moments(treated, index, estimand)
    parts = basis @ best.multipliers.reshape(2, -1).T
    residuals, curvature = _stacked(seen, parts, fixed, treated, basis @ starts[0])
    probability = special.expit(index)
    model = StackedScore(
        probability=probability,
        density=probability * (1.0 - probability),
        residuals=share[:, None] * residuals,
        basis=basis,
        derivative=_derivative(basis, share, curvature),
    )
    return best.coefficients, model, _j_test(seen, basis, share, fixed)


def _stacked(
    seen: Moments, parts: Floats, fixed: Moments | None, treated: Bools, first: Floats
) -> tuple[Floats, Floats]:
    r"""Return what each row adds to the stationarity of :math:`2 a'u - u'Bu`, and its derivatives.

    The indices are the score's, the two multipliers' and, in two steps, the first step's, which moves B.
    """
    rows, steps = len(treated), 3 if fixed is None else 4
    residuals, curvature = np.zeros((rows, steps)), np.zeros((rows, steps, steps))
    used = seen if fixed is None else fixed
    spread, spread_1, spread_2 = used.spread
    value, value_1, value_2 = seen.value
    quadratic = [np.einsum("ia,iab,ib->i", parts, each, parts) for each in (spread_1, spread_2)]
    residuals[:, 0] = 2.0 * (value_1 * parts).sum(axis=1)
    residuals[:, 1:3] = 2.0 * value - 2.0 * np.einsum("iab,ib->ia", spread, parts)
    curvature[:, 0, 0] = 2.0 * (value_2 * parts).sum(axis=1)
    curvature[:, 0, 1:3] = curvature[:, 1:3, 0] = 2.0 * value_1
    curvature[:, 1:3, 1:3] = -2.0 * spread
    across = -2.0 * np.einsum("iab,ib->ia", spread_1, parts)
    if fixed is None:
        residuals[:, 0] -= quadratic[0]
        curvature[:, 0, 0] -= quadratic[1]
        curvature[:, 0, 1:3] += across
        curvature[:, 1:3, 0] += across
    else:
        probability = special.expit(first)
        residuals[:, 3] = treated - probability
        curvature[:, 3, 3] = -probability * (1.0 - probability)
        curvature[:, 1:3, 3] = across
    return residuals, curvature


def _derivative(basis: Floats, share: Floats, curvature: Floats) -> Floats:
    steps = curvature.shape[1]
    blocks = [
        [(basis * (share * curvature[:, a, b])[:, None]).T @ basis for b in range(steps)]
        for a in range(steps)
    ]
    return np.block(blocks)


def _j_test(seen: Moments, basis: Floats, share: Floats, fixed: Moments | None) -> Check:
    r"""Return Hansen's test that likelihood and balance agree.

    With equal sampling weights it is the criterion. Unequal ones make the criterion's weights inefficient:
    then, with M what estimation leaves of the moments' error, :math:`\bar g' (M \Omega M')^+ \bar g`.
    """
    size = basis.shape[1]
    mean = (basis.T @ (share[:, None] * seen.value[0])).T.ravel()
    weigh = _derivative(basis, share, (seen if fixed is None else fixed).spread[0])
    if np.ptp(share) == 0:
        statistic = float(mean @ np.linalg.solve(weigh, mean))
    else:
        slope = np.vstack([(basis * (share * seen.value[1][:, a])[:, None]).T @ basis for a in (0, 1)])
        root = np.linalg.cholesky(_derivative(basis, share**2, seen.spread[0]))
        through = np.linalg.solve(weigh, slope)
        rest = np.eye(2 * size) - slope @ np.linalg.solve(slope.T @ through, through.T)
        white = linalg.solve_triangular(root, rest @ root, lower=True)
        roots, axes = np.linalg.eigh(white @ white.T)
        along = axes[:, -size:].T @ linalg.solve_triangular(root, mean, lower=True)
        statistic = float((along**2 / roots[-size:]).sum())
    p_value = chi_squared_tail(statistic, size)
    detail = (
        f"J = {statistic:.3f} on {size} degrees of freedom, p = {p_value:.3g}: likelihood and balance "
        f"{'agree on' if p_value >= LEVEL else 'disagree about'} the score"
    )
    return Check("over-identification of the score", p_value >= LEVEL, detail)


def _no_balance(names: tuple[str, ...], treated: Bools, estimand: str) -> DesignError:
    return DesignError(
        f"no covariate balancing score exists for the {estimand.upper()}: no weights of the other arm reach "
        "the means of the target",
        where=f"{len(treated)} rows, {int(treated.sum())} treated, covariates {', '.join(names[1:])}",
        remedy="use fewer covariates, join rare levels, trim, or over_identified=True",
    )
