r"""Effects away from the cutoff: by covariates that explain the score away, or by another cutoff."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference, Sample
from juntos_eval.estimators.design import Selection, groups_to_carry, select
from juntos_eval.estimators.rdd.choices import bandwidth_pair
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.least_squares import LeastSquares, least_squares

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["CovariateExtrapolation"]

_LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class CovariateExtrapolation:
    r"""Effects away from the cutoff where covariates explain the link of outcome and score.

    If potential outcomes are mean-independent of the score given covariates W within a window,
    :math:`E[Y_d | X, W] = E[Y_d | W] = W'\beta_d`, what the other side would have had is its regression on W,

    .. math:: \hat\tau(R) = \frac{\sum_{i: X_i \in R} w_i W_i'(\hat\beta_1 - \hat\beta_0)}{\sum_{i: X_i \in R}
    w_i}

    for any region R of scores in the window. The assumption can be refused by the data: given W the score
    must not matter on either side, and the check ``score explained by covariates`` tests it (its failure says
    that the extrapolation is not to be used; its success is no proof).

    Parameters
    ----------
    outcome, running : str
        Rows at the cutoff are treated.
    cutoff : float
    covariates : tuple of str
        W: numbers or categories.
    window : float or pair of float
        How far left and right of the cutoff rows are used.
    regions : tuple of pair of float, optional
        From (included) to (excluded), in units of the score; by default the left and the right half of the
        window. A region that reaches across the cutoff is refused.
    weights : str, optional
    cluster : str, optional
        Column of clusters of the default inference.

    Raises
    ------
    DesignError
        For choices that make no sense; from ``fit`` where a side has too few rows, a region none, or
        covariates are collinear on a side.

    References
    ----------
    Angrist, J. D. & Rokkanen, M. (2015). Wanna get away? Regression discontinuity estimation of exam school
    effects away from the cutoff. *Journal of the American Statistical Association* 110(512), 1331-1344.
    (Sections 3 and 4: conditional independence, its test, linear reweighting.)

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import CovariateExtrapolation
    >>> rng = np.random.default_rng(3)
    >>> w = rng.normal(size=4000)
    >>> x = w + rng.normal(size=4000)
    >>> frame = pd.DataFrame({"x": x, "w": w, "y": w + (1.0 + w) * (x >= 0) + 0.1 * rng.normal(size=4000)})
    >>> design = CovariateExtrapolation(outcome="y", running="x", covariates=("w",), window=2)
    >>> found = design.fit(frame)
    >>> found.keys["group"], bool(found.values[0] < 1 < found.values[1]), found.checks[0].passed
    (('[-2, 0)', '[0, 2]'), True, True)
    """

    outcome: str
    running: str
    covariates: tuple[str, ...]
    window: float | tuple[float, float]
    cutoff: float = 0.0
    regions: tuple[tuple[float, float], ...] = ()
    weights: str | None = None
    cluster: str | None = None

    def __post_init__(self) -> None:
        left, right = bandwidth_pair(self.window, "window")
        if not self.covariates:
            raise DesignError(
                "without covariates nothing explains the score away",
                where="CovariateExtrapolation(covariates=())",
            )
        for region in self.regions:
            low, high = (float(end) for end in region)
            across = low < self.cutoff < high
            if not self.cutoff - left <= low < high <= self.cutoff + right or across:
                raise DesignError(
                    "a region lies in the window and on one side of the cutoff",
                    where=f"region {tuple(region)}, cutoff {self.cutoff:g}, window {left:g} and {right:g}",
                )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the effect in every region.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed. Rows outside the window are dropped and counted.
        inference : Inference, optional
            By default ``Cluster(cluster)``, or ``Robust("HC1")``.
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Term ``effect`` by ``group``, the region. ``details``: rows of each region and, a side, what the
            score's slope is given covariates.
        """
        default: Inference = Cluster(self.cluster) if self.cluster else Robust("HC1")
        rule = inference or default
        own = (self.cluster,) if self.cluster else ()
        wanted = tuple(dict.fromkeys((*own, *groups_to_carry(rule, carry))))
        chosen, running = self._window(data, wanted)
        right = running >= self.cutoff
        design = np.column_stack([np.ones(chosen.n), chosen.covariates])
        outcome = chosen.columns[self.outcome]
        sides = [_side(design, outcome, chosen.weights, here) for here in (~right, right)]
        regions = self._regions(running)
        gap = sides[1].coefficients - sides[0].coefficients
        values, influence = [], []
        for here in regions.values():
            share = chosen.weights * here / (chosen.weights * here).sum()
            middle = share @ design
            value = float(middle @ gap)
            values.append(value)
            moved = share * (design @ gap - value)
            for side, at, sign in zip(sides, (~right, right), (-1.0, 1.0), strict=True):
                moved[at] += sign * chosen.weights[at] * side.residuals * (design[at] @ (side.bread @ middle))
            influence.append(moved)
        fit = Fit(
            values=np.array(values),
            influence=DenseInfluence(np.column_stack(influence)),
            parameters=2 * design.shape[1],
            groups=chosen.groups,
        )
        check, slopes = _explained(design, outcome, chosen, (running - self.cutoff, right), default)
        return Estimate(
            spec={"estimator": "CovariateExtrapolation", **asdict(self)},
            keys={"term": ("effect",) * len(regions), "group": tuple(regions)},
            values=fit.values,
            uncertainty=rule.infer(fit),
            sample=Sample(rows=chosen.n, units=chosen.n, treated=int(right.sum()), dropped=chosen.dropped),
            checks=(check, _inside_others(chosen.covariates, right)),
            details={"rows": {label: int(here.sum()) for label, here in regions.items()}, **slopes},
            fit=fit,
            inference=rule,
        )

    def _window(self, data: DataFrame, wanted: tuple[str, ...]) -> tuple[Selection, Floats]:
        left, right = bandwidth_pair(self.window, "window")
        columns = (self.outcome, self.running)
        first = select(data, numeric=columns, covariates=self.covariates, weights=self.weights, carry=wanted)
        score = first.columns[self.running]
        inside = (score >= self.cutoff - left) & (score <= self.cutoff + right)
        if not (inside & (score < self.cutoff)).any() or not (inside & (score >= self.cutoff)).any():
            raise DesignError(
                "a side of the window has no row",
                where=f"'{self.running}' from {score.min():g} to {score.max():g}, cutoff {self.cutoff:g}",
            )
        near = data.iloc[first.rows[inside]]
        chosen = select(near, numeric=columns, covariates=self.covariates, weights=self.weights, carry=wanted)
        out = {"outside the window": int((~inside).sum())} if not inside.all() else {}
        dropped = {**first.dropped, **out}
        made = replace(chosen, rows=first.rows[inside], dropped=dropped)
        return made, chosen.columns[self.running]

    def _regions(self, running: Floats) -> dict[str, Bools]:
        left, right = bandwidth_pair(self.window, "window")
        given = self.regions or (
            (self.cutoff - left, self.cutoff),
            (self.cutoff, self.cutoff + right),
        )
        found = {}
        for low, high in given:
            last = high == self.cutoff + right
            here = (running >= low) & ((running <= high) if last else (running < high))
            label = f"[{low:g}, {high:g}{']' if last else ')'}"
            if not here.any():
                raise DesignError("a region has no row", where=f"{label}, column '{self.running}'")
            found[label] = here
        return found


def _side(design: Floats, outcome: Floats, weights: Floats, here: Bools) -> LeastSquares:
    fit = least_squares(design[here], outcome[here], weights[here])
    if len(fit.dropped) or fit.rank >= here.sum():
        raise DesignError(
            "covariates are collinear, or as many as rows, on one side of the cutoff",
            where=f"{int(here.sum()):,} rows, {design.shape[1]} coefficients, rank {fit.rank}",
            remedy="leave out covariates that do not vary on that side, or widen the window",
        )
    return fit


def _explained(
    design: Floats, outcome: Floats, chosen: Selection, place: tuple[Floats, Bools], rule: Inference
) -> tuple[Check, dict[str, object]]:
    """Test that given covariates the score has no slope on either side."""
    score, right = place
    slopes, influence = [], []
    for here in (~right, right):
        fit = least_squares(np.column_stack([score, design])[here], outcome[here], chosen.weights[here])
        moved = np.zeros(chosen.n)
        if 0 in fit.kept:
            at = int(np.flatnonzero(fit.kept == 0)[0])
            full = np.column_stack([score, design])[here][:, fit.kept]
            moved[here] = chosen.weights[here] * fit.residuals * (full @ fit.bread[at])
        slopes.append(float(fit.coefficients[0]))
        influence.append(moved)
    found = Fit(
        values=np.array(slopes),
        influence=DenseInfluence(np.column_stack(influence)),
        parameters=2 * design.shape[1] + 2,
        groups=chosen.groups,
    )
    tested = Estimate(
        spec={"estimator": "slopes of the score"},
        keys={"term": ("left", "right")},
        values=found.values,
        uncertainty=rule.infer(found),
        sample=Sample(rows=chosen.n, units=chosen.n),
    )
    p_value = float(tested.test().p_value)
    detail = f"slopes given covariates {slopes[0]:.4g} left, {slopes[1]:.4g} right, joint p = {p_value:.4f}"
    known = p_value >= _LEVEL if np.isfinite(p_value) else None
    return Check("score explained by covariates", known, detail), {
        "slope_left": slopes[0],
        "slope_right": slopes[1],
        "slopes_p_value": p_value,
    }


def _inside_others(covariates: Floats, right: Bools) -> Check:
    """Say how many rows have covariates beyond the range of the other side's."""
    outside = 0
    for here, other in ((~right, right), (right, ~right)):
        low, high = covariates[other].min(axis=0), covariates[other].max(axis=0)
        outside += int(((covariates[here] < low) | (covariates[here] > high)).any(axis=1).sum())
    share = outside / len(covariates)
    detail = f"{outside:,} rows ({share:.1%}) have a covariate beyond the other side's range"
    return Check("covariates overlap", share < 0.1, detail)
