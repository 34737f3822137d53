"""Scott (2022): younger against older siblings of recipient households, foundational cognitive skills."""

from __future__ import annotations

from typing import Final

from pandas import DataFrame

from juntos_eval.evidence.load import load_record
from juntos_eval.studies.ask import published_effect
from juntos_eval.studies.cited_study import CitedStudy
from juntos_eval.studies.comparison import Text
from juntos_eval.studies.specifications import mean_gap, on_rows, within
from juntos_eval.studies.worlds.siblings import Siblings

__all__ = ["STUDY"]

_ROW: Final = "abs_inhibitory"


def _tested(data: DataFrame) -> DataFrame:
    return data[data["wave"] == 1]


def _tested_younger(data: DataFrame) -> DataFrame:
    return data[(data["wave"] == 1) & (data["is_younger"] == 1)]


STUDY: Final = CitedStudy(
    id="scott_2022",
    title=Text(
        en="Juntos and foundational cognitive skills by age at enrolment (Young Lives siblings)",
        es="Juntos y habilidades cognitivas básicas según la edad de ingreso (hermanos de Niños del Milenio)",
    ),
    equation="y_ch = a_h + b younger_c + c (younger_c x recipient_h) + e_ch",
    assumptions=(
        "one test a child, household fixed effects, errors by household; the abstract states no equation",
        (
            "with two tested children a household, household effects and the difference of differences "
            "between sibling pairs are the same number: no second valid specification is shown"
        ),
        (
            "sizes of the simulated sample are ours; the threshold (80 months) and the mediation are not "
            "modelled"
        ),
        "the tablet battery is in none of the files that the package reads: no real mode",
    ),
    questions=(
        published_effect(
            Text(
                en="Inhibitory control, younger against older sibling",
                es="Control inhibitorio, menor frente a mayor",
            ),
            Siblings(treated=330, untreated=420, gap=-0.3, spread=0.6, child_spread=0.5),
            (
                on_rows(
                    within(
                        ("treated_wave_younger", "is_younger"),
                        absorb=("household",),
                        cluster="household",
                        label=Text(en="Household fixed effects", es="Efectos fijos por hogar"),
                    ),
                    _tested,
                ),
                on_rows(mean_gap(cluster="household"), _tested_younger),
            ),
            row=_ROW,
            effect=load_record("scott_2022").number(_ROW).estimate or 0.0,
            units="standard deviations",
        ),
    ),
    would_change=(
        "birth order working differently in poor households: siblings of non-recipients are the only check",
        (
            "at this size an effect of a tenth of a standard deviation is rarely significant, and then too "
            "large"
        ),
    ),
)
