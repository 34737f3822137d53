r"""The propensity score: the probability of treatment given covariates, by logit or probit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from juntos_eval.arrays import Bools, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check
from juntos_eval.estimators.matching.separation import refuse_separation
from juntos_eval.numerics.convex_newton import minimise_convex

__all__ = ["LINKS", "Score", "fit_score"]

LINKS = ("logit", "probit")

# R's glm and lm treat a column as spanned by the earlier ones below this share of its length
COLLINEAR = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    r"""A fitted propensity score :math:`\hat p_i = G(x_i'\hat\beta)`.

    Attributes
    ----------
    probability : numpy.ndarray, shape (n,)
        :math:`\hat p_i`.
    linear : numpy.ndarray, shape (n,)
        :math:`x_i'\hat\beta`.
    coefficients : numpy.ndarray, shape (p + 1,)
        The constant first.
    names : tuple of str, length p + 1
        ``"constant"``, then the covariates that were kept.
    link : str
        ``"logit"`` or ``"probit"``.
    converged : bool
    design : numpy.ndarray, shape (n, p + 1)
        A column of ones, then the covariates that were kept.
    information_inverse : numpy.ndarray, shape (p + 1, p + 1)
        :math:`\bigl[\sum_i w_i \frac{G'(x_i'\hat\beta)^2}{\hat p_i (1 - \hat p_i)} x_i x_i'\bigr]^{-1}`, the
        inverse of the weighted expected information.
    checks : tuple of Check
        Columns that were left out, and whether the fit converged.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.score import fit_score
    >>> treated = np.array([True, False, True, False])
    >>> score = fit_score(treated, np.array([[1.0], [1.0], [0.0], [0.0]]), ("is_rural",), np.ones(4))
    >>> score.probability.round(6).tolist()
    [0.5, 0.5, 0.5, 0.5]
    """

    probability: Floats
    linear: Floats
    coefficients: Floats
    names: tuple[str, ...]
    link: str
    converged: bool
    design: Floats
    information_inverse: Floats
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        for name in ("probability", "linear", "coefficients", "design", "information_inverse"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


def fit_score(
    treated: Bools, covariates: Floats, names: tuple[str, ...], weights: Floats, *, link: str = "logit"
) -> Score:
    r"""Fit the probability of treatment by maximum (pseudo-)likelihood.

    .. math::
        \hat\beta = \arg\max_\beta \sum_i w_i \{D_i \log G(x_i'\beta) + (1 - D_i) \log (1 - G(x_i'\beta))\}

    Constant covariates, and those that earlier ones (in the order given) span, are left out with a check
    that names them: they change no fitted probability. Separation is an error that names who separates,
    since there no maximum exists.

    Parameters
    ----------
    treated : numpy.ndarray of bool, shape (n,)
    covariates : numpy.ndarray, shape (n, p)
        Without a constant.
    names : tuple of str, length p
    weights : numpy.ndarray, shape (n,)
        Ones for an unweighted fit.
    link : str
        ``"logit"`` or ``"probit"``.

    Returns
    -------
    Score

    Raises
    ------
    DesignError
        If no covariate varies, treatment is separated by covariates, or the link has another name.

    References
    ----------
    Albert, A. & Anderson, J. A. (1984). On the existence of maximum likelihood estimates in logistic
    regression models. *Biometrika* 71(1), 1–10.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.score import fit_score
    >>> x = np.array([[0.0], [0.0], [0.0], [1.0], [1.0], [1.0]])
    >>> score = fit_score(np.array([1, 0, 0, 1, 1, 0]) == 1, x, ("age",), np.ones(6))
    >>> score.probability.round(4).tolist()
    [0.3333, 0.3333, 0.3333, 0.6667, 0.6667, 0.6667]
    """
    if link not in LINKS:
        raise DesignError(
            f"a propensity score has no link {link!r}",
            where="link",
            remedy=f"choose one of {', '.join(LINKS)}",
        )
    kept, checks = _usable_columns(covariates, names)
    design = np.column_stack([np.ones(len(treated)), covariates[:, kept]])
    centre, scale = design[:, 1:].mean(axis=0), design[:, 1:].std(axis=0)
    standard = np.column_stack([np.ones(len(treated)), (design[:, 1:] - centre) / scale])
    coefficients, linear, mean, converged = _maximise(treated, standard, weights, link)
    kept_names = tuple(names[column] for column in kept)
    extreme = np.minimum(mean, 1.0 - mean) < 1e-4
    if extreme.any():
        refuse_separation(treated, standard[:, 1:], kept_names, extreme)
    back = _unstandardise(centre, scale)
    information = (standard * (weights * _information(linear, mean, link))[:, None]).T @ standard
    return Score(
        probability=mean,
        linear=linear,
        coefficients=back @ coefficients,
        names=("constant", *kept_names),
        link=link,
        converged=converged,
        design=design,
        information_inverse=back @ np.linalg.inv(information) @ back.T,
        checks=(*checks, _convergence(converged, link)),
    )


def _usable_columns(covariates: Floats, names: tuple[str, ...]) -> tuple[list[int], list[Check]]:
    """Return the columns that vary and that earlier ones do not span, and what was left out."""
    varying = [j for j in range(covariates.shape[1]) if np.ptp(covariates[:, j]) > 0]
    if not varying:
        raise DesignError(
            "no covariate varies, so there is no score to estimate",
            where=f"covariates {', '.join(names) or 'none'}, {len(covariates)} rows",
            remedy="give covariates that differ between rows",
        )
    checks = []
    if len(varying) < len(names):
        constant = [name for j, name in enumerate(names) if j not in varying]
        checks.append(Check("constant covariates", None, f"left out of the score: {', '.join(constant)}"))
    free = _independent(covariates[:, varying])
    kept = [j for j, is_free in zip(varying, free, strict=True) if is_free]
    if len(kept) < len(varying):
        spanned = [names[j] for j in varying if j not in kept]
        checks.append(
            Check("collinear covariates", None, f"spanned by earlier ones, left out: {', '.join(spanned)}")
        )
    return kept, checks


def _independent(columns: Floats) -> list[bool]:
    """Say which centred columns stick out of the span of the ones before them."""
    centred = columns - columns.mean(axis=0)
    triangle = np.asarray(np.linalg.qr(centred / np.linalg.norm(centred, axis=0), mode="r"))
    basis: list[Floats] = []
    free = []
    for column in triangle.T:
        rest = column.copy()
        for _ in range(2):  # once more against rounding
            for direction in basis:
                rest = rest - (direction @ rest) * direction
        length = float(np.linalg.norm(rest))
        free.append(length > COLLINEAR)
        if free[-1]:
            basis.append(rest / length)
    return free


def _maximise(
    treated: Bools, standard: Floats, weights: Floats, link: str
) -> tuple[Floats, Floats, Floats, bool]:
    """Return coefficients, linear predictor, probabilities, and whether the search converged."""
    sign = np.where(treated, 1.0, -1.0)
    share = weights / weights.sum()
    loss = _logit_loss if link == "logit" else _probit_loss

    def evaluate(coefficients: Floats) -> tuple[float, Floats, Floats]:
        value, slope, curvature = loss(sign * (standard @ coefficients))
        gradient = standard.T @ (share * sign * slope)
        return float(share @ value), gradient, (standard * (share * curvature)[:, None]).T @ standard

    found = minimise_convex(evaluate, np.zeros(standard.shape[1]), tolerance=1e-11)
    linear = np.zeros(len(standard))
    # column by column, so that equal rows get exactly equal scores and tie
    for column, coefficient in zip(standard.T, found.argument, strict=True):
        linear += coefficient * column
    probability = special.expit(linear) if link == "logit" else special.ndtr(linear)
    return found.argument, linear, probability, found.is_reached


def _logit_loss(margin: Floats) -> tuple[Floats, Floats, Floats]:
    """Return -log G of the margin, its slope and its curvature."""
    miss = special.expit(-margin)
    return np.asarray(np.logaddexp(0.0, -margin)), -miss, miss * (1.0 - miss)


def _probit_loss(margin: Floats) -> tuple[Floats, Floats, Floats]:
    below = special.log_ndtr(margin)
    mills = np.exp(-0.5 * margin**2 - below) / np.sqrt(2.0 * np.pi)
    return -below, -mills, mills * (mills + margin)


def _information(linear: Floats, probability: Floats, link: str) -> Floats:
    """Return the expected information of each row, per unit of weight and of squared covariates."""
    variance = probability * (1.0 - probability)
    if link == "logit":
        return np.asarray(variance)
    density = np.exp(-0.5 * linear**2) / np.sqrt(2.0 * np.pi)
    return np.asarray(np.divide(density**2, variance, out=np.zeros(len(linear)), where=variance > 0))


def _unstandardise(centre: Floats, scale: Floats) -> Floats:
    """Return the matrix that takes coefficients of standardised covariates to those of the raw ones."""
    back = np.diag(np.concatenate([[1.0], 1.0 / scale]))
    back[0, 1:] = -centre / scale
    return back


def _convergence(converged: bool, link: str) -> Check:
    detail = (
        "the gradient of the likelihood is zero"
        if converged
        else "the gradient of the likelihood is not zero where the search ended"
    )
    return Check("score converged", converged, f"{link}: {detail}")
