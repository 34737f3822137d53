"""Regression discontinuity: sharp, fuzzy and kink designs by local polynomials, and tests of the design."""

from juntos_eval.estimators.rdd.boundary import BoundaryRD
from juntos_eval.estimators.rdd.boundary_distance import boundary_lines, boundary_points, signed_distance
from juntos_eval.estimators.rdd.density import DensityChoices, density_test
from juntos_eval.estimators.rdd.density_plot import DensityPicture, density_picture
from juntos_eval.estimators.rdd.difference_in_discontinuities import DifferenceInDiscontinuities
from juntos_eval.estimators.rdd.extrapolation import CovariateExtrapolation
from juntos_eval.estimators.rdd.falsification import (
    bandwidth_sensitivity,
    covariate_continuity,
    donut_sensitivity,
    placebo_cutoffs,
)
from juntos_eval.estimators.rdd.honest_fuzzy_set import bias_aware_set
from juntos_eval.estimators.rdd.honest_rd import HonestRD
from juntos_eval.estimators.rdd.multi_cutoff import CumulativeRD, MultiCutoffRD
from juntos_eval.estimators.rdd.multi_cutoff_extrapolation import MultiCutoffExtrapolation
from juntos_eval.estimators.rdd.multi_score import MultiScoreRD
from juntos_eval.estimators.rdd.rd_plot import BinChoices, RdPlot, rd_plot_bins
from juntos_eval.estimators.rdd.rd_power import DiscontinuityPower
from juntos_eval.estimators.rdd.rd_sensitivity import placebo_samples, polynomial_sensitivity
from juntos_eval.estimators.rdd.regression_discontinuity import RegressionDiscontinuity

__all__ = [
    "BinChoices",
    "BoundaryRD",
    "CovariateExtrapolation",
    "CumulativeRD",
    "DensityChoices",
    "DensityPicture",
    "DifferenceInDiscontinuities",
    "DiscontinuityPower",
    "HonestRD",
    "MultiCutoffExtrapolation",
    "MultiCutoffRD",
    "MultiScoreRD",
    "RdPlot",
    "RegressionDiscontinuity",
    "bandwidth_sensitivity",
    "bias_aware_set",
    "boundary_lines",
    "boundary_points",
    "covariate_continuity",
    "density_picture",
    "density_test",
    "donut_sensitivity",
    "placebo_cutoffs",
    "placebo_samples",
    "polynomial_sensitivity",
    "rd_plot_bins",
    "signed_distance",
]
