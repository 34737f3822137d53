"""The child's identity, "PE" and six digits, from whatever a release or a spreadsheet made of it."""

from __future__ import annotations

from typing import Final

import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.convert import as_text

__all__ = ["COUNTRY", "child_ids", "site_of"]

#: Peru's prefix of a child's identity, and of a community's.
COUNTRY: Final = "PE"
_DIGITS: Final = 6


def child_ids(series: pd.Series, *, where: str) -> tuple[pd.Series, int]:
    """Return identities as "PE" and six digits, and how many had lost leading zeros.

    Rounds 4 and 5 hold the bare number ``CHILDCODE``, which has no zeros to lose; the others text, whose
    zeros a third party may have eaten.

    Parameters
    ----------
    series : pandas.Series
        Text or numbers.
    where : str

    Returns
    -------
    ids : pandas.Series of str
    restored : int
        Rows of text after "PE" whose zeros were restored.

    Raises
    ------
    SchemaError
        If an identity is missing, of another country, too long or no number.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.identity import child_ids
    >>> child_ids(pd.Series([31085.0]), where="a.dta")[0].tolist()
    ['PE031085']
    >>> child_ids(pd.Series(["PE31085", "pe171035"]), where="a.dta")
    (0    PE031085
    1    PE171035
    dtype: str, 1)
    """
    text = as_text(series).str.upper().str.replace(r"\.0+$", "", regex=True)
    missing = int(text.isna().sum())
    if missing:
        raise SchemaError(
            "The child's identity is missing",
            where=f"{where}, {missing:,} rows",
            remedy="use the file as published",
        )
    country = text.str.extract(r"^([A-Z]+)", expand=False)
    foreign = int((country.notna() & country.ne(COUNTRY)).sum())
    if foreign:
        raise SchemaError(
            "Some children are not of Peru",
            where=f"{where}, {foreign:,} rows",
            remedy="use the file of Peru (its name starts with pe)",
        )
    digits = text.str.removeprefix(COUNTRY)
    odd = int((~digits.str.fullmatch(rf"\d{{1,{_DIGITS}}}")).sum())
    if odd:
        raise SchemaError(
            f"Some identities are not {COUNTRY} and up to {_DIGITS} digits",
            where=f"{where}, {odd:,} rows",
            remedy="a merge or a spreadsheet altered them: use the file as published",
        )
    restored = int((country.notna() & digits.str.len().lt(_DIGITS)).sum())
    return COUNTRY + digits.str.zfill(_DIGITS), restored


def site_of(ids: pd.Series) -> pd.Series:
    """Return the sentinel site that the identity names: the two digits after "PE".

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.identity import site_of
    >>> site_of(pd.Series(["PE031085"])).tolist()
    [3.0]
    """
    return ids.str.slice(2, 4).astype("float64")
