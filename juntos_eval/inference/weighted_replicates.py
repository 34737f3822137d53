"""Replicates by weights: the plan that all of them share, and the variance that follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate, Estimator, Groups, Inference, Uncertainty, record
from juntos_eval.inference.refit import (
    WEIGHTS,
    Refits,
    fit_refusing_matches,
    refit,
    weights_column,
    with_weights,
)
from juntos_eval.inference.robust import Robust
from juntos_eval.inference.strata import grouping_of, nested, sampling_fractions

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = [
    "Center",
    "Factors",
    "ReplicateVariance",
    "Units",
    "WeightedReplicates",
    "replicate_estimate",
    "units_in_strata",
]

Center = Literal["estimate", "mean"]


class Resampled(Protocol):
    """A record of choices around an estimator."""

    @property
    def estimator(self) -> Estimator:
        """The estimator that is fitted again."""
        ...


class Factors(Protocol):
    """What the weights of each row are multiplied by in a replicate."""

    @property
    def count(self) -> int:
        """Number of replicates."""
        ...

    def of_rows(self, index: int) -> Floats:
        """Return the factors (n,) of replicate ``index``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Units:
    """The units that are resampled, within strata.

    Attributes
    ----------
    codes : numpy.ndarray of int64, shape (n,)
        Unit of each row.
    owners : numpy.ndarray of int64, shape (P,)
        Stratum of each unit.
    counts : numpy.ndarray of int64, shape (H,)
        Units in each stratum.
    fractions : numpy.ndarray, shape (H,)
        Share of the stratum's units that was drawn.
    levels : tuple of str, length H
        Labels of the strata.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.inference.weighted_replicates import units_in_strata
    >>> units_in_strata(pd.DataFrame({"psu": [1, 1, 2]}), strata=None, psu="psu", fpc=None).counts.tolist()
    [2]
    """

    codes: Codes
    owners: Codes
    counts: Codes
    fractions: Floats
    levels: tuple[str, ...]

    @property
    def df(self) -> float:
        """Units less strata."""
        return float(len(self.owners) - len(self.counts))


def units_in_strata(data: DataFrame, *, strata: str | None, psu: str | None, fpc: str | None) -> Units:
    """Return the PSUs of a sample within their strata; labels of PSUs are nested.

    Parameters
    ----------
    data : pandas.DataFrame
    strata, psu, fpc : str or None
        Columns, as in :class:`~juntos_eval.inference.survey_design.SurveyDesign`.

    Returns
    -------
    Units

    Raises
    ------
    InferenceError
        If a column cannot be used, or a stratum has one PSU.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.inference.weighted_replicates import units_in_strata
    >>> frame = pd.DataFrame({"area": ["a", "a", "b", "b"], "village": [1, 2, 1, 2]})
    >>> units_in_strata(frame, strata="area", psu="village", fpc=None).owners.tolist()
    [0, 0, 1, 1]
    """
    one = Groups(np.zeros(len(data), np.int64), ("",))
    areas = one if strata is None else grouping_of(data, strata)
    members = np.arange(len(data), dtype=np.int64) if psu is None else grouping_of(data, psu).codes
    codes, owners = nested(areas.codes, members)
    counts = np.bincount(owners, minlength=areas.count)
    alone = np.flatnonzero(counts < 2)
    if len(alone):
        raise InferenceError(
            "a stratum has one PSU only, so it cannot be resampled",
            where=f"{len(alone)} of {areas.count} strata: {', '.join(areas.levels[h] for h in alone[:5])}",
            remedy="merge the stratum with a neighbour",
        )
    fractions = np.zeros(areas.count)
    if fpc is not None:
        fractions = sampling_fractions(grouping_of(data, fpc), areas, counts, fpc)
    return Units(codes=codes, owners=owners, counts=counts, fractions=fractions, levels=areas.levels)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightedReplicates:
    """A plan whose replicates differ in their weights only.

    Attributes
    ----------
    data : pandas.DataFrame
    weights : numpy.ndarray, shape (n,)
        Of the whole sample.
    factors : Factors

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.inference.weighted_replicates import WeightedReplicates
    >>> class Second:
    ...     count = 1
    ...     def of_rows(self, index):
    ...         return np.array([0.0, 2.0])
    >>> plan = WeightedReplicates(data=pd.DataFrame({"y": [1, 2]}), weights=np.ones(2), factors=Second())
    >>> plan.frame(0)["weights of the replicate"].tolist()
    [0.0, 2.0]
    """

    data: DataFrame
    weights: Floats
    factors: Factors

    @property
    def count(self) -> int:
        """Number of replicates."""
        return self.factors.count

    def frame(self, index: int) -> DataFrame:
        """Return the data with the weights of a replicate."""
        return self.data.assign(**{WEIGHTS: self.weights * self.factors.of_rows(index)})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReplicateVariance:
    r"""How replicates become a variance.

    .. math:: \hat V = \sum_r s_r (\hat\theta_r - c)(\hat\theta_r - c)'

    Attributes
    ----------
    factors : Factors
    scales : numpy.ndarray, shape (R,)
        :math:`s_r`.
    df : float
    method : str
    center : {"estimate", "mean"}
        c: the estimate of the whole sample, or the mean of the replicates.
    jobs : int

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.weighted_replicates import ReplicateVariance
    >>> class Halves:
    ...     count = 2
    ...     def of_rows(self, index):
    ...         return np.array([2.0, 0.0]) if index else np.array([0.0, 2.0])
    >>> rule = ReplicateVariance(
    ...     factors=Halves(), scales=np.full(2, 0.5), df=1.0, method="halves", center="estimate", jobs=1)
    >>> rule.method
    'halves'
    """

    factors: Factors
    scales: Floats
    df: float
    method: str
    center: Center
    jobs: int


def replicate_estimate(
    choice: Resampled,
    data: DataFrame,
    rule: ReplicateVariance,
    *,
    inference: Inference | None = None,
    carry: tuple[str, ...] = (),
) -> Estimate:
    """Return the estimate of the whole sample with the variance of its replicates.

    Parameters
    ----------
    choice : Resampled
        The record of the choices, which holds the estimator.
    data : pandas.DataFrame
    rule : ReplicateVariance
    inference, carry
        As of a fit.

    Returns
    -------
    Estimate

    Raises
    ------
    InferenceError
        If a replicate cannot be fitted, or the estimator cannot be resampled.
    """
    estimator = choice.estimator
    full = fit_refusing_matches(estimator, data, inference=inference, carry=carry)
    plan = WeightedReplicates(data=data, weights=weights_column(estimator, data), factors=rule.factors)
    # nobody asks for the errors of replicates, so the rule that costs and asks least is enough
    found = refit(with_weights(estimator), plan, full, inference=Robust("HC0"), jobs=rule.jobs)
    _refuse_gaps(found)
    used = found.values[rule.scales > 0]
    gaps = found.values - (full.values if rule.center == "estimate" else used.mean(axis=0))
    uncertainty = Uncertainty(
        method=f"{rule.method}, {plan.count:,} replicates around the {_AROUND[rule.center]}",
        covariance=(gaps * rule.scales[:, None]).T @ gaps,
        df=rule.df,
    )
    return replace(
        full,
        spec={**full.spec, "resampling": record.plain(choice)},
        uncertainty=uncertainty,
        checks=(*full.checks, found.check()),
        inference=None,
    )


_AROUND = {"estimate": "estimate", "mean": "mean of replicates"}


def _refuse_gaps(found: Refits) -> None:
    gaps = int((~np.isfinite(found.values)).any(axis=1).sum())
    if gaps:
        reason = found.failures[0] if found.failures else "a group of the sample has no row there"
        raise InferenceError(
            "a replicate does not give every value, and each of them counts in this variance",
            where=f"{gaps} of {len(found.values)} replicates; {reason}",
            remedy="use SurveyDesign(), or the bootstrap, which can do without some",
        )
