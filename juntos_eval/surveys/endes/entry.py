"""District entry into Juntos as ENDES tells it: inferred from its households, never the official list."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.provenance import CleanTable

__all__ = ["infer_district_entry"]


def infer_district_entry(households: Iterable[CleanTable], *, at_least: int = 2) -> pd.DataFrame:
    """Infer by when each district had entered Juntos from what beneficiary households recall.

    A district entered no later than its household of rank ``at_least`` in order of entry. Recall heaps on
    whole years, and few households are sampled a district: the month is an upper bound, late where few were
    asked.

    Parameters
    ----------
    households : iterable of CleanTable
        Of ``clean_households``, of years with QH96A and QH96M.
    at_least : int
        Households that must have entered; 2 keeps one household that moved in, or misremembers, from dating
        a district.

    Returns
    -------
    pandas.DataFrame
        ``ubigeo entry_month households source``, one row a district with enough beneficiaries, ``source``
        being ``inferred from ENDES`` (``inferred from SYNTHETIC files`` where a table is).

    Raises
    ------
    SchemaError
        If no household of the tables says when it entered.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.endes import clean_households, infer_district_entry
    >>> from juntos_eval.surveys.synthetic.endes import write_synthetic_endes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic_endes(Path(folder), seed=1, households=900, years=(2019,))
    ...     entry = infer_district_entry([clean_households(RawFolder.at(folder), 2019)])
    >>> entry["source"].unique().tolist()
    ['inferred from SYNTHETIC files']
    """
    tables = tuple(households)
    told = [
        table.frame.loc[table.frame["juntos_entry"].notna(), ["ubigeo", "juntos_entry"]] for table in tables
    ]
    entries = pd.concat(told, ignore_index=True) if told else pd.DataFrame()
    if entries.empty:
        raise SchemaError(
            "No household says when it entered Juntos",
            where=f"{len(tables)} tables of households",
            remedy="give tables of 2014, 2015 or 2017 to 2024, made with the file of social programmes",
        )
    entries = entries.sort_values(["ubigeo", "juntos_entry"], ignore_index=True)
    by_district = entries.groupby("ubigeo")["juntos_entry"]
    is_chosen = by_district.cumcount().eq(at_least - 1)
    found = entries[is_chosen].rename(columns={"juntos_entry": "entry_month"})
    source = "SYNTHETIC files" if any(table.provenance.is_synthetic for table in tables) else "ENDES"
    found = found.assign(households=found["ubigeo"].map(by_district.size()), source=f"inferred from {source}")
    return found[["ubigeo", "entry_month", "households", "source"]].reset_index(drop=True)
