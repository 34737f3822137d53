"""What a fit says of its own instruments: the checks printed beside the number, and details."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Check, Inference, Linear
from juntos_eval.estimators.iv.instrumented_model import InstrumentedModel
from juntos_eval.estimators.iv.score_covariance import ReducedForms, reduced_forms
from juntos_eval.estimators.iv.specification_tests import endogeneity_of_model, overidentification_of_model
from juntos_eval.estimators.iv.strength import Strength, strength_of_model
from juntos_eval.estimators.iv.weak_instrument_sets import anderson_rubin_test, set_of_forms
from juntos_eval.numerics.k_class import PartialledOut
from juntos_eval.numerics.wald import WaldTest

__all__ = ["checks_and_details"]

T = TypeVar("T")
_LEVEL = 0.95


def checks_and_details(
    model: InstrumentedModel, left: PartialledOut, inference: Inference, linear: Linear
) -> tuple[tuple[Check, ...], dict[str, Any]]:
    """Return the checks of an instrumented fit and its details.

    Parameters
    ----------
    model : InstrumentedModel
    left : PartialledOut
    inference : Inference
    linear : Linear
        The fit whose residuals are looked at.

    Returns
    -------
    checks : tuple of Check
    details : dict
    """
    details: dict[str, Any] = {
        "columns": {
            "endogenous": model.endogenous_names,
            "exogenous": model.exogenous_names,
            "instruments": model.instrument_names,
            "dropped": model.dropped_columns,
        },
        "outcome_total": model.outcome_total,
    }
    checks = []
    if model.dropped_columns:
        checks.append(
            Check(
                "collinear columns", None, f"left out, others span them: {', '.join(model.dropped_columns)}"
            )
        )
    forms: ReducedForms | str | None = None
    if model.endogenous.shape[1] == 1:
        forms = _had(lambda: reduced_forms(model, left, inference))
    had = forms if isinstance(forms, ReducedForms) else None
    strength = _had(lambda: strength_of_model(model, left, inference, had))
    details["strength"] = strength if isinstance(strength, str) else asdict(strength)
    checks.append(_strength_check(model, strength))
    details["anderson_rubin"], check = _anderson_rubin(model, left, inference, forms)
    checks.append(check)
    checks += _specification(model, left, inference, linear, details)
    return tuple(checks), details


def _had(make: Callable[[], T]) -> T | str:
    """Return what is made, or why this inference has none."""
    try:
        return make()
    except InferenceError as error:
        return error.what
    except np.linalg.LinAlgError:
        return "the covariance of the moments is singular"


def _strength_check(model: InstrumentedModel, strength: Strength | str) -> Check:
    if isinstance(strength, str):
        return Check("first stage", None, f"not known with this inference: {strength}")
    shown = ", ".join(
        f"F({test.df}, {test.df_denominator:g}) = {test.statistic:.4g} for {name}"
        for name, test in zip(model.endogenous_names, strength.first_stage, strict=True)
    )
    shown += (
        f"; Kleibergen-Paap F {strength.kleibergen_paap_f:.4g}, Cragg-Donald F {strength.cragg_donald:.4g}"
    )
    if strength.effective is None:
        conditional = " and ".join(f"{test.statistic:.4g}" for test in strength.conditional)
        return Check("first stage", None, f"{shown}; conditional F {conditional} (Sanderson-Windmeijer)")
    critical = dict(strength.effective.critical_values)[0.1]
    shown += f" ({strength.method})"
    return Check(
        "first stage",
        strength.effective.statistic > critical,
        f"{shown}; effective F {strength.effective.statistic:.4g}, critical value {critical:.4g} for a bias "
        "of 10 percent of the worst case (Montiel Olea-Pflueger, 2SLS)",
    )


def _anderson_rubin(
    model: InstrumentedModel,
    left: PartialledOut,
    inference: Inference,
    forms: ReducedForms | str | None,
) -> tuple[dict[str, Any], Check]:
    null = np.zeros(model.endogenous.shape[1])
    test = _had(lambda: anderson_rubin_test(model, left, null, inference))
    if isinstance(test, str):
        return {"reason": test}, Check("Anderson-Rubin", None, f"not known with this inference: {test}")
    details: dict[str, Any] = {"test_of_zero": asdict(test)}
    words = f"p value of no effect {test.p_value:.4g}"
    if isinstance(forms, str):
        details["reason"] = forms
    elif forms is not None:
        found = _had(lambda: set_of_forms(forms, _LEVEL))
        if isinstance(found, str):
            details["reason"] = found
        else:
            details |= {"intervals": found.intervals, "level": found.level, "shape": found.shape}
            words += f"; 95% set {found} ({found.shape}), valid with weak instruments too"
    return details, Check("Anderson-Rubin", None, words)


def _specification(
    model: InstrumentedModel,
    left: PartialledOut,
    inference: Inference,
    linear: Linear,
    details: dict[str, Any],
) -> list[Check]:
    residuals = linear.residuals * left.root
    checks = []
    agreement = _had(lambda: overidentification_of_model(model, left, residuals, inference))
    if isinstance(agreement, str):
        details["overidentification"] = {"reason": agreement}
    else:
        details["overidentification"] = asdict(agreement)
        if agreement.df:
            words = f"{agreement.name} chi2({agreement.df}) = {agreement.statistic:.4g}"
            words += f", p {agreement.p_value:.4g}"
            checks.append(Check("over-identification", agreement.p_value > 0.05, words))
    exogenous = _had(lambda: endogeneity_of_model(model, left, inference))
    if isinstance(exogenous, WaldTest):
        details["endogeneity"] = asdict(exogenous)
        words = (
            f"Durbin-Wu-Hausman F({exogenous.df}, {exogenous.df_denominator:g}) = {exogenous.statistic:.4g}, "
        )
        checks.append(Check("endogeneity", None, f"{words}p {exogenous.p_value:.4g}"))
    else:
        details["endogeneity"] = {"reason": exogenous}
    return checks
