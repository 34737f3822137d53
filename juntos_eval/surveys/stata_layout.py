"""Where the parts of a ``.dta`` file lie, by its release: what pandas reads and never says."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SourceError
from juntos_eval.surveys.read_labels import MissingMarks

__all__ = ["StataLayout", "missing_marks", "stata_layout"]

# bytes of (data label, time stamp, variable name, display format, value-label name, variable label)
_OLD_LAYOUTS: Final = {
    105: (32, 18, 9, 12, 9, 32),
    108: (81, 18, 9, 12, 9, 81),
    110: (81, 18, 33, 12, 33, 81),
    111: (81, 18, 33, 12, 33, 81),
    113: (81, 18, 33, 12, 33, 81),
    114: (81, 18, 33, 49, 33, 81),
    115: (81, 18, 33, 49, 33, 81),
}
_OLD_LETTERS: Final = {"b": "i1", "i": "i2", "l": "i4", "f": "f4", "d": "f8"}
_OLD_CODES: Final = {251: "i1", 252: "i2", 253: "i4", 254: "f4", 255: "f8"}
_NEW_CODES: Final = {65526: "f8", 65527: "f4", 65528: "i4", 65529: "i2", 65530: "i1", 32768: "u8"}
_NAME_BYTES: Final = {117: 33, 118: 129, 119: 129}

#: Value of the plain missing ``.`` and the step to ``.a``, ``.b`` … (releases from 113 on).
_DOTS: Final = {
    "i1": (101, 1),
    "i2": (32_741, 1),
    "i4": (2_147_483_621, 1),
    "f4": (2.0**127, 2.0**115),
    "f8": (2.0**1023, 2.0**1011),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StataLayout:
    """The layout of one ``.dta`` file.

    Attributes
    ----------
    release : int
        105 to 119.
    byte_order : str
        ``<`` or ``>``.
    rows : int
    names : tuple of str
    types : tuple of str
        numpy's type codes; ``S12`` a text of at most 12 bytes, ``u8`` a reference to a long text.
    data_at, data_end : int
        First byte of the rows, and the byte after the last.
    whole_bytes : int
        The length of a whole file; before release 108 up to the end of its rows.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from juntos_eval.surveys.stata_layout import stata_layout
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.dta"
    ...     pd.DataFrame({"hogar": ["11", "12"], "mes": [1.0, 2.0]}).to_stata(path, write_index=False)
    ...     layout = stata_layout(path)
    >>> layout.rows, layout.names, layout.types
    (2, ('hogar', 'mes'), ('S2', 'f8'))
    """

    release: int
    byte_order: str
    rows: int
    names: tuple[str, ...]
    types: tuple[str, ...]
    data_at: int
    data_end: int
    whole_bytes: int

    def row_type(self) -> np.dtype[np.void]:
        """Return the type of one row, fields named by position."""
        fields = [(str(place), f"{self.byte_order}{kind}") for place, kind in enumerate(self.types)]
        return np.dtype(fields)


def stata_layout(path: Path) -> StataLayout | None:
    """Read the layout of a Stata file; None if its header is cut.

    Parameters
    ----------
    path : Path

    Returns
    -------
    StataLayout or None

    Raises
    ------
    SourceError
        If the file is no Stata file of a known release.

    References
    ----------
    StataCorp, "Description of .dta file format" (help dta), releases 105 to 119.
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        head = content[:11]
        if b"<stata_dta>".startswith(head):
            return _new_layout(content)
        if head[0] not in _OLD_LAYOUTS:
            raise SourceError(
                "The file is no Stata file that can be read",
                where=str(path),
                remedy="look at what was fetched; releases 105 to 119 are read",
            )
        try:
            return _old_layout(content)
        except (struct.error, IndexError):
            return None


def missing_marks(
    path: Path, layout: StataLayout, *, chunk_bytes: int | None = None
) -> dict[str, MissingMarks]:
    """Return where numeric columns hold ``.a`` to ``.z``.

    Parameters
    ----------
    path : Path
    layout : StataLayout
    chunk_bytes : int, optional
        Bytes looked at together; by default a 64th of the rows, from 1 to 8 MB.

    Returns
    -------
    dict of str to MissingMarks
        Columns without such marks are left out; releases before 113 have none.
    """
    columns = [place for place, kind in enumerate(layout.types) if kind in _DOTS]
    if layout.release < 113 or not columns or not layout.rows:
        return {}
    row_type = layout.row_type()
    if chunk_bytes is None:
        chunk_bytes = min(max((layout.data_end - layout.data_at) // 64, 1 << 20), 1 << 23)
    chunk_rows = max(chunk_bytes // row_type.itemsize, 1)
    found: dict[int, tuple[list[int], list[str]]] = {}
    with path.open("rb") as stream:
        stream.seek(layout.data_at)
        for start in range(0, layout.rows, chunk_rows):
            rows = np.fromfile(stream, dtype=row_type, count=min(chunk_rows, layout.rows - start))
            for place in columns:
                dot, step = _DOTS[layout.types[place]]
                values = rows[str(place)]
                marked = np.flatnonzero(values > dot)
                if len(marked):
                    numbers = np.rint((values[marked].astype("f8") - dot) / step).astype(int)
                    at, letters = found.setdefault(place, ([], []))
                    at += (marked + start).tolist()
                    letters += [chr(96 + number) if 1 <= number <= 26 else "?" for number in numbers]
    return {
        layout.names[place]: MissingMarks(rows=tuple(at), letters="".join(letters))
        for place, (at, letters) in sorted(found.items())
    }


def _new_layout(content: mmap.mmap) -> StataLayout | None:
    start = content.find(b"</header><map>", 0, 4096)
    if start < 0 or len(content) < start + 14 + 14 * 8:
        return None
    header = content[:start]
    release = int(header[28:31])
    order = "<" if b"<byteorder>LSF" in header else ">"
    places = struct.unpack_from(f"{order}14Q", content, start + 14)
    count_type = "I" if release == 119 else "H"
    (columns,) = struct.unpack_from(f"{order}{count_type}", header, header.index(b"<K>") + 3)
    (rows,) = struct.unpack_from(f"{order}{'I' if release == 117 else 'Q'}", header, header.index(b"<N>") + 3)
    types_at, names_at = places[2] + len("<variable_types>"), places[3] + len("<varnames>")
    width = _NAME_BYTES[release]
    if len(content) < names_at + columns * width:
        return None
    codes = struct.unpack_from(f"{order}{columns}H", content, types_at)
    names = content[names_at : names_at + columns * width]
    types = tuple(_NEW_CODES.get(code) or f"S{code}" for code in codes)
    data_at = places[9] + len("<data>")
    return StataLayout(
        release=release,
        byte_order=order,
        rows=rows,
        names=_split_names(names, width, "latin-1" if release == 117 else "utf-8"),
        types=types,
        data_at=data_at,
        data_end=data_at + rows * _row_bytes(types),
        whole_bytes=places[13],
    )


def _old_layout(content: mmap.mmap) -> StataLayout:
    release = content[0]
    data_label, stamp, name, display, value_label, label = _OLD_LAYOUTS[release]
    order = ">" if content[1] == 1 else "<"
    columns, rows = struct.unpack_from(f"{order}Hi", content, 4)
    types_at = 10 + data_label + stamp
    codes = content[types_at : types_at + columns]
    if len(codes) < columns:
        raise IndexError
    names_at = types_at + columns
    at = names_at + columns * (name + display + value_label + label) + 2 * (columns + 1)
    data_at = _skip_characteristics(content, at, order, length="h" if release <= 108 else "i")
    types = tuple(_old_type(code, release) for code in codes)
    data_end = data_at + int(rows) * _row_bytes(types)
    return StataLayout(
        release=release,
        byte_order=order,
        rows=int(rows),
        names=_split_names(content[names_at : names_at + columns * name], name, "latin-1"),
        types=types,
        data_at=data_at,
        data_end=data_end,
        whole_bytes=_labels_end(content, data_end, order, name) if release >= 108 else data_end,
    )


def _labels_end(content: mmap.mmap, at: int, order: str, name: int) -> int:
    """Go from one table of value labels to the next; each announces its length."""
    head = 4 + name + 3
    while at < len(content):
        if at + head > len(content):
            return at + head
        (length,) = struct.unpack_from(f"{order}i", content, at)
        at += head + max(length, 0)
    return at


def _old_type(code: int, release: int) -> str:
    if release <= 110:
        return _OLD_LETTERS.get(chr(code)) or f"S{code - 127}"
    return _OLD_CODES.get(code) or f"S{code}"


def _row_bytes(types: tuple[str, ...]) -> int:
    return sum(int(kind[1:]) for kind in types)


def _split_names(content: bytes, width: int, encoding: str) -> tuple[str, ...]:
    parts = (content[at : at + width] for at in range(0, len(content), width))
    return tuple(part.partition(b"\0")[0].decode(encoding, errors="surrogateescape") for part in parts)


def _skip_characteristics(content: mmap.mmap, at: int, order: str, length: str) -> int:
    while True:
        kind, size = struct.unpack_from(f"{order}b{length}", content, at)
        at += struct.calcsize(f"{order}b{length}") + size
        if kind == 0:
            return at


#: Integer types of a row and the Arrow types that hold them and a missing value.
INTEGER_TYPES: Final = FrozenMapping({"i1": "int8", "i2": "int16", "i4": "int32"})
