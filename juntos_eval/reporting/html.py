"""The page: one self-contained HTML file in two languages, for screens, phones and paper."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from juntos_eval.reporting.exhibits import EXHIBITS, SECTIONS, Numbered
from juntos_eval.reporting.judgement import OFF_SUPPORT_LIMIT, SMD_LIMIT, STRONG_BIAS, WEAK_BIAS
from juntos_eval.reporting.language import LANGUAGES, Language, language
from juntos_eval.reporting.questions import headline_question
from juntos_eval.reporting.report_input import Label, ReportInput
from juntos_eval.reporting.summary import (
    choices,
    demonstration_sentences,
    headline_facts,
    headline_sentences,
    inference_names,
    other_sentences,
)
from juntos_eval.reporting.table import both

__all__ = ["Link", "ShownFigure", "ShownTable", "page"]

_METHODS: Final = (
    "score", "overlap", "nearest", "kernel", "ipw", "entropy", "aipw", "survey", "sensitivity",
    "demonstration", "fies",
)  # fmt: skip
_LONG_ROWS: Final = 24
_MANY_COLUMNS: Final = 9


@dataclass(frozen=True, slots=True)
class Link:
    """A file beside the page.

    Attributes
    ----------
    name : str
        What the reader clicks on.
    href : str
        Relative to the page.

    Examples
    --------
    >>> from juntos_eval.reporting.html import Link
    >>> Link("CSV", "real/tables/balance.csv").name
    'CSV'
    """

    name: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTable:
    """A table of the page.

    Attributes
    ----------
    entry : Numbered
    captions : Mapping of str to str
        By language.
    html : Mapping of str to str
        ``<table>`` by language.
    footnotes : Mapping of str to tuple of (letter, text)
    notes : Mapping of str to tuple of str
    links : Mapping of str to tuple of Link
    rows, columns : int

    Examples
    --------
    >>> from juntos_eval.reporting.html import ShownTable
    >>> ShownTable.__slots__[0]
    'entry'
    """

    entry: Numbered
    captions: Mapping[str, str]
    html: Mapping[str, str]
    footnotes: Mapping[str, Sequence[tuple[str, str]]]
    notes: Mapping[str, Sequence[str]]
    links: Mapping[str, Sequence[Link]]
    rows: int
    columns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFigure:
    """A figure of the page.

    Attributes
    ----------
    entry : Numbered
    captions : Mapping of str to str
        By language.
    drawings : Mapping of str to Mapping of str to str
        Inline SVG by language and width.
    alts : Mapping of str to str
    links : Mapping of str to tuple of Link

    Examples
    --------
    >>> from juntos_eval.reporting.html import ShownFigure
    >>> ShownFigure.__slots__[0]
    'entry'
    """

    entry: Numbered
    captions: Mapping[str, str]
    drawings: Mapping[str, Mapping[str, str]]
    alts: Mapping[str, str]
    links: Mapping[str, Sequence[Link]]


def page(content: ReportInput, shown: Sequence[ShownTable | ShownFigure]) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    content : ReportInput
    shown : sequence of ShownTable or ShownFigure
        In the order of the page.

    Returns
    -------
    str

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.html import page
    >>> "SYNTHETIC DATA" in page(example_input(), ())
    True
    """
    by_section: dict[str, list[Markup]] = {}
    for exhibit in shown:
        section = exhibit.entry.exhibit.section
        by_section.setdefault(section, []).append(_exhibit(exhibit, is_synthetic=content.run.is_synthetic))
    sections = [{"name": name, "exhibits": by_section[name]} for name in SECTIONS if name in by_section]
    return (
        _environment()
        .get_template("report.html")
        .render(
            run=content.run,
            titles=_titles(content),
            style=Markup(_style()),  # noqa: S704 - the package's own file
            script=Markup(_template_file("report.js")),  # noqa: S704 - the package's own file
            sections=sections,
            summary_exhibits=by_section.get("summary", []),
            data_exhibits=by_section.get("data", []),
            data_number=_data_number(shown),
            not_made=_not_made(content),
            show=lambda exhibit: exhibit,
            methods=_METHODS,
            thresholds=_thresholds(),
            **_summary(content),
        )
    )


def _summary(content: ReportInput) -> dict[str, Any]:
    words = {code: language(code) for code in LANGUAGES}
    return {
        "headline": {
            "title": headline_question(content).title,
            "facts": headline_facts(content),
            "sentences": {code: headline_sentences(content, words[code]) for code in LANGUAGES},
        },
        "others": {code: other_sentences(content, words[code]) for code in LANGUAGES},
        "demonstration": {code: demonstration_sentences(content, words[code]) for code in LANGUAGES},
        "level": _in_both(lambda language: language.percent(content.headline_estimate.level, 0)),
        "choices": choices(content),
        "inference": inference_names(content),
    }


def _in_both(write: Any) -> Label:
    return Label(write(language("en")), write(language("es")))


def _titles(content: ReportInput) -> Label:
    title = both("page.title")
    if not content.run.is_synthetic:
        return title
    mark = " · ".join(_both_words("word.synthetic"))
    return Label(f"{mark} — {title.en}", f"{mark} — {title.es}")


def _both_words(key: str) -> tuple[str, str]:
    label = both(key)
    return label.en, label.es


def _thresholds() -> Label:
    def written(words: Language) -> str:
        return words.say(
            "page.paragraph_thresholds",
            smd=words.decimal(SMD_LIMIT, 2),
            off=words.percent(OFF_SUPPORT_LIMIT, 0),
            weak=words.decimal(WEAK_BIAS, 2),
            strong=words.decimal(STRONG_BIAS, 2),
        )

    return _in_both(written)


def _data_number(shown: Sequence[ShownTable | ShownFigure]) -> Label | None:
    numbers = [exhibit.entry.number for exhibit in shown if exhibit.entry.exhibit.id == "data-files"]
    return both("data.hashes", number=str(numbers[0])) if numbers else None


def _not_made(content: ReportInput) -> list[Label]:
    entries = []
    for exhibit in EXHIBITS:
        # a real run cannot know the truth: nothing is missing
        missing = [need for need in exhibit.missing(content) if need != "truth" or content.run.is_synthetic]
        if missing:
            entries.append(_in_both(lambda words, e=exhibit, m=missing: _not_made_line(words, e.title, m)))
    return entries


def _not_made_line(words: Language, title: Label, needs: Sequence[str]) -> str:
    return words.say(
        "page.not_made_item",
        title=title.of(words.code),
        needs=words.listed([words.say(f"need.{need}") for need in needs]),
    )


def _exhibit(shown: ShownTable | ShownFigure, *, is_synthetic: bool) -> Markup:
    exhibit = shown.entry.exhibit
    values: dict[str, Any] = {
        "id": exhibit.id,
        # within the results there is a heading between
        "level": 4 if exhibit.section in SECTIONS else 3,
        "kind": exhibit.kind,
        "name": shown.entry.name,
        "title": exhibit.title,
        "caption": Label(shown.captions["en"], shown.captions["es"]),
        "links": shown.links,
        "is_synthetic": is_synthetic,
        "words": {code: language(code) for code in LANGUAGES},
    }
    if isinstance(shown, ShownFigure):
        values["alts"] = shown.alts
        values["drawings"] = {
            code: {width: Markup(svg) for width, svg in drawings.items()}  # noqa: S704 - drawn by matplotlib
            for code, drawings in shown.drawings.items()
        }
    else:
        values["is_long"] = shown.rows > _LONG_ROWS
        values["is_dense"] = shown.columns > _MANY_COLUMNS
        values["regions"] = {
            code: f"{exhibit.title.of(code)}: {language(code).say('page.scroll')}" for code in LANGUAGES
        }
        values["tables"] = {
            code: {
                "html": Markup(shown.html[code]),  # noqa: S704 - escaped cell by cell by great-tables
                "footnotes": shown.footnotes[code],
                "notes": shown.notes[code],
            }
            for code in LANGUAGES
        }
    return Markup(_environment().get_template("exhibit.html").render(values))  # noqa: S704 - autoescaped


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("juntos_eval.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
    )
    environment.globals.update(t=_translated, b=_bilingual, languages=LANGUAGES)
    return environment


def _translated(key: str, **values: str | Label) -> Markup:
    texts = []
    for code in LANGUAGES:
        filled = {
            name: value.of(code) if isinstance(value, Label) else value for name, value in values.items()
        }
        texts.append(language(code).say(key, **filled))
    return _bilingual(Label(*texts))


def _bilingual(label: Label) -> Markup:
    if label.en == label.es:
        return escape(label.en)
    spans = Markup('<span class="en" lang="en">{}</span><span class="es" lang="es">{}</span>')
    return spans.format(label.en, label.es)


def _template_file(name: str) -> str:
    return files("juntos_eval.reporting").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _style() -> str:
    faces = []
    for name, weight in (("Regular", 400), ("SemiBold", 600)):
        font = files("juntos_eval.reporting").joinpath("fonts", f"Inter-{name}.woff2").read_bytes()
        data = base64.b64encode(font).decode("ascii")
        faces.append(
            f'@font-face {{ font-family: "Inter Report"; font-weight: {weight}; font-display: swap; '
            f'src: url("data:font/woff2;base64,{data}") format("woff2"); }}'
        )
    return "\n".join([*faces, _template_file("report.css")])
