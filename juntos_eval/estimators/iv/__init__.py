r"""Instruments: two-stage least squares and its kin, how strong they are, and what holds if they are not."""

from juntos_eval.estimators.iv.compliers import ComplierEffect, ComplierMeans
from juntos_eval.estimators.iv.specification_tests import endogeneity, overidentification
from juntos_eval.estimators.iv.stages import first_stage, reduced_form
from juntos_eval.estimators.iv.strength import weak_instruments
from juntos_eval.estimators.iv.two_stage import TwoStage
from juntos_eval.estimators.iv.weak_instrument_sets import ConfidenceSet, anderson_rubin, anderson_rubin_set

__all__ = [
    "ComplierEffect",
    "ComplierMeans",
    "ConfidenceSet",
    "TwoStage",
    "anderson_rubin",
    "anderson_rubin_set",
    "endogeneity",
    "first_stage",
    "overidentification",
    "reduced_form",
    "weak_instruments",
]
