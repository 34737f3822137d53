r"""The Anderson-Rubin test and its confidence set, which hold however weak the instruments are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.iv.instrumented_model import InstrumentedModel, model_of
from juntos_eval.estimators.iv.score_covariance import ReducedForms, reduced_forms
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.acceptance_set import QuadraticTest, acceptance_set
from juntos_eval.numerics.distributions import f_quantile
from juntos_eval.numerics.k_class import PartialledOut
from juntos_eval.numerics.wald import WaldTest, wald_test

__all__ = ["ConfidenceSet", "anderson_rubin", "anderson_rubin_set", "anderson_rubin_test", "set_of_forms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceSet:
    """Values of a coefficient that a test does not reject.

    Attributes
    ----------
    intervals : tuple of (float, float)
        From left to right; none if the set is empty, infinite ends where it is unbounded.
    level : float
    method : str
        Test and inference.

    Examples
    --------
    >>> ConfidenceSet(intervals=((0.5, 2.0),), level=0.95, method="by hand").shape
    'bounded'
    """

    intervals: tuple[tuple[float, float], ...]
    level: float
    method: str

    @property
    def shape(self) -> str:
        """``bounded``, ``disjoint``, ``unbounded``, ``two rays``, ``whole line`` or ``empty``."""
        if not self.intervals:
            return "empty"
        low, high = self.intervals[0][0], self.intervals[-1][1]
        if np.isfinite(low) and np.isfinite(high):
            return "bounded" if len(self.intervals) == 1 else "disjoint"
        if np.isinf(low) and np.isinf(high):
            return "whole line" if len(self.intervals) == 1 else "two rays"
        return "unbounded"

    def __contains__(self, value: float) -> bool:
        return any(low <= value <= high for low, high in self.intervals)

    def __str__(self) -> str:
        if not self.intervals:
            return "empty: every value is rejected, so the model is"
        return " and ".join(f"[{low:.4g}, {high:.4g}]" for low, high in self.intervals)


def anderson_rubin(
    estimate: Estimate, null: float | Sequence[float] = 0.0, *, inference: Inference | None = None
) -> WaldTest:
    r"""Test that the endogenous coefficients are as under the null, whatever the first stage.

    Under the null :math:`y - D\beta_0` does not hang on the instruments beside the covariates: the statistic
    is the Wald test of their coefficients, by the inference.

    Parameters
    ----------
    estimate : Estimate
        Of :class:`~juntos_eval.estimators.iv.two_stage.TwoStage`, by any method.
    null : float or sequence of float
        One value for each endogenous regressor, in their order.
    inference : Inference, optional
        By default that of the estimate.

    Returns
    -------
    WaldTest
        F with as many numerator degrees of freedom as there are instruments.

    Raises
    ------
    InferenceError
        If the estimate has no instrumented model in memory, or null values do not fit.

    References
    ----------
    Anderson, T. W. & Rubin, H. (1949). Estimation of the parameters of a single equation in a complete system
    of stochastic equations. *Annals of Mathematical Statistics* 20(1), 46-63.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from juntos_eval.estimators.iv import TwoStage, anderson_rubin
    >>> rng = np.random.default_rng(3)
    >>> frame = pd.DataFrame(rng.normal(size=(200, 2)), columns=["z", "d"])
    >>> frame["d"] += frame["z"]
    >>> frame["y"] = 2 * frame["d"] + rng.normal(size=200)
    >>> effect = TwoStage(outcome="y", endogenous="d", instruments="z").fit(frame)
    >>> anderson_rubin(effect, 2.0).p_value > 0.05, anderson_rubin(effect, 0.0).p_value < 0.001
    (True, True)
    """
    model = model_of(estimate)
    values = np.atleast_1d(np.asarray(null, dtype=np.float64))
    if values.shape != (model.endogenous.shape[1],) or not np.isfinite(values).all():
        raise InferenceError(
            "the Anderson-Rubin test needs one value for each endogenous regressor",
            where=f"{values.shape} values, endogenous: {', '.join(model.endogenous_names)}",
            remedy="give the values in the order of the regressors",
        )
    return anderson_rubin_test(model, model.left(), values, inference or estimate.inference or Robust())


def anderson_rubin_test(
    model: InstrumentedModel, left: PartialledOut, null: Floats, inference: Inference
) -> WaldTest:
    """Return the test of :func:`anderson_rubin` for a model."""
    fit = model.least_squares_fit(left.outcome - left.endogenous @ null, left.basis, left)
    found = inference.infer(fit)
    m = len(fit.values)
    return wald_test(fit.values, found.covariance, found.df, np.eye(m), np.zeros(m))


def anderson_rubin_set(
    estimate: Estimate, level: float = 0.95, *, inference: Inference | None = None
) -> ConfidenceSet:
    """Return all values of the endogenous coefficient that the Anderson-Rubin test does not reject.

    The set is exact (roots of a quadratic eigenvalue problem, no grid). It is unbounded where the first stage
    is not significant, and empty where over-identifying restrictions are rejected at every value.

    Parameters
    ----------
    estimate : Estimate
        Of :class:`~juntos_eval.estimators.iv.two_stage.TwoStage` with one endogenous regressor.
    level : float
    inference : Inference, optional
        By default that of the estimate.

    Returns
    -------
    ConfidenceSet

    Raises
    ------
    DesignError
        For several endogenous regressors: test their values jointly by :func:`anderson_rubin`.
    InferenceError
        For a level outside (0, 1), or an inference whose covariance is not a quadratic form.

    References
    ----------
    Mikusheva, A. (2010). Robust confidence sets in the presence of weak instruments. *Journal of
    Econometrics*
    157(2), 236-247.
    Andrews, I., Stock, J. H. & Sun, L. (2019). Weak instruments in instrumental variables regression: theory
    and practice. *Annual Review of Economics* 11, 727-753. (Section 5.)

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from juntos_eval.estimators.iv import TwoStage, anderson_rubin_set
    >>> rng = np.random.default_rng(3)
    >>> frame = pd.DataFrame(rng.normal(size=(200, 2)), columns=["z", "d"])
    >>> frame["d"] += frame["z"]
    >>> frame["y"] = 2 * frame["d"] + rng.normal(size=200)
    >>> found = anderson_rubin_set(TwoStage(outcome="y", endogenous="d", instruments="z").fit(frame))
    >>> found.shape, 2.0 in found
    ('bounded', True)
    """
    model = model_of(estimate)
    if model.endogenous.shape[1] > 1:
        raise DesignError(
            "a set of values needs one endogenous regressor",
            where=f"endogenous: {', '.join(model.endogenous_names)}",
            remedy="test values of all of them together by anderson_rubin(estimate, null=…)",
        )
    forms = reduced_forms(model, model.left(), inference or estimate.inference or Robust())
    return set_of_forms(forms, level)


def set_of_forms(forms: ReducedForms, level: float) -> ConfidenceSet:
    """Return the set of :func:`anderson_rubin_set` from both reduced forms."""
    if not 0.0 < level < 1.0:
        raise InferenceError(
            "the level of a confidence set must lie strictly between 0 and 1",
            where=f"level {level}",
            remedy="give 0.95 for 95 percent",
        )
    m = len(forms.outcome)
    bound = m * f_quantile(level, m, forms.df)
    test = QuadraticTest(level=forms.outcome, slope=forms.first_stage, variances=forms.variances)
    return ConfidenceSet(
        intervals=acceptance_set(test, bound), level=level, method=f"Anderson-Rubin, {forms.method}"
    )
