"""ENAHO's panel releases: their windows, what their files are called, and where one lies."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.paths import Expectation, RawFolder
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.enaho.panel import PAIR, item_of
from juntos_eval.surveys.extract import MemberRule
from juntos_eval.surveys.harmonise import normal_name
from juntos_eval.surveys.read import RawTable, read_raw
from juntos_eval.surveys.source import load_source

__all__ = ["PANEL", "PANEL_TABLES", "PanelRelease", "find_panel_file", "load_releases", "read_panel_file"]

#: Folder of the releases: ``<root>/enaho_panel/<last wave>/<file>``.
PANEL: Final = "enaho_panel"
#: Annual table that a wave of each file is -> its module to 2017 and from 2018.
PANEL_TABLES: Final = FrozenMapping(
    {
        "sumaria": ("34", "1478"),
        "members": ("1314", "1479"),
        "education": ("03", "1475"),
        "employment": ("05", "1477"),
        "health": ("04", "1476"),
        "housing": ("01", "1474"),
    }
)
FIRST_RENUMBERED: Final = 2018
#: What a file's name has between its years and the end, where the release renamed it.
_CORES: Final = {
    "sumaria": r"sumaria",
    "members": r"enaho01a?",
    "education": r"enaho01a?",
    "employment": r"enaho01a?",
    "health": r"enaho01a?",
    "housing": r"enaho01a?",
}
_NUMBERS: Final = {"members": 200, "education": 300, "employment": 500, "health": 400, "housing": 100}
_SUFFIXES: Final = (".dta", ".sav", ".csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRelease:
    """A release of five waves.

    Attributes
    ----------
    first, last : int
        Years of its window; a release is called by its last.
    code : str
        INEI's code of the survey.
    household_unit, person_unit : str
        Columns that number the units, joined by ``+``.
    link, person_link, weight : str
        Spelling of the flags and weights of the waves from ``{a}`` to ``{b}`` (two digits each).
    wave_weight : str
        What a wave's household weight is called.
    stems : FrozenMapping of str to tuple of str
        Table -> names of its file without suffix, the preferred first.
    evidence : str
        Where the names come from.

    Examples
    --------
    >>> from juntos_eval.surveys.enaho.panel_release import load_releases
    >>> release = load_releases()[2011]
    >>> release.window, release.file_names("sumaria")[0], release.spelled("weight", 2007, 2011)
    ((2007, 2011), 'sumaria_2007_2011_panel.dta', 'fac_panel0711')
    """

    first: int
    last: int
    code: str
    household_unit: str
    person_unit: str
    link: str
    person_link: str
    weight: str
    wave_weight: str
    stems: FrozenMapping[str, tuple[str, ...]]
    evidence: str

    @property
    def window(self) -> tuple[int, int]:
        """First and last year."""
        return self.first, self.last

    @property
    def waves(self) -> range:
        """Years of the waves."""
        return range(self.first, self.last + 1)

    def unit(self, table: str) -> tuple[str, ...]:
        """Return the columns that number the rows of a table."""
        is_household = table in {"sumaria", "housing"}
        return tuple((self.household_unit if is_household else self.person_unit).split("+"))

    def spelled(self, what: str, first: int, last: int) -> str:
        """Return the name of a flag or weight (``link person_link weight``) of a span of waves."""
        return str(getattr(self, what)).format(a=f"{first % 100:02d}", b=f"{last % 100:02d}")

    def module(self, table: str) -> str:
        """Return INEI's module of a table."""
        return PANEL_TABLES[table][self.last >= FIRST_RENUMBERED]

    def file_names(self, table: str) -> tuple[str, ...]:
        """Return the declared file names of a table, the preferred first; none without such a module."""
        return tuple(f"{stem}{suffix}" for stem in self.stems.get(table, ()) for suffix in _SUFFIXES)

    def zip_name(self, table: str) -> str:
        """Return the name of INEI's zip of a table."""
        return f"{self.code}-Modulo{self.module(table)}.zip"

    def rule(self, table: str) -> MemberRule:
        """Say which member of a zip, or which file of a folder, is a table: by name, else by its pattern.

        Files of twelve goods groups (``12g``) are no sumaria; the second part of a split module is none.
        """
        number = f"[-_]?{_NUMBERS[table]}" if table in _NUMBERS else ""
        years = rf"[-_]{self.first}[-_]{self.last}"
        drifted = rf"{_CORES[table]}{years}{number}(?![-_]?12g)([-_]?panel[a-z]?([-_]?0?1)?)?\.(dta|sav|csv)"
        exact = tuple(re.escape(name) for name in self.file_names(table))
        return MemberRule(patterns=(*exact, drifted))


@lru_cache
def load_releases() -> FrozenMapping[int, PanelRelease]:
    """Return the releases by their last wave (``panel_releases.csv``).

    Examples
    --------
    >>> from juntos_eval.surveys.enaho.panel_release import load_releases
    >>> min(load_releases()), max(load_releases())
    (2011, 2024)
    """
    text = files("juntos_eval.surveys.enaho").joinpath("panel_releases.csv").read_text(encoding="utf-8")
    return FrozenMapping({int(row["last"]): _release(row) for row in csv.DictReader(text.splitlines())})


def _release(row: dict[str, str]) -> PanelRelease:
    first, last = int(row["first"]), int(row["last"])
    stems = {
        table: tuple(name.format(first=first, last=last) for name in row[table].split("|"))
        for table in PANEL_TABLES
        if row[table]
    }
    plain = ("code", "household_unit", "person_unit", "link", "person_link", "weight", "wave_weight")
    return PanelRelease(
        first=first,
        last=last,
        stems=FrozenMapping(stems),
        evidence=row["evidence"],
        **{name: row[name] for name in plain},
    )


def find_panel_file(raw: RawFolder, release: PanelRelease, table: str) -> Path | None:
    """Return the file of a table of a release: by its declared name, by its pattern, else INEI's zip.

    Parameters
    ----------
    raw : RawFolder
    release : PanelRelease
    table : str

    Returns
    -------
    Path or None

    Raises
    ------
    SourceError
        If several files fit the pattern and none has a declared name.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.enaho.panel_release import find_panel_file, load_releases
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     year = Path(folder) / "enaho_panel" / "2024"
    ...     year.mkdir(parents=True)
    ...     (year / "sumaria-2020-2024-panelf.dta").touch()
    ...     find_panel_file(RawFolder.at(folder), load_releases()[2024], "sumaria").name
    'sumaria-2020-2024-panelf.dta'
    """
    if table not in release.stems:
        return None
    named = raw.find(survey=PANEL, year=release.last, table=table, names=release.file_names(table))
    if named is not None:
        return named
    folder = raw.root / PANEL / str(release.last)
    if raw.listed or not folder.is_dir():
        return None
    rule = release.rule(table)
    fitting = sorted(path for path in folder.iterdir() if path.is_file() and rule.rank(path.name) is not None)
    if len(fitting) > 1:
        raise SourceError(
            f"{len(fitting)} files could be the {table} of the panel {release.first}-{release.last}",
            where=", ".join(path.name for path in fitting),
            remedy=f"call the right one {release.file_names(table)[0]}",
        )
    if fitting:
        return fitting[0]
    zipped = folder / release.zip_name(table)
    return zipped if zipped.is_file() else None


def read_panel_file(raw: RawFolder, release: PanelRelease, table: str) -> RawTable:
    """Read of a wide file the columns that cleaning needs: units, links, weights, mapped items of each wave.

    Parameters
    ----------
    raw : RawFolder
    release : PanelRelease
    table : str

    Returns
    -------
    RawTable

    Raises
    ------
    SourceError
        If the file is missing, half-copied, or no data.
    SchemaError
        If the release has no such table.
    """
    if table not in release.stems:
        raise SchemaError(
            f"The panel release {release.first}-{release.last} has no {table} file",
            where="panel_releases.csv",
            remedy=f"it has {', '.join(release.stems)}",
        )
    path = find_panel_file(raw, release, table)
    if path is None:
        raise SourceError(
            f"The {table} file of the panel {release.first}-{release.last} is missing",
            where=str(raw.root / PANEL / str(release.last)),
            remedy=f"juntos-eval fetch {PANEL} --years {release.last} --modules {release.module(table)}, "
            f"or put {release.file_names(table)[0]} there",
        )
    wanted = dict(_wanted(release, table))

    def keeps(name: str) -> bool:
        item, year = item_of(name.lower(), "_", release.waves)
        # without a year it is the unit's own, or a link or weight of several waves
        return year is None or PAIR.match(name.lower()) is not None or normal_name(item) in wanted[year]

    return read_raw(
        path,
        rules=load_source("enaho").rules,
        expected=raw.expected.get(path, Expectation()),
        member=release.rule(table),
        columns=keeps,
    )


def _wanted(release: PanelRelease, table: str) -> Iterator[tuple[int, frozenset[str]]]:
    codebook = load_codebook("enaho")
    always = {"mes", "conglome", "vivienda", "hogar", "codperso", "ubigeo", "año", "numpanh"}
    for year in release.waves:
        own = {
            normal_name(column.raw[str(year)])
            for column in codebook.columns
            if column.table == table and str(year) in column.raw
        }
        yield year, frozenset(own | always)
