"""A score with a cut-off below which a household is eligible; not every eligible household takes part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.random import Generator
from pandas import DataFrame

__all__ = ["Threshold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    r"""Eligible at or below the cut-off: :math:`y_i = f(s_i) + \tau D_i + e_i`, f smooth and curved.

    Attributes
    ----------
    households : int
    cutoff : float
    width : float
        Scores lie within this distance of the cut-off.
    take_up : float
        Share of the eligible who take part; nobody else does. 1: a sharp design.
    mean, slope, curve, spread : float
        Of the untreated outcome at the cut-off, and its change over one width.
    kind : {"score", "share"}
    """

    households: int = 4161
    cutoff: float = 0.0
    width: float = 20.0
    take_up: float = 1.0
    mean: float = 0.4
    slope: float = -0.15
    curve: float = 0.08
    spread: float = 1.0
    kind: Literal["score", "share"] = "share"

    def draw(self, generator: Generator, effect: float) -> DataFrame:
        """Return one row a household: ``household running eligible treated y``."""
        # eligible at or below the cut-off: turned round, so that treatment is to the right
        running = self.width * (2 * generator.beta(2, 2, self.households) - 1)
        eligible = running >= 0
        treated = eligible & (generator.random(self.households) < self.take_up)
        at = running / self.width
        means = self.mean - self.slope * at + self.curve * at**2 + effect * treated
        if self.kind == "score":
            outcome = means + self.spread * generator.normal(size=self.households)
        else:
            outcome = (generator.random(self.households) < np.clip(means, 0.0, 1.0)).astype(float)
        return pd.DataFrame(
            {
                "household": np.arange(self.households),
                "running": running,
                "eligible": eligible.astype(int),
                "treated": treated.astype(int),
                "y": outcome,
            }
        )

    def assumptions(self) -> tuple[str, ...]:
        """Say what is assumed where the study does not say."""
        return (
            (
                f"{self.households} units within {self.width:g} points of the cut-off; "
                f"{self.take_up:.0%} of "
                f"the "
                "eligible take part, nobody else"
            ),
            f"untreated {self.kind} of {self.mean:g} at the cut-off, smooth and curved in the score",
        )
