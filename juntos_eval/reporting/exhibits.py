"""The list: every table and figure of the report, in order, with what it needs and what makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from juntos_eval.reporting.captions import CAPTIONS
from juntos_eval.reporting.figures import (
    Drawing,
    Setting,
    demonstration_figure,
    estimates_figure,
    food_insecurity_figure,
    love_figure,
    overlap_figure,
    raw_and_adjusted_figure,
    sensitivity_figure,
)
from juntos_eval.reporting.figures.shares import FIES_TOPIC
from juntos_eval.reporting.language import Language
from juntos_eval.reporting.questions import headline_question, questions
from juntos_eval.reporting.report_input import (
    CHILD_WORK,
    ENTRANTS,
    FOOD_INSECURITY,
    Label,
    ReportInput,
)
from juntos_eval.reporting.suppression import is_publishable
from juntos_eval.reporting.table import Table, both
from juntos_eval.reporting.tables import (
    balance_table,
    checks_count_table,
    checks_table,
    demonstration_table,
    effects_table,
    files_table,
    headline_table,
    sensitivity_table,
    shares_table,
    tallies_table,
    truth_table,
)

__all__ = [
    "EXHIBITS",
    "NEEDS",
    "SECTIONS",
    "Exhibit",
    "FigureMaker",
    "Numbered",
    "TableMaker",
    "exhibits_markdown",
    "numbered",
]

Section = Literal[
    "summary", "data", "sample", "comparability", "effects", "sensitivity", "checks", "demonstration", "truth"
]
#: Sections of the results, in the order of the page; ``summary`` and ``data`` stand before them.
SECTIONS: Final[tuple[Section, ...]] = (
    "sample",
    "effects",
    "comparability",
    "sensitivity",
    "checks",
    "demonstration",
    "truth",
)


TableMaker = Callable[[ReportInput], Table]
FigureMaker = Callable[[ReportInput, Setting], Drawing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A table or a figure.

    Attributes
    ----------
    id : str
        Its anchor in the page, the stem of its files, and its key in the locale.
    section : str
    needs : tuple of str
        What must be in the input, of :data:`NEEDS`.
    table : callable, optional
        From the input to a Table.
    figure : callable, optional
        From the input and a Setting to a Drawing. An exhibit has one of the two.

    Examples
    --------
    >>> from juntos_eval.reporting.exhibits import EXHIBITS
    >>> EXHIBITS[1].id, EXHIBITS[1].kind, EXHIBITS[1].title.es
    ('data-files', 'table', 'Archivos leídos')
    """

    id: str
    section: Section
    needs: tuple[str, ...]
    table: TableMaker | None = None
    figure: FigureMaker | None = None

    @property
    def kind(self) -> Literal["table", "figure"]:
        """Whether it is a table or a figure."""
        return "figure" if self.table is None else "table"

    @property
    def title(self) -> Label:
        """Its title."""
        return both(f"exhibit.{self.id}.title")

    def caption(self, content: ReportInput, words: Language) -> str:
        """Return its caption, made from the numbers."""
        fill = CAPTIONS.get(self.id)
        return words.say(f"exhibit.{self.id}.caption", **(fill(content, words) if fill else {}))

    def missing(self, content: ReportInput) -> tuple[str, ...]:
        """Return what it needs and the input does not have."""
        return tuple(need for need in self.needs if not NEEDS[need](content))


def _fies(content: ReportInput) -> bool:
    return any(share.topic == FIES_TOPIC for share in content.survey.shares)


def _entrants(content: ReportInput, *, with_trend: bool) -> bool:
    return any(
        shown.study == ENTRANTS and (not with_trend or (bool(shown.trend) and is_publishable(shown)))
        for shown in content.estimates
    )


#: Whether an input has what exhibits ask for, by the key of the words that say so.
NEEDS: Final[dict[str, Callable[[ReportInput], bool]]] = {
    "files": lambda content: bool(content.run.input_files),
    "tallies": lambda content: bool(content.survey.tallies),
    "shares": lambda content: bool(content.survey.shares),
    "headline": lambda content: bool(headline_question(content).adjusted),
    "child_work": lambda content: bool(questions(content, CHILD_WORK)),
    "food_insecurity": lambda content: bool(questions(content, FOOD_INSECURITY)),
    "balance": lambda content: any(shown.balance for shown in headline_question(content).adjusted),
    "overlap": lambda content: any(shown.overlap for shown in headline_question(content).adjusted),
    "sensitivity": lambda content: any(
        shown.sensitivity is not None and is_publishable(shown) for shown in content.estimates
    ),
    "checks": lambda content: any(shown.estimate.checks for shown in headline_question(content).estimates),
    "fies": _fies,
    "demonstration": partial(_entrants, with_trend=False),
    "trend": partial(_entrants, with_trend=True),
    "truth": lambda content: any(shown.truth is not None for shown in content.estimates),
}

EXHIBITS: Final[tuple[Exhibit, ...]] = (
    Exhibit(id="raw-and-adjusted", section="summary", needs=("headline",), figure=raw_and_adjusted_figure),
    Exhibit(id="data-files", section="data", needs=("files",), table=files_table),
    Exhibit(id="sample", section="sample", needs=("tallies",), table=tallies_table),
    Exhibit(id="shares", section="sample", needs=("shares",), table=shares_table),
    Exhibit(
        id="food-insecurity-shares", section="sample", needs=("shares", "fies"), figure=food_insecurity_figure
    ),
    Exhibit(id="headline", section="effects", needs=("headline",), table=headline_table),
    Exhibit(
        id="child-work-figure",
        section="effects",
        needs=("child_work",),
        figure=partial(estimates_figure, study=CHILD_WORK),
    ),
    Exhibit(
        id="food-insecurity-figure",
        section="effects",
        needs=("food_insecurity",),
        figure=partial(estimates_figure, study=FOOD_INSECURITY),
    ),
    Exhibit(
        id="child-work-table",
        section="effects",
        needs=("child_work",),
        table=partial(effects_table, study=CHILD_WORK),
    ),
    Exhibit(
        id="food-insecurity-table",
        section="effects",
        needs=("food_insecurity",),
        table=partial(effects_table, study=FOOD_INSECURITY),
    ),
    Exhibit(id="overlap", section="comparability", needs=("headline", "overlap"), figure=overlap_figure),
    Exhibit(id="love-plot", section="comparability", needs=("headline", "balance"), figure=love_figure),
    Exhibit(id="balance", section="comparability", needs=("headline", "balance"), table=balance_table),
    Exhibit(id="sensitivity-curve", section="sensitivity", needs=("sensitivity",), figure=sensitivity_figure),
    Exhibit(id="sensitivity-bounds", section="sensitivity", needs=("sensitivity",), table=sensitivity_table),
    Exhibit(id="checks", section="checks", needs=("checks",), table=checks_table),
    Exhibit(id="checks-count", section="checks", needs=("checks",), table=checks_count_table),
    Exhibit(
        id="demonstration-figure",
        section="demonstration",
        needs=("demonstration", "trend"),
        figure=demonstration_figure,
    ),
    Exhibit(
        id="demonstration-table", section="demonstration", needs=("demonstration",), table=demonstration_table
    ),
    Exhibit(id="truth", section="truth", needs=("truth",), table=truth_table),
)


@dataclass(frozen=True, slots=True)
class Numbered:
    """An exhibit with its number among its kind.

    Attributes
    ----------
    exhibit : Exhibit
    number : int

    Examples
    --------
    >>> from juntos_eval.reporting.exhibits import EXHIBITS, Numbered
    >>> Numbered(EXHIBITS[1], 1).name.es
    'Cuadro 1'
    """

    exhibit: Exhibit
    number: int

    @property
    def name(self) -> Label:
        """How the text refers to it."""
        word = both(f"page.{self.exhibit.kind}")
        return Label(f"{word.en} {self.number}", f"{word.es} {self.number}")


def numbered(content: ReportInput) -> tuple[Numbered, ...]:
    """Return the exhibits that the input has all for, numbered in the order of the page.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    tuple of Numbered

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.exhibits import numbered
    >>> [entry.name.en for entry in numbered(example_input())][:4]
    ['Figure 1', 'Table 1', 'Table 2', 'Table 3']
    """
    counts = {"table": 0, "figure": 0}

    def counted() -> Iterator[Numbered]:
        for exhibit in EXHIBITS:
            if not exhibit.missing(content):
                counts[exhibit.kind] += 1
                yield Numbered(exhibit, counts[exhibit.kind])

    return tuple(counted())


def exhibits_markdown() -> str:
    """Return the list of exhibits for the README.

    Returns
    -------
    str
        A Markdown table.

    Examples
    --------
    >>> from juntos_eval.reporting.exhibits import exhibits_markdown
    >>> print(exhibits_markdown().splitlines()[3])
    | `data-files` | table | Files read | a list of files read |
    """
    lines = ["| exhibit | kind | what it shows | made where the run has |", "|---|---|---|---|"]
    for exhibit in EXHIBITS:
        needs = "; ".join(both(f"need.{need}").en for need in exhibit.needs)
        lines.append(f"| `{exhibit.id}` | {exhibit.kind} | {exhibit.title.en} | {needs} |")
    return "\n".join(lines) + "\n"
