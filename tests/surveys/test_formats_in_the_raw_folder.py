"""A module in SPSS, or in the zip as it came, gives the same table as the Stata file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from typer.testing import CliRunner

from juntos_eval.cli import app
from juntos_eval.errors import SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys import enaho
from juntos_eval.surveys.harmonise import open_table
from juntos_eval.surveys.read import RawTable
from juntos_eval.surveys.source import read_table_source
from juntos_eval.surveys.synthetic import write_history

YEAR = 2015
FILES = {"sumaria": f"sumaria-{YEAR}.dta", "members": f"enaho01-{YEAR}-200.dta"}


@pytest.fixture
def raw(tmp_path: Path) -> RawFolder:
    write_history(tmp_path, seed=3, households=300, years=(YEAR,), modules=tuple(FILES))
    (tmp_path / "manifest.toml").write_text("synthetic = true\n", encoding="utf-8")
    return RawFolder.at(tmp_path)


def read_stata(path: Path) -> pd.DataFrame:
    frame = pd.read_stata(path, convert_categoricals=False)
    return frame.rename(columns={"aÑo": "a_o"})


def zip_up(raw: RawFolder, name: str, *members: tuple[str, Path]) -> Path:
    target = raw.root / "enaho" / str(YEAR) / name
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, path in members:
            archive.write(path, inside)
    return target


@pytest.mark.parametrize("table", list(FILES))
def test_spss_files_give_the_same_table(raw: RawFolder, table: str) -> None:
    before = open_table(raw, survey="enaho", table=table, year=YEAR)
    stata = raw.root / "enaho" / str(YEAR) / FILES[table]
    frame = read_stata(stata)
    pyreadstat.write_sav(frame, str(stata.with_suffix(".sav")).replace("enaho01", "Enaho01"))
    stata.unlink()
    after = open_table(raw, survey="enaho", table=table, year=YEAR)
    assert after.source.name.endswith(".sav")
    pd.testing.assert_frame_equal(before.frame, after.frame)


def test_the_zip_as_it_came_is_read(raw: RawFolder) -> None:
    before = enaho.clean_sumaria(raw, YEAR).frame
    stata = raw.root / "enaho" / str(YEAR) / FILES["sumaria"]
    twelve = stata.with_name("other.dta")
    read_stata(stata).drop(columns="pobreza").to_stata(twelve, write_index=False)
    zip_up(
        raw,
        "498-Modulo34.zip",
        (f"498-Modulo34/sumaria-{YEAR}-12.dta", twelve),
        ("x/Sumaria_2015.dta", stata),
    )
    stata.unlink()
    twelve.unlink()
    made = enaho.clean_sumaria(raw, YEAR)
    pd.testing.assert_frame_equal(made.frame, before)
    assert made.provenance.inputs[0].name == "498-Modulo34.zip"
    result = CliRunner().invoke(app, ["doctor", "--data-raw", str(raw.root), "--root", str(raw.root)])
    assert result.exit_code in {0, 1}, result.output


def test_a_zip_that_lies_is_refused_and_a_data_file_is_preferred(raw: RawFolder) -> None:
    stata = raw.root / "enaho" / str(YEAR) / FILES["sumaria"]
    bad = zip_up(raw, "498-Modulo34.zip", (f"../../sumaria-{YEAR}.dta", stata))
    assert len(enaho.clean_sumaria(raw, YEAR).frame)
    stata.unlink()
    with pytest.raises(SourceError, match=r"name|path|outside|climb"):
        enaho.clean_sumaria(raw, YEAR)
    assert bad.is_file()


def test_only_declared_columns_are_held(raw: RawFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    stata = raw.root / "enaho" / str(YEAR) / FILES["members"]
    whole = read_table_source(raw, survey="enaho", table="members", year=YEAR).frame
    wide = read_stata(stata)
    more = pd.DataFrame(1.0, index=wide.index, columns=[f"x{number}" for number in range(300)])
    pd.concat([wide, more], axis=1).to_stata(stata, write_index=False)
    held: list[list[str]] = []

    def watched(*arguments: object, **choices: object) -> RawTable:
        table: RawTable = read(*arguments, **choices)
        held.append(table.frame.columns.tolist())
        return table

    read: Callable[..., RawTable] = read_table_source
    monkeypatch.setattr("juntos_eval.surveys.harmonise.read_table_source", watched)
    opened = open_table(raw, survey="enaho", table="members", year=YEAR)
    assert len(opened.frame) == len(whole)
    assert held == [wide.columns.tolist()]
