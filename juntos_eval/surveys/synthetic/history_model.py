r"""The structural model of the synthetic years 2004-2025: rollout by poverty, eligibility, take-up, effects.

Notation: household h of district d, cluster c; child or adult i of h; year t; month of interview m.

**Rollout.** Districts are ranked by poverty with noise, :math:`p_d + 0.12\,z_d`; the first :math:`N_t` have
entered by the end of year t, with :math:`N_t` the anchors of ``margins/rollout.csv`` (joined by straight
lines), each in a random month of its year. The rollout is invented: only its yearly totals are anchored.

**Consumption** relative to the poverty line, with the rank-preserving level :math:`\mu_t` set so that the
weighted share below 1 is the published poverty rate of the year (``margins/poverty.csv``):

.. math:: \log r_{ht} = \mu_t - 2.2 (p_d - 0.35) - 0.35\, rural_h - 0.09\, n_{<18} + 0.06\, s_h
          + 0.45\, \epsilon_h + 0.2\, \epsilon_{ht}

**Juntos**: households with a member under 19 (14 to 2013) whose lasting score, the consumption index without
its yearly part and with an error of 0.3, lies in the poorest ``eligible_share`` are eligible; one takes up
with probability :math:`\Lambda(0.9 + 0.5\, rural_h + \lambda u_h)` once its district has been covered for
``delay_months``.

**Outcomes** are logits (attendance at 6-17, work at 5-17) or hours (adults 18-64), with one uniform or normal
draw for both potential outcomes; Juntos shifts them by the planted effects. Poverty and rurality lower
attendance and raise work, and raise take-up: naive comparisons have the wrong sign. The hidden trait u, with
loading ``hidden_confounding``, moves take-up and outcomes and is written nowhere.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.surveys.synthetic.parameters import margin

__all__ = ["HISTORY_YEARS", "HistoryModel", "draw_rollout", "poverty_rates"]

HISTORY_YEARS: Final = tuple(range(2004, 2026))
#: September 2005, the first transfers, in months from January of year 0.
FIRST_MONTH: Final = 12 * 2005 + 8
NEVER: Final = np.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryModel:
    """Planted effects and the parameters that a test may want to turn.

    Attributes
    ----------
    attendance_effect : float
        Shift of the logit of school attendance, ages 12 to 17; a third of it at 6 to 11.
    child_work_effect : float
        Shift of the logit of a child's economic activity.
    women_hours_effect, men_hours_effect : float
        Shift of weekly hours of working adults aged 18 to 64.
    hidden_confounding : float
        Loading of the unobserved trait on take-up and outcomes; 0 is selection on observables.
    eligible_share : float
        Share of households under the score's cut-off, of all in the country.
    delay_months : int
        Months from a district's entry to its households' first transfer.
    panel_share : float
        Share of clusters visited five years in a row.
    attrition : float
        Yearly probability that a panel household is lost.

    Examples
    --------
    >>> from juntos_eval.surveys.synthetic.history_model import HistoryModel
    >>> HistoryModel().hidden_confounding
    0.0
    """

    attendance_effect: float = 0.6
    child_work_effect: float = -0.4
    women_hours_effect: float = -1.5
    men_hours_effect: float = -0.5
    hidden_confounding: float = 0.0
    eligible_share: float = 0.2
    delay_months: int = 3
    panel_share: float = 0.34
    attrition: float = 0.1

    def __post_init__(self) -> None:
        for item in fields(self):
            if not np.isfinite(getattr(self, item.name)):
                raise DesignError("A parameter is not a finite number", where=f"HistoryModel.{item.name}")
        for name in ("eligible_share", "panel_share", "attrition"):
            if not 0 <= getattr(self, name) < 1:
                raise DesignError("A share lies outside [0, 1)", where=f"HistoryModel.{name}")
        if self.delay_months < 0:
            raise DesignError("A delay is negative", where="HistoryModel.delay_months")

    def record(self) -> dict[str, Any]:
        """Return the parameters as JSON values."""
        return asdict(self)


def poverty_rates() -> dict[int, float]:
    """Return the published poverty rate of each year; the last one known stands in for later years."""
    table = margin("poverty")
    rates = {int(year): float(rate) for year, rate in zip(table["year"], table["poverty_rate"], strict=True)}
    last = max(rates)
    return {year: rates[min(year, last)] for year in HISTORY_YEARS}


def draw_rollout(rng: np.random.Generator, poverty_rate: Floats) -> Floats:
    """Draw each district's month of entry, counted from January of year 0; infinite for those never reached.

    Parameters
    ----------
    rng : numpy.random.Generator
    poverty_rate : numpy.ndarray, shape (districts,)

    Returns
    -------
    numpy.ndarray, shape (districts,)
    """
    anchors: pd.DataFrame = margin("rollout")
    n = len(poverty_rate)
    rank = np.argsort(np.argsort(-(poverty_rate + 0.12 * rng.standard_normal(n))))
    years = np.arange(anchors["year"].min(), anchors["year"].max() + 1)
    totals = np.rint(np.interp(years, anchors["year"], anchors["districts"]))
    position = np.searchsorted(totals, rank, side="right")
    year = np.where(position < len(years), years[np.minimum(position, len(years) - 1)], NEVER)
    month = np.where(year == FIRST_MONTH // 12, rng.integers(8, 12, n), rng.integers(0, 12, n))
    return np.asarray(12 * year + month)
