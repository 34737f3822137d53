"""What clean tables of women, births, violence and health must be; the dictionary is generated from here."""

from __future__ import annotations

from typing import Final

from juntos_eval.surveys.endes.schema import (
    DESIGN,
    HOUSEHOLD_ID,
    JUNTOS,
    LINE,
    PERSON_ID,
    YEAR,
    answer,
    labelled,
    measure,
    text,
)
from juntos_eval.surveys.schema import Field, SampleDesign, TableSchema

__all__ = ["BIRTHS", "HEALTH", "SYMPTOMS", "VIOLENCE", "WOMEN"]

SYMPTOMS: Final = tuple(f"symptom_{letter}" for letter in "abcdefghi")

WOMAN_WEIGHT: Final = measure(
    "woman_weight",
    "Sampling weight of the woman (V005 / 1,000,000)",
    "Factor de ponderación de la mujer (V005 / 1 000 000)",
    unit="weight",
    limits=(1e-9, None),
    is_nullable=False,
)
MONTH_OF_INTERVIEW: Final = (
    measure(
        "interview_year", "Year of the interview", "Año de la entrevista", unit="year", limits=(2000, None)
    ),
    measure(
        "interview_month", "Month of the interview", "Mes de la entrevista", unit="month", limits=(1, 12)
    ),
)
_UNION: Final = (
    labelled("unions", "marital_status"),
    answer("has_ever_partnered", "Is or was in a union (V502 above 0)", "Alguna vez unida (V502 mayor a 0)"),
    labelled("unions", "partner_education"),
    measure("partner_age_years", "Age of the partner", "Edad del cónyuge", unit="years", limits=(10, 96)),
)

WOMEN: Final = TableSchema(
    name="women",
    description="One row an interviewed woman of 12 to 49",
    description_es="Una fila por mujer de 12 a 49 años entrevistada",
    key=("person_id",),
    design=SampleDesign(weight="woman_weight", strata="stratum", psu="psu"),
    fields=(
        YEAR,
        HOUSEHOLD_ID,
        PERSON_ID,
        LINE,
        *MONTH_OF_INTERVIEW,
        measure("age_years", "Age", "Edad", unit="years", limits=(12, 49), is_nullable=False),
        labelled("women", "education_level"),
        labelled("women", "violence_selection"),
        *_UNION,
        answer("is_working", "Works now", "Trabaja actualmente"),
        measure("births", "Children ever born", "Total de hijos nacidos", limits=(0, 25)),
        measure("living_children", "Living children", "Total de hijos vivos", limits=(0, 25)),
        measure(
            "mother_tongue_code",
            "Mother tongue (code of S119: other codes from 2018 on)",
            "Lengua materna (código S119: otros códigos desde 2018)",
        ),
        answer(
            "is_affiliated_to_juntos",
            "The woman is affiliated to Juntos (S484, 2013 only)",
            "La mujer está afiliada a Juntos (S484, solo 2013)",
        ),
        WOMAN_WEIGHT,
        *DESIGN,
        *JUNTOS,
    ),
)

BIRTHS: Final = TableSchema(
    name="births",
    description="One row a birth of an interviewed woman; prenatal care of the births of the last five years",
    description_es="Una fila por nacimiento; atención prenatal de los nacimientos de los últimos cinco años",
    key=("birth_id",),
    design=SampleDesign(weight="woman_weight", strata="stratum", psu="psu"),
    fields=(
        YEAR,
        text("birth_id", "Birth: person_id of the mother-index", "Nacimiento: person_id de la madre-índice"),
        HOUSEHOLD_ID,
        PERSON_ID,
        measure(
            "birth", "Index, the last birth first", "Índice", limits=(1, 25), is_nullable=False, dtype="int"
        ),
        measure("birth_order", "Order", "Orden de nacimiento", limits=(1, 25)),
        measure("birth_year", "Year of birth", "Año de nacimiento", unit="year", limits=(1950, None)),
        measure("birth_month", "Month of birth", "Mes de nacimiento", unit="month", limits=(1, 12)),
        measure(
            "months_ago",
            "Months from birth to interview",
            "Meses desde el nacimiento hasta la entrevista",
            unit="months",
            limits=(0, 500),
        ),
        labelled("births", "sex"),
        answer("is_alive", "Alive", "Está vivo"),
        text(
            "child_id", "Person, where the child lives here", "Persona, si vive en el hogar", is_nullable=True
        ),
        measure("prenatal_checks", "Prenatal checks", "Controles prenatales", unit="checks", limits=(0, 90)),
        answer("has_six_checks", "Six prenatal checks or more", "Seis o más controles prenatales"),
        answer(
            "has_early_check",
            "First prenatal check in the first three months",
            "Primer control en el primer trimestre",
        ),
        answer(
            "is_born_in_facility",
            "Born in a health facility (M15 from 21 to 39)",
            "Parto institucional (M15 de 21 a 39)",
        ),
        WOMAN_WEIGHT,
        *DESIGN,
        *JUNTOS,
    ),
)


def _violence(kind: str, en: str, es: str) -> tuple[Field, Field]:
    return (
        answer(
            f"has_{kind}_last_12_months",
            f"{en} by the partner in the last 12 months",
            f"{es} de la pareja en los últimos 12 meses",
        ),
        answer(f"has_{kind}_ever", f"{en} by the partner ever", f"{es} de la pareja alguna vez"),
    )


VIOLENCE: Final = TableSchema(
    name="violence",
    description="One row a woman in the file of the module on violence",
    description_es="Una fila por mujer en el archivo del módulo de violencia",
    key=("person_id",),
    design=SampleDesign(weight="violence_weight", strata="stratum", psu="psu"),
    fields=(
        YEAR,
        HOUSEHOLD_ID,
        PERSON_ID,
        LINE,
        measure("age_years", "Age", "Edad", unit="years", limits=(12, 49)),
        labelled("women", "violence_selection"),
        *_UNION,
        answer(
            "has_answered",
            "Answered on a partner's acts",
            "Respondió sobre actos de la pareja",
            is_nullable=False,
        ),
        answer(
            "is_in_sample",
            "Ever partnered, selected and interviewed in private (V044 = 1, V502 > 0); without those files, "
            "whoever answered",
            "Alguna vez unida, seleccionada y entrevistada en privado; sin esos archivos, respondió",
            is_nullable=False,
        ),
        *_violence("physical_violence", "Physical violence", "Violencia física"),
        *_violence("sexual_violence", "Sexual violence", "Violencia sexual"),
        *_violence("emotional_violence", "Emotional violence", "Violencia psicológica"),
        answer(
            "has_any_violence_last_12_months",
            "Physical or sexual violence by the partner in the last 12 months",
            "Violencia física o sexual de la pareja en los últimos 12 meses",
        ),
        answer(
            "is_controlled",
            "Partner exerts some control (D101), ever",
            "La pareja ejerce algún control (D101)",
        ),
        answer("has_drinking_partner", "Partner drinks (D113)", "Su pareja bebe (D113)"),
        answer(
            "has_often_drunk_partner",
            "Partner is often drunk (D114); partners who do not drink count as no",
            "Su pareja se embriaga con frecuencia (D114)",
        ),
        measure(
            "violence_weight",
            "Weight of the module (D005 / 1,000,000): practice of DHS",
            "Factor del módulo (D005 / 1 000 000): práctica DHS",
            unit="weight",
            limits=(0, None),
        ),
        measure(
            "woman_weight",
            "Sampling weight of the woman (V005 / 1,000,000): practice of INEI",
            "Factor de la mujer (V005 / 1 000 000): práctica del INEI",
            unit="weight",
            limits=(0, None),
        ),
        *DESIGN,
        *JUNTOS,
    ),
)

HEALTH: Final = TableSchema(
    name="health",
    description="One row an adult of 15 and over who answered the health questionnaire",
    description_es="Una fila por persona de 15 años y más que respondió el cuestionario de salud",
    key=("person_id",),
    design=SampleDesign(weight="adult_weight", strata="stratum", psu="psu"),
    fields=(
        YEAR,
        HOUSEHOLD_ID,
        PERSON_ID,
        LINE,
        labelled("persons", "sex"),
        measure("age_years", "Age", "Edad", unit="years", limits=(15, 97)),
        *(labelled("health", name) for name in SYMPTOMS),
        measure(
            "phq9_score",
            "Depressive symptoms of the last 14 days: sum of nine items of 0 to 3 (PHQ-9)",
            "Síntomas depresivos de los últimos 14 días: suma de nueve ítems (PHQ-9)",
            unit="points",
            limits=(0, 27),
        ),
        measure(
            "adult_weight",
            "Weight of adults (PESO15_AMAS / 1,000,000)",
            "Factor de personas de 15 y más (PESO15_AMAS / 1 000 000)",
            unit="weight",
            limits=(1e-9, None),
            is_nullable=False,
        ),
        *DESIGN,
        *JUNTOS,
    ),
)
