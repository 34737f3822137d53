"""Poisson regression of counts and other outcomes that are not negative, with absorbed effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Fit, Groups, Inference, Linear
from juntos_eval.estimators.design import Selection, groups_to_carry, require_frame
from juntos_eval.estimators.panel.regression_checks import dropped_columns_check, level_checks
from juntos_eval.estimators.panel.regression_frame import (
    CONSTANT,
    names_of,
    regression_selection,
    sample_of,
    without,
)
from juntos_eval.estimators.panel.score_influence import ScoreInfluence
from juntos_eval.estimators.panel.terms import (
    AbsorbedTerm,
    CovariateTerm,
    absorbed_terms,
    covariate_columns,
    covariate_terms,
    factor_of,
)
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.absorb import absorber, in_singletons
from juntos_eval.numerics.generalised_linear import (
    FAMILIES,
    GeneralisedLinear,
    fit_generalised_linear,
    poisson_separated,
)
from juntos_eval.numerics.least_squares import independent_columns

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Poisson"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisson:
    r"""Poisson pseudo-maximum likelihood with any number of absorbed effects.

    .. math:: E(y_i \mid x_i) = \exp\Big(x_i'\beta + \sum_f \alpha_{f, g_f(i)}\Big)

    consistent whenever the mean is right, whatever the distribution of y (Gourieroux, Monfort & Trognon
    1984). Rows that say nothing of :math:`\beta` are left out first and counted: those alone in a level,
    those of levels where the outcome is always zero, and those that covariates separate (Correia, Guimarães
    & Zylkin 2021).

    Parameters
    ----------
    outcome : str
        Column of numbers that are not negative.
    covariates, absorb, weights
        As of :class:`FixedEffects`; of ``absorb``, levels only and no slopes.

    References
    ----------
    Gourieroux, C., Monfort, A. & Trognon, A. (1984). Pseudo maximum likelihood methods: applications to
    Poisson models. *Econometrica*, 52(3), 701-720. Correia, S., Guimarães, P. & Zylkin, T. (2020). Fast
    Poisson estimation with high-dimensional fixed effects. *The Stata Journal*, 20(1), 95-115.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.panel import Poisson
    >>> frame = pd.DataFrame({"visits": [1, 3, 2, 6, 4, 8], "treated": [0, 1] * 3})
    >>> frame["unit"] = [1, 1, 2, 2, 3, 3]
    >>> found = Poisson(outcome="visits", covariates=("treated",), absorb=("unit",)).fit(frame)
    >>> found.values.round(6).tolist()
    [0.887303]
    """

    outcome: str
    covariates: tuple[str, ...]
    absorb: tuple[str, ...] = ()
    weights: str | None = None

    def __post_init__(self) -> None:
        for name in ("covariates", "absorb"):
            object.__setattr__(self, name, names_of(getattr(self, name)))

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the coefficients: differences of logarithms of the mean.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default clustered by the first absorbed factor (``CR1S``), ``Robust("HC1")`` without any.
        carry : tuple of str

        Returns
        -------
        Estimate
            ``details`` has ``deviance``, ``absorbed``, ``absorbed_rank`` and ``steps``.

        Raises
        ------
        DesignError
            For columns that cannot be used, a negative outcome, and where no row or covariate is left.
        """
        require_frame(data)
        terms, effects = covariate_terms(data, self.covariates), absorbed_terms(data, self.absorb)
        _refuse_slopes(effects)
        chosen_inference = inference or (Cluster(effects[0].label, kind="CR1S") if effects else Robust("HC1"))
        own = {effect.label for effect in effects}
        chosen = regression_selection(
            data,
            terms,
            numeric=(self.outcome,),
            weights=self.weights,
            carry=tuple(name for name in groups_to_carry(chosen_inference, carry) if name not in own),
            factors=tuple(column for effect in effects for column in effect.columns),
        )
        _refuse_negative(chosen.columns[self.outcome], self.outcome)
        chosen = _informative(chosen, self.outcome, effects)
        chosen, columns, left_out = _separated_out(chosen, self.outcome, terms, effects)
        levels = [factor_of(effect, chosen) for effect in effects]
        found = fit_generalised_linear(
            chosen.columns[self.outcome],
            list(columns.values()),
            FAMILIES["poisson"],
            factors=[factor for _, factor in levels],
            weights=chosen.weights if self.weights is not None else None,
        )
        absorbed = {effect.label: groups for effect, (groups, _) in zip(effects, levels, strict=True)}
        fit = _fit_of(found, chosen, absorbed)
        return Estimate(
            spec={"estimator": "Poisson", **asdict(self)},
            keys={"term": tuple(columns)},
            values=found.coefficients,
            uncertainty=chosen_inference.infer(fit),
            sample=sample_of(chosen),
            checks=(
                dropped_columns_check((), left_out),
                Check("maximum of the likelihood", found.has_converged, f"{found.steps} steps"),
                *level_checks(absorbed),
            ),
            details={
                "deviance": found.deviance,
                "absorbed": {label: groups.count for label, groups in absorbed.items()},
                "absorbed_rank": found.absorbed_rank,
                "steps": found.steps,
            },
            fit=fit,
            inference=chosen_inference,
        )


def _refuse_slopes(effects: Sequence[AbsorbedTerm]) -> None:
    if any(effect.slopes for effect in effects):
        raise DesignError(
            "Poisson absorbs levels and no slopes",
            where=", ".join(effect.label for effect in effects),
            remedy="give the slopes as products among the covariates",
        )


def _refuse_negative(outcome: Floats, name: str) -> None:
    if (outcome < 0).any():
        raise DesignError(
            f"the outcome '{name}' is negative",
            where=f"column '{name}', {int((outcome < 0).sum()):,} rows",
            remedy="use FixedEffects for outcomes of both signs",
        )
    if not (outcome > 0).any():
        raise DesignError(
            f"the outcome '{name}' is zero in every row",
            where=f"column '{name}', {len(outcome):,} rows",
            remedy="look at how it is coded and at the rows that were dropped",
        )


def _informative(chosen: Selection, outcome: str, effects: Sequence[AbsorbedTerm]) -> Selection:
    """Leave out rows alone in a level and those of levels that are always zero, until none is left."""
    while effects:
        factors = [factor_of(effect, chosen)[1] for effect in effects]
        values = chosen.columns[outcome]
        empty = np.zeros(chosen.n, dtype=np.bool_)
        for factor in factors:
            empty |= (np.bincount(factor.codes, weights=values, minlength=factor.count) == 0)[factor.codes]
        alone = in_singletons(factors) & ~empty
        gone = alone | empty
        if gone.all():
            _refuse_empty(chosen.n, effects)
        if not gone.any():
            return chosen
        before = dict(chosen.dropped)
        chosen = without(chosen, gone, "uninformative")
        counts = {"singleton of an absorbed factor": alone, f"{outcome} always zero in a level": empty}
        for reason, rows in counts.items():
            if rows.any():
                before[reason] = before.get(reason, 0) + int(rows.sum())
        chosen = replace(chosen, dropped=before)
    return chosen


def _refuse_empty(rows: int, effects: Sequence[AbsorbedTerm]) -> None:
    raise DesignError(
        "every row is alone in a level of an absorbed factor, or in one whose outcome is always zero",
        where=f"{rows:,} rows, absorbed {', '.join(effect.label for effect in effects)}",
        remedy="absorb factors whose levels have several rows",
    )


def _separated_out(
    chosen: Selection, outcome: str, terms: Sequence[CovariateTerm], effects: Sequence[AbsorbedTerm]
) -> tuple[Selection, dict[str, Floats], list[str]]:
    """Return the selection without separated rows, its columns by name, and the columns left out."""
    columns, _ = _columns(chosen, terms, effects)
    factors = [factor_of(effect, chosen)[1] for effect in effects]
    gone = poisson_separated(chosen.columns[outcome], list(columns.values()), factors)
    if gone.any():
        chosen = _informative(without(chosen, gone, "separated by covariates"), outcome, effects)
    return chosen, *_columns(chosen, terms, effects)


def _columns(
    chosen: Selection, terms: Sequence[CovariateTerm], effects: Sequence[AbsorbedTerm]
) -> tuple[dict[str, Floats], list[str]]:
    """Return the columns that stick out of effects and earlier columns, and the names of the others."""
    arrays, names = covariate_columns(terms, chosen)
    if not effects:
        arrays, names = [np.ones(chosen.n), *arrays], [CONSTANT, *names]
    matrix = np.column_stack(arrays)
    size = np.linalg.norm(matrix, axis=0)
    left = absorber([factor_of(effect, chosen)[1] for effect in effects]).residuals(matrix)
    left[:, np.linalg.norm(left, axis=0) <= 1e-9 * size] = 0.0
    kept = independent_columns(left)
    if not kept.any():
        raise DesignError(
            "no covariate varies beside the absorbed effects",
            where=", ".join(names),
            remedy="absorb fewer effects, or give covariates that vary within them",
        )
    found = {name: array for name, array, use in zip(names, arrays, kept, strict=True) if use}
    return found, [name for name in names if name not in found]


def _fit_of(found: GeneralisedLinear, chosen: Selection, absorbed: Mapping[str, Groups]) -> Fit:
    levels = sum(groups.count for groups in absorbed.values())
    linear = Linear(
        design=found.design,
        weights=found.working_weights,
        residuals=found.working_residuals,
        bread=found.bread,
        selection=np.eye(len(found.coefficients)),
        absorbed=tuple(absorbed.values()),
        absorbed_rank=found.absorbed_rank,
    )
    return Fit(
        values=found.coefficients,
        influence=ScoreInfluence(found.design, found.working_weights * found.working_residuals, found.bread),
        parameters=len(found.coefficients) + levels - max(len(absorbed) - 1, 0),
        groups={**chosen.groups, **absorbed},
        linear=linear,
    )
