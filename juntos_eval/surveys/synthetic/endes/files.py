"""Raw ENDES files: the names, formats and labels of a year, written whole or, as CSV, chunk by chunk."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from juntos_eval.errors import DesignError
from juntos_eval.paths import atomic_path
from juntos_eval.surveys.codebook import Column, load_codebook

__all__ = ["FileFormat", "RawFile", "chosen_format"]

FileFormat = Literal["published", "sav", "dta", "csv"]

#: Stem of each table's file.
STEMS: Final = {
    "households": "RECH0",
    "persons": "RECH1",
    "dwellings": "RECH23",
    "children": "RECH6",
    "women": "REC0111",
    "women_local": "REC91",
    "fertility": "RE223132",
    "births": "REC21",
    "prenatal": "REC41",
    "unions": "RE516171",
    "violence": "REC84DV",
    "health": "CSALUD01",
    "programmes": "Programas Sociales x Hogar",
}
#: A fixed time, so that the bytes are a function of the seed.
STAMP: Final = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
SAV_STAMP_AT: Final = 92
SAV_STAMP: Final = b"01 Jan 2600:00:00"


def chosen_format(year: int, file_format: FileFormat) -> str:
    """Return the format of a year's files: SPSS to 2019, CSV in 2020, Stata from 2021 on, or the one named.

    Examples
    --------
    >>> from juntos_eval.surveys.synthetic.endes.files import chosen_format
    >>> chosen_format(2015, "published"), chosen_format(2022, "published"), chosen_format(2022, "sav")
    ('sav', 'dta', 'sav')
    """
    if file_format != "published":
        return file_format
    return "sav" if year <= 2019 else "csv" if year == 2020 else "dta"


class RawFile:
    """A raw file of a table and year, made of the chunks that it is given.

    Parameters
    ----------
    folder : Path
        Of the year.
    table : str
    year : int
    file_format : str
        ``sav``, ``dta`` or ``csv``; a CSV is appended to, the others are kept until ``close``.
    """

    def __init__(self, folder: Path, table: str, year: int, file_format: str) -> None:
        codebook = load_codebook("endes")
        label = str(year)
        self.columns = [
            column for column in codebook.columns if column.table == table and label in column.raw
        ]
        name = f"{STEMS[table]}{_suffix(year, file_format)}"
        self.path = folder / name
        self.table, self.year, self.file_format = table, year, file_format
        self.rows = 0
        self._kept: list[pd.DataFrame] = []

    @property
    def is_published(self) -> bool:
        """Whether the year has such a file."""
        return load_codebook("endes").maps(self.table, self.year)

    def add(self, chunk: pd.DataFrame) -> None:
        """Append a chunk under the year's raw names.

        Raises
        ------
        DesignError
            If the chunk lacks a column that the year's map needs.
        """
        lacking = [
            column.name for column in self.columns if column.is_needed and column.name not in chunk.columns
        ]
        if lacking:
            raise DesignError(
                f"The simulated {self.table} lack {', '.join(lacking)}", where="synthetic.endes"
            )
        wanted = [column for column in self.columns if column.name in chunk.columns]
        frame = chunk[[column.name for column in wanted]]
        frame = frame.set_axis([column.raw[str(self.year)] for column in wanted], axis=1)
        self.rows += len(frame)
        if self.file_format == "csv":
            self._append(frame)
        else:
            self._kept.append(_small(frame))

    def close(self) -> Path:
        """Write what was kept, give the file its name, and return the path."""
        if self.file_format == "csv":
            return self._partial.replace(self.path)
        frame = pd.concat(self._kept, ignore_index=True)
        self._kept = []
        write = _write_sav if self.file_format == "sav" else _write_dta
        with atomic_path(self.path) as partial:
            write(frame, partial, self._labels(), self._value_labels(frame))
        return self.path

    @property
    def _partial(self) -> Path:
        """Where a CSV grows until it is whole."""
        return self.path.with_name(f"{self.path.name}.partial")

    def _append(self, frame: pd.DataFrame) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_first = self.rows == len(frame)
        # INEI's CSVs mix both: even years a comma after a byte-order mark, odd ones semicolons in latin-1
        is_even = self.year % 2 == 0
        mode, encoding = "w" if is_first else "a", "utf-8" if is_even else "latin-1"
        with self._partial.open(mode, encoding=encoding, newline="") as to:
            if is_first and is_even:
                to.write("\ufeff")
            _whole_numbers(frame).to_csv(
                to, sep="," if is_even else ";", index=False, header=is_first, lineterminator="\r\n"
            )

    def _labels(self) -> dict[str, str]:
        return {column.raw[str(self.year)]: column.label_es[:80] for column in self.columns}

    def _value_labels(self, frame: pd.DataFrame) -> dict[str, dict[int, str]]:
        labels: dict[str, dict[int, str]] = {}
        for column in self.columns:
            name = column.raw[str(self.year)]
            if column.kind == "code" and name in frame:
                labels[name] = _codes(column, self.year)
        return labels


def _codes(column: Column, year: int) -> dict[int, str]:
    codes = load_codebook("endes").codes_of(column.table, column.name, year)
    return {code.code: code.label_es.capitalize() for code in codes}


def _suffix(year: int, file_format: str) -> str:
    if file_format == "sav":
        return ".SAV" if year <= 2019 else f"_{year}.sav"
    return f"_{year}.{file_format}"


def _whole_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Write whole numbers without a decimal point, as INEI does."""
    numeric = frame.select_dtypes("number")
    whole = [str(name) for name in numeric if numeric[name].dropna().mod(1).eq(0).all()]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def _small(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep numbers as narrow as they go: a large sample waits in memory until its file is written."""
    numeric = frame.select_dtypes("number").columns
    narrow = {
        name: pd.to_numeric(frame[name], downcast="integer")
        if frame[name].notna().all()
        else frame[name].astype("float64")
        for name in numeric
    }
    return frame.assign(**narrow)


def _write_sav(
    frame: pd.DataFrame, path: Path, labels: dict[str, str], values: dict[str, dict[int, str]]
) -> None:
    import pyreadstat

    spoken: dict[str, str | None] = {name: labels[name] for name in frame.columns}
    meanings: dict[str, dict[int | float, str]] = {
        name: dict(codes.items()) for name, codes in values.items()
    }
    pyreadstat.write_sav(
        frame, str(path), column_labels=spoken, variable_value_labels=meanings, file_label="DATOS SINTETICOS"
    )
    with path.open("rb+") as written:
        written.seek(SAV_STAMP_AT)
        written.write(SAV_STAMP)


def _write_dta(
    frame: pd.DataFrame, path: Path, labels: dict[str, str], values: dict[str, dict[int, str]]
) -> None:
    frame.to_stata(
        path,
        write_index=False,
        version=118,
        time_stamp=STAMP,
        data_label="DATOS SINTETICOS",
        variable_labels={name: labels[name] for name in frame.columns},
        value_labels={
            name: {float(code): text for code, text in codes.items()} for name, codes in values.items()
        },
    )
