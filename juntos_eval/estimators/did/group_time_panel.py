"""Group-time effects of a balanced panel: changes of units between two periods, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Codes, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Block
from juntos_eval.estimators.did.cells import Cell, Control, controls_of
from juntos_eval.estimators.did.changes import Effects, Method, effects_of_changes
from juntos_eval.estimators.did.nuisances import Arms
from juntos_eval.estimators.did.staggered import Staggered
from juntos_eval.numerics.orthogonal_design import orthogonal_design

__all__ = ["CellEffects", "Panel", "balanced_panel", "panel_effects", "without_error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A balanced panel as matrices of units × periods.

    Attributes
    ----------
    outcome : numpy.ndarray, shape (N, T)
    covariates : tuple of numpy.ndarray
        One (N, p) matrix where covariates do not change over time, else one a period.
    covariate_names : tuple of str, length p
    weights : numpy.ndarray, shape (N,)
        Of the unit's first period, with mean one.
    first_treated : numpy.ndarray, shape (N,)
    kept : numpy.ndarray of int64, shape (N,)
        Codes of these units among all that have a complete row.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.group_time_panel import Panel
    >>> Panel(outcome=np.zeros((1, 2)), covariates=(np.zeros((1, 0)),), covariate_names=(),
    ...       weights=np.ones(1), first_treated=np.array([np.inf]), kept=np.array([0])).outcome.shape
    (1, 2)
    """

    outcome: Floats
    covariates: tuple[Floats, ...]
    covariate_names: tuple[str, ...]
    weights: Floats
    first_treated: Floats
    kept: Codes

    def covariates_in(self, period: int) -> Floats:
        """Return the covariates of a period, (N, p)."""
        return self.covariates[period if len(self.covariates) > 1 else 0]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellEffects:
    """Values of cells, their influence in blocks, and what kept a cell from being estimated.

    Attributes
    ----------
    values : numpy.ndarray, shape (k,)
    blocks : tuple of Block
        Rows are units (or observations), columns are cells.
    failures : dict of int to str
        Reason by cell.
    left_out : tuple of str
        Covariates that did not vary in some cell.
    trimmed : int
        Most controls without odds in a cell.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.group_time_panel import CellEffects
    >>> CellEffects(values=np.zeros(1), blocks=(), failures={}, left_out=(), trimmed=0).trimmed
    0
    """

    values: Floats
    blocks: tuple[Block, ...]
    failures: dict[int, str]
    left_out: tuple[str, ...]
    trimmed: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))


def balanced_panel(design: Staggered) -> Panel:
    """Lay a design out as units × periods; units that are not complete in every period are left out.

    Parameters
    ----------
    design : Staggered
        With units, and each at most once in a period.

    Returns
    -------
    Panel

    Raises
    ------
    DesignError
        If no unit is complete.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.group_time_panel import balanced_panel
    >>> from juntos_eval.estimators.did.staggered import StaggeredColumns, read_staggered
    >>> frame = pd.DataFrame({"id": [1, 1, 2], "year": [1, 2, 1], "start": [2, 2, 0], "y": [1.0, 3.0, 1.0]})
    >>> columns = StaggeredColumns(outcome="y", time="year", first_treated="start", unit="id")
    >>> balanced_panel(read_staggered(frame, columns)).outcome.tolist()
    [[1.0, 3.0]]
    """
    units = design.units
    if units is None:
        raise DesignError(
            "a panel needs its unit", where="unit=None", remedy="name the unit's column, or set panel=False"
        )
    periods, count = design.timeline.count, units.count
    place = units.codes * periods + design.period
    at = np.full(count * periods, -1, dtype=np.int64)
    at[place] = np.arange(design.n)
    table = at.reshape(count, periods)
    complete = (table >= 0).all(axis=1)
    if not complete.any():
        raise DesignError(
            "no unit has a complete row in every period",
            where=f"{count} units, {periods} periods, {design.n} complete rows",
            remedy="set balanced=False to use what each unit has, or leave periods out",
        )
    rows = table[complete]
    weights = design.weights[rows[:, 0]]
    return Panel(
        outcome=design.outcome[rows],
        covariates=_by_period(design.covariates, rows),
        covariate_names=design.covariate_names,
        weights=weights / weights.mean(),
        first_treated=design.first_treated[rows[:, 0]],
        kept=np.flatnonzero(complete).astype(np.int64),
    )


def _by_period(covariates: Floats, rows: Codes) -> tuple[Floats, ...]:
    first = covariates[rows[:, 0]]
    later = [covariates[rows[:, period]] for period in range(1, rows.shape[1])]
    if all(np.array_equal(first, values) for values in later):
        return (first,)
    return (first, *later)


def panel_effects(
    panel: Panel, cells: tuple[Cell, ...], method: Method, control: Control, trim: float
) -> CellEffects:
    """Estimate every cell, those with the same groups and covariates together.

    Parameters
    ----------
    panel : Panel
    cells : tuple of Cell
    method : {"dr", "ipw", "reg"}
    control : {"never", "not_yet"}
    trim : float

    Returns
    -------
    CellEffects
        NaN with a reason for cells that cannot be estimated.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.cells import cells_of
    >>> from juntos_eval.estimators.did.group_time_panel import Panel, panel_effects
    >>> panel = Panel(outcome=np.array([[1.0, 4.0], [2.0, 5.0], [1.0, 2.0], [3.0, 4.0]]),
    ...               covariates=(np.zeros((4, 0)),), covariate_names=(), weights=np.ones(4),
    ...               first_treated=np.array([2.0, 2.0, np.inf, np.inf]), kept=np.arange(4))
    >>> cells = cells_of(np.array([1.0, 2.0]), np.array([2.0]), "varying", 0)
    >>> panel_effects(panel, cells, "dr", "never", 0.995).values.tolist()
    [2.0]
    """
    values = np.full(len(cells), np.nan)
    blocks: list[Block] = []
    failures: dict[int, str] = {}
    left_out: set[str] = set()
    trimmed = 0
    for members in _alike(panel, cells, control):
        first = cells[members[0]]
        treated = panel.first_treated == first.cohort
        rows = np.flatnonzero(treated | controls_of(panel.first_treated, first, control)).astype(np.int64)
        found, names = _effects(panel, cells, members, rows, method, trim)
        left_out.update(names)
        if isinstance(found, str):
            failures.update(dict.fromkeys(members, found))
            blocks.append(without_error(members))
            continue
        values[members] = found.values
        trimmed = max(trimmed, 0 if found.score is None else int(found.score.trimmed.sum()))
        if min(int(treated[rows].sum()), int((~treated[rows]).sum())) < 2:
            failures.update(dict.fromkeys(members, "an arm of a single unit: the error is not known"))
            blocks.append(without_error(members))
        else:
            blocks.append(Block(rows, np.array(members), found.influence))
    return CellEffects(
        values=values,
        blocks=tuple(blocks),
        failures=failures,
        left_out=tuple(sorted(left_out)),
        trimmed=trimmed,
    )


def without_error(cells: list[int]) -> Block:
    """Return the influence of cells whose error is not known, .

    Parameters
    ----------
    cells : list of int

    Returns
    -------
    Block
        NaN on one row, which is enough to make every sum NaN.

    Examples
    --------
    >>> from juntos_eval.estimators.did.group_time_panel import without_error
    >>> without_error([3]).values.tolist()
    [[nan]]
    """
    return Block(np.zeros(1, np.int64), np.array(cells, np.int64), np.full((1, len(cells)), np.nan))


def _alike(panel: Panel, cells: tuple[Cell, ...], control: Control) -> Iterator[list[int]]:
    """Yield positions of cells that have cohort, controls and covariates in common."""
    starts = np.unique(panel.first_treated)
    shared: dict[tuple[float, int, int], list[int]] = {}
    for at, cell in enumerate(cells):
        # later cohorts that still serve as controls; with never-treated ones they are always the same
        later = 0 if control == "never" else int(np.searchsorted(starts, cell.untreated_until, side="right"))
        period = min(cell.base, cell.period) if len(panel.covariates) > 1 else 0
        shared.setdefault((cell.cohort, later, period), []).append(at)
    yield from shared.values()


def _effects(
    panel: Panel, cells: tuple[Cell, ...], members: list[int], rows: Codes, method: Method, trim: float
) -> tuple[Effects | str, tuple[str, ...]]:
    """Return the effects of cells alike, or why there are none, and the covariates left out."""
    first = cells[members[0]]
    treated = panel.first_treated[rows] == first.cohort
    if treated.all():
        return "no unit is left as a control", ()
    weights = panel.weights[rows] / panel.weights[rows].mean()
    covariates = panel.covariates_in(min(first.base, first.period))[rows]
    basis = orthogonal_design(covariates, weights)
    arms = Arms(
        treated=treated,
        weights=weights,
        design=basis.columns,
        covariates=covariates[:, list(basis.kept)],
        names=tuple(panel.covariate_names[j] for j in basis.kept),
    )
    later = np.array([cells[at].period for at in members], np.int64)
    base = np.array([cells[at].base for at in members], np.int64)
    outcome = panel.outcome[rows]
    changes = outcome[:, later] - outcome[:, base]
    names = tuple(panel.covariate_names[j] for j in basis.left_out)
    try:
        return effects_of_changes(changes, arms, method, trim), names
    except DesignError as error:
        return error.what, names
