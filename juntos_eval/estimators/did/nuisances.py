r"""What doubly robust difference-in-differences estimates on the way: a score and outcome regressions.

Both come with the error of their coefficients in linear form,

.. math:: \hat\beta - \beta \approx \frac{1}{n} \sum_{i=1}^{n} s_i B x_i,

which is what the influence of an effect built on them needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimators.matching.score import fit_score
from juntos_eval.numerics.inverse_probability_tilting import tilt

__all__ = ["Arms", "CoefficientError", "Regression", "Score", "likelihood_score", "regress", "tilted_score"]

# smallest eigenvalue of a cell's moment matrix, against the largest
SINGULAR = 1e-11


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """Treated and untreated rows with what describes them.

    Attributes
    ----------
    treated : numpy.ndarray of bool, shape (n,)
        Row (or unit, in a panel) of the treated group.
    weights : numpy.ndarray, shape (n,)
        With mean one.
    design : numpy.ndarray, shape (n, p)
        A column of ones and covariates, orthonormal (see :mod:`juntos_eval.numerics.orthogonal_design`).
    covariates : numpy.ndarray, shape (n, q)
        As they came, for messages and for the likelihood score.
    names : tuple of str, length q

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.nuisances import Arms
    >>> Arms(treated=np.array([True, False]), weights=np.ones(2), design=np.ones((2, 1)),
    ...      covariates=np.zeros((2, 0)), names=()).treated.sum()
    np.int64(1)
    """

    treated: Bools
    weights: Floats
    design: Floats
    covariates: Floats
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoefficientError:
    """The error of coefficients in linear form: s, B and the rows x of the module's formula.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.nuisances import CoefficientError
    >>> error = CoefficientError(residual=np.array([1.0, -1.0]), design=np.ones((2, 1)), bread=np.eye(1))
    >>> error.along(np.array([2.0])).tolist()
    [2.0, -2.0]
    """

    residual: Floats
    design: Floats
    bread: Floats

    def along(self, moment: Floats) -> Floats:
        """Return what each row adds, through these coefficients, to a value with this derivative."""
        return np.asarray(self.residual * (self.design @ (self.bread @ moment)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The odds of being treated.

    Attributes
    ----------
    probability : numpy.ndarray, shape (n,)
    odds : numpy.ndarray, shape (n,)
        Zero for trimmed controls.
    trimmed : numpy.ndarray of bool, shape (n,)
    error : CoefficientError or None
        None where the error of the coefficients moves no effect built on them (tilting).

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.nuisances import Score
    >>> Score(probability=np.array([0.5]), odds=np.array([1.0]), trimmed=np.array([False]), error=None).error
    """

    probability: Floats
    odds: Floats
    trimmed: Bools
    error: CoefficientError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """What an outcome would be by the regression of one group of rows.

    Attributes
    ----------
    fitted : numpy.ndarray, shape (n,)
        For every row.
    error : CoefficientError

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.nuisances import regress
    >>> regress(np.array([1.0, 3.0]), np.ones((2, 1)), np.ones(2), "the controls", None).fitted.tolist()
    [2.0, 2.0]
    """

    fitted: Floats
    error: CoefficientError


def regress(outcome: Floats, design: Floats, weights: Floats, where: str, arms: Arms | None) -> Regression:
    r"""Regress by weighted least squares the rows whose weight is not zero.

    .. math:: \hat\beta = \Bigl(\sum_i w_i x_i x_i'\Bigr)^{-1} \sum_i w_i x_i y_i, \qquad
              s_i = w_i (y_i - x_i'\hat\beta), \quad B = \Bigl(\frac{1}{n} \sum_i w_i x_i x_i'\Bigr)^{-1}

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
    design : numpy.ndarray, shape (n, p)
    weights : numpy.ndarray, shape (n,)
    where : str
        Name of these rows, for the error.
    arms : Arms, optional
        Covariates and their names, for the error.

    Returns
    -------
    Regression

    Raises
    ------
    DesignError
        If the covariates are collinear in these rows, or there are fewer rows than coefficients.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.nuisances import regress
    >>> x = np.column_stack([np.ones(3), [0.0, 1.0, 2.0]])
    >>> pair = regress(np.array([0.0, 1.0, 9.0]), x, np.array([1.0, 1.0, 0.0]), "two rows", None)
    >>> pair.fitted.round(9).tolist()
    [0.0, 1.0, 2.0]
    """
    used = np.flatnonzero(weights)
    rows, row_weights = design[used], weights[used]
    moments = (rows * row_weights[:, None]).T @ rows / len(design)
    sizes = linalg.eigvalsh(moments)
    if len(used) < design.shape[1] or sizes[0] <= SINGULAR * sizes[-1]:
        raise _cannot_regress(used, where, design.shape[1], arms)
    factor = linalg.cho_factor(moments)
    coefficients = linalg.cho_solve(factor, (row_weights * outcome[used]) @ rows / len(design))
    fitted = design @ coefficients
    error = CoefficientError(
        residual=weights * (outcome - fitted),
        design=design,
        bread=np.asarray(linalg.cho_solve(factor, np.eye(design.shape[1]))),
    )
    return Regression(fitted=fitted, error=error)


def likelihood_score(arms: Arms, trim: float) -> Score:
    r"""Logit of treatment by maximum likelihood, with the error of its coefficients.

    .. math:: s_i = w_i (D_i - \hat\pi_i), \qquad
              B = \Bigl(\frac{1}{n} \sum_i w_i \hat\pi_i (1 - \hat\pi_i) x_i x_i'\Bigr)^{-1}

    Parameters
    ----------
    arms : Arms
    trim : float
        Controls with at least this probability get no odds.

    Returns
    -------
    Score

    Raises
    ------
    DesignError
        If covariates separate treated from untreated.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.nuisances import Arms, likelihood_score
    >>> arms = Arms(treated=np.array([True, False]), weights=np.ones(2), design=np.ones((2, 1)),
    ...             covariates=np.zeros((2, 0)), names=())
    >>> likelihood_score(arms, 0.995).odds.tolist()
    [1.0, 1.0]
    """
    if arms.design.shape[1] > 1:
        fitted = fit_score(arms.treated, arms.covariates, arms.names, arms.weights)
        if not fitted.converged:
            raise DesignError(
                "the logit of treatment on the covariates does not converge",
                where=f"{len(arms.treated)} rows, covariates {', '.join(arms.names)}",
                remedy="use fewer covariates, or method='reg', which needs no score",
            )
        probability, odds = fitted.probability, np.exp(fitted.linear)
    else:
        share = float(arms.weights[arms.treated].sum() / arms.weights.sum())
        probability = np.full(len(arms.treated), share)
        odds = probability / (1.0 - probability)
    variance = arms.weights * probability * (1.0 - probability)
    information = (arms.design * variance[:, None]).T @ arms.design / len(variance)
    trimmed = ~arms.treated & (probability >= trim)
    error = CoefficientError(
        residual=arms.weights * (arms.treated - probability),
        design=arms.design,
        bread=np.asarray(linalg.inv(information)),
    )
    return Score(probability=probability, odds=np.where(trimmed, 0.0, odds), trimmed=trimmed, error=error)


def tilted_score(arms: Arms, trim: float) -> Score:
    """Logit of treatment by inverse probability tilting: the odds balance the covariates exactly.

    Parameters
    ----------
    arms : Arms
    trim : float
        Controls with at least this probability get no odds.

    Returns
    -------
    Score

    Raises
    ------
    DesignError
        If no odds balance, because the treated's covariates lie outside what the controls span.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.nuisances import Arms, tilted_score
    >>> arms = Arms(treated=np.array([True, False]), weights=np.ones(2), design=np.ones((2, 1)),
    ...             covariates=np.zeros((2, 0)), names=())
    >>> tilted_score(arms, 0.995).odds.tolist()
    [1.0, 1.0]
    """
    tilting = tilt(arms.design, arms.treated, arms.weights)
    if not tilting.is_balanced:
        raise _cannot_balance(arms, tilting.imbalance)
    probability = tilting.odds / (1.0 + tilting.odds)
    trimmed = ~arms.treated & (probability >= trim)
    odds = np.where(trimmed, 0.0, tilting.odds)
    return Score(probability=probability, odds=odds, trimmed=trimmed, error=None)


def _cannot_regress(used: Codes, where: str, coefficients: int, arms: Arms | None) -> DesignError:
    flat = []
    if arms is not None and len(used):
        spread = np.ptp(arms.covariates[used], axis=0)
        flat = [name for name, range_ in zip(arms.names, spread, strict=True) if range_ == 0]
    what = (
        f"covariates do not vary among {where}: {', '.join(flat)}"
        if flat
        else f"covariates are collinear among {where}"
    )
    return DesignError(
        what,
        where=f"{len(used)} rows for {coefficients} coefficients",
        remedy="leave covariates out or join their levels; method='ipw' needs no outcome regression",
    )


def _cannot_balance(arms: Arms, imbalance: float) -> DesignError:
    controls = arms.covariates[~arms.treated]
    weights = arms.weights[arms.treated]
    mean = weights @ arms.covariates[arms.treated] / weights.sum()
    outside = (mean <= controls.min(axis=0)) | (mean >= controls.max(axis=0))
    guilty = [name for name, is_outside in zip(arms.names, outside, strict=True) if is_outside]
    detail = (
        f"the treated's mean lies at or beyond every control's value of {', '.join(guilty)}"
        if guilty
        else f"{imbalance:.3g} standard deviations of imbalance remain"
    )
    return DesignError(
        "no weights of the controls balance the covariates: there is no overlap",
        where=f"{int(arms.treated.sum())} treated and {len(controls)} controls; {detail}",
        remedy="leave covariates out, keep to rows that have counterparts, or use method='reg' and say so",
    )
