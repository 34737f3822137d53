"""The findings' sentences, chosen by rules from the numbers and the checks, in either language."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from juntos_eval.reporting.details import check_label
from juntos_eval.reporting.judgement import (
    OFF_SUPPORT_LIMIT,
    SMD_LIMIT,
    Agreement,
    agreement,
    balance_facts,
    covers,
    direction,
    doubts,
    failed_checks,
    hidden_bias,
    is_overlap_good,
    other_failures,
)
from juntos_eval.reporting.language import Language
from juntos_eval.reporting.questions import Question
from juntos_eval.reporting.report_input import ReportedEstimate

__all__ = ["Sentence", "brief", "demonstration_findings", "findings"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and the rule that chose it.

    Attributes
    ----------
    rule : str
        Key of the sentence in the locale, ``finding.raw.positive`` say.
    text : str

    Examples
    --------
    >>> from juntos_eval.reporting.text import Sentence
    >>> Sentence("finding.raw.missing", "No raw gap can be shown.").rule
    'finding.raw.missing'
    """

    rule: str
    text: str

    @property
    def subject(self) -> str:
        """What it speaks of: ``raw``, ``balance``, ``reading`` and so on."""
        return self.rule.split(".")[1]

    @property
    def mark(self) -> Literal["good", "bad", "note"]:
        """Whether it reports something that passed, that failed, or neither."""
        verdict = self.rule.rsplit(".", 1)[-1]
        if verdict in ("good", "good_bound", "passed"):
            return "good"
        return "bad" if verdict in ("bad", "bad_bound", "failed") else "note"


def findings(question: Question, words: Language, *, is_synthetic: bool) -> tuple[Sentence, ...]:
    """Return what the numbers of one question say.

    In this order: raw gap, adjusted difference, how the two stand to each other, whether designs agree,
    balance, overlap, failed checks, hidden bias, how to read it, and in a synthetic run the planted truth.

    Parameters
    ----------
    question : Question
    words : Language
    is_synthetic : bool

    Returns
    -------
    tuple of Sentence

    Examples
    --------
    >>> from juntos_eval.reporting.text import findings
    >>> from juntos_eval.reporting.language import language
    >>> from juntos_eval.reporting.questions import Question
    >>> findings(Question(study="s", outcome="o", population="p", year="2024", estimates=(),
    ...                   headline_design="ipw"), language("en"), is_synthetic=False)
    ()
    """
    if not question.estimates:
        return ()
    made = [_raw(question, words), _adjusted(question, words)]
    if question.main is not None:
        made += [
            *_change(question, words),
            *_agreement(question, words),
            _balance(question.main, words),
            _overlap(question.main, words),
            _checks(question.main, words),
            *_bias(question, words),
            *_reading(question, words),
        ]
        if is_synthetic:
            made.append(_truth(question.main, words))
    return tuple(made)


def brief(question: Question, words: Language) -> tuple[Sentence, ...]:
    """Return a question's answer in one line, for a list of many.

    Parameters
    ----------
    question : Question
    words : Language

    Returns
    -------
    tuple of Sentence

    Examples
    --------
    >>> from juntos_eval.reporting.text import brief
    >>> from juntos_eval.reporting.language import language
    >>> from juntos_eval.reporting.questions import Question
    >>> brief(Question(study="s", outcome="o", population="p", year="2024", estimates=(),
    ...                headline_design="ipw"), language("es"))
    ()
    """
    if not question.estimates:
        return ()
    main, raw = question.main, question.raw
    title = question.title.of(words.code)
    if main is None or raw is None:
        return (_say(words, "finding.brief.missing", title=title),)
    values = _limits(main, words) | {
        "raw": words.effect(raw.value, raw.unit),
        "value": words.effect(main.value, main.unit),
    }
    made = [_say(words, f"finding.brief.{direction(main.interval)}", title=title, **values)]
    if agreement(question.adjusted).kind == "mixed":
        made.append(_say(words, "finding.brief.mixed"))
    return tuple(made)


def demonstration_findings(shown: ReportedEstimate, words: Language) -> tuple[Sentence, ...]:
    """Return what a difference-in-differences of two waves says, and why it is only a demonstration.

    Parameters
    ----------
    shown : ReportedEstimate
        With its ``trend``, from which first and last period are taken.
    words : Language

    Returns
    -------
    tuple of Sentence

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.text import demonstration_findings
    >>> from juntos_eval.reporting.language import language
    >>> demonstration_findings(example_input().estimates[-1], language("en"))[0].rule
    'finding.demonstration.unclear'
    """
    periods = sorted({str(point.time) for point in shown.trend}) or [shown.year, shown.year]
    values = _amounts(shown, words) | {
        "first": periods[0],
        "last": periods[-1],
        "Outcome": shown.labels["outcome"].capitalised.of(words.code),
        "population": shown.labels["population"].inline.of(words.code),
    }
    return (
        _say(words, f"finding.demonstration.{direction(shown.interval)}", **values),
        _say(words, "finding.demonstration.caveat"),
    )


def _say(words: Language, rule: str, **values: str) -> Sentence:
    return Sentence(rule, words.say(rule, **values))


def _limits(shown: ReportedEstimate, words: Language) -> dict[str, str]:
    low, high = shown.interval
    return {"low": words.effect(low, shown.unit), "high": words.effect(high, shown.unit)}


def _amounts(shown: ReportedEstimate, words: Language) -> dict[str, str]:
    return _limits(shown, words) | {
        "value": words.amount(shown.value, shown.unit, is_signed=True),
        "size": words.amount(abs(shown.value), shown.unit),
        "level": words.percent(shown.level, 0),
    }


def _raw(question: Question, words: Language) -> Sentence:
    place = {
        "Outcome": question.label("outcome").capitalised.of(words.code),
        "population": question.label("population").inline.of(words.code),
        "year": question.year,
    }
    if question.raw is None:
        return _say(words, "finding.raw.missing", **place)
    rule = f"finding.raw.{direction(question.raw.interval)}"
    return _say(words, rule, **place, **_amounts(question.raw, words))


def _adjusted(question: Question, words: Language) -> Sentence:
    main = question.main
    if main is None:
        return _say(words, "finding.adjusted.missing")
    design = main.labels["design"].inline.without_remark.of(words.code)
    return _say(words, f"finding.adjusted.{direction(main.interval)}", design=design, **_amounts(main, words))


def _change(question: Question, words: Language) -> Iterator[Sentence]:
    raw, main = question.raw, question.main
    if raw is None or main is None or math.isnan(raw.value * main.value) or raw.value == 0:
        return
    if raw.value * main.value < 0:
        is_clear = direction(main.interval) in ("positive", "negative")
        yield _say(words, f"finding.change.{'reversed' if is_clear else 'gone'}")
    elif abs(main.value) > abs(raw.value):
        amounts = (words.effect(main.value, main.unit), words.effect(raw.value, raw.unit))
        yield _say(words, "finding.change.larger", value=amounts[0], raw=amounts[1])
    else:
        yield _say(words, "finding.change.smaller", share=words.percent(1 - main.value / raw.value, 0))


def _agreement(question: Question, words: Language) -> Iterator[Sentence]:
    facts = agreement(question.adjusted)
    if facts.count == 1:
        yield _say(words, "finding.agreement.single")
    if facts.count < 2:
        return
    unit = question.adjusted[0].unit
    yield _say(
        words,
        f"finding.agreement.{facts.kind}",
        count=words.integer(facts.count),
        positive=words.integer(facts.positive),
        negative=words.integer(facts.negative),
        intervals=_intervals(facts, words),
        low=words.effect(facts.low, unit),
        high=words.amount(facts.high, unit, is_signed=True),
    )


def _intervals(facts: Agreement, words: Language) -> str:
    clear = facts.clear_positive + facts.clear_negative
    amount = "all" if clear == facts.count else "some" if clear else "none"
    return words.say(f"finding.agreement.intervals_{amount}", clear=words.integer(clear))


def _balance(main: ReportedEstimate, words: Language) -> Sentence:
    facts = balance_facts(main.balance)
    if facts is None:
        return _say(words, "finding.balance.unknown")
    return _say(
        words,
        f"finding.balance.{'good' if facts.is_good else 'bad'}",
        covariates=words.integer(facts.covariates),
        before=words.decimal(facts.before, 2),
        # three digits where two would print 0.10 for a number beyond 0.10
        after=words.decimal(facts.after, 3 if abs(facts.after - SMD_LIMIT) < 0.005 else 2),
        worst=facts.worst.inline.of(words.code),
        limit=words.decimal(SMD_LIMIT, 2),
        beyond=words.integer(facts.beyond),
    )


def _overlap(main: ReportedEstimate, words: Language) -> Sentence:
    is_good = is_overlap_good(main.overlap)
    if main.overlap is None or is_good is None:
        return _say(words, "finding.overlap.unknown")
    rule = f"finding.overlap.{'good' if is_good else 'bad'}"
    return _say(
        words,
        f"{rule}_bound" if main.overlap.is_share_bounded else rule,
        share=words.percent(main.overlap.share_off_support),
        limit=words.percent(OFF_SUPPORT_LIMIT, 0),
    )


def _checks(main: ReportedEstimate, words: Language) -> Sentence:
    decided = [check for check in main.estimate.checks if check.passed is not None]
    failed = failed_checks(decided)
    if not decided:
        return _say(words, "finding.checks.missing")
    if not failed:
        return _say(words, "finding.checks.passed", count=words.integer(len(decided)))
    return _say(
        words,
        "finding.checks.failed",
        count=words.integer(len(decided)),
        failed=words.integer(len(failed)),
        names=_names(failed, words),
    )


def _names(names: tuple[str, ...], words: Language) -> str:
    return words.listed([check_label(name).of(words.code) for name in dict.fromkeys(names)])


def _bias(question: Question, words: Language) -> Iterator[Sentence]:
    tested = question.tested
    if tested is None or tested.sensitivity is None:
        yield _say(words, "finding.bias.unknown")
        return
    kind: str = hidden_bias(tested.sensitivity)
    gamma = tested.sensitivity.critical_gamma
    shown = float(tested.sensitivity.gamma.max()) if math.isinf(gamma) else gamma
    main = question.main
    if kind not in ("none", "unknown") and main is not None and direction(main.interval) == "unclear":
        kind = "unclear"
    yield _say(words, f"finding.bias.{kind}", gamma=words.decimal(shown, 2))
    if tested is not main:
        yield _say(
            words,
            "finding.bias.elsewhere",
            design=tested.labels["design"].inline.without_remark.of(words.code),
        )


def _reading(question: Question, words: Language) -> Iterator[Sentence]:
    main = question.main
    if main is None:
        return
    kind = _reading_kind(main)
    doubt = doubts(question)
    names = _names(other_failures(main.estimate.checks), words)
    reasons = words.listed([words.say(f"finding.reason.{reason}", names=names) for reason in doubt])
    outcome = question.label("outcome").inline.without_remark.of(words.code)
    # where more is better, it is a negative difference that asks for this reading
    rule = "harm_negative" if kind == "harm" and main.value < 0 else kind
    yield _say(words, f"finding.reading.{rule}", outcome=outcome, **_limits(main, words))
    if kind in ("harm", "hoped"):
        rule = f"finding.reading.{kind}_{'unsupported' if doubt else 'supported'}"
        yield _say(words, rule, reasons=reasons)
    elif kind == "unclear" and doubt:
        yield _say(words, "finding.reading.unclear_unsupported", reasons=reasons)


def _reading_kind(main: ReportedEstimate) -> str:
    towards = direction(main.interval)
    if towards == "unclear":
        return "unclear"
    if towards == "unknown" or main.better is None:
        return "neutral"
    is_hoped = (towards == "negative") == (main.better == "lower")
    return "hoped" if is_hoped else "harm"


def _truth(main: ReportedEstimate, words: Language) -> Sentence:
    is_covered = covers(main.interval, main.truth)
    if main.truth is None or is_covered is None:
        return _say(words, "finding.truth.unknown")
    truth = words.amount(main.truth, main.unit, is_signed=True)
    return _say(words, f"finding.truth.{'covered' if is_covered else 'missed'}", truth=truth)
