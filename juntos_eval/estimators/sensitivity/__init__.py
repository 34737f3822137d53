"""How far an answer leans on what is not seen: left-out variables, lost outcomes, imperfect instruments."""

from juntos_eval.estimators.sensitivity.attrition_bounds import (
    HorowitzManskiBounds,
    LeeBounds,
    bounds_interval,
)
from juntos_eval.estimators.sensitivity.direct_effects import (
    UnionInterval,
    plausibly_exogenous,
    union_of_intervals,
)
from juntos_eval.estimators.sensitivity.left_out_variable import (
    OmittedVariable,
    bias_contours,
    omitted_variable,
)
from juntos_eval.estimators.sensitivity.manski_bounds import ManskiBounds
from juntos_eval.estimators.sensitivity.oster import Oster, SelectionSensitivity

__all__ = [
    "HorowitzManskiBounds",
    "LeeBounds",
    "ManskiBounds",
    "OmittedVariable",
    "Oster",
    "SelectionSensitivity",
    "UnionInterval",
    "bias_contours",
    "bounds_interval",
    "omitted_variable",
    "plausibly_exogenous",
    "union_of_intervals",
]
