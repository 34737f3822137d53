"""Whom the surveys asked: weighted shares with their uncertainty, and counts of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pandas import DataFrame

from juntos_eval.arrays import FrozenMapping
from juntos_eval.estimators.means import Mean
from juntos_eval.reporting.report_input import Label, Share, SurveyFacts, Tally
from juntos_eval.studies.juntos_households import TREATMENT, WEIGHTS
from juntos_eval.studies.run import survey_design
from juntos_eval.surveys.provenance import CleanTable

__all__ = ["FIES_LABELS", "survey_facts"]

JUNTOS = Label(
    "Households with Juntos, of those that answered", "Hogares con Juntos, entre los que respondieron"
)
FIES = Label("Food insecurity, by the Rasch category", "Inseguridad alimentaria, según la categoría Rasch")

FIES_LABELS: Mapping[str, Label] = FrozenMapping(
    {
        "food_secure_or_mild": Label("food secure or mild", "seguridad o inseguridad leve"),
        "moderate": Label("moderate", "moderada"),
        "severe": Label("severe", "grave"),
    }
)
_ARMS: Mapping[str, float] = FrozenMapping({"juntos": 1.0, "comparison": 0.0})

_TABLES: Mapping[str, Label] = FrozenMapping(
    {
        "members": Label("household members (module 200)", "miembros del hogar (módulo 200)"),
        "programmes": Label("households (module 700)", "hogares (módulo 700)"),
        "food_security": Label("households (FIES, file 130)", "hogares (FIES, archivo 130)"),
        "dwellings": Label(
            "dwellings (module 100, derived, complete interviews)",
            "viviendas (módulo 100, derivado, entrevistas completas)",
        ),
    }
)
_DROPPED: Mapping[str, Label] = FrozenMapping(
    {
        "former panel member, not in the household now": Label(
            "former panel members, not in the household now",
            "antiguos miembros del panel que ya no están en el hogar",
        ),
    }
)
_LINKS: Mapping[str, Label] = FrozenMapping(
    {
        "households linked by key": Label("households linked by key", "hogares enlazados por llave"),
        "district differs": Label("dropped: the district differs", "descartados: difiere el distrito"),
        "head's sex differs": Label(
            "dropped: the head's sex differs", "descartados: difiere el sexo del jefe o jefa"
        ),
        "head's age not 0 to 2 years more": Label(
            "dropped: the head is not 0 to 2 years older",
            "descartados: el jefe o jefa no es de 0 a 2 años mayor",
        ),
    }
)


def survey_facts(
    households: Mapping[int, CleanTable],
    tables: Iterable[CleanTable],
    linked: CleanTable | None,
) -> SurveyFacts:
    """Return shares and counts.

    Parameters
    ----------
    households : Mapping of int to CleanTable
        The analysis table of each year.
    tables : iterable of CleanTable
        Clean tables behind them; only their provenance is read.
    linked : CleanTable or None

    Returns
    -------
    SurveyFacts
    """
    shares: list[Share] = []
    tallies: list[Tally] = []
    for year, table in sorted(households.items()):
        shares += _juntos_shares(table.frame, year)
        shares += _food_shares(table.frame, year)
        tallies += _answered(table.frame, year)
    for table in tables:
        tallies += _row_tallies(table)
    if linked is not None:
        years = "-".join(str(year) for year in sorted(households))
        tallies += [
            Tally(topic="linked", label=label, year=years, count=int(linked.provenance.notes[note]))
            for note, label in _LINKS.items()
            if note in linked.provenance.notes
        ]
        tallies.append(
            Tally(
                topic="linked",
                label=Label("households kept", "hogares conservados"),
                year=years,
                count=int(linked.frame["household_id"].nunique()),
            )
        )
    return SurveyFacts(shares=tuple(shares), tallies=tuple(tallies))


def _juntos_shares(households: DataFrame, year: int) -> list[Share]:
    answered = households[households[TREATMENT].notna()]
    indicator = answered[TREATMENT].astype("float64")
    return [
        _share(
            households,
            answered.assign(indicator=indicator),
            topic=("juntos", JUNTOS),
            category=("yes", Label("yes", "sí")),
            arm="all",
            year=year,
        )
    ]


def _food_shares(households: DataFrame, year: int) -> list[Share]:
    if "fies_category" not in households:
        return []
    known = households[households["fies_category"].notna() & households[TREATMENT].notna()]
    shares = []
    for arm, value in _ARMS.items():
        rows = known[known[TREATMENT].astype("float64") == value]
        for category, label in FIES_LABELS.items():
            indicator = (rows["fies_category"] == category).astype("float64")
            shares.append(
                _share(
                    households,
                    rows.assign(indicator=indicator),
                    topic=("fies_category", FIES),
                    category=(category, label),
                    arm=arm,
                    year=year,
                )
            )
    return shares


def _share(
    households: DataFrame,
    rows: DataFrame,
    *,
    topic: tuple[str, Label],
    category: tuple[str, Label],
    arm: str,
    year: int,
) -> Share:
    estimate = Mean(outcome="indicator", weights=WEIGHTS).fit(rows, inference=survey_design(households))
    low, high = estimate.interval()[0]
    return Share(
        topic=topic[0],
        category=category[0],
        labels=FrozenMapping({"topic": topic[1], "category": category[1]}),
        year=year,
        arm=arm,
        share=float(estimate.values[0]),
        std_error=float(estimate.uncertainty.std_error[0]),
        conf_low=float(low),
        conf_high=float(high),
        count=int(rows["indicator"].sum()),
        base=len(rows),
    )


def _answered(households: DataFrame, year: int) -> list[Tally]:
    answered = int(households[TREATMENT].notna().sum())
    counts = (
        (Label("answered the module of programmes", "respondieron el módulo de programas"), answered),
        (Label("did not answer it", "no lo respondieron"), len(households) - answered),
    )
    return [Tally(topic="answered", label=label, year=str(year), count=count) for label, count in counts]


def _row_tallies(table: CleanTable) -> list[Tally]:
    facts = table.provenance
    if facts.table not in _TABLES:
        return []
    year = "" if facts.year is None else str(facts.year)
    tallies = [Tally(topic="rows", label=_TABLES[facts.table], year=year, count=facts.rows_in)]
    tallies += [
        Tally(topic="dropped", label=_DROPPED.get(reason, Label(reason, reason)), year=year, count=count)
        for reason, count in facts.dropped.items()
        if count
    ]
    return tallies
