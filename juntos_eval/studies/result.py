"""What running a study gives: each estimate with what was looked at beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pandas import DataFrame

from juntos_eval.arrays import Floats, frozen
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.matching.adjusted import Design
from juntos_eval.estimators.matching.overlap import Overlap
from juntos_eval.estimators.matching.sensitivity import EValue, HiddenBiasBounds

__all__ = ["DesignResult", "ScoreHistograms", "TrendMean", "score_histograms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreHistograms:
    r"""Weighted shares of both arms along the linear score :math:`\log e/(1-e)`.

    Attributes
    ----------
    edges : numpy.ndarray, shape (b + 1,)
    treated_before, treated_after, untreated_before, untreated_after : numpy.ndarray, shape (b,)
        Each sums to one.
    treated_counts, untreated_counts : numpy.ndarray, shape (b,)
        Unweighted rows.
    range_treated, range_untreated : tuple of float
    """

    edges: Floats
    treated_before: Floats
    treated_after: Floats
    untreated_before: Floats
    untreated_after: Floats
    treated_counts: Floats
    untreated_counts: Floats
    range_treated: tuple[float, float]
    range_untreated: tuple[float, float]

    def __post_init__(self) -> None:
        names = [
            f"{arm}_{part}" for arm in ("treated", "untreated") for part in ("before", "after", "counts")
        ]
        for name in ("edges", *names):
            object.__setattr__(self, name, frozen(getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendMean:
    """Weighted mean outcome of one arm in one wave.

    Attributes
    ----------
    is_treated : bool
    year : int
    mean, std_error : float
    interval : tuple of float
        Of 95 percent.
    n : int
    """

    is_treated: bool
    year: int
    mean: float
    std_error: float
    interval: tuple[float, float]
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignResult:
    """One estimate of a study.

    Attributes
    ----------
    part : str
        Id of the comparison or demonstration.
    design : str
    estimate : Estimate
        Its sample counts who was left out on the way from the whole survey, too.
    balance : pandas.DataFrame, optional
        Tidy balance table of the design.
    overlap : Overlap, optional
    histograms : ScoreHistograms, optional
    bounds : HiddenBiasBounds, optional
        Sensitivity to hidden bias, of pair matching.
    e_value : EValue, optional
    trend : tuple of TrendMean
    """

    part: str
    design: str
    estimate: Estimate
    balance: DataFrame | None = None
    overlap: Overlap | None = None
    histograms: ScoreHistograms | None = None
    bounds: HiddenBiasBounds | None = None
    e_value: EValue | None = None
    trend: tuple[TrendMean, ...] = ()


def score_histograms(design: Design, linear: Floats, *, bins: int = 40) -> ScoreHistograms:
    """Return the histograms of both arms on common edges.

    Parameters
    ----------
    design : Design
    linear : numpy.ndarray, shape (n,)
        Linear score of the design's rows.
    bins : int

    Returns
    -------
    ScoreHistograms
    """
    edges = np.linspace(float(linear.min()), float(linear.max()), bins + 1)
    arms = {"treated": design.treated, "untreated": ~design.treated}
    shares = {
        f"{arm}_{when}": _shares(linear[rows], weights[rows], edges)
        for arm, rows in arms.items()
        for when, weights in (("before", design.base_weights), ("after", design.design_weights))
    }
    counts = {f"{arm}_counts": np.histogram(linear[rows], edges)[0] for arm, rows in arms.items()}
    ranges = {
        f"range_{arm}": (float(linear[rows].min()), float(linear[rows].max())) for arm, rows in arms.items()
    }
    return ScoreHistograms(edges=edges, **shares, **counts, **ranges)  # type: ignore[arg-type]


def _shares(values: Floats, weights: Floats, edges: Floats) -> Floats:
    mass = np.histogram(values, edges, weights=weights)[0]
    return np.asarray(mass / mass.sum())
