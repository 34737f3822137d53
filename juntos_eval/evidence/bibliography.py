"""Citations for other programs: BibTeX and RIS."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from juntos_eval.evidence.record import StudyRecord

__all__ = ["bibtex", "ris"]

_ESCAPES: Final = {"\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_"}
_DOI: Final = re.compile(r"\b10\.\d{4,9}/[^\s;,]+[^\s;,.)]")


def bibtex(records: Iterable[StudyRecord]) -> str:
    """Return the records as BibTeX, one entry a study, the record's id as its key.

    Parameters
    ----------
    records : iterable of StudyRecord

    Returns
    -------
    str

    Examples
    --------
    >>> from juntos_eval.evidence.load import load_record
    >>> print(bibtex([load_record("perova_vakis_2012")]).splitlines()[0])
    @article{perova_vakis_2012,
    """
    return "\n".join(_entry(record) for record in records)


def _entry(record: StudyRecord) -> str:
    fields = {
        "author": " and ".join(_escaped(author) for author in record.authors),
        "title": "{" + _escaped(record.title) + "}",
        "year": str(record.year or ""),
        "journal" if _is_article(record) else "howpublished": _escaped(record.publication),
        "doi": _doi(record),
        "url": record.link or "",
        "keywords": f"{record.domain}, {record.design.family}",
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join(
        [f"@{'article' if _is_article(record) else 'techreport'}{{{record.id},", *lines, "}", ""]
    )


def ris(records: Iterable[StudyRecord]) -> str:
    """Return the records in the RIS format, which reference managers read.

    Parameters
    ----------
    records : iterable of StudyRecord

    Returns
    -------
    str

    Examples
    --------
    >>> from juntos_eval.evidence.load import load_record
    >>> ris([load_record("perova_vakis_2012")]).splitlines()[:2]
    ['TY  - JOUR', 'ID  - perova_vakis_2012']
    """
    return "".join(_reference(record) for record in records)


def _reference(record: StudyRecord) -> str:
    tags = [("TY", "JOUR" if _is_article(record) else "RPRT"), ("ID", record.id)]
    tags += [("AU", author) for author in record.authors]
    tags += [
        ("TI", record.title),
        ("PY", str(record.year or "")),
        ("JO" if _is_article(record) else "PB", record.publication),
        ("DO", _doi(record)),
        ("UR", record.link or ""),
        ("KW", record.domain),
        ("KW", record.design.family),
    ]
    lines = [f"{tag}  - {' '.join(value.split())}" for tag, value in tags if value]
    return "\n".join([*lines, "ER  - ", "", ""])


def _is_article(record: StudyRecord) -> bool:
    return bool(re.search(r"\d+\(\d+\)|\d+:\d|\bJournal\b|\bReview\b|\bRevista\b", record.publication))


def _doi(record: StudyRecord) -> str:
    found = _DOI.search(f"{record.citation} {record.link or ''}")
    return found.group(0) if found else ""


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(letter, letter) for letter in text)
