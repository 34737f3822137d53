"""The numbers of the structural model of synthetic ENDES: planted effects, levels, confounding, rollout.

Nothing here comes from a record of the survey. Levels are round numbers near broad national ones; effects and
the years in which districts enter are invented.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from juntos_eval.errors import DesignError

__all__ = ["DOCUMENTED_YEARS", "EndesModel"]

#: Years with a documented map of columns.
DOCUMENTED_YEARS: Final = tuple(range(2004, 2025))


@dataclass(frozen=True, slots=True, kw_only=True)
class EndesModel:
    """Parameters of the structural model; its equations stand in ``synthetic.endes``.

    Effects of affiliation are shifts: of the logit of violence and drinking, of the z-score of height, of the
    mean number of prenatal checks (in logs).

    Attributes
    ----------
    hidden_confounding : float
        Loading of an unobserved trait of the household on take-up and on every outcome; 0: take-up is as good
        as random given what the files show.
    physical_effect, sexual_effect, emotional_effect, drinking_effect : float
        Shifts of logits.
    height_effect : float
        Shift of HAZ a year of exposure, for at most three years.
    checks_effect : float
        Shift of the log of the mean number of prenatal checks, for births after the district's entry.
    depression_effect : float
        Shift of the index of each symptom.
    common_trend : float
        Yearly shift of the index of violence and, times -0.4, of HAZ.
    district_spread, household_spread : float
        Standard deviations of the random parts of the indices of violence.
    poverty_slope : float
        How much poverty of the district moves violence; it also decides the order of entry.
    take_up : float
        Share of eligible households of a covered district that affiliate, at the mean of the covariates.
    rollout : tuple of (int, float)
        Year and the share of districts covered by its end, the poorest first.
    rollout_noise : float
        Standard deviation of the noise in the ranking by poverty.
    missing_measure, misread_measure : float
        Shares of children not measured, and measured so wrongly that the score is flagged.
    """

    hidden_confounding: float = 0.0
    physical_effect: float = -0.45
    sexual_effect: float = -0.40
    emotional_effect: float = -0.25
    drinking_effect: float = -0.30
    height_effect: float = 0.08
    checks_effect: float = 0.12
    depression_effect: float = -0.15
    common_trend: float = -0.04
    district_spread: float = 0.35
    household_spread: float = 0.5
    poverty_slope: float = 2.2
    take_up: float = 0.5
    rollout: tuple[tuple[int, float], ...] = (
        (2005, 0.06),
        (2006, 0.17),
        (2007, 0.34),
        (2012, 0.53),
        (2014, 0.61),
        (2016, 0.68),
    )
    rollout_noise: float = 0.06
    missing_measure: float = 0.025
    misread_measure: float = 0.003

    def __post_init__(self) -> None:
        numbers = [value for value in asdict(self).values() if isinstance(value, float)]
        shares = [share for _, share in self.rollout]
        years = [year for year, _ in self.rollout]
        if not np.isfinite([*numbers, *shares]).all():
            raise DesignError("A parameter is not a finite number", where="EndesModel")
        if years != sorted(set(years)) or shares != sorted(shares) or not all(0 <= s <= 1 for s in shares):
            raise DesignError(
                "The rollout must name each year once, in order, with shares of districts that do not fall",
                where="EndesModel.rollout",
                remedy="give pairs of a year and a share between 0 and 1",
            )
        if min(self.district_spread, self.household_spread, self.rollout_noise) < 0:
            raise DesignError("A standard deviation is negative", where="EndesModel")
        if not (0 < self.take_up < 1):
            raise DesignError("take_up is a share between 0 and 1", where="EndesModel")

    def record(self) -> dict[str, Any]:
        """Return the parameters as JSON values."""
        return {
            name: [list(pair) for pair in value] if name == "rollout" else value
            for name, value in asdict(self).items()
        }
