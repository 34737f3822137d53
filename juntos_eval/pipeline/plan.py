"""All steps of a run, from raw files to the report."""

from __future__ import annotations

from juntos_eval.errors import SourceError
from juntos_eval.pipeline.data_steps import data_steps, years_of
from juntos_eval.pipeline.endes_steps import endes_steps, refusal
from juntos_eval.pipeline.estimate_steps import estimate_steps
from juntos_eval.pipeline.report_step import report_step
from juntos_eval.pipeline.run import Run
from juntos_eval.pipeline.step import Step

__all__ = ["Run", "steps"]


def steps(run: Run) -> list[Step]:
    """Return the steps of a run.

    ENDES files are cleaned where they lie in the raw folder; estimates and report are of ENAHO.

    Parameters
    ----------
    run : Run

    Returns
    -------
    list of Step

    Raises
    ------
    SourceError
        If the raw folder holds no file of a known year, of ENAHO or ENDES.

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.pipeline.plan import Run, steps
    >>> run = Run.choose(root=Path("nowhere"), data_raw=None, seed=1, households=400)
    >>> [step.name for step in steps(run)][0]
    'synthetic'
    """
    of_endes = endes_steps(run)
    try:
        years_of(run)
    except SourceError as error:
        if not of_endes:
            raise
        return [*of_endes, refusal(error)]
    return [*data_steps(run), *of_endes, *estimate_steps(run), report_step(run)]
