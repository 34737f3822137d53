"""Many cutoffs, steps and scores: rdmulti's numbers, hand calculations, what rows in common do to errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimators.rdd import CumulativeRD, MultiCutoffRD, MultiScoreRD, RegressionDiscontinuity
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "rdd_multi"
DESIGN = RegressionDiscontinuity(outcome="y", running="x")


def simulated(n: int = 1600, seed: int = 5) -> pd.DataFrame:
    """SIMULATED: jumps of 1 at 30 and 4 at 60; steps of 1 and 2; clusters; two scores that must both pass."""
    rng = np.random.default_rng(seed)
    x, z = rng.uniform(0, 90, n), rng.uniform(-1, 1, n)
    faced = rng.choice([30.0, 60.0], n)
    noise = rng.normal(size=n)
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "c": faced,
            "y": x / 30 + np.where(faced == 30, 1.0, 4.0) * (x >= faced) + noise,
            "steps": x / 30 + (x >= 30) + 2.0 * (x >= 60) + noise,
            "both": z + 3.0 * ((x >= 45) & (z >= 0)) + noise,
            "v": rng.integers(0, 60, n),
            "w": rng.uniform(1, 2, n),
        }
    )


def test_equals_rdmulti() -> None:
    case = json.loads((GOLDEN / "cases.json").read_text(encoding="utf-8"))[0]
    expected: dict[str, Any] = case["expected"]
    found = MultiCutoffRD(design=DESIGN, cutoff="c").fit(pd.read_csv(GOLDEN / case["data"]))
    assert found.keys["group"][::3] == ("33", "66", "weighted", "pooled")
    np.testing.assert_allclose(found.values[0::3], expected["coef"][0], rtol=1e-6)
    np.testing.assert_allclose(found.values[2::3], expected["B"][0], rtol=1e-6)
    np.testing.assert_allclose(found.uncertainty.std_error[2::3] ** 2, expected["V"][0], rtol=1e-6)
    np.testing.assert_allclose(list(found.details["weights"].values()), expected["W"], rtol=1e-12)
    for at, label in ((0, "33"), (1, "66"), (3, "pooled")):
        details = found.details[label]
        assert [details["n_left"], details["n_right"]] == [side[at] for side in expected["Nh"]]
        np.testing.assert_allclose(details["h_left"], expected["H"][0][at], rtol=1e-6)


def test_each_cutoff_is_its_own_design_and_others_do_not_move_its_error() -> None:
    frame = simulated()
    found = MultiCutoffRD(design=DESIGN, cutoff="c", average={30.0: 1, 60.0: 3}).fit(frame)
    alone = RegressionDiscontinuity(outcome="y", running="x", cutoff=60.0).fit(frame[frame["c"] == 60])
    np.testing.assert_allclose(found.values[3:6], alone.values, rtol=1e-9)
    np.testing.assert_allclose(found.uncertainty.std_error[3:6], alone.uncertainty.std_error, rtol=1e-8)
    np.testing.assert_allclose(found.values[6:9], 0.25 * found.values[0:3] + 0.75 * found.values[3:6])
    assert np.abs(found.uncertainty.covariance[0:3, 3:6]).max() == 0
    assert found.checks[0].name == "equal effects"
    assert found.checks[0].passed is False


def test_another_inference_and_weights_go_through() -> None:
    frame = simulated()
    design = RegressionDiscontinuity(outcome="y", running="x", weights="w", covariates=("z",), cluster="v")
    found = MultiCutoffRD(design=design, cutoff="c").fit(frame, inference=Cluster("v"), carry=("c",))
    assert found.fit is not None
    np.testing.assert_allclose(found.fit.influence.dense().sum(axis=0), 0, atol=1e-10)
    again = MultiCutoffRD(design=design, cutoff="c").fit(frame, carry=("v",)).with_inference(Cluster("v"))
    np.testing.assert_allclose(again.uncertainty.covariance, found.uncertainty.covariance)
    shuffled = MultiCutoffRD(design=design, cutoff="c").fit(frame.sample(frac=1.0, random_state=1))
    np.testing.assert_allclose(shuffled.values, found.values, rtol=1e-9)


def test_steps_use_the_rows_between_their_neighbours() -> None:
    frame = simulated().assign(y=lambda rows: rows["steps"])
    found = CumulativeRD(design=DESIGN, cutoffs=(30, 60)).fit(frame)
    first = RegressionDiscontinuity(outcome="y", running="x", cutoff=30.0).fit(frame[frame["x"] < 60])
    np.testing.assert_allclose(found.values[:3], first.values, rtol=1e-9)
    low, high = found.interval()[[2, 5]].T
    assert low[0] < 1 < high[0]
    assert low[1] < 2 < high[1]
    # rows between the steps push the first effect up where they push the second down
    assert found.uncertainty.covariance[2, 5] < 0
    rows = found.test(np.eye(9)[[2, 5]], [1.0, 2.0])
    assert 0 < rows.p_value <= 1
    wide = CumulativeRD(design=DESIGN, cutoffs=(30, 60), spans=((0, 60), (30, 70))).fit(frame)
    assert wide.values[5] != found.values[5]


def test_frontiers_and_binding_score() -> None:
    frame = simulated(4000)
    design = RegressionDiscontinuity(outcome="both", running="score")
    made = MultiScoreRD(design=design, scores=("x", "z"), cutoffs=(45, 0), points=((45, 0.5),))
    found = made.fit(frame, inference=Robust("HC0"))
    assert found.keys["group"][::3] == ("x", "z", "weighted", "binding", "(45, 0.5)")
    passed = frame[frame["z"] >= 0]
    alone = RegressionDiscontinuity(outcome="both", running="x", cutoff=45.0).fit(passed)
    np.testing.assert_allclose(found.values[:3], alone.values, rtol=1e-9)
    low, high = found.interval()[2::3].T
    assert (low[[0, 1, 4]] < 3).all()
    assert (high[[0, 1, 4]] > 3).all()
    any_of = MultiScoreRD(design=design, scores=("x", "z"), cutoffs=(45, 0), rule="any", scale="none")
    assert any_of.fit(frame).sample.treated == int(((frame["x"] >= 45) | (frame["z"] >= 0)).sum())


def cutoffs(**choices: Any) -> MultiCutoffRD:
    made: dict[str, Any] = {"design": DESIGN, "cutoff": "c"} | choices
    return MultiCutoffRD(**made)


def scores(**choices: Any) -> MultiScoreRD:
    made: dict[str, Any] = {"design": DESIGN, "scores": ("z", "w"), "cutoffs": (0, 1)} | choices
    return MultiScoreRD(**made)


def steps(**choices: Any) -> CumulativeRD:
    made: dict[str, Any] = {"design": DESIGN, "cutoffs": (30, 60)} | choices
    return CumulativeRD(**made)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: cutoffs(design=RegressionDiscontinuity(outcome="y", running="x", cutoff=3)), "own"),
        (lambda: cutoffs(average="density of money"), "average"),
        (lambda: cutoffs(design="y"), "takes a RegressionDiscontinuity"),
        (lambda: cutoffs(average={30.0: 1}).fit(simulated()), "belong together"),
        (lambda: cutoffs(average={30.0: -1, 60.0: 2}).fit(simulated()), "weights of cutoffs"),
        (lambda: cutoffs(cutoff="w").fit(simulated()), "cutoff of its own"),
        (lambda: cutoffs().fit(simulated().assign(c=30.0)), "same cutoff"),
        (lambda: cutoffs().fit(simulated().assign(c=[99.0, 30.0] * 800)), "at 99"),
        (lambda: cutoffs().fit(simulated().assign(c="thirty")), "does not hold numbers"),
        (lambda: steps(cutoffs=(60, 30)), "ascending"),
        (lambda: steps(spans=((0, 60), (61, 90))), "inside"),
        (lambda: scores(scores=("x", "z")), "made score"),
        (lambda: scores(points=((1, 2),)), "on the boundary"),
        (lambda: scores().fit(simulated()), "have a column"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, match: str) -> None:
    with pytest.raises(DesignError, match=match):
        make()


def test_a_point_of_the_frontier_is_the_design_on_the_distance_to_it() -> None:
    frame = simulated(3000)
    design = RegressionDiscontinuity(outcome="both", running="score")
    made = MultiScoreRD(
        design=design, scores=("x", "z"), cutoffs=(45, 0), points=((45, 0.5),), scale=(10.0, 1.0)
    )
    found = made.fit(frame).values[-3:]
    distance = np.hypot((frame["x"] - 45) / 10, frame["z"] - 0.5)
    treated = (frame["x"] >= 45) & (frame["z"] >= 0)
    alone = frame.assign(score=np.where(treated, distance, -distance))
    np.testing.assert_allclose(found, design.fit(alone).values, rtol=1e-9)
