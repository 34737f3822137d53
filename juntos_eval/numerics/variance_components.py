r"""Variance components of one-way panels, unbalanced ones included.

The model is :math:`y_{it} = x_{it}'\beta + \mu_i + \nu_{it}`. Each rule sets quadratic forms of residuals,
within units (Q) and of unit means (P), equal to what they are expected to be (Baltagi & Chang 1994).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.numerics.least_squares import least_squares

__all__ = ["RULES", "VarianceComponents", "variance_components"]

RULES = ("swamy-arora", "amemiya", "wallace-hussain", "nerlove")


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceComponents:
    r"""Variances of the two errors.

    Attributes
    ----------
    idiosyncratic : float
        :math:`\sigma^2_\nu`.
    unit : float
        :math:`\sigma^2_\mu`; a negative estimate is set to zero.
    is_truncated : bool
        Whether it was.

    Examples
    --------
    >>> from juntos_eval.numerics.variance_components import VarianceComponents
    >>> VarianceComponents(idiosyncratic=1.0, unit=3.0, is_truncated=False).theta([1, 5]).tolist()
    [0.5, 0.75]
    """

    idiosyncratic: float
    unit: float
    is_truncated: bool

    def theta(self, sizes: Sequence[int] | Floats) -> Floats:
        r"""Return :math:`\theta_i = 1 - \sqrt{\sigma^2_\nu / (\sigma^2_\nu + T_i \sigma^2_\mu)}`."""
        total = self.idiosyncratic + np.asarray(sizes, dtype=np.float64) * self.unit
        return np.asarray(1.0 - np.sqrt(self.idiosyncratic / total))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pieces:
    """Sums over units and within them, of covariates (constant first) and outcome."""

    design: Floats  # (n, k), constant first
    outcome: Floats
    codes: Codes
    sizes: Floats
    means: Floats  # (N, k)
    outcome_means: Floats

    @property
    def between(self) -> Floats:
        """X'PX."""
        return np.asarray(self.means.T @ (self.means * self.sizes[:, None]))

    @property
    def crossed(self) -> Floats:
        """X'ZZ'X."""
        return np.asarray(self.means.T @ (self.means * (self.sizes**2)[:, None]))

    def split(self, residuals: Floats) -> tuple[float, float]:
        """Return the quadratic forms u'Qu and u'Pu."""
        means = np.bincount(self.codes, weights=residuals) / self.sizes
        within = residuals - means[self.codes]
        return float(within @ within), float(self.sizes @ means**2)


def variance_components(
    outcome: Floats, columns: Floats, codes: Codes, rule: str = "swamy-arora"
) -> VarianceComponents:
    """Estimate the variance components.

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
    columns : numpy.ndarray, shape (n, p)
        Without a constant, which the model has, and of full rank with it.
    codes : numpy.ndarray of int64, shape (n,)
        Unit of each row, 0 … N-1, all of them seen.
    rule : {"swamy-arora", "amemiya", "wallace-hussain", "nerlove"}

    Returns
    -------
    VarianceComponents

    Raises
    ------
    DesignError
        If there are not enough rows or units to tell the two variances apart.

    References
    ----------
    Baltagi, B. H. & Chang, Y.-J. (1994). Incomplete panels: a comparative study of alternative estimators for
    the unbalanced one-way error component regression model. Journal of Econometrics 62(2), 67-89. Swamy, P. &
    Arora, S. (1972). Econometrica 40(2), 261-275. Amemiya, T. (1971). International Economic Review 12(1),
    1-13. Wallace, T. & Hussain, A. (1969). Econometrica 37(1), 55-72. Nerlove, M. (1971). Econometrica 39(2),
    359-382.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.variance_components import variance_components
    >>> rng = np.random.default_rng(1)
    >>> unit = np.repeat(np.arange(4000), 3)
    >>> outcome = rng.normal(size=4000)[unit] * 2 + rng.normal(size=12000)
    >>> found = variance_components(outcome, np.zeros((12000, 0)), unit)
    >>> round(found.unit, 1), round(found.idiosyncratic, 1)
    (4.0, 1.0)
    """
    pieces = _pieces(outcome, columns, codes)
    idiosyncratic, unit = {
        "swamy-arora": _swamy_arora,
        "amemiya": _amemiya,
        "wallace-hussain": _wallace_hussain,
        "nerlove": _nerlove,
    }[rule](pieces)
    return VarianceComponents(idiosyncratic=idiosyncratic, unit=max(unit, 0.0), is_truncated=unit < 0)


def _pieces(outcome: Floats, columns: Floats, codes: Codes) -> _Pieces:
    design = np.column_stack([np.ones(len(outcome)), columns])
    sizes = np.bincount(codes).astype(np.float64)
    means = np.column_stack([np.bincount(codes, weights=column) / sizes for column in design.T])
    return _Pieces(
        design=design,
        outcome=outcome,
        codes=codes,
        sizes=sizes,
        means=means,
        outcome_means=np.bincount(codes, weights=outcome) / sizes,
    )


def _within(pieces: _Pieces) -> tuple[Floats, Codes, float, int]:
    """Return the within coefficients, the columns that have one, u'Qu and its degrees of freedom."""
    inner = pieces.design - pieces.means[pieces.codes]
    inner_outcome = pieces.outcome - pieces.outcome_means[pieces.codes]
    length = np.linalg.norm(pieces.design, axis=0)
    left = np.linalg.norm(inner, axis=0) > 1e-9 * np.maximum(length, 1e-300)
    used = np.asarray(np.flatnonzero(left), dtype=np.int64)
    if len(used):
        fit = least_squares(inner[:, used], inner_outcome)
        used, coefficients = used[fit.kept], fit.coefficients[fit.kept]
        ssr = float(fit.residuals @ fit.residuals)
    else:
        coefficients, ssr = np.zeros(0), float(inner_outcome @ inner_outcome)
    free = len(pieces.outcome) - len(pieces.sizes) - len(used)
    if free <= 0:
        raise DesignError(
            "there are too few rows a unit to tell its error from its effect",
            where=f"{len(pieces.outcome):,} rows, {len(pieces.sizes):,} units, {len(used)} covariates",
            remedy="use more periods a unit, or a pooled regression clustered by unit",
        )
    return coefficients, used, ssr, free


def _swamy_arora(pieces: _Pieces) -> tuple[float, float]:
    _, _, ssr, free = _within(pieces)
    variance = ssr / free
    fit = least_squares(pieces.means, pieces.outcome_means, pieces.sizes)
    squares = float(pieces.sizes @ fit.residuals**2)
    places = np.ix_(fit.kept, fit.kept)
    own = len(pieces.outcome) - float(np.trace(fit.bread @ pieces.crossed[places]))
    _refuse_few_units(len(pieces.sizes) - fit.rank, own, pieces)
    return variance, (squares - (len(pieces.sizes) - fit.rank) * variance) / own


def _amemiya(pieces: _Pieces) -> tuple[float, float]:
    coefficients, used, ssr, free = _within(pieces)
    variance = ssr / free
    residuals = pieces.outcome - pieces.design[:, used] @ coefficients
    residuals = residuals - residuals.mean()
    _, squares = pieces.split(residuals)
    places = np.ix_(used, used)
    total = pieces.design.T @ pieces.design
    inner = np.linalg.inv((total - pieces.between)[places]) if len(used) else np.zeros((0, 0))
    overall = pieces.design.mean(axis=0)
    grand = len(pieces.outcome) * np.outer(overall, overall)
    own = len(pieces.sizes) - 1 + float(np.trace(inner @ (pieces.between - grand)[places]))
    of_unit = len(pieces.outcome) - float((pieces.sizes**2).sum()) / len(pieces.outcome)
    _refuse_few_units(len(pieces.sizes) - 1, of_unit, pieces)
    return variance, (squares - own * variance) / of_unit


def _wallace_hussain(pieces: _Pieces) -> tuple[float, float]:
    rows, units = len(pieces.outcome), len(pieces.sizes)
    fit = least_squares(pieces.design, pieces.outcome)
    places = np.ix_(fit.kept, fit.kept)
    total = pieces.design.T @ pieces.design
    of_within = fit.bread @ (total - pieces.between)[places]
    of_means = fit.bread @ pieces.between[places]
    of_units = fit.bread @ pieces.crossed[places]
    expected = np.array(
        [
            [rows - units - np.trace(of_within), np.trace(of_within @ of_units)],
            [units - np.trace(of_means), rows - 2 * np.trace(of_units) + np.trace(of_means @ of_units)],
        ]
    )
    _refuse_few_units(units - fit.rank, float(expected[0, 0]), pieces)
    found = np.linalg.solve(expected, np.array(pieces.split(fit.residuals)))
    return float(found[0]), float(found[1])


def _nerlove(pieces: _Pieces) -> tuple[float, float]:
    coefficients, used, ssr, _ = _within(pieces)
    effects = pieces.outcome_means - pieces.means[:, used] @ coefficients
    share = pieces.sizes / len(pieces.outcome)
    centre = float(share @ effects)
    units = len(pieces.sizes)
    _refuse_few_units(units - 1, 1.0, pieces)
    spread = float(share @ (effects - centre) ** 2) * units / (units - 1)
    return ssr / len(pieces.outcome), spread


def _refuse_few_units(free: int, own: float, pieces: _Pieces) -> None:
    if free <= 0 or own <= 0:
        raise DesignError(
            "there are too few units to estimate the variance of their effects",
            where=f"{len(pieces.sizes):,} units, {pieces.design.shape[1]} coefficients",
            remedy="use more units, or a pooled regression clustered by unit",
        )
