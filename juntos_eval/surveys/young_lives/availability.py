"""Which rounds answer which column of the panel, and why the others do not (``rounds.csv``)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import pandas as pd

from juntos_eval.surveys.young_lives.study_files import ROUNDS, SURVEY

__all__ = ["Availability", "availability", "load_rounds", "unanswered_reason"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """The rounds that answer a column for one cohort.

    Attributes
    ----------
    column, cohort : str
    rounds : tuple of int
    reason_en, reason_es : str
        Why the other rounds do not.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.availability import load_rounds
    >>> load_rounds()["haz", "older"].rounds
    (1, 2, 3, 4)
    """

    column: str
    cohort: str
    rounds: tuple[int, ...]
    reason_en: str
    reason_es: str


@lru_cache
def load_rounds() -> dict[tuple[str, str], Availability]:
    """Read ``rounds.csv``: columns that are not listed are asked of everybody in every round.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.availability import load_rounds
    >>> ("wealth_index", "younger") in load_rounds()
    False
    """
    text = files("juntos_eval.surveys").joinpath(SURVEY, "rounds.csv").read_text(encoding="utf-8")
    found: dict[tuple[str, str], Availability] = {}
    for row in csv.DictReader(text.splitlines()):
        cohorts = ("younger", "older") if row["cohort"] == "both" else (row["cohort"],)
        for column in row["columns"].split():
            for cohort in cohorts:
                found[column, cohort] = Availability(
                    column=column,
                    cohort=cohort,
                    rounds=tuple(int(one) for one in row["rounds"].split()),
                    reason_en=row["reason_en"],
                    reason_es=row["reason_es"],
                )
    return found


def unanswered_reason(column: str, *, cohort: str, survey_round: int) -> str | None:
    """Return why a round does not answer a column, None where it does.

    Parameters
    ----------
    column : str
        Of the children's panel.
    cohort : str
        ``younger`` or ``older``.
    survey_round : int

    Returns
    -------
    str or None

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.availability import unanswered_reason
    >>> unanswered_reason("has_juntos_released", cohort="younger", survey_round=2)
    'Programmes were asked from round 3'
    >>> unanswered_reason("wealth_index", cohort="younger", survey_round=2) is None
    True
    """
    known = load_rounds().get((column, cohort))
    return None if known is None or survey_round in known.rounds else known.reason_en


def availability(panel: pd.DataFrame, columns: tuple[str, ...] | None = None) -> pd.DataFrame:
    """Count the answers of each column by cohort and round, with the reason where none was to be expected.

    Parameters
    ----------
    panel : pandas.DataFrame
        The clean children's panel.
    columns : tuple of str, optional
        Default all but the key.

    Returns
    -------
    pandas.DataFrame
        One row a column, cohort and round: ``rows answered is_expected reason``.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.availability import availability
    >>> panel = pd.DataFrame({"child_id": ["PE011001"], "round": [1], "cohort": ["younger"], "haz": [-1.0]})
    >>> availability(panel)[["column", "answered", "reason"]].to_numpy().tolist()
    [['haz', 1, '']]
    """
    wanted = [str(name) for name in panel if name not in {"child_id", "round", "cohort"}]
    wanted = wanted if columns is None else list(columns)
    found = [
        (column, str(cohort), int(str(one)), len(rows), int(rows[column].notna().sum()))
        for (cohort, one), rows in panel.groupby(["cohort", "round"], observed=True)
        for column in wanted
    ]
    table = pd.DataFrame(found, columns=["column", "cohort", "round", "rows", "answered"])
    table["reason"] = [
        unanswered_reason(column, cohort=cohort, survey_round=one) or "" for column, cohort, one, *_ in found
    ]
    table["is_expected"] = table["reason"].eq("")
    order = ["column", "cohort", "round", "rows", "answered", "is_expected", "reason"]
    return table[order].sort_values(["column", "cohort", "round"], ignore_index=True)


def outside_declared(panel: pd.DataFrame) -> dict[str, int]:
    """Return the answers that stand where ``rounds.csv`` expects none, by column.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.availability import outside_declared
    >>> panel = pd.DataFrame({"round": [1, 2], "cohort": ["older", "older"], "waz": [-1.0, -1.0]})
    >>> outside_declared(panel)
    {'waz: answers in rounds that do not ask it': 1}
    """
    found: dict[str, int] = {}
    for (column, cohort), known in load_rounds().items():
        if column not in panel:
            continue
        others = set(ROUNDS) - set(known.rounds)
        rows = panel["cohort"].eq(cohort) & panel["round"].isin(others) & panel[column].notna()
        if rows.any():
            note = f"{column}: answers in rounds that do not ask it"
            found[note] = found.get(note, 0) + int(rows.sum())
    return found
