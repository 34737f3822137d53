"""A faster wrong answer is a failure; the package knows nothing of its benchmarks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import __main__ as command
from benchmarks import data
from benchmarks.compare import failures, lines, markdown, ratios
from benchmarks.drive import Run
from benchmarks.tasks import TASKS


def run(adapter: str, estimate: float = 1.0, std_error: float = 0.1, **changes: Any) -> Run:
    names = {"family": "did", "task": "did-traditional", "size": 10_000, "package": adapter}
    measured = {"cold_s": 2.0, "warm_s": 1.0, "peak_mb": 100.0, "others": 0.0}
    answer = {"adapter": adapter, "estimate": estimate, "std_error": std_error, "round": 0, "status": "ok"}
    return Run(**{**names, **measured, **answer, **changes})


REFERENCE = run("drdid")


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        (run("ours", 1.0 + 1e-8), "same"),
        (run("ours", 1.0, 0.1 + 1e-4), "same estimate"),
        (run("ours", 1.0, float("nan")), "same estimate"),
        (run("ours", 1.0 + 1e-5, warm_s=1e-6), "other"),
        (run("ours", float("nan")), "other"),
        (run("ours", status="crash"), "no answer"),
    ],
)
def test_verdicts(ours: Run, verdict: str) -> None:
    found = lines([REFERENCE, ours])
    (line,) = [line for line in found if line.adapter == "ours"]
    assert line.verdict == verdict
    assert bool(failures(found)) is (verdict != "same")


def test_one_round_that_fails_fails_them_all() -> None:
    runs = [REFERENCE, run("ours"), run("ours", status="crash", warm_s=None, round=1)]
    assert len(failures(lines(runs))) == 1


def test_an_answer_held_against_nothing_is_a_failure() -> None:
    assert failures(lines([run("ours")])) == [
        "did-traditional, 10,000: our answer is 'nothing to compare with' (ok)"
    ]


def test_wrong_answers_get_no_ratio_and_medians_are_over_rounds() -> None:
    twice = [run("ours", warm_s=0.2), run("ours", warm_s=0.4, round=1)]
    runs = [REFERENCE, *twice, run("statspai", 2.0, warm_s=0.001)]
    rows = [line.split(" | ") for line in markdown(lines(runs), "").splitlines() if line.startswith("| ")]
    answers = {row[0].strip("| "): (row[1], row[4], row[5].strip()) for row in rows[1:]}
    assert answers["**juntos_eval**"] == ("same", "0.3", "0.3")
    assert answers["drdid"] == ("same", "1", "1")
    assert answers["statspai"] == ("other", "0.001", "")


def test_runs_survive_a_way_through_csv(tmp_path: Path) -> None:
    runs = [REFERENCE, run("ours", 1 / 3), run("statspai", status="crash", warm_s=None, note="it, fell")]
    command.write(runs, tmp_path, "indicative")
    assert command.read(tmp_path / "did.csv") == runs
    assert "indicative" in (tmp_path / "did.md").read_text(encoding="utf-8")
    assert "| did-traditional | 10,000 | ours | 1.00 | 1.00 | 1 |" in ratios(lines(runs), lines(runs))
    assert (
        command.stored_runs(tmp_path, ("did", "iv")) == command.stored_runs(tmp_path / "did.csv", ()) == runs
    )


def test_a_slower_machine_is_no_slower_package() -> None:
    before = [REFERENCE, run("ours", warm_s=0.5)]
    after = [run("drdid", warm_s=2.0), run("ours", warm_s=1.5, peak_mb=150.0)]
    rows = ratios(lines(after), lines(before)).splitlines()
    assert "| did-traditional | 10,000 | ours | 3.00 | 1.50 | 1.5 |" in rows
    assert "| did-traditional | 10,000 | drdid | 2.00 | 1.00 |  |" in rows


def test_a_base_that_is_not_there_is_said_before_anything_is_timed(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no earlier run"):
        command.stored_runs(tmp_path, ("did",))


def test_sizes_are_read() -> None:
    assert command.sizes_of("10k, 1.5M,200") == (10_000, 1_500_000, 200)


@pytest.mark.parametrize("name", data.TABLES)
def test_tables_are_the_same_each_time(name: str) -> None:
    first, second = data.TABLES[name](500), data.TABLES[name](500)
    pd.testing.assert_frame_equal(pd.DataFrame(first), pd.DataFrame(second))
    values = np.asarray(first["d"], dtype=np.float64)
    if set(np.unique(values)) <= {0.0, 1.0}:
        assert 0.1 < values.mean() < 0.6
    else:  # an endogenous regressor, which is no treatment
        assert 0.5 < values.std() < 5.0


def test_every_stored_answer_of_ours_is_the_reference_s(repository: Path) -> None:
    stored = sorted((repository / "benchmarks" / "results").glob("*.csv"))
    assert {path.stem for path in stored} == {task.family for task in TASKS.values()}
    for path in stored:
        assert failures(lines(command.read(path))) == []


def test_the_package_does_not_know_its_benchmarks(repository: Path) -> None:
    for path in (repository / "juntos_eval").rglob("*.py"):
        assert not re.search(
            r"^\s*(?:import|from) benchmarks", path.read_text(encoding="utf-8"), re.MULTILINE
        )
