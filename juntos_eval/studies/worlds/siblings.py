"""An older and a younger child of each household, measured twice; the younger was exposed earlier in life."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator
from pandas import DataFrame

__all__ = ["Siblings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Siblings:
    r"""Two children, twice: :math:`y_{ict} = \alpha_{ic} + \lambda_{ct} + \tau_c D_i t + e_{ict}`.

    Attributes
    ----------
    treated, untreated : int
        Households.
    older_effect : float
        Planted for the older child; that of the younger one is the world's effect.
    gap : float
        How much lower treated households start.
    growth : float
        Change of the untreated between measurements.
    household_spread, child_spread, spread : float
    """

    treated: int = 200
    untreated: int = 350
    older_effect: float = 0.0
    gap: float = -0.5
    growth: float = 0.15
    household_spread: float = 0.6
    child_spread: float = 0.5
    spread: float = 0.5

    def draw(self, generator: Generator, effect: float) -> DataFrame:
        """Return four rows a household: ``household child is_younger wave treated y`` and products."""
        n = self.treated + self.untreated
        household = np.repeat(np.arange(n), 4)
        younger = np.tile([0, 0, 1, 1], n)
        wave = np.tile([0, 1, 0, 1], n)
        treated = (household < self.treated).astype(int)
        child = household * 2 + younger
        level = self.household_spread * generator.normal(size=n)[household]
        level += self.child_spread * generator.normal(size=2 * n)[child]
        gain = np.where(younger == 1, effect, self.older_effect)
        outcome = (
            -1.3
            + level
            + self.gap * treated
            + (self.growth + 0.1 * younger) * wave
            + gain * treated * wave
            + self.spread * generator.normal(size=4 * n)
        )
        return pd.DataFrame(
            {
                "household": household,
                "child": child,
                "is_younger": younger,
                "wave": wave,
                "treated": treated,
                "treated_wave": treated * wave,
                "treated_wave_younger": treated * wave * younger,
                "wave_younger": wave * younger,
                "household_wave": household * 2 + wave,
                "y": outcome,
            }
        )

    def assumptions(self) -> tuple[str, ...]:
        """Say what is assumed where the study does not say."""
        return (
            (
                f"{self.treated} treated and {self.untreated} never treated households with two children "
                f"measured twice"
            ),
            (
                f"treated households start {self.gap:g} apart; the older child's effect is "
                f"{self.older_effect:g}; "
                f"spread {self.household_spread:g} between households, {self.child_spread:g} between "
                f"siblings, "
                f"{self.spread:g} over time"
            ),
        )
