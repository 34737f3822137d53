r"""t and Wald statistics of the draws of a wild bootstrap, as functions of the null.

Under the null :math:`\theta = r` the residuals are linear in the gap :math:`\delta = \hat\theta - r`. So a
draw's numerator is linear in it, :math:`n_0 + n_1\delta`, its variance a parabola, and no draw is made
twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.inference.wild_algebra import Restricted, ScoreMap, Variant, WildModel, compressed
from juntos_eval.inference.wild_draws import TIE, Tail, Ties, WildDraws, p_values

__all__ = ["Curve", "LinearCurve", "Observed", "curves", "wald_draws"]

# t statistics held at once
CELLS = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Which draws, and how a p value counts them."""

    draws: WildDraws
    tail: Tail
    ties: Ties

    def p_values(self, drawn: Floats, observed: Floats) -> Floats:
        """Return p values, (m,), of statistics (m,) among drawn ones, (draws,) or (m, draws)."""
        return p_values(
            drawn, observed, tail=self.tail, ties=self.ties, is_enumerated=self.draws.is_enumerated
        )


class Curve(Protocol):
    """The p value of one value's null as a function of the gap between estimate and null."""

    @property
    def std_error(self) -> float:
        """Of the value."""
        ...

    def p_of(self, gaps: Floats) -> Floats:
        """Return p values at gaps."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearCurve:
    r"""Draws of :math:`t^*(\delta) = (n_0 + n_1\delta) / \sqrt{q_0 + 2 q_1\delta + q_2\delta^2}`."""

    std_error: float
    observed: Observed
    moments: Floats  # (5, draws): n_0 n_1 q_0 q_1 q_2

    def p_of(self, gaps: Floats) -> Floats:
        """Return p values at gaps."""
        if np.isnan(self.std_error):
            return np.full(len(gaps), np.nan)
        if self.observed.tail == "two-sided":
            return np.array([self._two_sided(float(gap)) for gap in gaps])
        n0, n1, q0, q1, q2 = self.moments
        found = np.empty(len(gaps))
        step = max(1, CELLS // len(n0))
        for start in range(0, len(gaps), step):
            some = gaps[start : start + step, None]
            drawn = _ratio(n0 + n1 * some, q0 + (2.0 * q1 + q2 * some) * some)
            found[start : start + step] = self.observed.p_values(drawn, some[:, 0] / self.std_error)
        return found

    def _two_sided(self, gap: float) -> float:
        """Return a p value by squares, which need no root and no division."""
        n0, n1, q0, q1, q2 = self.moments
        observed, ties = abs(gap) / self.std_error, self.observed.ties
        room = TIE * max(1.0, observed) * (1.0 if ties == "above" else -1.0)
        squares = (n0 + n1 * gap) ** 2
        bounds = (q0 + (2.0 * q1 + q2 * gap) * gap) * max(observed + room, 0.0) ** 2
        beyond = int(np.count_nonzero(squares > bounds if ties == "above" else squares >= bounds))
        own = 0 if ties == "above" or self.observed.draws.is_enumerated else 1
        return (beyond + own) / (len(n0) + own)


def _ratio(numerators: Floats, variances: Floats) -> Floats:
    """Return t of draws; one whose variance is not positive counts as beyond any t."""
    positive = variances > 0
    root = np.sqrt(variances, out=np.ones_like(variances), where=positive)
    return np.where(positive, numerators / root, np.copysign(np.inf, numerators))


def curves(model: WildModel, observed: Observed, *, impose_null: bool) -> list[LinearCurve]:
    """Draw for each value of a least-squares fit.

    Parameters
    ----------
    model : WildModel
    observed : Observed
    impose_null : bool

    Returns
    -------
    list of LinearCurve
    """
    sources = []
    k = len(model.model.selection)
    errors = [_error(model, row) for row in np.eye(k)]
    for row in np.eye(k):
        restricted = model.restricted(row[None, :], impose_null)
        parts = [restricted.maps()] + ([restricted.maps(np.ones(1))] if impose_null else [])
        numerators = np.vstack([found for found, _ in parts])
        sources.append(
            (numerators, [compressed(term) for term in zip(*(m[0] for _, m in parts), strict=True)])
        )
    moments = np.zeros((len(errors), 5, observed.draws.count))
    start = 0
    for weights in observed.draws.tiles():
        part = slice(start, start + weights.shape[1])
        for value, (numerators, terms) in enumerate(sources):
            moments[value, :, part] = _moments(numerators, terms, weights)
        start = part.stop
    return [
        LinearCurve(std_error=error, observed=observed, moments=rows)
        for error, rows in zip(errors, moments, strict=True)
    ]


def _error(model: WildModel, row: Floats) -> float:
    """Return the standard error of a value; NaN where a multiway variance is not positive."""
    plain: Variant = "13" if model.variant[1] == "3" else "11"
    _, maps = replace(model, variant=plain).restricted(row[None, :], impose_null=False).maps()
    everyone = np.ones((model.clusters.count, 1))
    variance = sum(part.factor * float((part(everyone) ** 2).sum()) for part in maps[0])
    return float(np.sqrt(variance)) if variance > 0 else np.nan


def _moments(numerators: Floats, terms: list[list[ScoreMap]], weights: Floats) -> Floats:
    found = np.zeros((5, weights.shape[1]))
    found[: len(numerators)] = numerators @ weights
    for maps in terms:
        factor = maps[0].factor
        scores = [part(weights) for part in maps]
        found[2] += factor * np.einsum("hb,hb->b", scores[0], scores[0])
        if len(scores) > 1:
            found[3] += factor * np.einsum("hb,hb->b", scores[0], scores[1])
            found[4] += factor * np.einsum("hb,hb->b", scores[1], scores[1])
    return found


def wald_draws(restricted: Restricted, gap: Floats, draws: WildDraws) -> Floats:
    """Return the Wald statistics of draws for restrictions with a gap between estimate and null.

    Parameters
    ----------
    restricted : Restricted
    gap : numpy.ndarray, shape (q,)
    draws : WildDraws

    Returns
    -------
    numpy.ndarray, shape (draws,)
        Infinite where the covariance of a draw is singular.
    """
    parts = [restricted.maps()]
    if restricted.impose_null:
        parts.append(restricted.maps(gap))
    numerators = np.asarray(sum(part for part, _ in parts))
    rows = range(len(numerators))
    terms = []
    for term in range(len(parts[0][1][0])):
        maps = compressed([part[row][term] for row in rows for _, part in parts])
        terms.append([maps[row * len(parts) : (row + 1) * len(parts)] for row in rows])
    return np.concatenate([_wald(numerators, terms, weights) for weights in draws.tiles()])


def _wald(numerators: Floats, terms: list[list[list[ScoreMap]]], weights: Floats) -> Floats:
    q = len(numerators)
    moved = numerators @ weights
    spread = np.zeros((weights.shape[1], q, q))
    for rows in terms:
        scores = np.array([sum(part(weights) for part in maps) for maps in rows])
        spread += rows[0][0].factor * np.einsum("shb,thb->bst", scores, scores)
    roots = np.linalg.eigvalsh(spread)
    singular = roots[:, 0] <= 1e-12 * np.maximum(roots[:, -1], 0.0)
    spread[singular] = np.eye(q)
    solved = np.linalg.solve(spread, moved.T[:, :, None])[:, :, 0]
    return np.where(singular, np.inf, np.einsum("bs,sb->b", solved, moved))
