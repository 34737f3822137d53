r"""Bounds of an effect on outcomes that some rows lost: Lee's, and Horowitz and Manski's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import optimize, special

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Groups, Inference, Sample
from juntos_eval.estimators.design import groups_to_carry, select, zero_one
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["HorowitzManskiBounds", "LeeBounds", "bounds_interval"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """Every row with its outcome, NaN where it was lost."""

    outcome: Floats
    is_seen: Bools
    is_treated: Bools
    weights: Floats
    groups: Mapping[str, Groups]
    dropped: Mapping[str, int]

    @property
    def n(self) -> int:
        return len(self.outcome)


def _read(
    data: DataFrame, outcome: str, treatment: str, weights: str | None, carry: tuple[str, ...]
) -> _Sample:
    every = select(data, required=(treatment,), weights=weights, carry=carry)
    treated = zero_one(every.columns[treatment], treatment)
    seen = select(data.iloc[every.rows], numeric=(outcome,), required=(treatment,))
    values = np.full(every.n, np.nan)
    values[seen.rows] = seen.columns[outcome]
    is_seen = np.isfinite(values)
    for arm in (True, False):
        if not is_seen[treated == arm].any():
            raise DesignError(
                f"no {'treated' if arm else 'untreated'} row has an outcome",
                where=f"column '{outcome}', {int((treated == arm).sum())} rows",
                remedy="bounds need outcomes in both arms",
            )
    return _Sample(
        outcome=values,
        is_seen=is_seen,
        is_treated=treated,
        weights=every.weights,
        groups=every.groups,
        dropped=every.dropped,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeeBounds:
    r"""Sharp bounds of the effect on those whose outcome is seen in either arm (Lee 2009).

    Assignment is random, and treatment moves attrition in one direction. Of the arm that keeps more of its
    outcomes, the share :math:`(p_1 - p_0)/p_1` is cut from the top, or from the bottom:

    .. math:: \hat\Delta^{low} = E[Y | S=1, D=1, Y \le y_{p_0/p_1}] - E[Y | S=1, D=0]

    and alike for the other end. Influence carries the error of shares and quantile. Where many outcomes equal
    the quantile, a part of them is cut.

    Parameters
    ----------
    outcome : str
        Missing where it was lost.
    treatment : str
        Column of 0 and 1.
    cells : str, optional
        Column of groups, fixed before treatment: bounds within each, averaged over those whose outcome is
        seen
        in either arm, are narrower. The direction may differ by cell.
    weights : str, optional

    References
    ----------
    Lee, D. S. (2009). Training, wages, and sample selection: estimating sharp bounds on treatment effects.
    *Review of Economic Studies* 76(3), 1071-1102. (Propositions 1a, 2 and 3.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.sensitivity import LeeBounds
    >>> frame = pd.DataFrame({"y": [1, 2, 3, 4, 1, 2, None, None], "d": [1, 1, 1, 1, 0, 0, 0, 0]})
    >>> LeeBounds(outcome="y", treatment="d").fit(frame).values.tolist()
    [0.0, 2.0]
    """

    outcome: str
    treatment: str
    cells: str | None = None
    weights: str | None = None

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Return the bounds; by default with the sandwich of their influence, ``Robust("HC0")``.

        Parameters
        ----------
        data : pandas.DataFrame
            Also the rows that lost their outcome.
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            Terms ``lower`` and ``upper``. ``details`` has the shares seen and cut, and Imbens and Manski's
            interval of the effect at 95 percent; :func:`bounds_interval` gives it at any level.

        Raises
        ------
        DesignError
        """
        chosen = inference or Robust("HC0")
        groups = groups_to_carry(chosen, (*carry, *([self.cells] if self.cells else [])))
        sample = _read(data, self.outcome, self.treatment, self.weights, groups)
        cells = np.zeros(sample.n, dtype=np.int64) if self.cells is None else sample.groups[self.cells].codes
        values, influence, details = _over_cells(sample, cells)
        return _bounds_estimate(
            {"estimator": "LeeBounds", **asdict(self)}, sample, values, influence, chosen, details
        )


def _over_cells(sample: _Sample, cells: Codes) -> tuple[Floats, Floats, dict[str, Any]]:
    found = [_in_cell(sample, np.flatnonzero(cells == cell)) for cell in np.unique(cells)]
    bounds = np.array([values for values, *_ in found])
    mass = np.array([each[2] for each in found])
    total = mass.sum()
    shares = mass / total
    influence = np.zeros((sample.n, 2))
    values = shares @ bounds
    for (own, of_bounds, _, of_mass, _), share in zip(found, shares, strict=True):
        influence += share * of_bounds
        influence += np.outer(of_mass, (own - values) / total)
    details = {
        "share_seen_treated": _share(sample, arm=True),
        "share_seen_untreated": _share(sample, arm=False),
        "share_cut": [each[4] for each in found],
        "share_of_cells": shares.tolist(),
    }
    return values, influence, details


def _share(sample: _Sample, *, arm: bool) -> float:
    rows = sample.is_treated == arm
    return float(sample.weights[rows] @ sample.is_seen[rows] / sample.weights[rows].sum())


def _in_cell(sample: _Sample, rows: Codes) -> tuple[Floats, Floats, float, Floats, float]:
    """Return bounds, their influence, the mass of those always seen with its influence, and the share cut."""
    treated, seen = sample.is_treated[rows], sample.is_seen[rows]
    weights = sample.weights[rows]
    if any(not (seen & (treated == arm)).any() for arm in (True, False)):
        raise DesignError(
            "a cell has no outcome in one of the arms",
            where=f"cell of {len(rows)} rows",
            remedy="use larger cells",
        )
    rate, of_rate = {}, {}
    for arm in (True, False):
        size = weights[treated == arm].sum()
        rate[arm] = float(weights @ (seen & (treated == arm)) / size)
        of_rate[arm] = weights * (treated == arm) * (seen - rate[arm]) / size
    more = rate[True] >= rate[False]
    kept = rate[not more] / rate[more]
    of_kept = (of_rate[not more] - kept * of_rate[more]) / rate[more]
    y = np.where(seen, sample.outcome[rows], 0.0)
    whole = seen & (treated != more)
    mean = float(weights @ (y * whole) / weights[whole].sum())
    of_mean = weights * whole * (y - mean) / weights[whole].sum()
    cut = seen & (treated == more)
    low, of_low = _trimmed(y, weights * cut, kept, of_kept)
    high, of_high = _trimmed(-y, weights * cut, kept, of_kept)
    if more:
        values, parts = np.array([low - mean, -high - mean]), (of_low - of_mean, -of_high - of_mean)
    else:
        values, parts = np.array([mean + high, mean - low]), (of_mean + of_high, of_mean - of_low)
    influence = np.zeros((sample.n, 2))
    influence[rows] = np.column_stack(parts)
    total = sample.weights.sum()
    share = weights.sum() / total
    of_mass = -sample.weights * share / total * rate[not more]
    of_mass[rows] += weights / total * rate[not more] + share * of_rate[not more]
    return values, influence, float(share * rate[not more]), of_mass, 1.0 - kept


def _trimmed(y: Floats, weights: Floats, kept: float, of_kept: Floats) -> tuple[float, Floats]:
    """Return the mean of the lowest share of values, and its influence with that of the share."""
    total = weights.sum()
    order = np.argsort(y, kind="stable")
    before = np.cumsum(weights[order]) - weights[order]
    wanted = kept * total
    part = np.zeros(len(y))
    own = weights[order] > 0
    part[order] = np.where(
        own, np.clip((wanted - before) / np.where(own, weights[order], 1.0), 0.0, 1.0), 0.0
    )
    edge = float(y[(part > 0) & (weights > 0)].max())
    # rows at the edge share what is cut of them, whatever their order
    tied = (y == edge) & (weights > 0)
    part[tied] = (weights[tied] @ part[tied]) / weights[tied].sum()
    mean = float(weights @ (part * y) / wanted)
    scores = weights * (part * y - kept * mean - edge * (part - kept)) / total
    return mean, np.asarray(scores / kept + (edge - mean) / kept * of_kept)


def _bounds_estimate(
    spec: dict[str, Any],
    sample: _Sample,
    values: Floats,
    influence: Floats,
    inference: Inference,
    details: dict[str, Any],
) -> Estimate:
    fit = Fit(values=values, influence=DenseInfluence(influence), parameters=2, groups=sample.groups)
    uncertainty = inference.infer(fit)
    lost = int((~sample.is_seen).sum())
    weights = sample.weights
    return Estimate(
        spec=spec,
        keys={"term": ("lower", "upper")},
        values=values,
        uncertainty=uncertainty,
        sample=Sample(
            rows=sample.n,
            units=sample.n,
            treated=int(sample.is_treated.sum()),
            effective=float(weights.sum() ** 2 / (weights**2).sum()),
            dropped=sample.dropped,
        ),
        checks=(
            Check(
                "attrition",
                None,
                f"{lost:,} of {sample.n:,} outcomes lost; seen {_share(sample, arm=True):.1%} of the treated "
                f"and {_share(sample, arm=False):.1%} of the untreated",
            ),
        ),
        details=details,
        fit=fit,
        inference=inference,
    )


def bounds_interval(estimate: Estimate, level: float = 0.95) -> tuple[float, float]:
    r"""Return Imbens and Manski's interval, which covers the effect (not the whole set) so often.

    .. math:: [\hat l - c\,se_l,\ \hat u + c\,se_u], \qquad
              \Phi\left(c + \frac{\hat u - \hat l}{\max(se_l, se_u)}\right) - \Phi(-c) = level

    Parameters
    ----------
    estimate : Estimate
        With the terms ``lower`` and ``upper``.
    level : float

    Returns
    -------
    tuple of float

    Raises
    ------
    InferenceError
        For another estimate or level.

    References
    ----------
    Imbens, G. W. & Manski, C. F. (2004). Confidence intervals for partially identified parameters.
    *Econometrica*
    72(6), 1845-1857. (Equations 6 and 7.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.sensitivity import LeeBounds, bounds_interval
    >>> frame = pd.DataFrame({"y": [1, 2, 3, 4, 1, 2, None, None], "d": [1, 1, 1, 1, 0, 0, 0, 0]})
    >>> low, high = bounds_interval(LeeBounds(outcome="y", treatment="d").fit(frame))
    >>> low < 0.0 and high > 2.0
    True
    """
    if tuple(estimate.keys["term"]) != ("lower", "upper") or not 0.5 < level < 1.0:
        raise InferenceError(
            "an interval of bounds needs the terms lower and upper, and a level between 0.5 and 1",
            where=f"terms {estimate.keys['term']}, level {level}",
            remedy="hand over an estimate of LeeBounds, HorowitzManskiBounds or ManskiBounds",
        )
    lower, upper = estimate.values
    errors = estimate.uncertainty.std_error
    largest = float(errors.max())
    if not largest > 0:
        return float(lower), float(upper)
    width = max(float(upper - lower), 0.0) / largest

    def missing(c: float) -> float:
        return float(special.ndtr(c + width) - special.ndtr(-c)) - level

    critical = float(optimize.brentq(missing, 0.0, 10.0, xtol=1e-12))
    return float(lower - critical * errors[0]), float(upper + critical * errors[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class HorowitzManskiBounds:
    r"""Bounds of a randomised effect whatever the lost outcomes were, within their range.

    Lost outcomes of the treated are set to the smallest value and those of the untreated to the largest for
    the
    lower bound, and the other way round for the upper.

    Parameters
    ----------
    outcome : str
        Missing where it was lost.
    treatment : str
    smallest, largest : float
        Range of the outcome, known beforehand.
    weights : str, optional

    References
    ----------
    Horowitz, J. L. & Manski, C. F. (2000). Nonparametric analysis of randomized experiments with missing
    covariate
    and outcome data. *Journal of the American Statistical Association* 95(449), 77-84.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.sensitivity import HorowitzManskiBounds
    >>> frame = pd.DataFrame({"y": [1, 1, 1, None, 0, 0, 1, None], "d": [1, 1, 1, 1, 0, 0, 0, 0]})
    >>> HorowitzManskiBounds(outcome="y", treatment="d", smallest=0.0, largest=1.0).fit(frame).values.tolist()
    [0.25, 0.75]
    """

    outcome: str
    treatment: str
    smallest: float
    largest: float
    weights: str | None = None

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Return the bounds; by default with ``Robust("HC0")``.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            Terms ``lower`` and ``upper``.

        Raises
        ------
        DesignError
            Also for outcomes outside the range.
        """
        chosen = inference or Robust("HC0")
        sample = _read(data, self.outcome, self.treatment, self.weights, groups_to_carry(chosen, carry))
        seen = sample.outcome[sample.is_seen]
        if not self.smallest <= seen.min() <= seen.max() <= self.largest:
            raise DesignError(
                "outcomes lie outside the range that was given",
                where=f"column '{self.outcome}': {seen.min():g} to {seen.max():g}",
                remedy="give the smallest and the largest value that the outcome can have",
            )
        ends = []
        for of_treated, of_untreated in ((self.smallest, self.largest), (self.largest, self.smallest)):
            filled = np.where(sample.is_treated, of_treated, of_untreated)
            ends.append(_gap(np.where(sample.is_seen, sample.outcome, filled), sample))
        values = np.array([value for value, _ in ends])
        influence = np.column_stack([column for _, column in ends])
        spec = {"estimator": "HorowitzManskiBounds", **asdict(self)}
        return _bounds_estimate(spec, sample, values, influence, chosen, {})


def _gap(y: Floats, sample: _Sample) -> tuple[float, Floats]:
    value, influence = 0.0, np.zeros(sample.n)
    for sign, arm in ((1.0, True), (-1.0, False)):
        weights = sample.weights * (sample.is_treated == arm)
        mean = float(weights @ y / weights.sum())
        value += sign * mean
        influence += sign * weights * (y - mean) / weights.sum()
    return value, influence
