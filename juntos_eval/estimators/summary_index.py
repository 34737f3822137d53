"""One number of many outcomes: indices that a treatment is tested on once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from juntos_eval.arrays import Bools, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimators.design import require_frame, select

if TYPE_CHECKING:
    from pandas import DataFrame, Series

__all__ = ["SummaryIndex", "inverse_covariance_index", "standardised", "summary_index"]

Method = Literal["icw", "klk"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SummaryIndex:
    """An index and how it was made.

    Attributes
    ----------
    index : pandas.Series
        On the labels of the data; NaN for a row without any component.
    components : tuple of str
    weights : numpy.ndarray, shape (k,)
        Of each component, summing to 1.
    means, deviations : numpy.ndarray, shape (k,)
        Of the reference group, after signs were turned.
    missing : tuple of int
        Rows in which each component is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.summary_index import summary_index
    >>> frame = pd.DataFrame({"enrolled": [0, 1, 1, 0], "works": [1, 0, 0, 1], "d": [0, 0, 1, 1]})
    >>> found = summary_index(frame, ("enrolled", "works"), treatment="d", reverse=("works",), method="klk")
    >>> found.weights.tolist(), found.index.round(3).tolist()
    ([0.5, 0.5], [-0.707, 0.707, 0.707, -0.707])
    """

    index: Series
    components: tuple[str, ...]
    weights: Floats
    means: Floats
    deviations: Floats
    missing: tuple[int, ...]


def summary_index(
    data: DataFrame,
    components: Sequence[str],
    *,
    treatment: str,
    reverse: Sequence[str] = (),
    weights: str | None = None,
    method: Method = "icw",
) -> SummaryIndex:
    r"""Return an index of several outcomes, in standard deviations of the untreated.

    Each component, turned where less is better, is measured from the mean of the untreated in their standard
    deviations, :math:`\tilde y_{ij}`.

    ``icw`` (Anderson 2008) weights by the inverse of their covariance :math:`\hat\Sigma`, so that
    outcomes that say the same count once:

    .. math:: s_i = \frac{1_i' \hat\Sigma_i^{-1} \tilde y_i}{1_i' \hat\Sigma_i^{-1} 1_i}

    over the components that row i has. :math:`\hat\Sigma` is that of :math:`\tilde y` over all rows, each
    entry from the rows that have both; the weights of the whole sample,
    :math:`w_j = \sum_l (\hat\Sigma^{-1})_{jl}`, are kept over the components that are there and made to sum
    to one.

    ``klk`` (Kling, Liebman & Katz 2007) gives all components the same weight, and fills a missing component,
    in a row that has another, with the mean of the row's treatment group.

    Then the index is measured from the mean of the untreated in their standard deviations for ``icw``;
    ``klk`` leaves the average as it is.

    Parameters
    ----------
    data : pandas.DataFrame
    components : sequence of str
        Columns of numbers or booleans.
    treatment : str
        Column of 0 and 1: the untreated are the reference.
    reverse : sequence of str
        Components of which less is better.
    weights : str, optional
        Column of sampling weights, for means, deviations and covariances.
    method : {"icw", "klk"}

    Returns
    -------
    SummaryIndex

    Raises
    ------
    DesignError
        For columns that cannot be used, a component that does not vary among the untreated, and
        components of which one follows from others.

    References
    ----------
    Anderson, M. L. (2008). Multiple inference and gender differences in the effects of early intervention.
    *Journal of the American Statistical Association*, 103(484), 1481-1495. (Sec. 3.2.1.)
    Kling, J. R., Liebman, J. B., & Katz, L. F. (2007). Experimental analysis of neighborhood effects.
    *Econometrica*, 75(1), 83-119. (Sec. 3.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.summary_index import summary_index
    >>> frame = pd.DataFrame({"a": [0, 1, 2, 3], "b": [1, 0, 3, 2.0], "d": [0, 0, 0, 1]})
    >>> summary_index(frame, ("a", "b"), treatment="d").index.round(3).tolist()
    [-0.267, -0.84, 1.106, 0.533]
    """
    names, turned = tuple(components), set(reverse)
    _require_choices(names, turned, method)
    values, reference, weight = _columns(data, names, treatment, weights)
    values = values * np.array([-1.0 if name in turned else 1.0 for name in names])
    scaled, means, deviations = standardised(values, reference, weight, names)
    treated = ~reference
    if method == "klk":
        shares = np.full(len(names), 1 / len(names))
        index = _filled(scaled, treated, weight) @ shares
        index = np.where(np.isfinite(scaled).any(axis=1), index, np.nan)
    else:
        index, shares = inverse_covariance_index(scaled, weight, names)
        index = standardised(index[:, None], reference, weight, ("the index",))[0][:, 0]
    return SummaryIndex(
        index=pd.Series(index, index=data.index, name=f"index_{method}"),
        components=names,
        weights=frozen(shares),
        means=frozen(means),
        deviations=frozen(deviations),
        missing=tuple(int(count) for count in np.isnan(values).sum(axis=0)),
    )


def standardised(
    values: Floats, reference: Bools, weights: Floats, names: Sequence[str]
) -> tuple[Floats, Floats, Floats]:
    r"""Return columns in standard deviations of the reference group, with its means and deviations.

    Parameters
    ----------
    values : numpy.ndarray, shape (n, k)
        NaN where missing.
    reference : numpy.ndarray of bool, shape (n,)
    weights : numpy.ndarray, shape (n,)
    names : sequence of str
        For errors.

    Returns
    -------
    tuple of numpy.ndarray
        Deviations have n - 1 in the denominator, as :math:`\frac{n}{n-1} \sum w (y - \bar y)^2 / \sum w`.

    Raises
    ------
    DesignError
        If a column does not vary in the reference group.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.summary_index import standardised
    >>> one = np.ones(3)
    >>> standardised(np.array([[1.0], [3.0], [5.0]]), one == 1, one, ("y",))[0].ravel().tolist()
    [-1.0, 0.0, 1.0]
    """
    known = np.isfinite(values) & reference[:, None]
    mass = np.where(known, weights[:, None], 0.0)
    count = known.sum(axis=0)
    if (count < 2).any():
        raise DesignError(
            "a component has fewer than two untreated rows",
            where=", ".join(f"'{name}'" for name, few in zip(names, count < 2, strict=True) if few),
            remedy="leave it out of the index",
        )
    filled = np.where(np.isfinite(values), values, 0.0)
    means = (mass * filled).sum(axis=0) / mass.sum(axis=0)
    squares = (mass * (filled - means) ** 2).sum(axis=0) / mass.sum(axis=0)
    deviations = np.sqrt(squares * count / (count - 1))
    still = deviations <= 1e-12 * np.maximum(1.0, np.abs(means))
    if still.any():
        raise DesignError(
            "a component does not vary among the untreated, so it has no scale",
            where=", ".join(f"'{name}'" for name, is_still in zip(names, still, strict=True) if is_still),
            remedy="leave it out of the index",
        )
    return (values - means) / deviations, means, deviations


def inverse_covariance_index(scaled: Floats, weights: Floats, names: Sequence[str]) -> tuple[Floats, Floats]:
    """Return the weighted mean of standardised components, and the weights, summing to one.

    Parameters
    ----------
    scaled : numpy.ndarray, shape (n, k)
        NaN where missing.
    weights : numpy.ndarray, shape (n,)
    names : sequence of str
        For errors.

    Returns
    -------
    tuple of numpy.ndarray
        (n,), NaN for rows without a component or whose components have weights that sum to nothing; (k,).

    Raises
    ------
    DesignError
        If one component follows from others.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.summary_index import inverse_covariance_index
    >>> twice = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    >>> inverse_covariance_index(twice, np.ones(4), ("a", "b"))[1].tolist()
    [0.5, 0.5]
    """
    covariance = _pairwise_covariance(scaled, weights)
    if not np.isfinite(covariance).all() or np.linalg.cond(covariance) > 1e12:
        raise DesignError(
            "components follow from each other, or two are never seen together, so they have no weights",
            where=", ".join(names),
            remedy="leave one out, or use method='klk'",
        )
    shares = np.linalg.solve(covariance, np.ones(len(covariance)))
    shares = shares / shares.sum()
    known = np.isfinite(scaled)
    mass = known @ shares
    sums = np.where(known, scaled, 0.0) @ shares
    usable = known.any(axis=1) & (np.abs(mass) > 1e-9)
    return np.divide(sums, mass, out=np.full(len(sums), np.nan), where=usable), shares


def _pairwise_covariance(scaled: Floats, weights: Floats) -> Floats:
    k = scaled.shape[1]
    covariance = np.full((k, k), np.nan)
    for one in range(k):
        for other in range(one, k):
            both = np.isfinite(scaled[:, [one, other]]).all(axis=1)
            if both.sum() > 1:
                pair = np.cov(scaled[both][:, one], scaled[both][:, other], aweights=weights[both])
                covariance[one, other] = covariance[other, one] = pair[0, 1]
    return covariance


def _filled(scaled: Floats, treated: Bools, weights: Floats) -> Floats:
    """Return the components with the mean of the row's treatment group where they are missing."""
    filled = scaled.copy()
    for group in (treated, ~treated):
        known = np.isfinite(scaled) & group[:, None]
        mass = np.where(known, weights[:, None], 0.0)
        total = mass.sum(axis=0)
        sums = (mass * np.where(known, scaled, 0.0)).sum(axis=0)
        means = np.divide(sums, total, out=np.full(len(sums), np.nan), where=total > 0)
        filled = np.where(np.isnan(scaled) & group[:, None], means, filled)
    return filled


def _columns(
    data: DataFrame, names: tuple[str, ...], treatment: str, weights: str | None
) -> tuple[Floats, Bools, Floats]:
    """Return components with their gaps, who is untreated, and the weights, for every row."""
    require_frame(data)
    columns = []
    for name in names:
        chosen = select(data, numeric=(name,))
        column = np.full(len(data), np.nan)
        column[chosen.rows] = chosen.columns[name]
        columns.append(column)
    whole = select(data, required=(treatment,), weights=weights)
    values = whole.columns[treatment]
    if ((values != 0) & (values != 1)).any() or not (values == 0).any():
        raise DesignError(
            f"the treatment '{treatment}' must be 0 or 1, with someone untreated",
            where=f"column '{treatment}', {len(values)} rows",
            remedy="recode it",
        )
    # rows of weight zero have an index, but no say in its scale
    reference, weight = np.zeros(len(data), np.bool_), np.zeros(len(data))
    reference[whole.rows], weight[whole.rows] = values == 0, whole.weights
    return np.column_stack(columns), reference, weight


def _require_choices(names: tuple[str, ...], turned: set[str], method: str) -> None:
    fault = ""
    if len(names) < 2 or len(set(names)) < len(names):
        fault = "an index needs two or more different components"
    elif turned - set(names):
        fault = "what is reversed is no component"
    elif method not in get_args(Method):
        fault = f"there is no index {method!r}"
    if fault:
        raise DesignError(
            fault,
            where=f"components {names}, reversed {sorted(turned)}",
            remedy=f"methods are {', '.join(get_args(Method))}",
        )
