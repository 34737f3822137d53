r"""First stage and reduced form, each as an estimate of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.estimate import DenseInfluence, Estimate, Fit, Inference, Linear, Sample
from juntos_eval.estimators.iv.instrumented_model import InstrumentedModel, model_of
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.least_squares import least_squares

__all__ = ["first_stage", "reduced_form"]


def first_stage(estimate: Estimate, *, inference: Inference | None = None) -> tuple[Estimate, ...]:
    r"""Return the regression of each endogenous regressor on instruments and covariates.

    Parameters
    ----------
    estimate : Estimate
        Of :class:`~juntos_eval.estimators.iv.two_stage.TwoStage`.
    inference : Inference, optional
        By default that of the estimate.

    Returns
    -------
    tuple of Estimate
        One for each endogenous regressor; terms: instruments, covariates, ``constant``. ``details`` has the F
        of the instruments by the inference (``f``, ``f_df``, ``f_df_denominator``, ``f_p_value``) and their
        ``partial_r2``.

    Raises
    ------
    InferenceError
        If the estimate has no instrumented model in memory.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.iv import TwoStage, first_stage
    >>> columns = {"y": [1, 3, 1, 1, 2, 4], "joined": [0, 1, 0, 0, 0, 1], "offer": [0, 1, 0, 1, 0, 1]}
    >>> frame = pd.DataFrame(columns)
    >>> effect = TwoStage(outcome="y", endogenous="joined", instruments="offer").fit(frame)
    >>> first_stage(effect)[0].values.round(6).tolist()[:1]
    [0.666667]
    """
    model = model_of(estimate)
    by = inference or estimate.inference or Robust()
    return tuple(
        _regression(model, model.endogenous[:, position], name, by, "FirstStage")
        for position, name in enumerate(model.endogenous_names)
    )


def reduced_form(estimate: Estimate, *, inference: Inference | None = None) -> Estimate:
    r"""Return the regression of the outcome on instruments and covariates.

    Parameters
    ----------
    estimate : Estimate
        Of :class:`~juntos_eval.estimators.iv.two_stage.TwoStage`.
    inference : Inference, optional
        By default that of the estimate.

    Returns
    -------
    Estimate
        Terms: instruments, covariates, ``constant``; ``details`` as of :func:`first_stage`.

    Raises
    ------
    InferenceError
        If the estimate has no instrumented model in memory.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.iv import TwoStage, reduced_form
    >>> columns = {"y": [1, 3, 1, 1, 2, 4], "joined": [0, 1, 0, 0, 0, 1], "offer": [0, 1, 0, 1, 0, 1]}
    >>> frame = pd.DataFrame(columns)
    >>> effect = TwoStage(outcome="y", endogenous="joined", instruments="offer").fit(frame)
    >>> reduced_form(effect).values.round(6).tolist()
    [1.333333, 1.333333]
    """
    model = model_of(estimate)
    by = inference or estimate.inference or Robust()
    return _regression(model, model.outcome, str(estimate.spec["outcome"]), by, "ReducedForm")


def _regression(
    model: InstrumentedModel, target: Floats, name: str, inference: Inference, kind: str
) -> Estimate:
    design = np.column_stack([model.instruments, model.exogenous])
    found = least_squares(design, target, model.weights)
    m, k = model.instruments.shape[1], design.shape[1]
    linear = Linear(
        design=design,
        weights=model.weights,
        residuals=found.residuals,
        bread=found.bread,
        selection=np.eye(k),
        absorbed=model.absorbed,
        absorbed_rank=model.absorbed_rank,
    )
    scores = design * (model.weights * found.residuals)[:, None]
    fit = Fit(
        values=found.coefficients,
        influence=DenseInfluence(scores @ found.bread),
        parameters=k + model.absorbed_parameters,
        groups=model.groups,
        linear=linear,
    )
    estimate = Estimate(
        spec={"estimator": kind, "outcome": name, "instruments": model.instrument_names},
        keys={"term": (*model.instrument_names, *model.exogenous_names)},
        values=found.coefficients,
        uncertainty=inference.infer(fit),
        sample=Sample(rows=model.n, units=model.n),
        fit=fit,
        inference=inference,
    )
    test = estimate.test(np.eye(m, k))
    without = _rest(target, model.exogenous, model.weights)
    details = {
        "f": test.statistic,
        "f_df": test.df,
        "f_df_denominator": test.df_denominator,
        "f_p_value": test.p_value,
        "partial_r2": 1.0 - float(model.weights @ found.residuals**2) / float(model.weights @ without**2),
    }
    return replace(estimate, details=details)


def _rest(target: Floats, exogenous: Floats, weights: Floats) -> Floats:
    return least_squares(exogenous, target, weights).residuals if exogenous.shape[1] else target
