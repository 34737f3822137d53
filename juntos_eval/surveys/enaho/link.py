"""Households seen in two years, linked by key and by three checks that they are the same household."""

from __future__ import annotations

from typing import Final

import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.enaho.household_schema import OPTIONAL, households_schema
from juntos_eval.surveys.enaho.households import unique_inputs
from juntos_eval.surveys.provenance import CleanTable, Provenance
from juntos_eval.surveys.schema import TableSchema, finish

__all__ = ["link_households"]

#: How much older a head may be a year later: interviews are up to two birthdays apart.
OLDEST_STEP: Final = 2


def link_households(first: CleanTable, second: CleanTable) -> CleanTable:
    """Link the households of two years: two rows a household, in long form.

    Households are linked by ``conglome vivienda hogar``. A dwelling may be visited again and hold another
    family, so a link is kept only if the district is the same, the head's sex is the same, and the head's age
    grew by 0 to 2 years. Columns are those that both years have.

    Parameters
    ----------
    first, second : CleanTable
        ``build_households`` of the earlier and of the later year.

    Returns
    -------
    CleanTable
        ``provenance.notes`` counts households linked by key and those failing each check (one may fail
        several); ``provenance.dropped`` counts rows of both years by the first reason that applies.

    Raises
    ------
    SchemaError
        If the second table is not of a later year, or no household links.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys import enaho
    >>> from juntos_eval.surveys.synthetic import write_synthetic
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic(Path(folder), seed=1, households=300, years=(2024, 2025))
    ...     raw = RawFolder.at(folder)
    ...     households = [
    ...         enaho.build_households(enaho.clean_members(raw, year), enaho.clean_programmes(raw, year))
    ...         for year in (2024, 2025)
    ...     ]
    >>> linked = enaho.link_households(*households)
    >>> 2 * linked.frame["household_id"].nunique() == len(linked.frame)
    True
    """
    years = (first.provenance.year or 0, second.provenance.year or 0)
    if years[0] >= years[1]:
        raise SchemaError(
            f"The second table must be of a later year: {years[0]} and {years[1]}",
            where="link_households",
            remedy="pass the earlier year first",
        )
    pairs = first.frame.merge(second.frame, on="household_id", suffixes=("_1", "_2"), validate="one_to_one")
    failed = failed_checks(pairs)
    is_kept = ~failed.any(axis=1)
    if not is_kept.any():
        raise SchemaError(
            "No household links the two years",
            where=f"{len(pairs):,} linked by key, none passes the checks",
            remedy="are both files of the same survey, with their keys as published?",
        )
    schema = _shared_schema(first, second)
    kept = pairs.loc[is_kept, "household_id"]
    parts = [table.frame[table.frame["household_id"].isin(kept)][schema.names()] for table in (first, second)]
    frame = pd.concat(parts, ignore_index=True).sort_values(["household_id", "year"], ignore_index=True)
    provenance = Provenance(
        survey="enaho",
        table=schema.name,
        year=None,
        inputs=unique_inputs([first, second]),
        rows_in=len(first.frame) + len(second.frame),
        rows_out=0,
        dropped=_dropped(first, second, pairs, failed),
        notes={
            "households linked by key": len(pairs),
            **{str(check): int(rows) for check, rows in failed.sum().items()},
        },
        is_synthetic=first.provenance.is_synthetic or second.provenance.is_synthetic,
    )
    return finish(frame, schema, provenance)


def failed_checks(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return which checks each pair fails: one column a check, True where it fails or cannot be made.

    Parameters
    ----------
    pairs : pandas.DataFrame
        ``ubigeo head_sex head_age_years``, each with the suffixes ``_1`` and ``_2``.

    Returns
    -------
    pandas.DataFrame of bool

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.link import failed_checks
    >>> pair = pd.DataFrame({"ubigeo_1": ["010101"], "ubigeo_2": ["010101"],
    ...                      "head_sex_1": ["male"], "head_sex_2": ["female"],
    ...                      "head_age_years_1": [40.0], "head_age_years_2": [43.0]})
    >>> failed_checks(pair).iloc[0].to_dict()
    {'district differs': False, "head's sex differs": True, "head's age not 0 to 2 years more": True}
    """
    step = pairs["head_age_years_2"] - pairs["head_age_years_1"]
    sexes = pairs[["head_sex_1", "head_sex_2"]].astype("str")
    return pd.DataFrame(
        {
            "district differs": pairs["ubigeo_1"].ne(pairs["ubigeo_2"]),
            "head's sex differs": sexes["head_sex_1"].ne(sexes["head_sex_2"]) | sexes.isna().any(axis=1),
            f"head's age not 0 to {OLDEST_STEP} years more": ~step.between(0, OLDEST_STEP),
        }
    )


def _shared_schema(first: CleanTable, second: CleanTable) -> TableSchema:
    shared = set(first.frame.columns) & set(second.frame.columns)
    tables = {name for name, fields in OPTIONAL.items() if {field.name for field in fields} <= shared}
    return households_schema(frozenset(tables), name="linked_households")


def _dropped(
    first: CleanTable, second: CleanTable, pairs: pd.DataFrame, failed: pd.DataFrame
) -> dict[str, int]:
    dropped = {
        f"not interviewed in {second.provenance.year}": len(first.frame) - len(pairs),
        f"not interviewed in {first.provenance.year}": len(second.frame) - len(pairs),
    }
    first_reason = failed.idxmax(axis=1)[failed.any(axis=1)]
    dropped |= {str(reason): 2 * households for reason, households in first_reason.value_counts().items()}
    return {reason: rows for reason, rows in dropped.items() if rows}
