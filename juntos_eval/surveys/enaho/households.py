"""The analysis table: one row a household, from the clean tables of one year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import SchemaError
from juntos_eval.surveys.enaho.groups import CHILD_GROUPS, MEMBER_GROUPS, ChildGroup
from juntos_eval.surveys.enaho.household_schema import OPTIONAL, households_schema
from juntos_eval.surveys.provenance import CleanTable, InputFile, Provenance
from juntos_eval.surveys.schema import finish

__all__ = ["build_households"]

_DISTRICT_COLUMNS = {"altitude_m": "district_altitude_m"}

#: New districts are a handful a year; more households without one than this is a wrong table.
_MOST_WITHOUT_DISTRICT = 0.05


def build_households(
    members: CleanTable,
    programmes: CleanTable,
    *,
    districts: CleanTable | None = None,
    food_security: CleanTable | None = None,
    dwellings: CleanTable | None = None,
) -> CleanTable:
    """Join the tables of one year into one row a household.

    Households of module 700 without a member line are dropped and counted, as are members' households without
    a line in 700 (they have no household weight). What does not match in the other tables is counted in the
    notes and left missing. Members are those that INEI calls so (p204); children counted are members whose
    work last week is known.

    Parameters
    ----------
    members, programmes : CleanTable
        Of one year.
    districts, food_security, dwellings : CleanTable, optional
        Their columns are in the result only where they are given.

    Returns
    -------
    CleanTable

    Raises
    ------
    SchemaError
        If the tables are of different years, a household has two heads, a joined key repeats, or more than
        5 % of the households lie in no district.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys import enaho
    >>> from juntos_eval.surveys.synthetic import write_synthetic
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic(Path(folder), seed=1, households=300, years=(2025,))
    ...     raw = RawFolder.at(folder)
    ...     members, programmes = enaho.clean_members(raw, 2025), enaho.clean_programmes(raw, 2025)
    >>> households = enaho.build_households(members, programmes)
    >>> counted = households.frame["children_5_17"] > 0
    >>> bool((households.frame["working_share_5_17"].notna() == counted).all())
    True
    """
    others = {"districts": districts, "food_security": food_security, "dwellings": dwellings}
    given = {name: table for name, table in others.items() if table is not None}
    _check_years([members, programmes, *given.values()])
    listed = programmes.frame
    has_members = listed["household_id"].isin(members.frame["household_id"])
    frame = listed[has_members].reset_index(drop=True)
    lines = members.frame[members.frame["household_id"].isin(frame["household_id"])]
    rows = pd.Index(frame["household_id"]).get_indexer(pd.Index(lines["household_id"])).astype(np.int64)
    _add_composition(frame, lines, rows)
    _add_head(frame, lines, rows)
    for group in CHILD_GROUPS:
        _add_children(frame, lines, rows, group)
    notes = {"member lines without a household in module 700": len(members.frame) - len(lines)}
    notes["households without a head"] = int(frame["head_age_years"].isna().sum())
    for name, table in given.items():
        frame, unmatched = _join(frame, name, table)
        notes[f"households without a match in {name}"] = unmatched
    provenance = _provenance(
        members, programmes, given, notes=notes, without_members=int((~has_members).sum())
    )
    return finish(frame, households_schema(frozenset(given)), provenance)


def _add_composition(frame: pd.DataFrame, lines: pd.DataFrame, rows: Codes) -> None:
    age = lines["age_years"].to_numpy()
    is_member = lines["is_member"].to_numpy(dtype=bool)
    for suffix, youngest, oldest, _, _ in MEMBER_GROUPS:
        is_counted = is_member & (age >= youngest) & (age <= oldest)
        frame[f"members{suffix}"] = _count(rows, is_counted, len(frame))
    frame["has_member_under_19"] = _count(rows, is_member & (age < 19), len(frame)) > 0


def _add_head(frame: pd.DataFrame, lines: pd.DataFrame, rows: Codes) -> None:
    is_head = lines["relation"].eq("head").to_numpy(dtype=bool)
    several = int((_count(rows, is_head, len(frame)) > 1).sum())
    if several:
        raise SchemaError(
            "A household has more than one head",
            where=f"members, {several:,} households",
            remedy="look at p203 in module 200: each household has one line with code 1",
        )
    heads = lines[is_head].set_index(rows[is_head])
    for source, name in (
        ("age_years", "head_age_years"),
        ("sex", "head_sex"),
        ("marital_status", "head_marital_status"),
    ):
        frame[name] = heads[source].reindex(frame.index)


def _add_children(frame: pd.DataFrame, lines: pd.DataFrame, rows: Codes, group: ChildGroup) -> None:
    age = lines["age_years"].to_numpy()
    is_counted = lines["is_member"].to_numpy(dtype=bool) & lines["is_working_child"].notna().to_numpy()
    is_counted &= (age >= group.youngest) & (age <= group.oldest)
    if group.sex is not None:
        is_counted &= lines["sex"].eq(group.sex).to_numpy(dtype=bool)
    children = _count(rows, is_counted, len(frame))
    frame[f"children_{group.name}"] = children
    for column, name in (
        ("is_working_child", "working_share"),
        ("is_doing_housework_only", "housework_only_share"),
    ):
        is_true = lines[column].to_numpy(dtype=bool, na_value=False)
        frame[f"{name}_{group.name}"] = _share(_count(rows, is_counted & is_true, len(frame)), children)


def _count(rows: Codes, is_counted: Bools, households: int) -> Codes:
    return np.bincount(rows[is_counted], minlength=households).astype(np.int64)


def _share(part: Codes, whole: Codes) -> Floats:
    shares = np.full(len(part), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares


def _join(frame: pd.DataFrame, name: str, table: CleanTable) -> tuple[pd.DataFrame, int]:
    key = "ubigeo" if name == "districts" else "household_id"
    columns = [field.name for field in OPTIONAL[name]]
    other = table.frame.rename(columns=_DISTRICT_COLUMNS) if name == "districts" else table.frame
    if repeated := int(other[key].duplicated(keep=False).sum()):
        raise SchemaError(
            f"{key} repeats in {name}: the join would multiply households",
            where=f"{', '.join(file.name for file in table.provenance.inputs)}, {repeated:,} rows",
            remedy="clean the raw files again; each household and each district has one row",
        )
    unmatched = int((~frame[key].isin(other[key])).sum())
    if name == "districts" and unmatched > _MOST_WITHOUT_DISTRICT * len(frame):
        raise SchemaError(
            f"{unmatched:,} of {len(frame):,} households lie in no district of the table of districts",
            where=f"{', '.join(file.name for file in table.provenance.inputs)}, {len(other):,} districts",
            remedy="the table is cut or has other codes (INEI's are needed, not RENIEC's): fetch it again",
        )
    return frame.merge(other[[key, *columns]], on=key, how="left", validate="many_to_one"), unmatched


def _check_years(tables: list[CleanTable]) -> None:
    years = {table.provenance.year for table in tables if table.provenance.year is not None}
    if len(years) > 1:
        raise SchemaError(
            f"The tables are of different years: {', '.join(str(year) for year in sorted(years))}",
            where=", ".join(table.provenance.table for table in tables),
            remedy="build the households of each year from that year's tables",
        )


def _provenance(
    members: CleanTable,
    programmes: CleanTable,
    given: Mapping[str, CleanTable],
    *,
    notes: Mapping[str, int],
    without_members: int,
) -> Provenance:
    tables = [members, programmes, *given.values()]
    details: dict[str, Any] = {}
    for table in given.values():
        details.update(table.provenance.details)
    return Provenance(
        survey="enaho",
        table="households",
        year=programmes.provenance.year,
        inputs=unique_inputs(tables),
        rows_in=len(programmes.frame),
        rows_out=0,
        dropped={"household without a member line": without_members} if without_members else {},
        notes=notes,
        details=details,
        is_synthetic=any(table.provenance.is_synthetic for table in tables),
    )


def unique_inputs(tables: list[CleanTable]) -> tuple[InputFile, ...]:
    """Return the raw files behind several tables, each once.

    Examples
    --------
    >>> from juntos_eval.surveys.enaho.households import unique_inputs
    >>> unique_inputs([])
    ()
    """
    return tuple(dict.fromkeys(file for table in tables for file in table.provenance.inputs))
