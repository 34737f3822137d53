"""Draws of several statistics under their joint null: what tests of many hypotheses share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Floats, frozen
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate
from juntos_eval.estimate.intervals import t_statistics

__all__ = ["JointDraws", "joint_test", "multiplier_draws"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointDraws:
    """Statistics of k hypotheses as seen, and drawn together under the null.

    Attributes
    ----------
    statistics : numpy.ndarray, shape (k,)
    draws : numpy.ndarray, shape (R, k)
        A row is one draw: the correlation between the statistics is in it.
    exact : bool
        The draws are all there are, what was seen among them; else p values count it as one more draw.
    method : str

    Examples
    --------
    >>> from juntos_eval.inference.joint_draws import JointDraws
    >>> JointDraws(statistics=[2.0], draws=[[2.0], [1.0]], exact=True, method="by hand").share([3, 2], 2.5)
    0.5
    """

    statistics: Floats
    draws: Floats
    exact: bool
    method: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "statistics", frozen(self.statistics))
        object.__setattr__(self, "draws", frozen(np.atleast_2d(np.asarray(self.draws, float))))
        if self.draws.shape[1] != len(self.statistics):
            raise InferenceError(
                "draws and statistics do not belong together",
                where=f"{self.draws.shape[1]} columns of draws, {len(self.statistics)} statistics",
                remedy="give a column of draws for each statistic",
            )

    def share(self, drawn: Floats | Sequence[float], seen: float) -> float:
        """Return the p value of a statistic: the share of its draws at least as large.

        Parameters
        ----------
        drawn : numpy.ndarray, shape (R,)
            A draw that is not known counts as large.
        seen : float
        """
        values = np.asarray(drawn, dtype=np.float64)
        # what is equal but for rounding is a tie
        slack = 1e-9 * max(1.0, abs(seen)) if np.isfinite(seen) else 0.0
        as_large = ~(values < seen - slack)
        return float(as_large.mean() if self.exact else (1 + as_large.sum()) / (len(values) + 1))

    def __add__(self, other: JointDraws) -> JointDraws:
        """Put statistics drawn by the same assignments or multipliers side by side."""
        if len(self.draws) != len(other.draws) or self.exact != other.exact or self.method != other.method:
            raise InferenceError(
                "these draws were not made together",
                where=f"{self.method} ({len(self.draws)}) and {other.method} ({len(other.draws)})",
                remedy="draw with the same treatment, strata, cluster, draws and seed",
            )
        return JointDraws(
            statistics=np.concatenate([self.statistics, other.statistics]),
            draws=np.hstack([self.draws, other.draws]),
            exact=self.exact,
            method=self.method,
        )


def joint_test(joint: JointDraws, *, statistic: str = "max") -> float:
    r"""Return the p value of "no effect on anything".

    ``max``: the largest absolute statistic. ``wald``: :math:`t' S^{-} t` with S the second moments of
    the draws around zero, in every draw and as seen (Young 2019, sec. II.C, randomization-c where the
    statistics are estimates, randomization-t where they are studentised).

    Parameters
    ----------
    joint : JointDraws
    statistic : {"max", "wald"}

    Returns
    -------
    float

    Raises
    ------
    InferenceError
        For another statistic.

    References
    ----------
    Young, A. (2019). Channeling Fisher: randomization tests and the statistical insignificance of seemingly
    significant experimental results. *Quarterly Journal of Economics*, 134(2), 557-598.

    Examples
    --------
    >>> from juntos_eval.inference.joint_draws import JointDraws, joint_test
    >>> drawn = [[2, 0], [0, 1], [0, 0], [1, 1]]
    >>> joint_test(JointDraws(statistics=[2.0, 0.0], draws=drawn, exact=True, method="by hand"))
    0.25
    """
    known = np.isfinite(joint.draws).all(axis=1)
    if statistic == "max":
        seen = float(np.abs(joint.statistics).max())
        return joint.share(np.where(known, np.abs(joint.draws).max(axis=1), np.inf), seen)
    if statistic != "wald":
        raise InferenceError(
            f"there is no joint statistic {statistic!r}", where="joint_test", remedy="use 'max' or 'wald'"
        )
    kept = joint.draws[known]
    inverse = np.linalg.pinv(kept.T @ kept / len(kept), hermitian=True)
    drawn = np.full(len(joint.draws), np.inf)
    drawn[known] = np.einsum("ri,ij,rj->r", kept, inverse, kept)
    return joint.share(drawn, float(joint.statistics @ inverse @ joint.statistics))


def multiplier_draws(
    estimates: Sequence[Estimate], *, seed: int, draws: int = 1999, by: str | None = None
) -> JointDraws:
    r"""Draw the statistics of several estimates together by multipliers on their influence.

    .. math:: t^*_{bj} = \frac{1}{se_j} \sum_g \xi_{bg} \hat\psi_{gj}

    with Rademacher multipliers :math:`\xi_{bg}` that all values of all estimates share, so that their
    correlation is in the draws, whatever the estimators are.

    Parameters
    ----------
    estimates : sequence of Estimate
        With their fits. Without ``by`` all of them use the same rows, in the same order.
    seed, draws : int
    by : str, optional
        Column of clusters, or of units, that every fit carries; the estimates may use different
        rows of them.

    Returns
    -------
    JointDraws

    Raises
    ------
    InferenceError
        If an estimate has no fit, did not carry the column, or rows differ.

    References
    ----------
    Chernozhukov, V., Chetverikov, D., & Kato, K. (2013). Gaussian approximations and multiplier bootstrap
    for maxima of sums of high-dimensional random vectors. *Annals of Statistics*, 41(6), 2786-2819.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import MeanDifference
    >>> from juntos_eval.inference.joint_draws import multiplier_draws
    >>> frame = pd.DataFrame({"d": [0, 1] * 20, "y": range(40), "x": [1, 2, 3, 4] * 10})
    >>> gaps = [MeanDifference(outcome=name, treatment="d").fit(frame) for name in ("y", "x")]
    >>> multiplier_draws(gaps, seed=1, draws=99).draws.shape
    (99, 2)
    """
    parts, levels = [], []
    for estimate in estimates:
        if estimate.fit is None:
            raise InferenceError(
                "an estimate without its fit cannot be drawn together with others",
                where=estimate.title,
                remedy="fit it again",
            )
        if by is None:
            parts.append(estimate.fit.influence.dense())
            levels.append(tuple(map(str, range(estimate.fit.n))))
        else:
            groups = estimate.fit.grouping(by)
            parts.append(estimate.fit.influence.totals(groups.codes, groups.count))
            levels.append(groups.levels)
    if by is None and len({len(one) for one in levels}) != 1:
        raise InferenceError(
            "the estimates do not use the same rows, so that draws do not belong together",
            where=f"rows: {', '.join(str(len(one)) for one in levels)}",
            remedy="carry the column of the units and give by=",
        )
    every = {label: place for place, label in enumerate(dict.fromkeys(x for one in levels for x in one))}
    signs = np.random.default_rng(seed).integers(0, 2, size=(draws, len(every))) * 2.0 - 1.0
    columns = []
    for estimate, part, labels in zip(estimates, parts, levels, strict=True):
        sums = signs[:, [every[label] for label in labels]] @ part
        error = estimate.uncertainty.std_error
        columns.append(np.divide(sums, error, out=np.full_like(sums, np.nan), where=error > 0))
    statistics = [t_statistics(one.values, one.uncertainty) for one in estimates]
    return JointDraws(
        statistics=np.concatenate(statistics),
        draws=np.hstack(columns),
        exact=False,
        method=f"multipliers by {by or 'row'} ({draws:,} draws, seed {seed})",
    )
