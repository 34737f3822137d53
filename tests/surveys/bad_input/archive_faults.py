"""Faults of zips, clean tables and the disk."""

from __future__ import annotations

import errno
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd

from juntos_eval.errors import SourceError
from juntos_eval.surveys.extract import (
    Limits,
    MemberRule,
    check_archive,
    extract_all,
    extract_member,
    pick_member,
)
from juntos_eval.surveys.fetch import Ledger
from juntos_eval.surveys.provenance import Provenance
from juntos_eval.surveys.read import read_raw
from juntos_eval.surveys.read_columns import column_names
from juntos_eval.surveys.store import provenance_path, read_table, write_table
from tests.surveys.bad_input.scene import Fault, Scene

Ask = Callable[[], Any]
GOOD = b"CONGLOME,P203\n015009,1\n"


def _archive(scene: Scene, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = scene.folder / "687-Modulo34.zip"
    with zipfile.ZipFile(path, "w", method) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return path


def _unpack(members: dict[str, bytes]) -> Callable[[Scene], Ask]:
    def prepare(scene: Scene) -> Ask:
        path = _archive(scene, members)
        return lambda: extract_all(path, scene.folder / "out")

    return prepare


def _checked(members: dict[str, bytes], limits: Limits) -> Callable[[Scene], Ask]:
    def prepare(scene: Scene) -> Ask:
        path = _archive(scene, members)
        return lambda: check_archive(path, limits)

    return prepare


def _link(scene: Scene) -> Ask:
    path = scene.folder / "a.zip"
    entry = zipfile.ZipInfo("a.csv")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr(entry, "/etc/passwd")
    return lambda: extract_all(path, scene.folder / "out")


def _bad_crc(scene: Scene) -> Ask:
    path = _archive(scene, {"a.csv": GOOD}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(GOOD, GOOD[::-1]))
    target = scene.folder / "a.csv"
    target.write_bytes(b"an older sound copy\n")
    return lambda: extract_member(path, "a.csv", target)


def _encrypted(scene: Scene) -> Ask:
    path = _archive(scene, {"a.csv": GOOD}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    return lambda: read_raw(path)


def _page(scene: Scene) -> Ask:
    path = scene.folder / "a.zip"
    path.write_bytes(b"<html><body>ocupado</body></html>")
    return lambda: read_raw(path)


def _cut_zip(share: float) -> Callable[[Scene], Ask]:
    def prepare(scene: Scene) -> Ask:
        path = _archive(scene, {"a.csv": GOOD * 500})
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        return lambda: read_raw(path)

    return prepare


def _decoy(scene: Scene) -> Ask:
    path = _archive(scene, {"sumaria-2019-12.csv": b"conglome,gashog2d\n1,2\n"})
    rule = MemberRule(patterns=(r"sumaria.*\.csv",), needs=("pobreza",))
    return lambda: pick_member(path, rule, column_names)


def _twins(scene: Scene) -> Ask:
    path = _archive(scene, {"a/x.csv": GOOD, "b/x.csv": GOOD})
    return lambda: read_raw(path)


def _table(scene: Scene) -> Path:
    made = scene.write().members()
    return write_table(made.frame, scene.folder / "clean" / "members_2025.parquet", made.provenance)


def _cut_table(share: float) -> Callable[[Scene], Ask]:
    def prepare(scene: Scene) -> Ask:
        path = _table(scene)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        return lambda: read_table(path)

    return prepare


def _without_provenance(scene: Scene) -> Ask:
    path = _table(scene)
    provenance_path(path).unlink()
    return lambda: read_table(path)


def _odd_provenance(content: str) -> Callable[[Scene], Ask]:
    def prepare(scene: Scene) -> Ask:
        path = _table(scene)
        provenance_path(path).write_text(content, encoding="utf-8")
        return lambda: read_table(path)

    return prepare


def _altered_table(scene: Scene) -> Ask:
    path = _table(scene)
    frame = pd.read_parquet(path)
    frame["age_years"] += 1
    frame.to_parquet(path)
    return lambda: read_table(path)


def _foreign_provenance(scene: Scene) -> Ask:
    path = _table(scene)
    frame = pd.read_parquet(path)
    other = Provenance(survey="enaho", table="members", year=2025, rows_in=1, rows_out=1)
    return lambda: write_table(frame, path, other)


def _full_disk_unpacking(scene: Scene) -> Ask:
    path = _archive(scene, {"a.csv": GOOD})
    target = scene.folder / "a.csv"
    target.write_bytes(b"an older sound copy\n")

    def ask() -> None:
        full = OSError(errno.ENOSPC, "No space left on device")
        with mock.patch("juntos_eval.surveys.extract._copy", side_effect=full):
            extract_member(path, "a.csv", target)

    return ask


def _ledger(scene: Scene) -> Ask:
    (scene.folder / "fetched.json").write_text(json.dumps({"zips": {"a": 1}}), encoding="utf-8")
    return lambda: Ledger.read(scene.folder)


ARCHIVES = [
    Fault(
        name="zip slip",
        prepare=_unpack({"ok.csv": GOOD, "../evil.csv": GOOD}),
        error=SourceError,
        says="leads out of the folder",
    ),
    Fault(
        name="an absolute name in a zip",
        prepare=_unpack({"/evil.csv": GOOD}),
        error=SourceError,
        says="leads out of the folder",
    ),
    Fault(
        name="a Windows path in a zip",
        prepare=_unpack({"..\\..\\evil.csv": GOOD}),
        error=SourceError,
        says="leads out of the folder",
    ),
    Fault(name="a link in a zip", prepare=_link, error=SourceError, says="is a link"),
    Fault(
        name="zip bomb",
        prepare=_unpack({"a.csv": bytes(8_000_000)}),
        error=SourceError,
        says="times its size",
    ),
    Fault(
        name="a member too large",
        prepare=_checked({"a.csv": GOOD}, Limits(member_bytes=3)),
        error=SourceError,
        says="would fill",
    ),
    Fault(
        name="too many members",
        error=SourceError,
        says="members, at most",
        prepare=_checked({f"{n}.csv": b"x" for n in range(9)}, Limits(members=3)),
    ),
    Fault(
        name="two members of one name",
        prepare=_unpack({"A.csv": GOOD, "a.csv": GOOD}),
        error=SourceError,
        says="Two members are named",
    ),
    Fault(name="bad CRC in the member wanted", prepare=_bad_crc, error=SourceError, says="is damaged"),
    Fault(name="encrypted zip", prepare=_encrypted, error=SourceError, says="is encrypted"),
    Fault(name="HTML instead of a zip", prepare=_page, error=SourceError, says="web page"),
    Fault(name="an empty zip", prepare=_unpack({}), error=SourceError, says="is empty"),
    *(
        Fault(name=f"zip cut at {share:.0%}", prepare=_cut_zip(share), error=SourceError, says="half-copied")
        for share in (0.30, 0.60, 0.90, 0.99)
    ),
    Fault(name="only the decoy in the zip", prepare=_decoy, error=SourceError, says="lacks pobreza"),
    Fault(
        name="two members that fit equally well", prepare=_twins, error=SourceError, says="fit equally well"
    ),
    *(
        Fault(
            name=f"clean table cut at {share:.0%}",
            prepare=_cut_table(share),
            error=SourceError,
            says="is damaged",
        )
        for share in (0.30, 0.60, 0.90, 0.99)
    ),
    Fault(
        name="a clean table without provenance",
        prepare=_without_provenance,
        error=SourceError,
        says="is missing",
    ),
    Fault(
        name="provenance that is no JSON", prepare=_odd_provenance("{"), error=SourceError, says="is damaged"
    ),
    Fault(
        name="provenance that is a list", prepare=_odd_provenance("[1]"), error=SourceError, says="is damaged"
    ),
    Fault(
        name="a clean table that something else wrote",
        prepare=_altered_table,
        error=SourceError,
        says="not the one that its provenance was written with",
    ),
    Fault(
        name="the provenance of another table",
        prepare=_foreign_provenance,
        error=SourceError,
        says="speaks of 1 rows",
    ),
    Fault(
        name="a damaged ledger",
        prepare=_ledger,
        error=SourceError,
        says="ledger of what was fetched is damaged",
    ),
    Fault(
        name="disk full while unpacking",
        prepare=_full_disk_unpacking,
        error=SourceError,
        says="The disk is full",
    ),
]
