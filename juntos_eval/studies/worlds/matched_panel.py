"""Two waves of treated and untreated units that differ before, and whose outcomes would have moved apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.random import Generator
from pandas import DataFrame

from juntos_eval.numerics.distributions import normal_tail

__all__ = ["MatchedPanel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedPanel:
    r"""A panel of two waves.

    .. math:: y_{it} = \alpha_i + \gamma x_i + (\delta + \kappa x_i) t + \tau D_i t + e_{it}

    The treated have covariates that are ``gap`` standard deviations higher, so the log odds of treatment are
    linear in them, and untreated outcomes move by ``drift`` for each of them: a plain difference in
    differences is off by ``gap * drift`` a covariate. A share is one where a normal variable, correlated over
    time within the unit, falls below the quantile of the same linear index.

    Attributes
    ----------
    treated, untreated : int
    gap : float
        Of each covariate, in standard deviations.
    level, drift : float
        Of the outcome, by covariate, before and over time.
    start, trend : float
        Mean of the untreated at the first wave, and its change.
    spread : float
        Standard deviation of a score about its index.
    persistence : float
        Correlation of a unit's two outcomes given its covariates.
    kind : {"score", "share"}
    covariates : tuple of str
    clusters : int
        Sites, with a common shock to the change; 0 for none.
    site_spread : float
        Standard deviation of that shock.
    """

    treated: int
    untreated: int
    start: float
    trend: float
    spread: float = 1.0
    gap: float = 0.4
    level: float = -0.15
    drift: float = 0.08
    persistence: float = 0.6
    kind: Literal["score", "share"] = "score"
    covariates: tuple[str, ...] = ("x1", "x2", "x3")
    clusters: int = 0
    site_spread: float = 0.0

    def draw(self, generator: Generator, effect: float) -> DataFrame:
        """Return two rows a unit: ``unit wave treated site y`` and the covariates."""
        n = self.treated + self.untreated
        treated = np.arange(n) < self.treated
        x = generator.normal(size=(n, len(self.covariates))) + self.gap * treated[:, None]
        index = x.sum(axis=1)
        site = generator.integers(0, max(self.clusters, 1), n)
        shock = generator.normal(scale=self.site_spread, size=max(self.clusters, 1))[site]
        means = np.stack(
            [
                self.start + self.level * index,
                self.start + self.trend + (self.level + self.drift) * index + effect * treated + shock,
            ]
        )
        common, own = generator.normal(size=n), generator.normal(size=(2, n))
        noise = np.sqrt(self.persistence) * common + np.sqrt(1 - self.persistence) * own
        if self.kind == "score":
            outcome = means + self.spread * noise
        else:
            chance = 1 - np.asarray(normal_tail(noise))
            outcome = (chance < np.clip(means, 0.0, 1.0)).astype(float)
        frame = pd.DataFrame(
            {
                "unit": np.tile(np.arange(n), 2),
                "wave": np.repeat([1, 2], n),
                "treated": np.tile(treated.astype(int), 2),
                "site": np.tile(site, 2),
                "y": outcome.ravel(),
            }
        )
        for position, name in enumerate(self.covariates):
            frame[name] = np.tile(x[:, position], 2)
        return frame

    def assumptions(self) -> tuple[str, ...]:
        """Say what is assumed where the study does not say."""
        sites = f"; {self.clusters} sites share a shock of {self.site_spread:g}" if self.clusters else ""
        return (
            (
                f"{self.treated} treated and {self.untreated} untreated units in two waves, "
                f"{len(self.covariates)} covariates that are {self.gap:g} standard deviations higher among "
                f"the treated"
            ),
            (
                f"untreated {self.kind} starts at {self.start:g}, changes by {self.trend:g}, and by "
                f"{self.drift:g} "
                f"more for each unit of a covariate; correlation over time {self.persistence:g}{sites}"
            ),
        )
