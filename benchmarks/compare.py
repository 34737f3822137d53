"""First whether the answers are the same, then how long they took: a faster wrong answer is a failure."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from benchmarks.drive import Run
from benchmarks.tasks import TASKS

SAME, SAME_ESTIMATE, OTHER, NO_ANSWER = "same", "same estimate", "other", "no answer"
NOT_HELD = "nothing to compare with"
RANK = {SAME: 0, SAME_ESTIMATE: 1, NOT_HELD: 2, OTHER: 3, NO_ANSWER: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An adapter on a task and a size: medians over rounds, and what its worst answer is worth."""

    task: str
    size: int
    adapter: str
    package: str
    version: str
    verdict: str
    status: str
    estimate: float
    std_error: float
    warm_s: float
    cold_s: float
    peak_mb: float
    others: float
    note: str


def lines(runs: Iterable[Run]) -> list[Line]:
    """Return one line for each task, size and adapter, the fastest of the same answers first."""
    cells: dict[tuple[str, int, str], list[Run]] = {}
    for run in runs:
        cells.setdefault((run.task, run.size, run.adapter), []).append(run)
    found = [_line(cell, cells) for cell in cells.values()]
    tasks = list(TASKS)
    return sorted(
        found, key=lambda line: (tasks.index(line.task), line.size, RANK[line.verdict], _last(line.warm_s))
    )


def failures(found: Sequence[Line]) -> list[str]:
    """Say where our own answer is missing, not the reference's, or held against nothing."""
    return [
        f"{line.task}, {line.size:,}: our answer is '{line.verdict}' ({line.note or line.status})"
        for line in found
        if line.adapter == "ours" and line.verdict != SAME
    ]


def _line(cell: list[Run], cells: dict[tuple[str, int, str], list[Run]]) -> Line:
    first = cell[0]
    task = TASKS[first.task]
    good = [run for run in cell if run.status == "ok"]
    reference = [run for run in cells.get((first.task, first.size, task.reference), []) if run.status == "ok"]
    module = import_module(f"benchmarks.adapters.{first.adapter}")
    return Line(
        task=first.task,
        size=first.size,
        adapter=first.adapter,
        package=first.package,
        version=first.version,
        verdict=max((_verdict(run, reference) for run in cell), key=RANK.__getitem__),
        status=first.status if not good else "ok",
        estimate=_median(run.estimate for run in good),
        std_error=_median(run.std_error for run in good),
        warm_s=_median(run.warm_s for run in good),
        cold_s=_median(run.cold_s for run in good),
        peak_mb=_median(run.peak_mb for run in good),
        others=_median(run.others for run in good),
        note=module.CALLS[first.task].other if good else first.note,
    )


def _verdict(run: Run, reference: Sequence[Run]) -> str:
    if run.status != "ok":
        return NO_ANSWER
    if not reference:
        return NOT_HELD
    task = TASKS[run.task]
    estimate, std_error = _number(run.estimate), _number(run.std_error)
    their_estimate, their_error = _number(reference[0].estimate), _number(reference[0].std_error)
    scale = abs(their_estimate) if math.isnan(their_error) else their_error
    # comparisons with NaN are false, so an answer that is none is another answer
    if not abs(estimate - their_estimate) <= task.tolerance * scale:
        return OTHER
    is_same = math.isnan(their_error) or abs(std_error / their_error - 1) <= task.error_tolerance
    return SAME if is_same else SAME_ESTIMATE


def markdown(found: Sequence[Line], note: str) -> str:
    """Return the tables, with the machine and what was asked above each."""
    parts = [machine(), note]
    for task in dict.fromkeys(line.task for line in found):
        parts.append(f"## {task}\n\n{TASKS[task].question}. Held against `{TASKS[task].reference}`.")
        for size in dict.fromkeys(line.size for line in found if line.task == task):
            chosen = [line for line in found if line.task == task and line.size == size]
            parts.append(_table(chosen, size))
    return "\n\n".join(part for part in parts if part) + "\n"


def machine() -> str:
    """Return processor, memory and versions of what ran, not its name."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in _text(info).splitlines() if line.startswith("model name")]
    memory = [line.split()[1] for line in _text(Path("/proc/meminfo")).splitlines() if "MemTotal" in line]
    gigabytes = f"{int(memory[0]) / 2**20:.0f} GiB" if memory else "memory not known"
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "pandas", "statsmodels"))
    processor = names[0] if names else platform.processor() or "processor not known"
    system = f"{platform.system()} {platform.machine()}; Python {platform.python_version()}"
    return f"{processor}, {os.cpu_count()} cores, {gigabytes}, {system}, {packages}."


def ratios(found: Sequence[Line], base: Sequence[Line]) -> str:
    """Return warm times and peak memory against those of a stored run.

    The last column divides by how much the peers' own times changed on that task: what is left is our doing
    and not the machine's.
    """
    before = {(line.task, line.size, line.adapter): line for line in base}
    head = (
        "task | size | package | warm, ratio to base | peak memory, ratio to base | warm, peers' change out"
    )
    rows = [f"| {head} |", "|---|---|---|---|---|---|"]
    for line in found:
        old = before.get((line.task, line.size, line.adapter))
        if old is None:
            continue
        time, memory = line.warm_s / old.warm_s, line.peak_mb / old.peak_mb
        drift = _median(
            peer.warm_s / before[key].warm_s
            for peer in found
            if _is_peer(peer)
            and (peer.task, peer.size) == (line.task, line.size)
            and (key := (peer.task, peer.size, peer.adapter)) in before
        )
        rest = _shown(time / drift, 2) if line.adapter == "ours" else ""
        rows.append(f"| {line.task} | {line.size:,} | {line.adapter} | {time:.2f} | {memory:.2f} | {rest} |")
    return "\n".join(rows)


def _table(chosen: Sequence[Line], size: int) -> str:
    times = [line.warm_s for line in chosen if _is_peer(line) and not math.isnan(line.warm_s)]
    best = min(times, default=math.nan)
    head = "package | answer | estimate | std. error | warm s | to fastest peer | cold s | peak MB"
    head += " | others | note"
    rows = [f"**{size:,}**\n\n| {head} |", "|" + "---|" * len(head.split("|"))]
    for line in chosen:
        name = "**juntos_eval**" if line.adapter == "ours" else f"{line.package} {line.version}".strip()
        name = "definition (numpy)" if line.adapter == "definition" else name
        numbers = f"{_shown(line.estimate, 8)} | {_shown(line.std_error, 8)} | {_shown(line.warm_s, 3)}"
        ratio = _shown(line.warm_s / best, 2) if line.verdict in (SAME, SAME_ESTIMATE) else ""
        rest = f"{_shown(line.cold_s, 3)} | {_shown(line.peak_mb, 4)} | {_shown(line.others, 2)}"
        rest += f" | {line.note.replace('|', '/')}"
        rows.append(f"| {name} | {line.verdict} | {numbers} | {ratio} | {rest} |")
    return "\n".join(rows)


def _is_peer(line: Line) -> bool:
    return line.adapter not in ("ours", "definition") and line.verdict in (SAME, SAME_ESTIMATE)


def _median(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None and not math.isnan(value)]
    return statistics.median(known) if known else math.nan


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _last(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _shown(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}g}"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
