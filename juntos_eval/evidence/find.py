"""Find records by words, domain, design family, or how much was seen."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from juntos_eval.errors import DesignError
from juntos_eval.evidence.record import StudyRecord
from juntos_eval.evidence.vocabulary import DOMAINS

__all__ = ["Hit", "search", "with_topic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A record that has every word asked for, with the passages that have them.

    Attributes
    ----------
    record : StudyRecord
    passages : tuple of str
    score : int
        How many of its passages have a word, those of title and outcomes counted thrice.
    """

    record: StudyRecord
    passages: tuple[str, ...]
    score: int


def search(records: Iterable[StudyRecord], words: str) -> tuple[Hit, ...]:
    """Return the records that have every word, the best first; accents and capitals do not count.

    Parameters
    ----------
    records : iterable of StudyRecord
    words : str
        Words between spaces; a word also finds what begins with it.

    Returns
    -------
    tuple of Hit

    Raises
    ------
    DesignError
        If no word is asked for.

    Examples
    --------
    >>> from juntos_eval.evidence.load import load_records
    >>> [hit.record.id for hit in search(load_records(), "spousal abuse")]
    ['diaz_saldarriaga_2022']
    """
    wanted = _folded(words).split()
    if not wanted:
        raise DesignError("no word was asked for", remedy='such as: juntos-eval evidence search "attendance"')
    hits = []
    for record in records:
        strong, weak = _passages(record)
        text = [(passage, _folded(passage)) for passage in (*strong, *weak)]
        if all(any(_begins(word, folded) for _, folded in text) for word in wanted):
            found = [passage for passage, folded in text if any(_begins(word, folded) for word in wanted)]
            score = sum(3 if passage in strong else 1 for passage in found)
            hits.append(Hit(record=record, passages=tuple(dict.fromkeys(found)), score=score))
    return tuple(sorted(hits, key=lambda hit: (-hit.score, hit.record.list_order or 1000, hit.record.id)))


def with_topic(records: Iterable[StudyRecord], topic: str) -> tuple[StudyRecord, ...]:
    """Return the records whose main domain, or that of a finding, is the one asked for.

    Parameters
    ----------
    records : iterable of StudyRecord
    topic : str
        A domain, or the beginning of one.

    Returns
    -------
    tuple of StudyRecord

    Raises
    ------
    DesignError
        If no domain begins so.
    """
    asked = _folded(topic).strip().replace(" ", "_").replace("-", "_")
    domains = {domain for domain in DOMAINS if domain.startswith(asked)}
    if not domains or not asked:
        raise DesignError(
            f"there is no topic '{topic}'", where="--topic", remedy=f"one of {', '.join(DOMAINS)}"
        )
    return tuple(
        record
        for record in records
        if record.domain in domains or any(finding.domain in domains for finding in record.findings)
    )


def _begins(word: str, text: str) -> bool:
    return f" {word}" in f" {text}"


def _folded(text: str) -> str:
    bare = "".join(
        letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter)
    )
    return "".join(letter if letter.isalnum() else " " for letter in bare.casefold())


def _passages(record: StudyRecord) -> tuple[list[str], list[str]]:
    strong = [record.title, record.id, record.domain, record.design.family]
    strong += [outcome.name for outcome in record.outcomes]
    strong += [row.outcome for row in record.results] + [finding.outcome for finding in record.findings]
    weak = [record.citation]
    weak += [
        text for text in (record.topic, record.treatment, record.comparison, record.identification) if text
    ]
    weak += [text for text in (record.data.survey, record.data.unit) if text] + list(record.notes)
    weak += [str(value) for value in asdict(record)["estimator"].values() if isinstance(value, str)]
    weak += [outcome.definition for outcome in record.outcomes if outcome.definition]
    return strong, weak
