"""All steps of a run, from raw files to the report."""

from __future__ import annotations

from juntos_eval.errors import SourceError
from juntos_eval.pipeline.data_steps import data_steps, households_not_made, years_of
from juntos_eval.pipeline.enaho_module_steps import enaho_module_steps, modules_not_made
from juntos_eval.pipeline.enaho_panel_steps import enaho_panel_steps
from juntos_eval.pipeline.endes_steps import endes_steps, refusal
from juntos_eval.pipeline.estimate_steps import estimate_steps
from juntos_eval.pipeline.not_made import NotMade, lacking_for_estimates
from juntos_eval.pipeline.report_step import report_step
from juntos_eval.pipeline.run import Run
from juntos_eval.pipeline.step import Step
from juntos_eval.pipeline.young_lives_steps import young_lives_steps

__all__ = ["Run", "not_made", "steps"]


def steps(run: Run) -> list[Step]:
    """Return the steps of a run.

    ENDES, Young Lives, ENAHO's panel releases, and ENAHO's modules of any year are cleaned where they lie
    in the raw folder; estimates and report are of ENAHO 2024 and 2025, and say so where those are not there.
    What lacks a file is left out, and ``not_made`` names it.

    Parameters
    ----------
    run : Run

    Returns
    -------
    list of Step

    Raises
    ------
    SourceError
        If the raw folder holds no file of any survey that this version knows.

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.pipeline.plan import Run, steps
    >>> run = Run.choose(root=Path("nowhere"), data_raw=None, seed=1, households=400)
    >>> [step.name for step in steps(run)][0]
    'synthetic'
    """
    beside = [
        *enaho_module_steps(run),
        *enaho_panel_steps(run),
        *endes_steps(run),
        *young_lives_steps(run),
    ]
    try:
        years_of(run)
    except SourceError as error:
        if not beside:
            raise SourceError(
                "There is no survey file that this version knows",
                where=str(run.place),
                remedy="lay files out as enaho/<year>/<file>, enaho_panel/<last wave>/<file>, "
                "endes/<year>/<file> or young_lives/<zip>; "
                "data_raw/README.md names them, and `juntos-eval catalog` says what there is",
            ) from error
        return [*beside, refusal(error)]
    lost = households_not_made(run)
    if lost:
        return [*data_steps(run), *beside, refusal(lacking_for_estimates(lost))]
    return [*data_steps(run), *beside, *estimate_steps(run), report_step(run)]


def not_made(run: Run) -> tuple[NotMade, ...]:
    """Return the clean tables that the raw files of a run do not suffice for.

    Parameters
    ----------
    run : Run

    Returns
    -------
    tuple of NotMade

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.pipeline.plan import Run, not_made
    >>> not_made(Run.choose(root=Path("nowhere"), data_raw=None, seed=1, households=400))
    ()
    """
    try:
        households = households_not_made(run)
    except SourceError:
        households = ()  # no year of the main job is there
    return (*households, *modules_not_made(run))
