"""What a run read and whom its surveys asked: values without arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError
from juntos_eval.paths import SYNTHETIC_RUN

__all__ = [
    "InputFile",
    "Label",
    "RunFacts",
    "Share",
    "Source",
    "SurveyFacts",
    "Tally",
]


@dataclass(frozen=True, slots=True)
class Label:
    """A text in both languages of the report.

    Attributes
    ----------
    en, es : str

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import Label
    >>> Label("child work", "trabajo infantil").of("es")
    'trabajo infantil'
    """

    en: str
    es: str

    def of(self, language: str) -> str:
        """Return the text in ``"en"`` or ``"es"``."""
        return self.es if language == "es" else self.en

    @property
    def inline(self) -> Label:
        """Return the texts as they stand within a sentence; acronyms keep their capitals."""
        return Label(_inline(self.en), _inline(self.es))

    @property
    def without_remark(self) -> Label:
        """Return the texts without what stands in brackets at their end."""
        return Label(_without_remark(self.en), _without_remark(self.es))

    @property
    def capitalised(self) -> Label:
        """Return the texts as a line begins with them."""
        return Label(self.en[:1].upper() + self.en[1:], self.es[:1].upper() + self.es[1:])


def _without_remark(text: str) -> str:
    return re.sub(r"\s*\([^()]*\)$", "", text)


def _inline(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == "-" else text


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A raw file that the run read.

    Attributes
    ----------
    survey : str
    year : int, optional
        None for files without a date.
    name : str
        File name without its folder: the folder is the reader's own business.
    rows : int, optional
        None where rows were not counted.
    size_bytes : int
    sha256 : str

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import InputFile
    >>> InputFile(survey="geo", year=None, name="a.csv", rows=2, size_bytes=9, sha256="00").rows
    2
    """

    survey: str
    year: int | None
    name: str
    rows: int | None
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who publishes raw files, and on which terms.

    Attributes
    ----------
    survey, title, producer, licence, citation, url : str
    seen : str
        Date on which the terms were read.

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import Source
    >>> Source(survey="enaho", title="ENAHO", producer="INEI", licence="free", citation="INEI", url="").seen
    ''
    """

    survey: str
    title: str
    producer: str
    licence: str
    citation: str
    url: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What was run, when, on what.

    Attributes
    ----------
    name : str
        ``real`` or ``synthetic-data``.
    is_synthetic : bool
    seed : int, optional
        None where nothing random was drawn.
    started : str
        ISO 8601.
    code_version, python : str
    packages : Mapping of str to str
        Versions.
    input_files : tuple of InputFile
    sources : tuple of Source
    data_raw : Label
        Where the raw files come from, without naming a folder of this machine.

    Raises
    ------
    SchemaError
        If the run's name and ``is_synthetic`` contradict each other.

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import Label, RunFacts
    >>> RunFacts(name="real", is_synthetic=False, seed=None, started="2026-01-01T00:00:00", code_version="1",
    ...          python="3.11", packages={}, input_files=(), data_raw=Label("a", "b")).name
    'real'
    """

    name: str
    is_synthetic: bool
    seed: int | None
    started: str
    code_version: str
    python: str
    packages: Mapping[str, str]
    input_files: tuple[InputFile, ...]
    data_raw: Label
    sources: tuple[Source, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "packages", FrozenMapping(self.packages))
        if self.is_synthetic != (self.name == SYNTHETIC_RUN):
            raise SchemaError(
                f"run {self.name!r} {'says' if self.is_synthetic else 'does not say'} that it is synthetic",
                where="RunFacts.is_synthetic",
                remedy=f"name synthetic runs {SYNTHETIC_RUN!r}, and only those",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A survey-weighted share with its uncertainty.

    Attributes
    ----------
    topic : str
        ``juntos`` (households with Juntos among those that answered), ``fies_category``, or another.
    category : str
    labels : Mapping of str to Label
        Of ``topic`` and ``category``, and where it applies ``arm``.
    year : int
    arm : str
        ``all``, ``juntos`` or ``comparison``.
    share, std_error, conf_low, conf_high : float
    level : float
        Coverage of the interval.
    count, base : int
        Unweighted rows of the category, and of the whole.

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import Label, Share
    >>> Share(topic="juntos", category="yes", labels={}, year=2024, arm="all", share=0.1, std_error=0.01,
    ...       conf_low=0.08, conf_high=0.12, count=100, base=1000).base
    1000
    """

    topic: str
    category: str
    labels: Mapping[str, Label]
    year: int
    arm: str
    share: float
    std_error: float
    conf_low: float
    conf_high: float
    count: int
    base: int
    level: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", FrozenMapping(self.labels))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """An unweighted number of rows.

    Attributes
    ----------
    topic : str
        ``rows``, ``answered``, ``dropped``, ``linked``, or another: tallies of one topic and year are parts
        of one whole, so that hiding one may ask for hiding another.
    label : Label
    year : str
    count : int

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import Label, Tally
    >>> Tally(topic="rows", label=Label("households", "hogares"), year="2024", count=33691).count
    33691
    """

    topic: str
    label: Label
    year: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyFacts:
    """Who was asked, who answered, who could be linked.

    Attributes
    ----------
    shares : tuple of Share
    tallies : tuple of Tally

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import SurveyFacts
    >>> SurveyFacts().shares
    ()
    """

    shares: tuple[Share, ...] = ()
    tallies: tuple[Tally, ...] = ()
