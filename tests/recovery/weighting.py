"""Bias and coverage of weighting and regression adjustment on SIMULATED data with a planted effect.

The effect is 1 + x / 2, so that the treated, the untreated and all have different ones; the truth of each is
an integral over x, done by quadrature. Run it to write results/weighting.json again (some minutes):
python -m tests.recovery.weighting
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import juntos_eval as je
from juntos_eval.arrays import Floats
from juntos_eval.estimate import Estimate, Estimator, Inference

RESULT = Path(__file__).parent / "results" / "weighting.json"
SEED = 20120101

# design -> (the score is a logit of x and z, the outcome is linear in x and z)
DESIGNS: Mapping[str, tuple[bool, bool]] = {
    "both right": (True, True),
    "score right": (True, False),
    "outcome right": (False, True),
    "survey": (True, True),
}
COLUMNS: dict[str, Any] = {"outcome": "y", "treatment": "d", "covariates": ("x", "z")}
ESTIMATORS: Mapping[str, Estimator] = {
    "ipw att": je.Weighting(**COLUMNS),
    "ipw ate": je.Weighting(**COLUMNS, estimand="ate"),
    "ipw atc": je.Weighting(**COLUMNS, estimand="atc"),
    "ipw ate, Horvitz-Thompson": je.Weighting(**COLUMNS, estimand="ate", normalised=False),
    "overlap ato": je.Weighting(**COLUMNS, method="overlap"),
    "entropy att": je.Weighting(**COLUMNS, method="entropy"),
    "entropy ate": je.Weighting(**COLUMNS, method="entropy", estimand="ate"),
    "regression att": je.RegressionAdjustment(**COLUMNS),
    "regression ate": je.RegressionAdjustment(**COLUMNS, estimand="ate"),
    "ipwra att": je.IPWRA(**COLUMNS),
    "ipwra ate": je.IPWRA(**COLUMNS, estimand="ate"),
    "aipw att": je.AIPW(**COLUMNS),
    "aipw ate": je.AIPW(**COLUMNS, estimand="ate"),
    "aipw ate, outcome weighted": je.AIPW(**COLUMNS, estimand="ate", weighted_outcome=True),
}
LARGE = ("ipw att", "ipw ate", "overlap ato", "entropy att", "ipwra att", "aipw att", "aipw ate")
# design, rows of a sample, replications, estimators
RUNS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    *((design, 800, 2000, tuple(ESTIMATORS)) for design in DESIGNS),
    *((design, 4000, 3000, LARGE) for design in ("both right", "score right")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """What repeated samples say of an estimator."""

    bias: float
    std_deviation: float
    mean_std_error: float
    coverage: float
    replications: int

    @property
    def bias_error(self) -> float:
        """Standard error of the bias over replications."""
        return self.std_deviation / float(np.sqrt(self.replications))


def score(x: Floats, z: Floats, *, is_logit: bool) -> Floats:
    """Probability of treatment; where no logit of x and z, one of their product and a square."""
    index = (
        -0.4 + 0.6 * x - 0.5 * z if is_logit else -0.4 + 0.4 * x - 0.4 * z + 0.5 * x * z + 0.3 * (x**2 - 1)
    )
    return np.asarray(1 / (1 + np.exp(-index)))


def truths(design: str) -> dict[str, float]:
    """Effect on each target: a mean of 1 + x / 2 over normal x and 0/1 z with weights by the score."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    x, z = np.tile(nodes, 2), np.repeat([0.0, 1.0], 80)
    mass = np.tile(weights, 2) * np.where(z == 1, 0.4, 0.6)
    p = score(x, z, is_logit=DESIGNS[design][0])
    heights = {"att": p, "ate": np.ones_like(p), "atc": 1 - p, "ato": p * (1 - p)}
    return {name: float(np.average(1 + x / 2, weights=mass * h)) for name, h in heights.items()}


def draw(design: str, rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """One sample; that of the survey has strata, villages that share shocks, and unequal weights."""
    is_logit, is_linear = DESIGNS[design]
    if design == "survey":
        return draw_survey(rng, rows)
    x, z = rng.normal(size=rows), (rng.random(rows) < 0.4).astype(np.float64)
    d = rng.random(rows) < score(x, z, is_logit=is_logit)
    level = 1 + x + 0.5 * z if is_linear else np.exp(0.6 * x) + 0.5 * z + 0.4 * x * z
    y = level + d * (1 + x / 2) + rng.normal(size=rows)
    return pd.DataFrame({"y": y, "d": d * 1, "x": x, "z": z})


def draw_survey(rng: np.random.Generator, rows: int, villages: int = 60, strata: int = 4) -> pd.DataFrame:
    """People of villages, drawn more often the lower their x; the weight is the inverse of that chance."""
    size = 3 * rows // villages
    village = np.repeat(np.arange(villages), size)
    x = 0.5 * rng.normal(size=villages)[village] + np.sqrt(0.75) * rng.normal(size=villages * size)
    z = (rng.random(villages * size) < 0.4).astype(np.float64)
    d = rng.random(villages * size) < score(x, z, is_logit=True)
    shock = 0.5 * rng.normal(size=(2, villages))[d * 1, village]
    y = 1 + x + 0.5 * z + d * (1 + x / 2) + shock + rng.normal(size=villages * size)
    chance = 0.1 + 0.5 / (1 + np.exp(1.5 * x))
    seen = rng.random(villages * size) < chance
    columns = {"y": y, "d": d * 1, "x": x, "z": z, "w": 1 / chance}
    frame = pd.DataFrame({**columns, "village": village, "stratum": village % strata})
    return pd.DataFrame(frame.loc[seen]).reset_index(drop=True)


def fit(design: str, name: str, sample: pd.DataFrame) -> Estimate:
    estimator: Any = ESTIMATORS[name]
    if design != "survey":
        return estimator.fit(sample)  # type: ignore[no-any-return]
    inference: Inference = je.SurveyDesign(strata="stratum", psu="village")
    weighted = type(estimator)(**{**_choices(estimator), "weights": "w"})
    return weighted.fit(sample, inference=inference)  # type: ignore[no-any-return]


def _choices(estimator: Any) -> dict[str, Any]:
    return {name: getattr(estimator, name) for name in type(estimator).__dataclass_fields__}


def simulate(design: str, names: tuple[str, ...], *, rows: int, replications: int) -> dict[str, Performance]:
    """Estimate by each method on the same samples; each replication has a seed of its own."""
    found: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in names}
    truth = truths(design)
    stream = np.random.SeedSequence([SEED, list(DESIGNS).index(design)])
    for seed in stream.spawn(replications):
        sample = draw(design, np.random.default_rng(seed), rows)
        for name in names:
            estimate = fit(design, name, sample)
            low, high = estimate.interval()[0]
            target = truth[estimate.keys["term"][0]]
            error = float(estimate.values[0]) - target
            found[name].append((error, float(estimate.uncertainty.std_error[0]), low <= target <= high))
    return {name: summarise(np.array(triples)) for name, triples in found.items()}


def summarise(triples: Floats) -> Performance:
    return Performance(
        bias=float(triples[:, 0].mean()),
        std_deviation=float(triples[:, 0].std(ddof=1)),
        mean_std_error=float(triples[:, 1].mean()),
        coverage=float(triples[:, 2].mean()),
        replications=len(triples),
    )


def rows_of(design: str, rows: int, replications: int, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """What is stored of a run: a row for each estimator."""
    found = simulate(design, names, rows=rows, replications=replications)
    return [
        {
            "design": design,
            "n": rows,
            "replications": replications,
            "estimator": name,
            "bias": round(seen.bias, 5),
            "std_deviation": round(seen.std_deviation, 5),
            "mean_std_error": round(seen.mean_std_error, 5),
            "coverage": round(seen.coverage, 4),
        }
        for name, seen in found.items()
    ]


def write(rows: list[dict[str, Any]]) -> None:
    content = {
        "what": "SIMULATED data; effect planted, bias and coverage of 95 percent intervals",
        "script": "tests/recovery/weighting.py",
        "seed": SEED,
        "truth": {design: truths(design) for design in DESIGNS},
        "versions": {"python": platform.python_version(), "numpy": version("numpy")},
        "rows": [],
    }
    head = json.dumps(content, ensure_ascii=False, indent=1)
    lines = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in rows)
    RESULT.write_text(head.replace('"rows": []', f'"rows": [\n  {lines}\n ]') + "\n", encoding="utf-8")


def main() -> None:
    write([row for run in RUNS for row in rows_of(*run)])


if __name__ == "__main__":
    main()
