"""Stata files written piece by piece: release 110 (Stata 7, INEI's to 2011) and 118, with labels."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from juntos_eval.errors import SchemaError

__all__ = ["StataColumn", "StataStream"]

Kind = Literal["text", "float", "double"]

#: System missing, the same bits in both releases.
_MISSING: Final = {"float": 2.0**127, "double": 2.0**1023}
_OLD_TYPES: Final = {"float": ord("f"), "double": ord("d")}
_NEW_TYPES: Final = {"float": 65527, "double": 65526}
_STAMP: Final = "01 Jan 2026 00:00"
#: Where the number of rows stands in release 110.
_OLD_ROWS_AT: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class StataColumn:
    """A column of a Stata file.

    Attributes
    ----------
    name, label : str
    kind : {"text", "float", "double"}
    width : int
        Characters of text.
    values : mapping of int to str
        Value labels; none by default.
    """

    name: str
    label: str
    kind: Kind
    width: int = 0
    values: Mapping[int, str] = field(default_factory=dict)

    @property
    def dtype(self) -> np.dtype[Any]:
        """How a row stores it."""
        sizes = {"text": f"S{self.width}", "float": "<f4", "double": "<f8"}
        return np.dtype(sizes[self.kind])


class StataStream:
    """Append rows to a Stata file; the header's count and offsets are set on ``close``.

    Parameters
    ----------
    stream : binary file, writable and seekable
    columns : sequence of StataColumn
    release : {110, 118}

    Raises
    ------
    SchemaError
        If a piece lacks a column or its lengths differ.

    References
    ----------
    StataCorp, "Description of .dta file format" (help dta), releases 110 and 118.

    Examples
    --------
    >>> import io
    >>> import pandas as pd
    >>> from juntos_eval.surveys.synthetic.stata_stream import StataColumn, StataStream
    >>> file = io.BytesIO()
    >>> column = StataColumn(name="p207", label="sexo", kind="float", values={1: "hombre", 2: "mujer"})
    >>> stream = StataStream(file, [column], release=110)
    >>> stream.append({"p207": [1.0, None]}); stream.append({"p207": [2.0]}); stream.close()
    >>> pd.read_stata(io.BytesIO(file.getvalue()), convert_categoricals=False)["p207"].tolist()
    [1.0, nan, 2.0]
    """

    def __init__(
        self, stream: IO[bytes], columns: Sequence[StataColumn], *, release: Literal[110, 118]
    ) -> None:
        self._stream = stream
        self._columns = tuple(columns)
        self._release = release
        self._encoding = "latin-1" if release == 110 else "utf-8"
        self._map: list[int] = []
        self._dtype = np.dtype([(f"c{i}", column.dtype) for i, column in enumerate(self._columns)])
        self.rows = 0
        self._begin()

    def append(self, items: Mapping[str, Any]) -> None:
        """Write the rows of one piece; None and NaN are Stata's missing, text is cut nowhere."""
        arrays = [self._stored(column, items) for column in self._columns]
        lengths = {len(array) for array in arrays}
        if len(lengths) != 1:
            raise SchemaError("Columns of one piece differ in length", where=f"{sorted(lengths)} rows")
        piece = np.empty(lengths.pop(), dtype=self._dtype)
        for i, array in enumerate(arrays):
            piece[f"c{i}"] = array
        self._stream.write(piece.tobytes())
        self.rows += len(piece)

    def close(self) -> None:
        """Write what follows the data and set the number of rows."""
        tables = [(f"v{i}", column.values) for i, column in enumerate(self._columns) if column.values]
        if self._release == 110:
            for name, values in tables:
                self._stream.write(_label_table(name, values, self._encoding, width=33))
            self._patch(_OLD_ROWS_AT, struct.pack("<i", self.rows))
            return
        write = self._stream.write
        write(b"</data>")
        self._mark()
        write(b"<strls></strls>")
        self._mark()
        write(b"<value_labels>")
        for name, values in tables:
            write(b"<lbl>" + _label_table(name, values, self._encoding, width=129) + b"</lbl>")
        write(b"</value_labels>")
        self._mark()
        write(b"</stata_dta>")
        self._mark()
        self._patch(self._rows_at, struct.pack("<Q", self.rows))
        self._patch(self._map[1] + len("<map>"), struct.pack("<14Q", *self._map))

    def _stored(self, column: StataColumn, items: Mapping[str, Any]) -> NDArray[Any]:
        if column.name not in items:
            raise SchemaError(f"The piece lacks the column {column.name}", where="StataStream")
        values = items[column.name]
        if column.kind == "text":
            texts = np.asarray([str(value).encode(self._encoding) for value in values], dtype=np.bytes_)
            if texts.dtype.itemsize > column.width:
                raise SchemaError(
                    f"{column.name} is wider than its {column.width} characters", where="StataStream"
                )
            return texts
        numbers = np.asarray(values, dtype=np.float64)
        stored = np.where(np.isnan(numbers), _MISSING[column.kind], numbers)
        return np.asarray(stored, dtype=column.dtype)

    def _fixed(self, texts: Sequence[str], width: int) -> bytes:
        return b"".join(_cut(text, width - 1, self._encoding).ljust(width, b"\0") for text in texts)

    def _begin(self) -> None:
        names = [column.name for column in self._columns]
        labels = [column.label for column in self._columns]
        tables = [f"v{i}" if column.values else "" for i, column in enumerate(self._columns)]
        formats = [f"%{c.width}s" if c.kind == "text" else "%9.0g" for c in self._columns]
        count = len(self._columns)
        if self._release == 110:
            types = bytes(_OLD_TYPES.get(c.kind, 127 + c.width) for c in self._columns)
            self._stream.write(struct.pack("<BBBBhi", 110, 2, 1, 0, count, 0))
            self._stream.write(self._fixed([""], 81) + self._fixed([_STAMP], 18) + types)
            self._stream.write(self._fixed(names, 33) + bytes(2 * (count + 1)) + self._fixed(formats, 12))
            self._stream.write(self._fixed(tables, 33) + self._fixed(labels, 81) + bytes(5))
            return
        head = b"<stata_dta><header><release>118</release><byteorder>LSF</byteorder><K>"
        self._map = [0]
        self._stream.write(head + struct.pack("<H", count) + b"</K><N>")
        self._rows_at = self._stream.tell()
        self._stream.write(bytes(8) + b"</N><label>\0\0</label><timestamp>")
        self._stream.write(bytes([len(_STAMP)]) + _STAMP.encode() + b"</timestamp></header>")
        self._mark()
        self._stream.write(b"<map>" + bytes(14 * 8) + b"</map>")
        types_118 = b"".join(struct.pack("<H", _NEW_TYPES.get(c.kind, c.width)) for c in self._columns)
        for tag, content in (
            ("variable_types", types_118),
            ("varnames", self._fixed(names, 129)),
            ("sortlist", bytes(2 * (count + 1))),
            ("formats", self._fixed(formats, 57)),
            ("value_label_names", self._fixed(tables, 129)),
            ("variable_labels", self._fixed(labels, 321)),
            ("characteristics", b""),
        ):
            self._mark()
            self._stream.write(f"<{tag}>".encode() + content + f"</{tag}>".encode())
        self._mark()
        self._stream.write(b"<data>")

    def _mark(self) -> None:
        self._map.append(self._stream.tell())

    def _patch(self, place: int, content: bytes) -> None:
        end = self._stream.tell()
        self._stream.seek(place)
        self._stream.write(content)
        self._stream.seek(end)


def _cut(text: str, width: int, encoding: str) -> bytes:
    content = text.encode(encoding, errors="replace")[:width]
    return content.decode(encoding, errors="ignore").encode(encoding)


def _label_table(name: str, values: Mapping[int, str], encoding: str, *, width: int) -> bytes:
    texts = [value.encode(encoding, errors="replace") + b"\0" for value in values.values()]
    offsets = np.cumsum([0, *(len(text) for text in texts)]).astype("<i4")
    body = struct.pack("<ii", len(values), int(offsets[-1])) + offsets[:-1].tobytes()
    body += np.asarray(list(values), dtype="<i4").tobytes() + b"".join(texts)
    return struct.pack("<i", len(body)) + name.encode().ljust(width, b"\0") + bytes(3) + body
