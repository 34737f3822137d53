"""Bias and coverage of covariate balancing scores, on the SIMULATED designs of tests/recovery/weighting.py.

Run it to write results/cbps.json again (two minutes): python -m tests.recovery.cbps
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import juntos_eval as je
from tests.recovery.weighting import COLUMNS, Performance, draw, summarise, truths

RESULT = Path(__file__).parent / "results" / "cbps.json"
SEED = 20140101
ESTIMATORS: Mapping[str, dict[str, Any]] = {
    "cbps att": {},
    "cbps ate": {"estimand": "ate"},
    "cbps att, over-identified": {"over_identified": True},
    "cbps ate, over-identified": {"estimand": "ate", "over_identified": True},
}
EXACT, OVER = tuple(ESTIMATORS)[:2], tuple(ESTIMATORS)[2:]
RUNS = tuple(
    (design, replications, names)
    for design in ("both right", "score right", "survey")
    for replications, names in ((1500, EXACT), (300, OVER))
)


def simulate(
    design: str, replications: int, names: tuple[str, ...], *, rows: int = 800
) -> dict[str, Performance]:
    """Estimate by each score on the same samples; each replication has a seed of its own."""
    truth = truths(design)
    found: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in names}
    survey = design == "survey"
    inference = je.SurveyDesign(strata="stratum", psu="village") if survey else None
    for seed in np.random.SeedSequence([SEED, len(design)]).spawn(replications):
        sample = draw(design, np.random.default_rng(seed), rows)
        for name in names:
            choices = {**COLUMNS, **ESTIMATORS[name], "weights": "w" if survey else None}
            spec = je.Weighting(method="cbps", **choices)
            estimate = spec.fit(sample, inference=inference)
            low, high = estimate.interval()[0]
            target = truth[estimate.keys["term"][0]]
            found[name].append(
                (
                    float(estimate.values[0]) - target,
                    float(estimate.uncertainty.std_error[0]),
                    bool(low <= target <= high),
                )
            )
    return {name: summarise(np.array(triples)) for name, triples in found.items()}


def main() -> None:
    rows = [
        {
            "design": design,
            "n": 800,
            "replications": replications,
            "estimator": name,
            "bias": round(seen.bias, 5),
            "std_deviation": round(seen.std_deviation, 5),
            "mean_std_error": round(seen.mean_std_error, 5),
            "coverage": round(seen.coverage, 4),
        }
        for design, replications, names in RUNS
        for name, seen in simulate(design, replications, names).items()
    ]
    content = {
        "what": "SIMULATED data; effect planted, bias and coverage of 95 percent intervals",
        "script": "tests/recovery/cbps.py",
        "seed": SEED,
        "versions": {"python": platform.python_version(), "numpy": version("numpy")},
        "rows": [],
    }
    head = json.dumps(content, ensure_ascii=False, indent=1)
    lines = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in rows)
    RESULT.write_text(head.replace('"rows": []', f'"rows": [\n  {lines}\n ]') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
