"""What a cited study is, as code: the design as published, a modern one beside it, and what each needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

from numpy.random import Generator
from pandas import DataFrame

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.paths import RawFolder
from juntos_eval.studies.comparison import Text

__all__ = [
    "MODE_LABELS",
    "CitedStudy",
    "Mode",
    "Need",
    "Planted",
    "Question",
    "Recomputation",
    "Role",
    "Specification",
    "World",
]

Mode = Literal["synthetic", "real"]

#: ``published``: the study's own; ``naive``: what a reader without a design would do, shown for its bias;
#: ``modern``: what one would do today.
Role = Literal["published", "naive", "modern"]

#: Stands over every number of a run: nothing simulated can be taken for a replication.
MODE_LABELS: Final[Mapping[str, Text]] = FrozenMapping(
    {
        "synthetic": Text(
            en="SYNTHETIC: simulated data with a planted effect; no replication of the study",
            es="SINTÉTICO: datos simulados con un efecto plantado; no es una réplica del estudio",
        ),
        "real": Text(
            en="REAL DATA: the study's own design on the survey it used",
            es="DATOS REALES: el diseño del estudio con la encuesta que usó",
        ),
    }
)


class World(Protocol):
    """Simulated data of a study's size and shape, with an effect planted in it."""

    def draw(self, generator: Generator, effect: float) -> DataFrame:
        """Return one simulated sample."""
        ...

    def assumptions(self) -> tuple[str, ...]:
        """Say what is assumed where the study does not say."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """One way to answer a question.

    Attributes
    ----------
    id : str
    label : Text
    role : {"published", "naive", "modern"}
    fit : callable
        From a frame to an estimate.
    row : int
        Which value of the estimate answers.
    is_valid : bool
        Whether what it assumes holds in the world that is simulated: only then must it cover the truth.
    """

    id: str
    label: Text
    role: Role
    fit: Callable[[DataFrame], Estimate]
    row: int = 0
    is_valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """The effect that a world has, and where its size is from.

    Attributes
    ----------
    effect : float
        In the outcome's own unit.
    origin : str
        A published row, or ``assumed`` and why.
    world : World
    is_published : bool
        Whether the size is that of a published number.
    """

    effect: float
    origin: str
    world: World
    is_published: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One outcome in one population.

    Attributes
    ----------
    id : str
    label : Text
    units : str
    planted : Planted
    specifications : tuple of Specification
    published : tuple of str
        Ids of the published numbers that the published specification answers.
    scale : float
        Published units in one unit of ours: 100 where they print points of a share.
    finding : tuple of str, optional
        Outcome and subgroup of a published sign, where no number was seen.
    """

    id: str
    label: Text
    units: str
    planted: Planted
    specifications: tuple[Specification, ...]
    published: tuple[str, ...] = ()
    scale: float = 1.0
    finding: tuple[str, str | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A file that the real mode needs.

    Attributes
    ----------
    what, source, folder : str
        What it is, who gives it under which terms, and where it must lie below the raw folder.
    names : tuple of str
        File names, any of which will do.
    survey, table : str
    year : int, optional
    locate : callable, optional
        Finds it, where a survey has its own way to look (deposits in zips).
    """

    what: str
    source: str
    folder: str
    names: tuple[str, ...]
    survey: str
    table: str
    year: int | None = None
    locate: Callable[[RawFolder], Path | None] | None = None

    def found(self, raw: RawFolder) -> Path | None:
        """Return the file that meets the need, or None."""
        if self.locate is not None:
            return self.locate(raw)
        return raw.find(survey=self.survey, year=self.year, table=self.table, names=self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputation:
    """A published number computed again from other published numbers of the same study.

    Attributes
    ----------
    published : str
        Id of the number.
    how : str
    value : callable
        Without arguments, in published units.
    """

    published: str
    how: str
    value: Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedStudy:
    """A cited study that can be run.

    Attributes
    ----------
    id : str
        That of its record.
    title : Text
    equation : str
        The design in one equation.
    assumptions : tuple of str
        Every gap of the publication that a choice of ours fills.
    questions : tuple of Question
    would_change : tuple of str
        What would change the conclusion.
    needs : tuple of Need
        Files of the real mode.
    frames : callable, optional
        Real mode: from a raw folder to the frame of each question. None: the data are not to be had.
    twin : callable, optional
        Writes a raw-shaped SYNTHETIC survey into a folder, on which the real mode's code runs.
    recomputations : tuple of Recomputation

    Raises
    ------
    DesignError
        If two questions, or two specifications of one, share an id, or none is the published one.

    Examples
    --------
    >>> from juntos_eval.studies.registry import load_study
    >>> load_study("andersen_2015").equation
    'ATT = mean over treated of (y_R3 - y_R1) - mean over matched controls of (y_R3 - y_R1)'
    """

    id: str
    title: Text
    equation: str
    assumptions: tuple[str, ...]
    questions: tuple[Question, ...]
    would_change: tuple[str, ...]
    needs: tuple[Need, ...] = ()
    frames: Callable[[RawFolder], Mapping[str, DataFrame]] | None = None
    twin: Callable[[Path, int], RawFolder] | None = None
    recomputations: tuple[Recomputation, ...] = ()

    def __post_init__(self) -> None:
        ids = [question.id for question in self.questions]
        specifications = [[one.id for one in question.specifications] for question in self.questions]
        if len(set(ids)) < len(ids) or any(len(set(names)) < len(names) for names in specifications):
            raise DesignError("questions or specifications of a study share an id", where=self.id)
        for question in self.questions:
            if not any(one.role == "published" for one in question.specifications):
                raise DesignError(
                    "a question has no published specification", where=f"{self.id}: {question.id}"
                )
            if not any(one.is_valid for one in question.specifications):
                raise DesignError(
                    "no specification of a question is valid", where=f"{self.id}: {question.id}"
                )

    def missing(self, raw: RawFolder) -> tuple[Need, ...]:
        """Return the needs that the raw folder does not meet."""
        return tuple(need for need in self.needs if need.found(raw) is None)
