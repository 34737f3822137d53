from __future__ import annotations

import numpy as np
import pytest

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import DenseInfluence, Fit, Linear
from juntos_eval.inference.robust import Iid, Robust


def mean_fit(values: np.ndarray, *, parameters: int = 1, linear: bool = True) -> Fit:
    n = len(values)
    residuals = values - values.mean()
    behind = Linear(
        design=np.ones((n, 1)),
        weights=np.ones(n),
        residuals=residuals,
        bread=np.array([[1.0 / n]]),
        selection=np.eye(1),
    )
    return Fit(
        values=values.mean(keepdims=True),
        influence=DenseInfluence(residuals / n),
        parameters=parameters,
        linear=behind if linear else None,
    )


@pytest.fixture
def sample() -> np.ndarray:
    return np.random.default_rng(3).exponential(size=30)


def test_of_a_mean_every_kind_is_a_textbook_variance(sample: np.ndarray) -> None:
    n, fit = len(sample), mean_fit(sample)
    variance = sample.var(ddof=1) / n
    found = {kind: Robust(kind).infer(fit).covariance.item() for kind in ("HC0", "HC1", "HC2", "HC3")}
    assert found == pytest.approx(
        {
            "HC0": variance * (n - 1) / n,
            "HC1": variance,
            "HC2": variance,
            "HC3": variance * n / (n - 1),
        },
        rel=1e-12,
    )
    assert Iid().infer(fit).covariance.item() == pytest.approx(variance, rel=1e-12)


def test_degrees_of_freedom(sample: np.ndarray) -> None:
    fit = mean_fit(sample, parameters=4)
    assert Robust("HC0").infer(fit).df == np.inf
    for inference in (Robust("HC1"), Robust("HC2"), Robust("HC3"), Iid()):
        assert inference.infer(fit).df == 26


def test_the_method_names_the_small_sample_rule(sample: np.ndarray) -> None:
    methods = [Robust(kind).infer(mean_fit(sample)).method for kind in ("HC0", "HC1", "HC2", "HC3")]
    assert ["n/(n-k)" in method for method in methods] == [False, True, False, False]
    assert len(set(methods)) == 4


def test_without_a_regression_there_is_no_leverage(sample: np.ndarray) -> None:
    fit = mean_fit(sample, linear=False)
    assert Robust("HC1").infer(fit).df == 29
    for inference in (Robust("HC2"), Robust("HC3"), Iid()):
        with pytest.raises(InferenceError, match="MeanDifference"):
            inference.infer(fit)


def test_a_row_of_leverage_one_is_named() -> None:
    design = np.column_stack([np.ones(5), [1.0, 0, 0, 0, 0]])
    bread = np.linalg.inv(design.T @ design)
    residuals = np.array([0.0, 1, -1, 2, -2])
    linear = Linear(design=design, weights=np.ones(5), residuals=residuals, bread=bread, selection=np.eye(2))
    influence = DenseInfluence(design * residuals[:, None] @ bread)
    fit = Fit(values=np.zeros(2), influence=influence, parameters=2, linear=linear)
    with pytest.raises(InferenceError, match="1 of 5 rows"):
        Robust("HC3").infer(fit)


@pytest.mark.parametrize("inference", [Robust("HC1"), Iid()])
def test_as_many_coefficients_as_rows(sample: np.ndarray, inference: Robust | Iid) -> None:
    with pytest.raises(InferenceError, match="30 rows, 30 coefficients"):
        inference.infer(mean_fit(sample, parameters=30))


def test_unknown_kind() -> None:
    with pytest.raises(InferenceError, match="HC5"):
        Robust("HC5")  # type: ignore[arg-type]


def test_choices_are_frozen_and_equal_by_value() -> None:
    assert Robust() == Robust("HC1")
    assert hash(Robust("HC3")) == hash(Robust("HC3"))
    with pytest.raises(AttributeError):
        Robust().kind = "HC0"  # type: ignore[misc]
