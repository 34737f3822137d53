"""All steps of a run, from raw files to the report."""

from __future__ import annotations

from juntos_eval.pipeline.data_steps import data_steps
from juntos_eval.pipeline.estimate_steps import estimate_steps
from juntos_eval.pipeline.report_step import report_step
from juntos_eval.pipeline.run import Run
from juntos_eval.pipeline.step import Step

__all__ = ["Run", "steps"]


def steps(run: Run) -> list[Step]:
    """Return the steps of a run.

    Parameters
    ----------
    run : Run

    Returns
    -------
    list of Step

    Raises
    ------
    SourceError
        If the raw folder holds no file of a known year.

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.pipeline.plan import Run, steps
    >>> run = Run.choose(root=Path("nowhere"), data_raw=None, seed=1, households=400)
    >>> [step.name for step in steps(run)][0]
    'synthetic'
    """
    return [*data_steps(run), *estimate_steps(run), report_step(run)]
