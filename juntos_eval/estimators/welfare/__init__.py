"""Poverty, inequality and redistribution of a population, as estimates with the error of their sample."""

from juntos_eval.estimators.welfare.dominance import Dominance
from juntos_eval.estimators.welfare.growth_incidence import GrowthIncidence
from juntos_eval.estimators.welfare.inequality import Inequality
from juntos_eval.estimators.welfare.lorenz import LorenzCurve
from juntos_eval.estimators.welfare.poverty import Poverty
from juntos_eval.estimators.welfare.poverty_change import PovertyChange
from juntos_eval.estimators.welfare.redistribution import Redistribution

__all__ = [
    "Dominance",
    "GrowthIncidence",
    "Inequality",
    "LorenzCurve",
    "Poverty",
    "PovertyChange",
    "Redistribution",
]
