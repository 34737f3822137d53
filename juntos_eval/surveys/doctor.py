"""An examination of a raw folder and of clean tables: what is missing, stale, cut, damaged or foreign."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd

from juntos_eval.errors import JuntosError, SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.codebook import Column, load_codebook
from juntos_eval.surveys.doctor_deposits import examine_deposits
from juntos_eval.surveys.doctor_panels import examine_panels
from juntos_eval.surveys.extract import check_archive, lent_member, pick_member
from juntos_eval.surveys.fetch.ledger import Ledger
from juntos_eval.surveys.fetch.run import ZIPS
from juntos_eval.surveys.findings import Diagnosis, Finding, below
from juntos_eval.surveys.harmonise import YEAR_COLUMN, normal_name
from juntos_eval.surveys.provenance import SCHEMA_VERSION, CleanTable, code_version
from juntos_eval.surveys.read import check_file, sha256_of
from juntos_eval.surveys.read_columns import column_names
from juntos_eval.surveys.read_probe import Probe, probe
from juntos_eval.surveys.source import (
    SURVEYS,
    UNDATED,
    SurveySource,
    TableSource,
    find_table,
    load_source,
    year_label,
    zipped_rule,
)
from juntos_eval.surveys.store import read_table

__all__ = ["examine"]

_FETCH: Final = "juntos-eval fetch"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declared:
    """A file that the package would read."""

    source: SurveySource
    table: TableSource
    year: int | None
    path: Path


def examine(raw: RawFolder, clean: Path | None = None) -> Diagnosis:
    """Look at every declared raw file, every zip fetched and every clean table.

    Parameters
    ----------
    raw : RawFolder
    clean : Path, optional
        Folder of clean tables (``data_clean/<run>``).

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.doctor import examine
    >>> from juntos_eval.surveys.synthetic import write_synthetic
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic(Path(folder), seed=1, households=300, years=(2025,))
    ...     cut = next(Path(folder).rglob("*200.csv"))
    ...     _ = cut.write_bytes(cut.read_bytes()[:-100])
    ...     [(found.kind, found.path) for found in examine(RawFolder.at(folder)).findings if found.is_error]
    [('truncated', 'enaho/2025/Enaho01-2025-200.csv')]
    """
    findings: list[Finding] = []
    files: list[_Declared] = []
    for survey in SURVEYS:
        present, absent = _of_survey(raw, load_source(survey))
        files += present
        findings += absent
    for file in files:
        findings += _raw_file(raw, file)
    deposited = examine_deposits(raw)
    findings += deposited.findings
    panels = examine_panels(raw)
    findings += panels.findings
    looked_at = {file.path for file in files} | {file.path for file in deposited.files} | {*panels.files}
    findings += _expected_files(raw, looked_at)
    if not raw.listed:  # beside a TOML may lie anything
        findings += _fetched(raw.root)
        findings += _leftovers(raw.root)
    tables = sorted(clean.rglob("*.parquet")) if clean is not None and clean.is_dir() else []
    hashes = _raw_hashes(files) | deposited.hashes() | panels.hashes() if tables else {}
    for table in tables:
        findings += _clean_table(table, clean or table.parent, hashes)
    if clean is not None:
        findings += _leftovers(clean)
    return Diagnosis.of(
        findings, raw_files=len(files) + len(deposited.files) + len(panels.files), clean_tables=len(tables)
    )


def _of_survey(raw: RawFolder, source: SurveySource) -> tuple[list[_Declared], list[Finding]]:
    """Return the declared files that are there, and what is missing in years of which something is there."""
    present: list[_Declared] = []
    findings: list[Finding] = []
    codebook = load_codebook(source.name)
    for label in codebook.years:
        year = None if label == UNDATED else int(label)
        lost: list[TableSource] = []
        of_year: list[_Declared] = []
        for table in source.tables.values():
            if not codebook.maps(table.name, year):
                continue
            try:
                path = find_table(raw, survey=source.name, table=table.name, year=year)
            except SourceError as error:
                findings.append(Finding.of(error, below(Path(error.where), raw.root)))
                continue
            if path is None:
                lost += [] if table.is_optional else [table]
            else:
                of_year.append(_Declared(source=source, table=table, year=year, path=path))
        present += of_year
        if of_year:
            findings += [_missing(source, table, year) for table in lost]
    return present, findings


def _missing(source: SurveySource, table: TableSource, year: int | None) -> Finding:
    module = source.module(table.name, year)
    folder = f"{source.name}/{year}" if year is not None else source.name
    fetchable = module and table.producer == source.producer and year is not None
    remedy = (
        f"{_FETCH} {source.name} --years {year} --modules {module}" if fetchable else "see data_raw/README.md"
    )
    return Finding(
        kind="missing",
        path=f"{folder}/{table.names(year)[0]}",
        what=f"The {table.name} file of {source.name} {year_label(year)} is missing",
        remedy=remedy,
    )


def _raw_file(raw: RawFolder, file: _Declared) -> Iterator[Finding]:
    place = below(file.path, raw.root)
    try:
        check_file(file.path, raw.expected.get(file.path))
        found = _probe(file)
        if found.rows:
            yield from _content(file, found, place)
    except JuntosError as error:
        yield Finding.of(error, place)
        return
    stated = raw.expected.get(file.path)
    seen = None if raw.is_synthetic else file.table.rows.get(year_label(file.year))
    expected = stated.rows if stated is not None else seen
    if found.rows == 0 or (expected is not None and found.rows < expected):
        yield Finding(
            kind="truncated",
            path=place,
            what=f"The file is half-copied: {found.rows:,} rows, expected {expected or 1:,}",
            remedy="fetch it again; if INEI re-issued it, state its rows in manifest.toml",
        )
    elif expected is not None and found.rows > expected:
        yield Finding(
            kind="reissued",
            path=place,
            what=f"The file has {found.rows:,} rows, the issue seen {expected:,}",
            remedy="INEI may have issued it anew: once you trust it, state its rows in manifest.toml",
        )


def _probe(file: _Declared) -> Probe:
    if file.path.suffix.lower() != ".zip":
        return probe(file.path, file.source.rules)
    label = year_label(file.year)
    columns = load_codebook(file.source.name).columns_of(file.table.name, file.year)
    needs = tuple(column.raw[label] for column in columns if column.is_needed and column.name != "year")
    member = pick_member(file.path, zipped_rule(file.table, file.year, needs), column_names)
    with lent_member(file.path, member) as path:
        return probe(path, file.source.rules)


def _content(file: _Declared, found: Probe, place: str) -> Iterator[Finding]:
    """Another year's or module's file under a declared name has other columns, another year or other keys."""
    label = year_label(file.year)
    names = {normal_name(name): name for name in found.columns}
    columns = load_codebook(file.source.name).columns_of(file.table.name, file.year)
    lost = [
        column.raw[label]
        for column in columns
        if column.is_needed and column.name != "year" and normal_name(column.raw[label]) not in names
    ]
    what = ""
    if lost:
        what = f"{len(lost)} needed columns are not in the file: {', '.join(lost)}"
    elif years := _other_years(file, columns, found, names):
        what = f"The file is not of {file.year}: its year column says {', '.join(years)}"
    elif wide := _wide_keys(columns, found, names, label):
        what = f"Keys are wider than declared: {', '.join(wide)}"
    if what:
        yield Finding(
            kind="foreign",
            path=place,
            what=what,
            remedy="it is another module, year or edition: put the right file there",
        )


def _other_years(
    file: _Declared, columns: tuple[Column, ...], found: Probe, names: dict[str, str]
) -> list[str]:
    wanted = [column for column in columns if column.name == "year"]
    if file.year is None or not wanted:
        return []
    name = names.get(normal_name(wanted[0].raw[str(file.year)])) or _mangled_year(found.columns)
    if name is None:
        return []
    years = pd.to_numeric(found.head[name], errors="coerce").dropna().unique()
    return [f"{year:g}" for year in sorted(years) if year != file.year][:5]


def _mangled_year(columns: tuple[str, ...]) -> str | None:
    return next((name for name in columns if YEAR_COLUMN.match(name.lower())), None)


def _wide_keys(columns: tuple[Column, ...], found: Probe, names: dict[str, str], label: str) -> list[str]:
    wide = []
    for column in columns:
        name = names.get(normal_name(column.raw[label]))
        if column.kind != "key" or column.width is None or name is None:
            continue
        values = found.head[name].dropna()
        if pd.api.types.is_numeric_dtype(values):
            values = values[values % 1 == 0].astype("int64")
        if (values.astype("str").str.strip().str.len() > column.width).any():
            wide.append(name)
    return wide


def _expected_files(raw: RawFolder, looked_at: set[Path]) -> Iterator[Finding]:
    for path, stated in raw.expected.items():
        if path in looked_at:
            continue
        try:
            check_file(path, stated)
        except SourceError as error:
            yield Finding.of(error, below(path, raw.root))


def _fetched(root: Path) -> Iterator[Finding]:
    """Hold the zips and data files against the sha256 written down when they were fetched."""
    try:
        ledger = Ledger.read(root)
    except SourceError as error:
        yield Finding.of(error, below(Path(error.where), root))
        return
    for key, record in ledger.records.items():
        survey, _, name = key.partition("/")
        for place, sha256 in {f"{ZIPS}/{survey}/{name}": record.sha256, **record.files}.items():
            yield from _held_against(root / place, sha256, place, record.first_seen)


def _held_against(path: Path, sha256: str, place: str, first_seen: str) -> Iterator[Finding]:
    if not path.is_file():
        # a zip may be thrown away once its files are out
        if path.suffix != ".zip":
            yield Finding(
                kind="missing", path=place, what="A file that was fetched is gone", remedy="fetch it again"
            )
        return
    if sha256_of(path) == sha256:
        return
    error: JuntosError | None = None
    if path.suffix == ".zip":
        try:
            check_archive(path)
        except SourceError as refused:
            error = refused
    yield (
        Finding.of(error, place)
        if error
        else Finding(
            kind="corrupted",
            path=place,
            what=f"The file is not the one fetched on {first_seen}: its sha256 is another",
            remedy="delete it and fetch it again",
        )
    )


def _leftovers(folder: Path) -> Iterator[Finding]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".part", ".partial"} and path.is_file():
            yield Finding(
                kind="interrupted",
                path=below(path, folder),
                what="Work was interrupted here",
                remedy="give the same command again: it goes on" if path.suffix == ".part" else "delete it",
            )


def _raw_hashes(files: list[_Declared]) -> dict[str, set[str]]:
    hashes: dict[str, set[str]] = {}
    for file in files:
        hashes.setdefault(file.path.name, set()).add(sha256_of(file.path))
    return hashes


def _clean_table(path: Path, folder: Path, hashes: dict[str, set[str]]) -> Iterator[Finding]:
    place = below(path, folder)
    try:
        table = read_table(path)
    except JuntosError as error:
        found = Finding.of(error, place)
        is_alone = error.where.endswith(".provenance.json") and "missing" in error.what
        yield replace(found, kind="interrupted") if is_alone else found
        return
    if reason := _stale(table, hashes):
        yield Finding(kind="stale", path=place, what=reason, remedy="juntos-eval clean")


def _stale(table: CleanTable, hashes: dict[str, set[str]]) -> str:
    made = table.provenance
    if made.schema_version != SCHEMA_VERSION:
        return f"The table is of schema {made.schema_version}, the package makes {SCHEMA_VERSION}"
    changed = [
        file.name for file in made.inputs if file.name in hashes and file.sha256 not in hashes[file.name]
    ]
    if changed:
        return f"The table was made of another edition of {', '.join(changed)}"
    if made.code_version != code_version():
        return f"The table was made by version {made.code_version}, this is {code_version()}"
    return ""
