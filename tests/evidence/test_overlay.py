"""A reader's own numbers beside ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.evidence.load import load_record, load_records
from juntos_eval.evidence.record import StudyRecord
from juntos_eval.evidence.template import fill_in

ADDED = """\
id: gaentzsch_2020
treatment: said in the article
results:
  - {id: enrolment, kind: impact, table: Table 3, outcome: school enrolment, subgroup: ages 12-18,
     effect_measure: difference, estimate: 0.051, se: 0.02, units: share, direction: +, n: 812,
     source: the article, seen: full_text}
"""


def test_added_numbers_stand_beside_ours_and_say_where_they_are_from(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(ADDED, encoding="utf-8")
    ours, laid = load_record("gaentzsch_2020"), load_record("gaentzsch_2020", tmp_path)
    assert laid.number("enrolment").provenance == "overlay: mine.yaml"
    assert laid.number("ctx_gini").provenance == "package"
    assert laid.treatment == "said in the article"
    assert (ours.status, laid.status) == ("directional", "numeric")
    assert len(laid.findings) == len(ours.findings) == 5
    assert len(load_records(tmp_path)) == 63
    # the package's own are as before
    assert load_record("gaentzsch_2020") == ours


def test_a_row_of_the_same_id_replaces_ours(tmp_path: Path) -> None:
    row = ADDED[ADDED.index("  - {") :].replace("id: enrolment", "id: haz_boys_ge2_y")
    (tmp_path / "a.yaml").write_text(f"id: andersen_2015\nresults:\n{row}", encoding="utf-8")
    laid = load_record("andersen_2015", tmp_path)
    assert laid.number("haz_boys_ge2_y").estimate == 0.051
    assert len(laid.results) == len(load_record("andersen_2015").results)


def test_a_study_of_the_reader_s_own_is_a_whole_record(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("id: own_2030\ntitle: Own\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="citation"):
        load_records(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ADDED.replace("se: 0.02", "se: -0.02"), "se is -0.02"),
        (ADDED.replace("treatment:", "treatmnt:"), "treatmnt"),
        (ADDED.replace("results:\n  - ", "results:\n  "), "no list"),
    ],
)
def test_the_overlay_keeps_our_schema(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SchemaError, match=said) as caught:
        load_records(tmp_path)
    assert "mine.yaml" in str(caught.value)


def test_a_missing_folder_and_a_file_of_another_encoding_are_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="missing"):
        load_records(tmp_path / "nowhere")
    (tmp_path / "latin.yaml").write_bytes("id: niñez".encode("latin-1"))
    with pytest.raises(SourceError, match="UTF-8"):
        load_records(tmp_path)


@pytest.mark.parametrize("record", load_records(), ids=lambda record: record.id)
def test_every_template_reads_as_it_stands_and_adds_nothing(record: StudyRecord, tmp_path: Path) -> None:
    (tmp_path / f"{record.id}.yaml").write_text(fill_in(record), encoding="utf-8")
    assert load_record(record.id, tmp_path) == record


def test_a_template_with_its_block_uncommented_is_valid(tmp_path: Path) -> None:
    text = fill_in(load_record("perova_vakis_2009"))
    start = text.index("  # - id:")
    end = text.index("\nfindings:")
    block = re.sub(r"^  # ", "  ", text[start:end], flags=re.MULTILINE)
    (tmp_path / "x.yaml").write_text(text[:start] + block + text[end:], encoding="utf-8")
    added = load_record("perova_vakis_2009", tmp_path).number("table3_enrolment_girls")
    assert added.se == 0.021
    assert yaml.safe_load(text)["id"] == "perova_vakis_2009"
