"""What ENAHO's clean tables must be; the data dictionary is generated from here."""

from __future__ import annotations

from typing import Final

from juntos_eval.surveys.schema import Field, SampleDesign, TableSchema, declared

__all__ = ["DWELLINGS", "FIES_CATEGORIES", "FOOD_SECURITY", "MEMBERS", "PROGRAMMES", "year_field"]

_FIRST_YEAR: Final = 2004
FIES_CATEGORIES: Final = ("food_secure_or_mild", "moderate", "severe")


def year_field(table: str) -> Field:
    """Describe the year of a table.

    Examples
    --------
    >>> from juntos_eval.surveys.enaho.schema import year_field
    >>> year_field("members").name
    'year'
    """
    return declared("enaho", table, "year", dtype="int", limits=(_FIRST_YEAR, None))


def _key(table: str, name: str) -> Field:
    return declared("enaho", table, name, dtype="str")


def _answer(table: str, name: str) -> Field:
    return declared("enaho", table, name, dtype="boolean", is_nullable=True)


def _label(table: str, name: str, *, is_nullable: bool = False, without: tuple[str, ...] = ()) -> Field:
    return declared("enaho", table, name, dtype="category", is_nullable=is_nullable, without=without)


def _weight(table: str, name: str) -> Field:
    return declared("enaho", table, name, dtype="float", limits=(1e-9, None))


HOUSEHOLD_ID: Final = Field(
    name="household_id",
    dtype="str",
    description="Household: conglome-vivienda-hogar",
    description_es="Hogar: conglome-vivienda-hogar",
    width=13,
)
STRATUM: Final = Field(
    name="stratum",
    dtype="str",
    description="Stratum of the sampling design: codes of domain and size of place",
    description_es="Estrato del diseño muestral: códigos de dominio y de estrato geográfico",
    width=3,
)
PSU: Final = Field(
    name="psu",
    dtype="str",
    description="Primary sampling unit of the design (conglome)",
    description_es="Unidad primaria de muestreo (conglome)",
    width=6,
)
IS_RURAL: Final = Field(
    name="is_rural",
    dtype="boolean",
    description="Place of fewer than 2,000 inhabitants",
    description_es="Centro poblado de menos de 2 000 habitantes",
)
HAS_ANSWERED: Final = Field(
    name="has_answered_programmes",
    dtype="bool",
    description="Someone answered the questions on non-food programmes",
    description_es="Alguien respondió a las preguntas sobre programas no alimentarios",
)
HAS_JUNTOS: Final = Field(
    name="has_juntos",
    dtype="boolean",
    is_nullable=True,
    description="Some member benefited from Juntos in three years (2014-2019: three months), not today",
    description_es="Algún miembro fue beneficiario en los últimos tres años (2014-2019: tres meses), no hoy",
)
HAS_SCHOOL_MEALS: Final = Field(
    name="has_school_meals",
    dtype="boolean",
    is_nullable=True,
    description="Some member received school breakfast or lunch",
    description_es="Algún miembro recibió desayuno o almuerzo escolar",
)

MEMBERS: Final = TableSchema(
    name="members",
    description="One row a person listed in the household, former panel members left out",
    description_es="Una fila por persona listada en el hogar, sin los antiguos miembros del panel",
    key=("person_id",),
    design=SampleDesign(weight="person_weight", strata="stratum", psu="psu"),
    fields=(
        year_field("members"),
        HOUSEHOLD_ID,
        Field(
            name="person_id",
            dtype="str",
            description="Person: household_id-codperso",
            description_es="Persona: household_id-codperso",
            width=16,
        ),
        *(_key("members", name) for name in ("conglome", "vivienda", "hogar", "codperso", "ubigeo")),
        declared("enaho", "members", "month", dtype="int", limits=(1, 12)),
        _label("members", "dominio"),
        _label("members", "estrato"),
        _label("members", "relation", without=("panel",)),
        declared("enaho", "members", "is_member", dtype="boolean"),
        Field(
            name="is_resident",
            dtype="boolean",
            is_nullable=True,
            description="Usual resident: member not absent 30 days, or other person present 30 days",
            description_es="Residente habitual: miembro no ausente 30 días, u otra persona presente 30 días",
        ),
        _label("members", "sex"),
        declared("enaho", "members", "age_years", dtype="float", limits=(0, 120)),
        _label("members", "marital_status", is_nullable=True),
        _answer("members", "has_worked"),
        _label("members", "main_activity", is_nullable=True),
        Field(
            name="is_working_child",
            dtype="boolean",
            is_nullable=True,
            description="Aged 5-17: worked last week, for income or by a task that is work",
            description_es="De 5 a 17 años: trabajó la semana pasada, por ingreso o en una tarea de trabajo",
        ),
        Field(
            name="is_doing_housework_only",
            dtype="boolean",
            is_nullable=True,
            description="Aged 5-17: the only task last week was housework at home",
            description_es="De 5 a 17 años: su única tarea la semana pasada fueron quehaceres del hogar",
        ),
        STRATUM,
        PSU,
        _weight("members", "person_weight"),
    ),
)

PLACE_FIELDS: Final = (
    *(_key("programmes", name) for name in ("conglome", "vivienda", "hogar", "ubigeo")),
    declared("enaho", "programmes", "month", dtype="int", limits=(1, 12)),
    _label("programmes", "dominio"),
    _label("programmes", "estrato"),
    IS_RURAL,
    STRATUM,
    PSU,
)
PROGRAMME_FIELDS: Final = (
    HAS_ANSWERED,
    HAS_JUNTOS,
    _answer("programmes", "has_pension65"),
    HAS_SCHOOL_MEALS,
    _weight("programmes", "household_weight"),
)

PROGRAMMES: Final = TableSchema(
    name="programmes",
    description="One row a household of module 37: social programmes",
    description_es="Una fila por hogar del módulo 37: programas sociales",
    key=("household_id",),
    design=SampleDesign(weight="household_weight", strata="stratum", psu="psu"),
    fields=(year_field("programmes"), HOUSEHOLD_ID, *PLACE_FIELDS, *PROGRAMME_FIELDS),
)

FIES_FIELDS: Final = (
    *(_answer("food_security", f"fies_{item}") for item in range(1, 9)),
    Field(
        name="fies_raw_score",
        dtype="float",
        is_nullable=True,
        minimum=0,
        maximum=8,
        unit="items",
        description="Items affirmed; missing when any of the eight is",
        description_es="Preguntas afirmadas; sin dato si falta alguna de las ocho",
    ),
    Field(
        name="fies_parameter",
        dtype="float",
        is_nullable=True,
        unit="logits",
        description="Severity of food insecurity: Rasch parameter of the raw score on the survey's own scale",
        description_es="Severidad de la inseguridad alimentaria: parámetro de Rasch en la escala propia",
    ),
    Field(
        name="fies_parameter_error",
        dtype="float",
        is_nullable=True,
        minimum=0,
        unit="logits",
        description="Standard error of measurement of fies_parameter",
        description_es="Error estándar de medición de fies_parameter",
    ),
    Field(
        name="fies_category",
        dtype="category",
        is_nullable=True,
        labels=FIES_CATEGORIES,
        description="Category by the items 'ate less' and 'whole day' of the survey's own scale, not FAO's",
        description_es="Categoría según 'comió menos' y 'todo un día' en la escala propia, no la de la FAO",
    ),
    Field(
        name="fies_probability_moderate_or_severe",
        dtype="float",
        is_nullable=True,
        minimum=0,
        maximum=1,
        description="Probability that the true parameter lies beyond 'ate less'",
        description_es="Probabilidad de que el parámetro verdadero supere 'comió menos'",
    ),
    Field(
        name="fies_probability_severe",
        dtype="float",
        is_nullable=True,
        minimum=0,
        maximum=1,
        description="Probability that the true parameter lies beyond 'whole day'",
        description_es="Probabilidad de que el parámetro verdadero supere 'todo un día'",
    ),
)

FOOD_SECURITY: Final = TableSchema(
    name="food_security",
    description="One row a household: FAO's eight questions (FIES) and their Rasch scale",
    description_es="Una fila por hogar: las ocho preguntas de la FAO (FIES) y su escala de Rasch",
    key=("household_id",),
    design=SampleDesign(weight="household_weight", strata="stratum", psu="psu"),
    fields=(
        year_field("food_security"),
        HOUSEHOLD_ID,
        *FIES_FIELDS,
        _weight("food_security", "household_weight"),
        STRATUM,
        PSU,
    ),
)

DWELLING_FIELDS: Final = (
    declared("enaho", "dwellings", "altitude_m", dtype="float", is_nullable=True, limits=(-10, 6800)),
    _label("dwellings", "wall", is_nullable=True),
    _label("dwellings", "floor", is_nullable=True),
    _label("dwellings", "roof", is_nullable=True),
    declared("enaho", "dwellings", "rooms", dtype="float", is_nullable=True, limits=(0, 100)),
    _label("dwellings", "water_source", is_nullable=True),
    _label("dwellings", "toilet", is_nullable=True),
    Field(
        name="has_piped_water",
        dtype="boolean",
        is_nullable=True,
        description="Water from the public network, in the dwelling or the building",
        description_es="Agua de red pública, dentro de la vivienda o del edificio",
    ),
    Field(
        name="has_sewer",
        dtype="boolean",
        is_nullable=True,
        description="Toilet connected to the public sewer, in the dwelling or the building",
        description_es="Servicio higiénico conectado a red pública de desagüe",
    ),
    _answer("dwellings", "has_electricity"),
    Field(
        name="is_overcrowded",
        dtype="boolean",
        is_nullable=True,
        description="Overcrowded by INEI's rule (unmet need 2)",
        description_es="Hacinamiento según el INEI (NBI 2)",
    ),
    *(_answer("dwellings", f"nbi_{need}") for need in range(1, 6)),
)

DWELLINGS: Final = TableSchema(
    name="dwellings",
    description="One row a household with a complete interview: the dwelling",
    description_es="Una fila por hogar con entrevista completa: la vivienda",
    key=("household_id",),
    fields=(
        year_field("dwellings"),
        HOUSEHOLD_ID,
        declared("enaho", "dwellings", "latitude", dtype="float", is_nullable=True, limits=(-18.5, 0.1)),
        declared("enaho", "dwellings", "longitude", dtype="float", is_nullable=True, limits=(-81.5, -68.5)),
        *DWELLING_FIELDS,
    ),
)
