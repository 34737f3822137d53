"""The small language of columns: products of covariates, crossed factors, and slopes that differ by level."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Groups
from juntos_eval.numerics.absorb import Factor

if TYPE_CHECKING:
    from pandas import DataFrame

    from juntos_eval.estimators.design import Selection

__all__ = [
    "AbsorbedTerm",
    "CovariateTerm",
    "absorbed_terms",
    "covariate_columns",
    "covariate_terms",
    "factor_of",
]

_SLOPES = re.compile(r"^(?P<factor>[^\[\]]+)\[(?:\[(?P<alone>[^\[\]]+)\]|(?P<slopes>[^\[\]]+))\]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsorbedTerm:
    """One entry of ``absorb``: the columns whose joint levels it is, and those with slopes by level.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.panel.terms import absorbed_terms
    >>> frame = pd.DataFrame(columns=["unit", "region", "year"])
    >>> [term.columns for term in absorbed_terms(frame, ("region^year", "unit[year]"))]
    [('region', 'year'), ('unit',)]
    """

    label: str
    columns: tuple[str, ...]
    slopes: tuple[str, ...] = ()
    has_intercepts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CovariateTerm:
    """One entry of ``covariates``: a column, or several whose product it is.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.panel.terms import covariate_terms
    >>> covariate_terms(pd.DataFrame(columns=["age", "area"]), ("age:area",))[0].columns
    ('age', 'area')
    """

    label: str
    columns: tuple[str, ...]


def absorbed_terms(data: DataFrame, absorb: Sequence[str]) -> tuple[AbsorbedTerm, ...]:
    """Read the entries of ``absorb``.

    Parameters
    ----------
    data : pandas.DataFrame
        A name that is one of its columns means that column, whatever signs it has in it.
    absorb : sequence of str
        ``a`` the levels of a column, ``a^b`` those that two or more columns have jointly, ``a[x]`` levels and
        slopes of x that differ by level, ``a[[x]]`` the slopes alone.

    Returns
    -------
    tuple of AbsorbedTerm

    Raises
    ------
    DesignError
        For an entry that cannot be read.
    """
    return tuple(_absorbed_term(data, label) for label in dict.fromkeys(absorb))


def _absorbed_term(data: DataFrame, label: str) -> AbsorbedTerm:
    if label in data.columns:
        return AbsorbedTerm(label=label, columns=(label,))
    found = _SLOPES.match(label)
    if found is None and ("[" in label or "]" in label):
        raise DesignError(
            f"the absorbed effect {label!r} cannot be read",
            where="absorb",
            remedy="write unit, region^year, unit[x] for levels and slopes, or unit[[x]] for slopes alone",
        )
    factor = label if found is None else found["factor"]
    columns = (factor,) if factor in data.columns else tuple(part.strip() for part in factor.split("^"))
    if found is None:
        return AbsorbedTerm(label=label, columns=columns)
    slopes = tuple(part.strip() for part in (found["slopes"] or found["alone"]).split(","))
    return AbsorbedTerm(label=label, columns=columns, slopes=slopes, has_intercepts=found["alone"] is None)


def covariate_terms(data: DataFrame, covariates: Sequence[str]) -> tuple[CovariateTerm, ...]:
    """Read the entries of ``covariates``: ``a``, or ``a:b`` for a product.

    Parameters
    ----------
    data : pandas.DataFrame
        A name that is one of its columns means that column.
    covariates : sequence of str

    Returns
    -------
    tuple of CovariateTerm
    """
    return tuple(
        CovariateTerm(
            label=label,
            columns=(label,)
            if label in data.columns or ":" not in label
            else tuple(part.strip() for part in label.split(":")),
        )
        for label in dict.fromkeys(covariates)
    )


def covariate_columns(
    terms: Sequence[CovariateTerm], chosen: Selection, *, as_stored: bool = False
) -> tuple[list[Any], list[str]]:
    """Return the columns of a design and their names; the product of categories has one a pair of levels.

    Parameters
    ----------
    terms : sequence of CovariateTerm
    chosen : Selection
        Numbers under ``columns``, categories as indicators under ``covariates``.
    as_stored : bool
        Leave columns of whole numbers as they are: for who copies them anyway, and computes nothing before.

    Returns
    -------
    list of numpy.ndarray, shape (n,)
    list of str
        ``column``, ``column[level]``, and these joined by a colon.
    """
    arrays: list[Any] = []
    names: list[str] = []
    for term in terms:
        if as_stored and len(term.columns) == 1 and term.columns[0] in chosen.columns:
            names.append(term.columns[0])
            arrays.append(chosen.stored(term.columns[0]))
            continue
        pieces: list[tuple[str, Any]] = [("", None)]
        for column in term.columns:
            pieces = [
                (f"{before}:{name}" if before else name, values if so_far is None else so_far * values)
                for before, so_far in pieces
                for name, values in _parts(column, chosen)
            ]
        names += [name for name, _ in pieces]
        arrays += [values for _, values in pieces]
    return arrays, names


def _parts(column: str, chosen: Selection) -> list[tuple[str, Floats]]:
    if column in chosen.columns:
        return [(column, chosen.columns[column])]
    return [
        (name, chosen.covariates[:, position])
        for position, name in enumerate(chosen.covariate_names)
        if name.startswith(f"{column}[")
    ]


def factor_of(term: AbsorbedTerm, chosen: Selection) -> tuple[Groups, Factor]:
    """Return the levels of an absorbed term that occur, and the factor to take out.

    Parameters
    ----------
    term : AbsorbedTerm
    chosen : Selection

    Returns
    -------
    Groups
    Factor
    """
    groups = _joint(tuple(chosen.groups[column] for column in term.columns))
    slopes = [chosen.columns[column] for column in term.slopes]
    matrix = np.column_stack(slopes) if slopes else np.zeros((0, 0))
    return groups, Factor(
        codes=groups.codes,
        count=groups.count,
        slopes=matrix,
        has_intercepts=term.has_intercepts,
        sizes=groups.sizes,
    )


def _joint(ways: tuple[Groups, ...]) -> Groups:
    joint = _occupied(ways[0])
    for way in ways[1:]:
        pairs, codes = _paired(joint, way)
        labels = tuple(
            f"{joint.levels[pair // way.count]}^{way.levels[pair % way.count]}" for pair in pairs.tolist()
        )
        joint = Groups(codes, labels)
    return joint


def _paired(first: Groups, second: Groups) -> tuple[Codes, Codes]:
    found, codes = np.unique(first.codes * second.count + second.codes, return_inverse=True)
    return found.astype(np.int64), codes.astype(np.int64)


def _occupied(groups: Groups) -> Groups:
    seen = groups.sizes > 0
    if seen.all():
        return groups
    levels = tuple(level for level, is_there in zip(groups.levels, seen.tolist(), strict=True) if is_there)
    return Groups((np.cumsum(seen) - 1)[groups.codes], levels)
