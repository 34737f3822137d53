"""The doctor finds each fault, calls it by its name, and says nothing of sound folders."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from juntos_eval.paths import RawFolder, write_atomically
from juntos_eval.surveys.doctor import examine
from juntos_eval.surveys.enaho import clean_members
from juntos_eval.surveys.fetch import Ledger, Record
from juntos_eval.surveys.findings import Diagnosis, Finding
from juntos_eval.surveys.read import sha256_of
from juntos_eval.surveys.store import provenance_path, write_table
from tests.surveys.invented import RawSurvey, invent

MEMBERS = "enaho/2025/Enaho01-2025-200.csv"


@pytest.fixture
def raw(survey: RawSurvey, tmp_path: Path) -> RawFolder:
    return survey.write(tmp_path / "raw")


def found(raw: RawFolder, clean: Path | None = None) -> list[tuple[str, str]]:
    again = RawFolder.at(raw.root)
    return [(finding.kind, finding.path) for finding in examine(again, clean).findings]


def test_a_sound_folder_is_sound(raw: RawFolder) -> None:
    diagnosis = examine(raw)
    assert (diagnosis.findings, diagnosis.exit_code, diagnosis.raw_files) == ((), 0, 5)


def cut(share: float) -> Callable[[Path], None]:
    def do(path: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)].rstrip(b"\n"))

    return do


def as_page(path: Path) -> None:
    path.write_bytes(b"<!DOCTYPE html><html>ocupado</html>")


def as_zip(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04" + bytes(100))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def header_only(path: Path) -> None:
    path.write_bytes(path.read_bytes().partition(b"\n")[0] + b"\n")


def of_another_year(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"".join(line.replace(b"2025,", b"2023,", 1) for line in lines[1:]))


def of_another_module(path: Path) -> None:
    path.write_bytes((path.parent / "Enaho01-2025-700.csv").read_bytes())


def with_wide_keys(path: Path) -> None:
    table = pd.read_csv(path, dtype=str, encoding="latin-1")
    table["CONGLOME"] = "99" + table["CONGLOME"]
    table.to_csv(path, index=False, encoding="latin-1")


def with_lost_letters(path: Path) -> None:
    path.write_bytes(path.read_bytes() + "\ufffd,\n".encode())


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "cut at 30 %": (cut(0.30), "truncated"),
    "cut at 60 %": (cut(0.60), "truncated"),
    "cut at 90 %": (cut(0.90), "truncated"),
    "cut at 99 %": (cut(0.99), "truncated"),
    "empty": (emptied, "truncated"),
    "header without rows": (header_only, "truncated"),
    "web page": (as_page, "web page"),
    "zip under the name of data": (as_zip, "corrupted"),
    "lost letters": (with_lost_letters, "corrupted"),
    "another year": (of_another_year, "foreign"),
    "another module": (of_another_module, "foreign"),
    "keys of another edition": (with_wide_keys, "foreign"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_a_raw_file_is_named(fault: str, raw: RawFolder) -> None:
    damage, kind = FAULTS[fault]
    damage(raw.root / MEMBERS)
    assert found(raw) == [(kind, MEMBERS)]
    diagnosis = examine(RawFolder.at(raw.root))
    assert diagnosis.exit_code == 2
    assert all(finding.remedy for finding in diagnosis.findings)


def test_a_missing_file_says_what_to_fetch(raw: RawFolder) -> None:
    (raw.root / MEMBERS).unlink()
    diagnosis = examine(RawFolder.at(raw.root))
    assert [(finding.kind, finding.remedy) for finding in diagnosis.findings] == [
        ("missing", "juntos-eval fetch enaho --years 2025 --modules 02")
    ]
    assert diagnosis.exit_code == 1


def test_fewer_and_more_rows_than_stated(raw: RawFolder) -> None:
    for rows, kind in ((10_000, "truncated"), (10, "reissued")):
        content = f'synthetic = true\n[files."{MEMBERS}"]\nrows = {rows}\n'
        (raw.root / "manifest.toml").write_text(content, encoding="utf-8")
        assert found(raw) == [(kind, MEMBERS)]


def test_another_size_or_sha256_than_stated(raw: RawFolder) -> None:
    for line in ("bytes = 3", f'sha256 = "{"0" * 64}"'):
        content = f'synthetic = true\n[files."{MEMBERS}"]\n{line}\n[files."none.csv"]\nrows = 1\n'
        (raw.root / "manifest.toml").write_text(content, encoding="utf-8")
        kinds = {path: kind for kind, path in found(raw)}
        assert kinds[MEMBERS] in {"truncated", "corrupted"}
        assert kinds["none.csv"] == "missing"


def test_beside_a_toml_nothing_but_what_it_lists_is_looked_at(raw: RawFolder) -> None:
    listing = raw.root / "data.toml"
    listing.write_text(f'synthetic = true\n[enaho.2025]\nmembers = "{MEMBERS}"\n', encoding="utf-8")
    (raw.root / "mine.part").write_bytes(b"x")
    diagnosis = examine(RawFolder.at(listing))
    assert diagnosis.raw_files == 1
    assert {finding.kind for finding in diagnosis.findings} == {"missing"}
    (raw.root / MEMBERS).unlink()
    kinds = [finding.kind for finding in examine(RawFolder.at(listing)).findings]
    assert kinds == ["missing"]


def test_two_files_that_differ_in_case_alone(raw: RawFolder) -> None:
    twin = (raw.root / MEMBERS).with_name("ENAHO01-2025-200.CSV")
    twin.write_bytes(b"x")
    assert ("corrupted", "enaho/2025") in found(raw)


def fetched(raw: RawFolder) -> tuple[Path, Path]:
    zipped = raw.root / "zips/enaho/1031-Modulo02.CSV.zip"
    zipped.parent.mkdir(parents=True)
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.write(raw.root / MEMBERS, "a.csv")
    record = Record(
        url="https://proyectos.inei.gob.pe/a.zip",
        sha256=sha256_of(zipped),
        first_seen="2026-05-19",
        last_modified="",
        size_bytes=zipped.stat().st_size,
        files={MEMBERS: sha256_of(raw.root / MEMBERS)},
    )
    Ledger().with_record("enaho/1031-Modulo02.CSV.zip", record).write(raw.root)
    return zipped, raw.root / MEMBERS


def test_fetched_files_are_held_against_the_ledger(raw: RawFolder) -> None:
    zipped, data_file = fetched(raw)
    assert found(raw) == []
    whole = data_file.read_bytes()
    data_file.write_bytes(whole.replace(b",", b";"))
    assert ("corrupted", MEMBERS) in found(raw)
    data_file.write_bytes(whole)
    packed = zipped.read_bytes()
    zipped.write_bytes(packed[: len(packed) // 2])
    assert found(raw) == [("truncated", "zips/enaho/1031-Modulo02.CSV.zip")]
    zipped.write_bytes(b"<html>ocupado</html>")
    assert found(raw) == [("web page", "zips/enaho/1031-Modulo02.CSV.zip")]
    zipped.unlink()
    assert found(raw) == []
    data_file.unlink()
    assert ("missing", MEMBERS) in found(raw)


def test_a_damaged_ledger_and_interrupted_work_are_named(raw: RawFolder) -> None:
    (raw.root / "fetched.json").write_text("{", encoding="utf-8")
    (raw.root / "zips").mkdir()
    (raw.root / "zips/a.zip.part").write_bytes(b"PK")
    assert found(raw) == [("corrupted", "fetched.json"), ("interrupted", "zips/a.zip.part")]


@pytest.fixture
def clean(raw: RawFolder, tmp_path: Path) -> Path:
    made = clean_members(raw, 2025)
    write_table(made.frame, tmp_path / "clean/enaho/members_2025.parquet", made.provenance)
    return tmp_path / "clean"


TABLE = "enaho/members_2025.parquet"


def test_sound_clean_tables_are_sound(raw: RawFolder, clean: Path) -> None:
    diagnosis = examine(raw, clean)
    assert (diagnosis.findings, diagnosis.clean_tables) == ((), 1)


@pytest.mark.parametrize("share", [0.30, 0.60, 0.90, 0.99])
def test_a_cut_clean_table_is_named(share: float, raw: RawFolder, clean: Path) -> None:
    content = (clean / TABLE).read_bytes()
    (clean / TABLE).write_bytes(content[: int(len(content) * share)])
    assert found(raw, clean) == [("corrupted", TABLE)]


def test_a_clean_table_of_another_writer_is_named(raw: RawFolder, clean: Path) -> None:
    frame = pd.read_parquet(clean / TABLE)
    frame["age_years"] = frame["age_years"] + 1
    frame.to_parquet(clean / TABLE)
    assert found(raw, clean) == [("corrupted", TABLE)]


def test_a_clean_table_without_provenance_was_interrupted(raw: RawFolder, clean: Path) -> None:
    provenance_path(clean / TABLE).unlink()
    (clean / "enaho/a.parquet.1-ab.partial").write_bytes(b"half")
    assert found(raw, clean) == [("interrupted", "enaho/a.parquet.1-ab.partial"), ("interrupted", TABLE)]


def test_a_table_made_of_other_raw_files_is_stale(raw: RawFolder, clean: Path) -> None:
    invent(seed=2).write(raw.root)
    assert found(raw, clean) == [("stale", TABLE)]
    assert examine(RawFolder.at(raw.root), clean).findings[0].remedy == "juntos-eval clean"


@pytest.mark.parametrize(("field", "value"), [("schema_version", 0), ("code_version", "0.0.1")])
def test_a_table_of_another_schema_or_version_is_stale(
    field: str, value: object, raw: RawFolder, clean: Path
) -> None:
    beside = provenance_path(clean / TABLE)
    record = json.loads(beside.read_text(encoding="utf-8")) | {field: value}
    write_atomically(beside, json.dumps(record))
    assert found(raw, clean) == [("stale", TABLE)]


def test_errors_come_first_and_make_the_exit_code() -> None:
    missing = Finding(kind="missing", path="a", what="", remedy="")
    foreign = Finding(kind="foreign", path="b", what="", remedy="")
    diagnosis = Diagnosis.of([missing, foreign], raw_files=0, clean_tables=0)
    assert [finding.kind for finding in diagnosis.findings] == ["foreign", "missing"]
    assert diagnosis.exit_code == 2
    assert diagnosis.to_record()["findings"][1]["path"] == "a"


def test_real_files_are_sound(shared_data: Path, tmp_path: Path) -> None:
    for survey, year in (("enaho", "2024"), ("enaho", "2025")):
        (tmp_path / survey).mkdir(exist_ok=True)
        (tmp_path / survey / year).symlink_to(shared_data / "peru" / survey / year)
    (tmp_path / "geo").symlink_to(shared_data / "peru" / "geo")
    diagnosis = examine(RawFolder.at(tmp_path))
    assert [finding for finding in diagnosis.findings if finding.is_error] == []
    assert diagnosis.raw_files >= 6
