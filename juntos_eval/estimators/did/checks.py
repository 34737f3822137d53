"""What a two-period comparison lets one see of its assumptions, and what it does not."""

from __future__ import annotations

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.estimate import Check
from juntos_eval.estimators.did.nuisances import Arms, Score

__all__ = ["balance_check", "composition_check", "left_out_check", "pretrend_check", "score_checks"]

# a standardised difference above this is usually called an imbalance (Stuart 2010)
NOTABLE = 0.1
# share of the treated that may lie outside the controls' scores
TOLERATED = 0.01


def pretrend_check(first_period: str) -> Check:
    """Say that parallel trends cannot be looked at.

    Parameters
    ----------
    first_period : str

    Returns
    -------
    Check

    Examples
    --------
    >>> from juntos_eval.estimators.did.checks import pretrend_check
    >>> print(pretrend_check("2024").passed)
    None
    """
    return Check("pre-trend", None, f"no period before {first_period}: parallel trends cannot be tested")


def left_out_check(
    columns: tuple[str, ...], names: tuple[str, ...], left_out: tuple[int, ...]
) -> tuple[Check, ...]:
    """Name the covariates that are constant or spanned by earlier ones.

    Parameters
    ----------
    columns : tuple of str
        As they were asked for: a category of one level left no trace in the names.
    names : tuple of str
        Of the covariates' columns after categories were expanded.
    left_out : tuple of int
        Positions in the names.

    Returns
    -------
    tuple of Check
        Empty where there are none.

    Examples
    --------
    >>> from juntos_eval.estimators.did.checks import left_out_check
    >>> left_out_check(("age", "age_months"), ("age", "age_months"), (1,))[0].detail
    'constant or spanned by earlier ones, left out: age_months'
    """
    traces = {name.split("[")[0] for name in names} | set(names)
    gone = [column for column in columns if column not in traces]
    gone += [names[position] for position in left_out]
    if not gone:
        return ()
    listed = ", ".join(gone)
    return (Check("collinear covariates", None, f"constant or spanned by earlier ones, left out: {listed}"),)


def score_checks(arms: Arms, score: Score, trim: float) -> tuple[Check, ...]:
    """Say where scores overlap and which controls were trimmed.

    Parameters
    ----------
    arms : Arms
    score : Score
    trim : float

    Returns
    -------
    tuple of Check

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.checks import score_checks
    >>> from juntos_eval.estimators.did.nuisances import Arms, likelihood_score
    >>> arms = Arms(treated=np.array([True, False]), weights=np.ones(2), design=np.ones((2, 1)),
    ...             covariates=np.zeros((2, 0)), names=())
    >>> [check.passed for check in score_checks(arms, likelihood_score(arms, 0.995), 0.995)]
    [True, True]
    """
    treated, control = score.probability[arms.treated], score.probability[~arms.treated]
    # tied and intercept-only scores are equal up to rounding
    outside = (treated > control.max() + 1e-9) | (treated < control.min() - 1e-9)
    beyond = float(arms.weights[arms.treated][outside].sum() / arms.weights[arms.treated].sum())
    share = arms.weights[~arms.treated] * score.odds[~arms.treated]
    effective = share.sum() ** 2 / (share @ share)
    overlap = (
        f"scores of the treated {treated.min():.3f} to {treated.max():.3f}, of the controls "
        f"{control.min():.3f} to {control.max():.3f}; {beyond:.2%} of the treated outside the controls'; "
        f"effective number of controls {effective:,.1f} of {len(control):,}"
    )
    trimmed = int(score.trimmed.sum())
    detail = f"{trimmed:,} of {len(control):,} controls with a score of at least {trim:g} have no weight"
    return Check("overlap", beyond <= TOLERATED, overlap), Check("score trimming", trimmed == 0, detail)


def balance_check(arms: Arms, score: Score | None) -> tuple[Check, ...]:
    """Compare the arms' means of the covariates, before and after weighting, in standard deviations.

    Parameters
    ----------
    arms : Arms
    score : Score or None
        None where the estimator weights nobody: only the raw difference is told then.

    Returns
    -------
    tuple of Check
        Empty without covariates.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.checks import balance_check
    >>> from juntos_eval.estimators.did.nuisances import Arms
    >>> x = np.array([[1.0], [3.0], [0.0], [2.0]])
    >>> arms = Arms(treated=np.array([1, 1, 0, 0]) == 1, weights=np.ones(4), design=np.ones((4, 1)),
    ...             covariates=x, names=("age",))
    >>> balance_check(arms, None)[0].passed is None
    True
    """
    if not arms.names:
        return ()
    treated = arms.weights * arms.treated
    spread = _spread(arms)
    raw = _differences(arms.covariates, treated, arms.weights * ~arms.treated, spread)
    worst = int(raw.argmax())
    detail = f"largest standardised difference {raw[worst]:.3f} ({arms.names[worst]}) before weighting"
    if score is None:
        return (Check("balance", None, f"{detail}; this method weights nobody and relies on its regression"),)
    control = arms.weights * np.where(arms.treated, 0.0, score.odds)
    left = _differences(arms.covariates, treated, control, spread)
    worst = int(left.argmax())
    detail += f", {left[worst]:.2g} ({arms.names[worst]}) after"
    return (Check("balance", bool(left[worst] <= NOTABLE), detail),)


def composition_check(arms: Arms, after: Bools) -> tuple[Check, ...]:
    """Compare each group's means of the covariates between the two cross-sections.

    Parameters
    ----------
    arms : Arms
    after : numpy.ndarray of bool, shape (n,)

    Returns
    -------
    tuple of Check
        Empty without covariates.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.checks import composition_check
    >>> from juntos_eval.estimators.did.nuisances import Arms
    >>> arms = Arms(treated=np.array([1, 1, 0, 0]) == 1, weights=np.ones(4), design=np.ones((4, 1)),
    ...             covariates=np.array([[1.0], [1.0], [0.0], [0.0]]), names=("is_rural",))
    >>> composition_check(arms, np.array([0, 1, 0, 1]) == 1)[0].passed
    True
    """
    if not arms.names:
        return ()
    found, spread = [], _spread(arms)
    for group, word in ((arms.treated, "treated"), (~arms.treated, "untreated")):
        weight = arms.weights * group
        differences = _differences(arms.covariates, weight * after, weight * ~after, spread)
        worst = int(differences.argmax())
        found.append((float(differences[worst]), arms.names[worst], word))
    largest, name, word = max(found)
    detail = f"largest standardised difference between the periods {largest:.3f} ({name}, {word})"
    return (Check("same composition in both periods", largest <= NOTABLE, detail),)


def _spread(arms: Arms) -> Floats:
    """Return the pooled standard deviation of treated and untreated, unweighted."""
    centred = arms.covariates - arms.covariates.mean(axis=0)
    squares = centred**2
    variance = np.zeros(centred.shape[1])
    for arm in (arms.treated, ~arms.treated):
        share = arm / arm.sum()
        variance += (share @ squares - (share @ centred) ** 2) / 2.0
    return np.sqrt(np.maximum(variance, 0.0))


def _differences(covariates: Floats, one: Floats, other: Floats, spread: Floats) -> Floats:
    """Return absolute differences of means in standard deviations; 0 where nothing varies."""
    gap = np.abs(one @ covariates / one.sum() - other @ covariates / other.sum())
    return np.asarray(np.divide(gap, spread, out=np.zeros(len(gap)), where=spread > 0))
