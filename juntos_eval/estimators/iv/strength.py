r"""How much the instruments say of the endogenous regressors, by the inference of the estimate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.iv.instrumented_model import InstrumentedModel, model_of
from juntos_eval.estimators.iv.score_covariance import ReducedForms, moment_covariance_by, reduced_forms
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.k_class import PartialledOut
from juntos_eval.numerics.wald import WaldTest, wald_test
from juntos_eval.numerics.weak_instruments import (
    EffectiveF,
    RankTest,
    cragg_donald,
    effective_f,
    rank_direction,
    rank_test,
    sanderson_windmeijer,
)

__all__ = ["Strength", "strength_of_model", "weak_instruments"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """What is known of the first stage.

    Attributes
    ----------
    method : str
        The inference.
    first_stage : tuple of WaldTest
        F of the instruments in the first stage of each endogenous regressor, by the inference.
    partial_r2 : tuple of float
        Share of each that the instruments explain beside the covariates.
    conditional : tuple of WaldTest
        Sanderson-Windmeijer F of each given the others; the first-stage F where there is one only.
    effective : EffectiveF or None
        For one endogenous regressor.
    cragg_donald : float
        F under equal independent errors.
    kleibergen_paap_lm : RankTest
        Chi-squared, the null imposed, no small-sample factor.
    kleibergen_paap_wald : RankTest
        Chi-squared, no small-sample factor.
    kleibergen_paap_f : float
        Wald form over the number of instruments, with the inference's small-sample factor.

    Examples
    --------
    >>> Strength.__slots__[:2]
    ('method', 'first_stage')
    """

    method: str
    first_stage: tuple[WaldTest, ...]
    partial_r2: tuple[float, ...]
    conditional: tuple[WaldTest, ...]
    effective: EffectiveF | None
    cragg_donald: float
    kleibergen_paap_lm: RankTest
    kleibergen_paap_wald: RankTest
    kleibergen_paap_f: float


def weak_instruments(estimate: Estimate, *, inference: Inference | None = None) -> Strength:
    """Say how strong the instruments are.

    Parameters
    ----------
    estimate : Estimate
        Of :class:`~juntos_eval.estimators.iv.two_stage.TwoStage`.
    inference : Inference, optional
        By default that of the estimate.

    Returns
    -------
    Strength

    Raises
    ------
    InferenceError
        If the estimate has no instrumented model in memory, or the inference has no covariance to give.

    References
    ----------
    Kleibergen, F. & Paap, R. (2006). Generalized reduced rank tests using the singular value decomposition.
    *Journal of Econometrics* 133(1), 97-126.
    Montiel Olea, J. L. & Pflueger, C. (2013). A robust test for weak instruments. *Journal of Business &
    Economic Statistics* 31(3), 358-369.
    Sanderson, E. & Windmeijer, F. (2016). A weak instrument F-test in linear IV models with multiple
    endogenous
    variables. *Journal of Econometrics* 190(2), 212-221.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from juntos_eval.estimators.iv import TwoStage, weak_instruments
    >>> rng = np.random.default_rng(3)
    >>> frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=["z", "d", "y"])
    >>> frame["d"] += frame["z"]
    >>> found = weak_instruments(TwoStage(outcome="y", endogenous="d", instruments="z").fit(frame))
    >>> found.first_stage[0].statistic > 100, len(found.effective.critical_values)
    (True, 4)
    """
    model = model_of(estimate)
    return strength_of_model(model, model.left(), inference or estimate.inference or Robust())


def strength_of_model(
    model: InstrumentedModel, left: PartialledOut, inference: Inference, forms: ReducedForms | None = None
) -> Strength:
    """Return the strength of the instruments of a model, with its reduced forms if they are had already."""
    d, m = left.endogenous.shape[1], left.basis.shape[1]
    whole = np.eye(m)
    first = tuple(_wald(model, left, inference, np.eye(d)[j], whole) for j in range(d))
    direction, complement, _ = rank_direction(left)
    wald = _wald(model, left, inference, direction, complement)
    moments = complement.T @ (left.basis.T @ (left.endogenous @ direction))
    return Strength(
        method=inference.infer(model.least_squares_fit(left.endogenous[:, 0], left.basis, left)).method,
        first_stage=first,
        partial_r2=tuple(_explained(left, j) for j in range(d)),
        conditional=first
        if d == 1
        else tuple(_wald(model, left, inference, *sanderson_windmeijer(left, j)) for j in range(d)),
        effective=_effective(forms or reduced_forms(model, left, inference)) if d == 1 else None,
        cragg_donald=cragg_donald(left, model.n - m - model.exogenous.shape[1] - model.absorbed_parameters),
        kleibergen_paap_lm=rank_test(
            moments, _moment_covariance(model, left, inference, left.endogenous @ direction, complement)
        ),
        kleibergen_paap_wald=rank_test(
            moments,
            _moment_covariance(
                model, left, inference, (left.endogenous - left.projected) @ direction, complement
            ),
        ),
        kleibergen_paap_f=wald.statistic * wald.df / m,
    )


def _wald(
    model: InstrumentedModel, left: PartialledOut, inference: Inference, direction: Floats, complement: Floats
) -> WaldTest:
    fit = model.least_squares_fit(left.endogenous @ direction, left.basis, left)
    found = inference.infer(fit)
    return wald_test(fit.values, found.covariance, found.df, complement.T, np.zeros(complement.shape[1]))


def _moment_covariance(
    model: InstrumentedModel, left: PartialledOut, inference: Inference, residuals: Floats, complement: Floats
) -> Floats:
    return moment_covariance_by(inference, model, left.basis @ complement, residuals)


def _explained(left: PartialledOut, position: int) -> float:
    column = left.endogenous[:, position]
    return float(np.sum((left.basis.T @ column) ** 2) / (column @ column))


def _effective(forms: ReducedForms) -> EffectiveF:
    of_outcome, crossed, of_first = forms.variances
    return effective_f(forms.first_stage, (of_outcome, crossed / 2.0, of_first))
