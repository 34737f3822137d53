"""The records as a whole, and what validation refuses."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.evidence.load import load_record, load_records
from juntos_eval.evidence.parse import parse_record

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "evidence" / "studies"

ROW = """\
id: invented
citation: Invented (2020)
title: Invented
publication: none
domain: schooling
design: {family: psm, verified: false, basis: title}
data: {access: none}
estimator: {}
reproduction: {modes: [bibliographic], text: invented}
results:
  - id: first
    kind: impact
    table: Table 1
    outcome: attendance
    effect_measure: difference
    units: points
    source: invented
    seen: full_text
    estimate: 2.5
"""


def row_with(line: str) -> str:
    return ROW + f"    {line}\n"


def test_all_63_studies_stand_and_the_cited_thirty_keep_their_order() -> None:
    records = load_records()
    assert len(records) == 63
    assert [record.list_order for record in records[:30]] == list(range(1, 31))
    # what the evidence base says of itself
    assert Counter(record.status for record in records) == {
        "directional": 25, "bibliographic_only": 16, "numeric": 10, "context_only": 7, "design_only": 5,
    }  # fmt: skip
    rows = [row for record in records for row in record.results]
    assert Counter(row.kind for row in rows if row.has_value) == {
        "impact": 91, "descriptive": 59, "context": 29,
    }  # fmt: skip
    assert sum(len(record.findings) for record in records) == 123


def test_no_number_was_changed_on_the_way_in() -> None:
    if not REFERENCE.is_dir():
        pytest.skip(f"the evidence base is not at {REFERENCE}")
    for record in load_records():
        text = (REFERENCE / f"{record.id}.yaml").read_text(encoding="utf-8")
        source = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        assert len(source["results"]) == len(record.results)
        assert len(source["findings"]) == len(record.findings)
        for theirs, ours in zip(source["results"], record.results, strict=True):
            for name in ("estimate", "range_low", "range_high", "sd", "se", "ci_low", "ci_high", "p", "n",
                         "stars", "direction", "seen", "control_mean", "outcome", "source"):  # fmt: skip
                assert getattr(ours, name) == theirs[name], (record.id, ours.id, name)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("se: -0.1", "se is -0.1, not positive"),
        ("se: 0", "se is 0, not positive"),
        ("{ci_low: 3.0, ci_high: 4.0}", "does not contain the estimate 2.5"),
        ("{ci_low: 4.0, ci_high: 1.0}", "runs backwards"),
        ("ci_low: 1.0", "ci_low and ci_high go together"),
        ("{p: 1.2, p_rel: '='}", "p is 1.2, not between 0 and 1"),
        ("p: 0.1", "p and p_rel go together"),
        ("n: 0", "n is 0, not positive"),
        ("{n: 10, count: 11}", "count is 11"),
        ("range_low: 1.0", "range_low and range_high go together"),
        ("stars: '****'", "stars"),
        ("se: '0.1'", "se"),
        ("se: .nan", "se"),
        ("colour: red", "colour"),
        ("estimate: 3", "'estimate', line 20"),
    ],
)
def test_impossible_values_fail_with_file_and_row(line: str, said: str) -> None:
    line = line.strip("{}").replace(", ", "\n    ") if line.startswith("{") else line
    with pytest.raises(SchemaError) as caught:
        parse_record(row_with(line), file="invented.yaml")
    assert said in str(caught.value)
    assert "invented.yaml" in str(caught.value)
    assert "row 1 (first)" in str(caught.value) or "line 20" in str(caught.value)


def test_a_share_above_its_whole_is_impossible() -> None:
    text = ROW.replace("effect_measure: difference", "effect_measure: share").replace("points", "share")
    with pytest.raises(SchemaError, match="not between 0 and 1"):
        parse_record(text, file="invented.yaml")
    assert parse_record(text.replace("units: share", "units: '%'"), file="invented.yaml").results[0].estimate


def test_a_misprint_is_kept_where_it_is_said_to_be_one() -> None:
    text = row_with("ci_low: 3.0\n    ci_high: 4.0\n    misprint: printed so in Table 1")
    assert parse_record(text, file="invented.yaml").results[0].misprint == "printed so in Table 1"


def test_two_rows_of_one_id_and_a_file_of_another_name_are_refused() -> None:
    again = ROW + ROW[ROW.index("  - id: first") :]
    with pytest.raises(SchemaError, match="share the ids first"):
        parse_record(again, file="invented.yaml")
    with pytest.raises(SchemaError, match="not the name of the file"):
        parse_record(ROW, file="other.yaml")


@pytest.mark.parametrize("text", ["- a\n- b\n", "", "id: [\n", "just words"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(SchemaError, match=r"bad\.yaml"):
        parse_record(text, file="bad.yaml")


def test_an_unknown_study_is_answered_with_near_names() -> None:
    with pytest.raises(SourceError, match="andersen_2015"):
        load_record("anderson_2015")
