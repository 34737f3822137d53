"""Difference-in-differences: what changed for the treated beyond what changed for the others."""

from juntos_eval.estimators.did.doubly_robust import DoublyRobust

__all__ = ["DoublyRobust"]
