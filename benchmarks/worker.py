"""One adapter, one task, one table, in a process of its own: a cold call, then warm ones.

Usage (the driver's): python -m benchmarks.worker ADAPTER TASK TABLE WARM SECONDS
Prints one line: RESULT and JSON.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import statistics
import sys
import time
import traceback
import warnings
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import data


def busy_seconds() -> float:
    """Seconds that all processors of the machine have worked, for whomever (Linux; else 0)."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0
    ticks = [int(number) for number in path.read_text().split("\n", 1)[0].split()[1:]]
    return (sum(ticks) - ticks[3] - ticks[4]) / float(os.sysconf("SC_CLK_TCK"))


def own_seconds() -> float:
    """Seconds of processor that this process and its children have used."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in usage)


def peak_mb() -> float:
    """Return the peak of resident memory so far, the larger of this process and its children."""
    divisor = 2**20 if sys.platform == "darwin" else 2**10
    return (
        max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        / divisor
    )


def measure(call: Any, prepared: Any, warm: int, budget: float) -> dict[str, Any]:
    """Time the calls; ``others`` is the share of the machine that other processes had meanwhile."""
    walls, others = [], []
    estimate = std_error = float("nan")
    began = time.perf_counter()
    for _ in range(warm + 1):
        busy, own, start = busy_seconds(), own_seconds(), time.perf_counter()
        estimate, std_error = call.estimate(prepared)
        wall = time.perf_counter() - start
        walls.append(wall)
        foreign = max(0.0, busy_seconds() - busy - (own_seconds() - own))
        others.append(foreign / wall / (os.cpu_count() or 1))
        if time.perf_counter() - began + wall > budget:
            break
    return {
        "cold_s": walls[0],
        "warm_s": statistics.median(walls[1:]) if len(walls) > 1 else None,
        "warm_calls": len(walls) - 1,
        "others": statistics.median(others[1:] or others),
        "estimate": float(estimate),
        "std_error": float(std_error),
    }


def main(adapter: str, task: str, table: str, warm: int, budget: float) -> dict[str, Any]:
    """Return what is known of one adapter on one task, an error included."""
    warnings.filterwarnings("ignore")
    module = import_module(f"benchmarks.adapters.{adapter}")
    call = module.CALLS[task]
    result: dict[str, Any] = {"version": version(module.PACKAGE), "status": "ok", "note": ""}
    try:
        prepared = call.prepare(data.read(Path(table)))
        gc.collect()
        result["loaded_mb"] = peak_mb()
        result |= measure(call, prepared, warm, budget)
    except Exception as error:  # noqa: BLE001 - whatever a peer raises is its result
        traceback.print_exc()
        result |= {"status": "error", "note": f"{type(error).__name__}: {error}"[:300].replace("\n", " ")}
    return result | {"peak_mb": peak_mb()}


if __name__ == "__main__":
    _adapter, _task, _table, _warm, _budget = sys.argv[1:]
    print("RESULT " + json.dumps(main(_adapter, _task, _table, int(_warm), float(_budget))), flush=True)
