"""The clean tables of Young Lives against the raw files that they are made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from juntos_eval.paths import RawFolder
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.store import read_table, write_table
from juntos_eval.surveys.synthetic.young_lives import YoungLivesTruth
from juntos_eval.surveys.synthetic.young_lives.round_files import _with_doubles
from juntos_eval.surveys.young_lives import (
    JuntosStatus,
    availability,
    clean_attrition,
    clean_child_work,
    clean_children_panel,
    clean_community_exposure,
    clean_siblings,
    clean_tests,
    compare_wealth,
    load_deposit,
    unanswered_reason,
)
from juntos_eval.surveys.young_lives.attrition import attrition_of
from juntos_eval.surveys.young_lives.clean import HOURS, score_within_age
from juntos_eval.surveys.young_lives.open_table import open_study_table
from juntos_eval.surveys.young_lives.wealth import DURABLES, SERVICES, durables_index, housing_index
from juntos_eval.surveys.young_lives.work import work_of

Change = Callable[[str, Callable[[pd.DataFrame], pd.DataFrame]], RawFolder]
Whole = tuple[Path, YoungLivesTruth]


@pytest.fixture(scope="module")
def panel(whole: Whole) -> pd.DataFrame:
    return clean_children_panel(RawFolder.at(whole[0])).frame


def _raw(whole: Whole) -> pd.DataFrame:
    path = next(whole[0].rglob("peru_constructed.dta"))
    return pd.read_stata(path, convert_categoricals=False, convert_dates=False)


def test_the_map_has_the_215_columns_of_the_release_in_their_order() -> None:
    columns = [column for column in load_codebook("young_lives").columns if column.table == "panel"]
    assert len(columns) == 215
    assert [column.raw["undated"].split("|")[0] for column in columns[:4]] == [
        "childid",
        "yc",
        "round",
        "inround",
    ]
    assert all(column.label_es and column.label_en for column in columns)


def test_the_panel_holds_the_seen_and_accounts_for_the_rest(whole: Whole) -> None:
    made = clean_children_panel(RawFolder.at(whole[0]))
    assert made.provenance.rows_in == 13_830
    seen = [sum(pair) for pair in zip(*whole[1].seen.values(), strict=True)]
    assert made.frame.groupby("round").size().tolist() == seen
    assert made.provenance.dropped == {"child not seen in the round": 13_830 - sum(seen)}
    assert made.provenance.is_synthetic


def test_what_is_no_answer_is_missing_and_counted(whole: Whole, panel: pd.DataFrame) -> None:
    raw = _raw(whole)
    notes = clean_children_panel(RawFolder.at(whole[0])).provenance.notes
    unknown = int(raw["chheight"].eq(-9999).sum())
    assert unknown > 0
    assert notes["height_cm: not_known"] == unknown
    assert panel["height_cm"].min() > 30
    for code, value in ((77, "not_known"), (88, "not_applicable"), (99, "missing")):
        assert notes[f"is_enrolled: {value}"] == int(raw["enrol"].eq(code).sum())


def test_stunting_follows_from_height_and_its_flag(panel: pd.DataFrame) -> None:
    flagged = panel["is_haz_flagged"].eq(other=True).fillna(value=False)
    assert flagged.sum() > 5
    assert panel.loc[flagged, "is_stunted"].isna().all()
    known = panel["haz"].notna() & ~flagged
    assert (panel.loc[known, "is_stunted"] == panel.loc[known, "haz"].lt(-2)).all()
    released = panel.loc[known, "stunting_released"].ne("not_stunted")
    assert (released == panel.loc[known, "is_stunted"].astype(bool)).all()


def test_a_released_stunting_that_contradicts_its_score_is_counted(change: Change) -> None:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        tall = frame.index[pd.to_numeric(frame["zhfa"], errors="coerce").gt(-1)][:4]
        frame.loc[tall, "stunting"] = "2"
        return frame

    notes = clean_children_panel(change("peru_constructed", spoil)).provenance.notes
    assert notes["stunting_released: another than its z-score haz gives"] == 4


def test_released_scores_are_those_of_the_measurements(panel: pd.DataFrame) -> None:
    # what sizes written to 0.1 cm and 0.1 kg leave open; an age rounded over the seam of two tables more
    for name, most in (("haz", 0.045), ("waz", 0.045), ("baz", 0.1)):
        difference = (panel[name] - panel[f"{name}_remade"]).abs().dropna()
        assert len(difference) > 5_000
        assert difference.quantile(0.998) < most
    assert panel.loc[panel["age_months"] > 230, "haz_remade"].isna().all()


def test_a_released_score_that_its_measurements_do_not_give_is_counted(change: Change) -> None:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        known = frame.index[(frame["round"] == "3") & frame["chheight"].ne("-9999") & (frame["zhfa"] != " ")][
            :4
        ]
        frame.loc[known, "zhfa"] = "0.5"
        frame.loc[known, "stunting"] = "0"
        return frame

    before = clean_children_panel(change("peru_constructed", lambda frame: frame)).provenance.notes
    note = "haz: another than height, weight, age and sex give"
    assert note not in before
    made = clean_children_panel(change("peru_constructed", spoil))
    assert made.provenance.notes[note] == 4


def test_what_a_round_does_not_ask_is_missing_with_a_reason(panel: pd.DataFrame) -> None:
    table = availability(panel, ("paid_work_hours", "has_juntos_released", "haz", "wealth_index"))
    asked = table[table["is_expected"]]
    silent = table[~table["is_expected"]]
    assert (asked["answered"] > 0).all()
    assert (silent["answered"] == 0).all()
    assert (silent["reason"] != "").all()
    assert unanswered_reason("haz", cohort="older", survey_round=5) == "The reference ends at age 19"


def test_answers_where_none_were_asked_are_counted(change: Change) -> None:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[(frame["round"] == "1") & (frame["inround"] == "1"), "hwork"] = "2"
        return frame

    made = clean_children_panel(change("peru_constructed", spoil))
    first = int(made.frame["round"].eq(1).sum())
    assert made.provenance.notes["paid_work_hours: answers in rounds that do not ask it"] == first


def test_the_other_naming_scheme_is_read(change: Change) -> None:
    names = {"chsex": "sex", "panel12345": "panel", "inround": "inround_ch", "childloc": "chlocation"}
    raw = change("peru_constructed", lambda frame: frame.rename(columns=names))
    made = clean_children_panel(raw).frame
    assert made["sex"].notna().all()
    assert made["is_living_in_household"].notna().all()


def test_optional_columns_that_an_edition_lacks_are_missing(change: Change) -> None:
    raw = change(
        "peru_constructed", lambda frame: frame.drop(columns=["credit", "foodsec", "numante", "placeid"])
    )
    made = clean_children_panel(raw).frame
    for name in ("has_credit", "food_situation", "antenatal_visits", "community_id"):
        assert made[name].isna().all()


def test_work_is_built_from_hours(whole: Whole) -> None:
    raw = _raw(whole)
    made = clean_child_work(RawFolder.at(whole[0])).frame
    asked = raw[raw["round"].ge(2) & raw["inround"].eq(1) & raw["hwork"].notna()]
    share = (asked["htask"].add(asked["hwork"]).gt(0)).mean()
    assert made["is_working"].mean() == pytest.approx(share)
    assert set(made["round"]) == {2, 3, 4, 5}


def test_a_part_that_is_missing_leaves_a_sum_missing_but_not_a_yes() -> None:
    day = {name: [1.0, 1.0] for name in HOURS} | {
        "paid_work_hours": [np.nan, np.nan],
        "family_work_hours": [2.0, 0.0],
    }
    made = work_of(pd.DataFrame({"child_id": ["a", "b"], "round": [3, 3], "cohort": ["younger"] * 2, **day}))
    assert made["work_hours"].isna().all()
    assert made["is_working"].tolist() == [True, pd.NA]


def test_hours_other_than_in_the_round_file_are_counted(change: Change) -> None:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        rows = frame.index[frame["ACTPAYR4"].isin(["0", "1", "2"])][:3]
        frame.loc[rows, "ACTPAYR4"] = "9"
        return frame

    notes = clean_child_work(change("pe_r4_ycch_youngerchild", spoil)).provenance.notes
    assert notes["pe_r4_ycch_youngerchild: paid_work_hours other than in the panel"] == 3


def test_scores_come_from_each_rounds_file(whole: Whole) -> None:
    made = clean_tests(RawFolder.at(whole[0]))
    frame = made.frame
    raw = open_study_table(RawFolder.at(whole[0]), "cognitive_younger", 4).frame
    of_round = frame.query("round == 4 and test == 'maths' and cohort == 'younger'").set_index("child_id")[
        "raw"
    ]
    both = raw.set_index("child_id")["maths_raw"].reindex(of_round.index)
    pd.testing.assert_series_equal(of_round, both, check_names=False)
    assert made.provenance.notes["pe_yc_childlevel: rows out: double row that the codebook names"] == 3
    assert frame.query("cohort == 'older'")["raw"].isna().all()
    assert set(frame.query("cohort == 'older' and test == 'ppvt'")["round"]) == {2, 3}
    assert frame.query("test == 'ppvt' and round == 3")["language_code"].dropna().eq(4).all()


def test_the_double_row_that_is_dropped_is_the_one_named(whole: Whole) -> None:
    table = open_study_table(RawFolder.at(whole[0]), "child_younger", 3)
    rows = table.frame[table.frame["child_id"].isin(["PE031085", "PE091051", "PE171035"])]
    assert len(rows) == rows["child_id"].nunique()
    for child, sibling in (("PE031085", 17), ("PE091051", 18), ("PE171035", 4)):
        kept = rows.loc[rows["child_id"] == child, "sibling_id"]
        assert not kept.eq(sibling).any() or child == "PE171035"


def test_scores_within_age_have_mean_0_and_deviation_1(whole: Whole) -> None:
    frame = clean_tests(RawFolder.at(whole[0])).frame
    known = frame[frame["z_within_age"].notna()]
    grouped = known.groupby(["test", "round", "cohort", "age_years"], observed=True)["z_within_age"]
    np.testing.assert_allclose(grouped.mean(), 0.0, atol=1e-9)
    np.testing.assert_allclose(grouped.std(), 1.0, atol=1e-9)


def test_too_few_of_an_age_have_no_score() -> None:
    made = score_within_age(pd.Series([1.0, 2.0, 3.0, 4.0]), [pd.Series([7, 7, 7, 7])])
    assert made.isna().all()
    same = score_within_age(pd.Series([3.0] * 6), [pd.Series([7] * 6)])
    assert same.isna().all()


def test_siblings_are_measured_from_round_3_and_joined_by_line(whole: Whole, status: JuntosStatus) -> None:
    raw = RawFolder.at(whole[0])
    made = clean_siblings(raw, status.table.frame).frame
    third = made[made["round"] == 3]
    measured = open_study_table(raw, "sibling_younger", 3).frame
    assert third["haz"].notna().sum() == measured["sibling_1_haz"].notna().sum() == 813
    assert third["line"].notna().all()
    assert third["age_years"].notna().all()
    assert third["ppvt_raw"].notna().sum() > 780
    later = made[made["round"] > 3]
    assert later["line"].isna().all()
    exposed = made[made["months_exposed"].gt(0)]
    assert exposed.loc[exposed["round"] == 3, "age_at_start_years"].notna().all()


def test_siblings_without_exposure_are_still_siblings(whole: Whole) -> None:
    made = clean_siblings(RawFolder.at(whole[0])).frame
    assert made["months_exposed"].isna().all()
    assert made["haz"].notna().any()


def test_a_tested_sibling_that_nobody_measured_is_one_more(change: Change) -> None:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        rows = frame.index[frame["sibid"].str.strip() != ""][:2]
        frame.loc[rows, "sibid"] = "25"
        return frame

    made = clean_siblings(change("pe_yc_childlevel", spoil)).frame
    extra = made[made["line"].eq(25)]
    assert len(extra) == 2
    assert extra["sibling"].eq(2).all()
    assert extra["haz"].isna().all()


def test_communities_know_whether_juntos_operates(whole: Whole) -> None:
    made = clean_community_exposure(RawFolder.at(whole[0])).frame
    assert made["community_id"].str.fullmatch(r"PE\d\dC\d\d").all()
    assert made.query("round == 3 and questionnaire == 'mini_community'")["juntos_operates"].isna().sum() == 1
    both = made[made["juntos_operated_3_years_ago"].eq(other=True).fillna(value=False)]
    assert both["juntos_operates"].all()
    assert made["children_seen"].sum() > 0


def test_attrition_is_that_of_the_published_sizes(whole: Whole) -> None:
    made = clean_attrition(RawFolder.at(whole[0])).frame
    sizes = {"younger": [2052, 1963, 1943, 1902, 1860], "older": [714, 685, 678, 635, 608]}
    for cohort, seen in sizes.items():
        rows = made[made["cohort"] == cohort]
        assert rows["seen"].tolist() == seen
        np.testing.assert_allclose(rows["seen"] + rows["deceased"] + rows["not_seen"], rows["enrolled"])
    assert made["returned"].sum() > 0


def test_attrition_by_hand() -> None:
    seen = {"a": "yyyyy", "b": "ynyyn", "c": "ynnnn", "d": "yynnn"}
    rows = pd.DataFrame(
        [
            {
                "child_id": child,
                "round": place + 1,
                "cohort": "older",
                "is_seen": "yes" if mark == "y" else "no",
                "is_deceased": "yes" if child == "d" and place == 4 else None,
            }
            for child, marks in seen.items()
            for place, mark in enumerate(marks)
        ]
    )
    made = attrition_of(rows)
    assert made["seen"].tolist() == [4, 2, 2, 2, 1]
    assert made["deceased"].tolist() == [0, 0, 1, 1, 1]
    assert made["returned"].tolist() == [0, 0, 1, 0, 0]
    assert made["seen_in_all_so_far"].tolist() == [4, 2, 1, 1, 1]
    assert made["attrition_of_living"].tolist() == pytest.approx([0, 0.5, 1 / 3, 1 / 3, 2 / 3])


def test_wealth_by_hand_and_against_the_release(panel: pd.DataFrame) -> None:
    home = {"rooms": [2.0, 6.0, 4.0], "household_size": [4.0, 4.0, 4.0], "has_good_floor": [1.0, None, 0.0]}
    made = housing_index(
        pd.DataFrame(home | {"has_good_roof": [0.0, 1.0, 0.0], "has_good_wall": [0.0, 1.0, 1.0]})
    )
    # rooms a person 0.5, 1.5, 1.0 -> 0, 1, 0.5; a missing floor enters as 0
    assert made.tolist() == pytest.approx([1 / 4, 3 / 4, 1.5 / 4])
    assert durables_index(pd.DataFrame({name: [1.0] for name in DURABLES})).tolist() == [1.0]
    table = compare_wealth(panel)
    assert set(table["index"]) == {"wealth_index", "services_index"}
    assert table["differing"].sum() == 0
    assert (table["compared"] > 500).all()


def test_a_released_index_that_its_parts_do_not_give_is_counted(change: Change) -> None:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        rows = frame.index[frame["wi"].str.strip() != ""][:5]
        frame.loc[rows, "wi"] = "0.999"
        return frame

    notes = clean_children_panel(change("peru_constructed", spoil)).provenance.notes
    assert notes["wealth_index: another than its parts give"] == 5
    assert "services_index: another than its parts give" not in notes


def test_a_missing_service_enters_as_0(panel: pd.DataFrame) -> None:
    rows = panel.head(50).copy()
    rows[SERVICES[0]] = pd.NA
    table = compare_wealth(rows.assign(**{SERVICES[0]: pd.array([None] * len(rows), dtype="boolean")}))
    had = panel.head(50)[SERVICES[0]].fillna(value=False)
    assert table.query("index == 'services_index'")["differing"].sum() == int(had.sum())


def test_every_clean_table_can_be_stored_with_its_account(
    small: Path, tmp_path: Path, status: JuntosStatus
) -> None:
    raw = RawFolder.at(small)
    for clean in (
        clean_children_panel,
        clean_child_work,
        clean_tests,
        clean_siblings,
        clean_community_exposure,
    ):
        made = clean(raw)
        path = write_table(made.frame, tmp_path / f"{made.provenance.table}.parquet", made.provenance)
        back = read_table(path)
        pd.testing.assert_frame_equal(back.frame, made.frame)
        assert back.provenance == made.provenance
    path = write_table(status.table.frame, tmp_path / "juntos_status.parquet", status.table.provenance)
    assert read_table(path).provenance.details["coding"][0]["cohort"] == "younger"


def test_a_false_second_row_is_written_only_where_it_can_be_told_from_the_right_one() -> None:
    file = load_deposit().file("child_younger", 3)
    drawn = {"child_id": np.array(["PE031085", "PE091051", "PE000001"]), "sibling_id": [17.0, 2.0, 17.0]}
    written = pd.Series(_with_doubles(file, drawn)["child_id"]).value_counts().to_dict()
    assert written == {"PE091051": 2, "PE031085": 1, "PE000001": 1}
