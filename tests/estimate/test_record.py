from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from juntos_eval.errors import JuntosError, SchemaError
from juntos_eval.estimate import Check, Estimate, Sample, Uncertainty, record


def full_estimate() -> Estimate:
    return Estimate(
        spec={"estimator": "ByHand", "covariates": ("a", "b"), "caliper": None, "n": np.int64(3)},
        keys={"term": ("att", "atu"), "time": (2024, np.int64(2025)), "outcome": ("ñ", "y")},
        values=np.array([1 / 3, np.nan]),
        uncertainty=Uncertainty(
            method="bootstrap",
            covariance=np.array([[0.1, np.nan], [np.nan, np.nan]]),
            df=np.inf,
            p_values=np.array([1e-300, np.nan]),
            intervals=np.array([[-np.inf, np.inf], [np.nan, np.nan]]),
            intervals_level=0.9,
            band=np.array([1.5, 2.25, 1e16 + 2.0]),
        ),
        sample=Sample(rows=10, units=5, treated=2, effective=4.5, dropped={"y missing": 3}),
        checks=(Check("overlap", None, "thin"), Check("balance", False, "0.3 > 0.1")),
        details={"bandwidth": np.float64(0.5), "sizes": np.array([1, 2])},
        provenance={"data": {"sha256": "ab"}},
    )


def through_json(estimate: Estimate) -> Estimate:
    return Estimate.from_record(json.loads(json.dumps(estimate.to_record(), allow_nan=False)))


def test_round_trip_keeps_every_number() -> None:
    before = full_estimate()
    after = through_json(before)
    np.testing.assert_array_equal(after.values, before.values)
    for field in ("covariance", "p_values", "intervals", "band"):
        np.testing.assert_array_equal(getattr(after.uncertainty, field), getattr(before.uncertainty, field))
    assert after.uncertainty.df == np.inf
    assert after.uncertainty.intervals_level == 0.9
    assert after.uncertainty.method == before.uncertainty.method
    assert after.keys == before.keys
    assert after.sample == before.sample
    assert after.checks == before.checks
    assert after.fit is None
    assert after.to_record() == before.to_record()


@given(
    st.lists(st.floats(width=64), min_size=1, max_size=4),
    st.one_of(st.none(), st.floats(min_value=0, allow_nan=False)),
)
def test_round_trip_of_any_float(values: list[float], effective: float | None) -> None:
    k = len(values)
    before = Estimate(
        spec={},
        keys={"term": tuple(map(str, range(k)))},
        values=np.array(values),
        uncertainty=Uncertainty(method="x", covariance=np.diag(values), df=values[0]),
        sample=Sample(rows=1, units=1, effective=effective),
    )
    after = through_json(before)
    np.testing.assert_array_equal(after.values, before.values)
    np.testing.assert_array_equal(after.uncertainty.covariance, before.uncertainty.covariance)
    np.testing.assert_array_equal(after.uncertainty.df, before.uncertainty.df)
    assert after.sample.effective == effective


def test_fewer_digits_where_asked() -> None:
    shown = full_estimate().to_record(digits=3)
    assert shown["values"] == [0.333, "nan"]
    assert shown["sample"]["rows"] == 10


def test_record_holds_no_number_that_json_has_not() -> None:
    text = json.dumps(full_estimate().to_record())
    assert "NaN" not in text
    assert "Infinity" not in text


@pytest.mark.parametrize("field", list(full_estimate().to_record()))
def test_record_without_a_field(field: str) -> None:
    content = full_estimate().to_record()
    del content[field]
    with pytest.raises(SchemaError, match=f"no field '{field}'"):
        Estimate.from_record(content)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), "juntos_eval/estimate/99"),
        (("values",), [1.0]),
        (("values",), [1.0, None]),
        (("values",), [1.0, "one"]),
        (("values",), [1.0, True]),
        (("values",), "many"),
        (("values",), None),
        (("keys",), ["term"]),
        (("keys",), {"term": 3}),
        (("keys",), {"time": [1, 2]}),
        (("uncertainty",), None),
        (("uncertainty",), {"method": "x", "covariance": [[1.0, 0.0], [1.0]], "df": 1.0}),
        (("uncertainty", "covariance"), [[1.0]]),
        (("uncertainty", "df"), None),
        (("uncertainty", "df"), "infinite"),
        (("uncertainty", "p_values"), ["a", "b"]),
        (("sample",), {"rows": 3}),
        (("sample", "rows"), "ten"),
        (("sample", "rows"), None),
        (("checks",), [{"name": "x"}]),
        (("checks",), [3]),
        (("checks",), None),
        (("details",), 3),
        (("spec",), "Mean"),
    ],
)
def test_record_that_does_not_hold_what_it_says(path: tuple[str, ...], value: Any) -> None:
    content = json.loads(json.dumps(full_estimate().to_record()))
    inner = content
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    with pytest.raises(SchemaError):
        Estimate.from_record(content)


@pytest.mark.parametrize("content", [{}, {"format": None}])
def test_record_of_nothing(content: dict[str, Any]) -> None:
    with pytest.raises(JuntosError):
        Estimate.from_record(content)


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", 1j, np.datetime64("2024-01-01")])
def test_values_that_a_record_cannot_hold(value: Any) -> None:
    with pytest.raises(SchemaError, match="cannot be written"):
        record.plain({"detail": value})


def test_plain_values() -> None:
    assert record.plain({"a": (1, np.float64(0.5), True, None, "x", -np.inf)}) == {
        "a": [1, 0.5, True, None, "x", "-inf"]
    }
    assert record.plain(Check("overlap", True, "fine")) == {
        "kind": "Check",
        "name": "overlap",
        "passed": True,
        "detail": "fine",
    }
    assert record.plain({2024: 1}) == {"2024": 1}
    assert record.plain(np.bool_(True)) is True
