"""Effects by subgroup equal separate fits, jointly; trimming by the score keeps the rows it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.estimators.matching.score import fit_score
from juntos_eval.estimators.matching.score_trimming import crump_bound

SPEC: dict[str, Any] = {"outcome": "y", "treatment": "d", "covariates": ("x1", "x2"), "weights": "w"}


def simulated() -> pd.DataFrame:
    """SIMULATED: effects 1 for girls and 2 for boys, villages of ten with shared shocks."""
    rng = np.random.default_rng(31)
    n = 400
    x = rng.normal(size=(n, 2))
    girl, village = rng.random(n) < 0.5, np.arange(n) // 10
    d = (rng.random(n) < 1 / (1 + np.exp(0.4 - 1.2 * x[:, 0]))) * 1
    y = x @ [1.0, 0.5] + d * np.where(girl, 1.0, 2.0) + rng.normal(size=40)[village] + rng.normal(size=n)
    return pd.DataFrame(
        {
            "y": y,
            "d": d,
            "x1": x[:, 0],
            "x2": x[:, 1],
            "w": rng.uniform(1, 3, n),
            "sex": np.where(girl, "girl", "boy"),
            "village": village,
        }
    )


@pytest.mark.parametrize(
    "estimator",
    [
        je.Weighting(**SPEC),
        je.AIPW(**SPEC, estimand="ate", outcome_covariates=("x1",)),
        je.RegressionAdjustment(**SPEC),
        je.Matching(**SPEC, method="kernel"),
        je.CrossFittedAIPW(**SPEC, score="logit", outcome_model="linear", fold_by="village"),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_each_row_is_a_fit_of_its_own(estimator: Any) -> None:
    frame = simulated()
    found = je.EffectsBy(estimator=estimator, by="sex").fit(
        frame, inference=je.Cluster("village", kind="CR0")
    )
    assert found.keys["group"] == ("boy", "girl")
    assert found.fit is not None
    assert abs(found.fit.influence.dense().sum(axis=0)).max() < 1e-9
    for at, sex in enumerate(found.keys["group"]):
        alone = estimator.fit(frame[frame["sex"] == sex], inference=je.Cluster("village", kind="CR0"))
        assert found.values[at] == pytest.approx(alone.values[0], rel=1e-12)
        assert found.uncertainty.std_error[at] == pytest.approx(alone.uncertainty.std_error[0], rel=1e-9)
    # both sexes live in the same villages
    assert found.uncertainty.covariance[0, 1] != 0
    apart = found.with_inference(je.Robust("HC0"))
    assert apart.uncertainty.covariance[0, 1] == pytest.approx(0, abs=1e-15)


def test_strata_of_the_score_are_quantiles_of_the_treated() -> None:
    frame = simulated()
    found = je.EffectsBy(estimator=je.RegressionAdjustment(**SPEC), score_strata=4).fit(frame)
    treated = (frame["d"] == 1).to_numpy()
    x = frame[["x1", "x2"]].to_numpy()
    score = fit_score(treated, x, ("x1", "x2"), frame["w"].to_numpy()).probability
    cuts = np.quantile(score[treated], [0.25, 0.5, 0.75])
    assert list(found.details["rows"].values()) == np.bincount(np.searchsorted(cuts, score, "right")).tolist()
    inside = np.searchsorted(cuts, score, "right") == 2
    alone = je.RegressionAdjustment(**SPEC).fit(frame[inside])
    assert found.values[2] == pytest.approx(alone.values[0], rel=1e-12)


def test_missing_rows_are_dropped_and_counted() -> None:
    frame = simulated()
    frame.loc[:4, "x1"] = np.nan
    found = je.EffectsBy(estimator=je.Weighting(**SPEC), by="sex").fit(frame)
    assert dict(found.sample.dropped) == {"x1 missing": 5}
    assert found.sample.rows == 395


def test_what_cannot_be_asked() -> None:
    frame = simulated()
    with pytest.raises(je.DesignError, match="either by or score_strata"):
        je.EffectsBy(estimator=je.Weighting(**SPEC))
    with pytest.raises(je.DesignError, match="no trimming"):
        je.EffectsBy(estimator=je.Weighting(**SPEC, trim=0.1), by="sex")
    with pytest.raises(je.DesignError, match="no outcome"):
        je.EffectsBy(estimator=je.Mean(outcome="y"), by="sex")
    with pytest.raises(je.DesignError, match="at least 2"):
        je.EffectsBy(estimator=je.Weighting(**SPEC), score_strata=1)
    none = frame.assign(sex=np.where(frame["d"] == 1, frame["sex"], "boy"))
    with pytest.raises(je.DesignError, match="the subgroup 'girl' cannot answer"):
        je.EffectsBy(estimator=je.Weighting(**SPEC), by="sex").fit(none)


@pytest.mark.parametrize("rule", ["crump", 0.15])
def test_matching_inside_bounds_of_the_score(rule: Any) -> None:
    frame = simulated()
    everyone = je.Matching(**SPEC, method="kernel").design(frame)
    assert everyone.score is not None
    p = everyone.score.probability
    bound = crump_bound(p, frame["w"].to_numpy()) if rule == "crump" else rule
    design = je.Matching(**SPEC, method="kernel", common_support=rule).design(frame)
    inside = (p >= bound) & (p <= 1 - bound)
    assert 0 < (~inside).sum() < 200
    assert (design.is_supported == inside).all()
    assert (design.design_weights[~inside] == 0).all()
    assert next(check for check in design.checks if check.name == "common support").passed is None


def test_trimming_that_cannot_be() -> None:
    frame = simulated()
    for choices, message in (
        ({"common_support": 0.5}, "between 0 and 0.5"),
        ({"common_support": "sturmer"}, "between 0 and 0.5"),
        ({"common_support": 0.1, "distance": "x1"}, "needs a score"),
    ):
        with pytest.raises(je.DesignError, match=message):
            je.Matching(**SPEC, **choices)
    apart = frame.assign(x1=frame["x1"] + 5 * frame["d"])
    with pytest.raises(je.DesignError, match="leaves an arm empty"):
        je.Matching(**SPEC, common_support=0.49999).design(apart.assign(x1=frame["x1"] + 2 * frame["d"]))
