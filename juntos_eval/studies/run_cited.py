"""Run a cited study in one of two ways; what fails is said and leaves the rest standing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.random import Generator
from pandas import DataFrame

from juntos_eval.errors import DesignError, JuntosError, SourceError
from juntos_eval.estimate import Estimate
from juntos_eval.evidence.load import load_record
from juntos_eval.evidence.record import StudyRecord
from juntos_eval.paths import RawFolder
from juntos_eval.studies.cited_study import CitedStudy, Mode, Question, Role, Specification
from juntos_eval.studies.comparison import Text
from juntos_eval.studies.recovery import Recovery, recover
from juntos_eval.studies.registry import load_study
from juntos_eval.studies.verdict import Verdict, cannot_run, compare, compare_sign

__all__ = ["REPLICATIONS", "SEED", "Answer", "StudyRun", "run_cited", "run_many"]

SEED: Final = 20051
REPLICATIONS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one specification gave on one frame.

    Attributes
    ----------
    question, specification : str
    role : str
    label : Text
    data : str
        ``one simulated sample``, ``synthetic survey files`` or ``real files``.
    value, std_error, low, high : float
        In published units.
    estimate : Estimate
    """

    question: str
    specification: str
    role: Role
    label: Text
    data: str
    value: float
    std_error: float
    low: float
    high: float
    estimate: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRun:
    """A run of a study.

    Attributes
    ----------
    study : str
    mode : {"synthetic", "real"}
    answers : tuple of Answer
    recoveries : tuple of Recovery
        Synthetic mode only.
    verdicts : tuple of Verdict
        One for each published number.
    assumptions : tuple of str
    troubles : tuple of str
        What could not be fitted, and why.
    failure : str
        Why the whole run gave nothing; empty where it did.
    """

    study: str
    mode: Mode
    answers: tuple[Answer, ...] = ()
    recoveries: tuple[Recovery, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    assumptions: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    failure: str = ""


Progress = Callable[[str, int, int], None]


def run_many(
    ids: Iterable[str],
    *,
    mode: Mode = "synthetic",
    raw: RawFolder | None = None,
    replications: int = REPLICATIONS,
    seed: int = SEED,
    overlay: Path | None = None,
    progress: Progress | None = None,
) -> tuple[StudyRun, ...]:
    """Run several studies; one that fails says why and leaves the others' results.

    Parameters
    ----------
    ids : iterable of str
    mode, raw, replications, seed, overlay, progress
        As in :func:`run_cited`.

    Returns
    -------
    tuple of StudyRun
    """
    runs = []
    for id_ in ids:
        try:
            run = run_cited(
                load_study(id_),
                mode=mode,
                raw=raw,
                replications=replications,
                seed=seed,
                overlay=overlay,
                progress=progress,
            )
        except JuntosError as error:
            run = StudyRun(study=id_, mode=mode, failure=str(error))
        except Exception as error:  # noqa: BLE001 - a fault of one study must not take the others along
            run = StudyRun(study=id_, mode=mode, failure=f"{type(error).__name__}: {error}")
        runs.append(run)
    return tuple(runs)


def run_cited(
    study: CitedStudy,
    *,
    mode: Mode = "synthetic",
    raw: RawFolder | None = None,
    replications: int = REPLICATIONS,
    seed: int = SEED,
    overlay: Path | None = None,
    progress: Progress | None = None,
) -> StudyRun:
    """Run a study in one of its two ways.

    Parameters
    ----------
    study : CitedStudy
    mode : {"synthetic", "real"}
        ``synthetic``: seeded simulations of the published size with the published effect planted; ``real``:
        the user's files.
    raw : RawFolder, optional
        Needed by ``real``.
    replications : int
        Of the simulation. With 0 one sample is fitted instead: its numbers are chance, and where there are
        replications no single sample is shown, lest one that happens to agree be taken for a replication.
    seed : int
    overlay : Path, optional
        A reader's own published numbers.
    progress : callable, optional
        Told the study, and steps done of steps to do.

    Returns
    -------
    StudyRun

    Raises
    ------
    SourceError
        In ``real``, with every file that is missing, from where, and into which folder.
    DesignError
        If the study has no such mode.

    Examples
    --------
    >>> from juntos_eval.studies.registry import load_study
    >>> from juntos_eval.studies.run_cited import run_cited
    >>> run = run_cited(load_study("andersen_2015"), replications=0)
    >>> run.verdicts[0].row, run.verdicts[0].verdict, round(run.verdicts[0].ours, 2)
    ('stunting_all_lt2_y', 'reproduced', -7.98)
    """
    record = load_record(study.id, overlay)
    if mode == "synthetic":
        return _synthetic(study, record, replications, seed, progress)
    if raw is None:
        raise SourceError(
            f"the mode '{mode}' needs a folder of raw files",
            where=study.id,
            remedy="name it: --data-raw FOLDER",
        )
    return _real(study, record, raw)


def _synthetic(
    study: CitedStudy, record: StudyRecord, replications: int, seed: int, progress: Progress | None
) -> StudyRun:
    recoveries: list[Recovery] = []
    frames: dict[str, DataFrame] = {}
    assumptions = list(study.assumptions)
    for position, question in enumerate(study.questions):
        planted = question.planted
        assumptions += [f"simulation, {question.id}: {line}" for line in planted.world.assumptions()]
        assumptions.append(
            f"simulation, {question.id}: effect {planted.effect * question.scale:g} {question.units} planted "
            f"({planted.origin})"
        )
        if replications:
            recoveries += recover(question, replications=replications, seed=seed)
        else:
            frames[question.id] = planted.world.draw(_generator(seed), planted.effect)
        if progress is not None:
            progress(study.id, position + 1, len(study.questions))
    if replications:
        answers, troubles = _on_the_twin(study, seed)
    else:
        answers, troubles = _fitted(study.questions, frames, "one simulated sample")
    return StudyRun(
        study=study.id,
        mode="synthetic",
        answers=tuple(answers),
        recoveries=tuple(recoveries),
        verdicts=_verdicts(study, record, (), "simulated data are no replication"),
        assumptions=tuple(dict.fromkeys(assumptions)),
        troubles=tuple(troubles),
    )


def _on_the_twin(study: CitedStudy, seed: int) -> tuple[list[Answer], list[str]]:
    """Run the code of the real mode on SYNTHETIC survey files of the released names and size."""
    if study.twin is None or study.frames is None:
        return [], []
    with tempfile.TemporaryDirectory() as folder:
        try:
            frames = study.frames(study.twin(Path(folder), seed))
        except JuntosError as error:
            return [], [f"synthetic survey files: {error}"]
    return _fitted(study.questions, frames, "synthetic survey files")


def _real(study: CitedStudy, record: StudyRecord, raw: RawFolder) -> StudyRun:
    if study.frames is None:
        items = "; ".join(item.item for item in record.missing) or "nothing named"
        raise DesignError(
            "the study has no real mode: its data are not to be had, or its design leaves too much open",
            where=study.id,
            remedy=f"missing: {items}",
        )
    missing = study.missing(raw)
    if missing:
        lines = "; ".join(f"{need.names[0]} into {need.folder} (from {need.source})" for need in missing)
        found = [need.what for need in study.needs if need not in missing]
        raise SourceError(
            f"{len(missing)} of {len(study.needs)} files of {study.id} are missing: {lines}",
            where=f"{raw.root}; found: {', '.join(found) or 'none'}",
            remedy="put them there, or run --mode synthetic",
        )
    frames = study.frames(raw)
    data = "synthetic survey files" if raw.is_synthetic else "real files"
    answers, troubles = _fitted(study.questions, frames, data)
    if raw.is_synthetic:
        verdicts = _verdicts(study, record, (), "the raw folder is synthetic: no replication")
    else:
        verdicts = _verdicts(study, record, answers, "")
    return StudyRun(
        study=study.id,
        mode="synthetic" if raw.is_synthetic else "real",
        answers=tuple(answers),
        verdicts=verdicts,
        assumptions=study.assumptions,
        troubles=tuple(troubles),
    )


def _fitted(
    questions: tuple[Question, ...], frames: Mapping[str, DataFrame], data: str
) -> tuple[list[Answer], list[str]]:
    answers: list[Answer] = []
    troubles: list[str] = []
    for question in questions:
        if question.id not in frames:
            troubles.append(f"{question.id}: no frame in these data")
            continue
        more, further = _answers(
            question.id, question.specifications, frames[question.id], question.scale, data
        )
        answers += more
        troubles += further
    return answers, troubles


def _answers(
    question: str, specifications: tuple[Specification, ...], frame: DataFrame, scale: float, data: str
) -> tuple[list[Answer], list[str]]:
    answers, troubles = [], []
    for one in specifications:
        try:
            estimate = one.fit(frame)
        except JuntosError as error:
            troubles.append(f"{question}, {one.id} on {data}: {error}")
            continue
        low, high = estimate.interval()[one.row]
        answers.append(
            Answer(
                question=question,
                specification=one.id,
                role=one.role,
                label=one.label,
                data=data,
                value=scale * float(estimate.values[one.row]),
                std_error=abs(scale) * float(estimate.uncertainty.std_error[one.row]),
                low=scale * float(low),
                high=scale * float(high),
                estimate=estimate,
            )
        )
    return answers, troubles


def _verdicts(
    study: CitedStudy, record: StudyRecord, answers: Iterable[Answer], why: str
) -> tuple[Verdict, ...]:
    """Return one verdict a published effect: recomputed ones first, then those that the run can answer."""
    given = list(answers)
    rows = {row.id: row for row in record.results}
    verdicts = [
        compare(rows[one.published], one.value(), how=one.how)
        for one in study.recomputations
        if one.published in rows
    ]
    done = {one.published for one in study.recomputations}
    for question in study.questions:
        ours = next((one for one in given if one.question == question.id and one.role == "published"), None)
        for name in question.published:
            if name in done or name not in rows:
                continue
            done.add(name)
            verdicts.append(
                cannot_run(name, why or "nothing of ours answers it")
                if ours is None
                else compare(rows[name], ours.value, how=ours.label.en)
            )
        if question.finding is not None:
            verdicts += _sign_verdicts(question, record, ours, why)
    left = [row for row in record.impacts if row.id not in done]
    verdicts += [cannot_run(row.id, why or "no question of ours asks for it") for row in left]
    return tuple(verdicts)


def _sign_verdicts(question: Question, record: StudyRecord, ours: Answer | None, why: str) -> list[Verdict]:
    wanted = [
        finding for finding in record.findings if (finding.outcome, finding.subgroup) == question.finding
    ]
    if ours is None:
        return [cannot_run(f"{finding.outcome} ({finding.direction})", why) for finding in wanted]
    return [compare_sign(finding, ours.value, ours.std_error) for finding in wanted]


def _generator(seed: int) -> Generator:
    return np.random.default_rng([seed, 0])
