"""How long a household had been in Juntos: dates of entry and leaving to months, by rules that are named."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.surveys.young_lives.dates import DAYS_A_MONTH, months_between
from juntos_eval.surveys.young_lives.juntos_coding import PROGRAMME_START

__all__ = [
    "EARLY_MONTHS",
    "GROUPS",
    "STATUSES",
    "early_months",
    "exposure_group",
    "first_spell",
    "month_date",
    "months_exposed",
]

#: Months of life that count as early: the first three years.
EARLY_MONTHS: Final = 36
GROUPS: Final = ("none", "under_2_years", "2_years_or_more")
#: Why the months of exposure of a child and round are known, or are not.
STATUSES: Final = (
    "not_exposed",
    "exposed",
    "answer_missing",
    "start_unknown",
    "start_after_interview",
    "start_before_programme",
    "end_unknown",
    "interview_unknown",
)


def month_date(year: pd.Series, month: pd.Series) -> pd.Series:
    """Return the first day of a month; of an unknown month of a known year, the first of July.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.exposure import month_date
    >>> dates = month_date(pd.Series([2006.0, 2007.0, None]), pd.Series([3.0, None, 5.0]))
    >>> dates.dt.strftime("%Y-%m-%d").tolist()
    ['2006-03-01', '2007-07-01', nan]
    """
    known = year.notna() & year.between(1990, 2100)
    parts = pd.DataFrame(
        {
            "year": year.where(known, 1990).astype("int64"),
            "month": month.where(month.between(1, 12)).fillna(7).astype("int64"),
            "day": 1,
        }
    )
    dates: pd.Series = pd.to_datetime(parts).dt.as_unit("s")
    return dates.where(known)


def first_spell(answers: pd.DataFrame) -> pd.DataFrame:
    """Return each child's first spell in Juntos, from what the household said round by round.

    The start is the one given in the earliest round with a valid one: not before the programme (2005), not
    after its interview. The end is the one given in the last round answered, where that answer is "left".

    Parameters
    ----------
    answers : pandas.DataFrame
        One row a child and round asked: ``child_id round juntos_answer start end interview``.

    Returns
    -------
    pandas.DataFrame
        Indexed by child: ``start end has_ever answered has_late_start has_early_start has_left last_round
        starts_differ_months``.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.exposure import first_spell
    >>> rows = {"child_id": ["a", "a"], "round": [3, 4], "juntos_answer": ["beneficiary", "left"]}
    >>> dates = {"start": ["2006-03-01", "2006-05-01"], "end": [None, "2011-01-01"]}
    >>> dates |= {"interview": ["2009-10-01", "2013-10-01"]}
    >>> frame = pd.DataFrame(rows | {name: pd.to_datetime(days) for name, days in dates.items()})
    >>> first_spell(frame).loc["a", ["start", "end"]].dt.strftime("%Y-%m").tolist()
    ['2006-03', '2011-01']
    """
    rows = answers.sort_values(["child_id", "round"])
    is_member = rows["juntos_answer"].isin(["beneficiary", "left"])
    is_early = rows["start"].dt.year.lt(PROGRAMME_START)
    is_late = rows["start"] > rows["interview"]
    start = rows["start"].where(is_member & ~is_early & ~is_late)
    work = rows.assign(
        start=start,
        is_member=is_member,
        is_answered=rows["juntos_answer"].notna(),
        is_early=is_early & is_member,
        is_late=is_late & is_member,
    )
    by_child = work.groupby("child_id")
    last = work[work["is_answered"]].groupby("child_id").last()
    spells = pd.DataFrame(
        {
            "start": by_child["start"].first(),
            "has_ever": by_child["is_member"].any(),
            "answered": by_child["is_answered"].any(),
            "has_early_start": by_child["is_early"].any(),
            "has_late_start": by_child["is_late"].any(),
            "starts_differ_months": months_between(by_child["start"].min(), by_child["start"].max()),
        }
    )
    spells["has_left"] = last["juntos_answer"].eq("left").reindex(spells.index, fill_value=False)
    spells["end"] = last["end"].reindex(spells.index).where(spells["has_left"])
    spells["last_round"] = last["round"].reindex(spells.index)
    return spells


def months_exposed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return months in Juntos at each interview, and why they are known or not.

    Parameters
    ----------
    rows : pandas.DataFrame
        Children by round: ``round interview is_asked juntos_answer`` and the columns of ``first_spell``.

    Returns
    -------
    pandas.DataFrame
        ``months_exposed status``, on the same index.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.exposure import months_exposed
    >>> day = pd.to_datetime
    >>> rows = pd.DataFrame({"round": [3], "interview": day(["2009-06-01"]), "is_asked": [True],
    ...     "juntos_answer": ["beneficiary"], "start": day(["2006-06-01"]), "end": day([None]),
    ...     "has_ever": [True], "answered": [True], "has_early_start": [False], "has_late_start": [False],
    ...     "has_left": [False], "last_round": [3.0]})
    >>> months_exposed(rows)["months_exposed"].round(1).tolist()
    [36.0]
    """
    is_over = rows["interview"].dt.year.lt(PROGRAMME_START)
    # who says to be in it is in it, though the month of leaving given later may begin before the interview
    has_ended = (rows["end"] < rows["interview"]) & rows["juntos_answer"].ne("beneficiary")
    until = rows["interview"].where(~has_ended, rows["end"])
    months = months_between(rows["start"], until).clip(lower=0.0)
    lacks_answer = (
        ~rows["answered"]
        | (rows["is_asked"] & rows["juntos_answer"].isna())
        | (~rows["is_asked"] & ~is_over & rows["last_round"].isna())
    )
    lacks_start = rows["has_ever"] & rows["start"].isna()
    lacks_end = rows["has_left"] & rows["end"].isna() & rows["round"].ge(rows["last_round"])
    conditions = [
        rows["interview"].isna(),
        is_over,
        lacks_answer,
        ~rows["has_ever"],
        lacks_start & rows["has_early_start"],
        lacks_start & rows["has_late_start"],
        lacks_start,
        lacks_end,
        months.gt(0),
    ]
    names = [
        "interview_unknown",
        "not_exposed",
        "answer_missing",
        "not_exposed",
        "start_before_programme",
        "start_after_interview",
        "start_unknown",
        "end_unknown",
        "exposed",
    ]
    chosen = np.select(
        [condition.to_numpy(dtype=bool) for condition in conditions], names, default="not_exposed"
    )
    status = pd.Series(chosen, index=rows.index)
    known = months.where(status.eq("exposed"), 0.0).where(status.isin(["exposed", "not_exposed"]))
    return pd.DataFrame({"months_exposed": known, "status": pd.Categorical(chosen, categories=STATUSES)})


def early_months(months: pd.Series, age_at_start: pd.Series, age_now: pd.Series) -> pd.Series:
    """Return the months of exposure that fell into the first 36 months of life.

    Parameters
    ----------
    months : pandas.Series
        Of exposure by now, 0 where there was none.
    age_at_start, age_now : pandas.Series
        In months; the age at start may be negative: before birth counts from birth.

    Returns
    -------
    pandas.Series

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.exposure import early_months
    >>> months, start, now = ([40.0, 0.0, 30.0], [24.0, None, -6.0], [64.0, 90.0, 24.0])
    >>> early_months(pd.Series(months), pd.Series(start), pd.Series(now)).tolist()
    [12.0, 0.0, 24.0]
    """
    end = (age_at_start + months).clip(upper=float(EARLY_MONTHS))
    end = end.where(~(age_now < end), age_now)
    early = (end - age_at_start.clip(lower=0.0)).clip(lower=0.0)
    return early.where(months.ne(0.0), 0.0).where(months.notna())


def exposure_group(months: pd.Series, *, cut: float = 24.0) -> pd.Series:
    """Return whether a household was in Juntos for no time, less than two years, or at least two.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.exposure import exposure_group
    >>> exposure_group(pd.Series([0.0, 23.9, 24.0, None])).tolist()
    ['none', 'under_2_years', '2_years_or_more', nan]
    """
    places = np.select([months.eq(0.0), months.lt(cut), months.ge(cut)], [0, 1, 2], default=-1)
    return pd.Series(
        pd.Categorical.from_codes(places.tolist(), categories=pd.Index(GROUPS)), index=months.index
    )


def age_at(start: pd.Series, interview: pd.Series, age_months: pd.Series) -> pd.Series:
    """Return age in months on a date, from the age at an interview; negative before birth.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.exposure import age_at
    >>> days = [pd.Series(pd.to_datetime([day])) for day in ("2006-01-01", "2007-01-01")]
    >>> age_at(*days, pd.Series([60.0])).tolist()
    [48.0]
    """
    return age_months - (interview - start).dt.total_seconds() / 86_400 / DAYS_A_MONTH
