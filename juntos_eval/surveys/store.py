"""Clean tables on disk: Parquet with its provenance beside it, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa

from juntos_eval.errors import SourceError
from juntos_eval.paths import atomic_path, write_atomically
from juntos_eval.surveys.provenance import CleanTable, Provenance
from juntos_eval.surveys.read import sha256_of

__all__ = ["provenance_path", "read_table", "write_table"]

#: In the provenance: the sha256 and bytes of the table itself.
_FILE: Final = "file"


def provenance_path(path: Path) -> Path:
    """Return the provenance file of a table.

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.store import provenance_path
    >>> provenance_path(Path("members_2024.parquet")).name
    'members_2024.provenance.json'
    """
    return path.with_suffix(".provenance.json")


def write_table(frame: pd.DataFrame, path: Path, provenance: Provenance) -> Path:
    """Write a table and where it comes from.

    The table's old provenance goes first and its new one is written last: a table without provenance, which
    is all that an interruption can leave, is not read.

    Parameters
    ----------
    frame : pandas.DataFrame
    path : Path
        ``….parquet``.
    provenance : Provenance
        Its ``rows_out`` must be the table's.

    Returns
    -------
    Path

    Raises
    ------
    SourceError
        If the provenance is of another table.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from juntos_eval.surveys.provenance import Provenance
    >>> from juntos_eval.surveys.store import read_table, write_table
    >>> facts = Provenance(survey="enaho", table="members", year=2024, rows_in=1, rows_out=1)
    >>> frame = pd.DataFrame({"age_years": [4.0]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_table(frame, Path(folder) / "members_2024.parquet", facts)
    ...     sorted(entry.name for entry in Path(folder).iterdir()), len(read_table(path).frame)
    (['members_2024.parquet', 'members_2024.provenance.json'], 1)
    """
    if provenance.rows_out != len(frame):
        raise SourceError(
            f"The provenance speaks of {provenance.rows_out:,} rows, the table has {len(frame):,}",
            where=str(path),
            remedy="write the table with its own provenance",
        )
    beside = provenance_path(path)
    record = provenance.to_record()
    with atomic_path(path) as partial:
        frame.to_parquet(partial, engine="pyarrow", compression="zstd", index=False)
        record[_FILE] = {"sha256": sha256_of(partial), "size_bytes": partial.stat().st_size}
        beside.unlink(missing_ok=True)
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(beside, text + "\n")
    return path


def read_table(path: Path) -> CleanTable:
    """Read a clean table and its provenance.

    Parameters
    ----------
    path : Path

    Returns
    -------
    CleanTable

    Raises
    ------
    SourceError
        If one of the two files is missing or damaged, or they do not belong together.
    """
    beside = provenance_path(path)
    for needed in (path, beside):
        if not needed.is_file():
            raise SourceError(
                "The clean table is missing", where=str(needed), remedy="clean the raw files first"
            )
    try:
        record = json.loads(beside.read_text(encoding="utf-8"))
        written = record.pop(_FILE, None)
        provenance = Provenance.from_record(record)
        frame = pd.read_parquet(path, engine="pyarrow")
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, pa.ArrowException, OSError) as error:
        raise SourceError(
            f"The clean table is damaged: {error}",
            where=str(path),
            remedy="delete it and clean the raw files again",
        ) from error
    if provenance.rows_out != len(frame):
        raise SourceError(
            f"The provenance speaks of {provenance.rows_out:,} rows, the table has {len(frame):,}",
            where=str(path),
            remedy="delete both and clean the raw files again",
        )
    if written is not None and written["sha256"] != sha256_of(path):
        raise SourceError(
            "The clean table is not the one that its provenance was written with",
            where=f"{path}, {path.stat().st_size:,} bytes",
            remedy="something else wrote it, or two runs at once: delete both and clean the raw files again",
        )
    return CleanTable(frame=frame, provenance=provenance)
