"""The evidence map: which component of the programme was studied with which outcome, and with what sign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from juntos_eval.errors import SchemaError
from juntos_eval.evidence.parse import parse_document
from juntos_eval.evidence.record import StudyRecord
from juntos_eval.evidence.vocabulary import DOMAINS, Direction, Domain, Seen

__all__ = ["Coding", "MapCell", "evidence_map", "load_codings"]

_CLOSED = ConfigDict(extra="forbid")


@checked(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class Coding:
    """One theme of one study, coded: the component it speaks of, the domain, and whether that is favourable.

    Attributes
    ----------
    sign : str
        ``+`` favourable, ``-`` unfavourable, ``0`` no detectable change, ``mixed``.
    """

    id: str
    study: str
    component: str
    domain: Domain
    theme: str
    sign: Direction
    source: str
    seen: Seen
    population: str | None = None
    detail: str | None = None
    strength: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MapCell:
    """One cell of the map.

    Attributes
    ----------
    row : str
        A component, or ``whole programme`` for quantitative findings.
    domain : str
    favourable, unfavourable, none, mixed : int
        Codings or findings by sign.
    studies : tuple of str
    is_qualitative : bool
        Whether all of them are codings of qualitative work.
    """

    row: str
    domain: str
    favourable: int
    unfavourable: int
    none: int
    mixed: int
    studies: tuple[str, ...]
    is_qualitative: bool


@lru_cache
def load_codings() -> tuple[Coding, ...]:
    """Return the qualitative codings, validated.

    Returns
    -------
    tuple of Coding

    Raises
    ------
    SchemaError
        If a coding breaks the schema.

    Examples
    --------
    >>> from juntos_eval.evidence.codings import load_codings
    >>> len(load_codings())
    32
    """
    name = "evidence_map.yaml"
    text = (files("juntos_eval.evidence") / name).read_text(encoding="utf-8")
    content, _ = parse_document(text, file=name)
    adapter = TypeAdapter(tuple[Coding, ...])
    try:
        rows = adapter.validate_python(content["rows"])
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        raise SchemaError(f"a coding is not valid: {first['msg']}", where=f"{name}: {first['loc']}") from None
    strangers = {row.component for row in rows} - set(content["components"])
    if strangers:
        raise SchemaError(f"unknown components {', '.join(sorted(strangers))}", where=name)
    return rows


def evidence_map(records: Iterable[StudyRecord]) -> tuple[MapCell, ...]:
    """Return the cells that hold something, in the order of components and domains.

    Parameters
    ----------
    records : iterable of StudyRecord
        Their findings fill the row of the whole programme: a quantitative study is of everything at once.

    Returns
    -------
    tuple of MapCell

    Examples
    --------
    >>> from juntos_eval.evidence.codings import evidence_map
    >>> from juntos_eval.evidence.load import load_records
    >>> cells = evidence_map(load_records())
    >>> [cell.favourable for cell in cells if (cell.row, cell.domain) == ("whole programme", "schooling")]
    [14]
    """
    coded = load_codings()
    entries = [(row.component, row.domain, _valence(row.sign), row.study, True) for row in coded]
    qualitative = {row.study for row in coded}
    entries += [
        ("whole programme", finding.domain, finding.valence, record.id, _is_words(record))
        for record in records
        if record.id not in qualitative  # its findings are coded already, by component
        for finding in record.findings
    ]
    rows = dict.fromkeys(["whole programme", *(entry[0] for entry in entries)])
    cells = (_cell(row, domain, entries) for row in rows for domain in DOMAINS)
    return tuple(cell for cell in cells if cell.studies)


def _is_words(record: StudyRecord) -> bool:
    return record.design.family in {"qualitative", "process"}


def _cell(row: str, domain: str, entries: Sequence[tuple[str, str, str, str, bool]]) -> MapCell:
    here = [entry for entry in entries if entry[:2] == (row, domain)]
    counts: Mapping[str, Any] = {
        word: sum(entry[2] == valence for entry in here)
        for word, valence in (
            ("favourable", "favourable"),
            ("unfavourable", "unfavourable"),
            ("none", "neutral"),
            ("mixed", "mixed"),
        )
    }
    return MapCell(
        row=row,
        domain=domain,
        studies=tuple(dict.fromkeys(entry[3] for entry in here)),
        is_qualitative=all(entry[4] for entry in here),
        **counts,
    )


def _valence(sign: str) -> str:
    return {"+": "favourable", "-": "unfavourable", "0": "neutral", "mixed": "mixed"}[sign]
