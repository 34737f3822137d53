"""One command writes every survey, and one cleans whatever lies in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from juntos_eval.cli import app
from juntos_eval.surveys.store import read_table

runner = CliRunner()


def call(*arguments: object) -> Result:
    return runner.invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("all") / "raw"
    choice = ("--years", "2015", "--modules", "34,7483", "--households", 300, "--share", 0.05, "--seed", 4)
    result = call("synthetic", folder, "--survey", "enaho,endes,young-lives", *choice)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("SYNTHETIC DATA") == 3
    return folder


def test_every_survey_lies_in_one_folder(written: Path) -> None:
    assert (written / "enaho/2015/sumaria-2015.dta").is_file()
    assert (written / "endes/2015/RECH0.SAV").is_file()
    assert [path.name for path in (written / "young_lives").iterdir()] == ["UKDA-7483-stata"]
    examined = json.loads(call("doctor", "--data-raw", written, "--root", written, "--json").stdout)
    # 34 alone of ENAHO, one study of Young Lives: the rest is missing, nothing is damaged
    assert {found["kind"] for found in examined["findings"]} == {"missing"}


def test_one_command_cleans_all_of_it(written: Path, tmp_path: Path) -> None:
    result = call("clean", "--data-raw", written, "--root", tmp_path)
    assert result.exit_code == 0, result.output
    clean = tmp_path / "data_clean" / "synthetic-data"
    made = {path.relative_to(clean).as_posix() for path in clean.rglob("*.parquet")}
    assert {"enaho/sumaria_2015.parquet", "endes/children_2015.parquet"} < made
    assert "young_lives/children_panel.parquet" in made
    for name in made:
        assert read_table(clean / name).provenance.is_synthetic
    refused = call("estimates", "--data-raw", written, "--root", tmp_path)
    assert refused.exit_code == 2
    assert "need ENAHO 2024 and 2025" in refused.stderr
    assert "fetch enaho --years 2024,2025 --modules 02,37" in refused.stderr


@pytest.mark.parametrize(
    ("survey", "small", "tables"),
    [
        ("endes", ("--households", 300), {"households_2019", "children_2019"}),
        ("young_lives", ("--share", 0.05, "--modules", 7483), {"children_panel"}),
        (
            "enaho_panel",
            ("--households", 300, "--years", 2011, "--modules", "34,03"),
            {"sumaria_2011", "education_2011", "attrition_2011"},
        ),
    ],
)
def test_a_folder_of_one_survey_is_cleaned(
    survey: str, small: tuple[object, ...], tables: set[str], tmp_path: Path
) -> None:
    raw = tmp_path / "data_raw"
    assert call("synthetic", raw, "--survey", survey, *small).exit_code == 0
    # without --data-raw: a folder of one survey is not taken for an empty one
    result = call("clean", "--root", tmp_path)
    assert result.exit_code == 0, result.output
    made = list((tmp_path / "data_clean").rglob("*.parquet"))
    assert {path.parent.name for path in made} == {survey}
    assert tables <= {path.stem for path in made}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--survey", "censo"), "no synthetic survey censo"),
        (("--survey", ","), "none named"),
        (("--survey", "endes", "--years", "2025"), "endes has no synthetic files of 2025"),
        (("--survey", "endes", "--modules", "34"), "--modules 34 is an option of enaho, enaho_panel"),
        (("--survey", "enaho_panel", "--years", "2012"), "ask for 2011, 2015, 2016"),
        (("--modules", "7483"), "is an option of young_lives"),
        (("--share", "0.1"), "--share is an option of young_lives"),
        (("--survey", "young_lives", "--years", "2015"), "--years is an option of enaho, enaho_panel, endes"),
        (("--survey", "young_lives", "--share", "0"), "share"),
        (("--modules", "99"), "No module is called 99"),
    ],
)
def test_the_impossible_is_refused_before_anything_is_written(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    result = call("synthetic", tmp_path / "raw", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "raw").exists()
