"""From the text of a YAML file to a validated record; every fault with its file, row and line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import TypeAdapter, ValidationError

from juntos_eval.errors import SchemaError
from juntos_eval.evidence.impossible import impossible_values, record_faults
from juntos_eval.evidence.record import StudyRecord

__all__ = ["parse_document", "parse_record", "validated"]

#: How many faults an error names before it only counts the rest.
MOST_FAULTS: Final = 8

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RECORD: Final = TypeAdapter(StudyRecord)


def parse_document(text: str, *, file: str) -> tuple[dict[str, Any], yaml.Node]:
    """Return the mapping that a YAML text holds, with its nodes for line numbers.

    Parameters
    ----------
    text : str
    file : str
        For errors.

    Returns
    -------
    dict
    yaml.Node

    Raises
    ------
    SchemaError
        If it is no YAML, no mapping, or a key stands twice.
    """
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
        content = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as problem:
        raise SchemaError(
            f"the file is no YAML: {' '.join(str(problem).split())[:200]}",
            where=file,
            remedy="check quotes, colons and indentation at that line",
        ) from problem
    finally:
        loader.dispose()
    if not isinstance(content, dict) or node is None:
        raise SchemaError("the file holds no mapping", where=file, remedy="start from `evidence template`")
    twice = list(_repeated_keys(node))
    if twice:
        raise SchemaError(
            "a key stands twice", where=f"{file}: {'; '.join(twice)}", remedy="keep one of them"
        )
    return content, node


def parse_record(text: str, *, file: str, provenance: str = "package") -> StudyRecord:
    """Return the record that a YAML text holds.

    Parameters
    ----------
    text : str
    file : str
        Name of the file, for errors; the id must be its stem.
    provenance : str
        Marked on the record and each of its rows.

    Returns
    -------
    StudyRecord

    Raises
    ------
    SchemaError
        With every fault: file, row, line.
    """
    content, node = parse_document(text, file=file)
    return validated(content, node, file=file, provenance=provenance, is_named=True)


def validated(
    content: dict[str, Any], node: yaml.Node, *, file: str, provenance: str, is_named: bool = False
) -> StudyRecord:
    """Return the record of a mapping; ``node`` gives the lines for errors, ``is_named`` by its file."""
    marked = {**content, "provenance": provenance}
    for part in ("results", "findings"):
        rows = content.get(part)
        if isinstance(rows, list):
            marked[part] = [
                {"provenance": provenance, **row} if isinstance(row, dict) else row for row in rows
            ]
    try:
        record = _RECORD.validate_python(marked)
    except ValidationError as problem:
        faults = [
            f"{_place(content, node, error['loc'])}: {_said(error)}"
            for error in problem.errors(include_url=False)
        ]
        raise _broken(faults, file) from None
    faults = [f"record: {fault}" for fault in record_faults(record)]
    if is_named and record.id != Path(file).stem:
        faults.append(f"id: '{record.id}' is not the name of the file")
    for position, row in enumerate(record.results):
        place = _place(content, node, ("results", position))
        faults += [f"{place}: {fault}" for fault in impossible_values(row)]
    if faults:
        raise _broken(faults, file)
    return record


def _broken(faults: list[str], file: str) -> SchemaError:
    shown = "; ".join(faults[:MOST_FAULTS])
    more = f"; and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
    return SchemaError(
        f"the record is not valid: {shown}{more}",
        where=file,
        remedy="correct the rows named; what is printed wrong in the source is kept with a `misprint:` line",
    )


def _said(error: Any) -> str:
    given = error.get("input")
    shown = "" if isinstance(given, (dict, list)) or given is None else f", not {given!r}"
    return f"{error['msg'][:1].lower()}{error['msg'][1:]}{shown}"


def _place(content: Mapping[str, Any], node: yaml.Node, location: Iterable[int | str]) -> str:
    """Return where a fault stands: ``results row 3 (haz_boys), se, line 70``."""
    words: list[str] = []
    here: Any = content
    line = 1
    current: yaml.Node | None = node
    for step in location:
        current = _child(current, step)
        line = line if current is None else current.start_mark.line + 1
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(step, int):
            name = here.get("id") or here.get("outcome") if isinstance(here, dict) else None
            words.append(f"row {step + 1}" + (f" ({name})" if name else ""))
        else:
            words.append(str(step))
    return f"{' '.join(words[:2])}{''.join(f', {word}' for word in words[2:])}, line {line}"


def _child(node: yaml.Node | None, step: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child: yaml.Node = node.value[step]
        return child
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                found: yaml.Node = value
                return found
    return None


def _repeated_keys(node: yaml.Node) -> Iterator[str]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                yield f"'{name}', line {key.start_mark.line + 1}"
            seen.add(name)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated_keys(value)
