"""dBase files: as many records as the header announces, fields as written."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pandas as pd

from juntos_eval.errors import SourceError

__all__ = ["dbf_chunks", "dbf_encoding", "dbf_fields", "read_dbf"]

_REMEDY: Final = "fetch the file again and compare its size with the publisher's"
_CONTROLS: Final = re.compile(rb"[\x80-\x9f]")

#: Language byte of the header -> code page; the others are tried in the order of the survey's rules.
_CODE_PAGES: Final = {0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x57: "cp1252"}


def read_dbf(
    path: Path, encodings: tuple[str, ...] = ("utf-8", "latin-1", "cp1252")
) -> tuple[pd.DataFrame, str]:
    """Read a whole ``.dbf``.

    Parameters
    ----------
    path : Path
    encodings : tuple of str
        Tried strictly and in this order where the file declares no code page.

    Returns
    -------
    frame : pandas.DataFrame
        Text fields as text, their leading zeros kept; empty ones are missing.
    encoding : str

    Raises
    ------
    SourceError
        If the file is cut, is no dBase file, or no encoding fits.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import shapefile
    >>> from juntos_eval.surveys.read_dbf import read_dbf
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.dbf"
    ...     with shapefile.Writer(dbf=path) as writer:
    ...         writer.field("CONGLOME", "C", size=6)
    ...         writer.record("015009")
    ...     frame, encoding = read_dbf(path)
    >>> frame["CONGLOME"].tolist()
    ['015009']
    """
    encoding = dbf_encoding(path, encodings)
    pieces = list(dbf_chunks(path, 50_000, encoding))
    return pd.concat(pieces, ignore_index=True), encoding


def dbf_chunks(path: Path, rows: int, encoding: str) -> Iterator[pd.DataFrame]:
    """Read a ``.dbf`` in pieces of so many rows.

    Parameters
    ----------
    path : Path
    rows : int
    encoding : str
        What ``dbf_encoding`` found.

    Yields
    ------
    pandas.DataFrame
        Deleted records are left out, as dBase itself does.

    Raises
    ------
    SourceError
        If the file is cut or no dBase file.
    """
    import shapefile

    total, _, _ = _checked_header(path)
    try:
        with shapefile.Reader(dbf=path, encoding=encoding, encodingErrors="strict") as reader:
            names = [field[0] for field in reader.fields if field[0] != "DeletionFlag"]
            for start in range(0, max(total, 1), rows):
                records = reader.iterRecords(start=start, stop=min(start + rows, total)) if total else ()
                kept = [list(record) for record in records if record is not None]
                yield _frame(kept, names)
    except (shapefile.ShapefileException, UnicodeDecodeError, struct.error, ValueError) as error:
        raise _unreadable(path, str(error)) from error


def dbf_fields(path: Path) -> tuple[tuple[str, str, int], ...]:
    """Return name, type letter and width of each field.

    Raises
    ------
    SourceError
        If the file is cut or no dBase file.
    """
    import shapefile

    _checked_header(path)
    with shapefile.Reader(dbf=path, encoding="latin-1") as reader:
        return tuple(
            (field[0], str(getattr(field[1], "value", field[1])), field[2])
            for field in reader.fields
            if field[0] != "DeletionFlag"
        )


def dbf_encoding(path: Path, encodings: tuple[str, ...]) -> str:
    """Return the code page that the header declares, else the first encoding that the bytes bear out.

    Raises
    ------
    SourceError
        If the file is cut or no dBase file, or nothing fits.
    """
    _, header_bytes, language = _checked_header(path)
    candidates = (_CODE_PAGES[language],) if language in _CODE_PAGES else encodings
    content = path.read_bytes()[header_bytes:]
    for encoding in candidates:
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "latin-1" or not _CONTROLS.search(content):
            return encoding
    raise SourceError(
        f"The text is not in the encoding declared ({', '.join(candidates)})",
        where=str(path),
        remedy="get the file as the publisher issued it, or correct `encodings` in source.toml",
    )


def _checked_header(path: Path) -> tuple[int, int, int]:
    """Return records, bytes of the header and the language byte of a file that is whole."""
    with path.open("rb") as stream:
        head = stream.read(32)
    if not head or head[0] & 0x07 != 3:
        raise SourceError(
            "The file is no dBase file that can be read", where=str(path), remedy="look at what was fetched"
        )
    found = path.stat().st_size
    if len(head) < 32:
        raise _unreadable(path, "its header is cut")
    rows, header_bytes, record_bytes = struct.unpack_from("<IHH", head, 4)
    expected = header_bytes + rows * record_bytes
    if found < expected:
        raise _unreadable(path, f"{found:,} bytes, expected {expected:,} for {rows:,} rows")
    return rows, header_bytes, head[29]


def _frame(records: list[list[Any]], names: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(records, columns=names)
    for name in names:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            frame[name] = frame[name].astype("str").mask(frame[name].isna() | frame[name].eq(""))
    return frame


def _unreadable(path: Path, detail: str) -> SourceError:
    return SourceError(
        f"The dBase file is half-copied or damaged: {detail}",
        where=f"{path}, {path.stat().st_size:,} bytes",
        remedy=_REMEDY,
    )
