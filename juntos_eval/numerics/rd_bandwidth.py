r"""Bandwidths for regression discontinuity: mean squared error or coverage error at its smallest.

With variance constants :math:`V_s`, bias constants :math:`B_s` and their sampling error :math:`R_s` on the
sides s of the cutoff, a local polynomial of order p for the derivative :math:`\nu` has

.. math:: h = \Bigl[ \frac{V_l + V_r}{(B_r - B_l)^2 + \kappa (R_l + R_r)} \Bigr]^{1/(2p+3)}

(one bandwidth for both), with the sum of biases for the sum of sides, or each side its own. Constants are
from pilot bandwidths that are chosen in the same way (Calonico, Cattaneo & Titiunik 2014; Calonico,
Cattaneo, Farrell & Titiunik 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.numerics.boundary_variance import (
    Neighbourhoods,
    VarianceRule,
    boundary_variance,
    neighbourhoods,
)
from juntos_eval.numerics.local_polynomial import LocalFit, Side, local_fit

__all__ = [
    "SELECTORS",
    "LocalDesign",
    "all_bandwidths",
    "bandwidths_of",
    "combination",
    "covariate_slopes",
    "has_mass_points",
    "near_within",
    "with_neighbours",
]

SELECTORS = (
    "mserd", "msetwo", "msesum", "msecomb1", "msecomb2", "cerrd", "certwo", "cersum", "cercomb1", "cercomb2",
)  # fmt: skip
KINDS = ("rd", "two", "sum")
# the rule-of-thumb constants of a pilot bandwidth, by kernel
PILOT = {"triangular": 2.576, "uniform": 1.843, "epanechnikov": 2.34}
# from this share of repeated values on, mass points are reckoned with
MASS_SHARE = 0.2
ENOUGH_UNIQUE = 10
# smallest eigenvalue of the covariates' correlation matrix that counts as full rank
COLLINEAR = 1e-11


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDesign:
    """What is estimated and how, apart from the bandwidth.

    Attributes
    ----------
    order : int
        p.
    bias_order : int
        q.
    derivative : int
        The order of the derivative: 0 a jump, 1 a kink.
    kernel : str
    variance : VarianceRule
    is_fuzzy : bool
        The second column is the treatment.
    regularisation : float
        kappa.
    mass_points : str
        "adjust", "check" or "off".
    least_unique : int, optional
        Pilot windows have at least so many distinct values.
    is_restricted : bool
        Bandwidths end where the data do.
    """

    order: int = 1
    bias_order: int = 2
    derivative: int = 0
    kernel: str = "triangular"
    variance: VarianceRule = field(default_factory=VarianceRule)
    is_fuzzy: bool = False
    regularisation: float = 1.0
    mass_points: str = "adjust"
    least_unique: int | None = None
    is_restricted: bool = True


@dataclass(frozen=True, slots=True)
class _Constants:
    variance: float
    bias: float
    error: float
    rate: float


def combination(fit: LocalFit, power: int, *, is_fuzzy: bool) -> Floats:
    r"""Return the weights of a side's columns in one outcome: covariates taken out, treatment linearised.

    Parameters
    ----------
    fit : LocalFit
    power : int
        Of the coefficient that is looked at: a fuzzy effect is the ratio of outcome's to treatment's.
    is_fuzzy : bool
        The second column is the treatment.

    Returns
    -------
    numpy.ndarray, shape (m,)
    """
    dependent = 2 if is_fuzzy else 1
    slopes = covariate_slopes([fit], dependent)
    weights = np.array([1.0])
    if is_fuzzy:
        levels = fit.coefficients(fit.side.columns[:, : fit.n])[power] * fit.bandwidth ** -float(power)
        outcome, treatment = levels[:2] - levels[2:] @ slopes
        weights = np.array([1.0 / treatment, -outcome / treatment**2])
    return np.concatenate([weights, -slopes @ weights])


def covariate_slopes(fits: list[LocalFit], dependent: int) -> Floats:
    """Return the slopes of covariates, common to the given sides, (covariates, dependent)."""
    count = fits[0].side.columns.shape[0] - dependent
    if count == 0:
        return np.zeros((0, dependent))
    cross, joint = np.zeros((count, count)), np.zeros((count, dependent))
    for fit in fits:
        columns = fit.side.columns[:, : fit.n]
        sums = fit.powers_with(columns)
        weighted = columns[dependent:] * fit.weights
        within = sums[:, dependent:].T @ fit.inverse
        # kernels of unequal bandwidths have equal mass
        cross += (weighted @ columns[dependent:].T - within @ sums[:, dependent:]) / fit.bandwidth
        joint += (weighted @ columns[:dependent].T - within @ sums[:, :dependent]) / fit.bandwidth
    size = np.sqrt(np.diag(cross))
    if not (size > 0).all() or np.linalg.eigvalsh(cross / np.outer(size, size))[0] < COLLINEAR:
        raise np.linalg.LinAlgError("covariates are collinear in the window")
    return np.asarray(np.linalg.solve(cross, joint))


def near_within(side: Side, n: int, rule: VarianceRule) -> Neighbourhoods | None:
    """Return the neighbourhoods of the first n rows of a side among themselves, where the rule wants them."""
    if rule.kind not in {"nn", "crnn"}:
        return None
    if side.near is None:
        return neighbourhoods(side.running[:n], rule.neighbours)
    first, last = (bounds[:n] for bounds in side.near)
    outside = int(np.searchsorted(last, n, side="right"))
    if outside == n:
        return Neighbourhoods(first, last)
    # only the rows at the window's edge lose neighbours; they find others no further in than this
    reach = max(outside - rule.neighbours - 1, 0)
    start = int(np.searchsorted(side.distance[:n], side.distance[reach]))
    edge = neighbourhoods(side.running[start:n], rule.neighbours)
    kept = outside - start
    return Neighbourhoods(
        np.concatenate([first[:outside], edge.first[kept:] + start]),
        np.concatenate([last[:outside], edge.last[kept:] + start]),
    )


def with_neighbours(sides: tuple[Side, Side], rule: VarianceRule) -> tuple[Side, Side]:
    """Return the sides with each row's neighbours found once for all windows, where the rule wants them."""
    if rule.kind not in {"nn", "crnn"}:
        return sides
    found = (neighbourhoods(side.running, rule.neighbours) for side in sides)
    left, right = (
        replace(side, near=(near.first, near.last)) for side, near in zip(sides, found, strict=True)
    )
    return left, right


def bandwidths_of(sides: tuple[Side, Side], design: LocalDesign, selector: str) -> tuple[float, ...]:
    """Return h left, h right, b left, b right of one selector, and do no more for it than is needed."""
    kinds = {"comb1": ("rd", "sum"), "comb2": KINDS}.get(selector[3:], (selector[3:],))
    return all_bandwidths(sides, design, kinds)[selector]


def all_bandwidths(
    sides: tuple[Side, Side], design: LocalDesign, kinds: tuple[str, ...] = KINDS
) -> Mapping[str, tuple[float, ...]]:
    """Return h left, h right, b left, b right of each selector.

    Parameters
    ----------
    sides : tuple of Side
        Left and right.
    design : LocalDesign
    kinds : tuple of str
        Those that are wanted; combinations come where their parts do.

    Returns
    -------
    Mapping of str to tuple of float
    """
    limits = _limits(sides, design)
    least = np.full(2, limits[:, 0].max())
    pilot = np.maximum(min(_pilot(sides, design), float(limits[:, 1].max())), least)
    found: dict[str, Floats] = {}
    constants: dict[tuple[float, ...], tuple[_Constants, _Constants]] = {}
    p, q, nu = design.order, design.bias_order, design.derivative
    whole = np.array([side.distance[-1] for side in sides])

    def stage(kind: str, spec: tuple[int, int, int], pilots: Floats, kappa: float) -> Floats:
        key = (*spec, *pilots.tolist(), kappa)
        if key not in constants:
            left, right = (
                _constants(side, design, spec, (float(pilot[at]), float(pilots[at])), kappa)
                for at, side in enumerate(sides)
            )
            constants[key] = (left, right)
        return _balanced(kind, *constants[key])

    for kind in kinds:
        # one bandwidth for both sides may end where the wider side does
        most = limits[:, 1] if kind == "two" else np.full(2, limits[:, 1].max())
        floor = limits[:, 0] if kind == "two" else least
        wide = np.clip(stage(kind, (q + 1, q + 1, q + 2), whole, 0.0), floor, most)
        bias = np.minimum(stage(kind, (q, p + 1, q + 1), wide, design.regularisation), most)
        main = np.minimum(stage(kind, (p, nu, q), bias, design.regularisation), most)
        found[kind] = np.concatenate([main, bias])
    if "rd" in found and "sum" in found:
        found["comb1"] = np.minimum(found["rd"], found["sum"])
    if set(kinds) == set(KINDS):
        found["comb2"] = np.median([found[kind] for kind in KINDS], axis=0)
    shrink = np.array([_coverage_factor(sides, design)] * 2 + [1.0, 1.0])
    mse = {f"mse{kind}": tuple(found[kind].tolist()) for kind in found}
    return mse | {f"cer{kind}": tuple((found[kind] * shrink).tolist()) for kind in found}


def _balanced(kind: str, left: _Constants, right: _Constants) -> Floats:
    if kind == "two":
        spread = np.array([left.variance, right.variance])
        loss = np.array([side.bias**2 + side.error for side in (left, right)])
    else:
        bias = right.bias - left.bias if kind == "rd" else right.bias + left.bias
        spread = np.full(2, left.variance + right.variance)
        loss = np.full(2, bias**2 + left.error + right.error)
    if not ((spread > 0) & (loss > 0)).all():
        raise DesignError(
            "no bandwidth can be selected: near the cutoff the outcome has no variance or no curvature",
            where=f"variance {spread.min():.3g}, squared bias {loss.min():.3g}",
            remedy="give the bandwidth itself, and look whether the outcome is constant on a side",
        )
    return np.asarray((spread / loss) ** left.rate)


def _constants(
    side: Side,
    design: LocalDesign,
    spec: tuple[int, int, int],
    pilots: tuple[float, float],
    kappa: float,
) -> _Constants:
    """Return the constants of a polynomial's order, of a power, with the bias from a higher order."""
    order, power, higher = spec
    kernel, rule = design.kernel, design.variance
    near_fit = local_fit(side, pilots[0], order, kernel)
    weights = combination(near_fit, power, is_fuzzy=design.is_fuzzy)
    outcome = weights @ side.columns[:, : near_fit.n]
    near = near_within(side, near_fit.n, rule)
    variance = boundary_variance(near_fit, outcome, near_fit.equivalent(power), rule, near)
    far_fit = local_fit(side, pilots[1], higher, kernel)
    outcome = weights @ side.columns[:, : far_fit.n]
    scale = pilots[1] ** -(order + 1.0)
    curvature = float(far_fit.coefficients(outcome)[order + 1]) * scale
    constant = near_fit.bias_constant(power)
    error = 0.0
    if kappa > 0:
        near = near_within(side, far_fit.n, rule)
        error = boundary_variance(far_fit, outcome, far_fit.equivalent(order + 1), rule, near)
        error *= 6.0 * (order + 1 - power) * constant**2 * scale**2 * kappa
    return _Constants(
        variance=(2 * power + 1) * pilots[0] * variance,
        bias=float(np.sqrt(2.0 * (order + 1 - power))) * constant * curvature,
        error=error,
        rate=1.0 / (2 * order + 3),
    )


def _counts(sides: tuple[Side, Side], design: LocalDesign) -> int:
    if design.mass_points == "adjust":
        return sides[0].unique + sides[1].unique
    return sides[0].n + sides[1].n


def _pilot(sides: tuple[Side, Side], design: LocalDesign) -> float:
    left, right = sides
    values = np.concatenate([left.running[::-1], right.running])
    # sorted, so that quartiles need no search
    place = np.array([0.25, 0.75]) * (len(values) - 1)
    below = np.minimum(place.astype(np.int64), len(values) - 2)
    quartiles = values[below] + (place - below) * (values[below + 1] - values[below])
    spread = min(float(np.std(values, ddof=1)), float(quartiles[1] - quartiles[0]) / 1.349)
    return float(PILOT[design.kernel] * spread * float(_counts(sides, design)) ** -0.2)


def has_mass_points(side: Side) -> bool:
    """Whether a fifth of a side's rows or more repeat a value."""
    return 1.0 - side.unique / side.n >= MASS_SHARE


def _limits(sides: tuple[Side, Side], design: LocalDesign) -> Floats:
    least = design.least_unique
    if least is None and design.mass_points == "adjust" and any(has_mass_points(side) for side in sides):
        least = ENOUGH_UNIQUE
    limits = np.array([[0.0, np.inf], [0.0, np.inf]])
    for at, side in enumerate(sides):
        if design.is_restricted:
            limits[at, 1] = side.distance[-1]
        if least:
            starts = np.flatnonzero(np.r_[True, side.running[1:] != side.running[:-1]])
            limits[at, 0] = side.distance[starts[min(least, len(starts)) - 1]] + 1e-8
    return limits


def _coverage_factor(sides: tuple[Side, Side], design: LocalDesign) -> float:
    p = design.order
    count = sides[0].n + sides[1].n
    if design.variance.is_clustered:
        count = sum(len(np.unique(side.clusters)) for side in sides if side.clusters is not None)
    return float(count ** (-p / ((3.0 + p) * (3.0 + 2.0 * p))))
