"""linearmodels."""

from __future__ import annotations

from typing import Any

from benchmarks.tasks import Call

PACKAGE, ENVIRONMENT = "linearmodels", "ours"


def _two_way(frame: Any) -> tuple[float, float]:
    from linearmodels.panel import PanelOLS

    model = PanelOLS(frame["y"], frame[["d", "z"]], entity_effects=True, time_effects=True)
    found = model.fit(cov_type="clustered", cluster_entity=True)
    return float(found.params["d"]), float(found.std_errors["d"])


def _instrumented(frame: Any, method: str) -> tuple[float, float]:
    from linearmodels.iv import IV2SLS, IVLIML

    exogenous = frame[["x1", "x2"]].assign(constant=1.0)
    model = {"2sls": IV2SLS, "liml": IVLIML}[method]
    asked = model(frame["y"], exogenous, frame[["d"]], frame[["z1", "z2", "z3"]])
    found = asked.fit(cov_type="unadjusted" if method == "liml" else "robust", debiased=True)
    return float(found.params["d"]), float(found.std_errors["d"])


CALLS = {
    # without the diagnostics of the first stage that come with ours
    "iv": Call(estimate=lambda frame: _instrumented(frame, "2sls")),
    "liml": Call(estimate=lambda frame: _instrumented(frame, "liml")),
    "two-way": Call(
        estimate=_two_way,
        prepare=lambda frame: frame.set_index(["unit", "time"]),
        largest=100_000,
        other="standard error that counts all effects",
    ),
}
