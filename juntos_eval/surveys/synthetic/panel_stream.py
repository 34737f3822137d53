"""A wide panel file, written block by block: items of five waves side by side, units, links, weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from juntos_eval.paths import atomic_path
from juntos_eval.surveys.codebook import Column, load_codebook
from juntos_eval.surveys.enaho.panel_release import PanelRelease
from juntos_eval.surveys.synthetic.raw_stream import EXACT
from juntos_eval.surveys.synthetic.stata_stream import StataColumn, StataStream

__all__ = ["PanelStream", "spans_of"]

#: Characters of texts that columns.csv gives no width for.
_WIDTHS: Final = {"year": 4, "month": 2, "interview_date": 8}
_UNIT_WIDTH: Final = 8
#: The oldest releases spell a wave's keys so.
_OLD_KEYS: Final = {"conglome": "con", "vivienda": "viv", "hogar": "hog", "codperso": "codp"}
LAST_OLD_RELEASE: Final = 2011
#: Module 04 of this release has the flags and no panel weight.
WEIGHTLESS: Final = (2019, "health")


def spans_of(release: PanelRelease) -> tuple[tuple[int, int], ...]:
    """Return first and last wave of every span of two waves or more."""
    return tuple((a, b) for a in release.waves for b in release.waves if a < b)


class PanelStream:
    """Units appended under canonical names arrive in the file under the release's names.

    Attributes
    ----------
    path : Path
    rows : int
    """

    def __init__(self, path: Path, table: str, release: PanelRelease, file: IO[bytes]) -> None:
        self.path = path
        self.rows = 0
        self._release = release
        self._table = table
        codebook = load_codebook("enaho")
        self._waves: dict[int, tuple[Column, ...]] = {
            year: codebook.columns_of(table, year) if codebook.maps(table, year) else ()
            for year in release.waves
        }
        self._stata = StataStream(file, list(self._columns()), release=118)

    @classmethod
    @contextmanager
    def open(cls, folder: Path, table: str, release: PanelRelease) -> Iterator[PanelStream]:
        """Open the file of a table; it gets its name when all is written."""
        path = folder / release.file_names(table)[0]
        with atomic_path(path) as partial, partial.open("w+b") as file:
            stream = cls(path, table, release, file)
            yield stream
            stream._stata.close()

    @property
    def is_person(self) -> bool:
        """Whether a row is a person."""
        return self._table not in {"sumaria", "housing"}

    def append(
        self,
        units: Mapping[str, NDArray[Any]],
        waves: Mapping[int, tuple[NDArray[Any], Mapping[str, NDArray[Any]]]],
        spans: Mapping[str, NDArray[Any]],
    ) -> None:
        """Write units.

        Parameters
        ----------
        units : mapping
            Columns without a year: number of the unit, and keys where the release repeats them.
        waves : mapping
            Year -> rows of the units interviewed, and their items under canonical names.
        spans : mapping
            Flags and weights under the release's names.
        """
        count = len(next(iter(units.values())))
        values: dict[str, NDArray[Any]] = {}
        for name, _ in self._unit_columns():
            values[name] = units[name]
        for year, columns in self._waves.items():
            rows, items = waves.get(year, (np.empty(0, dtype=np.int64), {}))
            for column in columns:
                values[self._spelled(column, year)] = _spread(column, rows, items.get(column.name), count)
        values |= {name: spans[name] for name in self._span_names()}
        self._stata.append(values)
        self.rows += count

    def _unit_columns(self) -> Iterator[tuple[str, str]]:
        """Yield columns without a year, and what they hold."""
        for name in self._release.unit(self._table):
            yield name, name
        if self.is_person and self._release.household_unit not in self._release.unit(self._table):
            yield self._release.household_unit, self._release.household_unit

    def _span_names(self) -> Iterator[str]:
        for a, b in spans_of(self._release):
            yield self._release.spelled("person_link" if self.is_person else "link", a, b)
        if (self._release.last, self._table) != WEIGHTLESS:
            for a, b in spans_of(self._release):
                yield self._release.spelled("weight", a, b)

    def _columns(self) -> Iterator[StataColumn]:
        for name, _ in self._unit_columns():
            is_key = name in {"cong", "vivi", "conglome", "vivienda"}
            if is_key:
                yield StataColumn(name=name, label=name, kind="text", width=_UNIT_WIDTH)
            else:
                yield StataColumn(name=name, label="número de la unidad en el panel", kind="double")
        for year, columns in self._waves.items():
            for column in columns:
                yield self._wave_column(column, year)
        for name in self._span_names():
            yield StataColumn(name=name, label="panel", kind="double")

    def _wave_column(self, column: Column, year: int) -> StataColumn:
        name = self._spelled(column, year)
        width = column.width or _WIDTHS.get(column.name, 0)
        if width:
            return StataColumn(name=name, label=column.label_es, kind="text", width=width)
        is_exact = column.kind == "weight" or column.name in EXACT
        codes = load_codebook("enaho").codes_of(column.table, column.name, year)
        return StataColumn(
            name=name,
            label=column.label_es,
            kind="double" if is_exact else "float",
            values={code.code: code.label_es for code in codes},
        )

    def _spelled(self, column: Column, year: int) -> str:
        item = column.raw[str(year)].lower()
        if column.name == "year":
            item = "aÑo"
        if self._release.last == LAST_OLD_RELEASE:
            item = _OLD_KEYS.get(item, item)
        if item == "factor07":
            item = self._release.wave_weight
        return f"{item}_{year % 100:02d}"


def _spread(column: Column, rows: NDArray[Any], items: NDArray[Any] | None, count: int) -> NDArray[Any]:
    """Put the items of those interviewed into the rows of all."""
    is_text = bool(column.width or _WIDTHS.get(column.name))
    blank: Any = "" if is_text else np.nan
    wide = np.full(count, blank, dtype=object if is_text else float)
    if items is not None and len(rows):
        wide[rows] = items if is_text else np.asarray(items, dtype=float)
    return wide
