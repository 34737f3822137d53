"""The wild cluster bootstrap: p values and confidence sets where clusters are few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate, Fit, Groups, Uncertainty
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.cluster_ways import crossings, occupied_ways
from juntos_eval.inference.confidence_sets import Pieces, inverted, shape_in_words
from juntos_eval.inference.small_sample import SmallSample, counted_parameters
from juntos_eval.inference.wild_algebra import Variant, WildModel, wild_model
from juntos_eval.inference.wild_draws import Law, Tail, Ties, WildDraws, p_values
from juntos_eval.inference.wild_instrumented import instrumented_curves
from juntos_eval.inference.wild_statistics import Curve, Observed, curves, wald_draws
from juntos_eval.numerics.wald import WaldTest

__all__ = ["WildBootstrap", "wild_test"]

_CHOICES = {"weights": Law, "variant": Variant, "ties": Ties, "tail": Tail}
_VARIANTS = {
    "11": "variant 11",
    "13": "variant 13 (jackknife variance)",
    "31": "variant 31 (jackknife scores)",
    "33": "variant 33 (jackknife scores and variance)",
}
_TIES = {"above": ">", "at_least": "≥"}
_RULE = SmallSample()


@dataclass(frozen=True, slots=True, kw_only=True)
class WildBootstrap:
    r"""Draw each cluster's residuals with a random weight, and hold t against that of the draws.

    With :math:`\tilde u` the residuals under the null :math:`\theta_j = r` (Cameron et al. 2008: ``WCR``;
    of the fit without ``impose_null``, ``WCU``) and :math:`v_g` the weight of cluster g,

    .. math:: y^*_g = X_g \tilde\beta + v_g \tilde u_g, \qquad
              p = \frac{1}{B} \sum_b 1\big[|t^*_b| > |t|\big], \qquad t = \frac{\hat\theta_j - r}{se_j}

    where each :math:`t^*` has the clustered standard error of its own draw. Nothing is estimated again:
    draws are products of cluster scores and weights (Roodman et al. 2019), absorbed effects included. If
    there are no more vectors of weights than draws, each is taken once (2 to the number of clusters with
    ``rademacher``). The confidence set holds every r that the test does not reject; ``Uncertainty.method``
    says where it has no end or is in pieces, and :meth:`confidence_sets` gives them.

    Of instrumental variables it is the wild restricted efficient bootstrap (``WRE``, Davidson & MacKinnon
    2010): the residuals of the first stage are drawn with the same weights.

    Parameters
    ----------
    by : str or tuple of str
        Columns of the clusters of the variance, one-way or multiway.
    seed : int
        Draws repeat with the seed, and go to clusters in the order of their labels.
    draws : int
    weights : {"rademacher", "webb", "mammen", "normal"}
        ``webb`` (six points) where fewer than ten clusters leave too few signs.
    impose_null : bool
    variant : {"11", "13", "31", "33"}
        First digit: residuals as they are, or transformed by the jackknife (3). Second digit: CR1S or the
        jackknife CR3J (3) as the variance of t. Of MacKinnon, Nielsen & Webb (2023), who name them C, V, S
        and B.
    bootstrap_by : str, optional
        Column of the clusters that weights are drawn for, finer (subclusters) or one of several; by default
        that of ``by`` with the fewest clusters.
    ties : {"above", "at_least"}
        Count draws strictly beyond t, as boottest does, or ties too, as an exact randomisation test does.
    tail : {"two-sided", "equal-tailed", "greater", "less"}
    null : float
        r of the p values.
    level : float or None
        Of the confidence sets; None leaves them out.
    small_sample : SmallSample, optional
        Of the standard error that is reported; p values do not hang on it unless clusters are multiway.

    Raises
    ------
    InferenceError
        For choices that there are not; from ``infer`` without a least-squares or instrumented fit behind
        the values, for columns that were not carried, and for one cluster.

    References
    ----------
    Cameron, A. C., Gelbach, J. B., & Miller, D. L. (2008). Bootstrap-based improvements for inference with
    clustered errors. *Review of Economics and Statistics*, 90(3), 414-427. Davidson, R., & MacKinnon, J. G.
    (2010). Wild bootstrap tests for IV regression. *Journal of Business & Economic Statistics*, 28(1),
    128-144. MacKinnon, J. G., Nielsen, M. Ø., & Webb, M. D. (2023). Fast and reliable jackknife and
    bootstrap methods for cluster-robust inference. *Journal of Applied Econometrics*, 38(5), 671-694.
    MacKinnon, J. G., & Webb, M. D. (2018). The wild bootstrap for few (treated) clusters. *Econometrics
    Journal*, 21(2), 114-135. Roodman, D., Nielsen, M. Ø., MacKinnon, J. G., & Webb, M. D. (2019). Fast and
    wild: Bootstrap inference in Stata using boottest. *Stata Journal*, 19(1), 4-60.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from juntos_eval.estimators.means import MeanDifference
    >>> from juntos_eval.inference.wild_bootstrap import WildBootstrap
    >>> village = np.repeat(np.arange(8), 5)
    >>> frame = pd.DataFrame({"village": village, "treated": village % 2, "y": np.cos(np.arange(40.0))})
    >>> wild = WildBootstrap(by="village", seed=1, draws=999)
    >>> gap = MeanDifference(outcome="y", treatment="treated").fit(frame, inference=wild)
    >>> float(gap.p_values()[0] * 256), "all 256" in gap.uncertainty.method
    (182.0, True)
    """

    by: str | tuple[str, ...]
    seed: int
    draws: int = 9999
    weights: Law = "rademacher"
    impose_null: bool = True
    variant: Variant = "11"
    bootstrap_by: str | None = None
    ties: Ties = "above"
    tail: Tail = "two-sided"
    null: float = 0.0
    level: float | None = 0.95
    small_sample: SmallSample | None = None

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in get_args(choices):
                raise InferenceError(
                    f"there is no wild bootstrap with {name}={getattr(self, name)!r}",
                    where="WildBootstrap",
                    remedy=f"choose one of {', '.join(get_args(choices))}",
                )
        inside = self.level is None or 0.0 < self.level < 1.0
        if self.draws < 99 or not inside or not np.isfinite(self.null):
            raise InferenceError(
                "a wild bootstrap needs 99 draws or more, a level between 0 and 1, and a finite null",
                where=f"draws={self.draws}, level={self.level}, null={self.null}",
                remedy="take 999 draws or more",
            )
        object.__setattr__(self, "by", self._cluster().by)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the clusters, and of those that weights are drawn for."""
        finer = () if self.bootstrap_by is None else (self.bootstrap_by,)
        return tuple(dict.fromkeys([*self._cluster().columns, *finer]))

    def infer(self, fit: Fit) -> Uncertainty:
        """Return covariance, p values and confidence sets of the fit's values."""
        clustered = self._cluster().infer(fit)
        clusters = self._clusters(fit)
        draws = self._draws(clusters)
        found = self._curves(fit, clusters, draws)
        zero = fit.values - self.null
        p = np.array([curve.p_of(np.array([gap]))[0] for curve, gap in zip(found, zero, strict=True)])
        sets = self._sets(fit, found, draws)
        return Uncertainty(
            method=self._method(fit, draws) + _untested(p) + shape_in_words(sets) + f"; {clustered.method}",
            covariance=clustered.covariance,
            df=clustered.df,
            p_values=p,
            intervals=_hulls(sets) if sets else None,
            intervals_level=self.level,
        )

    def confidence_sets(self, fit: Fit) -> tuple[Pieces, ...]:
        """Return the pieces of the confidence set of each value, infinite where there is no end."""
        clusters = self._clusters(fit)
        draws = self._draws(clusters)
        return self._sets(fit, self._curves(fit, clusters, draws), draws)

    def wald(self, fit: Fit, rows: Floats, gap: Floats) -> WaldTest:
        """Test restrictions, rows (q, k), whose estimates are gaps (q,) away from the null."""
        clusters = self._clusters(fit)
        draws = self._draws(clusters)
        covariance = rows @ self._cluster().infer(fit).covariance @ rows.T
        observed = float(gap @ np.linalg.solve(covariance, gap))
        drawn = wald_draws(self._model(fit, clusters).restricted(rows, self.impose_null), gap, draws)
        p = p_values(
            drawn, np.array(observed), tail="greater", ties=self.ties, is_enumerated=draws.is_enumerated
        )
        return WaldTest(observed / len(rows), len(rows), float(clusters.count - 1), float(p))

    def _sets(self, fit: Fit, found: Sequence[Curve], draws: WildDraws) -> tuple[Pieces, ...]:
        if self.level is None:
            return ()
        step = 0.05 if draws.count <= 4096 else 0.2
        return tuple(
            _set_of(float(value), curve, 1.0 - self.level, step)
            for value, curve in zip(fit.values, found, strict=True)
        )

    def _curves(self, fit: Fit, clusters: Groups, draws: WildDraws) -> Sequence[Curve]:
        observed = Observed(draws=draws, tail=self.tail, ties=self.ties)
        if fit.instrumented is not None:
            if self.variant != "11" or not isinstance(self.by, str) or not self.impose_null:
                raise InferenceError(
                    "of instrumental variables the wild bootstrap is restricted, by one column, variant 11",
                    where=f"by={self.by!r}, variant={self.variant!r}, impose_null={self.impose_null}",
                    remedy="choose variant='11' and impose_null=True, or Cluster()",
                )
            ways = occupied_ways(fit, (self.by,))
            return instrumented_curves(fit, clusters, ways[0], observed, self._factor(fit, ways))
        return curves(self._model(fit, clusters), observed, impose_null=self.impose_null)

    def _model(self, fit: Fit, clusters: Groups) -> WildModel:
        if fit.linear is None:
            raise InferenceError(
                "a wild bootstrap needs a least-squares fit behind the values, and this estimate has none",
                where=f"{fit.n} rows, {len(fit.values)} values",
                remedy="MultiplierBootstrap(by=…) draws influence instead; or Randomization",
            )
        ways = occupied_ways(fit, self._cluster().columns)
        terms = list(crossings(ways))
        rule, fewest = self._rule, min(way.count for way in ways)
        k = counted_parameters(fit, rule, ways)
        counts = [fewest if rule.cluster_count == "min" else count for _, _, count in terms]
        factors = [rule.factor(rows=fit.n, parameters=k, groups=count) for count in counts]
        if self.variant[1] == "3":
            factors = [(fewest - 1) / fewest]
        return wild_model(fit.linear, clusters, terms, factors, self.variant)

    def _factor(self, fit: Fit, ways: list[Groups]) -> float:
        k = counted_parameters(fit, self._rule, ways)
        return self._rule.factor(rows=fit.n, parameters=k, groups=ways[0].count)

    def _clusters(self, fit: Fit) -> Groups:
        """Return the clusters that weights are drawn for."""
        columns = self._cluster().columns if self.bootstrap_by is None else (self.bootstrap_by,)
        return min(occupied_ways(fit, columns), key=lambda way: way.count)

    def _draws(self, clusters: Groups) -> WildDraws:
        return WildDraws(law=self.weights, clusters=clusters.count, draws=self.draws, seed=self.seed)

    def _cluster(self) -> Cluster:
        if self.variant[1] == "3":
            return Cluster(self.by, kind="CR3J")
        return Cluster(self.by, kind="CR1S", small_sample=self.small_sample)

    @property
    def _rule(self) -> SmallSample:
        return self.small_sample or _RULE

    def _method(self, fit: Fit, draws: WildDraws) -> str:
        restricted = "WCR" if self.impose_null else "WCU"
        name = "WRE" if fit.instrumented is not None else restricted
        text = f"wild cluster bootstrap {name} ({_VARIANTS[self.variant]}, {self.weights}, "
        counted = f"{draws.count:,} draws"
        text += f"all {counted}" if draws.is_enumerated else f"{counted}, seed {self.seed}"
        text += f", {self.tail}, t* {_TIES[self.ties]} t"
        text += f", null {self.null:g}" if self.null else ""
        return text + (f", drawn by {self.bootstrap_by})" if self.bootstrap_by else ")")


def wild_test(
    estimate: Estimate,
    inference: WildBootstrap,
    restrictions: ArrayLike | None = None,
    null: ArrayLike | None = None,
) -> WaldTest:
    r"""Test several restrictions :math:`R\theta = r` at once by the wild cluster bootstrap.

    .. math:: W = (R\hat\theta - r)'(R\hat V R')^{-1}(R\hat\theta - r), \qquad
              p = \frac{1}{B}\sum_b 1[W^*_b > W]

    Parameters
    ----------
    estimate : Estimate
        Of least squares, with its fit.
    inference : WildBootstrap
        Its ``tail`` and ``null`` are not used.
    restrictions : array_like, shape (q, k), optional
        R; by default the identity.
    null : array_like, shape (q,), optional
        r; by default zero.

    Returns
    -------
    WaldTest
        ``statistic`` is W/q, ``p_value`` the bootstrap's.

    Raises
    ------
    InferenceError
        If there is no least-squares fit, or R does not fit the values or has no full rank.

    References
    ----------
    Roodman, D., Nielsen, M. Ø., MacKinnon, J. G., & Webb, M. D. (2019). Fast and wild: Bootstrap inference
    in Stata using boottest. *Stata Journal*, 19(1), 4-60. (Section 5.)

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from juntos_eval.estimators.means import MeanDifference
    >>> from juntos_eval.inference.wild_bootstrap import WildBootstrap, wild_test
    >>> village = np.repeat(np.arange(8), 5)
    >>> frame = pd.DataFrame({"village": village, "treated": village % 2, "y": np.cos(np.arange(40.0))})
    >>> wild = WildBootstrap(by="village", seed=1, draws=999)
    >>> gap = MeanDifference(outcome="y", treatment="treated").fit(frame, inference=wild)
    >>> bool(wild_test(gap, wild).p_value == gap.p_values()[0])
    True
    """
    fit = estimate.fit
    if fit is None or fit.instrumented is not None:
        raise InferenceError(
            "a wild bootstrap of several restrictions needs an estimate with its least-squares fit",
            where=estimate.title,
            remedy="fit it again; test values of instrumental variables one by one",
        )
    k = len(estimate.values)
    rows = np.atleast_2d(np.eye(k) if restrictions is None else np.asarray(restrictions, dtype=np.float64))
    target = np.zeros(len(rows)) if null is None else np.atleast_1d(np.asarray(null, dtype=np.float64))
    if rows.shape != (len(target), k) or np.linalg.matrix_rank(rows) < len(rows):
        raise InferenceError(
            "the restrictions of a test do not fit the values, or say a thing twice",
            where=f"R {rows.shape}, {len(target)} targets, {k} values",
            remedy="give R with one column for each value, independent rows, and one target for each row",
        )
    return inference.wald(fit, rows, rows @ fit.values - target)


def _untested(p: Floats) -> str:
    """Say how many values have no p value: covariates beside an instrumented variable, negative variances."""
    count = int(np.isnan(p).sum())
    return f", {count} of {len(p)} values not tested" if count else ""


def _set_of(value: float, curve: Curve, alpha: float, step: float) -> Pieces:
    def p_of(distances: Floats) -> Floats:
        return curve.p_of(distances * curve.std_error)

    if np.isnan(p_of(np.zeros(1))).any():
        return ((np.nan, np.nan),)
    # a gap is the estimate less the null: what is far above is a low null
    pieces = inverted(p_of, alpha, step)
    ends = [(value - high * curve.std_error, value - low * curve.std_error) for low, high in pieces]
    return tuple(sorted((float(low), float(high)) for low, high in ends))


def _hulls(sets: tuple[Pieces, ...]) -> Floats:
    empty = (np.nan, np.nan)
    return np.array([(one[0][0], max(high for _, high in one)) if one else empty for one in sets])
