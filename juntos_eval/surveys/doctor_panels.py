"""The examination of ENAHO's panel releases: wide files, one of each module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from juntos_eval.errors import JuntosError, SchemaError, SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.enaho.panel import panel_layout
from juntos_eval.surveys.enaho.panel_release import (
    PANEL,
    PANEL_TABLES,
    PanelRelease,
    find_panel_file,
    load_releases,
)
from juntos_eval.surveys.extract import lent_member, pick_member
from juntos_eval.surveys.findings import Finding, below
from juntos_eval.surveys.harmonise import normal_name
from juntos_eval.surveys.read import check_file, sha256_of
from juntos_eval.surveys.read_columns import column_names
from juntos_eval.surveys.read_probe import Probe, probe
from juntos_eval.surveys.source import load_source

__all__ = ["ExaminedPanels", "examine_panels"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedPanels:
    """What an examination of the panel files found.

    Attributes
    ----------
    findings : tuple of Finding
    files : tuple of Path

    Examples
    --------
    >>> from juntos_eval.surveys.doctor_panels import ExaminedPanels
    >>> ExaminedPanels(findings=(), files=()).hashes()
    {}
    """

    findings: tuple[Finding, ...]
    files: tuple[Path, ...]

    def hashes(self) -> dict[str, set[str]]:
        """Return the sha256 of the files by name."""
        found: dict[str, set[str]] = {}
        for path in self.files:
            found.setdefault(path.name, set()).add(sha256_of(path))
        return found


def examine_panels(raw: RawFolder) -> ExaminedPanels:
    """Look through the panel files that are there, and for the households' file of each release begun.

    Parameters
    ----------
    raw : RawFolder

    Returns
    -------
    ExaminedPanels

    Examples
    --------
    >>> import tempfile
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.doctor_panels import examine_panels
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     examine_panels(RawFolder.at(folder)).findings
    ()
    """
    findings: list[Finding] = []
    files: list[Path] = []
    for release in load_releases().values():
        found: dict[str, Path] = {}
        for table in PANEL_TABLES:
            try:
                path = find_panel_file(raw, release, table)
            except SourceError as error:
                findings.append(Finding.of(error, f"{PANEL}/{release.last}"))
                continue
            if path is not None:
                found[table] = path
        files += found.values()
        for table, path in found.items():
            findings += _file(raw, release, table, path)
        if found and "sumaria" not in found:
            findings.append(_missing(release))
    return ExaminedPanels(findings=tuple(findings), files=tuple(files))


def _missing(release: PanelRelease) -> Finding:
    return Finding(
        kind="missing",
        path=f"{PANEL}/{release.last}/{release.file_names('sumaria')[0]}",
        what=f"The sumaria of the panel {release.first}-{release.last} is missing: without it no weights "
        "of households and no attrition",
        remedy=f"juntos-eval fetch {PANEL} --years {release.last} --modules {release.module('sumaria')}",
    )


def _file(raw: RawFolder, release: PanelRelease, table: str, path: Path) -> Iterator[Finding]:
    place = below(path, raw.root)
    stated = raw.expected.get(path)
    try:
        check_file(path, stated)
        found = _probe(release, table, path)
        lost = _lost(release, table, found.columns)
    except SchemaError as error:
        yield Finding(kind="foreign", path=place, what=error.what, remedy="put the right release there")
        return
    except JuntosError as error:
        yield Finding.of(error, place)
        return
    expected = stated.rows if stated is not None else None
    if found.rows == 0 or (expected is not None and found.rows < expected):
        yield Finding(
            kind="truncated",
            path=place,
            what=f"The file is half-copied: {found.rows:,} rows, expected {expected or 1:,}",
            remedy="fetch it again",
        )
    if lost:
        yield Finding(
            kind="foreign",
            path=place,
            what=f"{len(lost)} needed columns are not in the file: {', '.join(lost[:8])}",
            remedy="it is another module or release: put the right file there",
        )


def _probe(release: PanelRelease, table: str, path: Path) -> Probe:
    rules = load_source("enaho").rules
    if path.suffix.lower() != ".zip":
        return probe(path, rules)
    with lent_member(path, pick_member(path, release.rule(table), column_names)) as member:
        return probe(member, rules)


def _lost(release: PanelRelease, table: str, columns: tuple[str, ...]) -> list[str]:
    """Return needed items that a wave's columns lack; a wave without any column is another matter."""
    layout, codebook = panel_layout(columns, window=release.window), load_codebook("enaho")
    of_unit = {name.lower() for name in layout.fixed}
    unchanging = {"conglome", "vivienda"} if of_unit & {"conglome", "cong"} else set()
    lost: list[str] = []
    for year, own in layout.waves.items():
        if not own or not codebook.maps(table, year):
            continue
        there = {normal_name(item) for item in own} | unchanging
        needed = (c for c in codebook.columns_of(table, year) if c.is_needed and c.name != "year")
        lost += [
            f"{c.raw[str(year)].lower()}_{year % 100:02d}"
            for c in needed
            if normal_name(c.raw[str(year)]) not in there
        ]
    return lost
