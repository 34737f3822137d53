"""The columns of an instrumented regression as arrays: effects taken out, rank decided, drops named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pandas import DataFrame

from juntos_eval.arrays import Bools, Floats, FrozenMapping, frozen
from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import DenseInfluence, Estimate, Fit, Groups, Instrumented, Linear
from juntos_eval.estimators.design import Selection, select
from juntos_eval.numerics.absorb import Factor, absorber, in_singletons
from juntos_eval.numerics.k_class import PartialledOut, partial_out
from juntos_eval.numerics.least_squares import COLLINEAR, independent_columns

__all__ = ["CONSTANT", "Columns", "InstrumentedModel", "instrumented_parts", "model_from", "model_of"]

CONSTANT = "constant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Names of the columns that an instrumented regression is made of.

    Attributes
    ----------
    outcome : str
    endogenous, instruments, covariates, absorb : tuple of str
    weights : str, optional
    drops_singletons : bool
        Leave out rows that are alone in a level of an absorbed factor, again and again.

    Examples
    --------
    >>> Columns(outcome="y", endogenous=("d",), instruments=("z",)).absorb
    ()
    """

    outcome: str
    endogenous: tuple[str, ...]
    instruments: tuple[str, ...]
    covariates: tuple[str, ...] = ()
    absorb: tuple[str, ...] = ()
    weights: str | None = None
    drops_singletons: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InstrumentedModel:
    """Outcome, endogenous and exogenous regressors and instruments, absorbed effects taken out of all.

    Attributes
    ----------
    outcome : numpy.ndarray, shape (n,)
    endogenous : numpy.ndarray, shape (n, d)
    exogenous : numpy.ndarray, shape (n, p)
        The constant last, unless effects are absorbed.
    instruments : numpy.ndarray, shape (n, m)
    weights : numpy.ndarray, shape (n,)
    endogenous_names, exogenous_names, instrument_names : tuple of str
    groups : Mapping of str to Groups
    absorbed : tuple of Groups
    absorbed_rank : int
    dropped_columns : tuple of str
        What earlier columns span.
    outcome_total : float
        Sum of squares of the outcome around its weighted mean, before effects were taken out.
    singletons : int
        Rows alone in a level of an absorbed factor.
    """

    outcome: Floats
    endogenous: Floats
    exogenous: Floats
    instruments: Floats
    weights: Floats
    endogenous_names: tuple[str, ...]
    exogenous_names: tuple[str, ...]
    instrument_names: tuple[str, ...]
    groups: Mapping[str, Groups]
    absorbed: tuple[Groups, ...] = ()
    absorbed_rank: int = 0
    dropped_columns: tuple[str, ...] = ()
    outcome_total: float = np.nan
    singletons: int = 0

    def __post_init__(self) -> None:
        for name in ("outcome", "endogenous", "exogenous", "instruments", "weights"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        object.__setattr__(self, "groups", FrozenMapping(self.groups))

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.outcome)

    @property
    def absorbed_parameters(self) -> int:
        """Levels of all absorbed factors, less one for each factor after the first."""
        if not self.absorbed:
            return 0
        return sum(len(np.unique(factor.codes)) for factor in self.absorbed) - len(self.absorbed) + 1

    def left(self) -> PartialledOut:
        """Return what the exogenous regressors leave of the other columns."""
        return partial_out(self.outcome, self.endogenous, self.exogenous, self.instruments, self.weights)

    def least_squares_fit(self, target: Floats, basis: Floats, left: PartialledOut) -> Fit:
        """Return the fit of a regression on columns orthonormal beside the exogenous ones, and those.

        Parameters
        ----------
        target : numpy.ndarray, shape (n,)
            With the exogenous taken out, times the root of the weights.
        basis : numpy.ndarray, shape (n, l)
            Orthonormal and orthogonal to the exogenous, times the root of the weights.
        left : PartialledOut

        Returns
        -------
        Fit
            Of the l coefficients of the basis.
        """
        values = basis.T @ target
        rest = target - basis @ values
        design = left.design
        if basis is not left.basis:
            design = np.column_stack([basis, left.exogenous_basis]) / left.root[:, None]
        linear = Linear(
            design=design,
            weights=self.weights,
            residuals=rest / left.root,
            bread=np.eye(design.shape[1]),
            selection=np.eye(basis.shape[1], design.shape[1]),
            absorbed=self.absorbed,
            absorbed_rank=self.absorbed_rank,
        )
        return Fit(
            values=values,
            influence=DenseInfluence(basis * rest[:, None]),
            parameters=design.shape[1] + self.absorbed_parameters,
            groups=self.groups,
            linear=linear,
        )


def model_from(
    data: DataFrame, columns: Columns, carry: Sequence[str]
) -> tuple[InstrumentedModel, Selection]:
    """Read the columns of a frame.

    Parameters
    ----------
    data : pandas.DataFrame
    columns : Columns
    carry : sequence of str

    Returns
    -------
    model : InstrumentedModel
    selection : Selection

    Raises
    ------
    DesignError
        For columns that cannot be used, a constant or collinear regressor, or too few instruments.
    """
    chosen = select(
        data,
        numeric=(columns.outcome, *columns.endogenous),
        covariates=(*columns.covariates, *columns.instruments),
        weights=columns.weights,
        carry=(*columns.absorb, *carry),
    )
    factors = [_factor(chosen.groups[name]) for name in columns.absorb]
    alone = in_singletons(factors) if factors else np.zeros(chosen.n, dtype=np.bool_)
    if columns.drops_singletons and alone.any():
        return _without_singletons(data, columns, carry, chosen, alone)
    covariates = _count_of(chosen.covariate_names, columns.covariates)
    exogenous, names = chosen.covariates[:, :covariates], chosen.covariate_names[:covariates]
    outcome = chosen.columns[columns.outcome]
    matrix = np.column_stack(
        [outcome, *(chosen.columns[name] for name in columns.endogenous), chosen.covariates]
    )
    d = len(columns.endogenous)
    absorbed = tuple(chosen.groups[name] for name in columns.absorb)
    rank = 0
    if absorbed:
        within = absorber(factors, chosen.weights if columns.weights else None)
        matrix, rank = _within(matrix, within.residuals(matrix)), within.rank
        exogenous = matrix[:, 1 + d : 1 + d + covariates]
    else:
        exogenous, names = np.column_stack([exogenous, np.ones(chosen.n)]), (*names, CONSTANT)
    root = np.sqrt(chosen.weights)[:, None]
    instruments = matrix[:, 1 + d + covariates :]
    kept = _kept(np.column_stack([exogenous, instruments]) * root, has_constant=not absorbed, p=len(names))
    _require(
        columns, matrix[:, 1 : 1 + d] * root, (exogenous * root)[:, kept[: len(names)]], kept, len(names)
    )
    instrument_names = chosen.covariate_names[covariates:]
    every = np.array([*names, *instrument_names])
    weight = chosen.weights
    return InstrumentedModel(
        outcome=matrix[:, 0],
        endogenous=matrix[:, 1 : 1 + d],
        exogenous=exogenous[:, kept[: len(names)]],
        instruments=instruments[:, kept[len(names) :]],
        weights=weight,
        endogenous_names=columns.endogenous,
        exogenous_names=tuple(every[: len(names)][kept[: len(names)]].tolist()),
        instrument_names=tuple(every[len(names) :][kept[len(names) :]].tolist()),
        groups=chosen.groups,
        absorbed=absorbed,
        absorbed_rank=rank,
        dropped_columns=tuple(every[~kept].tolist()),
        outcome_total=float(weight @ (outcome - weight @ outcome / weight.sum()) ** 2),
        singletons=int(alone.sum()),
    ), chosen


def _factor(groups: Groups) -> Factor:
    return Factor(codes=groups.codes, count=groups.count)


def _without_singletons(
    data: DataFrame, columns: Columns, carry: Sequence[str], chosen: Selection, alone: Bools
) -> tuple[InstrumentedModel, Selection]:
    if alone.all():
        raise DesignError(
            "every row is alone in a level of an absorbed factor",
            where=f"{chosen.n:,} rows, absorb={columns.absorb}",
            remedy="absorb factors whose levels have several rows",
        )
    kept = replace(columns, drops_singletons=False)
    model, fewer = model_from(data.iloc[chosen.rows[~alone]], kept, carry)
    dropped = {**chosen.dropped, "alone in a level of an absorbed factor": int(alone.sum())}
    return replace(model, singletons=int(alone.sum())), replace(fewer, dropped=dropped)


def _count_of(names: Sequence[str], columns: Sequence[str]) -> int:
    """Say how many of the expanded names belong to the first columns."""
    position = 0
    for column in dict.fromkeys(columns):
        if position < len(names) and names[position] == column:
            position += 1
            continue
        while position < len(names) and names[position].startswith(f"{column}["):
            position += 1
    return position


def _within(before: Floats, after: Floats) -> Floats:
    """Set to zero what absorbed effects leave of a column when it is rounding."""
    gone = np.linalg.norm(after, axis=0) <= COLLINEAR * np.linalg.norm(before, axis=0)
    return np.where(gone, 0.0, after)


def _kept(matrix: Floats, *, has_constant: bool, p: int) -> Bools:
    if not has_constant:
        return independent_columns(matrix)
    # the constant stands last among the names, but a column is dropped for it and not it for a column
    order = np.concatenate([[p - 1], np.delete(np.arange(matrix.shape[1]), p - 1)])
    kept = np.empty(matrix.shape[1], dtype=np.bool_)
    kept[order] = independent_columns(matrix[:, order])
    return kept


def _require(columns: Columns, endogenous: Floats, exogenous: Floats, kept: Bools, p: int) -> None:
    d = endogenous.shape[1]
    beside = independent_columns(np.column_stack([exogenous, endogenous]))[exogenous.shape[1] :]
    if not beside.all():
        spanned = [name for name, is_own in zip(columns.endogenous, beside, strict=True) if not is_own]
        raise DesignError(
            f"an endogenous regressor does not vary beside the others: {', '.join(spanned)}",
            where=f"{len(endogenous):,} rows; covariates, the constant or absorbed effects span it",
            remedy="leave it out, or take out what spans it",
        )
    usable = int(kept[p:].sum())
    if usable < d:
        raise DesignError(
            "there are fewer instruments than endogenous regressors",
            where=f"{usable} instruments that covariates, the constant and absorbed effects do not span, "
            f"of {len(kept) - p}; {d} endogenous",
            remedy="name an instrument for each endogenous regressor, that varies beside the covariates",
        )


def model_of(estimate: Estimate) -> InstrumentedModel:
    """Return the model behind an estimate of :class:`~juntos_eval.estimators.iv.two_stage.TwoStage`.

    Parameters
    ----------
    estimate : Estimate

    Returns
    -------
    InstrumentedModel

    Raises
    ------
    InferenceError
        If the estimate has no instrumented model in memory.
    """
    fit, linear, model = instrumented_parts(estimate)
    names = estimate.details["columns"]
    return InstrumentedModel(
        outcome=model.outcome,
        endogenous=model.endogenous,
        exogenous=model.exogenous,
        instruments=model.instruments,
        weights=linear.weights,
        endogenous_names=tuple(names["endogenous"]),
        exogenous_names=tuple(names["exogenous"]),
        instrument_names=tuple(names["instruments"]),
        groups=fit.groups,
        absorbed=linear.absorbed,
        absorbed_rank=linear.absorbed_rank,
        outcome_total=float(estimate.details["outcome_total"]),
    )


def instrumented_parts(estimate: Estimate) -> tuple[Fit, Linear, Instrumented]:
    """Return what an estimate of :class:`~juntos_eval.estimators.iv.two_stage.TwoStage` keeps in memory.

    Parameters
    ----------
    estimate : Estimate

    Returns
    -------
    Fit
    Linear
    Instrumented

    Raises
    ------
    InferenceError
        If it is no such estimate, or was read from a record.
    """
    fit = estimate.fit
    if fit is None or fit.instrumented is None or fit.linear is None:
        raise InferenceError(
            "this needs an instrumented regression in memory",
            where=str(estimate.spec.get("estimator", "estimate")),
            remedy="fit je.TwoStage(...) and hand over its estimate",
        )
    return fit, fit.linear, fit.instrumented
