"""Missing covariates, by choice: rows without them are left out, refused, or kept and marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from pandas import DataFrame

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Inference
from juntos_eval.estimators.design import require_frame

__all__ = [
    "Missing",
    "Settled",
    "fit_settled",
    "mark_missing",
    "refuse_rule",
    "settle_missing",
    "with_indicators",
]

Missing = Literal["drop", "refuse", "indicator"]

# arguments of estimators that name covariates of a model
_LISTS = ("covariates", "outcome_covariates", "bias_adjust")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An estimator whose covariates are all there.

    Attributes
    ----------
    estimator : estimator
        With the indicators among its covariates.
    frame : pandas.DataFrame
    counts : Mapping of str to int
        Rows in which each covariate was missing.
    """

    estimator: Any
    frame: DataFrame
    counts: Mapping[str, int]

    @property
    def checks(self) -> tuple[Check, ...]:
        """What was done, to be printed beside the number."""
        if not self.counts:
            return (Check("missing covariates", None, "none is missing"),)
        told = ", ".join(f"{name} in {count} rows" for name, count in self.counts.items())
        detail = f"{told}: rows kept, with an indicator of each and a constant in its place"
        return (Check("missing covariates", None, detail),)


def refuse_rule(rule: str) -> None:
    """Raise if there is no such rule for missing covariates.

    Parameters
    ----------
    rule : str

    Raises
    ------
    DesignError

    Examples
    --------
    >>> from juntos_eval.estimators.matching.missing_covariates import refuse_rule
    >>> refuse_rule("indicator")
    """
    if rule not in get_args(Missing):
        raise DesignError(
            f"there is no rule {rule!r} for missing covariates",
            where=f"missing={rule!r}",
            remedy=f"choose one of {', '.join(get_args(Missing))}",
        )


def settle_missing(estimator: Any, data: DataFrame) -> Settled:
    """Return an estimator and a frame without missing covariates, as the estimator's ``missing`` asks.

    Parameters
    ----------
    estimator : estimator
        With ``missing`` of "refuse" or "indicator".
    data : pandas.DataFrame
        Not changed.

    Returns
    -------
    Settled

    Raises
    ------
    DesignError
        If covariates are missing and "refuse" was asked for; for one that is missing in every row.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.missing_covariates import settle_missing
    >>> from juntos_eval.estimators.matching.weighting import Weighting
    >>> frame = pd.DataFrame({"d": [1, 0, 1, 0], "age": [1.0, None, 3.0, 2.0]})
    >>> weighting = Weighting(treatment="d", covariates=("age",), missing="indicator")
    >>> settle_missing(weighting, frame).estimator.covariates
    ('age', 'age[missing]')
    """
    named = {name: getattr(estimator, name, None) for name in _LISTS}
    lists = {name: columns for name, columns in named.items() if isinstance(columns, tuple)}
    columns = tuple(dict.fromkeys(column for listed in lists.values() for column in listed))
    frame, counts = mark_missing(data, columns, estimator.missing)
    changed = {
        name: tuple(with_indicators(listed, counts)) for name, listed in lists.items() if listed or counts
    }
    return Settled(estimator=replace(estimator, missing="drop", **changed), frame=frame, counts=counts)


def with_indicators(columns: tuple[str, ...], counts: Mapping[str, int]) -> list[str]:
    """Return columns, each followed by the indicator of its missing values where it has one.

    Parameters
    ----------
    columns : tuple of str
    counts : Mapping of str to int
        Covariates with missing values.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from juntos_eval.estimators.matching.missing_covariates import with_indicators
    >>> with_indicators(("age", "area"), {"age": 3})
    ['age', 'age[missing]', 'area']
    """
    marked = [(name, f"{name}[missing]") if name in counts else (name,) for name in columns]
    return [column for pair in marked for column in pair]


def mark_missing(
    data: DataFrame, columns: tuple[str, ...], rule: Missing
) -> tuple[DataFrame, Mapping[str, int]]:
    """Return a frame in which no covariate is missing, and in how many rows each was.

    A number that is missing becomes the mean of those that are not, a category its first level: in a model
    with the indicator the constant does not matter.

    Parameters
    ----------
    data : pandas.DataFrame
        Not changed.
    columns : tuple of str
    rule : {"drop", "refuse", "indicator"}
        "drop" leaves the frame as it is: rows are left out and counted later.

    Returns
    -------
    frame : pandas.DataFrame
        With columns ``name[missing]`` of 0 and 1 for numbers and categories alike.
    counts : Mapping of str to int

    Raises
    ------
    DesignError

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.missing_covariates import mark_missing
    >>> frame, counts = mark_missing(pd.DataFrame({"age": [1.0, None, 3.0]}), ("age",), "indicator")
    >>> frame.to_numpy().tolist(), dict(counts)
    ([[1.0, 0.0], [2.0, 1.0], [3.0, 0.0]], {'age': 1})
    """
    require_frame(data)
    if rule == "drop":
        return data, FrozenMapping({})
    there = [name for name in columns if name in data.columns]
    counts = {name: int(data[name].isna().sum()) for name in there}
    counts = {name: count for name, count in counts.items() if count}
    if rule == "refuse" and counts:
        raise DesignError(
            "covariates are missing",
            where=", ".join(
                f"column '{name}', {count} of {len(data)} rows" for name, count in counts.items()
            ),
            remedy="missing='drop' leaves the rows out, missing='indicator' keeps and marks them",
        )
    marked = {f"{name}[missing]": data[name].isna().to_numpy(dtype=np.float64) for name in counts}
    taken = [name for name in marked if name in data.columns]
    empty = [name for name, count in counts.items() if count == len(data)]
    if taken or empty:
        raise DesignError(
            f"the covariate {(empty or taken)[0]} cannot be marked where it is missing",
            where=f"{len(data)} rows, " + ("all missing" if empty else "a column of that name is there"),
            remedy="leave it out" if empty else "rename the column",
        )
    return data.assign(**{name: _filled(data[name]) for name in counts}, **marked), FrozenMapping(counts)


def fit_settled(
    estimator: Any, data: DataFrame, inference: Inference | None, carry: tuple[str, ...]
) -> Estimate:
    """Fit an estimator that keeps rows with missing covariates, and say what was done with them.

    Parameters
    ----------
    estimator : estimator
    data : pandas.DataFrame
    inference : Inference or None
    carry : tuple of str

    Returns
    -------
    Estimate
        With the estimator's own choices in its ``spec``, and counts in ``details["missing"]``.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.regression_adjustment import RegressionAdjustment
    >>> frame = pd.DataFrame({"y": [5, 8, 1, 2, 3, 4, 9, 7], "d": [1, 1, 0, 0, 0, 0, 0, 1],
    ...                       "age": [1, 2, 1, 2, 3, 4, None, None]})
    >>> adjusted = RegressionAdjustment(outcome="y", treatment="d", covariates=("age",), missing="indicator")
    >>> dict(adjusted.fit(frame).details["missing"])
    {'age': 2}
    """
    settled = settle_missing(estimator, data)
    found: Estimate = settled.estimator.fit(settled.frame, inference=inference, carry=carry)
    asked = {name: getattr(estimator, name) for name in (*_LISTS, "missing") if name in found.spec}
    return replace(
        found,
        spec={**found.spec, **asked},
        checks=(*found.checks, *settled.checks),
        details={**found.details, "missing": dict(settled.counts)},
    )


def _filled(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column with a constant where it is missing: the mean, or the first level."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return pd.Series(np.where(np.isnan(numbers), np.nanmean(numbers), numbers), index=column.index)
    known = column.dropna()
    first = known.cat.remove_unused_categories().cat.categories[0] if _is_category(column) else known.min()
    return column.where(column.notna(), first)


def _is_category(column: pd.Series[Any]) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype)
