"""Which surveys and years each cited study used, as its record says; read with the catalogue."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache

from juntos_eval.surveys.catalog import parse_years, table_text

__all__ = ["StudyNeed", "study_needs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyNeed:
    """One survey that a study used.

    Attributes
    ----------
    study, survey : str
    years : tuple of int
        Empty where the study's text does not say.
    access : str
        ``open`` (INEI), ``registered`` (UK Data Service), ``archive``.
    files : str
        As far as they are known.

    Examples
    --------
    >>> from juntos_eval.surveys.catalog_needs import study_needs
    >>> [need.years for need in study_needs("young_lives") if need.study == "andersen_2015"]
    [(2002, 2006, 2009)]
    """

    study: str
    survey: str
    years: tuple[int, ...]
    access: str
    files: str


@lru_cache
def study_needs(survey: str | None = None) -> tuple[StudyNeed, ...]:
    """Return what the cited studies need.

    Parameters
    ----------
    survey : str, optional
        Of one survey only.

    Returns
    -------
    tuple of StudyNeed
    """
    rows = csv.DictReader(table_text("study_needs.csv").splitlines())
    needs = (
        StudyNeed(
            study=row["study"],
            survey=row["survey"],
            years=parse_years(row["years"]),
            access=row["access"],
            files=row["files"],
        )
        for row in rows
    )
    return tuple(need for need in needs if survey in (None, need.survey))
