"""Difference-in-differences: what changed for the treated beyond what changed for the others."""

from juntos_eval.estimators.did.aggregate import aggregate
from juntos_eval.estimators.did.doubly_robust import DoublyRobust
from juntos_eval.estimators.did.group_time import GroupTime
from juntos_eval.estimators.did.pretrend import pretrend_test

__all__ = ["DoublyRobust", "GroupTime", "aggregate", "pretrend_test"]
