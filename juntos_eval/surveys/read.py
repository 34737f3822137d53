"""Raw files to frames, every column as written, and the refusal of files that are not whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from juntos_eval.errors import SourceError
from juntos_eval.paths import Expectation
from juntos_eval.surveys.extract import ANY_DATA, MemberRule, lent_member, pick_member
from juntos_eval.surveys.read_columns import column_names
from juntos_eval.surveys.read_dbf import read_dbf
from juntos_eval.surveys.read_delimited import TextRules, read_delimited
from juntos_eval.surveys.read_labels import NO_LABELS, RawLabels
from juntos_eval.surveys.read_probe import read_columns
from juntos_eval.surveys.read_spss import read_spss, spss_facts
from juntos_eval.surveys.read_stata import read_stata, stata_labels
from juntos_eval.surveys.to_parquet import stored_labels

__all__ = ["RawTable", "check_file", "read_raw", "sha256_of"]

#: Frame, encoding and labels.
_Read = tuple[pd.DataFrame, str | None, RawLabels]

_FETCH_AGAIN: Final = "fetch the file again and compare its size with the publisher's"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    r"""A raw file as read.

    Attributes
    ----------
    frame : pandas.DataFrame
        Every row and column as written.
    path : Path
    sha256 : str
    size_bytes : int
    file_format : str
        ``dta sav zsav csv tab dbf parquet``.
    encoding : str or None
        The encoding that a text, SPSS or dBase file was found to have.
    expected_rows : int or None
        Rows of the issue seen.
    labels : RawLabels
        What the file says of its columns and codes.
    member : str or None
        Of a zip: the member read. The path, size and sha256 are the zip's.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.read import read_raw
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     _ = path.write_bytes("AÑO;MES\n2025;01\n".encode("latin-1"))
    ...     raw = read_raw(path)
    >>> raw.encoding, raw.frame.columns.tolist(), raw.frame.iloc[0].tolist()
    ('latin-1', ['AÑO', 'MES'], ['2025', '01'])
    """

    frame: pd.DataFrame
    path: Path
    sha256: str
    size_bytes: int
    file_format: str
    encoding: str | None
    expected_rows: int | None
    labels: RawLabels = NO_LABELS
    member: str | None = None


def read_raw(
    path: Path,
    *,
    rules: TextRules | None = None,
    expected: Expectation | None = None,
    member: MemberRule | None = None,
    columns: Callable[[str], bool] | None = None,
) -> RawTable:
    """Read one raw file and check that it is whole.

    Parameters
    ----------
    path : Path
        ``.dta .sav .zsav .csv .tab .dbf .parquet``, or a ``.zip`` of which one such member is read.
    rules : TextRules, optional
        Encodings and missing fields of text files.
    expected : Expectation, optional
        Rows, bytes and sha256 of a sound copy; of a zip the bytes and sha256 are its own.
    member : MemberRule, optional
        Which member of a zip is wanted; needed where it holds several data files.
    columns : callable, optional
        Says of a column's name, as the file writes it, whether to read it: memory then holds those alone.

    Returns
    -------
    RawTable

    Raises
    ------
    SourceError
        If the file is missing, empty, truncated, of a wrong encoding or no data at all.
    """
    expected = expected or Expectation()
    size = _check_present(path, expected)
    _check_kind(path)
    file_format = path.suffix.lower().removeprefix(".")
    if file_format == "zip":
        return _read_zipped(path, rules, expected, member or ANY_DATA, columns)
    if file_format not in _READERS:
        raise SourceError(
            f"Files {path.suffix or 'without suffix'} are not read",
            where=str(path),
            remedy=f"use one of {', '.join(_READERS)}",
        )
    sha256 = _checked_sha256(path, expected)
    if columns is None:
        frame, encoding, labels = _READERS[file_format](path, rules or TextRules(), expected.rows)
    else:
        frame, encoding = read_columns(path, columns, rules)
        labels = _labels_of(path)
    _check_rows(path, len(frame), expected.rows)
    return RawTable(
        frame=frame,
        path=path,
        sha256=sha256,
        size_bytes=size,
        file_format=file_format,
        encoding=encoding,
        expected_rows=expected.rows,
        labels=labels,
    )


def check_file(path: Path, expected: Expectation | None = None) -> None:
    """Refuse a file that is absent, empty, a web page, or not the one announced; its content is not read.

    Parameters
    ----------
    path : Path
    expected : Expectation, optional

    Raises
    ------
    SourceError
    """
    expected = expected or Expectation()
    _check_present(path, expected)
    _check_kind(path)
    if expected.sha256 is not None:
        _checked_sha256(path, expected)


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.read import sha256_of
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a"
    ...     _ = path.write_bytes(b"abc")
    ...     sha256_of(path)[:8]
    'ba7816bf'
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_zipped(
    path: Path,
    rules: TextRules | None,
    expected: Expectation,
    rule: MemberRule,
    columns: Callable[[str], bool] | None,
) -> RawTable:
    sha256 = _checked_sha256(path, expected)
    name = pick_member(path, rule, column_names)
    with lent_member(path, name) as data_file:
        inside = read_raw(data_file, rules=rules, expected=Expectation(rows=expected.rows), columns=columns)
    size = path.stat().st_size
    return replace(inside, path=path, sha256=sha256, size_bytes=size, member=name)


def _labels_of(path: Path) -> RawLabels:
    suffix = path.suffix.lower()
    if suffix == ".dta":
        return stata_labels(path)
    if suffix in {".sav", ".zsav"}:
        return spss_facts(path).labels
    return stored_labels(pq.read_schema(path)) if suffix == ".parquet" else NO_LABELS


def _checked_sha256(path: Path, expected: Expectation) -> str:
    sha256 = sha256_of(path)
    if expected.sha256 not in {None, sha256}:
        raise SourceError(
            f"The file is not the one announced: its sha256 is {sha256}, expected {expected.sha256}",
            where=str(path),
            remedy=_FETCH_AGAIN,
        )
    return sha256


def _check_present(path: Path, expected: Expectation) -> int:
    if not path.is_file():
        raise SourceError(
            "The file is missing", where=str(path), remedy="data_raw/README.md says how to get it"
        )
    size = path.stat().st_size
    if size == 0:
        raise SourceError("The file is empty", where=f"{path}, 0 bytes", remedy=_FETCH_AGAIN)
    if expected.size_bytes not in {None, size}:
        raise SourceError(
            f"The file is half-copied or another one: {size:,} bytes, expected {expected.size_bytes:,}",
            where=str(path),
            remedy=_FETCH_AGAIN,
        )
    return size


def _check_kind(path: Path) -> None:
    """Refuse what a portal sends instead of data, under the name of data."""
    with path.open("rb") as stream:
        head = stream.read(512)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head>", b"<?xml")):
        raise SourceError(
            "The file holds a web page, not data: the portal answered an error or a queue",
            where=str(path),
            remedy="wait, fetch it again, and look at the first lines of what arrives",
        )
    if head.startswith(b"PK\x03\x04") and path.suffix.lower() != ".zip":
        raise SourceError(
            "The file is a zip archive",
            where=str(path),
            remedy="call it .zip, or unpack it and keep the data file alone",
        )


def _check_rows(path: Path, found: int, expected: int | None) -> None:
    if found == 0:
        raise SourceError("The file has no rows", where=f"{path}, 0 rows", remedy=_FETCH_AGAIN)
    if expected is not None and found < expected:
        raise SourceError(
            f"The file is half-copied: {found:,} rows, expected {expected:,}",
            where=str(path),
            remedy=f"{_FETCH_AGAIN}; if the publisher re-issued it, state its rows in manifest.toml",
        )


def _parquet(path: Path, _rules: TextRules, _rows: int | None) -> _Read:
    try:
        table = pq.read_table(path)
        return table.to_pandas(), None, stored_labels(table.schema)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"The Parquet file is half-copied or damaged: {error}",
            where=f"{path}, {path.stat().st_size:,} bytes",
            remedy=_FETCH_AGAIN,
        ) from error


def _stata(path: Path, _rules: TextRules, _rows: int | None) -> _Read:
    return read_stata(path), None, stata_labels(path)


def _spss(path: Path, _rules: TextRules, _rows: int | None) -> _Read:
    return read_spss(path)


def _dbase(path: Path, rules: TextRules, _rows: int | None) -> _Read:
    frame, encoding = read_dbf(path, rules.encodings)
    return frame, encoding, NO_LABELS


def _delimited(path: Path, rules: TextRules, rows: int | None) -> _Read:
    frame, encoding = read_delimited(path, rules, rows)
    return frame, encoding, NO_LABELS


_READERS: Final[dict[str, Callable[[Path, TextRules, int | None], _Read]]] = {
    "dta": _stata,
    "sav": _spss,
    "zsav": _spss,
    "csv": _delimited,
    "tab": _delimited,
    "dbf": _dbase,
    "parquet": _parquet,
}
