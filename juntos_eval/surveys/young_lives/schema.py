"""What the clean tables of Young Lives must be; the data dictionary is generated from here."""

from __future__ import annotations

from typing import Final

from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.schema import Field, SampleDesign, TableSchema, declared
from juntos_eval.surveys.young_lives.study_files import SURVEY

__all__ = ["CHILDREN_PANEL", "CHILD_KEY", "PANEL_COLUMNS", "SITES", "SITE_DRAWN", "is_yes_no"]

#: Columns of the released panel that cleaning replaces by a better one.
_REPLACED: Final = frozenset({"is_seen", "is_in_all_rounds"})
_FLAGS: Final = ("is_waz_flagged", "is_haz_flagged", "is_baz_flagged", "is_whz_flagged")
#: (least, greatest) where a value beyond is a fault and no answer.
_LIMITS: Final[dict[str, tuple[float | None, float | None]]] = {
    "hours a day": (0, 24),
    "share": (0, 1),
    "members": (0, 60),
    "months": (0, 400),
    "minutes": (0, None),
    "kg": (0, None),
    "cm": (0, None),
}

CHILD_ID: Final = Field(
    name="child_id",
    dtype="str",
    description="Child: PE and six digits, the first two being the sentinel site",
    description_es="Niño o niña: PE y seis dígitos, los dos primeros el sitio centinela",
    width=8,
)
ROUND: Final = Field(
    name="round",
    dtype="int",
    description="Round of the survey: 2002, 2006, 2009, 2013, 2016",
    description_es="Ronda de la encuesta: 2002, 2006, 2009, 2013, 2016",
    minimum=1,
    maximum=5,
)
COHORT: Final = Field(
    name="cohort",
    dtype="category",
    description="Cohort: younger (aged 1 in 2002) or older (aged 8 in 2002)",
    description_es="Cohorte: menor (1 año en 2002) o mayor (8 años en 2002)",
    labels=("younger", "older"),
)
CHILD_KEY: Final = (CHILD_ID, ROUND, COHORT)

#: Twenty sentinel sites were drawn, then children within them; no weights are released (Technical Note 48).
SITES: Final = SampleDesign(psu="site_drawn")


def is_yes_no(name: str) -> bool:
    """Return whether a code column of the panel says yes or no.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.schema import is_yes_no
    >>> is_yes_no("has_livestock"), is_yes_no("region")
    (True, False)
    """
    codes = load_codebook(SURVEY).codes_of("panel", name)
    return {code.value for code in codes if not code.is_missing} <= {"yes", "no"}


def _field(name: str) -> Field:
    column = load_codebook(SURVEY).column("panel", name)
    limits = _LIMITS.get(column.unit, (None, None))
    if name in _FLAGS:
        return declared(SURVEY, "panel", name, dtype="boolean", is_nullable=True)
    if column.kind == "code":
        dtype = "boolean" if is_yes_no(name) else "category"
        return declared(SURVEY, "panel", name, dtype=dtype, is_nullable=True)
    dtype = "str" if column.kind == "text" else "float"
    return declared(SURVEY, "panel", name, dtype=dtype, is_nullable=True, limits=limits)


def boolean(name: str, description: str, description_es: str, *, is_nullable: bool = True) -> Field:
    """Describe a yes/no column.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.schema import boolean
    >>> boolean("is_stunted", "Stunted", "Con desnutrición crónica").dtype
    'boolean'
    """
    return Field(
        name=name,
        dtype="boolean",
        description=description,
        description_es=description_es,
        is_nullable=is_nullable,
    )


def number(
    name: str,
    description: str,
    description_es: str,
    *,
    unit: str = "",
    limits: tuple[float | None, float | None] = (None, None),
) -> Field:
    """Describe a column of numbers that may be missing.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.schema import number
    >>> number("age_years", "Age", "Edad", unit="years").unit
    'years'
    """
    return Field(
        name=name,
        dtype="float",
        description=description,
        description_es=description_es,
        is_nullable=True,
        minimum=limits[0],
        maximum=limits[1],
        unit=unit,
    )


SITE_DRAWN: Final = number(
    "site_drawn", "Sentinel site of round 1, from the identity", "Sitio centinela de la ronda 1"
)

#: Columns of the released panel that the clean one keeps, in the release's order.
PANEL_COLUMNS: Final = tuple(
    column.name
    for column in load_codebook(SURVEY).columns
    if column.table == "panel" and column.name not in _REPLACED | {"child_id", "round", "cohort"}
)

_DERIVED: Final = (
    number("year", "Year of most interviews of the round", "Año de la mayoría de entrevistas de la ronda"),
    boolean("is_in_every_round", "Seen in all five rounds", "Visto en las cinco rondas", is_nullable=False),
    SITE_DRAWN,
    number("age_years", "Age in completed years", "Edad en años cumplidos", unit="years"),
    boolean("is_stunted", "Height-for-age below -2, flagged ones out", "Talla para la edad bajo -2"),
    boolean("is_severely_stunted", "Height-for-age below -3, flagged ones out", "Talla para la edad bajo -3"),
    boolean("is_underweight", "Weight-for-age below -2, flagged ones out", "Peso para la edad bajo -2"),
    boolean("is_thin", "BMI-for-age below -2, flagged ones out", "IMC para la edad bajo -2"),
    boolean(
        "is_overweight",
        "BMI-for-age above +2 under five years, above +1 from then on",
        "IMC para la edad sobre +2 antes de los cinco años, sobre +1 después",
    ),
    number(
        "share_aged_0_5", "Share of members aged 0-5", "Proporción de miembros de 0 a 5 años", limits=(0, 1)
    ),
    *(
        number(
            f"{name}_remade",
            f"{what} z-score, made again from the measurements by WHO's tables",
            f"{que}, puntaje z, rehecho de las mediciones con las tablas de la OMS",
            unit="z",
        )
        for name, what, que in (
            ("haz", "Height-for-age", "Talla para la edad"),
            ("waz", "Weight-for-age", "Peso para la edad"),
            ("baz", "BMI-for-age", "IMC para la edad"),
        )
    ),
    number(
        "services_index_remade",
        "Access to services, made again from its four items",
        "Acceso a servicios, rehecho de sus cuatro componentes",
        limits=(0, 1),
    ),
    number(
        "wealth_index_remade",
        "Wealth index, made again from its three sub-indices",
        "Índice de riqueza, rehecho de sus tres subíndices",
        limits=(0, 1),
    ),
)

CHILDREN_PANEL: Final = TableSchema(
    name="children_panel",
    description="Young Lives: one row a child and round in which the child was seen",
    description_es="Niños del Milenio: una fila por niño y ronda en que se le vio",
    key=("child_id", "round"),
    fields=(*CHILD_KEY, *(_field(name) for name in PANEL_COLUMNS), *_DERIVED),
    design=SITES,
)
