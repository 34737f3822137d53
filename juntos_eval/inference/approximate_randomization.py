"""Few large clusters, each with an estimate of its own: tests by the signs of their deviations."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import Estimate, Estimator, Sample, Uncertainty
from juntos_eval.inference.confidence_sets import Pieces, inverted, shape_in_words
from juntos_eval.inference.wild_draws import WildDraws, p_values

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["approximate_randomization"]


def approximate_randomization(
    estimator: Estimator,
    data: DataFrame,
    *,
    by: str,
    null: float = 0.0,
    level: float = 0.95,
    draws: int = 9999,
    seed: int = 0,
) -> Estimate:
    r"""Estimate in each cluster alone, and test by changing signs (Canay, Romano & Shaikh 2017).

    With :math:`\hat\theta_j` the estimate of cluster j of q and :math:`S_j = \hat\theta_j - r`,

    .. math:: T(S) = \frac{|\bar S|}{\sqrt{\frac{1}{q-1} \sum_j (S_j - \bar S)^2}}, \qquad
              p = \frac{1}{2^q} \sum_{g \in \{-1, 1\}^q} 1[T(gS) \ge T(S)]

    q is fixed and may be small; clusters must be large, and :math:`\hat\theta_j` roughly normal around the
    same :math:`\theta` whatever their variances. Each cluster must have what identifies :math:`\theta`:
    where clusters are treated as a whole, let ``by`` name pairs or groups that hold treated and untreated
    ones. The value is the plain mean of the clusters' estimates, and its standard error that of q numbers
    (Ibragimov & Müller 2010), t with q - 1.

    Parameters
    ----------
    estimator : Estimator
        Of one value or several; each is tested alone.
    data : pandas.DataFrame
        Not changed.
    by : str
        Column of the clusters.
    null : float
        r of the p values.
    level : float
        Of the confidence sets, which hold every r that is not rejected.
    draws, seed : int
        All sign vectors are taken if there are no more than draws, else so many are drawn.

    Returns
    -------
    Estimate
        ``details["clusters"]`` has the values of each cluster.

    Raises
    ------
    InferenceError
        With fewer than three clusters, or where the estimates of clusters have different keys.
    DesignError
        If the column has missing values, or a cluster cannot be estimated.

    References
    ----------
    Canay, I. A., Romano, J. P., & Shaikh, A. M. (2017). Randomization tests under an approximate symmetry
    assumption. *Econometrica*, 85(3), 1013-1030. Ibragimov, R., & Müller, U. K. (2010). t-statistic based
    correlation and heterogeneity robust inference. *Journal of Business & Economic Statistics*, 28(4),
    453-468.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from juntos_eval.estimators.means import MeanDifference
    >>> from juntos_eval.inference.approximate_randomization import approximate_randomization
    >>> row = np.arange(60)
    >>> frame = pd.DataFrame({"area": row // 10, "treated": row % 2, "y": row % 2 + np.sin(row)})
    >>> found = approximate_randomization(MeanDifference(outcome="y", treatment="treated"), frame, by="area")
    >>> round(float(found.values[0]), 3), float(found.p_values()[0]) * 64
    (1.013, 2.0)
    """
    parts = _by_cluster(estimator, data, by)
    values = np.array([part.values for part in parts.values()])
    signs = WildDraws(law="rademacher", clusters=len(values), draws=draws, seed=seed)
    return Estimate(
        spec={"estimator": "approximate_randomization", "by": by, "null": null, "of": _spec(estimator)},
        keys=next(iter(parts.values())).keys,
        values=values.mean(axis=0),
        uncertainty=_uncertainty(values, signs, by, null, level),
        sample=Sample(
            rows=sum(part.sample.rows for part in parts.values()),
            units=sum(part.sample.units for part in parts.values()),
            dropped=_dropped(list(parts.values())),
        ),
        details={"clusters": {name: part.values.tolist() for name, part in parts.items()}},
    )


def _uncertainty(values: Floats, signs: WildDraws, by: str, null: float, level: float) -> Uncertainty:
    q, mean = len(values), values.mean(axis=0)
    covariance = np.atleast_2d(np.cov(values, rowvar=False)) / q
    tests = [_Test(column, signs) for column in values.T]
    errors = np.sqrt(np.diag(covariance))
    sets = tuple(_set_of(test, float(mean[j]), float(errors[j]), 1.0 - level) for j, test in enumerate(tests))
    counted = f"all {signs.count:,}" if signs.is_enumerated else f"{signs.count:,} of the"
    return Uncertainty(
        method=f"approximate randomisation of {q} estimates by {by}, {counted} changes of sign, "
        f"t* ≥ t{shape_in_words(sets)}; standard error of their mean",
        covariance=covariance,
        df=float(q - 1),
        p_values=np.array([test.p_of(np.array([null]))[0] for test in tests]),
        intervals=np.array([(min(low for low, _ in s), max(high for _, high in s)) for s in sets]),
        intervals_level=level,
    )


class _Test:
    """p values of nulls on the mean of independent estimates, by all changes of sign."""

    def __init__(self, values: Floats, signs: WildDraws) -> None:
        self.values, self.signs = values, signs

    def p_of(self, nulls: Floats) -> Floats:
        drawn = [self._statistics(nulls, tile) for tile in self.signs.tiles()]
        observed = self._statistics(nulls, np.ones((len(self.values), 1)))[:, 0]
        return p_values(
            np.concatenate(drawn, axis=1),
            observed,
            tail="two-sided",
            ties="at_least",
            is_enumerated=self.signs.is_enumerated,
        )

    def _statistics(self, nulls: Floats, signs: Floats) -> Floats:
        gaps, q = self.values - nulls[:, None], len(self.values)
        mean = gaps @ signs / q
        variance = ((gaps**2).sum(axis=1)[:, None] - q * mean**2) / (q - 1)
        # all alike but for rounding: as far from zero as can be
        tiny = variance <= 1e-14 * (gaps**2).mean(axis=1)[:, None]
        root = np.sqrt(np.where(tiny, 1.0, variance))
        return np.where(tiny, np.inf, np.abs(mean) / root)


def _set_of(test: _Test, mean: float, error: float, alpha: float) -> Pieces:
    scale = error if error > 0 else max(abs(mean), 1.0)
    pieces = inverted(lambda distances: test.p_of(mean - distances * scale), alpha, 0.1)
    return tuple((float(mean - high * scale), float(mean - low * scale)) for low, high in pieces)


def _by_cluster(estimator: Estimator, data: DataFrame, by: str) -> dict[str, Estimate]:
    if by not in data.columns or data[by].isna().any():
        raise DesignError(
            f"the column '{by}' of the clusters is not there, or has missing values",
            where=f"{len(data)} rows, {len(data.columns)} columns",
            remedy="give every row its cluster",
        )
    parts: dict[str, Estimate] = {}
    for name, rows in data.groupby(by, observed=True, sort=True):
        try:
            parts[str(name)] = estimator.fit(rows)
        except DesignError as error:
            raise DesignError(
                f"the cluster {name!r} cannot be estimated alone: {error.what}",
                where=f"column '{by}', {len(rows)} rows; {error.where}",
                remedy="let clusters be groups that hold treated and untreated ones, or leave this one out",
            ) from error
    keys = {tuple(sorted((c, labels) for c, labels in part.keys.items())) for part in parts.values()}
    if len(parts) < 3 or len(keys) > 1:
        raise InferenceError(
            "approximate randomisation needs three clusters or more, with the same values in each",
            where=f"{len(parts)} clusters: {', '.join(islice(parts, 5))}; {len(keys)} kinds of values",
            remedy="use finer clusters, or an estimator of one value",
        )
    return parts


def _dropped(parts: list[Estimate]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for part in parts:
        for reason, count in part.sample.dropped.items():
            counts[reason] = counts.get(reason, 0) + count
    return counts


def _spec(estimator: object) -> dict[str, Any]:
    names = [field.name for field in fields(estimator)] if is_dataclass(estimator) else []
    return {"estimator": type(estimator).__name__, **{name: getattr(estimator, name) for name in names}}
