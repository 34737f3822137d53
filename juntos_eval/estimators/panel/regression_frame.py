"""What regressions share on the way from a frame to an estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Fit, Groups, Sample
from juntos_eval.estimators.design import Selection, require_frame, select
from juntos_eval.estimators.panel.absorbed_fit import absorbed_fit
from juntos_eval.estimators.panel.terms import CovariateTerm, covariate_columns, covariate_terms
from juntos_eval.numerics.absorb import absorber
from juntos_eval.numerics.within_least_squares import WithinLeastSquares, within_least_squares

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = [
    "CONSTANT",
    "PanelFrame",
    "names_of",
    "panel_frame",
    "plain_regression",
    "regression_selection",
    "sample_of",
    "without",
]

CONSTANT = "constant"


def names_of(given: str | Sequence[str]) -> tuple[str, ...]:
    """Return names as a tuple: one name alone is one, and not its letters.

    Examples
    --------
    >>> from juntos_eval.estimators.panel.regression_frame import names_of
    >>> names_of("age"), names_of(["age", "area"])
    (('age',), ('age', 'area'))
    """
    return (given,) if isinstance(given, str) else tuple(given)


def regression_selection(
    data: DataFrame,
    terms: Sequence[CovariateTerm],
    *,
    numeric: Sequence[str],
    weights: str | None,
    carry: Sequence[str],
    factors: Sequence[str] = (),
) -> Selection:
    """Select the rows and columns of a regression: numeric covariates one by one, categories as indicators.

    Parameters
    ----------
    data : pandas.DataFrame
    terms : sequence of CovariateTerm
    numeric, weights, carry, factors
        As of :func:`~juntos_eval.estimators.design.select`.

    Returns
    -------
    Selection
    """
    require_frame(data)
    columns = dict.fromkeys(column for term in terms for column in term.columns)
    numbers = [column for column in columns if column in data.columns and _is_number(data[column])]
    return select(
        data,
        numeric=(*numeric, *numbers),
        covariates=tuple(column for column in columns if column not in numbers),
        weights=weights,
        carry=carry,
        factors=factors,
    )


def _is_number(column: Any) -> bool:
    return isinstance(column, pd.Series) and (
        pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
    )


def sample_of(chosen: Selection, units: int | None = None) -> Sample:
    """Count the rows of a selection, and its units where rows are not units."""
    weights = chosen.weights
    return Sample(
        rows=chosen.n,
        units=chosen.n if units is None else units,
        effective=float(weights.sum() ** 2 / np.einsum("i,i->", weights, weights)),
        dropped=chosen.dropped,
    )


def without(chosen: Selection, gone: Bools, reason: str) -> Selection:
    """Leave rows out, and count them under a reason."""
    kept = ~gone
    return replace(
        chosen,
        columns={name: values[kept] for name, values in chosen.columns.items()},
        covariates=chosen.covariates[kept],
        weights=chosen.weights[kept],
        groups={name: Groups(way.codes[kept], way.levels) for name, way in chosen.groups.items()},
        rows=chosen.rows[kept],
        dropped={**chosen.dropped, reason: int(gone.sum())},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelFrame:
    """The rows of a panel as arrays.

    Attributes
    ----------
    outcome : numpy.ndarray, shape (n,)
    columns : tuple of numpy.ndarray, shape (n,)
    names : tuple of str
    unit : Groups
    time : numpy.ndarray, shape (n,), optional
    weights : numpy.ndarray, shape (n,), optional
    groups : Mapping of str to Groups
    sample : Sample
    """

    outcome: Floats
    columns: tuple[Floats, ...]
    names: tuple[str, ...]
    unit: Groups
    time: Floats | None
    weights: Floats | None
    groups: Mapping[str, Groups]
    sample: Sample


def panel_frame(
    data: DataFrame,
    *,
    outcome: str,
    covariates: Sequence[str],
    unit: str,
    time: str | None,
    weights: str | None,
    carry: Sequence[str],
) -> PanelFrame:
    """Select a panel; a unit and period that stand twice are an error.

    Parameters
    ----------
    data : pandas.DataFrame
    outcome, unit, time, weights : str
    covariates, carry : sequence of str

    Returns
    -------
    PanelFrame

    Raises
    ------
    DesignError
        For columns that cannot be used, and for rows of the same unit and time.
    """
    require_frame(data)
    terms = covariate_terms(data, covariates)
    chosen = regression_selection(
        data,
        terms,
        numeric=(outcome,) if time is None else (outcome, time),
        weights=weights,
        carry=carry,
        factors=(unit,),
    )
    arrays, names = covariate_columns(terms, chosen)
    seen = None if time is None else chosen.columns[time]
    if seen is not None:
        _refuse_twice(chosen.groups[unit].codes, seen, unit, str(time))
    levels = chosen.groups[unit]
    return PanelFrame(
        outcome=chosen.columns[outcome],
        columns=tuple(arrays),
        names=tuple(names),
        unit=levels,
        time=seen,
        weights=None if weights is None else chosen.weights,
        groups=chosen.groups,
        sample=sample_of(chosen, levels.count),
    )


def _refuse_twice(units: Codes, times: Floats, unit: str, time: str) -> None:
    order = np.lexsort((times, units))
    same = (np.diff(units[order]) == 0) & (np.diff(times[order]) == 0)
    if same.any():
        raise DesignError(
            "a unit stands twice in the same period",
            where=f"columns '{unit}' and '{time}', {int(same.sum()):,} rows",
            remedy="keep one row a unit and period, or average them first",
        )


def plain_regression(
    outcome: Floats, columns: Sequence[Floats], weights: Floats | None, groups: Mapping[str, Groups]
) -> tuple[WithinLeastSquares, Fit]:
    """Fit least squares without effects, and hand it to inference."""
    within = absorber((), weights)
    regression = within_least_squares(outcome, columns, within=within, weights=weights)
    return regression, absorbed_fit(regression, within, groups, (), weights)
