"""What imputation estimators share: the design, its first stage on untreated rows, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Groups, Inference, Sample
from juntos_eval.estimators.design import select
from juntos_eval.estimators.did.staggered import StaggeredColumns
from juntos_eval.estimators.did.timeline import number
from juntos_eval.estimators.did.two_way_frame import TwoWayFrame, regress_on, two_way_frame, with_keys
from juntos_eval.estimators.panel.terms import absorbed_terms, factor_of
from juntos_eval.numerics.absorb import Factor
from juntos_eval.numerics.first_stage import FirstStage, first_stage

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = [
    "Prepared",
    "columns_of",
    "lead_effects",
    "prepare",
    "refuse_unknown",
    "sample_of",
    "stage_checks",
    "stage_details",
]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A design with its first stage: who is treated, weights, groupings.

    Examples
    --------
    >>> from juntos_eval.estimators.did.untreated_stage import Prepared
    >>> Prepared.__name__
    'Prepared'
    """

    frame: TwoWayFrame
    stage: FirstStage
    is_treated: Bools
    weights: Floats
    groups: dict[str, Groups]


def columns_of(choices: Any, carry: tuple[str, ...]) -> StaggeredColumns:
    """Return the columns of an estimator's choices."""
    return StaggeredColumns(
        outcome=choices.outcome,
        time=choices.time,
        first_treated=choices.first_treated,
        unit=choices.unit,
        covariates=choices.covariates,
        weights=choices.weights,
        carry=carry,
    )


def prepare(data: DataFrame, columns: StaggeredColumns, absorb: tuple[str, ...]) -> Prepared:
    """Read a design and fit its first stage on untreated rows."""
    frame = two_way_frame(data, columns, absorb)
    design = frame.design
    effects = absorbed_terms(frame.rows, frame.absorb)
    needed = tuple(dict.fromkeys(column for effect in effects for column in effect.columns))
    chosen = select(frame.rows, numeric=tuple(c for e in effects for c in e.slopes), carry=needed)
    prepared = [factor_of(effect, chosen) for effect in effects]
    is_treated = frame.event_time >= 0
    factors: Sequence[Factor] = [factor for _, factor in prepared]
    stage = first_stage(design.outcome, design.covariates, factors, ~is_treated, design.weights)
    groups = {effect.label: way for effect, (way, _) in zip(effects, prepared, strict=True)}
    return Prepared(frame, stage, is_treated, design.weights, {**groups, **dict(design.groups)})


def sample_of(prepared: Prepared) -> Sample:
    """Return rows and units of a design."""
    design = prepared.frame.design
    units, treated = design.n, int(prepared.is_treated.sum())
    if design.units is not None:
        units = design.units.count
        treated = int(np.count_nonzero(np.bincount(design.units.codes[np.isfinite(design.first_treated)])))
    return Sample(rows=design.n, units=units, treated=treated, dropped=design.dropped)


def stage_checks(prepared: Prepared, used: Bools) -> tuple[Check, ...]:
    """Return what is to be said of rows and covariates that the first stage does not reach."""
    lost = int((prepared.is_treated & ~used).sum())
    checks = []
    if lost:
        detail = f"{lost} treated rows have no prediction from untreated ones and are left out"
        checks.append(Check("identified", False, detail))
    missing = np.isnan(prepared.stage.coefficients)
    if missing.any():
        names = [
            name for name, gone in zip(prepared.frame.design.covariate_names, missing, strict=True) if gone
        ]
        checks.append(Check("covariates left out", None, f"spanned by effects or others: {', '.join(names)}"))
    return tuple(checks)


def stage_details(prepared: Prepared) -> dict[str, Any]:
    """Return counts and coefficients of the first stage."""
    coefficients = prepared.stage.coefficients
    names = prepared.frame.design.covariate_names
    return {
        "treated_rows": int(prepared.is_treated.sum()),
        "untreated_rows": len(prepared.stage.fitted),
        "covariate_coefficients": dict(zip(names, coefficients.tolist(), strict=True)),
    }


def refuse_unknown(where: str, **choices: tuple[str, tuple[str, ...]]) -> None:
    """Refuse a choice that there is not."""
    for name, (value, allowed) in choices.items():
        if value not in allowed:
            raise DesignError(
                f"there is no {name} {value!r}", where=where, remedy=f"choose one of {', '.join(allowed)}"
            )


def lead_effects(
    frame: TwoWayFrame,
    columns: StaggeredColumns,
    event_times: Sequence[float],
    inference: Inference | None,
    carry: tuple[str, ...],
) -> Estimate:
    """Regress untreated rows on indicators of periods before treatment.

    Parameters
    ----------
    frame : TwoWayFrame
    columns : StaggeredColumns
    event_times : sequence of float
        Those with an indicator; rows of the others are compared with.
    inference : Inference or None
    carry : tuple of str

    Returns
    -------
    Estimate
        Rows by ``event_time``.

    Raises
    ------
    DesignError
        If there are no such periods.
    """
    untreated = frame.keep(frame.event_time < 0, "treated")
    if not len(event_times):
        raise DesignError(
            "no period before treatment is there to be tested",
            where=f"{untreated.design.n} untreated rows",
            remedy="leave pretrends out, or add earlier periods",
        )
    indicators = {
        f"event_time={one:.15g}": (untreated.event_time == one).astype(np.float64) for one in event_times
    }
    found = regress_on(untreated, columns, indicators, inference, carry)
    at = [place for place, term in enumerate(found.keys["term"]) if term in indicators]
    events = tuple(number(float(str(found.keys["term"][place]).partition("=")[2])) for place in at)
    keys = {"term": ("att",) * len(at), "event_time": events}
    chosen = found.combine(np.eye(len(found.values))[at], keys)
    return with_keys(chosen, {"estimator": "leads among untreated rows", **found.spec}, keys, untreated)
