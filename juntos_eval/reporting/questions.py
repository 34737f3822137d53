"""What was asked: one outcome in one population and period, answered by several designs."""

from __future__ import annotations

from dataclasses import dataclass

from juntos_eval.reporting.report_input import RAW_GAP, Label, ReportedEstimate, ReportInput
from juntos_eval.reporting.suppression import is_publishable

__all__ = ["Question", "headline_question", "questions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Estimates that answer the same question.

    Attributes
    ----------
    study, outcome, population, year : str
    estimates : tuple of ReportedEstimate
        In the order of the input, those on too few rows included.
    headline_design : str
        Design to speak of first, where the question was asked with it.

    Examples
    --------
    >>> from juntos_eval.reporting.questions import Question
    >>> Question(study="s", outcome="o", population="p", year="2024", estimates=(), headline_design="ipw").raw
    """

    study: str
    outcome: str
    population: str
    year: str
    estimates: tuple[ReportedEstimate, ...]
    headline_design: str

    @property
    def raw(self) -> ReportedEstimate | None:
        """The gap before any adjustment, if it may be shown."""
        return next((s for s in self.estimates if s.design == RAW_GAP and is_publishable(s)), None)

    @property
    def adjusted(self) -> tuple[ReportedEstimate, ...]:
        """Adjusted estimates that may be shown."""
        return tuple(s for s in self.estimates if s.design != RAW_GAP and is_publishable(s))

    @property
    def main(self) -> ReportedEstimate | None:
        """The estimate by the headline design, else the first adjusted one."""
        first = next(iter(self.adjusted), None)
        return next((s for s in self.adjusted if s.design == self.headline_design), first)

    @property
    def tested(self) -> ReportedEstimate | None:
        """The estimate with a sensitivity analysis: the main one if it has any, else the first that has."""
        has = [shown for shown in self.adjusted if shown.sensitivity is not None]
        return next((shown for shown in has if shown is self.main), next(iter(has), None))

    def label(self, name: str) -> Label:
        """Return the label of ``outcome`` or ``population``."""
        return self.estimates[0].labels[name]

    @property
    def title(self) -> Label:
        """Outcome, population and year in one line."""
        outcome, population = self.label("outcome").capitalised, self.label("population").inline
        return Label(
            f"{outcome.en}, {population.en}, {self.year}", f"{outcome.es}, {population.es}, {self.year}"
        )


def questions(content: ReportInput, study: str | None = None) -> tuple[Question, ...]:
    """Return the questions in the order in which their first estimates stand.

    Parameters
    ----------
    content : ReportInput
    study : str, optional
        Only those of this study.

    Returns
    -------
    tuple of Question

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.questions import questions
    >>> [question.outcome for question in questions(example_input())]
    ['child_work', 'child_work']
    """
    found: dict[tuple[str, str, str, str], list[ReportedEstimate]] = {}
    for shown in content.estimates:
        if study in (None, shown.study):
            found.setdefault((shown.study, shown.outcome, shown.population, shown.year), []).append(shown)
    design = content.headline_estimate.design
    return tuple(
        Question(
            study=key[0],
            outcome=key[1],
            population=key[2],
            year=key[3],
            estimates=tuple(estimates),
            headline_design=design,
        )
        for key, estimates in found.items()
    )


def headline_question(content: ReportInput) -> Question:
    """Return the question that the headline answers.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    Question

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.questions import headline_question
    >>> headline_question(example_input()).population
    'age_5_13'
    """
    return next(
        question
        for question in questions(content)
        if any(shown.id == content.headline for shown in question.estimates)
    )
