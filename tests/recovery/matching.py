"""Bias and coverage of matching on SIMULATED data with a planted effect.

The effect is 1 + x / 2 and the outcome is not linear; the truth of each target population is an integral by
quadrature. Run it to write results/matching.json again (some minutes): python -m tests.recovery.matching
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import juntos_eval as je
from juntos_eval.arrays import Floats
from juntos_eval.estimate import Estimate, Inference
from tests.recovery.weighting import Performance, summarise

RESULT = Path(__file__).parent / "results" / "matching.json"
SEED = 19830401
DESIGNS = ("sample", "survey")

COLUMNS: dict[str, Any] = {"outcome": "y", "treatment": "d", "covariates": ("x", "z")}
LINEAR: dict[str, Any] = {**COLUMNS, "distance": "linear_logit", "replace": True}
ROBUST = je.Robust("HC0")

# name -> (estimator, inference in the simple sample; None is its default)
ESTIMATORS: Mapping[str, tuple[je.Matching, Inference | None]] = {
    "nearest 1:1": (je.Matching(**LINEAR), None),
    "nearest 1:1, influence": (je.Matching(**LINEAR), ROBUST),
    "nearest 1:5": (je.Matching(**LINEAR, ratio=5), None),
    "nearest 1:5, influence": (je.Matching(**LINEAR, ratio=5), ROBUST),
    "nearest 1:1 without replacement": (
        je.Matching(**COLUMNS, distance="linear_logit", caliper=0.2, caliper_in_sd=True),
        None,
    ),
    "Mahalanobis 1:4, bias-adjusted": (
        je.Matching(**COLUMNS, distance="mahalanobis", replace=True, ratio=4, bias_adjust=True),
        None,
    ),
    "radius": (je.Matching(**COLUMNS, distance="linear_logit", method="radius", caliper=0.1), ROBUST),
    "kernel": (je.Matching(**COLUMNS, method="kernel", bandwidth=0.03), None),
    "kernel, cross-validated": (je.Matching(**COLUMNS, method="kernel", bandwidth="cv"), None),
    "kernel, undersmoothed": (je.Matching(**COLUMNS, method="kernel", bandwidth="undersmoothed"), None),
    "kernel ate": (je.Matching(**COLUMNS, method="kernel", bandwidth=0.03, estimand="ate"), None),
    "nearest 1:5 ate, influence": (je.Matching(**LINEAR, ratio=5, estimand="ate"), ROBUST),
    "nearest 1:1 ate": (je.Matching(**LINEAR, estimand="ate"), None),
}


def score(x: Floats, z: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(1.2 - 0.6 * x + 0.5 * z)))


def truths() -> dict[str, float]:
    """Effect on each target: a mean of 1 + x / 2 over normal x and 0/1 z with weights by the score."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    x, z = np.tile(nodes, 2), np.repeat([0.0, 1.0], 80)
    mass = np.tile(weights, 2) * np.where(z == 1, 0.4, 0.6)
    heights = {"att": score(x, z), "ate": np.ones_like(x), "atc": 1 - score(x, z)}
    return {name: float(np.average(1 + x / 2, weights=mass * h)) for name, h in heights.items()}


def outcome(x: Floats, z: Floats, d: Floats, noise: Floats) -> Floats:
    return np.asarray(1 + x + 0.25 * x**2 + 0.5 * z + d * (1 + x / 2) + noise)


def draw(design: str, rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """One sample; that of the survey has strata, villages that share shocks, and unequal weights."""
    if design == "survey":
        return draw_survey(rng, rows)
    x, z = rng.normal(size=rows), (rng.random(rows) < 0.4).astype(np.float64)
    d = (rng.random(rows) < score(x, z)).astype(np.float64)
    return pd.DataFrame({"y": outcome(x, z, d, rng.normal(size=rows)), "d": d, "x": x, "z": z})


def draw_survey(rng: np.random.Generator, rows: int, villages: int = 100, strata: int = 4) -> pd.DataFrame:
    """People of villages; weights hang on x and on nothing, so that they vary among equal scores."""
    size = 3 * rows // villages
    village = np.repeat(np.arange(villages), size)
    people = villages * size
    x = 0.5 * rng.normal(size=villages)[village] + np.sqrt(0.75) * rng.normal(size=people)
    z = (rng.random(people) < 0.4).astype(np.float64)
    d = (rng.random(people) < score(x, z)).astype(np.float64)
    shock = 0.5 * rng.normal(size=(2, villages))[d.astype(int), village]
    y = outcome(x, z, d, shock + rng.normal(size=people))
    chance = (0.15 + 0.35 / (1 + np.exp(x))) * rng.uniform(0.5, 1.5, people)
    seen = rng.random(people) < chance
    columns = {"y": y, "d": d, "x": x, "z": z, "w": 1 / chance}
    frame = pd.DataFrame({**columns, "village": village, "stratum": village % strata})
    return pd.DataFrame(frame.loc[seen]).reset_index(drop=True)


def fit(design: str, name: str, sample: pd.DataFrame) -> Estimate:
    estimator, inference = ESTIMATORS[name]
    if design != "survey":
        return estimator.fit(sample, inference=inference)
    weighted = je.Matching(**{**_choices(estimator), "weights": "w"})
    return weighted.fit(sample, inference=je.SurveyDesign(strata="stratum", psu="village"))


def _choices(estimator: je.Matching) -> dict[str, Any]:
    return {name: getattr(estimator, name) for name in type(estimator).__dataclass_fields__}


def simulate(design: str, names: tuple[str, ...], *, rows: int, replications: int) -> dict[str, Performance]:
    """Estimate by each method on the same samples; each replication has a seed of its own."""
    found: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in names}
    truth = truths()
    stream = np.random.SeedSequence([SEED, DESIGNS.index(design)])
    for seed in stream.spawn(replications):
        sample = draw(design, np.random.default_rng(seed), rows)
        for name in names:
            estimate = fit(design, name, sample)
            low, high = estimate.interval()[0]
            target = truth[estimate.keys["term"][0]]
            error = float(estimate.values[0]) - target
            found[name].append((error, float(estimate.uncertainty.std_error[0]), low <= target <= high))
    return {name: summarise(np.array(triples)) for name, triples in found.items()}


def main(rows: int = 1500, replications: int = 2000) -> None:
    lines = []
    for design in DESIGNS:
        for name, seen in simulate(design, tuple(ESTIMATORS), rows=rows, replications=replications).items():
            numbers = {
                "bias": round(seen.bias, 5),
                "std_deviation": round(seen.std_deviation, 5),
                "mean_std_error": round(seen.mean_std_error, 5),
                "coverage": round(seen.coverage, 4),
            }
            lines.append(json.dumps({"design": design, "estimator": name, **numbers}))
    content = {
        "what": "SIMULATED data; effect planted, bias and coverage of 95 percent intervals",
        "script": "tests/recovery/matching.py",
        "seed": SEED,
        "truth": truths(),
        "rows_a_sample": rows,
        "replications": replications,
        "versions": {"python": platform.python_version(), "numpy": version("numpy")},
        "rows": [],
    }
    head = json.dumps(content, indent=1)
    RESULT.write_text(head.replace('"rows": []', '"rows": [\n  ' + ",\n  ".join(lines) + "\n ]") + "\n")


if __name__ == "__main__":
    main()
