"""Regression discontinuity: sharp, fuzzy and kink designs by local polynomials."""

from juntos_eval.estimators.rdd.regression_discontinuity import RegressionDiscontinuity

__all__ = ["RegressionDiscontinuity"]
