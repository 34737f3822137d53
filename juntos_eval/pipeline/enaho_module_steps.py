"""Steps from ENAHO's modules of any year 2004-2025 to clean tables, where a year's sumaria lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from juntos_eval.paths import MANIFEST, RawFolder
from juntos_eval.pipeline.fingerprint import fingerprint
from juntos_eval.pipeline.run import Run
from juntos_eval.pipeline.step import Step
from juntos_eval.surveys import enaho
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.source import find_table, load_source
from juntos_eval.surveys.store import provenance_path, write_table
from juntos_eval.surveys.synthetic import SURVEY_YEARS

__all__ = ["enaho_module_steps", "enaho_module_years"]

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
    """Return the years whose sumaria lies in the raw folder; none where the run writes its own files.

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
    raw = run.raw()
    years = sorted(int(year) for year in load_source(SURVEY).years if year.isdigit())
    return tuple(year for year in years if _find(raw, MARK, year) is not None)


def enaho_module_steps(run: Run) -> list[Step]:
    """Return one step a clean table whose raw file lies in the folder of a year with a sumaria.

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
    found = []
    for year in enaho_module_years(run):
        for name, (table, _) in _TABLES.items():
            is_of_main_job = name in _OF_MAIN_JOB and year in SURVEY_YEARS
            if not is_of_main_job and _find(run.raw(), table, year) is not None:
                found.append(_step(run, name, year))
    return found


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
