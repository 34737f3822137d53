"""A programme that enters districts one after another, the poor ones first, seen by a repeated survey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.random import Generator
from pandas import DataFrame

__all__ = ["Rollout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    r"""Repeated cross-sections of women in districts that are reached in different years, or never.

    .. math:: y_{imt} = \alpha_m + \lambda_t + \beta E_i + \tau E_i 1[t \ge g_m] + e_{imt}

    Poor districts have a higher outcome and are reached first, so a comparison of women in and out of the
    programme is off. The effect may grow with each year after entry.

    Attributes
    ----------
    districts, women : int
        Districts, and women in each of them a year.
    years : tuple of int
    entries : tuple of int
        Years in which districts are reached; a share ``never`` is not.
    never : float
    eligible : float
        Share of women whom the programme is for.
    level, trend : float
        Share with the outcome among the not eligible at the start, and its change a year.
    eligible_gap, poverty_gap : float
        How much higher it is among the eligible, and for each standard deviation of district poverty.
    district_spread : float
    growth : float
        Further effect for each year after entry, as a share of the first.
    kind : {"share", "score"}
    spread : float
        Of a score.
    """

    districts: int = 120
    women: int = 6
    years: tuple[int, ...] = (2004, 2005, 2006, 2007, 2008, 2009, 2010, 2011)
    entries: tuple[int, ...] = (2006, 2007, 2009)
    never: float = 0.35
    eligible: float = 0.6
    level: float = 0.10
    trend: float = -0.003
    eligible_gap: float = 0.031
    poverty_gap: float = 0.03
    district_spread: float = 0.02
    growth: float = 0.0
    kind: Literal["share", "score"] = "share"
    spread: float = 1.0

    def draw(self, generator: Generator, effect: float) -> DataFrame:
        """Return one row a woman: ``woman district year eligible juntos first_treated y poverty``."""
        poverty = generator.normal(size=self.districts)
        # the poorest are reached first, with chance in it
        order = np.argsort(np.argsort(-(poverty + generator.normal(size=self.districts))))
        reached = round(self.districts * (1 - self.never))
        entry = np.full(self.districts, np.nan)
        waves = np.array_split(np.arange(reached), len(self.entries))
        for entered, ranks in zip(self.entries, waves, strict=True):
            entry[np.isin(order, ranks)] = entered
        base = self.poverty_gap * poverty + self.district_spread * generator.normal(size=self.districts)
        district = np.repeat(np.arange(self.districts), self.women * len(self.years))
        year = np.tile(np.repeat(self.years, self.women), self.districts)
        eligible = generator.random(len(district)) < self.eligible
        first = entry[district]
        since = np.where(np.isnan(first), -1.0, year - first)
        juntos = since >= 0
        grown = effect * (1 + self.growth * np.maximum(since, 0))
        means = (
            self.level
            + base[district]
            + self.trend * (year - self.years[0])
            + self.eligible_gap * eligible
            + grown * (juntos & eligible)
        )
        if self.kind == "share":
            outcome = (generator.random(len(means)) < np.clip(means, 0.0, 1.0)).astype(float)
        else:
            outcome = means + self.spread * generator.normal(size=len(means))
        return pd.DataFrame(
            {
                "woman": np.arange(len(means)),
                "district": district,
                "year": year,
                "eligible": eligible.astype(int),
                "juntos": juntos.astype(int),
                "juntos_eligible": (juntos & eligible).astype(int),
                "first_treated": first,
                "poverty": poverty[district],
                "y": outcome,
            }
        )

    def assumptions(self) -> tuple[str, ...]:
        """Say what is assumed where the study does not say."""
        n = self.districts * self.women * len(self.years)
        return (
            (
                f"{n:,} women of {self.districts} districts in {self.years[0]}-{self.years[-1]}; "
                f"entry in {', '.join(map(str, self.entries))}, {self.never:.0%} of districts never; poor "
                f"ones first"
            ),
            f"{self.eligible:.0%} eligible; outcome {self.level:g} among the not eligible and "
            f"{self.eligible_gap:+g} among the eligible; effect the same in every district and year"
            + (f", growing by {self.growth:.0%} a year" if self.growth else ""),
        )
