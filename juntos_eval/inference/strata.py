"""The sampling design behind rows: which PSUs were drawn in which stratum, and what share of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats, encode
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Groups

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = [
    "Stratum",
    "grouping_of",
    "nested",
    "require_sample",
    "sampling_fractions",
    "stages_of",
    "strata_of",
    "units_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """One stratum of a survey as it was drawn, whatever part of it is analysed.

    Attributes
    ----------
    label : str
    count : int
        PSUs drawn.
    psus : tuple of str
        Their labels; empty where every row is its own PSU.
    fraction : float
        Share of the stratum's PSUs that was drawn, for the finite population correction; 0 for none.

    Examples
    --------
    >>> from juntos_eval.inference.strata import Stratum
    >>> Stratum(label="rural", count=2, psus=("001", "002")).fraction
    0.0
    """

    label: str
    count: int
    psus: tuple[str, ...] = ()
    fraction: float = 0.0


def strata_of(
    data: DataFrame, *, strata: str | None = None, psu: str | None = None, fpc: str | None = None
) -> tuple[Stratum, ...]:
    """Return the strata of a full survey sample with their PSUs.

    Parameters
    ----------
    data : pandas.DataFrame
        Every row of the survey, those outside the analysis too.
    strata, psu, fpc : str, optional
        Columns, as in :class:`~juntos_eval.inference.survey_design.SurveyDesign`.

    Returns
    -------
    tuple of Stratum
        In order of their labels; one with the label ``""`` where there are no strata.

    Raises
    ------
    InferenceError
        If a column is not there or has missing values, or the population sizes cannot be right.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.inference.strata import strata_of
    >>> frame = pd.DataFrame({"area": ["a", "a", "b"], "village": [1, 2, 1]})
    >>> [(stratum.label, stratum.psus) for stratum in strata_of(frame, strata="area", psu="village")]
    [('a', ('1', '2')), ('b', ('1',))]
    """
    units, sizes = (() if psu is None else (psu,)), (() if fpc is None else (fpc,))
    return stages_of(data, strata=strata, units=units, sizes=sizes)[0]


def stages_of(
    data: DataFrame, *, strata: str | None, units: Sequence[str], sizes: Sequence[str]
) -> tuple[tuple[Stratum, ...], ...]:
    """Return what was drawn from what in a full survey sample, stage by stage.

    Parameters
    ----------
    data : pandas.DataFrame
        Every row of the survey, those outside the analysis too.
    strata : str or None
    units, sizes : sequence of str
        Columns of units and of population sizes, stage by stage.

    Returns
    -------
    tuple of tuple of Stratum
        One more stage than there are sizes, as far as there are units; at least one. The strata of a later
        stage are the units of the one before, under labels ``stratum/unit``.

    Raises
    ------
    InferenceError
        If a column is not there or has missing values, or the population sizes cannot be right.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.inference.strata import stages_of
    >>> frame = pd.DataFrame({"village": [1, 1, 2], "house": [1, 2, 1], "share": 0.5})
    >>> found = stages_of(frame, strata=None, units=("village", "house"), sizes=("share",))
    >>> [[(stratum.label, stratum.count) for stratum in stage] for stage in found]
    [[('', 2)], [('/1', 2), ('/2', 1)]]
    """
    require_sample(data)
    owner = Groups(np.zeros(len(data), np.int64), ("",)) if strata is None else grouping_of(data, strata)
    stages = []
    for number in range(max(1, min(len(units), len(sizes) + 1))):
        members = grouping_of(data, units[number]) if units else None
        rows = np.arange(len(data), dtype=np.int64)
        codes, owners = nested(owner.codes, rows if members is None else members.codes)
        counts = np.bincount(owners, minlength=owner.count)
        fractions = np.zeros(owner.count)
        if number < len(sizes):
            fractions = sampling_fractions(grouping_of(data, sizes[number]), owner, counts, sizes[number])
        labels: list[list[str]] = [[] for _ in range(owner.count)]
        if members is not None:
            first = np.unique(codes, return_index=True)[1]
            for above, member in zip(owners, members.codes[first], strict=True):
                labels[above].append(members.levels[member])
        drawn = zip(owner.levels, counts, labels, fractions, strict=True)
        stages.append(
            tuple(
                Stratum(label=label, count=int(count), psus=tuple(psus), fraction=float(fraction))
                for label, count, psus, fraction in drawn
            )
        )
        if members is not None:
            owner = units_of(owner, members, codes)
    return tuple(stages)


def units_of(owner: Groups, members: Groups, codes: Codes) -> Groups:
    """Return the units of a stage as the strata of the next one.

    Parameters
    ----------
    owner, members : Groups
    codes : numpy.ndarray of int64, shape (n,)
        Of members within owners, as of :func:`nested`.

    Returns
    -------
    Groups
        With labels ``owner/member``.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.inference.strata import units_of
    >>> units_of(Groups([0, 1], ("a", "b")), Groups([0, 0], ("1",)), np.array([0, 1])).levels
    ('a/1', 'b/1')
    """
    first = np.unique(codes, return_index=True)[1]
    labels = (f"{owner.levels[owner.codes[i]]}/{members.levels[members.codes[i]]}" for i in first)
    return Groups(codes, tuple(labels))


def nested(strata: Codes, members: Codes) -> tuple[Codes, Codes]:
    """Return codes of members within strata, and the stratum of each such member.

    One label in two strata is two members.

    Parameters
    ----------
    strata, members : numpy.ndarray of int64, shape (n,)

    Returns
    -------
    codes : numpy.ndarray of int64, shape (n,)
    owners : numpy.ndarray of int64, shape (P,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.strata import nested
    >>> codes, owners = nested(np.array([0, 0, 1]), np.array([5, 7, 5]))
    >>> codes.tolist(), owners.tolist()
    ([0, 1, 2], [0, 0, 1])
    """
    width = int(members.max(initial=0)) + 1
    codes, pairs = encode(strata * width + members)
    return codes, pairs // width


def sampling_fractions(sizes: Groups, strata: Groups, counts: Sequence[int] | Codes, column: str) -> Floats:
    """Return the share of PSUs drawn in each stratum from its population size, or from the share itself.

    Parameters
    ----------
    sizes : Groups
        Per row, the number of PSUs in the stratum's population, or the fraction drawn if all are <= 1.
    strata : Groups
    counts : sequence of int
        PSUs drawn, by stratum.
    column : str
        For errors.

    Returns
    -------
    numpy.ndarray, shape (strata,)
        0 for a stratum without a row.

    Raises
    ------
    InferenceError
        If a stratum has several sizes, or fewer PSUs in its population than were drawn.

    Examples
    --------
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.inference.strata import sampling_fractions
    >>> sampling_fractions(Groups([0, 0], ("8",)), Groups([0, 0], ("a",)), [2], "npsu").tolist()
    [0.25]
    """
    levels = _as_numbers(sizes.levels, column)[sizes.codes]
    highest = np.full(strata.count, -np.inf)
    lowest = np.full(strata.count, np.inf)
    np.maximum.at(highest, strata.codes, levels)
    np.minimum.at(lowest, strata.codes, levels)
    seen = np.isfinite(highest)
    _refuse(column, strata, seen & (highest != lowest), "differ within a stratum", "give each stratum one")
    drawn = np.asarray(counts, dtype=np.float64)
    fractions = np.zeros(strata.count)
    if (levels <= 1).all():
        fractions[seen] = highest[seen]
        wrong = seen & (highest <= 0)
    else:
        wrong = seen & (highest < drawn)
        np.divide(drawn, highest, out=fractions, where=seen & (highest > 0))
    _refuse(
        column,
        strata,
        wrong,
        "are not larger than zero, or smaller than the number of PSUs drawn",
        "give the number of PSUs in the population of the stratum, or for all strata the share drawn",
    )
    return fractions


def _as_numbers(levels: Sequence[str], column: str) -> Floats:
    try:
        return np.array([float(level) for level in levels])
    except ValueError as error:
        raise InferenceError(
            f"the finite population sizes '{column}' are not numbers",
            where=f"column '{column}', {str(error)[:80]}",
            remedy="give the number of PSUs in the population of each stratum",
        ) from error


def _refuse(column: str, strata: Groups, wrong: Bools, what: str, remedy: str) -> None:
    if wrong.any():
        named = ", ".join(repr(strata.levels[code]) for code in np.flatnonzero(wrong)[:5])
        raise InferenceError(
            f"the finite population sizes '{column}' {what}",
            where=f"column '{column}', {int(wrong.sum())} strata: {named}",
            remedy=remedy,
        )


def require_sample(data: object) -> None:
    """Refuse what is no pandas frame with rows.

    Parameters
    ----------
    data : object

    Raises
    ------
    InferenceError

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.inference.strata import require_sample
    >>> require_sample(pd.DataFrame({"psu": [1]}))
    """
    from pandas import DataFrame

    if not isinstance(data, DataFrame) or not len(data):
        raise InferenceError(
            "the full sample is not a pandas DataFrame with rows",
            where=f"{type(data).__module__}.{type(data).__name__}",
            remedy="give every row of the survey as a DataFrame",
        )


def grouping_of(data: DataFrame, name: str) -> Groups:
    """Return a column of the full sample as a grouping of its rows.

    Parameters
    ----------
    data : pandas.DataFrame
    name : str

    Returns
    -------
    Groups

    Raises
    ------
    InferenceError
        If the column is not there, stands twice or has missing values.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.inference.strata import grouping_of
    >>> grouping_of(pd.DataFrame({"area": ["b", "a"]}), "area").levels
    ('a', 'b')
    """
    found = int((data.columns == name).sum())
    if found != 1:
        raise InferenceError(
            f"the full sample has {'no' if not found else 'more than one'} column '{name}'",
            where=f"{len(data.columns)} columns",
            remedy="check the spelling; add, rename or drop columns until there is one",
        )
    column = data[name]
    gaps = int(column.isna().sum())
    if gaps:
        raise InferenceError(
            f"the column '{name}' of the full sample has missing values",
            where=f"column '{name}', {gaps} of {len(data)} rows",
            remedy="give every row its stratum and PSU",
        )
    codes, levels = column.factorize(sort=True)
    return Groups(codes, tuple(str(level) for level in levels))
