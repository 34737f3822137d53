"""Searching, exporting, and the verbs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from juntos_eval.cli import app
from juntos_eval.errors import DesignError
from juntos_eval.evidence.bibliography import bibtex, ris
from juntos_eval.evidence.codings import evidence_map, load_codings
from juntos_eval.evidence.find import search, with_topic
from juntos_eval.evidence.load import load_records
from juntos_eval.evidence.vocabulary import DOMAINS


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["evidence", *words])
    assert done.exit_code == code, done.output
    return done.output


def test_search_wants_every_word_and_minds_no_accent() -> None:
    records = load_records()
    assert "sanchez_melendez_behrman_2016" in {h.record.id for h in search(records, "SANCHEZ vocabulary")}
    assert search(records, "school zzz") == ()
    attendance = {hit.record.id for hit in search(records, "school attendance")}
    assert {"perova_vakis_2012", "streuli_2012"} <= attendance
    with pytest.raises(DesignError, match="no word"):
        search(records, " - ")


def test_topics_are_domains() -> None:
    schooling = {record.id for record in with_topic(load_records(), "schooling")}
    assert {"gaentzsch_2020", "andersen_2015"} <= schooling  # main domain, and a finding's
    with pytest.raises(DesignError, match="nutrition"):
        with_topic(load_records(), "astrology")


def test_the_map_counts_each_coding_and_finding_once() -> None:
    records = load_records()
    cells = evidence_map(records)
    coded = {row.study for row in load_codings()}
    expected = len(load_codings()) + sum(len(r.findings) for r in records if r.id not in coded)
    assert sum(c.favourable + c.unfavourable + c.none + c.mixed for c in cells) == expected
    assert {cell.domain for cell in cells} <= set(DOMAINS)


def test_reference_managers_get_every_study() -> None:
    records = load_records()
    assert bibtex(records).count("\n}\n") == ris(records).count("ER  - ") == 63
    andersen = bibtex([r for r in records if r.id == "andersen_2015"])
    assert "doi = {10.3945/jn.115.213546}" in andersen
    assert andersen.count("{") == andersen.count("}")


def test_the_verbs_speak_in_every_form() -> None:
    assert len(json.loads(run("list", "--json"))) == 63
    assert len(list(csv.DictReader(io.StringIO(run("list", "--csv"))))) == 63
    assert "@article{andersen_2015" in run("list", "--bibtex")
    assert "30 of the cited list" in run("list")
    assert "stunting" in run("show", "andersen_2015")
    assert len(list(csv.DictReader(io.StringIO(run("show", "andersen_2015", "--csv"))))) == 32
    assert "diaz_saldarriaga_2022" in run("search", "spousal abuse")
    assert len(json.loads(run("audit", "--json"))) == 9
    assert "none was changed" in run("audit")
    assert "No study at all: none." in run("map")
    run("list", "--json", "--csv", code=2)
    run("show", "nobody_1999", code=2)


def test_a_template_is_written_once_and_read_back(tmp_path: Path) -> None:
    run("template", "gaentzsch_2020", "--into", str(tmp_path))
    assert "gaentzsch" in run("show", "gaentzsch_2020", "--overlay", str(tmp_path))
    run("template", "gaentzsch_2020", "--into", str(tmp_path), code=2)
