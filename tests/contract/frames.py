"""SIMULATED tables with the same column names, so that every estimator can be asked the same questions.

Outcomes are multiples of 1/64 and fit into half-precision types without rounding.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats


def _on_a_grid(values: Floats) -> Floats:
    return np.asarray(np.round(values * 64) / 64)


@cache
def _cross_section() -> pd.DataFrame:
    rng = np.random.default_rng(41)
    n = 320
    stratum, psu = np.repeat(range(4), 80), np.repeat(range(32), 10)
    x1, x2 = rng.normal(size=n), (rng.random(n) < 0.4) * 1.0
    area = rng.choice(["coast", "highland", "jungle"], n)
    score = 1 / (1 + np.exp(0.3 - 0.5 * x1 - 0.4 * x2 - 0.3 * (area == "highland")))
    treated = (rng.random(n) < score) * 1
    y = 1 + 0.6 * x1 - 0.3 * x2 + 0.8 * treated + 0.4 * rng.normal(size=32)[psu] + rng.normal(size=n)
    lottery = np.random.default_rng(44)
    offer = np.where(lottery.random(n) < 0.8, treated, lottery.random(n) < 0.5) * 1
    return pd.DataFrame(
        {
            "y": _on_a_grid(y),
            "works": (y > 1) * 1,
            "treated": treated,
            "offer": offer,
            "x1": x1,
            "x2": x2,
            "area": area,
            "w": rng.uniform(1, 5, n),
            "one": 1.0,
            "stratum": stratum,
            "psu": psu % 8,
            "cluster": psu,
            "district": rng.integers(0, 30, n),
        }
    ).assign(policy=lambda frame: (frame["district"] < 2) * 1)


def cross_section() -> pd.DataFrame:
    """320 rows in 4 strata of 8 PSUs whose labels repeat, and districts that cross them."""
    return _cross_section().copy()


def staggered() -> pd.DataFrame:
    """The same rows as units in 2022 to 2025, treated from 2024 or 2025 on, or never."""
    rows = cross_section()
    chance = np.random.default_rng(43)
    start = np.where(rows["treated"] == 1, chance.choice([2024, 2025], 320), 0)
    first = rows.assign(unit=np.arange(320) + 1000, start=start, dose=0.5 + np.abs(rows["x1"]))
    years = []
    for year in range(2022, 2026):
        moved = first["y"] + 0.3 * (year - 2022) * (1 + first["x1"]) + 0.5 * ((start > 0) & (year >= start))
        y = _on_a_grid(moved.to_numpy() + chance.normal(size=320))
        years.append(
            first.assign(year=year, y=y, works=(y > 1) * 1, status=((start > 0) & (year >= start)) * 1)
        )
    frame = pd.concat(years, ignore_index=True)
    return frame.assign(x3=np.random.default_rng(45).normal(size=len(frame)) + 0.2 * frame["y"])


def two_periods() -> pd.DataFrame:
    """The same rows seen in 2024 and 2025, the outcome moving by one and for the treated by half more."""
    first = cross_section().assign(unit=np.arange(320) + 1000, year=2024)
    noise = np.random.default_rng(42).normal(size=320)
    moved = first["y"] + 1 + 0.5 * first["treated"] + 0.25 * first["x1"] + noise
    second = first.assign(year=2025, y=_on_a_grid(moved.to_numpy()))
    second["works"] = (second["y"] > 2) * 1
    return pd.concat([first, second], ignore_index=True)


def panel() -> pd.DataFrame:
    """The two periods with a covariate x3 that changes, in part with what sets units apart."""
    frame = two_periods()
    noise = np.random.default_rng(43).normal(size=len(frame))
    x3 = _on_a_grid(0.5 * frame["x1"].to_numpy() + noise)
    return frame.assign(x3=x3, y=frame["y"] + _on_a_grid(0.5 * x3))
