"""What estimators say of their checks is read in Spanish too, and tells of no few."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import pytest

from juntos_eval.reporting.details import check_label, detail_label, inference_label
from juntos_eval.reporting.suppression import redacted


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        (
            "2 of 36 standardised differences at or beyond 0.1; largest 0.131 (has_sewer), before 1.143",
            "2 de 36 diferencias estandarizadas en 0,1 o más; la mayor 0,131 (has_sewer), antes 1,143",
        ),
        ("failing: has_piped_water 0.105", "no pasan: has_piped_water 0,105"),
        (
            "0.30% of the treated outside the scores of the other arm",
            "0,30 % de los tratados fuera de los puntajes del otro grupo",
        ),
        (
            "treated in [0.015, 0.977], untreated in [0.005, 0.942]",
            "tratados en [0,015; 0,977], no tratados en [0,005; 0,942]",
        ),
        (
            "treated 1,227.4 of 1,976 rows, the heaviest with 0.5% of the weight",
            "tratadas 1\u202f227,4 de 1\u202f976 filas, la de más peso con 0,5 %",
        ),
        (
            "1949 of 1976 rows have a match; the effect is that of the 1949",
            "1949 de 1976 filas tienen pareja; el efecto es el de ellas",
        ),
        (
            "below 0.1: 8.2% of the treated, 60.8% of the untreated",
            "por debajo de 0,1: 8,2 % de los tratados, 60,8 % de los no tratados",
        ),
        ("above 0.9: 1.5% and 0.1%", "por encima de 0,9: 1,5 % y 0,1 %"),
        (
            "less than 0.54% of the treated outside the scores of the other arm",
            "menos del 0,54 % de los tratados fuera de los puntajes del otro grupo",
        ),
        (
            "below 0.1: less than 0.5% of the treated, 50.4% of the untreated",
            "por debajo de 0,1: menos del 0,5% de los tratados, 50,4% de los no tratados",
        ),
        (
            "no period before 2024: parallel trends cannot be tested",
            "no hay periodo anterior a 2024: las tendencias paralelas no se pueden probar",
        ),
        (
            "largest standardised difference 0.596 (poverty_rate) before weighting, 2.4e-15 (age) after",
            "mayor diferencia estandarizada 0,596 (poverty_rate) antes de ponderar, 2,4e-15 (age) después",
        ),
    ],
)
def test_details_are_translated_with_their_numbers(english: str, spanish: str) -> None:
    assert detail_label(english).es == spanish
    assert detail_label(english).en == english


def test_what_is_not_known_stays_as_it_was_written() -> None:
    assert detail_label("an unheard-of thing, 1.5 times").es == "an unheard-of thing, 1.5 times"
    assert inference_label("sandwich, HC1").es == "sandwich, HC1"


def test_every_fragment_is_a_pattern_whose_groups_exist() -> None:
    text = files("juntos_eval.reporting").joinpath("locale", "details.toml").read_text(encoding="utf-8")
    fragments = tomllib.loads(text)["fragment"]
    assert len(fragments) > 25
    for fragment in fragments:
        groups = re.compile(fragment["english"]).groups
        assert all(int(group) <= groups for group in re.findall(r"\\(\d)", fragment["spanish"]))


def test_names_of_checks_and_inference() -> None:
    assert check_label("pre-trend").es == "tendencia previa"
    label = inference_label("survey design, linearised: 5,359 PSUs (psu), 449 of them without a row here")
    assert (label.en, label.es) == ("survey design, linearised", "diseño muestral, linealizado")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "3371 of 3374 rows have a match; the effect is that of the 3371",
            "all but <10 of 3374 rows have a match; the effect is that of the rest",
        ),
        ("3343 of 3374 rows have a match", "3343 of 3374 rows have a match"),
        ("3374 of 3374 rows have a match", "3374 of 3374 rows have a match"),
        ("1,198 of 1,204 households kept", "all but <10 of 1,204 households kept"),
    ],
)
def test_a_part_does_not_tell_of_a_few_others(said: str, shown: str) -> None:
    assert redacted(said) == shown
    assert redacted(redacted(said)) == shown


def test_what_is_hidden_is_translated_too() -> None:
    hidden = redacted("3371 of 3374 rows have a match; the effect is that of the 3371")
    assert detail_label(hidden).es == "todas menos <10 de 3374 filas tienen pareja; el efecto es el de ellas"
