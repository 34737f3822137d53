"""The cited studies that can be run: the folder ``cited`` is the list."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from juntos_eval.errors import DesignError
from juntos_eval.evidence.load import load_record
from juntos_eval.evidence.record import StudyRecord
from juntos_eval.studies import cited
from juntos_eval.studies.cited_study import CitedStudy

__all__ = ["load_study", "runnable", "why_not"]


@lru_cache
def runnable() -> tuple[str, ...]:
    """Return the ids of the studies that can be run, by name.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from juntos_eval.studies.registry import runnable
    >>> "andersen_2015" in runnable()
    True
    """
    return tuple(sorted(module.name for module in iter_modules(cited.__path__)))


def load_study(id: str) -> CitedStudy:  # noqa: A002
    """Return a study that can be run.

    Parameters
    ----------
    id : str

    Returns
    -------
    CitedStudy

    Raises
    ------
    DesignError
        If the study is known but has no design that can run, with the reason.
    SourceError
        If there is no such study.

    Examples
    --------
    >>> from juntos_eval.studies.registry import load_study
    >>> len(load_study("andersen_2015").questions)
    6
    """
    if id not in runnable():
        record = load_record(id)
        raise DesignError(
            f"the study {id} cannot be run: {why_not(record)}",
            where=record.citation[:80],
            remedy="see `juntos-eval evidence show`, and `juntos-eval study list` for those that can",
        )
    study: CitedStudy = import_module(f"{cited.__name__}.{id}").STUDY
    return study


def why_not(record: StudyRecord) -> str:
    """Return why a record has no runnable design.

    Parameters
    ----------
    record : StudyRecord

    Returns
    -------
    str

    Examples
    --------
    >>> from juntos_eval.evidence.load import load_record
    >>> from juntos_eval.studies.registry import why_not
    >>> why_not(load_record("cookson_2018"))
    'qualitative work: it is coded for the evidence map, there is nothing to compute'
    """
    family = record.design.family
    if family in {"qualitative", "process"}:
        kind = "qualitative work" if family == "qualitative" else "a process evaluation"
        return f"{kind}: it is coded for the evidence map, there is nothing to compute"
    if family == "unknown":
        return f"its design is not known; missing: {_items(record, {'full_text', 'definition', 'data'})}"
    if family == "microsimulation":
        return "a simulation of policies, no estimate of an effect: see the simulations"
    if family == "descriptive":
        return "it describes and estimates no effect"
    return f"no design of ours yet; missing: {_items(record, {'full_text', 'table', 'definition', 'data'})}"


def _items(record: StudyRecord, kinds: Iterable[str]) -> str:
    return "; ".join(item.item for item in record.missing if item.kind in kinds) or "nothing named"
