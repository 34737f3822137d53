"""What a sample says of its population: totals, ratios, proportions and quantiles, of all and by domain."""

from juntos_eval.estimators.survey_statistics.design_effect import design_effect
from juntos_eval.estimators.survey_statistics.proportion import Proportion
from juntos_eval.estimators.survey_statistics.proportion_intervals import (
    interval_of_proportion,
    proportion_intervals,
)
from juntos_eval.estimators.survey_statistics.quantile import Quantile
from juntos_eval.estimators.survey_statistics.ratio import Ratio
from juntos_eval.estimators.survey_statistics.total import Total

__all__ = [
    "Proportion",
    "Quantile",
    "Ratio",
    "Total",
    "design_effect",
    "interval_of_proportion",
    "proportion_intervals",
]
