r"""Tests of the model: do the instruments agree with each other, and is the regressor endogenous at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.iv.instrumented_model import InstrumentedModel, instrumented_parts, model_of
from juntos_eval.estimators.iv.score_covariance import moment_covariance_by
from juntos_eval.inference.robust import Iid, Robust
from juntos_eval.numerics.distributions import chi_squared_tail
from juntos_eval.numerics.k_class import PartialledOut
from juntos_eval.numerics.wald import WaldTest, wald_test

__all__ = [
    "SpecificationTest",
    "endogeneity",
    "endogeneity_of_model",
    "overidentification",
    "overidentification_of_model",
]


@dataclass(frozen=True, slots=True)
class SpecificationTest:
    """A chi-squared test of moments.

    Attributes
    ----------
    name : str
    statistic, df, p_value : float, int, float
        NaN and 0 where there is nothing to test.

    Examples
    --------
    >>> SpecificationTest("Hansen J", 2.7, 1, 0.1).df
    1
    """

    name: str
    statistic: float
    df: int
    p_value: float


def overidentification(
    estimate: Estimate, suspects: Sequence[str] = (), *, inference: Inference | None = None
) -> SpecificationTest:
    r"""Test that all instruments tell the same story: Sargan's statistic or Hansen's J.

    .. math:: J = (C'Q'\hat e)'\,[\hat V(C'Q'\hat e)]^{-1}\,(C'Q'\hat e)

    with C orthogonal to the gradient :math:`Q'D`: the minimum of the GMM objective with weights from the
    residuals of the estimate. With ``suspects`` the C statistic: J less that without the suspected
    instruments, with the same covariance of moments.

    Parameters
    ----------
    estimate : Estimate
        Of :class:`~juntos_eval.estimators.iv.two_stage.TwoStage`.
    suspects : sequence of str
        Instruments as ``estimate.details["columns"]["instruments"]`` names them.
    inference : Inference, optional
        By default that of the estimate: ``Iid`` makes it Sargan's.

    Returns
    -------
    SpecificationTest
        NaN with no degrees of freedom where there are as many instruments as endogenous regressors.

    Raises
    ------
    DesignError
        If suspects are no instruments, or too few are left without them.

    References
    ----------
    Sargan, J. D. (1958). The estimation of economic relationships using instrumental variables.
    *Econometrica*
    26(3), 393-415.
    Hansen, L. P. (1982). Large sample properties of generalized method of moments estimators. *Econometrica*
    50(4), 1029-1054.
    Hayashi, F. (2000). *Econometrics*, pp. 218-222. Princeton University Press. (The C statistic.)

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from juntos_eval.estimators.iv import TwoStage, overidentification
    >>> rng = np.random.default_rng(3)
    >>> frame = pd.DataFrame(rng.normal(size=(200, 4)), columns=["z", "q", "d", "y"])
    >>> frame["d"] += frame["z"] + frame["q"]
    >>> effect = TwoStage(outcome="y", endogenous="d", instruments=("z", "q")).fit(frame)
    >>> overidentification(effect).df
    1
    """
    model = model_of(estimate)
    by = inference or estimate.inference or Robust()
    left = model.left()
    residuals = instrumented_parts(estimate)[1].residuals * left.root
    if not suspects:
        return overidentification_of_model(model, left, residuals, by)
    return _difference(model, left, residuals, by, suspects)


def overidentification_of_model(
    model: InstrumentedModel, left: PartialledOut, residuals: Floats, inference: Inference
) -> SpecificationTest:
    """Return J for residuals times the root of the weights."""
    name = "Sargan" if isinstance(inference, Iid) else "Hansen J"
    gradient = left.basis.T @ left.endogenous
    df = left.basis.shape[1] - gradient.shape[1]
    if not df:
        return SpecificationTest(name, np.nan, 0, np.nan)
    covariance = moment_covariance_by(inference, model, left.basis, residuals)
    statistic = _objective(gradient, left.basis.T @ residuals, covariance)
    return SpecificationTest(name, statistic, df, chi_squared_tail(statistic, df))


def _objective(gradient: Floats, moment: Floats, covariance: Floats) -> float:
    """Return the least of (g - G b)' S^-1 (g - G b) over b."""
    complement = np.linalg.qr(gradient, mode="complete")[0][:, gradient.shape[1] :]
    moved = complement.T @ moment
    return float(moved @ np.linalg.solve(complement.T @ covariance @ complement, moved))


def _difference(
    model: InstrumentedModel,
    left: PartialledOut,
    residuals: Floats,
    inference: Inference,
    suspects: Sequence[str],
) -> SpecificationTest:
    unknown = [name for name in suspects if name not in model.instrument_names]
    trusted = [i for i, name in enumerate(model.instrument_names) if name not in set(suspects)]
    if unknown or len(trusted) < left.endogenous.shape[1]:
        raise DesignError(
            "suspected instruments are not among the instruments, or leave too few",
            where=f"suspects {tuple(suspects)}, instruments {model.instrument_names}",
            remedy="suspect some of the instruments, and leave one for each endogenous regressor",
        )
    columns = left.instruments / np.linalg.norm(left.instruments, axis=0)
    covariance = moment_covariance_by(inference, model, columns, residuals)
    gradient, moment = columns.T @ left.endogenous, columns.T @ residuals
    every = _objective(gradient, moment, covariance)
    fewer = _objective(gradient[trusted], moment[trusted], covariance[np.ix_(trusted, trusted)])
    df = len(model.instrument_names) - len(trusted)
    return SpecificationTest("C", every - fewer, df, chi_squared_tail(every - fewer, df))


def endogeneity(estimate: Estimate, *, inference: Inference | None = None) -> WaldTest:
    r"""Test that least squares would do: Durbin, Wu and Hausman, by the control function.

    The residuals of the first stages are added to the regression of the outcome on endogenous and exogenous
    regressors; their coefficients are zero if the regressors are exogenous. Wald test by the inference.

    Parameters
    ----------
    estimate : Estimate
        Of :class:`~juntos_eval.estimators.iv.two_stage.TwoStage`.
    inference : Inference, optional
        By default that of the estimate.

    Returns
    -------
    WaldTest

    Raises
    ------
    InferenceError
        If the first stage fits without error.

    References
    ----------
    Wu, D.-M. (1973). Alternative tests of independence between stochastic regressors and disturbances.
    *Econometrica* 41(4), 733-750.
    Hausman, J. A. (1978). Specification tests in econometrics. *Econometrica* 46(6), 1251-1271.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from juntos_eval.estimators.iv import TwoStage, endogeneity
    >>> rng = np.random.default_rng(3)
    >>> frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=["z", "d", "e"])
    >>> frame["y"] = frame["d"] + frame["e"]
    >>> frame["d"] += frame["z"]
    >>> endogeneity(TwoStage(outcome="y", endogenous="d", instruments="z").fit(frame)).p_value < 0.01
    True
    """
    model = model_of(estimate)
    return endogeneity_of_model(model, model.left(), inference or estimate.inference or Robust())


def endogeneity_of_model(model: InstrumentedModel, left: PartialledOut, inference: Inference) -> WaldTest:
    """Return the test of :func:`endogeneity` for a model."""
    d = left.endogenous.shape[1]
    columns = np.column_stack([left.endogenous, left.endogenous - left.projected])
    basis = np.linalg.qr(columns / np.linalg.norm(columns, axis=0))[0]
    fit = model.least_squares_fit(left.outcome, basis, left)
    found = inference.infer(fit)
    return wald_test(fit.values, found.covariance, found.df, np.eye(2 * d)[d:], np.zeros(d))
