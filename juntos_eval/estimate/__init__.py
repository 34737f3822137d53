r"""The contract: one class for every number, and what is passed on the way to it.

``Estimator.fit(data)`` makes a :class:`Fit` (values and their influence), an ``Inference`` turns the
fit into an :class:`Uncertainty`, and both end in an :class:`Estimate`: ours, a published one, a pooled
or a simulated one. Everything after that (tables, figures, reports, records) reads ``Estimate``.
"""

from juntos_eval.estimate.estimate import Estimate, Estimator, Inference
from juntos_eval.estimate.fit import Fit, Groups, Instrumented, Linear, Matched, Shares
from juntos_eval.estimate.influence import (
    Block,
    BlockInfluence,
    DenseInfluence,
    Influence,
    SparseInfluence,
)
from juntos_eval.estimate.uncertainty import Check, Sample, Uncertainty

__all__ = [
    "Block",
    "BlockInfluence",
    "Check",
    "DenseInfluence",
    "Estimate",
    "Estimator",
    "Fit",
    "Groups",
    "Inference",
    "Influence",
    "Instrumented",
    "Linear",
    "Matched",
    "Sample",
    "Shares",
    "SparseInfluence",
    "Uncertainty",
]
