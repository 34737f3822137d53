from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import DenseInfluence, Fit, Groups, Linear, Matched


def fit_of(*, values: int = 1, rows: int = 4, groups: Mapping[str, Groups] | None = None) -> Fit:
    influence = DenseInfluence(np.zeros((rows, 1)))
    return Fit(values=np.zeros(values), influence=influence, parameters=1, groups=groups or {})


def test_rows_are_those_of_the_influence() -> None:
    assert fit_of(rows=4).n == 4


def test_values_without_a_column_of_influence() -> None:
    with pytest.raises(InferenceError, match="2 values"):
        fit_of(values=2)


def test_grouping_of_other_rows() -> None:
    with pytest.raises(InferenceError, match=r"groupings of \[3, 4\] rows"):
        fit_of(groups={"psu": Groups(np.zeros(3, np.int64), ("a",))})


@pytest.mark.parametrize("codes", [[0, 2], [-1, 0]])
def test_codes_without_a_label(codes: list[int]) -> None:
    with pytest.raises(InferenceError, match="codes without a label"):
        Groups(np.array(codes), ("a", "b"))


def test_labels_become_a_tuple() -> None:
    groups = Groups(np.array([0, 1]), ["a", "b"])  # type: ignore[arg-type]
    assert groups.levels == ("a", "b")
    assert groups.count == 2


def test_grouping_that_was_not_carried_names_those_that_were() -> None:
    fit = fit_of(groups={"psu": Groups(np.zeros(4, np.int64), ("a",))})
    assert fit.grouping("psu").levels == ("a",)
    with pytest.raises(InferenceError, match=r"'district'.*carried: psu.*carry=\('district',\)"):
        fit.grouping("district")


def test_leverage_is_the_diagonal_of_the_weighted_hat_matrix() -> None:
    rng = np.random.default_rng(2)
    X, w = rng.normal(size=(20, 3)), rng.uniform(0.5, 2, 20)
    bread = np.asarray(np.linalg.inv(X.T @ (X * w[:, None])), dtype=np.float64)
    linear = Linear(design=X, weights=w, residuals=np.zeros(20), bread=bread, selection=np.eye(3))
    hat = np.sqrt(w)[:, None] * X @ bread @ X.T * np.sqrt(w)
    np.testing.assert_allclose(linear.leverage, np.diag(hat))
    assert linear.leverage.sum() == pytest.approx(3.0)


def test_arrays_are_copied_and_shut() -> None:
    source = np.ones(2)
    matched = Matched(
        effects=source,
        target=source,
        use=source,
        use_squared=source,
        conditional_variance=source,
        variance_rule="by hand",
    )
    source[:] = 5.0
    assert matched.effects.tolist() == [1.0, 1.0]
    for array in (matched.target, fit_of().values, Groups(np.array([0, 0]), ("a",)).codes):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7
