"""What is looked at beside a regression-discontinuity estimate."""

from __future__ import annotations

import numpy as np

from juntos_eval.estimate import Check
from juntos_eval.estimators.rdd.choices import RdChoices
from juntos_eval.estimators.rdd.rd_sample import RdSample
from juntos_eval.numerics.rd_bandwidth import MASS_SHARE, has_mass_points
from juntos_eval.numerics.rd_estimate import Discontinuity

__all__ = ["rd_checks"]

# Stock and Yogo's rule of thumb for one instrument
STRONG_F = 10.0


def rd_checks(choices: RdChoices, sample: RdSample, found: Discontinuity) -> tuple[Check, ...]:
    """Return the checks of mass points, covariates, clusters and the first stage."""
    checks = []
    if choices.mass_points != "off":
        checks.append(_mass_points(choices, sample))
    if sample.collinear:
        detail = f"left out as combinations of the others: {', '.join(sample.collinear)}"
        checks.append(Check("collinear covariates", None, detail))
    if choices.cluster:
        checks.append(_straddling(sample))
    if sample.is_fuzzy:
        checks.append(_first_stage(sample, found))
    return tuple(checks)


def _mass_points(choices: RdChoices, sample: RdSample) -> Check:
    shares = [1.0 - side.unique / side.n for side in sample.sides]
    has_any = any(has_mass_points(side) for side in sample.sides)
    detail = (
        f"rows that repeat a value: {shares[0]:.1%} left, {shares[1]:.1%} right; distinct values "
        f"{sample.sides[0].unique:,} and {sample.sides[1].unique:,}"
    )
    if has_any:
        done = "pilot bandwidths adjusted" if choices.mass_points == "adjust" else "not adjusted for"
        detail += f" (mass points from {MASS_SHARE:.0%} on: {done})"
    return Check("mass points", not has_any, detail)


def _straddling(sample: RdSample) -> Check:
    left, right = (np.unique(side.clusters) for side in sample.sides if side.clusters is not None)
    both = len(np.intersect1d(left, right))
    detail = f"{len(left):,} clusters left, {len(right):,} right, {both:,} on both sides"
    if both:
        detail += (
            ": the default inference adds the sides' variances; inference=Cluster(…) adds up whole clusters"
        )
    return Check("clusters across the cutoff", None, detail)


def _first_stage(sample: RdSample, found: Discontinuity) -> Check:
    jump, variance = float(found.treatment[0, 0]), float(found.treatment[1, 0])
    if all(np.ptp(side.columns[1]) == 0 for side in sample.sides):
        return Check("first stage", True, "the treatment follows the cutoff exactly: the design is sharp")
    strength = jump**2 / variance
    detail = f"treatment jumps by {jump:.4g}, F = {strength:.1f}"
    return Check("first stage", strength >= STRONG_F, detail)
