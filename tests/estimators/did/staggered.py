"""The stored cases of staggered designs, and the tables that they are about."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "staggered"
BESIDE = Path(__file__).resolve().parents[4]


@cache
def cases() -> dict[str, dict[str, Any]]:
    content = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in content}


def names(pattern: str) -> list[str]:
    return sorted(name for name in cases() if re.fullmatch(pattern, name))


@cache
def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path)


def table(case: dict[str, Any]) -> pd.DataFrame:
    """Return the table of a case; skip where it is public data that is not here."""
    name = str(case["data"])
    if not name.startswith("shared/"):
        return _read(FOLDER / name)
    path = BESIDE / name
    if not path.is_file():
        pytest.skip(f"public replication data are not at ../{name}")
    return _read(path)


def numbers(values: Any) -> Any:
    """Return stored numbers as an array, null as NaN."""
    return np.array([np.nan if value is None else value for value in np.atleast_1d(values)], dtype=float)


def close(found: Any, stored: Any, tolerance: float, scale: float = 0.0) -> None:
    """Compare relatively, and absolutely within tolerance times scale; NaN where null is stored."""
    np.testing.assert_allclose(
        np.atleast_1d(found), numbers(stored), rtol=tolerance, atol=tolerance * scale, equal_nan=True
    )
