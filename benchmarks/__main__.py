"""Timings and accuracy against the peers: python -m benchmarks --help."""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import compare, drive
from benchmarks.drive import ADAPTERS, PEERS, ROOT, Plan, Run
from benchmarks.tasks import TASKS

FAMILIES = tuple(dict.fromkeys(task.family for task in TASKS.values()))
SCRATCH, STORED = ROOT / ".benchmarks" / "results", ROOT / "benchmarks" / "results"
NUMBERS = {"size": int, "round": int, "warm_calls": int}
TEXT = {"family", "task", "adapter", "package", "version", "status", "note"}


def sizes_of(text: str) -> tuple[int, ...]:
    """Read sizes such as 10k,100k,1m."""
    units = {"k": 1_000, "m": 1_000_000}
    return tuple(
        int(float(part[:-1]) * units[part[-1]]) if part[-1] in units else int(part)
        for part in text.lower().replace(" ", "").split(",")
    )


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("run", "install"), default="run",
                        help="install: make the peers' environment from peers.lock")  # fmt: skip
    parser.add_argument(
        "--family", default=",".join(FAMILIES), help="comma-separated: " + ", ".join(FAMILIES)
    )
    parser.add_argument("--sizes", default="10k", help="rows or units, comma-separated: 10k,100k,1m")
    parser.add_argument(
        "--adapters", default=",".join(ADAPTERS), help="comma-separated: " + ", ".join(ADAPTERS)
    )
    parser.add_argument("--rounds", type=int, default=2, help="processes of each adapter")
    parser.add_argument("--warm", type=int, default=3, help="warm calls in each process")
    parser.add_argument("--seconds", type=float, default=120.0, help="budget of a process")
    parser.add_argument("--store", action="store_true", help="write to benchmarks/results, which git keeps")
    parser.add_argument("--note", default="", help="a sentence for the head of the tables")
    parser.add_argument(
        "--base", type=Path, help="an earlier run, a CSV or a folder of them: print ratios to it"
    )
    return parser.parse_args(given)


def install() -> None:
    """Make the peers' environment from the lock."""
    venv.create(PEERS, with_pip=True, clear=True)
    options = ["--disable-pip-version-check", "--quiet", "install", "--require-hashes", "--no-deps"]
    lock = ROOT / "benchmarks" / "peers.lock"
    python = str(drive.python_of("peers"))
    command = [python, "-m", "pip", *options, "--only-binary", ":all:", "--requirement", str(lock)]
    subprocess.run(command, check=True)  # noqa: S603


def measure(plan: Plan) -> list[Run]:
    """Run the plan and say how each run went."""
    done = []
    for run in drive.runs(plan):
        done.append(run)
        warm = "" if run.warm_s is None else f"{run.warm_s:9.4f} s"
        print(
            f"{run.task:20s} {run.size:>9,} {run.adapter:16s} {run.status:20s} {warm} {run.note}", flush=True
        )
    return done


def write(runs: Sequence[Run], folder: Path, note: str) -> None:
    """Write a CSV of the runs and the tables, one pair a family."""
    folder.mkdir(parents=True, exist_ok=True)
    for family in dict.fromkeys(run.family for run in runs):
        chosen = [run for run in runs if run.family == family]
        with (folder / f"{family}.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, list(drive.as_row(chosen[0])), lineterminator="\n")
            table.writeheader()
            table.writerows(drive.as_row(run) for run in chosen)
        head = f"# Benchmarks: {family}\n\nSIMULATED data (`benchmarks/data.py`). "
        text = head + compare.markdown(compare.lines(chosen), note)
        (folder / f"{family}.md").write_text(text, encoding="utf-8")


def read(path: Path) -> list[Run]:
    """Read the runs of a CSV."""

    def value(name: str, text: str) -> Any:
        if name in TEXT:
            return text
        return None if not text else NUMBERS.get(name, float)(text)

    with path.open(newline="", encoding="utf-8") as file:
        return [
            Run(**{name: value(name, text) for name, text in row.items()}) for row in csv.DictReader(file)
        ]


def stored_runs(base: Path, families: Sequence[str]) -> list[Run]:
    """Read an earlier run: a CSV, or those of the families in a folder."""
    files = [base] if base.is_file() else [base / f"{family}.csv" for family in families]
    found = [file for file in files if file.exists()]
    if not found:
        raise SystemExit(f"no earlier run: {', '.join(map(str, files))}")
    return [run for file in found for run in read(file)]


def main(given: Sequence[str]) -> int:
    """Install the peers, or run what was asked and compare; 1 if an answer of ours is not the reference's."""
    asked = arguments(given)
    if asked.command == "install":
        install()
        return 0
    families, adapters = asked.family.split(","), asked.adapters.split(",")
    unknown = [name for name in families if name not in FAMILIES]
    unknown += [name for name in adapters if name not in ADAPTERS]
    if unknown:
        print(f"not known: {', '.join(unknown)}; see python -m benchmarks --help", file=sys.stderr)
        return 2
    if not drive.python_of("peers").exists():
        print(
            "The peers are not installed: python -m benchmarks install. Running without them.",
            file=sys.stderr,
        )
    # before anything is timed or stored: a base that is not there, or the very files that are about to change
    base = [] if asked.base is None else stored_runs(asked.base, families)
    plan = Plan(
        families=tuple(families),
        sizes=sizes_of(asked.sizes),
        adapters=tuple(adapters),
        rounds=asked.rounds,
        warm=asked.warm,
        seconds=asked.seconds,
    )
    done = measure(plan)
    if not done:
        print("nothing to run", file=sys.stderr)
        return 2
    folder = STORED if asked.store else SCRATCH
    write(done, folder, asked.note)
    found = compare.lines(done)
    if asked.base is not None:
        print(compare.ratios(found, compare.lines(base)))
    wrong = compare.failures(found)
    print(f"\nTables: {folder.relative_to(ROOT)}", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
