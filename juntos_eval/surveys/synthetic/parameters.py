"""The numbers of the structural model: planted effects, coefficients, calibration margins.

Nothing here comes from a record of the survey. Coefficients are round numbers, tuned by hand until broad
margins of the simulated files (shares of Juntos, of child work and of the FIES items, household size,
non-response) lie near the published or weighted national ones, which `margins/` holds rounded to five
districts or clusters, ten units of weight, five points of poverty or a whole point of a programme's
coverage.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from io import StringIO
from typing import Any, Final

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError

__all__ = ["SURVEY_YEARS", "StructuralModel", "margin"]

#: The years that the structural model knows; wave w is ``SURVEY_YEARS[w]``.
SURVEY_YEARS: Final = (2024, 2025)

# Indexed by code - 1: geographic domain (Costa Norte ... Lima Metropolitana) and stratum by size of place.
TAKE_UP_BY_DOMAIN: Final = (0.3, -0.5, -0.3, -0.2, 0.2, 0.1, 0.5, -0.7)
TAKE_UP_BY_STRATUM: Final = (-0.7, -0.4, -0.2, 0.1, 0.4, 0.5, 0.8, 0.7)
WORK_BY_DOMAIN: Final = (0.0, -0.2, -0.2, 0.2, 1.1, 0.6, 0.6, -0.8)
NO_PROGRAMME_ANSWER: Final = (0.27, 0.05, 0.04, 0.02, 0.02, 0.02, 0.01, 0.01)
COMPLETE_DWELLING: Final = (0.66, 0.85, 0.86, 0.91, 0.91, 0.93, 0.93, 0.94)


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuralModel:
    """Parameters of the structural model; its equations stand in ``population``.

    Effects are shifts on the scale of the linear index (logits), so that probabilities stay between 0 and
    1; the points they amount to are in ``SyntheticTruth``.

    Attributes
    ----------
    hidden_confounding : float
        Loading of an unobserved household trait on take-up and on every outcome; 0 means that treatment is
        as good as random given the observed covariates.
    work_effect_5_13, work_effect_14_17 : float
        Planted shift of a boy's index of work.
    girls_effect_ratio : float
        By how much a girl's shift is that of a boy.
    housework_effect : float
        Planted shift of the index of doing only housework, among children who do not work.
    food_effect : float
        Planted shift of the severity of food insecurity (Rasch person parameter).
    common_trend : float
        Shift of every child's index of work in the second year.
    take_up_intercept, take_up_without_children, take_up_trend, entry_intercept : float
        Levels of take-up: with and without a member under 19; in the second year; of entry among linked
        households.
    work_intercept, housework_intercept, food_intercept : float
        Levels of the outcomes.
    household_spread, cluster_spread, food_spread : float
        Standard deviations of the random parts of work (household, cluster) and of food insecurity.
    food_severities : tuple of float
        Rasch severities of the eight FIES items, in logits.

    Examples
    --------
    >>> from juntos_eval.surveys.synthetic import StructuralModel
    >>> StructuralModel().hidden_confounding
    0.0
    """

    hidden_confounding: float = 0.0
    work_effect_5_13: float = -0.25
    work_effect_14_17: float = -0.35
    girls_effect_ratio: float = 1.2
    housework_effect: float = -0.35
    food_effect: float = -0.7
    common_trend: float = -0.1
    take_up_intercept: float = -3.45
    take_up_without_children: float = -5.8
    take_up_trend: float = -0.05
    entry_intercept: float = -4.6
    work_intercept: float = -3.55
    housework_intercept: float = -4.4
    food_intercept: float = -1.0
    household_spread: float = 0.7
    cluster_spread: float = 0.4
    food_spread: float = 3.9
    food_severities: tuple[float, ...] = (-0.1, 0.7, 1.0, 3.9, 2.3, 4.9, 5.1, 7.1)

    def __post_init__(self) -> None:
        if len(self.food_severities) != 8:
            raise DesignError(
                f"FIES has eight items and {len(self.food_severities)} severities were given",
                where="StructuralModel.food_severities",
                remedy="give one severity an item, in logits",
            )
        numbers = [getattr(self, item.name) for item in fields(self) if item.name != "food_severities"]
        if not np.isfinite([*numbers, *self.food_severities]).all():
            raise DesignError("A parameter is not a finite number", where="StructuralModel")
        if min(self.household_spread, self.cluster_spread, self.food_spread) < 0:
            raise DesignError("A standard deviation is negative", where="StructuralModel")

    def work_effect(self, age_years: Floats, is_girl: Floats) -> Floats:
        """Return each child's planted shift of the index of work.

        Parameters
        ----------
        age_years, is_girl : numpy.ndarray, shape (n,)

        Returns
        -------
        numpy.ndarray, shape (n,)
        """
        of_boys = np.where(age_years <= 13, self.work_effect_5_13, self.work_effect_14_17)
        return np.asarray(of_boys * np.where(is_girl > 0, self.girls_effect_ratio, 1.0))

    def record(self) -> dict[str, Any]:
        """Return the parameters as JSON values."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }


def margin(name: str) -> pd.DataFrame:
    """Read one of the calibration tables of ``margins/``.

    Parameters
    ----------
    name : {"regions", "strata", "programmes", "materials"}

    Returns
    -------
    pandas.DataFrame
    """
    text = files("juntos_eval.surveys.synthetic").joinpath("margins", f"{name}.csv").read_text("utf-8")
    return pd.read_csv(StringIO(text), dtype={"code": str})
