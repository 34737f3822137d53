"""Run the stale steps of a run through pytask, and turn failures into our own errors."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytask
from pytask import CaptureMethod, PythonNode, SkippedAncestorFailed, TaskOutcome
from threadpoolctl import threadpool_limits

from juntos_eval.errors import JuntosError
from juntos_eval.paths import write_atomically
from juntos_eval.pipeline.progress import Reporter, reporting_progress
from juntos_eval.pipeline.step import STAGES, Stage, Step

__all__ = ["Outcome", "build"]

_log = logging.getLogger("juntos_eval")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended.

    Attributes
    ----------
    made, unchanged, not_reached : tuple of str
        Names of steps that ran, that had nothing to do, and that hang on a failed one or come in a stage
        after it.
    failures : tuple of (str, BaseException)
        Steps that failed, with their error.

    Examples
    --------
    >>> from juntos_eval.pipeline.build import Outcome
    >>> Outcome(made=("a",), unchanged=(), not_reached=(), failures=()).is_sound
    True
    """

    made: tuple[str, ...]
    unchanged: tuple[str, ...]
    not_reached: tuple[str, ...]
    failures: tuple[tuple[str, BaseException], ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


def build(steps: Sequence[Step], *, until: Stage, state: Path, quiet: bool = False) -> Outcome:
    """Run the steps that are stale, in the order in which they hang on each other.

    A failed step does not keep others of its stage from running, so that every bad file is named at once, but
    no later stage begins: nothing is estimated from half of the files.

    Parameters
    ----------
    steps : sequence of Step
    until : {"data", "estimates", "report"}
        The last stage to make.
    state : Path
        Folder that remembers the hashes of the last run.
    quiet : bool
        Show no bar.

    Returns
    -------
    Outcome

    Raises
    ------
    JuntosError
        If the steps do not form a graph that can be run.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.pipeline.build import build
    >>> from juntos_eval.pipeline.step import Step
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = Path(folder) / "made.txt"
    ...     step = Step(name="make", label="Make", stage="data", reads=(), writes=(made,), settings="1",
    ...                 action=lambda: made.write_text("x") and None)
    ...     first = build([step], until="data", state=Path(folder) / "state", quiet=True)
    ...     again = build([step], until="data", state=Path(folder) / "state", quiet=True)
    >>> first.made, again.unchanged
    (('make',), ('make',))
    """
    wanted = [step for step in steps if STAGES.index(step.stage) <= STAGES.index(until)]
    memory = _memory(state)
    said = io.StringIO()
    failed: set[Stage] = set()
    # matrices here are small: more threads of the linear algebra would wait for each other
    one_thread = threadpool_limits(limits=1)
    with (
        one_thread,
        reporting_progress(len(wanted), quiet=quiet) as reporter,
        contextlib.redirect_stdout(said),
    ):
        session = pytask.build(
            tasks=[_task(step, reporter, failed) for step in wanted],
            config=memory,
            paths=[memory.parent],
            capture=CaptureMethod.NO,
            verbose=0,
            show_traceback=False,
        )
    _log.debug("%s", said.getvalue())
    if not session.execution_reports and wanted:
        raise JuntosError(
            "the steps of the run cannot be put in order",
            where=said.getvalue().strip()[-2000:],
            remedy="run again with --verbose and report what it says",
        )
    return _outcome(session)


def _memory(state: Path) -> Path:
    """Return the settings beside which pytask remembers; else it would do so at the top of any repository."""
    path = state.resolve() / "pyproject.toml"
    return path if path.is_file() else write_atomically(path, "[tool.pytask.ini_options]\n")


def _task(step: Step, reporter: Reporter, failed: set[Stage]) -> Callable[..., None]:
    def execute(reads: list[Path], produces: list[Path], settings: str) -> None:  # noqa: ARG001
        if failed.intersection(STAGES[: STAGES.index(step.stage)]):
            raise SkippedAncestorFailed(step.name)
        try:
            with reporter.step(step.label):
                step.action()
        except Exception:
            failed.add(step.stage)
            raise

    nodes = {
        # pytask takes relative paths as relative to this file
        "reads": [path.resolve() for path in step.reads],
        "produces": [path.resolve() for path in step.writes],
        "settings": PythonNode(name=f"{step.name}-settings", value=step.settings, hash=True),
    }
    if step.stage == STAGES[0]:
        # every raw file is looked at before anything is estimated
        pytask.mark.try_first(execute)
    marked: Callable[..., None] = pytask.task(name=step.name, kwargs=nodes)(execute)
    return marked


def _outcome(session: pytask.Session) -> Outcome:
    names: dict[TaskOutcome, list[str]] = {outcome: [] for outcome in TaskOutcome}
    failures: list[tuple[str, BaseException]] = []
    for report in session.execution_reports:
        name = report.task.name.rpartition("::")[2]
        names[report.outcome].append(name)
        error = report.exc_info[1] if report.exc_info is not None else None
        if report.outcome is TaskOutcome.FAIL and error is not None:
            failures.append((name, error))
    return Outcome(
        made=tuple(names[TaskOutcome.SUCCESS]),
        unchanged=tuple(names[TaskOutcome.SKIP_UNCHANGED]),
        not_reached=tuple(names[TaskOutcome.SKIP_PREVIOUS_FAILED]),
        failures=tuple(failures),
    )
