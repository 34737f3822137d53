"""Every estimator with every inference that it can carry."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate
from tests.contract.registry import ESTIMATORS, INFERENCES, Case, Rule, each_pair
from tests.contract.test_promises import same

GROUPINGS = ("stratum", "psu", "cluster", "district")


def fit(case: Case, rule: Rule, frame: pd.DataFrame | None = None) -> Estimate:
    return case.fit(frame, inference=rule.inference)


@each_pair()
def test_uncertainty_is_whole(case: Case, rule: Rule) -> None:
    estimate = fit(case, rule)
    covariance = estimate.uncertainty.covariance
    assert np.isfinite(covariance).all()
    np.testing.assert_allclose(covariance, covariance.T, atol=1e-14 * np.abs(covariance).max())
    assert (estimate.uncertainty.std_error > 0).all()
    assert (np.linalg.eigvalsh(covariance) > -1e-12 * covariance.max()).all()
    assert estimate.uncertainty.df > 0
    assert len(estimate.uncertainty.method) > 5


@each_pair()
def test_inference_afterwards_is_inference_at_once(case: Case, rule: Rule) -> None:
    at_once = fit(case, rule)
    carried = case.fit(carry=rule.inference.columns)
    np.testing.assert_array_equal(carried.values, at_once.values)
    np.testing.assert_array_equal(carried.values, case.fit().values)
    afterwards = carried.with_inference(rule.inference)
    assert afterwards.to_record() == at_once.to_record()
    assert carried.uncertainty.method == case.fit().uncertainty.method
    if rule.inference.columns:
        with pytest.raises(InferenceError, match="did not carry"):
            case.fit().with_inference(rule.inference)


@each_pair(free_of="order")
def test_order_of_rows_does_not_matter(case: Case, rule: Rule) -> None:
    frame = case.frame()
    shuffled = frame.sample(frac=1, random_state=5)
    same(fit(case, rule, shuffled), fit(case, rule))


@each_pair(free_of="labels")
def test_names_of_groups_do_not_matter(case: Case, rule: Rule) -> None:
    frame = case.frame()
    renamed = frame.copy()
    rng = np.random.default_rng(6)
    for column in GROUPINGS:
        labels = frame[column].unique()
        names = dict(zip(labels, rng.permutation([f"{column} {i}" for i in range(len(labels))]), strict=True))
        renamed[column] = frame[column].map(names)
    if "unit" in frame and not rule.order:
        renamed["unit"] = -frame["unit"]
    same(fit(case, rule, renamed), fit(case, rule))


@each_pair()
def test_scale_of_the_outcome_is_the_scale_of_the_error(case: Case, rule: Rule) -> None:
    frame = case.frame()
    scaled = fit(case, rule, frame.assign(y=frame["y"] * 1000))
    same(scaled, fit(case, rule), scale=1000, tolerance=1e-8)


@each_pair()
def test_record_goes_through_json_without_loss(case: Case, rule: Rule) -> None:
    estimate = fit(case, rule)
    text = json.dumps(estimate.to_record(), allow_nan=False)
    read = Estimate.from_record(json.loads(text))
    pd.testing.assert_frame_equal(read.tidy(), estimate.tidy())
    found, expected = (one.interval(0.9, simultaneous=True) for one in (read, estimate))
    np.testing.assert_array_equal(found, expected)


def test_the_errors_of_different_questions_differ() -> None:
    """No inference is another one under a new name."""
    case = ESTIMATORS["MeanDifference"]
    mean = {
        name: fit(case, rule).uncertainty.std_error[0]
        for name, rule in INFERENCES.items()
        if rule.suits(case) and not rule.error_of
    }
    distinct = {round(float(error), 12) for name, error in mean.items() if "full sample" not in name}
    assert len(distinct) == len(mean) - 1
