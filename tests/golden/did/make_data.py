"""Write the simulated tables of this folder; 8 decimals, so that the text is the number.

Usage: python make_data.py
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent


def save(name: str, **columns: Any) -> None:
    frame = pd.DataFrame(columns)
    for column in frame.columns:
        if frame[column].dtype.kind == "f":
            frame[column] = frame[column].round(8)
    frame.to_csv(FOLDER / f"{name}.csv", index=False)


def draw_cohorts(rng: np.random.Generator, index: Any, cohorts: list[int], never: float) -> Any:
    """Cohort of each unit, 0 for never treated; ``index`` drives who is treated."""
    names = np.array([0, *cohorts])
    start = np.array([never] + [(1 - never) / len(cohorts)] * len(cohorts))
    chance = np.exp(np.log(start)[None] + np.outer(index, (names > 0) * 1.0))
    chance /= chance.sum(1, keepdims=True)
    return names[(rng.random(len(index))[:, None] > chance.cumsum(1)).sum(1).clip(0, len(names) - 1)]


def staggered_panel(name: str, *, seed: int, units: int, periods: int, cohorts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    x1, x2 = rng.normal(size=units), (rng.random(units) < 0.45) * 1.0
    cluster = rng.integers(1, 31, units)
    g = draw_cohorts(rng, 0.35 * x1 - 0.3 * x2, cohorts, 0.3)
    a = rng.normal(size=units) + 0.15 * g
    i, t = np.repeat(np.arange(units), periods), np.tile(np.arange(1, periods + 1), units)
    shock = rng.normal(size=(31, periods + 1))
    e = t - g[i]
    d = ((g[i] > 0) & (e >= 0)) * 1
    y = a[i] + 0.2 * t + 0.1 * t * x1[i] - 0.07 * t * x2[i] + d * (0.6 + 0.25 * e + 0.1 * x1[i])
    y = y + 0.3 * shock[cluster[i], t] + rng.normal(size=units * periods)
    w = np.repeat(rng.uniform(0.4, 2.2, units), periods)
    save(name, id=i + 1, time=t, g=g[i], cl=cluster[i], y=y, x1=x1[i], x2=x2[i], D=d, w=w)


def staggered_cross_sections(name: str, *, seed: int, rows: int, periods: int, cohorts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    x1, x2 = rng.normal(size=rows), (rng.random(rows) < 0.5) * 1.0
    t, cluster = rng.integers(1, periods + 1, rows), rng.integers(1, 41, rows)
    g = draw_cohorts(rng, 0.3 * x1, cohorts, 0.34)
    d = ((g > 0) & (t >= g)) * 1
    y = 0.2 * g + 0.3 * t + 0.15 * t * x1 + 0.5 * x2 + d * (0.8 + 0.2 * (t - g))
    y = y + 0.2 * rng.normal(size=41)[cluster] + rng.normal(size=rows)
    w = rng.uniform(0.3, 3, rows)
    save(name, id=np.arange(1, rows + 1), time=t, g=g, cl=cluster, y=y, x1=x1, x2=x2, w=w)


def two_by_two(name: str, *, seed: int, units: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(units, 3))
    x[:, 2] = x[:, 2] > 0
    score = 1 / (1 + np.exp(-(-0.2 + 0.5 * x[:, 0] - 0.3 * x[:, 1] + 0.2 * x[:, 2])))
    d = (rng.random(units) < score) * 1
    f = 1 + x @ [0.5, -0.4, 0.3]
    y0 = f + d * 0.5 + rng.normal(size=units)
    y1 = 2 * f + d * 1.2 + 0.3 * d * x[:, 0] + rng.normal(size=units)
    post = (rng.random(units) < 0.5) * 1
    columns = {"id": np.arange(1, units + 1), "d": d, "y0": y0, "y1": y1, "post": post}
    columns |= {"y": np.where(post == 1, y1, y0), "x1": x[:, 0], "x2": x[:, 1], "x3": x[:, 2]}
    save(name, **columns, w=rng.uniform(0.3, 2, units))


if __name__ == "__main__":
    staggered_panel("did_bal", seed=1201, units=320, periods=6, cohorts=[3, 4, 5])
    staggered_cross_sections("did_rc", seed=1203, rows=2600, periods=5, cohorts=[3, 4, 5])
    two_by_two("did_2x2", seed=1205, units=700)
