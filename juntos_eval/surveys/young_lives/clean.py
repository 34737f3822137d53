"""One small pure function a variable of Young Lives: canonical columns in, a clean one out."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.surveys.convert import as_boolean

__all__ = [
    "HOURS",
    "as_boolean",
    "below",
    "completed_years",
    "flag_of",
    "household_share",
    "is_overweight",
    "known_sum",
    "score_within_age",
]

#: The eight activities of a typical day, in the questionnaire's order.
HOURS: Final = (
    "sleep_hours",
    "care_hours",
    "chore_hours",
    "family_work_hours",
    "paid_work_hours",
    "school_hours",
    "study_hours",
    "play_hours",
)


def flag_of(numbers: pd.Series, z: pd.Series) -> pd.Series:
    """Return whether a z-score is flagged; a score without a flag is not, no score has none.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.clean import flag_of
    >>> flag_of(pd.Series([1.0, None, None]), pd.Series([-7.0, -1.0, None])).tolist()
    [True, False, <NA>]
    """
    return numbers.eq(1).astype("boolean").mask(numbers.isna() & z.isna())


def below(z: pd.Series, cut: float, is_flagged: pd.Series) -> pd.Series:
    """Return whether a z-score lies below a cut; missing where it is missing or flagged.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.clean import below
    >>> flags = pd.Series([False, False, True, None], dtype="boolean")
    >>> below(pd.Series([-2.0, -2.01, -7.0, None]), -2.0, flags).tolist()
    [False, True, <NA>, <NA>]
    """
    return z.lt(cut).astype("boolean").mask(z.isna() | is_flagged.fillna(value=False).astype(bool))


def is_overweight(baz: pd.Series, age_months: pd.Series, is_flagged: pd.Series) -> pd.Series:
    """Return whether BMI-for-age exceeds +2 below five years and +1 from then on.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.clean import is_overweight
    >>> flags = pd.Series([False, False], dtype="boolean")
    >>> is_overweight(pd.Series([1.5, 1.5]), pd.Series([40.0, 96.0]), flags).tolist()
    [False, True]
    """
    cut = pd.Series(np.where(age_months < 60, 2.0, 1.0), index=baz.index)
    lacks = baz.isna() | age_months.isna() | is_flagged.fillna(value=False).astype(bool)
    return baz.gt(cut).astype("boolean").mask(lacks)


def completed_years(months: pd.Series) -> pd.Series:
    """Return age in completed years.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.clean import completed_years
    >>> completed_years(pd.Series([95.9, 96.0, None])).tolist()
    [7.0, 8.0, nan]
    """
    return pd.Series(np.floor(months / 12.0), index=months.index)


def household_share(parts: pd.DataFrame, size: pd.Series) -> pd.Series:
    """Return the share of household members that some counts add up to; missing where one is.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.clean import household_share
    >>> household_share(pd.DataFrame({"m": [1.0], "f": [1.0]}), pd.Series([8.0])).tolist()
    [0.25]
    """
    return parts.sum(axis=1, skipna=False) / size.where(size > 0)


def known_sum(parts: pd.DataFrame) -> pd.Series:
    """Add columns up; missing where one is, for a sum of some is no sum of all.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.clean import known_sum
    >>> known_sum(pd.DataFrame({"a": [1.0, 1.0], "b": [2.0, None]})).tolist()
    [3.0, nan]
    """
    return parts.sum(axis=1, skipna=False)


def score_within_age(scores: pd.Series, groups: list[pd.Series], *, least: int = 5) -> pd.Series:
    r"""Return :math:`(x - \bar x_g) / s_g` within groups, s with divisor n - 1.

    Parameters
    ----------
    scores : pandas.Series
    groups : list of pandas.Series
        Test, round, cohort, age in completed years.
    least : int
        A group with fewer scores, or one score only in value, gives none.

    Returns
    -------
    pandas.Series

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.clean import score_within_age
    >>> score_within_age(pd.Series([1.0, 2.0, 3.0, 9.0]), [pd.Series([5, 5, 5, 6])], least=3).tolist()
    [-1.0, 0.0, 1.0, nan]
    """
    grouped = scores.groupby(groups, observed=True)
    mean, deviation = grouped.transform("mean"), grouped.transform("std")
    is_enough = grouped.transform("count").ge(least) & deviation.gt(0)
    return ((scores - mean) / deviation).where(is_enough)
