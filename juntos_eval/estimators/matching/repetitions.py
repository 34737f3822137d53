"""Several cross-fittings of one effect: their median, with an error that knows that folds are random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimators.matching.effect import Comparison, MeanOutcome

__all__ = ["middle", "middle_weights", "refuse_folding"]


def middle_weights(values: Floats, variances: Floats) -> tuple[Floats, float]:
    r"""Return which repetitions make the median, and how far to stretch their influence.

    The stretch is the root of :math:`\operatorname{median}_r \{\sigma_r^2 + (\theta_r - \theta)^2\}` over the
    variance of the median's influence, which ``variances`` give; never less than 1 from a single repetition.

    Parameters
    ----------
    values, variances : numpy.ndarray, shape (r,)

    Returns
    -------
    weights : numpy.ndarray, shape (r,)
    variance : float
        That the influence is to have.

    References
    ----------
    Chernozhukov, V. et al. (2018). Double/debiased machine learning for treatment and structural parameters.
    *Econometrics Journal* 21(1), definition 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.repetitions import middle_weights
    >>> middle_weights(np.array([1.0, 5.0, 2.0]), np.ones(3))
    (array([0., 0., 1.]), 2.0)
    """
    order, count = np.argsort(values, kind="stable"), len(values)
    chosen = order[(count - 1) // 2 : count // 2 + 1]
    weights = np.zeros(count)
    weights[chosen] = 1.0 / len(chosen)
    spread = variances + (values - np.median(values)) ** 2
    return weights, float(np.median(spread))


def middle(found: Sequence[Comparison]) -> Comparison:
    """Return the comparison whose effect is the median, with influence stretched for the choice of folds.

    Parameters
    ----------
    found : sequence of Comparison
        One a repetition, of the same rows.

    Returns
    -------
    Comparison

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.effect import Comparison, MeanOutcome
    >>> from juntos_eval.estimators.matching.repetitions import middle
    >>> low, high = (MeanOutcome(value=v, influence=np.array([0.5, -0.5])) for v in (1.0, 3.0))
    >>> one = Comparison(treated=high, untreated=low, estimand="att", parameters=2,
    ...                  arms=np.array([True, False]), weights=np.ones(2))
    >>> middle([one]).treated.value
    3.0
    """
    if len(found) == 1:
        return found[0]
    values = np.array([one.treated.value - one.untreated.value for one in found])
    errors = [one.treated.influence - one.untreated.influence for one in found]
    weights, variance = middle_weights(values, np.array([error @ error for error in errors]))
    error = weights @ np.array(errors)
    stretch = float(np.sqrt(variance / (error @ error))) if (error @ error) > 0 else 1.0

    def averaged(arm: str) -> MeanOutcome:
        each = [getattr(one, arm) for one in found]
        return MeanOutcome(
            value=float(weights @ [mean.value for mean in each]),
            influence=stretch * (weights @ np.array([mean.influence for mean in each])),
        )

    return replace(found[0], treated=averaged("treated"), untreated=averaged("untreated"))


def refuse_folding(covariates: tuple[str, ...], folds: int, repetitions: int, seed: int, clip: Any) -> None:
    """Raise for choices of cross-fitting that do not exist.

    Parameters
    ----------
    covariates : tuple of str
    folds, repetitions, seed : int
    clip : float

    Raises
    ------
    DesignError

    Examples
    --------
    >>> from juntos_eval.estimators.matching.repetitions import refuse_folding
    >>> refuse_folding(("age",), 5, 1, 0, 0.01)
    """
    if not covariates:
        _refuse("there is nothing to learn from without covariates", "covariates=()")
    whole: tuple[tuple[str, Any, int], ...] = (
        ("folds", folds, 2),
        ("repetitions", repetitions, 1),
        ("seed", seed, 0),
    )
    for name, value, least in whole:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            _refuse(f"{name} is a whole number of at least {least}", f"{name}={value!r}")
    is_number = isinstance(clip, float | int) and not isinstance(clip, bool)
    if not (is_number and 1e-5 <= clip < 0.5):
        _refuse("clip is a score of at least 0.00001 and below 0.5", f"clip={clip!r}")


def _refuse(what: str, where: str) -> NoReturn:
    raise DesignError(what, where=where, remedy="see the docstring for what can be chosen")
