"""Stata files: the length that a header announces, compared with the length that is there."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

import pandas as pd

from juntos_eval.errors import SourceError

__all__ = ["announced_bytes", "read_stata"]

_REMEDY: Final = "fetch the file again and compare its size with the publisher's"

# Stata 7 to 12: bytes of (data label, variable name, format, value-label name, variable label) by release
_OLD_LAYOUTS: Final = {
    105: (32, 9, 12, 9, 32),
    108: (81, 9, 12, 9, 81),
    110: (81, 33, 12, 33, 81),
    111: (81, 33, 12, 33, 81),
    113: (81, 33, 12, 33, 81),
    114: (81, 33, 49, 33, 81),
    115: (81, 33, 49, 33, 81),
}
_WIDTHS_BY_LETTER: Final = {"b": 1, "i": 2, "l": 4, "f": 4, "d": 8}
_WIDTHS_BY_CODE: Final = {251: 1, 252: 2, 253: 4, 254: 4, 255: 8}


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
    found = path.stat().st_size
    expected = announced_bytes(path)
    if expected is None or found < expected:
        announced = "a whole header" if expected is None else f"{expected:,}"
        raise SourceError(
            f"The Stata file is half-copied: {found:,} bytes, expected {announced}",
            where=str(path),
            remedy=_REMEDY,
        )
    try:
        return pd.read_stata(path, convert_categoricals=False, convert_dates=False)
    except (ValueError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise SourceError(
            f"The Stata file cannot be read: {error}", where=f"{path}, {found:,} bytes", remedy=_REMEDY
        ) from error


def announced_bytes(path: Path) -> int | None:
    """Return the least length that a Stata file has if it is whole; None if its header is cut.

    Parameters
    ----------
    path : Path

    Returns
    -------
    int or None
        From release 117 on the exact length (the file's own map); before, the end of the data.

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
    with path.open("rb") as stream:
        head = stream.read(1 << 20)
    if b"<stata_dta>".startswith(head[:11]):
        return _mapped_end(head)
    if head[0] not in _OLD_LAYOUTS:
        raise SourceError(
            "The file is no Stata file that can be read", where=str(path), remedy="look at what was fetched"
        )
    try:
        return _data_end(head)
    except (struct.error, IndexError):
        return None


def _mapped_end(head: bytes) -> int | None:
    start = head.find(b"</header><map>")
    if start < 0 or len(head) < start + 14 + 14 * 8:
        return None
    order = "<" if b"<byteorder>LSF" in head[:start] else ">"
    return int(struct.unpack_from(f"{order}14Q", head, start + 14)[13])


def _data_end(head: bytes) -> int:
    release = head[0]
    data_label, name, display, value_label, label = _OLD_LAYOUTS[release]
    order = ">" if head[1] == 1 else "<"
    columns, rows = struct.unpack_from(f"{order}hi", head, 4)
    types_at = 10 + data_label + 18
    types = head[types_at : types_at + columns]
    if len(types) < columns:
        raise IndexError
    at = types_at + columns * (1 + name + display + value_label + label) + 2 * (columns + 1)
    at = _skip_characteristics(head, at, order, length="h" if release <= 108 else "i")
    return at + int(rows) * sum(_column_width(code, release) for code in types)


def _skip_characteristics(head: bytes, at: int, order: str, length: str) -> int:
    while True:
        kind, size = struct.unpack_from(f"{order}b{length}", head, at)
        at += struct.calcsize(f"{order}b{length}") + size
        if kind == 0:
            return at


def _column_width(code: int, release: int) -> int:
    if release <= 110:
        letter = _WIDTHS_BY_LETTER.get(chr(code))
        return letter if letter is not None else code - 127
    return _WIDTHS_BY_CODE.get(code, code)
