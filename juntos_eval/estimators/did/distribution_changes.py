"""What the treated's outcomes would have been: changes-in-changes of distributions, and their error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.estimators.did.distributions import Distribution

__all__ = ["Cells", "DistributionEffects", "continuous_effects", "discrete_effects", "quantile_did"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Outcomes of controls and treated, before and after.

    Examples
    --------
    See :func:`continuous_effects`.
    """

    control_before: Distribution
    control_after: Distribution
    treated_before: Distribution
    treated_after: Distribution

    @property
    def every(self) -> tuple[Distribution, ...]:
        """In the order of the influence."""
        return (self.control_before, self.control_after, self.treated_before, self.treated_after)


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionEffects:
    """Effects with the influence of the rows of each cell, in the cells' own order.

    Attributes
    ----------
    terms : tuple of str, length k
    values : numpy.ndarray, shape (k,)
    influence : tuple of numpy.ndarray, each (rows of a cell, k)
        Of controls before and after, treated before and after; divided by the number of rows.

    Examples
    --------
    See :func:`continuous_effects`.
    """

    terms: tuple[str, ...]
    values: Floats
    influence: tuple[Floats, ...]


def continuous_effects(cells: Cells, quantiles: Sequence[float]) -> DistributionEffects:
    r"""Return the effect on the treated and on quantiles of their outcomes.

    .. math:: \hat k(y) = \hat F_{01}^{-1}(\hat F_{00}(y)), \quad
              \hat\tau = \bar Y_{11} - \overline{\hat k(Y_{10})}, \quad
              \hat\tau_q = \hat F_{11}^{-1}(q) - \hat k(\hat F_{10}^{-1}(q))

    Parameters
    ----------
    cells : Cells
    quantiles : sequence of float

    Returns
    -------
    DistributionEffects

    References
    ----------
    Athey, S., & Imbens, G. W. (2006). Identification and inference in nonlinear difference-in-differences
    models. *Econometrica*, 74(2), 431-497. (Equations 9, 17 and 36; theorems 5.1 and 5.2.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.distribution_changes import Cells, continuous_effects
    >>> from juntos_eval.estimators.did.distributions import distribution_of
    >>> one = lambda *values: distribution_of(np.array(values), np.ones(len(values)))
    >>> cells = Cells(control_before=one(1.0, 2, 3), control_after=one(2.0, 4, 9), treated_before=one(2.0, 3),
    ...               treated_after=one(6.0, 10.0))
    >>> continuous_effects(cells, (0.5,)).values.tolist()
    [1.5, 2.0]
    """
    before, after, treated = cells.control_before, cells.control_after, cells.treated_before
    share = before.cdf(treated.values)
    carried = after.quantile(share)
    slope = treated.weights / after.density(carried)
    expected = treated.mean(carried)
    value = cells.treated_after.mean(cells.treated_after.values) - expected
    own = cells.treated_after.values
    parts = [
        -_above(before.values, treated.values, slope),
        _above(after.values, carried, slope),
        -(carried - expected),
        own - cells.treated_after.mean(own),
    ]
    columns, terms, values = [parts], ["att"], [value]
    for quantile in quantiles:
        point = np.atleast_1d(treated.quantile(np.array([quantile])))
        level = before.cdf(point)
        image = after.quantile(level)
        steep = 1.0 / after.density(image)
        ahead = np.atleast_1d(cells.treated_after.quantile(np.array([quantile])))
        columns.append(
            [
                -steep * (before.values <= point),
                steep * (after.values <= image),
                steep * before.density(point) / treated.density(point) * (treated.values <= point),
                (own <= ahead) * (-1.0 / cells.treated_after.density(ahead)),
            ]
        )
        terms.append(f"quantile {quantile:g}")
        values.append(float(ahead[0] - image[0]))
    return _effects(cells, terms, values, columns)


def quantile_did(cells: Cells, quantiles: Sequence[float]) -> DistributionEffects:
    r"""Return the difference-in-differences of quantiles, and of means.

    .. math:: \hat\tau_q = \hat F_{11}^{-1}(q) - \hat F_{10}^{-1}(q)
              - \big(\hat F_{01}^{-1}(q) - \hat F_{00}^{-1}(q)\big)

    Parameters
    ----------
    cells : Cells
    quantiles : sequence of float

    Returns
    -------
    DistributionEffects

    References
    ----------
    Athey, S., & Imbens, G. W. (2006). *Econometrica*, 74(2), 431-497. (Section 3.4.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.distribution_changes import Cells, quantile_did
    >>> from juntos_eval.estimators.did.distributions import distribution_of
    >>> one = lambda *values: distribution_of(np.array(values), np.ones(len(values)))
    >>> cells = Cells(control_before=one(1.0, 2, 3), control_after=one(2.0, 4, 9), treated_before=one(2.0, 3),
    ...               treated_after=one(6.0, 10.0))
    >>> quantile_did(cells, (0.5,)).values.tolist()
    [2.5, 2.0]
    """
    signs = (1.0, -1.0, -1.0, 1.0)
    means = [cell.mean(cell.values) for cell in cells.every]
    columns = [[sign * cell.values for sign, cell in zip(signs, cells.every, strict=True)]]
    terms, values = ["att"], [float(np.dot(signs, means))]
    for quantile in quantiles:
        points = [cell.quantile(np.array([quantile])) for cell in cells.every]
        columns.append(
            [
                -sign * (cell.values <= point) / cell.density(point)
                for sign, cell, point in zip(signs, cells.every, points, strict=True)
            ]
        )
        terms.append(f"quantile {quantile:g}")
        values.append(float(np.dot(signs, [point[0] for point in points])))
    return _effects(cells, terms, values, columns)


def discrete_effects(cells: Cells) -> DistributionEffects:
    r"""Return bounds of the effect on the treated for discrete outcomes, and the effect between them.

    With :math:`\underline F` the share strictly below, counterfactual outcomes lie between
    :math:`F_{01}^{-1}(\underline F_{00}(y))` and :math:`F_{01}^{-1}(F_{00}(y))`. If what sets units of one
    outcome apart is the same in both groups (conditional independence), they have the mean of
    :math:`F_{01}^{-1}` over that stretch.

    Parameters
    ----------
    cells : Cells

    Returns
    -------
    DistributionEffects
        ``att`` under conditional independence, ``lower`` and ``upper``.

    References
    ----------
    Athey, S., & Imbens, G. W. (2006). *Econometrica*, 74(2), 431-497. (Theorems 4.1, 4.2, 5.3, 5.4.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.distribution_changes import Cells, discrete_effects
    >>> from juntos_eval.estimators.did.distributions import distribution_of
    >>> one = lambda *values: distribution_of(np.array(values), np.ones(len(values)))
    >>> cells = Cells(control_before=one(0.0, 0, 1, 1), control_after=one(0.0, 1, 1, 1),
    ...               treated_before=one(0.0, 1), treated_after=one(1.0, 1.0))
    >>> discrete_effects(cells).values.tolist()
    [0.25, 0.0, 0.5]
    """
    before, after, treated = cells.control_before, cells.control_after, cells.treated_before
    own = cells.treated_after.values
    outcome = cells.treated_after.mean(own)
    low, high = before.below(treated.values), before.cdf(treated.values)
    fixed = [np.zeros(len(before.values)), np.zeros(len(after.values))]
    columns, values = [], []
    for carried in (after.quantile(high), after.quantile(low)):
        columns.append([*fixed, -carried, own])
        values.append(outcome - treated.mean(carried))
    mean, early, late = _stretched(before, after, treated)
    columns.insert(0, [-early, -late, -mean, own])
    values.insert(0, outcome - treated.mean(mean))
    return _effects(cells, ["att", "lower", "upper"], values, columns)


def _stretched(
    before: Distribution, after: Distribution, treated: Distribution
) -> tuple[Floats, Floats, Floats]:
    r"""Return mean counterfactuals of the treated, and the derivative of their mean along both controls.

    The area under the quantile function is :math:`H(u) = u q - E[(q - Y)^+]` with :math:`q = F^{-1}(u)`, so
    that its derivative along a row y is :math:`-(q - y)^+`, and no density is needed.
    """
    points, code = np.unique(treated.values, return_inverse=True)
    mass = np.bincount(code, weights=treated.weights)
    low, high = before.below(points), before.cdf(points)
    width = high - low
    is_wide = width > 1e-14
    inverse = np.divide(1.0, width, out=np.zeros(len(points)), where=is_wide)
    start, stop = after.quantile(low), after.quantile(high)
    area = _area(after, high) - _area(after, low)
    mean: Floats = np.where(is_wide, area * inverse, stop)
    below = before.values[:, None] <= points
    strictly = before.values[:, None] < points
    early: Floats = (below * ((stop - mean) * inverse) - strictly * ((start - mean) * inverse)) @ mass
    past = np.maximum(stop - after.values[:, None], 0) - np.maximum(start - after.values[:, None], 0)
    late: Floats = -(past * inverse) @ mass
    return mean[code], early, late


def _area(after: Distribution, share: Floats) -> Floats:
    """Return the area under the quantile function from zero to a share."""
    point = after.quantile(share)
    sums = np.concatenate([[0.0], np.cumsum(after.weights * after.values)])
    place = np.searchsorted(after.values, point, side="right")
    held = np.concatenate([[0.0], after.cumulated])[place]
    return np.asarray(share * point - (point * held - sums[place]))


def _above(rows: Floats, points: Floats, slopes: Floats) -> Floats:
    """Return the sum of slopes of points that are not below each row; points come in order."""
    sums = np.concatenate([[0.0], np.cumsum(slopes)])
    return np.asarray(sums[-1] - sums[np.searchsorted(points, rows, side="left")])


def _effects(
    cells: Cells, terms: list[str], values: list[float], columns: list[list[Floats]]
) -> DistributionEffects:
    """Centre what rows add and weigh it by their share of the cell."""
    influence = []
    for at, cell in enumerate(cells.every):
        along = np.column_stack([parts[at] for parts in columns])
        centred = (along - cell.weights @ along) * cell.weights[:, None]
        rows = np.empty(centred.shape)
        rows[cell.order] = centred
        influence.append(rows)
    return DistributionEffects(terms=tuple(terms), values=np.array(values), influence=tuple(influence))
