"""Regressions with fixed effects, and the panel models beside them."""

from juntos_eval.estimators.panel.differences import Between, FirstDifference
from juntos_eval.estimators.panel.fixed_effects import FixedEffects
from juntos_eval.estimators.panel.hausman import hausman
from juntos_eval.estimators.panel.random_effects import Mundlak, RandomEffects

__all__ = ["Between", "FirstDifference", "FixedEffects", "Mundlak", "RandomEffects", "hausman"]
