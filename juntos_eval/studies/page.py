"""One page a study: question, data, design, published against ours, and what would change the conclusion."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from juntos_eval.errors import DesignError
from juntos_eval.evidence.load import load_record
from juntos_eval.studies.cited_study import MODE_LABELS, CitedStudy
from juntos_eval.studies.registry import load_study
from juntos_eval.studies.run_cited import StudyRun

__all__ = ["page"]


def page(run: StudyRun, *, overlay: Path | None = None) -> str:
    """Return the page of a run, as Markdown; the label of its mode stands over every table.

    Parameters
    ----------
    run : StudyRun
    overlay : Path, optional

    Returns
    -------
    str
    """
    record = load_record(run.study, overlay)
    label = MODE_LABELS[run.mode]
    head = [f"# {run.study}", "", " ".join(record.citation.split()), "", f"**{label.en}.** *{label.es}.*", ""]
    try:
        study = load_study(run.study)
    except DesignError as error:
        return "\n".join([*head, "## Not run", "", str(error), ""])
    if run.failure:
        return "\n".join([*head, "## Not run", "", run.failure, ""])
    parts = [
        _question(study, record.data.survey or "not stated", record.identification or "not stated"),
        _verdicts(run),
        _recoveries(run),
        _answers(run),
        _checks(run),
        _bullets("What our choices fill in", run.assumptions),
        _bullets("What could not be fitted", run.troubles),
        _bullets("What would change the conclusion", study.would_change),
        _bullets("What a replication still needs", [f"{item.kind}: {item.item}" for item in record.missing]),
    ]
    return "\n".join([*head, *(line for part in parts for line in part)])


def _question(study: CitedStudy, survey: str, identification: str) -> list[str]:
    asked = [f"- {question.label.en} ({question.units})" for question in study.questions]
    return [
        f"## {study.title.en}",
        "",
        *asked,
        "",
        f"Data: {' '.join(survey.split())}.",
        "",
        f"Identification: {' '.join(identification.split())}",
        "",
        "```",
        study.equation,
        "```",
        "",
    ]


def _verdicts(run: StudyRun) -> list[str]:
    rows = [
        (one.row, _number(one.published), _number(one.ours), one.verdict, one.detail) for one in run.verdicts
    ]
    return _table("Published against ours", ("number", "published", "ours", "verdict", "why"), rows)


def _recoveries(run: StudyRun) -> list[str]:
    rows = [
        (
            one.question,
            one.specification + ("" if one.is_valid else " (not valid here)"),
            _number(one.truth),
            f"{one.replications} of {one.replications + one.failed}",
            f"{_number(one.mean)} ± {_number(one.simulation_error)}",
            _number(one.bias),
            f"{100 * one.coverage:.1f} %",
            f"{100 * one.power:.0f} %",
            _number(one.detectable),
            _number(one.exaggeration),
        )
        for one in run.recoveries
    ]
    head = (
        "question",
        "specification",
        "planted",
        "fitted",
        "mean ± simulation error",
        "bias",
        "coverage",
        "power",
        "MDE",
        "exaggeration",
    )
    count = max((one.replications for one in run.recoveries), default=0)
    return _table(f"SYNTHETIC: is the planted effect found? ({count} replications)", head, rows)


def _answers(run: StudyRun) -> list[str]:
    rows = [
        (
            one.question,
            f"{one.label.en} ({one.role})",
            one.data,
            _number(one.value),
            _number(one.std_error),
            f"{_number(one.low)} to {_number(one.high)}",
            str(one.estimate.sample.units),
        )
        for one in run.answers
    ]
    head = ("question", "specification", "data", "value", "error", "95 %", "units")
    return _table(f"Estimates. {MODE_LABELS[run.mode].en}", head, rows)


def _checks(run: StudyRun) -> list[str]:
    said = {
        f"{one.question}, {one.specification}: {check.name}: {check.detail}"
        for one in run.answers
        for check in one.estimate.checks
        if check.passed is False
    }
    return _bullets("Checks that did not pass", sorted(said))


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    lines = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return [f"## {title}", "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines, ""]


def _bullets(title: str, lines: Iterable[str]) -> list[str]:
    listed = [f"- {' '.join(line.split())}" for line in lines]
    return [f"## {title}", "", *listed, ""] if listed else []


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4g}"
