r"""Imbalance of joint distributions, and a permutation test that all characteristics are balanced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pandas import DataFrame

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimators.matching.adjusted import Design
from juntos_eval.estimators.matching.arm_comparison import Characteristics, compare_arms
from juntos_eval.estimators.matching.nuisances import Term
from juntos_eval.estimators.matching.outcome_model import fit_outcome, outcome_design
from juntos_eval.estimators.matching.strata import coarsened, strata_of

__all__ = ["Imbalance", "multivariate_imbalance", "prognostic_balance", "second_order"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imbalance:
    """Distance of the joint distributions of both arms before and after a design.

    Attributes
    ----------
    l1_before, l1_after : float
        From 0 (the same shares in every cell) to 1 (no cell in common).
    cells : int
        Cells with a row.
    common_before, common_after : float
        Share of cells with a row, or with weight, that hold both arms.

    Examples
    --------
    >>> from juntos_eval.estimators.matching.imbalance import Imbalance
    >>> Imbalance(l1_before=0.5, l1_after=0.1, cells=4, common_before=1.0, common_after=1.0).l1_after
    0.1
    """

    l1_before: float
    l1_after: float
    cells: int
    common_before: float
    common_after: float


def multivariate_imbalance(design: Design, *, cutpoints: Mapping[str, Any] | None = None) -> Imbalance:
    r"""Compare how treated and untreated rows spread over cells of all covariates at once.

    .. math:: L_1 = \tfrac{1}{2} \sum_c |f_c - g_c|

    with f and g the weighted shares of both arms in the cells of coarsened covariates, the same cells before
    and after.

    Parameters
    ----------
    design : Design
    cutpoints : Mapping, optional
        As of coarsened exact matching: number of bins, or limits, by covariate; by default Sturges' number.

    Returns
    -------
    Imbalance

    References
    ----------
    Iacus, S. M., King, G. & Porro, G. (2011). Multivariate matching methods that are monotonic imbalance
    bounding. *Journal of the American Statistical Association* 106(493), 345-361.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.adjusted import raw_design
    >>> from juntos_eval.estimators.matching.imbalance import multivariate_imbalance
    >>> frame = pd.DataFrame({"d": [1, 1, 0, 0], "rural": [1, 1, 1, 0]})
    >>> multivariate_imbalance(raw_design(frame, treatment="d", covariates=("rural",))).l1_before
    0.5
    """
    binned = coarsened(design.covariates, design.covariate_names, dict(cutpoints or {}))
    cells = strata_of(binned, np.zeros(len(binned), dtype=np.int64))
    count = int(cells.max()) + 1
    found = []
    for weights in (design.base_weights, design.design_weights):
        sides = [np.bincount(cells[arm], weights[arm], count) for arm in (design.treated, ~design.treated)]
        if min(side.sum() for side in sides) <= 0:
            raise DesignError(
                "the design leaves an arm without rows",
                where=f"{len(cells)} rows",
                remedy="loosen the caliper or the trimming",
            )
        one, other = (side / side.sum() for side in sides)
        occupied = (one > 0) | (other > 0)
        common = float(((one > 0) & (other > 0)).sum() / occupied.sum())
        found.append((0.5 * float(np.abs(one - other).sum()), common))
    (l1_before, common_before), (l1_after, common_after) = found
    return Imbalance(
        l1_before=l1_before,
        l1_after=l1_after,
        cells=count,
        common_before=common_before,
        common_after=common_after,
    )


def second_order(design: Design) -> DataFrame:
    """Compare squares and products of covariates, which balanced means leave free.

    Parameters
    ----------
    design : Design

    Returns
    -------
    pandas.DataFrame
        ``term smd_before smd_after``: differences of means in pooled standard deviations before adjustment,
        of squares of numeric covariates and of products of all pairs; terms that do not vary are left out.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.adjusted import raw_design
    >>> from juntos_eval.estimators.matching.imbalance import second_order
    >>> frame = pd.DataFrame({"d": [1, 1, 0, 0], "age": [1.0, 3.0, 2.0, 2.5], "rural": [1, 0, 1, 0]})
    >>> second_order(raw_design(frame, treatment="d", covariates=("age", "rural")))["term"].tolist()
    ['age²', 'age × rural']
    """
    x, names = design.covariates, design.covariate_names
    columns, terms = [], []
    for j, name in enumerate(names):
        if not np.isin(x[:, j], (0.0, 1.0)).all():
            columns.append(x[:, j] ** 2)
            terms.append(f"{name}²")
        for k in range(j + 1, len(names)):
            columns.append(x[:, j] * x[:, k])
            terms.append(f"{name} × {names[k]}")
    varying = [at for at, column in enumerate(columns) if np.ptp(column) > 0]
    kept = tuple(terms[at] for at in varying)
    values = np.column_stack([columns[at] for at in varying]) if varying else np.zeros((len(x), 0))
    return _differences(design, Characteristics(values=values, names=kept, kinds=("numeric",) * len(kept)))


def prognostic_balance(design: Design, outcome: Floats) -> DataFrame:
    r"""Compare what the outcome would be untreated, as a regression among the untreated predicts it.

    It weighs imbalances by what they do to the outcome. Fitting uses outcomes of the comparison arm, the
    treated's are not looked at.

    Parameters
    ----------
    design : Design
    outcome : numpy.ndarray, shape (n,)
        Of the design's rows; those of treated rows may be NaN.

    Returns
    -------
    pandas.DataFrame
        One row, ``term smd_before smd_after``.

    References
    ----------
    Stuart, E. A., Lee, B. K. & Leacy, F. P. (2013). Prognostic score-based balance measures can be a useful
    diagnostic for propensity score methods in comparative effectiveness research. *Journal of Clinical
    Epidemiology* 66(8), S84-S90.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.adjusted import raw_design
    >>> from juntos_eval.estimators.matching.imbalance import prognostic_balance
    >>> frame = pd.DataFrame({"d": [1, 1, 0, 0, 0], "age": [1.0, 3.0, 1.0, 2.0, 3.0]})
    >>> raw = raw_design(frame, treatment="d", covariates=("age",))
    >>> prognostic_balance(raw, np.array([9.0, 9.0, 1.0, 2.0, 3.0]))["smd_before"].round(6).tolist()
    [0.0]
    """
    y = np.asarray(outcome, dtype=np.float64)
    untreated = ~design.treated
    if y.shape != untreated.shape or np.isnan(y[untreated]).any():
        raise DesignError(
            "prognostic balance needs the outcome of every untreated row of the design",
            where=f"{len(y)} outcomes, {int(np.isnan(y).sum())} missing, {len(untreated)} rows",
            remedy="give the outcome at design.rows, and leave rows without one out of the design",
        )
    known = np.where(untreated, y, 0.0)
    basis = outcome_design(design.covariates, design.covariate_names)
    weights = Term(value=np.where(untreated, design.base_weights, 0.0))
    told = fit_outcome(known, basis, weights, "linear", "untreated").prediction[:, None]
    seen = Characteristics(values=told, names=("prognostic score",), kinds=("numeric",))
    return _differences(design, seen)


def _differences(design: Design, seen: Characteristics) -> DataFrame:
    before, after = (
        compare_arms(seen, design.treated, weights, distances=False)
        for weights in (design.base_weights, design.design_weights)
    )
    pooled = np.sqrt((before.variance_treated + before.variance_untreated) / 2.0)
    return DataFrame(
        {
            "term": seen.names,
            "smd_before": before.standardised(pooled),
            "smd_after": after.standardised(pooled),
        }
    )
