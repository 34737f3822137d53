r"""The Rasch model for yes/no items, by conditional maximum likelihood.

A person with parameter :math:`\theta` affirms item :math:`i` of severity :math:`\delta_i` with probability

.. math:: P(x_i = 1) = \frac{\exp(\theta - \delta_i)}{1 + \exp(\theta - \delta_i)} .

The raw score is sufficient for :math:`\theta`; given it, the likelihood depends on the severities alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from juntos_eval.arrays import Codes, Floats, frozen
from juntos_eval.errors import DesignError

__all__ = ["Rasch", "elementary_symmetric", "fit_rasch"]


# an item this many logits from the others is never affirmed, or always: the search has run away
_FARTHEST: Final = 15.0
_LONGEST_STEP: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rasch:
    r"""A fitted Rasch model of K items.

    Attributes
    ----------
    severities : numpy.ndarray, shape (K,)
        :math:`\delta_i` in logits, summing to zero: the scale has no other origin.
    covariance : numpy.ndarray, shape (K, K)
        Sandwich of the weighted conditional likelihood, persons independent; of rank K-1.
    person_parameters, person_errors : numpy.ndarray, shape (K+1,)
        :math:`\theta_r` of raw scores 0 … K, and its standard error of measurement.
    infit, outfit : numpy.ndarray, shape (K,)
        Mean squared residuals given the raw score, weighted by information and plain: 1 is expected, more
        says that an item goes its own way, less that it repeats the others.
    score_shares : numpy.ndarray, shape (K+1,)
        Weighted share of each raw score among complete answers.
    log_likelihood : float
        Conditional, of the weighted answers that inform the severities.
    complete, informative : int
        Persons who answered every item; those of them with neither none nor all affirmed.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.rasch import fit_rasch
    >>> answers = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, 0], [0, 1, 1], [1, 0, 1.0]])
    >>> fit_rasch(answers).severities.argmax()
    np.int64(2)
    """

    severities: Floats
    covariance: Floats
    person_parameters: Floats
    person_errors: Floats
    infit: Floats
    outfit: Floats
    score_shares: Floats
    log_likelihood: float
    complete: int
    informative: int

    def __post_init__(self) -> None:
        for name in ("severities", "covariance", "person_parameters", "person_errors", "infit", "outfit"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        object.__setattr__(self, "score_shares", frozen(self.score_shares))

    @property
    def std_errors(self) -> Floats:
        """Standard errors of the severities, shape (K,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    def exceedance(self, threshold: float) -> Floats:
        r"""Probability that the parameter behind a raw score lies beyond a threshold.

        .. math:: P(\theta > \tau \mid r) = \Phi\{(\theta_r - \tau) / s_r\}, \quad P(\theta > \tau \mid 0) = 0

        The true parameter is taken as normal about the estimate with its error of measurement; who affirmed
        nothing is taken to lie below any threshold.

        Parameters
        ----------
        threshold : float
            Logits, on the scale of ``severities``.

        Returns
        -------
        numpy.ndarray, shape (K+1,)
            By raw score 0 … K.

        References
        ----------
        Cafiero, C., Viviani, S. & Nord, M. (2018). Food security measurement in a global context: the Food
        Insecurity Experience Scale. Measurement 116, 146-152.
        """
        beyond = special.ndtr((self.person_parameters - threshold) / self.person_errors)
        return np.concatenate([[0.0], beyond[1:]])


def fit_rasch(
    answers: Floats, weights: Floats | None = None, *, tolerance: float = 1e-10, max_steps: int = 100
) -> Rasch:
    r"""Estimate item severities by conditional maximum likelihood, then person parameters given them.

    With :math:`\epsilon_i = e^{-\delta_i}` and the elementary symmetric functions :math:`\gamma_r(\epsilon)`,

    .. math::

        \ell(\delta) = -\sum_n w_n \Big(\sum_i x_{ni} \delta_i + \log \gamma_{r_n}(\epsilon)\Big), \qquad
        \sum_i \delta_i = 0,

    maximised by Newton's steps. Person parameters solve :math:`\sum_i P_i(\theta_r) = r`; for the extreme
    scores 0 and K, where none exists, the pseudo-scores 0.5 and K - 0.5 stand in. The error of measurement is
    :math:`s_r = (\sum_i P_i (1 - P_i))^{-1/2}` at :math:`\theta_r`.

    Parameters
    ----------
    answers : numpy.ndarray, shape (n, K)
        1 affirmed, 0 not, NaN not answered: a row with a NaN informs nothing.
    weights : numpy.ndarray, shape (n,), optional
        Positive; only their ratios matter.
    tolerance : float
        Largest step, in logits, at which the search ends.
    max_steps : int

    Returns
    -------
    Rasch

    Raises
    ------
    DesignError
        If an item is affirmed by all or none of those who inform the severities, or the likelihood has no
        finite maximum.

    References
    ----------
    Rasch, G. (1960). Probabilistic Models for Some Intelligence and Attainment Tests. Copenhagen.
    Andersen, E. B. (1970). Asymptotic properties of conditional maximum-likelihood estimators. Journal of the
    Royal Statistical Society B 32(2), 283-301.
    Cafiero, C., Viviani, S. & Nord, M. (2018). Measurement 116, 146-152.
    Müller, M. (2020). Item fit statistics for Rasch analysis: can we trust them? Journal of Statistical
    Distributions and Applications 7, 5 (infit and outfit given the raw score).

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.rasch import fit_rasch
    >>> rng = np.random.default_rng(1)
    >>> chance = 1 / (1 + np.exp(-(rng.normal(size=(5000, 1)) - np.array([-1.0, 0.0, 1.0]))))
    >>> fit_rasch((rng.uniform(size=chance.shape) < chance).astype(float)).severities.round(1).tolist()
    [-1.0, -0.0, 1.0]
    """
    answers = np.asarray(answers, dtype=np.float64)
    weights = np.ones(len(answers)) if weights is None else np.asarray(weights, dtype=np.float64)
    is_complete = ~np.isnan(answers).any(axis=1)
    answers, weights = answers[is_complete], weights[is_complete]
    _check_values(answers, weights)
    scores = answers.sum(axis=1).astype(np.int64)
    is_informative = (scores > 0) & (scores < answers.shape[1])
    x, r = answers[is_informative], scores[is_informative]
    w = weights[is_informative] / weights[is_informative].mean() if is_informative.any() else weights[:0]
    _check_items(x)
    severities = _maximise(x, r, w, tolerance, max_steps)
    parameters, errors = _person_parameters(severities)
    infit, outfit = _fit_statistics(x, r, w, severities)
    shares = np.bincount(scores, weights=weights, minlength=answers.shape[1] + 1)
    return Rasch(
        severities=severities,
        covariance=_sandwich(x, r, w, severities),
        person_parameters=parameters,
        person_errors=errors,
        infit=infit,
        outfit=outfit,
        score_shares=shares / shares.sum(),
        log_likelihood=_log_likelihood(severities, w @ x, _score_counts(r, w, x.shape[1])),
        complete=len(answers),
        informative=len(x),
    )


def elementary_symmetric(values: Floats) -> Floats:
    r"""Elementary symmetric functions :math:`\gamma_0, …, \gamma_K` of K positive numbers.

    .. math:: \gamma_r^{(k)} = \gamma_r^{(k-1)} + \epsilon_k\, \gamma_{r-1}^{(k-1)}

    one number at a time: sums of positive terms only, so that nothing cancels.

    Parameters
    ----------
    values : numpy.ndarray, shape (K,)

    Returns
    -------
    numpy.ndarray, shape (K+1,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.rasch import elementary_symmetric
    >>> elementary_symmetric(np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, 6.0, 11.0, 6.0]
    """
    gammas = np.zeros(len(values) + 1)
    gammas[0] = 1.0
    for count, value in enumerate(values, start=1):
        gammas[1 : count + 1] += value * gammas[:count]
    return gammas


def _check_values(answers: Floats, weights: Floats) -> None:
    odd = int((~np.isin(answers, (0.0, 1.0))).any(axis=1).sum())
    if odd:
        raise DesignError("Answers must be 0, 1 or missing", where=f"{odd:,} rows", remedy="recode the items")
    if not (weights > 0).all():
        raise DesignError("Weights must be positive", where=f"{int((~(weights > 0)).sum()):,} rows")


def _check_items(x: Floats) -> None:
    shares = x.mean(axis=0) if len(x) else np.zeros(x.shape[1])
    constant = np.flatnonzero((shares == 0) | (shares == 1))
    if len(constant):
        raise DesignError(
            f"Items {', '.join(str(item + 1) for item in constant)} were affirmed by all or by none",
            where=f"{len(x):,} persons with neither none nor all items affirmed",
            remedy="leave the item out, or use a larger sample",
        )


def _score_counts(r: Codes, w: Floats, items: int) -> Floats:
    return np.bincount(r, weights=w, minlength=items + 1).astype(np.float64)


def _log_likelihood(severities: Floats, item_sums: Floats, score_counts: Floats) -> float:
    return float(-item_sums @ severities - score_counts @ np.log(elementary_symmetric(np.exp(-severities))))


def _conditional_shares(severities: Floats) -> tuple[Floats, Floats]:
    """P(x_i = 1 | r), shape (K+1, K), and P(x_i = x_j = 1 | r), shape (K+1, K, K), by leaving items out."""
    items = len(severities)
    values = np.exp(-severities)
    gammas = elementary_symmetric(values)
    single = np.zeros((items + 1, items))
    double = np.zeros((items + 1, items, items))
    for i in range(items):
        single[1:, i] = values[i] * elementary_symmetric(np.delete(values, i)) / gammas[1:]
        double[:, i, i] = single[:, i]
        for j in range(i):
            without = elementary_symmetric(np.delete(values, [i, j]))
            double[2:, i, j] = double[2:, j, i] = values[i] * values[j] * without / gammas[2:]
    return single, double


def _information(severities: Floats, score_counts: Floats) -> tuple[Floats, Floats]:
    """Give the expected item sums and the information about the severities."""
    single, double = _conditional_shares(severities)
    spread = double - single[:, :, None] * single[:, None, :]
    return score_counts @ single, np.tensordot(score_counts, spread, axes=1)


def _maximise(x: Floats, r: Codes, w: Floats, tolerance: float, max_steps: int) -> Floats:
    items = x.shape[1]
    item_sums, counts = w @ x, _score_counts(r, w, items)
    severities = -special.logit(item_sums / w.sum())
    severities -= severities.mean()
    value = _log_likelihood(severities, item_sums, counts)
    for _ in range(max_steps):
        if np.abs(severities).max() > _FARTHEST:
            break
        expected, information = _information(severities, counts)
        # the information is blind to a common shift: the added constant makes it regular along that direction
        step: Floats = np.linalg.solve(information + 1.0 / items, expected - item_sums)
        step -= step.mean()
        step *= min(1.0, _LONGEST_STEP / max(np.abs(step).max(), tolerance))
        if np.abs(step).max() < tolerance:
            return np.asarray(severities, dtype=np.float64)
        for _halving in range(30):
            trial = _log_likelihood(severities + step, item_sums, counts)
            if trial >= value - 1e-12 * abs(value):
                break
            step /= 2.0
        severities, value = severities + step, trial
    raise DesignError(
        "The conditional likelihood of the items has no finite maximum",
        where=f"{len(x):,} persons, {items} items",
        remedy="some items split the persons into groups that never cross: leave them out",
    )


def _sandwich(x: Floats, r: Codes, w: Floats, severities: Floats) -> Floats:
    single, _ = _conditional_shares(severities)
    _, information = _information(severities, _score_counts(r, w, x.shape[1]))
    # the pseudo-inverse of a matrix whose null vector is known: a common shift
    bread = np.linalg.inv(information + 1.0 / len(severities)) - 1.0 / len(severities)
    influence: Floats = ((single[r] - x) * w[:, None]) @ bread
    return np.asarray(influence.T @ influence, dtype=np.float64)


def _person_parameters(severities: Floats) -> tuple[Floats, Floats]:
    items = len(severities)
    targets = np.clip(np.arange(items + 1, dtype=np.float64), 0.5, items - 0.5)
    low, high = severities.min() - 20.0, severities.max() + 20.0
    lower, upper = np.full(items + 1, low), np.full(items + 1, high)
    for _ in range(100):
        middle = (lower + upper) / 2.0
        expected = special.expit(middle[:, None] - severities).sum(axis=1)
        lower, upper = (
            np.where(expected < targets, middle, lower),
            np.where(expected < targets, upper, middle),
        )
    parameters = (lower + upper) / 2.0
    chance = special.expit(parameters[:, None] - severities)
    return parameters, 1.0 / np.sqrt((chance * (1.0 - chance)).sum(axis=1))


def _fit_statistics(x: Floats, r: Codes, w: Floats, severities: Floats) -> tuple[Floats, Floats]:
    chance = _conditional_shares(severities)[0][r]
    variance = chance * (1.0 - chance)
    squares = (x - chance) ** 2
    return (w @ squares) / (w @ variance), (w @ (squares / variance)) / w.sum()
