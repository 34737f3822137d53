"""Group-time effects of repeated cross-sections, or of whatever rows an unbalanced panel has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Block
from juntos_eval.estimators.did import drdid_cross_sections
from juntos_eval.estimators.did.cells import Cell, Control, controls_of
from juntos_eval.estimators.did.changes import Method
from juntos_eval.estimators.did.drdid_cross_sections import CellRegressions, Variance
from juntos_eval.estimators.did.effect import Effect
from juntos_eval.estimators.did.group_time_panel import CellEffects, without_error
from juntos_eval.estimators.did.nuisances import Arms, Score, likelihood_score, regress
from juntos_eval.estimators.did.staggered import Staggered
from juntos_eval.numerics.orthogonal_design import orthogonal_design

__all__ = ["section_effects"]


def section_effects(
    design: Staggered,
    cells: tuple[Cell, ...],
    method: Method,
    control: Control,
    trim: float,
    variance: Variance,
) -> CellEffects:
    """Estimate every cell from the rows of its cohort and controls in its two periods.

    Parameters
    ----------
    design : Staggered
    cells : tuple of Cell
    method : {"dr", "ipw", "reg"}
    control : {"never", "not_yet"}
    trim : float
    variance : {"exact", "drdid"}

    Returns
    -------
    CellEffects
        Rows of the blocks are rows of the design.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.cells import cells_of
    >>> from juntos_eval.estimators.did.group_time_sections import section_effects
    >>> from juntos_eval.estimators.did.staggered import StaggeredColumns, read_staggered
    >>> frame = pd.DataFrame({"year": [1, 2] * 4, "start": [2] * 4 + [0] * 4,
    ...                       "y": [1.0, 4.0, 2.0, 5.0, 1.0, 2.0, 3.0, 4.0]})
    >>> design = read_staggered(frame, StaggeredColumns(outcome="y", time="year", first_treated="start"))
    >>> cells = cells_of(design.timeline.values, design.cohorts, "varying", 0)
    >>> section_effects(design, cells, "reg", "never", 0.995, "exact").values.tolist()
    [2.0]
    """
    values = np.full(len(cells), np.nan)
    blocks: list[Block] = []
    failures: dict[int, str] = {}
    left_out: set[str] = set()
    trimmed = 0
    for at, cell in enumerate(cells):
        rows = _rows(design, cell, control)
        found = _effect(design, cell, rows, method, trim, variance)
        if isinstance(found, str):
            failures[at] = found
            blocks.append(without_error([at]))
            continue
        left_out.update(found.left_out)
        trimmed = max(trimmed, found.trimmed)
        values[at] = found.effect.value
        if _corners(design, cell, rows).min() < 2:
            failures[at] = "a single row in a group and period: the error is not known"
            blocks.append(without_error([at]))
        else:
            blocks.append(Block(rows, np.array([at]), found.effect.influence[:, None]))
    return CellEffects(
        values=values,
        blocks=tuple(blocks),
        failures=failures,
        left_out=tuple(sorted(left_out)),
        trimmed=trimmed,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """The effect of a cell, covariates that do not vary in it, and controls without odds."""

    effect: Effect
    left_out: tuple[str, ...]
    trimmed: int


def _rows(design: Staggered, cell: Cell, control: Control) -> Codes:
    in_periods = (design.period == cell.period) | (design.period == cell.base)
    treated = design.first_treated == cell.cohort
    compared = treated | controls_of(design.first_treated, cell, control)
    return np.flatnonzero(in_periods & compared).astype(np.int64)


def _corners(design: Staggered, cell: Cell, rows: Codes) -> Codes:
    """Count rows of untreated before and after, treated before and after."""
    treated = design.first_treated[rows] == cell.cohort
    after = design.period[rows] == cell.period
    return np.bincount(2 * treated + after, minlength=4)


def _effect(
    design: Staggered, cell: Cell, rows: Codes, method: Method, trim: float, variance: Variance
) -> _Found | str:
    """Return the effect of a cell, or why there is none."""
    counts = _corners(design, cell, rows)
    if counts.min() == 0:
        who = "no row is left as a control" if counts[:2].min() == 0 else "the cohort has no row"
        return f"{who} in one of the periods"
    outcome, after = design.outcome[rows], design.period[rows] == cell.period
    weights = design.weights[rows] / design.weights[rows].mean()
    basis = orthogonal_design(design.covariates[rows], weights)
    arms = Arms(
        treated=design.first_treated[rows] == cell.cohort,
        weights=weights,
        design=basis.columns,
        covariates=design.covariates[np.ix_(rows, np.array(basis.kept, np.int64))],
        names=tuple(design.covariate_names[j] for j in basis.kept),
    )
    try:
        score = None if method == "reg" else likelihood_score(arms, trim)
        effect = _estimate(outcome, after, arms, score, method, variance)
    except DesignError as error:
        return error.what
    return _Found(
        effect,
        tuple(design.covariate_names[j] for j in basis.left_out),
        0 if score is None else int(score.trimmed.sum()),
    )


def _estimate(
    outcome: Floats, after: Bools, arms: Arms, score: Score | None, method: Method, variance: Variance
) -> Effect:
    if score is not None and method == "ipw":
        return drdid_cross_sections.inverse_probability(outcome, after, arms, score, normalised=True)
    regressions = _regressions(outcome, after, arms, with_treated=score is not None)
    if score is None:
        return drdid_cross_sections.outcome_regression(outcome, after, arms, regressions)
    return drdid_cross_sections.doubly_robust(outcome, after, arms, score, regressions, variance=variance)


def _regressions(outcome: Floats, after: Bools, arms: Arms, *, with_treated: bool) -> CellRegressions:
    def of(group: Bools, when: Bools, where: str) -> object:
        return regress(outcome, arms.design, arms.weights * (group & when), where, arms)

    found = {
        "control_before": of(~arms.treated, ~after, "the controls before"),
        "control_after": of(~arms.treated, after, "the controls after"),
    }
    if with_treated:
        found["treated_before"] = of(arms.treated, ~after, "the treated before")
        found["treated_after"] = of(arms.treated, after, "the treated after")
    return CellRegressions(**found)  # type: ignore[arg-type]
