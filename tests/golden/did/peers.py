"""Write peers.json: what Python's drdid and StatsPAI say of did_2x2.csv.

drdid where R's DRDID and ours differ in cross-sections; StatsPAI, which follows R's DRDID, where controls
are trimmed. Usage, in the benchmarks' environment (benchmarks/README.md): python peers.py
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent
COVARIATES = ["x1", "x2", "x3"]


def cross_sections(frame: pd.DataFrame, weight: str | None) -> dict[str, Any]:
    from drdid.drdid import drdid_rc  # type: ignore[import-not-found]  # not in our environment

    design = np.column_stack([np.ones(len(frame)), frame[COVARIATES].to_numpy()])
    weights = np.ones(len(frame)) if weight is None else frame[weight].to_numpy()
    arrays = (frame[name].to_numpy() for name in ("y", "post", "d"))
    effect, influence = drdid_rc(*arrays, design, weights)
    error = float(np.sqrt((influence**2).sum()) / len(frame))
    return {"id": f"drdid_rc-{'u' if weight is None else 'w'}", "att": float(effect), "se": error}


def trimmed(frame: pd.DataFrame, name: str) -> dict[str, Any]:
    """Answer with controls of a score of 0.7 and more left out of the means."""
    import statspai as sp  # type: ignore[import-not-found]

    in_panel = name.endswith("panel")
    method = "imp" if "_imp_" in name else "trad"
    if in_panel:
        periods = [frame.assign(y=frame["y0"], post=0), frame.assign(y=frame["y1"], post=1)]
        frame = pd.concat(periods, ignore_index=True)
    result = sp.drdid(
        frame, y="y", treat="d", time="post", covariates=COVARIATES, method=method, trim_level=0.7,
        id="id" if in_panel else None, variance_convention="reference",
    )  # fmt: skip
    return {"id": f"{name}-u", "trim": 0.7, "att": float(result.estimate), "se": float(result.se)}


if __name__ == "__main__":
    table = pd.read_csv(FOLDER / "did_2x2.csv")
    names = ("drdid_panel", "drdid_imp_panel", "drdid_rc", "drdid_imp_rc")
    content = {
        "implementation": {name: version(name) for name in ("drdid", "statspai")},
        "exact": [cross_sections(table, None), cross_sections(table, "w")],
        "trimmed": [trimmed(table, name) for name in names],
    }
    (FOLDER / "peers.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
