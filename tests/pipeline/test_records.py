"""Records hold what the report shows, without loss beyond their digits, and refuse what is not theirs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.pipeline.records import (
    pretty,
    read_estimates,
    read_survey,
    write_estimates,
    write_survey,
)
from juntos_eval.reporting.example import example_input


def test_estimates_come_back_as_they_were_written(tmp_path: Path) -> None:
    shown = example_input().estimates
    back = read_estimates(write_estimates(tmp_path / "a.json", shown, is_synthetic=True))
    assert [one.id for one in back] == [one.id for one in shown]
    for old, new in zip(shown, back, strict=True):
        assert new.value == pytest.approx(old.value, rel=1e-8)
        assert new.std_error == pytest.approx(old.std_error, rel=1e-8)
        assert new.labels == old.labels
        assert (new.truth, new.unit, new.better, new.term) == (old.truth, old.unit, old.better, old.term)
        assert [row.label for row in new.balance] == [row.label for row in old.balance]
        assert [row.smd_after for row in new.balance] == pytest.approx([row.smd_after for row in old.balance])
        assert [(point.arm, point.time, point.n) for point in new.trend] == [
            (point.arm, point.time, point.n) for point in old.trend
        ]
        assert [point.mean for point in new.trend] == pytest.approx([point.mean for point in old.trend])
        if old.overlap is not None:
            assert new.overlap is not None
            np.testing.assert_allclose(new.overlap.treated_before, old.overlap.treated_before, rtol=1e-8)
            assert new.overlap.range_treated == pytest.approx(old.overlap.range_treated)
        if old.sensitivity is not None:
            assert new.sensitivity is not None
            np.testing.assert_allclose(new.sensitivity.p_upper, old.sensitivity.p_upper, rtol=1e-8)
            assert np.isnan(new.sensitivity.e_value) == np.isnan(old.sensitivity.e_value)


def test_survey_facts_come_back_as_they_were_written(tmp_path: Path) -> None:
    facts = example_input().survey
    back = read_survey(write_survey(tmp_path / "s.json", facts, is_synthetic=True))
    assert back.tallies == facts.tallies
    assert len(back.shares) == len(facts.shares)
    for old, new in zip(facts.shares, back.shares, strict=True):
        assert (new.topic, new.category, new.arm, new.count, new.base) == (
            old.topic,
            old.category,
            old.arm,
            old.count,
            old.base,
        )
        assert (new.share, new.conf_low, new.conf_high) == pytest.approx(
            (old.share, old.conf_low, old.conf_high)
        )


def test_a_record_says_what_data_it_is_of(tmp_path: Path) -> None:
    path = write_estimates(tmp_path / "a.json", example_input().estimates, is_synthetic=True)
    assert json.loads(path.read_text())["data"] == "SYNTHETIC DATA"


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    shown = example_input().estimates
    first = write_estimates(tmp_path / "a.json", shown, is_synthetic=False).read_bytes()
    again = write_estimates(tmp_path / "b.json", read_estimates(tmp_path / "a.json"), is_synthetic=False)
    assert again.read_bytes() == first


def test_pretty_json_is_json() -> None:
    value = {"a": list(range(200)), "b": {"c": ["x" * 100, "y" * 100], "d": None}, "e": []}
    assert json.loads(pretty(value)) == value


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"format": "juntos_eval/reported/1", "estimates": [')
    with pytest.raises(SourceError, match=r"a\.json"):
        read_estimates(tmp_path / "a.json")


def test_a_record_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"format": "something/else", "estimates": []}')
    with pytest.raises(SchemaError, match="format"):
        read_estimates(tmp_path / "a.json")


def test_nothing_half_written_stays_when_a_value_cannot_be_written(tmp_path: Path) -> None:
    shown = example_input().estimates[0]
    broken = dataclasses.replace(shown, estimate=dataclasses.replace(shown.estimate, details={"x": object()}))
    with pytest.raises(SchemaError):
        write_estimates(tmp_path / "a.json", [broken], is_synthetic=False)
    assert list(tmp_path.iterdir()) == []
