"""What a run shows while it works: one line a step, on the error stream, or nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

__all__ = ["Reporter", "reporting_progress"]

_log = logging.getLogger("juntos_eval")


@dataclass(slots=True)
class Reporter:
    """Where steps say that they start and end; the only mutable thing of a run.

    Examples
    --------
    >>> from juntos_eval.pipeline.progress import Reporter
    >>> with Reporter(bar=None, task=None).step("clean members"):
    ...     pass
    """

    bar: Progress | None
    task: object | None

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Show a step while it runs, and log how long it took."""
        started = time.perf_counter()
        if self.bar is not None:
            self.bar.update(self.task, description=label)  # type: ignore[arg-type]
        yield
        _log.info("%s: %.1f s", label, time.perf_counter() - started)
        if self.bar is not None:
            self.bar.advance(self.task)  # type: ignore[arg-type]


@contextmanager
def reporting_progress(total: int, *, quiet: bool) -> Iterator[Reporter]:
    """Lend a reporter with a bar on the error stream, or one that shows nothing.

    Parameters
    ----------
    total : int
        Steps of the run.
    quiet : bool
        No bar: for CI, pipes and ``--verbose``, which logs lines instead.

    Yields
    ------
    Reporter

    Examples
    --------
    >>> from juntos_eval.pipeline.progress import reporting_progress
    >>> with reporting_progress(2, quiet=True) as reporter:
    ...     reporter.bar is None
    True
    """
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield Reporter(bar=None, task=None)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield Reporter(bar=bar, task=bar.add_task("Looking for what changed", total=total))
