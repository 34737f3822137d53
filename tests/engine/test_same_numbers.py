"""Estimates from sums by an engine are those of the rows in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.engine import DuckDB, Engine
from juntos_eval.estimators.did import fit_at_scale

pytest.importorskip("duckdb", reason="the package duckdb is not installed (extra 'scale')")

PANEL: dict[str, Any] = {"outcome": "y", "unit": "id", "time": "year", "first_treated": "start"}
SECTIONS: dict[str, Any] = {"outcome": "y", "time": "year", "first_treated": "start", "panel": False}
AT: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-12}


def panel(*, units: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    years = np.array([2004, 2005, 2006, 2008, 2009])
    start = rng.choice([2005, 2006, 2009, np.nan], units)
    area = rng.choice(["coast", "sierra", "selva"], units)
    effect = np.where(years >= start[:, None], 1.0 + 0.2 * (years - start[:, None]), 0.0)
    level = 100.0 + 3.0 * rng.normal(size=(units, 1))
    trend = np.where(area == "selva", 0.3, 0.0)[:, None] * (years - 2004)
    y = level + trend + np.nan_to_num(effect) + rng.normal(size=(units, len(years)))
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(units), len(years)),
            "year": np.tile(years, units),
            "start": np.repeat(start, len(years)),
            "area": np.repeat(area, len(years)),
            "w": np.repeat(rng.choice([0.5, 1.0, 2.5], units), len(years)),
            "village": np.repeat(rng.integers(0, 40, units), len(years)),
            "y": y.ravel(),
        }
    )
    frame["treated"] = (frame["year"] >= frame["start"]).astype(int)
    frame.loc[[3, 77], "y"] = np.nan
    return frame.sample(frac=1.0, random_state=3, ignore_index=True)


def stored(frame: pd.DataFrame, folder: Path) -> DuckDB:
    half = len(frame) // 2
    frame[:half].to_parquet(folder / "one.parquet")
    frame[half:].to_parquet(folder / "two.parquet")
    return DuckDB(source=folder / "*.parquet", memory_limit="500MB", threads=1)


def same(large: je.Estimate, small: je.Estimate) -> None:
    assert dict(large.keys) == dict(small.keys)
    np.testing.assert_allclose(large.values, small.values, **AT)
    np.testing.assert_allclose(large.uncertainty.covariance, small.uncertainty.covariance, **AT)
    assert large.uncertainty.df == small.uncertainty.df
    assert large.sample.rows == small.sample.rows
    if small.spec["estimator"] != "FixedEffects":  # which takes rows for units, as it is not told of any
        assert large.sample.units == small.sample.units


@pytest.mark.parametrize(
    ("choices", "inference"),
    [
        ({}, None),
        ({"control": "not_yet", "base": "universal", "weights": "w"}, None),
        ({"covariates": ("area",), "weights": "w"}, None),
        ({"covariates": ("area",), "method": "reg", "control": "not_yet"}, je.Cluster("village", kind="CR0")),
        ({"covariates": ("area",), "method": "ipw", "anticipation": 1}, je.Cluster("village", kind="CR1")),
    ],
)
def test_cells_and_their_averages(choices: dict[str, Any], inference: Any, tmp_path: Path) -> None:
    frame = panel()
    spec = je.GroupTime(**PANEL, **choices)
    large = fit_at_scale(spec, stored(frame, tmp_path), inference=inference)
    small = spec.fit(frame, inference=inference)
    same(large, small)
    assert dict(large.details["cohort_sizes"]) == dict(small.details["cohort_sizes"])
    for kind in ("simple", "group", "calendar", "dynamic"):
        same(je.aggregate(large, kind), je.aggregate(small, kind))


def test_cells_of_cross_sections(tmp_path: Path) -> None:
    frame = panel().drop(columns="id")
    for inference in (None, je.Cluster("village", kind="CR0")):
        spec = je.GroupTime(**SECTIONS, covariates=("area",), weights="w")
        large = fit_at_scale(spec, stored(frame, tmp_path), inference=inference)
        small = spec.fit(frame, inference=inference)
        same(large, small)
        same(je.aggregate(large, "dynamic"), je.aggregate(small, "dynamic"))


@pytest.mark.parametrize(
    "spec",
    [
        je.FixedEffects(outcome="y", covariates=("treated",), absorb=("id", "year"), weights="w"),
        je.EventStudy(**PANEL, window=(-2, 2)),
        je.InteractionWeighted(**PANEL, weights="w", shares="estimated"),
        je.ExtendedTwoWay(**PANEL, absorb=("id", "year"), by="group"),
    ],
    ids=lambda spec: type(spec).__name__,
)
@pytest.mark.parametrize("inference", [None, je.Cluster("village", kind="CR1")])
def test_regressions_of_unbalanced_panels(spec: Any, inference: Any, tmp_path: Path) -> None:
    frame = panel()
    unit = "id" if isinstance(spec, je.FixedEffects) else None
    large = fit_at_scale(spec, stored(frame, tmp_path), unit=unit, inference=inference)
    same(large, spec.fit(frame, inference=inference))


def test_two_groups_in_two_periods(tmp_path: Path) -> None:
    frame = panel().query("year in (2008, 2009) and (start == 2009 or start != start)")
    spec = je.GroupTime(**PANEL)
    large = fit_at_scale(spec, stored(frame, tmp_path))
    same(large, spec.fit(frame))


def test_what_sums_cannot_tell_is_refused(tmp_path: Path) -> None:
    engine = stored(panel(), tmp_path)
    assert isinstance(engine, Engine)
    spec = je.GroupTime(**PANEL)
    with pytest.raises(je.InferenceError, match="from sums there is clustering"):
        fit_at_scale(spec, engine, inference=je.Robust("HC1"))
    large = fit_at_scale(spec, engine)
    with pytest.raises(je.InferenceError):
        large.with_inference(je.Robust("HC1"))
    with pytest.raises(je.InferenceError):
        large.with_inference(je.MultiplierBootstrap(draws=99, seed=1))
    with pytest.raises(je.DesignError, match="cannot be had from sums"):
        fit_at_scale(je.Imputation(**PANEL), engine)  # type: ignore[arg-type]
    with pytest.raises(je.SchemaError, match="there is no column 'z'"):
        fit_at_scale(je.GroupTime(**PANEL, covariates=("z",)), engine)
    twice = stored(pd.concat([panel(), panel()[:1]]), tmp_path)
    with pytest.raises(je.DesignError, match="several rows in one period"):
        fit_at_scale(spec, twice)
    moving = stored(panel().assign(w=lambda rows: np.arange(len(rows)) + 1.0), tmp_path)
    with pytest.raises(je.DesignError, match="changes within units"):
        fit_at_scale(je.GroupTime(**PANEL, weights="w"), moving)
    with pytest.raises(je.SourceError, match="DuckDB could not answer"):
        fit_at_scale(spec, DuckDB(source=tmp_path / "none.parquet"))
    odd = stored(panel().rename(columns={"y": 'y"; DROP TABLE x; --'}), tmp_path)
    named = je.GroupTime(**{**PANEL, "outcome": 'y"; DROP TABLE x; --'})
    np.testing.assert_allclose(fit_at_scale(named, odd).values, large.values, **AT)


@pytest.fixture(scope="module")
def session() -> Any:
    pyspark = pytest.importorskip("pyspark.sql", reason="the package pyspark is not installed")
    try:
        made = (
            pyspark.SparkSession.builder.master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .getOrCreate()
        )
    except Exception as error:  # noqa: BLE001  pyspark says by its own errors that there is no Java
        pytest.skip(f"Spark does not start here: {type(error).__name__}: {str(error)[:80]}")
    yield made
    made.stop()


@pytest.mark.slow
def test_spark_says_the_same(session: Any, tmp_path: Path) -> None:
    frame = panel()
    stored(frame, tmp_path)
    session.read.parquet(str(tmp_path / "*.parquet")).createOrReplaceTempView("panel")
    spec = je.GroupTime(**PANEL, covariates=("area",), weights="w")
    large = fit_at_scale(spec, je.Spark(session=session, view="panel"))
    same(large, spec.fit(frame))
