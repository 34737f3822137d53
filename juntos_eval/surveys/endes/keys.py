"""Keys of ENDES: HHID and CASEID to household and line, whatever spaces a year or a format left in them."""

from __future__ import annotations

from typing import Final

import pandas as pd

from juntos_eval.errors import SchemaError

__all__ = ["household_id", "person_id", "split_case"]

#: CASEID is HHID and then the woman's line, right-aligned in this many characters.
LINE_WIDTH: Final = 3


def household_id(hhid: pd.Series) -> pd.Series:
    """Return HHID without the spaces before it; spaces inside are the zeros of fields padded with blanks.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.keys import household_id
    >>> household_id(pd.Series(["      000101101", "   1 11 1"])).tolist()
    ['000101101', '101101']
    """
    return hhid.astype("str").str.strip().str.replace(" ", "0", regex=False)


def split_case(caseid: pd.Series, *, where: str) -> tuple[pd.Series, pd.Series]:
    """Return the household and the line of a woman.

    Parameters
    ----------
    caseid : pandas.Series of str
        Spaces before may be gone (a CSV eats them): it is read from the right.
    where : str

    Returns
    -------
    household : pandas.Series of str
    line : pandas.Series of int

    Raises
    ------
    SchemaError
        If the end of a case is no line number.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.keys import split_case
    >>> household, line = split_case(pd.Series(["      000101501  2", "000101501 02"]), where="a.csv")
    >>> household.tolist(), line.tolist()
    (['000101501', '000101501'], [2, 2])
    """
    text = caseid.astype("str")
    line = pd.to_numeric(text.str[-LINE_WIDTH:].str.strip(), errors="coerce")
    odd = int((line.isna() | (line < 1) | (text.str.len() <= LINE_WIDTH)).sum())
    if odd:
        raise SchemaError(
            "The end of CASEID is no line number",
            where=f"{where}, {odd:,} rows",
            remedy="CASEID is HHID and three more characters; a spreadsheet may have cut it: fetch it again",
        )
    return household_id(text.str[:-LINE_WIDTH]), line.astype("int64")


def person_id(household: pd.Series, line: pd.Series, *, where: str) -> pd.Series:
    """Return ``household-line``, the line in two digits.

    Raises
    ------
    SchemaError
        If a line is missing, no whole number, or not from 1 to 99.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.keys import person_id
    >>> person_id(pd.Series(["000101501"]), pd.Series([2.0]), where="RECH1.dta").tolist()
    ['000101501-02']
    """
    odd = int((~(line.between(1, 99) & (line % 1).eq(0))).sum())
    if odd:
        raise SchemaError(
            "A line of a person is no whole number from 1 to 99",
            where=f"{where}, {odd:,} rows",
            remedy="fetch the file again",
        )
    return household + "-" + line.astype("int64").astype("str").str.zfill(2)
