"""Overlap: whether treated and untreated rows are found at the same propensity scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check
from juntos_eval.estimators.matching.adjusted import Design, fitted_score
from juntos_eval.estimators.matching.effect import kish
from juntos_eval.estimators.matching.score import Score

__all__ = ["Overlap", "overlap", "overlap_checks"]

LOW, HIGH = 0.1, 0.9
# share of a target beyond the scores of the arm that stands for it that is still called overlap
TOLERATED = 0.01
# the arms that need counterparts in the other
NEEDY = {
    "att": ("treated",),
    "atc": ("untreated",),
    "ate": ("treated", "untreated"),
    "ato": ("treated", "untreated"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Scores of treated and untreated rows, side by side.

    Attributes
    ----------
    edges : numpy.ndarray, shape (bins + 1,)
        From 0 to 1.
    density_treated, density_untreated : numpy.ndarray, shape (bins,)
        Histograms with base weights, each of area one.
    density_treated_after, density_untreated_after : numpy.ndarray, shape (bins,)
        The same with design weights.
    range_treated, range_untreated : tuple of float
        Smallest and largest score.
    treated_outside, untreated_outside : float
        Base-weighted share of the arm whose score lies outside the other arm's range.
    share_low, share_high : tuple of float
        Base-weighted shares with a score below 0.1, and above 0.9: of the treated, of the untreated.
    effective_treated, effective_untreated : float
        Kish's effective number of rows under design weights.
    link : str
        Of the score: the design's own, else a logit of its covariates.
    checks : tuple of Check
        ``overlap`` and ``extreme scores``.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.adjusted import raw_design
    >>> from juntos_eval.estimators.matching.overlap import overlap
    >>> frame = pd.DataFrame({"d": [1, 0, 1, 0], "age": [1.0, 1.0, 2.0, 2.0]})
    >>> overlap(raw_design(frame, treatment="d", covariates=("age",))).treated_outside
    0.0
    """

    edges: Floats
    density_treated: Floats
    density_untreated: Floats
    density_treated_after: Floats
    density_untreated_after: Floats
    range_treated: tuple[float, float]
    range_untreated: tuple[float, float]
    treated_outside: float
    untreated_outside: float
    share_low: tuple[float, float]
    share_high: tuple[float, float]
    effective_treated: float
    effective_untreated: float
    link: str
    checks: tuple[Check, ...]

    def __post_init__(self) -> None:
        for when in ("", "_after"):
            for arm in ("treated", "untreated"):
                name = f"density_{arm}{when}"
                object.__setattr__(self, name, frozen(getattr(self, name)))
        object.__setattr__(self, "edges", frozen(self.edges))


def overlap(design: Design, *, bins: int = 40) -> Overlap:
    """Compare the scores of treated and untreated rows.

    Parameters
    ----------
    design : Design
        Matched, weighted or raw.
    bins : int
        Bars of the histograms, at least 2.

    Returns
    -------
    Overlap

    Raises
    ------
    DesignError
        If no score exists because covariates tell the arms apart, or bins are fewer than 2.

    References
    ----------
    Crump, R. K., Hotz, V. J., Imbens, G. W. & Mitnik, O. A. (2009). Dealing with limited overlap in
    estimation of average treatment effects. *Biometrika* 96(1), 187-199.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.adjusted import raw_design
    >>> from juntos_eval.estimators.matching.overlap import overlap
    >>> frame = pd.DataFrame({"d": [1, 0, 1, 0], "age": [1.0, 1.0, 2.0, 2.0]})
    >>> seen = overlap(raw_design(frame, treatment="d", covariates=("age",)), bins=2)
    >>> [check.passed for check in seen.checks]
    [True, None]
    """
    if bins < 2:
        raise DesignError(
            "a histogram needs two bars", where=f"bins={bins}", remedy="leave bins at its default of 40"
        )
    score = fitted_score(design)
    p, treated = score.probability, design.treated
    edges = np.linspace(0.0, 1.0, bins + 1)
    base, after = design.base_weights, design.design_weights
    return Overlap(
        edges=edges,
        density_treated=_density(p[treated], base[treated], edges),
        density_untreated=_density(p[~treated], base[~treated], edges),
        density_treated_after=_density(p[treated], after[treated], edges),
        density_untreated_after=_density(p[~treated], after[~treated], edges),
        range_treated=_range(p[treated]),
        range_untreated=_range(p[~treated]),
        treated_outside=_outside(p, treated, base),
        untreated_outside=_outside(p, ~treated, base),
        share_low=_shares(p < LOW, treated, base),
        share_high=_shares(p > HIGH, treated, base),
        effective_treated=kish(after[treated]),
        effective_untreated=kish(after[~treated]),
        link=score.link,
        checks=overlap_checks(score, treated, base, design.estimand),
    )


def overlap_checks(score: Score, treated: Bools, base: Floats, estimand: str) -> tuple[Check, Check]:
    """Return what overlap of scores an estimate prints beside its number.

    Parameters
    ----------
    score : Score
    treated : numpy.ndarray of bool, shape (n,)
    base : numpy.ndarray, shape (n,)
        Sampling weights.
    estimand : {"att", "ate", "atc", "ato"}
        Whose counterparts are sought: the treated's, the untreated's, or both.

    Returns
    -------
    tuple of Check
        ``overlap`` passes where at most 1 % of each such arm lie outside the scores of the other;
        ``extreme scores`` draws no line.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.overlap import overlap_checks
    >>> from juntos_eval.estimators.matching.score import fit_score
    >>> treated = np.array([True, False, True, False])
    >>> score = fit_score(treated, np.array([[1.0], [1.0], [2.0], [2.0]]), ("age",), np.ones(4))
    >>> overlap_checks(score, treated, np.ones(4), "att")[0].passed
    True
    """
    p = score.probability
    (low_1, high_1), (low_0, high_0) = _range(p[treated]), _range(p[~treated])
    (below_1, below_0), (above_1, above_0) = _shares(p < LOW, treated, base), _shares(p > HIGH, treated, base)
    sides = {"treated": treated, "untreated": ~treated}
    outside = {arm: _outside(p, sides[arm], base) for arm in NEEDY[estimand]}
    said = " and ".join(f"{share:.2%} of the {arm}" for arm, share in outside.items())
    return (
        Check(
            "overlap",
            max(outside.values()) <= TOLERATED,
            f"{said} outside the scores of the other arm; treated in "
            f"[{low_1:.3f}, {high_1:.3f}], untreated in [{low_0:.3f}, {high_0:.3f}]",
        ),
        Check(
            "extreme scores",
            None,
            f"below {LOW}: {below_1:.1%} of the treated, {below_0:.1%} of the untreated; "
            f"above {HIGH}: {above_1:.1%} and {above_0:.1%}",
        ),
    )


def _outside(probability: Floats, arm: Bools, base: Floats) -> float:
    low, high = _range(probability[~arm])
    # equal rows of both arms may differ by rounding
    beyond = (probability < low - 1e-12) | (probability > high + 1e-12)
    return float(base[arm & beyond].sum() / base[arm].sum())


def _shares(inside: Bools, treated: Bools, base: Floats) -> tuple[float, float]:
    treated_share, untreated_share = (
        float(base[arm & inside].sum() / base[arm].sum()) for arm in (treated, ~treated)
    )
    return treated_share, untreated_share


def _range(values: Floats) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _density(values: Floats, weights: Floats, edges: Floats) -> Floats:
    heights, _ = np.histogram(values, bins=edges, weights=weights, density=True)
    return np.asarray(heights, dtype=np.float64)
