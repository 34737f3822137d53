"""statsmodels' TreatmentEffect, in our environment: it is one of our dependencies."""

from __future__ import annotations

from typing import Any

from benchmarks.tasks import Call

PACKAGE, ENVIRONMENT = "statsmodels", "ours"


def _ipw(frame: Any) -> tuple[float, float]:
    import statsmodels.api as sm
    from statsmodels.treatment.treatment_effects import TreatmentEffect

    design = sm.add_constant(frame[["x1", "x2", "x3", "x4", "x5"]])
    treatment = frame["d"].to_numpy()
    score = sm.Logit(treatment, design).fit(disp=0)
    outcome = sm.OLS(frame["y"], design)
    result = TreatmentEffect(outcome, treatment, results_select=score).ipw(effect_group=1)
    return float(result.effect[0]), float(result.results_gmm.bse[0])


CALLS = {"ipw": Call(estimate=_ipw)}
