"""Effects of cells beside two absorbed factors: influence and design are made only when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from juntos_eval.arrays import Codes, Floats, frozen
from juntos_eval.estimate import Check, Estimate, Fit, Groups, Inference, Linear, Sample, Uncertainty
from juntos_eval.estimate.combination import combined
from juntos_eval.estimators.design import groups_to_carry, select
from juntos_eval.estimators.did.staggered import StaggeredColumns
from juntos_eval.estimators.did.two_way_frame import TwoWayFrame, regress_on
from juntos_eval.estimators.panel.regression_checks import (
    condition_check,
    dropped_columns_check,
    level_checks,
    leverage_check,
    singleton_check,
)
from juntos_eval.estimators.panel.terms import absorbed_terms, factor_of
from juntos_eval.numerics.absorb_factors import in_singletons
from juntos_eval.numerics.cell_regression import CellRegression, Deviations, cell_regression

__all__ = ["CellInfluence", "CellLinear", "Cells", "regress_on_cells"]

# rows that are laid out as a matrix at a time
_STRETCH = 32_768
# entries of the design up to which its leverage is looked at
_LOOKED_AT = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Cells of rows, each with a coefficient of its own.

    Attributes
    ----------
    names : tuple of str, length k
    codes : numpy.ndarray of int64, shape (n,)
        Cell of each row, -1 for none.

    Examples
    --------
    >>> from juntos_eval.estimators.did.cell_effects import Cells
    >>> Cells(names=("event_time=0",), codes=[-1, 0]).indicators()["event_time=0"].tolist()
    [0.0, 1.0]
    """

    names: tuple[str, ...]
    codes: Codes

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", frozen(self.codes, np.int64))

    def indicators(self) -> dict[str, Floats]:
        """Return a column for each cell."""
        return {name: (self.codes == at).astype(np.float64) for at, name in enumerate(self.names)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellInfluence:
    r"""Influence :math:`s_r (q_{a(r)} - \bar q_{i(r)}) + w_r o_{a(r)}`, with tables q and o by atom.

    Attributes
    ----------
    deviations : Deviations
    scale : numpy.ndarray, shape (n,)
        s: weight times residual.
    table : numpy.ndarray, shape (atoms, k)
        q.
    weights : numpy.ndarray, shape (n,)
        w.
    own : numpy.ndarray, shape (atoms, k)
        o: what a row does through the weight of its cell; zero where weights are fixed.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from juntos_eval.estimators.did.cell_effects import CellInfluence
    >>> from juntos_eval.numerics.cell_regression import Deviations
    >>> rows = Deviations(atoms=np.array([0, 1]), levels=np.array([0, 0]),
    ...                   shares=sparse.csr_array([[0.5, 0.5]]))
    >>> CellInfluence(deviations=rows, scale=np.array([1.0, 1.0]), table=np.array([[1.0], [3.0]]),
    ...               weights=np.ones(2), own=np.zeros((2, 1))).dense().tolist()
    [[-1.0], [1.0]]
    """

    deviations: Deviations
    scale: Floats
    table: Floats
    weights: Floats
    own: Floats

    def __post_init__(self) -> None:
        for name in ("scale", "table", "weights", "own"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def rows(self) -> int:
        """Rows n."""
        return len(self.scale)

    @property
    def columns(self) -> int:
        """Values k."""
        return int(self.table.shape[1])

    def totals(self, codes: Codes, groups: int) -> Floats:
        """Sum by group, (groups, k)."""
        sums = np.asarray(self.deviations.summed(self.scale, codes, groups) @ self.table)
        if self.own.any():
            atoms = len(self.own)
            mass = np.bincount(codes * atoms + self.deviations.atoms, weights=self.weights)
            mass = np.pad(mass, (0, groups * atoms - len(mass)))
            sums += mass.reshape(groups, atoms) @ self.own
        return sums

    def covariance(self) -> Floats:
        """Sum of outer products, (k, k)."""
        sums = np.zeros((self.columns, self.columns))
        for start in range(0, self.rows, _STRETCH):
            part = self.stretch(start, min(start + _STRETCH, self.rows))
            sums += part.T @ part
        return sums

    def weighted_sums(self, multipliers: Floats) -> Floats:
        """Sum of influence times multipliers, (draws, k)."""
        sums = np.zeros((len(multipliers), self.columns))
        for start in range(0, self.rows, _STRETCH):
            stop = min(start + _STRETCH, self.rows)
            sums += multipliers[:, start:stop] @ self.stretch(start, stop)
        return sums

    def combine(self, weights: Floats) -> CellInfluence:
        """Influence of linear combinations."""
        matrix = np.asarray(weights, dtype=np.float64)
        return replace(self, table=combined(self.table, matrix), own=combined(self.own, matrix))

    def dense(self) -> Floats:
        """Return the (n, k) matrix."""
        return self.stretch(0, self.rows)

    def stretch(self, start: int, stop: int) -> Floats:
        """Rows start to stop as a matrix."""
        rows = slice(start, stop)
        found = self.scale[rows, None] * self.deviations.of(self.table, rows)
        if self.own.any():
            found += self.weights[rows, None] * self.own[self.deviations.atoms[rows]]
        return np.asarray(found)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellLinear:
    """What :class:`~juntos_eval.estimate.Linear` says, with a design that is formed when it is asked for.

    Attributes
    ----------
    deviations : Deviations
    table : numpy.ndarray, shape (atoms, p)
        The design by atom, before the means of levels are taken out.
    weights, residuals, bread, selection, absorbed, absorbed_rank
        As there.

    Examples
    --------
    >>> from juntos_eval.estimators.did.cell_effects import CellLinear
    >>> CellLinear.__name__
    'CellLinear'
    """

    deviations: Deviations
    table: Floats
    weights: Floats
    residuals: Floats
    bread: Floats
    selection: Floats
    absorbed: tuple[Groups, ...] = ()
    absorbed_rank: int = 0

    @property
    def design(self) -> Floats:
        """The columns without the effects, (n, p)."""
        return self.deviations.of(self.table, slice(0, self.deviations.n))

    @property
    def leverage(self) -> Floats:
        r"""Diagonal of the weighted hat matrix, shape (n,)."""
        design = self.design
        return np.asarray(self.weights * np.einsum("ij,ij->i", design @ self.bread, design))


def regress_on_cells(
    frame: TwoWayFrame,
    columns: StaggeredColumns,
    cells: Cells,
    inference: Inference,
    carry: tuple[str, ...],
) -> Estimate:
    """Regress the outcome on indicators of cells and covariates, with the frame's effects absorbed.

    Without covariates and with two plain effects the sums of cells do, and no column of rows is made.

    Parameters
    ----------
    frame : TwoWayFrame
    columns : StaggeredColumns
    cells : Cells
    inference : Inference
        What the caller is going to infer by, for the groupings that it needs.
    carry : tuple of str

    Returns
    -------
    Estimate
        Rows by ``term``; its uncertainty is not known yet where sums did: ask by ``with_inference``.
    """
    effects = absorbed_terms(frame.rows, frame.absorb)
    is_plain = len(effects) == 2 and all(one.has_intercepts and not one.slopes for one in effects)
    if columns.covariates or not is_plain:
        return regress_on(frame, columns, cells.indicators(), inference, carry)
    own = {effect.label for effect in effects}
    wanted = tuple(name for name in groups_to_carry(inference, carry) if name not in own)
    needed = tuple(dict.fromkeys(column for effect in effects for column in effect.columns))
    chosen = select(frame.rows, carry=(*wanted, *needed))
    ways = [factor_of(effect, chosen) for effect in effects]
    groups = {name: chosen.groups[name] for name in wanted}
    groups |= {effect.label: way for effect, (way, _) in zip(effects, ways, strict=True)}
    design = frame.design
    (_, one), (_, two) = ways
    # the factor with more levels is eliminated
    pair = (one, two) if one.count >= two.count else (two, one)
    found = cell_regression(design.outcome, design.weights, pair, cells.codes, len(cells.names))
    fit = _fit(found, frame, groups, tuple(way for way, _ in ways))
    names = [cells.names[at] for at in found.kept]
    alone = int(in_singletons([one, two]).sum())
    size = len(found.coefficients)
    return Estimate(
        spec={"estimator": "CellEffects"},
        keys={"term": tuple(names)},
        values=found.coefficients,
        uncertainty=Uncertainty(
            method="not yet inferred", covariance=np.full((size, size), np.nan), df=np.inf
        ),
        sample=Sample(rows=design.n, units=design.n),
        checks=(
            dropped_columns_check([], [cells.names[at] for at in found.collinear]),
            singleton_check(alone, is_dropped=False),
            condition_check(found.condition),
            *_leverage(fit),
            *level_checks({label: groups[label] for label in (effect.label for effect in effects)}),
        ),
        details=_details(found, frame, {e.label: f.count for e, (_, f) in zip(effects, ways, strict=True)})
        | {"dropped": [cells.names[at] for at in found.collinear]},
        fit=fit,
        inference=inference,
    )


def _fit(
    found: CellRegression, frame: TwoWayFrame, groups: Mapping[str, Groups], absorbed: tuple[Groups, ...]
) -> Fit:
    weights, size = frame.design.weights, len(found.coefficients)
    linear = CellLinear(
        deviations=found.rows,
        table=found.table @ np.linalg.inv(found.bread),
        weights=weights,
        residuals=found.residuals,
        bread=found.bread,
        selection=np.eye(size),
        absorbed=absorbed,
        absorbed_rank=found.rank,
    )
    return Fit(
        values=found.coefficients,
        influence=CellInfluence(
            deviations=found.rows,
            scale=weights * found.residuals,
            table=found.table,
            weights=weights,
            own=np.zeros_like(found.table),
        ),
        parameters=size + sum(way.count for way in absorbed) - len(absorbed) + 1,
        groups=groups,
        # the same attributes; only that its design is a property
        linear=cast("Linear", linear),
    )


def _leverage(fit: Fit) -> tuple[Check, ...]:
    linear = fit.linear
    if linear is None or fit.n * len(fit.values) > _LOOKED_AT:
        return ()
    check = leverage_check(linear.design, linear.bread, linear.weights)
    return () if check is None else (check,)


def _details(found: CellRegression, frame: TwoWayFrame, absorbed: dict[str, int]) -> dict[str, object]:
    ssr = float(frame.design.weights @ found.residuals**2)
    return {
        "r2": 1.0 - ssr / found.total,
        "r2_within": 1.0 - ssr / found.within,
        "ssr": ssr,
        "absorbed": absorbed,
        "absorbed_rank": found.rank,
        "is_absorbed_rank_exact": True,
    }
