"""Raw files: every column as written, and no number from a file that is not whole."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import SourceError
from juntos_eval.paths import Expectation
from juntos_eval.surveys.read import read_raw
from juntos_eval.surveys.read_delimited import TextRules
from juntos_eval.surveys.read_stata import announced_bytes

UTF8 = TextRules(encodings=("utf-8",))


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "conglome": [f"{row:06d}" for row in range(400)],
            "p208a": rng.integers(0, 99, 400).astype("float64"),
            "factor07": rng.uniform(1, 900, 400),
        }
    )


def as_stata(release: Literal[114, 117, 118]) -> Callable[[pd.DataFrame, Path], Path]:
    def write(frame: pd.DataFrame, folder: Path) -> Path:
        path = folder / f"{release}.dta"
        frame.to_stata(path, write_index=False, version=release)
        return path

    return write


def as_csv(frame: pd.DataFrame, folder: Path) -> Path:
    path = folder / "a.csv"
    frame.to_csv(path, index=False)
    return path


def as_parquet(frame: pd.DataFrame, folder: Path) -> Path:
    path = folder / "a.parquet"
    frame.to_parquet(path, index=False)
    return path


WRITERS = {
    "stata 118": as_stata(118),
    "stata 117": as_stata(117),
    "stata 114": as_stata(114),
    "csv": as_csv,
    "parquet": as_parquet,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_whole_file_is_read_with_its_fingerprint(kind: str, frame: pd.DataFrame, tmp_path: Path) -> None:
    raw = read_raw(WRITERS[kind](frame, tmp_path))
    assert list(raw.frame.columns) == list(frame.columns)
    assert raw.frame["conglome"].tolist() == frame["conglome"].tolist()
    np.testing.assert_allclose(raw.frame["factor07"].astype(float), frame["factor07"], rtol=1e-12)
    assert raw.size_bytes == raw.path.stat().st_size
    assert len(raw.sha256) == 64


@pytest.mark.parametrize("share", [0.30, 0.60, 0.90, 0.99])
@pytest.mark.parametrize("kind", WRITERS)
def test_half_copied_file_is_refused(kind: str, share: float, frame: pd.DataFrame, tmp_path: Path) -> None:
    path = WRITERS[kind](frame, tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SourceError, match="half-copied") as caught:
        read_raw(path, expected=Expectation(rows=400))
    assert str(path) in str(caught.value)
    assert "Remedy" in str(caught.value)


def test_half_copied_csv_is_refused_by_its_last_line_where_no_row_count_is_known(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    path = as_csv(frame, tmp_path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(SourceError, match="its last line has no end"):
        read_raw(path)


@pytest.mark.parametrize("share", [0.30, 0.60, 0.90, 0.99])
def test_half_copied_csv_cut_at_a_line_end_is_refused_by_its_row_count(
    share: float, frame: pd.DataFrame, tmp_path: Path
) -> None:
    path = as_csv(frame, tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    kept = int(len(frame) * share)
    path.write_bytes(b"".join(lines[: kept + 1]))
    with pytest.raises(SourceError, match=f"half-copied: {kept} rows, expected 400"):
        read_raw(path, expected=Expectation(rows=400))


def test_a_last_line_without_end_is_accepted_where_the_row_count_is_known(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    path = as_csv(frame, tmp_path)
    path.write_bytes(path.read_bytes().rstrip())
    assert len(read_raw(path, expected=Expectation(rows=400)).frame) == 400


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"missing \[.*enaho01-2024-200\.dta"):
        read_raw(tmp_path / "enaho01-2024-200.dta")


@pytest.mark.parametrize("name", ["a.csv", "a.dta", "a.parquet"])
def test_empty_file_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(SourceError, match="empty"):
        read_raw(tmp_path / name)


def test_a_header_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("MES,HOGAR\n", encoding="utf-8")
    with pytest.raises(SourceError, match="no rows"):
        read_raw(tmp_path / "a.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.dta", "a.parquet"])
@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html><html><body>503</body></html>", b"\xef\xbb\xbf\r\n <html lang='es'>"]
)
def test_html_page_in_place_of_a_file_is_refused(name: str, page: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(page)
    with pytest.raises(SourceError, match="web page"):
        read_raw(tmp_path / name)


def test_zip_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.dta").write_bytes(b"PK\x03\x04 and more")
    with pytest.raises(SourceError, match="zip archive"):
        read_raw(tmp_path / "a.dta")


def test_something_else_called_dta_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.dta").write_bytes(b"MES,HOGAR\n01,11\n")
    with pytest.raises(SourceError, match="no Stata file"):
        read_raw(tmp_path / "a.dta")


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"anything")
    with pytest.raises(SourceError, match=r"Files \.xlsx are not read"):
        read_raw(tmp_path / "a.xlsx")


def test_another_size_or_digest_than_announced_is_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = as_csv(frame, tmp_path)
    with pytest.raises(SourceError, match="expected 12,345"):
        read_raw(path, expected=Expectation(size_bytes=12_345))
    with pytest.raises(SourceError, match="sha256"):
        read_raw(path, expected=Expectation(sha256="0" * 64))


def write_text(folder: Path, content: bytes) -> Path:
    path = folder / "a.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("AÑO,TEXTO\n2025,Ñandú\n".encode("latin-1"), "latin-1"),
        ("AÑO,TEXTO\n2025,Ñandú\n".encode(), "utf-8"),
        ("AÑO,TEXTO\n2025,Ñandú\n".encode("utf-8-sig"), "utf-8-sig"),
        ("AÑO,TEXTO\n2025,Ñandú – €\n".encode("cp1252"), "cp1252"),
        ("AÑO;TEXTO\r\n2025;Ñandú\r\n".encode("latin-1"), "latin-1"),
        ("AÑO\tTEXTO\n2025\tÑandú\n".encode(), "utf-8"),
    ],
)
def test_encoding_and_delimiter_are_found_from_the_bytes(
    content: bytes, encoding: str, tmp_path: Path
) -> None:
    raw = read_raw(write_text(tmp_path, content))
    assert raw.encoding == encoding
    assert raw.frame.columns.tolist() == ["AÑO", "TEXTO"]
    assert raw.frame["TEXTO"].iloc[0].startswith("Ñandú")
    assert raw.frame["AÑO"].tolist() == ["2025"]


def test_wrong_encoding_is_refused(tmp_path: Path) -> None:
    path = write_text(tmp_path, "AÑO,TEXTO\n2025,Ñandú\n".encode("latin-1"))
    with pytest.raises(SourceError, match=r"not in the encoding declared.*utf-8 fails at byte 1"):
        read_raw(path, rules=UTF8)
    path = write_text(tmp_path, "AÑO,TEXTO\n2025,Ñandú\n".encode("utf-16"))
    with pytest.raises(SourceError, match="UTF-16"):
        read_raw(path)
    path = write_text(tmp_path, b"A,B\n1,\x81\x8d\n")
    with pytest.raises(SourceError, match="latin-1 gives control characters; cp1252 fails"):
        read_raw(path)


def test_characters_lost_before_are_refused_but_for_the_header(tmp_path: Path) -> None:
    lost = write_text(tmp_path, "A\ufffdO,TEXTO\n2025,\ufffdand\ufffd\n".encode())
    with pytest.raises(SourceError, match="2 characters were lost"):
        read_raw(lost)
    header_only = write_text(tmp_path, "A\ufffdO,TEXTO\n2025,Nandu\n".encode())
    assert read_raw(header_only).frame.columns.tolist() == ["A\ufffdO", "TEXTO"]


def test_ragged_rows_are_counted(tmp_path: Path) -> None:
    path = write_text(tmp_path, b"A,B,C\n1,2,3\n1,2\n1,2,3,4\n4,5,6\n")
    with pytest.raises(SourceError, match="2 lines have 2 to 4 fields, expected 3"):
        read_raw(path)


def test_a_file_of_one_field_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="one field"):
        read_raw(write_text(tmp_path, b"error 404\nnot found\n"))


def test_quotes_line_breaks_and_missing_marks(tmp_path: Path) -> None:
    path = write_text(tmp_path, b'A,B\n"x, y",NA\n"two\nlines",\n')
    raw = read_raw(path, rules=TextRules(missing=("", "NA")))
    assert raw.frame["A"].tolist() == ["x, y", "two\nlines"]
    assert raw.frame["B"].isna().all()
    assert read_raw(path).frame["B"].iloc[0] == "NA"


def stata_110(rows: int) -> bytes:
    """A Stata 7 file of a text of two characters and a double, by the published layout."""
    header = struct.pack("<BBBBhi", 110, 2, 1, 0, 2, rows) + bytes(81) + bytes(18)
    types = bytes([127 + 2, ord("d")])
    names = b"hogar".ljust(33, b"\0") + b"factor07".ljust(33, b"\0")
    formats = b"%2s".ljust(12, b"\0") + b"%9.0g".ljust(12, b"\0")
    descriptors = types + names + bytes(6) + formats + bytes(2 * 33 + 2 * 81) + bytes(5)
    return header + descriptors + b"".join(b"11" + struct.pack("<d", 1.5 + row) for row in range(rows))


def test_stata_7_files_are_measured_too(tmp_path: Path) -> None:
    content = stata_110(50)
    path = tmp_path / "old.dta"
    path.write_bytes(content)
    raw = read_raw(path)
    assert raw.frame["factor07"].tolist() == [1.5 + row for row in range(50)]
    assert announced_bytes(path) == len(content)
    path.write_bytes(content[:-1])
    with pytest.raises(SourceError, match="half-copied"):
        read_raw(path)
