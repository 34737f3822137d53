"""Steps from raw files to clean tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from juntos_eval.errors import SourceError
from juntos_eval.paths import MANIFEST, RawFolder
from juntos_eval.pipeline.fingerprint import fingerprint
from juntos_eval.pipeline.not_made import NotMade
from juntos_eval.pipeline.run import Run, Synthetic
from juntos_eval.pipeline.step import Step
from juntos_eval.surveys import enaho
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.source import find_table, load_source
from juntos_eval.surveys.store import provenance_path, read_table, write_table
from juntos_eval.surveys.synthetic import SURVEY_YEARS, write_synthetic
from juntos_eval.surveys.synthetic.truth import TRUTH_FILE

__all__ = ["LINKED", "data_steps", "households_not_made", "tables_of", "years_of"]

LINKED = "linked_households"
_DISTRICTS = "districts"

_ROOMS = ("surveys", "numerics/rasch.py", "arrays.py", "paths.py")

_CLEANERS: dict[str, Callable[[RawFolder, int], CleanTable]] = {
    "members": enaho.clean_members,
    "programmes": enaho.clean_programmes,
    "food_security": enaho.clean_food_security,
    "dwellings": enaho.clean_dwellings,
}


def years_of(run: Run) -> tuple[int, ...]:
    """Return the survey years that the main job reads: of 2024 and 2025, those of which any file is there.

    Parameters
    ----------
    run : Run

    Returns
    -------
    tuple of int
        In order.

    Raises
    ------
    SourceError
        If no file of any known year is there.
    """
    if run.synthetic is not None:
        return tuple(SURVEY_YEARS)
    raw = run.raw()
    declared = sorted(SURVEY_YEARS)
    names = [str(year) for year in declared]
    found = tuple(year for year in declared if any(_find(raw, table, year) for table in _CLEANERS))
    if not found:
        raise SourceError(
            f"Estimates and report need ENAHO {' and '.join(names)}: there is no ENAHO file of either",
            where=str(run.place),
            remedy=f"`juntos-eval fetch enaho --years {','.join(names)} --modules 02,37` lays them out as "
            "enaho/<year>/<file>; what else lies there is cleaned by `juntos-eval clean`",
        )
    return found


def data_steps(run: Run) -> list[Step]:
    """Return the steps from raw files to the analysis tables.

    Parameters
    ----------
    run : Run

    Returns
    -------
    list of Step
        Synthetic files where the run writes its own, one clean table a step, households by year,
        and linked households where there are two years; what a missing file is needed for is left out
        (``households_not_made`` names it).
    """
    years = years_of(run)
    tables = {year: tables_of(run, year) for year in years}
    lacking = {year: _lacking(run, year) for year in years}
    whole = [year for year in years if not lacking[year]]
    steps = [] if run.synthetic is None else [_synthetic(run.synthetic)]
    if run.synthetic is not None or find_table(run.raw(), survey="geo", table=_DISTRICTS, year=None):
        steps.append(_clean(run, _DISTRICTS, None))
    steps += [
        _clean(run, table, year) for year in years for table in tables[year] if table not in lacking[year]
    ]
    steps += [_households(run, year, tables[year]) for year in whole]
    if len(years) > 1 and years == tuple(whole):
        steps.append(_linked(run, years[-2], years[-1]))
    return steps


def households_not_made(run: Run) -> tuple[NotMade, ...]:
    """Return the tables of the main job that its raw files do not suffice for.

    Parameters
    ----------
    run : Run

    Returns
    -------
    tuple of NotMade
        One a year whose household table lacks a file, and the linked households then.
    """
    years = years_of(run)
    found = []
    for year in years:
        lost = _lacking(run, year)
        if lost:
            modules = [load_source("enaho").module(table, year) for table in lost if table != _DISTRICTS]
            fetch = f"`juntos-eval fetch enaho --years {year} --modules {','.join(modules)}`"
            place = "data_raw/README.md says where the districts' file comes from"
            ways = [*([fetch] if modules else []), *([place] if _DISTRICTS in lost else [])]
            names = " and ".join(
                f"{'geo' if table == _DISTRICTS else f'enaho {year}'} {table}" for table in lost
            )
            why = f"there is no file of {names}"
            found.append(NotMade(table=f"households_{year}", why=why, remedy="; ".join(ways)))
    if found and len(years) > 1:
        lost_years = " and ".join(lost.table for lost in found)
        found.append(NotMade(table=LINKED, why=f"it needs {lost_years}", remedy=found[0].remedy))
    return tuple(found)


def _lacking(run: Run, year: int) -> tuple[str, ...]:
    """Return what the household table of a year needs and has no file: its own tables, the districts."""
    if run.synthetic is not None:
        return ()
    raw = run.raw()
    lost = [table for table in tables_of(run, year) if _find(raw, table, year) is None]
    has_districts = find_table(raw, survey="geo", table=_DISTRICTS, year=None) is not None
    return (*lost, *(() if has_districts else (_DISTRICTS,)))


def _find(raw: RawFolder, table: str, year: int) -> Path | None:
    if not load_codebook("enaho").maps(table, year):
        return None
    return find_table(raw, survey="enaho", table=table, year=year)


def tables_of(run: Run, year: int) -> tuple[str, ...]:
    """Return the tables of a year: every needed one, optional ones where their file is.

    Parameters
    ----------
    run : Run
    year : int

    Returns
    -------
    tuple of str
    """
    mapped = [table for table in _CLEANERS if load_codebook("enaho").maps(table, year)]
    if run.synthetic is not None:
        return tuple(mapped)
    raw = run.raw()
    optional = {table for table in mapped if load_source("enaho").table(table).is_optional}
    return tuple(table for table in mapped if table not in optional or _find(raw, table, year))


def _settings() -> str:
    return fingerprint(_ROOMS)


def _synthetic(chosen: Synthetic) -> Step:
    def write() -> None:
        write_synthetic(chosen.folder, seed=chosen.seed, households=chosen.households)

    return Step(
        name="synthetic",
        label="Writing SYNTHETIC raw files",
        stage="data",
        reads=(),
        writes=(chosen.folder / TRUTH_FILE, chosen.folder / MANIFEST),
        settings=f"{_settings()} {chosen.seed} {chosen.households}",
        action=write,
    )


def _raw_files(run: Run, survey: str, table: str, year: int | None) -> tuple[Path, ...]:
    """Return what tells that a raw table changed: the manifest of synthetic files, else the file itself."""
    if run.synthetic is not None:
        return (run.synthetic.folder / MANIFEST,)
    raw = run.raw()
    path = find_table(raw, survey=survey, table=table, year=year)
    # a missing file is told by the reader, in its own words
    return () if path is None else (path,)


def _clean(run: Run, table: str, year: int | None) -> Step:
    survey = "enaho" if year is not None else "geo"
    target = run.paths.clean_table(survey, table, year)

    def clean() -> None:
        raw = run.raw()
        made = enaho.clean_districts(raw) if year is None else _CLEANERS[table](raw, year)
        write_table(made.frame, target, made.provenance)

    return Step(
        name=f"clean-{table}" + (f"-{year}" if year is not None else ""),
        label=f"Cleaning {table}" + (f" {year}" if year is not None else ""),
        stage="data",
        reads=_raw_files(run, survey, table, year),
        writes=(target, provenance_path(target)),
        settings=_settings(),
        action=clean,
    )


def _households(run: Run, year: int, tables: tuple[str, ...]) -> Step:
    sources = {table: run.paths.clean_table("enaho", table, year) for table in tables}
    sources["districts"] = run.paths.clean_table("geo", "districts")
    target = run.paths.clean_table("enaho", "households", year)

    def build() -> None:
        read = {table: read_table(path) for table, path in sources.items()}
        made = enaho.build_households(
            read["members"],
            read["programmes"],
            districts=read["districts"],
            food_security=read.get("food_security"),
            dwellings=read.get("dwellings"),
        )
        write_table(made.frame, target, made.provenance)

    return Step(
        name=f"households-{year}",
        label=f"Building the household table {year}",
        stage="data",
        reads=tuple(sources.values()),
        writes=(target, provenance_path(target)),
        settings=_settings(),
        action=build,
    )


def _linked(run: Run, first: int, second: int) -> Step:
    sources = [run.paths.clean_table("enaho", "households", year) for year in (first, second)]
    target = run.paths.clean_table("enaho", LINKED)

    def link() -> None:
        made = enaho.link_households(read_table(sources[0]), read_table(sources[1]))
        write_table(made.frame, target, made.provenance)

    return Step(
        name="linked-households",
        label=f"Linking households {first}-{second}",
        stage="data",
        reads=tuple(sources),
        writes=(target, provenance_path(target)),
        settings=_settings(),
        action=link,
    )
