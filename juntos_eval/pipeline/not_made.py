"""What a run's raw files do not suffice for: which clean table is not made, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from juntos_eval.errors import SourceError

__all__ = ["NotMade", "lacking_for_estimates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMade:
    """A clean table that is not made.

    Attributes
    ----------
    table : str
    why, remedy : str

    Examples
    --------
    >>> from juntos_eval.pipeline.not_made import NotMade
    >>> why = "the programmes file of enaho 2024 is missing"
    >>> print(NotMade(table="households_2024", why=why, remedy="fetch it"))
    households_2024: the programmes file of enaho 2024 is missing; fetch it
    """

    table: str
    why: str
    remedy: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.table}: {self.why}; {self.remedy}"


def lacking_for_estimates(not_made: tuple[NotMade, ...]) -> SourceError:
    """Return the error of a run that should estimate from tables that are not made.

    Examples
    --------
    >>> from juntos_eval.pipeline.not_made import NotMade, lacking_for_estimates
    >>> told = lacking_for_estimates((NotMade(table="households_2024", why="no file", remedy="fetch it"),))
    >>> told.what
    'Estimates and report need households_2024: no file'
    """
    reasons = "; ".join(f"{lost.table}: {lost.why}" for lost in not_made)
    remedies = "; ".join(dict.fromkeys(lost.remedy for lost in not_made))
    return SourceError(f"Estimates and report need {reasons}", remedy=remedies)
