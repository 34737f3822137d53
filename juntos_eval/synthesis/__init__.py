"""Many estimates of one effect: pooled, taken apart, and asked what was never published."""

from juntos_eval.synthesis.effect_size import (
    EffectSize,
    log_odds_ratio,
    log_risk_ratio,
    odds_to_standardised,
    risk_difference,
    standardised_difference,
    std_error_from_interval,
    std_error_from_p_value,
    std_error_from_t,
)
from juntos_eval.synthesis.knapp_hartung import KnappHartung, KnownVariance
from juntos_eval.synthesis.meta_analysis import MetaAnalysis
from juntos_eval.synthesis.p_curve import PCurve, p_curve
from juntos_eval.synthesis.selection_model import SelectionModel, median_unbiased
from juntos_eval.synthesis.shrinkage import BayesianShrinkage
from juntos_eval.synthesis.small_study import egger_test, pet_peese, trim_and_fill
from juntos_eval.synthesis.without_each import as_they_came, without_each

__all__ = [
    "BayesianShrinkage",
    "EffectSize",
    "KnappHartung",
    "KnownVariance",
    "MetaAnalysis",
    "PCurve",
    "SelectionModel",
    "as_they_came",
    "egger_test",
    "log_odds_ratio",
    "log_risk_ratio",
    "median_unbiased",
    "odds_to_standardised",
    "p_curve",
    "pet_peese",
    "risk_difference",
    "standardised_difference",
    "std_error_from_interval",
    "std_error_from_p_value",
    "std_error_from_t",
    "trim_and_fill",
    "without_each",
]
