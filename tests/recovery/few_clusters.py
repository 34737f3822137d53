"""How often 95 % intervals cover with few clusters or few treated ones, on SIMULATED samples without effect.

`python -m tests.recovery.few_clusters` from the root of the checkout runs 500 replications and writes
results/few_clusters.json: the known failures beside their remedies.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.means import MeanDifference
from juntos_eval.estimators.panel import FixedEffects
from juntos_eval.inference.approximate_randomization import approximate_randomization
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.conley import Conley
from juntos_eval.inference.conley_taber import ConleyTaber
from juntos_eval.inference.newey_west import DriscollKraay, NeweyWest
from juntos_eval.inference.robust import Robust
from juntos_eval.inference.wild_bootstrap import WildBootstrap

RESULT = Path(__file__).parent / "results" / "few_clusters.json"
REPLICATIONS = 500
Answers = Iterator[tuple[str, Estimate]]


def wild(rng: np.random.Generator, **choices: Any) -> WildBootstrap:
    return WildBootstrap(**{"by": "cluster", "draws": 399, "seed": int(rng.integers(1 << 30)), **choices})


def clusters(count: int, treated: int) -> Callable[[np.random.Generator], Answers]:
    """Clusters of 5 to 60 rows, some treated as a whole, with a shock each."""

    def replication(rng: np.random.Generator) -> Answers:
        cluster = np.repeat(np.arange(count), rng.integers(5, 61, count))
        y = 0.6 * rng.normal(size=count)[cluster] + rng.normal(size=len(cluster))
        frame = pd.DataFrame({"y": y, "cluster": cluster, "treated": (cluster < treated) * 1})
        rules: dict[str, Inference] = {
            "CR1S": Cluster("cluster", kind="CR1S"),
            "CR2, Satterthwaite": Cluster("cluster", kind="CR2"),
            "wild, restricted": wild(rng),
            "wild, unrestricted": wild(rng, impose_null=False),
        }
        if treated > 1:
            rules["CR3J"] = Cluster("cluster", kind="CR3J")
        gap = MeanDifference(outcome="y", treatment="treated").fit(frame, carry=("cluster",))
        for name, rule in rules.items():
            yield f"{treated} of {count} clusters treated, {name}", gap.with_inference(rule)

    return replication


def panel_of_districts(rng: np.random.Generator) -> Answers:
    """30 districts over 8 years, one treated from the fifth, shocks that last; two-way fixed effects."""
    district, year = np.repeat(np.arange(30), 8), np.tile(np.arange(8), 30)
    y = rng.normal(size=(30, 8)).cumsum(axis=1).ravel() + rng.normal(size=8)[year]
    frame = pd.DataFrame({"cluster": district, "year": year, "y": y})
    frame["treated"] = ((district == 0) & (year > 3)) * 1.0
    effect = FixedEffects(outcome="y", covariates=("treated",), absorb=("cluster", "year")).fit(
        frame, carry=("cluster", "year", "treated")
    )
    rules: dict[str, Inference] = {
        "CR1S": Cluster("cluster", kind="CR1S"),
        "wild, restricted": wild(rng),
        "Conley-Taber": ConleyTaber(by="cluster", time="year", treatment="treated"),
    }
    for name, rule in rules.items():
        yield f"1 of 30 districts treated in a panel, {name}", effect.with_inference(rule)


def few_large_areas(rng: np.random.Generator) -> Answers:
    """8 areas of 60 rows, treatment within areas, effects and noise that differ by area."""
    area = np.repeat(np.arange(8), 60)
    treated = rng.integers(0, 2, 480)
    scale = rng.uniform(0.3, 3.0, 8)[area]
    y = rng.normal(size=8)[area] + treated * 0.5 * rng.normal(size=8)[area] + scale * rng.normal(size=480)
    frame = pd.DataFrame({"y": y, "cluster": area, "treated": treated})
    gap = MeanDifference(outcome="y", treatment="treated")
    yield "8 areas, treatment within, HC1", gap.fit(frame)
    yield "8 areas, treatment within, CR1S", gap.fit(frame, inference=Cluster("cluster", kind="CR1S"))
    yield "8 areas, treatment within, changes of sign", approximate_randomization(gap, frame, by="cluster")


def space_and_time(rng: np.random.Generator) -> Answers:
    """200 villages over 40 periods: shocks by period that last, or by place, and a regressor like them."""
    unit, time = np.repeat(np.arange(200), 40), np.tile(np.arange(40), 200)

    def lasting() -> Any:
        steps = rng.normal(size=40)
        for t in range(1, 40):
            steps[t] += 0.4 * steps[t - 1]
        return steps

    frame = pd.DataFrame({"cluster": unit, "year": time, "x": lasting()[time] + rng.normal(size=8000)})
    frame["y"] = lasting()[time] + rng.normal(size=8000)
    slope = FixedEffects(outcome="y", covariates=("x",), absorb=("cluster",)).fit(
        frame, carry=("cluster", "year")
    )
    yield "shocks by period, clustered by unit", slope
    yield "shocks by period, Driscoll-Kraay", slope.with_inference(DriscollKraay(time="year", lags=4))
    yield (
        "shocks by period, Newey-West by unit",
        slope.with_inference(NeweyWest(time="year", unit="cluster", lags=4)),
    )
    lat, lon = rng.uniform(-10, 0, 600), rng.uniform(-80, -70, 600)
    cell = (lat // 1).astype(int) * 10 + (lon // 1).astype(int)
    codes = np.unique(cell, return_inverse=True)[1]
    place = pd.DataFrame({"lat": lat, "lon": lon, "x": rng.normal(size=100)[codes] + rng.normal(size=600)})
    place["y"] = rng.normal(size=100)[codes] + rng.normal(size=600)
    near = FixedEffects(outcome="y", covariates=("x",)).fit(place, carry=("lat", "lon"))
    row = [[float(term == "x") for term in near.keys["term"]]]
    near = near.combine(row, {"term": ("x",)})
    yield "shocks by place, HC1", near.with_inference(Robust("HC1"))
    yield "shocks by place, Conley", near.with_inference(Conley(lat="lat", lon="lon", cutoff_km=150))


SCENARIOS = (
    clusters(10, 5),
    clusters(30, 15),
    clusters(20, 3),
    clusters(20, 1),
    panel_of_districts,
    few_large_areas,
    space_and_time,
)


def coverage(replications: int, seed: int) -> dict[str, float]:
    """Share of intervals that cover no effect, by question."""
    found: dict[str, list[bool]] = {}
    for number, scenario in enumerate(SCENARIOS):
        for one in range(replications):
            rng = np.random.default_rng([seed, number, one])
            for name, estimate in scenario(rng):
                low, high = estimate.interval()[0]
                found.setdefault(name, []).append(bool(low <= 0.0 <= high))
    return {name: float(np.mean(covered)) for name, covered in found.items()}


if __name__ == "__main__":
    result = {
        "what": "SIMULATED data; coverage and size by repetition",
        "replications": REPLICATIONS,
        "seed": 1,
        "coverage": coverage(REPLICATIONS, seed=1),
    }
    rounded = json.loads(json.dumps(result), parse_float=lambda text: round(float(text), 4))
    RESULT.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
