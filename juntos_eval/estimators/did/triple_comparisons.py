"""Triple differences cell by cell: three differences-in-differences with one treated group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.estimate import Block
from juntos_eval.estimators.did.cells import Cell
from juntos_eval.estimators.did.group_time_panel import CellEffects, without_error

__all__ = ["Arms3", "TripleCells", "triple_cells"]

# from first_treated (g for the treated arm, infinite for its controls, NaN for others) and cells
Compare = Callable[[Floats, tuple[Cell, ...]], CellEffects]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms3:
    """Who is enabled when, and who is eligible.

    Attributes
    ----------
    first_treated : numpy.ndarray, shape (n,)
        When the unit's surroundings are enabled; infinite for never.
    eligible : numpy.ndarray of bool, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.triple_comparisons import Arms3
    >>> arms = Arms3(first_treated=np.array([2.0, 2.0, np.inf]), eligible=np.array([True, False, True]))
    >>> arms.against(2.0, arms.eligible & np.isinf(arms.first_treated)).tolist()
    [2.0, nan, inf]
    """

    first_treated: Floats
    eligible: Bools

    def against(self, cohort: float, controls: Bools) -> Floats:
        """Return first treatments of one comparison: the eligible of a cohort with these controls."""
        treated = self.eligible & (self.first_treated == cohort)
        return np.where(treated, cohort, np.where(controls, np.inf, np.nan))


@dataclass(frozen=True, slots=True, kw_only=True)
class TripleCells:
    """Values and influence of cells, in the order of the cells.

    Attributes
    ----------
    values : numpy.ndarray, shape (k,)
    blocks : tuple of Block
    failures : dict of int to str
        Reason by cell.
    left_out : tuple of str
        Covariates that did not vary in some comparison.
    trimmed : int
        Most controls without odds in a comparison.

    Examples
    --------
    See :func:`triple_cells`.
    """

    values: Floats
    blocks: tuple[Block, ...]
    failures: dict[int, str]
    left_out: tuple[str, ...]
    trimmed: int


def triple_cells(
    arms: Arms3, cells: Sequence[Cell], control: str, compare: Compare, codes: tuple[Codes, int]
) -> TripleCells:
    r"""Estimate every cell.

    For cohort g, period t and a cohort :math:`g_c` not enabled by then,

    .. math:: ATT_{g_c}(g, t) = DiD(g, 1; g, 0) + DiD(g, 1; g_c, 1) - DiD(g, 1; g_c, 0),

    each made comparable to the covariates of the treated (g, eligible). Several :math:`g_c` are not pooled,
    which would need trends of cohorts to be parallel, but weighted by
    :math:`\Omega^{-1} 1 / (1' \Omega^{-1} 1)` with their covariance :math:`\Omega`.

    Parameters
    ----------
    arms : Arms3
    cells : sequence of Cell
        Of any cohorts.
    control : {"never", "not_yet"}
    compare : callable
        Estimates differences-in-differences.
    codes : numpy.ndarray of int64, int
        Unit of each row and number of units: influence is added up by them.

    Returns
    -------
    TripleCells

    References
    ----------
    Ortiz-Villavicencio, M., & Sant'Anna, P. H. C. (2025). Better understanding triple differences
    estimators. arXiv:2505.09942. (Theorems on identification and GMM weights.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.cells import cells_of
    >>> from juntos_eval.estimators.did.group_time_panel import Panel, panel_effects
    >>> from juntos_eval.estimators.did.triple_comparisons import Arms3, triple_cells
    >>> change = np.array([5.0, 5, 2, 2, 1, 1, 0, 0])
    >>> start = np.array([2.0] * 4 + [np.inf] * 4)
    >>> eligible = np.tile([True, True, False, False], 2)
    >>> def compare(first, cells):
    ...     panel = Panel(outcome=np.column_stack([np.zeros(8), change]), covariates=(np.zeros((8, 0)),),
    ...                   covariate_names=(), weights=np.ones(8), first_treated=first, kept=np.arange(8))
    ...     return panel_effects(panel, cells, "dr", "never", 0.995)
    >>> cells = cells_of(np.array([1.0, 2.0]), np.array([2.0]), "varying", 0)
    >>> triple_cells(Arms3(first_treated=start, eligible=eligible), cells, "never", compare,
    ...              (np.arange(8), 8)).values.tolist()
    [2.0]
    """
    used: list[CellEffects] = []

    def compared(cohort: float, controls: Bools, members: list[int]) -> _Dense:
        effects = compare(arms.against(cohort, controls), tuple(cells[at] for at in members))
        used.append(effects)
        return _dense(effects, codes)

    starts = np.unique(arms.first_treated)
    starts = starts if control == "not_yet" else starts[np.isinf(starts)]
    parts: list[list[tuple[float, Floats]]] = [[] for _ in cells]
    reasons = [""] * len(cells)
    for cohort in dict.fromkeys(cell.cohort for cell in cells):
        members = [at for at, cell in enumerate(cells) if cell.cohort == cohort]
        within = compared(cohort, (arms.first_treated == cohort) & ~arms.eligible, members)
        for start in starts[starts > cohort]:
            usable = [at for at in members if start > cells[at].untreated_until]
            if not usable:
                continue
            other = arms.first_treated == start
            alike, rest = (compared(cohort, other & one, usable) for one in (arms.eligible, ~arms.eligible))
            for column, at in enumerate(usable):
                own = members.index(at)
                value = within.values[own] + alike.values[column] - rest.values[column]
                psi = within.influence[:, own] + alike.influence[:, column] - rest.influence[:, column]
                reasons[at] = (
                    reasons[at] or within.reasons[own] or alike.reasons[column] or rest.reasons[column]
                )
                if np.isfinite(value) and np.isfinite(psi).all():
                    parts[at].append((float(value), psi))
    return _weighed_cells(parts, reasons, used)


def _weighed_cells(
    parts: Sequence[Sequence[tuple[float, Floats]]], reasons: Sequence[str], used: Sequence[CellEffects]
) -> TripleCells:
    weighed = [_weighed(at, list(part)) for at, part in enumerate(parts)]
    nobody = "no cohort is left to compare with"
    return TripleCells(
        values=np.array([value for value, _ in weighed]),
        blocks=tuple(block for _, block in weighed),
        failures={at: reasons[at] or nobody for at, part in enumerate(parts) if not part},
        left_out=tuple(sorted({name for effects in used for name in effects.left_out})),
        trimmed=max((effects.trimmed for effects in used), default=0),
    )


@dataclass(frozen=True, slots=True)
class _Dense:
    """Effects with influence of units, (N, m), and why some are not known."""

    values: Floats
    influence: Floats
    reasons: list[str]


def _dense(effects: CellEffects, codes: tuple[Codes, int]) -> _Dense:
    influence = np.zeros((codes[1], len(effects.values)))
    for block in effects.blocks:
        for column, values in zip(block.columns, block.values.T, strict=True):
            influence[:, column] += np.bincount(codes[0][block.rows], weights=values, minlength=codes[1])
    reasons = [effects.failures.get(at, "") for at in range(len(effects.values))]
    return _Dense(effects.values, influence, reasons)


def _weighed(at: int, parts: list[tuple[float, Floats]]) -> tuple[float, Block]:
    """Put the comparisons of a cell together by the inverse of their covariance."""
    if not parts:
        return np.nan, without_error([at])
    values = np.array([value for value, _ in parts])
    psi = np.column_stack([influence for _, influence in parts])
    weights = np.ones(1)
    if len(parts) > 1:
        precision = np.linalg.pinv(psi.T @ psi, rcond=1e-12, hermitian=True).sum(axis=1)
        weights = precision / precision.sum()
    summed = psi @ weights
    rows = np.flatnonzero(summed)
    return float(weights @ values), Block(rows, np.array([at]), summed[rows, None])
