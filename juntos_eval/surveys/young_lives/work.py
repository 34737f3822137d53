"""Children's work from the hours of a typical day: nothing is pre-coded in the release."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.young_lives.accounts import account, finish_children, open_rounds, stacked
from juntos_eval.surveys.young_lives.clean import HOURS, known_sum
from juntos_eval.surveys.young_lives.open_table import StudyTable
from juntos_eval.surveys.young_lives.panel import NOT_SEEN, open_panel
from juntos_eval.surveys.young_lives.schema_tables import CHILD_WORK

__all__ = ["clean_child_work", "compare_hours", "work_of"]

_FIRST_ROUND: Final = 2
NOT_COLLECTED: Final = "time use was not collected in round 1"
NO_HOURS: Final = "no hour of any activity"
_TABLES: Final = ("child_younger", "child_older", "roster_younger")
#: The Young Lives child's line in the roster.
_INDEX_CHILD: Final = 0


def clean_child_work(raw: RawFolder) -> CleanTable:
    """Clean the hours of a typical day: one row a child and round 2 to 5 with any hour.

    Work is unpaid work on the farm or in the family business (``htask``) and paid work (``hwork``); housework
    is chores (``hchore``) and care (``hcare``). A sum is missing where a part is. A single activity of more
    than 24 hours is a fault of the file; a day that adds up to more is marked and kept.

    Parameters
    ----------
    raw : RawFolder

    Returns
    -------
    CleanTable

    Raises
    ------
    SourceError, SchemaError
        If the panel is not what was declared, or an activity is negative or longer than a day.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.synthetic.young_lives import write_young_lives
    >>> from juntos_eval.surveys.young_lives import clean_child_work
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_young_lives(Path(folder), seed=1, share=0.05, studies=(7483,))
    ...     work = clean_child_work(RawFolder.at(folder)).frame
    >>> bool((work["work_hours"].gt(0) == work["is_working"])[work["is_working"].notna()].all())
    True
    """
    panel = open_panel(raw, HOURS)
    is_seen = panel.frame["is_seen"].eq("yes")
    is_asked = panel.frame["round"].ge(_FIRST_ROUND)
    has_any = panel.frame[list(HOURS)].notna().any(axis=1)
    _refuse_long_days(panel)
    rows = panel.frame[is_seen & is_asked & has_any]
    frame = work_of(rows)
    dropped = {
        NOT_SEEN: int((~is_seen).sum()),
        NOT_COLLECTED: int((is_seen & ~is_asked).sum()),
        NO_HOURS: int((is_seen & is_asked & ~has_any).sum()),
    }
    notes = {"days over 24 hours": int(frame["is_day_over_24"].eq(other=True).sum())}
    opened, _ = open_rounds(raw, _TABLES, rounds=(2, 3, 4, 5), only=HOURS)
    notes |= compare_hours(frame, opened)
    used = (panel, *(table for key, table in opened.items() if _has_hours(table, key)))
    return finish_children(
        frame, CHILD_WORK, account(used, rows_in=len(panel.frame), dropped=dropped, notes=notes)
    )


def _refuse_long_days(panel: StudyTable) -> None:
    for name in HOURS:
        hours = panel.frame[name]
        odd = int(((hours > 24) | (hours < 0)).sum())
        if odd:
            raise SchemaError(
                f"{name} is negative or more than 24 hours a day",
                where=f"{panel.opened.source.name}, {odd:,} rows",
                remedy="a code of no answer may be unknown: add it to codes.csv (unit hours a day)",
            )


def work_of(hours: pd.DataFrame) -> pd.DataFrame:
    """Build the indicators of work and housework from the eight activities.

    Parameters
    ----------
    hours : pandas.DataFrame
        ``child_id round cohort`` and the columns of ``HOURS``.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.clean import HOURS
    >>> from juntos_eval.surveys.young_lives.work import work_of
    >>> day = dict(zip(HOURS, ([9.0], [1.0], [1.0], [2.0], [0.0], [6.0], [2.0], [3.0])))
    >>> made = work_of(pd.DataFrame({"child_id": ["PE011001"], "round": [3], "cohort": ["younger"], **day}))
    >>> made[["work_hours", "housework_hours", "day_hours"]].iloc[0].tolist()
    [2.0, 2.0, 24.0]
    """
    work = known_sum(hours[["family_work_hours", "paid_work_hours"]])
    housework = known_sum(hours[["chore_hours", "care_hours"]])
    day = known_sum(hours[list(HOURS)])
    return pd.DataFrame(
        {
            "child_id": hours["child_id"],
            "round": hours["round"].astype("int64"),
            "cohort": pd.Categorical(hours["cohort"], categories=["younger", "older"]),
            **{name: hours[name].astype("float64") for name in HOURS},
            "work_hours": work,
            "housework_hours": housework,
            "is_working": _above_zero(work, hours[["family_work_hours", "paid_work_hours"]]),
            "is_working_for_pay": _above_zero(hours["paid_work_hours"], hours[["paid_work_hours"]]),
            "is_doing_housework": _above_zero(housework, hours[["chore_hours", "care_hours"]]),
            "day_hours": day,
            "is_day_over_24": day.gt(24 + 1e-9).astype("boolean").mask(day.isna()),
        }
    )


def _above_zero(total: pd.Series, parts: pd.DataFrame) -> pd.Series:
    """Return whether a total exceeds 0: one known positive part is enough, all must be known to say no."""
    is_positive = parts.gt(0).any(axis=1)
    return is_positive.astype("boolean").mask(total.isna() & ~is_positive)


def compare_hours(work: pd.DataFrame, opened: dict[tuple[str, int], StudyTable]) -> dict[str, int]:
    """Count where the panel's hours are other than those of the round's own file.

    Parameters
    ----------
    work : pandas.DataFrame
        The clean table.
    opened : dict of (table, round) to StudyTable
        Child files and rosters: the younger cohort's hours of rounds 2 and 3 stand in the roster, on line 0.

    Returns
    -------
    dict of str to int

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.work import compare_hours
    >>> compare_hours(pd.DataFrame({"child_id": [], "round": [], "cohort": []}), {})
    {}
    """
    found: Counter[str] = Counter()
    for key, table in opened.items():
        if not _has_hours(table, key):
            continue
        rows = stacked({key: table}, ["child_id", *(["line"] if "line" in table.frame else []), *HOURS])
        if "line" in rows:
            rows = rows[rows["line"].eq(_INDEX_CHILD)]
        both = work.merge(rows, on=["child_id", "round", "cohort"], suffixes=("", "_raw"))
        for name in HOURS:
            differs = both[name].sub(both[f"{name}_raw"]).abs().gt(1e-6)
            found[f"{table.file.stem}: {name} other than in the panel"] += int(differs.sum())
    return {note: rows for note, rows in found.items() if rows}


def _has_hours(table: StudyTable, key: tuple[str, int]) -> bool:
    return key[1] >= _FIRST_ROUND and set(HOURS) <= set(table.frame)
