"""How often 95 % intervals of regressions cover, on SIMULATED samples: estimator by inference.

`python -m tests.recovery.regression_coverage` from the root of the checkout runs 5,000 replications of each
scenario (1,000 of the jackknife, which fits 24 times a replication) and writes
results/regression_coverage.json.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.iv import TwoStage
from juntos_eval.estimators.means import MeanDifference
from juntos_eval.estimators.panel import FixedEffects
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.conley import Conley
from juntos_eval.inference.jackknife import Jackknife
from juntos_eval.inference.multiplier_bootstrap import MultiplierBootstrap
from juntos_eval.inference.newey_west import DriscollKraay
from juntos_eval.inference.robust import Iid, Robust
from juntos_eval.inference.survey_design import SurveyDesign
from juntos_eval.inference.wild_bootstrap import WildBootstrap

RESULT = Path(__file__).parent / "results" / "regression_coverage.json"
REPLICATIONS = 5000
EFFECT = 0.5
# question, value, standard error (NaN where the test has none), whether the truth is covered
Answers = Iterator[tuple[str, float, float, bool]]


def slope_of(fitted: Estimate, term: str = "x") -> Estimate:
    row = [[float(one == term) for one in fitted.keys["term"]]]
    return fitted.combine(row, {"term": (term,)})


def held(question: str, estimate: Estimate) -> tuple[str, float, float, bool]:
    """Whether the interval covers; of the wild bootstrap, whether its test lets the truth stand."""
    low, high = estimate.interval()[0]
    error = float(estimate.uncertainty.std_error[0])
    return question, float(estimate.values[0]), error, bool(low <= EFFECT <= high)


def asked(prefix: str, estimate: Estimate, rules: dict[str, Inference]) -> Answers:
    for name, rule in rules.items():
        yield held(f"{prefix}, {name}", estimate.with_inference(rule))


def wild(prefix: str, estimate: Estimate, by: str, rng: np.random.Generator) -> Answers:
    rule = WildBootstrap(by=by, seed=int(rng.integers(1 << 30)), draws=399, null=EFFECT, level=None)
    tested = estimate.with_inference(rule)
    is_kept = bool(tested.p_values()[0] > 0.05)
    yield f"{prefix}, wild restricted", float(estimate.values[0]), np.nan, is_kept


def rows(rng: np.random.Generator) -> Answers:
    """300 independent rows whose errors spread with x; an endogenous d with two good instruments."""
    n = 300
    x, z, hidden = rng.normal(size=n), rng.normal(size=(n, 2)), rng.normal(size=n)
    error = np.sqrt(0.5 + 0.5 * x**2) * rng.normal(size=n)
    frame = pd.DataFrame({"x": x, "z1": z[:, 0], "z2": z[:, 1], "y": EFFECT * x + error})
    least = slope_of(FixedEffects(outcome="y", covariates=("x",)).fit(frame))
    robust: dict[str, Inference] = {"HC1": Robust("HC1"), "HC3": Robust("HC3")}
    yield from asked("OLS, errors spread with x", least, {**robust, "iid": Iid()})
    frame["d"] = 0.6 * z[:, 0] + 0.6 * z[:, 1] + hidden + rng.normal(size=n)
    frame["w"] = EFFECT * frame["d"] + hidden + np.sqrt(0.5 + 0.5 * z[:, 0] ** 2) * rng.normal(size=n)
    instrumented = TwoStage(outcome="w", endogenous="d", instruments=("z1", "z2")).fit(frame)
    yield from asked("2SLS, errors spread with z", slope_of(instrumented, "d"), robust)


def panel(units: int, *, has_instrument: bool) -> Callable[[np.random.Generator], Answers]:
    """Units over 6 years, treated from a year on, shocks of units that last; a regressor of the unit too."""

    def replication(rng: np.random.Generator) -> Answers:
        unit, year = np.repeat(np.arange(units), 6), np.tile(np.arange(6), units)
        n = len(unit)
        lasting = rng.normal(size=(units, 6)).cumsum(axis=1).ravel() * 0.5
        x = rng.normal(size=units)[unit] + rng.normal(size=n)
        shock = rng.normal(size=units)
        frame = pd.DataFrame({"unit": unit, "year": year, "x": x})
        frame["y"] = EFFECT * x + shock[unit] + rng.normal(size=n)
        head = f"{units} clusters"
        few = units < 20
        rules: dict[str, Inference] = (
            {"CR2": Cluster("unit", kind="CR2"), "CR3J": Cluster("unit", kind="CR3J")}
            if few
            else {
                "CR1S": Cluster("unit", kind="CR1S"),
                "multiplier bootstrap": MultiplierBootstrap(
                    seed=int(rng.integers(1 << 30)), by="unit", draws=399
                ),
            }
        )
        least = slope_of(FixedEffects(outcome="y", covariates=("x",)).fit(frame, carry=("unit",)))
        yield from asked(f"OLS, {head}", least, {**rules, "HC1": Robust("HC1")})
        frame["d"] = ((unit % 2 == 0) & (year >= 3)) * 1.0
        frame["w"] = EFFECT * frame["d"] + shock[unit] + lasting + 0.3 * year
        effects = FixedEffects(outcome="w", covariates=("d",), absorb=("unit", "year")).fit(frame)
        yield from asked(f"two-way effects, {head}", effects, rules)
        if few:
            yield from wild(f"OLS, {head}", least, "unit", rng)
            yield from wild(f"two-way effects, {head}", effects, "unit", rng)
        if has_instrument:
            hidden = rng.normal(size=units)[unit] + rng.normal(size=n)
            frame["z"] = rng.normal(size=units)[unit] + rng.normal(size=n)
            frame["e"] = frame["z"] + hidden
            frame["v"] = EFFECT * frame["e"] + hidden + rng.normal(size=n)
            fitted = TwoStage(outcome="v", endogenous="e", instruments=("z",)).fit(frame, carry=("unit",))
            yield from asked(f"2SLS, {head}", slope_of(fitted, "e"), {"CR1S": Cluster("unit", kind="CR1S")})

    return replication


def sampled(rng: np.random.Generator) -> pd.DataFrame:
    """10 strata of 6 PSUs of 8 rows, weights that differ by stratum, x and errors that PSUs share."""
    psu = np.repeat(np.arange(60), 8)
    stratum = psu // 6
    x = rng.normal(size=60)[psu] + rng.normal(size=480)
    error = 0.7 * rng.normal(size=60)[psu] + rng.normal(size=480)
    y = 0.2 * stratum + EFFECT * x + error
    return pd.DataFrame({"y": y, "x": x, "psu": psu, "stratum": stratum, "weight": 1.0 + stratum / 5})


def survey(rng: np.random.Generator) -> Answers:
    frame = sampled(rng)
    estimator = FixedEffects(outcome="y", covariates=("x",), weights="weight")
    slope = slope_of(estimator.fit(frame, carry=("psu", "stratum")))
    rules: dict[str, Inference] = {
        "survey design": SurveyDesign(strata="stratum", psu="psu"),
        "rows taken as independent": Robust("HC1"),
    }
    yield from asked("OLS, 60 PSUs in 10 strata", slope, rules)


def jackknife(rng: np.random.Generator) -> Answers:
    """4 strata of 6 PSUs of 10 rows, treatment within PSUs, effects of PSUs that differ."""
    psu = np.repeat(np.arange(24), 10)
    treated = rng.integers(0, 2, 240)
    effect = EFFECT + 0.5 * rng.normal(size=24)[psu]
    y = rng.normal(size=24)[psu] + effect * treated + rng.normal(size=240)
    frame = pd.DataFrame({"y": y, "treated": treated, "psu": psu, "stratum": psu // 6})
    gap = MeanDifference(outcome="y", treatment="treated")
    yield held("difference, 24 PSUs, jackknife", Jackknife(gap, strata="stratum", psu="psu").fit(frame))


def periods(persistence: float) -> Callable[[np.random.Generator], Answers]:
    """15 units over 100 periods: shocks that all units share, and a regressor like them."""

    def shared(rng: np.random.Generator) -> Any:
        steps = rng.normal(size=100)
        for t in range(1, 100):
            steps[t] += persistence * steps[t - 1]
        return steps

    def replication(rng: np.random.Generator) -> Answers:
        unit, time = np.repeat(np.arange(15), 100), np.tile(np.arange(100), 15)
        x = shared(rng)[time] + rng.normal(size=1500)
        y = EFFECT * x + shared(rng)[time] + rng.normal(size=1500)
        frame = pd.DataFrame({"unit": unit, "time": time, "x": x, "y": y})
        slope = FixedEffects(outcome="y", covariates=("x",), absorb=("unit",)).fit(frame, carry=("time",))
        rules: dict[str, Inference] = {
            "Driscoll-Kraay": DriscollKraay(time="time", lags=1 if persistence == 0 else 4),
            "clustered by unit": Cluster("unit", kind="CR1S"),
        }
        kind = "shocks by period" if persistence == 0 else "shocks by period that last"
        yield from asked(f"effects of units, {kind}", slope, rules)

    return replication


def places(rng: np.random.Generator) -> Answers:
    """800 places in 400 cells of a degree, shocks by cell."""
    lat, lon = rng.uniform(-10, 10, 800), rng.uniform(-80, -60, 800)
    cell = (np.floor(lat) + 10).astype(np.int64) * 20 + (np.floor(lon) + 80).astype(np.int64)
    x = rng.normal(size=400)[cell] + rng.normal(size=800)
    y = EFFECT * x + rng.normal(size=400)[cell] + rng.normal(size=800)
    frame = pd.DataFrame({"lat": lat, "lon": lon, "x": x, "y": y})
    slope = slope_of(FixedEffects(outcome="y", covariates=("x",)).fit(frame, carry=("lat", "lon")))
    rules: dict[str, Inference] = {
        "Conley": Conley(lat="lat", lon="lon", cutoff_km=120),
        "HC1": Robust("HC1"),
    }
    yield from asked("OLS, shocks by place", slope, rules)


# scenario and the share of replications that it is given
SCENARIOS: tuple[tuple[Callable[[np.random.Generator], Answers], float], ...] = (
    (rows, 1.0),
    (panel(50, has_instrument=True), 1.0),
    (panel(12, has_instrument=False), 1.0),
    (survey, 1.0),
    (jackknife, 0.2),
    (periods(0.0), 1.0),
    (periods(0.5), 1.0),
    (places, 1.0),
)


def coverage(replications: int, seed: int, scenarios: tuple[int, ...] = ()) -> dict[str, dict[str, float]]:
    """Coverage, bias and standard errors against their spread, by question."""
    found: dict[str, list[tuple[float, float, bool]]] = {}
    for number, (scenario, share) in enumerate(SCENARIOS):
        if scenarios and number not in scenarios:
            continue
        for one in range(max(1, round(replications * share))):
            rng = np.random.default_rng([seed, number, one])
            for name, value, error, is_covered in scenario(rng):
                found.setdefault(name, []).append((value, error, is_covered))
    return {name: summary(np.array(answers, dtype=np.float64)) for name, answers in found.items()}


def summary(answers: Any) -> dict[str, float]:
    values, errors, covered = answers.T
    spread = float(values.std(ddof=1))
    told = {
        "replications": len(values),
        "coverage": float(covered.mean()),
        "bias_in_standard_deviations": float((values - EFFECT).mean() / spread),
    }
    has_error = not np.isnan(errors).any()
    return told | ({"mean_error_over_spread": float(errors.mean() / spread)} if has_error else {})


if __name__ == "__main__":
    result = {
        "what": "SIMULATED data; coverage and size by repetition",
        "seed": 1,
        "questions": coverage(REPLICATIONS, seed=1),
    }
    rounded = json.loads(json.dumps(result), parse_float=lambda text: round(float(text), 4))
    RESULT.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
