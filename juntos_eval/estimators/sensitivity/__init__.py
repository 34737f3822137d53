"""How far an answer leans on what is not seen: left-out variables, lost outcomes, imperfect instruments."""

from juntos_eval.estimators.sensitivity.attrition_bounds import (
    HorowitzManskiBounds,
    LeeBounds,
    bounds_interval,
)
from juntos_eval.estimators.sensitivity.manski_bounds import ManskiBounds
from juntos_eval.estimators.sensitivity.omitted_variable import (
    OmittedVariable,
    bias_contours,
    omitted_variable,
)
from juntos_eval.estimators.sensitivity.oster import Oster, SelectionSensitivity

__all__ = [
    "HorowitzManskiBounds",
    "LeeBounds",
    "ManskiBounds",
    "OmittedVariable",
    "Oster",
    "SelectionSensitivity",
    "bias_contours",
    "bounds_interval",
    "omitted_variable",
]
