"""The examination of Young Lives files, which a user places by hand, loose or in the zips of the archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from juntos_eval.errors import JuntosError, SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.extract import check_archive, lent_member
from juntos_eval.surveys.findings import Finding, below
from juntos_eval.surveys.read import check_file, sha256_of
from juntos_eval.surveys.read_probe import Probe, probe
from juntos_eval.surveys.young_lives.locate import FoundFile, find_file
from juntos_eval.surveys.young_lives.study_files import SURVEY, StudyFile, load_deposit

__all__ = ["Deposited", "examine_deposits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposited:
    """What an examination of the deposited files found.

    Attributes
    ----------
    findings : tuple of Finding
    files : tuple of FoundFile
        The declared files that are there.

    Examples
    --------
    >>> from juntos_eval.surveys.doctor_deposits import Deposited
    >>> Deposited(findings=(), files=()).hashes()
    {}
    """

    findings: tuple[Finding, ...]
    files: tuple[FoundFile, ...]

    def hashes(self) -> dict[str, set[str]]:
        """Return the sha256 of the files that lie there loose, by name."""
        found: dict[str, set[str]] = {}
        for file in self.files:
            if file.member is None:
                found.setdefault(file.path.name, set()).add(sha256_of(file.path))
        return found


def examine_deposits(raw: RawFolder) -> Deposited:
    """Look for the files of Young Lives where anything of it was placed, and through those that are there.

    Parameters
    ----------
    raw : RawFolder

    Returns
    -------
    Deposited

    Examples
    --------
    >>> import tempfile
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.doctor_deposits import examine_deposits
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     examine_deposits(RawFolder.at(folder)).findings
    ()
    """
    folder = raw.root / SURVEY
    if raw.listed or not folder.is_dir():
        return Deposited(findings=(), files=())
    for path in sorted(folder.rglob("*.zip")):
        try:
            check_archive(path)
        except SourceError as error:
            return Deposited(findings=(Finding.of(error, below(path, raw.root)),), files=())
    findings: list[Finding] = []
    files: list[FoundFile] = []
    for file in load_deposit().files:
        try:
            found = find_file(raw, file)
        except JuntosError as error:
            findings.append(Finding.of(error, f"{SURVEY}/{file.stem}"))
            continue
        if found is None:
            findings.append(_missing(file))
        else:
            files.append(found)
            findings += _file(raw, file, found)
    return Deposited(findings=tuple(findings), files=tuple(files))


def _missing(file: StudyFile) -> Finding:
    return Finding(
        kind="missing",
        path=f"{SURVEY}/{file.stem}",
        what=f"The file {file.label} is missing",
        remedy=f"put {' or '.join(file.zips)} into {SURVEY}/",
    )


def _file(raw: RawFolder, file: StudyFile, found: FoundFile) -> Iterator[Finding]:
    place = below(found.path, raw.root)
    if found.member is not None:
        place = f"{place}: {found.member}"
    stated = raw.expected.get(found.path) if found.member is None else None
    try:
        if found.member is None:
            check_file(found.path, stated)
        rows = _probe(found).rows
    except JuntosError as error:
        yield Finding.of(error, place)
        return
    expected = stated.rows if stated is not None else (None if raw.is_synthetic else file.rows)
    if rows == 0 or (expected is not None and rows < expected):
        yield Finding(
            kind="truncated",
            path=place,
            what=f"The file is half-copied: {rows:,} rows, expected {expected or 1:,}",
            remedy="take it again from the zip of the UK Data Service",
        )


def _probe(found: FoundFile) -> Probe:
    if found.member is None:
        return probe(found.path)
    with lent_member(found.path, found.member) as path:
        return probe(path)
