"""Every estimator with every inference that it can carry."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate
from tests.contract.registry import ESTIMATORS, INFERENCES, Case, Rule, each_pair
from tests.contract.test_promises import same

GROUPINGS = ("stratum", "psu", "cluster", "district")


@cache
def carried(case: Case, table: Callable[[Case], pd.DataFrame]) -> Estimate:
    """Fit once on a table, with every column that some inference needs."""
    frame = table(case)
    needed = {column for rule in INFERENCES.values() for column in rule.inference.columns}
    return case.fit(frame, carry=tuple(sorted(needed & set(frame.columns))))


def fit(case: Case, rule: Rule, table: Callable[[Case], pd.DataFrame] | None = None) -> Estimate:
    """Return the estimate of a table under an inference; afterwards is as at once, as is tested below."""
    return carried(case, table or _as_it_is).with_inference(rule.inference)


def _as_it_is(case: Case) -> pd.DataFrame:
    return case.frame()


def _shuffled(case: Case) -> pd.DataFrame:
    return case.frame().sample(frac=1, random_state=5)


def _scaled(case: Case) -> pd.DataFrame:
    frame = case.frame()
    return frame.assign(y=frame["y"] * 1000)


def _renamed(case: Case) -> pd.DataFrame:
    """Give groups other names, in another order."""
    frame = case.frame()
    renamed = frame.copy()
    rng = np.random.default_rng(6)
    for column in GROUPINGS:
        labels = frame[column].unique()
        names = dict(zip(labels, rng.permutation([f"{column} {i}" for i in range(len(labels))]), strict=True))
        renamed[column] = frame[column].map(names)
    return renamed


def _renamed_with_units(case: Case) -> pd.DataFrame:
    renamed = _renamed(case)
    return renamed.assign(unit=-renamed["unit"]) if "unit" in renamed else renamed


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
    at_once = case.fit(inference=rule.inference)
    afterwards = fit(case, rule)
    np.testing.assert_array_equal(afterwards.values, at_once.values)
    np.testing.assert_array_equal(afterwards.values, case.fit().values)
    assert afterwards.to_record() == at_once.to_record()
    assert carried(case, _as_it_is).uncertainty.method == case.fit().uncertainty.method
    missing = set(rule.inference.columns) - set(case.fit().fit.groups)  # type: ignore[union-attr]
    if missing:
        with pytest.raises(InferenceError, match="did not carry"):
            case.fit().with_inference(rule.inference)


@each_pair(free_of="order")
def test_order_of_rows_does_not_matter(case: Case, rule: Rule) -> None:
    same(fit(case, rule, _shuffled), fit(case, rule))


@each_pair(free_of="labels")
def test_names_of_groups_do_not_matter(case: Case, rule: Rule) -> None:
    same(fit(case, rule, _renamed if rule.order else _renamed_with_units), fit(case, rule))


@each_pair()
def test_scale_of_the_outcome_is_the_scale_of_the_error(case: Case, rule: Rule) -> None:
    same(fit(case, rule, _scaled), fit(case, rule), scale=1000, tolerance=1e-8)


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
