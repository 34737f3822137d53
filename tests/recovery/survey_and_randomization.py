"""Coverage of survey intervals, size of randomization tests and of step-down families, on SIMULATED samples.

`python -m tests.recovery.survey_and_randomization` from the root of the checkout runs all replications and
writes results/survey_and_randomization.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from juntos_eval.estimate import Estimate
from juntos_eval.estimators.means import MeanDifference
from juntos_eval.estimators.survey_statistics import Proportion, Quantile, Ratio, Total
from juntos_eval.inference.balanced_replication import BalancedReplication
from juntos_eval.inference.bootstrap import SurveyBootstrap
from juntos_eval.inference.jackknife import Jackknife
from juntos_eval.inference.joint_draws import multiplier_draws
from juntos_eval.inference.multiple_testing import adjust_p_values
from juntos_eval.inference.randomization import Randomization
from juntos_eval.inference.robust import Robust
from juntos_eval.inference.survey_design import SurveyDesign
from tests.recovery.inference_coverage import population, sampled

RESULT = Path(__file__).parent / "results" / "survey_and_randomization.json"
REPLICATIONS = {"survey": 400, "replicates": 40, "randomization": 100, "families": 250}
DESIGN: dict[str, Any] = {"strata": "stratum", "psu": "psu"}


@cache
def people() -> pd.DataFrame:
    """The finite population: a rare yes, and a denominator, beside the outcome."""
    rng = np.random.default_rng(77)
    frame = population(400)
    rare = rng.random(len(frame)) < 0.03 + 0.04 * (frame["y"] > 3)
    return frame.assign(rare=rare * 1, size=1 + rng.poisson(2 + 0.3 * frame["stratum"]))


def statistics() -> dict[str, tuple[object, float]]:
    """Each statistic with its value in the population."""
    frame = people()
    return {
        "total": (Total(outcome="y", weights="w"), float(frame["y"].sum())),
        "ratio": (
            Ratio(outcome="y", denominator="size", weights="w"),
            float(frame["y"].sum() / frame["size"].sum()),
        ),
        "median": (Quantile(outcome="y", weights="w"), float(np.quantile(frame["y"], 0.5))),
        "90th percentile": (
            Quantile(outcome="y", probabilities=(0.9,), weights="w"),
            float(np.quantile(frame["y"], 0.9)),
        ),
        "rare share, logit": (Proportion(outcome="rare", weights="w"), float(frame["rare"].mean())),
        "rare share, beta": (
            Proportion(outcome="rare", weights="w", interval="beta"),
            float(frame["rare"].mean()),
        ),
    }


def drawn(rng: np.random.Generator, psus: int) -> pd.DataFrame:
    """PSUs within strata, ten persons within each, both without replacement; with all columns."""
    sample = sampled(400, rng, psus=psus, persons=10)
    extra = people().loc[sample.index, ["rare", "size"]]
    return sample.assign(rare=extra["rare"], size=extra["size"])


def survey(rng: np.random.Generator) -> Iterator[tuple[str, Estimate, float]]:
    """15 PSUs of each stratum, linearised."""
    sample = drawn(rng, 15)
    rule = SurveyDesign.of(sample, **DESIGN)
    for name, (statistic, truth) in statistics().items():
        yield f"{name}, linearised", statistic.fit(sample, inference=rule), truth  # type: ignore[attr-defined]


def replicates(rng: np.random.Generator) -> Iterator[tuple[str, Estimate, float]]:
    """Ratio by jackknife and half-samples; median by the rescaled bootstrap."""
    sample = drawn(rng, 8)
    ratio, truth = statistics()["ratio"]
    yield "ratio, jackknife", Jackknife(ratio, **DESIGN).fit(sample), truth  # type: ignore[arg-type]
    pairs = drawn(rng, 2)
    halves = BalancedReplication(ratio, **DESIGN, fay=0.3)  # type: ignore[arg-type]
    yield "ratio, Fay's half-samples of 8 strata", halves.fit(pairs), truth
    median, middle = statistics()["median"]
    seed = int(rng.integers(1 << 30))
    bootstrap = SurveyBootstrap(median, seed, draws=99, interval="normal", **DESIGN)  # type: ignore[arg-type]
    yield "median, rescaled bootstrap", bootstrap.fit(sample), middle


def experiment(rng: np.random.Generator, *, unequal: bool) -> pd.DataFrame:
    """48 units in 4 blocks, a quarter of each treated; no effect on average, on anyone unless unequal."""
    block = np.repeat(np.arange(4), 12)
    treated = np.concatenate([rng.permutation([1] * 3 + [0] * 9) for _ in range(4)])
    y = 0.5 * block + rng.exponential(size=48)
    if unequal:
        y = y + treated * rng.normal(0, 3, 48)
    return pd.DataFrame({"y": y, "d": treated, "block": block})


def randomization(rng: np.random.Generator) -> Iterator[tuple[str, float]]:
    """P values of the truth."""
    gap, choices = (
        MeanDifference(outcome="y", treatment="d"),
        {"treatment": "d", "draws": 99, "strata": "block"},
    )
    seed = int(rng.integers(1 << 30))
    for unequal, kind in ((False, "nobody affected"), (True, "effects that average to zero")):
        frame = experiment(rng, unequal=unequal)
        for statistic in ("studentised", "estimate"):
            test = Randomization(gap, seed=seed, statistic=statistic, **choices)  # type: ignore[arg-type]
            p = test.fit(frame, inference=Robust("HC0")).p_values()[0]
            yield f"randomization, {statistic}, {kind}", float(p)


def families(rng: np.random.Generator) -> Iterator[tuple[str, float]]:
    """Smallest adjusted p value of the true null hypotheses: eight outcomes, two of them affected."""
    n = 300
    common = rng.normal(size=n)
    frame = pd.DataFrame({f"y{i}": common + 0.7 * rng.normal(size=n) for i in range(8)})
    frame = frame.assign(d=rng.permutation(np.arange(n) % 2))
    for i in (0, 1):
        frame[f"y{i}"] += 0.6 * frame["d"]
    gaps = [MeanDifference(outcome=f"y{i}", treatment="d").fit(frame) for i in range(8)]
    joint = multiplier_draws(gaps, seed=int(rng.integers(1 << 30)), draws=399)
    for method in ("romano_wolf", "westfall_young", "holm"):
        found = adjust_p_values(gaps, method=method, draws=joint)
        yield f"family, {method}", float(min(one.p_values()[0] for one in found[2:]))
    yield "family, not adjusted", float(min(one.p_values()[0] for one in gaps[2:]))


def coverage(replications: dict[str, int], seed: int) -> dict[str, float]:
    """Share of 95 % intervals that cover, by statistic."""
    found: dict[str, list[bool]] = {}
    for number, scenario in enumerate((survey, replicates)):
        for one in range(replications[scenario.__name__]):
            for name, estimate, truth in scenario(np.random.default_rng([seed, number, one])):
                low, high = estimate.interval()[0]
                found.setdefault(name, []).append(bool(low <= truth <= high))
    return {name: float(np.mean(covers)) for name, covers in found.items()}


def rejections(replications: dict[str, int], seed: int) -> dict[str, float]:
    """Share of true hypotheses, or of families of them, that are rejected at 5 %."""
    found: dict[str, list[bool]] = {}
    for number, scenario in enumerate((randomization, families)):
        for one in range(replications[scenario.__name__]):
            for name, p in scenario(np.random.default_rng([seed, 10 + number, one])):
                found.setdefault(name, []).append(p <= 0.05)
    return {name: float(np.mean(rejected)) for name, rejected in found.items()}


if __name__ == "__main__":
    result = {
        "what": "SIMULATED data; coverage and size by repetition",
        "replications": REPLICATIONS,
        "seed": 1,
        "coverage": coverage(REPLICATIONS, seed=1),
        "rejected": rejections(REPLICATIONS, seed=1),
    }
    rounded = json.loads(json.dumps(result), parse_float=lambda text: round(float(text), 4))
    RESULT.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
