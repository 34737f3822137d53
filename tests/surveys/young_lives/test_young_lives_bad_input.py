"""Damaged, misplaced and mistaken Young Lives files: each stops with what is wrong and what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.synthetic.young_lives import write_young_lives
from juntos_eval.surveys.young_lives import (
    build_juntos_status,
    clean_child_work,
    clean_children_panel,
    clean_community_exposure,
    clean_siblings,
    clean_tests,
    load_deposit,
    missing_files,
)
from juntos_eval.surveys.young_lives.locate import find_file
from juntos_eval.surveys.young_lives.open_table import open_study_table

Change = Callable[[str, Callable[[pd.DataFrame], pd.DataFrame]], RawFolder]


def test_a_missing_file_says_which_zip_to_put_where_and_how_to_register(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"peru_constructed, SN 7483") as told:
        clean_children_panel(RawFolder.at(tmp_path))
    assert "UKDA-7483-stata.zip" in told.value.remedy
    assert "ukdataservice.ac.uk" in told.value.remedy
    assert str(tmp_path / "young_lives") in told.value.where


def test_every_missing_file_is_listed(tmp_path: Path, small: Path) -> None:
    assert len(missing_files(RawFolder.at(tmp_path))) == len(load_deposit().files)
    assert missing_files(RawFolder.at(small)) == ()
    next(small.rglob("pe_yc_householdlevel.tab")).unlink()
    assert [file.stem for file in missing_files(RawFolder.at(small))] == ["pe_yc_householdlevel"]


def test_a_file_under_another_study_is_refused(small: Path) -> None:
    path = next(small.rglob("pe_yc_householdlevel.tab"))
    target = small / "young_lives" / "UKDA-6852-tab" / path.name
    path.rename(target)
    with pytest.raises(SourceError, match="lies under study 6852, it belongs to study 6853"):
        open_study_table(RawFolder.at(small), "household_younger", 3)


def test_a_zip_under_another_study_is_refused(tmp_path: Path) -> None:
    write_young_lives(tmp_path, seed=1, share=0.05, studies=(6853,), is_zipped=True)
    packed = next((tmp_path / "young_lives").glob("UKDA-6853-*.zip"))
    packed.rename(packed.with_name("UKDA-7931-stata.zip"))
    with pytest.raises(SourceError, match="lies under study 7931"):
        open_study_table(RawFolder.at(tmp_path), "household_younger", 3)


def test_the_same_file_twice_in_one_format_is_refused(small: Path) -> None:
    path = next(small.rglob("peru_constructed.tab"))
    (small / "young_lives" / "copy").mkdir()
    shutil.copy(path, small / "young_lives" / "copy" / path.name)
    with pytest.raises(SourceError, match="lies there 2 times"):
        clean_children_panel(RawFolder.at(small))


def test_a_file_of_another_round_is_recognised(small: Path) -> None:
    wanted = next(small.rglob("pe_yc_householdlevel.tab"))
    shutil.copy(next(small.rglob("pechildlevel5yrold.tab")), wanted)
    with pytest.raises(SchemaError, match="needed columns are not in the file") as told:
        open_study_table(RawFolder.at(small), "household_younger", 3)
    assert "looks like round 2" in told.value.remedy
    assert "pechildlevel5yrold" in told.value.remedy


def test_an_older_file_in_the_place_of_a_later_one_is_recognised(small: Path) -> None:
    wanted = next(small.rglob("pe_r5_ychh_youngerhousehold.tab"))
    shutil.copy(next(small.rglob("pe_r4_ychh_youngerhousehold.tab")), wanted)
    with pytest.raises(SchemaError) as told:
        open_study_table(RawFolder.at(small), "household_younger", 5)
    assert "looks like round 4" in told.value.remedy


def test_identities_that_lost_their_zeros_get_them_back_and_are_counted(change: Change) -> None:
    raw = change(
        "peru_constructed",
        lambda frame: frame.assign(childid=frame["childid"].str.replace(r"^PE0+", "PE", regex=True)),
    )
    made = clean_children_panel(raw)
    assert made.frame["child_id"].str.fullmatch(r"PE\d{6}").all()
    restored = made.provenance.notes["child_id: leading zeros restored"]
    assert restored > 0
    assert restored == int((made.frame["child_id"].str.slice(2, 3) == "0").sum()) + int(
        made.provenance.dropped["child not seen in the round"] - _unseen_without_zero(raw)
    )


def _unseen_without_zero(raw: RawFolder) -> int:
    frame = open_study_table(raw, "panel").frame
    return int((frame["is_seen"].ne("yes") & frame["child_id"].str.slice(2, 3).ne("0")).sum())


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ("IN011001", "not of Peru"),
        ("PE0110011", "up to 6 digits"),
        ("PE01X001", "up to 6 digits"),
        ("", "identity is missing"),
    ],
)
def test_an_odd_identity_is_refused(change: Change, identity: str, message: str) -> None:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[0, "childid"] = identity
        return frame

    with pytest.raises(SchemaError, match=message):
        clean_children_panel(change("peru_constructed", spoil))


def test_a_child_twice_in_a_round_is_refused(change: Change) -> None:
    raw = change("peru_constructed", lambda frame: pd.concat([frame, frame.iloc[[7]]]))
    with pytest.raises(SchemaError, match=r"1 keys stand in more than one row: child_id \+ round"):
        clean_children_panel(raw)


def test_a_double_row_that_the_codebook_does_not_name_is_refused(change: Change) -> None:
    raw = change("pe_yc_childlevel", lambda frame: pd.concat([frame, frame.iloc[[0]]]))
    with pytest.raises(SchemaError, match="more than one row") as told:
        clean_tests(raw)
    assert "source.toml" in told.value.remedy


def test_a_panel_without_the_unseen_is_refused(change: Change) -> None:
    raw = change("peru_constructed", lambda frame: frame[frame["inround"] == "1"])
    with pytest.raises(SchemaError, match="have not one row a round"):
        clean_children_panel(raw)


def test_a_sixth_round_is_refused(change: Change) -> None:
    raw = change("peru_constructed", lambda frame: frame.assign(round=frame["round"].replace("5", "6")))
    with pytest.raises(SchemaError, match="Rounds are other than 1 to 5"):
        clean_children_panel(raw)


@pytest.mark.parametrize(("column", "value"), [("region", "34"), ("enrol", "5"), ("chsex", "3")])
def test_an_unknown_code_is_refused_with_its_count(change: Change, column: str, value: str) -> None:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.index[frame["inround"] == "1"][:3], column] = value
        return frame

    with pytest.raises(SchemaError, match=rf"codes are unknown: {value} \(3 rows\)"):
        clean_children_panel(change("peru_constructed", spoil))


@pytest.mark.parametrize("hours", ["25", "-1"])
def test_impossible_hours_are_refused(change: Change, hours: str) -> None:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["hwork"].str.strip() != "", "hwork"] = hours
        return frame

    raw = change("peru_constructed", spoil)
    with pytest.raises(SchemaError, match="paid_work_hours"):
        clean_child_work(raw)
    with pytest.raises(SchemaError, match="paid_work_hours"):
        clean_children_panel(raw)


def test_a_needed_column_that_is_gone_is_named(change: Change) -> None:
    with pytest.raises(SchemaError, match=r"haz \(zhfa\)"):
        clean_children_panel(change("peru_constructed", lambda frame: frame.drop(columns="zhfa")))


def test_text_in_a_number_is_refused(change: Change) -> None:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[0, "agemon"] = "ocho"
        return frame

    with pytest.raises(SchemaError, match="no numbers"):
        clean_children_panel(change("peru_constructed", spoil))


def test_dates_that_could_be_either_are_refused(change: Change) -> None:
    raw = change("peru_constructed", lambda frame: frame.assign(dint="05/06/2009"))
    with pytest.raises(SchemaError, match="Day and month of the interview cannot be told apart"):
        clean_children_panel(raw)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("suffix", ["dta", "sav", "tab"])
def test_a_cut_file_is_refused(tmp_path: Path, share: float, suffix: str) -> None:
    write_young_lives(tmp_path, seed=1, share=0.05, studies=(6853,), formats={6853: suffix})
    path = next((tmp_path / "young_lives").rglob(f"pe_yc_householdlevel.{suffix}"))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    (tmp_path / "manifest.toml").write_text("synthetic = true\n", encoding="utf-8")
    with pytest.raises((SourceError, SchemaError)):
        open_study_table(RawFolder.at(tmp_path), "household_younger", 3)


def test_a_web_page_for_data_is_refused(small: Path) -> None:
    next(small.rglob("peru_constructed.tab")).write_text(
        "<!DOCTYPE html><html>sign in</html>", encoding="utf-8"
    )
    with pytest.raises(SourceError, match="web page"):
        clean_children_panel(RawFolder.at(small))


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    write_young_lives(tmp_path, seed=1, share=0.05, studies=(7483,), is_zipped=True)
    packed = next((tmp_path / "young_lives").glob("*.zip"))
    packed.write_bytes(packed.read_bytes()[:-4_000])
    with pytest.raises(SourceError, match="half-copied or no zip"):
        clean_children_panel(RawFolder.at(tmp_path))


def test_a_real_panel_with_fewer_rows_than_released_is_refused(small: Path) -> None:
    (small / "manifest.toml").unlink()
    with pytest.raises(SourceError, match="expected 13,830"):
        clean_children_panel(RawFolder.at(small))


def test_without_household_files_there_is_no_juntos_status(small: Path) -> None:
    for path in [*small.rglob("*household.tab"), *small.rglob("*householdlevel.tab")]:
        path.unlink()
    with pytest.raises(SourceError, match="no other file has Juntos start dates") as told:
        build_juntos_status(RawFolder.at(small))
    assert "pe_yc_householdlevel" in told.value.remedy


def test_without_their_files_scores_siblings_and_places_say_so(tmp_path: Path) -> None:
    write_young_lives(tmp_path, seed=1, share=0.05, studies=(7483,))
    for path in (tmp_path / "young_lives").rglob("*_irt_scores.tab"):
        path.unlink()
    raw = RawFolder.at(tmp_path)
    for clean, what in (
        (clean_tests, "scores"),
        (clean_siblings, "siblings"),
        (clean_community_exposure, "community"),
    ):
        with pytest.raises(SourceError, match=what):
            clean(raw)


def test_synthetic_files_never_go_where_others_lie(tmp_path: Path) -> None:
    place = tmp_path / "young_lives"
    place.mkdir()
    kept = place / "peru_constructed.dta"
    kept.write_bytes(b"somebody's")
    with pytest.raises(SourceError, match="not marked as synthetic"):
        write_young_lives(tmp_path, seed=1, share=0.05)
    assert kept.read_bytes() == b"somebody's"


def test_a_toml_says_where_files_lie(small: Path) -> None:
    path = next(small.rglob("pe_yc_householdlevel.tab"))
    moved = small / "elsewhere.tab"
    path.rename(moved)
    listing = small / "files.toml"
    listing.write_text(
        'synthetic = true\n[young_lives.3]\nhousehold_younger = "elsewhere.tab"\n', encoding="utf-8"
    )
    found = find_file(RawFolder.at(listing), load_deposit().file("household_younger", 3))
    assert found is not None
    assert found.path == moved
