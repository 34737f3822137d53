"""Inference that fits again: one protocol for jackknife, balanced replication and the bootstraps.

Nothing but the data of a replicate differs, so an estimator is never told that it is resampled: a plan
hands it frames with other weights, or with rows drawn again. Replicate r hangs on the seed and r alone, so
neither their order nor the number of processes changes a digit.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import Check, Estimate, Estimator, Inference

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Plan", "Refits", "columns_of", "fit_refusing_matches", "refit", "weights_column", "with_weights"]

WEIGHTS = "weights of the replicate"


class Plan(Protocol):
    """The replicates of one sample: how many, and the data of each."""

    @property
    def count(self) -> int:
        """Number of replicates."""
        ...

    def frame(self, index: int) -> DataFrame:
        """Return the data of replicate ``index``, 0 … count-1."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Refits:
    """The values of every replicate.

    Attributes
    ----------
    values : numpy.ndarray, shape (R, k)
        NaN where a replicate does not have the value.
    errors : numpy.ndarray, shape (R, k)
        Standard errors in the replicate.
    failures : tuple of str
        Why replicates could not be fitted, one text for each.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.refit import Refits
    >>> Refits(values=np.ones((2, 1)), errors=np.ones((2, 1)), failures=()).check().passed
    True
    """

    values: Floats
    errors: Floats
    failures: tuple[str, ...]

    def check(self) -> Check:
        """Return how many replicates gave every value."""
        count, whole = len(self.values), int(np.isfinite(self.values).all(axis=1).sum())
        detail = f"{whole:,} of {count:,} replicates gave every value"
        if self.failures:
            reason, times = Counter(self.failures).most_common(1)[0]
            detail += f"; {times:,} times: {reason}"
        return Check("replicates fitted", whole == count, detail)


def refit(
    estimator: Estimator, plan: Plan, full: Estimate, *, inference: Inference | None = None, jobs: int = 1
) -> Refits:
    """Fit every replicate of a plan.

    Parameters
    ----------
    estimator : Estimator
        As the frames of the plan need it.
    plan : Plan
    full : Estimate
        Of the whole sample: its keys name the values.
    inference : Inference, optional
        For the standard errors of replicates.
    jobs : int
        Processes; more than one needs joblib.

    Returns
    -------
    Refits

    Raises
    ------
    InferenceError
        If no replicate could be fitted.

    Examples
    --------
    >>> import pandas as pd
    >>> from dataclasses import dataclass
    >>> from juntos_eval.inference.refit import refit
    >>> from juntos_eval.estimate import Estimate, Sample, Uncertainty
    >>> class Largest:
    ...     def fit(self, data, *, inference=None, carry=()):
    ...         return Estimate(spec={}, keys={"term": ("max",)}, values=[data["y"].max()],
    ...                         uncertainty=Uncertainty(method="none", covariance=[[0.0]], df=1.0),
    ...                         sample=Sample(rows=len(data), units=len(data)))
    >>> class LeaveOneOut:
    ...     count = 2
    ...     def frame(self, index):
    ...         return pd.DataFrame({"y": [1.0, 2.0]}).drop(index=index)
    >>> full = Largest().fit(pd.DataFrame({"y": [1.0, 2.0]}))
    >>> refit(Largest(), LeaveOneOut(), full).values.ravel().tolist()
    [2.0, 1.0]
    """
    if jobs == 1:
        found = [_one(estimator, plan, index, inference) for index in range(plan.count)]
    else:
        from joblib import Parallel, delayed  # type: ignore[import-untyped]

        found = Parallel(n_jobs=jobs)(
            delayed(_one)(estimator, plan, index, inference) for index in range(plan.count)
        )
    names = list(zip(*full.keys.values(), strict=True))
    values = np.full((plan.count, len(names)), np.nan)
    errors = values.copy()
    for row, estimate in enumerate(found):
        if isinstance(estimate, Estimate):
            values[row], errors[row] = _in_order_of(names, estimate)
    failures = tuple(reason for reason in found if isinstance(reason, str))
    if len(failures) == plan.count:
        raise InferenceError(
            "no replicate of the sample could be fitted",
            where=f"{plan.count} replicates; the first: {failures[0]}",
            remedy="resample larger units, or use an inference that does not fit again",
        )
    return Refits(values=values, errors=errors, failures=failures)


def _one(estimator: Estimator, plan: Plan, index: int, inference: Inference | None) -> Estimate | str:
    try:
        estimate = estimator.fit(plan.frame(index), inference=inference)
    except (DesignError, InferenceError) as error:
        return error.what
    # the fit of a replicate is not needed, and would be sent between processes
    return replace(estimate, fit=None)


def _in_order_of(names: list[tuple[Any, ...]], estimate: Estimate) -> tuple[Floats, Floats]:
    """Return values and errors in the order of the whole sample; a value that is not there is NaN."""
    found = {name: row for row, name in enumerate(zip(*estimate.keys.values(), strict=True))}
    at = np.array([found.get(name, -1) for name in names])
    there = at >= 0
    error = estimate.uncertainty.std_error
    return np.where(there, estimate.values[at], np.nan), np.where(there, error[at], np.nan)


def fit_refusing_matches(
    estimator: Estimator, data: DataFrame, *, inference: Inference | None, carry: tuple[str, ...]
) -> Estimate:
    """Fit the whole sample, and refuse to resample where that is known to be wrong.

    Parameters
    ----------
    estimator : Estimator
    data : pandas.DataFrame
    inference : Inference or None
    carry : tuple of str

    Returns
    -------
    Estimate

    Raises
    ------
    InferenceError
        For matching with a fixed number of matches: neither bootstrap nor jackknife finds its variance
        (Abadie & Imbens 2008, *Econometrica* 76, 1537-1557).

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import Mean
    >>> from juntos_eval.inference.refit import fit_refusing_matches
    >>> sample = pd.DataFrame({"y": [1.0, 3.0]})
    >>> fit_refusing_matches(Mean(outcome="y"), sample, inference=None, carry=()).values.tolist()
    [2.0]
    """
    estimate = estimator.fit(data, inference=inference, carry=carry)
    if estimate.fit is not None and estimate.fit.matched is not None:
        raise InferenceError(
            "resampling does not give the error of matching with a fixed number of matches "
            "(Abadie & Imbens 2008)",
            where=estimate.title,
            remedy="use AbadieImbens(), or an estimator that weights smoothly",
        )
    return estimate


def weights_column(estimator: Estimator, data: DataFrame) -> Floats:
    """Return the sampling weights of an estimator's rows, ones where it has none.

    Parameters
    ----------
    estimator : Estimator
    data : pandas.DataFrame

    Returns
    -------
    numpy.ndarray, shape (n,)

    Raises
    ------
    InferenceError
        If the estimator has no choice of weights, so that replicates cannot be weighted.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import Mean
    >>> from juntos_eval.inference.refit import weights_column
    >>> weights_column(Mean(outcome="y"), pd.DataFrame({"y": [1.0, 3.0]})).tolist()
    [1.0, 1.0]
    """
    if not hasattr(estimator, "weights"):
        raise InferenceError(
            "replicates by weights need an estimator with weights",
            where=type(estimator).__name__,
            remedy="use Bootstrap(), which draws rows",
        )
    named: str | None = estimator.weights
    if named is None:
        return np.ones(len(data))
    return np.asarray(data[named].to_numpy(dtype=np.float64, na_value=np.nan))


def with_weights(estimator: Estimator) -> Estimator:
    """Return the estimator that reads the weights of replicates.

    Parameters
    ----------
    estimator : Estimator

    Returns
    -------
    Estimator

    Examples
    --------
    >>> from juntos_eval.estimators.means import Mean
    >>> from juntos_eval.inference.refit import with_weights
    >>> with_weights(Mean(outcome="y")).weights
    'weights of the replicate'
    """
    return replace(estimator, weights=WEIGHTS)  # type: ignore[type-var]


def columns_of(estimator: Estimator, inference: Inference | None, data: DataFrame) -> list[str]:
    """Return the columns that an estimator and an inference name, in the order of the data.

    Parameters
    ----------
    estimator : Estimator
    inference : Inference or None
    data : pandas.DataFrame

    Returns
    -------
    list of str
        Every column where the estimator's choices do not say.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import Mean
    >>> from juntos_eval.inference.refit import columns_of
    >>> columns_of(Mean(outcome="y"), None, pd.DataFrame({"x": [1], "y": [2]}))
    ['y']
    """
    choices: object = estimator
    if not dataclasses.is_dataclass(choices):
        return list(data.columns)
    named = set(_texts(choices)) | set(inference.columns if inference is not None else ())
    return [name for name in data.columns if name in named]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list | frozenset):
        for one in value:
            yield from _texts(one)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _texts(getattr(value, field.name))
