"""A report's input that contradicts itself is refused, with words that say where."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.reporting.report_input import Label
from tests.reporting.simulated import estimate, overlap, question, report_input, run, sensitivity


def test_ids_are_unique() -> None:
    content = report_input()
    with pytest.raises(SchemaError, match="same id"):
        replace(content, estimates=(*content.estimates, content.estimates[0]))


def test_a_question_has_one_estimate_a_design() -> None:
    content = report_input()
    twin = replace(content.estimates[0], id="another")
    with pytest.raises(SchemaError, match="same question and design"):
        replace(content, estimates=(*content.estimates, twin))


def test_the_headline_must_be_there() -> None:
    with pytest.raises(SchemaError, match="headline is not among") as caught:
        replace(report_input(), headline="elsewhere")
    assert "child_work-age_5_13" in caught.value.remedy


def test_real_data_cannot_know_the_truth() -> None:
    with pytest.raises(SchemaError, match="claim to know the true effect"):
        replace(report_input(is_synthetic=True), run=run(is_synthetic=False))


@pytest.mark.parametrize(("name", "is_synthetic"), [("real", True), ("synthetic-data", False)])
def test_a_runs_name_and_its_mark_agree(name: str, *, is_synthetic: bool) -> None:
    with pytest.raises(SchemaError, match="synthetic"):
        replace(run(), name=name, is_synthetic=is_synthetic)


def test_an_estimate_of_several_terms_must_say_which_is_meant() -> None:
    shown = question()[1]
    several = estimate(0.1, 0.01).combine([[1.0], [2.0]], {"term": ("att", "twice")})
    with pytest.raises(SchemaError, match="cannot place"):
        replace(shown, estimate=several)
    assert replace(shown, estimate=several, term="twice").value == pytest.approx(0.2)


def test_labels_are_needed() -> None:
    shown = question()[1]
    with pytest.raises(SchemaError, match="population"):
        replace(shown, labels={"outcome": Label("a", "a"), "design": Label("a", "a")})


def test_histograms_fit_their_edges() -> None:
    with pytest.raises(SchemaError, match="do not fit their edges"):
        replace(overlap(1), edges=np.arange(5.0))
    with pytest.raises(SchemaError, match="do not fit their edges"):
        replace(overlap(1), edges=overlap(1).edges[::-1])


def test_bounds_are_of_one_length() -> None:
    with pytest.raises(SchemaError, match="one length"):
        replace(sensitivity(), p_lower=np.zeros(3))


def test_interval_and_p_value_come_from_the_estimate() -> None:
    shown = question(raw=0.2, error=0.01)[0]
    low, high = shown.interval
    assert (low, high) == pytest.approx(tuple(shown.estimate.interval()[0]))
    assert shown.p_value == pytest.approx(float(shown.estimate.p_values()[0]))
    assert shown.level == 0.95


def test_labels_within_a_sentence_keep_their_acronyms() -> None:
    assert Label("Augmented IPW", "IPW aumentada").inline == Label("augmented IPW", "IPW aumentada")
    assert Label("FIES raw score", "Puntaje bruto FIES").inline == Label(
        "FIES raw score", "puntaje bruto FIES"
    )
    assert Label("", "").inline == Label("", "")
