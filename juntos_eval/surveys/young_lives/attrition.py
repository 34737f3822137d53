"""Who was seen by round and cohort."""

from __future__ import annotations

import pandas as pd

from juntos_eval.paths import RawFolder
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import finish
from juntos_eval.surveys.young_lives.accounts import account
from juntos_eval.surveys.young_lives.panel import open_panel
from juntos_eval.surveys.young_lives.schema_tables import ATTRITION

__all__ = ["attrition_of", "clean_attrition"]


def clean_attrition(raw: RawFolder) -> CleanTable:
    """Count by cohort and round who was seen, had died, or was lost.

    Parameters
    ----------
    raw : RawFolder

    Returns
    -------
    CleanTable

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.synthetic.young_lives import write_young_lives
    >>> from juntos_eval.surveys.young_lives import clean_attrition
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_young_lives(Path(folder), seed=1, studies=(7483,))
    ...     table = clean_attrition(RawFolder.at(folder)).frame
    >>> table.loc[table["cohort"] == "younger", "seen"].astype(int).tolist()
    [2052, 1963, 1943, 1902, 1860]
    """
    panel = open_panel(raw, ("is_deceased",))
    frame = attrition_of(panel.frame)
    return finish(frame, ATTRITION, account((panel,), rows_in=len(frame)))


def attrition_of(panel: pd.DataFrame) -> pd.DataFrame:
    """Build the table of attrition from children by round, unseen ones included.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``child_id round cohort is_seen`` and, where known, ``is_deceased``.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.attrition import attrition_of
    >>> rows = {"child_id": ["a", "a", "b", "b"], "round": [1, 2, 1, 2], "cohort": ["older"] * 4}
    >>> attrition_of(pd.DataFrame(rows | {"is_seen": ["yes", "yes", "yes", "no"]}))["seen"].tolist()
    [2.0, 1.0]
    """
    rows = panel.sort_values(["child_id", "round"])
    rows = rows.assign(is_here=rows["is_seen"].eq("yes"), cohort=rows["cohort"].astype("str"))
    rows = rows.reset_index(drop=True)
    by_child = rows.groupby("child_id")["is_here"]
    died = rows["is_deceased"].eq("yes") if "is_deceased" in rows else pd.Series(data=False, index=rows.index)
    rows = rows.assign(
        was_here=by_child.shift(1, fill_value=True).astype(bool),
        always=by_child.cummin().astype(bool),
        # death is marked in whatever row: who is not seen from some round on, and has died, died by then
        is_dead=died.groupby(rows["child_id"]).transform("any") & ~_seen_from_here_on(rows),
    )
    rows = rows.assign(returned=rows["is_here"] & ~rows["was_here"])
    grouped = rows.groupby(["cohort", "round"], observed=True)
    table = grouped.agg(
        enrolled=("child_id", "nunique"),
        seen=("is_here", "sum"),
        deceased=("is_dead", "sum"),
        returned=("returned", "sum"),
        seen_in_all_so_far=("always", "sum"),
    ).astype("float64")
    table["not_seen"] = table["enrolled"] - table["seen"] - table["deceased"]
    table["share_seen"] = table["seen"] / table["enrolled"]
    living = table["enrolled"] - table["deceased"]
    table["attrition_of_living"] = table["not_seen"] / living.where(living > 0)
    table = table.reset_index().astype({"round": "int64"})
    table["cohort"] = pd.Categorical(table["cohort"], categories=["younger", "older"])
    return table.sort_values(["cohort", "round"], ignore_index=True)


def _seen_from_here_on(rows: pd.DataFrame) -> pd.Series:
    """Return whether a child is seen in the round or any later one."""
    backwards = rows.iloc[::-1]
    return backwards.groupby("child_id")["is_here"].cummax().astype(bool).reindex(rows.index)
