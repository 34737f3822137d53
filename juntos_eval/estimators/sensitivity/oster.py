r"""Selection on what is not seen, judged by what is: Oster's delta and bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimators.design import select
from juntos_eval.numerics.absorb import Factor, absorber
from juntos_eval.numerics.least_squares import least_squares

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Oster", "SelectionMoments", "SelectionSensitivity", "selection_delta", "selection_roots"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionMoments:
    r"""What Oster's equations are made of.

    Attributes
    ----------
    short, full : float
        Coefficient of the treatment without and with the covariates.
    r2_short, r2_full, r_max : float
    outcome_variance : float
    treatment_variance : float
    residual_variance : float
        Of the treatment given the covariates.

    Examples
    --------
    >>> SelectionMoments(short=2.0, full=1.5, r2_short=0.1, r2_full=0.3, r_max=0.4, outcome_variance=1.0,
    ...                  treatment_variance=1.0, residual_variance=0.8).full
    1.5
    """

    short: float
    full: float
    r2_short: float
    r2_full: float
    r_max: float
    outcome_variance: float
    treatment_variance: float
    residual_variance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionSensitivity:
    """Oster's measures.

    Attributes
    ----------
    moments : SelectionMoments
    delta : float
        How strong selection on the unseen, relative to that on the seen, makes the coefficient ``null``; NaN
        where covariates move neither coefficient nor R².
    null : float
    coefficient : float
        At proportional selection of ``at_delta``: the solution nearest to the full coefficient.
    solutions : tuple of float
        All real ones, nearest first.
    at_delta : float
    bounds : tuple of float
        The set between the full coefficient and that.
    altonji_ratio : float
        full / (short - full).
    reason : str
        Why a number is NaN.

    Examples
    --------
    >>> SelectionSensitivity.__slots__[1]
    'delta'
    """

    moments: SelectionMoments
    delta: float
    null: float
    coefficient: float
    solutions: tuple[float, ...]
    at_delta: float
    bounds: tuple[float, float]
    altonji_ratio: float
    reason: str = ""


def selection_delta(moments: SelectionMoments, null: float = 0.0) -> float:
    r"""Return the delta at which the coefficient is ``null``: Oster's proposition 3.

    Parameters
    ----------
    moments : SelectionMoments
    null : float

    Returns
    -------
    float
        NaN if no delta does.

    Examples
    --------
    >>> from juntos_eval.estimators.sensitivity.oster import SelectionMoments
    >>> from juntos_eval.estimators.sensitivity.oster import selection_delta, selection_roots
    >>> moments = SelectionMoments(short=2.0, full=1.5, r2_short=0.1, r2_full=0.3, r_max=0.4,
    ...     outcome_variance=10.0, treatment_variance=1.0, residual_variance=0.8)
    >>> delta = selection_delta(moments)
    >>> any(abs(root) < 1e-9 for root in selection_roots(moments, delta))
    True
    """
    fixed, moved = _sides(moments, moments.full - null)
    return fixed / moved if moved else np.nan


def _sides(m: SelectionMoments, bias: float) -> tuple[float, float]:
    """Return both sides of delta * moved = fixed at a bias."""
    gap, seen = m.short - m.full, (m.r2_full - m.r2_short) * m.outcome_variance
    unseen = (m.r_max - m.r2_full) * m.outcome_variance
    total, rest = m.treatment_variance, m.residual_variance
    cubic = bias**3 * (rest * total - rest**2)
    square = bias**2 * rest * gap * total
    fixed = bias * seen * rest + bias * total * rest * gap**2 + 2 * square + cubic
    moved = unseen * gap * total + bias * unseen * (total - rest) + square + cubic
    return fixed, moved


def selection_roots(moments: SelectionMoments, delta: float = 1.0) -> tuple[float, ...]:
    r"""Return the coefficients at a delta, nearest to the full one first: Oster's proposition 2.

    The bias :math:`\nu` is a root of a cubic, for :math:`\delta = 1` of a quadratic.

    Parameters
    ----------
    moments : SelectionMoments
    delta : float

    Returns
    -------
    tuple of float

    Examples
    --------
    >>> from juntos_eval.estimators.sensitivity.oster import SelectionMoments, selection_roots
    >>> moments = SelectionMoments(short=2.0, full=1.5, r2_short=0.1, r2_full=0.3, r_max=0.3,
    ...     outcome_variance=10.0, treatment_variance=1.0, residual_variance=0.8)
    >>> round(selection_roots(moments)[0], 9)
    1.5
    """
    m = moments
    gap, total, rest = m.short - m.full, m.treatment_variance, m.residual_variance
    unseen = (m.r_max - m.r2_full) * m.outcome_variance
    seen = (m.r2_full - m.r2_short) * m.outcome_variance
    cubic = [
        (delta - 1.0) * (rest * total - rest**2),
        rest * gap * total * (delta - 2.0),
        delta * unseen * (total - rest) - seen * rest - total * rest * gap**2,
        delta * unseen * gap * total,
    ]
    scale = np.abs(cubic).max()
    if not scale:
        return ()
    found = np.roots(np.trim_zeros(np.array(cubic) / scale, "f"))
    real = found.real[np.abs(found.imag) <= 1e-9 * (1.0 + np.abs(found.real))]
    return tuple(float(m.full - bias) for bias in sorted(real, key=abs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Oster:
    r"""Ask how strong unseen selection must be, relative to that on covariates, to explain a coefficient.

    The short regression has the treatment, ``always`` and absorbed effects; the full one the covariates too.
    Those that are in both are projected out first, so that every R² is one of what they leave (with absorbed
    effects the within R²), and so is ``r_max``.

    Parameters
    ----------
    outcome, treatment : str
    covariates : tuple of str
        The seen ones whose selection is compared.
    always : tuple of str
        Covariates of both regressions.
    absorb : tuple of str
    weights : str, optional
    r_max : float, optional
        R² with everything unseen in; by default 1.3 times the full one, at most 1 (Oster's rule).
    at_delta : float
        Relative selection for ``coefficient``.
    null : float
        Coefficient for ``delta``.

    References
    ----------
    Oster, E. (2019). Unobservable selection and coefficient stability: theory and evidence. *Journal of
    Business & Economic Statistics* 37(2), 187-204. (Propositions 2 and 3.)
    Altonji, J. G., Elder, T. E. & Taber, C. R. (2005). Selection on observed and unobserved variables.
    *Journal of Political Economy* 113(1), 151-184.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from juntos_eval.estimators.sensitivity import Oster
    >>> rng = np.random.default_rng(2)
    >>> frame = pd.DataFrame(rng.normal(size=(500, 3)), columns=["x", "d", "y"])
    >>> frame["d"] += frame["x"]
    >>> frame["y"] += frame["d"] + frame["x"]
    >>> found = Oster(outcome="y", treatment="d", covariates=("x",)).compare(frame)
    >>> found.bounds[0] < found.moments.full < found.moments.short
    True
    """

    outcome: str
    treatment: str
    covariates: tuple[str, ...]
    always: tuple[str, ...] = ()
    absorb: tuple[str, ...] = ()
    weights: str | None = None
    r_max: float | None = None
    at_delta: float = 1.0
    null: float = 0.0

    def compare(self, data: DataFrame) -> SelectionSensitivity:
        """Compare the short regression with the full one.

        Parameters
        ----------
        data : pandas.DataFrame
            Rows that miss any column are left out of both regressions.

        Returns
        -------
        SelectionSensitivity
            Without standard errors: draw rows or clusters again for those.

        Raises
        ------
        DesignError
            If the treatment does not vary beside the covariates, or ``r_max`` is not between full R² and 1.
        """
        chosen = select(
            data,
            numeric=(self.outcome, self.treatment),
            covariates=(*self.always, *self.covariates),
            weights=self.weights,
            carry=self.absorb,
        )
        first = select(data.iloc[chosen.rows], covariates=self.always) if self.always else None
        count = 0 if first is None else first.covariates.shape[1]
        columns = [chosen.columns[self.outcome], chosen.columns[self.treatment], chosen.covariates]
        matrix = np.column_stack(columns)
        if self.absorb:
            groups = [chosen.groups[name] for name in self.absorb]
            factors = [Factor(codes=group.codes, count=group.count) for group in groups]
            matrix = absorber(factors, chosen.weights if self.weights else None).residuals(matrix)
        else:
            matrix = matrix - np.average(matrix, axis=0, weights=chosen.weights)
        matrix = matrix * np.sqrt(chosen.weights)[:, None]
        others = matrix[:, 2 : 2 + count]
        y, d = _without(matrix[:, 0], others), _without(matrix[:, 1], others)
        left = [_without(column, others) for column in matrix[:, 2 + count :].T]
        seen = np.column_stack(left) if left else np.zeros((len(y), 0))
        return _judged(
            _moments(y, d, seen, self.r_max, (self.outcome, self.treatment)), self.at_delta, self.null
        )


def _without(column: Floats, others: Floats) -> Floats:
    return least_squares(others, column).residuals if others.shape[1] else column


def _moments(
    y: Floats, d: Floats, seen: Floats, r_max: float | None, names: tuple[str, str]
) -> SelectionMoments:
    rest = _without(d, seen[:, np.linalg.norm(seen, axis=0) > 0])
    if not d @ d or rest @ rest <= 1e-18 * (d @ d) or not y @ y:
        raise DesignError(
            f"the treatment '{names[1]}' or the outcome '{names[0]}' does not vary beside the covariates",
            where=f"{len(y):,} rows",
            remedy="leave out what spans it",
        )
    short = float(d @ y / (d @ d))
    full = least_squares(np.column_stack([d, seen]), y)
    r2_full = 1.0 - float(full.residuals @ full.residuals / (y @ y))
    limit = min(1.3 * r2_full, 1.0) if r_max is None else r_max
    if not r2_full <= limit <= 1.0:
        raise DesignError(
            "r_max must lie between the R² of the full regression and 1",
            where=f"r_max {limit:g}, R² {r2_full:g}",
            remedy="give a larger one, or none for Oster's rule",
        )
    n = len(y)
    return SelectionMoments(
        short=short,
        full=float(full.coefficients[0]),
        r2_short=float(short**2 * (d @ d) / (y @ y)),
        r2_full=r2_full,
        r_max=limit,
        outcome_variance=float(y @ y) / n,
        treatment_variance=float(d @ d) / n,
        residual_variance=float(rest @ rest) / n,
    )


def _judged(moments: SelectionMoments, at_delta: float, null: float) -> SelectionSensitivity:
    m = moments
    moves = abs(m.short - m.full) > 1e-12 * max(abs(m.short), abs(m.full)) and m.r2_full > m.r2_short
    roots = selection_roots(m, at_delta) if moves else ()
    coefficient = roots[0] if roots else np.nan
    reason = ""
    if not moves:
        reason = "the covariates move neither the coefficient nor R²: nothing to compare selection with"
    elif not roots:
        reason = f"no coefficient is in line with a delta of {at_delta:g}"
    return SelectionSensitivity(
        moments=m,
        delta=selection_delta(m, null) if moves else np.nan,
        null=null,
        coefficient=coefficient,
        solutions=roots,
        at_delta=at_delta,
        bounds=(min(m.full, coefficient), max(m.full, coefficient)) if roots else (np.nan, np.nan),
        altonji_ratio=m.full / (m.short - m.full) if moves else np.nan,
        reason=reason,
    )
