"""Write the SIMULATED tables of this folder; 8 decimals, so that the text is the number.

Usage: python make_data.py
"""

from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent


def matching_table(name: str, *, rows: int, seed: int, has_ties: bool) -> None:
    """Covariates, a treatment that depends on them, a continuous and a binary outcome, weights."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4)) @ np.linalg.cholesky(0.3 + 0.7 * np.eye(4)).T
    if has_ties:
        x[:, 0], x[:, 1] = np.round(x[:, 0] * 2) / 2, np.round(x[:, 1])
    b1 = (rng.random(rows) < 0.5) * 1
    category = rng.integers(1, 5, rows)
    score = 1 / (1 + np.exp(-(-1.1 + 0.5 * x[:, 0] - 0.4 * x[:, 1] + 0.2 * x[:, 2] + 0.4 * b1)))
    d = (rng.random(rows) < score) * 1
    level = 2 + x @ [1.0, 0.5, -0.4, 0.2] + 0.3 * x[:, 0] ** 2 + 0.4 * b1
    y = level + d * (1 + 0.4 * x[:, 1]) + rng.normal(size=rows)
    yb = (rng.random(rows) < 1 / (1 + np.exp(-(0.2 + 0.5 * d + 0.4 * x[:, 0])))) * 1
    columns = {"id": np.arange(1, rows + 1), "d": d, "y": y, "yb": yb}
    columns |= {f"x{j + 1}": x[:, j] for j in range(4)}
    frame = pd.DataFrame(columns | {"b1": b1, "cat": category, "w": rng.uniform(0.4, 2, rows)})
    frame.round(8).to_csv(FOLDER / f"{name}.csv", index=False)


if __name__ == "__main__":
    matching_table("mt_cont", rows=500, seed=1401, has_ties=False)
    matching_table("mt_disc", rows=450, seed=1402, has_ties=True)
