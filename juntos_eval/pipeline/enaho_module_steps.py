"""Steps from ENAHO's modules of any year 2004-2025 to clean tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from juntos_eval.errors import SourceError
from juntos_eval.paths import MANIFEST, RawFolder
from juntos_eval.pipeline.fingerprint import fingerprint
from juntos_eval.pipeline.not_made import NotMade
from juntos_eval.pipeline.run import Run
from juntos_eval.pipeline.step import Step
from juntos_eval.surveys import enaho
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.harmonise import normal_name
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.read_columns import column_names
from juntos_eval.surveys.source import find_table, load_source
from juntos_eval.surveys.store import provenance_path, write_table
from juntos_eval.surveys.synthetic import SURVEY_YEARS

__all__ = ["enaho_module_steps", "enaho_module_years", "modules_not_made"]

SURVEY: Final = "enaho"
#: The file that marks a year as laid out whole.
MARK: Final = "sumaria"
_ROOMS: Final = ("surveys", "arrays.py", "paths.py")

#: Clean table -> raw table and cleaner.
_TABLES: Final[dict[str, tuple[str, Callable[[RawFolder, int], CleanTable]]]] = {
    "sumaria": ("sumaria", enaho.clean_sumaria),
    "members": ("members", enaho.clean_members),
    "child_work": ("members", enaho.clean_child_work),
    "education": ("education", enaho.clean_education),
    "employment": ("employment", enaho.clean_employment),
    "health": ("health", enaho.clean_health),
    "housing": ("housing", enaho.clean_housing),
    "programmes": ("programmes", enaho.clean_programmes),
}
#: Made by the main job in the years that it analyses.
_OF_MAIN_JOB: Final = ("members", "programmes")


def enaho_module_years(run: Run) -> tuple[int, ...]:
    """Return the years of which a module lies in the raw folder; none where the run writes its own files.

    Parameters
    ----------
    run : Run

    Returns
    -------
    tuple of int
        In order.
    """
    return tuple(sorted({year for year, _, _ in _candidates(run)}))


def enaho_module_steps(run: Run) -> list[Step]:
    """Return one step a clean table whose raw file lies in the folder.

    Parameters
    ----------
    run : Run

    Returns
    -------
    list of Step

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.pipeline.enaho_module_steps import enaho_module_steps
    >>> from juntos_eval.pipeline.run import Run
    >>> enaho_module_steps(Run.choose(root=Path("nowhere"), data_raw=None, seed=1, households=400))
    []
    """
    return [
        _step(run, name, year) for year, name, path in _candidates(run) if not _lost(run, name, year, path)
    ]


def modules_not_made(run: Run) -> tuple[NotMade, ...]:
    """Return the tables whose files are extracts that lack needed columns, in years without a sumaria.

    In a year laid out whole, with its sumaria, such a file is an error: it is another module or edition.

    Parameters
    ----------
    run : Run

    Returns
    -------
    tuple of NotMade
    """
    found = []
    for year, name, path in _candidates(run):
        lost = _lost(run, name, year, path)
        if lost:
            why = f"{path.name} lacks needed columns: {', '.join(lost[:6])}"
            remedy = "use the file as INEI publishes it"
            found.append(NotMade(table=f"{name}_{year}", why=why, remedy=remedy))
    return tuple(found)


def _candidates(run: Run) -> list[tuple[int, str, Path]]:
    """Return year, clean table and raw file of every module that is there and not of the main job."""
    if run.synthetic is not None:
        return []
    raw, found = run.raw(), []
    for year in sorted(int(year) for year in load_source(SURVEY).years if year.isdigit()):
        for name, (table, _) in _TABLES.items():
            path = None if name in _OF_MAIN_JOB and year in SURVEY_YEARS else _find(raw, table, year)
            if path is not None:
                found.append((year, name, path))
    return found


def _lost(run: Run, name: str, year: int, path: Path) -> tuple[str, ...]:
    """Return the needed columns that an extract lacks; of a year laid out whole the reader tells."""
    raw = run.raw()
    if path.suffix.lower() == ".zip" or _find(raw, MARK, year) is not None:
        return ()
    try:
        there = {normal_name(column) for column in column_names(path)}
    except SourceError:
        return ()  # damaged: the step says how
    needed = (
        column
        for column in load_codebook(SURVEY).columns_of(_TABLES[name][0], year)
        if column.is_needed and column.name != "year"
    )
    raw_names = [column.raw[str(year)] for column in needed]
    return tuple(lost for lost in raw_names if normal_name(lost) not in there)


def _find(raw: RawFolder, table: str, year: int) -> Path | None:
    if not load_codebook(SURVEY).maps(table, year):
        return None
    return find_table(raw, survey=SURVEY, table=table, year=year)


def _step(run: Run, name: str, year: int) -> Step:
    table, clean_table = _TABLES[name]
    raw = run.raw()
    file = raw.root / MANIFEST if raw.is_synthetic else _find(raw, table, year)
    target = run.paths.clean_table(SURVEY, name, year)

    def clean() -> None:
        made = clean_table(run.raw(), year)
        write_table(made.frame, target, made.provenance)

    return Step(
        name=f"clean-{name}-{year}",
        label=f"Cleaning ENAHO {name} {year}",
        stage="data",
        reads=() if file is None else (file,),
        writes=(target, provenance_path(target)),
        settings=fingerprint(_ROOMS),
        action=clean,
    )
