"""Raw fields to keys, labels, numbers, weights and text; what cannot be converted is counted and raises."""

from __future__ import annotations

import numpy as np
import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.codebook import Code

__all__ = ["as_boolean", "as_codes", "as_key", "as_number", "as_text", "as_weight"]


def as_text(series: pd.Series, *, where: str = "") -> pd.Series:
    """Return stripped text; an empty one is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.convert import as_text
    >>> as_text(pd.Series([" LIMA ", " "])).tolist()
    ['LIMA', nan]
    """
    del where
    text = series.astype("string").str.strip()
    return text.mask(text.eq("").fillna(value=False)).astype("str")


def as_key(series: pd.Series, *, width: int, where: str, is_needed: bool = True) -> tuple[pd.Series, int]:
    """Return a key as text of the declared width, and how many were narrower.

    Parameters
    ----------
    series : pandas.Series
        Text or numbers: a spreadsheet or a third party may have eaten the leading zeros.
    width : int
    where : str
    is_needed : bool
        Whether a missing key is an error.

    Returns
    -------
    key : pandas.Series of str
    padded : int

    Raises
    ------
    SchemaError
        If a key is wider than declared, holds something other than digits, or is needed and missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.convert import as_key
    >>> key, padded = as_key(pd.Series([15009, 104521]), width=6, where="a.csv")
    >>> key.tolist(), padded
    (['015009', '104521'], 1)
    """
    text = _as_digits(series)
    missing = int(text.isna().sum())
    if missing and is_needed:
        raise SchemaError(
            "A key is missing", where=f"{where}, {missing:,} rows", remedy="fetch the file again"
        )
    lengths = text.str.len()
    wide = int((lengths > width).sum())
    if wide:
        raise SchemaError(
            f"Keys have up to {int(lengths.max())} characters, declared are {width}",
            where=f"{where}, {wide:,} rows",
            remedy="the file is of another release or was altered: check its width in columns.csv",
        )
    odd = int((~text.dropna().str.fullmatch(r"\d+")).sum())
    if odd:
        raise SchemaError(
            "Keys hold something other than digits",
            where=f"{where}, {odd:,} rows",
            remedy="a spreadsheet may have altered them: fetch the file again",
        )
    return text.str.zfill(width), int((lengths < width).sum())


def _as_digits(series: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(series):
        numbers = pd.to_numeric(series).astype("float64")
        whole = numbers.dropna()
        if (whole % 1 == 0).all():
            return numbers.astype("Int64").astype("string").astype("str")
    return as_text(series).str.replace(r"\.0+$", "", regex=True)


def as_number(series: pd.Series, *, where: str) -> pd.Series:
    """Return numbers as float; what is neither a number nor empty raises.

    Raises
    ------
    SchemaError
        With the count of such values.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.convert import as_number
    >>> as_number(pd.Series(["4", " ", None]), where="a.csv").tolist()
    [4.0, nan, nan]
    """
    values = series if pd.api.types.is_numeric_dtype(series) else as_text(series)
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    odd = int((numbers.isna() & values.notna()).sum())
    if odd or np.isinf(numbers).any():
        raise SchemaError(
            "Some values are no numbers",
            where=f"{where}, {odd or int(np.isinf(numbers).sum()):,} rows",
            remedy="look for decimal commas or text in the column",
        )
    return numbers


def as_weight(series: pd.Series, *, where: str) -> pd.Series:
    """Return expansion factors, all positive.

    Raises
    ------
    SchemaError
        If some are missing, negative or zero: a row that stands for nobody was not drawn into the sample.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.convert import as_weight
    >>> as_weight(pd.Series(["87.28"]), where="a.csv").tolist()
    [87.28]
    """
    weights = as_number(series, where=where)
    problems = {
        "missing": int(weights.isna().sum()),
        "negative": int((weights < 0).sum()),
        "zero": int((weights == 0).sum()),
    }
    found = [f"{rows:,} {problem}" for problem, rows in problems.items() if rows]
    if found:
        raise SchemaError(
            f"Weights must be positive: {', '.join(found)}",
            where=f"{where}, {sum(problems.values()):,} rows",
            remedy="use the file as published; rows outside the sample must be taken out before",
        )
    return weights


def as_codes(series: pd.Series, codes: tuple[Code, ...], *, where: str) -> tuple[pd.Series, dict[str, int]]:
    """Return a category labelled by the code table, and how many answers were no answer.

    Parameters
    ----------
    series : pandas.Series
        Codes as numbers or text, with or without leading zeros.
    codes : tuple of Code
    where : str

    Returns
    -------
    labels : pandas.Series of category
        Missing where the field is empty or the code's status is missing.
    set_missing : dict
        Label of a code of status missing -> rows.

    Raises
    ------
    SchemaError
        If a code is not in the table, with the code and its count.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.codebook import load_codebook
    >>> from juntos_eval.surveys.convert import as_codes
    >>> yes_no = load_codebook("enaho").codes_of("food_security", "fies_1")
    >>> labels, set_missing = as_codes(pd.Series(["1", "02", "3", ""]), yes_no, where="a.csv")
    >>> labels.tolist(), set_missing
    (['yes', 'no', nan, nan], {'do_not_know': 1})
    """
    numbers = as_number(series, where=where)
    counts = numbers.value_counts()
    known = {float(code.code): code for code in codes}
    unknown = {value: rows for value, rows in counts.items() if value not in known}
    if unknown:
        listed = ", ".join(f"{value:g} ({rows:,} rows)" for value, rows in sorted(unknown.items())[:10])
        raise SchemaError(
            f"{len(unknown)} codes are unknown: {listed}",
            where=f"{where}, {sum(unknown.values()):,} rows",
            remedy="add them to codes.csv with the text of INEI's dictionary",
        )
    good = [code for code in codes if not code.is_missing]
    values = list(dict.fromkeys(code.value for code in good))
    position = {float(code.code): values.index(code.value) for code in good}
    places = numbers.map(position).fillna(-1).astype("int64").tolist()
    labels = pd.Categorical.from_codes(places, categories=pd.Index(values))
    set_missing = {
        code.value: int(counts[float(code.code)])
        for code in codes
        if code.is_missing and float(code.code) in counts
    }
    return pd.Series(labels, index=series.index, name=series.name), set_missing


def as_boolean(labels: pd.Series) -> pd.Series:
    """Return yes as True, no as False, missing as missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.convert import as_boolean
    >>> as_boolean(pd.Series(["yes", "no", None], dtype="category")).tolist()
    [True, False, <NA>]
    """
    return labels.eq("yes").astype("boolean").mask(labels.isna())
