"""Clusters of one synthetic ENDES year: strata by region and area, districts by poverty, weights by area."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.errors import DesignError

__all__ = ["HOUSEHOLDS_A_CLUSTER", "MINIMUM_HOUSEHOLDS", "draw_clusters"]

HOUSEHOLDS_A_CLUSTER: Final = 6
MINIMUM_HOUSEHOLDS: Final = 300

#: Share of clusters and mean weight by area (1 urban, 2 rural): the countryside is oversampled.
SHARE_OF_AREA: Final = {1: 0.66, 2: 0.34}
WEIGHT_OF_AREA: Final = {1: 1.15, 2: 0.71}
SPREAD_OF_WEIGHT: Final = 0.5


def draw_clusters(rng: np.random.Generator, districts: pd.DataFrame, *, households: int) -> pd.DataFrame:
    """Draw the clusters of a year, each in a district; two at least a stratum.

    A stratum is a region and an area, as HV022 numbers them. Rural clusters lie in poorer districts.

    Parameters
    ----------
    rng : numpy.random.Generator
    districts : pandas.DataFrame
        From ``draw_rollout``.
    households : int
        Selected in the year.

    Returns
    -------
    pandas.DataFrame
        ``psu stratum district is_rural weight size month``.

    Raises
    ------
    DesignError
        If there are too few households for two clusters a stratum.
    """
    if households < MINIMUM_HOUSEHOLDS:
        raise DesignError(
            f"{households} households cannot fill two clusters in each stratum",
            where="write_synthetic_endes, households",
            remedy=f"ask for {MINIMUM_HOUSEHOLDS} or more",
        )
    region = districts["code"].astype(int).to_numpy()
    poverty = districts["poverty_rate"].to_numpy()
    people = (districts["area_km2"] * districts["density"]).to_numpy() ** 0.5
    strata = [(code, area) for code in np.unique(region) for area in (1, 2)]
    pull = np.array([_pull(people, poverty, region == code, area).sum() for code, area in strata])
    area_of = np.array([area for _, area in strata])
    share = np.array([SHARE_OF_AREA[area] for area in area_of])
    within = pull / np.bincount(area_of, weights=pull)[area_of]
    count = np.maximum(np.round(share * within * households / HOUSEHOLDS_A_CLUSTER), 2).astype(int)
    parts = []
    for number, ((code, area), clusters) in enumerate(zip(strata, count, strict=True), 1):
        chance = _pull(people, poverty, region == code, area)
        drawn = rng.choice(len(districts), clusters, p=chance / chance.sum())
        weight = WEIGHT_OF_AREA[area] * np.exp(SPREAD_OF_WEIGHT * rng.standard_normal(clusters) - 0.125)
        parts.append(
            pd.DataFrame(
                {
                    "stratum": number,
                    "district": drawn,
                    "is_rural": area == 2,
                    "weight": weight,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    size = _share_out(rng, households, len(table))
    return table.assign(psu=np.arange(1, len(table) + 1), size=size, month=rng.integers(1, 13, len(table)))


def _pull(people: np.ndarray, poverty: np.ndarray, inside: np.ndarray, area: int) -> np.ndarray:
    tilt = np.exp(2.0 * poverty) if area == 2 else np.exp(-4.0 * poverty)
    return np.asarray(inside * people * tilt)


def _share_out(rng: np.random.Generator, households: int, clusters: int) -> np.ndarray:
    """Split the households over the clusters, one at least each."""
    if households < clusters:
        raise DesignError(
            f"{households} households cannot fill {clusters} clusters",
            where="write_synthetic_endes, households",
            remedy="ask for more households",
        )
    return np.asarray(1 + rng.multinomial(households - clusters, np.full(clusters, 1 / clusters)))
