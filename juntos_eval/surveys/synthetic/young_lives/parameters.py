"""What is planted in synthetic Young Lives files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from juntos_eval.arrays import FrozenMapping

__all__ = ["FORMATS", "SEEN", "SITES", "Coding", "YoungLivesModel"]

#: Sentinel sites.
SITES: Final = 20

#: Children seen by cohort and round, as published: the codebook's table of files and sizes.
SEEN: Final = FrozenMapping(
    {
        "younger": (2052, 1963, 1943, 1902, 1860),
        "older": (714, 685, 678, 635, 608),
    }
)
#: Children measured in the siblings' file of round 3, as published.
SIBLINGS_ROUND_3: Final = 813

#: Study number -> suffix of its files; every format that the UK Data Service offers is there.
FORMATS: Final = FrozenMapping({5307: "sav", 6852: "tab", 6853: "dta", 7931: "sav", 8357: "tab", 7483: "dta"})

Coding = Literal["label_right", "label_wrong", "mixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class YoungLivesModel:
    """Planted effects, confounding and faults.

    Attributes
    ----------
    haz_per_year : float
        Of exposure after the first 36 months of life, in standard deviations.
    early_haz_per_year : float
        Of exposure within them; only younger siblings have it.
    ppvt_per_year, maths_per_year : float
        Standard deviations a year.
    enrolment_per_year, work_per_year : float
        Change of the chance a year, at every age; enrolment from round 3, where not all are enrolled.
    poverty_haz, poverty_trend : float
        What a standard deviation of poverty costs in height, at all rounds and more each year: the
        confounding of levels and of trends.
    poverty_entry : float
        How strongly poverty draws a household into Juntos (log odds).
    older_coding : str
        Round 3, older cohort: ``label_right`` 2 is the beneficiary as its label says, and the released flag
        is wrong; ``label_wrong`` 1 is, and the label is wrong; ``mixed`` the answers do not tell.

    Examples
    --------
    >>> from juntos_eval.surveys.synthetic.young_lives import YoungLivesModel
    >>> YoungLivesModel(work_per_year=0.0).record()["work_per_year"]
    0.0
    """

    haz_per_year: float = 0.05
    early_haz_per_year: float = 0.30
    ppvt_per_year: float = 0.04
    maths_per_year: float = 0.0
    enrolment_per_year: float = 0.015
    work_per_year: float = -0.03
    poverty_haz: float = -0.40
    poverty_trend: float = -0.03
    poverty_entry: float = 1.4
    older_coding: Coding = "label_right"

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)
