"""Sánchez, Meléndez & Behrman (2016/2020): child fixed effects for index children and younger siblings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pandas import DataFrame

from juntos_eval.paths import RawFolder
from juntos_eval.studies.ask import assumed_effect
from juntos_eval.studies.cited_study import CitedStudy, Specification
from juntos_eval.studies.comparison import Text
from juntos_eval.studies.frames.young_lives import needs, sibling_pairs, twin
from juntos_eval.studies.specifications import mean_gap, on_rows, within
from juntos_eval.studies.worlds.siblings import Siblings

__all__ = ["STUDY"]

_WORLD: Final = Siblings()


def _younger(data: DataFrame) -> DataFrame:
    return data[data["is_younger"] == 1]


def _older(data: DataFrame) -> DataFrame:
    return data[data["is_younger"] == 0]


def _later(data: DataFrame) -> DataFrame:
    return data[(data["wave"] == 1) & (data["is_younger"] == 1)]


def _specifications(*, is_younger: bool) -> tuple[Specification, ...]:
    rows = _younger if is_younger else _older
    child = within(
        ("treated_wave", "wave"),
        absorb=("child",),
        cluster="household",
        label=Text(en="Child fixed effects, two rounds", es="Efectos fijos por niño, dos rondas"),
    )
    gap = mean_gap(cluster="household")
    if not is_younger:
        return (
            on_rows(child, rows),
            on_rows(gap, lambda data: data[(data["wave"] == 1) & (data["is_younger"] == 0)]),
        )
    sibling = within(
        ("treated_wave_younger", "wave_younger"),
        absorb=("child", "household_wave"),
        cluster="household",
        label=Text(
            en="Younger against older sibling, child and household-by-round effects",
            es="Hermano menor frente al mayor, efectos por niño y por hogar y ronda",
        ),
        role="modern",
        id="sibling_difference",
    )
    return (on_rows(child, rows), on_rows(gap, _later), sibling)


def _frames(raw: RawFolder) -> Mapping[str, DataFrame]:
    pairs = sibling_pairs(raw)
    return {"haz_younger": pairs, "haz_index": pairs}


STUDY: Final = CitedStudy(
    id="sanchez_melendez_behrman_2016",
    title=Text(
        en="Juntos, growth and cognition by age at first exposure (Young Lives siblings)",
        es="Juntos, crecimiento y cognición según la edad de exposición (hermanos de Niños del Milenio)",
    ),
    equation="y_it = a_i + b round_t + c (treated x round)_it + age dummies + e_it, for each child of a pair",
    assumptions=(
        (
            "only height for age: the standardisation of the vocabulary test and the flags years03, "
            "baselinejuntos and "
            "quintil are not in the code that was read"
        ),
        (
            "age and birth-year dummies left out: child effects absorb the birth year, and between one pair "
            "of rounds age moves nearly with the round"
        ),
        (
            "treated: first exposed between rounds 2 and 3; never treated: not joined by round 4; both "
            "children with "
            "both heights"
        ),
        (
            "the simulated older children gain nothing, so the sibling difference is valid there by our "
            "choice; if they gain, it is the younger ones' gain less theirs"
        ),
        "sizes of the simulated sample are ours: the tables, and so the numbers of pairs, were not seen",
    ),
    questions=(
        assumed_effect(
            Text(en="Height for age, younger siblings", es="Talla para la edad, hermanos menores"),
            _WORLD,
            _specifications(is_younger=True),
            id="haz_younger",
            effect=0.2,
            units="z-score",
            finding=("height-for-age z-score", "younger siblings, exposed in the first three years"),
        ),
        assumed_effect(
            Text(en="Height for age, index children", es="Talla para la edad, niños índice"),
            Siblings(older_effect=0.0),
            _specifications(is_younger=False),
            id="haz_index",
            effect=0.0,
            units="z-score",
            finding=("height-for-age z-score", "index children, exposed at ages 5-7"),
        ),
    ),
    would_change=(
        (
            "siblings of treated households growing at another pace anyway: the index children test it only "
            "if their "
            "own effect is none"
        ),
        (
            "both measurements of the siblings fall after entry: the coefficient is extra growth, not the "
            "whole effect"
        ),
    ),
    needs=needs(
        (
            ("panel", None),
            ("household_younger", 3),
            ("household_younger", 4),
            ("child_younger", 4),
            ("sibling_younger", 3),
        )
    ),
    frames=_frames,
    twin=twin,
)
