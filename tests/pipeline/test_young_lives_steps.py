"""Young Lives in a run: steps where its files lie, none where they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from juntos_eval.errors import SourceError
from juntos_eval.paths import SYNTHETIC_RUN, RunPaths
from juntos_eval.pipeline.run import Run, Synthetic
from juntos_eval.pipeline.young_lives_steps import young_lives_steps
from juntos_eval.surveys.store import read_table
from juntos_eval.surveys.synthetic.young_lives import write_young_lives


def _run(root: Path) -> Run:
    (root / "raw").mkdir(exist_ok=True)
    return Run(paths=RunPaths(root=root, run="real"), place=root / "raw")


def test_without_files_there_are_no_steps(tmp_path: Path) -> None:
    assert young_lives_steps(_run(tmp_path)) == []


def test_the_embedded_run_has_none(tmp_path: Path) -> None:
    write_young_lives(tmp_path / "raw", seed=1, share=0.05, studies=(7483,))
    run = Run(
        paths=RunPaths(root=tmp_path, run=SYNTHETIC_RUN),
        place=tmp_path / "raw",
        synthetic=Synthetic(folder=tmp_path / "raw", seed=1, households=400),
    )
    assert young_lives_steps(run) == []


def test_every_table_is_made_of_the_files_and_says_of_which(tmp_path: Path) -> None:
    write_young_lives(tmp_path / "raw", seed=1, share=0.06)
    steps = young_lives_steps(_run(tmp_path))
    assert [step.name for step in steps] == [
        "young-lives-children-panel",
        "young-lives-attrition",
        "young-lives-child-work",
        "young-lives-juntos-status",
        "young-lives-tests",
        "young-lives-siblings",
        "young-lives-community-exposure",
    ]
    written: set[Path] = set()
    for step in steps:
        assert all(path.is_file() for path in step.reads)
        step.action()
        written |= set(step.writes)
    folder = tmp_path / "data_clean" / "real" / "young_lives"
    assert set(folder.iterdir()) == written
    siblings = read_table(folder / "siblings.parquet")
    assert siblings.frame["months_exposed"].notna().any()
    assert siblings.provenance.is_synthetic
    assert {file.name for file in siblings.provenance.inputs} >= {"pe_yc_sibanthro_r3.dta"}


@pytest.mark.parametrize(
    ("studies", "tables"),
    [
        ((7483,), ["children-panel", "attrition", "child-work", "tests"]),
        ((6853,), ["siblings", "community-exposure"]),
        ((7483, 5307), ["children-panel", "attrition", "child-work", "tests"]),
    ],
)
def test_a_table_whose_files_are_not_there_is_no_step(
    tmp_path: Path, studies: tuple[int, ...], tables: list[str]
) -> None:
    write_young_lives(tmp_path / "raw", seed=1, share=0.05, studies=studies)
    steps = young_lives_steps(_run(tmp_path))
    assert [step.name.removeprefix("young-lives-") for step in steps] == tables
    for step in steps:
        step.action()


def test_a_zip_of_the_archive_is_what_the_steps_read(tmp_path: Path) -> None:
    write_young_lives(tmp_path / "raw", seed=1, share=0.05, studies=(7483,), is_zipped=True)
    steps = young_lives_steps(_run(tmp_path))
    assert {path.name for path in steps[0].reads} == {"UKDA-7483-stata.zip"}
    steps[0].action()


def test_a_misplaced_file_stops_the_plan(tmp_path: Path) -> None:
    write_young_lives(tmp_path / "raw", seed=1, share=0.05, studies=(7483,), is_zipped=True)
    place = tmp_path / "raw" / "young_lives"
    (place / "UKDA-7483-stata.zip").rename(place / "UKDA-6853-stata.zip")
    with pytest.raises(SourceError, match="belongs to study 7483"):
        young_lives_steps(_run(tmp_path))
