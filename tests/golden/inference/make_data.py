"""Write the simulated tables of this folder; 8 decimals, so that the text is the number.

Usage: python make_data.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent


def save(name: str, **columns: np.ndarray) -> None:
    """Write a table, floats rounded."""
    frame = pd.DataFrame(columns)
    for column in frame.select_dtypes("float"):
        frame[column] = frame[column].round(8)
    frame.to_csv(FOLDER / f"{name}.csv", index=False)


def panel(name: str, *, seed: int, units: int, times: int) -> None:
    """Unbalanced panel with regions that nest units, and a third grouping that does not."""
    rng = np.random.default_rng(seed)
    regions = 24
    region = rng.integers(1, regions + 1, units)
    latitudes, longitudes = rng.uniform(-16, -4, regions + 1), rng.uniform(-80, -70, regions + 1)
    rows = []
    for unit in range(units):
        seen = 1 if rng.random() < 0.06 else int(rng.integers(2, times + 1))
        rows += [(unit + 1, 2001 + time) for time in np.sort(rng.choice(times, seen, replace=False))]
    i, t = np.array(rows).T
    n = len(i)
    group = rng.integers(1, 13, n)
    effect = rng.normal(size=units + 1)[i]
    x1 = rng.normal(size=n) + 0.5 * effect
    x2 = (rng.random(n) < 0.4) * 1.0
    x3 = rng.gamma(2.0, 1.0, n)
    collinear = 2 * x1.round(8) - x2 + 1
    noise = (
        rng.normal(size=regions + 1)[region[i - 1]] * 0.4
        + rng.normal(size=times + 2001)[t] * 0.2
        + rng.normal(size=n) * (1 + 0.5 * np.abs(x1))
    )
    y = 1 + 0.8 * x1 - 0.5 * x2 + 0.1 * x3 + effect + 0.05 * (t - 2001) + 0.1 * group + noise
    weight = rng.uniform(0.2, 3.0, n)
    lat = latitudes[region[i - 1]] + rng.normal(size=units + 1)[i] * 0.4
    lon = longitudes[region[i - 1]] + rng.normal(size=units + 1)[i] * 0.4
    columns = {"id": i, "year": t, "region": region[i - 1], "grp": group, "y": y, "x1": x1, "x2": x2}
    columns |= {"x3": x3, "xc": collinear, "w": weight, "lat": lat, "lon": lon}
    order = rng.permutation(n)
    save(name, **{column: values[order] for column, values in columns.items()})


def cross_section(name: str, *, seed: int, rows: int, clusters: int) -> None:
    """Clusters of unequal size, a treatment that varies between them, errors of unequal variance."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(clusters, 0.8))
    cluster = np.sort(rng.choice(clusters, rows, p=shares) + 1)
    treated = (rng.random(clusters + 1) < 0.4)[cluster] * 1.0
    x1 = rng.standard_t(4, rows)
    x2 = rng.normal(size=rows) + 0.3 * x1
    x3 = (rng.random(rows) < 0.1) * 1.0
    y = (
        0.5 + 0.4 * treated + 0.3 * x1 - 0.2 * x2 + 0.7 * x3
        + rng.normal(size=clusters + 1)[cluster] * 0.5
        + rng.normal(size=rows) * np.exp(0.3 * x1.clip(-2, 2))
    )  # fmt: skip
    binary = (rng.random(rows) < 1 / (1 + np.exp(-(-0.3 + 0.5 * x1 + 0.4 * treated)))) * 1
    save(name, cl=cluster, tr=treated, x1=x1, x2=x2, x3=x3, y=y, ybin=binary, w=rng.uniform(0.3, 2.5, rows))


def survey(name: str, *, seed: int, strata: int, rows: int) -> None:
    """Strata and PSUs with their population sizes: stratum 3 has one PSU, stratum 4 is a census of them."""
    rng = np.random.default_rng(seed)
    members = []
    for stratum in range(1, strata + 1):
        drawn = 1 if stratum == 3 else int(rng.integers(2, 6))
        population = drawn + int(rng.integers(3, 12)) if stratum != 4 else drawn
        for psu in range(drawn):
            size = int(rng.integers(max(3, rows // (strata * 4) - 6), rows // (strata * 4) + 7))
            shift = rng.normal() * 0.6
            members += [(stratum, psu + 1, population, shift)] * size
    area, psu, population, shift = np.array(members).T
    n = len(area)
    x = rng.normal(size=n) + 0.2 * area
    domain = rng.integers(1, 4, n)
    domain[area == 2] = 1
    y = 2 + 0.5 * x + 0.3 * area + shift + rng.normal(size=n)
    binary = (rng.random(n) < 1 / (1 + np.exp(-(-1 + 0.6 * x)))) * 1
    weight = rng.uniform(20, 300, n)
    design = {"stratum": area.astype(int), "psu": psu.astype(int), "npsu": population.astype(int)}
    save(name, **design, w=weight, y=y, x=x, b=binary, dom=domain, size=rng.poisson(4, n) + 1)


if __name__ == "__main__":
    panel("reg_panel", seed=1101, units=420, times=10)
    cross_section("reg_cross", seed=1120, rows=600, clusters=22)
    cross_section("reg_cross_few", seed=1121, rows=240, clusters=9)
    survey("reg_survey", seed=1130, strata=8, rows=900)
