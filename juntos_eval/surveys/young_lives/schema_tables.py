"""What the other clean tables must be: Juntos, work, tests, siblings, communities, attrition."""

from __future__ import annotations

from typing import Final

from juntos_eval.surveys.schema import Field, TableSchema
from juntos_eval.surveys.young_lives.clean import HOURS
from juntos_eval.surveys.young_lives.exposure import GROUPS, STATUSES
from juntos_eval.surveys.young_lives.juntos_coding import ANSWERS
from juntos_eval.surveys.young_lives.schema import (
    CHILD_ID,
    CHILD_KEY,
    COHORT,
    ROUND,
    SITE_DRAWN,
    SITES,
    boolean,
    number,
)

__all__ = [
    "ATTRITION",
    "CHILD_WORK",
    "COMMUNITY_EXPOSURE",
    "JUNTOS_STATUS",
    "SIBLINGS",
    "TESTS",
    "TEST_NAMES",
]

TEST_NAMES: Final = ("ppvt", "cda", "maths", "egra", "reading")


def _label(name: str, labels: tuple[str, ...], description: str, description_es: str) -> Field:
    return Field(
        name=name,
        dtype="category",
        description=description,
        description_es=description_es,
        is_nullable=True,
        labels=labels,
    )


def _text(name: str, description: str, description_es: str, *, is_nullable: bool = True) -> Field:
    return Field(
        name=name,
        dtype="str",
        description=description,
        description_es=description_es,
        is_nullable=is_nullable,
    )


JUNTOS_STATUS: Final = TableSchema(
    name="juntos_status",
    description="Young Lives: Juntos by child and round in which the child was seen",
    description_es="Niños del Milenio: Juntos por niño y ronda en que se le vio",
    key=("child_id", "round"),
    design=SITES,
    fields=(
        *CHILD_KEY,
        SITE_DRAWN,
        _text("interview_date", "Date of interview", "Fecha de la entrevista"),
        boolean(
            "is_asked", "The household file of the round is there and asks", "La ronda pregunta por Juntos"
        ),
        boolean("has_heard_juntos", "Someone has heard of Juntos", "Alguien ha oído de Juntos"),
        _label(
            "juntos_answer",
            ANSWERS,
            "Relation to Juntos, its codes read as the answers bear out",
            "Relación con Juntos, con los códigos que las respuestas confirman",
        ),
        boolean(
            "is_juntos", "Current beneficiary by the household's answer", "Beneficiario actual según el hogar"
        ),
        boolean(
            "has_juntos_released", "Current beneficiary as released", "Beneficiario actual como se publicó"
        ),
        boolean(
            "is_release_contradicted",
            "The released flag says otherwise than the answer",
            "Lo publicado contradice la respuesta",
        ),
        number(
            "start_year",
            "Year of entry as given in the round",
            "Año de ingreso dado en la ronda",
            unit="year",
        ),
        number("start_month", "Month of entry", "Mes de ingreso", unit="month", limits=(1, 12)),
        number("end_year", "Year of leaving", "Año de salida", unit="year"),
        number("end_month", "Month of leaving", "Mes de salida", unit="month", limits=(1, 12)),
        boolean(
            "has_received_juntos",
            "Received money in the last 12 months (round 3)",
            "Recibió dinero en los últimos 12 meses (ronda 3)",
        ),
        number("juntos_amount_soles", "Amount received (round 3)", "Monto recibido (ronda 3)", unit="soles"),
        _text(
            "first_start_date",
            "First day of the month of entry, from the earliest round with a valid one; July where only the "
            "year is known",
            "Primer día del mes de ingreso, de la primera ronda que lo da; julio si solo se sabe el año",
        ),
        boolean("has_ever_joined", "Ever in Juntos by any round's answer", "Alguna vez en Juntos"),
        number(
            "first_round_exposed",
            "First round interviewed after entry; missing for the never exposed",
            "Primera ronda posterior al ingreso; sin dato si nunca ingresó",
        ),
        number(
            "months_exposed",
            "Months in Juntos at the interview, 0 where there were none",
            "Meses en Juntos a la entrevista, 0 si ninguno",
            unit="months",
            limits=(0, 200),
        ),
        _label(
            "exposure_status",
            STATUSES,
            "Why months of exposure are known, or are not",
            "Por qué se conocen los meses de exposición, o no",
        ),
        _label("exposure_group", GROUPS, "Length of exposure", "Duración de la exposición"),
        number(
            "age_at_start_months",
            "Child's age at entry; negative before birth",
            "Edad del niño al ingreso; negativa antes de nacer",
            unit="months",
        ),
        number(
            "months_exposed_by_36",
            "Months of exposure within the first 36 months of life",
            "Meses de exposición dentro de los primeros 36 de vida",
            unit="months",
            limits=(0, 36),
        ),
    ),
)

CHILD_WORK: Final = TableSchema(
    name="child_work",
    description="Young Lives: hours of a typical day, rounds 2 to 5",
    description_es="Niños del Milenio: horas de un día típico, rondas 2 a 5",
    key=("child_id", "round"),
    design=SITES,
    fields=(
        *CHILD_KEY,
        SITE_DRAWN,
        *(
            number(
                name,
                f"Hours a day: {name.removesuffix('_hours').replace('_', ' ')}",
                f"Horas al día: {spanish}",
                unit="hours",
                limits=(0, 24),
            )
            for name, spanish in zip(
                HOURS,
                (
                    "dormir",
                    "cuidar a otros",
                    "tareas del hogar",
                    "chacra o negocio familiar",
                    "trabajo pagado",
                    "escuela",
                    "estudio",
                    "ocio",
                ),
                strict=True,
            )
        ),
        number(
            "work_hours", "Hours a day of work: family and paid", "Horas al día de trabajo: familiar y pagado"
        ),
        number("housework_hours", "Hours a day of chores and care", "Horas al día de tareas y cuidados"),
        boolean(
            "is_working", "Works: family or paid hours above 0", "Trabaja: horas familiares o pagadas sobre 0"
        ),
        boolean("is_working_for_pay", "Paid hours above 0", "Horas pagadas sobre 0"),
        boolean("is_doing_housework", "Chores or care above 0", "Tareas o cuidados sobre 0"),
        number("day_hours", "Sum of the eight activities", "Suma de las ocho actividades", unit="hours"),
        boolean(
            "is_day_over_24", "The eight activities exceed 24 hours", "Las ocho actividades exceden 24 horas"
        ),
    ),
)

TESTS: Final = TableSchema(
    name="tests",
    description="Young Lives: one row a child, round and test with any score",
    description_es="Niños del Milenio: una fila por niño, ronda y prueba con algún puntaje",
    key=("child_id", "round", "test"),
    design=SITES,
    fields=(
        *CHILD_KEY,
        SITE_DRAWN,
        Field(
            name="test",
            dtype="category",
            description="Test",
            description_es="Prueba",
            labels=TEST_NAMES,
        ),
        number("age_years", "Age in completed years", "Edad en años cumplidos", unit="years"),
        number("raw", "Raw score", "Puntaje bruto", unit="answers"),
        number("corrected", "Corrected score (round 3)", "Puntaje corregido (ronda 3)"),
        number("percent", "Percentage of correct answers", "Porcentaje de aciertos", limits=(0, 100)),
        number("rasch", "Rasch score of the round", "Puntaje Rasch de la ronda"),
        number("irt", "Ability comparable across rounds (EAP)", "Habilidad comparable entre rondas (EAP)"),
        number(
            "language_code", "Language of the test, code as released", "Lengua de la prueba, código publicado"
        ),
        number(
            "z_within_age",
            "Raw score standardised within test, round, cohort and age in completed years",
            "Puntaje bruto estandarizado por prueba, ronda, cohorte y edad en años cumplidos",
        ),
    ),
)

SIBLINGS: Final = TableSchema(
    name="siblings",
    description="Young Lives: one row a sibling of a younger-cohort child and round measured or tested",
    description_es="Niños del Milenio: una fila por hermano de la cohorte menor y ronda en que se le midió",
    key=("child_id", "round", "sibling"),
    design=SITES,
    fields=(
        CHILD_ID,
        ROUND,
        SITE_DRAWN,
        number(
            "sibling", "Sibling within the round: 1 or 2", "Hermano dentro de la ronda: 1 o 2", limits=(1, 2)
        ),
        number("line", "Line in the household roster (round 3)", "Línea en la lista del hogar (ronda 3)"),
        _label("sex", ("male", "female"), "Sex (round 3)", "Sexo (ronda 3)"),
        number("age_years", "Age in years from the roster (round 3)", "Edad en años, de la lista (ronda 3)"),
        number("height_cm", "Height (round 3)", "Talla (ronda 3)", unit="cm"),
        number("weight_kg", "Weight (round 3)", "Peso (ronda 3)", unit="kg"),
        number("bmi", "Body mass index (round 3)", "Índice de masa corporal (ronda 3)"),
        number("waz", "Weight-for-age z-score (round 3)", "Peso para la edad, puntaje z (ronda 3)"),
        number("haz", "Height-for-age z-score", "Talla para la edad, puntaje z"),
        number("baz", "BMI-for-age z-score (round 3)", "IMC para la edad, puntaje z (ronda 3)"),
        boolean("is_haz_flagged", "Height-for-age out of range", "Talla para la edad fuera de rango"),
        boolean("is_stunted", "Height-for-age below -2, flagged ones out", "Talla para la edad bajo -2"),
        boolean(
            "is_severely_stunted", "Height-for-age below -3, flagged ones out", "Talla para la edad bajo -3"
        ),
        number("ppvt_raw", "PPVT, raw score", "PPVT, puntaje bruto"),
        number("ppvt_percent", "PPVT, percentage correct", "PPVT, porcentaje de aciertos", limits=(0, 100)),
        number("ppvt_rasch", "PPVT, Rasch score (round 3)", "PPVT, puntaje Rasch (ronda 3)"),
        number("ppvt_irt", "PPVT comparable across rounds", "PPVT comparable entre rondas"),
        number("ppvt_language_code", "Language of the PPVT (round 3)", "Lengua del PPVT (ronda 3)"),
        number(
            "months_exposed",
            "Months that the household had been in Juntos",
            "Meses del hogar en Juntos",
            unit="months",
        ),
        number(
            "age_at_start_years",
            "Age at the household's entry, to half a year; negative before birth",
            "Edad al ingreso del hogar, con medio año de error; negativa antes de nacer",
            unit="years",
        ),
    ),
)

COMMUNITY_EXPOSURE: Final = TableSchema(
    name="community_exposure",
    description="Young Lives: Juntos in the community, rounds 3 and 5",
    description_es="Niños del Milenio: Juntos en la comunidad, rondas 3 y 5",
    key=("community_id", "round"),
    fields=(
        _text("community_id", "Community", "Comunidad", is_nullable=False),
        ROUND,
        Field(
            name="questionnaire",
            dtype="category",
            description="Questionnaire that answers: of sample communities, or mini of places moved to",
            description_es="Cuestionario: de comunidades de la muestra, o mini de lugares de destino",
            labels=("community", "mini_community"),
        ),
        boolean("juntos_operates", "Juntos operates now", "Juntos opera hoy"),
        boolean("juntos_operated_3_years_ago", "Juntos operated 3 years ago", "Juntos operaba hace 3 años"),
        number("children_seen", "Children of the panel seen there", "Niños del panel vistos allí"),
    ),
)

ATTRITION: Final = TableSchema(
    name="attrition",
    description="Young Lives: who was seen, by round and cohort",
    description_es="Niños del Milenio: quiénes fueron vistos, por ronda y cohorte",
    key=("cohort", "round"),
    fields=(
        COHORT,
        ROUND,
        number("enrolled", "Children of round 1", "Niños de la ronda 1"),
        number("seen", "Seen in the round", "Vistos en la ronda"),
        number("deceased", "Known to have died by the round", "Fallecidos hasta la ronda"),
        number("not_seen", "Neither seen nor known to have died", "Ni vistos ni fallecidos"),
        number("returned", "Seen now, not in the round before", "Vistos ahora, no en la ronda anterior"),
        number("seen_in_all_so_far", "Seen in every round so far", "Vistos en todas las rondas hasta ahora"),
        number("share_seen", "Share of round 1 seen", "Proporción de la ronda 1 vista", limits=(0, 1)),
        number(
            "attrition_of_living",
            "Share of the living of round 1 not seen",
            "Proporción de los vivos de la ronda 1 no vista",
            limits=(0, 1),
        ),
    ),
)
