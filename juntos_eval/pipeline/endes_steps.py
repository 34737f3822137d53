"""Steps from raw ENDES files to clean tables, of the years whose files lie in the raw folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from juntos_eval.errors import SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.pipeline.fingerprint import fingerprint
from juntos_eval.pipeline.run import Run
from juntos_eval.pipeline.step import Step
from juntos_eval.surveys import endes
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.source import find_table, load_source
from juntos_eval.surveys.store import provenance_path, read_table, write_table

__all__ = ["endes_steps", "endes_years", "refusal"]

SURVEY: Final = "endes"
_ROOMS: Final = ("surveys", "numerics/lms.py", "arrays.py", "paths.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A clean table: the raw tables it is made of, the first of which must be there, and the clean ones."""

    clean: Callable[..., CleanTable]
    raw: tuple[str, ...]
    beside: tuple[str, ...] = ()


_TABLES: Final = {
    "households": _Table(clean=endes.clean_households, raw=("households", "dwellings", "programmes")),
    "persons": _Table(clean=endes.clean_persons, raw=("persons",), beside=("households",)),
    "children": _Table(clean=endes.clean_children, raw=("children",), beside=("households", "persons")),
    "women": _Table(
        clean=endes.clean_women,
        raw=("women", "women_local", "fertility", "unions"),
        beside=("households",),
    ),
    "births": _Table(clean=endes.clean_births, raw=("births", "prenatal"), beside=("women",)),
    "violence": _Table(
        clean=endes.clean_violence, raw=("violence", "women", "unions"), beside=("households",)
    ),
    "health": _Table(clean=endes.clean_health, raw=("health",), beside=("households", "persons")),
}


def endes_years(run: Run) -> tuple[int, ...]:
    """Return the years of which any ENDES file lies in the raw folder; none where the run writes its own.

    Parameters
    ----------
    run : Run

    Returns
    -------
    tuple of int
        In order.
    """
    if run.synthetic is not None:
        return ()
    raw, source = run.raw(), load_source(SURVEY)
    years = sorted(int(year) for year in source.years)
    return tuple(year for year in years if any(_find(raw, table, year) for table in source.tables))


def endes_steps(run: Run) -> list[Step]:
    """Return one step a clean table of each year that lies in the raw folder.

    A table is made where its own file is there; households always, so that a folder without them is told.

    Parameters
    ----------
    run : Run

    Returns
    -------
    list of Step
        Empty without ENDES files, and in runs that write their own raw files.

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.pipeline.endes_steps import endes_steps
    >>> from juntos_eval.pipeline.run import Run
    >>> endes_steps(Run.choose(root=Path("nowhere"), data_raw=None, seed=1, households=400))
    []
    """
    return [_step(run, table, year) for year in endes_years(run) for table in _tables_of(run, year)]


def refusal(error: SourceError) -> Step:
    """Return a step that ends what follows cleaning with an error: there is nothing to estimate from.

    Parameters
    ----------
    error : SourceError

    Returns
    -------
    Step
    """

    def refuse() -> None:
        raise error

    return Step(
        name="estimates-without-enaho",
        label="Looking for ENAHO files",
        stage="estimates",
        reads=(),
        writes=(),
        settings="",
        action=refuse,
    )


def _find(raw: RawFolder, table: str, year: int) -> Path | None:
    return find_table(raw, survey=SURVEY, table=table, year=year)


def _tables_of(run: Run, year: int) -> tuple[str, ...]:
    raw = run.raw()
    made = {"households"}
    for name, table in _TABLES.items():
        if _find(raw, table.raw[0], year) is not None and made.issuperset(table.beside):
            made.add(name)
    return tuple(name for name in _TABLES if name in made)


def _step(run: Run, name: str, year: int) -> Step:
    table = _TABLES[name]
    raw = run.raw()
    files = tuple(path for one in table.raw if (path := _find(raw, one, year)) is not None)
    beside = {one: run.paths.clean_table(SURVEY, one, year) for one in table.beside}
    target = run.paths.clean_table(SURVEY, name, year)

    def clean() -> None:
        read = {one: read_table(path) for one, path in beside.items()}
        made = table.clean(run.raw(), year, **read)
        write_table(made.frame, target, made.provenance)

    return Step(
        name=f"clean-endes-{name}-{year}",
        label=f"Cleaning ENDES {name} {year}",
        stage="data",
        reads=(*files, *beside.values(), *(provenance_path(path) for path in beside.values())),
        writes=(target, provenance_path(target)),
        settings=fingerprint(_ROOMS),
        action=clean,
    )
