"""From a study's file to canonical columns: names by round, codes, numbers, identities, duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import pandas as pd

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError
from juntos_eval.paths import Expectation, RawFolder
from juntos_eval.surveys.codebook import Code, Codebook, Column, load_codebook
from juntos_eval.surveys.convert import as_codes, as_number, as_text
from juntos_eval.surveys.harmonise import Harmonised
from juntos_eval.surveys.provenance import InputFile
from juntos_eval.surveys.read import RawTable
from juntos_eval.surveys.young_lives.dates import interview_dates
from juntos_eval.surveys.young_lives.identity import COUNTRY, child_ids
from juntos_eval.surveys.young_lives.locate import find_file, require_file
from juntos_eval.surveys.young_lives.read_study import read_study_file
from juntos_eval.surveys.young_lives.study_files import SURVEY, StudyFile, load_deposit

__all__ = ["StudyTable", "columns_of", "has_study_table", "open_study_table"]

_EVERY: Final = "*"
_PERU: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyTable:
    """A file of a study under canonical names.

    Attributes
    ----------
    file : StudyFile
    opened : Harmonised
        Its ``frame``, ``source`` and ``notes``.
    labels : FrozenMapping of str to FrozenMapping of float to str
        Canonical name -> code -> the label that the file itself gives; empty for ``.tab``.
    dropped : FrozenMapping of str to int
        Rows taken out on opening, by reason.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.open_table import StudyTable
    >>> sorted(StudyTable.__dataclass_fields__)
    ['dropped', 'file', 'labels', 'opened']
    """

    file: StudyFile
    opened: Harmonised
    labels: FrozenMapping[str, FrozenMapping[float, str]]
    dropped: FrozenMapping[str, int]

    @property
    def frame(self) -> pd.DataFrame:
        """The canonical columns."""
        return self.opened.frame


def has_study_table(raw: RawFolder, table: str, survey_round: int | None = None) -> bool:
    """Return whether the file of a table lies below the raw folder.

    Examples
    --------
    >>> import tempfile
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.young_lives.open_table import has_study_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     has_study_table(RawFolder.at(folder), "panel")
    False
    """
    return find_file(raw, load_deposit().file(table, survey_round)) is not None


def open_study_table(
    raw: RawFolder, table: str, survey_round: int | None = None, only: Collection[str] | None = None
) -> StudyTable:
    r"""Read one file and give it canonical names, labels and types.

    Parameters
    ----------
    raw : RawFolder
    table : str
    survey_round : int, optional
        None for the files that hold every round.
    only : collection of str, optional
        Canonical columns to convert beside the key, so that codes of others do not matter; default all.

    Returns
    -------
    StudyTable

    Raises
    ------
    SourceError
        If the file is missing, lies under another study, or is not whole.
    SchemaError
        If it is of another round, lacks a needed column, has an unknown code, an identity of another country,
        or a key twice. Messages count rows and show no record.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.young_lives.open_table import open_study_table
    >>> text = "placeid\tjuntoprg\tjuntos4y\nPE01C01\t1\t0\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = Path(folder) / "young_lives"
    ...     place.mkdir()
    ...     _ = (place / "pe_r3_community_comm_level_r3.tab").write_text(text)
    ...     opened = open_study_table(RawFolder.at(folder), "community", 3)
    >>> opened.frame.iloc[0].to_dict()
    {'community_id': 'PE01C01', 'juntos_operates': 'yes', 'juntos_operated_before': 'no'}
    """
    file = load_deposit().file(table, survey_round)
    found = require_file(raw, file)
    read = read_study_file(found, _expectation(raw, file))
    return _harmonise(read, file, only, is_synthetic=raw.is_synthetic)


def columns_of(file: StudyFile) -> tuple[Column, ...]:
    """Return the columns that ``columns.csv`` maps for a file's round; a needed one is needed where mapped.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.open_table import columns_of
    >>> from juntos_eval.surveys.young_lives.study_files import load_deposit
    >>> [column.name for column in columns_of(load_deposit().file("community", 5))]
    ['community_id', 'juntos_operates']
    """
    label = "undated" if file.round is None else str(file.round)
    columns = load_codebook(SURVEY).columns
    return tuple(column for column in columns if column.table == file.table and label in column.raw)


def _expectation(raw: RawFolder, file: StudyFile) -> Expectation:
    return Expectation(rows=None if raw.is_synthetic else file.rows)


def _harmonise(
    read: RawTable, file: StudyFile, only: Collection[str] | None, *, is_synthetic: bool
) -> StudyTable:
    codebook, where = load_codebook(SURVEY), read.path.name
    columns = columns_of(file)
    raw_names = _match(list(read.frame.columns), columns, file, where)
    notes: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    rows = _rows_of_peru(read.frame, raw_names, file, dropped)
    frame = pd.DataFrame(index=rows.index)
    for column in columns:
        if column.name in raw_names and _is_wanted(column.name, file, only):
            place = f"{where}, column {raw_names[column.name]}"
            frame[column.name] = _convert(rows[raw_names[column.name]], column, codebook, place, notes)
    frame = _drop_duplicates(frame, file, dropped)
    _check_unique(frame, file, where)
    return StudyTable(
        file=file,
        opened=Harmonised(
            frame=frame.reset_index(drop=True),
            source=InputFile.of(read),
            notes=FrozenMapping(notes),
            is_synthetic=is_synthetic,
        ),
        labels=_labels(read, raw_names),
        dropped=FrozenMapping(dropped),
    )


def _is_wanted(name: str, file: StudyFile, only: Collection[str] | None) -> bool:
    # the sibling's line tells double rows apart
    return only is None or name in only or name in file.key or name == "sibling_id"


def _labels(read: RawTable, raw_names: dict[str, str]) -> FrozenMapping[str, FrozenMapping[float, str]]:
    """Give the file's labels of codes under canonical names; a key that is no number labels no code."""
    held = read.labels.values
    found = {name: held[raw_name] for name, raw_name in raw_names.items() if raw_name in held}
    return FrozenMapping(
        {
            name: FrozenMapping(
                {float(code): text for code, text in labels.items() if isinstance(code, int | float)}
            )
            for name, labels in found.items()
        }
    )


def _match(names: list[str], columns: tuple[Column, ...], file: StudyFile, where: str) -> dict[str, str]:
    """Find each column under one of its raw names, whatever the case; the first alternative wins."""
    present: dict[str, str] = {}
    for name in names:
        key = name.strip().lower()
        if key in present:
            raise SchemaError(
                f"Two columns are named {key} but for upper and lower case",
                where=where,
                remedy="drop one of them",
            )
        present[key] = name
    label = "undated" if file.round is None else str(file.round)
    found: dict[str, str] = {}
    lost: list[str] = []
    for column in columns:
        hits = [present[raw.lower()] for raw in column.raw[label].split("|") if raw.lower() in present]
        if hits:
            found[column.name] = hits[0]
        elif column.is_needed:
            lost.append(f"{column.name} ({column.raw[label]})")
    if lost:
        raise SchemaError(
            f"{len(lost)} needed columns are not in the file: {', '.join(lost)}",
            where=f"{where}, {len(names)} columns",
            remedy=_other_round(set(present), file) or f"is it {file.label}?",
        )
    return found


def _other_round(present: set[str], file: StudyFile) -> str:
    """Say of which round the file looks to be, where another round's names fit better."""
    if file.round is None:
        return ""

    def fit(survey_round: int) -> float:
        other = load_deposit().file(file.table, survey_round)
        raw = [column.raw[str(survey_round)] for column in columns_of(other)]
        own = [names for names in raw if len(raw) < 4 or not names.lower().startswith("child")]
        return sum(any(name.lower() in present for name in names.split("|")) for names in own) / len(own)

    scores = {one: fit(one) for one in load_deposit().rounds_of(file.table)}
    best = max(scores, key=lambda one: scores[one])
    if best == file.round or scores[best] <= scores[file.round]:
        return ""
    other = load_deposit().file(file.table, best)
    return f"it looks like round {best}: {file.stem} of study {file.study} is wanted, this is {other.stem}"


def _rows_of_peru(
    frame: pd.DataFrame, names: dict[str, str], file: StudyFile, dropped: Counter[str]
) -> pd.DataFrame:
    """Keep Peru's rows of a file of all countries: by country code, else by the identity's letters."""
    if not file.is_all_countries:
        return frame
    if "country" in names:
        is_peru = as_number(frame[names["country"]], where=file.stem).eq(_PERU)
    else:
        ids = as_text(frame[names["child_id"]]).fillna("")
        is_peru = ids.str.upper().str.startswith(COUNTRY)
    if not is_peru.any():
        raise SchemaError("The file holds no child of Peru", where=file.stem, remedy="use it as published")
    dropped.update({"of another country": int((~is_peru).sum())})
    return frame[is_peru]


def _convert(
    series: pd.Series, column: Column, codebook: Codebook, where: str, notes: Counter[str]
) -> pd.Series:
    if column.kind == "key":
        ids, restored = child_ids(series, where=where)
        notes.update({f"{column.name}: leading zeros restored": restored} if restored else {})
        return ids
    if column.unit == "date":
        return interview_dates(series, where=where)
    if column.kind == "text":
        return as_text(series, where=where)
    codes = _codes_of(codebook, column)
    if column.kind == "code":
        labels, set_missing = as_codes(series, codes, where=where)
    else:
        labels, set_missing = _numbers(series, codes, where=where)
    notes.update({f"{column.name}: {value}": rows for value, rows in set_missing.items()})
    return labels


def _codes_of(codebook: Codebook, column: Column) -> tuple[Code, ...]:
    """Join a column's own codes with those that are no answer in any column of its kind."""
    own = codebook.codes_of(column.table, column.name)
    kinds = ("any code",) if column.kind == "code" else ("any number", f"unit {column.unit}")
    known = {code.code for code in own}
    general = [code for kind in kinds for code in codebook.codes_of(_EVERY, kind) if code.code not in known]
    return (*own, *general)


def _numbers(series: pd.Series, codes: tuple[Code, ...], *, where: str) -> tuple[pd.Series, dict[str, int]]:
    """Return numbers without the codes that are no answer; a decimal comma is a decimal point."""
    if not pd.api.types.is_numeric_dtype(series):
        series = as_text(series).str.replace(",", ".", regex=False)
    numbers = as_number(series, where=where)
    set_missing: Counter[str] = Counter()
    for code in codes:
        is_code = numbers.eq(code.code)
        if code.is_missing and is_code.any():
            set_missing[code.value] += int(is_code.sum())
            numbers = numbers.mask(is_code)
    return numbers, dict(set_missing)


def _drop_duplicates(frame: pd.DataFrame, file: StudyFile, dropped: Counter[str]) -> pd.DataFrame:
    """Take out the rows that the codebook names as double, where their right one is there too."""
    for row in load_deposit().duplicates:
        if (row.table, row.round) != (file.table, file.round) or "sibling_id" not in frame:
            continue
        of_child = frame["child_id"].eq(row.child_id)
        is_double = of_child & frame["sibling_id"].eq(row.sibling_id)
        if is_double.any() and (of_child & ~is_double).any():
            dropped["double row that the codebook names"] += int(is_double.sum())
            frame = frame[~is_double]
    return frame


def _check_unique(frame: pd.DataFrame, file: StudyFile, where: str) -> None:
    keys = frame[list(file.key)]
    missing = int(keys.isna().any(axis=1).sum())
    if missing:
        raise SchemaError(
            f"The key {' + '.join(file.key)} is missing",
            where=f"{where}, {missing:,} rows",
            remedy="use the file as published",
        )
    repeated = keys.duplicated(keep=False)
    if repeated.any():
        raise SchemaError(
            f"{len(keys[repeated].drop_duplicates()):,} keys stand in more than one row: "
            f"{' + '.join(file.key)} must name one",
            where=f"{where}, {int(repeated.sum()):,} rows",
            remedy="use the file as published; a double row that a release really holds belongs to "
            "duplicates in source.toml",
        )
