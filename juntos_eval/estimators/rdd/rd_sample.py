"""The rows of a regression-discontinuity design as two sorted sides."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimators.design import Selection
from juntos_eval.estimators.rdd.choices import RdChoices
from juntos_eval.numerics.local_polynomial import Side, make_side

__all__ = ["RdSample", "rd_sample", "sorted_sides"]

# an upper triangle whose diagonal falls by this factor is of less than full rank
RANK_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RdSample:
    """Left and right of the cutoff, and what was left out on the way."""

    sides: tuple[Side, Side]
    is_fuzzy: bool
    covariate_names: tuple[str, ...]
    collinear: tuple[str, ...]

    @property
    def has_constant_side(self) -> bool:
        """Whether the treatment does not vary on one of the sides."""
        return any(float(np.ptp(side.columns[1])) == 0.0 for side in self.sides)

    def without_treatment(self) -> tuple[Side, Side]:
        """Return the sides of the reduced form."""
        left, right = (replace(side, columns=np.delete(side.columns, 1, axis=0)) for side in self.sides)
        return left, right


def rd_sample(choices: RdChoices, chosen: Selection) -> RdSample:
    """Sort the chosen rows into sides and leave collinear covariates out.

    Parameters
    ----------
    choices : RdChoices
    chosen : Selection

    Returns
    -------
    RdSample

    Raises
    ------
    DesignError
        Where the cutoff lies outside the data, a side has too few distinct values, or treatment is constant.
    """
    running = chosen.columns[choices.running]
    kept = _independent(chosen.covariates, running >= choices.cutoff)
    names = np.asarray(chosen.covariate_names, dtype=object)
    dependent = [chosen.columns[choices.outcome]]
    if choices.treatment:
        dependent.append(chosen.columns[choices.treatment])
    columns = np.vstack([*dependent, chosen.covariates[:, kept].T])
    clusters = chosen.groups[choices.cluster].codes if choices.cluster else None
    sides = sorted_sides(running, columns, chosen.weights, choices.cutoff, clusters)
    needed = choices.order + 2
    for side, name in zip(sides, ("left", "right"), strict=True):
        if side.unique < needed:
            raise DesignError(
                f"too few distinct values {name} of the cutoff for order {choices.order}",
                where=f"column '{choices.running}', cutoff {choices.cutoff:g}: {side.n} rows with "
                f"{side.unique} distinct values, {needed} needed; "
                f"data from {running.min():g} to {running.max():g}",
                remedy="check the cutoff and its units; for few mass points use local randomisation",
            )
    if choices.treatment and np.ptp(chosen.columns[choices.treatment]) == 0:
        raise DesignError(
            "the treatment has no first stage: it is the same in all rows",
            where=f"column '{choices.treatment}', {chosen.n:,} rows",
            remedy="check the treatment; report the reduced form without treatment=",
        )
    return RdSample(
        sides=sides,
        is_fuzzy=choices.treatment is not None,
        covariate_names=tuple(names[kept]),
        collinear=tuple(names[~kept]),
    )


def sorted_sides(
    running: Floats, columns: Floats, weights: Floats, cutoff: float, clusters: np.ndarray | None = None
) -> tuple[Side, Side]:
    """Return left and right side, the nearest rows first; one sort for both.

    Parameters
    ----------
    running : numpy.ndarray, shape (n,)
    columns : numpy.ndarray, shape (m, n)
    weights : numpy.ndarray, shape (n,)
    cutoff : float
    clusters : numpy.ndarray of int64, shape (n,), optional

    Returns
    -------
    tuple of Side
    """
    order = np.argsort(running)
    middle = int(np.searchsorted(running[order], cutoff))
    left = make_side(running, columns, weights, order[:middle], cutoff=cutoff, sign=-1, clusters=clusters)
    right = make_side(running, columns, weights, order[middle:], cutoff=cutoff, sign=1, clusters=clusters)
    return left, right


def _independent(covariates: Floats, is_right: np.ndarray) -> np.ndarray:
    """Return which covariates are not combinations of a constant, the side and earlier ones."""
    if not covariates.shape[1]:
        return np.zeros(0, dtype=np.bool_)
    base = np.column_stack([np.ones(len(covariates)), is_right.astype(np.float64)])
    size = np.linalg.norm(covariates, axis=0)
    scaled = covariates / np.where(size > 0, size, 1.0)
    triangle = np.linalg.qr(np.column_stack([base / np.sqrt(len(base)), scaled]), mode="r")
    return np.asarray(np.abs(np.diag(triangle))[2:] > RANK_TOLERANCE)
