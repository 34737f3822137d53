"""Adjusted p values by hand, against statsmodels, and by joint draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.means import Mean, MeanDifference
from juntos_eval.inference.joint_draws import JointDraws, multiplier_draws
from juntos_eval.inference.multiple_testing import (
    adjust_p_values,
    adjusted,
    sharpened_q_values,
    step_down_p_values,
)
from juntos_eval.inference.robust import Robust

P = np.array([0.01, 0.04, 0.03, 0.005])


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("bonferroni", [0.04, 0.16, 0.12, 0.02]),
        ("holm", [0.03, 0.06, 0.06, 0.02]),
        ("hochberg", [0.03, 0.04, 0.04, 0.02]),
        ("bh", [0.02, 0.04, 0.04, 0.02]),
        ("by", [0.02 * 25 / 12, 0.04 * 25 / 12, 0.04 * 25 / 12, 0.02 * 25 / 12]),
    ],
)
def test_by_hand(method: Any, expected: list[float]) -> None:
    np.testing.assert_allclose(adjusted(P, method), expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_sharpened_q_values_are_the_rates_of_the_two_stage_procedure(seed: int) -> None:
    p = np.random.default_rng(seed).uniform(size=12) ** 3
    q = sharpened_q_values(p)
    for rate in (0.05, 0.1, 0.25):
        # statsmodels tests at a rate: its two-stage procedure shrinks the rate by 1 + rate, as here
        rejected = multipletests(p, alpha=rate, method="fdr_tsbky")[0]
        np.testing.assert_array_equal(q <= rate + 1e-9, rejected)


def test_sharpened_q_values_may_be_smaller_than_p() -> None:
    # all rejected in the first stage at q once 0.04 <= q / (1 + q): 0.042
    np.testing.assert_allclose(sharpened_q_values(np.full(6, 0.04)), 0.042)


def test_step_down_by_hand() -> None:
    drawn = JointDraws(
        statistics=np.array([1.5, -3.0, 2.0]),
        draws=np.array([[0.1, 3.5, 0.2], [2.5, 0.1, 0.3], [-1.6, 0.5, -1.9], [0.2, 0.3, 0.4]]),
        exact=False,
        method="by hand",
    )
    # 3: one of four maxima over all; 2: over the first and third, one (2.5); 1.5: over the first, two
    np.testing.assert_allclose(step_down_p_values(drawn), [3 / 5, 2 / 5, 2 / 5])


def test_min_p_by_hand() -> None:
    """The second statistic is drawn ten times as wide: its ranks count, not its size."""
    draws = np.array([[1.0, 40.0], [2.0, 10.0], [3.0, 20.0], [4.0, 30.0]])
    seen = JointDraws(statistics=np.array([4.0, 20.0]), draws=draws, exact=True, method="by hand")
    # marginal p: 1/4 and 3/4; in the draws (1, 1/4) (3/4, 1) (1/2, 3/4) (1/4, 1/2): smallest 1/4 3/4 1/2 1/4
    np.testing.assert_allclose(step_down_p_values(seen, min_p=True), [1 / 2, 3 / 4])
    # by size the second, larger, goes first
    np.testing.assert_allclose(step_down_p_values(seen), [3 / 4, 3 / 4])


def test_one_hypothesis_needs_no_adjustment() -> None:
    drawn = JointDraws(
        statistics=np.array([2.0]), draws=np.arange(9.0)[:, None] / 4, exact=False, method="by hand"
    )
    np.testing.assert_allclose(step_down_p_values(drawn), [2 / 10])
    np.testing.assert_allclose(step_down_p_values(drawn, min_p=True), [2 / 10])


def families(n: int = 200) -> list[Estimate]:
    rng = np.random.default_rng(5)
    common = rng.normal(size=n)
    frame = pd.DataFrame({f"y{i}": 3 * common + rng.normal(size=n) for i in range(5)})
    frame = frame.assign(d=rng.permutation(np.arange(n) % 2))
    frame["y0"] += 1.6 * frame["d"]
    return [MeanDifference(outcome=f"y{i}", treatment="d").fit(frame) for i in range(5)]


def test_draws_use_the_dependence_that_inequalities_do_not() -> None:
    gaps = families()
    joint = multiplier_draws(gaps, seed=1, draws=2999)
    holm, wolf, young = (
        np.concatenate([one.p_values() for one in adjust_p_values(gaps, method=method, draws=joint)])
        for method in ("holm", "romano_wolf", "westfall_young")
    )
    raw = np.concatenate([one.p_values() for one in gaps])
    assert wolf[0] < 0.6 * holm[0]
    assert (wolf >= raw - 0.02).all()
    np.testing.assert_allclose(young, wolf, atol=0.03)
    order = np.argsort(raw)
    assert (np.diff(wolf[order]) >= 0).all()


def test_estimates_keep_all_but_their_p_values() -> None:
    gaps = families()
    found = adjust_p_values(gaps, method="bh")
    for new, old in zip(found, gaps, strict=True):
        np.testing.assert_array_equal(new.values, old.values)
        np.testing.assert_array_equal(new.interval(), old.interval())
        assert "p values by bh, 5 hypotheses, false discovery rate" in new.uncertainty.method
    raw = np.concatenate([one.p_values() for one in gaps])
    np.testing.assert_allclose(np.concatenate([one.p_values() for one in found]), adjusted(raw, "bh"))


def test_values_of_one_estimate_are_a_family() -> None:
    frame = pd.DataFrame({"y": np.random.default_rng(1).normal(size=60), "area": list("abc") * 20})
    means = Mean(outcome="y", by="area").fit(frame, inference=Robust("HC0"))
    (found,) = adjust_p_values([means])
    np.testing.assert_allclose(found.p_values(), adjusted(means.p_values(), "holm"))


def test_what_cannot_be_adjusted() -> None:
    gaps = families()
    with pytest.raises(InferenceError, match="no hypothesis"):
        adjust_p_values([])
    with pytest.raises(InferenceError, match="needs joint draws"):
        adjust_p_values(gaps, method="romano_wolf")
    with pytest.raises(InferenceError, match="needs joint draws"):
        adjust_p_values(gaps, method="westfall_young", draws=multiplier_draws(gaps[:2], seed=1))
    with pytest.raises(InferenceError, match="a method that there is"):
        adjust_p_values(gaps, method="tukey")  # type: ignore[arg-type]
    with pytest.raises(InferenceError, match="between 0 and 1"):
        adjusted(np.array([1.5]), "holm")
    assert np.isnan(adjusted(np.array([np.nan]), "holm")).all()
