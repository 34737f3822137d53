"""Stata files: the length that a header announces, compared with the length that is there."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pandas as pd

from juntos_eval.errors import SourceError
from juntos_eval.surveys.read_labels import RawLabels
from juntos_eval.surveys.stata_layout import StataLayout, missing_marks, stata_layout

__all__ = ["announced_bytes", "checked_layout", "read_stata", "stata_chunks", "stata_labels"]

_REMEDY: Final = "fetch the file again and compare its size with the publisher's"
_CODES_STAY_CODES: Final[dict[str, Any]] = {"convert_categoricals": False, "convert_dates": False}


def read_stata(path: Path) -> pd.DataFrame:
    """Read a whole ``.dta``; codes stay codes.

    Parameters
    ----------
    path : Path

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    SourceError
        If the file is shorter than its own header says, or is no Stata file.

    References
    ----------
    StataCorp, "Description of .dta file format" (help dta), releases 105 to 119.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from juntos_eval.surveys.read_stata import read_stata
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.dta"
    ...     pd.DataFrame({"hogar": ["11", "12"]}).to_stata(path, write_index=False)
    ...     read_stata(path)["hogar"].tolist()
    ['11', '12']
    """
    checked_layout(path)
    try:
        frame: pd.DataFrame = pd.read_stata(path, **_CODES_STAY_CODES)
    except (ValueError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    return frame


def stata_chunks(path: Path, rows: int) -> Iterator[pd.DataFrame]:
    """Read a ``.dta`` in pieces of so many rows.

    Parameters
    ----------
    path : Path
    rows : int

    Yields
    ------
    pandas.DataFrame
        A column of whole numbers is float in a piece where some are missing.

    Raises
    ------
    SourceError
        As ``read_stata``.
    """
    checked_layout(path)
    try:
        with pd.read_stata(path, chunksize=rows, **_CODES_STAY_CODES) as reader:
            yield from reader
    except (ValueError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def stata_labels(path: Path) -> RawLabels:
    """Read the labels of a ``.dta`` and where it holds ``.a`` to ``.z``.

    Parameters
    ----------
    path : Path

    Returns
    -------
    RawLabels

    Raises
    ------
    SourceError
        If the part that holds the labels is cut or damaged.
    """
    import pyreadstat

    layout = checked_layout(path)
    try:
        _, facts = pyreadstat.read_dta(path, metadataonly=True, user_missing=True)
    except (pyreadstat.ReadstatError, UnicodeDecodeError, ValueError) as error:
        raise SourceError(
            f"The labels of the Stata file cannot be read: {error}",
            where=f"{path}, {path.stat().st_size:,} bytes",
            remedy=_REMEDY,
        ) from error
    return RawLabels.of(
        variables=facts.column_names_to_labels,
        values=facts.variable_value_labels,
        marks=missing_marks(path, layout),
    )


def checked_layout(path: Path) -> StataLayout:
    """Return the layout of a Stata file that is whole.

    Raises
    ------
    SourceError
        If it is shorter than it announces.
    """
    found = path.stat().st_size
    layout = stata_layout(path)
    if layout is None or found < layout.whole_bytes:
        announced = "a whole header" if layout is None else f"{layout.whole_bytes:,}"
        raise SourceError(
            f"The Stata file is half-copied: {found:,} bytes, expected {announced}",
            where=str(path),
            remedy=_REMEDY,
        )
    return layout


def announced_bytes(path: Path) -> int | None:
    """Return the least length that a Stata file has if it is whole; None if its header is cut.

    Parameters
    ----------
    path : Path

    Returns
    -------
    int or None
        From release 117 on by the file's own map; before, by its rows and the tables of labels behind them.

    Raises
    ------
    SourceError
        If the file is no Stata file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from juntos_eval.surveys.read_stata import announced_bytes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.dta"
    ...     pd.DataFrame({"hogar": ["11", "12"]}).to_stata(path, write_index=False)
    ...     announced_bytes(path) <= path.stat().st_size
    True
    """
    layout = stata_layout(path)
    return None if layout is None else layout.whole_bytes


def _unreadable(path: Path, error: Exception) -> SourceError:
    return SourceError(
        f"The Stata file cannot be read: {error}",
        where=f"{path}, {path.stat().st_size:,} bytes",
        remedy=_REMEDY,
    )
