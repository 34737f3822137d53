"""SPSS files: strictly decoded, codes declared missing kept as codes, and nothing from a cut file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from juntos_eval.errors import SourceError
from juntos_eval.surveys.read import read_raw
from juntos_eval.surveys.read_columns import column_names
from juntos_eval.surveys.read_spss import read_spss, spss_chunks, spss_facts, spss_rows

ROWS = 700


def write(path: Path, *, text: str = "Ñandú", row_compress: bool = False, zlib: bool = False) -> Path:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "HHID": [f"{row:06d}" for row in range(ROWS)],
            "HC70": rng.choice([-201.0, 9998.0, np.nan], ROWS),
            "QH95": rng.choice([1.0, 2.0, 9.0], ROWS),
            "NOMBRE": [text] * ROWS,
        }
    )
    pyreadstat.write_sav(
        frame,
        path,
        column_labels={"QH95": "Es beneficiario de JUNTOS"},
        variable_value_labels={"QH95": {1.0: "Sí", 2.0: "No"}},
        missing_ranges={"HC70": [{"lo": 9996, "hi": 9999}], "QH95": [9]},
        row_compress=row_compress,
        compress=zlib,
    )
    return path


def in_one_byte(path: Path, encoding: str, letters: dict[str, bytes]) -> Path:
    """Write other bytes for accented letters, in a file that goes on declaring UTF-8."""
    content = path.read_bytes()
    for letter, padding in letters.items():
        content = content.replace(letter.encode(), letter.encode(encoding) + padding)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", ["plain", "compressed", "zlib"])
def test_labels_and_missing_codes_are_kept(kind: str, tmp_path: Path) -> None:
    name = "a.zsav" if kind == "zlib" else "a.sav"
    path = write(tmp_path / name, row_compress=kind == "compressed", zlib=kind == "zlib")
    raw = read_raw(path)
    assert raw.labels.slot("juntos") == ("QH95",)
    assert dict(raw.labels.values["QH95"]) == {1.0: "Sí", 2.0: "No"}
    assert raw.labels.missing["HC70"] == ((9996.0, 9999.0),)
    assert set(raw.frame["HC70"].dropna()) == {-201.0, 9998.0}
    assert set(raw.frame["QH95"]) == {1.0, 2.0, 9.0}
    assert raw.frame["HHID"].iloc[7] == "000007"
    assert raw.encoding == "utf-8"
    assert spss_rows(path) == ROWS
    assert column_names(path) == ("HHID", "HC70", "QH95", "NOMBRE")


def test_a_declared_encoding_that_does_not_hold_is_not_believed(tmp_path: Path) -> None:
    padded = {"Ñ": b" ", "ú": b" ", "í": b" "}
    path = in_one_byte(write(tmp_path / "a.sav"), "latin-1", padded)
    raw = read_raw(path)
    assert raw.encoding == "latin1"
    assert raw.frame["NOMBRE"].iloc[0] == "Ñ andú"
    assert column_names(path)[0] == "HHID"
    windows = in_one_byte(write(tmp_path / "b.sav", text="peso – talla"), "cp1252", {"–": b"  ", **padded})
    raw = read_raw(windows)
    assert raw.encoding == "cp1252"
    assert raw.frame["NOMBRE"].iloc[0].startswith("peso –")


def test_utf8_declared_as_latin1_is_seen(tmp_path: Path) -> None:
    path = write(tmp_path / "a.sav")
    content = path.read_bytes()
    assert content.count(b"UTF-8") == 1
    path.write_bytes(content.replace(b"UTF-8", b"CP819"))
    frame, encoding, _ = read_spss(path)
    assert encoding == "utf-8"
    assert frame["NOMBRE"].iloc[0] == "Ñandú"


@pytest.mark.parametrize("share", [0.01, 0.30, 0.60, 0.90, 0.99])
@pytest.mark.parametrize("compressed", [False, True])
def test_half_copied_file_is_refused(share: float, compressed: bool, tmp_path: Path) -> None:
    path = write(tmp_path / "a.sav", row_compress=compressed)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SourceError, match="half-copied"):
        read_raw(path)
    with pytest.raises(SourceError, match="half-copied"):
        list(spss_chunks(path, 100))


def test_fewer_rows_than_announced_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.sav")
    content = bytearray(path.read_bytes())
    content[80:84] = (-1).to_bytes(4, "little", signed=True)
    path.write_bytes(content)
    assert spss_rows(path) is None
    assert len(read_raw(path).frame) == ROWS


def test_something_else_called_sav_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.sav").write_bytes(b"CONGLOME;P203\n015009;1\n")
    with pytest.raises(SourceError, match="no SPSS file"):
        read_raw(tmp_path / "a.sav")


def test_pieces_are_the_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.sav", row_compress=True)
    whole, _, labels = read_spss(path)
    facts = spss_facts(path, piece_rows=100)
    pieces = pd.concat(list(spss_chunks(path, 100, facts.encoding)), ignore_index=True)
    pd.testing.assert_frame_equal(pieces, whole)
    assert dict(facts.is_text) == {"HHID": True, "HC70": False, "QH95": False, "NOMBRE": True}
    assert facts.labels.missing["QH95"] == labels.missing["QH95"]
