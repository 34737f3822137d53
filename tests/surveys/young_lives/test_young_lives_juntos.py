"""Juntos in Young Lives: the contested code, start dates, months of exposure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from juntos_eval.arrays import FrozenMapping
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.harmonise import Harmonised
from juntos_eval.surveys.provenance import InputFile
from juntos_eval.surveys.synthetic.young_lives import YoungLivesModel, YoungLivesTruth, write_young_lives
from juntos_eval.surveys.young_lives import JuntosStatus, build_juntos_status, load_deposit
from juntos_eval.surveys.young_lives.exposure import early_months, first_spell, month_date, months_exposed
from juntos_eval.surveys.young_lives.juntos_coding import decide_coding
from juntos_eval.surveys.young_lives.open_table import StudyTable, open_study_table

Change = Callable[[str, Callable[[pd.DataFrame], pd.DataFrame]], RawFolder]


def _finding(status: JuntosStatus, cohort: str, survey_round: int) -> int | None:
    found = [one for one in status.findings if (one.cohort, one.round) == (cohort, survey_round)]
    assert len(found) == 1
    return found[0].decided


def test_the_contested_code_is_found_and_the_released_flag_called_wrong(
    whole: tuple[Path, YoungLivesTruth], status: JuntosStatus
) -> None:
    assert whole[1].older_round_3_beneficiary_code == 2
    assert _finding(status, "older", 3) == 2
    for cohort, survey_round in (("younger", 3), ("younger", 4), ("younger", 5), ("older", 4), ("older", 5)):
        assert _finding(status, cohort, survey_round) == 1
    check = next(one for one in status.checks if one.name == "juntos_coding_older_round_3")
    assert check.passed is False
    raw = open_study_table(RawFolder.at(whole[0]), "household_older", 3)
    for code in (1, 2):
        assert f"of {int(raw.frame['juntos_answer'].eq(code).sum()):,} answers" in check.detail
    assert "the released flag takes 1" in check.detail
    assert "turned down" in check.detail


def test_the_contradicted_rows_are_those_of_older_round_3_alone(status: JuntosStatus) -> None:
    frame = status.table.frame
    wrong = frame[frame["is_release_contradicted"].eq(other=True).fillna(value=False)]
    assert set(zip(wrong["cohort"], wrong["round"], strict=True)) == {("older", 3)}
    rows = frame[(frame["cohort"] == "older") & (frame["round"] == 3)]
    contested = rows["juntos_answer"].isin(["beneficiary", "turned_down"])
    assert len(wrong) == int(contested.sum())
    note = status.table.provenance.notes["released Juntos flag contradicted by the answers"]
    assert note == len(wrong)


def test_a_wrong_label_does_not_mislead(tmp_path: Path) -> None:
    write_young_lives(
        tmp_path, seed=5, share=0.5, model=YoungLivesModel(older_coding="label_wrong"), studies=(7483, 6853)
    )
    made = build_juntos_status(RawFolder.at(tmp_path))
    assert _finding(made, "older", 3) == 1
    check = next(one for one in made.checks if one.name == "juntos_coding_older_round_3")
    assert check.passed is True
    assert "the dictionary says 2" in check.detail
    assert not made.table.frame["is_release_contradicted"].eq(other=True).any()


def test_answers_that_do_not_tell_are_left_missing_and_counted(tmp_path: Path) -> None:
    write_young_lives(
        tmp_path, seed=5, share=0.5, model=YoungLivesModel(older_coding="mixed"), studies=(7483, 6853)
    )
    raw = RawFolder.at(tmp_path)
    made = build_juntos_status(raw)
    assert _finding(made, "older", 3) is None
    check = next(one for one in made.checks if one.name == "juntos_coding_older_round_3")
    assert check.passed is None
    answers = open_study_table(raw, "household_older", 3).frame["juntos_answer"]
    contested = int(answers.isin([1, 2]).sum())
    assert contested > 0
    note = "older cohort, round 3: answers whose code was not decided"
    assert made.table.provenance.notes[note] == contested
    rows = made.table.frame.query("cohort == 'older' and round == 3")
    assert not rows["juntos_answer"].isin(["beneficiary", "turned_down"]).any()
    assert rows["months_exposed"][rows["juntos_answer"].isna()].isna().all()


def test_findings_travel_with_the_table(status: JuntosStatus) -> None:
    details = status.table.provenance.details
    assert [one["decided"] for one in details["coding"] if one["cohort"] == "older"] == [2, 1, 1]
    assert {one["name"] for one in details["checks"]} >= {
        "juntos_released_flag",
        "juntos_beneficiaries_have_a_start",
    }


def test_months_of_exposure_are_those_of_the_dates(
    whole: tuple[Path, YoungLivesTruth], status: JuntosStatus
) -> None:
    frame = status.table.frame
    exposed = frame[
        frame["exposure_status"].eq("exposed") & frame["is_juntos"].eq(other=True).fillna(value=False)
    ]
    assert len(exposed) > 1_000
    by_hand = (
        pd.to_datetime(exposed["interview_date"]) - pd.to_datetime(exposed["first_start_date"])
    ).dt.days / (365 / 12)
    np.testing.assert_allclose(exposed["months_exposed"], by_hand, atol=1e-9)
    truth = whole[1].effect("haz", cohort="younger", survey_round=3)
    younger = frame[(frame["cohort"] == "younger") & (frame["round"] == 3)]
    # who enters in the month of the interview, or gives no year, is exposed in truth and not in the files
    assert abs(int(younger["months_exposed"].gt(0).sum()) - truth.exposed) < 0.05 * truth.exposed


def test_nobody_was_exposed_before_the_programme(status: JuntosStatus) -> None:
    first = status.table.frame.query("round == 1")
    assert first["months_exposed"].eq(0).all()
    assert first["is_juntos"].isna().all()
    assert not first["is_asked"].any()


def test_exposure_groups_and_early_months_follow_from_months(status: JuntosStatus) -> None:
    frame = status.table.frame
    known = frame["months_exposed"].notna()
    assert frame.loc[~known, "exposure_group"].isna().all()
    assert frame.loc[frame["months_exposed"].ge(24), "exposure_group"].eq("2_years_or_more").all()
    early = frame["months_exposed_by_36"]
    assert early[known].notna().all()
    assert (early[known] <= frame["months_exposed"][known] + 1e-9).all()
    assert early[frame["cohort"] == "older"].fillna(0).eq(0).all()


def _rows(**changes: object) -> pd.DataFrame:
    day = pd.Timestamp("2009-10-01")
    row = {
        "round": 3,
        "interview": day,
        "is_asked": True,
        "juntos_answer": "beneficiary",
        "start": pd.Timestamp("2006-10-01"),
        "end": pd.NaT,
        "has_ever": True,
        "answered": True,
        "has_early_start": False,
        "has_late_start": False,
        "has_left": False,
        "last_round": 3.0,
    }
    return pd.DataFrame([row | changes]).astype({"start": "datetime64[s]", "end": "datetime64[s]"})


@pytest.mark.parametrize(
    ("changes", "status", "months"),
    [
        ({}, "exposed", 36.03),
        ({"interview": pd.Timestamp("2002-10-01"), "round": 1}, "not_exposed", 0.0),
        ({"has_ever": False, "start": pd.NaT, "juntos_answer": "never"}, "not_exposed", 0.0),
        ({"juntos_answer": None}, "answer_missing", None),
        ({"start": pd.NaT}, "start_unknown", None),
        ({"start": pd.NaT, "has_late_start": True}, "start_after_interview", None),
        ({"start": pd.NaT, "has_early_start": True}, "start_before_programme", None),
        ({"juntos_answer": "left", "has_left": True}, "end_unknown", None),
        ({"juntos_answer": "left", "has_left": True, "end": pd.Timestamp("2007-10-01")}, "exposed", 12.0),
        ({"start": pd.Timestamp("2010-05-01"), "last_round": 4.0}, "not_exposed", 0.0),
    ],
)
def test_each_reason_for_months(changes: dict[str, object], status: str, months: float | None) -> None:
    made = months_exposed(_rows(**changes)).iloc[0]
    assert made["status"] == status
    assert (
        made["months_exposed"] == pytest.approx(months, abs=0.01)
        if months is not None
        else np.isnan(made["months_exposed"])
    )


def test_a_start_before_the_programme_or_after_the_interview_is_no_start() -> None:
    rows = pd.DataFrame(
        {
            "child_id": ["a", "b"],
            "round": 3,
            "juntos_answer": "beneficiary",
            "start": pd.to_datetime(["2003-01-01", "2010-01-01"]),
            "end": pd.to_datetime(pd.Series([None, None], dtype="str")),
            "interview": pd.to_datetime(["2009-10-01", "2009-10-01"]),
        }
    )
    spells = first_spell(rows)
    assert spells["start"].isna().all()
    assert spells.loc["a", "has_early_start"]
    assert spells.loc["b", "has_late_start"]


def test_an_unknown_month_is_mid_year_and_an_unknown_year_is_unknown() -> None:
    made = month_date(pd.Series([2007.0, np.nan, 2007.0]), pd.Series([np.nan, 3.0, 12.0]))
    assert made.dt.strftime("%Y-%m-%d").fillna("").tolist() == ["2007-07-01", "", "2007-12-01"]


def test_early_months_stop_at_leaving_at_three_and_now() -> None:
    months = pd.Series([10.0, 30.0, 5.0])
    at_start, now = pd.Series([10.0, 30.0, -3.0]), pd.Series([90.0, 90.0, 2.0])
    assert early_months(months, at_start, now).tolist() == [10.0, 6.0, 2.0]


def test_a_missing_round_is_named_and_leaves_the_others(change: Change, small: Path) -> None:
    next(small.rglob("pe_r4_ychh_youngerhousehold.tab")).unlink()
    made = build_juntos_status(change("peru_constructed", lambda frame: frame))
    notes = made.table.provenance.notes
    assert any("household_younger of round 4" in note for note in notes)
    rows = made.table.frame.query("cohort == 'younger' and round == 4")
    assert rows["is_juntos"].isna().all()


def _household(answers: list[tuple[int, bool, bool]]) -> StudyTable:
    """Invent a household file of (code, has a start, has received) by row."""
    frame = pd.DataFrame(answers, columns=["code", "has_start", "is_paid"])
    frame = pd.DataFrame(
        {
            "child_id": [f"PE01{row:04d}" for row in range(len(frame))],
            "juntos_answer": frame["code"].astype(float),
            "juntos_start_year": np.where(frame["has_start"], 2006.0, np.nan),
            "has_received_juntos": pd.Categorical(np.where(frame["is_paid"], "yes", "no")),
            "juntos_amount_soles": np.nan,
        }
    )
    source = InputFile(name="a.dta", sha256="", size_bytes=1, rows=len(frame), encoding=None)
    return StudyTable(
        file=load_deposit().file("household_older", 3),
        opened=Harmonised(frame=frame, source=source, notes=FrozenMapping()),
        labels=FrozenMapping(),
        dropped=FrozenMapping(),
    )


@pytest.mark.parametrize(
    ("answers", "decided"),
    [
        # half of those of code 2 have both, none of code 1
        ([(2, True, True)] * 5 + [(2, False, False)] * 5 + [(1, False, False)] * 9, 2),
        # one short of half
        ([(2, True, True)] * 4 + [(2, False, False)] * 5 + [(1, False, False)] * 9, None),
        # a start without receipt does not count
        ([(2, True, False)] * 9 + [(1, False, False)] * 9, None),
        # a fifth of the other is let pass, more is not
        ([(1, True, True)] * 9 + [(2, True, True)] + [(2, False, False)] * 4, 1),
        ([(1, True, True)] * 9 + [(2, True, True)] + [(2, False, False)] * 3, None),
        # nobody was turned down
        ([(1, True, True)] * 9 + [(0, False, False)] * 9, 1),
        # both look like beneficiaries, or nobody does
        ([(1, True, True)] * 9 + [(2, True, True)] * 9, None),
        ([(0, False, False)] * 9, None),
    ],
)
def test_the_rule_decides_at_its_thresholds(
    answers: list[tuple[int, bool, bool]], decided: int | None
) -> None:
    finding = decide_coding(_household(answers), cohort="older", survey_round=3)
    assert finding.decided == decided
    assert [one.answers for one in finding.evidence] == [
        sum(row[0] == code for row in answers) for code in (1, 2)
    ]
    assert finding.check().passed is (None if decided is None else decided == 1)
    assert set(finding.meaning()) == ({0, 3} if decided is None else {0, 1, 2, 3})
