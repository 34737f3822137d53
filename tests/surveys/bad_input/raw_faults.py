"""Faults of raw files: cut, foreign, in another encoding, or no data at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat

from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.paths import Expectation, RawFolder
from juntos_eval.surveys.read import read_raw
from juntos_eval.surveys.read_delimited import TextRules
from juntos_eval.surveys.to_parquet import to_parquet
from tests.surveys.bad_input.scene import Fault, Scene
from tests.surveys.invented import as_stata
from tests.surveys.read.stata_bytes import old_stata

Ask = Callable[[], Any]

SHARES = (0.30, 0.60, 0.90, 0.99)


def _as_csv(scene: Scene) -> Path:
    return scene.write().file("members")


def _as_dta(scene: Scene) -> Path:
    path = scene.folder / "enaho01-2025-200.dta"
    as_stata(scene.survey.members).to_stata(path, write_index=False, version=118)
    return path


def _as_old_dta(scene: Scene) -> Path:
    path = scene.folder / "enaho01-2006-200.dta"
    path.write_bytes(old_stata(110))
    return path


def _as_sav(scene: Scene) -> Path:
    path = scene.folder / "RECH0.sav"
    frame = as_stata(scene.survey.members).rename(columns=lambda name: name.replace("ñ", "n"))
    pyreadstat.write_sav(frame, path, row_compress=True)
    return path


def _as_parquet(scene: Scene) -> Path:
    path = scene.folder / "a.parquet"
    scene.survey.members.to_parquet(path)
    return path


WRITERS: dict[str, Callable[[Scene], Path]] = {
    "csv": _as_csv, "dta": _as_dta, "dta of Stata 7": _as_old_dta, "sav": _as_sav, "parquet": _as_parquet,
}  # fmt: skip


def _cut(write: Callable[[Scene], Path], share: float) -> Callable[[Scene], Ask]:
    def prepare(scene: Scene) -> Ask:
        path = write(scene)
        rows = len(read_raw(path).frame)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        return lambda: read_raw(path, expected=Expectation(rows=rows))

    return prepare


CUT = [
    Fault(
        name=f"{kind} cut at {share:.0%}", prepare=_cut(write, share), error=SourceError, says="half-copied"
    )
    for kind, write in WRITERS.items()
    for share in SHARES
]


def _replaced(table: str, content: bytes, *, by_name: str = "") -> Callable[[Scene], Ask]:
    """Other bytes under the name of a table."""

    def prepare(scene: Scene) -> Ask:
        path = scene.write().file(table)
        path = path.with_name(by_name) if by_name else path
        path.write_bytes(content)
        return lambda: read_raw(path)

    return prepare


def _recoded(encoding: str, rules: TextRules) -> Callable[[Scene], Ask]:
    def prepare(scene: Scene) -> Ask:
        scene.survey.encoding = encoding
        path = scene.write().file("members")
        return lambda: read_raw(path, rules=rules)

    return prepare


def _without_a_file(scene: Scene) -> Ask:
    scene.write().file("programmes").unlink()
    return scene.programmes


def _fewer_rows_than_stated(scene: Scene) -> Ask:
    path = scene.write().file("members")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-5]))
    return lambda: read_raw(path, expected=Expectation(rows=len(lines) - 1))


def _another_sha256(scene: Scene) -> Ask:
    path = scene.write().file("members")
    return lambda: read_raw(path, expected=Expectation(sha256="0" * 64))


def _ragged(scene: Scene) -> Ask:
    path = scene.write().file("members")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = b"1,2,3\n"
    path.write_bytes(b"".join(lines))
    return scene.members


def _letters_lost(scene: Scene) -> Ask:
    path = scene.folder / "a.csv"
    path.write_bytes("DISTRITO,N\nCA\ufffdETE,1\n".encode())
    return lambda: read_raw(path)


def _no_raw_folder(scene: Scene) -> Ask:
    return lambda: RawFolder.at(scene.folder / "none")


def _toml(text: str, ask: Callable[[RawFolder], Any] = lambda raw: raw) -> Callable[[Scene], Ask]:
    def prepare(scene: Scene) -> Ask:
        path = scene.folder / "data.toml"
        path.write_text(text, encoding="utf-8")
        return lambda: ask(RawFolder.at(path))

    return prepare


def _twins(scene: Scene) -> Ask:
    path = scene.write().file("members")
    path.with_name(path.name.upper()).write_bytes(path.read_bytes())
    return scene.members


def _another_year(scene: Scene) -> Ask:
    path = scene.write().file("members")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"".join(line.replace(b"2025,", b"2024,", 1) for line in lines[1:]))
    return scene.members


def _another_module(scene: Scene) -> Ask:
    path = scene.write().file("members")
    path.write_bytes(scene.file("programmes").read_bytes())
    return scene.members


def _changing_type(scene: Scene) -> Ask:
    path = scene.folder / "a.csv"
    path.write_bytes(b"A,B\n1,2\n" * 2 + b"1,2,3\n")
    return lambda: to_parquet(path, scene.folder / "a.parquet")


PAGE = b"<!DOCTYPE html><html><body>Servicio no disponible</body></html>"
ONLY_UTF8 = TextRules(encodings=("utf-8",))


def _stata_bytes_cut_in_header(scene: Scene) -> Ask:
    path = scene.folder / "a.dta"
    pd.DataFrame({"a": [1.0]}).to_stata(path, write_index=False)
    path.write_bytes(path.read_bytes()[:40])
    return lambda: read_raw(path)


FILES = [
    Fault(
        name="a web page under the name of a csv",
        prepare=_replaced("members", PAGE),
        error=SourceError,
        says="web page",
    ),
    Fault(
        name="a web page under the name of a dta",
        error=SourceError,
        says="web page",
        prepare=_replaced("members", b"\xef\xbb\xbf\r\n" + PAGE, by_name="a.dta"),
    ),
    Fault(
        name="a zip under the name of a dta",
        error=SourceError,
        says="zip archive",
        prepare=_replaced("members", b"PK\x03\x04 and more", by_name="a.dta"),
    ),
    Fault(
        name="text under the name of a dta",
        error=SourceError,
        says="no Stata file",
        prepare=_replaced("members", b"MES,HOGAR\n01,11\n", by_name="a.dta"),
    ),
    Fault(
        name="text under the name of a sav",
        error=SourceError,
        says="no SPSS file",
        prepare=_replaced("members", b"MES,HOGAR\n01,11\n", by_name="a.sav"),
    ),
    Fault(
        name="text under the name of a dbf",
        error=SourceError,
        says="no dBase file",
        prepare=_replaced("members", b"AES,HOGAR\n01,11\n", by_name="a.dbf"),
    ),
    Fault(
        name="a header of Stata that is cut",
        prepare=_stata_bytes_cut_in_header,
        error=SourceError,
        says="half-copied",
    ),
    Fault(name="an empty file", prepare=_replaced("members", b""), error=SourceError, says="is empty"),
    Fault(
        name="a header without rows",
        prepare=_replaced("members", b"MES,HOGAR\n"),
        error=SourceError,
        says="no rows",
    ),
    Fault(
        name="a file of one field",
        prepare=_replaced("members", b"error\nno\n"),
        error=SourceError,
        says="one field",
    ),
    Fault(
        name="a spreadsheet",
        prepare=_replaced("members", b"x", by_name="a.xlsx"),
        error=SourceError,
        says="are not read",
    ),
    Fault(
        name="wrong declared encoding",
        prepare=_recoded("latin-1", ONLY_UTF8),
        error=SourceError,
        says="not in the encoding declared",
    ),
    Fault(name="UTF-16", prepare=_recoded("utf-16", TextRules()), error=SourceError, says="UTF-16"),
    Fault(name="letters lost before", prepare=_letters_lost, error=SourceError, says="characters were lost"),
    Fault(
        name="lines with too few fields", prepare=_ragged, error=SourceError, says="lines have 3 to 3 fields"
    ),
    Fault(
        name="lines with too many fields",
        prepare=_changing_type,
        error=SourceError,
        says="fields, expected 2",
    ),
    Fault(
        name="fewer rows than stated", prepare=_fewer_rows_than_stated, error=SourceError, says="half-copied"
    ),
    Fault(
        name="another sha256 than stated",
        prepare=_another_sha256,
        error=SourceError,
        says="not the one announced",
    ),
    Fault(
        name="a missing file",
        prepare=_without_a_file,
        error=SourceError,
        says="file of enaho 2025 is missing",
    ),
    Fault(name="no raw folder", prepare=_no_raw_folder, error=SourceError, says="no raw data here"),
    Fault(
        name="a TOML that cannot be read",
        prepare=_toml("[enaho"),
        error=SourceError,
        says="TOML cannot be read",
    ),
    Fault(
        name="a TOML that names a lost file",
        error=SourceError,
        says="does not exist",
        prepare=_toml(
            '[enaho.2025]\nmembers = "none.csv"\n',
            lambda raw: raw.find(survey="enaho", year=2025, table="members", names=()),
        ),
    ),
    Fault(
        name="a TOML that names no file",
        prepare=_toml("[enaho.2025]\nmembers = 3\n"),
        error=SourceError,
        says="is not a file name",
    ),
    Fault(
        name="two files that differ in case alone",
        prepare=_twins,
        error=SourceError,
        says="but for upper and lower case",
    ),
    Fault(name="a file of another year", prepare=_another_year, error=SchemaError, says="not of 2025"),
    Fault(
        name="a file of another module",
        prepare=_another_module,
        error=SchemaError,
        says="needed columns are not in the file",
    ),
]
