"""Pooled effects of published reviews, as benchmarks: the rows keep the schema of the studies' own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache
from importlib.resources import files

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from juntos_eval.errors import SchemaError
from juntos_eval.evidence.impossible import impossible_values
from juntos_eval.evidence.parse import parse_document
from juntos_eval.evidence.record import Finding, PublishedNumber
from juntos_eval.evidence.vocabulary import Domain

__all__ = ["Review", "load_reviews"]


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Review:
    """A published review and its pooled numbers.

    Attributes
    ----------
    id, citation, title, publication, evidence_base, method : str
    domain : str
    results : tuple of PublishedNumber
    """

    id: str
    citation: str
    title: str
    publication: str
    domain: Domain
    evidence_base: str
    method: str
    results: tuple[PublishedNumber, ...] = ()
    findings: tuple[Finding, ...] = ()
    year: int | None = None
    authors: tuple[str, ...] = ()
    link: str | None = None
    n_detail: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@lru_cache
def load_reviews() -> tuple[Review, ...]:
    """Return the reviews, validated as the studies are.

    Returns
    -------
    tuple of Review

    Raises
    ------
    SchemaError
        If a row breaks the schema or holds impossible values.

    Examples
    --------
    >>> from juntos_eval.evidence.pooled import load_reviews
    >>> reviews = load_reviews()
    >>> len(reviews), sum(len(review.results) for review in reviews)
    (9, 26)
    """
    name = "pooled_effects.yaml"
    text = (files("juntos_eval.evidence") / name).read_text(encoding="utf-8")
    content, _ = parse_document(text, file=name)
    try:
        reviews = TypeAdapter(tuple[Review, ...]).validate_python(content["reviews"])
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        raise SchemaError(f"a review is not valid: {first['msg']}", where=f"{name}: {first['loc']}") from None
    faults = [
        f"{review.id}, {row.id}: {fault}"
        for review in reviews
        for row in review.results
        for fault in impossible_values(row)
    ]
    if faults:
        raise SchemaError(f"impossible values: {'; '.join(faults[:5])}", where=name)
    return reviews
