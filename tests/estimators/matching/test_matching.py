"""Matching: effects by every method and weighting against loops, what is refused, and what is said."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate
from juntos_eval.estimators.matching.kernel import cross_validated_bandwidth
from juntos_eval.estimators.matching.matched_design import MatchedDesign
from juntos_eval.estimators.matching.matching import Matching
from juntos_eval.estimators.matching.score import fit_score
from juntos_eval.inference.robust import Robust


def simulated(n: int = 150, seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=n), rng.normal(size=n)
    d = rng.random(n) < 1 / (1 + np.exp(1 - 0.6 * a + 0.3 * b))
    y = a + 0.5 * b**2 + d * (1 + 0.5 * a) + rng.normal(size=n)
    return pd.DataFrame(
        {
            "a": a,
            "b": b,
            "d": d.astype(int),
            "y": y,
            "w": rng.uniform(0.5, 5, n),
            "area": rng.choice(["rural", "urban"], n),
            "strata": rng.integers(0, 3, n),
        }
    )


def matching(**choices: Any) -> Matching:
    return Matching(**{"treatment": "d", "covariates": ("a", "b"), "outcome": "y", **choices})


def check_of(found: Estimate | MatchedDesign, name: str) -> Check:
    (check,) = [check for check in found.checks if check.name == name]
    return check


def shares_by_hand(frame: pd.DataFrame, choices: dict[str, Any], base: Floats) -> Floats:
    """Return the share of each row in the match of each, by loops over rows on the column a."""
    x, d = frame["a"].to_numpy(), frame["d"].to_numpy()
    strength = np.zeros((len(x), len(x)))
    for i in range(len(x)):
        others = np.flatnonzero(d != d[i])
        gap = np.abs(x[others] - x[i])
        if choices.get("method") == "kernel":
            u = gap / choices["bandwidth"]
            strength[i, others] = np.where(u < 1, 1 - u**2, 0.0)
        elif choices.get("method") == "radius":
            strength[i, others] = gap <= choices["caliper"] * x.std(ddof=1)
        else:
            strength[i, others] = gap <= np.sort(gap)[choices.get("ratio", 1) - 1]
    strength = strength * base
    total = strength.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(strength, total, out=np.zeros_like(strength), where=total > 0))


METHODS: dict[str, dict[str, Any]] = {
    "nearest": {"replace": True},
    "three nearest": {"replace": True, "ratio": 3},
    "radius": {"method": "radius", "caliper": 0.3},
    "kernel": {"method": "kernel", "bandwidth": 0.4},
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("estimand", ["att", "atc", "ate"])
@pytest.mark.parametrize("counted", [None, "target", "share", "own"])
def test_effects_are_those_of_loops_over_rows(method: str, estimand: str, counted: str | None) -> None:
    frame, choices = simulated(), METHODS[method]
    y, d, w = (frame[name].to_numpy(dtype=float) for name in ("y", "d", "w"))
    if counted is None:
        w = np.ones(len(frame))
    share = shares_by_hand(frame, choices, w if counted == "share" else np.ones(len(frame)))
    asked = {"att": d == 1, "atc": d == 0, "ate": d >= 0}[estimand]
    matched = asked & (share.sum(axis=1) > 0)
    if counted == "own":
        role = (matched + matched @ share) * w
        expected = np.average(y[d == 1], weights=role[d == 1]) - np.average(y[d == 0], weights=role[d == 0])
    else:
        effects = np.where(d == 1, 1, -1) * (y - share @ y)
        expected = np.average(effects[matched], weights=w[matched])
        role = np.where(matched, w, 0.0) + (w * matched) @ share
    estimator = matching(
        covariates=(),
        distance="a",
        estimand=estimand,
        weights=None if counted is None else "w",
        weight_matches=counted,
        **choices,
    )
    found = estimator.fit(frame)
    np.testing.assert_allclose(found.values, expected, rtol=1e-9)
    assert found.details["matched"] == int(matched.sum())
    difference = found.details["mean_treated"] - found.details["mean_untreated"]
    np.testing.assert_allclose(difference, expected, rtol=1e-9)
    design = estimator.design(frame)
    np.testing.assert_allclose(design.design_weights, role, rtol=1e-9, atol=1e-12)


def test_bias_adjustment_is_a_regression_among_those_who_serve() -> None:
    frame = simulated()
    estimator = matching(distance="mahalanobis", replace=True, ratio=2, bias_adjust=("a", "area"))
    design = estimator.design(frame)
    serving = design.use > 0
    x = np.column_stack([np.ones(len(frame)), frame["a"], frame["area"] == "urban"]).astype(float)
    y, root = frame["y"].to_numpy(), np.sqrt(design.use[serving])
    slope = np.linalg.lstsq(x[serving] * root[:, None], y[serving] * root, rcond=None)[0]
    pairs = design.pairs()
    adjusted = y[pairs["match"]] + (x[pairs["target"]] - x[pairs["match"]]) @ slope
    expected = (pairs["share"] * (y[pairs["target"]] - adjusted)).sum() / (frame["d"] == 1).sum()
    np.testing.assert_allclose(estimator.fit(frame).values, expected, rtol=1e-9)


def test_a_design_does_not_look_at_outcomes() -> None:
    frame = simulated()
    first = matching(ratio=2).design(frame)
    second = matching(ratio=2).design(frame.assign(y=-(frame["y"] ** 3)))
    np.testing.assert_array_equal(first.pairs(), second.pairs())
    assert matching(outcome=None).design(frame).n == len(frame)


def test_rows_without_outcome_leave_before_the_design() -> None:
    frame = simulated()
    frame.loc[3, "y"] = np.nan
    frame.loc[7, "a"] = np.nan
    found = matching(replace=True).fit(frame)
    assert dict(found.sample.dropped) == {"y missing": 1, "a missing": 1}
    assert 3 not in matching(replace=True).design(frame).rows
    same = matching(replace=True).fit(frame.drop(index=[3, 7]))
    np.testing.assert_array_equal(found.values, same.values)


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("distance", ["logit", "mahalanobis"])
def test_exact_columns_agree_within_matches(replace: bool, distance: str) -> None:
    frame = simulated(400)
    design = matching(replace=replace, distance=distance, exact=("area", "strata")).design(frame)
    pairs = design.pairs()
    for name in ("area", "strata"):
        column = frame[name].to_numpy()
        assert (column[pairs["target"]] == column[pairs["match"]]).all()
    if not replace:
        assert pairs["match"].is_unique


def test_calipers_are_kept_and_who_has_no_match_is_counted() -> None:
    frame = simulated(400)
    estimator = matching(caliper=0.05)
    design = estimator.design(frame)
    assert design.score is not None
    pairs, score = design.pairs(), design.score.probability
    gap = np.abs(score[pairs["target"]] - score[pairs["match"]])
    assert gap.max() <= 0.05 * score.std(ddof=1)
    found = estimator.fit(frame)
    lost = found.details["targets"] - found.details["matched"]
    assert lost > 0
    check = check_of(found, "matched")
    assert check.passed is False
    assert f"{found.details['matched']} of {found.details['targets']}" in check.detail


def test_more_treated_than_untreated_without_replacement_is_said() -> None:
    frame = simulated(400)
    frame["d"] = 1 - frame["d"]
    design = matching().design(frame)
    treated, untreated = int((frame["d"] == 1).sum()), int((frame["d"] == 0).sum())
    assert int((design.target > 0).sum()) == untreated < treated
    assert check_of(design, "enough rows without replacement").passed is False
    assert check_of(design, "matched").passed is False


def test_common_support_leaves_out_both_ends() -> None:
    frame = simulated(400)
    design = matching(common_support="minmax", replace=True).design(frame)
    assert design.score is not None
    score = design.score.probability
    low = max(score[design.treated].min(), score[~design.treated].min())
    high = min(score[design.treated].max(), score[~design.treated].max())
    np.testing.assert_array_equal(design.is_supported, (score >= low) & (score <= high))
    assert (design.design_weights[~design.is_supported] == 0).all()
    assert (
        str(int((~design.is_supported & ~design.treated).sum())) in check_of(design, "common support").detail
    )


@pytest.mark.parametrize(
    "choices", [{"order": "random"}, {"replace": True, "ties": "random", "distance": "r"}]
)
def test_what_is_random_hangs_on_the_seed(choices: dict[str, Any]) -> None:
    frame = simulated(400).assign(r=lambda f: f["a"].round())
    pairs = [matching(**choices, seed=seed).design(frame).pairs()["match"].tolist() for seed in (1, 1, 2)]
    assert pairs[0] == pairs[1] != pairs[2]


def test_orders_of_choosing() -> None:
    frame = pd.DataFrame({"d": [0, 1, 1, 0, 0], "p": [0.50, 0.52, 0.60, 0.30, 0.10], "y": range(5)})
    found = {
        order: matching(covariates=(), distance="p", order=order).design(frame).pairs()
        for order in ("largest", "smallest", "data")
    }
    chosen = {
        order: dict(zip(pairs["target"], pairs["match"], strict=True)) for order, pairs in found.items()
    }
    assert chosen["largest"] == {2: 0, 1: 3}
    assert chosen["smallest"] == chosen["data"] == {1: 0, 2: 3}


def test_cross_validation_chooses_what_predicts_best() -> None:
    frame = simulated(250)
    estimator = matching(covariates=(), distance="a", method="kernel", bandwidth="cv", weights="w")
    chosen = estimator.fit(frame).details["bandwidth"]
    pool = frame[frame["d"] == 0]
    x, y, w = (pool[name].to_numpy() for name in ("a", "y", "w"))

    def error(bandwidth: float) -> float:
        u = np.abs(x[:, None] - x[None, :]) / bandwidth
        strength = np.where(u < 1, 1 - u**2, 0.0)
        np.fill_diagonal(strength, 0.0)
        total = strength.sum(axis=1)
        predicted = np.where(
            total > 0, strength @ y / np.where(total > 0, total, 1.0), np.average(y, weights=w)
        )
        return float(np.average((y - predicted) ** 2, weights=w))

    tried = [error(bandwidth) for bandwidth in np.geomspace(0.05, 4, 60)]
    assert error(chosen) <= min(tried) + 1e-4
    narrower = dataclasses.replace(estimator, bandwidth="undersmoothed").fit(frame).details["bandwidth"]
    assert narrower == pytest.approx(chosen * len(pool) ** (1 / 5 - 1 / 3))
    design = dataclasses.replace(estimator, outcome=None)
    with pytest.raises(DesignError, match="cross-validation needs the outcome"):
        design.design(frame)


def test_cross_validation_refuses_a_flat_outcome() -> None:
    places = matching().design(simulated()).places
    with pytest.raises(DesignError, match="does not vary"):
        cross_validated_bandwidth(places, np.arange(9), np.ones(9), np.ones(9), "uniform")


@pytest.mark.parametrize("estimand", ["att", "atc", "ate"])
def test_the_error_of_the_score_is_the_derivative_of_the_effect(estimand: Any) -> None:
    rng = np.random.default_rng(3)
    n = 15_000
    a, b = rng.normal(size=(2, n))
    d = rng.random(n) < 1 / (1 + np.exp(1 - 0.5 * a + 0.5 * b))
    y = a + 0.5 * b**2 + 0.7 * b + d * (1 + 0.5 * a) + rng.normal(size=n)
    frame = pd.DataFrame({"a": a, "b": b, "d": d.astype(int), "y": y})
    choices: dict[str, Any] = {"method": "kernel", "bandwidth": 0.05, "estimand": estimand}
    included, known = (
        matching(**choices, estimated_score=is_estimated).fit(frame, inference=Robust("HC0"))
        for is_estimated in (True, False)
    )
    assert included.fit is not None
    assert known.fit is not None
    added = (included.fit.influence.dense() - known.fit.influence.dense())[:, 0]
    score = fit_score(d, np.column_stack([a, b]), ("a", "b"), np.ones(n))
    gradient = score.design * (d - score.probability)[:, None]
    pull = np.linalg.solve(score.information_inverse, np.linalg.lstsq(gradient, added, rcond=None)[0])
    for j, step in enumerate(0.05 * np.eye(3)):
        moved = []
        for sign in (1, -1):
            p = 1 / (1 + np.exp(-score.design @ (score.coefficients + sign * step)))
            on_p = matching(covariates=(), distance="p", **choices)
            moved.append(float(on_p.fit(frame.assign(p=p)).values[0]))
        assert pull[j] == pytest.approx((moved[0] - moved[1]) / 0.1, abs=0.12)
    assert included.uncertainty.std_error[0] < known.uncertainty.std_error[0]


def test_spec_says_what_was_done() -> None:
    frame = simulated()
    spec = matching(distance="mahalanobis", weights="w").fit(frame).spec
    assert (spec["ties"], spec["order"], spec["weight_matches"]) == ("first", "data", "own")
    kernel = matching(method="kernel", weights="w").fit(frame)
    assert (kernel.spec["replace"], kernel.spec["weight_matches"]) == (True, "share")
    assert "error of the score included" in kernel.uncertainty.method
    known = matching(method="kernel", estimated_score=False).fit(frame)
    assert "known" in known.uncertainty.method


CONTRADICTIONS: dict[str, dict[str, Any]] = {
    "covariates are missing": {"covariates": ()},
    "tuple of columns": {"covariates": "a"},
    "no estimand 'ato'": {"estimand": "ato"},
    "no method 'genetic'": {"method": "genetic"},
    "optimal pairs are without": {"method": "optimal", "replace": True},
    "strata of subclass, cem and exact": {"method": "subclass", "caliper": 0.1},
    "cutpoints belong to": {"cutpoints": {"a": 3}},
    "calipers are positive": {"calipers": {"a": -1.0}},
    "belong to nearest neighbours": {"method": "optimal", "calipers": {"a": 1.0}},
    "inside the caliper of a distance": {"mahalanobis": ("a",)},
    "order='closest' is for": {"order": "closest", "replace": True},
    "strata count their rows": {"method": "full", "weights": "w", "weight_matches": "own"},
    "subclasses is a whole": {"method": "subclass", "subclasses": 1},
    "needs replace=True": {"estimand": "ate"},
    "radius needs its caliper": {"method": "radius"},
    "not a caliper": {"method": "kernel", "caliper": 0.1},
    "only nearest neighbours and optimal pairs have a ratio": {"method": "kernel", "ratio": 2},
    "radius, kernel and subclasses need a distance on a line": {
        "method": "kernel",
        "distance": "mahalanobis",
    },
    "common support needs": {"distance": "mahalanobis", "common_support": "minmax"},
    "caliper in space": {"distance": "mahalanobis", "caliper": 1.0, "caliper_in_sd": False},
    "needs a seed": {"order": "random"},
    "matches count by weights": {"weight_matches": "own"},
    "bias adjustment needs": {"weights": "w", "weight_matches": "own", "bias_adjust": True},
    "among the covariates": {"covariates": ("a", "y")},
    "ratio is a whole number": {"ratio": 0},
    "caliper is a positive number": {"caliper": -0.1},
    "bandwidth is a positive number": {"method": "kernel", "bandwidth": float("nan")},
    "tie_tolerance is a small number": {"tie_tolerance": -1.0},
    "common_support is None, 'minmax', 'crump' or a score": {"common_support": "trim"},
}


@pytest.mark.parametrize("message", CONTRADICTIONS)
def test_contradictions_are_refused_at_once(message: str) -> None:
    with pytest.raises(DesignError, match=message):
        matching(**CONTRADICTIONS[message])


def spoiled(kind: str) -> pd.DataFrame:
    frame = simulated(60)
    first = frame.index[frame["d"] == 1][0]
    if kind == "treatment of 2":
        frame.loc[first, "d"] = 2
    elif kind == "treatment missing":
        frame["d"] = frame["d"].astype(float)
        frame.loc[first, "d"] = np.nan
    elif kind == "weights of zero":
        frame["w"] = 0.0
    elif kind == "negative weights":
        frame.loc[first, "w"] = -1.0
    elif kind == "one treated":
        frame["d"] = (frame.index == first).astype(int)
    elif kind == "constant covariates":
        frame[["a", "b"]] = 1.0
    elif kind == "separated":
        frame["a"] = np.where(frame["d"] == 1, 10.0, 0.0) + frame["a"] / 100
    elif kind == "exact missing":
        frame.loc[first, "area"] = None
    return frame


@pytest.mark.parametrize(
    ("kind", "choices", "message"),
    [
        ("treatment of 2", {}, "must be 0 or 1"),
        ("treatment missing", {}, "missing values"),
        ("weights of zero", {"weights": "w"}, "no complete row"),
        ("negative weights", {"weights": "w"}, "negative"),
        ("one treated", {"distance": "a", "covariates": ()}, "single treated row"),
        ("constant covariates", {}, "no covariate varies"),
        ("constant covariates", {"distance": "a", "covariates": ()}, "the same for all rows"),
        ("constant covariates", {"distance": "mahalanobis"}, "no covariate varies"),
        ("separated", {}, "tell treated from untreated rows"),
        ("separated", {"distance": "a", "covariates": (), "caliper": 0.1}, "no row has a match"),
        ("separated", {"distance": "a", "covariates": (), "common_support": "minmax"}, "no common support"),
        ("exact missing", {"exact": ("area",)}, "missing values"),
        ("fine", {"distance": "nowhere", "covariates": ()}, "no column 'nowhere'"),
        ("fine", {"distance": "area", "covariates": ()}, "does not hold numbers"),
        ("fine", {"outcome": None}, "needs an outcome"),
    ],
)
def test_bad_data_stop(kind: str, choices: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        matching(**choices).fit(spoiled(kind))


def test_one_treated_row_has_a_design() -> None:
    design = matching(distance="a", covariates=()).design(spoiled("one treated"))
    assert len(design.pairs()) == 1


def test_a_single_matched_row_has_no_effect() -> None:
    frame = pd.DataFrame({"d": [1, 1, 0, 0], "p": [0.1, 0.9, 0.12, 0.4], "y": [1.0, 2.0, 3.0, 4.0]})
    with pytest.raises(DesignError, match="single matched row"):
        matching(covariates=(), distance="p", caliper=0.2).fit(frame)


def test_kernel_matches_have_no_list() -> None:
    design = matching(method="kernel").design(simulated())
    with pytest.raises(DesignError, match="no list of matches"):
        design.pairs()


def test_variable_ratio_matches_share_within_their_set() -> None:
    frame = pd.DataFrame(
        {
            "d": [1, 1, 0, 0, 0, 0, 0],
            "x": [0.0, 10.0, 0.1, 0.2, 0.3, 10.1, 14.0],
            "y": [5.0, 9.0, 1.0, 2.0, 3.0, 4.0, 100.0],
        }
    )
    choices = Matching(
        treatment="d",
        covariates=("x",),
        outcome="y",
        distance="x",
        method="optimal",
        ratio=2,
        ratio_range=(1, 4),
    )
    effect = choices.fit(frame)
    assert effect.values[0] == pytest.approx(((5.0 - 2.0) + (9.0 - 4.0)) / 2)
    assert choices.design(frame).pairs()["share"].round(6).tolist() == [0.333333] * 3 + [1.0]
    for wrong in ({"method": "nearest"}, {"ratio": 5}, {"ratio_range": (0, 3)}, {"ratio_range": 3}):
        with pytest.raises(DesignError, match="ratio_range belongs"):
            dataclasses.replace(choices, **wrong)
