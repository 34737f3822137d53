"""Siblings of the younger cohort: measured and tested from round 3 on, and how early Juntos reached them."""

from __future__ import annotations

from typing import Final

import pandas as pd

from juntos_eval.errors import SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.young_lives.accounts import account, finish_children, open_rounds
from juntos_eval.surveys.young_lives.clean import below
from juntos_eval.surveys.young_lives.open_table import StudyTable, has_study_table, open_study_table
from juntos_eval.surveys.young_lives.schema_tables import SIBLINGS
from juntos_eval.surveys.young_lives.study_files import SURVEY

__all__ = ["clean_siblings"]

_TABLES: Final = (
    "household_younger",
    "child_younger",
    "sibling_younger",
    "roster_younger",
    "cognitive_younger",
)
_MEASURES: Final = ("bmi", "waz", "haz", "baz", "is_haz_flagged")
#: Any of these makes a row a sibling that was measured or tested.
_RESULTS: Final = ("haz", "bmi", "height_cm", "ppvt_raw", "ppvt_percent")


def clean_siblings(raw: RawFolder, juntos: pd.DataFrame | None = None) -> CleanTable:
    """Clean siblings: one row a sibling and round in which it was measured or tested.

    In round 3 up to two siblings were measured, and one was tested; the roster line joins them. In rounds 4
    and 5 the file does not say which sibling it is: it is number 1 of that round, and no line.

    Parameters
    ----------
    raw : RawFolder
        With the younger cohort's files of at least one of rounds 3 to 5.
    juntos : pandas.DataFrame, optional
        The clean ``juntos_status``, for the household's exposure.

    Returns
    -------
    CleanTable

    Raises
    ------
    SourceError
        If no file has a sibling.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.synthetic.young_lives import write_young_lives
    >>> from juntos_eval.surveys.young_lives import clean_siblings
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_young_lives(Path(folder), seed=1, share=0.05)
    ...     siblings = clean_siblings(RawFolder.at(folder)).frame
    >>> sorted(siblings["round"].unique().tolist())
    [3, 4, 5]
    """
    opened, missing = open_rounds(raw, _TABLES, rounds=(3, 4, 5), only=_columns())
    parts = [part for part in (_round_3(opened), _round_4(opened), _round_5(opened)) if part is not None]
    if not parts:
        raise SourceError(
            "No file with siblings is there",
            where=str(raw.root),
            remedy=f"put these there: {'; '.join(missing)}",
        )
    rows = pd.concat(parts, ignore_index=True)
    has_any = rows.reindex(columns=list(_RESULTS)).notna().any(axis=1)
    rows = rows[has_any].reset_index(drop=True)
    used = list(opened.values())
    if has_study_table(raw, "sibling_ppvt_irt"):
        irt = open_study_table(raw, "sibling_ppvt_irt")
        used.append(irt)
        rows = _with_irt(rows, irt)
    rows = _with_exposure(rows, juntos)
    frame = _finished(rows)
    dropped = {"neither measured nor tested": int((~has_any).sum())}
    return finish_children(frame, SIBLINGS, account(used, rows_in=len(has_any), dropped=dropped))


def _columns() -> frozenset[str]:
    """Return the canonical columns on siblings, and of the roster line and age."""
    columns = load_codebook(SURVEY).columns
    named = {one.name for one in columns if one.table in _TABLES and one.name.startswith("sibling_")}
    return frozenset(named | {"line", "age_years"})


def _blank(ids: pd.Series, survey_round: int, sibling: int) -> pd.DataFrame:
    return pd.DataFrame({"child_id": ids.astype("str"), "round": survey_round, "sibling": float(sibling)})


def _round_3(opened: dict[tuple[str, int], StudyTable]) -> pd.DataFrame | None:
    measured = opened.get(("sibling_younger", 3))
    household = opened.get(("household_younger", 3))
    child = opened.get(("child_younger", 3))
    if measured is None:
        return None
    parts = []
    for number in (1, 2):
        frame = measured.frame
        part = _blank(frame["child_id"], 3, number)
        for name in _MEASURES:
            part[name] = frame.get(f"sibling_{number}_{name}", pd.Series(float("nan"), frame.index))
        if household is not None:
            part = part.merge(_lines(household.frame, number), on="child_id", how="left")
        parts.append(part)
    rows = pd.concat(parts, ignore_index=True)
    rows = _with_ages(rows, opened.get(("roster_younger", 3)))
    return rows if child is None else _with_round_3_tests(rows, child.frame)


def _lines(household: pd.DataFrame, number: int) -> pd.DataFrame:
    names = {
        f"sibling_{number}_id": "line",
        f"sibling_{number}_sex": "sex",
        f"sibling_{number}_height_cm": "height_cm",
        f"sibling_{number}_weight_kg": "weight_kg",
    }
    found = household[["child_id", *(name for name in names if name in household)]].rename(columns=names)
    return found.astype({"sex": "str"}) if "sex" in found else found


def _with_ages(rows: pd.DataFrame, roster: StudyTable | None) -> pd.DataFrame:
    if roster is None or "line" not in rows or "age_years" not in roster.frame:
        return rows
    ages = roster.frame[["child_id", "line", "age_years"]]
    return rows.merge(ages, on=["child_id", "line"], how="left")


def _with_round_3_tests(rows: pd.DataFrame, child: pd.DataFrame) -> pd.DataFrame:
    """Give the tested sibling its scores: by roster line, else as one more sibling, not measured."""
    names = {
        "sibling_id": "line",
        "sibling_ppvt_raw": "ppvt_raw",
        "sibling_ppvt_rasch": "ppvt_rasch",
        "sibling_ppvt_language": "ppvt_language_code",
    }
    tested = child[["child_id", *(name for name in names if name in child)]].rename(columns=names)
    if "ppvt_raw" not in tested or "line" not in tested or "line" not in rows:
        return rows
    tested = tested[tested["ppvt_raw"].notna() & tested["line"].notna()]
    measured = rows[rows.reindex(columns=list(_RESULTS)).notna().any(axis=1)]
    both = measured.merge(tested, on=["child_id", "line"], how="outer", indicator=True)
    is_new = both["_merge"].eq("right_only")
    has_first = both["child_id"].isin(measured.loc[measured["sibling"].eq(1), "child_id"])
    both["sibling"] = both["sibling"].mask(is_new, has_first.astype("float64") + 1.0)
    both["round"] = 3
    # a third sibling has no number: the file measured two
    return both.drop(columns="_merge").drop_duplicates(["child_id", "sibling"], keep="first")


def _round_4(opened: dict[tuple[str, int], StudyTable]) -> pd.DataFrame | None:
    return _later(opened, 4, measured="child_younger", tested="cognitive_younger")


def _round_5(opened: dict[tuple[str, int], StudyTable]) -> pd.DataFrame | None:
    return _later(opened, 5, measured="child_younger", tested="sibling_younger")


def _later(
    opened: dict[tuple[str, int], StudyTable], survey_round: int, *, measured: str, tested: str
) -> pd.DataFrame | None:
    body, test = opened.get((measured, survey_round)), opened.get((tested, survey_round))
    parts = []
    if body is not None and "sibling_haz" in body.frame:
        parts.append(body.frame[["child_id", "sibling_haz"]].rename(columns={"sibling_haz": "haz"}))
    if test is not None and "sibling_ppvt_raw" in test.frame:
        names = {"sibling_ppvt_raw": "ppvt_raw", "sibling_ppvt_percent": "ppvt_percent"}
        columns = ["child_id", *(name for name in names if name in test.frame)]
        parts.append(test.frame[columns].rename(columns=names))
    if not parts:
        return None
    rows = parts[0] if len(parts) == 1 else parts[0].merge(parts[1], on="child_id", how="outer")
    blank = _blank(rows["child_id"], survey_round, 1)
    return pd.concat([blank, rows.drop(columns="child_id")], axis=1)


def _with_irt(rows: pd.DataFrame, irt: StudyTable) -> pd.DataFrame:
    """Join abilities by household and round: the file names one sibling a round, the tested one."""
    found = irt.frame[["child_id", "round", "irt"]].rename(columns={"irt": "ppvt_irt"})
    found = found.astype({"round": "int64"})
    both = rows.merge(found, on=["child_id", "round"], how="left")
    is_tested = both["ppvt_raw"].notna() if "ppvt_raw" in both else pd.Series(data=False, index=both.index)
    both["ppvt_irt"] = both["ppvt_irt"].where(is_tested)
    return both


def _with_exposure(rows: pd.DataFrame, juntos: pd.DataFrame | None) -> pd.DataFrame:
    if juntos is None:
        return rows
    wanted = ["child_id", "round", "months_exposed"]
    return rows.merge(juntos[wanted], on=["child_id", "round"], how="left")


def _finished(rows: pd.DataFrame) -> pd.DataFrame:
    numbers = [field.name for field in SIBLINGS.fields if field.dtype == "float"]
    whole = rows.reindex(columns=[*rows.columns, *(name for name in numbers if name not in rows)])
    columns = {name: whole[name].astype("float64") for name in numbers}
    months = columns["months_exposed"]
    columns["age_at_start_years"] = (columns["age_years"] + 0.5 - months / 12.0).where(months.gt(0))
    is_flagged = whole["is_haz_flagged"].eq(1).astype("boolean").mask(whole["haz"].isna())
    sex = whole["sex"] if "sex" in whole else pd.Series(None, index=whole.index, dtype="str")
    return pd.DataFrame(
        {
            "child_id": whole["child_id"].astype("str"),
            "round": whole["round"].astype("int64"),
            **columns,
            "sex": pd.Categorical(sex, categories=["male", "female"]),
            "is_haz_flagged": is_flagged,
            "is_stunted": below(columns["haz"], -2.0, is_flagged),
            "is_severely_stunted": below(columns["haz"], -3.0, is_flagged),
        }
    )
