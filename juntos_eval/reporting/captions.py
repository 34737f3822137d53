"""What fills the braces of captions: numbers, read from the input."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from juntos_eval.reporting.judgement import SMD_LIMIT, agreement, balance_facts, covers, direction
from juntos_eval.reporting.language import Language
from juntos_eval.reporting.questions import Question, headline_question, questions
from juntos_eval.reporting.report_input import (
    CHILD_WORK,
    ENTRANTS,
    FOOD_INSECURITY,
    RAW_GAP,
    ReportedEstimate,
    ReportInput,
)
from juntos_eval.reporting.suppression import is_publishable

__all__ = ["CAPTIONS"]

Values = dict[str, str]


def _files(content: ReportInput, words: Language) -> Values:
    files = content.run.input_files
    rows = sum(file.rows or 0 for file in files)
    return {"files": words.integer(len(files)), "rows": words.integer(rows)}


def _headline(content: ReportInput, words: Language) -> Values:
    question = headline_question(content)
    facts, unit = agreement(question.adjusted), question.estimates[0].unit
    return {
        "question": question.title.of(words.code),
        "unit": words.say(f"unit.{unit}.name"),
        "low": words.effect(facts.low, unit),
        "high": words.effect(facts.high, unit),
        "designs": words.integer(facts.count),
    }


def _study(content: ReportInput, words: Language, study: str) -> Values:
    asked = questions(content, study)
    adjusted = [shown for question in asked for shown in question.adjusted]
    clear = [shown for shown in adjusted if direction(shown.interval) in ("positive", "negative")]
    return {
        "estimates": words.integer(sum(len(question.estimates) for question in asked)),
        "questions": words.integer(len(asked)),
        "adjusted": words.integer(len(adjusted)),
        "clear": words.integer(len(clear)),
        "level": _level(content, words),
    }


def _child_work(content: ReportInput, words: Language) -> Values:
    return _study(content, words, CHILD_WORK)


def _food_insecurity(content: ReportInput, words: Language) -> Values:
    return _study(content, words, FOOD_INSECURITY)


def _balance(content: ReportInput, words: Language) -> Values:
    question = headline_question(content)
    facts = [(shown.labels["design"], balance_facts(shown.balance)) for shown in question.adjusted]
    failures = [
        words.say(
            "exhibit.balance.caption_some",
            count=words.integer(found.beyond),
            covariates=words.integer(found.covariates),
            design=label.inline.without_remark.of(words.code),
        )
        for label, found in facts
        if found is not None and found.beyond
    ]
    return {
        "question": question.title.of(words.code),
        "limit": words.decimal(SMD_LIMIT, 2),
        "beyond": "; ".join(failures) or words.say("exhibit.balance.caption_all"),
    }


def _love(content: ReportInput, words: Language) -> Values:
    return {
        "question": headline_question(content).title.of(words.code),
        "limit": words.decimal(SMD_LIMIT, 2),
    }


def _overlap(content: ReportInput, words: Language) -> Values:
    question = headline_question(content)
    main = question.main
    shown = main if main and main.overlap else next(s for s in question.adjusted if s.overlap is not None)
    overlap = shown.overlap
    is_bounded = overlap is not None and overlap.is_share_bounded
    return {
        "question": question.title.of(words.code),
        "off": words.say(
            f"exhibit.overlap.{'off_bound' if is_bounded else 'off'}",
            share=words.percent(overlap.share_off_support if overlap else math.nan),
            design=shown.labels["design"].inline.without_remark.of(words.code),
        ),
    }


def _sensitivity(content: ReportInput, words: Language) -> Values:
    curve = next(shown.sensitivity for shown in content.estimates if shown.sensitivity is not None)
    return {"alpha": words.decimal(curve.alpha, 2)}


def _checks(content: ReportInput, words: Language) -> Values:
    question = headline_question(content)
    results = [
        check.passed
        for shown in question.estimates
        if is_publishable(shown)
        for check in shown.estimate.checks
    ]
    return {
        "question": question.title.of(words.code),
        "passed": words.integer(results.count(True)),
        "failed": words.integer(results.count(False)),
        "noted": words.integer(results.count(None)),
    }


def _checks_count(content: ReportInput, words: Language) -> Values:
    return {"estimates": words.integer(sum(bool(shown.estimate.checks) for shown in content.estimates))}


def _truth(content: ReportInput, words: Language) -> Values:
    shown = [entry for entry in content.estimates if is_publishable(entry)]
    adjusted = _covered([entry for entry in shown if entry.design != RAW_GAP])
    raw = _covered([entry for entry in shown if entry.design == RAW_GAP])
    return {
        "covered": words.integer(sum(adjusted)),
        "count": words.integer(len(adjusted)),
        "raw_covered": words.integer(sum(raw)),
        "raw": words.integer(len(raw)),
    }


def _covered(shown: Sequence[ReportedEstimate]) -> list[bool]:
    answers = [covers(entry.interval, entry.truth) for entry in shown]
    return [answer for answer in answers if answer is not None]


def _raw_and_adjusted(content: ReportInput, words: Language) -> Values:
    pairs = [_pair(question) for question in questions(content) if question.study != ENTRANTS]
    known = [pair for pair in pairs if pair is not None]
    return {
        "design": content.headline_estimate.labels["design"].inline.without_remark.of(words.code),
        "nearer": words.integer(sum(abs(main) < abs(raw) for raw, main in known)),
        "count": words.integer(len(known)),
        "level": _level(content, words),
    }


def _pair(question: Question) -> tuple[float, float] | None:
    if question.raw is None or question.main is None:
        return None
    return question.raw.value, question.main.value


def _level(content: ReportInput, words: Language) -> str:
    return words.percent(content.headline_estimate.level, 0)


def _only_level(content: ReportInput, words: Language) -> Values:
    return {"level": _level(content, words)}


#: By exhibit; those whose caption has no number are not listed.
CAPTIONS: Final[Mapping[str, Callable[[ReportInput, Language], Values]]] = {
    "data-files": _files,
    "headline": _headline,
    "raw-and-adjusted": _raw_and_adjusted,
    "child-work-figure": _child_work,
    "child-work-table": _child_work,
    "food-insecurity-figure": _food_insecurity,
    "food-insecurity-table": _food_insecurity,
    "food-insecurity-shares": _only_level,
    "balance": _balance,
    "love-plot": _love,
    "overlap": _overlap,
    "sensitivity-bounds": _sensitivity,
    "sensitivity-curve": _sensitivity,
    "checks": _checks,
    "checks-count": _checks_count,
    "demonstration-figure": _only_level,
    "truth": _truth,
}
