"""Kernel sums against their definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate

from juntos_eval.arrays import Floats
from juntos_eval.numerics.kernels import KERNELS, KernelLinks, kernel_at_zero


def kernel(name: str, u: Floats) -> Floats:
    size = np.abs(u)
    inside = size <= 1
    if name == "uniform":
        return np.asarray(0.5 * inside)
    if name == "epanechnikov":
        return np.asarray(0.75 * (1 - size**2) * inside)
    if name == "biweight":
        return np.asarray(15 / 16 * (1 - size**2) ** 2 * inside)
    if name == "tricube":
        return np.asarray(70 / 81 * (1 - size**3) ** 3 * inside)
    return np.asarray(np.exp(-(size**2) / 2))


def drawn(name: str, blocks: int, bandwidth: float) -> tuple[KernelLinks, Floats]:
    rng = np.random.default_rng(11)
    pool, targets = rng.normal(size=300), np.append(rng.normal(size=80), 7.0)
    of_pool, of_targets = rng.integers(0, blocks, 300), rng.integers(0, blocks, 81)
    links = KernelLinks(
        target_values=targets,
        pool_values=pool,
        target_blocks=of_targets,
        pool_blocks=of_pool,
        bandwidth=bandwidth,
        kernel=name,
    )
    gap = (targets[:, None] - pool[None, :]) / bandwidth
    same = of_targets[:, None] == of_pool[None, :]
    strength = kernel(name, gap) * same
    if name == "gaussian":
        nearest = np.where(same, np.abs(gap), np.inf).min(axis=1)
        strength = np.where(same, np.exp(-np.where(same, gap**2 - nearest[:, None] ** 2, 0.0) / 2), 0.0)
    return links, strength


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("blocks", [1, 3])
@pytest.mark.parametrize("bandwidth", [0.05, 0.6, 30.0])
def test_sums_are_those_of_the_definition(name: str, blocks: int, bandwidth: float) -> None:
    links, strength = drawn(name, blocks, bandwidth)
    rng = np.random.default_rng(12)
    values, weights = rng.normal(size=(300, 2)) + 5, rng.uniform(size=81)
    np.testing.assert_allclose(links.gather(values), strength @ values, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(links.scatter(weights), strength.T @ weights, rtol=1e-11, atol=1e-11)
    squared = (strength**2).T @ weights
    np.testing.assert_allclose(links.scatter_squared(weights), squared, rtol=1e-9, atol=1e-9)
    if name != "gaussian":
        assert links.counts.tolist() == (strength > 0).sum(axis=1).tolist()


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_are_densities_up_to_the_gaussian_scale(name: str) -> None:
    area = integrate.quad(lambda u: float(kernel(name, np.array([u]))[0]), -8, 8, points=[-1, 1])[0]
    assert area == pytest.approx(np.sqrt(2 * np.pi) if name == "gaussian" else 1.0)
    assert kernel_at_zero(name) == float(kernel(name, np.zeros(1))[0])


def test_a_gaussian_target_far_away_keeps_its_shares() -> None:
    links, strength = drawn("gaussian", 1, 0.05)
    shares = links.gather(np.column_stack([np.ones(300), links.pool_values]))[-1]
    nearest = links.pool_values.max()
    assert shares[1] / shares[0] == pytest.approx(nearest, abs=1e-6)
    np.testing.assert_allclose(shares[0], strength[-1].sum())


def test_points_at_the_edge_of_the_uniform_kernel_count() -> None:
    zero = np.zeros(3, dtype=np.int64)
    links = KernelLinks(
        target_values=np.array([1.0]),
        pool_values=np.array([0.5, 1.5, 1.75]),
        target_blocks=zero[:1],
        pool_blocks=zero,
        bandwidth=0.5,
        kernel="uniform",
    )
    assert links.counts.tolist() == [2]
