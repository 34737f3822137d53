"""Difference-in-differences: what changed for the treated beyond what changed for the others."""

from juntos_eval.estimators.did.averages import aggregate
from juntos_eval.estimators.did.changes_in_changes import ChangesInChanges
from juntos_eval.estimators.did.continuous_did import ContinuousDiD
from juntos_eval.estimators.did.decomposition import BaconDecomposition, bacon
from juntos_eval.estimators.did.doubly_robust import DoublyRobust
from juntos_eval.estimators.did.equal_effects import equal_effects_test
from juntos_eval.estimators.did.estimator_comparison import EstimatorComparison, compare_estimators
from juntos_eval.estimators.did.event_study import EventStudy
from juntos_eval.estimators.did.extended_two_way import ExtendedTwoWay
from juntos_eval.estimators.did.group_time import GroupTime
from juntos_eval.estimators.did.honest_sets import SetSearch
from juntos_eval.estimators.did.imputation import Imputation
from juntos_eval.estimators.did.instantaneous import InstantaneousDiD
from juntos_eval.estimators.did.interaction_weighted import InteractionWeighted
from juntos_eval.estimators.did.intertemporal import Intertemporal
from juntos_eval.estimators.did.local_projections import LocalProjections
from juntos_eval.estimators.did.power_before_treatment import PretrendPower, pretrend_power
from juntos_eval.estimators.did.pretrend import pretrend_test
from juntos_eval.estimators.did.random_timing import RandomTiming
from juntos_eval.estimators.did.robust_intervals import HonestIntervals, honest
from juntos_eval.estimators.did.scale_out import fit_at_scale
from juntos_eval.estimators.did.stacked import Stacked
from juntos_eval.estimators.did.synthetic import SyntheticControl, SyntheticDiD
from juntos_eval.estimators.did.treatment_timing import Rollout, rollout
from juntos_eval.estimators.did.trend_restrictions import TrendRestriction
from juntos_eval.estimators.did.triple_difference import TripleDifference
from juntos_eval.estimators.did.two_stage_imputation import TwoStageImputation
from juntos_eval.estimators.did.two_way_weights import TwoWayWeights, twfe_weights

__all__ = [
    "BaconDecomposition",
    "ChangesInChanges",
    "ContinuousDiD",
    "DoublyRobust",
    "EstimatorComparison",
    "EventStudy",
    "ExtendedTwoWay",
    "GroupTime",
    "HonestIntervals",
    "Imputation",
    "InstantaneousDiD",
    "InteractionWeighted",
    "Intertemporal",
    "LocalProjections",
    "PretrendPower",
    "RandomTiming",
    "Rollout",
    "SetSearch",
    "Stacked",
    "SyntheticControl",
    "SyntheticDiD",
    "TrendRestriction",
    "TripleDifference",
    "TwoStageImputation",
    "TwoWayWeights",
    "aggregate",
    "bacon",
    "compare_estimators",
    "equal_effects_test",
    "fit_at_scale",
    "honest",
    "pretrend_power",
    "pretrend_test",
    "rollout",
    "twfe_weights",
]
