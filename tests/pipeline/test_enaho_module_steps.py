"""ENAHO's modules of any year are cleaned where a year's sumaria lies; the main job's years stay its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from juntos_eval.pipeline.build import build
from juntos_eval.pipeline.data_steps import years_of
from juntos_eval.pipeline.plan import Run, not_made, steps
from juntos_eval.surveys.store import read_table
from juntos_eval.surveys.synthetic import write_history

TABLES = {"sumaria", "members", "child_work", "education", "employment", "health", "housing"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    raw = tmp_path / "raw"
    write_history(raw, seed=2, households=300, years=(2007, 2013))
    return Run.choose(root=tmp_path, data_raw=raw, seed=1, households=400)


def test_every_module_of_each_year_is_made_once_and_keeps_its_design(run: Run) -> None:
    outcome = build(steps(run), until="data", state=run.state, quiet=True)
    assert outcome.is_sound
    wanted = {f"clean-{table}-2007" for table in TABLES} | {f"clean-{table}-2013" for table in TABLES}
    assert set(outcome.made) == wanted | {"clean-programmes-2013"}
    table = read_table(run.paths.clean_table("enaho", "education", 2007))
    assert table.provenance.is_synthetic
    assert table.frame.attrs["design"] == {"weight": "person_weight", "strata": "stratum", "psu": "psu"}
    assert not build(steps(run), until="data", state=run.state, quiet=True).made


def test_without_the_years_of_the_main_job_there_is_nothing_to_estimate(run: Run) -> None:
    outcome = build(steps(run), until="estimates", state=run.state, quiet=True)
    assert [name for name, _ in outcome.failures] == ["estimates-without-enaho"]


def test_the_real_folder_s_extracts_of_2019_are_cleaned_and_are_no_year_of_the_main_job(
    shared_data: Path, tmp_path: Path
) -> None:
    folder = shared_data / "peru"
    if not (folder / "enaho" / "2019").is_dir():
        pytest.skip(f"no ENAHO files at {folder}")
    run = Run.choose(root=tmp_path, data_raw=folder, seed=1, households=400)
    assert years_of(run) == (2024, 2025)
    names = [step.name for step in steps(run)]
    assert not [name for name in names if name.startswith("households-2019") or "panel" in name]
    # extracts with every needed column are cleaned, the others are named with what they lack
    made = {name for name in names if name.endswith("-2019")}
    lost = {one.table for one in not_made(run) if one.table.endswith("_2019")}
    assert {"clean-education-2019", "clean-employment-2019", "clean-housing-2019"} <= made
    assert not {name.removeprefix("clean-").replace("-2019", "_2019") for name in made} & lost
