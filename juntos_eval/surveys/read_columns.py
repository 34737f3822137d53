"""The column names of a raw data file, without reading its rows."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from juntos_eval.errors import SourceError
from juntos_eval.surveys.read_delimited import sniff_delimiter
from juntos_eval.surveys.stata_layout import stata_layout

__all__ = ["column_names"]


def column_names(path: Path) -> tuple[str, ...]:
    r"""Return the columns of a ``.dta``, ``.sav``, ``.csv``, ``.tab``, ``.dbf`` or ``.parquet``.

    Parameters
    ----------
    path : Path

    Returns
    -------
    tuple of str
        As the file writes them.

    Raises
    ------
    SourceError
        If the header cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.read_columns import column_names
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     _ = path.write_bytes(b"CONGLOME;P203\n015009;1\n")
    ...     column_names(path)
    ('CONGLOME', 'P203')
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise SourceError(
            f"Files {path.suffix or 'without suffix'} are not read",
            where=str(path),
            remedy=f"use one of {', '.join(_READERS)}",
        )
    try:
        return reader(path)
    except SourceError:
        raise
    # each library has its own errors for a header that is cut
    except Exception as error:
        raise SourceError(
            f"The header of the file cannot be read: {error}", where=str(path), remedy="fetch it again"
        ) from error


def _stata(path: Path) -> tuple[str, ...]:
    layout = stata_layout(path)
    if layout is None:
        raise SourceError(
            "The Stata file is half-copied: its header is cut", where=str(path), remedy="fetch it again"
        )
    return layout.names


def _spss(path: Path) -> tuple[str, ...]:
    import pyreadstat

    try:
        _, facts = pyreadstat.read_sav(path, metadataonly=True)
    except (pyreadstat.ReadstatError, UnicodeDecodeError):
        _, facts = pyreadstat.read_sav(path, metadataonly=True, encoding="LATIN1")
    return tuple(facts.column_names)


def _delimited(path: Path) -> tuple[str, ...]:
    with path.open("rb") as stream:
        line = stream.readline(1 << 20).removeprefix(codecs.BOM_UTF8)
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    delimiter = sniff_delimiter(text, where=str(path))
    return tuple(name.strip().strip('"') for name in text.split(delimiter))


def _dbase(path: Path) -> tuple[str, ...]:
    import shapefile

    with shapefile.Reader(dbf=path, encoding="latin-1") as reader:
        return tuple(field[0] for field in reader.fields if field[0] != "DeletionFlag")


def _parquet(path: Path) -> tuple[str, ...]:
    return tuple(pq.read_schema(path).names)


_READERS: Final[dict[str, Callable[[Path], tuple[str, ...]]]] = {
    ".dta": _stata,
    ".sav": _spss,
    ".zsav": _spss,
    ".csv": _delimited,
    ".tab": _delimited,
    ".dbf": _dbase,
    ".parquet": _parquet,
}
