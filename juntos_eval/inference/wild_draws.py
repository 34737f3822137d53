"""The weights of a wild bootstrap, drawn or enumerated, and the p values that statistics make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from juntos_eval.arrays import Floats

__all__ = ["TIE", "Law", "Tail", "Ties", "WildDraws", "p_values"]

Law = Literal["rademacher", "webb", "mammen", "normal"]
Ties = Literal["above", "at_least"]
Tail = Literal["two-sided", "equal-tailed", "greater", "less"]
# doubles in one tile of weights: 16 MB
TILE = 2_000_000
# relative difference of two t statistics below which they are one: rounding
TIE = 1e-9
_ROOT_FIVE = np.sqrt(5.0)
_POINTS = {
    "rademacher": np.array([-1.0, 1.0]),
    "webb": np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)]),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WildDraws:
    """Draws of one weight a cluster; every vector there is, if there are no more of them than draws.

    Attributes
    ----------
    law : {"rademacher", "webb", "mammen", "normal"}
        Two points, six points, two points with skewness one, or the standard normal. The first two have
        equally likely points, and are enumerated.
    clusters, draws, seed : int
    """

    law: Law
    clusters: int
    draws: int
    seed: int

    @property
    def is_enumerated(self) -> bool:
        """Whether every vector of weights is there once."""
        return self.law in _POINTS and len(_POINTS[self.law]) ** self.clusters <= self.draws

    @property
    def count(self) -> int:
        """Number of draws that there are."""
        return len(_POINTS[self.law]) ** self.clusters if self.is_enumerated else self.draws

    def tiles(self) -> Iterator[Floats]:
        """Yield (clusters, some draws); the same ones each time."""
        rng = np.random.default_rng(self.seed)
        step = max(1, TILE // self.clusters)
        for start in range(0, self.count, step):
            numbers = np.arange(start, min(start + step, self.count))
            yield self._enumerated(numbers) if self.is_enumerated else self._drawn(rng, len(numbers))

    def _enumerated(self, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
        points = _POINTS[self.law]
        digits = numbers[None, :] // len(points) ** np.arange(self.clusters)[:, None]
        return np.asarray(points[digits % len(points)])

    def _drawn(self, rng: np.random.Generator, draws: int) -> Floats:
        if self.law == "normal":
            return rng.standard_normal((draws, self.clusters)).T
        if self.law == "mammen":
            upper = rng.random((draws, self.clusters)).T >= (_ROOT_FIVE + 1.0) / (2.0 * _ROOT_FIVE)
            return np.asarray((1.0 - _ROOT_FIVE) / 2.0 + _ROOT_FIVE * upper)
        if self.law == "webb":
            return np.asarray(_POINTS["webb"][(rng.random((draws, self.clusters)).T * 6.0).astype(np.int64)])
        # whole words a draw, so that it is the same whatever the tile
        words = rng.integers(0, 2**64, size=(draws, -(-self.clusters // 64)), dtype=np.uint64)
        unpacked = np.unpackbits(words.view(np.uint8), axis=1, count=self.clusters)
        return np.asarray(unpacked.T * 2.0 - 1.0)


def p_values(drawn: Floats, observed: Floats, *, tail: Tail, ties: Ties, is_enumerated: bool) -> Floats:
    r"""Return p values of observed statistics among drawn ones.

    Parameters
    ----------
    drawn : numpy.ndarray, shape (..., draws)
    observed : numpy.ndarray, shape (...)
    tail : {"two-sided", "equal-tailed", "greater", "less"}
        Share with :math:`|t^*|` beyond :math:`|t|`; twice the smaller of the shares above and below; the
        share above (small where the value is large); the share below.
    ties : {"above", "at_least"}
        Count draws strictly beyond (boottest), or ties too: then p is that of an exact randomisation test,
        with the sample itself as one more draw unless all draws are there.
    is_enumerated : bool

    Returns
    -------
    numpy.ndarray, shape (...)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.wild_draws import p_values
    >>> drawn, observed = np.array([-2.0, -1.0, 1.0, 2.0]), np.array(1.0)
    >>> [float(p_values(drawn, observed, tail="two-sided", ties=ties, is_enumerated=True))
    ...  for ties in ("above", "at_least")]
    [0.5, 1.0]
    """
    if tail == "two-sided":
        return _share(np.abs(drawn), np.abs(observed), ties, is_enumerated)
    above, below = (
        _share(sign * drawn, sign * np.asarray(observed), ties, is_enumerated) for sign in (1.0, -1.0)
    )
    if tail == "equal-tailed":
        return np.asarray(np.minimum(1.0, 2.0 * np.minimum(above, below)))
    return above if tail == "greater" else below


def _share(drawn: Floats, observed: Floats, ties: Ties, is_enumerated: bool) -> Floats:
    size = np.abs(observed)
    room = TIE * np.maximum(1.0, np.where(np.isfinite(size), size, 0.0))
    if ties == "above":
        return np.asarray((drawn > (observed + room)[..., None]).mean(axis=-1))
    beyond = (drawn >= (observed - room)[..., None]).sum(axis=-1)
    own = 0 if is_enumerated else 1
    return np.asarray((beyond + own) / (drawn.shape[-1] + own))
