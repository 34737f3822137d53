"""Juntos in Young Lives: who is in it by round, since when, for how long, and whether the release agrees."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import pandas as pd

from juntos_eval.errors import SourceError
from juntos_eval.estimate import Check
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.young_lives.accounts import account, finish_children, open_rounds, stacked
from juntos_eval.surveys.young_lives.clean import as_boolean
from juntos_eval.surveys.young_lives.dates import iso_text
from juntos_eval.surveys.young_lives.exposure import (
    age_at,
    early_months,
    exposure_group,
    first_spell,
    month_date,
    months_exposed,
)
from juntos_eval.surveys.young_lives.juntos_coding import ANSWERS, CodingFinding, decide_coding
from juntos_eval.surveys.young_lives.open_table import StudyTable
from juntos_eval.surveys.young_lives.panel import NOT_SEEN, open_panel
from juntos_eval.surveys.young_lives.schema_tables import JUNTOS_STATUS

__all__ = ["JuntosStatus", "build_juntos_status", "clean_juntos_status"]

_ASKED: Final = (3, 4, 5)
_TABLES: Final = ("household_younger", "household_older")
_ITEMS: Final = (
    "child_id",
    "has_heard_juntos",
    "juntos_answer",
    "juntos_start_month",
    "juntos_start_year",
    "juntos_end_month",
    "juntos_end_year",
    "has_received_juntos",
    "juntos_amount_soles",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JuntosStatus:
    """The clean table and what was found in making it.

    Attributes
    ----------
    table : CleanTable
    findings : tuple of CodingFinding
        One a cohort and round whose household file was there.
    checks : tuple of Check
        Of the coding, then of starts, receipts and the released flag.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.juntos import JuntosStatus
    >>> sorted(JuntosStatus.__dataclass_fields__)
    ['checks', 'findings', 'table']
    """

    table: CleanTable
    findings: tuple[CodingFinding, ...]
    checks: tuple[Check, ...]


def clean_juntos_status(raw: RawFolder) -> CleanTable:
    """Clean Juntos participation: one row a child and round in which the child was seen.

    See ``build_juntos_status``, which also returns the checks; the provenance holds them as well.

    Parameters
    ----------
    raw : RawFolder

    Returns
    -------
    CleanTable

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.synthetic.young_lives import write_young_lives
    >>> from juntos_eval.surveys.young_lives import clean_juntos_status
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_young_lives(Path(folder), seed=1, share=0.1)
    ...     status = clean_juntos_status(RawFolder.at(folder))
    >>> bool(status.frame.loc[status.frame["round"] == 1, "months_exposed"].eq(0).all())
    True
    """
    return build_juntos_status(raw).table


def build_juntos_status(raw: RawFolder) -> JuntosStatus:
    """Make the table of Juntos participation, and the checks on it.

    Rounds 3 to 5 ask; rounds 1 and 2 take exposure from start dates given later. Round 1 (2002) precedes the
    programme. Which code is the beneficiary's is decided by start dates and receipt for every cohort and
    round (``decide_coding``); where they do not decide, the contested codes are missing, with a count.

    Parameters
    ----------
    raw : RawFolder
        With the panel of study 7483 and the household files of at least one of rounds 3 to 5.

    Returns
    -------
    JuntosStatus

    Raises
    ------
    SourceError
        If no household file of rounds 3 to 5 is there.
    """
    panel = open_panel(raw, ("interview_date", "age_months", "has_juntos_released"))
    asked, missing = open_rounds(raw, _TABLES, rounds=_ASKED, only=_ITEMS)
    if not asked:
        raise SourceError(
            "No household file of rounds 3 to 5 is there, and no other file has Juntos start dates",
            where=str(raw.root),
            remedy=f"put these there: {'; '.join(missing)}",
        )
    findings = tuple(
        decide_coding(table, cohort="older" if name.endswith("_older") else "younger", survey_round=one)
        for (name, one), table in asked.items()
    )
    notes: Counter[str] = Counter({f"{label}: file not there": 1 for label in missing})
    answers = _answers(asked, findings, notes)
    seen = panel.frame[panel.frame["is_seen"].eq("yes")]
    rows = _joined(seen, answers, notes)
    frame = _status(rows)
    checks = (*(finding.check() for finding in findings), *_checks(frame, notes))
    provenance = account(
        (panel, *asked.values()),
        rows_in=len(panel.frame),
        dropped={NOT_SEEN: len(panel.frame) - len(seen)},
        notes=notes,
        details={
            "coding": [finding.record() for finding in findings],
            "checks": [{"name": one.name, "passed": one.passed, "detail": one.detail} for one in checks],
        },
    )
    return JuntosStatus(
        table=finish_children(frame, JUNTOS_STATUS, provenance), findings=findings, checks=checks
    )


def _answers(
    asked: dict[tuple[str, int], StudyTable], findings: tuple[CodingFinding, ...], notes: Counter[str]
) -> pd.DataFrame:
    """Give every answer its meaning; who has not heard of Juntos is not in it."""
    meaning = {(finding.cohort, finding.round): finding.meaning() for finding in findings}
    rows = stacked(asked, _ITEMS)
    has_not_heard = rows["juntos_answer"].isna() & rows["has_heard_juntos"].eq("no")
    codes = rows["juntos_answer"].mask(has_not_heard, 0.0)
    keys = zip(rows["cohort"], rows["round"], codes, strict=True)
    rows["juntos_answer"] = [
        meaning[cohort, one].get(int(code)) if code == code else None  # noqa: PLR0124 - NaN is no code
        for cohort, one, code in keys
    ]
    undecided = rows[codes.notna() & rows["juntos_answer"].isna()]
    for place, count in _by_place(undecided).items():
        notes[f"{place}: answers whose code was not decided"] = count
    return rows


def _by_place(rows: pd.DataFrame) -> dict[str, int]:
    """Count rows by cohort and round, in words."""
    places = rows["cohort"].astype(str) + " cohort, round " + rows["round"].astype(str)
    return {str(place): int(count) for place, count in places.value_counts(sort=False).items()}


def _joined(seen: pd.DataFrame, answers: pd.DataFrame, notes: Counter[str]) -> pd.DataFrame:
    wanted = ["child_id", "round", "cohort", "interview_date", "age_months", "has_juntos_released"]
    base = seen.reindex(columns=wanted).astype({"round": "int64"})
    base["cohort"] = base["cohort"].astype("str")
    both = base.merge(answers, on=["child_id", "round", "cohort"], how="left", indicator=True)
    in_asked = (both["cohort"] + both["round"].astype(str)).isin(
        answers["cohort"].astype(str) + answers["round"].astype(str)
    )
    notes["seen in a round asked, without a row in its household file"] = int(
        (both["_merge"].eq("left_only") & in_asked).sum()
    )
    found = answers.merge(base[["child_id", "round"]], on=["child_id", "round"], how="left", indicator=True)
    notes["rows of household files of children whom the panel has not seen"] = int(
        found["_merge"].eq("left_only").sum()
    )
    both["is_asked"] = in_asked
    return both.rename(columns={"interview_date": "interview"}).drop(columns="_merge")


def _status(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.assign(
        start=month_date(rows["juntos_start_year"], rows["juntos_start_month"]),
        end=month_date(rows["juntos_end_year"], rows["juntos_end_month"]),
    )
    spells = first_spell(rows[rows["is_asked"]])
    given = rows.rename(columns={"start": "start_given", "end": "end_given"})
    whole = given.join(spells, on="child_id")
    flags = ["has_ever", "answered", "has_early_start", "has_late_start", "has_left"]
    whole[flags] = whole[flags].astype("boolean").fillna(value=False).astype(bool)
    whole = whole.assign(**months_exposed(whole))
    age_start = age_at(whole["start"], whole["interview"], whole["age_months"])
    is_juntos = whole["juntos_answer"].eq("beneficiary").astype("boolean").mask(whole["juntos_answer"].isna())
    released = as_boolean(whole["has_juntos_released"])
    started = first_round(whole)
    return pd.DataFrame(
        {
            "child_id": whole["child_id"],
            "round": whole["round"].astype("int64"),
            "cohort": pd.Categorical(whole["cohort"], categories=["younger", "older"]),
            "interview_date": iso_text(whole["interview"]),
            "is_asked": whole["is_asked"].astype("boolean"),
            "has_heard_juntos": as_boolean(whole["has_heard_juntos"]),
            "juntos_answer": pd.Categorical(whole["juntos_answer"], categories=ANSWERS),
            "is_juntos": is_juntos,
            "has_juntos_released": released,
            "is_release_contradicted": (is_juntos != released).mask(is_juntos.isna() | released.isna()),
            "start_year": whole["juntos_start_year"],
            "start_month": whole["juntos_start_month"],
            "end_year": whole["juntos_end_year"],
            "end_month": whole["juntos_end_month"],
            "has_received_juntos": as_boolean(whole["has_received_juntos"]),
            "juntos_amount_soles": whole["juntos_amount_soles"],
            "first_start_date": iso_text(whole["start"]),
            "has_ever_joined": whole["has_ever"].astype("boolean").mask(~whole["answered"]),
            "first_round_exposed": started,
            "months_exposed": whole["months_exposed"],
            "exposure_status": whole["status"],
            "exposure_group": exposure_group(whole["months_exposed"]),
            "age_at_start_months": age_start,
            "months_exposed_by_36": early_months(whole["months_exposed"], age_start, whole["age_months"]),
        }
    )


def first_round(rows: pd.DataFrame) -> pd.Series:
    """Return the first round whose interview came after the household's entry; missing for the never exposed.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.juntos import first_round
    >>> rows = {"child_id": ["a", "a"], "round": [2, 3], "months_exposed": [0.0, 20.0]}
    >>> first_round(pd.DataFrame(rows)).tolist()
    [3.0, 3.0]
    """
    exposed = rows[rows["months_exposed"].gt(0)]
    first = exposed.groupby("child_id")["round"].min()
    return rows["child_id"].map(first).astype("float64")


def _checks(frame: pd.DataFrame, notes: Counter[str]) -> tuple[Check, ...]:
    in_juntos = frame[frame["is_juntos"].eq(other=True).fillna(value=False)]
    lacks_start = int(in_juntos["start_year"].isna().sum())
    asked = in_juntos[in_juntos["has_received_juntos"].notna()]
    unpaid = int((~asked["has_received_juntos"].astype(bool)).sum())
    wrong = frame["is_release_contradicted"].eq(other=True).fillna(value=False)
    notes["released Juntos flag contradicted by the answers"] = int(wrong.sum())
    where = "; ".join(f"{place}: {rows:,}" for place, rows in _by_place(frame[wrong]).items())
    return (
        Check(
            name="juntos_beneficiaries_have_a_start",
            passed=lacks_start == 0,
            detail=f"{lacks_start:,} of {len(in_juntos):,} current beneficiaries give no year of entry",
        ),
        Check(
            name="juntos_beneficiaries_have_received",
            passed=unpaid == 0 if len(asked) else None,
            detail=f"{unpaid:,} of {len(asked):,} current beneficiaries asked received nothing in 12 months",
        ),
        Check(
            name="juntos_released_flag",
            passed=not wrong.any(),
            detail=f"the released flag is contradicted in {int(wrong.sum()):,} rows"
            + (f": {where}" if where else ""),
        ),
    )
