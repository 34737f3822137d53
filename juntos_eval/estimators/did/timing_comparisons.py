"""What is averaged, and what ought to be zero, when the timing of treatment is random."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from juntos_eval.arrays import Floats, frozen
from juntos_eval.errors import DesignError

__all__ = [
    "Adjust",
    "Estimand",
    "Moments",
    "TimingRow",
    "balance_contrasts",
    "moments_of",
    "refuse_estimand",
    "timing_rows",
]

Estimand = Literal["simple", "group", "calendar", "dynamic"]
Adjust = Literal["efficient", "efficient_all", "did", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Sizes, means and covariances of the paths of outcomes of each cohort.

    Attributes
    ----------
    cohorts : numpy.ndarray, shape (G,)
        When first treated, in order; infinite for never.
    sizes : numpy.ndarray, shape (G,)
    means : numpy.ndarray, shape (G, T)
    covariances : numpy.ndarray, shape (G, T, T)
        With divisor n - 1.

    Examples
    --------
    See :func:`moments_of`.
    """

    cohorts: Floats
    sizes: Floats
    means: Floats
    covariances: Floats

    def __post_init__(self) -> None:
        for name in ("cohorts", "sizes", "means", "covariances"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def value(self, weights: Floats) -> Floats:
        r"""Return :math:`\sum_g A_g \bar Y_g` for weights (..., G, T)."""
        return np.asarray(np.einsum("...gt,gt->...", weights, self.means))

    def covariance(self, left: Floats, right: Floats) -> Floats:
        r"""Return Neyman's :math:`\sum_g N_g^{-1} A_g S_g B_g'` for weights (a, G, T) and (b, G, T)."""
        scaled = self.covariances / self.sizes[:, None, None]
        return np.asarray(np.einsum("agt,gts,bgs->ab", left, scaled, right, optimize=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingRow:
    """An average of effects: weights (G, T) of cohort means, and those (m, G, T) of what should be zero.

    Examples
    --------
    See :func:`timing_rows`.
    """

    term: str
    at: float
    effect: Floats
    zeros: Floats


def moments_of(outcome: Floats, first_treated: Floats) -> Moments:
    """Return the moments of the cohorts.

    Parameters
    ----------
    outcome : numpy.ndarray, shape (N, T)
    first_treated : numpy.ndarray, shape (N,)
        Each cohort has two units or more.

    Returns
    -------
    Moments

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.timing_comparisons import moments_of
    >>> found = moments_of(np.array([[1.0, 2], [3, 2], [0, 0], [0, 4]]), np.array([2.0, 2, np.inf, np.inf]))
    >>> found.means.tolist(), found.covariances[1].tolist()
    ([[2.0, 2.0], [0.0, 2.0]], [[0.0, 0.0], [0.0, 8.0]])
    """
    cohorts, codes, sizes = np.unique(first_treated, return_inverse=True, return_counts=True)
    paths = [outcome[codes == at] for at in range(len(cohorts))]
    return Moments(
        cohorts=cohorts,
        sizes=sizes.astype(np.float64),
        means=np.array([path.mean(axis=0) for path in paths]),
        covariances=np.array([np.cov(path, rowvar=False).reshape(path.shape[1], -1) for path in paths]),
    )


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cohort in a period after treatment, with its weights; zeros are of the base period."""

    cohort: int
    period: int
    effect: Floats
    zeros: Floats


def timing_rows(moments: Moments, times: Floats, estimand: Estimand, *, last: bool) -> tuple[TimingRow, ...]:
    r"""Lay out averages of :math:`\tau_{gt} = \bar Y_{gt} - \bar Y_{C,t}` with their pre-treatment twins.

    The twin of a cell compares the same cohorts in the last period before g: under random timing its
    expectation is zero.

    Parameters
    ----------
    moments : Moments
    times : numpy.ndarray, shape (T,)
    estimand : {"simple", "group", "calendar", "dynamic"}
    last : bool
        Compare with the cohort that is treated last (or never) only.

    Returns
    -------
    tuple of TimingRow
        First ``overall``.

    Raises
    ------
    DesignError
        If no cohort can be compared.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.timing_comparisons import moments_of, timing_rows
    >>> found = moments_of(np.array([[1.0, 2], [3, 2], [0, 0], [0, 4]]), np.array([2.0, 2, np.inf, np.inf]))
    >>> timing_rows(found, np.array([1.0, 2.0]), "simple", last=False)[0].zeros.tolist()
    [[[1.0, 0.0], [-1.0, 0.0]]]
    """
    cells = list(_cells(moments, times, last=last))
    if not cells:
        raise DesignError(
            "no cohort has a later one to compare with after its treatment begins",
            where=f"{len(moments.cohorts)} cohorts, {len(times)} periods",
            remedy="add periods, or cohorts that are treated later or never",
        )
    parts: dict[float, list[_Cell]] = {}
    for cell in cells:
        parts.setdefault(_place(cell, moments, times, estimand), []).append(cell)
    rows = [
        _row("att", at, parts[at], [moments.sizes[cell.cohort] for cell in parts[at]]) for at in sorted(parts)
    ]
    if estimand == "simple":
        return (_mean("overall", rows, np.ones(1)),)
    sizes = {float(level): size for level, size in zip(moments.cohorts, moments.sizes, strict=True)}
    shares = np.array([sizes[row.at] if estimand == "group" else 1.0 for row in rows])
    return (_mean("overall", rows, shares), *rows)


def _cells(moments: Moments, times: Floats, *, last: bool) -> Iterator[_Cell]:
    shape = moments.means.shape
    for cohort, start in enumerate(moments.cohorts):
        before = np.flatnonzero(times < start)
        if not np.isfinite(start) or not len(before):
            continue
        for period in np.flatnonzero(times >= start):
            later = np.flatnonzero(moments.cohorts > times[period])
            later = later[later == shape[0] - 1] if last else later
            if not len(later):
                continue
            share = moments.sizes[later] / moments.sizes[later].sum()
            effect, zeros = np.zeros(shape), np.zeros(shape)
            effect[cohort, period], effect[later, period] = 1.0, -share
            zeros[cohort, before[-1]], zeros[later, before[-1]] = 1.0, -share
            yield _Cell(cohort, int(period), effect, zeros)


def _place(cell: _Cell, moments: Moments, times: Floats, estimand: Estimand) -> float:
    """Return the cohort, period or event time by which the cell is averaged."""
    start, time = float(moments.cohorts[cell.cohort]), float(times[cell.period])
    return {"simple": 0.0, "group": start, "calendar": time, "dynamic": time - start}[estimand]


def _row(term: str, at: float, cells: list[_Cell], sizes: list[float]) -> TimingRow:
    weights = np.array(sizes) / np.sum(sizes)
    effect = np.tensordot(weights, np.array([cell.effect for cell in cells]), 1)
    zeros = np.tensordot(weights, np.array([cell.zeros for cell in cells]), 1)
    return TimingRow(term=term, at=at, effect=effect, zeros=zeros[None])


def _mean(term: str, rows: list[TimingRow], shares: Floats) -> TimingRow:
    weights = shares / shares.sum()
    return TimingRow(
        term=term,
        at=np.nan,
        effect=np.tensordot(weights, np.array([row.effect for row in rows]), 1),
        zeros=np.tensordot(weights, np.array([row.zeros for row in rows]), 1),
    )


def balance_contrasts(moments: Moments, times: Floats) -> Floats:
    """Return weights of all comparisons of cohorts in periods in which neither is treated yet.

    Parameters
    ----------
    moments : Moments
    times : numpy.ndarray, shape (T,)

    Returns
    -------
    numpy.ndarray, shape (m, G, T)
        Each cohort against the one treated last.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.timing_comparisons import balance_contrasts, moments_of
    >>> found = moments_of(np.array([[1.0, 2], [3, 2], [0, 0], [0, 4]]), np.array([2.0, 2, np.inf, np.inf]))
    >>> balance_contrasts(found, np.array([1.0, 2.0])).shape
    (1, 2, 2)
    """
    shape, found = moments.means.shape, []
    for period, time in enumerate(times):
        untreated = np.flatnonzero(moments.cohorts > time)
        for cohort in untreated[:-1]:
            contrast = np.zeros(shape)
            contrast[cohort, period], contrast[untreated[-1], period] = 1.0, -1.0
            found.append(contrast)
    return np.array(found).reshape(-1, *shape)


def refuse_estimand(estimand: str, adjust: str) -> None:
    """Refuse choices that are none.

    Parameters
    ----------
    estimand, adjust : str

    Raises
    ------
    DesignError

    Examples
    --------
    >>> from juntos_eval.estimators.did.timing_comparisons import refuse_estimand
    >>> refuse_estimand("simple", "did")
    """
    for name, value, allowed in (
        ("estimand", estimand, get_args(Estimand)),
        ("adjust", adjust, get_args(Adjust)),
    ):
        if value not in allowed:
            raise DesignError(
                f"there is no {name} {value!r}",
                where="RandomTiming",
                remedy=f"choose one of {', '.join(allowed)}",
            )
