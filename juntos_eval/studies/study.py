"""What a study is: comparisons and demonstrations on clean tables, with one number named first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pandas import DataFrame

from juntos_eval.errors import DesignError
from juntos_eval.studies.comparison import Comparison, Text
from juntos_eval.studies.demonstration import EntrantsDemonstration

__all__ = ["Study"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A study that can be run again from clean tables.

    Attributes
    ----------
    id : str
    title : Text
    prepare : callable
        Adds to the analysis table of a year what the comparisons need beyond it.
    comparisons : tuple of Comparison
    headline : str
        The comparison whose number the report names first, whatever the numbers say.
    demonstrations : tuple of EntrantsDemonstration

    Raises
    ------
    DesignError
        If two parts share an id, or the headline is none of the comparisons.

    Examples
    --------
    >>> from juntos_eval.studies.juntos_households import STUDY
    >>> STUDY.headline in [comparison.id for comparison in STUDY.comparisons]
    True
    """

    id: str
    title: Text
    prepare: Callable[[DataFrame], DataFrame]
    comparisons: tuple[Comparison, ...]
    headline: str
    demonstrations: tuple[EntrantsDemonstration, ...] = ()

    def __post_init__(self) -> None:
        ids = [comparison.id for comparison in self.comparisons]
        ids += [demonstration.id for demonstration in self.demonstrations]
        if len(set(ids)) < len(ids):
            raise DesignError(
                "two parts of a study share an id",
                where=f"{self.id}: {', '.join(sorted({name for name in ids if ids.count(name) > 1}))}",
                remedy="give each comparison an id of its own",
            )
        if self.headline not in {comparison.id for comparison in self.comparisons}:
            raise DesignError(
                "the headline of a study is none of its comparisons",
                where=f"{self.id}: {self.headline}",
                remedy="name one of the comparisons",
            )

    @property
    def years(self) -> tuple[int, ...]:
        """Years whose analysis table the comparisons need."""
        return tuple(sorted({comparison.year for comparison in self.comparisons}))
