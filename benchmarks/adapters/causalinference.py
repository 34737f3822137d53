"""causalinference: matching on covariates, with Abadie and Imbens' standard error."""

from __future__ import annotations

from typing import Any

from benchmarks.tasks import Call

PACKAGE, ENVIRONMENT = "causalinference", "peers"


def _matched(frame: Any, ratio: int) -> tuple[float, float]:
    from causalinference import CausalModel

    model = CausalModel(
        frame["y"].to_numpy(), frame["d"].to_numpy(), frame[["x1", "x2", "x3", "x4", "x5"]].to_numpy()
    )
    model.est_via_matching(matches=ratio)
    found = model.estimates["matching"]
    return float(found["att"]), float(found["att_se"])


OTHER = "distance in covariates, not in the score"
CALLS = {
    "match-1": Call(estimate=lambda frame: _matched(frame, 1), largest=10_000, other=OTHER),
    "match-5": Call(estimate=lambda frame: _matched(frame, 5), largest=10_000, other=OTHER),
}
