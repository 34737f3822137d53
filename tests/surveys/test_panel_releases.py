"""Panel releases from synthetic wide files to clean tables: units, links, weights, losses, effects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError, SchemaError, SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.doctor import examine
from juntos_eval.surveys.enaho import clean_panel, clean_panel_attrition, clean_sumaria
from juntos_eval.surveys.enaho.panel_attrition import panel_losses
from juntos_eval.surveys.enaho.panel_release import find_panel_file, load_releases, read_panel_file
from juntos_eval.surveys.enaho.panel_units import units_of
from juntos_eval.surveys.synthetic import HistoryModel, PanelTruth, write_history, write_panel

SEED, HOUSEHOLDS = 11, 600
#: The oldest release, the one whose health file has no weights, the newest.
RELEASES = (2011, 2019, 2024)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[RawFolder, PanelTruth]:
    folder = tmp_path_factory.mktemp("panel")
    model = HistoryModel(panel_share=0.6)
    truth = write_panel(
        folder,
        seed=SEED,
        households=HOUSEHOLDS,
        releases=RELEASES,
        modules=("sumaria", "members", "education", "health"),
        model=model,
    )
    return RawFolder.at(folder), truth


@pytest.mark.parametrize("last", RELEASES)
def test_every_interview_becomes_one_row_and_losses_are_those_planted(
    written: tuple[RawFolder, PanelTruth], last: int
) -> None:
    raw, truth = written
    planted = truth.release(last)
    households = clean_panel(raw, last, "sumaria")
    frame, made = households.frame, households.provenance
    assert (len(frame), frame["unit"].nunique()) == (planted["interviews"], planted["units"])
    assert made.rows_in == made.rows_out
    assert made.is_synthetic
    assert made.details["units"] == planted["units"]
    assert not frame.duplicated(["unit", "year"]).any()
    balanced = frame[frame["is_balanced"]]
    assert balanced["unit"].nunique() == planted["balanced"] > 20
    assert set(balanced["waves"]) == {5}
    assert balanced["panel_weight"].notna().all()
    assert frame.loc[~frame["is_balanced"], "panel_weight"].isna().all()
    losses = clean_panel_attrition(households).frame.set_index(["entered", "year"])
    for cohort in planted["cohorts"]:
        found = losses.loc[(cohort["entered"], cohort["year"])]
        if cohort["year"] > cohort["entered"]:
            assert found["present"] == cohort["present"]
            assert 0.9 * cohort["units"] <= found["followed"] <= cohort["units"] < found["units"]
    assert losses["returned"].eq(0).all()


def test_a_wave_is_the_annual_file_of_the_same_households(
    written: tuple[RawFolder, PanelTruth], tmp_path: Path
) -> None:
    raw, _ = written
    write_history(
        tmp_path,
        seed=SEED,
        households=HOUSEHOLDS,
        years=(2010,),
        modules=("sumaria",),
        model=HistoryModel(panel_share=0.6),
    )
    annual = clean_sumaria(RawFolder.at(tmp_path), 2010).frame.set_index("household_id").sort_index()
    panel = clean_panel(raw, 2011, "sumaria").frame
    wave = panel[panel["year"].eq(2010)].set_index("household_id").sort_index()[annual.columns]
    pd.testing.assert_frame_equal(wave, annual, check_categorical=False)


def test_panel_weights_stand_for_the_households_of_the_first_wave(
    written: tuple[RawFolder, PanelTruth],
) -> None:
    raw, _ = written
    frame = clean_panel(raw, 2024, "sumaria").frame
    pairs: Any = frame.groupby("year")[["household_weight", "link_weight"]].sum()
    for year in range(2021, 2025):
        ratio = pairs.loc[year, "link_weight"] / pairs.loc[year - 1, "household_weight"]
        assert ratio == pytest.approx(1, abs=0.12), year
    assert pairs.loc[2020, "link_weight"] == 0
    linked = frame[frame["is_linked_before"]]
    seen = set(zip(frame["unit"], frame["year"], strict=True))
    assert {(unit, year - 1) for unit, year in zip(linked["unit"], linked["year"], strict=True)} <= seen


def test_poverty_that_lasts_is_the_one_planted(written: tuple[RawFolder, PanelTruth]) -> None:
    raw, truth = written
    frame = clean_panel(raw, 2019, "sumaria").frame
    by_wave = frame.set_index(["unit", "year"])["is_poor"].astype(float).unstack()  # noqa: PD010
    weight = frame.drop_duplicates("unit").set_index("unit")["household_weight"]
    for pair in truth.release(2019)["poverty"]:
        first, second = pair["waves"]
        known = by_wave[[first, second]].dropna().astype(bool)
        # the panel alone was planted: of households visited once no pair is known
        both = known[first] & known[second]
        share = float(weight[known.index][both].sum() / weight[known.index].sum())
        assert share == pytest.approx(pair["poor_in_both"], abs=1e-6)


def test_persons_keep_their_number_and_borrow_weights_that_their_file_lacks(
    written: tuple[RawFolder, PanelTruth],
) -> None:
    raw, _ = written
    households = clean_panel(raw, 2019, "sumaria")
    alone = clean_panel(raw, 2019, "health")
    assert alone.frame["panel_weight"].isna().all()
    lent = clean_panel(raw, 2019, "health", households=households)
    linked = lent.frame[lent.frame["is_balanced"]]
    assert linked["panel_weight"].notna().all()
    assert len(linked) > 100
    assert lent.frame.loc[~lent.frame["is_balanced"].astype(bool), "panel_weight"].isna().all()
    assert lent.provenance.notes["panel weights taken from the release's sumaria"] == len(linked)
    born = (lent.frame["year"] - lent.frame["age_years"]).groupby(lent.frame["unit"]).nunique()
    assert born.eq(1).all()
    assert lent.frame["waves"].max() == 5
    sex = lent.frame.groupby("unit")["sex"].nunique()
    assert sex.eq(1).all()


def test_a_wave_that_no_document_describes_is_left_out_and_counted(
    written: tuple[RawFolder, PanelTruth],
) -> None:
    raw, _ = written
    made = clean_panel(raw, 2024, "health")
    assert set(made.frame["year"]) == {2020, 2021, 2023, 2024}, "module 04 of 2022 stands in no document"
    work = clean_panel(raw, 2024, "child_work")
    assert set(work.frame["year"]) == set(range(2020, 2025))
    assert work.frame["age_years"].between(5, 17).all()


def test_persons_joined_to_households_show_the_planted_effect_on_hours(tmp_path: Path) -> None:
    model = HistoryModel(panel_share=0.9, women_hours_effect=-12.0, eligible_share=0.6)
    truth = write_panel(
        tmp_path, seed=5, households=1_500, releases=(2011,), modules=("sumaria", "employment"), model=model
    )
    raw = RawFolder.at(tmp_path)
    households = clean_panel(raw, 2011, "sumaria").frame.set_index(["household_id", "year"])
    hours = clean_panel(raw, 2011, "employment").frame
    # whether a woman works was not planted, her hours were; nothing else moves them in this model
    is_worker = hours["age_years"].between(18, 64) & hours["hours_week"].gt(0)
    hours = hours[hours["sex"].eq("female") & is_worker]
    keys = pd.MultiIndex.from_frame(hours[["household_id", "year"]])
    treated = households["has_juntos_income"].astype(float).reindex(keys).to_numpy()
    assert not np.isnan(treated).any(), "every person belongs to a household of the wave"
    values = hours["hours_week"].to_numpy()
    difference = values[treated == 1].mean() - values[treated == 0].mean()
    error = np.sqrt(sum(values[treated == t].var() / (treated == t).sum() for t in (0, 1)))
    planted = [e["att"] for e in truth.release(2011)["effects"] if e["outcome"] == "women_hours" and e["att"]]
    assert len(planted) == 5
    assert abs(difference - np.mean(planted)) < 3 * error + 0.5, "one transfer in fourteen goes unreported"
    assert error < 1.2


def test_files_and_units_are_found_under_other_names(
    written: tuple[RawFolder, PanelTruth], tmp_path: Path
) -> None:
    raw, _ = written
    release = load_releases()[2019]
    original = find_panel_file(raw, release, "sumaria")
    assert original is not None
    folder = tmp_path / "enaho_panel" / "2019"
    folder.mkdir(parents=True)
    drifted = folder / "Sumaria-2015-2019-panelf.DTA"
    drifted.write_bytes(original.read_bytes())
    (folder / "sumaria-2015-2019-12g-panel.dta").write_bytes(b"x")
    other = RawFolder.at(tmp_path)
    assert find_panel_file(other, release, "sumaria") == drifted
    (folder / "sumaria_2015_2019.dta").write_bytes(original.read_bytes())
    with pytest.raises(SourceError, match="2 files could be the sumaria of the panel 2015-2019"):
        find_panel_file(other, release, "sumaria")


def test_what_is_no_release_is_refused(written: tuple[RawFolder, PanelTruth], tmp_path: Path) -> None:
    raw, _ = written
    with pytest.raises(SchemaError, match="No panel release has 2012 as its last wave"):
        clean_panel(raw, 2012, "sumaria")
    with pytest.raises(SchemaError, match="2007-2011 has no members file"):
        clean_panel(raw, 2011, "child_work")
    with pytest.raises(SourceError, match="sumaria file of the panel 2011-2015 is missing"):
        clean_panel(raw, 2015, "sumaria")
    with pytest.raises(DesignError, match="No panel release has 2012"):
        write_panel(tmp_path, seed=1, households=300, releases=(2012,))
    (tmp_path / "enaho_panel").mkdir()
    with pytest.raises(SourceError, match="not marked as synthetic"):
        write_panel(tmp_path, seed=1, households=300, releases=(2011,))


def test_numbers_that_repeat_are_refused_and_parts_that_do_are_counted() -> None:
    twice = pd.DataFrame({"numper": [1, 1], "cong": ["1", "1"], "vivi": ["1", "1"]})
    with pytest.raises(SchemaError, match="numper does not name one row: 0 missing, 2 repeated"):
        units_of(twice, ("numper",), ("numper",))
    number, notes = units_of(twice, ("cong", "vivi"), ("cong", "vivi"))
    assert number.tolist() == ["row 1", "row 2"]
    assert sum(notes.values()) == 2
    assert units_of(twice, (), ("numper",))[0].tolist() == ["row 1", "row 2"]


def test_losses_are_counted_among_those_followed() -> None:
    seen = pd.DataFrame(
        [(1, 2018, "a"), (1, 2020, "a"), (2, 2018, "a"), (2, 2019, "a"), (3, 2018, "b"), (4, 2019, "a")],
        columns=["unit", "year", "psu"],
    ).assign(w=[1.0, 1.0, 3.0, 3.0, 1.0, 1.0])
    table: Any = panel_losses(seen, weight="w", cluster="psu").set_index(["entered", "year"])
    assert table.loc[(2018, 2020), ["units", "followed", "present", "returned"]].tolist() == [3, 2, 1, 1]
    assert table.loc[(2018, 2019), "retained_weighted"] == pytest.approx(3 / 4)
    assert np.isnan(table.loc[(2019, 2020), "retained"]), (
        "nobody of the cluster that entered in 2019 was visited"
    )
    with pytest.raises(SchemaError, match="stand twice"):
        panel_losses(pd.concat([seen, seen[:1]]), weight="w", cluster="psu")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_cut_wide_file_is_refused_and_found_by_the_doctor(
    written: tuple[RawFolder, PanelTruth], tmp_path: Path, share: float
) -> None:
    raw, _ = written
    original = find_panel_file(raw, load_releases()[2024], "sumaria")
    assert original is not None
    cut = tmp_path / "enaho_panel" / "2024" / original.name
    cut.parent.mkdir(parents=True)
    content = original.read_bytes()
    cut.write_bytes(content[: int(share * len(content))])
    there = RawFolder.at(tmp_path)
    with pytest.raises(SourceError):
        clean_panel(there, 2024, "sumaria")
    assert [found.kind for found in examine(there).findings] == ["truncated"]
    assert cut.read_bytes() == content[: int(share * len(content))]


def test_the_doctor_tells_another_release_and_a_lacking_sumaria(
    written: tuple[RawFolder, PanelTruth], tmp_path: Path
) -> None:
    raw, _ = written
    assert examine(raw).exit_code == 0
    health = find_panel_file(raw, load_releases()[2024], "health")
    other = find_panel_file(raw, load_releases()[2011], "sumaria")
    assert health is not None
    assert other is not None
    folder = tmp_path / "enaho_panel" / "2024"
    folder.mkdir(parents=True)
    (folder / health.name).write_bytes(health.read_bytes())
    assert [found.kind for found in examine(RawFolder.at(tmp_path)).findings] == ["missing"]
    (folder / "sumaria-2020-2024-panel.dta").write_bytes(other.read_bytes())
    assert [found.kind for found in examine(RawFolder.at(tmp_path)).findings] == ["foreign"]
    with pytest.raises(SchemaError):
        clean_panel(RawFolder.at(tmp_path), 2024, "sumaria")


def test_of_a_wide_file_only_mapped_columns_are_held(
    written: tuple[RawFolder, PanelTruth], tmp_path: Path
) -> None:
    raw, _ = written
    release = load_releases()[2024]
    path = find_panel_file(raw, release, "sumaria")
    assert path is not None
    wide = pd.read_stata(path, convert_categoricals=False)
    there = tmp_path / "enaho_panel" / "2024" / path.name
    there.parent.mkdir(parents=True)
    wide.assign(gru51hd_20=1.0, otro_24="x").to_stata(there, write_index=False, version=118)
    read = read_panel_file(RawFolder.at(tmp_path), release, "sumaria").frame
    assert not {"gru51hd_20", "otro_24"} & set(read.columns)
    assert {"numpanh", "hpanel_20_24", "facpanel2024", "pobreza_22"} <= set(read.columns)
