"""A reader's own folder of records, read beside the package's: numbers that only the reader has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.evidence.parse import parse_document, validated
from juntos_eval.evidence.record import StudyRecord

__all__ = ["with_overlay"]

#: Lists of an overlay file that are added to ours; everything else replaces.
_ADDED = ("findings", "missing", "notes", "outcomes", "related", "authors")


def with_overlay(records: Mapping[str, StudyRecord], folder: Path) -> dict[str, StudyRecord]:
    """Return the records with those of a folder laid over them.

    A file of a known study adds its rows and replaces rows of the same id and whatever field it names; a file
    of an unknown one is a record of its own. Each row that came from the folder is marked with its file.

    Parameters
    ----------
    records : Mapping of str to StudyRecord
    folder : Path

    Returns
    -------
    dict of str to StudyRecord

    Raises
    ------
    SourceError
        If the folder is missing, or a file is no UTF-8 text.
    SchemaError
        If a file breaks the schema that our own records keep.
    """
    if not folder.is_dir():
        raise SourceError(
            "the overlay folder of published numbers is missing",
            where=str(folder),
            remedy="make it and fill in a `juntos-eval evidence template ID` there, or leave --overlay out",
        )
    laid = dict(records)
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as problem:
            raise SourceError(
                "the file is no UTF-8 text", where=str(path), remedy="save it as UTF-8"
            ) from problem
        except OSError as problem:
            raise SourceError(f"the file cannot be read: {problem.strerror}", where=str(path)) from problem
        content, node = parse_document(text, file=path.name)
        content = {key: value for key, value in content.items() if value is not None}
        study = content.get("id")
        provenance = f"overlay: {path.name}"
        if study not in records:
            laid[str(study)] = validated(content, node, file=path.name, provenance=provenance)
        else:
            ours = laid[str(study)]
            merged = _merged(ours, content, path.name, provenance)
            laid[ours.id] = validated(merged, node, file=path.name, provenance=ours.provenance)
    return laid


def _merged(ours: StudyRecord, content: dict[str, Any], file: str, provenance: str) -> dict[str, Any]:
    """Return our record as a mapping with the overlay's rows first, so that line numbers hold."""
    base = _plain(ours)
    strangers = sorted(set(content) - {item.name for item in fields(StudyRecord)})
    if strangers:
        raise SchemaError(
            f"unknown keys {', '.join(strangers)}", where=file, remedy="keep to the keys of the template"
        )
    rows = _rows(content.get("results", []), "results", file, provenance)
    named = {row.get("id") for row in rows if isinstance(row, dict)}
    kept = [row for row in base.get("results", []) if row["id"] not in named]
    merged = base | {key: value for key, value in content.items() if key not in _ADDED}
    for key in _ADDED:
        if key in content:
            marked = (
                _rows(content[key], key, file, provenance)
                if key == "findings"
                else _listed(content[key], key, file)
            )
            merged[key] = [*marked, *(value for value in base.get(key, []) if value not in marked)]
    merged["results"] = [*rows, *kept]
    return merged


def _listed(value: Any, key: str, file: str) -> list[Any]:
    if not isinstance(value, list):
        raise SchemaError(f"'{key}' is no list", where=file, remedy="put a dash before each entry")
    return value


def _rows(value: Any, key: str, file: str, provenance: str) -> list[Any]:
    return [
        row | {"provenance": provenance} if isinstance(row, dict) else row
        for row in _listed(value, key, file)
    ]


def _plain(record: StudyRecord) -> dict[str, Any]:
    """Return a record as the mapping that its file holds: nothing empty, lists for tuples."""
    kept = {name: _listed_deep(value) for name, value in asdict(record).items() if _says(value)}
    return {"estimator": {}} | kept


def _says(value: Any) -> bool:
    return value is not None and value not in ((), {}, [])


def _listed_deep(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _listed_deep(item) for key, item in value.items() if _says(item)}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_listed_deep(item) for item in value]
    return value
