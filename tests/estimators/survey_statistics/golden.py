"""The stored cases of R's survey."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "survey"


@cache
def cases() -> dict[str, dict[str, Any]]:
    content = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in content["cases"]}


@cache
def reference() -> dict[str, dict[str, Any]]:
    """Cases on `reg_survey.csv` of the first folder."""
    content = json.loads((FOLDER / "reference.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in content}


@cache
def table(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / name)


def numbers(case: dict[str, Any], field: str) -> Floats:
    return np.array([np.nan if value is None else value for value in case[field]], dtype=np.float64)
