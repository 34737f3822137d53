from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import juntos_eval.inference.multiplier_bootstrap as module
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Block, BlockInfluence, DenseInfluence, Fit, Groups
from juntos_eval.estimate.intervals import confidence_intervals
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.multiplier_bootstrap import MultiplierBootstrap
from juntos_eval.inference.robust import Robust

LAWS = ["rademacher", "mammen", "normal", "webb"]


@pytest.fixture
def fit() -> Fit:
    rng = np.random.default_rng(7)
    influence = rng.normal(size=(600, 3)) @ np.array([[1.0, 0.5, 0], [0, 1, 0], [0, 0, 2]]) / 600
    codes = rng.integers(0, 60, 600)
    groups = {"village": Groups(codes, tuple(map(str, range(60))))}
    influence -= influence.mean(axis=0)
    return Fit(
        values=np.array([0.02, 0.5, -0.1]), influence=DenseInfluence(influence), parameters=1, groups=groups
    )


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("scale", ["sd", "iqr"])
def test_many_draws_find_the_analytic_covariance(fit: Fit, law: Any, scale: Any) -> None:
    choice = MultiplierBootstrap(draws=8000, seed=1, weights=law, scale=scale)
    exact = Robust("HC0").infer(fit)
    found = choice.infer(fit)
    np.testing.assert_allclose(found.std_error, exact.std_error, rtol=0.04)
    correlation = found.covariance[0, 1] / np.prod(found.std_error[:2])
    expected = exact.covariance[0, 1] / np.prod(exact.std_error[:2])
    assert correlation == pytest.approx(expected, abs=0.04)
    assert found.df == np.inf


@pytest.mark.parametrize("law", LAWS)
def test_clusters_are_perturbed_together(fit: Fit, law: Any) -> None:
    found = MultiplierBootstrap(draws=8000, seed=1, by="village", weights=law, scale="sd").infer(fit)
    exact = Cluster("village", kind="CR0").infer(fit)
    np.testing.assert_allclose(found.std_error, exact.std_error, rtol=0.04)
    assert "by village, G = 60" in found.method


@pytest.mark.parametrize("law", LAWS)
def test_multipliers_have_mean_zero_and_variance_one(law: Any) -> None:
    drawn = module._multipliers(law, np.random.default_rng(1), 300, 1000)
    assert drawn.shape == (300, 1000)
    assert abs(drawn.mean()) < 5 / np.sqrt(drawn.size)
    assert drawn.var() == pytest.approx(1.0, abs=0.02)
    golden = (1 + np.sqrt(5)) / 2
    points = {
        "rademacher": [-1, 1],
        "mammen": [1 - golden, golden],
        "webb": [-np.sqrt(3 / 2), -1, -np.sqrt(1 / 2), np.sqrt(1 / 2), 1, np.sqrt(3 / 2)],
    }
    if law in points:
        found, counts = np.unique(drawn, return_counts=True)
        np.testing.assert_allclose(found, points[law])
        if law != "mammen":
            np.testing.assert_allclose(counts / drawn.size, 1 / len(found), atol=0.005)
    if law == "mammen":  # its third moment is one, which is what it was made for
        assert (drawn**3).mean() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("law", LAWS)
def test_draws_repeat_with_the_seed_whatever_the_tile(
    fit: Fit, law: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = MultiplierBootstrap(draws=199, seed=4, weights=law)
    whole = choice.infer(fit)
    np.testing.assert_array_equal(whole.covariance, choice.infer(fit).covariance)
    other = MultiplierBootstrap(draws=199, seed=5, weights=law).infer(fit)
    assert not np.allclose(whole.covariance, other.covariance, rtol=1e-6)
    monkeypatch.setattr(module, "TILE", 600 * 7 + 3)
    tiled = choice.infer(fit)
    np.testing.assert_allclose(tiled.covariance, whole.covariance, rtol=1e-12)
    assert whole.band is not None
    assert tiled.band is not None
    np.testing.assert_allclose(tiled.band, whole.band, rtol=1e-12)


def test_p_values_count_draws_as_far_out_and_never_are_zero(fit: Fit) -> None:
    found = MultiplierBootstrap(draws=999, seed=2, scale="sd").infer(fit)
    assert found.p_values is not None
    assert found.p_values[1] == 1 / 1000
    normal = 2 * stats.norm.sf(abs(fit.values / Robust("HC0").infer(fit).std_error))
    np.testing.assert_allclose(found.p_values[[0, 2]], normal[[0, 2]], atol=0.05)


def test_band_covers_all_values_at_once(fit: Fit) -> None:
    found = MultiplierBootstrap(draws=4999, seed=2, scale="sd").infer(fit)
    assert found.band is not None
    assert found.band.shape == (4999,)
    simultaneous = np.diff(confidence_intervals(fit.values, found, 0.95, simultaneous=True))
    pointwise = np.diff(confidence_intervals(fit.values, found, 0.95))
    bonferroni = pointwise * stats.norm.ppf(1 - 0.025 / 3) / stats.norm.ppf(0.975)
    assert (simultaneous > pointwise).all()
    assert (simultaneous < bonferroni * 1.03).all()
    # the quantile of the largest of three normals with the same correlations, by an independent route
    exact = Robust("HC0").infer(fit)
    correlation = exact.covariance / np.outer(exact.std_error, exact.std_error)
    normals = np.random.default_rng(3).multivariate_normal(np.zeros(3), correlation, size=40_000)
    expected = np.quantile(np.abs(normals).max(axis=1), 0.95)
    assert np.quantile(found.band, 0.95) == pytest.approx(expected, rel=0.03)


def test_blocks_are_not_made_dense_and_give_the_same_draws(fit: Fit) -> None:
    dense = fit.influence.dense()
    rows = np.arange(600)
    halves = [Block(part, np.arange(3), dense[part]) for part in (rows[:200], rows[200:450], rows[450:])]
    blocks = Fit(
        values=fit.values, influence=BlockInfluence(tuple(halves), rows=600, columns=3), parameters=1
    )
    choice = MultiplierBootstrap(draws=199, seed=1)
    np.testing.assert_allclose(choice.infer(blocks).covariance, choice.infer(fit).covariance, rtol=1e-12)


def test_values_without_influence_have_no_error_and_do_not_enter_the_band(fit: Fit) -> None:
    influence = fit.influence.dense().copy()
    influence[:, 0] = 0.0  # a reference period
    influence[:, 2] = np.nan  # a cell that could not be estimated
    partly = Fit(values=np.array([0.0, 0.5, np.nan]), influence=DenseInfluence(influence), parameters=1)
    found = MultiplierBootstrap(draws=999, seed=2).infer(partly)
    assert found.p_values is not None
    assert np.isnan(found.p_values[[0, 2]]).all()
    assert np.isnan(found.std_error[2])
    alone = Fit(values=np.array([0.5]), influence=DenseInfluence(influence[:, 1]), parameters=1)
    expected = MultiplierBootstrap(draws=999, seed=2).infer(alone)
    assert found.band is not None
    assert expected.band is not None
    assert expected.p_values is not None
    np.testing.assert_allclose(found.band, expected.band)
    assert found.p_values[1] == expected.p_values[0]


def test_one_cluster_is_refused_and_few_are_noted() -> None:
    influence = DenseInfluence(np.array([1.0, -1.0, 0.5, -0.5]))
    groups = {"all": Groups(np.zeros(4, np.int64), ("x",)), "two": Groups(np.array([0, 0, 1, 1]), ("a", "b"))}
    fit = Fit(values=np.zeros(1), influence=influence, parameters=1, groups=groups)
    with pytest.raises(InferenceError, match="column 'all', 1 cluster in 4 rows"):
        MultiplierBootstrap(seed=1, by="all").infer(fit)
    assert "few clusters" in MultiplierBootstrap(seed=1, by="two").infer(fit).method


@pytest.mark.parametrize("choice", [{"draws": 10}, {"weights": "poisson"}, {"scale": "mad"}])
def test_choices_that_there_are_not(choice: dict[str, Any]) -> None:
    with pytest.raises(InferenceError, match=str(next(iter(choice.values())))):
        MultiplierBootstrap(seed=1, **choice)


@pytest.mark.parametrize("rows", [8_192, 10_007])
def test_signs_of_many_rows_are_those_of_few(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn by bytes and multiplied by stretches, in blocks or not, draws agree to single precision."""
    rng = np.random.default_rng(5)
    picked = np.flatnonzero(rng.random(rows) < 0.4)
    blocks = (
        Block(picked, np.array([0, 2]), rng.normal(size=(len(picked), 2)) / rows),
        Block(np.arange(rows), np.array([1, 2]), rng.normal(size=(rows, 2)) / rows),
    )
    influence = BlockInfluence(blocks, rows, 3)
    choice = MultiplierBootstrap(seed=4, draws=101)
    of_blocks = module._draws(choice, influence)
    of_matrix = module._draws(choice, DenseInfluence(influence.dense()))
    monkeypatch.setattr(module, "BITS", rows)  # eight draws at a time
    of_batches = module._draws(choice, influence)
    monkeypatch.setattr(module, "MANY", 10**9)
    plain = module._draws(choice, influence)
    for found in (of_blocks, of_matrix, of_batches):
        np.testing.assert_allclose(found, plain, atol=2e-6 * plain.std())
