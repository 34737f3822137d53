"""Formats, zips, dates and identities, and that synthetic files are a function of their seed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError, SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.synthetic.young_lives import (
    SEEN,
    YoungLivesModel,
    YoungLivesTruth,
    read_young_lives_truth,
    write_young_lives,
)
from juntos_eval.surveys.young_lives import (
    clean_children_panel,
    clean_juntos_status,
    clean_tests,
    load_deposit,
)
from juntos_eval.surveys.young_lives.dates import interview_dates, months_between
from juntos_eval.surveys.young_lives.identity import child_ids, site_of
from juntos_eval.surveys.young_lives.locate import find_file
from juntos_eval.surveys.young_lives.open_table import open_study_table

STUDIES = (5307, 6852, 6853, 7931, 8357, 7483)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, ...]:
    folder = tmp_path_factory.mktemp("mixed")
    write_young_lives(folder, seed=2, share=0.05)
    raw = RawFolder.at(folder)
    return clean_children_panel(raw).frame, clean_tests(raw).frame, clean_juntos_status(raw).frame


@pytest.mark.parametrize("suffix", ["dta", "sav", "tab"])
def test_each_format_gives_the_same_tables(
    tmp_path: Path, mixed: tuple[pd.DataFrame, ...], suffix: str
) -> None:
    write_young_lives(tmp_path, seed=2, share=0.05, formats=dict.fromkeys(STUDIES, suffix))
    raw = RawFolder.at(tmp_path)
    made = (clean_children_panel(raw).frame, clean_tests(raw).frame, clean_juntos_status(raw).frame)
    for one, other in zip(made, mixed, strict=True):
        pd.testing.assert_frame_equal(one, other, atol=1e-6)


def test_zips_of_the_archive_are_read_in_place(tmp_path: Path, mixed: tuple[pd.DataFrame, ...]) -> None:
    write_young_lives(tmp_path / "packed", seed=2, share=0.05, is_zipped=True)
    names = sorted(path.name for path in (tmp_path / "packed" / "young_lives").iterdir())
    assert names == [
        "UKDA-5307-spss.zip",
        "UKDA-6852-tab.zip",
        "UKDA-6853-stata.zip",
        "UKDA-7483-stata.zip",
        "UKDA-7931-spss.zip",
        "UKDA-8357-tab.zip",
    ]
    packed = clean_children_panel(RawFolder.at(tmp_path / "packed"))
    pd.testing.assert_frame_equal(packed.frame, mixed[0])


def test_a_loose_file_goes_before_a_zip_and_stata_before_tab(tmp_path: Path) -> None:
    write_young_lives(tmp_path, seed=2, share=0.05, studies=(7483,), is_zipped=True)
    write_young_lives(tmp_path, seed=2, share=0.05, studies=(7483,), formats={7483: "tab"})
    file = load_deposit().file("panel", None)
    found = find_file(RawFolder.at(tmp_path), file)
    assert found is not None
    assert found.suffix == ".dta"
    write_young_lives(tmp_path, seed=2, share=0.05, studies=(7483,))
    found = find_file(RawFolder.at(tmp_path), file)
    assert found is not None
    assert found.member is None
    assert found.suffix == ".dta"


def test_labels_of_codes_are_kept_where_the_format_has_them(tmp_path: Path) -> None:
    for suffix, has_labels in (("dta", True), ("sav", True), ("tab", False)):
        folder = tmp_path / suffix
        write_young_lives(folder, seed=2, share=0.05, studies=(6853,), formats={6853: suffix})
        table = open_study_table(RawFolder.at(folder), "household_older", 3)
        labels = dict(table.labels.get("juntos_answer", {}))
        assert (labels.get(2.0) == "yes, is a beneficiary") is has_labels


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("is_zipped", [False, True])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, is_zipped: bool) -> None:
    for name, seed in (("one", 4), ("two", 4), ("three", 5)):
        write_young_lives(tmp_path / name, seed=seed, share=0.05, is_zipped=is_zipped)
    one, two, three = (_digests(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    assert one.keys() == three.keys()
    assert one != three


def test_a_study_is_the_same_whichever_others_are_written(tmp_path: Path) -> None:
    write_young_lives(tmp_path / "all", seed=4, share=0.05)
    write_young_lives(tmp_path / "one", seed=4, share=0.05, studies=(7931,))
    one, whole = _digests(tmp_path / "one"), _digests(tmp_path / "all")
    files = [name for name in one if name.startswith("young_lives/")]
    assert len(files) == 6
    assert all(one[name] == whole[name] for name in files)


def test_every_declared_file_is_written_with_its_name_and_size(whole: tuple[Path, YoungLivesTruth]) -> None:
    raw = RawFolder.at(whole[0])
    assert raw.is_synthetic
    for file in load_deposit().files:
        assert find_file(raw, file) is not None, file.label
    for cohort, sizes in SEEN.items():
        assert whole[1].seen[cohort] == list(sizes)
    table = open_study_table(raw, "child_younger", 3)
    assert len(table.frame) == SEEN["younger"][2]
    assert table.opened.source.rows == SEEN["younger"][2] + 3


def test_the_files_say_that_they_are_synthetic(whole: tuple[Path, YoungLivesTruth]) -> None:
    notice = (whole[0] / "SYNTHETIC_DATA_young_lives.txt").read_text(encoding="utf-8")
    assert "no record of a\nreal child" in notice
    assert read_young_lives_truth(whole[0]) == whole[1]


def test_other_surveys_part_of_the_manifest_stays(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text(
        'synthetic = true\nseed = 1\n\n[files."enaho/2025/a.csv"]\nrows = 3\n', encoding="utf-8"
    )
    for _ in range(2):
        write_young_lives(tmp_path, seed=1, share=0.05, studies=(7483,))
    raw = RawFolder.at(tmp_path)
    assert raw.expected[tmp_path / "enaho/2025/a.csv"].rows == 3
    assert len(raw.expected) == 1 + 5


def test_the_planted_effect_is_what_the_model_says(whole: tuple[Path, YoungLivesTruth]) -> None:
    truth, model = whole[1], YoungLivesModel()
    assert truth.effect("maths", cohort="younger", survey_round=5).value == 0.0
    long, short = (
        truth.effect("haz", cohort="younger", survey_round=3, group=group)
        for group in ("2_years_or_more", "under_2_years")
    )
    assert 2 * model.haz_per_year <= long.value <= 4.2 * model.haz_per_year
    assert 0 < short.value < 2 * model.haz_per_year
    assert truth.effect("is_working", cohort="younger", survey_round=3).value < 0
    assert truth.effect("sibling_haz", cohort="younger", survey_round=3).value > 0.2


def test_confounding_fools_the_naive(whole: tuple[Path, YoungLivesTruth]) -> None:
    effect = whole[1].effect("haz", cohort="younger", survey_round=3)
    assert effect.value > 0
    assert effect.naive_gap < 0
    assert effect.naive_did is not None
    assert effect.naive_did < effect.value
    work = whole[1].effect("is_working", cohort="younger", survey_round=3)
    assert work.value < 0 < work.naive_gap


def test_without_a_planted_effect_there_is_none(tmp_path: Path) -> None:
    model = YoungLivesModel(
        haz_per_year=0.0, early_haz_per_year=0.0, work_per_year=0.0, enrolment_per_year=0.0
    )
    truth = write_young_lives(tmp_path, seed=1, share=0.2, studies=(7483,), model=model)
    for outcome in ("haz", "is_stunted", "is_working", "is_enrolled"):
        assert truth.effect(outcome, cohort="younger", survey_round=4).value == 0.0


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"seed": 1, "share": 0.0}, {"seed": 1, "studies": (1234,)}])
def test_a_folder_that_cannot_be_drawn_is_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(DesignError):
        write_young_lives(tmp_path, **wrong)  # type: ignore[arg-type]


def test_an_effect_that_was_not_planted_is_not_given(whole: tuple[Path, YoungLivesTruth]) -> None:
    with pytest.raises(SchemaError, match="No effect on income"):
        whole[1].effect("income", cohort="younger", survey_round=3)


def test_identities_of_every_shape_are_one() -> None:
    for series in (pd.Series([31085]), pd.Series([31085.0]), pd.Series(["31085"]), pd.Series([" pe031085 "])):
        assert child_ids(series, where="a")[0].tolist() == ["PE031085"]
    assert site_of(pd.Series(["PE171035", "PE031085"])).tolist() == [17.0, 3.0]


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(pd.to_datetime(["2009-10-25", "2009-11-03"])),
        pd.Series(["2009-10-25", "2009-11-03"]),
        pd.Series(["2009-10-25 00:00:00", "2009-11-03 00:00:00"]),
        pd.Series(["25/10/2009", "03/11/2009"]),
        pd.Series(["10/25/2009", "11/03/2009"]),
        pd.Series(["25oct2009", "03nov2009"]),
        pd.Series(["25-Oct-2009", "03-Nov-2009"]),
        pd.Series([18195.0, 18204.0]),
        pd.Series(["18195", "18204"]),
        pd.Series([13475808000.0, 13476585600.0]),
    ],
    ids=["datetime", "iso", "iso-time", "dmy", "mdy", "stata", "spss", "days", "days-text", "seconds"],
)
def test_dates_of_every_format_are_one(values: pd.Series) -> None:
    made = interview_dates(values, where="a")
    assert made.dt.strftime("%Y-%m-%d").tolist() == ["2009-10-25", "2009-11-03"]


def test_a_missing_date_stays_missing_and_a_word_is_refused() -> None:
    made = interview_dates(pd.Series(["25/10/2009", " ", None]), where="a")
    assert made.isna().tolist() == [False, True, True]
    with pytest.raises(SchemaError, match="no dates"):
        interview_dates(pd.Series(["ayer"]), where="a")


def test_a_month_is_365_twelfths_of_a_day() -> None:
    days = pd.Series(pd.to_datetime(["2002-08-01"])), pd.Series(pd.to_datetime(["2003-08-01"]))
    assert months_between(*days).tolist() == [12.0]
    assert np.isnan(months_between(pd.Series([pd.NaT], dtype="datetime64[s]"), days[1]).iloc[0])
