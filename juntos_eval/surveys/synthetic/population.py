r"""The structural model: covariates, take-up of Juntos, and both potential outcomes of everyone.

Notation: household h of district d, cluster c, domain g, stratum s, in wave w = 0, 1; child i of h. Every
random part is independent of every other. Standard deviations, levels and effects are in ``parameters``.

**Covariates.** District: poverty rate p, altitude a (km). Household: members by age n, head's age, sex and
marital status, rurality r (places under 2,000 people). Latent poverty makes dwellings worse and meals fewer,
and its random part stays out of take-up and of child work:

.. math:: \xi_h = 3.5 p + 0.5 r + 0.15 n_{<19} - 1 + \epsilon_h

**Take-up** is a logit on covariates that modules 200 and 700 and the district show in both years:

.. math::

    x_h = \alpha + \alpha_g + \alpha_s + 4.2 p + 0.1 a + 0.22 n_{<19} + 0.06 n_{19-64} - 0.012 (age_h - 45)
    + 0.15 cohabiting_h - 0.1 female_h + \lambda u_h, \qquad P(T_{h0} = 1) = \Lambda(x_h)

for households with a member under 19: the eligible ones. Without one, a low intercept stands in for what the
family adds (the question covers three years, and pregnancy). The trait u is hidden and lambda, its loading,
is ``hidden_confounding``: 0 by default. In the second wave a household seen again keeps T = 1, or enters with
probability :math:`\Lambda(x_h - \alpha + entry)`; one seen for the first time has T = 1 with probability
:math:`\Lambda(x_h + trend)`.

**Child work** (ages 5-17), one uniform draw for both potential outcomes t = 0, 1:

.. math::

    y_{ih} = \beta + \beta_g + 0.21 (age_i - 11) - 0.016 (age_i - 11)^2 - 0.2 girl_i + 1.1 r + 4.5 p + 0.05 a
    + 0.15 r a + trend\, w + \sigma_\eta \eta_h + \sigma_\nu \nu_c + \lambda u_h, \qquad
    P(Y_{ih}(t) = 1) = \Lambda(y_{ih} + t\, \delta_{ih})

The shift delta, by age group and sex, is negative: Juntos *reduces* work. But p and r make its children work
more, and a naive reader gets the sign wrong. **Only housework**, among those who do not work, is a logit on
age, sex and school holidays with a shift of its own.

**Food insecurity** is a Rasch model of eight items with severities b:

.. math::

    \theta_h = \theta + 3.5 p + 0.9 r + 0.15 n_{<19} + 0.5 \epsilon_h + \sigma_\zeta \zeta_h + \lambda u_h,
    \qquad P(item_{hj}(t) = 1) = \Lambda(\theta_h + t\, \tau - b_j)

Given the covariates T is independent of both potential outcomes if lambda is 0, and a child's index has the
same trend among entrants and never-beneficiaries, so that trends are parallel given the covariates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats
from juntos_eval.surveys.synthetic.families import (
    COHABITING,
    HEAD,
    PANEL,
    age_members,
    draw_families,
    draw_members,
    list_leftovers,
)
from juntos_eval.surveys.synthetic.geo_files import draw_districts
from juntos_eval.surveys.synthetic.outcomes import (
    draw_answers,
    draw_child_work,
    draw_food_insecurity,
    draw_take_up,
)
from juntos_eval.surveys.synthetic.parameters import SURVEY_YEARS, StructuralModel
from juntos_eval.surveys.synthetic.sample import Sample, draw_sample

__all__ = ["Population", "Wave", "simulate_population"]

# One stream of random numbers a step: a change in one leaves the others' draws alone.
STREAMS = (
    "districts",
    "sample",
    "families",
    "members",
    "ageing",
    "leftovers",
    "take_up",
    "work",
    "food",
    "answers",
    "files",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One survey year.

    Attributes
    ----------
    year : int
    households : pandas.DataFrame
        One row a household, in the order of the keys: place, covariates, realised treatment and answers.
    members : pandas.DataFrame
        One row a line of module 200, sorted by ``household`` (row of ``households``) and ``position``.
    children : pandas.DataFrame
        Those aged 5 to 17: ``line`` (row of ``members``) ``household age_years is_female is_member``, their
        probabilities of both potential outcomes ``work_0 work_1 housework_0 housework_1`` (never written) and
        the realised ``works does_housework_only``.
    food : pandas.DataFrame
        Person parameters ``theta_0 theta_1``, one row a household. Never written.
    """

    year: int
    households: pd.DataFrame
    members: pd.DataFrame
    children: pd.DataFrame
    food: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Everything simulated: districts, and the waves that are written.

    Attributes
    ----------
    seed : int
    model : StructuralModel
    districts : pandas.DataFrame
    waves : tuple of Wave
    streams : dict of str to numpy.random.SeedSequence
        For what only fills the files.
    """

    seed: int
    model: StructuralModel
    districts: pd.DataFrame
    waves: tuple[Wave, ...]
    streams: dict[str, np.random.SeedSequence]


def simulate_population(*, seed: int, households: int, model: StructuralModel | None = None) -> Population:
    """Simulate both survey years in memory, without writing a file.

    Parameters
    ----------
    seed : int
    households : int
        A year.
    model : StructuralModel, optional

    Returns
    -------
    Population

    Raises
    ------
    DesignError
        If there are too few households for two clusters a stratum.

    Examples
    --------
    >>> from juntos_eval.surveys.synthetic import simulate_population
    >>> [len(wave.households) for wave in simulate_population(seed=1, households=400).waves]
    [400, 400]
    """
    model = model or StructuralModel()
    streams = dict(zip(STREAMS, np.random.SeedSequence(seed).spawn(len(STREAMS)), strict=True))
    rng = {name: np.random.default_rng(stream) for name, stream in streams.items()}
    districts = draw_districts(rng["districts"])
    sample = draw_sample(rng["sample"], households=households, districts=districts)
    families, interviews = draw_families(rng["families"], sample)
    district = sample.clusters["district"].to_numpy()[families["cluster"]]
    is_rural = sample.clusters["estrato"].to_numpy()[families["cluster"]] >= 6
    at_first = draw_members(
        rng["members"], poverty=districts["poverty_rate"].to_numpy()[district], is_rural=is_rural
    )
    stays = np.zeros(len(families), dtype=bool)
    stays[interviews.loc[interviews["is_same_family"], "family"]] = True
    later = age_members(rng["ageing"], at_first, stays=stays)
    tables = []
    for wave in range(len(SURVEY_YEARS)):
        own = at_first.loc[families["first_wave"].to_numpy()[at_first["family"]] == wave]
        people = own if wave == 0 else pd.concat([own, later], ignore_index=True)
        visited = _place(interviews, sample, families, districts, wave)
        members = _arrange(rng["leftovers"], people, visited)
        tables.append((_with_composition(visited, members), members))
    return Population(
        seed=seed,
        model=model,
        districts=districts,
        waves=_draw_waves(rng, model, tables),
        streams=streams,
    )


def _place(
    interviews: pd.DataFrame, sample: Sample, families: pd.DataFrame, districts: pd.DataFrame, wave: int
) -> pd.DataFrame:
    """One row a household of the wave with what its place says of it, in the order of the keys."""
    visited = interviews.loc[interviews["wave"] == wave].drop(columns="wave")
    visited = visited.join(sample.dwellings[["cluster", "vivienda", "hogar"]], on="dwelling")
    visited = visited.join(families.drop(columns=["cluster", "first_wave"]), on="family")
    lasting = sample.clusters[["district", "dominio", "estrato", "is_panel", "nconglome", "sub_conglome"]]
    of_wave = {name: sample.clusters[f"{name}_{wave}"] for name in ("conglome", "weight", "month")}
    visited = visited.join(lasting.assign(**of_wave), on="cluster")
    visited = visited.join(
        districts[["ubigeo", "poverty_rate", "altitude_m", "latitude", "longitude"]], on="district"
    )
    visited["is_rural"] = visited["estrato"] >= 6
    return visited.sort_values(["conglome", "vivienda", "hogar"], ignore_index=True)


def _arrange(rng: np.random.Generator, people: pd.DataFrame, visited: pd.DataFrame) -> pd.DataFrame:
    leftovers = list_leftovers(
        rng, family=visited["family"].to_numpy(), is_panel=visited["is_panel"].to_numpy()
    )
    lines = pd.concat([people, leftovers], ignore_index=True)
    household_of = pd.Series(visited.index, index=visited["family"])
    lines["household"] = household_of.reindex(lines["family"]).to_numpy()
    lines = lines.iloc[np.argsort(lines["household"], kind="stable")].reset_index(drop=True)
    lines["position"] = lines.groupby("household").cumcount() + 1
    flags = ["is_female", "is_member", "is_absent", "is_present"]
    lines[flags] = lines[flags].astype("boolean").fillna(value=False).astype(bool)
    return lines


def _with_composition(visited: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """Count members by age and describe the head; former panel members and mere lodgers do not count."""
    n = len(visited)
    counted = members.loc[members["is_member"] & (members["relation"] != PANEL)]
    age = counted["age_years"].to_numpy()

    def count(low: int, high: int) -> Floats:
        inside = (age >= low) & (age <= high)
        return np.bincount(counted["household"].to_numpy()[inside], minlength=n).astype(float)

    heads = members.loc[members["relation"] == HEAD].set_index("household")
    return visited.assign(
        members_0_5=count(0, 5),
        members_6_11=count(6, 11),
        members_12_18=count(12, 18),
        members_19_64=count(19, 64),
        members_65_plus=count(65, 120),
        head_age_years=heads["age_years"].astype(float),
        head_is_female=heads["is_female"].astype(float),
        head_is_cohabiting=(heads["marital_status"] == COHABITING).astype(float),
    ).assign(
        members_under_19=lambda table: table[["members_0_5", "members_6_11", "members_12_18"]].sum(axis=1),
        has_member_under_19=lambda table: table["members_under_19"] > 0,
        latent_poverty=lambda table: (
            3.5 * table["poverty_rate"]
            + 0.5 * table["is_rural"]
            + 0.15 * table["members_under_19"]
            - 1.0
            + table["poverty_noise"]
        ),
    )


def _draw_waves(
    rng: dict[str, np.random.Generator],
    model: StructuralModel,
    tables: list[tuple[pd.DataFrame, pd.DataFrame]],
) -> tuple[Wave, ...]:
    take_up = draw_take_up(rng["take_up"], model, [households for households, _ in tables])
    clusters = 1 + max(int(households["cluster"].max()) for households, _ in tables)
    cluster_noise = rng["work"].standard_normal(clusters)
    waves = []
    for wave, ((_, members), households) in enumerate(zip(tables, take_up, strict=True)):
        answered = draw_answers(rng["answers"], households)
        children = draw_child_work(
            rng["work"],
            model,
            answered,
            members,
            trend=model.common_trend * wave,
            cluster_noise=cluster_noise,
        )
        food, fed = draw_food_insecurity(rng["food"], model, answered)
        waves.append(
            Wave(year=SURVEY_YEARS[wave], households=fed, members=members, children=children, food=food)
        )
    return tuple(waves)
