"""Both languages say the same things and write numbers their own way."""

from __future__ import annotations

import math
import string

import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.reporting.language import LANGUAGES, Language, language


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_sentences_with_the_same_numbers() -> None:
    english, spanish = (language(code).words for code in LANGUAGES)
    assert english.keys() == spanish.keys()
    assert {key for key in english if placeholders(english[key]) != placeholders(spanish[key])} == set()
    assert all(sentence.strip() for sentence in (*english.values(), *spanish.values()))


def test_no_sentence_was_left_untranslated() -> None:
    english, spanish = (language(code).words for code in LANGUAGES)
    alike = {key for key in english if english[key] == spanish[key] and len(english[key].split()) > 2}
    assert alike == set()


@pytest.mark.parametrize(
    ("value", "digits", "english", "spanish"),
    [
        (1234567.891, 1, "1,234,567.9", "1\u202f234\u202f567,9"),
        (-0.5, 2, "−0.50", "−0,50"),
        (-0.001, 1, "0.0", "0,0"),
        (math.nan, 2, "–", "–"),
        (math.inf, 2, "∞", "∞"),
        (-math.inf, 2, "−∞", "−∞"),
    ],
)
def test_numbers(value: float, digits: int, english: str, spanish: str) -> None:
    assert language("en").decimal(value, digits) == english
    assert language("es").decimal(value, digits) == spanish


def test_effects_are_on_the_scale_of_their_unit() -> None:
    assert language("en").effect(0.0312, "share") == "+3.1"
    assert language("es").effect(-0.0312, "share") == "−3,1"
    assert language("en").effect(0.0312, "score") == "+0.03"
    assert language("es").amount(0.05, "share") == "5,0 puntos porcentuales"


def test_percentages_and_p_values() -> None:
    assert language("en").percent(0.1207) == "12.1%"
    assert language("es").percent(0.1207) == "12,1\u00a0%"
    assert language("en").p_value(1e-9) == "<0.001"
    assert language("es").p_value(0.0421) == "0,042"
    assert language("en").p_value(math.nan) == "–"


def test_lists() -> None:
    assert language("en").listed(["a", "b", "c"]) == "a, b and c"
    assert language("es").listed(["a", "balance"]) == "a y balance"
    assert language("es").listed(["kernel", "IPW"]) == "kernel e IPW"
    assert language("es").listed([]) == ""


def test_what_cannot_be_said_is_an_error() -> None:
    with pytest.raises(SchemaError, match=r"finding\.raw\.nothing"):
        language("en").say("finding.raw.nothing")
    with pytest.raises(SchemaError, match="alpha"):
        language("en").say("exhibit.sensitivity-curve.caption")
    with pytest.raises(SchemaError, match="not written in"):
        language("qu")


def test_a_language_is_a_value() -> None:
    assert language("en") is language("en")
    assert Language("en", {"a": "b"}).say("a") == "b"
