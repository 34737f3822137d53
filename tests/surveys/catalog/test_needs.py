"""What studies need is what their records say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from juntos_eval.surveys.catalog import published
from juntos_eval.surveys.catalog_needs import study_needs

WORDS = {"enaho": "ENAHO", "enaho_panel": "ENAHO", "endes": "ENDES", "young_lives": "Young Lives"}


def test_needs_are_those_of_the_studies_records(repository: Path) -> None:
    folder = repository.parent / "shared" / "evidence" / "studies"
    if not folder.is_dir():
        pytest.skip(
            "no records at ../shared/evidence/studies (next to the repository): this test compares with them"
        )
    for need in study_needs():
        record = yaml.safe_load((folder / f"{need.study}.yaml").read_text(encoding="utf-8"))
        data = record["data"] if isinstance(record["data"], list) else [record["data"]]
        matching = [entry for entry in data if WORDS[need.survey] in (entry["survey"] or "")]
        assert matching, need
        assert any(need.years == tuple(sorted(entry["years"] or [])) for entry in matching), need
        assert any(need.access == entry["access"] for entry in matching), need


def test_years_needed_are_published_or_placed_by_hand() -> None:
    surveys = {need.survey for need in study_needs()}
    assert surveys == set(WORDS)
    for survey in ("enaho", "endes"):
        years = {file.year for file in published(survey)}
        for need in study_needs(survey):
            assert set(need.years) <= years, need
