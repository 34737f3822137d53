"""One published study as frozen data: its design, its numbers as printed, its signs, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StrictBool
from pydantic.dataclasses import dataclass

from juntos_eval.evidence.vocabulary import (
    Access,
    Basis,
    Direction,
    Domain,
    Family,
    Kind,
    Measure,
    MissingKind,
    Mode,
    Relation,
    Seen,
    Stars,
    Valence,
)

__all__ = [
    "Data",
    "Design",
    "Finding",
    "Missing",
    "Outcome",
    "PublishedNumber",
    "Reproduction",
    "StudyRecord",
]

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
Words = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]

_CLOSED = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class Design:
    """The family of a design, and where it was read."""

    family: Family
    verified: StrictBool
    basis: Basis
    also: tuple[Family, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class Data:
    """What a study observed, and who may have it."""

    access: Access
    survey: str | None = None
    years: tuple[Whole, ...] = ()
    files: tuple[str, ...] = ()
    unit: str | None = None
    n: Whole | None = None
    n_detail: Mapping[str, Number] = field(default_factory=dict)
    restrictions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class Outcome:
    """An outcome as the study has it."""

    name: Words
    definition: str | None = None
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class PublishedNumber:
    """One number as printed, where it stands, and how it was seen.

    Attributes
    ----------
    id : str
        Unique within the study.
    kind, effect_measure : str
        Words of :mod:`juntos_eval.evidence.vocabulary`.
    table, outcome, units, source : str
    seen : str
    subgroup, spec : str, optional
    estimate : float, optional
    range_low, range_high : float, optional
        A published range, in place of an estimate.
    sd, se, t, ci_low, ci_high, p, control_mean : float, optional
        As printed; intervals are of 95 percent.
    p_rel : {"=", "<"}, optional
    stars : str, optional
        Printed stars; empty where a table with stars prints none; None where there is no such convention.
    n, count : int, optional
        Rows behind the number; of a share, how many of them.
    direction : str, optional
        Of an effect: ``0`` not distinguishable from zero at 10 percent.
    extra : Mapping
    note : str, optional
    misprint : str, optional
        Why a row whose numbers contradict one another is kept: it is printed so.
    provenance : str
        ``package``, or the overlay file that the row came from; set when read.
    """

    id: Name
    kind: Kind
    table: Words
    outcome: Words
    effect_measure: Measure
    units: Words
    source: Words
    seen: Seen
    subgroup: str | None = None
    spec: str | None = None
    estimate: Number | None = None
    range_low: Number | None = None
    range_high: Number | None = None
    sd: Number | None = None
    se: Number | None = None
    t: Number | None = None
    ci_low: Number | None = None
    ci_high: Number | None = None
    p: Number | None = None
    p_rel: Relation | None = None
    stars: Stars | None = None
    n: Whole | None = None
    count: Whole | None = None
    control_mean: Number | None = None
    direction: Direction | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    note: str | None = None
    misprint: str | None = None
    provenance: str = "package"

    @property
    def has_value(self) -> bool:
        """Whether an estimate or a range was printed."""
        return self.estimate is not None or self.range_low is not None


@dataclass(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class Finding:
    """A sign without a number: the direction of change of the named outcome, and whether that is good."""

    outcome: Words
    domain: Domain
    direction: Direction
    valence: Valence
    source: Words
    seen: Seen
    subgroup: str | None = None
    strength: str | None = None
    provenance: str = "package"


@dataclass(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class Reproduction:
    """What "reproduced" can mean for this study."""

    modes: Annotated[tuple[Mode, ...], Field(min_length=1)]
    text: Words


@dataclass(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class Missing:
    """What a replication still needs."""

    kind: MissingKind
    item: Words


@dataclass(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class StudyRecord:
    """A cited study: bibliography, design, data, every published number and sign, and what is missing.

    Attributes
    ----------
    id : str
        The name of its file.
    citation, title, publication : str
    domain : str
        Outcome domain.
    design : Design
    data : Data
    estimator : Mapping
        ``summary`` and, where known, equation, controls, weights, inference and so on.
    reproduction : Reproduction
    results : tuple of PublishedNumber
    findings : tuple of Finding
    missing : tuple of Missing
    year, authors, link, topic, related, treatment, comparison, identification, outcomes, notes
        Absent where not stated.
    list_order : int, optional
        Place in the cited list (1 to 30); None for a related study.
    provenance : str
        ``package``, or the overlay file of a study that only the overlay has.

    Examples
    --------
    >>> from juntos_eval.evidence.load import load_record
    >>> load_record("andersen_2015").design.family
    'psm_did'
    """

    id: Name
    citation: Words
    title: Words
    publication: Words
    domain: Domain
    design: Design
    data: Data
    estimator: Mapping[str, Any]
    reproduction: Reproduction
    year: Whole | None = None
    authors: tuple[str, ...] = ()
    link: str | None = None
    list_order: Whole | None = None
    topic: str | None = None
    related: tuple[Name, ...] = ()
    treatment: str | None = None
    comparison: str | None = None
    identification: str | None = None
    outcomes: tuple[Outcome, ...] = ()
    results: tuple[PublishedNumber, ...] = ()
    findings: tuple[Finding, ...] = ()
    missing: tuple[Missing, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: str = "package"

    @property
    def is_cited(self) -> bool:
        """Whether the study is one of the thirty of the cited list; others are related."""
        return self.list_order is not None

    @property
    def impacts(self) -> tuple[PublishedNumber, ...]:
        """Effects of Juntos with an estimate or a range."""
        return tuple(row for row in self.results if row.kind == "impact" and row.has_value)

    @property
    def status(self) -> str:
        """What the sources gave: numeric, directional, context_only, design_only or bibliographic_only."""
        if self.impacts:
            return "numeric"
        if self.findings:
            return "directional"
        if self.results:
            return "context_only"
        is_known = self.design.family != "unknown" and self.design.verified
        return "design_only" if is_known else "bibliographic_only"

    def number(self, row: str) -> PublishedNumber:
        """Return a published number by its id.

        Parameters
        ----------
        row : str

        Returns
        -------
        PublishedNumber

        Raises
        ------
        KeyError
            If the record has none of that id.
        """
        return {number.id: number for number in self.results}[row]
