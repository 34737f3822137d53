"""Effects at points of a boundary by local polynomials in the plane, as parts that share rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Block, BlockInfluence
from juntos_eval.numerics.geodesic_lines import kilometres_around
from juntos_eval.numerics.point_polynomial import Arm, PointFit, best_width, gap_bandwidth, point_fit

__all__ = ["LocationChoices", "PlaneRows", "PointEffects", "point_effects", "point_label"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationChoices:
    """How levels at a point are fitted; the bandwidth is ``"mse"``, ``"imse"`` or kilometres."""

    order: int
    kernel: str
    bandwidth: str | float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaneRows:
    """The rows of the sample, in degrees."""

    longitude: Floats
    latitude: Floats
    outcome: Floats
    weights: Floats
    treated: Bools
    clusters: Codes | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PointEffects:
    """Three values a point (conventional, corrected, corrected), their errors and influence.

    Attributes
    ----------
    values, errors : numpy.ndarray, shape (3 points,)
    influence : BlockInfluence
    bandwidths : numpy.ndarray, shape (points,)
    counts : numpy.ndarray of int64, shape (points, 2)
        Rows with weight, untreated and treated.
    """

    values: Floats
    errors: Floats
    influence: BlockInfluence
    bandwidths: Floats
    counts: Codes


def point_label(point: Sequence[float]) -> str:
    """Return how a point (latitude, longitude) is named.

    Examples
    --------
    >>> from juntos_eval.estimators.rdd.boundary_points import point_label
    >>> point_label((-13.5, -72.25))
    '(-13.5, -72.25)'
    """
    return f"({point[0]:.6g}, {point[1]:.6g})"


def point_effects(
    rows: PlaneRows, points: Sequence[tuple[float, float]], choices: LocationChoices
) -> PointEffects:
    """Estimate the gap between the two areas at every point.

    Parameters
    ----------
    rows : PlaneRows
    points : sequence of (latitude, longitude)
    choices : LocationChoices

    Returns
    -------
    PointEffects

    Raises
    ------
    DesignError
        Where a point cannot be estimated, which is named.
    """
    codes = _places(rows)
    arms = [_arms(rows, codes, point) for point in points]
    widths = _widths(arms, points, choices)
    values, errors, blocks, counts = [], [], [], []
    for at, (pair, width) in enumerate(zip(arms, widths, strict=True)):
        fits = []
        for order in (choices.order, choices.order + 1):
            try:
                fits.append(tuple(point_fit(arm, width, order, choices.kernel) for arm in pair))
            except DesignError as error:
                raise _at(points[at], error) from error
        gaps = [right.value - left.value for left, right in fits]
        plain, robust = (float(np.sqrt(left.variance + right.variance)) for left, right in fits)
        values += [gaps[0], gaps[1], gaps[1]]
        errors += [plain, plain, robust]
        blocks += [_block(pair[side], fits[0][side], fits[1][side], (at, side)) for side in (0, 1)]
        counts.append([len(fit.inside) for fit in fits[0]])
    return PointEffects(
        values=np.array(values),
        errors=np.array(errors),
        influence=BlockInfluence(tuple(blocks), len(rows.outcome), 3 * len(points)),
        bandwidths=np.array(widths),
        counts=np.array(counts, dtype=np.int64),
    )


def _places(rows: PlaneRows) -> Codes:
    both = np.column_stack([rows.longitude, rows.latitude])
    return np.asarray(np.unique(both, axis=0, return_inverse=True)[1]).reshape(-1)


def _arms(rows: PlaneRows, codes: Codes, point: tuple[float, float]) -> tuple[Arm, Arm]:
    place = kilometres_around(rows.longitude, rows.latitude, (point[1], point[0]))
    untreated, treated = (
        Arm(
            place=place[here],
            outcome=rows.outcome[here],
            weights=rows.weights[here],
            codes=codes[here],
            rows=here,
            clusters=None if rows.clusters is None else rows.clusters[here],
        )
        for here in (np.flatnonzero(~rows.treated), np.flatnonzero(rows.treated))
    )
    return untreated, treated


def _widths(
    arms: Sequence[tuple[Arm, Arm]], points: Sequence[tuple[float, float]], choices: LocationChoices
) -> list[float]:
    if not isinstance(choices.bandwidth, str):
        return [float(choices.bandwidth)] * len(arms)
    found = []
    for pair, point in zip(arms, points, strict=True):
        try:
            found.append(gap_bandwidth(pair, choices.order, choices.kernel))
        except DesignError as error:
            raise _at(point, error) from error
    widths = [width for width, _, _ in found]
    if choices.bandwidth == "mse":
        return widths
    variance = sum(constant for _, constant, _ in found)
    loss = sum(constant for _, _, constant in found)
    common = best_width(variance, loss, choices.order, 2)
    # a window that one point needs to be filled serves the others too
    return [max(common, min(widths))] * len(arms)


def _block(arm: Arm, plain: PointFit, higher: PointFit, where: tuple[int, int]) -> Block:
    at, side = where
    sign = 1.0 if side else -1.0
    values = np.column_stack([plain.influence, higher.influence, higher.influence]) * sign
    return Block(arm.rows[plain.inside], np.arange(3 * at, 3 * at + 3), values)


def _at(point: tuple[float, float], error: DesignError) -> DesignError:
    return DesignError(
        f"at the point {point_label(point)}: {error.what}", where=error.where, remedy=error.remedy
    )
