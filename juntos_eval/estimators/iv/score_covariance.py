r"""The covariance of moments, and the reduced forms, as an inference sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import DenseInfluence, Fit, Inference
from juntos_eval.estimators.iv.instrumented_model import InstrumentedModel
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Iid, Robust
from juntos_eval.numerics.k_class import PartialledOut

__all__ = ["ReducedForms", "moment_covariance_by", "reduced_forms"]


def moment_covariance_by(
    inference: Inference, model: InstrumentedModel, basis: Floats, residuals: Floats
) -> Floats:
    r"""Return the covariance of :math:`\sum_i q_i e_i`, without a small-sample factor.

    Parameters
    ----------
    inference : Inference
        ``Iid`` gives :math:`\hat\sigma^2 Q'Q`, ``Robust`` and ``Cluster`` sums of squared scores, the others
        what they make of scores.
    model : InstrumentedModel
    basis : numpy.ndarray, shape (n, l)
    residuals : numpy.ndarray, shape (n,)
        Times the root of the weights, as the basis.

    Returns
    -------
    numpy.ndarray, shape (l, l)
    """
    if isinstance(inference, Iid):
        return np.asarray((residuals @ residuals) / len(residuals) * (basis.T @ basis))
    plain: Inference = inference
    if isinstance(inference, Robust):
        plain = Robust("HC0")
    elif isinstance(inference, Cluster):
        plain = Cluster(inference.by, kind="CR0")
    scores = Fit(
        values=np.zeros(basis.shape[1]),
        influence=DenseInfluence(basis * residuals[:, None]),
        parameters=0,
        groups=model.groups,
    )
    return plain.infer(scores).covariance


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReducedForms:
    r"""Reduced form and first stage of one endogenous regressor on orthonormal instruments.

    Attributes
    ----------
    outcome, first_stage : numpy.ndarray, shape (m,)
        Coefficients of the instruments for the outcome and for the endogenous regressor.
    variances : tuple of numpy.ndarray, shape (m, m)
        :math:`V_{yy}`, :math:`V_{yd} + V_{dy}`, :math:`V_{dd}`.
    df : float
    method : str
    """

    outcome: Floats
    first_stage: Floats
    variances: tuple[Floats, Floats, Floats]
    df: float
    method: str


def reduced_forms(model: InstrumentedModel, left: PartialledOut, inference: Inference) -> ReducedForms:
    r"""Return both regressions on the instruments with their joint covariance.

    The sum of cross-covariances is that of both variances less that of the difference, which holds for every
    inference whose covariance is a quadratic form of the residuals.

    Parameters
    ----------
    model : InstrumentedModel
        With one endogenous regressor.
    left : PartialledOut
    inference : Inference

    Returns
    -------
    ReducedForms

    Raises
    ------
    InferenceError
        If the covariance is not a quadratic form of residuals, or not known.
    """
    outcome, regressor = left.outcome, left.endogenous[:, 0]
    # in like units, so that neither drowns the other in the difference
    unit = float(np.linalg.norm(outcome) / np.linalg.norm(regressor)) or 1.0
    scaled = regressor * unit
    found = {
        weight: inference.infer(model.least_squares_fit(outcome - weight * scaled, left.basis, left))
        for weight in (0.0, 1.0, -1.0)
    }
    of_first = inference.infer(model.least_squares_fit(scaled, left.basis, left))
    of_outcome = found[0.0].covariance
    crossed = (found[-1.0].covariance - found[1.0].covariance) / 2.0
    again = of_outcome - crossed + of_first.covariance
    gap = float(np.abs(again - found[1.0].covariance).max())
    if not gap <= 1e-8 * float(np.abs(found[1.0].covariance).max() + np.abs(of_first.covariance).max()):
        raise InferenceError(
            "the covariance of this inference is not a quadratic form of the residuals, or not known",
            where=found[0.0].method,
            remedy="use Robust, Cluster (one way) or another inference without draws for sets of values",
        )
    return ReducedForms(
        outcome=left.basis.T @ outcome,
        first_stage=left.basis.T @ regressor,
        variances=(of_outcome, crossed / unit, of_first.covariance / unit**2),
        df=found[0.0].df,
        method=found[0.0].method,
    )
