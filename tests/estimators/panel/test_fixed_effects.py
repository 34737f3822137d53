"""What FixedEffects does with odd input: the right answer, or our own error that says what and where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError, InferenceError, JuntosError
from juntos_eval.estimators.panel import FirstDifference, FixedEffects, RandomEffects
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust


def frame() -> pd.DataFrame:
    """SIMULATED: 30 units, 6 periods."""
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"unit": np.repeat(np.arange(30), 6), "year": np.tile(np.arange(2010, 2016), 30)})
    data["region"] = (data["unit"] % 5).map(lambda code: f"r{code}")
    data["x"], data["z"] = rng.normal(size=180), rng.normal(size=180)
    data["treated"] = ((data["unit"] < 12) & (data["year"] > 2012)) * 1
    data["y"] = data["x"] + data["treated"] + rng.normal(size=30)[data["unit"]] + rng.normal(size=180)
    data["w"] = rng.uniform(1, 3, 180)
    return data


def fit(data: Any, **choices: Any) -> Any:
    given = {"outcome": "y", "covariates": ("x", "treated"), "absorb": ("unit", "year")} | choices
    return FixedEffects(**given).fit(data)


def check(estimate: Any, name: str) -> str:
    return str(next(found.detail for found in estimate.checks if found.name == name))


@pytest.mark.parametrize("column", ["y", "x"])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values(column: str, value: float) -> None:
    data = frame()
    data.loc[4, column] = value
    with pytest.raises(DesignError, match=f"'{column}' holds infinite"):
        fit(data)


@pytest.mark.parametrize("column", ["y", "x", "unit", "year"])
def test_missing_values_are_dropped_and_counted(column: str) -> None:
    data = frame()
    data[column] = data[column].astype(float)
    data.loc[[4, 90], column] = np.nan
    found = fit(data)
    assert dict(found.sample.dropped) == {f"{column} missing": 2}
    np.testing.assert_allclose(found.values, fit(data.drop(index=[4, 90])).values, rtol=1e-12)


def test_missing_clusters_are_an_error() -> None:
    data = frame().assign(village=np.nan)
    with pytest.raises(DesignError, match="'village' has missing values"):
        FixedEffects(outcome="y", covariates=("x",), absorb=("unit",)).fit(data, inference=Cluster("village"))


def test_nothing_left_after_drops() -> None:
    with pytest.raises(DesignError, match="no complete row"):
        fit(frame().assign(x=np.nan))


def test_all_singletons() -> None:
    data = frame().assign(row=np.arange(180))
    with pytest.raises(DesignError, match="does not vary beside"):
        fit(data, absorb=("row",))
    with pytest.raises(DesignError, match="every row is alone"):
        fit(data, absorb=("row",), singletons="drop")


def test_singletons_are_counted() -> None:
    data = frame().drop(index=range(1, 6))
    assert "1 rows are alone" in check(fit(data), "singletons")
    dropped = fit(data, singletons="drop")
    assert dropped.sample.dropped["singleton of an absorbed factor"] == 1
    assert dropped.sample.rows == 174


def test_one_cluster() -> None:
    with pytest.raises(InferenceError, match="one cluster"):
        fit(frame().assign(one=1), absorb=("one",))


def test_units_that_stand_twice_in_a_period() -> None:
    data = pd.concat([frame(), frame().iloc[[3]]])
    assert fit(data).sample.rows == 181  # fixed effects need no panel
    for model in (FirstDifference, RandomEffects):
        with pytest.raises(DesignError, match="stands twice"):
            model(outcome="y", covariates=("x",), unit="unit", time="year").fit(data)


@pytest.mark.parametrize("absorb", [(), ("unit",)])
def test_constant_outcome(absorb: tuple[str, ...]) -> None:
    with pytest.raises(DesignError, match="outcome does not vary"):
        fit(frame().assign(y=3.7), absorb=absorb)


def test_columns_that_effects_or_others_span_are_named() -> None:
    data = frame().assign(twice=lambda d: 2 * d["x"] - 1, wealth=lambda d: d["unit"] % 7)
    found = fit(data, covariates=("x", "twice", "wealth", "treated"))
    assert found.keys["term"] == ("x", "treated")
    assert found.details["dropped"] == ["twice", "wealth"]
    assert "wealth (the absorbed effects span it)" in check(found, "columns")
    assert "twice (other covariates span it)" in check(found, "columns")
    with pytest.raises(DesignError, match="no covariate varies"):
        fit(data, covariates=("wealth",))


def test_weights_of_zero_are_dropped_and_bad_ones_refused() -> None:
    data = frame()
    data.loc[3, "w"] = 0.0
    assert dict(fit(data, weights="w").sample.dropped) == {"w is zero": 1}
    for value, words in ((-1.0, "negative"), (np.nan, "missing"), (np.inf, "infinite")):
        data.loc[3, "w"] = value
        with pytest.raises(DesignError, match=words):
            fit(data, weights="w")
    with pytest.raises(DesignError, match="does not hold numbers"):
        fit(frame().assign(w="1.5"), weights="w")


def test_booleans_and_texts_of_zero_and_one() -> None:
    expected = fit(frame()).values
    np.testing.assert_array_equal(fit(frame().assign(treated=lambda d: d["treated"] == 1)).values, expected)
    texts = fit(frame().assign(treated=lambda d: d["treated"].astype(str)))
    assert texts.keys["term"] == ("x", "treated[1]")
    np.testing.assert_allclose(texts.values, expected, rtol=1e-12)


def test_column_names_that_stand_twice() -> None:
    data = pd.concat([frame(), frame()[["x"]]], axis=1)
    with pytest.raises(DesignError, match="more than once"):
        fit(data)


def test_columns_with_several_levels_of_names() -> None:
    data = pd.concat({"a": frame()}, axis=1)
    with pytest.raises(JuntosError, match="no column"):
        fit(data)


def test_rows_with_several_levels_of_names() -> None:
    data = frame().set_index(["unit", "year"], drop=False).rename_axis([None, None])
    np.testing.assert_array_equal(fit(data).values, fit(frame()).values)


def test_categories_without_a_row_do_not_count() -> None:
    data = frame()
    many = data.assign(region=pd.Categorical(data["region"], categories=[f"r{k}" for k in range(9)]))
    found, expected = (fit(d, absorb=("region", "year"), covariates=("x",)) for d in (many, data))
    assert found.fit.parameters == expected.fit.parameters
    np.testing.assert_array_equal(found.uncertainty.covariance, expected.uncertainty.covariance)
    unused = fit(many, absorb=("year",), covariates=("x", "region"))
    assert len(unused.values) == 5


@pytest.mark.parametrize("kind", ["Float64", "Float32", "float32", "float16"])
def test_kinds_of_numbers(kind: str) -> None:
    data = frame()
    for column in ("y", "x"):
        data[column] = np.round(data[column] * 16) / 16
    converted = data.astype({"y": kind, "x": kind, "treated": "Int64", "unit": "Int32", "year": "UInt16"})
    np.testing.assert_allclose(fit(converted).values, fit(data).values, rtol=1e-12)
    converted["x"] = converted["x"].astype("Float64")
    converted.loc[7, "x"] = pd.NA
    assert dict(fit(converted).sample.dropped) == {"x missing": 1}


def test_codes_near_the_end_of_the_integers() -> None:
    data = frame()
    for shift in (2**62, -(2**62)):
        large = data.assign(unit=data["unit"].astype("int64") + shift)
        np.testing.assert_array_equal(fit(large).values, fit(data).values)
    unsigned = data.assign(unit=data["unit"].astype("uint64") + np.uint64(2**63))
    np.testing.assert_array_equal(fit(unsigned).values, fit(data).values)


def test_what_is_no_pandas_frame() -> None:
    class Other:
        columns = ("y", "x")

    for data in (Other(), {"y": [1.0]}, np.zeros((3, 2))):
        with pytest.raises(DesignError, match="not a pandas DataFrame"):
            fit(data)


@pytest.mark.parametrize("absorb", ["unit[", "unit[x]]", "[x]", "unit]x["])
def test_absorbed_terms_that_cannot_be_read(absorb: str) -> None:
    with pytest.raises(DesignError):
        fit(frame(), absorb=(absorb,))


def test_choices_that_there_are_not() -> None:
    with pytest.raises(DesignError, match="singletons"):
        FixedEffects(outcome="y", covariates=("x",), singletons="maybe")  # type: ignore[arg-type]


def test_products_are_columns_multiplied() -> None:
    data = frame()
    by_hand = data.assign(xz=data["x"] * data["z"])
    expected = fit(by_hand, covariates=("x", "z", "xz")).values
    np.testing.assert_allclose(fit(data, covariates=("x", "z", "x:z")).values, expected, rtol=1e-12)
    crossed = fit(data, covariates=("x", "x:region"))
    assert crossed.keys["term"] == ("x", *(f"x:region[r{k}]" for k in range(1, 5)))


def test_crossed_factors_and_trends_are_dummies() -> None:
    data = frame()
    joint = data.assign(both=data["region"] + "-" + data["year"].astype(str))
    found = fit(data, absorb=("unit", "region^year"))
    np.testing.assert_allclose(found.values, fit(joint, absorb=("unit", "both")).values, rtol=1e-10)
    trend = fit(data, absorb=("unit[year]",)).values
    indicators = {f"t{k}": (data["unit"] == k) * (data["year"] - 2012.0) for k in range(30)}
    wide = data.assign(**indicators)
    expected = fit(wide, covariates=("x", "treated", *indicators), absorb=("unit",))
    np.testing.assert_allclose(trend, expected.values[:2], rtol=1e-8)


def test_leverage_knows_slopes_by_level() -> None:
    data = frame()
    indicators = {f"t{k}": (data["unit"] == k) * (data["year"] - 2012.0) for k in range(30)}
    wide = FixedEffects(outcome="y", covariates=("x", *indicators), absorb=("unit",))
    slopes = FixedEffects(outcome="y", covariates=("x",), absorb=("unit[year]",))
    for kind in ("HC1", "HC2", "HC3"):
        expected = wide.fit(data.assign(**indicators), inference=Robust(kind)).uncertainty.std_error[0]
        found = slopes.fit(data, inference=Robust(kind)).uncertainty.std_error[0]
        np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_the_default_inference_is_named() -> None:
    assert fit(frame()).uncertainty.method.startswith("clustered by unit, CR1S")
    assert fit(frame(), absorb=()).uncertainty.method.startswith("heteroskedasticity-robust HC1")
    assert fit(frame(), absorb=("region^year",)).uncertainty.method.startswith("clustered by region^year")


def test_large_designs_take_the_way_of_inner_products_to_the_same_answer() -> None:
    rng = np.random.default_rng(1)
    n = 400_000
    data = pd.DataFrame({f"x{k}": rng.normal(k, 1 + k, n) for k in range(4)})
    data["unit"] = rng.integers(0, 5000, n)
    data["y"] = data["x0"] - 2 * data["x3"] + rng.normal(size=n) + 1e4
    found = FixedEffects(outcome="y", covariates=("x0", "x1", "x2", "x3"), absorb=("unit",)).fit(data)
    centred = data - data.groupby("unit").transform("mean").assign(unit=0)
    design = centred[["x0", "x1", "x2", "x3"]].to_numpy()
    expected = np.linalg.lstsq(design, centred["y"].to_numpy(), rcond=None)[0]
    np.testing.assert_allclose(found.values, expected, rtol=1e-10, atol=1e-12)
    collinear = data.assign(x4=data["x1"] + data["x2"])
    again = FixedEffects(outcome="y", covariates=("x0", "x1", "x2", "x4"), absorb=("unit",)).fit(collinear)
    assert again.details["dropped"] == ["x4"]
