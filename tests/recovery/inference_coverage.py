"""How often 95 % intervals cover, on SIMULATED samples from populations whose truth is known.

`python -m tests.recovery.inference_coverage` from the root of the checkout runs 5,000 replications and
writes results/inference_coverage.json.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from juntos_eval.arrays import Codes
from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.means import Mean, MeanDifference
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.multiplier_bootstrap import MultiplierBootstrap
from juntos_eval.inference.robust import Robust
from juntos_eval.inference.survey_design import SurveyDesign

RESULT = Path(__file__).parent / "results" / "inference_coverage.json"
REPLICATIONS = 5000
STRATA = 8
Answers = Iterator[tuple[str, Estimate, float]]


def psus_of(smallest: int) -> Codes:
    """PSUs in the population of each stratum."""
    return np.asarray(smallest + smallest // 4 * np.arange(STRATA), dtype=np.int64)


@cache
def population(smallest: int) -> pd.DataFrame:
    """8 strata of PSUs of 30 persons: PSUs differ, and in who is treated and who is a child."""
    rng = np.random.default_rng(2024)
    psus = psus_of(smallest)
    stratum = np.repeat(np.arange(STRATA), psus)
    shift, lean = rng.normal(size=len(stratum)), rng.normal(size=len(stratum))
    frame = pd.DataFrame(
        {
            "stratum": np.repeat(stratum, 30),
            "psu": np.repeat(np.arange(len(stratum)), 30),
            "psus": np.repeat(psus[stratum], 30),
        }
    )
    n, psu = len(frame), frame["psu"].to_numpy()
    frame["treated"] = (rng.random(n) < 1 / (1 + np.exp(-0.5 * lean[psu]))) * 1
    frame["child"] = rng.random(n) < 1 / (1 + np.exp(1.5 - lean[psu]))
    level = 0.3 * frame["stratum"] + 0.6 * shift[psu] + 0.2 * lean[psu]
    return frame.assign(y=level + 0.5 * frame["treated"] + rng.exponential(size=n))


def sampled(smallest: int, rng: np.random.Generator, *, psus: int, persons: int) -> pd.DataFrame:
    """Draw PSUs within each stratum and persons within each PSU, both without replacement."""
    counts = psus_of(smallest)
    first = np.cumsum(counts) - counts
    chosen = np.concatenate(
        [low + rng.choice(count, psus, replace=False) for low, count in zip(first, counts, strict=True)]
    )
    inside = np.argsort(rng.random((len(chosen), 30)), axis=1)[:, :persons]
    sample = population(smallest).iloc[(chosen[:, None] * 30 + inside).ravel()]
    return sample.assign(w=sample["psus"] / psus * 30 / persons)


@cache
def truths(smallest: int) -> dict[str, float]:
    people = population(smallest)
    means = people.groupby("treated")["y"].mean()
    return {
        "mean": float(people["y"].mean()),
        "difference": float(means[1] - means[0]),
        "domain": float(people.loc[people["child"], "y"].mean()),
    }


def two_stages(rng: np.random.Generator) -> Answers:
    """15 PSUs of the 400 to 1,100 of each stratum, 10 persons of each PSU."""
    sample, truth = sampled(400, rng, psus=15, persons=10), truths(400)
    design = SurveyDesign.of(sample, strata="stratum", psu="psu")
    mean = Mean(outcome="y", weights="w").fit(sample, inference=design)
    yield "mean, survey design", mean, truth["mean"]
    yield "mean, rows taken as independent", mean.with_inference(Robust("HC1")), truth["mean"]
    gap = MeanDifference(outcome="y", treatment="treated", weights="w").fit(sample, inference=design)
    yield "difference, survey design", gap, truth["difference"]
    domain = Mean(outcome="y", weights="w").fit(sample[sample["child"]], inference=design)
    yield "mean of a domain, survey design of the full sample", domain, truth["domain"]


def large_share(rng: np.random.Generator) -> Answers:
    """8 PSUs of the 12 to 33 of each stratum, and everybody in them."""
    sample, truth = sampled(12, rng, psus=8, persons=30), truths(12)
    for name, fpc in (("finite population", "psus"), ("finite population ignored", None)):
        design = SurveyDesign(strata="stratum", psu="psu", fpc=fpc)
        mean = Mean(outcome="y", weights="w").fit(sample, inference=design)
        yield f"mean, survey design, {name}", mean, truth["mean"]


def clusters(count: int) -> Callable[[np.random.Generator], Answers]:
    """Clusters of 5 to 40 rows from a superpopulation, half of them treated as a whole; no effect."""

    def replication(rng: np.random.Generator) -> Answers:
        sizes = rng.integers(5, 41, count)
        cluster = np.repeat(np.arange(count), sizes)
        y = 0.6 * rng.normal(size=count)[cluster] + rng.normal(size=len(cluster))
        frame = pd.DataFrame({"y": y, "cluster": cluster, "treated": cluster % 2})
        rules: dict[str, Inference] = {
            "clustered": Cluster("cluster", kind="CR1S"),
            "multiplier bootstrap by cluster": MultiplierBootstrap(
                seed=int(rng.integers(1 << 30)), by="cluster", draws=399
            ),
        }
        gap = MeanDifference(outcome="y", treatment="treated").fit(frame, carry=("cluster",))
        for name, rule in rules.items():
            yield f"difference, {count} clusters, {name}", gap.with_inference(rule), 0.0
        mean = Mean(outcome="y").fit(frame, inference=rules["clustered"])
        yield f"mean, {count} clusters, clustered", mean, 0.0

    return replication


SCENARIOS = (two_stages, large_share, clusters(60), clusters(8))


def coverage(replications: int, seed: int) -> dict[str, dict[str, float]]:
    """Share of intervals that cover, bias and standard errors against their spread, by question."""
    found: dict[str, list[tuple[float, float, float, bool]]] = {}
    for number, scenario in enumerate(SCENARIOS):
        for one in range(replications):
            rng = np.random.default_rng([seed, number, one])
            for name, estimate, truth in scenario(rng):
                low, high = estimate.interval()[0]
                value, error = float(estimate.values[0]), float(estimate.uncertainty.std_error[0])
                found.setdefault(name, []).append((value, error, truth, bool(low <= truth <= high)))
    return {name: _summary(np.array(rows, dtype=np.float64)) for name, rows in found.items()}


def _summary(rows: Any) -> dict[str, float]:
    values, errors, truth, covered = rows.T
    spread = float(values.std(ddof=1))
    return {
        "coverage": float(covered.mean()),
        "bias_in_standard_deviations": float((values - truth).mean() / spread),
        "mean_error_over_spread": float(errors.mean() / spread),
    }


if __name__ == "__main__":
    result = {
        "what": "SIMULATED data; coverage and size by repetition",
        "replications": REPLICATIONS,
        "seed": 1,
        "coverage": coverage(REPLICATIONS, seed=1),
    }
    rounded = json.loads(json.dumps(result), parse_float=lambda text: round(float(text), 4))
    RESULT.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
