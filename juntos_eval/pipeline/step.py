"""One step of a run, declared: what it reads, what it writes, and what else it hangs on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["STAGES", "Stage", "Step"]

Stage = Literal["data", "estimates", "report"]

#: In the order of a run; asking for one makes those before it as well.
STAGES: tuple[Stage, ...] = ("data", "estimates", "report")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step that reads, calls one function, and writes.

    Attributes
    ----------
    name : str
        Unique in a run.
    label : str
        What the progress bar says.
    stage : {"data", "estimates", "report"}
    reads, writes : tuple of Path
        Files whose content decides whether the step is stale.
    settings : str
        Whatever else it hangs on: choices and a fingerprint of the code.
    action : callable
        Does the work; takes nothing, returns nothing.

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.pipeline.step import Step
    >>> Step(name="copy", label="Copy", stage="data", reads=(), writes=(Path("x"),), settings="",
    ...      action=lambda: None).stage
    'data'
    """

    name: str
    label: str
    stage: Stage
    reads: tuple[Path, ...]
    writes: tuple[Path, ...]
    settings: str
    action: Callable[[], None]
