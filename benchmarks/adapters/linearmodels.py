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


CALLS = {
    "two-way": Call(
        estimate=_two_way,
        prepare=lambda frame: frame.set_index(["unit", "time"]),
        largest=100_000,
        other="standard error that counts all effects",
    ),
}
