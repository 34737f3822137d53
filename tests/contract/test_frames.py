"""The same numbers in another type of column are the same question."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.contract.registry import Case, each_estimator
from tests.contract.test_promises import same


@each_estimator()
@pytest.mark.parametrize("dtype", ["float32", "Float64", "Float32", "float64[pyarrow]"])
def test_outcome_of_any_float_type(case: Case, dtype: str) -> None:
    frame = case.frame()
    same(case.fit(frame.astype({"y": dtype})), case.fit())


@each_estimator()
@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "bool", "boolean", "Int64", "UInt8", "float32", "bool[pyarrow]"]
)
def test_outcome_of_zeros_and_ones(case: Case, dtype: str) -> None:
    asked = case.choosing(outcome="works")
    frame = asked.frame()
    same(asked.fit(frame.astype({"works": dtype})), asked.fit(frame.astype({"works": "float64"})))


@each_estimator(having="treatment")
@pytest.mark.parametrize("dtype", ["int8", "uint8", "bool", "boolean", "Int64", "Float64", "float32"])
def test_treatment_of_zeros_and_ones(case: Case, dtype: str) -> None:
    frame = case.frame()
    same(case.fit(frame.astype({"treated": dtype})), case.fit())


@each_estimator()
@pytest.mark.parametrize("dtype", ["Float64", "float64[pyarrow]"])
def test_weights_of_any_float_type(case: Case, dtype: str) -> None:
    asked = case.choosing(weights="w")
    frame = asked.frame()
    same(asked.fit(frame.astype({"w": dtype})), asked.fit())


@each_estimator()
@pytest.mark.parametrize("dtype", ["category", "object", "string"])
def test_categories_of_any_type(case: Case, dtype: str) -> None:
    frame = case.frame()
    same(case.fit(frame.astype({"area": dtype})), case.fit())


@each_estimator()
def test_categories_that_nobody_has(case: Case) -> None:
    frame = case.frame()
    levels = ["coast", "desert", "highland", "jungle", "sea"]
    same(case.fit(frame.assign(area=pd.Categorical(frame["area"], categories=levels))), case.fit())


@each_estimator()
def test_arrays_that_do_not_lie_in_a_row(case: Case) -> None:
    frame = case.frame()
    every_second = pd.DataFrame({name: np.repeat(frame[name].to_numpy(), 2)[::2] for name in frame})
    same(case.fit(every_second), case.fit())
