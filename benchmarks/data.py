"""Simulated data of the benchmarks: seeded, drawn once, the same bytes for both environments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FOLDER = Path(__file__).resolve().parents[1] / ".benchmarks" / "data"
SEED = 20050907
EFFECT = 1.0


def comparison(rows: int) -> dict[str, np.ndarray]:
    """Draw a cross-section: about three in ten treated, five covariates (one binary, one rounded)."""
    rng = np.random.default_rng([SEED, 1, rows])
    x = rng.normal(size=(rows, 5))
    x[:, 3], x[:, 4] = x[:, 3] > 0, np.round(x[:, 4], 1)
    score = 1 / (1 + np.exp(-(-1.0 + x[:, :4] @ [0.5, -0.4, 0.3, 0.2])))
    d = (rng.random(rows) < score).astype(np.int64)
    y = 1 + x @ [1.0, 0.5, -0.5, 0.3, 0.2] + 0.5 * x[:, 0] ** 2 + d * (EFFECT + 0.3 * x[:, 1])
    columns = {"y": y + rng.normal(size=rows), "d": d}
    return columns | {f"x{j + 1}": x[:, j] for j in range(5)}


def two_periods(units: int) -> dict[str, np.ndarray]:
    """Draw a panel of two periods, long, rows in no order; covariates drive treatment and trends."""
    rng = np.random.default_rng([SEED, 2, units])
    x = rng.normal(size=(units, 3))
    x[:, 2] = x[:, 2] > 0
    d = (rng.random(units) < 1 / (1 + np.exp(-(-0.4 + x @ [0.5, -0.3, 0.2])))).astype(np.int64)
    level = 1 + x @ [0.5, -0.4, 0.3]
    before = level + 0.5 * d + rng.normal(size=units)
    after = 2 * level + 0.5 * d + d * (EFFECT + 0.3 * x[:, 0]) + rng.normal(size=units)
    order = rng.permutation(2 * units)
    unit = np.tile(np.arange(1, units + 1), 2)
    columns = {"unit": unit, "time": np.repeat([2024, 2025], units), "d": np.tile(d, 2)}
    columns |= {"y": np.concatenate([before, after])}
    columns |= {f"x{j + 1}": np.tile(x[:, j], 2) for j in range(3)}
    return {name: values[order] for name, values in columns.items()}


def two_cross_sections(rows: int) -> dict[str, np.ndarray]:
    """Draw each unit of the panel once, in one period or the other."""
    panel = two_periods(rows)
    late = np.random.default_rng([SEED, 3, rows]).random(rows) < 0.5
    chosen = (panel["time"] == 2025) == late[panel["unit"] - 1]
    return {name: values[chosen] for name, values in panel.items()}


def clusters(rows: int) -> dict[str, np.ndarray]:
    """Draw 50 clusters of uneven size with a shock each, 20 of them treated as a whole."""
    rng = np.random.default_rng([SEED, 4, rows])
    cluster = rng.choice(50, size=rows, p=rng.dirichlet(np.full(50, 4.0)))
    x = rng.normal(size=(rows, 3))
    d = (cluster < 20).astype(np.float64)
    y = x @ [0.5, -0.3, 0.2] + 0.2 * d + 0.5 * rng.normal(size=50)[cluster] + rng.normal(size=rows)
    return {"y": y, "d": d, "cl": cluster} | {f"x{j + 1}": x[:, j] for j in range(3)}


def staggered(units: int) -> dict[str, np.ndarray]:
    """Draw a panel of ten periods sorted by unit, one row in ten missing, cohorts of eight periods and never.

    ``event`` is the time since treatment, -1 (the reference) for the never treated.
    """
    rng = np.random.default_rng([SEED, 4, units])
    first = np.array([0, 3, 4, 5, 6, 7, 8, 9, 10])[rng.integers(0, 9, units)]
    unit, time = np.repeat(np.arange(1, units + 1), 10), np.tile(np.arange(1, 11), units)
    cohort = np.repeat(first, 10)
    event = np.where(cohort > 0, time - cohort, -1)
    d, z = ((cohort > 0) & (event >= 0)).astype(np.int64), rng.normal(size=10 * units)
    y = np.repeat(rng.normal(size=units), 10) + 0.1 * time + d * (EFFECT + 0.2 * event) + 0.3 * z
    columns = {"unit": unit, "time": time, "event": event, "d": d, "z": z}
    columns |= {"y": y + rng.normal(size=10 * units)}
    kept = rng.random(10 * units) > 0.1
    return {name: values[kept] for name, values in columns.items()}


def cohorts(units: int) -> dict[str, np.ndarray]:
    """Draw a balanced panel of ten periods sorted by unit, cohorts of eight periods and never (zero)."""
    rng = np.random.default_rng([SEED, 7, units])
    x = rng.normal(size=(units, 3))
    # of larger x are later cohorts, and fewer never treated
    at = rng.normal(size=units) + 0.5 * x[:, 0]
    first = np.array([0, 3, 4, 5, 6, 7, 8, 9, 10])[np.clip(((at + 2.2) * 2).astype(int), 0, 8)]
    unit, time = np.repeat(np.arange(1, units + 1), 10), np.tile(np.arange(1, 11), units)
    first, event = np.repeat(first, 10), time - np.repeat(first, 10)
    d = ((first > 0) & (event >= 0)).astype(np.int64)
    level, trend = rng.normal(size=units), 0.1 * (x @ [1.0, 0.5, -0.5])
    y = np.repeat(level, 10) + (0.1 + np.repeat(trend, 10)) * time + d * (EFFECT + 0.2 * event)
    columns = {"unit": unit, "time": time, "first": first, "d": d, "y": y + rng.normal(size=10 * units)}
    return columns | {f"x{j + 1}": np.repeat(x[:, j], 10) for j in range(3)}


def instruments(rows: int) -> dict[str, np.ndarray]:
    """Draw an endogenous regressor with three instruments, heteroskedastic errors."""
    rng = np.random.default_rng([SEED, 6, rows])
    z, x, hidden = rng.normal(size=(rows, 3)), rng.normal(size=(rows, 2)), rng.normal(size=rows)
    d = z @ [0.5, 0.3, 0.2] + 0.3 * x[:, 0] + hidden + rng.normal(size=rows)
    y = EFFECT * d + x @ [1.0, -0.5] + hidden + rng.normal(size=rows) * (1 + 0.5 * np.abs(z[:, 0]))
    columns = {"y": y, "d": d} | {f"x{j + 1}": x[:, j] for j in range(2)}
    return columns | {f"z{j + 1}": z[:, j] for j in range(3)}


TABLES: Mapping[str, Callable[[int], dict[str, np.ndarray]]] = {
    "comparison": comparison,
    "two_periods": two_periods,
    "two_cross_sections": two_cross_sections,
    "staggered": staggered,
    "cohorts": cohorts,
    "clusters": clusters,
    "instruments": instruments,
}


def stored(table: str, size: int) -> Path:
    """Return the file of a table, written on first use."""
    path = FOLDER / f"{table}-{size}-{SEED}.npz"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        columns: dict[str, Any] = dict(TABLES[table](size))
        np.savez(partial, **columns)
        partial.replace(path)
    return path


def read(path: Path) -> pd.DataFrame:
    """Return a stored table as a frame."""
    with np.load(path, allow_pickle=False) as columns:
        return pd.DataFrame({name: columns[name] for name in columns.files})


def with_event_dummies(frame: pd.DataFrame) -> pd.DataFrame:
    """Return unit, time, outcome and a dummy for each time since treatment but -1."""
    events = [event for event in sorted(frame["event"].unique().tolist()) if event != -1]
    dummies = {f"event {event}": (frame["event"] == event).astype(np.int64) for event in events}
    return pd.DataFrame({name: frame[name] for name in ("unit", "time", "y")} | dummies)
