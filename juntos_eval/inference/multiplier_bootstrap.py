"""Inference by random multipliers on influence: covariance, p values and bands from the same draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import special

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import BlockInfluence, DenseInfluence, Fit, Influence, Uncertainty

__all__ = ["MultiplierBootstrap"]

Weights = Literal["rademacher", "mammen", "normal", "webb"]
Scale = Literal["iqr", "sd"]
# doubles in one tile of multipliers: 32 MB, whatever the size of the data
TILE = 4_000_000
# rows from which signs are multiplied in single precision, by tiles of so many rows, and the bytes of signs
# that are drawn at a time
MANY, STRETCH, BITS = 8_192, 4_096, 128_000_000
FEW = 30
_ROOT_FIVE = np.sqrt(5.0)
_WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])
# eight signs for each value of a byte
_SIGNS = (np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) * 2.0 - 1.0).astype(np.float32)
_SCALES = {"iqr": "interquartile range", "sd": "standard deviation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiplierBootstrap:
    r"""Perturb the influence of each row, or of each cluster, by random multipliers.

    .. math:: d_b = \sum_{g=1}^{G} \xi_{bg} \hat\psi_g, \qquad E\,\xi = 0, \; E\,\xi^2 = 1

    with :math:`\hat\psi_g` the influence of row or cluster g. Nothing is estimated again, so draws cost one
    matrix product. From the draws come

    - standard errors: the interquartile range over that of the standard normal (``iqr``, robust to the
      tails, the choice of Callaway & Sant'Anna), or the standard deviation (``sd``), with the correlations
      of the draws in either case;
    - p values: the share of draws at least as far from zero as the value, itself counted as one draw;
    - ``band``: :math:`\max_j |d_{bj}| / se_j`, whose quantile makes intervals that cover all values at
      once (sup-t).

    Parameters
    ----------
    draws : int
    seed : int
        Draws repeat with the seed. Without ``by`` the multipliers go to rows in the order of the data.
    by : str, optional
        Column of clusters; by default each row is drawn alone.
    weights : {"rademacher", "mammen", "normal", "webb"}
        Law of the multipliers; ``webb`` (six points) for few clusters.
    scale : {"iqr", "sd"}

    Raises
    ------
    InferenceError
        For a choice that there is not or fewer than 99 draws; from ``infer`` where the column was not
        carried or there is one cluster only.

    References
    ----------
    Callaway, B., & Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time periods.
    *Journal of Econometrics*, 225(2), 200-230. (Algorithm 1.)
    Montiel Olea, J. L., & Plagborg-Møller, M. (2019). Simultaneous confidence bands. *Journal of Applied
    Econometrics*, 34(1), 1-17.
    Mammen, E. (1993). Bootstrap and wild bootstrap for high dimensional linear models. *Annals of
    Statistics*, 21(1), 255-285.
    Webb, M. D. (2023). Reworking wild bootstrap-based inference for clustered errors. *Canadian Journal of
    Economics*, 56(3), 839-858.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import DenseInfluence, Fit
    >>> from juntos_eval.inference.multiplier_bootstrap import MultiplierBootstrap
    >>> values = np.random.default_rng(1).normal(size=400)
    >>> fit = Fit(values=[0.0], influence=DenseInfluence((values - values.mean()) / 400), parameters=1)
    >>> drawn = MultiplierBootstrap(draws=1999, seed=2, scale="sd").infer(fit)
    >>> bool(abs(drawn.std_error[0] / (values.std() / 20) - 1) < 0.05)
    True
    """

    seed: int
    draws: int = 999
    by: str | None = None
    weights: Weights = "rademacher"
    scale: Scale = "iqr"

    def __post_init__(self) -> None:
        if self.weights not in get_args(Weights) or self.scale not in get_args(Scale) or self.draws < 99:
            raise InferenceError(
                "a multiplier bootstrap needs known weights and scale, and at least 99 draws",
                where=f"weights={self.weights!r}, scale={self.scale!r}, draws={self.draws}",
                remedy=f"weights are {', '.join(get_args(Weights))}; scales {', '.join(get_args(Scale))}",
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The column of the clusters, if any."""
        return () if self.by is None else (self.by,)

    def infer(self, fit: Fit) -> Uncertainty:
        """Return covariance, p values and band of the fit's values."""
        source, groups = fit.influence, fit.n
        if self.by is not None:
            source, groups = _clustered(fit, self.by)
        draws = _draws(self, source)
        covariance = _covariance(draws, self.scale)
        error = np.sqrt(np.diag(covariance))
        usable = np.isfinite(error) & (error > 0)
        p_values = np.full(len(error), np.nan)
        beyond = np.abs(draws[:, usable]) >= np.abs(fit.values[usable])
        p_values[usable] = (1.0 + beyond.sum(axis=0)) / (self.draws + 1.0)
        band = (np.abs(draws[:, usable]) / error[usable]).max(axis=1) if usable.any() else None
        return Uncertainty(
            method=self._method(groups), covariance=covariance, df=np.inf, p_values=p_values, band=band
        )

    def _method(self, groups: int) -> str:
        text = f"multiplier bootstrap ({self.weights}, {self.draws:,} draws, seed {self.seed}, "
        text += f"standard error from the {_SCALES[self.scale]})"
        if self.by is None:
            return text
        few = ", few clusters: intervals may be too short" if groups < FEW else ""
        return f"{text} by {self.by}, G = {groups:,}{few}"


def _clustered(fit: Fit, by: str) -> tuple[Influence, int]:
    way = fit.grouping(by)
    # a level without a row has the total zero, but would take multipliers from the others
    occupied, codes = np.unique(way.codes, return_inverse=True)
    if len(occupied) < 2:
        raise InferenceError(
            "one cluster says nothing of how clusters differ",
            where=f"column '{by}', {len(occupied)} cluster in {fit.n} rows",
            remedy="draw by a finer grouping, or by row (by=None)",
        )
    return DenseInfluence(fit.influence.totals(codes.astype(np.int64), len(occupied))), len(occupied)


def _draws(choice: MultiplierBootstrap, source: Influence) -> Floats:
    rng = np.random.default_rng(choice.seed)
    is_many = choice.weights == "rademacher" and source.rows >= MANY
    if is_many and isinstance(source, BlockInfluence | DenseInfluence):
        return _signed(choice.draws, rng, source)
    drawn = np.empty((choice.draws, source.columns))
    step = max(1, TILE // source.rows)
    for start in range(0, choice.draws, step):
        stop = min(start + step, choice.draws)
        drawn[start:stop] = source.weighted_sums(_multipliers(choice.weights, rng, stop - start, source.rows))
    return drawn


def _signed(draws: int, rng: np.random.Generator, source: BlockInfluence | DenseInfluence) -> Floats:
    """Draw signs for many rows, eight to a byte, and add influence up by stretches of rows.

    The signs are those that the rows would have in any other way, and no more than a stretch of them is
    laid out at a time. Products are of single precision (seven digits; a draw says less than two) and their
    sums over stretches of double.
    """
    drawn = np.zeros((draws, source.columns))
    step = max(1, 8 * BITS // source.rows)
    for first in range(0, draws, step):
        count = min(step, draws - first)
        bits = _bits(rng, count, source.rows)
        for start in range(0, source.rows, STRETCH):
            stop = min(start + STRETCH, source.rows)
            signs = _SIGNS[bits[:, start // 8 : -(-stop // 8)]].reshape(count, -1)[:, : stop - start]
            # scaled, so that influence of millions of rows is far from the smallest single
            values = (source.stretch(start, stop) * source.rows).astype(np.float32)
            drawn[first : first + count] += signs @ values
    return drawn / source.rows


def _bits(rng: np.random.Generator, draws: int, rows: int) -> NDArray[np.uint8]:
    words = rng.integers(0, 2**64, size=(draws, -(-rows // 64)), dtype=np.uint64)
    return words.view(np.uint8)


def _multipliers(law: Weights, rng: np.random.Generator, draws: int, rows: int) -> Floats:
    """Return (draws, rows) multipliers; each draw is its own stretch of the stream, whatever the tile."""
    if law == "normal":
        return rng.standard_normal((draws, rows))
    if law == "rademacher":
        bits = np.unpackbits(_bits(rng, draws, rows), axis=1, count=rows)
        return np.asarray(bits * 2.0 - 1.0, dtype=np.float64)
    uniform = rng.random((draws, rows))
    if law == "webb":
        return np.asarray(_WEBB[(uniform * len(_WEBB)).astype(np.int64)])
    lower = uniform < (_ROOT_FIVE + 1.0) / (2.0 * _ROOT_FIVE)
    return np.asarray(np.where(lower, (1.0 - _ROOT_FIVE) / 2.0, (1.0 + _ROOT_FIVE) / 2.0), dtype=np.float64)


def _covariance(draws: Floats, scale: Scale) -> Floats:
    covariance = np.atleast_2d(np.cov(draws, rowvar=False))
    if scale == "sd":
        return covariance
    quarters = np.quantile(draws, [0.25, 0.75], axis=0, method="inverted_cdf")
    spread = (quarters[1] - quarters[0]) / (special.ndtri(0.75) - special.ndtri(0.25))
    deviation = np.sqrt(np.diag(covariance))
    ratio = np.divide(spread, deviation, out=np.zeros_like(spread), where=deviation != 0)
    return np.asarray(covariance * np.outer(ratio, ratio))
