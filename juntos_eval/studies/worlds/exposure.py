"""Time in the programme, longer where the district was reached early and where the household was keen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.random import Generator
from pandas import DataFrame

__all__ = ["Exposure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    r"""Years of exposure with an unseen cause in common with the outcome, and an instrument.

    .. math:: T_i = \pi_0 + \pi z_m + \gamma x_i + u_i, \quad
              y_i = \mu + \tau T_i + \beta x_i + \rho u_i + e_i

    Attributes
    ----------
    households, districts : int
    strength : float
        Of the instrument: years of exposure for each standard deviation of the district's place in the order
        of entry.
    keenness : float
        rho: what households that stay longer would have had anyway.
    mean, spread, district_spread : float
    kind : {"score", "share"}
    """

    households: int = 2000
    districts: int = 200
    strength: float = 0.8
    keenness: float = 0.3
    mean: float = 0.0
    spread: float = 1.0
    district_spread: float = 0.1
    slope: float = 0.2
    kind: Literal["score", "share"] = "score"

    def draw(self, generator: Generator, effect: float) -> DataFrame:
        """Return one row a household: ``household district order exposure x y``."""
        order = generator.normal(size=self.districts)
        home = generator.integers(0, self.districts, self.households)
        x, keen = generator.normal(size=(2, self.households))
        exposure = 2.5 + self.strength * order[home] + 0.3 * x + 0.7 * keen
        shock = self.district_spread * generator.normal(size=self.districts)
        means = self.mean + effect * exposure + self.slope * x + self.keenness * keen + shock[home]
        if self.kind == "score":
            outcome = means + self.spread * generator.normal(size=self.households)
        else:
            outcome = (generator.random(self.households) < np.clip(means, 0.0, 1.0)).astype(float)
        return pd.DataFrame(
            {
                "household": np.arange(self.households),
                "district": home,
                "order": order[home],
                "exposure": exposure,
                "x": x,
                "y": outcome,
            }
        )

    def assumptions(self) -> tuple[str, ...]:
        """Say what is assumed where the study does not say."""
        return (
            (
                f"{self.households} beneficiary households of {self.districts} districts; exposure 2.5 "
                f"years "
                f"on "
                f"average, {self.strength:g} years more for each standard deviation of the district's "
                f"place "
                f"in the "
                "order of entry, which moves the outcome through exposure alone"
            ),
            (
                f"keen households stay longer and would have {self.keenness:g} more anyway; outcome "
                f"{self.kind} about "
                f"{self.mean:g}"
            ),
        )
