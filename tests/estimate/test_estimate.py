from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import (
    Check,
    DenseInfluence,
    Estimate,
    Estimator,
    Fit,
    Groups,
    Inference,
    Linear,
    Sample,
    Uncertainty,
)
from juntos_eval.estimators.means import Mean
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.multiplier_bootstrap import MultiplierBootstrap
from juntos_eval.inference.robust import Iid, Robust


@pytest.fixture(scope="module")
def regression() -> Any:
    """Least squares of statsmodels on SIMULATED data."""
    rng = np.random.default_rng(8)
    X = sm.add_constant(rng.normal(size=(80, 3)))
    y = X @ [1.0, 0.3, 0.0, -0.2] + rng.normal(size=80)
    return sm.OLS(y, X)


def estimate_of(model: Any, *, df: float | None = None) -> Estimate:
    fitted = model.fit()
    X, residuals = model.exog, fitted.resid
    bread = np.linalg.inv(X.T @ X)
    fit = Fit(
        values=fitted.params,
        influence=DenseInfluence(X * residuals[:, None] @ bread),
        parameters=4,
        groups={"psu": Groups(np.arange(80) // 2, tuple(map(str, range(40))))},
        linear=Linear(design=X, weights=np.ones(80), residuals=residuals, bread=bread, selection=np.eye(4)),
    )
    uncertainty = Iid().infer(fit)
    if df is not None:
        uncertainty = Uncertainty(method="normal", covariance=uncertainty.covariance, df=df)
    return Estimate(
        spec={"estimator": "LeastSquares", "outcome": "y"},
        keys={"term": ("const", "a", "b", "c")},
        values=fit.values,
        uncertainty=uncertainty,
        sample=Sample(rows=80, units=80),
        fit=fit,
    )


RESTRICTIONS = np.array([[0, 1.0, 0, 0], [0, 0, 1.0, 1.0]])


@pytest.mark.parametrize("null", [None, [0.3, -0.1]])
def test_wald_test_is_statsmodels_f_test(regression: Any, null: list[float] | None) -> None:
    expected = regression.fit().wald_test(
        (RESTRICTIONS, np.zeros(2) if null is None else np.array(null)), use_f=True, scalar=True
    )
    found = estimate_of(regression).test(RESTRICTIONS, null)
    assert found.statistic == pytest.approx(float(expected.statistic), rel=1e-10)
    assert found.p_value == pytest.approx(float(expected.pvalue), rel=1e-9)
    assert (found.df, found.df_denominator) == (2, 76.0)


def test_wald_test_with_infinite_degrees_of_freedom_is_chi_squared(regression: Any) -> None:
    expected = regression.fit().wald_test((RESTRICTIONS, np.zeros(2)), use_f=False, scalar=True)
    found = estimate_of(regression, df=np.inf).test(RESTRICTIONS)
    assert found.statistic * 2 == pytest.approx(float(expected.statistic), rel=1e-10)
    assert found.p_value == pytest.approx(float(expected.pvalue), rel=1e-9)


def test_by_default_all_values_are_tested(regression: Any) -> None:
    expected = regression.fit().wald_test(np.eye(4), use_f=True, scalar=True)
    assert estimate_of(regression).test().statistic == pytest.approx(float(expected.statistic), rel=1e-10)


def test_restrictions_that_do_not_fit_or_contradict_each_other(regression: Any) -> None:
    estimate = estimate_of(regression)
    with pytest.raises(InferenceError, match="for 4 values"):
        estimate.test(np.eye(3))
    with pytest.raises(InferenceError, match="targets"):
        estimate.test(RESTRICTIONS, [0.0])
    with pytest.raises(InferenceError, match="contradict"):
        estimate.test([[0, 1, 0, 0], [0, 1, 0, 0]], [0.0, 1.0])
    redundant = estimate.test([[0, 1, 0, 0], [0, 2, 0, 0]])
    assert redundant.df == 1
    assert redundant.p_value == pytest.approx(estimate.p_values()[1], rel=1e-9)


def test_a_value_that_is_not_known_is_in_nobody_s_way(regression: Any) -> None:
    whole = estimate_of(regression)
    covariance = whole.uncertainty.covariance.copy()
    covariance[2] = covariance[:, 2] = np.nan
    values = whole.values.copy()
    values[2] = np.nan
    partly = Estimate(
        spec=whole.spec,
        keys=whole.keys,
        values=values,
        uncertainty=Uncertainty(method="iid", covariance=covariance, df=76),
        sample=whole.sample,
    )
    gap = [[0, 1.0, 0, -1.0]]
    assert partly.test(gap).p_value == pytest.approx(whole.test(gap).p_value)
    keys = {"term": ("gap", "with unknown")}
    combined = partly.combine([*gap, [0, 1.0, 1.0, 0]], keys)
    assert combined.values[0] == pytest.approx(whole.values[1] - whole.values[3])
    assert np.isnan(combined.values[1])
    assert np.isfinite(combined.uncertainty.std_error).tolist() == [True, False]
    with pytest.raises(InferenceError, match="known"):
        partly.test()


def test_combination_by_hand(regression: Any) -> None:
    estimate = estimate_of(regression)
    A = np.array([[0, 1.0, -1.0, 0], [0.25, 0.25, 0.25, 0.25]])
    combined = estimate.combine(A, {"term": ("difference", "mean")})
    np.testing.assert_allclose(combined.values, A @ estimate.values)
    np.testing.assert_allclose(
        combined.uncertainty.covariance, A @ estimate.uncertainty.covariance @ A.T, rtol=1e-12
    )
    assert combined.uncertainty.df == 76
    assert combined.keys["term"] == ("difference", "mean")


@pytest.mark.parametrize(
    "inference", [Iid(), Robust("HC0"), Robust("HC3"), Cluster("psu"), Cluster("psu", kind="CR1S")]
)
def test_inference_of_a_combination_is_the_combination_of_inference(
    regression: Any, inference: Inference
) -> None:
    estimate = estimate_of(regression)
    A = np.array([[0, 1.0, -1.0, 0]])
    keys = {"term": ("difference",)}
    first = estimate.with_inference(inference).combine(A, keys)
    then = estimate.combine(A, keys).with_inference(inference)
    np.testing.assert_allclose(first.uncertainty.covariance, then.uncertainty.covariance, rtol=1e-10)


def test_what_does_not_follow_from_the_covariance_is_not_carried_into_a_combination(
    regression: Any,
) -> None:
    estimate = estimate_of(regression).with_inference(MultiplierBootstrap(draws=199, seed=1))
    assert estimate.uncertainty.band is not None
    combined = estimate.combine(np.eye(4), estimate.keys)
    assert combined.uncertainty.band is None
    assert combined.uncertainty.p_values is None
    again = combined.with_inference(MultiplierBootstrap(draws=199, seed=1))
    np.testing.assert_allclose(again.uncertainty.band, estimate.uncertainty.band, rtol=1e-9)  # type: ignore[arg-type]


@pytest.mark.parametrize("weights", [np.eye(3), [[np.nan, 0, 0, 0]], np.zeros((1, 1, 4))])
def test_weights_that_do_not_fit(regression: Any, weights: Any) -> None:
    with pytest.raises(InferenceError, match="weights of a combination"):
        estimate_of(regression).combine(weights, {"term": ("x",)})


def test_without_its_fit_there_is_no_other_inference() -> None:
    published = Estimate(
        spec={"estimator": "as published"},
        keys={"term": ("att",)},
        values=np.array([0.1]),
        uncertainty=Uncertainty(method="as published", covariance=np.array([[0.01]]), df=np.inf),
        sample=Sample(rows=10, units=10),
    )
    with pytest.raises(InferenceError, match="as published"):
        published.with_inference(Robust())
    assert published.combine([[2.0]], {"term": ("twice",)}).uncertainty.std_error[0] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("keys", "values", "covariance"),
    [
        ({"term": ("a",)}, [1.0, 2.0], np.eye(2)),
        ({"term": ("a", "b")}, [1.0, 2.0], np.eye(1)),
        ({"outcome": ("a",)}, [1.0], np.eye(1)),
        ({"term": ("a",), "group": ("x", "y")}, [1.0], np.eye(1)),
        ({}, [1.0], np.eye(1)),
    ],
)
def test_parts_that_do_not_belong_together(
    keys: dict[str, tuple[str, ...]], values: list[float], covariance: np.ndarray
) -> None:
    with pytest.raises(InferenceError, match="belong together"):
        Estimate(
            spec={},
            keys=keys,
            values=np.array(values),
            uncertainty=Uncertainty(method="known", covariance=covariance, df=np.inf),
            sample=Sample(rows=1, units=1),
        )


def test_nothing_of_an_estimate_can_be_changed(regression: Any) -> None:
    estimate = estimate_of(regression)
    for field in ("values", "spec", "fit", "uncertainty"):
        with pytest.raises(AttributeError):
            setattr(estimate, field, None)
    with pytest.raises(ValueError, match="read-only"):
        estimate.values[0] = 0.0
    with pytest.raises(ValueError, match="read-only"):
        estimate.uncertainty.covariance[0, 0] = 0.0
    for mapping in (estimate.spec, estimate.keys, estimate.sample.dropped, estimate.details):
        with pytest.raises(TypeError):
            mapping["x"] = 1  # type: ignore[index]


def test_estimates_can_be_copied_and_sent_to_another_process(regression: Any) -> None:
    estimate = estimate_of(regression)
    for other in (copy.copy(estimate), copy.deepcopy(estimate), pickle.loads(pickle.dumps(estimate))):  # noqa: S301
        assert other.to_record() == estimate.to_record()
        np.testing.assert_array_equal(
            other.with_inference(Robust("HC3")).uncertainty.covariance,
            estimate.with_inference(Robust("HC3")).uncertainty.covariance,
        )


def test_estimates_are_told_apart_by_identity_and_can_stand_in_a_set(regression: Any) -> None:
    first, second = estimate_of(regression), estimate_of(regression)
    assert first != second
    assert len({first, second, first}) == 2


def test_protocols_know_their_own() -> None:
    assert isinstance(Mean(outcome="y"), Estimator)
    assert isinstance(Cluster("psu"), Inference)
    assert not isinstance(Cluster("psu"), Estimator)


def test_checks_become_a_tuple() -> None:
    estimate = Estimate(
        spec={},
        keys={"term": ["a"]},  # type: ignore[dict-item]
        values=[1.0],  # type: ignore[arg-type]
        uncertainty=Uncertainty(method="known", covariance=np.eye(1), df=1),
        sample=Sample(rows=1, units=1),
        checks=[Check("overlap", True, "fine")],  # type: ignore[arg-type]
    )
    assert estimate.checks == (Check("overlap", True, "fine"),)
    assert estimate.keys["term"] == ("a",)
