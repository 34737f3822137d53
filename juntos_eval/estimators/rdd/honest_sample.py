"""The rows of an honest interval, with its bandwidth and bound, given or from a first fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check
from juntos_eval.estimators.design import Selection
from juntos_eval.estimators.rdd.honest_choices import HonestChoices
from juntos_eval.estimators.rdd.rd_sample import RdSample, rd_sample
from juntos_eval.estimators.rdd.regression_discontinuity import RegressionDiscontinuity
from juntos_eval.numerics.boundary_variance import VarianceRule
from juntos_eval.numerics.honest_bandwidth import BandwidthTable, Criterion, Noise, honest_bandwidth
from juntos_eval.numerics.honest_estimate import HonestJumps, JumpRule, adjusted_outcomes, honest_jumps
from juntos_eval.numerics.honest_pilot import Pilot, first_bandwidth, pilot_of, rule_of_thumb
from juntos_eval.numerics.local_polynomial import Side

__all__ = ["HonestSample", "honest_sample", "jumps_of", "selected_bandwidth"]

# an error variance below this share of the outcome's is none
_NO_NOISE = 1e-20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HonestSample:
    """Sides, what is weighted how, and where it comes from.

    Attributes
    ----------
    sides : tuple of Side
    dependent : int
        1 sharp, 2 fuzzy.
    bandwidth : float
    bounds : tuple of float
        M of outcome and treatment (zero in sharp designs).
    rule : JumpRule
    pilot : Pilot, optional
        None where nothing was left to choose.
    checks : tuple of Check
    """

    sides: tuple[Side, Side]
    dependent: int
    bandwidth: float
    bounds: tuple[float, float]
    rule: JumpRule
    pilot: Pilot | None
    checks: tuple[Check, ...]


def honest_sample(choices: HonestChoices, chosen: Selection) -> HonestSample:
    """Sort the rows into sides and find the bandwidth and bound that were not given.

    Parameters
    ----------
    choices : HonestChoices
    chosen : Selection

    Returns
    -------
    HonestSample

    Raises
    ------
    DesignError
        As of a regression discontinuity, and where the rule of thumb or the first fit cannot be had.
    """
    sample = _sides(choices, chosen)
    dependent = 1 + sample.is_fuzzy
    checks = [_values_check(sample)]
    if sample.collinear:
        detail = f"left out as combinations of the others: {', '.join(sample.collinear)}"
        checks.append(Check("collinear covariates", None, detail))
    by_rule = choices.bound is None and choices.smoothness != "misspecification"
    bounds, pilot = (0.0, 0.0), None
    try:
        if by_rule or choices.bandwidth is None:
            outcomes = _net_outcomes(sample, dependent)
            bounds = _bounds_of(sample.sides, outcomes) if by_rule else bounds
            pilot = pilot_of(sample.sides, dependent, outcomes) if choices.bandwidth is None else None
        if choices.bound is not None:
            given = choices.bound if isinstance(choices.bound, tuple) else (choices.bound, 0.0)
            bounds = (float(given[0]), float(given[-1]))
        found = HonestSample(
            sides=sample.sides,
            dependent=dependent,
            bandwidth=float(choices.bandwidth or 0.0),
            bounds=bounds,
            rule=_rule(choices),
            pilot=pilot,
            checks=(*checks, *([_bound_check(bounds, dependent)] if by_rule else [])),
        )
        return found if pilot is None else _with_bandwidth(choices, found, pilot)
    except np.linalg.LinAlgError as error:
        raise _not_of_full_rank(error) from error


def jumps_of(sample: HonestSample, rows: int, bandwidth: float | None = None) -> HonestJumps:
    """Return the jumps at the sample's bandwidth or another one.

    Raises
    ------
    DesignError
        Where the window is too small for the covariates.
    """
    try:
        return honest_jumps(sample.sides, sample.dependent, bandwidth or sample.bandwidth, sample.rule, rows)
    except np.linalg.LinAlgError as error:
        raise _not_of_full_rank(error) from error


def _not_of_full_rank(error: Exception) -> DesignError:
    return DesignError(
        "the local fit is not of full rank",
        where=str(error),
        remedy="leave out covariates that do not vary near the cutoff, or widen the bandwidth",
    )


def selected_bandwidth(
    choices: HonestChoices,
    sample: HonestSample,
    effect: float,
    table: BandwidthTable | None = None,
) -> float:
    """Return the best bandwidth for the jump of outcome less effect times treatment.

    Parameters
    ----------
    choices : HonestChoices
    sample : HonestSample
        With its first fit.
    effect : float
        Ignored in sharp designs.
    table : BandwidthTable, optional
        The bandwidths to choose from; by default all, to the last digit.

    Returns
    -------
    float

    Raises
    ------
    DesignError
        Where the sample has no first fit.
    """
    if sample.pilot is None:
        raise DesignError("a bandwidth is selected by a first fit", where="HonestRD(bandwidth=…)")
    mix = np.array([1.0, -effect])[: sample.dependent] / np.hypot(1.0, effect)
    left, right = (float(mix @ matrix @ mix) for matrix in sample.pilot.variances)
    bound = float(np.abs(mix) @ np.asarray(sample.bounds[: sample.dependent]))
    criterion = Criterion(kind=choices.criterion, level=choices.level, power=choices.power)
    noise = Noise(left=left, right=right, within=float(mix @ sample.pilot.within @ mix))
    if table is not None:
        return table.best(criterion, noise, bound)
    return honest_bandwidth(sample.sides, choices.kernel, criterion, noise, (choices.smoothness, bound))


def _with_bandwidth(choices: HonestChoices, sample: HonestSample, pilot: Pilot) -> HonestSample:
    scale = max(float(np.var(side.columns[0])) for side in sample.sides)
    if not np.trace(pilot.variances.sum(axis=0)) > _NO_NOISE * scale or not sample.bounds[0] > 0:
        raise DesignError(
            "no bandwidth can be selected: near the cutoff the outcome has no variance or no curvature",
            where=f"column '{choices.outcome}', bound {sample.bounds[0]:.3g}",
            remedy="give bandwidth= and bound=, and look whether the outcome is constant on a side",
        )
    effect = 0.0
    if sample.dependent == 2:
        if pilot.jumps[1] == 0:
            raise DesignError(
                "the treatment does not jump at the cutoff: there is no first stage",
                where=f"column '{choices.treatment}', first fit within {pilot.bandwidth:.4g}",
                remedy="report the reduced form without treatment=",
            )
        effect = float(pilot.jumps[0] / pilot.jumps[1])
    return replace(sample, bandwidth=selected_bandwidth(choices, sample, effect))


def _sides(choices: HonestChoices, chosen: Selection) -> RdSample:
    design = RegressionDiscontinuity(
        outcome=choices.outcome,
        running=choices.running,
        cutoff=choices.cutoff,
        treatment=choices.treatment,
        order=choices.order,
        cluster=choices.cluster,
    )
    return rd_sample(design, chosen)


def _rule(choices: HonestChoices) -> JumpRule:
    kind = "cr0" if choices.cluster else {"nn": "nn", "ehw": "hc0"}[choices.variance]
    rule = VarianceRule(kind=kind, neighbours=choices.neighbours)
    return JumpRule(kernel=choices.kernel, smoothness=choices.smoothness, variance=rule)


def _net_outcomes(sample: RdSample, dependent: int) -> tuple[Floats, Floats]:
    sides = sample.sides
    bandwidth = first_bandwidth(sides, (sides[0].columns[0], sides[1].columns[0]))
    return adjusted_outcomes(sides, dependent, bandwidth, "triangular")


def _bounds_of(sides: tuple[Side, Side], outcomes: tuple[Floats, Floats]) -> tuple[float, float]:
    rows = [
        max(rule_of_thumb(side, columns[row]) for side, columns in zip(sides, outcomes, strict=True))
        for row in range(len(outcomes[0]))
    ]
    return rows[0], rows[1] if len(rows) > 1 else 0.0


def _bound_check(bounds: tuple[float, float], dependent: int) -> Check:
    found = " and ".join(f"{bound:.4g}" for bound in bounds[:dependent])
    detail = f"by the rule of thumb of a quartic: {found}; it cannot be right for every function"
    return Check("bound on the second derivative", None, detail)


def _values_check(sample: RdSample) -> Check:
    left, right = sample.sides
    detail = f"distinct values of the running variable {left.unique:,} left, {right.unique:,} right"
    return Check("distinct values", None, f"{detail}: the interval is right for any number of them")
