"""What is planted in synthetic ENDES, and what a design and a naive reader find of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from juntos_eval.estimators.did import GroupTime
from juntos_eval.inference.cluster import Cluster
from juntos_eval.paths import RawFolder
from juntos_eval.surveys import endes
from juntos_eval.surveys.synthetic.endes import (
    EndesModel,
    endes_frame,
    simulate_endes,
    write_synthetic_endes,
)
from juntos_eval.surveys.synthetic.endes.chunk import Chunk
from juntos_eval.surveys.synthetic.endes.truth import add_up, find_effects

PHYSICAL = "has_physical_violence_last_12_months"


def test_the_rollout_follows_poverty() -> None:
    districts = endes_frame(seed=1).districts
    share = districts["first_treated"].gt(0).mean()
    assert share == pytest.approx(0.68, abs=0.01)
    by_entry = districts.groupby("first_treated")["poverty_rate"].mean()
    assert by_entry.loc[2005] > by_entry.loc[2007] > by_entry.loc[2016]
    assert by_entry.min() > districts.loc[districts["first_treated"].isna(), "poverty_rate"].mean()


def children_of(frame_seed: int, year: int, households: int, model: EndesModel) -> pd.DataFrame:
    frame = endes_frame(seed=frame_seed, model=model)
    parts = [
        chunk.children for chunk in simulate_endes(frame, seed=frame_seed, households=households, year=year)
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(year=year, haz=np.where(table["has_juntos"], table["haz_1"], table["haz_0"]))


def test_differences_in_differences_find_what_was_planted_and_a_naive_reader_does_not() -> None:
    """Eligible children in districts of 2005-2007 and in districts that never enter, in 2004 and in 2012."""
    model = EndesModel()
    table = pd.concat([children_of(7, year, 40_000, model) for year in (2004, 2012)], ignore_index=True)
    eligible = table[table["is_eligible"]]
    early = eligible["first_treated"].between(2005, 2007)
    kept = eligible[early | eligible["first_treated"].isna()].assign(early=early)
    cells = kept.groupby(["early", "year"])["haz"].agg(["mean", "var", "count"])
    mean, error = cells["mean"], np.sqrt((cells["var"] / cells["count"]).sum())
    found = (mean[True, 2012] - mean[True, 2004]) - (mean[False, 2012] - mean[False, 2004])
    late = kept[kept["early"] & kept["year"].eq(2012)]
    planted = ((late["haz_1"] - late["haz_0"]) * late["take_up_chance"]).mean()
    assert planted > 0.08
    # rows of one district move together: four of the errors of independent rows
    assert abs(found - planted) < 4 * error
    naive = late["haz"].mean() - kept.loc[~kept["early"] & kept["year"].eq(2012), "haz"].mean()
    assert naive < -0.2 < 0 < planted


def test_no_effect_is_planted_where_none_is_asked_for(tmp_path: Path) -> None:
    model = EndesModel(
        physical_effect=0.0,
        sexual_effect=0.0,
        emotional_effect=0.0,
        drinking_effect=0.0,
        height_effect=0.0,
        checks_effect=0.0,
    )
    truth = write_synthetic_endes(tmp_path, seed=2, households=400, years=(2019,), model=model)
    assert {effect.value for effect in truth.effects} <= {0.0}
    assert truth.effect("haz", 2019).naive_gap < -0.2


def test_effects_by_entry_add_up_to_the_whole(tmp_path: Path) -> None:
    truth = write_synthetic_endes(tmp_path, seed=2, households=600, years=(2019,))
    parts = [
        effect
        for effect in truth.effects
        if (effect.outcome, effect.estimand) == (PHYSICAL, "att") and effect.first_treated > 0
    ]
    whole = truth.effect(PHYSICAL, 2019)
    assert sum(part.rows for part in parts) == whole.rows
    assert min(part.value for part in parts) <= whole.value <= max(part.value for part in parts)


def test_hidden_confounding_moves_the_naive_gap(tmp_path: Path) -> None:
    truths = {
        loading: write_synthetic_endes(
            tmp_path / str(loading),
            seed=2,
            households=3_000,
            years=(2019,),
            model=EndesModel(hidden_confounding=loading),
            file_format="csv",
        )
        for loading in (0.0, 1.0)
    }
    gaps = {loading: truth.effect(PHYSICAL, 2019).naive_gap for loading, truth in truths.items()}
    assert gaps[1.0] > gaps[0.0] + 0.02


def test_chunks_hold_the_whole_year(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from juntos_eval.surveys.synthetic.endes import write

    monkeypatch.setattr(write, "CLUSTERS_A_CHUNK", 20)
    truth = write_synthetic_endes(tmp_path, seed=2, households=600, years=(2020,))
    raw = RawFolder.at(tmp_path)
    homes = endes.clean_households(raw, 2020)
    assert homes.provenance.rows_in == 600
    assert len(endes.clean_persons(raw, 2020, households=homes).frame) > 1_000
    assert truth.effect("haz", 2019 + 1).rows > 20


def test_margins_are_near_the_national_ones(tmp_path: Path) -> None:
    """Broad ones: rurality, Juntos, stunting and violence, weighted."""
    truth = write_synthetic_endes(tmp_path, seed=9, households=6_000, years=(2020,))
    raw = RawFolder.at(tmp_path)
    homes = endes.clean_households(raw, 2020)
    children = endes.clean_children(raw, 2020, households=homes)
    violence = endes.clean_violence(raw, 2020, households=homes).frame

    def share(frame: pd.DataFrame, name: str, weight: str) -> float:
        known = frame[frame[name].notna()]
        return float(np.average(known[name].astype(float), weights=known[weight]))

    assert 0.19 < share(homes.frame, "is_rural", "household_weight") < 0.30
    assert 0.09 < share(homes.frame, "has_juntos", "household_weight") < 0.16
    assert 0.09 < share(children.frame, "is_stunted", "child_weight") < 0.16
    counted = violence[violence["is_in_sample"]]
    assert 0.05 < share(counted, PHYSICAL, "violence_weight") < 0.10
    assert truth.effect(PHYSICAL, 2020).value < -0.02


@pytest.mark.parametrize("outcome", ["haz", PHYSICAL])
def test_group_time_effects_find_what_was_planted_by_entry_and_year(outcome: str) -> None:
    """Eligible rows of cross-sections, districts as clusters: each cell within four of its errors."""
    frame = endes_frame(seed=5)
    rows: list[pd.DataFrame] = []
    planted: dict[tuple[int, int], float] = {}
    for year in (2004, 2006, 2008):
        sums = []
        for chunk in simulate_endes(frame, seed=5, households=12_000, year=year):
            rows.append(_eligible(chunk, outcome).assign(year=year))
            sums.append(add_up(chunk))
        found = find_effects(pd.concat(sums), year)
        planted |= {
            (e.first_treated, e.year): e.value for e in found if (e.outcome, e.estimand) == (outcome, "itt")
        }
    design = GroupTime(outcome="y", time="year", first_treated="first_treated", panel=False, weights="weight")
    cells = design.fit(pd.concat(rows, ignore_index=True), inference=Cluster("district")).tidy()
    # before entry nothing is planted: the cell is not in the truth
    truth = [planted.get((int(g), int(t)), 0.0) for g, t in zip(cells["group"], cells["time"], strict=True)]
    z = (cells["estimate"] - truth) / cells["std_error"]
    assert len(z) >= 6
    assert z.abs().max() < 4
    assert (z**2).mean() < 3


def _eligible(chunk: Chunk, outcome: str) -> pd.DataFrame:
    if outcome == "haz":
        table = chunk.children
        y = np.where(table["has_juntos"], table["haz_1"], table["haz_0"])
    else:
        table = chunk.violence[chunk.violence["union"] > 0]
        y = table["physical"].eq(2).to_numpy(dtype=float)
    kept = table.assign(y=y)[["y", "district", "first_treated", "weight", "is_eligible"]]
    return kept[kept["is_eligible"]]
