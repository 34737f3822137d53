r"""What the error of an estimated propensity score adds to the error of an effect by matching."""

from __future__ import annotations

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.estimators.matching.score import Score

__all__ = ["score_error"]


def score_error(
    score: Score, treated: Floats, score_weights: Floats, use: Floats, residuals: Floats, total: float
) -> Floats:
    r"""Return the influence of the score's coefficients on an effect by matching on the score, shape (n,).

    .. math::
        \hat G = -\frac{1}{W} \sum_i K_i \, r_i \, x_i \, \{y_i - \hat m_{D_i}(\hat p_i)\}, \qquad
        \hat\psi_i^{score} = v_i \, (D_i - \hat p_i) \, r_i \, x_i' \hat I^{-1} \hat G, \qquad
        r_i = \frac{G'(x_i'\hat\beta)}{\hat p_i (1 - \hat p_i)}

    with :math:`K_i` how much row i serves and :math:`v_i` its weight in the score. Abadie & Imbens (2016,
    theorem 2) give the variance of an effect by matching on an estimated score as
    :math:`\sigma^2 - c' I^{-1} c + d' I^{-1} d`, with :math:`c` the covariance of the effect's error with
    the score's and :math:`d` the derivative of the effect as the population's weights move with the score.
    Influence whose squares add up to that is :math:`\psi + (d - c)' I^{-1} S`, with :math:`S` the score's
    gradient, and :math:`d - c` comes down to the covariance, given the score, of covariates and outcomes
    among the rows that serve: :math:`\hat G`. For the ATE :math:`d` is zero.

    Parameters
    ----------
    score : Score
    treated : numpy.ndarray, shape (n,)
        0 and 1.
    score_weights : numpy.ndarray, shape (n,)
        Weights that the score was fitted with.
    use : numpy.ndarray, shape (n,)
        :math:`K_i`.
    residuals : numpy.ndarray, shape (n,)
        :math:`y_i - \hat m_{D_i}(\hat p_i)` where :math:`K_i` is not zero.
    total : float
        W, the weight of the matched targets.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Summing to zero.

    References
    ----------
    Abadie, A. & Imbens, G. W. (2016). Matching on the estimated propensity score. *Econometrica* 84(2),
    781–807.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.score import fit_score
    >>> from juntos_eval.estimators.matching.score_error import score_error
    >>> treated = np.array([1, 0, 0, 1, 1, 0])
    >>> x = np.array([[0.0], [0.0], [0.0], [1.0], [1.0], [1.0]])
    >>> score = fit_score(treated == 1, x, ("age",), np.ones(6))
    >>> use = np.array([0.0, 0.5, 0.5, 0.0, 0.0, 2.0])
    >>> error = score_error(score, treated, np.ones(6), use, np.array([0.0, 1.0, -1.0, 0.0, 0.0, 1.0]), 3.0)
    >>> bool(abs(error.sum()) < 1e-10)
    True
    """
    probability = score.probability
    variance = probability * (1.0 - probability)
    slope = variance if score.link == "logit" else np.exp(-0.5 * score.linear**2) / np.sqrt(2.0 * np.pi)
    ratio = np.divide(slope, variance, out=np.zeros(len(variance)), where=variance > 0)
    serving = use != 0
    pull = -((use * ratio * residuals)[serving] @ score.design[serving]) / total
    direction = score.information_inverse @ pull
    return np.asarray(score_weights * (treated - probability) * ratio * (score.design @ direction))
