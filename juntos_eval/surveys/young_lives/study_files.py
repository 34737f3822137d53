"""Which study of the UK Data Service holds which file (``source.toml``), and how a user gets it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError
from juntos_eval.surveys.source import UNDATED

__all__ = ["ROUNDS", "SURVEY", "Deposit", "Duplicate", "StudyFile", "load_deposit"]

SURVEY: Final = "young_lives"

#: Round -> year of most interviews.
ROUNDS: Final = FrozenMapping({1: 2002, 2: 2006, 3: 2009, 4: 2013, 5: 2016})


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFile:
    """One file of one study.

    Attributes
    ----------
    table : str
        Canonical name of the table.
    round : int or None
        None for files that hold every round.
    study : int
        Study number (SN) at the UK Data Service.
    folder, stem : str
        Where the listing shows it, and its name without suffix; the name alone counts.
    key : tuple of str
        Canonical columns that name a row.
    rows : int or None
        Rows of the issue seen.
    is_all_countries : bool
        Whether it holds other countries' children too.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.study_files import load_deposit
    >>> load_deposit().file("panel", None).rows
    13830
    """

    table: str
    round: int | None
    study: int
    folder: str
    stem: str
    key: tuple[str, ...]
    rows: int | None
    is_all_countries: bool

    @property
    def zips(self) -> tuple[str, ...]:
        """The zips that may hold it, by format."""
        return tuple(f"UKDA-{self.study}-{kind}.zip" for kind in ("stata", "spss", "tab"))

    @property
    def label(self) -> str:
        """The file for a reader: table, round and study."""
        when = "" if self.round is None else f" of round {self.round}"
        return f"{self.table}{when} ({self.stem}, SN {self.study})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A row that a released file holds beside the right one of the same child.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.study_files import load_deposit
    >>> load_deposit().duplicates[0].child_id
    'PE031085'
    """

    table: str
    round: int
    child_id: str
    sibling_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """Every study and file that the package reads.

    Attributes
    ----------
    facts : FrozenMapping of str to Any
        ``title producer licence citation register``.
    studies : FrozenMapping of int to str
        Study number -> title.
    files : tuple of StudyFile
    duplicates : tuple of Duplicate

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.study_files import load_deposit
    >>> sorted(load_deposit().studies)
    [5307, 6852, 6853, 7483, 7931, 8357]
    """

    facts: FrozenMapping[str, Any]
    studies: FrozenMapping[int, str]
    files: tuple[StudyFile, ...]
    duplicates: tuple[Duplicate, ...]

    def file(self, table: str, survey_round: int | None) -> StudyFile:
        """Return one file.

        Raises
        ------
        SchemaError
            If the table is unknown, or has no file of that round.
        """
        of_table = [file for file in self.files if file.table == table]
        for file in of_table:
            if file.round == survey_round:
                return file
        known = ", ".join("all rounds" if file.round is None else str(file.round) for file in of_table)
        raise SchemaError(
            f"Young Lives declares no file {table!r} of round {survey_round}",
            where="surveys/young_lives/source.toml",
            remedy=f"rounds of this table: {known}" if known else f"one of {', '.join(self.tables())}",
        )

    def tables(self) -> tuple[str, ...]:
        """Return the names of the tables, in the order of ``source.toml``."""
        return tuple(dict.fromkeys(file.table for file in self.files))

    def rounds_of(self, table: str) -> tuple[int, ...]:
        """Return the rounds of which a table has a file."""
        return tuple(file.round for file in self.files if file.table == table and file.round is not None)


@lru_cache
def load_deposit() -> Deposit:
    """Read ``source.toml``.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.study_files import load_deposit
    >>> load_deposit().file("household_older", 3).stem
    'pe_oc_householdlevel'
    """
    text = files("juntos_eval.surveys").joinpath(SURVEY, "source.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    found = [file for name, facts in content["tables"].items() for file in _files(name, facts)]
    return Deposit(
        facts=FrozenMapping(content["survey"]),
        studies=FrozenMapping({int(number): facts["title"] for number, facts in content["studies"].items()}),
        files=tuple(found),
        duplicates=tuple(Duplicate(**row) for row in content["duplicates"]),
    )


def _files(table: str, facts: Mapping[str, Any]) -> list[StudyFile]:
    labels = [label for label in facts if label.isdigit() or label == UNDATED]
    return [
        StudyFile(
            table=table,
            round=None if label == UNDATED else int(label),
            study=facts[label]["study"],
            folder=facts[label]["folder"],
            stem=facts[label]["stem"],
            key=tuple(facts["key"]),
            rows=facts[label].get("rows"),
            is_all_countries=facts.get("is_all_countries", False),
        )
        for label in labels
    ]
