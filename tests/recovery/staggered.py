"""Bias and coverage of staggered difference-in-differences on SIMULATED data with planted effects.

The effect that all are asked for is that two periods after treatment begins, averaged over treated units;
the static two-way regression is asked for the mean over all treated rows. Run it to write
results/staggered.json again: python -m tests.recovery.staggered 5000 (an hour and more on one core; a second
number is the minutes after which it stops with the replications it has).
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import juntos_eval as je
from juntos_eval.arrays import Floats
from juntos_eval.estimate import Estimate

RESULT = Path(__file__).parent / "results" / "staggered.json"
SEED = 20051020
PERIODS = np.arange(1, 9)
# eight units by when they are first treated; zero is never
PATTERN = np.array([4.0, 4.0, 4.0, 5.0, 6.0, 6.0, 0.0, 0.0])
HORIZON = 2
UNITS, FEW = 160, 16
REPLICATIONS = 120
BATCH = 50

PLAIN = ("homogeneous", "dynamic", "heterogeneous", "covariate trends", "few clusters")
CROSS_SECTIONS = "cross-sections with weights"
DESIGNS = (*PLAIN, CROSS_SECTIONS)
PANEL: dict[str, Any] = {"outcome": "y", "unit": "unit", "time": "time", "first_treated": "start"}
SECTIONS: dict[str, Any] = {"outcome": "y", "time": "time", "first_treated": "start"}
# effect, standard error, ends of the 95 percent interval
Answer = tuple[float, float, float, float]
Method = Callable[[pd.DataFrame], Answer]


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


def planted(design: str, cohort: Floats, event: Floats) -> Floats:
    """Return the effect of a cohort at an event time."""
    slope = {"dynamic": 0.5 + 0.0 * cohort, "heterogeneous": 6.0 - cohort}.get(design, 0.0 * cohort)
    return np.where(event >= 0, 1.0 + slope * np.maximum(event, 0.0), 0.0)


def draw(design: str, rng: np.random.Generator) -> pd.DataFrame:
    """One sample, with the planted effect of each row in ``effect``."""
    if design == CROSS_SECTIONS:
        return _sections(rng)
    units = FEW if design == "few clusters" else UNITS
    x = rng.normal(size=units)
    start = np.resize(PATTERN, units)
    if design == "covariate trends":
        # later cohorts, and the never treated, have smaller x
        start = PATTERN[np.argsort(np.argsort(-x - 1.5 * rng.normal(size=units))) * len(PATTERN) // units]
    event = np.where(start[:, None] > 0, PERIODS - start[:, None], -np.inf)
    effect = planted(design, start[:, None], event)
    noise = np.empty((units, len(PERIODS)))
    noise[:, 0] = rng.normal(size=units)
    for at in range(1, len(PERIODS)):
        noise[:, at] = 0.5 * noise[:, at - 1] + rng.normal(size=units)
    trend = 0.4 * x[:, None] * PERIODS if design == "covariate trends" else 0.0
    y = rng.normal(size=(units, 1)) + 0.2 * PERIODS + trend + effect + noise
    trends = {f"x in {time}": (x[:, None] * (time == PERIODS)).ravel() for time in PERIODS[1:]}
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), len(PERIODS)),
            "time": np.tile(PERIODS, units),
            "start": np.repeat(start, len(PERIODS)),
            "x": np.repeat(x, len(PERIODS)),
            "treated": (event >= 0).ravel() * 1.0,
            "effect": effect.ravel(),
            "y": y.ravel(),
            **trends,
        }
    )


def _sections(rng: np.random.Generator, districts: int = 80, people: int = 1000) -> pd.DataFrame:
    """People of districts, of whom the rural are sampled less and gain more; districts have shocks."""
    size = people * len(PERIODS)
    district = rng.integers(0, districts, size)
    time = np.repeat(PERIODS, people)
    # half of the population is rural, one in five of the sample is
    rural = rng.random(size) < 0.2
    start = np.resize(PATTERN, districts)[district]
    shock = 0.3 * rng.normal(size=(districts, len(PERIODS) + 1))
    effect = np.where((start > 0) & (time >= start), 1.0 + 2.0 * rural, 0.0)
    y = effect + shock[district, 0] + shock[district, time] + 0.5 * rural + rng.normal(size=size)
    return pd.DataFrame(
        {
            "district": district,
            "time": time,
            "start": start,
            "w": np.where(rural, 2.5, 0.625),
            "treated": ((start > 0) & (time >= start)) * 1.0,
            "effect": effect,
            "y": y,
        }
    )


def _answer(estimate: Estimate, at: int) -> Answer:
    low, high = estimate.interval()[at]
    return float(estimate.values[at]), float(estimate.uncertainty.std_error[at]), float(low), float(high)


def _at_horizon(estimate: Estimate) -> Answer:
    return _answer(estimate, [one == HORIZON for one in estimate.keys["event_time"]].index(True))


def _group_time(**choices: Any) -> Method:
    return lambda sample: _at_horizon(je.aggregate(je.GroupTime(**choices).fit(sample), "dynamic"))


def _event(estimator: Any, inference: Any = None) -> Method:
    return lambda sample: _at_horizon(estimator.fit(sample, inference=inference))


def _static(sample: pd.DataFrame) -> Answer:
    found = je.FixedEffects(outcome="y", covariates=("treated",), absorb=("unit", "time"))
    return _answer(found.fit(sample, inference=je.Cluster("unit", kind="CR1S")), 0)


STATIC = "two-way, static"
ESTIMATORS: Mapping[str, Method] = {
    STATIC: _static,
    "two-way event study": _event(je.EventStudy(**PANEL)),
    "group-time, never": _group_time(**PANEL),
    "group-time, not yet": _group_time(**PANEL, control="not_yet"),
    "interaction-weighted": _event(je.InteractionWeighted(**PANEL, shares="estimated")),
    "imputation": _event(je.Imputation(**PANEL, by="event_time")),
    "two-stage": _event(je.TwoStageImputation(**PANEL, by="event_time")),
    "extended two-way": _event(je.ExtendedTwoWay(**PANEL, by="event_time")),
    "stacked, unweighted": _event(je.Stacked(**PANEL, before=3, after=HORIZON)),
    "stacked, corrected": _event(je.Stacked(**PANEL, before=3, after=HORIZON, aggregate="cohort")),
    "projections, variance": _event(je.LocalProjections(**PANEL, horizons=(HORIZON,))),
    "projections, equal": _event(je.LocalProjections(**PANEL, horizons=(HORIZON,), weighting="equal")),
}
X = {**PANEL, "covariates": ("x",)}
TRENDS = {**PANEL, "covariates": tuple(f"x in {time}" for time in PERIODS[1:])}
CONDITIONAL: Mapping[str, Method] = {
    "group-time given x, dr": _group_time(**X),
    "group-time given x, ipw": _group_time(**X, method="ipw"),
    "group-time given x, reg": _group_time(**X, method="reg"),
    "imputation given x": _event(je.Imputation(**TRENDS, by="event_time")),
    "two-stage given x": _event(je.TwoStageImputation(**TRENDS, by="event_time")),
    "extended two-way given x": _event(je.ExtendedTwoWay(**X, by="event_time")),
    "interaction-weighted given x": _event(je.InteractionWeighted(**TRENDS)),
    "projections given x": _event(je.LocalProjections(**X, horizons=(HORIZON,))),
}
W = {**SECTIONS, "weights": "w"}
BY_DISTRICT = je.Cluster("district", kind="CR1S")
REPEATED: Mapping[str, Method] = {
    "group-time, districts": _group_time(**W, unit="district", panel=False),
    "group-time, regression, districts": _group_time(**W, unit="district", panel=False, method="reg"),
    "group-time, people alone": _group_time(**W, panel=False),
    "group-time, no weights": _group_time(**SECTIONS, unit="district", panel=False),
    "imputation": _event(je.Imputation(**W, by="event_time"), BY_DISTRICT),
    "two-stage": _event(je.TwoStageImputation(**W, by="event_time"), BY_DISTRICT),
    "extended two-way": _event(je.ExtendedTwoWay(**W, by="event_time"), BY_DISTRICT),
    "interaction-weighted": _event(je.InteractionWeighted(**W), BY_DISTRICT),
}


def estimators_of(design: str) -> Mapping[str, Method]:
    """Return what is run on a design."""
    if design == CROSS_SECTIONS:
        return REPEATED
    return {**ESTIMATORS, **CONDITIONAL} if design == "covariate trends" else ESTIMATORS


def target(design: str, name: str) -> float:
    """Return the planted effect that an estimator is asked for."""
    if design == CROSS_SECTIONS:
        return 2.0
    cohorts = PATTERN[PATTERN > 0]
    if name != STATIC:
        return float(planted(design, cohorts, np.full(len(cohorts), float(HORIZON))).mean())
    rows = np.concatenate([planted(design, one, PERIODS[one <= PERIODS] - one) for one in cohorts])
    return float(rows.mean())


def seeds_of(design: str, replications: int) -> Sequence[np.random.SeedSequence]:
    """Return a seed for each replication; the first ones are the same however many there are."""
    return np.random.SeedSequence([SEED, DESIGNS.index(design)]).spawn(replications)


def answers_of(
    design: str, names: tuple[str, ...], seeds: Sequence[np.random.SeedSequence]
) -> dict[str, list[Answer]]:
    """Estimate by each method on the same samples."""
    estimators = estimators_of(design)
    found: dict[str, list[Answer]] = {name: [] for name in names}
    for seed in seeds:
        sample = draw(design, np.random.default_rng(seed))
        for name in names:
            found[name].append(estimators[name](sample))
    return found


def simulate(design: str, names: tuple[str, ...], replications: int) -> dict[str, Performance]:
    """Return how methods do on the samples of a design."""
    found = answers_of(design, names, seeds_of(design, replications))
    return {name: summarise(np.array(answers), target(design, name)) for name, answers in found.items()}


def run(design: str, replications: int) -> dict[str, Performance]:
    """Run every estimator of a design."""
    return simulate(design, tuple(estimators_of(design)), replications)


def summarise(answers: Floats, truth: float) -> Performance:
    """Bias, spread and coverage of the intervals that the estimators give by default."""
    error = answers[:, 0] - truth
    return Performance(
        bias=float(error.mean()),
        std_deviation=float(error.std(ddof=1)),
        mean_std_error=float(answers[:, 1].mean()),
        coverage=float(((answers[:, 2] <= truth) & (truth <= answers[:, 3])).mean()),
        replications=len(answers),
    )


def as_markdown(content: Mapping[str, Any]) -> str:
    """Return the stored run as the table of docs/methods/staggered_did.md."""
    lines = ["| design | estimator | bias / spread | error / spread | coverage |", "|---|---|---|---|---|"]
    for row in content["rows"]:
        spread = row["std_deviation"]
        lines.append(
            f"| {row['design']} | {row['estimator']} | {row['bias'] / spread:.2f} | "
            f"{row['mean_std_error'] / spread:.2f} | {100 * row['coverage']:.1f} % |"
        )
    return "\n".join(lines)


def main(replications: int = REPLICATIONS, minutes: float = np.inf) -> None:
    """Run every design, a batch of replications at a time, and write the result after each batch."""
    started = time.monotonic()
    seeds = {design: seeds_of(design, replications) for design in DESIGNS}
    found: dict[str, dict[str, list[Answer]]] = {
        design: {name: [] for name in estimators_of(design)} for design in DESIGNS
    }
    for first in range(0, replications, BATCH):
        for design in DESIGNS:
            batch = seeds[design][first : first + BATCH]
            for name, answers in answers_of(design, tuple(found[design]), batch).items():
                found[design][name] += answers
        write(found, min(first + BATCH, replications))
        if time.monotonic() - started > 60.0 * minutes:
            break


def write(found: Mapping[str, Mapping[str, list[Answer]]], replications: int) -> None:
    """Write what was found so far."""
    rows = []
    for design, by_name in found.items():
        for name, answers in by_name.items():
            seen = summarise(np.array(answers), target(design, name))
            numbers = {
                "bias": round(seen.bias, 5),
                "std_deviation": round(seen.std_deviation, 5),
                "mean_std_error": round(seen.mean_std_error, 5),
                "coverage": round(seen.coverage, 4),
            }
            rows.append({"design": design, "estimator": name, **numbers})
    content = {
        "what": "SIMULATED data; effect planted, bias and coverage of 95 percent intervals",
        "script": "tests/recovery/staggered.py",
        "seed": SEED,
        "replications": replications,
        "versions": {"python": platform.python_version(), "numpy": version("numpy")},
        "rows": rows,
    }
    lines = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in rows)
    head = json.dumps({**content, "rows": []}, ensure_ascii=False, indent=1)
    RESULT.write_text(head.replace('"rows": []', f'"rows": [\n  {lines}\n ]') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REPLICATIONS, *map(float, sys.argv[2:3]))
