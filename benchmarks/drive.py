"""Runs adapters on tasks: each run in a process of its own, adapters taking turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.tasks import TASKS, Task

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "benchmarks" / ".venv"
ADAPTERS = tuple(sorted(path.stem for path in (ROOT / "benchmarks" / "adapters").glob("*.py")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run: ``rounds`` processes of each adapter, with one cold and ``warm`` warm calls each."""

    families: tuple[str, ...]
    sizes: tuple[int, ...]
    adapters: tuple[str, ...] = ADAPTERS
    rounds: int = 2
    warm: int = 3
    seconds: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one process said."""

    family: str
    task: str
    size: int
    adapter: str
    package: str
    version: str = ""
    round: int
    status: str
    cold_s: float | None = None
    warm_s: float | None = None
    warm_calls: int = 0
    others: float | None = None
    loaded_mb: float | None = None
    peak_mb: float | None = None
    estimate: float | None = None
    std_error: float | None = None
    note: str = ""


def python_of(environment: str) -> Path:
    """Return the interpreter of our environment or of the peers'."""
    if environment == "ours":
        return Path(sys.executable)
    folder = "Scripts" if os.name == "nt" else "bin"
    return PEERS / folder / "python"


def runs(plan: Plan) -> Iterator[Run]:
    """Yield runs as they end; in every round another adapter begins."""
    for task in TASKS.values():
        if task.family not in plan.families:
            continue
        for size in plan.sizes:
            able = [name for name in plan.adapters if answers(name, task, size)]
            for number in range(plan.rounds):
                turn = number % max(1, len(able))
                for name in [*able[turn:], *able[:turn]]:
                    if number == 0 or is_timed(name):
                        yield run(name, task, size, number, plan)


def answers(adapter: str, task: Task, size: int) -> bool:
    """Whether an adapter is installed and answers a task at a size."""
    module = import_module(f"benchmarks.adapters.{adapter}")
    call = module.CALLS.get(task.id)
    return call is not None and size <= call.largest and python_of(module.ENVIRONMENT).exists()


def is_timed(adapter: str) -> bool:
    """Whether an adapter takes part in the race; a definition is asked once, for its answer."""
    return bool(getattr(import_module(f"benchmarks.adapters.{adapter}"), "IS_TIMED", True))


def run(adapter: str, task: Task, size: int, number: int, plan: Plan) -> Run:
    """Run one adapter on one task in a process of its own."""
    module = import_module(f"benchmarks.adapters.{adapter}")
    table = data.stored(task.table, size)
    warm = plan.warm if is_timed(adapter) else 0
    arguments: Sequence[str] = (adapter, task.id, str(table), str(warm), str(plan.seconds))
    command = [str(python_of(module.ENVIRONMENT)), "-m", "benchmarks.worker", *arguments]
    names: dict[str, Any] = {"family": task.family, "task": task.id, "size": size, "adapter": adapter}
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=ROOT, capture_output=True, text=True, timeout=2 * plan.seconds, check=False
        )
    except subprocess.TimeoutExpired:
        note = f"no answer in {2 * plan.seconds:.0f} s"
        return Run(**names, package=module.PACKAGE, round=number, status="over its time limit", note=note)
    said = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not said:
        note = (done.stderr or done.stdout)[-300:].replace("\n", " ")
        return Run(**names, package=module.PACKAGE, round=number, status="crash", note=note)
    return Run(**names, package=module.PACKAGE, round=number, **json.loads(said[-1][7:]))


def as_row(run: Run) -> dict[str, object]:
    """Return a run as a CSV row: seconds to a tenth of a millisecond, estimates in full."""
    row = asdict(run)
    for name in ("cold_s", "warm_s", "others", "loaded_mb", "peak_mb"):
        if row[name] is not None:
            row[name] = round(row[name], 4)
    return row
