"""Raw files to Parquet: what comes back is what was there, in bounded memory, or nothing is written."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyreadstat
import pytest

from juntos_eval.errors import SourceError
from juntos_eval.surveys.extract import MemberRule
from juntos_eval.surveys.read import read_raw
from juntos_eval.surveys.read_delimited import TextRules
from juntos_eval.surveys.to_parquet import to_parquet
from tests.surveys.read.stata_bytes import old_stata
from tests.surveys.read.test_dbf import write as write_dbf
from tests.surveys.read.test_spss import write as write_sav

SMALL = 200_000  # bytes of memory: many pieces even of small files


def write_dta(path: Path, rows: int = 5_000) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    age = rng.integers(0, 99, rows).astype(float)
    age[rows // 2 :: 3] = np.nan  # the first piece has none missing, a later one has
    frame = pd.DataFrame(
        {"conglome": [f"{row:06d}" for row in range(rows)], "factor07": rng.uniform(1, 9, rows)}
    )
    frame["p208a"] = pd.array(age, dtype="Int8")
    frame.to_stata(path, write_index=False, version=118, variable_labels={"p208a": "Edad"})
    return frame


def test_whole_numbers_stay_whole_where_a_later_piece_has_missing_ones(tmp_path: Path) -> None:
    frame = write_dta(tmp_path / "a.dta")
    made = to_parquet(tmp_path / "a.dta", tmp_path / "a.parquet", memory_bytes=SMALL)
    assert (made.rows, made.columns) == (5_000, 3)
    table = pq.read_table(tmp_path / "a.parquet")
    assert str(table.schema.field("p208a").type) == "int8"
    assert table.column("p208a").null_count == int(frame["p208a"].isna().sum())
    assert table.column("conglome").to_pylist() == frame["conglome"].tolist()
    assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups == 4
    column = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"


def test_labels_and_marks_come_back(tmp_path: Path) -> None:
    (tmp_path / "a.dta").write_bytes(old_stata(113))
    to_parquet(tmp_path / "a.dta", tmp_path / "a.parquet")
    before, after = read_raw(tmp_path / "a.dta"), read_raw(tmp_path / "a.parquet")
    assert dict(after.labels.variables) == dict(before.labels.variables)
    assert dict(after.labels.values["p203"]) == {1: "jefe", 2: "cónyuge"}
    assert after.labels.marks["factor07"] == before.labels.marks["factor07"]
    assert after.frame["p203"].tolist()[:2] == [1, 2]
    write_sav(tmp_path / "b.sav")
    to_parquet(tmp_path / "b.sav", tmp_path / "b.parquet", memory_bytes=SMALL)
    again = read_raw(tmp_path / "b.parquet")
    assert again.labels.missing["HC70"] == ((9996.0, 9999.0),)
    pd.testing.assert_frame_equal(again.frame, read_raw(tmp_path / "b.sav").frame, check_dtype=False)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-8-sig"])
def test_text_is_decoded_strictly_in_pieces(encoding: str, tmp_path: Path) -> None:
    lines = [f"{row:06d};Ñandú {row}\r\n" for row in range(20_000)]
    (tmp_path / "a.csv").write_bytes(("CONGLOME;AÑO\r\n" + "".join(lines)).encode(encoding))
    made = to_parquet(tmp_path / "a.csv", tmp_path / "a.parquet", memory_bytes=SMALL)
    assert (made.rows, made.encoding) == (20_000, encoding)
    back = read_raw(tmp_path / "a.parquet").frame
    pd.testing.assert_frame_equal(back, read_raw(tmp_path / "a.csv").frame)
    assert back["AÑO"].iloc[-1] == "Ñandú 19999"


def test_dbase_types_hold_in_every_piece(tmp_path: Path) -> None:
    write_dbf(tmp_path / "a.dbf", rows=2_000)
    made = to_parquet(tmp_path / "a.dbf", tmp_path / "a.parquet", memory_bytes=SMALL)
    assert made.rows == 2_000
    assert read_raw(tmp_path / "a.parquet").frame["CONGLOME"].iloc[-1] == "001999"


def test_memory_is_bounded(tmp_path: Path) -> None:
    rows = 60_000
    frame = pd.DataFrame({f"p{n}": np.arange(rows, dtype=float) for n in range(40)})
    frame.to_stata(tmp_path / "a.dta", write_index=False)  # 19 MB
    tracemalloc.start()
    to_parquet(tmp_path / "a.dta", tmp_path / "a.parquet", memory_bytes=4_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000
    assert pq.ParquetFile(tmp_path / "a.parquet").metadata.num_rows == rows


CUTS: dict[str, Callable[[Path], object]] = {
    "dta": write_dta,
    "sav": write_sav,
    "dbf": write_dbf,
    "csv": lambda path: path.write_bytes(b"CONGLOME;P203\n" + b"015009;1\n" * 5_000),
}


@pytest.mark.parametrize("share", [0.30, 0.60, 0.90, 0.99])
@pytest.mark.parametrize("kind", CUTS)
def test_a_cut_file_leaves_the_old_parquet_as_it_was(kind: str, share: float, tmp_path: Path) -> None:
    raw, target = tmp_path / f"a.{kind}", tmp_path / "a.parquet"
    CUTS[kind](raw)
    to_parquet(raw, target)
    before = target.read_bytes()
    content = raw.read_bytes()
    cut = int(len(content) * share)
    raw.write_bytes(content[: cut + (content[cut - 1 : cut] == b"\n")])
    with pytest.raises(SourceError, match=r"half-copied|fields, expected|last line"):
        to_parquet(raw, target, memory_bytes=SMALL)
    assert target.read_bytes() == before
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"A;B\n1;2\n1\n", "1 lines have 1 to 1 fields"),
        (b"A;B\n1;\x81\n", "not in the encoding declared"),
        ("A;B\n1;2\n".encode("utf-16"), "UTF-16"),
        ("A;B\n1;\ufffd\n".encode(), "1 characters were lost"),
        (b"nothing\n", "one field"),
        (b"A;B\n", "no rows"),
    ],
)
def test_bad_text_is_refused_in_pieces_too(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(SourceError, match=message):
        to_parquet(tmp_path / "a.csv", tmp_path / "a.parquet", rules=TextRules())
    assert not (tmp_path / "a.parquet").exists()


def test_other_kinds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(SourceError, match=r"Files \.xlsx are not converted"):
        to_parquet(tmp_path / "a.xlsx", tmp_path / "a.parquet")


def zipped(folder: Path) -> Path:
    write_dta(folder / "enaho01-2019-200.dta", rows=50)
    pyreadstat.write_sav(pd.DataFrame({"X": [1.0]}), folder / "other.sav")
    path = folder / "687-Modulo02.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "other.sav", "687-Modulo02/other.sav")
        archive.write(folder / "enaho01-2019-200.dta", "687-Modulo02/enaho01-2019-200.dta")
        archive.writestr("687-Modulo02/Diccionario.pdf", b"%PDF")
    return path


def test_a_member_of_a_zip_is_read_in_place(tmp_path: Path) -> None:
    path = zipped(tmp_path)
    rule = MemberRule(patterns=(r"enaho01-\d{4}-200\.dta",), needs=("conglome", "p208a"))
    raw = read_raw(path, member=rule)
    assert (raw.member, len(raw.frame), raw.file_format) == ("687-Modulo02/enaho01-2019-200.dta", 50, "dta")
    assert raw.path == path
    assert raw.size_bytes == path.stat().st_size
    assert raw.labels.variables["p208a"] == "Edad"


def test_several_data_files_in_a_zip_need_a_rule(tmp_path: Path) -> None:
    path = zipped(tmp_path)
    assert read_raw(path).member == "687-Modulo02/enaho01-2019-200.dta"  # .dta before .sav
    with pytest.raises(SourceError, match="No member of the archive has the name wanted"):
        read_raw(path, member=MemberRule(patterns=(r"sumaria-2019\.dta",)))
    with pytest.raises(SourceError, match=r"enaho01-2019-200\.dta lacks pobreza"):
        read_raw(path, member=MemberRule(patterns=(r".*\.dta",), needs=("pobreza",)))
