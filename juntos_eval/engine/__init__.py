"""Sums of tables that are too large for memory, made where the tables lie."""

from juntos_eval.engine.duckdb_engine import DuckDB
from juntos_eval.engine.spark_engine import Spark
from juntos_eval.engine.sql import Engine
from juntos_eval.engine.unit_moments import MomentColumns, UnitMoments, unit_moments

__all__ = ["DuckDB", "Engine", "MomentColumns", "Spark", "UnitMoments", "unit_moments"]
