"""Overlap of scores, by hand and as a figure needs it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimators.matching.score import Score


def score_of(probability: list[float]) -> Score:
    p = np.array(probability)
    return Score(
        probability=p,
        linear=np.log(p / (1 - p)),
        coefficients=np.zeros(1),
        names=("constant",),
        link="logit",
        converged=True,
        design=np.ones((len(p), 1)),
        information_inverse=np.ones((1, 1)),
    )


@dataclass(frozen=True)
class ByHand:
    """Four treated rows, one of which is beyond the untreated."""

    treated: Bools
    covariates: Floats
    covariate_names: tuple[str, ...]
    base_weights: Floats
    design_weights: Floats
    estimand: str
    score: Score | None


def by_hand() -> ByHand:
    return ByHand(
        treated=np.array([1, 1, 1, 1, 0, 0, 0, 0]) == 1,
        covariates=np.zeros((8, 1)),
        covariate_names=("age",),
        base_weights=np.array([1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0]),
        design_weights=np.array([1.0, 1.0, 1.0, 2.0, 0.0, 1.0, 3.0, 1.0]),
        estimand="att",
        score=score_of([0.3, 0.5, 0.6, 0.95, 0.05, 0.3, 0.65, 0.75]),
    )


def test_by_hand() -> None:
    seen = je.overlap(by_hand(), bins=10)
    assert seen.range_treated == (0.3, 0.95)
    assert seen.range_untreated == (0.05, 0.75)
    assert seen.treated_outside == pytest.approx(2 / 5)
    assert seen.untreated_outside == pytest.approx(1 / 4)
    assert seen.share_high == pytest.approx((2 / 5, 0))
    assert seen.share_low == pytest.approx((0, 1 / 4))
    assert seen.effective_treated == pytest.approx(25 / 7)
    assert seen.effective_untreated == pytest.approx(25 / 11)
    assert seen.checks[0].passed is False
    assert "40.00% of the treated outside" in seen.checks[0].detail
    assert seen.checks[1].passed is None


@pytest.mark.parametrize(
    ("estimand", "passed", "words"),
    [
        ("att", False, "40.00% of the treated outside"),
        ("atc", False, "25.00% of the untreated outside"),
        ("ate", False, "40.00% of the treated and 25.00% of the untreated outside"),
    ],
)
def test_the_check_follows_the_estimand(estimand: str, passed: bool, words: str) -> None:
    check = je.overlap(replace(by_hand(), estimand=estimand)).checks[0]
    assert check.passed is passed
    assert words in check.detail


def test_histograms_have_area_one_under_each_weighting() -> None:
    seen = je.overlap(by_hand(), bins=10)
    width = np.diff(seen.edges)
    for arm in ("treated", "untreated"):
        for when in ("", "_after"):
            density = getattr(seen, f"density_{arm}{when}")
            assert density @ width == pytest.approx(1)
            assert not density.flags.writeable
    # three of five untreated weights lie in [0.6, 0.7)
    assert seen.density_untreated_after[6] * 0.1 == pytest.approx(3 / 5)


def test_a_design_without_a_score_gets_one_to_look_at() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=400)
    frame = pd.DataFrame({"d": (rng.random(400) < 1 / (1 + np.exp(-x))) * 1, "x": x})
    entropy = je.Weighting(treatment="d", covariates=("x",), method="entropy").design(frame)
    weighted = je.Weighting(treatment="d", covariates=("x",)).design(frame)
    assert entropy.score is None
    one, other = je.overlap(entropy), je.overlap(weighted)
    np.testing.assert_array_equal(one.density_treated, other.density_treated)
    assert one.link == "logit"


def test_arms_that_are_told_apart_have_no_overlap_to_show() -> None:
    frame = pd.DataFrame({"d": [1, 1, 1, 0, 0, 0], "x": [1.0, 2.0, 3.0, -1.0, -2.0, -3.0]})
    with pytest.raises(DesignError, match="'x'"):
        je.overlap(je.raw_design(frame, treatment="d", covariates=("x",)))


def test_a_single_bar_is_no_histogram() -> None:
    with pytest.raises(DesignError, match="two bars"):
        je.overlap(by_hand(), bins=1)
