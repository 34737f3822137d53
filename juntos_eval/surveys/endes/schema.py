"""What clean tables of households, persons and children must be; the dictionary is generated from here."""

from __future__ import annotations

from typing import Final

from juntos_eval.surveys.schema import Field, SampleDesign, TableSchema, declared

__all__ = ["CHILDREN", "DESIGN", "HOUSEHOLDS", "JUNTOS", "PERSONS", "answer", "labelled", "measure", "text"]

SURVEY: Final = "endes"
_FIRST_YEAR: Final = 2004


def text(name: str, en: str, es: str, *, is_nullable: bool = False) -> Field:
    """Describe a column of text that the package makes.

    Examples
    --------
    >>> from juntos_eval.surveys.endes.schema import text
    >>> text("psu", "Cluster", "Conglomerado").dtype
    'str'
    """
    return Field(name=name, dtype="str", description=en, description_es=es, is_nullable=is_nullable)


def answer(name: str, en: str, es: str, *, is_nullable: bool = True) -> Field:
    """Describe a yes-or-no column that the package makes.

    Examples
    --------
    >>> from juntos_eval.surveys.endes.schema import answer
    >>> answer("is_stunted", "Stunted", "Con desnutrición crónica").dtype
    'boolean'
    """
    return Field(name=name, dtype="boolean", description=en, description_es=es, is_nullable=is_nullable)


def measure(
    name: str,
    en: str,
    es: str,
    *,
    unit: str = "",
    limits: tuple[float | None, float | None] = (None, None),
    is_nullable: bool = True,
    dtype: str = "float",
) -> Field:
    """Describe a numeric column that the package makes.

    Examples
    --------
    >>> from juntos_eval.surveys.endes.schema import measure
    >>> measure("haz", "Height for age", "Talla para la edad", limits=(-6, 6)).maximum
    6
    """
    return Field(
        name=name,
        dtype=dtype,
        description=en,
        description_es=es,
        unit=unit,
        minimum=limits[0],
        maximum=limits[1],
        is_nullable=is_nullable,
    )


def labelled(table: str, name: str, *, is_nullable: bool = True) -> Field:
    """Describe a labelled column that ``columns.csv`` and ``codes.csv`` describe already.

    Examples
    --------
    >>> from juntos_eval.surveys.endes.schema import labelled
    >>> labelled("households", "area").labels
    ('urban', 'rural')
    """
    return declared(SURVEY, table, name, dtype="category", is_nullable=is_nullable)


YEAR: Final = measure(
    "year",
    "Survey year",
    "Año de la encuesta",
    unit="year",
    limits=(_FIRST_YEAR, None),
    is_nullable=False,
    dtype="int",
)
HOUSEHOLD_ID: Final = text("household_id", "Household (HHID)", "Hogar (HHID)")
PERSON_ID: Final = text("person_id", "Person: household_id-line", "Persona: household_id-orden")
LINE: Final = measure(
    "line", "Line in the household", "Número de orden", limits=(1, 99), is_nullable=False, dtype="int"
)
WEIGHT: Final = measure(
    "household_weight",
    "Sampling weight of the household (HV005 / 1,000,000)",
    "Factor de ponderación del hogar (HV005 / 1 000 000)",
    unit="weight",
    limits=(1e-9, None),
    is_nullable=False,
)

#: What the design of the sample and the place of a household say of every row: strata, clusters, weight.
DESIGN: Final = (
    text("psu", "Primary sampling unit of the design (HV001)", "Unidad primaria de muestreo (HV001)"),
    text("stratum", "Stratum of the sampling design (HV022)", "Estrato del diseño muestral (HV022)"),
    WEIGHT,
    labelled("households", "region", is_nullable=False),
    answer("is_rural", "Rural area", "Área rural", is_nullable=False),
    text(
        "ubigeo",
        "District: as given, else made of region, province and district",
        "Distrito: el dado, o región, provincia y distrito",
        is_nullable=True,
    ),
    measure(
        "altitude_m", "Altitude of the cluster", "Altitud del conglomerado", unit="m", limits=(-10, 6800)
    ),
    labelled("dwellings", "natural_region"),
    labelled("dwellings", "wealth_quintile"),
)

JUNTOS: Final = (
    answer(
        "has_juntos",
        "Some member is a beneficiary of Juntos",
        "Algún miembro es beneficiario de Juntos",
    ),
    measure(
        "juntos_months",
        "Months as a beneficiary, as recalled: heaped on whole years",
        "Meses como beneficiario, según se recuerda: agrupados en años enteros",
        unit="months",
        limits=(0, 400),
    ),
    text(
        "juntos_entry",
        "Month of the household's entry: that of the interview less the months recalled",
        "Mes de ingreso del hogar: el de la entrevista menos los meses recordados",
        is_nullable=True,
    ),
)

HOUSEHOLDS: Final = TableSchema(
    name="households",
    description="One row an interviewed household",
    description_es="Una fila por hogar entrevistado",
    key=("household_id",),
    design=SampleDesign(weight="household_weight", strata="stratum", psu="psu"),
    fields=(
        YEAR,
        HOUSEHOLD_ID,
        measure(
            "interview_year",
            "Year of the interview",
            "Año de la entrevista",
            unit="year",
            limits=(2000, None),
        ),
        measure(
            "interview_month", "Month of the interview", "Mes de la entrevista", unit="month", limits=(1, 12)
        ),
        *DESIGN,
        measure("longitude", "Longitude", "Longitud", unit="degrees", limits=(-81.5, -68.5)),
        measure("latitude", "Latitude", "Latitud", unit="degrees", limits=(-18.5, 0.1)),
        measure("members", "Members", "Miembros del hogar", unit="persons", limits=(1, 60)),
        measure("wealth_score", "Wealth index, factor score", "Factor del índice de riqueza", unit="points"),
        answer(
            "has_piped_water",
            "Drinking water from the network inside the dwelling (HV201 = 11)",
            "Agua de red dentro de la vivienda (HV201 = 11)",
        ),
        answer("has_sewer", "Sewer inside the dwelling (HV205 = 11)", "Desagüe dentro de la vivienda"),
        answer("has_electricity", "Electricity", "Tiene electricidad"),
        measure("sleeping_rooms", "Rooms for sleeping", "Habitaciones para dormir", limits=(0, 40)),
        *JUNTOS,
    ),
)

PERSONS: Final = TableSchema(
    name="persons",
    description="One row a member or visitor of an interviewed household",
    description_es="Una fila por miembro o visitante de un hogar entrevistado",
    key=("person_id",),
    design=SampleDesign(weight="household_weight", strata="stratum", psu="psu"),
    fields=(
        YEAR,
        HOUSEHOLD_ID,
        PERSON_ID,
        LINE,
        labelled("persons", "relation"),
        answer("slept_here", "Slept here last night", "Durmió aquí anoche"),
        labelled("persons", "sex"),
        measure("age_years", "Age", "Edad", unit="years", limits=(0, 97)),
        measure("education_years", "Years of education", "Años de estudio", unit="years", limits=(0, 30)),
        labelled("persons", "education_level"),
        labelled("persons", "marital_status"),
        *DESIGN,
        *JUNTOS,
    ),
)

_Z: Final = {
    "haz": ("Height for age", "Talla para la edad"),
    "waz": ("Weight for age", "Peso para la edad"),
    "whz": ("Weight for height", "Peso para la talla"),
    "baz": ("Body mass index for age", "Índice de masa corporal para la edad"),
}

CHILDREN: Final = TableSchema(
    name="children",
    description="One row a child under six listed for measurement",
    description_es="Una fila por niña o niño menor de seis años listado para la medición",
    key=("person_id",),
    design=SampleDesign(weight="child_weight", strata="stratum", psu="psu"),
    fields=(
        YEAR,
        HOUSEHOLD_ID,
        PERSON_ID,
        LINE,
        measure("mother_line", "Line of the mother", "Número de orden de la madre", limits=(1, 99)),
        answer("slept_here", "Slept here last night: official rates are of these", "Durmió aquí anoche"),
        labelled("persons", "sex"),
        measure("age_years", "Age", "Edad", unit="years", limits=(0, 6)),
        measure("age_months", "Age in completed months", "Edad en meses", unit="months", limits=(0, 72)),
        measure("weight_kg", "Weight", "Peso", unit="kg", limits=(0.1, 99)),
        measure("height_cm", "Length or height as measured", "Talla medida", unit="cm", limits=(10, 200)),
        *(
            measure(name, f"{en}, z-score (WHO 2006)", f"{es}, puntaje z (OMS 2006)", limits=(-6, 6))
            for name, (en, es) in _Z.items()
        ),
        *(
            measure(
                f"recomputed_{name}",
                f"{en}, z-score recomputed from height, weight and completed months plus half",
                f"{es}, puntaje z recalculado",
                limits=(-6, 6),
            )
            for name, (en, es) in _Z.items()
        ),
        answer("is_stunted", "HAZ below -2", "Desnutrición crónica: talla/edad menor a -2"),
        answer("is_severely_stunted", "HAZ below -3", "Desnutrición crónica severa: menor a -3"),
        answer("is_underweight", "WAZ below -2", "Bajo peso: peso/edad menor a -2"),
        answer("is_wasted", "WHZ below -2", "Desnutrición aguda: peso/talla menor a -2"),
        answer("is_overweight", "WHZ above 2", "Sobrepeso: peso/talla mayor a 2"),
        measure("haemoglobin_g_dl", "Haemoglobin as read", "Hemoglobina leída", unit="g/dl", limits=(1, 30)),
        measure(
            "adjusted_haemoglobin_g_dl",
            "Haemoglobin adjusted for altitude by INEI",
            "Hemoglobina ajustada por altitud (INEI)",
            unit="g/dl",
            limits=(0, 30),
        ),
        labelled("children", "anaemia"),
        answer("is_anaemic", "Any anaemia by INEI (HC57)", "Anemia según el INEI (HC57)"),
        answer(
            "is_anaemic_who_1968",
            "Any anaemia recomputed by the WHO rule in force until 2024",
            "Anemia recalculada con la regla de la OMS vigente hasta 2024",
        ),
        answer(
            "is_anaemic_who_2024",
            "Any anaemia recomputed by the WHO rule of 2024",
            "Anemia recalculada con la regla de la OMS de 2024",
        ),
        measure(
            "child_weight",
            "Weight of children measured (HV005A / 1,000,000), else that of the household",
            "Factor de mediciones (HV005A / 1 000 000), o el del hogar",
            unit="weight",
            limits=(1e-9, None),
            is_nullable=False,
        ),
        *DESIGN,
        *JUNTOS,
        measure(
            "juntos_exposure_months",
            "Months of life in Juntos: the lesser of age and months as a beneficiary; 0 without Juntos",
            "Meses de vida con el hogar en Juntos: el menor entre edad y meses como beneficiario",
            unit="months",
            limits=(0, 72),
        ),
    ),
)
