"""Regressions with fixed effects, and the panel and binary models beside them."""

from juntos_eval.estimators.panel.binary import LinearProbability, Logit, Probit
from juntos_eval.estimators.panel.differences import Between, FirstDifference
from juntos_eval.estimators.panel.fixed_effects import FixedEffects
from juntos_eval.estimators.panel.hausman import hausman
from juntos_eval.estimators.panel.poisson import Poisson
from juntos_eval.estimators.panel.random_effects import Mundlak, RandomEffects

__all__ = [
    "Between",
    "FirstDifference",
    "FixedEffects",
    "LinearProbability",
    "Logit",
    "Mundlak",
    "Poisson",
    "Probit",
    "RandomEffects",
    "hausman",
]
