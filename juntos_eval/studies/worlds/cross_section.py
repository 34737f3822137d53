"""One wave of treated and untreated units that differ in what was seen before treatment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.random import Generator
from pandas import DataFrame

__all__ = ["CrossSection"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossSection:
    r"""Selection on what is seen: :math:`y_i = \mu + \gamma \sum_k x_{ik} + \tau D_i + e_i`.

    Attributes
    ----------
    treated, untreated : int
    mean, spread : float
        Of the untreated outcome where covariates are zero; a share has no spread of its own.
    gap : float
        How many standard deviations each covariate is higher among the treated.
    slope : float
        Of the outcome by covariate: the raw gap is off by ``slope * gap`` a covariate.
    kind : {"score", "share"}
    covariates : tuple of str
    """

    treated: int
    untreated: int
    mean: float
    spread: float = 1.0
    gap: float = 0.4
    slope: float = -0.1
    kind: Literal["score", "share"] = "score"
    covariates: tuple[str, ...] = ("x1", "x2", "x3")

    def draw(self, generator: Generator, effect: float) -> DataFrame:
        """Return one row a unit: ``unit treated y`` and the covariates."""
        n = self.treated + self.untreated
        treated = np.arange(n) < self.treated
        x = generator.normal(size=(n, len(self.covariates))) + self.gap * treated[:, None]
        means = self.mean + self.slope * x.sum(axis=1) + effect * treated
        if self.kind == "score":
            outcome = means + self.spread * generator.normal(size=n)
        else:
            outcome = (generator.random(n) < np.clip(means, 0.0, 1.0)).astype(float)
        frame = pd.DataFrame({"unit": np.arange(n), "treated": treated.astype(int), "y": outcome})
        for position, name in enumerate(self.covariates):
            frame[name] = x[:, position]
        return frame

    def assumptions(self) -> tuple[str, ...]:
        """Say what is assumed where the study does not say."""
        return (
            (
                f"{self.treated} treated and {self.untreated} untreated units, {len(self.covariates)} "
                f"covariates that "
                f"are {self.gap:g} standard deviations higher among the treated"
            ),
            (
                f"untreated {self.kind} of {self.mean:g}, moving by {self.slope:g} for each unit of a "
                f"covariate"
            ),
        )
