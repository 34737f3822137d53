"""What a user meets who asks for the impossible, or for help."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from juntos_eval.cli import app

runner = CliRunner()


def test_help_lists_the_verbs() -> None:
    result = runner.invoke(app, ["--help"])
    assert result.exit_code == 0
    for verb in ("report", "estimates", "clean", "synthetic"):
        assert verb in result.output


def test_a_raw_folder_that_is_not_there(tmp_path: Path) -> None:
    result = runner.invoke(app, ["report", "--data-raw", str(tmp_path / "none"), "--root", str(tmp_path)])
    assert result.exit_code == 2
    assert "There is no raw data here" in result.stderr
    assert not (tmp_path / "reports").exists()


def test_a_raw_folder_without_survey_files(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    result = runner.invoke(app, ["report", "--data-raw", str(tmp_path / "raw"), "--root", str(tmp_path)])
    assert result.exit_code == 2
    assert "enaho/<year>/<file>" in result.stderr


def test_synthetic_files_are_not_written_over_other_files(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = runner.invoke(app, ["synthetic", str(tmp_path), "--households", "400"])
    assert result.exit_code == 2
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_synthetic_files_of_any_years_and_modules(tmp_path: Path) -> None:
    choice = ["--households", "400", "--years", "2006,2011-2012", "--modules", "34,members"]
    result = runner.invoke(app, ["synthetic", str(tmp_path / "raw"), *choice])
    assert result.exit_code == 0, result.output
    written = {path.name for path in (tmp_path / "raw" / "enaho").rglob("*.dta")}
    assert written == {f"{n}.dta" for y in (2006, 2011, 2012) for n in (f"sumaria-{y}", f"enaho01-{y}-200")}
    refused = runner.invoke(app, ["synthetic", str(tmp_path / "other"), "--modules", "99"])
    assert refused.exit_code == 2
    assert "No module is called 99" in refused.stderr


def test_synthetic_files_say_so(tmp_path: Path) -> None:
    result = runner.invoke(app, ["synthetic", str(tmp_path / "raw"), "--households", "400", "--seed", "3"])
    assert result.exit_code == 0, result.output
    assert "SYNTHETIC DATA" in result.stderr
    assert (tmp_path / "raw" / "SYNTHETIC_DATA.txt").is_file()
