"""The bytes of a study's file to a raw frame, with the labels that the file gives to its codes."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pandas as pd

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SourceError
from juntos_eval.paths import Expectation
from juntos_eval.surveys.read import RawTable, read_raw
from juntos_eval.surveys.read_delimited import TextRules, read_delimited
from juntos_eval.surveys.young_lives.locate import FoundFile

__all__ = ["LabelledTable", "read_study_file"]

_RULES: Final = TextRules(encodings=("utf-8", "latin-1", "cp1252"), missing=("", " ", "."))
_MOST_BYTES: Final = 2 * 1024**3
_MOST_RATIO: Final = 200
_REMEDY: Final = "download the study again from the UK Data Service"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledTable:
    """A raw table and the labels of its codes.

    Attributes
    ----------
    raw : RawTable
    labels : FrozenMapping of str to FrozenMapping of float to str
        Raw name -> code -> text; empty for ``.tab``, which carries none.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.locate import FoundFile
    >>> from juntos_eval.surveys.young_lives.read_study import read_study_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.dta"
    ...     frame = pd.DataFrame({"appjntr3": [0.0, 1.0]})
    ...     frame.to_stata(path, write_index=False, value_labels={"appjntr3": {0: "no", 1: "beneficiary"}})
    ...     read_study_file(FoundFile(path=path)).labels["appjntr3"][1.0]
    'beneficiary'
    """

    raw: RawTable
    labels: FrozenMapping[str, FrozenMapping[float, str]]


def read_study_file(found: FoundFile, expected: Expectation | None = None) -> LabelledTable:
    """Read a ``.dta``, ``.sav`` or ``.tab``, loose or inside a zip; codes stay codes.

    Parameters
    ----------
    found : FoundFile
    expected : Expectation, optional
        Rows, bytes and sha256 of a sound copy.

    Returns
    -------
    LabelledTable

    Raises
    ------
    SourceError
        If the file is truncated, of a wrong encoding, encrypted, damaged, or no data at all.
    """
    with _on_disk(found) as path:
        if found.suffix == ".dta":
            return LabelledTable(raw=read_raw(path, expected=expected), labels=_labels(path))
        read = _read_sav if found.suffix == ".sav" else _read_tab
        return read(path, expected or Expectation())


@contextmanager
def _on_disk(found: FoundFile) -> Iterator[Path]:
    if found.member is None:
        yield found.path
        return
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / PurePosixPath(found.member).name
        _extract(found.path, found.member, target)
        yield target


def _extract(path: Path, member: str, target: Path) -> None:
    """Unpack one member under our own name: what paths the archive holds does not matter."""
    try:
        with zipfile.ZipFile(path) as archive:
            facts = archive.getinfo(member)
            if facts.flag_bits & 0x1:
                raise SourceError("The zip is encrypted", where=str(path), remedy="unpack it yourself first")
            if facts.file_size > min(_MOST_BYTES, _MOST_RATIO * max(facts.compress_size, 1)):
                raise SourceError(
                    f"The member unpacks to {facts.file_size:,} bytes from {facts.compress_size:,}",
                    where=f"{path}, {member}",
                    remedy="no released file does: download it again",
                )
            with archive.open(facts) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise SourceError(
            f"The zip is damaged: {error}", where=f"{path}, {member}", remedy=_REMEDY
        ) from error


def _labels(path: Path) -> FrozenMapping[str, FrozenMapping[float, str]]:
    """Read the labels of a Stata file that was read whole already."""
    import pyreadstat

    try:
        _, meta = pyreadstat.read_dta(str(path), metadataonly=True)
    except (pyreadstat.ReadstatError, ValueError) as error:
        raise SourceError(
            f"The labels of the Stata file cannot be read: {error}", where=str(path), remedy=_REMEDY
        ) from error
    return _frozen_labels(meta.variable_value_labels)


def _frozen_labels(found: dict[str, dict[Any, str]]) -> FrozenMapping[str, FrozenMapping[float, str]]:
    return FrozenMapping(
        {
            name: FrozenMapping({float(code): text for code, text in labels.items() if _is_number(code)})
            for name, labels in found.items()
        }
    )


def _is_number(code: Any) -> bool:
    return isinstance(code, int | float)


def _read_sav(path: Path, expected: Expectation) -> LabelledTable:
    import pyreadstat

    _check_bytes(path, expected)
    try:
        frame, meta = pyreadstat.read_sav(str(path), user_missing=True, apply_value_formats=False)
    except (pyreadstat.ReadstatError, UnicodeDecodeError, ValueError) as error:
        raise SourceError(
            f"The SPSS file is half-copied or cannot be read: {error}",
            where=f"{path}, {path.stat().st_size:,} bytes",
            remedy=_REMEDY,
        ) from error
    announced = meta.number_rows
    wanted = max(row for row in (announced, expected.rows, 0) if row is not None)
    _check_rows(path, len(frame), wanted)
    raw = _raw_table(path, frame, expected, encoding=meta.file_encoding)
    return LabelledTable(raw=raw, labels=_frozen_labels(meta.variable_value_labels))


def _read_tab(path: Path, expected: Expectation) -> LabelledTable:
    _check_bytes(path, expected)
    frame, encoding = read_delimited(path, _RULES, expected.rows)
    _check_rows(path, len(frame), expected.rows or 0)
    return LabelledTable(raw=_raw_table(path, frame, expected, encoding=encoding), labels=FrozenMapping())


def _check_bytes(path: Path, expected: Expectation) -> None:
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(512).lstrip().lower()
    if size == 0 or head.startswith((b"<!doctype html", b"<html", b"<?xml")):
        what = "is empty" if size == 0 else "holds a web page, not data"
        raise SourceError(f"The file {what}", where=f"{path}, {size:,} bytes", remedy=_REMEDY)
    if expected.size_bytes not in {None, size}:
        raise SourceError(
            f"The file is half-copied or another one: {size:,} bytes, expected {expected.size_bytes:,}",
            where=str(path),
            remedy=_REMEDY,
        )


def _check_rows(path: Path, found: int, wanted: int) -> None:
    if found == 0 or found < wanted:
        raise SourceError(
            f"The file is half-copied: {found:,} rows, expected {max(wanted, 1):,}",
            where=str(path),
            remedy=_REMEDY,
        )


def _raw_table(path: Path, frame: pd.DataFrame, expected: Expectation, *, encoding: str | None) -> RawTable:
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    if expected.sha256 not in {None, sha256}:
        raise SourceError(
            f"The file is not the one announced: its sha256 is {sha256}, expected {expected.sha256}",
            where=str(path),
            remedy=_REMEDY,
        )
    return RawTable(
        frame=frame,
        path=path,
        sha256=sha256,
        size_bytes=path.stat().st_size,
        file_format=path.suffix.lower().removeprefix("."),
        encoding=encoding,
        expected_rows=expected.rows,
    )
