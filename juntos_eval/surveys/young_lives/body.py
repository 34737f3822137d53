"""Z-scores made again from height, weight, age and sex by WHO's tables, beside the released ones."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.surveys.growth import growth_scores
from juntos_eval.surveys.young_lives.dates import DAYS_A_MONTH

__all__ = ["SCORES", "differing_scores", "remade_scores"]

SCORES: Final = ("haz", "waz", "baz")
#: Children below this age are measured lying.
_LYING_MONTHS: Final = 24.0


def remade_scores(frame: pd.DataFrame) -> pd.DataFrame:
    """Return ``haz_remade waz_remade baz_remade``; missing where a measurement, age, sex or table is.

    Months are of the panel's own kind (365/12 days); children below 24 months count as measured lying.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``age_months sex height_cm weight_kg``.

    Returns
    -------
    pandas.DataFrame
        On the same index.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.body import remade_scores
    >>> child = {"age_months": [100.0 * 30.4375 / (365 / 12)], "sex": ["male"], "height_cm": [100.0]}
    >>> remade_scores(pd.DataFrame(child | {"weight_kg": [30.0]})).round(2).iloc[0].tolist()
    [-5.04, 0.87, 5.03]
    """
    age = frame["age_months"].to_numpy(dtype=float)
    sex = frame["sex"].astype("str")
    made = growth_scores(
        age_days=age * DAYS_A_MONTH,
        is_female=np.where(sex.isna(), np.nan, sex.eq("female").to_numpy(dtype=float)),
        weight_kg=_positive(frame["weight_kg"]),
        height_cm=_positive(frame["height_cm"]),
        is_lying=np.where(np.isnan(age), np.nan, (age < _LYING_MONTHS).astype(float)),
    )
    scores = {"haz": made.haz.z, "waz": made.waz.z, "baz": made.baz.z}
    return pd.DataFrame({f"{name}_remade": scores[name] for name in SCORES}, index=frame.index)


def _positive(numbers: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = numbers.to_numpy(dtype=float)
    return np.where(values > 0, values, np.nan)


def differing_scores(frame: pd.DataFrame, *, tolerance: float = 0.1) -> dict[str, int]:
    """Count released scores that differ from the measurements' own by more than a tolerance.

    Parameters
    ----------
    frame : pandas.DataFrame
        With released and remade scores.
    tolerance : float
        Wide enough for heights to 0.1 cm and ages to a hundredth of a month.

    Returns
    -------
    dict of str to int

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.body import differing_scores
    >>> scores = {"haz": [-1.0, -1.0], "haz_remade": [-1.01, -3.0]}
    >>> differing_scores(pd.DataFrame(scores))
    {'haz: another than height, weight, age and sex give': 1}
    """
    found = {
        f"{name}: another than height, weight, age and sex give": int(
            frame[name].sub(frame[f"{name}_remade"]).abs().gt(tolerance).sum()
        )
        for name in SCORES
        if name in frame
    }
    return {note: rows for note, rows in found.items() if rows}
