"""The sample: clusters by stratum, their districts and weights, dwellings, and the overlap of two years.

Clusters are allocated over domain x size of place as in ``margins/strata.csv``, at least two a stratum. In
a third of them the dwellings of the first year are visited again in the second (the rotating panel), most
with the same family.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.surveys.synthetic.parameters import margin

__all__ = ["MINIMUM_HOUSEHOLDS", "Sample", "draw_sample"]

MINIMUM_HOUSEHOLDS: Final = 300
HOUSEHOLDS_A_CLUSTER: Final = 6.29
PANEL_SHARE: Final = 0.33
REVISITED_SHARE: Final = 0.82
FALSE_LINK_SHARE: Final = 0.06
RENUMBERED_SHARE: Final = 0.007
WEIGHT_GROWTH: Final = 1.035

# Where in a domain's districts, ordered from least to most poor, each size of place lies (rank, spread).
RANK_OF_STRATUM: Final = (0.02, 0.06, 0.12, 0.25, 0.45, 0.60, 0.65, 0.60)
SPREAD_OF_STRATUM: Final = (0.06, 0.08, 0.12, 0.18, 0.25, 0.27, 0.30, 0.32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Who is interviewed when.

    Attributes
    ----------
    clusters : pandas.DataFrame
        One row a cluster: ``district`` (row of the districts), ``dominio estrato is_panel nconglome
        sub_conglome`` and, for wave w, ``conglome_w weight_w month_w``.
    dwellings : pandas.DataFrame
        One row a household's place: ``cluster vivienda hogar in_0 in_1 is_false_link``.
    """

    clusters: pd.DataFrame
    dwellings: pd.DataFrame


def draw_sample(rng: np.random.Generator, *, households: int, districts: pd.DataFrame) -> Sample:
    """Draw clusters and dwellings of both waves, each with exactly the households asked for.

    Parameters
    ----------
    rng : numpy.random.Generator
    households : int
        A year.
    districts : pandas.DataFrame
        From ``draw_districts``.

    Returns
    -------
    Sample

    Raises
    ------
    DesignError
        If there are too few households for two clusters a stratum.
    """
    if households < MINIMUM_HOUSEHOLDS:
        raise DesignError(
            f"{households} households cannot fill two clusters in each stratum",
            where="write_synthetic, households",
            remedy=f"ask for {MINIMUM_HOUSEHOLDS} or more",
        )
    clusters = _number_clusters(rng, _place_clusters(rng, households, districts), districts)
    is_rural = clusters["estrato"].to_numpy() >= 6
    size = np.where(is_rural, 8, 6) + rng.choice(
        [-2, -1, 0, 1, 2], len(clusters), p=[0.07, 0.15, 0.66, 0.08, 0.04]
    )
    size = _fit_total(rng, size, households, floor=np.full(len(clusters), 2))
    return Sample(clusters=clusters, dwellings=_draw_dwellings(rng, clusters, size, households))


def _place_clusters(rng: np.random.Generator, households: int, districts: pd.DataFrame) -> pd.DataFrame:
    strata = margin("strata")
    share = strata["clusters"] / strata["clusters"].sum()
    count = np.maximum((share * households / HOUSEHOLDS_A_CLUSTER).round(), 2).astype(int)
    clusters = strata.loc[strata.index.repeat(count), ["dominio", "estrato", "weight"]].reset_index(drop=True)
    clusters["district"] = -1
    start = 0
    for dominio, estrato, size in zip(strata["dominio"], strata["estrato"], count, strict=True):
        chance = _chance_of_district(districts, int(dominio), int(estrato))
        drawn = rng.choice(len(districts), size, p=chance)
        clusters.loc[start : start + size - 1, "district"] = drawn
        start += size
    return clusters


def _chance_of_district(districts: pd.DataFrame, dominio: int, estrato: int) -> Floats:
    inside = districts["dominio"].to_numpy() == dominio
    if dominio == 8:
        return np.asarray(inside / inside.sum())
    rank = districts["poverty_rate"].where(inside).rank(pct=True).fillna(9.0).to_numpy(dtype=np.float64)
    kernel = np.exp(-0.5 * ((rank - RANK_OF_STRATUM[estrato - 1]) / SPREAD_OF_STRATUM[estrato - 1]) ** 2)
    people = (districts["area_km2"] * districts["density"]).to_numpy()
    pull = inside * kernel * people**0.5
    return np.asarray(pull / pull.sum())


def _number_clusters(
    rng: np.random.Generator, clusters: pd.DataFrame, districts: pd.DataFrame
) -> pd.DataFrame:
    n = len(clusters)
    replicate = rng.integers(0, 4, n)
    order = np.lexsort((districts["ubigeo"].to_numpy()[clusters["district"]], replicate))
    clusters = clusters.iloc[order].reset_index(drop=True)
    first = 15001 + np.sort(rng.choice(max(6000, int(1.2 * n)), n, replace=False))
    is_panel = rng.permutation(n) < round(PANEL_SHARE * n)
    is_renumbered = ~is_panel & (rng.random(n) < RENUMBERED_SHARE)
    second = np.where(is_renumbered, 10001 + np.arange(n) % 5000, first)
    weight = clusters.pop("weight").to_numpy() * np.exp(0.5 * rng.standard_normal(n) - 0.125)
    month = rng.integers(1, 13, n)
    return clusters.assign(
        is_panel=is_panel,
        conglome_0=first,
        conglome_1=second,
        nconglome=1 + rng.choice(max(51600, n), n, replace=False),
        sub_conglome=rng.choice(4, n, p=[0.79, 0.10, 0.10, 0.01]),
        weight_0=weight,
        weight_1=weight * WEIGHT_GROWTH * np.exp(0.05 * rng.standard_normal(n)),
        month_0=month,
        month_1=np.where(rng.random(n) < 0.74, month, rng.integers(1, 13, n)),
    )


def _fit_total(rng: np.random.Generator, size: Codes, total: int, floor: Codes) -> Codes:
    """Move sizes one by one, in random places, until they add up to the total."""
    size = np.maximum(size, floor)
    while (gap := total - int(size.sum())) != 0:
        movable = np.arange(len(size)) if gap > 0 else np.flatnonzero(size > floor)
        if len(movable) == 0:
            raise DesignError(
                f"{total} households cannot fill the clusters of every stratum",
                where="write_synthetic, households",
                remedy="ask for more households",
            )
        chosen = rng.choice(movable, min(abs(gap), len(movable)), replace=False)
        size[chosen] += np.sign(gap)
    return size


def _draw_dwellings(
    rng: np.random.Generator, clusters: pd.DataFrame, size: Codes, households: int
) -> pd.DataFrame:
    first = np.repeat(np.arange(len(clusters)), size)
    is_revisited = clusters["is_panel"].to_numpy()[first] & (rng.random(len(first)) < REVISITED_SHARE)
    kept = np.bincount(first[is_revisited], minlength=len(clusters))
    again = _fit_total(rng, size + rng.integers(-1, 2, len(size)), households, floor=np.maximum(kept, 2))
    fresh = np.repeat(np.arange(len(clusters)), again - kept)
    dwellings = pd.DataFrame(
        {
            "cluster": np.concatenate([first, fresh]),
            "in_0": np.arange(len(first) + len(fresh)) < len(first),
            "in_1": np.concatenate([is_revisited, np.ones(len(fresh), dtype=bool)]),
        }
    )
    dwellings["is_false_link"] = (
        dwellings["in_0"] & dwellings["in_1"] & (rng.random(len(dwellings)) < FALSE_LINK_SHARE)
    )
    dwellings = dwellings.iloc[np.lexsort((rng.random(len(dwellings)), dwellings["cluster"]))]
    return _number_dwellings(rng, dwellings.reset_index(drop=True))


def _number_dwellings(rng: np.random.Generator, dwellings: pd.DataFrame) -> pd.DataFrame:
    """Give each dwelling its number; a few hold two or three households (hogar 12 and 22; 13, 23 and 33)."""
    same_visit = np.ones(len(dwellings) - 1, dtype=bool)
    for column in ("cluster", "in_0", "in_1"):
        same_visit &= dwellings[column].to_numpy()[1:] == dwellings[column].to_numpy()[:-1]
    hogar, is_shared = _share_dwellings(rng, same_visit)
    step = np.where(is_shared, 0, rng.integers(1, 25, len(dwellings)))
    running = np.cumsum(step)
    start = np.flatnonzero(np.diff(dwellings["cluster"], prepend=-1))
    before = np.repeat(running[start] - step[start], np.diff(start, append=len(dwellings)))
    return dwellings.assign(vivienda=running - before, hogar=hogar)


def _share_dwellings(rng: np.random.Generator, same_visit: Bools) -> tuple[Codes, Bools]:
    n = len(same_visit) + 1
    hogar, is_shared = np.full(n, 11), np.zeros(n, dtype=bool)
    wanted = rng.choice([1, 2, 3], n, p=[0.985, 0.013, 0.002])
    free_from = 0
    for start in np.flatnonzero(wanted > 1):
        end = start + wanted[start]
        if start < free_from or end > n or not same_visit[start : end - 1].all():
            continue
        hogar[start:end] = 10 * np.arange(1, wanted[start] + 1) + wanted[start]
        is_shared[start + 1 : end] = True
        free_from = end
    return hogar, is_shared
