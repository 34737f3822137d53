"""Write peers.json: what the Python package drdid says of did_2x2.csv as two cross-sections.

Usage, where drdid 1.1.7 is installed (the benchmarks' environment has it): python peers.py
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent


def case(frame: pd.DataFrame, weight: str | None) -> dict[str, Any]:
    from drdid.drdid import drdid_rc  # type: ignore[import-not-found]  # not in our environment

    design = np.column_stack([np.ones(len(frame)), frame[["x1", "x2", "x3"]].to_numpy()])
    weights = np.ones(len(frame)) if weight is None else frame[weight].to_numpy()
    arrays = (frame[name].to_numpy() for name in ("y", "post", "d"))
    effect, influence = drdid_rc(*arrays, design, weights)
    error = float(np.sqrt((influence**2).sum()) / len(frame))
    return {"id": f"drdid_rc-{'u' if weight is None else 'w'}", "att": float(effect), "se": error}


if __name__ == "__main__":
    table = pd.read_csv(FOLDER / "did_2x2.csv")
    content = {
        "implementation": f"Python drdid {version('drdid')}, drdid_rc",
        "cases": [case(table, None), case(table, "w")],
    }
    (FOLDER / "peers.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
