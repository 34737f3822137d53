"""SIMULATED samples in two stages; `python make_data.py` from this folder writes them again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent


def two_stages(rng: np.random.Generator, drawn: list[int], population: list[int]) -> pd.DataFrame:
    """PSUs within strata and households within PSUs, both without replacement; several persons each."""
    rows = []
    for stratum, (psus, size) in enumerate(zip(drawn, population, strict=True), start=1):
        for psu in range(1, psus + 1):
            households = int(rng.integers(8, 20))
            taken = int(rng.integers(2, 6))
            level = rng.normal() + 0.4 * stratum
            for household in range(1, taken + 1):
                shift = rng.normal(scale=0.7)
                persons = int(rng.integers(1, 5))
                rows += [(stratum, psu, household, size, households, level + shift)] * persons
    names = ["stratum", "psu", "household", "psus", "households", "level"]
    frame = pd.DataFrame(rows, columns=names)
    taken = frame.groupby(["stratum", "psu"])["household"].transform("nunique")
    psus = frame.groupby("stratum")["psu"].transform("nunique")
    n = len(frame)
    frame["w"] = frame["psus"] / psus * frame["households"] / taken * rng.uniform(0.8, 1.25, n)
    frame["y"] = frame["level"] + rng.normal(size=n)
    frame["x"] = np.exp(0.3 * frame["level"] + rng.normal(size=n) * 0.5)
    frame["b"] = (frame["y"] + rng.normal(size=n) > 2.2) * 1
    frame["area"] = rng.choice(["coast", "highland", "jungle"], n)
    frame["heaped"] = np.round(frame["y"] * 2) / 2
    return frame.drop(columns="level").round({"w": 6, "y": 8, "x": 8})


if __name__ == "__main__":
    rng = np.random.default_rng(20240607)
    two_stages(rng, [4, 6, 5, 3, 1, 4], [14, 30, 11, 9, 6, 4]).to_csv(HERE / "survey_stages.csv", index=False)
    two_stages(rng, [2] * 6, [12, 20, 9, 15, 30, 8]).to_csv(HERE / "survey_pairs.csv", index=False)
