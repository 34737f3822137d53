"""Answers from definitions, written out in numpy: slow and plain, what the others are held against.

Abadie-Imbens as in Abadie & Imbens (2006) with the conditional variance J/(J+1) (y - mean of the J nearest
of the same arm)², neighbours that are equally near all counting; the score is a logit by Newton's method.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.tasks import Call

PACKAGE, ENVIRONMENT = "numpy", "ours"
# an answer to hold others against: one cold call, no race
IS_TIMED = False
Array = Any


def _columns(frame: Any) -> tuple[Array, Array, Array]:
    x = frame[["x1", "x2", "x3", "x4", "x5"]].to_numpy()
    return frame["y"].to_numpy(), frame["d"].to_numpy() == 1, np.column_stack([np.ones(len(x)), x])


def _logit(design: Array, treated: Array) -> Array:
    coefficients = np.zeros(design.shape[1])
    for _ in range(50):
        score = 1 / (1 + np.exp(-design @ coefficients))
        hessian = (design * (score * (1 - score))[:, None]).T @ design
        step = np.linalg.solve(hessian, design.T @ (treated - score))
        coefficients += step
        if np.abs(step).max() < 1e-13:
            break
    return 1 / (1 + np.exp(-design @ coefficients))


def _neighbours(points: Array, pool: Array, count: int, skip: Array | None) -> list[Array]:
    """Positions in the pool of all that are as near as the count-th; ``skip`` is a position to leave out."""
    order = np.argsort(pool, kind="stable")
    line = pool[order]
    found = []
    for number, point in enumerate(points):
        width = count + 1
        at = int(np.searchsorted(line, point))
        while True:
            low, high = max(0, at - width), min(len(line), at + width)
            near = order[low:high]
            if skip is not None:
                near = near[near != skip[number]]
            distance = np.abs(pool[near] - point)
            bound = np.partition(distance, count - 1)[count - 1] + 1e-10
            # the window is wide enough if what lies at its ends is farther than the bound
            open_low = low > 0 and point - line[low] <= bound
            open_high = high < len(line) and line[high - 1] - point <= bound
            if not (open_low or open_high):
                found.append(near[distance <= bound])
                break
            width *= 2
    return found


def _matched(frame: Any, ratio: int) -> tuple[float, float]:
    y, treated, design = _columns(frame)
    score = _logit(design, treated)
    targets, pool = np.flatnonzero(treated), np.flatnonzero(~treated)
    share, share_squared, gap = np.zeros(len(y)), np.zeros(len(y)), np.zeros(len(targets))
    for i, near in enumerate(_neighbours(score[targets], score[pool], ratio, None)):
        rows = pool[near]
        share[rows] += 1 / len(rows)
        share_squared[rows] += 1 / len(rows) ** 2
        gap[i] = y[targets[i]] - y[rows].mean()
    effect = gap.mean()
    variance = np.zeros(len(y))
    for arm in (targets, pool):
        for i, near in enumerate(_neighbours(score[arm], score[arm], ratio, np.arange(len(arm)))):
            others = y[arm[near]]
            variance[arm[i]] = len(others) / (len(others) + 1) * (y[arm[i]] - others.mean()) ** 2
    total = ((gap - effect) ** 2).sum() + ((share**2 - share_squared) * variance)[pool].sum()
    return float(effect), float(np.sqrt(total) / len(targets))


def _kernel(frame: Any) -> tuple[float, float]:
    y, treated, design = _columns(frame)
    score = _logit(design, treated)
    pool, outcome = score[~treated], y[~treated]
    missing = []
    for points in np.array_split(score[treated], max(1, treated.sum() // 500)):
        distance = np.abs(points[:, None] - pool[None, :]) / 0.06
        weight = np.where(distance <= 1, 1 - distance**2, 0.0)
        total = weight.sum(axis=1)
        missing.append(np.divide(weight @ outcome, total, out=np.full(len(points), np.nan), where=total > 0))
    return float(np.nanmean(y[treated] - np.concatenate(missing))), float("nan")


def _ipw(frame: Any) -> tuple[float, float]:
    y, treated, design = _columns(frame)
    score = _logit(design, treated)
    odds = np.where(treated, 0.0, score / (1 - score))
    mean_treated, mean_control = y[treated].mean(), odds @ y / odds.sum()
    influence = np.where(treated, y - mean_treated, 0.0) / treated.sum()
    influence -= odds * (y - mean_control) / odds.sum()
    information = (design * (score * (1 - score))[:, None]).T @ design
    moment = (odds * (y - mean_control)) @ design / odds.sum()
    influence -= (design * (treated - score)[:, None]) @ np.linalg.solve(information, moment)
    return float(mean_treated - mean_control), float(np.sqrt(influence @ influence))


def _wild(frame: Any) -> tuple[float, float]:
    """Make the outcomes of 999 draws, and estimate them again with their clustered errors."""
    y, cluster = frame["y"].to_numpy(), frame["cl"].to_numpy()
    x = np.column_stack([frame["d"], frame[["x1", "x2", "x3"]], np.ones(len(frame))])
    bread = np.linalg.inv(x.T @ x)
    rest = x[:, 1:]
    fitted = rest @ np.linalg.lstsq(rest, y, rcond=None)[0]
    order = np.argsort(cluster, kind="stable")
    x, fitted, residuals, cluster = x[order], fitted[order], (y - fitted)[order], cluster[order]
    starts = np.flatnonzero(np.diff(cluster, prepend=-1))

    def statistics(outcomes: Array) -> Array:
        beta = bread @ (x.T @ outcomes)
        scores = (x @ bread[0])[:, None] * (outcomes - x @ beta)
        return beta[0] / np.sqrt((np.add.reduceat(scores, starts, axis=0) ** 2).sum(axis=0))

    observed = abs(statistics((fitted + residuals)[:, None])[0])
    rng = np.random.default_rng(2)
    beyond = 0
    for size in [100] * 9 + [99]:
        signs = rng.choice([-1.0, 1.0], size=(50, size))
        stars = statistics(fitted[:, None] + residuals[:, None] * signs[cluster])
        beyond += int((np.abs(stars) > observed).sum())
    p = beyond / 999
    return p, (p * (1 - p) / 9999) ** 0.5


CALLS = {
    "wild": Call(estimate=_wild, largest=100_000),
    "match-1": Call(estimate=lambda frame: _matched(frame, 1), largest=100_000),
    "match-5": Call(estimate=lambda frame: _matched(frame, 5), largest=100_000),
    "kernel": Call(estimate=_kernel, largest=100_000),
    "ipw": Call(estimate=_ipw),
}
