r"""Estimates that are published with a probability that is a step function of their t statistic.

A study draws :math:`\theta \sim N(\mu, \tau^2)`, estimates :math:`y \sim N(\theta, s^2)`, and is published
with probability :math:`p(y/s)`, constant between cutoffs and 1 in the last step. What is seen has the density

.. math:: f(y \mid s) = \frac{p(y/s)\,\varphi_{\mu, \tau^2 + s^2}(y)}
                             {\sum_j p_j [\Phi_{\mu, \tau^2 + s^2}(c_{j+1}s)
                             - \Phi_{\mu, \tau^2 + s^2}(c_j s)]}
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from juntos_eval.arrays import Codes, Floats, frozen

__all__ = ["Selected", "fit_selection", "selected_tail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    r"""The model with the highest likelihood.

    Attributes
    ----------
    values : numpy.ndarray, shape (1 + 1 + J - 1,)
        :math:`\mu`, :math:`\tau`, then the probability of each step but the last, relative to it.
    influence : numpy.ndarray, shape (k, 1 + J)
        Of each study on each value, :math:`-H^{-1}` times its score; its column sums are zero.
    converged : bool
    loglikelihood : float

    Examples
    --------
    >>> from juntos_eval.numerics.truncated_selection import Selected
    >>> Selected(values=[0.0, 1.0], influence=[[0.0, 0.0]], converged=True, loglikelihood=0.0).converged
    True
    """

    values: Floats
    influence: Floats
    converged: bool
    loglikelihood: float

    def __post_init__(self) -> None:
        for name in ("values", "influence"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


def fit_selection(effects: Floats, errors: Floats, cutoffs: Floats, *, is_symmetric: bool) -> Selected:
    r"""Maximise the likelihood of what was published.

    Parameters
    ----------
    effects, errors : numpy.ndarray, shape (k,)
    cutoffs : numpy.ndarray, shape (J - 1,)
        Where the probability jumps, ascending; of the absolute t statistic where symmetric.
    is_symmetric : bool
        Whether the probability depends on the size of the t statistic only; the last step is then the
        largest statistics.

    Returns
    -------
    Selected

    References
    ----------
    Andrews, I., & Kasy, M. (2019). Identification of and correction for publication bias. *American Economic
    Review*, 109(8), 2766-2794, section II.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.truncated_selection import fit_selection
    >>> rng = np.random.default_rng(1)
    >>> errors = rng.uniform(0.5, 1.5, 4000)
    >>> effects = rng.normal(1.0, np.sqrt(0.25 + errors**2))
    >>> kept = (np.abs(effects / errors) > 1.96) | (rng.random(4000) < 0.3)
    >>> found = fit_selection(effects[kept], errors[kept], np.array([1.96]), is_symmetric=True)
    >>> bool(np.abs(found.values - [1.0, 0.5, 0.3]).max() < 0.15)
    True
    """
    statistic = np.abs(effects / errors) if is_symmetric else effects / errors
    step = np.searchsorted(cutoffs, statistic, side="right")
    edges = _edges(cutoffs, is_symmetric=is_symmetric)

    def logs(parameters: Floats) -> Floats:
        return _log_density(parameters, effects, errors, step, edges)

    start = np.concatenate(
        [
            [float(np.average(effects, weights=errors**-2)), np.log(np.std(effects) + 1e-3)],
            np.zeros(len(cutoffs)),
        ]
    )
    found = optimize.minimize(_loss_of(logs), start, method="BFGS", options={"gtol": 1e-7})
    at = np.asarray(found.x)
    for _ in range(3):  # Newton's last steps, so that the way there leaves no trace
        scores = _derivative(logs, at)
        hessian = _derivative(lambda p: _derivative(logs, p).sum(axis=0), at)
        step_taken = np.linalg.pinv((hessian + hessian.T) / 2) @ scores.sum(axis=0)
        at = at - step_taken if -float(logs(at - step_taken).sum()) <= found.fun + 1e-9 else at
    scores = _derivative(logs, at)
    # values are μ, τ, p: the chain rule of the logs that were searched over
    jacobian = np.concatenate([[1.0], np.exp(at[1:])])
    influence = scores @ -np.linalg.pinv((hessian + hessian.T) / 2) * jacobian
    return Selected(
        values=np.concatenate([at[:1], np.exp(at[1:])]),
        influence=influence - influence.mean(axis=0),
        converged=bool(np.abs(scores.sum(axis=0)).max() < 1e-6 * len(effects)),
        loglikelihood=-float(found.fun),
    )


def selected_tail(effect: float, error: float, truth: float, cutoffs: Floats, steps: Floats) -> float:
    r"""Return the probability of an estimate above the one that was published, given its truth.

    Parameters
    ----------
    effect, error, truth : float
    cutoffs : numpy.ndarray, shape (J - 1,)
        Of the signed t statistic, ascending.
    steps : numpy.ndarray, shape (J,)
        Relative probability of publication between them.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.truncated_selection import selected_tail
    >>> selected_tail(1.0, 1.0, 1.0, np.array([0.0]), np.array([1.0, 1.0]))
    0.5
    """
    ends = np.concatenate([[-np.inf], cutoffs * error, [np.inf]])
    inside = stats.norm.cdf(ends[1:], truth, error) - stats.norm.cdf(ends[:-1], truth, error)
    low = np.maximum(ends[:-1], effect)
    above = stats.norm.cdf(ends[1:], truth, error) - stats.norm.cdf(low, truth, error)
    return float(steps @ np.where(ends[1:] > effect, above, 0.0) / (steps @ inside))


def _edges(cutoffs: Floats, *, is_symmetric: bool) -> tuple[Floats, Codes]:
    """Return the borders of the steps of the signed statistic, and which probability stands in each."""
    if not is_symmetric:
        return np.concatenate([[-np.inf], cutoffs, [np.inf]]), np.arange(len(cutoffs) + 1)
    borders = np.concatenate([[-np.inf], -cutoffs[::-1], cutoffs, [np.inf]])
    steps = len(cutoffs)
    return borders, np.abs(np.arange(2 * steps + 1) - steps)


def _log_density(
    parameters: Floats, effects: Floats, errors: Floats, step: Codes, edges: tuple[Floats, Codes]
) -> Floats:
    log_steps = np.concatenate([parameters[2:], [0.0]])
    spread = np.sqrt(np.exp(2 * parameters[1]) + errors**2)
    borders, places = edges
    standard = (borders[None, :] * errors[:, None] - parameters[0]) / spread[:, None]
    inside = np.diff(special.ndtr(standard), axis=1)
    published = inside @ np.exp(log_steps)[places]
    return np.asarray(log_steps[step] + stats.norm.logpdf(effects, parameters[0], spread) - np.log(published))


def _derivative(function: Callable[[Floats], Floats], at: Floats) -> Floats:
    """Return central differences of a vector function, one column a parameter."""
    columns = []
    for place in range(len(at)):
        move = np.zeros(len(at))
        move[place] = 1e-4 * max(1.0, abs(at[place]))
        columns.append((function(at + move) - function(at - move)) / (2 * move[place]))
    return np.column_stack(columns)


def _loss_of(logs: Callable[[Floats], Floats]) -> Callable[[Floats], float]:
    return lambda parameters: -float(logs(parameters).sum())
