"""ENDES files in the raw folder are cleaned with the rest; without ENAHO nothing more is made: we say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.paths import MANIFEST
from juntos_eval.pipeline.build import build
from juntos_eval.pipeline.plan import Run, steps
from juntos_eval.surveys.store import read_table
from juntos_eval.surveys.synthetic.endes import write_synthetic_endes

TABLES = ("births", "children", "households", "persons", "violence", "women")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    raw = tmp_path / "raw"
    write_synthetic_endes(raw, seed=3, households=300, years=(2018,), file_format="csv")
    return Run.choose(root=tmp_path, data_raw=raw, seed=1, households=400)


def test_every_table_is_made_once(run: Run) -> None:
    outcome = build(steps(run), until="data", state=run.state, quiet=True)
    assert outcome.is_sound
    assert sorted(outcome.made) == sorted(f"clean-endes-{table}-2018" for table in TABLES)
    for table in TABLES:
        made = read_table(run.paths.clean_table("endes", table, 2018))
        assert made.provenance.is_synthetic
        assert made.provenance.rows_out == len(made.frame) > 0
    again = build(steps(run), until="data", state=run.state, quiet=True)
    assert again.is_sound
    assert not again.made


def test_without_enaho_there_is_nothing_to_estimate(run: Run) -> None:
    outcome = build(steps(run), until="estimates", state=run.state, quiet=True)
    ((name, error),) = outcome.failures
    assert name == "estimates-without-enaho"
    assert isinstance(error, SourceError)
    assert "no ENAHO file" in str(error)


def test_without_any_file_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    run = Run.choose(root=tmp_path, data_raw=tmp_path / "raw", seed=1, households=400)
    with pytest.raises(SourceError, match="no survey file that this version knows"):
        steps(run)


def test_a_damaged_file_stops_its_table_and_leaves_the_old_one(run: Run) -> None:
    build(steps(run), until="data", state=run.state, quiet=True)
    target = run.paths.clean_table("endes", "children", 2018)
    before = target.read_bytes()
    (run.place / MANIFEST).write_text("synthetic = true\n", encoding="utf-8")
    path = run.place / "endes" / "2018" / "RECH6_2018.csv"
    text = path.read_text(encoding="utf-8-sig")
    path.write_text(text.replace("HC0", "HC00", 1), encoding="utf-8")
    outcome = build(steps(run), until="data", state=run.state, quiet=True)
    assert [name for name, _ in outcome.failures] == ["clean-endes-children-2018"]
    assert isinstance(outcome.failures[0][1], SchemaError)
    assert target.read_bytes() == before


def test_households_are_asked_for_even_where_only_children_lie(run: Run) -> None:
    for stem in ("RECH0", "RECH23"):
        (run.place / "endes" / "2018" / f"{stem}_2018.csv").unlink()
    outcome = build(steps(run), until="data", state=run.state, quiet=True)
    assert "clean-endes-households-2018" in [name for name, _ in outcome.failures]
    errors = [str(error) for name, error in outcome.failures if name == "clean-endes-households-2018"]
    assert "households file of endes 2018 is missing" in errors[0]
