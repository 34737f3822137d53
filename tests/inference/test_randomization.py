"""Randomization tests by hand, exact and drawn, their intervals, and where they must refuse."""

from __future__ import annotations

import json
import math
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.did import DoublyRobust
from juntos_eval.estimators.means import MeanDifference
from juntos_eval.inference.assignments import assignments_of
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.joint_draws import JointDraws, joint_test, multiplier_draws
from juntos_eval.inference.randomization import Randomization
from juntos_eval.inference.robust import Robust
from tests.contract import frames

GAP = MeanDifference(outcome="y", treatment="d")
SMALL = pd.DataFrame({"d": [1, 0, 1, 0, 1, 0, 0], "y": [5.0, 1.0, 7.0, 2.0, 3.5, 4.0, 2.5]})


def run(frame: pd.DataFrame, inference: Any = None, **choices: Any) -> Estimate:
    return Randomization(GAP, treatment="d", seed=1, **choices).fit(frame, inference=inference)


@pytest.mark.parametrize(("right", "chance"), [(4, 1 / 70), (3, 17 / 70), (2, 53 / 70)])
def test_lady_tasting_tea(right: int, chance: float) -> None:
    says = [1] * right + [0] * (4 - right) + [1] * (4 - right) + [0] * right
    tea = pd.DataFrame({"d": [1] * 4 + [0] * 4, "y": says})
    found = run(tea, statistic="estimate", alternative="greater")
    assert found.p_values()[0] == pytest.approx(chance)
    fisher = stats.fisher_exact(np.array([[right, 4 - right], [4 - right, right]]), alternative="greater")
    assert found.p_values()[0] == pytest.approx(fisher.pvalue)
    assert "all 70 assignments" in found.uncertainty.method


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("statistic", ["estimate", "studentised"])
def test_all_assignments_by_hand(alternative: str, statistic: str) -> None:
    y = SMALL["y"].to_numpy()

    def of(places: tuple[int, ...]) -> float:
        d = np.isin(np.arange(7), places)
        one, other = y[d], y[~d]
        gap = one.mean() - other.mean()
        error = np.sqrt(one.var() / 3 + other.var() / 4)
        return float(gap / error if statistic == "studentised" else gap)

    seen = of((0, 2, 4))
    every = np.array([of(places) for places in combinations(range(7), 3)])
    side = {"two-sided": np.abs, "greater": np.positive, "less": np.negative}[alternative]
    expected = (side(every) >= side(seen) - 1e-9).mean()
    found = run(SMALL, Robust("HC0"), statistic=statistic, alternative=alternative)
    assert found.p_values()[0] == pytest.approx(expected)


def test_drawn_assignments_come_near_all_and_count_what_was_seen() -> None:
    frame = frames.cross_section().head(14).assign(d=[0, 1] * 7)
    exact = run(frame, draws=4000)
    drawn = run(frame, draws=1999)
    assert exact.p_values()[0] == pytest.approx(drawn.p_values()[0], abs=0.04)
    assert (drawn.p_values()[0] * 2000) % 1 == pytest.approx(0, abs=1e-6)
    assert "all 3,432 assignments" in exact.uncertainty.method
    assert "1,999 assignments, seed 1" in drawn.uncertainty.method


def test_strata_and_clusters_are_dealt_as_they_were() -> None:
    frame = pd.DataFrame(
        {"d": [1, 1, 0, 0, 0, 0, 1, 1, 0], "village": list("aabbccdde"), "area": [0] * 6 + [1] * 3}
    )
    known, values = assignments_of(frame, treatment="d", strata="area", cluster="village")
    assert known.number == math.comb(3, 1) * math.comb(2, 1)
    every = [values.take(arms[known.codes]).tolist() for arms in known.all()]
    assert len({tuple(one) for one in every}) == 6
    for dealt in every:
        again = frame.assign(d=dealt)
        assert again.groupby("village")["d"].nunique().eq(1).all()
        assert again.drop_duplicates("village").groupby("area")["d"].sum().tolist() == [1, 1]
    rng = np.random.default_rng(1)
    drawn = {tuple(values.take(known.drawn(rng)[known.codes]).tolist()) for _ in range(200)}
    assert drawn == {tuple(one) for one in every}


def test_values_of_any_kind_are_dealt() -> None:
    frame = pd.DataFrame({"first_treated": [2005.0, 2007.0, np.nan, np.nan]})
    known, values = assignments_of(frame, treatment="first_treated")
    assert known.number == 12
    assert len({tuple(arms.tolist()) for arms in known.all()}) == 12
    assert np.isnan(np.asarray(values, float)).sum() == 1


def test_cluster_treated_in_part() -> None:
    frame = pd.DataFrame({"d": [1, 0, 0, 1], "y": [1.0, 2, 3, 4], "village": list("aabb")})
    with pytest.raises(InferenceError, match=r"'d' differs within a cluster.*2 clusters"):
        run(frame, cluster="village")
    with pytest.raises(InferenceError, match="'area' differs within a cluster"):
        run(frame.assign(d=[1, 1, 0, 0], area=[1, 2, 1, 1]), cluster="village", strata="area")


def test_interval_of_estimates_by_hand() -> None:
    """Effects that all assignments do not reject, looked for on a grid, refitting each."""
    y, d = SMALL["y"].to_numpy(), SMALL["d"].to_numpy() == 1

    def p(effect: float) -> float:
        left = y - effect * d
        gaps = []
        for places in combinations(range(7), 3):
            dealt = np.isin(np.arange(7), places)
            gaps.append(left[dealt].mean() - left[~dealt].mean())
        seen = left[d].mean() - left[~d].mean()
        return float((np.abs(gaps) >= abs(seen) - 1e-9).mean())

    found = run(SMALL, statistic="estimate", interval=True, level=0.9)
    low, high = found.interval(0.9)[0]
    for end, outwards in ((low, -1), (high, 1)):
        assert p(end - outwards * 1e-4) > 0.1
        assert p(end + outwards * 1e-4) <= 0.1


def test_studentised_interval_by_refitting() -> None:
    frame = frames.cross_section().head(40).assign(d=[0, 1] * 20)
    found = run(frame, draws=199, interval=True, level=0.9)
    for end, outwards in zip(found.interval(0.9)[0], (-1, 1), strict=True):
        for move, rejected in ((-0.002, False), (0.002, True)):
            effect = end + outwards * move
            again = run(frame.assign(y=frame["y"] - effect * frame["d"]), draws=199)
            assert (again.p_values()[0] <= 0.1) == rejected
    assert found.interval(0.9)[0].mean() == pytest.approx(found.values[0], abs=0.3)


def test_interval_and_p_value_agree() -> None:
    frame = frames.cross_section().head(60).assign(d=lambda t: t["treated"])
    found = run(frame, draws=499, interval=True, level=0.95)
    low, high = found.interval()[0]
    assert (low <= 0 <= high) == (found.p_values()[0] > 0.05)


def test_interval_of_few_assignments_is_open() -> None:
    found = run(SMALL.head(4), statistic="estimate", interval=True)
    assert found.interval().tolist() == [[-np.inf, np.inf]]


def test_panels_are_dealt_by_unit() -> None:
    panel = frames.two_periods()
    effect = DoublyRobust(outcome="y", unit="unit", time="year", treatment="treated", covariates=("x1",))
    found = Randomization(effect, treatment="treated", seed=1, draws=99, cluster="unit").fit(panel)
    assert 0 < found.p_values()[0] <= 0.1
    assert "by unit" in found.uncertainty.method


def test_draws_hang_on_the_seed_and_not_on_processes() -> None:
    frame = frames.cross_section().assign(d=lambda t: t["treated"])
    one, two = (run(frame, draws=99, jobs=jobs).to_record() for jobs in (1, 2))
    assert one["uncertainty"] == two["uncertainty"]
    written = json.loads(json.dumps(one, allow_nan=False))
    assert written["spec"]["randomization"]["kind"] == "Randomization"
    assert Estimate.from_record(written).p_values()[0] == one["uncertainty"]["p_values"][0]


def test_joint_test_of_outcomes_by_hand() -> None:
    frame = SMALL.assign(z=[1.0, 2, 3, 4, 5, 6, 7])
    drawn = [
        Randomization(
            MeanDifference(outcome=name, treatment="d"), treatment="d", seed=1, statistic="estimate"
        ).null_draws(frame)
        for name in ("y", "z")
    ]
    joint = drawn[0] + drawn[1]
    assert joint.draws.shape == (35, 2)
    largest = np.abs(joint.draws).max(axis=1)
    assert joint_test(joint) == pytest.approx((largest >= np.abs(joint.statistics).max() - 1e-9).mean())
    S = np.linalg.inv(joint.draws.T @ joint.draws / 35)
    wald = np.einsum("ri,ij,rj->r", joint.draws, S, joint.draws)
    seen = joint.statistics @ S @ joint.statistics
    assert joint_test(joint, statistic="wald") == pytest.approx((wald >= seen - 1e-9).mean())


def test_draws_that_were_not_made_together() -> None:
    one = Randomization(GAP, treatment="d", seed=1).null_draws(SMALL)
    other = Randomization(GAP, treatment="d", seed=1).null_draws(SMALL.head(6))
    with pytest.raises(InferenceError, match="not made together"):
        one + other
    with pytest.raises(InferenceError, match="no joint statistic"):
        joint_test(one, statistic="mean")


def test_multiplier_draws_have_the_correlation_of_the_estimates() -> None:
    frame = frames.cross_section()
    frame["z"] = frame["y"] + 0.5 * frame["x1"]
    gaps = [
        MeanDifference(outcome=name, treatment="treated").fit(frame, inference=Cluster("cluster"))
        for name in ("y", "z")
    ]
    joint = multiplier_draws(gaps, seed=1, draws=4000, by="cluster")
    np.testing.assert_allclose(joint.draws.std(axis=0), 1, atol=0.05)
    assert gaps[0].fit is not None
    assert gaps[1].fit is not None
    codes = gaps[0].fit.groups["cluster"].codes
    a, b = (one.fit.influence.totals(codes, 32)[:, 0] for one in gaps if one.fit)
    assert np.corrcoef(joint.draws[:, 0], joint.draws[:, 1])[0, 1] == pytest.approx(
        a @ b / np.sqrt(a @ a * (b @ b)), abs=0.03
    )
    shorter = MeanDifference(outcome="z", treatment="treated").fit(
        frame.head(200), inference=Cluster("cluster")
    )
    assert multiplier_draws([gaps[0], shorter], seed=1, by="cluster").draws.shape == (1999, 2)
    with pytest.raises(InferenceError, match="do not use the same rows"):
        multiplier_draws([gaps[0], shorter], seed=1)
    with pytest.raises(InferenceError, match="without its fit"):
        multiplier_draws([Estimate.from_record(gaps[0].to_record())], seed=1)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"statistic": "median"}, "known statistic"),
        ({"alternative": "both"}, "known statistic and alternative"),
        ({"draws": 10}, "at least 99 draws"),
        ({"alternative": "less", "interval": True}, "invert the two-sided test"),
    ],
)
def test_choices_that_there_are_not(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(InferenceError, match=message):
        run(SMALL, **choices)


def test_designs_that_cannot_be() -> None:
    with pytest.raises(InferenceError, match="one assignment only"):
        run(SMALL.assign(area=SMALL["d"]), strata="area")
    with pytest.raises(InferenceError, match="treatment 'given' once"):
        assignments_of(SMALL, treatment="given")
    with pytest.raises(InferenceError, match="draws and statistics"):
        JointDraws(statistics=np.ones(2), draws=np.ones((3, 1)), exact=True, method="")
