"""Find the file of a study below a raw folder, loose or inside the zip that the UK Data Service sends."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from juntos_eval.errors import SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.young_lives.study_files import SURVEY, StudyFile, load_deposit

__all__ = ["SUFFIXES", "FoundFile", "find_file", "missing_files", "require_file"]

#: In the order of preference: the first two carry the labels of codes.
SUFFIXES: Final = (".dta", ".sav", ".tab")

_STUDY: Final = re.compile(r"^(?:ukda[-_ ]?)?(\d{4})(?:\D.*)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """Where a file lies.

    Attributes
    ----------
    path : Path
        The file itself, or the zip that holds it.
    member : str or None
        Its name inside the zip.

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.young_lives.locate import FoundFile
    >>> FoundFile(path=Path("UKDA-7483-stata.zip"), member="stata/stata11/peru_constructed.dta").name
    'peru_constructed.dta'
    """

    path: Path
    member: str | None = None

    @property
    def name(self) -> str:
        """Name of the file without folders."""
        return PurePosixPath(self.member).name if self.member is not None else self.path.name

    @property
    def suffix(self) -> str:
        """Its suffix in lower case."""
        return PurePosixPath(self.name).suffix.lower()


def find_file(raw: RawFolder, file: StudyFile) -> FoundFile | None:
    """Return where a file lies, or None.

    Every folder below ``<raw>/young_lives`` is searched, and every ``UKDA-<SN>-*.zip`` of the study. Stata is
    preferred to SPSS to tab, a loose file to one in a zip.

    Parameters
    ----------
    raw : RawFolder
    file : StudyFile

    Raises
    ------
    SourceError
        If it lies there twice in one format, lies only under another study's number, or a zip is damaged.

    Examples
    --------
    >>> import tempfile
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.young_lives.locate import find_file
    >>> from juntos_eval.surveys.young_lives.study_files import load_deposit
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     find_file(RawFolder.at(folder), load_deposit().file("panel", None)) is None
    True
    """
    if raw.listed:
        path = raw.find(survey=SURVEY, year=file.round, table=file.table, names=())
        return None if path is None else FoundFile(path=path)
    candidates = list(_candidates(raw.root / SURVEY, file.stem))
    own = [found for study, found in candidates if study in {None, file.study}]
    if not own and candidates:
        other = sorted({study for study, _ in candidates if study is not None})
        raise SourceError(
            f"{file.stem} lies under study {', '.join(map(str, other))}, it belongs to study {file.study}",
            where=str(candidates[0][1].path),
            remedy=f"put it into a folder UKDA-{file.study}-stata, or fetch study {file.study}",
        )
    return _preferred(own, file)


def require_file(raw: RawFolder, file: StudyFile) -> FoundFile:
    """Return where a file lies.

    Raises
    ------
    SourceError
        If it is not there, with where to put it and how a user gets it.

    Examples
    --------
    >>> import tempfile
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.young_lives.locate import require_file
    >>> from juntos_eval.surveys.young_lives.study_files import load_deposit
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     require_file(RawFolder.at(folder), load_deposit().file("panel", None))
    Traceback (most recent call last):
    ...
    juntos_eval.errors.SourceError: The file panel (peru_constructed, SN 7483) is missing ...
    """
    found = find_file(raw, file)
    if found is None:
        raise SourceError(
            f"The file {file.label} is missing",
            where=str(raw.root / SURVEY),
            remedy=f"put {' or '.join(file.zips)} there, or {file.stem}.dta, .sav or .tab; "
            f"registered users download it: {load_deposit().facts['register']}",
        )
    return found


def missing_files(raw: RawFolder, files: tuple[StudyFile, ...] | None = None) -> tuple[StudyFile, ...]:
    """Return the declared files that are not below the raw folder.

    Parameters
    ----------
    raw : RawFolder
    files : tuple of StudyFile, optional
        Default every declared one.

    Examples
    --------
    >>> import tempfile
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.young_lives.locate import missing_files
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     missing_files(RawFolder.at(folder))[0].stem
    'peru_constructed'
    """
    wanted = load_deposit().files if files is None else files
    return tuple(file for file in wanted if find_file(raw, file) is None)


def _candidates(root: Path, stem: str) -> Iterator[tuple[int | None, FoundFile]]:
    """Give every file of that name, with the study whose number a folder or zip above it carries."""
    for path in sorted(root.rglob("*")) if root.is_dir() else ():
        inside = path.relative_to(root)
        if path.suffix.lower() == ".zip" and path.is_file():
            study = _study_of((path.stem,))
            yield from ((study, FoundFile(path=path, member=name)) for name in _members(path, stem))
        elif path.suffix.lower() in SUFFIXES and path.stem.lower() == stem.lower():
            yield _study_of(inside.parts[:-1]), FoundFile(path=path)


def _members(path: Path, stem: str) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise SourceError(
            f"The zip is half-copied or no zip at all: {error}",
            where=f"{path}, {path.stat().st_size:,} bytes",
            remedy="download it again from the UK Data Service",
        ) from error
    pure = [PurePosixPath(name) for name in names]
    wanted = {f"{stem.lower()}{suffix}" for suffix in SUFFIXES}
    return [str(name) for name in pure if name.name.lower() in wanted]


def _study_of(parts: tuple[str, ...]) -> int | None:
    numbers = [int(match.group(1)) for part in parts if (match := _STUDY.match(part))]
    known = [number for number in numbers if number in load_deposit().studies]
    return known[-1] if known else None


def _preferred(found: list[FoundFile], file: StudyFile) -> FoundFile | None:
    for suffix in SUFFIXES:
        for is_loose in (True, False):
            same = [one for one in found if one.suffix == suffix and (one.member is None) is is_loose]
            if len(same) > 1:
                raise SourceError(
                    f"{file.stem}{suffix} lies there {len(same)} times",
                    where=", ".join(sorted({str(one.path) for one in same})),
                    remedy="leave one of them",
                )
            if same:
                return same[0]
    return None
