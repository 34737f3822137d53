"""Panel models whose unit effects are random: generalised least squares, and Mundlak's unit means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import Check, Estimate, Inference
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.panel.regression_checks import condition_check, dropped_columns_check
from juntos_eval.estimators.panel.regression_frame import (
    CONSTANT,
    PanelFrame,
    names_of,
    panel_frame,
    plain_regression,
)
from juntos_eval.inference.cluster import Cluster
from juntos_eval.numerics.variance_components import VarianceComponents, variance_components
from juntos_eval.numerics.wald import WaldTest
from juntos_eval.numerics.within_least_squares import WithinLeastSquares

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Mundlak", "RandomEffects"]

Components = Literal["swamy-arora", "amemiya", "wallace-hussain", "nerlove"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomEffects:
    r"""Generalised least squares of a panel whose unit effects are unrelated to covariates.

    .. math:: y_{it} - \theta_i \bar y_i = (x_{it} - \theta_i \bar x_i)'\beta + e_{it}, \qquad
              \theta_i = 1 - \sqrt{\frac{\sigma^2_\nu}{\sigma^2_\nu + T_i \sigma^2_\mu}}

    with a constant among x. It is consistent only if the unit effects are unrelated to covariates: hold it
    against :class:`FixedEffects` by :func:`hausman`, or use :class:`Mundlak`.

    Parameters
    ----------
    outcome : str
    covariates : tuple of str
        As of :class:`FixedEffects`; those that do not vary within units have a coefficient too.
    unit : str
    time : str, optional
        Where given, a unit and time that stand twice are refused; the estimate does not need it.
    components : {"swamy-arora", "amemiya", "wallace-hussain", "nerlove"}
        How variances are estimated; all for unbalanced panels (plm's ``random.method``).
    weights : str, optional
        Sampling weights of the least squares after demeaning, the same in all rows of a unit. The variance
        components are unweighted.

    References
    ----------
    Baltagi, B. H. (2021). *Econometric Analysis of Panel Data* (6th ed.), sections 2.3 and 9.2. Springer.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.panel import RandomEffects
    >>> rng = np.random.default_rng(1)
    >>> unit = np.repeat(np.arange(200), 4)
    >>> frame = pd.DataFrame({"unit": unit, "x": rng.normal(size=800)})
    >>> frame["y"] = 2 * frame["x"] + rng.normal(size=200)[unit] + rng.normal(size=800)
    >>> found = RandomEffects(outcome="y", covariates=("x",), unit="unit").fit(frame)
    >>> found.keys["term"], bool(abs(found.values[1] - 2) < 0.1)
    (('constant', 'x'), True)
    """

    outcome: str
    covariates: tuple[str, ...]
    unit: str
    time: str | None = None
    components: Components = "swamy-arora"
    weights: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))
        if self.components not in get_args(Components):
            raise DesignError(
                f"there is no rule {self.components!r} for variance components",
                where="RandomEffects(components)",
                remedy=f"choose one of {', '.join(get_args(Components))}",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the coefficients.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default clustered by unit (``CR1S``); ``Iid()`` is the textbook formula.
        carry : tuple of str

        Returns
        -------
        Estimate
            ``constant`` first; ``details`` has ``variance_idiosyncratic``, ``variance_unit`` and the smallest
            and largest ``theta``.

        Raises
        ------
        DesignError
            For columns that cannot be used, weights that vary within units, or too few rows or units.
        """
        chosen_inference = inference or Cluster(self.unit, kind="CR1S")
        panel = panel_frame(
            data,
            outcome=self.outcome,
            covariates=self.covariates,
            unit=self.unit,
            time=self.time,
            weights=self.weights,
            carry=groups_to_carry(chosen_inference, carry),
        )
        _refuse_varying_weights(panel, self.weights)
        codes = panel.unit.codes
        matrix = np.column_stack(panel.columns) if panel.columns else np.zeros((len(codes), 0))
        found = variance_components(panel.outcome, matrix, codes, self.components)
        theta = found.theta(np.bincount(codes).astype(np.float64))
        outcome, *columns = _quasi_demeaned(
            (panel.outcome, np.ones(len(codes)), *panel.columns), codes, theta
        )
        regression, fit = plain_regression(outcome, columns, panel.weights, panel.groups)
        names = (CONSTANT, *panel.names)
        return Estimate(
            spec={"estimator": "RandomEffects", **asdict(self)},
            keys={"term": tuple(names[place] for place in regression.kept)},
            values=fit.values,
            uncertainty=chosen_inference.infer(fit),
            sample=panel.sample,
            checks=(*_checks(regression, names), _component_check(found)),
            details={
                "variance_idiosyncratic": found.idiosyncratic,
                "variance_unit": found.unit,
                "theta_smallest": float(theta.min()),
                "theta_largest": float(theta.max()),
            },
            fit=fit,
            inference=chosen_inference,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mundlak:
    r"""Pooled least squares with the unit means of covariates beside them: correlated random effects.

    .. math:: y_{it} = a + x_{it}'\beta + \bar x_i'\gamma + z_i'\delta + e_{it}

    The coefficients of x are those of fixed effects, also in unbalanced panels (Wooldridge 2019), while
    covariates z that do not vary within units keep theirs. :math:`\gamma = 0` is what random effects assume:
    its Wald test, with the inference that is used, is the robust form of Hausman's and stands in
    ``details`` and in a check.

    Parameters
    ----------
    outcome, covariates, unit, time, weights
        As of :class:`RandomEffects`; weights may vary within units, and means are weighted by them.

    References
    ----------
    Mundlak, Y. (1978). On the pooling of time series and cross section data. *Econometrica*, 46(1), 69-85.
    Wooldridge, J. M. (2019). Correlated random effects models with unbalanced panels. *Journal of
    Econometrics*, 211(1), 137-150.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.panel import Mundlak
    >>> frame = pd.DataFrame({"unit": [1, 1, 2, 2, 3, 3, 4, 4], "x": [0, 1, 1, 2, 2, 5, 4, 4.0],
    ...                       "y": [1, 2, 4, 6, 5, 9, 9, 8.0]})
    >>> found = Mundlak(outcome="y", covariates=("x",), unit="unit").fit(frame)
    >>> found.keys["term"]
    ('constant', 'x', 'mean of x')
    """

    outcome: str
    covariates: tuple[str, ...]
    unit: str
    time: str | None = None
    weights: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the coefficients; by default clustered by unit (``CR1S``).

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            ``constant``, the covariates, and ``mean of`` each that varies within units.

        Raises
        ------
        DesignError
            For columns or weights that cannot be used.
        """
        chosen_inference = inference or Cluster(self.unit, kind="CR1S")
        panel = panel_frame(
            data,
            outcome=self.outcome,
            covariates=self.covariates,
            unit=self.unit,
            time=self.time,
            weights=self.weights,
            carry=groups_to_carry(chosen_inference, carry),
        )
        means, of = _unit_means(panel)
        columns = [np.ones(len(panel.outcome)), *panel.columns, *means]
        names = (CONSTANT, *panel.names, *(f"mean of {name}" for name in of))
        regression, fit = plain_regression(panel.outcome, columns, panel.weights, panel.groups)
        kept = tuple(names[place] for place in regression.kept)
        estimate = Estimate(
            spec={"estimator": "Mundlak", **asdict(self)},
            keys={"term": kept},
            values=fit.values,
            uncertainty=chosen_inference.infer(fit),
            sample=panel.sample,
            checks=_checks(regression, names),
            fit=fit,
            inference=chosen_inference,
        )
        return _with_test_of_means(estimate, len(columns) - len(means))


def _with_test_of_means(estimate: Estimate, others: int) -> Estimate:
    """Add the Wald test that the means of covariates have no coefficient, clustered by unit."""
    terms = estimate.keys["term"]
    places = [place for place, term in enumerate(terms) if str(term).startswith("mean of ")]
    if not places or others < 1:
        return estimate
    unit = str(estimate.spec["unit"])
    clustered = estimate.with_inference(Cluster(unit, kind="CR1S"))
    try:
        test = clustered.test(np.eye(len(terms))[places])
    except InferenceError:
        return estimate
    detail = f"{_in_words(test)} that unit means of covariates do not matter, clustered by {unit}"
    check = Check("effects unrelated to covariates", bool(test.p_value > 0.05), detail)
    details = {"means_statistic": test.statistic, "means_df": test.df, "means_p_value": test.p_value}
    return replace(estimate, checks=(*estimate.checks, check), details=details)


def _in_words(test: WaldTest) -> str:
    return f"F({test.df}, {test.df_denominator:g}) = {test.statistic:.3g}, p = {test.p_value:.3g}"


def _quasi_demeaned(columns: Sequence[Floats], codes: Any, theta: Floats) -> list[Floats]:
    sizes = np.bincount(codes)
    return [column - (theta * np.bincount(codes, weights=column) / sizes)[codes] for column in columns]


def _unit_means(panel: PanelFrame) -> tuple[list[Floats], list[str]]:
    """Return the means of columns that vary within units, spread over rows, and their names."""
    codes, weights = panel.unit.codes, panel.weights
    mass = np.bincount(codes, weights=weights)
    means, names = [], []
    for name, column in zip(panel.names, panel.columns, strict=True):
        mean = (np.bincount(codes, weights=column if weights is None else column * weights) / mass)[codes]
        if np.abs(column - mean).max() > 1e-9 * max(np.abs(column).max(), 1e-300):
            means.append(mean)
            names.append(name)
    return means, names


def _refuse_varying_weights(panel: PanelFrame, name: str | None) -> None:
    if panel.weights is None:
        return
    first = np.zeros(panel.unit.count)
    first[panel.unit.codes] = panel.weights
    varies = first[panel.unit.codes] != panel.weights
    if varies.any():
        raise DesignError(
            f"the weights '{name}' vary within units",
            where=f"column '{name}', {len(np.unique(panel.unit.codes[varies])):,} units",
            remedy="give each unit one weight, or use Mundlak or FixedEffects, which take a weight a row",
        )


def _checks(regression: WithinLeastSquares, names: Sequence[str]) -> tuple[Check, ...]:
    left_out = [[names[place] for place in places] for places in (regression.absorbed, regression.collinear)]
    return dropped_columns_check(*left_out), condition_check(regression.condition)


def _component_check(found: VarianceComponents) -> Check:
    share = found.unit / (found.unit + found.idiosyncratic)
    detail = f"unit effects are {share:.1%} of the error variance"
    if found.is_truncated:
        detail += "; their variance came out negative and was set to zero: this is pooled least squares"
    return Check("variance components", not found.is_truncated, detail)
