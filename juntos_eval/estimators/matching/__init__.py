"""Matching and weighting: comparisons of treated and untreated rows that look alike."""

from juntos_eval.estimators.matching.adjusted import raw_design
from juntos_eval.estimators.matching.aipw import AIPW
from juntos_eval.estimators.matching.balance import balance
from juntos_eval.estimators.matching.cross_fitted_aipw import CrossFittedAIPW
from juntos_eval.estimators.matching.dose_response import DoseResponse
from juntos_eval.estimators.matching.effects_by import EffectsBy
from juntos_eval.estimators.matching.imbalance import (
    multivariate_imbalance,
    prognostic_balance,
    second_order,
)
from juntos_eval.estimators.matching.learned_score import learned_score
from juntos_eval.estimators.matching.matching import Matching
from juntos_eval.estimators.matching.overlap import overlap
from juntos_eval.estimators.matching.partially_linear import PartiallyLinear
from juntos_eval.estimators.matching.regression_adjustment import IPWRA, RegressionAdjustment
from juntos_eval.estimators.matching.sensitivity import e_value, rosenbaum_bounds
from juntos_eval.estimators.matching.simulated_confounder import simulated_confounder
from juntos_eval.estimators.matching.specification_curve import specification_curve, specification_grid
from juntos_eval.estimators.matching.weighting import Weighting

__all__ = [
    "AIPW",
    "IPWRA",
    "CrossFittedAIPW",
    "DoseResponse",
    "EffectsBy",
    "Matching",
    "PartiallyLinear",
    "RegressionAdjustment",
    "Weighting",
    "balance",
    "e_value",
    "learned_score",
    "multivariate_imbalance",
    "overlap",
    "prognostic_balance",
    "raw_design",
    "rosenbaum_bounds",
    "second_order",
    "simulated_confounder",
    "specification_curve",
    "specification_grid",
]
