"""A raw file of a table and year, written piece by piece in the format of the year."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from juntos_eval.paths import atomic_path
from juntos_eval.surveys.codebook import Column, load_codebook
from juntos_eval.surveys.source import load_source
from juntos_eval.surveys.synthetic.stata_stream import StataColumn, StataStream

__all__ = ["RawStream", "release_of"]

LAST_OLD_STATA: Final = 2011
FIRST_CSV: Final = 2025
#: Stored as double: their digits matter.
EXACT: Final = (
    "spending",
    "income_gross",
    "income_net",
    "spending_monetary",
    "poverty_line",
    "extreme_poverty_line",
)
#: What Stata 7 and later releases call the year.
OLD_YEAR: Final = "aÑo"


def release_of(year: int) -> str:
    """Return how a year's files are written: ``stata110``, ``stata118`` or ``csv``.

    Examples
    --------
    >>> from juntos_eval.surveys.synthetic.raw_stream import release_of
    >>> [release_of(year) for year in (2004, 2012, 2025)]
    ['stata110', 'stata118', 'csv']
    """
    if year >= FIRST_CSV:
        return "csv"
    return "stata110" if year <= LAST_OLD_STATA else "stata118"


class RawStream:
    """Rows appended under canonical names arrive in the file under the year's raw names.

    Attributes
    ----------
    path : Path
    rows : int
    """

    def __init__(self, path: Path, table: str, year: int, file: IO[bytes]) -> None:
        self.path = path
        self.rows = 0
        self._file = file
        self._year = year
        self._columns = load_codebook("enaho").columns_of(table, year)
        self._stata: StataStream | None = None

    @classmethod
    @contextmanager
    def open(cls, folder: Path, table: str, year: int) -> Iterator[RawStream]:
        """Open the file of a table and year; it gets its name when all is written."""
        names = load_source("enaho").table(table).names(year)
        suffix = ".csv" if release_of(year) == "csv" else ".dta"
        name = next(name for name in names if name.endswith(suffix))
        path = folder / name
        with atomic_path(path) as partial, partial.open("w+b") as file:
            stream = cls(path, table, year, file)
            yield stream
            stream.finish()

    def append(self, items: Mapping[str, NDArray[Any]]) -> None:
        """Write rows; a mapped column that the items lack is empty."""
        count = len(items["conglome"])
        values = {c.name: items.get(c.name, np.full(count, np.nan)) for c in self._columns}
        if release_of(self._year) == "csv":
            self._append_csv(values)
        else:
            if self._stata is None:
                self._stata = self._begin_stata(values)
            self._stata.append({self._name(c): values[c.name] for c in self._columns})
        self.rows += count

    def finish(self) -> None:
        """Close what the format keeps open."""
        if self._stata is not None:
            self._stata.close()

    def _name(self, column: Column) -> str:
        raw = column.raw[str(self._year)]
        return OLD_YEAR if column.name == "year" and self._year < FIRST_CSV - 1 else raw

    def _begin_stata(self, values: Mapping[str, NDArray[Any]]) -> StataStream:
        release = 110 if release_of(self._year) == "stata110" else 118
        columns = [self._stata_column(column, values[column.name]) for column in self._columns]
        return StataStream(self._file, columns, release=110 if release == 110 else 118)

    def _stata_column(self, column: Column, values: NDArray[Any]) -> StataColumn:
        label = column.label_es
        if values.dtype == object:
            width = max((len(str(value)) for value in values), default=1)
            return StataColumn(name=self._name(column), label=label, kind="text", width=max(width, 1))
        is_exact = column.kind == "weight" or column.name in EXACT
        codes: Sequence[Any] = load_codebook("enaho").codes_of(column.table, column.name, self._year)
        return StataColumn(
            name=self._name(column),
            label=label,
            kind="double" if is_exact else "float",
            values={code.code: code.label_es for code in codes},
        )

    def _append_csv(self, values: Mapping[str, NDArray[Any]]) -> None:
        def stored(array: NDArray[Any]) -> Any:
            is_whole = array.dtype != object and bool(np.all(np.isnan(array) | (array % 1 == 0)))
            return pd.array(array).astype("Int64") if is_whole else array

        piece = pd.DataFrame({self._name(c): stored(values[c.name]) for c in self._columns})
        text = piece.to_csv(index=False, header=self.rows == 0, lineterminator="\n", float_format="%.15g")
        self._file.write(text.encode("latin-1"))
