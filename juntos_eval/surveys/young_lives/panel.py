"""The children's panel: the harmonised release, seen children only, every column typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import finish
from juntos_eval.surveys.young_lives import clean
from juntos_eval.surveys.young_lives.availability import outside_declared
from juntos_eval.surveys.young_lives.body import differing_scores, remade_scores
from juntos_eval.surveys.young_lives.dates import iso_text
from juntos_eval.surveys.young_lives.identity import site_of
from juntos_eval.surveys.young_lives.open_table import StudyTable, open_study_table
from juntos_eval.surveys.young_lives.schema import CHILDREN_PANEL, PANEL_COLUMNS, is_yes_no
from juntos_eval.surveys.young_lives.study_files import ROUNDS, SURVEY
from juntos_eval.surveys.young_lives.wealth import SERVICES, compare_wealth, services_index

__all__ = ["NOT_SEEN", "clean_children_panel", "open_panel"]

NOT_SEEN: Final = "child not seen in the round"

_FLAG_OF: Final = {
    "is_waz_flagged": "waz",
    "is_haz_flagged": "haz",
    "is_baz_flagged": "baz",
    "is_whz_flagged": "whz",
}


def open_panel(raw: RawFolder, only: Collection[str] | None = None) -> StudyTable:
    """Open the harmonised panel with children unseen in a round, for attrition needs them.

    Parameters
    ----------
    raw : RawFolder
    only : collection of str, optional
        Canonical columns to convert beside key, cohort and presence; default all.

    Returns
    -------
    StudyTable

    Raises
    ------
    SourceError, SchemaError
        If the file, its columns or its content is not what was declared, or a child has not one row a round.
    """
    wanted = None if only is None else {*only, "cohort", "is_seen"}
    opened = open_study_table(raw, "panel", only=wanted)
    rounds = opened.frame["round"]
    odd = int((~rounds.isin(list(ROUNDS))).sum())
    if odd:
        raise SchemaError(
            "Rounds are other than 1 to 5",
            where=f"{opened.opened.source.name}, {odd:,} rows",
            remedy="use peru_constructed of study 7483",
        )
    per_child = opened.frame.groupby("child_id")["round"].count()
    short = int((per_child != len(ROUNDS)).sum())
    if short:
        raise SchemaError(
            f"{short:,} children have not one row a round",
            where=f"{opened.opened.source.name}, {len(opened.frame):,} rows",
            remedy="the file was cut or filtered: use it as published, unseen children included",
        )
    return opened


def clean_children_panel(raw: RawFolder) -> CleanTable:
    """Clean the harmonised panel of study 7483: one row a child and round in which the child was seen.

    Everything released is kept under its canonical name; what a round did not ask is missing, and
    ``availability`` says why. Stunting, thinness and underweight are made again from the z-scores and their
    flags, the z-scores from height, weight, age and sex by WHO's tables, services and wealth from their
    parts; where the release says otherwise the provenance counts it.

    Parameters
    ----------
    raw : RawFolder

    Returns
    -------
    CleanTable

    Raises
    ------
    SourceError, SchemaError
        If the file, its columns or its content is not what was declared.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.synthetic.young_lives import write_young_lives
    >>> from juntos_eval.surveys.young_lives import clean_children_panel
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_young_lives(Path(folder), seed=1, share=0.05, studies=(7483,))
    ...     panel = clean_children_panel(RawFolder.at(folder))
    >>> panel.frame["round"].unique().tolist(), panel.provenance.is_synthetic
    ([1, 2, 3, 4, 5], True)
    """
    opened = open_panel(raw)
    is_seen = opened.frame["is_seen"].eq("yes")
    seen = opened.frame[is_seen]
    frame = _typed(seen)
    frame = frame.assign(**_derived(frame, seen))
    provenance = opened.opened.provenance(
        survey=SURVEY, year=None, dropped={NOT_SEEN: int((~is_seen).sum())} | dict(opened.dropped)
    )
    notes = dict(provenance.notes) | _findings(frame)
    return finish(frame, CHILDREN_PANEL, replace(provenance, notes=notes))


def _typed(seen: pd.DataFrame) -> pd.DataFrame:
    columns: dict[str, pd.Series] = {
        "child_id": seen["child_id"],
        "round": seen["round"].astype("int64"),
        "cohort": seen["cohort"],
    }
    codebook = load_codebook(SURVEY)
    for name in PANEL_COLUMNS:
        column = codebook.column("panel", name)
        if name not in seen:
            columns[name] = _absent(name, column.kind, seen.index)
        elif column.kind == "code" and is_yes_no(name):
            columns[name] = clean.as_boolean(seen[name])
        elif name in _FLAG_OF:
            columns[name] = clean.flag_of(seen[name], seen.get(_FLAG_OF[name], seen[name]))
        elif column.unit == "date":
            columns[name] = iso_text(seen[name])
        else:
            columns[name] = seen[name]
    return pd.DataFrame(columns)


def _absent(name: str, kind: str, index: pd.Index) -> pd.Series:
    """Give a column that this edition lacks: typed, all missing."""
    if (kind == "code" and is_yes_no(name)) or name in _FLAG_OF:
        return pd.Series(pd.NA, index=index, dtype="boolean")
    if kind == "code":
        labels = [c.value for c in load_codebook(SURVEY).codes_of("panel", name) if not c.is_missing]
        return pd.Series(pd.Categorical([None] * len(index), categories=labels), index=index)
    return pd.Series(
        None if kind == "text" else np.nan, index=index, dtype="str" if kind == "text" else float
    )


def _derived(frame: pd.DataFrame, seen: pd.DataFrame) -> dict[str, pd.Series]:
    services = frame[list(SERVICES)]
    has_services = services.notna().any(axis=1)
    parts = frame[["housing_index", "durables_index", "services_index"]]
    rounds_seen = frame.groupby("child_id")["round"].transform("count")
    return {
        "year": seen["round"].map(ROUNDS).astype("float64"),
        "is_in_every_round": rounds_seen.eq(len(ROUNDS)).astype("boolean"),
        "site_drawn": site_of(frame["child_id"]),
        "age_years": clean.completed_years(frame["age_months"]),
        "is_stunted": clean.below(frame["haz"], -2.0, frame["is_haz_flagged"]),
        "is_severely_stunted": clean.below(frame["haz"], -3.0, frame["is_haz_flagged"]),
        "is_underweight": clean.below(frame["waz"], -2.0, frame["is_waz_flagged"]),
        "is_thin": clean.below(frame["baz"], -2.0, frame["is_baz_flagged"]),
        "is_overweight": clean.is_overweight(frame["baz"], frame["age_months"], frame["is_baz_flagged"]),
        "share_aged_0_5": clean.household_share(frame[["males_0_5", "females_0_5"]], frame["household_size"]),
        **{str(name): z for name, z in remade_scores(frame).items()},
        "services_index_remade": services_index(services).where(has_services),
        "wealth_index_remade": parts.mean(axis=1, skipna=False),
    }


def _findings(frame: pd.DataFrame) -> dict[str, int]:
    """Count where the release contradicts itself or its documentation."""
    notes: Counter[str] = Counter(outside_declared(frame))
    for released, cut, z, mild in (
        ("stunting_released", "is_stunted", "haz", "not_stunted"),
        ("thinness_released", "is_thin", "baz", "not_thin"),
        ("underweight_released", "is_underweight", "waz", "not_underweight"),
    ):
        says = frame[released].ne(mild).astype("boolean").mask(frame[released].isna())
        differs = (says != frame[cut]).fillna(value=False)
        notes[f"{released}: another than its z-score {z} gives"] = int(differs.sum())
    is_first = frame["round"].eq(1) & frame["site"].notna()
    notes["site: another in round 1 than the identity names"] = int(
        (is_first & frame["site"].ne(frame["site_drawn"])).sum()
    )
    notes.update(differing_scores(frame))
    wealth = compare_wealth(frame)
    for index, rows in wealth.groupby("index")["differing"].sum().items():
        notes[f"{index}: another than its parts give"] = int(rows)
    return {note: rows for note, rows in notes.items() if rows}
