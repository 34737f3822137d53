"""Clean tables on disk: what is read is what was written, and nothing half-written is left."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from juntos_eval.errors import SourceError
from juntos_eval.surveys.enaho import clean_members
from juntos_eval.surveys.provenance import CleanTable, Provenance
from juntos_eval.surveys.store import provenance_path, read_table, write_table
from tests.surveys.invented import RawSurvey


@pytest.fixture
def members(survey: RawSurvey, tmp_path: Path) -> CleanTable:
    return clean_members(survey.write(tmp_path / "raw"), 2025)


def test_a_table_and_its_provenance_come_back_the_same(members: CleanTable, tmp_path: Path) -> None:
    path = write_table(members.frame, tmp_path / "clean" / "members_2025.parquet", members.provenance)
    back = read_table(path)
    pd.testing.assert_frame_equal(back.frame, members.frame)
    assert back.provenance == members.provenance
    assert back.provenance.inputs[0].name == "Enaho01-2025-200.csv"
    assert back.provenance.is_synthetic


def test_the_same_table_makes_the_same_bytes(members: CleanTable, tmp_path: Path) -> None:
    paths = [write_table(members.frame, tmp_path / f"{n}.parquet", members.provenance) for n in "ab"]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert provenance_path(paths[0]).read_bytes() == provenance_path(paths[1]).read_bytes()


def test_an_exception_leaves_the_old_table_and_no_partial_one(
    members: CleanTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_table(members.frame, tmp_path / "members.parquet", members.provenance)

    def fail(_frame: pd.DataFrame, place: Path, **_: object) -> None:
        place.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", fail)
    with pytest.raises(OSError, match="disk full"):
        write_table(members.frame, path, members.provenance)
    monkeypatch.undo()
    assert sorted(entry.name for entry in tmp_path.iterdir() if entry.is_file()) == [
        "members.parquet",
        "members.provenance.json",
    ]
    pd.testing.assert_frame_equal(read_table(path).frame, members.frame)


def test_a_new_table_that_fails_leaves_nothing(
    members: CleanTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_frame: pd.DataFrame, place: Path, **_: object) -> None:
        place.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", fail)
    with pytest.raises(OSError, match="disk full"):
        write_table(members.frame, tmp_path / "clean" / "members.parquet", members.provenance)
    assert list((tmp_path / "clean").iterdir()) == []


def test_a_table_without_provenance_is_not_read(members: CleanTable, tmp_path: Path) -> None:
    path = write_table(members.frame, tmp_path / "members.parquet", members.provenance)
    provenance_path(path).unlink()
    with pytest.raises(SourceError, match=r"missing \[.*members\.provenance\.json"):
        read_table(path)


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]"])
def test_damaged_provenance_is_refused(damage: bytes, members: CleanTable, tmp_path: Path) -> None:
    path = write_table(members.frame, tmp_path / "members.parquet", members.provenance)
    provenance_path(path).write_bytes(damage)
    with pytest.raises(SourceError, match="damaged"):
        read_table(path)


def test_damaged_and_foreign_tables_are_refused(members: CleanTable, tmp_path: Path) -> None:
    path = write_table(members.frame, tmp_path / "members.parquet", members.provenance)
    members.frame.head(3).to_parquet(path)
    with pytest.raises(SourceError, match="the table has 3"):
        read_table(path)
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(SourceError, match="damaged"):
        read_table(path)


def test_provenance_of_another_table_is_not_written(members: CleanTable, tmp_path: Path) -> None:
    other = Provenance(survey="enaho", table="members", year=2025, rows_in=1, rows_out=1)
    with pytest.raises(SourceError, match="speaks of 1 rows"):
        write_table(members.frame, tmp_path / "members.parquet", other)
    assert list(tmp_path.glob("*.parquet")) == []
