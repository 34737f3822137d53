"""dBase files: text stays text, deleted records are gone, and a cut file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapefile

from juntos_eval.errors import SourceError
from juntos_eval.surveys.read import read_raw
from juntos_eval.surveys.read_columns import column_names
from juntos_eval.surveys.read_dbf import dbf_chunks, dbf_fields
from juntos_eval.surveys.read_delimited import TextRules


def write(path: Path, *, rows: int = 300, encoding: str = "latin-1") -> Path:
    with shapefile.Writer(dbf=path, encoding=encoding) as writer:
        writer.field("CONGLOME", "C", size=6)
        writer.field("P203", "N", size=2, decimal=0)
        writer.field("FACTOR07", "N", size=12, decimal=4)
        writer.field("TEXTO", "C", size=20)
        for row in range(rows):
            writer.record(f"{row:06d}", row % 9 if row % 7 else None, row * 0.5, "Ñandú" if row % 2 else "")
    return path


def test_fields_are_as_written(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dbf")
    raw = read_raw(path)
    assert raw.frame["CONGLOME"].tolist()[:2] == ["000000", "000001"]
    assert raw.frame["P203"].isna().sum() == sum(row % 7 == 0 for row in range(300))
    assert raw.frame["FACTOR07"].tolist() == [row * 0.5 for row in range(300)]
    assert raw.frame["TEXTO"].iloc[1] == "Ñandú"
    assert raw.frame["TEXTO"].isna().sum() == 150
    assert raw.encoding == "latin-1"
    assert column_names(path) == ("CONGLOME", "P203", "FACTOR07", "TEXTO")
    assert dbf_fields(path)[0] == ("CONGLOME", "C", 6)


def test_a_declared_code_page_is_believed_and_a_wrong_list_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dbf", encoding="cp850")
    content = bytearray(path.read_bytes())
    content[29] = 0x02
    path.write_bytes(content)
    raw = read_raw(path)
    assert (raw.encoding, raw.frame["TEXTO"].iloc[1]) == ("cp850", "Ñandú")
    plain = write(tmp_path / "b.dbf")
    with pytest.raises(SourceError, match="not in the encoding declared"):
        read_raw(plain, rules=TextRules(encodings=("utf-8",)))


@pytest.mark.parametrize("share", [0.001, 0.30, 0.60, 0.90, 0.99])
def test_half_copied_file_is_refused(share: float, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dbf")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SourceError, match="half-copied"):
        read_raw(path)


def test_deleted_records_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dbf", rows=5)
    content = bytearray(path.read_bytes())
    header, record = int.from_bytes(content[8:10], "little"), int.from_bytes(content[10:12], "little")
    content[header + 2 * record] = ord("*")
    path.write_bytes(content)
    assert read_raw(path).frame["CONGLOME"].tolist() == ["000000", "000001", "000003", "000004"]


def test_pieces_are_the_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dbf")
    assert [len(piece) for piece in dbf_chunks(path, 128, "latin-1")] == [128, 128, 44]


def test_something_else_called_dbf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.dbf").write_bytes(b"CONGLOME;P203\n015009;1\n")
    with pytest.raises(SourceError, match=r"half-copied or damaged|no dBase file"):
        read_raw(tmp_path / "a.dbf")
    (tmp_path / "a.dbf").write_bytes(b"AAA")
    with pytest.raises(SourceError, match="no dBase file"):
        read_raw(tmp_path / "a.dbf")
