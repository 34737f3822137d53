"""Errors from influence beside the bootstrap's, 5,000 draws of rows of one SIMULATED sample each.

The bootstrap is not valid for nearest neighbours (Abadie & Imbens 2008), which are not here. Parts are
written as they are done: python -m tests.recovery.bootstrap_errors run FOLDER, then … collect FOLDER writes
results/bootstrap_errors.json.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import juntos_eval as je
from tests.recovery.weighting import COLUMNS, score

RESULT = Path(__file__).parent / "results" / "bootstrap_errors.json"
SEED, ROWS, DRAWS = 19790101, 1200, 5000

SMOOTH: dict[str, Any] = {**COLUMNS, "distance": "linear_logit", "bandwidth": 0.4}
ESTIMATORS: Mapping[str, Any] = {
    "ipw att": je.Weighting(**COLUMNS),
    "ipw ate": je.Weighting(**COLUMNS, estimand="ate"),
    "ipw ate, Horvitz-Thompson": je.Weighting(**COLUMNS, estimand="ate", normalised=False),
    "ipw att, truncated": je.Weighting(**COLUMNS, truncate=0.95),
    "overlap ato": je.Weighting(**COLUMNS, method="overlap"),
    "cbps att": je.Weighting(**COLUMNS, method="cbps"),
    "entropy att": je.Weighting(**COLUMNS, method="entropy"),
    "regression ate": je.RegressionAdjustment(**COLUMNS, estimand="ate"),
    "ipwra att": je.IPWRA(**COLUMNS),
    "aipw ate": je.AIPW(**COLUMNS, estimand="ate"),
    "kernel att": je.Matching(**SMOOTH, method="kernel"),
    "local-linear att": je.Matching(**SMOOTH, method="local_linear"),
}


def sample() -> pd.DataFrame:
    """One sample whose noise grows with x."""
    rng = np.random.default_rng(SEED)
    x, z = rng.normal(size=ROWS), (rng.random(ROWS) < 0.4).astype(np.float64)
    d = rng.random(ROWS) < score(x, z, is_logit=True)
    y = 1 + x + 0.5 * z + d * (1 + x / 2) + (0.6 + 0.4 * np.abs(x)) * rng.normal(size=ROWS)
    return pd.DataFrame({"y": y, "d": d * 1, "x": x, "z": z})


def compared(name: str, draws: int) -> dict[str, Any]:
    """Return the error from influence and the bootstrap's with its own Monte Carlo error."""
    frame, estimator = sample(), ESTIMATORS[name]
    rng = np.random.default_rng([SEED, list(ESTIMATORS).index(name)])
    error = float(estimator.fit(frame, inference=je.Robust("HC0")).uncertainty.std_error[0])
    resampled = [
        float(estimator.fit(frame.iloc[rng.integers(0, ROWS, ROWS)], inference=je.Robust("HC0")).values[0])
        for _ in range(draws)
    ]
    spread = float(np.std(resampled))
    return {
        "estimator": name,
        "draws": draws,
        "influence": round(error, 6),
        "bootstrap": round(spread, 6),
        "monte_carlo_error": round(spread / np.sqrt(2 * draws), 6),
        "ratio": round(error / spread, 4),
    }


def run(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(ESTIMATORS):
        part = folder / f"{number}.json"
        if not part.exists():
            part.write_text(json.dumps(compared(name, DRAWS)))


def collect(folder: Path) -> None:
    parts = [folder / f"{number}.json" for number in range(len(ESTIMATORS))]
    content = {
        "what": "SIMULATED data: standard errors from influence beside those of the bootstrap",
        "script": "tests/recovery/bootstrap_errors.py",
        "seed": SEED,
        "rows": ROWS,
        "versions": {"python": platform.python_version(), "numpy": version("numpy")},
        "estimators": [],
    }
    lines = ",\n  ".join(part.read_text() for part in parts if part.exists())
    head = json.dumps(content, indent=1)
    RESULT.write_text(head.replace('"estimators": []', f'"estimators": [\n  {lines}\n ]') + "\n")


if __name__ == "__main__":
    {"run": run, "collect": collect}[sys.argv[1]](Path(sys.argv[2]))
