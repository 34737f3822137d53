"""Read records: YAML in, validated frozen data out; every fault with its file, row and line."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.evidence.overlay import with_overlay
from juntos_eval.evidence.parse import parse_record
from juntos_eval.evidence.record import StudyRecord

__all__ = ["load_record", "load_records"]


@lru_cache
def _packaged() -> Mapping[str, StudyRecord]:
    folder = files("juntos_eval.evidence") / "records"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    records = [parse_record((folder / name).read_text(encoding="utf-8"), file=name) for name in names]
    return {record.id: record for record in records}


def load_records(overlay: str | Path | None = None) -> tuple[StudyRecord, ...]:
    """Return every record, the cited list first in its own order, then the related studies by name.

    Parameters
    ----------
    overlay : str or Path, optional
        A folder of YAML files read beside the package's own (see :mod:`juntos_eval.evidence.overlay`).

    Returns
    -------
    tuple of StudyRecord

    Raises
    ------
    SchemaError
        If a file breaks the schema or holds impossible values, with file, row and line.
    SourceError
        If the overlay folder is missing or a file of it is no UTF-8 text.

    Examples
    --------
    >>> from juntos_eval.evidence.load import load_records
    >>> records = load_records()
    >>> len(records), sum(record.is_cited for record in records)
    (63, 30)
    """
    records = dict(_packaged())
    if overlay is not None:
        records = with_overlay(records, Path(overlay))
    known = set(records)
    for record in records.values():
        strangers = sorted(set(record.related) - known)
        if strangers:
            raise SchemaError(
                f"a related study does not exist: {', '.join(strangers)}",
                where=record.id,
                remedy="name the ids of other records",
            )
    return tuple(sorted(records.values(), key=lambda record: (record.list_order or 1000, record.id)))


def load_record(id: str, overlay: str | Path | None = None) -> StudyRecord:  # noqa: A002
    """Return the record of one study.

    Parameters
    ----------
    id : str
        Author and year, as `juntos-eval evidence list` prints it.
    overlay : str or Path, optional
        A folder of YAML files read beside the package's own.

    Returns
    -------
    StudyRecord

    Raises
    ------
    SourceError
        If there is no such study; near names are offered.

    Examples
    --------
    >>> from juntos_eval.evidence.load import load_record
    >>> record = load_record("scott_2022")
    >>> record.design.family, record.number("abs_inhibitory").estimate
    ('did', 0.11)
    """
    if overlay is None and id in _packaged():
        return _packaged()[id]
    records = {record.id: record for record in load_records(overlay)}
    if id not in records:
        near = get_close_matches(id, records, n=4, cutoff=0.4)
        raise SourceError(
            f"there is no record of a study '{id}'",
            where=f"{len(records)} records",
            remedy=f"did you mean {', '.join(near)}?" if near else "list them: juntos-eval evidence list",
        )
    return records[id]
