"""From synthetic raw files to the analysis table: no complaint, and the naive gaps come out as recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from juntos_eval.paths import RawFolder
from juntos_eval.surveys import enaho
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.synthetic import SyntheticTruth
from juntos_eval.surveys.synthetic.planting import GROUPS

Written = tuple[Path, SyntheticTruth]


@pytest.fixture(scope="module")
def households(written: Written) -> dict[int, CleanTable]:
    raw = RawFolder.at(written[0])
    districts = enaho.clean_districts(raw)
    tables = {}
    for year in (2024, 2025):
        own = (
            {
                "food_security": enaho.clean_food_security(raw, year),
                "dwellings": enaho.clean_dwellings(raw, year),
            }
            if year == 2025
            else {}
        )
        tables[year] = enaho.build_households(
            enaho.clean_members(raw, year), enaho.clean_programmes(raw, year), districts=districts, **own
        )
    return tables


def gap(frame: pd.DataFrame, outcome: str, weights: pd.Series) -> float:
    keep = frame["has_juntos"].notna() & frame["has_member_under_19"] & frame[outcome].notna() & (weights > 0)
    treated = frame.loc[keep, "has_juntos"].astype(bool).to_numpy()
    values, weight = frame.loc[keep, outcome].to_numpy(dtype=float), weights[keep].to_numpy(dtype=float)
    return float(
        np.average(values[treated], weights=weight[treated])
        - np.average(values[~treated], weights=weight[~treated])
    )


def test_nothing_is_lost_and_the_tables_know_that_they_are_synthetic(
    written: Written, households: dict[int, CleanTable]
) -> None:
    for table in households.values():
        assert len(table.frame) == written[1].households
        assert table.provenance.is_synthetic
        assert table.frame["poverty_rate"].notna().all()
        assert table.frame["head_age_years"].notna().all()


@pytest.mark.parametrize("year", [2024, 2025])
@pytest.mark.parametrize("group", list(GROUPS))
def test_the_raw_gap_in_child_work_is_the_one_recorded(
    written: Written, households: dict[int, CleanTable], year: int, group: str
) -> None:
    frame = households[year].frame
    weights = frame["household_weight"] * frame[f"children_{group}"]
    for outcome in (f"working_share_{group}", f"housework_only_share_{group}"):
        assert gap(frame, outcome, weights) == pytest.approx(
            written[1].effect(outcome, year).naive_gap, abs=1e-6
        )


def test_the_raw_gap_in_food_insecurity_is_the_one_recorded(
    written: Written, households: dict[int, CleanTable]
) -> None:
    frame = households[2025].frame
    category = frame["fies_category"].astype("str")
    is_insecure = (category != "food_secure_or_mild").astype(float).where(frame["fies_raw_score"].notna())
    frame = frame.assign(is_food_insecure=is_insecure)
    for outcome in ("fies_raw_score", "is_food_insecure"):
        recorded = written[1].effect(outcome, 2025).naive_gap
        assert gap(frame, outcome, frame["household_weight"]) == pytest.approx(recorded, abs=1e-6)


def test_as_many_households_link_as_recorded(written: Written, households: dict[int, CleanTable]) -> None:
    linked = enaho.link_households(households[2024], households[2025])
    assert linked.provenance.notes["households linked by key"] == written[1].linkable_households
    assert 0.8 < len(linked.frame) / 2 / written[1].linkable_households < 1
