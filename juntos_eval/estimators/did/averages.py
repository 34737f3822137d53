"""Averages of group-time effects: overall, by cohort, by period, by time since treatment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Block, BlockInfluence, Check, Estimate, Fit, Inference, Uncertainty
from juntos_eval.estimate.combination import combined
from juntos_eval.estimators.did.moment_influence import MomentInfluence
from juntos_eval.estimators.did.pretrend import pretrend_check

__all__ = ["aggregate"]

Kind = Literal["simple", "group", "calendar", "dynamic"]
_KEY = {"group": "group", "calendar": "time", "dynamic": "event_time"}


def aggregate(
    estimate: Estimate,
    kind: Kind,
    balance: float | None = None,
    *,
    min_event_time: float = -np.inf,
    max_event_time: float = np.inf,
    inference: Inference | None = None,
) -> Estimate:
    r"""Average the effects of :class:`GroupTime` over cohorts and periods.

    With :math:`p_g` the share of a cohort among all units, and cells after treatment :math:`t \ge g`,

    - ``simple``: all cells after treatment by :math:`p_g`;
    - ``group``: for each cohort the mean over its periods after treatment (and anticipated ones); overall
      by :math:`p_g`;
    - ``calendar``: for each period the cohorts treated by then, by :math:`p_g`; overall the mean over
      periods;
    - ``dynamic``: for each time since treatment the cohorts seen then, by :math:`p_g`; overall the mean
      over event times from zero on.

    A balanced ``dynamic`` average uses only cohorts seen for ``balance`` or longer after treatment begins,
    and no later event times, so that these are of the same cohorts throughout.

    The shares are estimated: what their error adds is in the influence, and so in every inference.

    Parameters
    ----------
    estimate : Estimate
        Of :class:`GroupTime`, or any with rows by ``group`` and ``time`` and the shares of groups.
    kind : {"simple", "group", "calendar", "dynamic"}
    balance : float, optional
        For ``dynamic``, in units of time.
    min_event_time, max_event_time : float
        Cells to use.
    inference : Inference, optional
        By default that of the estimate.

    Returns
    -------
    Estimate
        First the row ``overall``, then ``att`` by what is averaged within. Cells that are NaN are left
        out of the averages and named in a check.

    Raises
    ------
    DesignError
        If the estimate has no groups and times, or no cell is left.

    References
    ----------
    Callaway, B., & Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time periods.
    *Journal of Econometrics*, 225(2), 200-230. (Section 3.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import GroupTime, aggregate
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "year": [2019, 2020] * 4,
    ...                       "start": [2020] * 4 + [0] * 4, "y": [1.0, 5.0, 2.0, 4.0, 1.0, 2.0, 3.0, 3.5]})
    >>> cells = GroupTime(outcome="y", unit="id", time="year", first_treated="start").fit(frame)
    >>> aggregate(cells, "dynamic").values.round(6).tolist()
    [2.25, 2.25]
    """
    if kind not in get_args(Kind):
        raise DesignError(
            f"there is no aggregation {kind!r}", where="kind", remedy=f"choose {', '.join(get_args(Kind))}"
        )
    cells = _cells(estimate)
    used = (cells.event_time >= min_event_time) & (cells.event_time <= max_event_time)
    if balance is not None:
        used &= _is_balanced(cells, kind, balance)
    averages = _averages(cells, kind, used & np.isfinite(cells.values))
    fit, chosen = _fit(estimate, cells, averages), _rule(estimate, inference)
    uncertainty = chosen.infer(fit)
    lost = int((used & ~np.isfinite(cells.values)).sum())
    checks = [Check("cells left out of averages", False, f"{lost} without a value")] if lost else []
    if kind == "dynamic":
        checks.append(_pretrend(averages, fit, uncertainty, cells.anticipation))
    return replace(
        estimate,
        spec={**estimate.spec, "aggregation": kind, "balance": balance},
        keys=_keys(cells, kind, averages),
        values=fit.values,
        uncertainty=uncertainty,
        checks=(*estimate.checks, *checks),
        fit=fit,
        inference=chosen,
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """Cells as arrays, with the shares of cohorts and the position of each cell's cohort among them."""

    values: Floats
    group: Floats
    event_time: Floats
    times: tuple[Any, ...]
    groups: tuple[Any, ...]
    shares: Floats
    cohort: Codes
    anticipation: float
    first: float
    last: float

    @property
    def time(self) -> Floats:
        """Period of each cell, the same number for the same period."""
        found: dict[Any, float] = {}
        summed = (self.group + self.event_time).tolist()
        return np.array([found.setdefault(label, at) for label, at in zip(self.times, summed, strict=True)])


@dataclass(frozen=True, slots=True)
class _Average:
    """An average: weights (k,) of the cells, and its derivative along the shares, (G,)."""

    term: str
    at: float
    weights: Floats
    along_shares: Floats


def _cells(estimate: Estimate) -> _Cells:
    keys, fit = estimate.keys, estimate.fit
    if not {"group", "time", "event_time"} <= set(keys) or fit is None or fit.shares is None:
        raise DesignError(
            "these are no group-time effects that could be averaged",
            where=f"keys {', '.join(keys)}; {'without' if fit is None else 'with'} its fit in memory",
            remedy="give the estimate that GroupTime(...).fit returned, not an average or a record of it",
        )
    # cohorts come in the order of their levels; the first levels may have no cell
    order = {label: at for at, label in enumerate(dict.fromkeys(keys["group"]))}
    offset = len(fit.shares.levels) - len(order)
    cohort = np.array([order[label] + offset for label in keys["group"]])
    return _Cells(
        values=estimate.values,
        group=np.array(fit.shares.levels)[cohort],
        event_time=np.array([float(value) for value in keys["event_time"]]),
        times=keys["time"],
        groups=keys["group"],
        shares=fit.shares.values,
        cohort=cohort,
        anticipation=float(estimate.spec.get("anticipation", 0)),
        first=float(estimate.details["first_period"]),
        last=float(estimate.details["last_period"]),
    )


def _rule(estimate: Estimate, inference: Inference | None) -> Inference:
    chosen = inference or estimate.inference
    if chosen is None:
        raise DesignError(
            "the effects do not say by which rule their errors were had",
            where="aggregate",
            remedy="give inference=",
        )
    return chosen


def _is_balanced(cells: _Cells, kind: Kind, balance: float) -> Bools:
    if kind != "dynamic":
        raise DesignError(
            "balance has a meaning for kind='dynamic' only", where=f"kind={kind!r}", remedy="leave it out"
        )
    return np.asarray(
        (cells.last - cells.group >= balance)
        & (cells.event_time <= balance)
        & (cells.event_time >= balance - (cells.last - cells.first))
    )


def _averages(cells: _Cells, kind: Kind, used: Bools) -> list[_Average]:
    """Return the overall average and those that it is made of."""
    is_after = cells.event_time >= 0
    if kind == "simple":
        return [_by_share(cells, used & is_after, "overall", np.nan)]
    by, among = {
        "group": (cells.group, used & is_after),
        "calendar": (cells.time, used & is_after),
        "dynamic": (cells.event_time, used),
    }[kind]
    parts = []
    for at in np.unique(by[among]):
        here = among & (by == at)
        if kind == "group":
            parts.append(_Average("att", float(at), here / here.sum(), np.zeros(len(cells.shares))))
        else:
            parts.append(_by_share(cells, here, "att", float(at)))
    summed = [one for one in parts if kind != "dynamic" or one.at >= 0]
    if not summed:
        raise _nothing_left(cells)
    overall = _over_cohorts(cells, summed) if kind == "group" else _mean(summed)
    return [overall, *parts]


def _by_share(cells: _Cells, here: Bools, term: str, at: float) -> _Average:
    share = cells.shares[cells.cohort] * here
    total = share.sum()
    if total == 0:
        raise _nothing_left(cells)
    weights = share / total
    known = np.where(here, cells.values, 0.0)
    counted = np.bincount(cells.cohort, weights=here, minlength=len(cells.shares))
    summed = np.bincount(cells.cohort, weights=known, minlength=len(cells.shares))
    return _Average(term, at, weights, (summed - counted * float(weights @ known)) / total)


def _over_cohorts(cells: _Cells, parts: list[_Average]) -> _Average:
    """Average cohorts by their shares."""
    known = np.where(np.isfinite(cells.values), cells.values, 0.0)
    levels = [int(cells.cohort[np.flatnonzero(one.weights)[0]]) for one in parts]
    shares = cells.shares[levels]
    effects = np.array([one.weights @ known for one in parts])
    weights = shares / shares.sum()
    along = np.zeros(len(cells.shares))
    along[levels] = (effects - weights @ effects) / shares.sum()
    return _Average("overall", np.nan, weights @ np.array([one.weights for one in parts]), along)


def _mean(parts: list[_Average]) -> _Average:
    return _Average(
        "overall",
        np.nan,
        np.mean([one.weights for one in parts], axis=0),
        np.mean([one.along_shares for one in parts], axis=0),
    )


def _nothing_left(cells: _Cells) -> DesignError:
    return DesignError(
        "no cell after treatment is left to average",
        where=f"{len(cells.values)} cells, {int(np.isfinite(cells.values).sum())} with a value",
        remedy="widen the event times, or look at the checks of the group-time effects",
    )


def _fit(estimate: Estimate, cells: _Cells, averages: list[_Average]) -> Fit:
    fit, shares = estimate.fit, None if estimate.fit is None else estimate.fit.shares
    if fit is None or shares is None:  # _cells has refused
        raise _nothing_left(cells)
    weights = np.array([one.weights for one in averages])
    along = np.array([one.along_shares for one in averages])
    moved = np.flatnonzero((along != 0).any(axis=1))
    if isinstance(fit.influence, MomentInfluence) and isinstance(shares.influence, MomentInfluence):
        summed = fit.influence.combine(weights).plus(shares.influence.combine(along))
        return replace(fit, values=combined(fit.values, weights), influence=summed, shares=None, linear=None)
    every = np.arange(fit.n, dtype=np.int64)
    errors = Block(every, moved, np.asarray(shares.influence.combine(along[moved]).dense()))
    combined_cells = fit.influence.combine(weights)
    blocks = (
        combined_cells.blocks
        if isinstance(combined_cells, BlockInfluence)
        else (Block(every, np.arange(len(averages)), combined_cells.dense()),)
    )
    return replace(
        fit,
        values=combined(fit.values, weights),
        influence=BlockInfluence((*blocks, errors), fit.n, len(averages)),
        shares=None,
        linear=None,
    )


def _pretrend(averages: list[_Average], fit: Fit, uncertainty: Uncertainty, anticipation: float) -> Check:
    before = np.array([one.term == "att" and one.at < -anticipation for one in averages])
    return pretrend_check(fit.values, uncertainty, before)


def _keys(cells: _Cells, kind: Kind, averages: list[_Average]) -> dict[str, tuple[Any, ...]]:
    keys: dict[str, tuple[Any, ...]] = {"term": tuple(one.term for one in averages)}
    if kind == "simple":
        return keys
    if kind == "dynamic":
        labels = dict(zip(cells.event_time, cells.event_time, strict=True))
    else:
        by, named = (cells.group, cells.groups) if kind == "group" else (cells.time, cells.times)
        labels = dict(zip(by, named, strict=True))
    return keys | {
        _KEY[kind]: tuple(None if np.isnan(one.at) else _plain(labels[one.at]) for one in averages)
    }


def _plain(label: Any) -> Any:
    if not isinstance(label, float):
        return label
    return int(label) if label.is_integer() else float(label)
