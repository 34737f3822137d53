"""Beneficiaries interviewed at different distances from the day on which their municipality is paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.random import Generator
from pandas import DataFrame

__all__ = ["PaymentDays", "PaymentWeeks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDays:
    r"""Hours a day: :math:`h_{id} = \alpha_i + \omega_d + \tau (d - p_m) + e_{id}`.

    The pay day :math:`p_m` is the municipality's. Within a person the distance moves by one a day, as the day
    of the week does, so that with individual effects a linear distance cannot be told from a linear pattern
    over the week: ``week_slope`` plants one.

    Attributes
    ----------
    individuals, municipalities : int
    reach : int
        Pay days lie up to so many days before or after the week.
    hours, person_spread, spread : float
    week_slope : float
        Change of hours from one weekday to the next that has nothing to do with pay.
    """

    individuals: int = 827
    municipalities: int = 150
    reach: int = 14
    hours: float = 4.5
    person_spread: float = 2.0
    spread: float = 2.0
    week_slope: float = 0.0

    def draw(self, generator: Generator, effect: float) -> DataFrame:
        """Return seven rows a person: ``person municipality weekday distance y``."""
        home = generator.integers(0, self.municipalities, self.individuals)
        payday = generator.integers(-self.reach, self.reach + 8, self.municipalities)[home]
        person = np.repeat(np.arange(self.individuals), 7)
        weekday = np.tile(np.arange(1, 8), self.individuals)
        distance = weekday - payday[person]
        own = self.person_spread * generator.normal(size=self.individuals)
        hours = self.hours + own[person] + effect * distance + self.week_slope * weekday
        return pd.DataFrame(
            {
                "person": person,
                "municipality": home[person],
                "weekday": weekday,
                "distance": distance,
                "y": hours + self.spread * generator.normal(size=len(person)),
            }
        )

    def assumptions(self) -> tuple[str, ...]:
        """Say what is assumed where the study does not say."""
        return (
            (
                f"{self.individuals} recipients of {self.municipalities} municipalities, seven days each; "
                f"pay days up "
                f"to {self.reach} days around the week, independent of hours"
            ),
            (
                f"mean {self.hours:g} hours a day, spread {self.person_spread:g} between and "
                f"{self.spread:g} "
                f"within "
                f"persons; pattern over the week {self.week_slope:g} hours a day"
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentWeeks:
    r"""Work in the reference week of those paid the week before, during, after, or earlier.

    .. math:: y_{im} = \alpha_m + \tau\, 1[\text{paid the week before}] + e_{im}

    Attributes
    ----------
    individuals, municipalities : int
    mean, spread, home_spread : float
    remoteness : float
        How much less people work in municipalities that are paid close to interviews (both have to do with
        the road): what a comparison without municipality effects picks up.
    kind : {"score", "share"}
    """

    individuals: int = 859
    municipalities: int = 120
    mean: float = 30.0
    spread: float = 14.0
    home_spread: float = 5.0
    remoteness: float = 3.0
    kind: Literal["score", "share"] = "score"

    def draw(self, generator: Generator, effect: float) -> DataFrame:
        """Return one row a person: ``person municipality paid before during after y``."""
        remote = generator.normal(size=self.municipalities)
        home = generator.integers(0, self.municipalities, self.individuals)
        # interviews of a municipality spread over months, remote ones more often just after a payment
        lean = 0.5 * remote[home]
        chances = np.stack([np.exp(lean), np.ones_like(lean), np.ones_like(lean), 1.5 * np.exp(-lean)])
        cut = np.cumsum(chances / chances.sum(axis=0), axis=0)
        kind = (generator.random(self.individuals)[None, :] > cut).sum(axis=0)
        level = self.home_spread * generator.normal(size=self.municipalities) - self.remoteness * remote
        means = self.mean + level[home] + effect * (kind == 0)
        if self.kind == "score":
            outcome = means + self.spread * generator.normal(size=self.individuals)
        else:
            outcome = (generator.random(self.individuals) < np.clip(means, 0.0, 1.0)).astype(float)
        return pd.DataFrame(
            {
                "person": np.arange(self.individuals),
                "municipality": home,
                "before": (kind == 0).astype(int),
                "during": (kind == 1).astype(int),
                "after": (kind == 2).astype(int),
                "y": outcome,
            }
        )

    def assumptions(self) -> tuple[str, ...]:
        """Say what is assumed where the study does not say."""
        return (
            (
                f"{self.individuals} recipients of {self.municipalities} municipalities, each interviewed "
                f"before, in or "
                "after a pay week, more often just after it where people work less"
            ),
            (
                f"mean {self.mean:g}, spread {self.spread:g} within and {self.home_spread:g} between "
                f"municipalities"
            ),
        )
