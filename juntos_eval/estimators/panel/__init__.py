"""Regressions with fixed effects, and the panel models beside them."""

from juntos_eval.estimators.panel.fixed_effects import FixedEffects

__all__ = ["FixedEffects"]
