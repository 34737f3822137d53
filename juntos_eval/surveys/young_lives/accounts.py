"""The account of a clean table that is made of several files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from juntos_eval.paths import RawFolder
from juntos_eval.surveys.provenance import CleanTable, Provenance
from juntos_eval.surveys.schema import TableSchema, finish
from juntos_eval.surveys.young_lives.identity import site_of
from juntos_eval.surveys.young_lives.open_table import StudyTable, has_study_table, open_study_table
from juntos_eval.surveys.young_lives.study_files import SURVEY, load_deposit

__all__ = ["account", "finish_children", "open_rounds", "stacked"]


def account(
    tables: Sequence[StudyTable],
    *,
    rows_in: int,
    dropped: Mapping[str, int] | None = None,
    notes: Mapping[str, int] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Provenance:
    """Open the account of a table made of several files.

    Parameters
    ----------
    tables : sequence of StudyTable
        Each one's notes and the rows it dropped on opening are kept under its file's name.
    rows_in : int
        Rows of the table that gives the rows.
    dropped, notes, details : Mapping, optional

    Returns
    -------
    Provenance

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.accounts import account
    >>> account((), rows_in=3, notes={"nothing": 0}).notes
    {}
    """
    kept: Counter[str] = Counter()
    for table in tables:
        found = dict(table.opened.notes) | {f"rows out: {why}": rows for why, rows in table.dropped.items()}
        kept.update({f"{table.file.stem}: {note}": rows for note, rows in found.items()})
    kept.update(dict(notes or {}))
    return Provenance(
        survey=SURVEY,
        table="",
        year=None,
        inputs=tuple(table.opened.source for table in tables),
        rows_in=rows_in,
        rows_out=0,
        dropped={why: rows for why, rows in (dropped or {}).items() if rows},
        notes={note: rows for note, rows in kept.items() if rows},
        details=dict(details or {}),
        is_synthetic=any(table.opened.is_synthetic for table in tables),
    )


def finish_children(frame: pd.DataFrame, schema: TableSchema, provenance: Provenance) -> CleanTable:
    """Finish a table of children, with the site beside each: it is the sample's primary unit.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.provenance import Provenance
    >>> from juntos_eval.surveys.schema import TableSchema
    >>> from juntos_eval.surveys.young_lives.accounts import finish_children
    >>> from juntos_eval.surveys.young_lives.schema import CHILD_ID, SITE_DRAWN, SITES
    >>> fields = (CHILD_ID, SITE_DRAWN)
    >>> schema = TableSchema(
    ...     name="a", description="", description_es="", key=("child_id",), fields=fields, design=SITES
    ... )
    >>> facts = Provenance(survey="x", table="", year=None, rows_in=1, rows_out=0)
    >>> made = finish_children(pd.DataFrame({"child_id": ["PE031085"]}), schema, facts).frame
    >>> made["site_drawn"].tolist(), made.attrs["design"]["psu"]
    ([3.0], 'site_drawn')
    """
    placed = frame.assign(site_drawn=site_of(frame["child_id"]))
    return finish(placed[schema.names()], schema, provenance)


def open_rounds(
    raw: RawFolder,
    tables: Iterable[str],
    *,
    rounds: Collection[int] = (1, 2, 3, 4, 5),
    only: Collection[str] | None = None,
) -> tuple[dict[tuple[str, int], StudyTable], list[str]]:
    """Open every round of some tables that lies there, and name those that do not.

    Parameters
    ----------
    raw : RawFolder
    tables : iterable of str
    rounds : collection of int
    only : collection of str, optional
        Canonical columns to convert beside the key; default all.

    Returns
    -------
    opened : dict of (table, round) to StudyTable
    missing : list of str
        Labels of the declared files that are not there.

    Examples
    --------
    >>> import tempfile
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.young_lives.accounts import open_rounds
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     opened, missing = open_rounds(RawFolder.at(folder), ("community",))
    >>> len(opened), missing[0]
    (0, 'community of round 3 (pe_r3_community_comm_level_r3, SN 6853)')
    """
    deposit = load_deposit()
    opened: dict[tuple[str, int], StudyTable] = {}
    missing: list[str] = []
    for table in tables:
        for survey_round in (one for one in deposit.rounds_of(table) if one in rounds):
            if has_study_table(raw, table, survey_round):
                opened[table, survey_round] = open_study_table(raw, table, survey_round, only)
            else:
                missing.append(deposit.file(table, survey_round).label)
    return opened, missing


def stacked(opened: Mapping[tuple[str, int], StudyTable], columns: Sequence[str]) -> pd.DataFrame:
    """Stack the frames of rounds under each other, with round and, by the table's name, cohort.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.accounts import stacked
    >>> stacked({}, ("child_id",)).columns.tolist()
    ['child_id', 'round', 'cohort']
    """
    parts = [
        table.frame.reindex(columns=list(columns)).assign(
            round=survey_round, cohort="older" if name.endswith("_older") else "younger"
        )
        for (name, survey_round), table in opened.items()
    ]
    if not parts:
        return pd.DataFrame(columns=[*columns, "round", "cohort"])
    for part in parts:
        labelled = part.select_dtypes("category").columns
        part[labelled] = part[labelled].astype("str")
    return pd.concat(parts, ignore_index=True)
