"""Incomes and poverty lines as checked arrays, and indices of each domain as one fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Fit, Groups, Inference
from juntos_eval.estimators.design import Selection, groups_to_carry, select
from juntos_eval.estimators.survey_statistics.domains import domain_influence, domain_of, rows_by_domain
from juntos_eval.numerics.welfare_indices import Valued

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["fit_by_domain", "incomes_check", "lines_of", "refuse_not_positive", "select_incomes"]

Indices = Callable[[Codes], Sequence[Valued]]


def select_incomes(
    data: DataFrame,
    columns: Sequence[str],
    *,
    line: str | float | None = None,
    by: str | None = None,
    weights: str | None = None,
    inference: Inference,
    carry: tuple[str, ...],
) -> Selection:
    """Select columns of incomes, and the column of poverty lines where it is one.

    Parameters
    ----------
    data : pandas.DataFrame
    columns : sequence of str
    line : str or float, optional
    by, weights : str, optional
    inference : Inference
    carry : tuple of str

    Returns
    -------
    Selection

    Raises
    ------
    DesignError
        For columns that cannot be used, or a line that is not positive.
    """
    names = [*columns, *([line] if isinstance(line, str) else [])]
    groups = (*groups_to_carry(inference, carry), *((by,) if by else ()))
    return select(data, numeric=tuple(names), weights=weights, carry=groups)


def lines_of(chosen: Selection, line: str | float) -> Floats:
    """Return the poverty line of each row, in the unit of its income.

    Parameters
    ----------
    chosen : Selection
    line : str or float
        A column, or one line for all.

    Returns
    -------
    numpy.ndarray, shape (n,)

    Raises
    ------
    DesignError
        Where a line is not positive.
    """
    lines = chosen.columns[line] if isinstance(line, str) else np.full(chosen.n, float(line))
    bad = int((~(lines > 0)).sum())
    if bad:
        raise DesignError(
            "a poverty line is not positive",
            where=f"line {line!r}, {bad} of {chosen.n} rows",
            remedy="give lines in the unit of the incomes",
        )
    return np.asarray(lines)


def refuse_not_positive(incomes: Floats, column: str, index: str) -> None:
    """Refuse incomes of zero or below for an index that takes logs or powers of them.

    Parameters
    ----------
    incomes : numpy.ndarray, shape (n,)
    column, index : str
        For the error.

    Raises
    ------
    DesignError
        With the number of rows.
    """
    bad = int((incomes <= 0).sum())
    if bad:
        raise DesignError(
            f"the index '{index}' has no value for incomes of zero or below",
            where=f"column '{column}', {bad} of {len(incomes)} rows",
            remedy="use the Gini or an index of poverty, or leave these rows out and say so",
        )


def incomes_check(incomes: Floats, column: str) -> Check:
    """Say how many incomes are negative: indices of inequality may then lie above one.

    Parameters
    ----------
    incomes : numpy.ndarray, shape (n,)
    column : str

    Returns
    -------
    Check
    """
    negative, none = int((incomes < 0).sum()), int((incomes == 0).sum())
    return Check(
        "incomes",
        None if negative else True,
        f"'{column}': {negative:,} negative and {none:,} zero of {len(incomes):,}; they are kept as they are",
    )


def fit_by_domain(chosen: Selection, by: str | None, indices: Indices) -> tuple[Fit, Groups]:
    """Return the same indices of each domain; rows outside a domain have no influence on it.

    Parameters
    ----------
    chosen : Selection
    by : str or None
    indices : callable
        From the rows of a domain to value and influence of each index.

    Returns
    -------
    tuple of Fit and Groups
    """
    domains = domain_of(chosen, by)
    parts = [(rows, indices(rows)) for rows in rows_by_domain(domains)]
    influence = np.zeros((chosen.n, len(parts[0][1])))
    for rows, found in parts:
        influence[rows] = np.column_stack([part for _, part in found])
    fit = Fit(
        values=np.array([value for _, found in parts for value, _ in found]),
        influence=domain_influence(influence, domains),
        parameters=domains.count,
        groups=chosen.groups,
    )
    return fit, domains
