"""ENAHO's raw modules to clean tables: each column is one function of ``clean`` and one line here."""

from __future__ import annotations

import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.enaho import clean, schema
from juntos_eval.surveys.harmonise import Harmonised, open_table
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import finish
from juntos_eval.surveys.source import year_label

__all__ = ["clean_dwellings", "clean_members", "clean_programmes", "members_of"]


def clean_members(raw: RawFolder, year: int) -> CleanTable:
    """Clean module 200: one row a person listed in the household.

    Rows of relation "panel" (a former member who does not live here now: neither age nor sex is known) are
    dropped and counted.

    Parameters
    ----------
    raw : RawFolder
    year : int

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
    >>> from juntos_eval.surveys.enaho import clean_members
    >>> from juntos_eval.surveys.synthetic import write_synthetic
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic(Path(folder), seed=1, households=300, years=(2025,))
    ...     members = clean_members(RawFolder.at(folder), 2025)
    >>> members.frame["is_working_child"].dtype, len(members.frame) == members.provenance.rows_out
    (BooleanDtype, True)
    """
    opened = open_table(raw, survey="enaho", table="members", year=year)
    return members_of(opened, year=year)


def members_of(opened: Harmonised, *, year: int) -> CleanTable:
    """Make the table of a file that is open: a year's own, or one wave of a panel's."""
    is_panel = opened.frame["relation"].eq("panel")
    listed = opened.frame[~is_panel]
    frame = pd.DataFrame(index=listed.index)
    frame["year"] = listed["year"].astype("int64")
    frame["household_id"] = clean.household_id(listed)
    frame["person_id"] = clean.person_id(listed)
    for key in (*clean.HOUSEHOLD_KEY, "codperso", "ubigeo"):
        frame[key] = listed[key]
    frame["month"] = clean.whole(listed["month"])
    frame["dominio"] = listed["dominio"]
    frame["estrato"] = listed["estrato"]
    frame["relation"] = listed["relation"].cat.remove_categories(["panel"])
    frame["is_member"] = clean.as_boolean(listed["is_member"])
    frame["is_resident"] = clean.is_resident(
        frame["is_member"],
        clean.as_boolean(listed["is_absent_30_days"]),
        clean.as_boolean(listed["is_present_30_days"]),
    )
    frame["sex"] = listed["sex"]
    frame["age_years"] = listed["age_years"]
    frame["marital_status"] = listed["marital_status"]
    frame["has_worked"] = clean.as_boolean(listed["has_worked"])
    frame["main_activity"] = clean.main_activity(listed["main_activity_answer"], listed["main_activity"])
    frame["is_working_child"] = clean.is_working_child(frame["has_worked"], frame["main_activity"])
    frame["is_doing_housework_only"] = clean.is_doing_housework_only(
        frame["has_worked"], frame["main_activity"]
    )
    frame["stratum"] = clean.stratum(listed["dominio"], listed["estrato"])
    frame["psu"] = listed["conglome"]
    frame["person_weight"] = listed["person_weight"]
    dropped = {"former panel member, not in the household now": int(is_panel.sum())}
    return finish(frame, schema.MEMBERS, opened.provenance(survey="enaho", year=year, dropped=dropped))


def clean_programmes(raw: RawFolder, year: int) -> CleanTable:
    """Clean module 700: one row a household, its social programmes.

    ``has_juntos`` is "benefited in the last three years"; it is missing where nobody answered, and such
    households stay in the table with ``has_answered_programmes`` false: a share is one of those answering.

    Parameters
    ----------
    raw : RawFolder
    year : int

    Returns
    -------
    CleanTable

    Raises
    ------
    SourceError, SchemaError
        If the file, its columns or its content is not what was declared, or no household has Juntos.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.enaho import clean_programmes
    >>> from juntos_eval.surveys.synthetic import write_synthetic
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic(Path(folder), seed=1, households=300, years=(2025,))
    ...     programmes = clean_programmes(RawFolder.at(folder), 2025)
    >>> bool(programmes.frame.loc[~programmes.frame["has_answered_programmes"], "has_juntos"].isna().all())
    True
    """
    opened = open_table(raw, survey="enaho", table="programmes", year=year)
    listed = opened.frame
    frame = pd.DataFrame(index=listed.index)
    frame["year"] = listed["year"].astype("int64")
    frame["household_id"] = clean.household_id(listed)
    for key in (*clean.HOUSEHOLD_KEY, "ubigeo"):
        frame[key] = listed[key]
    frame["month"] = clean.whole(listed["month"])
    frame["dominio"] = listed["dominio"]
    frame["estrato"] = listed["estrato"]
    frame["is_rural"] = clean.is_rural(listed["estrato"])
    frame["stratum"] = clean.stratum(listed["dominio"], listed["estrato"])
    frame["psu"] = listed["conglome"]
    frame["has_answered_programmes"] = listed["has_juntos"].notna()
    frame["has_juntos"] = clean.as_boolean(listed["has_juntos"])
    _refuse_nobody(frame["has_juntos"], opened.source.name, year)
    frame["has_pension65"] = clean.as_boolean(clean.optional(listed, "has_pension65"))
    frame["has_school_meals"] = clean.as_boolean(
        clean.optional(listed, "has_school_breakfast")
    ) | clean.as_boolean(clean.optional(listed, "has_school_lunch"))
    frame["household_weight"] = listed["household_weight"]
    return finish(frame, schema.PROGRAMMES, opened.provenance(survey="enaho", year=year))


def _refuse_nobody(has_juntos: pd.Series, file: str, year: int) -> None:
    if has_juntos.any():
        return
    raw_name = load_codebook("enaho").column("programmes", "has_juntos").raw[year_label(year)]
    answered = int(has_juntos.count())
    raise SchemaError(
        "No household has Juntos",
        where=f"{file}, column {raw_name}: 0 yes of {answered:,} answers in {len(has_juntos):,} rows",
        remedy="use the file as published: no release is without one",
    )


def clean_dwellings(raw: RawFolder, year: int) -> CleanTable:
    """Clean the dwelling file: one row a household with a complete interview.

    Parameters
    ----------
    raw : RawFolder
    year : int

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
    >>> from juntos_eval.surveys.enaho import clean_dwellings
    >>> from juntos_eval.surveys.synthetic import write_synthetic
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic(Path(folder), seed=1, households=300, years=(2025,))
    ...     dwellings = clean_dwellings(RawFolder.at(folder), 2025)
    >>> dwellings.frame["household_id"].str.len().unique().tolist()
    [13]
    """
    opened = open_table(raw, survey="enaho", table="dwellings", year=year)
    listed = opened.frame
    frame = pd.DataFrame(index=listed.index)
    frame["year"] = listed["year"].astype("int64")
    frame["household_id"] = clean.household_id(listed)
    for name in ("latitude", "longitude", "altitude_m", "wall", "floor", "roof", "rooms"):
        frame[name] = listed[name]
    frame["water_source"] = listed["water_source"]
    frame["toilet"] = listed["toilet"]
    frame["has_piped_water"] = clean.has_any(
        listed["water_source"], ("network_in_dwelling", "network_in_building")
    )
    frame["has_sewer"] = clean.has_any(listed["toilet"], ("sewer_in_dwelling", "sewer_in_building"))
    frame["has_electricity"] = clean.as_boolean(listed["has_electricity"])
    frame["is_overcrowded"] = clean.as_boolean(listed["nbi_2"])
    for need in range(1, 6):
        frame[f"nbi_{need}"] = clean.as_boolean(listed[f"nbi_{need}"])
    return finish(frame, schema.DWELLINGS, opened.provenance(survey="enaho", year=year))
