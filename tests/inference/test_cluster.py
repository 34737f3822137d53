from __future__ import annotations

import numpy as np
import pytest

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import DenseInfluence, Fit, Groups
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust


def fit_of(influence: np.ndarray, parameters: int = 1, **groups: list[int] | np.ndarray) -> Fit:
    dense = DenseInfluence(influence)
    carried = {
        name: Groups(np.asarray(codes), tuple(str(level) for level in range(int(max(codes)) + 1)))
        for name, codes in groups.items()
    }
    return Fit(values=np.zeros(dense.columns), influence=dense, parameters=parameters, groups=carried)


@pytest.fixture
def fit() -> Fit:
    rng = np.random.default_rng(5)
    influence = rng.normal(size=(400, 3))
    return fit_of(
        influence - influence.mean(axis=0),
        parameters=4,
        village=rng.integers(0, 40, 400),
        year=rng.integers(0, 35, 400),
        row=np.arange(400),
    )


def test_small_sample_factors(fit: Fit) -> None:
    plain = Cluster("village", kind="CR0").infer(fit).covariance
    np.testing.assert_allclose(Cluster("village").infer(fit).covariance, plain * 40 / 39)
    np.testing.assert_allclose(
        Cluster("village", kind="CR1S").infer(fit).covariance, plain * 40 / 39 * 399 / 396
    )
    assert Cluster("village").infer(fit).df == 39


def test_every_row_its_own_cluster_is_robust(fit: Fit) -> None:
    np.testing.assert_allclose(
        Cluster("row", kind="CR0").infer(fit).covariance, Robust("HC0").infer(fit).covariance
    )
    np.testing.assert_allclose(
        Cluster("row", kind="CR1S").infer(fit).covariance, Robust("HC1").infer(fit).covariance
    )


def test_two_ways_are_the_sum_less_the_intersection(fit: Fit) -> None:
    influence = fit.influence.dense()
    expected = np.zeros((3, 3))
    village, year = fit.groups["village"].codes, fit.groups["year"].codes
    for sign, codes in ((1, village), (1, year), (-1, village * 100 + year)):
        for code in np.unique(codes):
            total = influence[codes == code].sum(axis=0)
            expected += sign * np.outer(total, total)
    found = Cluster(("village", "year"), kind="CR0").infer(fit)
    np.testing.assert_allclose(found.covariance, expected, atol=1e-12)
    assert found.df == 34
    factor = Cluster(("year", "village")).infer(fit).covariance / found.covariance
    np.testing.assert_allclose(factor, 35 / 34)


def test_three_ways_of_nested_columns_are_the_coarsest(fit: Fit) -> None:
    """Where one column nests the others, inclusion and exclusion leave the outermost."""
    area = fit.groups["village"].codes // 4
    nested = fit_of(fit.influence.dense(), village=fit.groups["village"].codes, area=area, row=np.arange(400))
    every = Cluster(("village", "area", "row"), kind="CR0").infer(nested)
    np.testing.assert_allclose(
        every.covariance, Cluster("area", kind="CR0").infer(nested).covariance, atol=1e-10
    )


def test_a_sum_that_is_not_positive_is_repaired_and_says_so() -> None:
    influence = np.array([[1.0, 0.1], [-1, 0.1], [-1, -0.2], [1, 0.0]])
    fit = fit_of(influence, a=[0, 0, 1, 1], b=[0, 1, 0, 1])
    found = Cluster(("a", "b"), kind="CR0").infer(fit)
    assert "negative eigenvalues set to 0" in found.method
    # the first variance was itself negative: it is not known, and not zero
    assert np.isnan(found.covariance[0, 0])
    assert np.isnan(found.std_error[0])
    assert found.std_error[1] >= 0
    single = Cluster(("a", "b"), kind="CR0").infer(fit_of(influence[:, :1], a=[0, 0, 1, 1], b=[0, 1, 0, 1]))
    assert np.isnan(single.std_error).all()


def test_what_is_not_known_stays_beside_the_rest(fit: Fit) -> None:
    influence = fit.influence.dense().copy()
    influence[:, 1] = np.nan
    village, year = fit.groups["village"].codes, fit.groups["year"].codes
    partly = fit_of(influence, parameters=4, village=village, year=year)
    found = Cluster(("village", "year")).infer(partly).std_error
    whole = Cluster(("village", "year")).infer(fit).std_error
    assert np.isnan(found[1])
    np.testing.assert_allclose(found[[0, 2]], whole[[0, 2]])


def test_one_cluster_is_refused_and_few_are_noted(fit: Fit) -> None:
    with pytest.raises(InferenceError, match="column 'all', 1 cluster in 400 rows"):
        Cluster("all").infer(fit_of(fit.influence.dense(), all=np.zeros(400, int)))
    few = Cluster("few").infer(fit_of(fit.influence.dense(), few=np.arange(400) % 29))
    assert "few clusters" in few.method
    assert "G = 29" in few.method
    assert "few" not in Cluster("village").infer(fit).method


def test_a_level_without_a_row_is_no_cluster() -> None:
    influence = DenseInfluence(np.array([1.0, -1.0, 0.5, -0.5]))
    groups = {"g": Groups(np.array([0, 0, 2, 2]), ("a", "never seen", "b"))}
    found = Cluster("g").infer(Fit(values=np.zeros(1), influence=influence, parameters=1, groups=groups))
    assert found.df == 1
    assert "G = 2" in found.method


def test_columns_that_were_not_carried(fit: Fit) -> None:
    with pytest.raises(InferenceError, match="did not carry the column 'district'"):
        Cluster("district").infer(fit)


@pytest.mark.parametrize("choice", [{"by": ""}, {"by": ()}, {"by": "a", "kind": "CR4"}])
def test_choices_that_there_are_not(choice: dict[str, str]) -> None:
    with pytest.raises(InferenceError):
        Cluster(**choice)  # type: ignore[arg-type]


def test_stata_s_rule_needs_more_rows_than_coefficients() -> None:
    fit = fit_of(np.array([1.0, -1.0, 0.0]), parameters=3, g=[0, 1, 1])
    with pytest.raises(InferenceError, match="3 rows, 3 coefficients"):
        Cluster("g", kind="CR1S").infer(fit)


def test_one_column_in_a_tuple_is_that_column() -> None:
    assert Cluster(("village",)) == Cluster("village") == Cluster(("village", "village"))
    assert Cluster("village").columns == ("village",)
    assert Cluster(["a", "b"]).columns == ("a", "b")  # type: ignore[arg-type]
