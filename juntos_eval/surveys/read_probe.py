"""A raw file gone through once in bounded memory: is it whole, how long is it, and how does it begin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from juntos_eval.errors import SourceError
from juntos_eval.surveys.read_dbf import dbf_chunks, dbf_encoding
from juntos_eval.surveys.read_delimited import TextRules, delimited_batches
from juntos_eval.surveys.read_spss import spss_chunks, spss_facts
from juntos_eval.surveys.read_stata import checked_layout, stata_chunks

__all__ = ["Probe", "probe", "read_columns"]

_PIECE_ROWS: Final = 20_000
_PIECE_BYTES: Final = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What going through a file found.

    Attributes
    ----------
    rows : int
    columns : tuple of str
    encoding : str or None
    head : pandas.DataFrame
        The first rows, as written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from juntos_eval.surveys.read_probe import probe
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.dta"
    ...     pd.DataFrame({"hogar": ["11", "12"]}).to_stata(path, write_index=False)
    ...     probe(path).rows
    2
    """

    rows: int
    columns: tuple[str, ...]
    encoding: str | None
    head: pd.DataFrame


def probe(path: Path, rules: TextRules | None = None) -> Probe:
    """Go through a raw data file once.

    Parameters
    ----------
    path : Path
    rules : TextRules, optional
        Of text files.

    Returns
    -------
    Probe

    Raises
    ------
    SourceError
        If it is cut, damaged, of a wrong encoding or no data file.
    """
    encoding, pieces = _open(path, rules)
    head = next(pieces, pd.DataFrame())
    rows = sum(len(piece) for piece in chain([head], pieces))
    return Probe(rows=rows, columns=tuple(head.columns), encoding=encoding, head=head.head(2_000))


def read_columns(
    path: Path, keeps: Callable[[str], bool], rules: TextRules | None = None
) -> tuple[pd.DataFrame, str | None]:
    """Read some columns of a raw data file, in pieces: a wide file need not fit into memory.

    Parameters
    ----------
    path : Path
    keeps : callable
        Says of a name as the file writes it whether its column is wanted.
    rules : TextRules, optional
        Of text files.

    Returns
    -------
    frame : pandas.DataFrame
    encoding : str or None

    Raises
    ------
    SourceError
        As ``probe``; or if no column is wanted.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.read_probe import read_columns
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     _ = path.write_text("CONGLOME,P203,P204" + chr(10) + "015009,1,2" + chr(10))
    ...     read_columns(path, lambda name: name == "P204")[0].to_dict("list")
    {'P204': ['2']}
    """
    encoding, pieces = _open(path, rules)
    # copies: a view would keep the whole piece in memory
    kept = [piece[[name for name in piece.columns if keeps(str(name))]].copy() for piece in pieces]
    if kept and not len(kept[0].columns):
        raise SourceError(
            "None of the columns wanted is in the file",
            where=str(path),
            remedy="is it the right module and year?",
        )
    return (pd.concat(kept, ignore_index=True) if kept else pd.DataFrame()), encoding


def _open(path: Path, rules: TextRules | None) -> tuple[str | None, Iterator[pd.DataFrame]]:
    opener = _OPENERS.get(path.suffix.lower())
    if opener is None:
        raise SourceError(
            f"Files {path.suffix or 'without suffix'} are not read",
            where=str(path),
            remedy=f"use one of {', '.join(_OPENERS)}",
        )
    return opener(path, rules or TextRules())


def _stata(path: Path, _rules: TextRules) -> tuple[None, Iterator[pd.DataFrame]]:
    row_bytes = max(checked_layout(path).row_type().itemsize, 1)
    return None, stata_chunks(path, min(max(_PIECE_BYTES // row_bytes, 500), _PIECE_ROWS))


def _spss(path: Path, _rules: TextRules) -> tuple[str, Iterator[pd.DataFrame]]:
    encoding = spss_facts(path).encoding
    return encoding, spss_chunks(path, _PIECE_ROWS, encoding)


def _delimited(path: Path, rules: TextRules) -> tuple[str, Iterator[pd.DataFrame]]:
    _, encoding, batches = delimited_batches(path, rules, block_bytes=1 << 22)
    return encoding, (batch.to_pandas() for batch in batches)


def _dbase(path: Path, rules: TextRules) -> tuple[str, Iterator[pd.DataFrame]]:
    encoding = dbf_encoding(path, rules.encodings)
    return encoding, dbf_chunks(path, _PIECE_ROWS, encoding)


def _parquet(path: Path, _rules: TextRules) -> tuple[None, Iterator[pd.DataFrame]]:
    return None, _parquet_pieces(path)


def _parquet_pieces(path: Path) -> Iterator[pd.DataFrame]:
    try:
        with pq.ParquetFile(path) as opened:
            for batch in opened.iter_batches(batch_size=_PIECE_ROWS):
                yield batch.to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"The Parquet file is half-copied or damaged: {error}", where=str(path), remedy="fetch it again"
        ) from error


_OPENERS: Final[dict[str, Callable[[Path, TextRules], tuple[str | None, Iterator[pd.DataFrame]]]]] = {
    ".dta": _stata,
    ".sav": _spss,
    ".zsav": _spss,
    ".csv": _delimited,
    ".tab": _delimited,
    ".dbf": _dbase,
    ".parquet": _parquet,
}
