"""pymatchit-causal: matches and weights; it has no standard error for matching with replacement."""

from __future__ import annotations

from typing import Any

from benchmarks.tasks import Call

PACKAGE, ENVIRONMENT = "pymatchit-causal", "peers"


def _matched(frame: Any, ratio: int) -> tuple[float, float]:
    import numpy as np
    from pymatchit import MatchIt

    model = MatchIt(frame, method="nearest", distance="glm", replace=True, ratio=ratio, estimand="ATT")
    model.fit("d ~ x1 + x2 + x3 + x4 + x5")
    table = model.matched_data
    weight, treated, outcome = (table[name].to_numpy() for name in ("weights", "d", "y"))
    means = [np.average(outcome[treated == arm], weights=weight[treated == arm]) for arm in (0, 1)]
    return float(means[1] - means[0]), float("nan")


OTHER = "one of equal neighbours is drawn; no standard error"
CALLS = {
    "match-1": Call(estimate=lambda frame: _matched(frame, 1), other=OTHER),
    "match-5": Call(estimate=lambda frame: _matched(frame, 5), other=OTHER),
}
