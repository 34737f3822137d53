r"""Who has Juntos, by each source that a year has, and how far the sources agree.

ENAHO asks in three places that change with the year: income of the household (sumaria), transfers of each
member (module 05) and programmes of the household (module 37). ``juntos_sources.csv`` says for each which
years it covers, what it means and what is wrong with it.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from io import StringIO
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.errors import SchemaError

__all__ = ["SOURCES", "cross_check", "juntos_sources", "juntos_status"]

#: In the order in which ``has_juntos`` prefers them: income has one meaning in all years from 2006.
SOURCES: Final = ("income", "transfer", "item")


@lru_cache
def _all_sources() -> pd.DataFrame:
    text = files("juntos_eval.surveys.enaho").joinpath("juntos_sources.csv").read_text(encoding="utf-8")
    return pd.read_csv(StringIO(text))


def juntos_sources(year: int | None = None) -> pd.DataFrame:
    """Return what each source of Juntos status means, in one year or in all.

    Parameters
    ----------
    year : int, optional

    Returns
    -------
    pandas.DataFrame
        ``source table column first_year last_year level period_en period_es definition_en definition_es
        faults_en``.

    Examples
    --------
    >>> from juntos_eval.surveys.enaho.juntos_status import juntos_sources
    >>> juntos_sources(2013)[["source", "period_en"]].values.tolist()[-1]
    ['item', 'not stated in the label']
    >>> juntos_sources(2005).empty
    True
    """
    sources = _all_sources()
    if year is None:
        return sources.copy()
    return sources[sources["first_year"].le(year) & sources["last_year"].ge(year)].reset_index(drop=True)


def juntos_status(
    year: int,
    *,
    sumaria: pd.DataFrame | None = None,
    employment: pd.DataFrame | None = None,
    programmes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return one row a household with its Juntos status by each source given.

    Parameters
    ----------
    year : int
    sumaria, employment, programmes : pandas.DataFrame, optional
        Clean tables of the year.

    Returns
    -------
    pandas.DataFrame
        ``household_id year by_income by_transfer by_item has_juntos juntos_source``. A flag is missing where
        its source did not ask or nobody answered; a household has the transfer if any member has it, and has
        it not if all who answered have it not. ``has_juntos`` is the first known of income, transfer, item.

    Raises
    ------
    SchemaError
        If no table is given, or one given has no Juntos source in the year.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.juntos_status import juntos_status
    >>> income = pd.DataFrame({"household_id": ["a", "b"], "has_juntos_income": [True, None]})
    >>> item = pd.DataFrame({"household_id": ["a", "b"], "has_juntos": [False, True]})
    >>> made = juntos_status(2018, sumaria=income.astype({"has_juntos_income": "boolean"}), programmes=item)
    >>> made[["has_juntos", "juntos_source"]].values.tolist()
    [[True, 'income'], [True, 'item']]
    """
    given = {
        "income": None if sumaria is None else _of_households(sumaria, "has_juntos_income"),
        "transfer": None if employment is None else _any_member(employment),
        "item": None if programmes is None else _of_households(programmes, "has_juntos"),
    }
    found = {name: flags for name, flags in given.items() if flags is not None}
    if not found:
        raise SchemaError("No table was given", where="juntos_status", remedy="give at least one clean table")
    known = set(juntos_sources(year)["source"])
    without = sorted(set(found) - known)
    if without:
        raise SchemaError(
            f"{year} has no Juntos source in {', '.join(without)}",
            where="surveys/enaho/juntos_sources.csv",
            remedy="juntos_sources() lists the years of each",
        )
    flags = pd.DataFrame(found).reindex(columns=list(SOURCES)).astype("boolean")
    frame = flags.rename(columns=lambda name: f"by_{name}").rename_axis("household_id").reset_index()
    frame.insert(1, "year", year)
    status = flags["income"].fillna(flags["transfer"]).fillna(flags["item"])
    source = np.select([flags[name].notna() for name in SOURCES], SOURCES, default="")
    return frame.assign(has_juntos=status.array, juntos_source=pd.Series(source).replace("", np.nan))


def _of_households(table: pd.DataFrame, column: str) -> pd.Series:
    repeated = int(table["household_id"].duplicated().sum())
    if repeated:
        raise SchemaError(
            f"{repeated:,} households stand twice", where=f"juntos_status, {column}", remedy="give one year"
        )
    flags: pd.Series = table.set_index("household_id")[column]
    return flags.astype("boolean")


def _any_member(employment: pd.DataFrame) -> pd.Series:
    answered = employment.dropna(subset=["received_juntos"])
    some = answered.groupby("household_id")["received_juntos"].any().astype("boolean")
    return some.reindex(employment["household_id"].unique())


def cross_check(status: pd.DataFrame, weights: pd.Series | None = None) -> pd.DataFrame:
    r"""Compare the sources pairwise among the households that both know.

    Agreement beyond chance is Cohen's :math:`\kappa = (a - e) / (1 - e)` with the observed share a that
    agrees and e, what two independent answers with the same shares of yes would give.

    Parameters
    ----------
    status : pandas.DataFrame
        As ``juntos_status`` gives.
    weights : pandas.Series, optional
        Household weights by ``household_id``; without them households count one each.

    Returns
    -------
    pandas.DataFrame
        A row a pair: ``first second households share_first share_second both only_first only_second
        agreement kappa``; shares are of the households that both sources know.

    References
    ----------
    Cohen, J. (1960). A coefficient of agreement for nominal scales. *Educational and Psychological
    Measurement*, 20(1), 37-46.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.juntos_status import cross_check
    >>> flags = {"by_income": [True, False, False, False], "by_item": [True, True, False, None]}
    >>> made = cross_check(pd.DataFrame({"household_id": list("abcd")} | flags))
    >>> made[["households", "agreement"]].round(3).values.tolist()
    [[3.0, 0.667]]
    """
    weight = (
        pd.Series(1.0, index=status.index)
        if weights is None
        else status["household_id"].map(weights).astype("float64")
    )
    columns = [f"by_{name}" for name in SOURCES if f"by_{name}" in status]
    rows = []
    for first, second in combinations(columns, 2):
        both_known = status[first].notna() & status[second].notna()
        if both_known.any():
            a = status.loc[both_known, first].astype(bool)
            b = status.loc[both_known, second].astype(bool)
            names = {"first": first.removeprefix("by_"), "second": second.removeprefix("by_")}
            rows.append(names | _agreement(a, b, weight[both_known]))
    return pd.DataFrame(rows)


def _agreement(a: pd.Series, b: pd.Series, weight: pd.Series) -> dict[str, float]:
    total = float(weight.sum())

    def share(flags: pd.Series) -> float:
        return float(weight[flags].sum() / total)

    first, second, both = share(a), share(b), share(a & b)
    agreement = both + share(~a & ~b)
    chance = first * second + (1 - first) * (1 - second)
    return {
        "households": len(a),
        "share_first": first,
        "share_second": second,
        "both": both,
        "only_first": first - both,
        "only_second": second - both,
        "agreement": agreement,
        "kappa": (agreement - chance) / (1 - chance) if chance < 1 else float("nan"),
    }
