"""The assignments of a treatment that a randomization could have made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.arrays import Codes
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Groups
from juntos_eval.inference.strata import grouping_of

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Assignments", "assignments_of"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assignments:
    r"""Every way in which the values of a treatment can be dealt to the units of each stratum.

    .. math:: A = \prod_h \frac{n_h!}{\prod_v n_{hv}!}

    Attributes
    ----------
    codes : numpy.ndarray of int64, shape (n,)
        Unit of each row.
    strata : tuple of numpy.ndarray of int64
        Units of each stratum.
    arms : numpy.ndarray of int64, shape (units,)
        Value of the treatment of each unit as it was, as a code.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.inference.assignments import assignments_of
    >>> known, values = assignments_of(pd.DataFrame({"d": [0, 0, 1, 1]}), treatment="d")
    >>> known.number, [arms.tolist() for arms in known.all()][:3]
    (6, [[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0]])
    """

    codes: Codes
    strata: tuple[Codes, ...]
    arms: Codes

    @property
    def number(self) -> int:
        """How many there are."""
        total = 1
        for units in self.strata:
            ways = math.factorial(len(units))
            for count in np.bincount(self.arms[units]):
                ways //= math.factorial(int(count))
            total *= ways
        return total

    def all(self) -> Iterator[Codes]:
        """Yield the arms of the units under every assignment, once each."""
        ways = [list(_arrangements(self.arms[units])) for units in self.strata]
        for chosen in product(*ways):
            arms = self.arms.copy()
            for units, way in zip(self.strata, chosen, strict=True):
                arms[units] = way
            yield arms

    def drawn(self, rng: np.random.Generator) -> Codes:
        """Return the arms of the units under an assignment drawn at random."""
        arms = self.arms.copy()
        for units in self.strata:
            arms[units] = rng.permutation(arms[units])
        return arms


def assignments_of(
    data: DataFrame, *, treatment: str, strata: str | None = None, cluster: str | None = None
) -> tuple[Assignments, Any]:
    """Return the assignments of a treatment, and its values by code.

    Parameters
    ----------
    data : pandas.DataFrame
    treatment : str
        Column of any values; missing is a value too (never treated).
    strata : str, optional
        Column within whose values the treatment was dealt.
    cluster : str, optional
        Column of units that were treated as a whole.

    Returns
    -------
    assignments : Assignments
    values : array of the column's type

    Raises
    ------
    InferenceError
        If a column cannot be used, a cluster has several treatments or lies in several strata, or there is
        only one assignment.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.inference.assignments import assignments_of
    >>> frame = pd.DataFrame({"d": [0, 0, 1, 1], "village": [1, 1, 2, 2]})
    >>> assignments_of(frame, treatment="d", cluster="village")[0].number
    2
    """
    if int((data.columns == treatment).sum()) != 1:
        raise InferenceError(
            f"the data do not have the treatment '{treatment}' once",
            where=f"{len(data.columns)} columns",
            remedy="check the spelling, or drop duplicates",
        )
    arms, values = data[treatment].factorize(sort=False, use_na_sentinel=False)
    rows = np.arange(len(data), dtype=np.int64)
    units = Groups(rows, tuple(map(str, rows))) if cluster is None else grouping_of(data, cluster)
    areas = Groups(np.zeros(len(data), np.int64), ("",)) if strata is None else grouping_of(data, strata)
    _, first, inverse = np.unique(units.codes, return_index=True, return_inverse=True)
    for column, codes in ((treatment, arms), (strata, areas.codes)):
        differs = codes != codes[first][inverse]
        if differs.any():
            raise InferenceError(
                f"the column '{column}' differs within a cluster that was treated as a whole",
                where=f"column '{cluster}', {len(np.unique(units.codes[differs]))} clusters",
                remedy="name the column of the units that were randomized",
            )
    of_unit = areas.codes[first]
    blocks = tuple(np.flatnonzero(of_unit == area) for area in np.unique(of_unit))
    found = Assignments(codes=inverse.astype(np.int64), strata=blocks, arms=arms[first].astype(np.int64))
    if found.number < 2:
        raise InferenceError(
            "there is one assignment only, so nothing could have been otherwise",
            where=f"column '{treatment}', {len(first)} units in {len(blocks)} strata",
            remedy="check the strata and clusters of the randomization",
        )
    return found, values


def _arrangements(arms: Codes) -> Iterator[Codes]:
    """Yield the distinct orders of arms: places for the first arm, and orders of the others in the rest."""
    kinds = np.unique(arms)
    if len(kinds) == 1:
        yield arms.copy()
        return
    count = int((arms == kinds[0]).sum())
    others = arms[arms != kinds[0]]
    for places in combinations(range(len(arms)), count):
        rest = np.setdiff1d(np.arange(len(arms)), places)
        for order in _arrangements(others):
            found = np.full(len(arms), kinds[0])
            found[rest] = order
            yield found
