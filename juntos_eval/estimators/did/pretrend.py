"""A joint test that effects before treatment are zero."""

from __future__ import annotations

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import Check, Estimate, Uncertainty
from juntos_eval.numerics.wald import WaldTest, wald_test

__all__ = ["pretrend_check", "pretrend_p_value", "pretrend_test"]


def pretrend_test(estimate: Estimate) -> Check:
    r"""Test jointly that every effect before treatment is zero.

    .. math:: W = \hat\theta_{pre}' \hat V_{pre}^{-1} \hat\theta_{pre}

    with the effects whose event time lies before the treatment and its anticipation, and the covariance of
    the estimate's own inference.

    Parameters
    ----------
    estimate : Estimate
        With rows by ``event_time``: group-time effects, their dynamic averages, an event study.

    Returns
    -------
    Check
        Passed if p is 0.05 or more; not decided where there is nothing to test. A test that passes has not
        shown that trends are parallel: it may have had little power (Roth 2022).

    Raises
    ------
    DesignError
        If the rows have no event time.

    References
    ----------
    Callaway, B., & Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time periods.
    *Journal of Econometrics*, 225(2), 200-230. (Section 4.)
    Roth, J. (2022). Pretest with caution: event-study estimates after testing for parallel trends.
    *American Economic Review: Insights*, 4(3), 305-322.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Estimate, Sample, Uncertainty
    >>> from juntos_eval.estimators.did import pretrend_test
    >>> effects = Estimate(
    ...     spec={"estimator": "by hand"}, keys={"term": ("att", "att"), "event_time": (-2, 0)},
    ...     values=[3.0, 1.0], uncertainty=Uncertainty(method="known", covariance=np.eye(2), df=np.inf),
    ...     sample=Sample(rows=10, units=5))
    >>> pretrend_test(effects).detail
    'effects before treatment jointly zero: 9, chi-squared(1), p = 0.0027 (known)'
    """
    if "event_time" not in estimate.keys:
        raise DesignError(
            "these effects have no event time, so none is known to lie before treatment",
            where=f"keys {', '.join(estimate.keys)}",
            remedy="give group-time effects, their dynamic averages, or an event study",
        )
    anticipation = float(estimate.spec.get("anticipation", 0))
    before = [at is not None and float(at) < -anticipation for at in estimate.keys["event_time"]]
    return pretrend_check(estimate.values, estimate.uncertainty, np.array(before))


def pretrend_check(values: Floats, uncertainty: Uncertainty, is_before: Bools) -> Check:
    """Return the joint test of the rows before treatment.

    Parameters
    ----------
    values : numpy.ndarray, shape (k,)
    uncertainty : Uncertainty
    is_before : numpy.ndarray of bool, shape (k,)

    Returns
    -------
    Check

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Uncertainty
    >>> from juntos_eval.estimators.did.pretrend import pretrend_check
    >>> known = Uncertainty(method="known", covariance=np.eye(1), df=np.inf)
    >>> pretrend_check(np.array([3.0]), known, np.array([False])).detail
    'no period before the treatment can be tested'
    """
    tested = _testable(values, uncertainty, is_before)
    if not len(tested):
        return Check("pre-trend", None, "no period before the treatment can be tested")
    try:
        test = _joint_test(values, uncertainty, tested)
    except InferenceError as error:
        return Check("pre-trend", None, f"{len(tested)} effects before treatment: {error.what}")
    is_exact = not np.isinf(test.df_denominator)
    statistic = test.statistic if is_exact else test.statistic * test.df
    law = f"F({test.df}, {test.df_denominator:g})" if is_exact else f"chi-squared({test.df})"
    return Check(
        "pre-trend",
        bool(test.p_value >= 0.05),
        f"effects before treatment jointly zero: {statistic:.4g}, {law}, p = {test.p_value:.3g} "
        f"({uncertainty.method})",
    )


def pretrend_p_value(values: Floats, uncertainty: Uncertainty, is_before: Bools) -> float:
    """Return the p value of the joint test of the rows before treatment.

    Parameters
    ----------
    values : numpy.ndarray, shape (k,)
    uncertainty : Uncertainty
    is_before : numpy.ndarray of bool, shape (k,)

    Returns
    -------
    float
        NaN where there is nothing to test, or the covariance is singular.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Uncertainty
    >>> from juntos_eval.estimators.did.pretrend import pretrend_p_value
    >>> known = Uncertainty(method="known", covariance=np.eye(1), df=np.inf)
    >>> round(pretrend_p_value(np.array([3.0]), known, np.array([True])), 4)
    0.0027
    """
    tested = _testable(values, uncertainty, is_before)
    if not len(tested):
        return float("nan")
    try:
        return float(_joint_test(values, uncertainty, tested).p_value)
    except InferenceError:
        return float("nan")


def _testable(values: Floats, uncertainty: Uncertainty, is_before: Bools) -> Codes:
    known = np.isfinite(uncertainty.std_error) & (uncertainty.std_error > 0)
    return np.flatnonzero(is_before & known & np.isfinite(values))


def _joint_test(values: Floats, uncertainty: Uncertainty, tested: Codes) -> WaldTest:
    covariance, zeros = uncertainty.covariance[np.ix_(tested, tested)], np.zeros(len(tested))
    return wald_test(values[tested], covariance, uncertainty.df, np.eye(len(tested)), zeros)
