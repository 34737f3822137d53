"""Balance of an experiment on all covariates at once, and whether staying in it hung on the treatment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Codes, Floats, grouped_sums
from juntos_eval.errors import DesignError
from juntos_eval.estimate import DenseInfluence, Estimate, Fit, Inference, Linear, Sample
from juntos_eval.estimators.design import Selection, groups_to_carry, require_frame, select, zero_one
from juntos_eval.inference.assignments import Assignments, assignments_of
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.distributions import chi_squared_tail
from juntos_eval.numerics.least_squares import least_squares
from juntos_eval.numerics.wald import WaldTest

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["AttritionTest", "JointBalance", "attrition_test", "joint_balance"]

_INTERACTION = " x "


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointBalance:
    """Whether covariates, taken together, tell who was treated.

    Attributes
    ----------
    regression : Estimate
        Of the treatment on the covariates, and on strata where there are any.
    f_test : WaldTest
        That all of its slopes are zero.
    distance : float
        Hansen and Bowers's :math:`d^2`.
    df : int
        Its rank.
    p_chi_squared, p_randomization : float
        Of the distance, from its large-sample law and from assignments dealt again.
    assignments : int
        How many were tried; all there are, where they are few.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.joint_balance import joint_balance
    >>> frame = pd.DataFrame({"d": [0, 0, 0, 1, 1, 1], "x": [1.0, 2.0, 4.0, 3.0, 5.0, 6.0]})
    >>> found = joint_balance(frame, treatment="d", covariates=("x",), seed=1)
    >>> round(found.distance, 4), found.df, found.p_randomization, found.assignments
    (2.3333, 1, 0.2, 20)
    """

    regression: Estimate
    f_test: WaldTest
    distance: float
    df: int
    p_chi_squared: float
    p_randomization: float
    assignments: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AttritionTest:
    """Whether being seen again hung on the treatment.

    Attributes
    ----------
    missing_treated, missing_untreated : float
        Shares of the outcome that are missing.
    regression : Estimate
        Of missing on the treatment, and on centred covariates and their products with the treatment.
    difference : WaldTest
        That the shares are the same.
    selective : WaldTest or None
        That nobody was lost for another reason under treatment: all products are zero.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.joint_balance import attrition_test
    >>> frame = pd.DataFrame({"y": [1, None, 3, 4, None, None, 7, 8.0], "d": [0] * 4 + [1] * 4})
    >>> found = attrition_test(frame, outcome="y", treatment="d")
    >>> found.missing_untreated, found.missing_treated
    (0.25, 0.5)
    """

    missing_treated: float
    missing_untreated: float
    regression: Estimate
    difference: WaldTest
    selective: WaldTest | None


def joint_balance(
    data: DataFrame,
    *,
    treatment: str,
    covariates: Sequence[str],
    seed: int,
    strata: str | None = None,
    cluster: str | None = None,
    draws: int = 1999,
) -> JointBalance:
    r"""Test balance on all covariates together, by regression and by randomization.

    The regression of the treatment on covariates and strata is tested with robust or clustered errors. The
    distance of Hansen & Bowers (2008) asks nothing of errors: with :math:`T = \sum_h \sum_{i \in h}
    D_i (x_i - \bar x_h)` over the units that were randomized,

    .. math:: d^2 = T' V^{-} T, \qquad V = \sum_h \frac{n_{h1} n_{h0}}{n_h} S_h

    V is the covariance of T over all assignments, so :math:`d^2` is :math:`\chi^2` with the rank of V in
    large samples, and its exact law is found by dealing the treatment again. Of clusters that were treated
    as a whole the means are compared. A significant joint test of twenty covariates says more than one of
    them at five per cent, which is what chance gives.

    Parameters
    ----------
    data : pandas.DataFrame
    treatment : str
        Column of 0 and 1.
    covariates : sequence of str
        Numbers, booleans or categories.
    seed : int
        For drawn assignments.
    strata, cluster : str, optional
        Columns within which, and of units by which, the treatment was dealt.
    draws : int

    Returns
    -------
    JointBalance

    Raises
    ------
    DesignError
        For columns that cannot be used, or covariates that do not vary.
    InferenceError
        If the treatment differs within a cluster, or could not have been otherwise.

    References
    ----------
    Hansen, B. B., & Bowers, J. (2008). Covariate balance in simple, stratified and clustered comparative
    studies. *Statistical Science*, 23(2), 219-236.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.joint_balance import joint_balance
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"d": [0, 1] * 50, "x": rng.normal(size=100), "z": rng.normal(size=100)})
    >>> joint_balance(frame, treatment="d", covariates=("x", "z"), seed=1, draws=199).df
    2
    """
    rule = Robust() if cluster is None else Cluster(cluster)
    groups = tuple(name for name in (strata, cluster) if name is not None)
    chosen = select(
        data,
        required=(treatment,),
        covariates=covariates,
        carry=(*groups_to_carry(rule, ()), *groups),
    )
    treated = zero_one(chosen.columns[treatment], treatment).astype(np.float64)
    names = chosen.covariate_names
    regression = _regression(chosen, treated, chosen.covariates, names, rule, strata)
    known, _ = assignments_of(
        data.iloc[chosen.rows].reset_index(drop=True), treatment=treatment, strata=strata, cluster=cluster
    )
    distance, rank, drawn = _distances(known, treated, chosen.covariates, draws=draws, seed=seed)
    exact = known.number <= draws
    as_large = drawn >= distance * (1 - 1e-9)
    p = as_large.mean() if exact else (1 + as_large.sum()) / (len(drawn) + 1)
    return JointBalance(
        regression=regression,
        f_test=_test(regression, np.ones(len(regression.values), np.bool_)),
        distance=distance,
        df=rank,
        p_chi_squared=chi_squared_tail(distance, rank),
        p_randomization=float(p),
        assignments=len(drawn),
    )


def attrition_test(
    data: DataFrame,
    *,
    outcome: str,
    treatment: str,
    covariates: Sequence[str] = (),
    strata: str | None = None,
    cluster: str | None = None,
) -> AttritionTest:
    r"""Test whether outcomes are missing as often among the treated, and for the same people.

    .. math:: M_i = a_{h(i)} + \tau D_i + (x_i - \bar x)'b + D_i (x_i - \bar x)'c + e_i

    with M one where the outcome is missing. :math:`\tau = 0` asks for the same shares, :math:`c = 0` for the
    same kind of people: only then is a comparison of those that stayed as good as that of all.

    Parameters
    ----------
    data : pandas.DataFrame
        Everybody who was randomized.
    outcome, treatment : str
    covariates : sequence of str
        Measured before; a row where one is missing is dropped.
    strata, cluster : str, optional

    Returns
    -------
    AttritionTest

    Raises
    ------
    DesignError
        For columns that cannot be used, or an outcome that is never, or always, missing.

    References
    ----------
    Ghanem, D., Hirshleifer, S., & Ortiz-Becerra, K. (2023). Testing attrition bias in field experiments.
    *Journal of Human Resources*.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.joint_balance import attrition_test
    >>> frame = pd.DataFrame({"y": [1, None, 3, 4, None, None, 7, 8.0], "d": [0] * 4 + [1] * 4})
    >>> round(attrition_test(frame, outcome="y", treatment="d").regression.values[0].item(), 6)
    0.25
    """
    rule = Robust() if cluster is None else Cluster(cluster)
    groups = tuple(name for name in (strata, cluster) if name is not None)
    require_frame(data)
    chosen = select(data, required=(treatment,), covariates=covariates, carry=groups)
    missing = np.ones(len(data))
    missing[select(data, numeric=(outcome,)).rows] = 0.0
    lost = missing[chosen.rows]
    if not 0 < lost.sum() < len(lost):
        raise DesignError(
            f"the outcome '{outcome}' is {'always' if lost.any() else 'never'} missing",
            where=f"column '{outcome}', {len(lost)} rows",
            remedy="there is nothing to test",
        )
    treated = zero_one(chosen.columns[treatment], treatment).astype(np.float64)
    centred = chosen.covariates - chosen.covariates.mean(axis=0)
    names = (
        treatment,
        *chosen.covariate_names,
        *(f"{treatment}{_INTERACTION}{name}" for name in chosen.covariate_names),
    )
    design = np.column_stack([treated, centred, treated[:, None] * centred])
    regression = _regression(chosen, lost, design, names, rule, strata)
    terms = np.array(regression.keys["term"])
    products = np.char.startswith(terms.astype(str), treatment + _INTERACTION)
    return AttritionTest(
        missing_treated=float(lost[treated == 1].mean()),
        missing_untreated=float(lost[treated == 0].mean()),
        regression=regression,
        difference=_test(regression, terms == treatment),
        selective=_test(regression, products) if products.any() else None,
    )


def _regression(
    chosen: Selection,
    response: Floats,
    slopes: Floats,
    names: Sequence[str],
    rule: Inference,
    strata: str | None,
) -> Estimate:
    """Return the slopes of a regression with a constant, or one for each stratum."""
    levels = np.ones((chosen.n, 1))
    if strata is not None:
        groups = chosen.groups[strata]
        levels = (groups.codes[:, None] == np.arange(groups.count)).astype(np.float64)
    design = np.column_stack([levels, slopes])
    found = least_squares(design, response)
    at = np.flatnonzero(found.kept >= levels.shape[1])
    if not len(at):
        raise DesignError(
            "no covariate varies within strata", where=", ".join(names), remedy="leave constant columns out"
        )
    selection = np.zeros((len(at), found.rank))
    selection[np.arange(len(at)), at] = 1.0
    kept = design[:, found.kept]
    influence = (kept * found.residuals[:, None]) @ (selection @ found.bread).T
    fit = Fit(
        values=selection @ found.coefficients[found.kept],
        influence=DenseInfluence(influence),
        parameters=found.rank,
        groups=chosen.groups,
        linear=Linear(
            design=kept,
            weights=np.ones(chosen.n),
            residuals=found.residuals,
            bread=found.bread,
            selection=selection,
        ),
    )
    return Estimate(
        spec={"estimator": "LeastSquares", "strata": strata},
        keys={"term": tuple(names[column - levels.shape[1]] for column in found.kept[at])},
        values=fit.values,
        uncertainty=rule.infer(fit),
        sample=Sample(rows=chosen.n, units=chosen.n, dropped=chosen.dropped),
        fit=fit,
        inference=rule,
    )


def _test(regression: Estimate, picked: Floats | np.typing.NDArray[np.bool_]) -> WaldTest:
    return regression.test(np.eye(len(regression.values))[np.asarray(picked, np.bool_)])


def _distances(
    known: Assignments, treated: Floats, covariates: Floats, *, draws: int, seed: int
) -> tuple[float, int, Floats]:
    """Return the distance as it was, its rank, and the distances of other assignments."""
    units = len(known.arms)
    sizes = np.bincount(known.codes, minlength=units).astype(np.float64)
    means = grouped_sums(covariates, known.codes, units) / sizes[:, None]
    was = np.bincount(known.codes, weights=treated, minlength=units) / sizes
    centred, covariance = means.copy(), np.zeros((means.shape[1], means.shape[1]))
    for stratum in known.strata:
        centred[stratum] -= means[stratum].mean(axis=0)
        n, n1 = len(stratum), was[stratum].sum()
        if n > 1:
            covariance += n1 * (n - n1) / n * (centred[stratum].T @ centred[stratum]) / (n - 1)
    scale = np.sqrt(np.diag(covariance))
    usable = scale > 1e-12 * np.maximum(1.0, np.abs(means).max(axis=0))
    if not usable.any():
        raise DesignError(
            "no covariate varies within strata", where=f"{units} units", remedy="leave constant columns out"
        )
    scaled = centred[:, usable] / scale[usable]
    correlation = covariance[np.ix_(usable, usable)] / np.outer(scale[usable], scale[usable])
    inverse = np.linalg.pinv(correlation, rcond=1e-10, hermitian=True)
    rank = int(np.linalg.matrix_rank(correlation, tol=1e-10 * len(correlation), hermitian=True))
    # the arm of a unit that was treated
    arm = int(known.arms[np.argmax(was)])
    dealt = known.all() if known.number <= draws else _drawn(known, draws, seed)
    totals = np.array([(arms == arm).astype(np.float64) @ scaled for arms in dealt])
    seen = was @ scaled
    return float(seen @ inverse @ seen), rank, np.einsum("ri,ij,rj->r", totals, inverse, totals)


def _drawn(known: Assignments, draws: int, seed: int) -> list[Codes]:
    return [known.drawn(np.random.default_rng([seed, index])) for index in range(draws)]
