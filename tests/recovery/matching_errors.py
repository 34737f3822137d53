"""Coverage of every error that matching and weighting advertise, at 5,000 replications of SIMULATED data.

Three designs: one of a simple sample, one whose noise grows with x and is skewed, one of a survey with
strata, villages and unequal weights. Score and mean outcome are those that the estimators take them for: what
is asked is whether the error is right, not whether a wrong model is. The effect is 1 + x / 2.

Parts are written as they are done, so that a run may be cut and taken up again:
python -m tests.recovery.matching_errors run FOLDER, then … collect FOLDER writes
results/matching_errors.json.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import juntos_eval as je
from juntos_eval.estimate import Inference
from tests.recovery.weighting import COLUMNS, Performance, draw_survey, score, summarise, truths

RESULT = Path(__file__).parent / "results" / "matching_errors.json"
SEED = 20061216
ROWS, REPLICATIONS, BLOCK = 1500, 5000, 250
DESIGNS = ("sample", "skewed", "survey")

LINEAR: dict[str, Any] = {**COLUMNS, "distance": "linear_logit", "replace": True}
KNOWN: dict[str, Any] = {**COLUMNS, "distance": "index", "replace": True}
INFLUENCE = je.Robust("HC0")
SURVEY = je.SurveyDesign(strata="stratum", psu="village")
WITH_SCORE = je.AbadieImbens(score="estimated")

# name -> (estimator, its errors in samples without strata); the survey's error is that of its design
ESTIMATORS: Mapping[str, tuple[Any, Mapping[str, Inference]]] = {
    "nearest 1:1 att, known index": (
        je.Matching(**KNOWN),
        {"Abadie-Imbens": je.AbadieImbens(), "influence": INFLUENCE},
    ),
    "nearest 1:3 ate, known index": (
        je.Matching(**KNOWN, estimand="ate", ratio=3),
        {"Abadie-Imbens": je.AbadieImbens(), "influence": INFLUENCE},
    ),
    "nearest 1:1 att, score": (
        je.Matching(**LINEAR),
        {"Abadie-Imbens, score estimated": WITH_SCORE, "influence": INFLUENCE},
    ),
    "nearest 1:1 ate, score": (
        je.Matching(**LINEAR, estimand="ate"),
        {"Abadie-Imbens, score estimated": WITH_SCORE, "influence": INFLUENCE},
    ),
    "nearest 1:5 att, score": (je.Matching(**LINEAR, ratio=5), {"influence": INFLUENCE}),
    "Mahalanobis 1:4 att, bias-adjusted": (
        je.Matching(**COLUMNS, distance="mahalanobis", replace=True, ratio=4, bias_adjust=True),
        {"Abadie-Imbens": je.AbadieImbens()},
    ),
    "kernel att": (je.Matching(**COLUMNS, method="kernel", bandwidth=0.03), {"influence": INFLUENCE}),
    "local-linear att": (
        je.Matching(**COLUMNS, method="local_linear", bandwidth=0.1),
        {"influence": INFLUENCE},
    ),
    "ipw att": (je.Weighting(**COLUMNS), {"influence": INFLUENCE}),
    "ipw ate": (je.Weighting(**COLUMNS, estimand="ate"), {"influence": INFLUENCE}),
    "ipw ate, Horvitz-Thompson": (
        je.Weighting(**COLUMNS, estimand="ate", normalised=False),
        {"influence": INFLUENCE},
    ),
    "overlap ato": (je.Weighting(**COLUMNS, method="overlap"), {"influence": INFLUENCE}),
    "entropy att": (je.Weighting(**COLUMNS, method="entropy"), {"influence": INFLUENCE}),
    "regression att": (je.RegressionAdjustment(**COLUMNS), {"influence": INFLUENCE}),
    "ipwra ate": (je.IPWRA(**COLUMNS, estimand="ate"), {"influence": INFLUENCE}),
    "aipw att": (je.AIPW(**COLUMNS), {"influence": INFLUENCE}),
}


def draw(design: str, seed: np.random.SeedSequence) -> pd.DataFrame:
    """One sample, with the index of the score that estimators of a known score match on."""
    rng = np.random.default_rng(seed)
    if design == "survey":
        frame = draw_survey(rng, ROWS, villages=100)
    else:
        x, z = rng.normal(size=ROWS), (rng.random(ROWS) < 0.4).astype(np.float64)
        d = rng.random(ROWS) < score(x, z, is_logit=True)
        noise = rng.normal(size=ROWS)
        if design == "skewed":
            noise = (0.4 + 0.4 * np.abs(x) + 0.4 * d) * (rng.exponential(size=ROWS) - 1.0)
        y = 1 + x + 0.5 * z + d * (1 + x / 2) + noise
        frame = pd.DataFrame({"y": y, "d": d * 1, "x": x, "z": z})
    return frame.assign(index=0.6 * frame["x"] - 0.5 * frame["z"])


def once(design: str, sample: pd.DataFrame, names: tuple[str, ...]) -> dict[str, tuple[float, float, bool]]:
    """Return error, standard error and whether the interval covers, by estimator and inference."""
    truth = truths("both right")
    found = {}
    for name in names:
        estimator, errors = ESTIMATORS[name]
        first = next(iter(errors.values()))
        if design == "survey":
            estimator = type(estimator)(**{**_choices(estimator), "weights": "w"})
            first, errors = SURVEY, {"survey design": SURVEY}
        estimate = estimator.fit(sample, inference=first)
        target = truth[estimate.keys["term"][0]]
        for label, inference in errors.items():
            low, high = estimate.with_inference(inference).interval()[0]
            error = estimate.with_inference(inference).uncertainty.std_error[0]
            found[f"{name} | {label}"] = (
                float(estimate.values[0]) - target,
                float(error),
                bool(low <= target <= high),
            )
    return found


def _choices(estimator: Any) -> dict[str, Any]:
    return {name: getattr(estimator, name) for name in type(estimator).__dataclass_fields__}


def block(design: str, number: int, names: tuple[str, ...]) -> dict[str, list[tuple[float, float, bool]]]:
    """One block of replications; each replication has a seed of its own."""
    stream = np.random.SeedSequence([SEED, DESIGNS.index(design), number])
    found: dict[str, list[tuple[float, float, bool]]] = {}
    for seed in stream.spawn(BLOCK):
        for name, triple in once(design, draw(design, seed), names).items():
            found.setdefault(name, []).append(triple)
    return found


def run(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(REPLICATIONS // BLOCK):
        for design in DESIGNS:
            part = folder / f"{design}-{number}.json"
            if not part.exists():
                part.write_text(json.dumps(block(design, number, tuple(ESTIMATORS))))


def collect(folder: Path) -> None:
    lines = []
    for design in DESIGNS:
        parts = [json.loads(path.read_text()) for path in sorted(folder.glob(f"{design}-*.json"))]
        for name in parts[0]:
            seen = summarise(np.array([triple for part in parts for triple in part[name]]))
            lines.append(json.dumps({"design": design, **_row(name, seen)}, ensure_ascii=False))
    content = {
        "what": "SIMULATED data; effect planted, coverage of 95 percent intervals",
        "script": "tests/recovery/matching_errors.py",
        "seed": SEED,
        "truth": truths("both right"),
        "rows_a_sample": ROWS,
        "versions": {"python": platform.python_version(), "numpy": version("numpy")},
        "rows": [],
    }
    head = json.dumps(content, indent=1)
    RESULT.write_text(head.replace('"rows": []', '"rows": [\n  ' + ",\n  ".join(lines) + "\n ]") + "\n")


def _row(name: str, seen: Performance) -> dict[str, Any]:
    estimator, _, error = name.partition(" | ")
    return {
        "estimator": estimator,
        "error": error,
        "replications": seen.replications,
        "bias": round(seen.bias, 5),
        "std_deviation": round(seen.std_deviation, 5),
        "mean_std_error": round(seen.mean_std_error, 5),
        "coverage": round(seen.coverage, 4),
    }


if __name__ == "__main__":
    {"run": run, "collect": collect}[sys.argv[1]](Path(sys.argv[2]))
