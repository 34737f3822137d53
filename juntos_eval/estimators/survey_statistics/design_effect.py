"""How much larger the variance is than that of a simple random sample of the same size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate, Groups
from juntos_eval.estimators.design import Selection, select
from juntos_eval.estimators.survey_statistics.domains import domain_of, domain_sums

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["design_effect"]

_KNOWN = ("Mean", "Proportion", "Ratio", "Total")


def design_effect(estimate: Estimate, data: DataFrame, *, replacement: bool = False) -> Floats:
    r"""Return the design effect of means, shares, ratios and totals.

    .. math:: \text{deff} = \frac{\hat V}{(1 - n/\hat N) S^2/n}, \qquad
              S^2 = \frac{n}{n-1} \frac{\sum_i w_i u_i^2}{\sum_i w_i}, \qquad \hat N = \sum_i w_i

    with u the deviation from the mean, or of a ratio :math:`(y - \hat R x)/\bar x`; the denominator is
    multiplied by :math:`\hat N^2` for a total. Sums are over the rows of the value's domain.

    Parameters
    ----------
    estimate : Estimate
        Of ``Mean``, ``Proportion`` with a 0/1 outcome, ``Ratio`` or ``Total``, with the inference
        whose variance is asked about.
    data : pandas.DataFrame
        The frame that it was made from.
    replacement : bool
        Leave the factor :math:`1 - n/\hat N` out: the sample compared with is drawn with replacement. Without
        sampling weights N is n, so it must be.

    Returns
    -------
    numpy.ndarray, shape (k,)

    Raises
    ------
    InferenceError
        For an estimate of another kind.

    References
    ----------
    Kish, L. (1965). *Survey Sampling*, sec. 8.2. Wiley.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import Mean
    >>> from juntos_eval.estimators.survey_statistics import design_effect
    >>> from juntos_eval.inference.cluster import Cluster
    >>> frame = pd.DataFrame({"y": [1.0, 1.0, 3.0, 3.0], "village": [1, 1, 2, 2]})
    >>> mean = Mean(outcome="y").fit(frame, inference=Cluster("village"))
    >>> round(float(design_effect(mean, frame, replacement=True)[0]), 6)
    3.0
    """
    spec = estimate.spec
    kind = spec.get("estimator")
    if kind not in _KNOWN or "outcome" in estimate.keys:
        raise InferenceError(
            "a design effect is known for means, shares of a 0/1 outcome, ratios and totals",
            where=str(kind),
            remedy=f"give an estimate of {', '.join(_KNOWN)}",
        )
    by: str | None = spec["by"]
    numeric = [spec["outcome"], *([spec["denominator"]] if kind == "Ratio" else [])]
    chosen = select(data, numeric=numeric, weights=spec["weights"], carry=(by,) if by else ())
    domains = domain_of(chosen, by)
    rows = np.bincount(domains.codes, minlength=domains.count).astype(np.float64)
    size = domain_sums(chosen.weights, domains)
    deviation = _deviation(chosen, domains, numeric, size)
    variance = domain_sums(chosen.weights * deviation**2, domains) / size / (rows - 1)
    if not replacement:
        variance = variance * (1 - rows / size)
    if kind == "Total":
        variance = variance * size**2
    found = np.diag(estimate.uncertainty.covariance)
    return np.asarray(np.divide(found, variance, out=np.full(len(found), np.nan), where=variance > 0))


def _deviation(chosen: Selection, domains: Groups, numeric: list[Any], size: Floats) -> Floats:
    y = chosen.columns[numeric[0]]
    x = chosen.columns[numeric[1]] if len(numeric) > 1 else np.ones(chosen.n)
    below = domain_sums(chosen.weights * x, domains)
    ratio = domain_sums(chosen.weights * y, domains) / below
    return np.asarray((y - ratio[domains.codes] * x) / (below / size)[domains.codes])
