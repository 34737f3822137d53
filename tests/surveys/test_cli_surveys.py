"""The verbs catalog, fetch and doctor, as a user calls them."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from juntos_eval.cli import app
from juntos_eval.cli.console import plain_errors
from juntos_eval.surveys.catalog import CatalogFile
from juntos_eval.surveys.fetch import Fetched
from juntos_eval.surveys.synthetic.young_lives import write_young_lives
from tests.surveys.invented import invent

runner = CliRunner()


def call(*arguments: object) -> Result:
    return runner.invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return invent().write(tmp_path / "raw").root


def test_catalog_lists_surveys_years_and_studies(raw: Path) -> None:
    result = call("catalog", "--data-raw", raw)
    assert result.exit_code == 0, result.output
    for text in ("enaho_panel", "poverty_map", "1031", "andersen_2015", "2004-2014", "7483"):
        assert text in result.output


def test_catalog_lists_modules_of_years_and_what_is_on_disk(raw: Path) -> None:
    result = call("catalog", "enaho", "--years", "2025", "--modules", "2,37", "--data-raw", raw)
    assert result.exit_code == 0
    assert "115,145" in result.output
    record = json.loads(call("catalog", "enaho", "--years", "2025", "--json", "--data-raw", raw).stdout)
    there = {name for zip_ in record["zips"] for name in zip_["on_disk"]}
    assert {"enaho/2025/Enaho01-2025-200.csv", "enaho/2025/Enaho01-2025-700.csv"} <= there
    assert {need["survey"] for need in record["studies"]} == {"enaho"}
    assert record["zips"][0]["url"].startswith("https://")


def test_young_lives_is_explained(tmp_path: Path) -> None:
    for verb in (("catalog", "young_lives"), ("fetch", "young_lives"), ("fetch", "young-lives")):
        result = call(*verb, "--data-raw", tmp_path)
        assert result.exit_code == 0
        assert "UKDA-7483-stata.zip" in result.output
    record = json.loads(call("catalog", "young_lives", "--json").stdout)
    assert "sanchez_melendez_behrman_2016" in {need["study"] for need in record["studies"]}
    assert len(record["files"]) == 88


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fetch", "enaho", "--years", "1999"), "no year 1999"),
        (("fetch", "enaho", "--years", "soon"), "'soon' is no year"),
        (("fetch", "enaho", "--modules", "1629"), "no module 1629"),
        (("fetch", "enaho", "--format", "xls"), "no format XLS"),
        (("fetch", "censo"), "no survey 'censo'"),
        (("fetch", "endes"), "All years of endes would be"),
        (("catalog", "censo"), "no survey 'censo'"),
        (("doctor", "--data-raw", "/nowhere/at/all"), "There is no raw data here"),
    ],
)
def test_the_impossible_is_named(arguments: tuple[str, ...], message: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Remedy" in result.stderr


def test_fetch_takes_the_preferred_format_of_each_module(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[CatalogFile] = []

    def fetch(files: tuple[CatalogFile, ...], _root: Path, **_: object) -> list[Fetched]:
        asked.extend(files)
        return [Fetched(file=file, outcome="fetched") for file in files]

    monkeypatch.setattr("juntos_eval.surveys.fetch.fetch", fetch)
    result = call("fetch", "endes", "--years", "2020-2021", "--modules", "1629", "--data-raw", tmp_path)
    assert result.exit_code == 0, result.output
    assert [(file.year, file.file_format) for file in asked] == [(2020, "SPSS"), (2021, "STATA")]
    assert "2 zips: 2 fetched" in result.stderr
    asked.clear()
    call("fetch", "enaho", "--years", "2009-2013", "--modules", "02,34,37", "--data-raw", tmp_path)
    assert len(asked) == 15
    assert {file.file_format for file in asked} == {"STATA"}
    asked.clear()
    call("fetch", "enaho", "--years", "2012", "--modules", "34", "--format", "csv", "--data-raw", tmp_path)
    assert [file.file_format for file in asked] == ["CSV"]


def test_what_failed_is_told_and_ends_with_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from juntos_eval.errors import SourceError

    def fetch(files: tuple[CatalogFile, ...], _root: Path, **_: object) -> list[Fetched]:
        error = SourceError("INEI issued it anew", remedy="compare")
        return [Fetched(file=file, outcome="reissued", error=error) for file in files]

    monkeypatch.setattr("juntos_eval.surveys.fetch.fetch", fetch)
    result = call("fetch", "enaho", "--years", "2012", "--modules", "34", "--data-raw", tmp_path)
    assert result.exit_code == 2
    assert "INEI issued it anew" in result.stderr
    assert "1 reissued" in result.stderr


def test_doctor_says_what_to_do_and_its_exit_code(raw: Path, tmp_path: Path) -> None:
    arguments = ("doctor", "--data-raw", raw, "--root", tmp_path)
    result = call(*arguments)
    assert (result.exit_code, "5 raw files" in result.output) == (0, True)
    (raw / "enaho/2025/Enaho01-2025-700.csv").unlink()
    result = call(*arguments)
    assert result.exit_code == 1
    assert "juntos-eval fetch enaho --years 2025 --modules 37" in result.output
    (raw / "enaho/2025/Enaho01-2025-200.csv").write_bytes(b"<html>ocupado</html>")
    result = call(*arguments, "--json")
    assert result.exit_code == 2
    assert [found["kind"] for found in json.loads(result.stdout)["findings"]] == ["web page", "missing"]


def test_doctor_looks_at_what_was_placed_of_young_lives(raw: Path, tmp_path: Path) -> None:
    (raw / "young_lives").mkdir()
    (raw / "young_lives/UKDA-5307-stata.zip").write_bytes(b"<html>login</html>")
    result = call("doctor", "--data-raw", raw, "--root", tmp_path, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["findings"][0]["kind"] == "web page"
    (raw / "young_lives/UKDA-5307-stata.zip").unlink()
    result = call("doctor", "--data-raw", raw, "--root", tmp_path)
    assert result.exit_code == 1
    assert "UKDA-7483-stata.zip" in result.output


def test_doctor_goes_through_young_lives_files(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    write_young_lives(raw, seed=1, share=0.05, studies=(7483, 5307))
    arguments = ("doctor", "--data-raw", raw, "--root", tmp_path, "--json")
    assert call("clean", "--data-raw", raw, "--root", tmp_path).exit_code == 0
    sound = json.loads(call(*arguments).stdout)
    assert sound["exit_code"] == 1
    assert {found["kind"] for found in sound["findings"]} == {"missing"}
    assert sound["raw_files"] > 3
    panel = next((raw / "young_lives").rglob("peru_constructed.*"))
    (raw / "manifest.toml").write_text("synthetic = true\n", encoding="utf-8")
    whole = panel.read_bytes()
    panel.write_bytes(whole[: len(whole) // 2])
    cut = json.loads(call(*arguments).stdout)
    assert cut["exit_code"] == 2
    assert cut["findings"][0]["path"].endswith(panel.name)
    write_young_lives(tmp_path / "other", seed=2, share=0.05, studies=(7483,))
    panel.write_bytes(next((tmp_path / "other").rglob(panel.name)).read_bytes())
    again = json.loads(call(*arguments).stdout)["findings"]
    assert {found["path"] for found in again if found["kind"] == "stale"} >= {
        "young_lives/children_panel.parquet"
    }


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_in_words(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, plain_errors():
        raise OSError(number, "No space left on device", "data_raw/a.zip")
    assert left.value.exit_code == 2
    assert "The disk is full [data_raw/a.zip]" in capsys.readouterr().err
    with pytest.raises(PermissionError), plain_errors():
        raise PermissionError(errno.EACCES, "denied")
