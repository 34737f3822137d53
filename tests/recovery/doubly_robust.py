"""Bias and coverage of two-period difference-in-differences on SIMULATED data with a planted effect.

The designs are those of Sant'Anna & Zhao (2020), section 4, after Kang & Schafer (2007): covariates z are
observed, x are not, and the regression of outcomes and the score of treatment are functions of one or the
other. Run it to write results/doubly_robust.json again (some minutes): python -m tests.recovery.doubly_robust
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

from juntos_eval.arrays import Floats
from juntos_eval.estimators.did import DoublyRobust

RESULT = Path(__file__).parent / "results" / "doubly_robust.json"
EFFECT = 5.0
SEED = 20050907

# design -> (regression is right, score is right)
DESIGNS: Mapping[str, tuple[bool, bool]] = {
    "both right": (True, True),
    "regression right": (True, False),
    "score right": (False, True),
    "both wrong": (False, False),
}
METHODS: Mapping[str, dict[str, Any]] = {
    "improved": {"method": "improved"},
    "traditional": {"method": "traditional"},
    "Hájek": {"method": "ipw"},
    "regression": {"method": "reg"},
}
CROSS_SECTION_METHODS: Mapping[str, dict[str, Any]] = {
    **METHODS,
    "improved, not locally efficient": {"method": "improved", "locally_efficient": False},
    "traditional, variance of DRDID": {"method": "traditional", "variance": "drdid"},
}
COVARIATES = ("z1", "z2", "z3", "z4")


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


def draw(design: str, rng: np.random.Generator, units: int, *, panel: bool) -> pd.DataFrame:
    """One sample: a treated unit's outcome in the second period is larger by the planted effect."""
    regression_right, score_right = DESIGNS[design]
    x = rng.normal(size=(units, 4))
    z = observed(x)
    score = 1 / (1 + np.exp(-0.75 * ((z if score_right else x) @ [-1.0, 0.5, -0.25, -0.1])))
    treated = rng.random(units) < score
    level = 210 + (z if regression_right else x) @ [27.4, 13.7, 13.7, 13.7]
    own = treated * level + rng.normal(size=units)
    before = level + own + rng.normal(size=units)
    after = 2 * level + own + rng.normal(size=units) + EFFECT * treated
    frame = pd.DataFrame(z, columns=list(COVARIATES)).assign(unit=np.arange(units), treated=treated * 1)
    if panel:
        periods = [frame.assign(time=0, y=before), frame.assign(time=1, y=after)]
        return pd.concat(periods, ignore_index=True)
    late = rng.random(units) < 0.5
    return frame.assign(time=late * 1, y=np.where(late, after, before))


def observed(x: Floats) -> Floats:
    """Covariates that are seen, standardised by their moments in the population."""
    raw = np.column_stack(
        [
            np.exp(0.5 * x[:, 0]),
            10 + x[:, 1] / (1 + np.exp(x[:, 0])),
            (0.6 + x[:, 0] * x[:, 2] / 25) ** 3,
            (20 + x[:, 1] + x[:, 3]) ** 2,
        ]
    )
    # log-normal; a quadrature of the squared logistic; moments of products of normals; of a shifted square
    mean = np.array([np.exp(0.125), 10.0, 0.21888, 402.0])
    deviation = np.array(
        [np.sqrt((np.exp(0.25) - 1) * np.exp(0.25)), 0.54164475, 0.04453407, np.sqrt(3208.0)]
    )
    return np.asarray((raw - mean) / deviation)


def estimator_of(name: str, *, panel: bool) -> DoublyRobust:
    choices = (METHODS if panel else CROSS_SECTION_METHODS)[name]
    columns: dict[str, Any] = {"outcome": "y", "time": "time", "treatment": "treated"}
    unit = "unit" if panel else None
    return DoublyRobust(**columns, unit=unit, covariates=COVARIATES, panel=panel, **choices)


def simulate(
    design: str, names: tuple[str, ...], *, panel: bool, units: int, replications: int
) -> dict[str, Performance]:
    """Estimate by each method on the same samples; each replication has a seed of its own."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    stream = np.random.SeedSequence([SEED, list(DESIGNS).index(design), int(panel)])
    for seed in stream.spawn(replications):
        sample = draw(design, np.random.default_rng(seed), units, panel=panel)
        for name in names:
            estimate = estimator_of(name, panel=panel).fit(sample)
            found[name].append((float(estimate.values[0]), float(estimate.uncertainty.std_error[0])))
    return {name: summarise(np.array(pairs)) for name, pairs in found.items()}


def summarise(pairs: Floats) -> Performance:
    error = pairs[:, 0] - EFFECT
    return Performance(
        bias=float(error.mean()),
        std_deviation=float(error.std(ddof=1)),
        mean_std_error=float(pairs[:, 1].mean()),
        coverage=float((np.abs(error) <= 1.959963984540054 * pairs[:, 1]).mean()),
        replications=len(pairs),
    )


def as_markdown(content: Mapping[str, Any]) -> str:
    """Return the stored run as the table of docs/methods/doubly_robust_did.md."""
    lines = ["| | design | " + " | ".join(METHODS) + " |", "|---|---|" + "---|" * len(METHODS)]
    for panel, word in ((True, "panel"), (False, "cross-sections")):
        for design in DESIGNS:
            rows = {
                row["method"]: f"{row['bias'] / row['std_deviation']:.2f}, {100 * row['coverage']:.1f} %"
                for row in content["rows"]
                if (row["panel"], row["design"]) == (panel, design)
            }
            lines.append(f"| {word} | {design} | " + " | ".join(rows[name] for name in METHODS) + " |")
    return "\n".join(lines)


def main(units: int = 1000, replications: int = 1000) -> None:
    rows = []
    for panel in (True, False):
        methods = METHODS if panel else CROSS_SECTION_METHODS
        for design in DESIGNS:
            found = simulate(design, tuple(methods), panel=panel, units=units, replications=replications)
            for name, seen in found.items():
                numbers = {
                    "bias": round(seen.bias, 5),
                    "std_deviation": round(seen.std_deviation, 5),
                    "mean_std_error": round(seen.mean_std_error, 5),
                    "coverage": round(seen.coverage, 4),
                }
                rows.append({"panel": panel, "design": design, "method": name, **numbers})
    content = {
        "what": "SIMULATED data; effect planted, bias and coverage of 95 percent intervals",
        "script": "tests/recovery/doubly_robust.py",
        "seed": SEED,
        "effect": EFFECT,
        "units": units,
        "replications": replications,
        "versions": {"python": platform.python_version(), "numpy": version("numpy")},
        "rows": rows,
    }
    lines = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in rows)
    head = json.dumps({**content, "rows": []}, ensure_ascii=False, indent=1)
    RESULT.write_text(head.replace('"rows": []', f'"rows": [\n  {lines}\n ]') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
