"""The main job without any data: all is made, says that it is synthetic, and finds what was planted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from juntos_eval.pipeline.records import read_estimates, read_survey
from juntos_eval.studies.comparison import designs
from juntos_eval.studies.juntos_households import STUDY
from juntos_eval.surveys.synthetic import read_truth
from tests.pipeline.conftest import HOUSEHOLDS, call


def records(root: Path) -> list[Path]:
    return sorted((root / "reports" / "synthetic-data" / "estimates").glob("*.json"))


def test_every_comparison_and_the_demonstration_have_a_record(synthetic_run: Path) -> None:
    names = {path.stem.removeprefix("synthetic-data-") for path in records(synthetic_run)}
    expected = {part.id for part in STUDY.comparisons} | {part.id for part in STUDY.demonstrations}
    assert names == expected | {"survey"}


def test_each_comparison_has_every_design_with_its_truth(synthetic_run: Path) -> None:
    truth = read_truth(synthetic_run / "data_raw" / "synthetic-data")
    for part in STUDY.comparisons:
        path = synthetic_run / f"reports/synthetic-data/estimates/synthetic-data-{part.id}.json"
        shown = read_estimates(path)
        assert [one.design for one in shown] == list(designs(part))
        planted = truth.effect(part.outcome, part.year).value
        assert [one.truth for one in shown] == pytest.approx([planted] * len(shown), rel=1e-6)


def test_adjusted_designs_find_the_planted_sign_that_the_raw_gap_misses(synthetic_run: Path) -> None:
    path = synthetic_run / f"reports/synthetic-data/estimates/synthetic-data-{STUDY.headline}.json"
    shown = {one.design: one for one in read_estimates(path)}
    assert shown["raw_gap"].value > 0.1
    for name in ("nearest_5", "kernel", "ipw", "entropy", "aipw"):
        one = shown[name]
        assert one.truth is not None
        assert one.value < 0
        assert abs(one.value - one.truth) < 3.5 * one.std_error


def test_survey_facts_count_everybody(synthetic_run: Path) -> None:
    facts = read_survey(synthetic_run / "reports/synthetic-data/estimates/synthetic-data-survey.json")
    for year in ("2024", "2025"):
        answered = [tally.count for tally in facts.tallies if (tally.topic, tally.year) == ("answered", year)]
        assert sum(answered) == HOUSEHOLDS
    shares = [share for share in facts.shares if share.topic == "juntos"]
    assert [share.year for share in shares] == [2024, 2025]
    assert all(0.08 < share.share < 0.16 for share in shares)
    food = [share.share for share in facts.shares if (share.topic, share.arm) == ("fies_category", "juntos")]
    assert sum(food) == pytest.approx(1.0)


def test_every_file_name_page_table_and_figure_says_synthetic(synthetic_run: Path) -> None:
    folder = synthetic_run / "reports" / "synthetic-data"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    assert all(path.name.startswith("synthetic-data-") for path in files)
    for path in files:
        if path.suffix in {".csv", ".tex", ".svg", ".json"}:
            text = path.read_text(encoding="utf-8")
            assert "SYNTHETIC" in text or "SINTÉTICOS" in text, path.name
    page = (synthetic_run / "reports" / "index.html").read_text(encoding="utf-8")
    assert "SYNTHETIC DATA" in page
    assert "DATOS SINTÉTICOS" in page


def test_nothing_half_written_is_left(synthetic_run: Path) -> None:
    assert not list(synthetic_run.rglob("*.partial"))


def test_links_of_the_page_lead_to_files(synthetic_run: Path) -> None:
    page = (synthetic_run / "reports" / "index.html").read_text(encoding="utf-8")
    links = [part.split('"')[0] for part in page.split('href="')[1:]]
    files = [link for link in links if link.startswith("synthetic-data/")]
    assert files
    assert all((synthetic_run / "reports" / link).is_file() for link in files)


def test_a_second_run_makes_nothing(synthetic_run: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(synthetic_run, root)
    first = call("report", "--households", str(HOUSEHOLDS), folder=root)
    before = {path: path.read_bytes() for path in records(root)}
    again = call("report", "--households", str(HOUSEHOLDS), folder=root)
    assert first.returncode == again.returncode == 0, again.stderr
    assert "nothing had changed" in again.stderr
    assert {path: path.read_bytes() for path in records(root)} == before


def test_a_changed_raw_file_is_noticed_and_its_damage_named(synthetic_run: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(synthetic_run / "data_raw" / "synthetic-data", raw)
    root = tmp_path / "root"
    root.mkdir()
    path = raw / "enaho" / "2025" / "Enaho01-2025-700.csv"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    refused = call("clean", "--data-raw", str(raw), folder=root)
    assert refused.returncode == 2
    assert "Enaho01-2025-700.csv" in refused.stderr
    assert "Remedy" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not list(root.rglob("programmes_2025.parquet"))
    assert not list(root.rglob("*.partial"))


def test_a_run_that_fails_leaves_the_report_of_the_last_one(synthetic_run: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(synthetic_run, root)
    page = (root / "reports" / "index.html").read_bytes()
    raw = tmp_path / "raw"
    shutil.copytree(root / "data_raw" / "synthetic-data", raw)
    (raw / "enaho" / "2024" / "enaho01-2024-700.dta").unlink()
    refused = call("report", "--data-raw", str(raw), folder=root)
    assert refused.returncode == 2
    assert "there is no file of enaho 2024 programmes" in refused.stderr
    assert (root / "reports" / "index.html").read_bytes() == page


def test_records_hold_no_small_count(synthetic_run: Path) -> None:
    def counts(value: object) -> list[int]:
        if isinstance(value, dict):
            return [count for entry in value.values() for count in counts(entry)]
        if isinstance(value, list):
            return [count for entry in value for count in counts(entry)]
        return [value] if isinstance(value, int) and not isinstance(value, bool) else []

    for path in records(synthetic_run):
        content = json.loads(path.read_text(encoding="utf-8"))
        for shown in content.get("estimates", []):
            small = [count for count in counts(shown["estimate"]["sample"]) if 0 < count < 10]
            assert small == [], f"{path.name}: {shown['id']}"
