"""Local-linear links against the fit written out, target by target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from juntos_eval.arrays import Codes, Floats
from juntos_eval.numerics.kernels import KERNELS, KernelLinks
from juntos_eval.numerics.links import Shares
from juntos_eval.numerics.local_linear_links import LocalLinearLinks, local_linear_without_own

RIDGE = {
    "uniform": 0.25,
    "epanechnikov": 5 / 16,
    "biweight": 15 / 16 / (4 * 5 / 7),
    "tricube": 70 / 81 / (4 * 175 / 247),
    "gaussian": np.sqrt(2) / 4,
}
SHAPES: dict[str, Callable[[Floats], Any]] = {
    "uniform": lambda u: 0.5 * (abs(u) <= 1),
    "epanechnikov": lambda u: 0.75 * np.maximum(1 - u**2, 0),
    "biweight": lambda u: 15 / 16 * np.maximum(1 - u**2, 0) ** 2,
    "tricube": lambda u: 70 / 81 * np.maximum(1 - abs(u) ** 3, 0) ** 3,
    "gaussian": lambda u: np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi),
}


def by_hand(kernel: str, at: float, places: Floats, y: Floats, base: Floats, h: float, ridge: float) -> float:
    """The fit at one place; ``ridge`` in units of the mean base weight."""
    u = (places - at) / h
    k = SHAPES[kernel](u) * base
    if k.sum() < 1e-200:
        return float("nan")
    centre = k @ u / k.sum()
    spread = k @ (u - centre) ** 2 + ridge * RIDGE[kernel] * abs(centre)
    slope = k @ ((u - centre) * y) / spread if spread > 1e-12 else 0.0
    return float(k @ y / k.sum() - centre * slope)


def drawn() -> tuple[Floats, Floats, Codes, Codes]:
    rng = np.random.default_rng(2)
    places, at = rng.normal(size=60), rng.normal(size=25)
    blocks, of = rng.integers(0, 2, 60), rng.integers(0, 2, 25)
    return places, at, blocks, of


@pytest.mark.parametrize("ridge", [0.0, 1.0])
@pytest.mark.parametrize("kernel", KERNELS)
def test_equals_the_fit_written_out(kernel: str, ridge: float) -> None:
    places, at, blocks, of = drawn()
    rng = np.random.default_rng(3)
    y, base, h = rng.normal(size=60), rng.uniform(0.5, 2.0, 60), 0.45
    links = LocalLinearLinks(
        kernel_links=KernelLinks(
            target_values=at,
            pool_values=places,
            target_blocks=of,
            pool_blocks=blocks,
            bandwidth=h,
            kernel=kernel,
        ),
        base=base,
        ridge=ridge,
    )
    shares = Shares(links=links, base=base)
    expected = np.array(
        [
            by_hand(kernel, at[i], places[here], y[here], base[here], h, ridge * base.mean())
            for i in range(25)
            for here in [blocks == of[i]]
        ]
    )
    found = shares.average(y)
    assert np.isfinite(found).sum() >= 20
    known = np.isfinite(found)
    np.testing.assert_allclose(found[known], expected[known], rtol=1e-9, atol=1e-9)
    # what each row serves is the transpose of the same numbers
    weights = np.where(shares.is_matched, rng.uniform(size=25), 0.0)
    assert shares.spread(weights) @ y == pytest.approx(weights[known] @ found[known], rel=1e-9)
    each = np.array([shares.average(row) for row in np.eye(60)]).T
    squared = (weights[known, None] * each[known] ** 2).sum(axis=0)
    np.testing.assert_allclose(shares.spread_squared(weights), squared, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("kernel", KERNELS)
def test_leaving_a_row_out_is_the_fit_to_the_others(kernel: str) -> None:
    places, _, blocks, _ = drawn()
    rng = np.random.default_rng(4)
    y, base, h = rng.normal(size=60), rng.uniform(0.5, 2.0, 60), 0.6
    own = KernelLinks(
        target_values=places,
        pool_values=places,
        target_blocks=blocks,
        pool_blocks=blocks,
        bandwidth=h,
        kernel=kernel,
    )
    found = local_linear_without_own(own, y, base, 1.0)
    for j in np.flatnonzero(np.isfinite(found)):
        rest = (blocks == blocks[j]) & (np.arange(60) != j)
        expected = by_hand(kernel, places[j], places[rest], y[rest], base[rest], h, base.mean())
        assert found[j] == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_thin_spots() -> None:
    """Two rows at one place have a mean and no line: the plain fit is undefined there, the ridged is not."""
    zero = np.zeros(2, dtype=np.int64)
    near = KernelLinks(
        target_values=np.array([0.0, 9.0]),
        pool_values=np.array([0.5, 0.5]),
        target_blocks=zero,
        pool_blocks=zero,
        bandwidth=1.0,
        kernel="epanechnikov",
    )
    plain, ridged = (
        Shares(links=LocalLinearLinks(kernel_links=near, base=np.ones(2), ridge=ridge), base=np.ones(2))
        for ridge in (0.0, 1.0)
    )
    assert plain.is_matched.tolist() == [False, False]
    assert ridged.is_matched.tolist() == [True, False]
    assert ridged.average(np.array([1.0, 3.0]))[0] == pytest.approx(2.0)
