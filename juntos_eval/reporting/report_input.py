"""Everything that a report reads: frozen values, checked once, so that no table has to doubt them."""

from __future__ import annotations

from dataclasses import dataclass, field

from juntos_eval.errors import SchemaError
from juntos_eval.reporting.facts import InputFile, Label, RunFacts, Share, Source, SurveyFacts, Tally
from juntos_eval.reporting.reported import (
    CHILD_WORK,
    ENTRANTS,
    FOOD_INSECURITY,
    RAW_GAP,
    BalanceRow,
    Overlap,
    ReportedEstimate,
    Sensitivity,
    TrendPoint,
)
from juntos_eval.reporting.suppression import publishable

__all__ = [
    "CHILD_WORK",
    "ENTRANTS",
    "FOOD_INSECURITY",
    "RAW_GAP",
    "BalanceRow",
    "InputFile",
    "Label",
    "Overlap",
    "ReportInput",
    "ReportedEstimate",
    "RunFacts",
    "Sensitivity",
    "Share",
    "Source",
    "SurveyFacts",
    "Tally",
    "TrendPoint",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInput:
    """All that a report is made of.

    Attributes
    ----------
    run : RunFacts
    estimates : tuple of ReportedEstimate
        Kept with histograms whose bins hold no row or at least ten.
    survey : SurveyFacts
    headline : str
        Id of the estimate that the summary speaks of first.

    Raises
    ------
    SchemaError
        If ids repeat, one question has two estimates by the same design, the headline is not among them,
        or a run on real data claims to know the truth.

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import Label, ReportInput, RunFacts, SurveyFacts
    >>> run = RunFacts(name="real", is_synthetic=False, seed=None, started="", code_version="1",
    ...                python="3.11", packages={}, input_files=(), data_raw=Label("a", "b"))
    >>> ReportInput(run=run, estimates=(), survey=SurveyFacts(), headline="none")
    Traceback (most recent call last):
        ...
    juntos_eval.errors.SchemaError: the headline is not among the estimates [none]. Remedy: name one of: ...
    """

    run: RunFacts
    estimates: tuple[ReportedEstimate, ...]
    survey: SurveyFacts = field(default_factory=SurveyFacts)
    headline: str

    def __post_init__(self) -> None:
        # nothing that reads this has to think of small cells in histograms again
        object.__setattr__(self, "estimates", tuple(publishable(shown) for shown in self.estimates))
        ids = [shown.id for shown in self.estimates]
        places = [
            f"{shown.study} {shown.outcome} {shown.population} {shown.year} {shown.design}"
            for shown in self.estimates
        ]
        for what, found in (("id", ids), ("question and design", places)):
            repeated = sorted({entry for entry in found if found.count(entry) > 1})
            if repeated:
                raise SchemaError(
                    f"two estimates of the report have the same {what}",
                    where="; ".join(repeated[:5]),
                    remedy="give each record its own",
                )
        if self.headline not in ids:
            raise SchemaError(
                "the headline is not among the estimates",
                where=self.headline,
                remedy=f"name one of: {', '.join(ids[:10])}",
            )
        known = [shown.id for shown in self.estimates if shown.truth is not None]
        if known and not self.run.is_synthetic:
            raise SchemaError(
                "estimates on real data claim to know the true effect",
                where=f"{len(known)} records, first {known[0]}",
                remedy="leave truth out of records of real runs",
            )

    @property
    def headline_estimate(self) -> ReportedEstimate:
        """The estimate that the summary speaks of first."""
        return next(shown for shown in self.estimates if shown.id == self.headline)
