"""One small pure function a variable: canonical columns in, a clean one out."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.codebook import load_codebook

__all__ = [
    "MILLION",
    "any_act",
    "as_flag",
    "below",
    "coordinates",
    "flag_counts",
    "full_labels",
    "implied",
    "inei_score",
    "juntos_entry",
    "juntos_months",
    "months_between",
    "number",
    "sampling_weight",
    "ubigeo",
    "whole_number",
]

#: Weights have six implied decimals.
MILLION: Final = 1_000_000.0

#: Codes from here on say why INEI gives no score.
FIRST_FLAG: Final = 9990

FLAGS: Final = {
    9996: "height out of plausible limits",
    9997: "age out of limits",
    9998: "flagged as implausible",
    9999: "missing",
}

#: Peru lies between these.
LONGITUDES: Final = (-81.5, -68.5)
LATITUDES: Final = (-18.5, 0.1)

#: Scores beyond are none (INEI's own limit).
LIMIT: Final = 6.0


def number(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column as float, all missing where the file has none.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import number
    >>> number(pd.DataFrame({"a": [1]}), "b").tolist()
    [nan]
    """
    return frame[name].astype("float64") if name in frame else pd.Series(np.nan, index=frame.index)


def whole_number(values: pd.Series, *, where: str) -> pd.Series:
    """Return numbers that must all be there and be whole, as integers.

    Raises
    ------
    SchemaError
        With the count of those that are not.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import whole_number
    >>> whole_number(pd.Series([4.0]), where="RECH0.dta, HV001").tolist()
    [4]
    """
    odd = int((~(values % 1).eq(0)).sum())
    if odd:
        raise SchemaError(
            "Some values are missing or no whole numbers",
            where=f"{where}, {odd:,} rows",
            remedy="use the file as published",
        )
    return values.astype("int64")


def full_labels(frame: pd.DataFrame, table: str, name: str) -> pd.Series:
    """Return a labelled column, all missing where the file has none, with every label of the codebook.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import full_labels
    >>> full_labels(pd.DataFrame(index=[0]), "persons", "sex").cat.categories.tolist()
    ['male', 'female']
    """
    kind = pd.CategoricalDtype(list(load_codebook("endes").labels_of(table, name)))
    if name not in frame:
        return pd.Series(pd.NA, index=frame.index, dtype=kind)
    return frame[name].astype(kind)


def as_flag(labels: pd.Series, *yes: str) -> pd.Series:
    """Return whether the label is one of those wanted ("yes" without any); missing where it is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import as_flag
    >>> as_flag(pd.Series(["yes", "no", None], dtype="category")).tolist()
    [True, False, <NA>]
    """
    return labels.isin(yes or ("yes",)).astype("boolean").mask(labels.isna())


def below(values: pd.Series, cut: float) -> pd.Series:
    """Return whether a number is below a cut; missing where it is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import below
    >>> below(pd.Series([-2.0, -2.01, None]), -2).tolist()
    [False, True, <NA>]
    """
    return (values < cut).astype("boolean").mask(values.isna())


def implied(values: pd.Series, *, decimals: int, missing_from: float) -> pd.Series:
    """Return numbers with their implied decimals; codes from ``missing_from`` on are no numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import implied
    >>> implied(pd.Series([873.0, 9994.0]), decimals=1, missing_from=9990).tolist()
    [87.3, nan]
    """
    return values.where(values < missing_from) / 10.0**decimals


def sampling_weight(values: pd.Series, *, where: str) -> pd.Series:
    """Return a weight with its six implied decimals; zero stands where nobody was interviewed.

    Raises
    ------
    SchemaError
        If some are missing or negative, or none is positive.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import sampling_weight
    >>> sampling_weight(pd.Series([651153.0, 0.0]), where="RECH0.dta").tolist()
    [0.651153, 0.0]
    """
    missing, negative = int(values.isna().sum()), int((values < 0).sum())
    if missing or negative or not (values > 0).any():
        found = f"{missing:,} missing, {negative:,} negative, {int((values > 0).sum()):,} positive"
        raise SchemaError(
            f"Weights must be positive, or zero where nobody was interviewed: {found}",
            where=f"{where}, {len(values):,} rows",
            remedy="use the file as published",
        )
    return values / MILLION


def ubigeo(given: pd.Series, region: pd.Series, province: pd.Series, district: pd.Series) -> pd.Series:
    """Return the district's code: as given, else made of region, province and district.

    Parameters
    ----------
    given, region, province, district : pandas.Series of float
        ``region`` is the number of HV024, which is that of the department.

    Returns
    -------
    pandas.Series of str
        Six digits; missing where neither is known.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import ubigeo
    >>> parts = [pd.Series([value, value]) for value in (1.0, 1.0, 9.0)]
    >>> ubigeo(pd.Series([None, 50202.0]), *parts).tolist()
    ['010109', '050202']
    """
    made = 10_000 * region + 100 * province + district
    code = given.where(given.notna(), made).round().astype("Int64")
    return code.astype("string").str.zfill(6).astype("str")


def inei_score(hundredths: pd.Series) -> pd.Series:
    """Return INEI's z-score; missing where a flag stands, or beyond six.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import inei_score
    >>> inei_score(pd.Series([-213.0, 9998.0, 601.0])).tolist()
    [-2.13, nan, nan]
    """
    z = hundredths.where(hundredths < FIRST_FLAG) / 100.0
    return z.where(z.abs() <= LIMIT)


def flag_counts(hundredths: pd.Series, name: str) -> dict[str, int]:
    """Count the children without a score of INEI's by reason.

    Raises
    ------
    SchemaError
        If a flag is none that INEI documents.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import flag_counts
    >>> flag_counts(pd.Series([-213.0, 9998.0]), "haz")
    {'haz: flagged as implausible': 1}
    """
    flags = hundredths[hundredths >= FIRST_FLAG].value_counts()
    unknown = sorted(set(flags.index) - set(FLAGS))
    if unknown:
        raise SchemaError(
            f"{name} has flags that nobody documents: {', '.join(f'{flag:g}' for flag in unknown)}",
            where=f"RECH6, {int(flags[unknown].sum()):,} rows",
            remedy="look into INEI's dictionary of the year",
        )
    counts = {f"{name}: {reason}": int(flags[flag]) for flag, reason in FLAGS.items() if flag in flags.index}
    beyond = int(((hundredths < FIRST_FLAG) & (hundredths.abs() > 100 * LIMIT)).sum())
    return counts | ({f"{name}: beyond six standard deviations": beyond} if beyond else {})


def juntos_months(years: pd.Series, months: pd.Series) -> pd.Series:
    """Return months as a beneficiary, ``12 QH96A + QH96M``; 98 is "does not know".

    Months alone unknown count as none: the answer was in whole years.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import juntos_months
    >>> juntos_months(pd.Series([3.0, 98.0, 2.0, None]), pd.Series([6.0, 1.0, 98.0, 4.0])).tolist()
    [42.0, nan, 24.0, nan]
    """
    known = months.where(months < 98).fillna(0.0)
    return 12.0 * years.where(years < 98) + known


def juntos_entry(year: pd.Series, month: pd.Series, months: pd.Series) -> pd.Series:
    """Return the month of entry as ``2009-07``: the month of the interview less the months recalled.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import juntos_entry
    >>> parts = [pd.Series([value, None]) for value in (2019.0, 3.0, 14.0)]
    >>> juntos_entry(*parts).tolist()
    ['2018-01', nan]
    """
    at = (12.0 * year + month - 1.0 - months).round().astype("Int64")
    text = (at // 12).astype("string") + "-" + (at % 12 + 1).astype("string").str.zfill(2)
    return text.astype("str")


def any_act(acts: pd.DataFrame, wanted: tuple[str, ...]) -> pd.Series:
    """Return whether any act was answered in one of the wanted ways; missing where no act was answered.

    Parameters
    ----------
    acts : pandas.DataFrame of category
        One column an act.
    wanted : tuple of str
        Labels, such as ``("often", "sometimes")`` for the last 12 months.

    Returns
    -------
    pandas.Series of boolean

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import any_act
    >>> acts = pd.DataFrame({"a": ["no", "often", None], "b": ["no", None, None]}, dtype="category")
    >>> any_act(acts, ("often", "sometimes")).tolist()
    [False, True, <NA>]
    """
    answered = acts.notna().any(axis=1)
    return acts.isin(wanted).any(axis=1).astype("boolean").mask(~answered)


def months_between(
    year: pd.Series, month: pd.Series, later_year: pd.Series, later_month: pd.Series
) -> pd.Series:
    """Return whole months from one month of a calendar to another.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import months_between
    >>> dates = [pd.Series([value]) for value in (2019.0, 11.0, 2020.0, 2.0)]
    >>> months_between(*dates).tolist()
    [3.0]
    """
    return 12.0 * (later_year - year) + (later_month - month)


def coordinates(longitude: pd.Series, latitude: pd.Series) -> tuple[pd.Series, pd.Series, dict[str, int]]:
    """Return longitude and latitude, both missing where they lie outside Peru: INEI wrote one of them twice.

    Returns
    -------
    longitude, latitude : pandas.Series
    counts : dict
        Rows set missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.clean import coordinates
    >>> east, _, counts = coordinates(pd.Series([-77.0, -13.5]), pd.Series([-12.0, -13.5]))
    >>> east.tolist(), counts
    ([-77.0, nan], {'coordinates: outside Peru, set missing': 1})
    """
    is_inside = longitude.between(*LONGITUDES) & latitude.between(*LATITUDES)
    lost = int((~is_inside & (longitude.notna() | latitude.notna())).sum())
    counts = {"coordinates: outside Peru, set missing": lost}
    return longitude.where(is_inside), latitude.where(is_inside), counts
