"""Designs and effects by weighting: what they are by definition, and what they refuse."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimator
from juntos_eval.estimators.matching.adjusted import Design
from juntos_eval.estimators.matching.score_trimming import crump_bound

COVARIATES = ("x1", "x2")


@cache
def simulated(rows: int = 400) -> pd.DataFrame:
    """SIMULATED: a treatment by covariates, an effect of one."""
    rng = np.random.default_rng(31)
    x1, x2 = rng.normal(size=rows), (rng.random(rows) < 0.4) * 1.0
    treated = (rng.random(rows) < 1 / (1 + np.exp(0.5 - 0.8 * x1 + 0.5 * x2))) * 1
    y = 1 + x1 + x2 + treated + rng.normal(size=rows)
    area = rng.choice(["coast", "forest", "highland"], rows)
    return pd.DataFrame(
        {"y": y, "d": treated, "x1": x1, "x2": x2, "area": area, "w": rng.uniform(0.5, 3, rows)}
    )


def weighting(**choices: Any) -> je.Weighting:
    return je.Weighting(**{"outcome": "y", "treatment": "d", "covariates": COVARIATES, **choices})


def arms(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return frame[frame["d"] == 1], frame[frame["d"] == 0]


def test_design_never_looks_at_the_outcome() -> None:
    frame = simulated()
    design = weighting(outcome=None).design(frame.drop(columns="y"))
    assert isinstance(design, Design)
    np.testing.assert_array_equal(design.design_weights, weighting().design(frame).design_weights)
    with pytest.raises(DesignError, match="needs an outcome"):
        weighting(outcome=None).fit(frame)


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("estimand", ["att", "ate", "atc"])
@pytest.mark.parametrize("moments", [1, 2, 3])
def test_entropy_weights_balance_moments_exactly(moments: int, estimand: str, weights: str | None) -> None:
    frame = simulated()
    design = weighting(method="entropy", moments=moments, estimand=estimand, weights=weights).design(frame)
    sampling = frame["w"].to_numpy() if weights else np.ones(len(frame))
    target = {"att": frame["d"] == 1, "ate": frame["d"] >= 0, "atc": frame["d"] == 0}[estimand].to_numpy()
    for power in range(1, moments + 1):
        values = design.covariates**power
        asked = np.average(values[target], axis=0, weights=sampling[target])
        for arm in (design.treated, ~design.treated):
            found = np.average(values[arm], axis=0, weights=design.design_weights[arm])
            np.testing.assert_allclose(found, asked, atol=1e-11)
    assert je.balance(design).checks[0].passed


def test_overlap_weights_balance_exactly_with_a_logit() -> None:
    design = weighting(method="overlap").design(simulated())
    after = je.balance(design).after
    np.testing.assert_allclose(after.mean_treated[1:], after.mean_untreated[1:], atol=1e-7)
    assert design.estimand == "ato"
    same = weighting(estimand="ato").design(simulated())
    np.testing.assert_array_equal(design.design_weights, same.design_weights)


def test_horvitz_thompson_moves_with_a_constant_and_hajek_does_not() -> None:
    frame = simulated()
    for normalised, moves in ((True, False), (False, True)):
        estimator = weighting(estimand="ate", normalised=normalised, link="probit")
        here, there = estimator.fit(frame), estimator.fit(frame.assign(y=frame["y"] + 1000))
        assert bool(abs(here.values[0] - there.values[0]) > 1e-3) is moves


def test_effect_is_the_difference_of_weighted_means() -> None:
    frame = simulated()
    estimator = weighting(weights="w", means=True)
    estimate, design = estimator.fit(frame), estimator.design(frame)
    y, used = frame["y"].to_numpy(), design.design_weights
    means = [np.average(y[arm], weights=used[arm]) for arm in (design.treated, ~design.treated)]
    np.testing.assert_allclose(estimate.values, [means[0] - means[1], *means], rtol=1e-12)
    assert estimate.keys["term"] == ("att", "mean_treated", "mean_untreated")
    assert [estimate.details["mean_treated"], estimate.details["mean_untreated"]] == pytest.approx(means)
    assert estimate.sample.treated == int(frame["d"].sum())
    assert estimate.details["effective_untreated"] == pytest.approx(
        used[~design.treated].sum() ** 2 / (used[~design.treated] ** 2).sum()
    )


def test_data_and_order_of_rows_do_not_matter() -> None:
    frame = simulated()
    before = frame.copy(deep=True)
    estimate = weighting(weights="w").fit(frame)
    pd.testing.assert_frame_equal(frame, before)
    shuffled = weighting(weights="w").fit(frame.sample(frac=1, random_state=1))
    np.testing.assert_allclose(shuffled.values, estimate.values, rtol=1e-9)
    np.testing.assert_allclose(shuffled.uncertainty.std_error, estimate.uncertainty.std_error, rtol=1e-8)
    duplicated = frame.set_axis(np.zeros(len(frame), dtype=int), axis=0)
    np.testing.assert_array_equal(weighting(weights="w").fit(duplicated).values, estimate.values)


def test_missing_values_are_dropped_and_counted() -> None:
    frame = simulated().copy()
    frame.loc[:9, "y"] = np.nan
    frame.loc[20:24, "x1"] = np.nan
    estimate = weighting().fit(frame)
    assert dict(estimate.sample.dropped) == {"y missing": 10, "x1 missing": 5}
    assert estimate.sample.rows == len(frame) - 15
    complete = weighting().fit(frame.dropna())
    np.testing.assert_array_equal(estimate.values, complete.values)


def test_trimmed_rows_are_counted_and_the_score_is_fitted_again() -> None:
    frame = simulated()
    design = weighting(trim=0.2).design(frame)
    assert design.score is not None
    assert design.kept_score is not None
    inside = (design.score.probability >= 0.2) & (design.score.probability <= 0.8)
    np.testing.assert_array_equal(design.is_kept, inside)
    assert 0 < (~inside).sum() < len(frame) / 2
    assert (design.design_weights[~inside] == 0).all()
    again = weighting().fit(frame[inside])
    estimate = weighting(trim=0.2).fit(frame)
    np.testing.assert_allclose(estimate.values, again.values, rtol=1e-9)
    np.testing.assert_allclose(estimate.uncertainty.std_error, again.uncertainty.std_error, rtol=1e-9)
    assert estimate.sample.dropped["score outside [0.2, 0.8]"] == (~inside).sum()
    assert estimate.sample.rows == inside.sum()
    assert len(design.score.probability) == len(design.treated) == len(frame)


def test_crump_bound_is_the_best_of_all_bounds() -> None:
    rng = np.random.default_rng(8)
    p, base = rng.beta(0.4, 0.7, 500).clip(1e-4, 1 - 1e-4), rng.uniform(0.5, 2, 500)
    bound = crump_bound(p, base)

    def variance(alpha: float) -> float:
        kept = (p >= alpha) & (p <= 1 - alpha)
        return float((base / (p * (1 - p)))[kept].sum() / base[kept].sum() ** 2)

    others = [variance(alpha) for alpha in np.linspace(0, 0.45, 2000)]
    assert variance(bound) <= min(others) * (1 + 1e-12)
    # the equation of Crump et al. (2009): 1 / (a (1 - a)) is twice the mean within
    kept = (p >= bound) & (p <= 1 - bound)
    mean = np.average((1 / (p * (1 - p)))[kept], weights=base[kept])
    assert 1 / (bound * (1 - bound)) == pytest.approx(2 * mean, rel=1e-12)
    assert crump_bound(np.linspace(0.2, 0.8, 50), np.ones(50)) == 0.0
    estimate = weighting(trim="crump", estimand="ate").fit(simulated())
    assert any("score outside" in reason for reason in estimate.sample.dropped) or estimate.sample.rows == 400


def test_checks_are_printed_beside_the_number() -> None:
    checks = {check.name: check for check in weighting().fit(simulated()).checks}
    assert {"balance", "overlap", "extreme scores", "effective sample size", "score converged"} <= set(checks)
    assert checks["balance"].passed
    entropy = {check.name for check in weighting(method="entropy").fit(simulated()).checks}
    assert {"balance", "entropy balance", "effective sample size"} <= entropy


def test_categories_enter_as_levels() -> None:
    frame = simulated()
    text = weighting(covariates=(*COVARIATES, "area")).fit(frame)
    levels = pd.get_dummies(frame["area"], dtype=float).drop(columns="coast")
    numeric = weighting(covariates=(*COVARIATES, "forest", "highland")).fit(frame.join(levels))
    np.testing.assert_allclose(text.values, numeric.values, rtol=1e-9)


def test_record_and_spec() -> None:
    import json

    estimate = weighting(method="entropy", weights="w").fit(simulated())
    again = je.Estimate.from_record(json.loads(json.dumps(estimate.to_record())))
    np.testing.assert_array_equal(again.values, estimate.values)
    assert again.spec["method"] == "entropy"
    assert again.spec["estimand"] == "att"
    assert estimate.spec["estimator"] == "Weighting"


def test_records_of_choices_are_frozen() -> None:
    estimator = weighting()
    with pytest.raises(FrozenInstanceError):
        estimator.outcome = "other"  # type: ignore[misc]
    assert isinstance(estimator, Estimator)
    design = estimator.design(simulated())
    for array in (design.design_weights, design.treated, design.covariates, design.is_kept):
        assert not array.flags.writeable


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"method": "ipw2"}, "no method 'ipw2'"),
        ({"estimand": "late"}, "no estimand 'late'"),
        ({"link": "cloglog"}, "no link"),
        ({"moments": 4, "method": "entropy"}, "no moments 4"),
        ({"moments": 2}, "method='entropy' only"),
        ({"method": "overlap", "estimand": "att"}, "are for the ATO"),
        ({"method": "entropy", "estimand": "ato"}, "has no ATO"),
        ({"method": "entropy", "trim": 0.1}, "no score to trim"),
        ({"method": "entropy", "normalised": False}, "always sum"),
        ({"method": "entropy", "weight_score": False}, "no score to leave unweighted"),
        ({"trim": 0.5}, "trim is a score"),
        ({"trim": 0}, "trim is a score"),
        ({"trim": True}, "trim is a score"),
        ({"trim": "sturmer"}, "trim is a score"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"tolerance": float("nan")}, "tolerance"),
        ({"covariates": ()}, "at least one covariate"),
        ({"covariates": "x1"}, "tuple of names"),
    ],
)
def test_choices_that_do_not_exist_are_refused_at_construction(choices: dict[str, Any], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        weighting(**choices)


def broken(**columns: Any) -> pd.DataFrame:
    return simulated().assign(**columns)


EVERY: dict[str, Any] = {
    "ipw": weighting(),
    "entropy": weighting(method="entropy"),
    "overlap": weighting(method="overlap"),
    "regression": je.RegressionAdjustment(outcome="y", treatment="d", covariates=COVARIATES),
    "ipwra": je.IPWRA(outcome="y", treatment="d", covariates=COVARIATES),
    "aipw": je.AIPW(outcome="y", treatment="d", covariates=COVARIATES),
}


@pytest.mark.parametrize("name", EVERY)
class TestBadInput:
    def refuse(self, name: str, frame: pd.DataFrame, words: str, **choices: Any) -> None:
        with pytest.raises(DesignError, match=words):
            replace(EVERY[name], **choices).fit(frame)

    def test_missing_treatment(self, name: str) -> None:
        self.refuse(name, broken(d=simulated()["d"].where(simulated().index != 3)), "'d' has missing values")

    def test_treatment_of_other_values(self, name: str) -> None:
        self.refuse(name, broken(d=simulated()["d"] + 1), "must be 0 or 1")

    def test_nobody_treated(self, name: str) -> None:
        self.refuse(name, broken(d=0), "no treated row")

    def test_a_single_treated_row(self, name: str) -> None:
        one = (simulated().index == 5) * 1
        words = "single treated row|no more rows than|told apart|tell treated|no overlap"
        self.refuse(name, broken(d=one), words)

    def test_a_constant_outcome(self, name: str) -> None:
        self.refuse(name, broken(y=2.0), "does not vary")

    def test_negative_weights(self, name: str) -> None:
        self.refuse(name, broken(w=-1.0), "negative", weights="w")

    def test_missing_weights(self, name: str) -> None:
        self.refuse(name, broken(w=np.nan), "missing values", weights="w")

    def test_an_outcome_of_text(self, name: str) -> None:
        self.refuse(name, broken(y="a"), "does not hold numbers")

    def test_a_column_that_is_not_there(self, name: str) -> None:
        self.refuse(name, simulated().drop(columns="x2"), "no column 'x2'")

    def test_an_infinite_covariate(self, name: str) -> None:
        self.refuse(name, broken(x1=np.inf), "infinite")

    def test_everything_missing(self, name: str) -> None:
        self.refuse(name, broken(x1=np.nan), "no complete row")

    def test_a_grouping_that_is_missing(self, name: str) -> None:
        with pytest.raises(DesignError, match="has missing values"):
            EVERY[name].fit(broken(g=np.nan), carry=("g",))

    def test_constant_and_collinear_covariates_are_left_out_and_named(self, name: str) -> None:
        frame = broken(year=2024, twice=lambda table: 2 * table["x1"] + 3)
        estimator = replace(EVERY[name], covariates=(*COVARIATES, "year", "twice"))
        estimate = estimator.fit(frame)
        np.testing.assert_allclose(estimate.values, EVERY[name].fit(frame).values, rtol=1e-8)
        said = " ".join(check.detail for check in estimate.checks)
        assert "year" in said
        assert "twice" in said


SCORED = ("ipw", "overlap", "ipwra", "aipw")


@pytest.mark.parametrize("name", SCORED)
def test_separation_is_named(name: str) -> None:
    frame = broken(village=lambda table: (table["d"] == 1) & (table["x1"] > 0.5))
    with pytest.raises(DesignError, match="village"):
        replace(EVERY[name], covariates=(*COVARIATES, "village")).fit(frame)


def test_scores_next_to_one_are_no_overlap() -> None:
    rng = np.random.default_rng(2)
    n = 4000
    x = rng.normal(size=n) * 6
    treated = (rng.random(n) < 1 / (1 + np.exp(-2 * x))) * 1
    frame = pd.DataFrame({"y": rng.normal(size=n), "d": treated, "x": x})
    frame.loc[0, ["x", "d"]] = [12.0, 0]
    with pytest.raises(DesignError, match="no overlap"):
        je.Weighting(outcome="y", treatment="d", covariates=("x",)).fit(frame)
    overlapping = je.Weighting(outcome="y", treatment="d", covariates=("x",), method="overlap").fit(frame)
    assert np.isfinite(overlapping.values).all()
    trimmed = je.Weighting(outcome="y", treatment="d", covariates=("x",), trim=0.05).fit(frame)
    assert trimmed.sample.rows < n


def test_trimming_that_empties_an_arm_is_refused() -> None:
    rng = np.random.default_rng(3)
    n = 300
    x = rng.normal(size=n)
    treated = (np.arange(n) < 8) * 1
    frame = pd.DataFrame({"y": rng.normal(size=n), "d": treated, "x": x})
    with pytest.raises(DesignError, match="trimming by the score leaves an arm empty"):
        je.Weighting(outcome="y", treatment="d", covariates=("x",), trim=0.45).fit(frame)


def test_moments_out_of_reach_are_named() -> None:
    frame = broken(x2=lambda table: np.where(table["d"] == 1, 5.0 + table["x1"], table["x2"]))
    with pytest.raises(DesignError, match=r"'x2': mean .* asked, rows to weight lie in \[0, 1\]"):
        weighting(method="entropy").fit(frame)


@pytest.mark.parametrize("name", ["ipw", "entropy", "overlap"])
def test_identical_scores_are_a_raw_comparison(name: str) -> None:
    frame = pd.DataFrame(
        {"y": [1.0, 3.0, 2.0, 6.0], "d": [1, 1, 0, 0], "x1": [0, 1, 0, 1], "x2": [1, 0, 1, 0]}
    )
    estimate = EVERY[name].fit(frame)
    assert estimate.values[0] == pytest.approx(-2.0)
