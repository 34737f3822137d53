"""What every estimator promises, whatever its method."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate, Inference
from juntos_eval.inference.cluster import Cluster
from tests.contract.registry import Case, each_estimator

TIDY = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "n", "inference"]


def same(found: Estimate, expected: Estimate, *, scale: float = 1.0, tolerance: float = 1e-10) -> None:
    """Both say the same, up to the scale of the outcome."""
    close: dict[str, Any] = {"rtol": tolerance, "atol": tolerance * abs(scale)}
    np.testing.assert_allclose(found.values, scale * expected.values, **close)
    np.testing.assert_allclose(
        found.uncertainty.std_error, abs(scale) * expected.uncertainty.std_error, **close
    )
    assert found.uncertainty.df == pytest.approx(expected.uncertainty.df, rel=1e-9)
    assert found.keys == expected.keys
    assert found.sample.rows == expected.sample.rows


@each_estimator()
def test_choices_are_frozen_and_equal_by_value(case: Case) -> None:
    field = dataclasses.fields(case.estimator)[0].name  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        setattr(case.estimator, field, "other")
    twin = copy.deepcopy(case.estimator)
    assert twin == case.estimator
    assert hash(twin) == hash(case.estimator)
    other = case.choosing(outcome="works").estimator
    assert other != case.estimator
    assert not hasattr(case.estimator, "__dict__")


@each_estimator()
def test_data_are_not_touched(case: Case) -> None:
    frame = case.frame()
    before = frame.copy(deep=True)
    case.fit(frame)
    pd.testing.assert_frame_equal(frame, before)


@each_estimator()
def test_the_same_question_has_the_same_answer(case: Case) -> None:
    first, again = case.fit(case.frame()), case.fit(case.frame())
    assert first.to_record() == again.to_record()


@each_estimator()
def test_later_changes_of_the_data_do_not_reach_the_estimate(case: Case) -> None:
    frame = case.frame()
    estimate = case.fit(frame, carry=("cluster",))
    record = estimate.with_inference(Cluster("cluster")).to_record()
    frame.loc[:, ["y", "x1", "w"]] = 7.0
    frame.loc[:, "cluster"] = 0
    assert estimate.with_inference(Cluster("cluster")).to_record() == record


@each_estimator()
def test_order_of_rows_does_not_matter(case: Case) -> None:
    if case.order:
        return  # by a documented rule it does
    frame = case.frame()
    same(case.fit(frame.sample(frac=1, random_state=2)), case.fit())


@each_estimator()
def test_labels_of_rows_and_order_of_columns_do_not_matter(case: Case) -> None:
    frame = case.frame()
    expected = case.fit()
    doubled = frame.set_axis(np.arange(len(frame)) // 2)
    texts = frame.set_axis([f"row {i % 7}" for i in range(len(frame))])
    levels = frame.set_index(["stratum", "psu"], drop=False).rename_axis([None, None])
    for other in (doubled, texts, levels, frame[frame.columns[::-1]]):
        same(case.fit(other), expected, tolerance=1e-12)


@each_estimator()
def test_other_columns_do_not_matter(case: Case) -> None:
    frame = case.frame()
    same(case.fit(frame.assign(other=np.nan, text="x")), case.fit(), tolerance=1e-12)


@each_estimator()
def test_weights_of_one_are_no_weights(case: Case) -> None:
    same(case.choosing(weights="one").fit(), case.choosing(weights=None).fit())


@each_estimator()
def test_scale_of_weights_does_not_matter(case: Case) -> None:
    frame = case.frame()
    weighted = case.choosing(weights="w")
    same(weighted.fit(frame.assign(w=frame["w"] * 37.5)), weighted.fit(), tolerance=1e-8)


@each_estimator()
def test_weights_matter(case: Case) -> None:
    values = case.choosing(weights="w").fit().values
    assert (np.abs(values / case.choosing(weights=None).fit().values - 1) > 1e-6).all()


@each_estimator()
@pytest.mark.parametrize("scale", [1000.0, -0.5])
def test_scale_of_the_outcome_is_the_scale_of_the_answer(case: Case, scale: float) -> None:
    frame = case.frame()
    same(case.fit(frame.assign(y=frame["y"] * scale)), case.fit(), scale=scale, tolerance=1e-8)


@each_estimator()
def test_shift_of_the_outcome_moves_levels_and_no_effects(case: Case) -> None:
    frame = case.frame()
    moved, expected = case.fit(frame.assign(y=frame["y"] + 64)), case.fit()
    levels = np.array([case.is_level or term == "constant" for term in expected.keys["term"]])
    np.testing.assert_allclose(moved.values, expected.values + 64 * levels, rtol=1e-8)
    np.testing.assert_allclose(moved.uncertainty.std_error, expected.uncertainty.std_error, rtol=1e-7)


@each_estimator()
def test_influence_sums_to_zero_and_has_a_row_for_each_unit(case: Case) -> None:
    estimate = case.fit()
    assert estimate.fit is not None
    influence = estimate.fit.influence.dense()
    assert influence.shape == (estimate.fit.n, len(estimate.values))
    assert estimate.fit.n in {estimate.sample.rows, estimate.sample.units}
    scale = np.abs(influence).sum(axis=0)
    assert (scale > 0).all()
    np.testing.assert_array_less(np.abs(influence.sum(axis=0)), 1e-9 * scale)


@each_estimator(smooth=True)
def test_influence_is_what_a_row_adds(case: Case) -> None:
    """Leaving a unit out, which knows no formula, moves the values by its influence, to first order."""
    estimate, frame = case.fit(), case.frame()
    assert estimate.fit is not None
    unit = frame["unit"].to_numpy() if case.has("unit") else np.arange(len(frame))
    left_out = np.random.default_rng(1).choice(np.unique(unit), size=25, replace=False)
    moved = [estimate.values - case.fit(frame[unit != one]).values for one in left_out]
    influence = estimate.fit.influence.dense()
    if len(influence) == len(unit):  # a row each, of which a unit may have several
        influence = np.array([influence[unit == one].sum(axis=0) for one in np.unique(unit)])
    influence = influence[np.searchsorted(np.unique(unit), left_out)]
    for found, expected in zip(np.array(moved).T, influence.T, strict=True):
        assert np.corrcoef(found, expected)[0, 1] > 0.98
        assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(expected), rel=0.12)


@each_estimator()
def test_record_goes_through_json_without_loss(case: Case) -> None:
    estimate = case.fit()
    text = json.dumps(estimate.to_record(), allow_nan=False)
    read = Estimate.from_record(json.loads(text))
    np.testing.assert_array_equal(read.values, estimate.values)
    np.testing.assert_array_equal(read.uncertainty.covariance, estimate.uncertainty.covariance)
    assert read.uncertainty.df == estimate.uncertainty.df
    assert read.uncertainty.method == estimate.uncertainty.method
    assert read.keys == estimate.keys
    assert read.checks == estimate.checks
    assert read.sample == estimate.sample
    assert json.loads(json.dumps(read.to_record())) == json.loads(text)
    pd.testing.assert_frame_equal(read.tidy(), estimate.tidy())


@each_estimator()
def test_record_names_the_estimator_and_every_choice(case: Case) -> None:
    spec = json.loads(json.dumps(case.fit().to_record()))["spec"]
    choices = {field.name for field in dataclasses.fields(case.estimator)}  # type: ignore[arg-type]
    assert spec["estimator"] == type(case.estimator).__name__
    assert choices <= set(spec)


@each_estimator()
def test_tidy_has_its_columns(case: Case) -> None:
    estimate = case.fit()
    frame = estimate.tidy()
    assert list(frame.columns) == [*estimate.keys, *TIDY]
    assert "term" in estimate.keys
    assert set(estimate.keys) <= {"term", "outcome", "group", "time", "event_time"}
    assert len(frame) == len(estimate.values)
    assert (frame["conf_low"] < frame["estimate"]).all()
    assert (frame["estimate"] < frame["conf_high"]).all()
    assert np.isfinite(frame[TIDY[:-1]].to_numpy(np.float64)).all()


@each_estimator()
def test_sample_counts(case: Case) -> None:
    estimate, frame = case.fit(), case.frame()
    sample = estimate.sample
    assert sample.rows == len(frame)
    assert sample.units == (frame["unit"].nunique() if case.has("unit") else len(frame))
    assert not any(sample.dropped.values())
    if case.has("treatment"):
        treated = frame[frame["treated"] == 1]
        assert sample.treated == (treated["unit"].nunique() if case.has("unit") else len(treated))
    if sample.effective is not None:
        assert 0 < sample.effective <= sample.rows * (1 + 1e-12)


@each_estimator()
def test_combination_with_the_identity_changes_nothing(case: Case) -> None:
    estimate = case.fit(carry=("cluster",))
    combined = estimate.combine(np.eye(len(estimate.values)), estimate.keys)
    np.testing.assert_array_equal(combined.values, estimate.values)
    np.testing.assert_allclose(combined.uncertainty.covariance, estimate.uncertainty.covariance, rtol=1e-12)
    again = combined.with_inference(Cluster("cluster")).uncertainty.covariance
    expected = estimate.with_inference(Cluster("cluster")).uncertainty.covariance
    np.testing.assert_allclose(again, expected, rtol=1e-10)


@each_estimator()
def test_difference_by_hand(case: Case) -> None:
    estimate = case.fit()
    k = len(estimate.values)
    A = np.zeros((1, k))
    A[0, 0], A[0, -1] = 2.0, -1.0 if k > 1 else 2.0
    combined = estimate.combine(A, {"term": ("2 first - last",)})
    first, last = estimate.values[0], estimate.values[-1]
    V = estimate.uncertainty.covariance
    if k > 1:
        np.testing.assert_allclose(combined.values, [2 * first - last])
        variance = 4 * V[0, 0] + V[-1, -1] - 4 * V[0, -1]
    else:
        np.testing.assert_allclose(combined.values, [2 * first])
        variance = 4 * V[0, 0]
    np.testing.assert_allclose(combined.uncertainty.std_error, [np.sqrt(variance)])


@each_estimator()
def test_shown_as_text_and_html(case: Case) -> None:
    estimate = case.fit()
    text, html = repr(estimate), estimate._repr_html_()
    for shown in (text, html):
        assert type(case.estimator).__name__ in shown
        assert f"{estimate.values[0]:.4g}" in shown
    assert estimate.uncertainty.method in text


@each_estimator()
def test_html_escapes_the_names_of_columns(case: Case) -> None:
    evil = "<script>y</script>"
    frame = case.frame().rename(columns={"y": evil})
    html = case.choosing(outcome=evil).fit(frame)._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


@each_estimator()
def test_estimators_and_estimates_can_be_copied_and_sent(case: Case) -> None:
    estimate = case.fit()
    for other in (pickle.loads(pickle.dumps(estimate)), copy.deepcopy(estimate)):  # noqa: S301
        assert other.to_record() == estimate.to_record()
    assert pickle.loads(pickle.dumps(case.estimator)) == case.estimator  # noqa: S301


@each_estimator()
@pytest.mark.parametrize("given", [None, Cluster("cluster", kind="CR0")], ids=["default", "given"])
def test_the_estimate_keeps_the_rule_of_its_uncertainty(case: Case, given: Inference | None) -> None:
    estimate = case.fit(inference=given)
    if given is None and case.own_error:
        return  # no inference says the whole of it
    assert given is None or estimate.inference == given
    assert estimate.inference is not None
    again = estimate.with_inference(estimate.inference)
    assert again.inference == estimate.inference
    np.testing.assert_array_equal(again.uncertainty.covariance, estimate.uncertainty.covariance)
    assert again.uncertainty.df == estimate.uncertainty.df


@each_estimator()
def test_what_was_not_carried_cannot_be_used_later(case: Case) -> None:
    estimate = case.fit()
    needed: Inference = Cluster("district")
    with pytest.raises(InferenceError, match="did not carry the column 'district'"):
        estimate.with_inference(needed)
    assert case.fit(carry=("district",)).with_inference(needed).uncertainty.df == 29
