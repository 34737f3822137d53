"""Breaches of a clean table's schema: named, counted, and never shown."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.provenance import Provenance
from juntos_eval.surveys.schema import Field, TableSchema, declared, finish


def field(name: str, dtype: str, **choices: Any) -> Field:
    return Field(name=name, dtype=dtype, description=name, description_es=name, **choices)


SCHEMA = TableSchema(
    name="visits",
    description="",
    description_es="",
    key=("visit",),
    fields=(
        field("visit", "str", width=2),
        field("age", "float", minimum=0, maximum=120, is_nullable=True),
        field("place", "category", labels=("town", "village")),
        field("is_open", "boolean", is_nullable=True),
        field("rooms", "int"),
        field("is_new", "bool"),
    ),
)


@pytest.fixture
def visits() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "is_new": [True, False],
            "visit": ["01", "02"],
            "age": [40.0, None],
            "place": pd.Categorical(["town", "village"]),
            "is_open": pd.array([True, None], dtype="boolean"),
            "rooms": [1, 2],
        }
    )


def test_a_sound_table_comes_back_in_the_order_of_the_schema(visits: pd.DataFrame) -> None:
    assert list(SCHEMA.validate(visits, where="a.csv").columns) == SCHEMA.names()


@pytest.mark.parametrize(
    ("change", "breach"),
    [
        ({"visit": ["01", "01"]}, r"the key repeats \(2 rows\)"),
        ({"visit": ["777", "02"]}, r"visit is not of 2 characters \(1 rows\)"),
        ({"visit": [None, "02"]}, r"visit is missing \(1 rows\)"),
        ({"age": [-777.0, 777.0]}, r"age is not at least 0 \(1 rows\); age is not at most 120 \(1 rows\)"),
        ({"place": pd.Categorical(["town", "777"])}, r"place is not an allowed label \(1 rows\)"),
        ({"rooms": [1.5, 777.0]}, "rooms is of another type"),
        ({"more": [777, 777]}, "columns are not declared: more"),
    ],
)
def test_breaches_are_named_counted_and_not_shown(
    change: dict[str, Any], breach: str, visits: pd.DataFrame
) -> None:
    with pytest.raises(SchemaError, match=breach) as caught:
        SCHEMA.validate(visits.assign(**change), where="a.csv")
    assert "777" not in str(caught.value)
    assert "[a.csv]" in str(caught.value)


def test_a_missing_column_is_named(visits: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match="columns are missing: rooms"):
        SCHEMA.validate(visits.drop(columns="rooms"), where="a.csv")


def test_rows_without_a_reason_are_refused(visits: pd.DataFrame) -> None:
    account = Provenance(survey="s", table="", year=1, rows_in=5, rows_out=0, dropped={"closed": 2})
    with pytest.raises(SchemaError, match="1 rows of visits are unaccounted for"):
        finish(visits, SCHEMA, account)
    made = finish(visits.iloc[::-1], SCHEMA, Provenance(survey="s", table="", year=1, rows_in=2, rows_out=0))
    assert made.provenance.table == "visits"
    assert made.provenance.rows_out == 2
    assert made.frame.index.tolist() == [0, 1]


def test_declared_fields_carry_the_codebook() -> None:
    relation = declared("enaho", "members", "relation", dtype="category", without=("panel",))
    assert "panel" not in relation.labels
    assert len(relation.labels) == 11
    assert declared("enaho", "members", "ubigeo", dtype="str").width == 6
