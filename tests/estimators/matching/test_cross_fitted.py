"""Cross-fitted estimators against loops over folds written out, and against what they promise."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor

import juntos_eval as je
from juntos_eval.estimators.matching.cross_fitting import assign_folds, seeds_of

COVARIATES = ("x1", "x2")
SPEC: dict[str, Any] = {"outcome": "y", "treatment": "d", "covariates": COVARIATES}
PLAIN: dict[str, Any] = {"score": "logit", "outcome_model": "linear"}


@cache
def simulated(rows: int = 600, seed: int = 3, *, is_linear: bool = True) -> pd.DataFrame:
    """SIMULATED: effect 1 + x1 / 2, in score and outcome linear or with products and steps."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 2))
    bend = 0.0 if is_linear else 1.5 * ((x[:, 0] > 0) == (x[:, 1] > 0)) - 0.75
    d = (rng.random(rows) < special.expit(0.4 * x[:, 0] - 0.3 * x[:, 1] + bend)) * 1
    y = x @ [1.0, 0.5] + 2 * bend + d * (1 + x[:, 0] / 2) + rng.normal(size=rows)
    return pd.DataFrame(x, columns=list(COVARIATES)).assign(
        y=y, d=d, dose=d + 0.5 * rng.normal(size=rows), w=rng.uniform(0.5, 3, rows), v=np.arange(rows) // 6
    )


def by_hand(frame: pd.DataFrame, estimand: str, folds: Any, weights: Any) -> tuple[float, float]:
    """Definition 3.2 of Chernozhukov et al. (2018): learn outside, solve all folds' moments at once."""
    x, y, d = frame[list(COVARIATES)].to_numpy(), frame["y"].to_numpy(), frame["d"].to_numpy()
    p, m1, m0 = (np.empty(len(y)) for _ in range(3))
    for fold in np.unique(folds):
        out, held = folds != fold, folds == fold
        logit = LogisticRegression(C=1e8, tol=1e-10, max_iter=10_000).fit(x[out], d[out], weights[out])
        p[held] = np.clip(logit.predict_proba(x[held])[:, 1], 0.01, 0.99)
        for arm, into in ((1, m1), (0, m0)):
            inside = out & (d == arm)
            into[held] = LinearRegression().fit(x[inside], y[inside], weights[inside]).predict(x[held])
    if estimand == "ate":
        a, b = np.ones(len(y)), m1 - m0 + d * (y - m1) / p - (1 - d) * (y - m0) / (1 - p)
    elif estimand == "att":
        a, b = d, d * (y - m0) - (1 - d) * p / (1 - p) * (y - m0)
    else:
        a, b = 1 - d, d * (1 - p) / p * (y - m1) + (1 - d) * (m1 - y)
    theta = (weights * b).sum() / (weights * a).sum()
    return theta, float(np.sqrt(((weights * (b - theta * a)) ** 2).sum()) / (weights * a).sum())


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("estimand", ["att", "ate", "atc"])
def test_it_is_the_definition(estimand: Any, weights: str | None) -> None:
    frame = simulated()
    found = je.CrossFittedAIPW(**SPEC, **PLAIN, estimand=estimand, weights=weights, seed=4).fit(frame)
    folds = assign_folds((frame["d"] == 1).to_numpy(), None, 5, seeds_of(4, 1)[0], len(frame))
    value, error = by_hand(frame, estimand, folds, frame["w"].to_numpy() if weights else np.ones(len(frame)))
    assert found.values[0] == pytest.approx(value, rel=1e-5)
    assert found.uncertainty.std_error[0] == pytest.approx(error, rel=1e-5)


def test_repetitions_are_joined_by_the_median() -> None:
    frame = simulated()
    for repetitions in (5, 4):
        found = je.CrossFittedAIPW(**SPEC, **PLAIN, repetitions=repetitions, seed=9).fit(frame)
        arms = (frame["d"] == 1).to_numpy()
        each = [
            by_hand(frame, "att", assign_folds(arms, None, 5, seed, len(frame)), np.ones(len(frame)))
            for seed in seeds_of(9, repetitions)
        ]
        values, errors = np.array(each).T
        middle = np.median(values)
        assert found.values[0] == pytest.approx(middle, rel=1e-5)
        spread = np.median(errors**2 + (values - middle) ** 2)
        assert found.uncertainty.std_error[0] == pytest.approx(np.sqrt(spread), rel=1e-4)
        assert found.details["repetitions"] == pytest.approx(values, rel=1e-5)
        assert found.fit is not None
        assert abs(found.fit.influence.dense().sum()) < 1e-10


def test_partially_linear_is_the_definition() -> None:
    frame = simulated()
    found = je.PartiallyLinear(
        **SPEC | {"treatment": "dose"}, treatment_model="linear", outcome_model="linear", weights="w"
    ).fit(frame)
    folds = assign_folds(None, None, 5, seeds_of(0, 1)[0], len(frame))
    x, w = frame[list(COVARIATES)].to_numpy(), frame["w"].to_numpy()
    rest = {}
    for name in ("y", "dose"):
        z = frame[name].to_numpy()
        rest[name] = np.empty(len(z))
        for fold in range(5):
            out, held = folds != fold, folds == fold
            rest[name][held] = z[held] - LinearRegression().fit(x[out], z[out], w[out]).predict(x[held])
    v, u = rest["dose"], rest["y"]
    theta = (w * v * u).sum() / (w * v * v).sum()
    error = np.sqrt(((w * v * (u - theta * v)) ** 2).sum()) / (w * v * v).sum()
    assert found.values[0] == pytest.approx(theta, rel=1e-9)
    assert found.uncertainty.std_error[0] == pytest.approx(error, rel=1e-9)
    assert found.keys["term"] == ("dose",)


@pytest.mark.parametrize("learner", ["boosted", "forest"])
def test_learners_find_what_lines_miss(learner: str) -> None:
    """The true ATE is 1; a linear AIPW misses it by many standard errors."""
    frame = simulated(3000, 5, is_linear=False)
    lines = je.AIPW(**SPEC, estimand="ate").fit(frame)
    assert abs(lines.values[0] - 1) > 5 * lines.uncertainty.std_error[0]
    learnt = je.CrossFittedAIPW(**SPEC, score=learner, outcome_model=learner, estimand="ate", folds=2).fit(
        frame
    )
    assert abs(learnt.values[0] - 1) < 3 * learnt.uncertainty.std_error[0]
    assert learnt.details["r2_score"] > 0.02
    assert learnt.details["r2_outcome_treated"] > 0.5


def test_clusters_are_never_split_and_arms_are_spread() -> None:
    frame = simulated()
    arms, clusters = (frame["d"] == 1).to_numpy(), frame["v"].to_numpy()
    folds = assign_folds(arms, clusters, 5, 1, len(frame))
    assert all(np.ptp(folds[clusters == cluster]) == 0 for cluster in np.unique(clusters))
    apart = assign_folds(arms, None, 5, 1, len(frame))
    assert np.ptp(np.bincount(apart[arms])) <= 1
    dose = assign_folds(None, clusters, 4, 1, len(frame))
    assert all(np.ptp(dose[clusters == cluster]) == 0 for cluster in np.unique(clusters))
    assert len(np.unique(dose)) == 4


def test_seeds_decide_and_repeat() -> None:
    frame = simulated()
    spec: dict[str, Any] = {
        **SPEC,
        "score": RandomForestClassifier(30),
        "outcome_model": "linear",
        "folds": 2,
    }
    one, again, other = (je.CrossFittedAIPW(**spec, seed=seed).fit(frame).values[0] for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_scikit_learn_estimators_are_taken_and_left_alone() -> None:
    frame = simulated().assign(works=lambda table: (table["y"] > 1) * 1)
    forest = RandomForestClassifier(20)
    spec = je.CrossFittedAIPW(**SPEC | {"outcome": "works"}, score=forest, outcome_model=LogisticRegression())
    found = spec.fit(frame)
    assert not hasattr(forest, "estimators_")
    assert forest.random_state is None
    assert found.spec["score"] == "RandomForestClassifier(n_estimators=20)"
    assert je.Estimate.from_record(found.to_record()).values == pytest.approx(found.values)
    linear = je.CrossFittedAIPW(**SPEC, score="logit", outcome_model=Ridge(alpha=1e-9)).fit(frame)
    named = je.CrossFittedAIPW(**SPEC, **PLAIN).fit(frame)
    assert linear.values[0] == pytest.approx(named.values[0], rel=1e-6)


def test_penalties_leave_out_noise() -> None:
    rng = np.random.default_rng(8)
    frame = simulated().assign(**{f"z{j}": rng.normal(size=600) for j in range(30)})
    covariates = (*COVARIATES, *(f"z{j}" for j in range(30)))
    spec = {**SPEC, "covariates": covariates, "weights": "w"}
    found = je.CrossFittedAIPW(**spec, score="logit_l1", outcome_model="lasso", folds=3).fit(frame)
    plain = je.CrossFittedAIPW(**spec, **PLAIN, folds=3).fit(frame)
    assert found.details["r2_outcome_untreated"] > plain.details["r2_outcome_untreated"]
    assert found.details["r2_score"] > plain.details["r2_score"]


def test_a_design_needs_no_outcome_and_can_be_looked_at() -> None:
    frame = simulated().drop(columns="y")
    design = je.CrossFittedAIPW(**SPEC, **PLAIN, estimand="ate").design(frame)
    seen = je.balance(design)
    before, after = (np.abs(side) for side in seen.standardised_differences())
    assert (after[1:] < before[1:]).all()
    assert je.overlap(design).link == "cross-fitted logit"


def test_a_learned_score_can_be_matched_on() -> None:
    frame = simulated().copy()
    frame.loc[3, "x1"] = np.nan
    score = je.learned_score(frame, treatment="d", covariates=COVARIATES, score="boosted", fold_by="v")
    assert np.isnan(score[3])
    assert score.drop(3).between(0, 1).all()
    matched = je.Matching(**SPEC, distance="score", replace=True).fit(frame.assign(score=score))
    assert 0 < matched.values[0] < 2.5


class Stuck(LinearRegression):  # type: ignore[misc]
    def predict(self, rows: Any) -> Any:
        return super().predict(rows) * np.nan


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"score": "neural"}, "no score 'neural'"),
        ({"score": "linear"}, "no score 'linear'"),
        ({"score": LinearRegression()}, "no probabilities"),
        ({"score": LogisticRegression}, "no learner"),
        ({"outcome_model": 3}, "no learner"),
        ({"folds": 1}, "folds is a whole number"),
        ({"repetitions": 0}, "repetitions is a whole"),
        ({"seed": True}, "seed is a whole"),
        ({"clip": 0.0}, "clip is a score"),
        ({"clip": 0.5}, "clip is a score"),
        ({"covariates": ()}, "nothing to learn from"),
        ({"estimand": "ato"}, "no estimand"),
    ],
)
def test_choices_that_do_not_exist(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(je.DesignError, match=message):
        je.CrossFittedAIPW(**{**SPEC, **choices})


def test_data_that_cannot_answer() -> None:
    frame = simulated()
    spec = je.CrossFittedAIPW(**SPEC, **PLAIN)
    with pytest.raises(je.DesignError, match="fewer rows or clusters"):
        spec.fit(frame[frame["d"].eq(0) | (frame["d"].cumsum() <= 3)])
    with pytest.raises(je.DesignError, match="fewer rows or clusters"):
        je.CrossFittedAIPW(**SPEC, **PLAIN, fold_by="v").fit(frame.assign(v=frame["v"] % 4))
    with pytest.raises(je.DesignError, match="there is no overlap"):
        spec.fit(frame.assign(x1=frame["d"] * 100 + frame["x1"]))
    with pytest.raises(je.DesignError, match="0 and 1"):
        je.CrossFittedAIPW(**SPEC, score="logit", outcome_model="logit").fit(frame)
    with pytest.raises(je.DesignError, match="no sampling weights"):
        je.CrossFittedAIPW(**SPEC, score="logit", outcome_model=KNeighborsRegressor(), weights="w").fit(frame)
    with pytest.raises(je.DesignError, match="what is no number"):
        je.CrossFittedAIPW(**SPEC, score="logit", outcome_model=Stuck()).fit(frame)
    with pytest.raises(je.DesignError, match="failed"):
        je.CrossFittedAIPW(**SPEC, score=GaussianNB(priors=[0.3, 0.3]), outcome_model="linear").fit(frame)
    with pytest.raises(je.DesignError, match="nothing is left to compare"):
        je.PartiallyLinear(**SPEC, treatment_model="linear", outcome_model="linear").fit(
            frame.dropna().assign(d=frame["x1"])
        )
    with pytest.raises(je.DesignError, match="does not vary"):
        je.PartiallyLinear(**SPEC).fit(frame.assign(d=1.0))


def test_what_is_not_learnt_is_said() -> None:
    frame = simulated()
    blind = je.CrossFittedAIPW(**SPEC, score=DummyClassifier(), outcome_model="linear").fit(frame)
    check = next(c for c in blind.checks if c.name == "learners")
    assert "score -0.0" in check.detail or "score 0.0" in check.detail
    slow = je.CrossFittedAIPW(**SPEC, score=LogisticRegression(max_iter=1), outcome_model="linear").fit(frame)
    assert next(c for c in slow.checks if c.name == "learners converged").passed is False
