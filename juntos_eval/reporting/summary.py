"""What stands at the top of the page: the headline in numbers, and every other answer in a line."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from juntos_eval.reporting.details import inference_label
from juntos_eval.reporting.judgement import balance_facts
from juntos_eval.reporting.language import DASH, Language, language
from juntos_eval.reporting.questions import headline_question, questions
from juntos_eval.reporting.report_input import ENTRANTS, RAW_GAP, Label, ReportedEstimate, ReportInput
from juntos_eval.reporting.suppression import is_publishable
from juntos_eval.reporting.table import both
from juntos_eval.reporting.text import Sentence, brief, demonstration_findings, findings

__all__ = [
    "Choice",
    "Fact",
    "choices",
    "demonstration_sentences",
    "headline_facts",
    "headline_sentences",
    "inference_names",
    "other_sentences",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A number of the headline.

    Attributes
    ----------
    name, value : Label
    unit, interval : Label, optional
    is_main : bool

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import Label
    >>> from juntos_eval.reporting.summary import Fact
    >>> Fact(name=Label("a", "a"), value=Label("1", "1")).is_main
    False
    """

    name: Label
    value: Label
    unit: Label | None = None
    interval: Label | None = None
    is_main: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """What a design was told to do.

    Attributes
    ----------
    design : Label
    spec : str
        ``name=value`` pairs.

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import Label
    >>> from juntos_eval.reporting.summary import Choice
    >>> Choice(Label("a", "a"), "ratio=1").spec
    'ratio=1'
    """

    design: Label
    spec: str


def headline_facts(content: ReportInput) -> tuple[Fact, ...]:
    """Return raw gap, adjusted difference, critical gamma, largest imbalance and planted truth.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    tuple of Fact

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.summary import headline_facts
    >>> [fact.value.es for fact in headline_facts(example_input())]
    ['+20,0', '−2,0', '1,45', '0,06', '−3,0']
    """
    return tuple(_facts(content))


def _facts(content: ReportInput) -> Iterator[Fact]:
    question = headline_question(content)
    main = question.main
    if question.raw is not None:
        yield _difference(both("page.raw_gap"), question.raw)
    if main is None:
        return
    name = both("page.adjusted_gap")
    design = main.labels["design"].inline.without_remark
    yield _difference(Label(f"{name.en}, {design.en}", f"{name.es}, {design.es}"), main, is_main=True)
    tested = question.tested
    if tested is not None and tested.sensitivity is not None:
        gamma = tested.sensitivity.critical_gamma
        top = float(tested.sensitivity.gamma.max())
        beyond = math.isinf(gamma)
        yield Fact(
            name=both("page.critical_gamma"),
            value=_written(
                lambda words: f"{'>' if beyond else ''}{words.decimal(top if beyond else gamma, 2)}"
            ),
        )
    balance = balance_facts(main.balance)
    if balance is not None:
        yield Fact(
            name=both("page.largest_smd"), value=_written(lambda words: words.decimal(balance.after, 2))
        )
    truth = main.truth
    if truth is not None:
        yield Fact(
            name=both("page.truth"),
            value=_written(lambda words: words.effect(truth, main.unit)),
            unit=both(f"unit.{main.unit}.short"),
        )


def _difference(name: Label, shown: ReportedEstimate, *, is_main: bool = False) -> Fact:
    low, high = shown.interval

    def interval(words: Language) -> str:
        if math.isnan(low):
            return DASH
        ends = words.span(words.effect(low, shown.unit), words.effect(high, shown.unit))
        return f"{words.say('column.interval', level=words.percent(shown.level, 0))} {ends}"

    return Fact(
        name=name,
        value=_written(lambda words: words.effect(shown.value, shown.unit)),
        unit=both(f"unit.{shown.unit}.short"),
        interval=_written(interval),
        is_main=is_main,
    )


def _written(write: Callable[[Language], str]) -> Label:
    return Label(write(language("en")), write(language("es")))


def headline_sentences(content: ReportInput, words: Language) -> tuple[Sentence, ...]:
    """Return the findings on the headline question.

    Parameters
    ----------
    content : ReportInput
    words : Language

    Returns
    -------
    tuple of Sentence

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.language import language
    >>> from juntos_eval.reporting.summary import headline_sentences
    >>> headline_sentences(example_input(), language("en"))[0].rule
    'finding.raw.positive'
    """
    return findings(headline_question(content), words, is_synthetic=content.run.is_synthetic)


def other_sentences(content: ReportInput, words: Language) -> tuple[tuple[Sentence, ...], ...]:
    """Return a line for every question but the headline and the demonstration.

    Parameters
    ----------
    content : ReportInput
    words : Language

    Returns
    -------
    tuple of tuple of Sentence

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.language import language
    >>> from juntos_eval.reporting.summary import other_sentences
    >>> other_sentences(example_input(), language("en"))
    ()
    """
    headline = headline_question(content)
    return tuple(
        brief(question, words)
        for question in questions(content)
        if question != headline and question.study != ENTRANTS
    )


def demonstration_sentences(content: ReportInput, words: Language) -> tuple[tuple[Sentence, ...], ...]:
    """Return what the entrants study says, an estimate at a time.

    Parameters
    ----------
    content : ReportInput
    words : Language

    Returns
    -------
    tuple of tuple of Sentence

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.language import language
    >>> from juntos_eval.reporting.summary import demonstration_sentences
    >>> len(demonstration_sentences(example_input(), language("en"))[0])
    2
    """
    return tuple(
        demonstration_findings(shown, words)
        for shown in content.estimates
        if shown.study == ENTRANTS and is_publishable(shown)
    )


def choices(content: ReportInput) -> tuple[Choice, ...]:
    """Return the specification of every design of the headline question.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    tuple of Choice

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.summary import choices
    >>> choices(example_input())[1].spec
    'estimator=nearest_1'
    """
    shown = [estimate for estimate in headline_question(content).estimates if estimate.estimate.spec]
    adjusted = [estimate.estimate.spec for estimate in shown if estimate.design != RAW_GAP]
    common = {
        name: value
        for name, value in (adjusted[0].items() if adjusted else ())
        if len(adjusted) > 1 and all(name in spec and spec[name] == value for spec in adjusted)
    }
    own = [
        Choice(
            estimate.labels["design"],
            _spec({name: value for name, value in estimate.estimate.spec.items() if name not in common}),
        )
        for estimate in shown
    ]
    shared = (Choice(both("page.common"), _spec(common)),) if common else ()
    return (*shared, *own)


def _spec(spec: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{name}={_value(value)}" for name, value in spec.items() if value not in (None, (), [], "")
    )


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({_spec(value)})"
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(entry) for entry in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def inference_names(content: ReportInput) -> tuple[Label, ...]:
    """Return the names of the inference of all estimates, each once.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    tuple of Label

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.summary import inference_names
    >>> [name.en for name in inference_names(example_input())]
    ['simulated']
    """
    return tuple(dict.fromkeys(inference_label(s.estimate.uncertainty.method) for s in content.estimates))
