from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import (
    Block,
    BlockInfluence,
    DenseInfluence,
    Influence,
    SparseInfluence,
)


def blocks_of(rng: np.random.Generator, rows: int, columns: int, count: int) -> BlockInfluence:
    """Blocks on random rows and columns, which overlap."""
    made = []
    for _ in range(count):
        own_rows = rng.choice(rows, size=rng.integers(1, rows + 1), replace=False)
        own_columns = rng.choice(columns, size=rng.integers(1, columns + 1), replace=False)
        made.append(Block(own_rows, own_columns, rng.normal(size=(len(own_rows), len(own_columns)))))
    return BlockInfluence(tuple(made), rows=rows, columns=columns)


def sum_of(blocks: BlockInfluence) -> Floats:
    dense = np.zeros((blocks.rows, blocks.columns))
    for block in blocks.blocks:
        dense[np.ix_(block.rows, block.columns)] += block.values
    return dense


@given(
    seed=st.integers(0, 10_000), rows=st.integers(1, 12), columns=st.integers(1, 5), count=st.integers(0, 4)
)
def test_the_three_representations_are_one(seed: int, rows: int, columns: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = blocks_of(rng, rows, columns, count)
    matrix = sum_of(blocks)
    groups = int(rng.integers(1, 4))
    codes = rng.integers(0, groups, rows)
    weights, multipliers = rng.normal(size=(2, columns)), rng.normal(size=(3, rows))
    totals = np.stack([matrix[codes == group].sum(axis=0) for group in range(groups)])
    for influence in (blocks, DenseInfluence(matrix), SparseInfluence(sparse.csr_array(matrix))):
        assert isinstance(influence, Influence)
        assert (influence.rows, influence.columns) == (rows, columns)
        np.testing.assert_allclose(influence.dense(), matrix, atol=1e-12)
        np.testing.assert_allclose(influence.covariance(), matrix.T @ matrix, atol=1e-12)
        np.testing.assert_allclose(influence.totals(codes, groups), totals, atol=1e-12)
        np.testing.assert_allclose(influence.weighted_sums(multipliers), multipliers @ matrix, atol=1e-12)
        combined = influence.combine(weights)
        assert (combined.rows, combined.columns) == (rows, 2)
        np.testing.assert_allclose(combined.dense(), matrix @ weights.T, atol=1e-12)


def representations(matrix: Floats) -> list[Influence]:
    rows, columns = matrix.shape
    block = Block(np.arange(rows), np.arange(columns), matrix)
    return [
        DenseInfluence(matrix),
        SparseInfluence(sparse.csr_array(matrix)),
        BlockInfluence((block,), rows=rows, columns=columns),
    ]


@pytest.mark.parametrize("which", range(3))
def test_what_is_not_known_spoils_only_what_it_enters(which: int) -> None:
    influence = representations(np.array([[1.0, np.nan], [-1.0, np.nan]]))[which]
    combined = influence.combine(np.array([[2.0, 0.0], [1.0, 1.0]])).dense()
    np.testing.assert_array_equal(combined, [[2.0, np.nan], [-2.0, np.nan]])
    covariance = influence.covariance()
    assert covariance[0, 0] == 2.0
    assert np.isnan(covariance[[0, 1, 1], [1, 0, 1]]).all()


@pytest.mark.parametrize("which", range(3))
def test_nobody_can_write_to_influence(which: int) -> None:
    source = np.array([[1.0, 2.0], [-1.0, -2.0]])
    influence = representations(source)[which]
    source[:] = 9.0
    np.testing.assert_array_equal(influence.dense(), [[1.0, 2.0], [-1.0, -2.0]])
    with pytest.raises(AttributeError):
        setattr(influence, "blocks" if which == 2 else "values", ())
    with pytest.raises(ValueError, match="read-only"):
        memory_of(influence)[0] = 1.0


def memory_of(influence: Influence) -> Floats:
    if isinstance(influence, SparseInfluence):
        return np.asarray(influence.values.data)
    if isinstance(influence, BlockInfluence):
        return np.asarray(influence.blocks[0].values[0])
    assert isinstance(influence, DenseInfluence)
    return np.asarray(influence.values[0])


def test_one_value_may_be_given_flat() -> None:
    assert DenseInfluence(np.array([1.0, -1.0])).dense().shape == (2, 1)


def test_block_of_another_shape() -> None:
    with pytest.raises(InferenceError, match=r"\(2, 1\) against \(2, 2\)"):
        Block(np.arange(2), np.arange(2), np.ones((2, 1)))
