# ruff: noqa: S608 - every name in a query is quoted by the engine, and values are numbers of our own
r"""Units' outcomes over time as first and second moments of groups of units that are alike.

Units with the same keys (when first treated, discrete covariates) in the same periods are a group. Of each
are kept the moments of :math:`z_i = (1, w_i, w_i y_{i1}, …, w_i y_{iT})`: whatever is linear in a unit's
outcomes and weights has its variance from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from juntos_eval.arrays import Bools, Codes, Floats, FrozenMapping, frozen
from juntos_eval.engine.sql import Engine
from juntos_eval.errors import DesignError, SchemaError

__all__ = ["MomentColumns", "UnitMoments", "unit_moments"]

MOST_GROUPS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentColumns:
    """Which columns play which part.

    Attributes
    ----------
    outcome, time : str
    keys : tuple of str
        Discrete columns in which units of a group are alike, in every period.
    needed : tuple of str
        Keys that may not be missing.
    unit : str, optional
        Without it every row is a unit, seen once.
    weights, cluster : str, optional

    Examples
    --------
    >>> from juntos_eval.engine import MomentColumns
    >>> MomentColumns(outcome="y", time="year", keys=("start",)).wanted
    ('y', 'year', 'start')
    """

    outcome: str
    time: str
    keys: tuple[str, ...]
    needed: tuple[str, ...] = ()
    unit: str | None = None
    weights: str | None = None
    cluster: str | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every column, each once."""
        optional = (name for name in (self.unit, self.weights, self.cluster) if name is not None)
        return tuple(dict.fromkeys((self.outcome, self.time, *self.keys, *optional)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitMoments:
    """Groups of units with their moments.

    Attributes
    ----------
    periods : numpy.ndarray, shape (T,)
    keys : Mapping of str to numpy.ndarray, shape (G, T)
        Value of each key in each period.
    present : numpy.ndarray of bool, shape (G, T)
    count : numpy.ndarray of int64, shape (G,)
        Units.
    mean : numpy.ndarray, shape (G, T)
        Weighted mean of the outcome less ``centre``; zero where nobody is seen.
    second : numpy.ndarray, shape (G, T + 2, T + 2)
        Sums of :math:`z_i z_i'`, the outcome less ``centre``.
    weight : numpy.ndarray, shape (G,)
    centre : float
    clusters : numpy.ndarray, or None
        Label of the cluster of each row of the next two.
    cluster_group : numpy.ndarray of int64, shape (m,), or None
    cluster_sums : numpy.ndarray, shape (m, T + 2), or None
        Sums of :math:`z_i` by cluster and group.
    rows : int
    dropped : Mapping of str to int

    Examples
    --------
    >>> from juntos_eval.engine import UnitMoments
    >>> UnitMoments.__name__
    'UnitMoments'
    """

    periods: NDArray[Any]
    keys: Mapping[str, NDArray[Any]]
    present: Bools
    count: Codes
    mean: Floats
    second: Floats
    weight: Floats
    centre: float
    clusters: NDArray[Any] | None
    cluster_group: Codes | None
    cluster_sums: Floats | None
    rows: int
    dropped: Mapping[str, int]

    def __post_init__(self) -> None:
        for name in ("mean", "second", "weight"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for name in ("keys", "dropped"):
            object.__setattr__(self, name, FrozenMapping(getattr(self, name)))


def unit_moments(engine: Engine, columns: MomentColumns) -> UnitMoments:
    """Let an engine sum a table by groups of units that are alike.

    Parameters
    ----------
    engine : Engine
    columns : MomentColumns

    Returns
    -------
    UnitMoments

    Raises
    ------
    DesignError
        For units with several rows in a period, weights or clusters that change within a unit or cannot be
        used, and keys of too many values.
    SchemaError
        For a column that is not there.
    SourceError
        Where the engine cannot answer.

    Examples
    --------
    >>> import pandas as pd, pathlib, tempfile
    >>> from juntos_eval.engine import DuckDB, MomentColumns, unit_moments
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name) / "panel.parquet"
    >>> pd.DataFrame({"id": [1, 1, 2, 2], "year": [1, 2] * 2, "start": [2, 2, 0, 0],
    ...               "y": [1.0, 4.0, 2.0, 3.0]}).to_parquet(path)
    >>> found = unit_moments(DuckDB(source=path), MomentColumns(outcome="y", time="year", keys=("start",),
    ...                                                         unit="id"))
    >>> (found.mean + found.centre).tolist(), found.count.tolist()
    ([[2.0, 3.0], [1.0, 4.0]], [1, 1])
    >>> folder.cleanup()
    """
    absent = [name for name in columns.wanted if name not in engine.columns()]
    if absent:
        raise SchemaError(
            f"there is no column {absent[0]!r}",
            where=f"columns {', '.join(engine.columns()[:20])}",
            remedy="name columns as the table has them",
        )
    rows, centre, dropped = _counted(engine, columns)
    periods = engine.run(f"WITH {_kept(engine, columns, centre)} SELECT DISTINCT t FROM kept ORDER BY t")["t"]
    size = len(periods) if columns.unit is not None else 1
    names = [f"k{at}_{t}" for at in range(len(columns.keys)) for t in range(size)]
    seen = [f"n{t}" for t in range(size)]
    by = ", ".join([*seen, *names] if columns.unit is not None else ["period", *names])
    units = f"WITH {_kept(engine, columns, centre)}, {_units(columns, size)}"
    found = engine.run(f"{units} SELECT {by}, {_moments(size)} FROM units GROUP BY {by} ORDER BY {by}")
    _refuse(found, columns, size)
    groups = len(found["count"])
    z = _symmetric(found, groups, size)
    present, keys = _placed(found, columns, periods, size)
    mean = np.column_stack([found[f"s{t}"] for t in range(size)]) / found["s_w"][:, None]
    if columns.unit is None:
        wide = np.zeros((groups, len(periods)))
        wide[present] = mean[:, 0]
        mean, z = wide, _spread(z, present, len(periods))
    clusters = _clusters(engine, columns, units, by, found, size, present) if columns.cluster else None
    return UnitMoments(
        periods=periods,
        keys=keys,
        present=present,
        count=found["count"].astype(np.int64),
        mean=mean,
        second=z,
        weight=np.asarray(found["s_w"], np.float64),
        centre=centre,
        clusters=None if clusters is None else clusters[0],
        cluster_group=None if clusters is None else clusters[1],
        cluster_sums=None if clusters is None else clusters[2],
        rows=rows,
        dropped=dropped,
    )


def _missing(engine: Engine, name: str) -> str:
    column = engine.quoted(name)
    return f"({column} IS NULL OR CAST({column} AS VARCHAR(40)) IN ('nan', 'NaN'))"


def _counted(engine: Engine, columns: MomentColumns) -> tuple[int, float, dict[str, int]]:
    """Return rows used, the mean of their outcome, and rows left out by reason."""
    outcome = f"CAST({engine.quoted(columns.outcome)} AS DOUBLE)"
    reasons: dict[str, str] = {}
    earlier = "FALSE"
    if columns.weights is not None:
        weight = f"CAST({engine.quoted(columns.weights)} AS DOUBLE)"
        bad = f"({weight} IS NULL OR isnan({weight}) OR {weight} < 0 OR {weight} = CAST('inf' AS DOUBLE))"
        wrong = engine.run(f"SELECT COUNT(*) AS n FROM {engine.table} WHERE {bad}")["n"]
        if int(wrong[0]):
            raise DesignError(
                "weights are missing, negative or infinite",
                where=f"column '{columns.weights}', {int(wrong[0]):,} rows",
                remedy="give every row a weight of zero or more",
            )
        reasons[f"{columns.weights} is zero"] = f"{weight} = 0"
    for name in (columns.outcome, *columns.needed):
        reasons[f"{name} missing"] = _missing(engine, name)
    sums = []
    for at, test in enumerate(reasons.values()):
        sums.append(f"SUM(CASE WHEN NOT ({earlier}) AND {test} THEN 1 ELSE 0 END) AS d{at}")
        earlier = f"{earlier} OR {test}"
    sums.append(f"SUM(CASE WHEN {earlier} THEN 0 ELSE 1 END) AS kept")
    sums.append(f"AVG(CASE WHEN {earlier} THEN NULL ELSE {outcome} END) AS centre")
    no_time = _missing(engine, columns.time)
    sums.append(f"SUM(CASE WHEN {no_time} THEN 1 ELSE 0 END) AS no_time")
    found = engine.run(f"SELECT {', '.join(sums)} FROM {engine.table}")
    kept = float(found["kept"][0])
    if not kept > 0 or float(found["no_time"][0]) > 0:
        raise DesignError(
            "no complete row is left" if not kept > 0 else f"the column '{columns.time}' has missing values",
            where=f"{engine.table[:120]}",
            remedy="check the columns, and give every row its period",
        )
    dropped = {reason: int(found[f"d{at}"][0]) for at, reason in enumerate(reasons)}
    return int(kept), float(found["centre"][0]), {name: n for name, n in dropped.items() if n}


def _kept(engine: Engine, columns: MomentColumns, centre: float) -> str:
    """Return the complete rows under names of our own."""
    outcome = f"CAST({engine.quoted(columns.outcome)} AS DOUBLE)"
    parts = [f"{outcome} - ({centre!r}) AS y", f"{engine.quoted(columns.time)} AS t"]
    weight = "1.0" if columns.weights is None else engine.quoted(columns.weights)
    parts.append(f"CAST({weight} AS DOUBLE) AS w")
    parts += [f"{engine.quoted(name)} AS k{at}" for at, name in enumerate(columns.keys)]
    if columns.unit is not None:
        parts.append(f"{engine.quoted(columns.unit)} AS u")
    if columns.cluster is not None:
        parts.append(f"{engine.quoted(columns.cluster)} AS c")
    complete = [f"NOT {_missing(engine, name)}" for name in (columns.outcome, *columns.needed)]
    if columns.weights is not None:
        complete.append(f"CAST({weight} AS DOUBLE) > 0")
    numbered = (
        "SELECT t, ROW_NUMBER() OVER (ORDER BY t) - 1 AS period FROM (SELECT DISTINCT t FROM used) AS d"
    )
    return (
        f"used AS (SELECT {', '.join(parts)} FROM {engine.table} WHERE {' AND '.join(complete)}), "
        f"periods AS ({numbered}), "
        "kept AS (SELECT used.*, periods.period FROM used JOIN periods ON used.t = periods.t)"
    )


def _units(columns: MomentColumns, size: int) -> str:
    """Return one row a unit: who is seen when, outcomes and keys side by side."""
    cluster = ["c"] if columns.cluster is not None else []
    if columns.unit is None:
        parts = ["period", "w", "w AS w_most", "y AS y0"]
        parts += [f"k{at} AS k{at}_0" for at in range(len(columns.keys))]
        return f"units AS (SELECT {', '.join([*parts, *cluster])} FROM kept)"
    parts = ["u", "MIN(w) AS w", "MAX(w) AS w_most"]
    parts += ["MIN(c) AS c", "MAX(c) AS c_most"] if cluster else []
    for t in range(size):
        parts.append(f"COUNT(CASE WHEN period = {t} THEN 1 END) AS n{t}")
        parts.append(f"COALESCE(SUM(CASE WHEN period = {t} THEN y END), 0.0) AS y{t}")
        parts += [
            f"MAX(CASE WHEN period = {t} THEN k{at} END) AS k{at}_{t}" for at in range(len(columns.keys))
        ]
    return f"units AS (SELECT {', '.join(parts)} FROM kept GROUP BY u)"


def _moments(size: int) -> str:
    parts = [
        "COUNT(*) AS count",
        "SUM(w) AS s_w",
        "SUM(w * w) AS s_ww",
        "SUM(CASE WHEN w <> w_most THEN 1 ELSE 0 END) AS moving",
    ]
    for t in range(size):
        parts += [f"SUM(w * y{t}) AS s{t}", f"SUM(w * w * y{t}) AS ww{t}"]
        parts += [f"SUM(w * w * y{r} * y{t}) AS q{r}_{t}" for r in range(t + 1)]
    return ", ".join(parts)


def _refuse(found: Mapping[str, NDArray[Any]], columns: MomentColumns, size: int) -> None:
    if len(found["count"]) > MOST_GROUPS:
        raise DesignError(
            "the keys have too many values to be summed by",
            where=f"{len(found['count']):,} groups by {', '.join(columns.keys)}",
            remedy="give discrete covariates only, or estimate in memory",
        )
    moving = int(found["moving"].sum())
    if moving:
        raise DesignError(
            f"'{columns.weights}' changes within units",
            where=f"{moving:,} units",
            remedy="give each unit one weight, such as that of its first period",
        )
    if columns.unit is None:
        return
    twice = [t for t in range(size) if (found[f"n{t}"] > 1).any()]
    if twice:
        raise DesignError(
            "units have several rows in one period",
            where=f"columns '{columns.unit}' and '{columns.time}', {len(twice)} periods",
            remedy="make a unit's row in a period unique, or leave the unit out for cross-sections",
        )


def _symmetric(found: Mapping[str, NDArray[Any]], groups: int, size: int) -> Floats:
    z = np.zeros((groups, size + 2, size + 2))
    z[:, 0, 0] = found["count"]
    z[:, 0, 1] = z[:, 1, 0] = found["s_w"]
    z[:, 1, 1] = found["s_ww"]
    for t in range(size):
        z[:, 0, t + 2] = z[:, t + 2, 0] = found[f"s{t}"]
        z[:, 1, t + 2] = z[:, t + 2, 1] = found[f"ww{t}"]
        for r in range(t + 1):
            z[:, r + 2, t + 2] = z[:, t + 2, r + 2] = found[f"q{r}_{t}"]
    return z


def _placed(
    found: Mapping[str, NDArray[Any]], columns: MomentColumns, periods: NDArray[Any], size: int
) -> tuple[Bools, dict[str, NDArray[Any]]]:
    """Return who is seen when, and keys by period."""
    if columns.unit is not None:
        present = np.column_stack([found[f"n{t}"] > 0 for t in range(size)])
        return present, {
            name: np.column_stack([found[f"k{at}_{t}"] for t in range(size)])
            for at, name in enumerate(columns.keys)
        }
    present = found["period"][:, None] == np.arange(len(periods))
    return present, {
        name: np.repeat(found[f"k{at}_0"][:, None], len(periods), axis=1)
        for at, name in enumerate(columns.keys)
    }


def _spread(z: Floats, present: Bools, periods: int) -> Floats:
    """Lay moments of one period out among all."""
    wide = np.zeros((len(z), periods + 2, periods + 2))
    wide[:, :2, :2] = z[:, :2, :2]
    group, at = np.nonzero(present)
    wide[group, at + 2, at + 2] = z[:, 2, 2]
    for row in (0, 1):
        wide[group, row, at + 2] = wide[group, at + 2, row] = z[:, row, 2]
    return wide


def _clusters(
    engine: Engine,
    columns: MomentColumns,
    units: str,
    by: str,
    found: Mapping[str, NDArray[Any]],
    size: int,
    present: Bools,
) -> tuple[NDArray[Any], Codes, Floats]:
    """Return sums of z by cluster and group, the groups numbered as before."""
    sums = ["COUNT(*) AS count", "SUM(w) AS s_w", *(f"SUM(w * y{t}) AS s{t}" for t in range(size))]
    moving = "SUM(CASE WHEN c <> c_most THEN 1 ELSE 0 END)" if columns.unit is not None else "SUM(0)"
    lost = "SUM(CASE WHEN c IS NULL THEN 1 ELSE 0 END)"
    answer = engine.run(
        f"{units} SELECT {by}, c, {', '.join(sums)}, {moving} AS moving, {lost} AS lost "
        f"FROM units GROUP BY {by}, c ORDER BY {by}, c"
    )
    if answer["moving"].sum() or answer["lost"].sum():
        raise DesignError(
            f"the cluster '{columns.cluster}' is missing or changes within units",
            where=f"{int(answer['lost'].sum()):,} missing, {int(answer['moving'].sum()):,} units in several",
            remedy="cluster by a column that each unit has and keeps",
        )
    names = [name.strip() for name in by.split(",")]
    place = {key: at for at, key in enumerate(_tuples(found, names))}
    group = np.array([place[key] for key in _tuples(answer, names)], np.int64)
    z = np.column_stack([answer["count"], answer["s_w"], *(answer[f"s{t}"] for t in range(size))])
    if columns.unit is None:
        wide = np.zeros((len(z), present.shape[1] + 2))
        wide[:, :2] = z[:, :2]
        wide[np.arange(len(z)), present[group].argmax(axis=1) + 2] = z[:, 2]
        z = wide
    return answer["c"], group, np.asarray(z, np.float64)


def _tuples(found: Mapping[str, NDArray[Any]], names: list[str]) -> list[tuple[str, ...]]:
    return list(zip(*(map(str, found[name].tolist()) for name in names), strict=True))
