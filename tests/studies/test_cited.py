"""What every cited study keeps: labels, isolation, and verdicts that nothing simulated can earn."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pandas import DataFrame
from typer.testing import CliRunner

from juntos_eval.cli import app
from juntos_eval.errors import DesignError, SourceError
from juntos_eval.estimate import Estimate
from juntos_eval.evidence.load import load_record, load_records
from juntos_eval.paths import RawFolder
from juntos_eval.studies import run_cited as running
from juntos_eval.studies.cited.andersen_2015 import rebuilt
from juntos_eval.studies.cited_study import MODE_LABELS, CitedStudy
from juntos_eval.studies.page import page
from juntos_eval.studies.recovery import recover
from juntos_eval.studies.registry import load_study, runnable, why_not
from juntos_eval.studies.run_cited import run_cited, run_many
from juntos_eval.studies.verdict import VERDICTS, compare, compare_sign

STUDIES = [load_study(name) for name in runnable()]
each_study = pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.id)


@each_study
def test_a_study_has_its_record_and_asks_for_numbers_that_are_there(study: CitedStudy) -> None:
    record = load_record(study.id)
    rows = {row.id for row in record.results}
    signs = {(finding.outcome, finding.subgroup) for finding in record.findings}
    assert study.assumptions
    assert study.would_change
    for question in study.questions:
        assert set(question.published) <= rows
        assert question.finding is None or question.finding in signs
        if question.planted.is_published:
            assert question.planted.origin.startswith("published: ")
        else:
            assert question.planted.origin.startswith("assumed: ")
    assert {one.published for one in study.recomputations} <= rows


@each_study
def test_one_synthetic_sample_is_fitted_whole_and_called_synthetic(study: CitedStudy) -> None:
    run = run_cited(study, replications=0, seed=3)
    fitted = {(answer.question, answer.specification) for answer in run.answers}
    assert fitted == {(q.id, one.id) for q in study.questions for one in q.specifications}
    assert run.troubles == ()
    assert {answer.data for answer in run.answers} == {"one simulated sample"}
    recomputed = {one.published for one in study.recomputations}
    # nothing simulated is ever called reproduced, close or different
    assert all(v.verdict == "cannot run" for v in run.verdicts if v.row not in recomputed)
    assert {row.id for row in load_record(study.id).impacts} <= {v.row for v in run.verdicts}
    text = page(run)
    assert text.count(MODE_LABELS["synthetic"].en) >= 2
    assert "SINTÉTICO" in text


def test_no_single_draw_stands_beside_a_published_number() -> None:
    run = run_cited(load_study("scott_2022"), replications=3)
    assert run.recoveries
    assert not [one for one in run.answers if one.data == "one simulated sample"]
    assert all(one.simulation_error > 0 for one in run.recoveries)


def test_answers_are_in_published_units() -> None:
    study = load_study("andersen_2015")
    scales = {question.id: question.scale for question in study.questions}
    rows = {(q.id, one.id): one.row for q in study.questions for one in q.specifications}
    assert set(scales.values()) == {1.0, 100.0}
    for answer in run_cited(study, replications=0, seed=4).answers:
        at, scale = rows[answer.question, answer.specification], scales[answer.question]
        assert answer.value == pytest.approx(scale * answer.estimate.values[at])
        assert answer.std_error == pytest.approx(scale * answer.estimate.uncertainty.std_error[at])


@pytest.mark.parametrize("is_synthetic", [True, False])
def test_the_real_mode_on_synthetic_files_earns_no_verdict(tmp_path: Path, *, is_synthetic: bool) -> None:
    study = load_study("andersen_2015")
    drawn = {q.id: q.planted.world.draw(np.random.default_rng(3), q.planted.effect) for q in study.questions}
    lent = replace(study, needs=(), frames=lambda _: drawn, recomputations=())
    run = run_cited(lent, mode="real", raw=RawFolder(root=tmp_path, is_synthetic=is_synthetic))
    assert run.mode == ("synthetic" if is_synthetic else "real")
    verdicts = {verdict.verdict for verdict in run.verdicts}
    # the same frames from real files are held against what was published
    assert (verdicts == {"cannot run"}) == is_synthetic
    data = {answer.data for answer in run.answers}
    assert data == {"synthetic survey files" if is_synthetic else "real files"}


def test_recovery_is_counted_as_it_says_and_in_published_units() -> None:
    question = load_study("andersen_2015").questions[0]
    one = question.specifications[1]
    assert question.scale == 100.0
    (found,) = recover(replace(question, specifications=(one,)), replications=15, seed=9)
    answers = []
    for number in range(15):
        estimate = one.fit(
            question.planted.world.draw(np.random.default_rng([9, number]), question.planted.effect)
        )
        answers.append((estimate.values[one.row], *estimate.interval()[one.row]))
    values, low, high = 100 * np.array(answers).T
    truth = 100 * question.planted.effect
    assert found.truth == pytest.approx(truth)
    assert found.mean == pytest.approx(values.mean())
    assert found.coverage == pytest.approx(((low <= truth) & (truth <= high)).mean())
    assert found.power == pytest.approx(((low > 0) | (high < 0)).mean())
    assert found.simulation_error == pytest.approx(values.std(ddof=1) / np.sqrt(15))


def test_younger_siblings_answer_for_the_younger() -> None:
    younger = load_study("sanchez_melendez_behrman_2016").questions[0]
    frame = younger.planted.world.draw(np.random.default_rng(2), 3.0)
    for one in younger.specifications:
        if one.is_valid:
            assert one.fit(frame).values[one.row] == pytest.approx(3.0, abs=0.5)


def test_a_number_that_ours_does_not_have_gets_no_verdict() -> None:
    row = load_record("diaz_saldarriaga_2022").number("abs_ipv")
    assert compare(row, math.nan).verdict == "cannot run"
    finding = load_record("gaentzsch_2020").findings[0]
    for ours, error in ((math.nan, 0.1), (1.0, math.nan)):
        assert compare_sign(finding, ours, error).verdict == "cannot run"


def test_a_zero_that_was_dropped_from_print_does_not_widen_the_tolerance() -> None:
    row = load_record("andersen_2015").number("overweight_girls_ge2_y")
    assert (row.estimate, row.ci_low) == (-22.0, -42.5)
    assert compare(row, -22.2).verdict == "close"
    assert compare(row, -22.04).verdict == "reproduced"


def test_the_two_stunting_effects_come_out_of_the_published_counts() -> None:
    verdicts = {v.row: v for v in run_cited(load_study("andersen_2015"), replications=0).verdicts}
    below, above = verdicts["stunting_all_lt2_y"], verdicts["stunting_all_ge2_y"]
    assert below.ours == pytest.approx(-100 * 15 / 188, abs=1e-10)
    assert above.ours == pytest.approx(-100 * 31 / 169, abs=1e-10)
    assert below.verdict == above.verdict == "reproduced"
    assert rebuilt("ge2").groupby(["treated", "wave"])["y"].sum().to_dict() == {
        (0, 1): 84, (0, 2): 81, (1, 1): 101, (1, 2): 67,
    }  # fmt: skip


def test_real_mode_without_files_says_which_from_where_and_into_which_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        run_cited(load_study("andersen_2015"), mode="real", raw=RawFolder.at(tmp_path))
    said = str(caught.value)
    assert "3 of 3 files" in said
    assert "peru_constructed.dta into young_lives/UKDA-7483-" in said
    assert "UK Data Service" in said
    with pytest.raises(SourceError, match="needs a folder"):
        run_cited(load_study("andersen_2015"), mode="real")


def test_a_study_that_fails_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    good = load_study("andersen_2015")

    def load(name: str) -> CitedStudy:
        if name == "broken":
            raise ZeroDivisionError("a fault")
        return good if name == good.id else load_study(name)

    monkeypatch.setattr(running, "load_study", load)
    broken, fine, words = run_many(("broken", good.id, "cookson_2018"), replications=0)
    assert broken.failure == "ZeroDivisionError: a fault"
    assert fine.failure == ""
    assert fine.answers
    assert "qualitative work" in words.failure
    assert "qualitative work" in page(words)


def test_every_study_that_cannot_run_has_its_reason() -> None:
    for record in load_records():
        if record.id in runnable():
            continue
        assert len(why_not(record)) > 20
        with pytest.raises(DesignError, match="cannot be run"):
            load_study(record.id)


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        (0.43, "reproduced"),
        (0.4349, "reproduced"),
        (0.4451, "close"),
        (0.52, "differs"),
        (math.nan, "cannot run"),
    ],
)
def test_verdicts_keep_their_stated_tolerance(ours: float, verdict: str) -> None:
    row = replace(
        load_record("andersen_2015").number("haz_boys_ge2_y"), ci_low=None, ci_high=None, p=None, p_rel=None
    )
    said = compare(row, ours)
    assert said.verdict == verdict
    assert said.tolerance == pytest.approx(0.005)
    assert verdict in VERDICTS


def test_ranges_and_signs_have_their_own_rule() -> None:
    row = load_record("diaz_saldarriaga_2022").number("abs_ipv")
    assert [compare(row, ours).verdict for ours in (-27.0, -31.0, -10.0)] == [
        "reproduced",
        "close",
        "differs",
    ]
    finding = load_record("gaentzsch_2020").findings[0]
    assert "as published" in compare_sign(finding, 1.0, 0.1).detail
    assert compare_sign(finding, 1.0, 0.1).verdict == "no published number seen"
    assert "published: +" in compare_sign(finding, 0.01, 0.1).detail


def test_recovery_counts_what_fails_and_knows_bias_from_truth() -> None:
    question = load_study("andersen_2015").questions[2]

    def fails(data: DataFrame) -> Estimate:
        if float(data["y"].iloc[0]) > np.median(data["y"]):
            raise DesignError("refused")
        return question.specifications[1].fit(data)

    sometimes = replace(question.specifications[1], id="sometimes", fit=fails)
    ours = replace(question, specifications=(question.specifications[1], sometimes))
    whole, part = recover(ours, replications=12, seed=5)
    assert whole.failed == 0
    assert part.failed > 0
    assert part.failed + part.replications == 12
    assert whole.bias == pytest.approx(whole.mean - question.planted.effect * question.scale)
    # seeds: replication r hangs on the seed and r alone
    assert recover(ours, replications=12, seed=5)[0] == whole
    assert recover(ours, replications=12, seed=6)[0] != whole


def test_the_verbs_list_show_and_run() -> None:
    runner = CliRunner()
    assert f"{len(runnable())} of 63 can be run" in runner.invoke(app, ["study", "list"]).output
    shown = runner.invoke(app, ["study", "show", "andersen_2015"]).output
    assert "not found" in shown
    assert "assumed:" in shown
    done = runner.invoke(app, ["study", "run", "andersen_2015", "--replications", "0"])
    assert done.exit_code == 0
    assert "SYNTHETIC" in done.output
    assert "reproduced: stunting_all_lt2_y" in done.output
    assert runner.invoke(app, ["study", "run"]).exit_code == 2
    assert runner.invoke(app, ["study", "run", "cookson_2018"]).exit_code == 2
