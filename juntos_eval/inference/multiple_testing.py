"""P values of many hypotheses, adjusted for their number: by inequalities, or by their joint draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate
from juntos_eval.estimate.uncertainty import Uncertainty
from juntos_eval.inference.joint_draws import JointDraws

__all__ = ["AdjustedBy", "adjust_p_values", "adjusted", "sharpened_q_values", "step_down_p_values"]

AdjustedBy = Literal[
    "bonferroni", "holm", "hochberg", "bh", "by", "sharpened", "romano_wolf", "westfall_young"
]
_IN_STATSMODELS = {
    "bonferroni": "bonferroni",
    "holm": "holm",
    "hochberg": "simes-hochberg",
    "bh": "fdr_bh",
    "by": "fdr_by",
}
_DRAWN = ("romano_wolf", "westfall_young")
_CONTROLS = {
    "bh": "false discovery rate",
    "by": "false discovery rate, any dependence",
    "sharpened": "false discovery rate, two stages",
}


def adjust_p_values(
    estimates: Sequence[Estimate], *, method: AdjustedBy = "holm", draws: JointDraws | None = None
) -> tuple[Estimate, ...]:
    r"""Return the estimates with p values adjusted for all of their values together.

    ``bonferroni``, ``holm`` and ``hochberg`` (which asks for independence or positive dependence) hold the
    chance of any false rejection, ``bh`` the expected share of false rejections (independence or positive
    dependence), ``by`` the same under any dependence, ``sharpened`` the same by the two stages of Benjamini,
    Krieger & Yekutieli (2006) in Anderson's (2008) form. ``romano_wolf`` and ``westfall_young``
    hold the chance of any false rejection under the dependence that is in joint draws, see
    :func:`step_down_p_values`.

    Parameters
    ----------
    estimates : sequence of Estimate
        The family: every value of each of them is one hypothesis. Values without a p value stay out.
    method : str
    draws : JointDraws, optional
        For ``romano_wolf`` and ``westfall_young``: of the values in their order, from
        :func:`~juntos_eval.inference.joint_draws.multiplier_draws` or ``Randomization.null_draws``.

    Returns
    -------
    tuple of Estimate
        As given, but for ``uncertainty.p_values``; the method says how they were adjusted. Intervals are
        not: those stay the ones of each value alone.

    Raises
    ------
    InferenceError
        For another method, no hypothesis, or draws that do not belong to the values.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. *Scandinavian Journal of
    Statistics*, 6(2), 65-70.
    Benjamini, Y., & Hochberg, Y. (1995). Controlling the false discovery rate. *Journal of the Royal
    Statistical Society B*, 57(1), 289-300.
    Benjamini, Y., & Yekutieli, D. (2001). The control of the false discovery rate in multiple testing under
    dependency. *Annals of Statistics*, 29(4), 1165-1188.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import MeanDifference
    >>> from juntos_eval.inference.multiple_testing import adjust_p_values
    >>> frame = pd.DataFrame({"d": [0, 1] * 20, "y": range(40), "x": [1, 2, 3, 5] * 10})
    >>> gaps = [MeanDifference(outcome=name, treatment="d").fit(frame) for name in ("y", "x")]
    >>> [bool(new.p_values()[0] >= old.p_values()[0])
    ...  for new, old in zip(adjust_p_values(gaps), gaps, strict=True)]
    [True, True]
    """
    if not estimates:
        raise InferenceError(
            "there is no hypothesis to adjust", where="no estimate", remedy="give the estimates of the family"
        )
    family = np.concatenate([one.p_values() for one in estimates])
    if method in _DRAWN:
        if draws is None or len(draws.statistics) != len(family):
            raise InferenceError(
                f"{method} needs joint draws of all values of the family",
                where=f"{len(family)} values, {0 if draws is None else len(draws.statistics)} drawn",
                remedy="make them by multiplier_draws(estimates, …) or Randomization(…).null_draws(data)",
            )
        found = step_down_p_values(draws, min_p=method == "westfall_young")
        found = np.where(np.isnan(family), np.nan, found)
    else:
        found = adjusted(family, method)
    ends = np.cumsum([len(one.values) for one in estimates])[:-1]
    text = _text(method, int(np.isfinite(family).sum()), draws)
    return tuple(
        replace(one, uncertainty=_with_p(one.uncertainty, p, text))
        for one, p in zip(estimates, np.split(found, ends), strict=True)
    )


def adjusted(p_values: Floats, method: AdjustedBy) -> Floats:
    """Return adjusted p values, by statsmodels or :func:`sharpened_q_values`.

    Parameters
    ----------
    p_values : numpy.ndarray, shape (m,)
        NaN stays NaN and does not count.
    method : {"bonferroni", "holm", "hochberg", "bh", "by", "sharpened"}

    Returns
    -------
    numpy.ndarray, shape (m,)

    Raises
    ------
    InferenceError
        For another method or numbers that are no p values.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.multiple_testing import adjusted
    >>> adjusted(np.array([0.01, 0.04, np.nan, 0.03]), "holm").round(3).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    known = ~np.isnan(p)
    if method not in (*_IN_STATSMODELS, "sharpened") or ((p[known] < 0) | (p[known] > 1)).any():
        raise InferenceError(
            "p values between 0 and 1 are adjusted by a method that there is",
            where=f"method={method!r}",
            remedy=f"choose one of {', '.join(get_args(AdjustedBy))}; those by draws need draws",
        )
    found = np.full(len(p), np.nan)
    if not known.any():
        return found
    if method == "sharpened":
        found[known] = sharpened_q_values(p[known])
    else:
        from statsmodels.stats.multitest import multipletests

        found[known] = multipletests(p[known], method=_IN_STATSMODELS[method])[1]
    return found


def sharpened_q_values(p_values: Floats, *, step: float = 0.001) -> Floats:
    r"""Return for each p value the smallest rate q at which the two-stage procedure rejects it.

    At q, Benjamini and Hochberg's procedure at :math:`q' = q/(1+q)` rejects :math:`r_1` of m hypotheses; it
    is done again at :math:`q' m/(m - r_1)` (Benjamini, Krieger & Yekutieli 2006, definition 6). q is tried
    from 1 downwards by ``step``, as Anderson (2008) does, so q values are its multiples, and may be smaller
    than the p value where many are rejected.

    Parameters
    ----------
    p_values : numpy.ndarray, shape (m,)
    step : float

    Returns
    -------
    numpy.ndarray, shape (m,)

    References
    ----------
    Benjamini, Y., Krieger, A. M., & Yekutieli, D. (2006). Adaptive linear step-up procedures that control
    the false discovery rate. *Biometrika*, 93(3), 491-507.
    Anderson, M. L. (2008). Multiple inference and gender differences in the effects of early intervention.
    *Journal of the American Statistical Association*, 103(484), 1481-1495.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.multiple_testing import sharpened_q_values
    >>> sharpened_q_values(np.array([0.001, 0.9])).tolist()
    [0.003, 0.819]
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    ordered, ranks = np.asarray(p_values)[order], np.arange(1, m + 1)
    found = np.ones(m)
    for multiple in range(round(1 / step), 0, -1):
        q = multiple * step
        first = q / (1 + q)
        rejected = _largest(ordered <= first * ranks / m)
        second = first * m / (m - rejected) if rejected < m else np.inf
        found[: _largest(ordered <= second * ranks / m)] = q
    back = np.empty(m)
    back[order] = found
    return np.round(back, 12)


def step_down_p_values(joint: JointDraws, *, min_p: bool = False) -> Floats:
    r"""Return step-down p values from joint draws of absolute statistics under the null.

    With statistics ordered from the largest, :math:`|t_1| \ge |t_2| \ge \dots`,

    .. math:: p_j = \frac{1 + \#\{b : \max_{l \ge j} |t^*_{bl}| \ge |t_j|\}}{B + 1}, \qquad
              p_j \leftarrow \max(p_j, p_{j-1})

    (Romano & Wolf 2005, 2016). ``min_p`` puts the marginal p values of each draw in the place of its
    statistics (Westfall & Young 1993, algorithm 2.8), so that hypotheses whose statistics have
    different laws count alike.

    Parameters
    ----------
    joint : JointDraws
    min_p : bool

    Returns
    -------
    numpy.ndarray, shape (k,)
        NaN for a statistic that is not known.

    References
    ----------
    Romano, J. P., & Wolf, M. (2005). Exact and approximate stepdown methods for multiple hypothesis testing.
    *Journal of the American Statistical Association*, 100(469), 94-108.
    Romano, J. P., & Wolf, M. (2016). Efficient computation of adjusted p-values for resampling-based
    stepdown multiple testing. *Statistics & Probability Letters*, 113, 38-40.
    Westfall, P. H., & Young, S. S. (1993). *Resampling-Based Multiple Testing*. Wiley.

    Examples
    --------
    >>> from juntos_eval.inference.joint_draws import JointDraws
    >>> from juntos_eval.inference.multiple_testing import step_down_p_values
    >>> drawn = [[3, 1], [0, 2], [1, 0], [0, 0]]
    >>> joint = JointDraws(statistics=[3.0, 1.0], draws=drawn, exact=True, method="by hand")
    >>> step_down_p_values(joint).tolist()
    [0.25, 0.5]
    """
    seen, drawn = np.abs(joint.statistics), np.abs(joint.draws)
    known = np.isfinite(seen)
    # a draw that is not known counts as large
    drawn = np.where(np.isnan(drawn), np.inf, drawn)
    if min_p:
        seen, drawn = _as_ranks(seen, drawn, joint)
    order = np.flatnonzero(known)[np.argsort(-seen[known], kind="stable")]
    found, largest_so_far = np.full(len(seen), np.nan), 0.0
    # the running maximum over the hypotheses that are still there
    maxima = np.maximum.accumulate(drawn[:, order[::-1]], axis=1)[:, ::-1]
    for place, one in enumerate(order):
        largest_so_far = max(largest_so_far, joint.share(maxima[:, place], float(seen[one])))
        found[one] = largest_so_far
    return found


def _as_ranks(seen: Floats, drawn: Floats, joint: JointDraws) -> tuple[Floats, Floats]:
    """Return one less the marginal p values, of what was seen and of each draw."""
    B = len(drawn)
    ranks, p = np.empty_like(drawn), np.empty_like(seen)
    for column in range(len(seen)):
        ordered = np.sort(drawn[:, column])
        slack = 1e-9 * np.maximum(1.0, np.where(np.isfinite(drawn[:, column]), drawn[:, column], 1.0))
        ranks[:, column] = np.searchsorted(ordered, drawn[:, column] - slack) / B
        p[column] = joint.share(drawn[:, column], float(seen[column]))
    if joint.exact:
        return 1 - p, ranks
    # what was seen is one more draw, so its rank counts as theirs do
    return (B + 1) * (1 - p) / B, ranks


def _largest(passes: Floats | np.typing.NDArray[np.bool_]) -> int:
    where = np.flatnonzero(passes)
    return int(where[-1]) + 1 if len(where) else 0


def _text(method: AdjustedBy, count: int, draws: JointDraws | None) -> str:
    text = f"p values by {method}, {count} hypotheses, {_CONTROLS.get(method, 'family-wise error')}"
    return f"{text}; {draws.method}" if method in _DRAWN and draws is not None else text


def _with_p(old: Uncertainty, p_values: Floats, text: str) -> Uncertainty:
    return replace(old, method=f"{old.method}; {text}", p_values=p_values)
