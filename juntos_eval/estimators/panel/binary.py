"""Regressions of a yes-or-no outcome: logit, probit, and the linear probability model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference
from juntos_eval.estimators.design import groups_to_carry, require_frame
from juntos_eval.estimators.panel.average_effects import average_effects
from juntos_eval.estimators.panel.binary_refusals import (
    refuse_other_report,
    refuse_separation,
    zero_one_outcome,
)
from juntos_eval.estimators.panel.fixed_effects import FixedEffects
from juntos_eval.estimators.panel.regression_checks import dropped_columns_check
from juntos_eval.estimators.panel.regression_frame import CONSTANT, names_of, regression_selection, sample_of
from juntos_eval.estimators.panel.terms import covariate_columns, covariate_terms
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.generalised_linear import FAMILIES, GeneralisedLinear, fit_generalised_linear
from juntos_eval.numerics.least_squares import independent_columns

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["LinearProbability", "Logit", "Probit"]

Report = Literal["effects", "coefficients"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Logit:
    r"""Logit of a 0/1 outcome, reported as average effects on its probability.

    .. math:: P(y_i = 1 \mid x_i) = \frac{1}{1 + e^{-x_i'\beta}}

    by maximum likelihood. The average effect of a covariate is the mean of derivatives, or, of one that is
    0 or 1, of changes from 0 to 1. Its influence has two parts: what the row adds to the error of
    :math:`\hat\beta` (delta method), and how far its own effect lies from the mean, as rows are a sample.

    Parameters
    ----------
    outcome : str
        Column of 0 and 1 or booleans.
    covariates : tuple of str
        As of :class:`FixedEffects`; products count as covariates of their own.
    report : {"effects", "coefficients"}
        Average effects, or the coefficients with the constant.
    is_conditional : bool
        Leave the second part of the influence out: covariates are taken as fixed (Stata's and statsmodels'
        default).
    weights : str, optional

    References
    ----------
    Wooldridge, J. M. (2010). *Econometric Analysis of Cross Section and Panel Data* (2nd ed.), sections 15.4
    and 15.6. MIT Press. Albert, A. & Anderson, J. A. (1984). On the existence of maximum likelihood estimates
    in logistic regression models. *Biometrika*, 71(1), 1-10 (separation).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.panel import Logit
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"x": rng.normal(size=2000)})
    >>> frame["works"] = (rng.random(2000) < 1 / (1 + np.exp(-frame["x"]))) * 1
    >>> Logit(outcome="works", covariates=("x",)).fit(frame).keys["term"]
    ('x',)
    """

    outcome: str
    covariates: tuple[str, ...]
    report: Report = "effects"
    is_conditional: bool = False
    weights: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))
        refuse_other_report(self.report)

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; by default with ``Robust("HC1")``.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            ``details`` has ``log_likelihood``, ``pseudo_r2`` (McFadden), ``coefficients`` and ``steps``.

        Raises
        ------
        DesignError
            For columns that cannot be used, an outcome that is not 0 and 1 or does not vary, and covariates
            that tell its values apart without error.
        """
        return _fit_binary(self, "logit", data, inference, carry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probit:
    r"""Probit of a 0/1 outcome, reported as average effects on its probability.

    .. math:: P(y_i = 1 \mid x_i) = \Phi(x_i'\beta)

    Parameters
    ----------
    outcome, covariates, report, is_conditional, weights
        As of :class:`Logit`.

    References
    ----------
    Wooldridge, J. M. (2010). *Econometric Analysis of Cross Section and Panel Data* (2nd ed.), section 15.4.
    MIT Press.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.panel import Probit
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"x": rng.normal(size=2000)})
    >>> frame["works"] = rng.normal(size=2000) < frame["x"]
    >>> found = Probit(outcome="works", covariates=("x",), report="coefficients").fit(frame)
    >>> bool(abs(found.values[1] - 1) < 0.15)
    True
    """

    outcome: str
    covariates: tuple[str, ...]
    report: Report = "effects"
    is_conditional: bool = False
    weights: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))
        refuse_other_report(self.report)

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate, as :meth:`Logit.fit` does.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate

        Raises
        ------
        DesignError
            As :meth:`Logit.fit`.
        """
        return _fit_binary(self, "probit", data, inference, carry)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearProbability:
    r"""Least squares of a 0/1 outcome: coefficients are differences of probabilities.

    .. math:: P(y_i = 1 \mid x_i) = x_i'\beta

    It is :class:`FixedEffects` that refuses other outcomes and counts fitted values outside 0 and 1.

    Parameters
    ----------
    outcome : str
        Column of 0 and 1 or booleans.
    covariates, absorb, weights
        As of :class:`FixedEffects`.

    References
    ----------
    Wooldridge, J. M. (2010). *Econometric Analysis of Cross Section and Panel Data* (2nd ed.), section 15.2.
    MIT Press.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.panel import LinearProbability
    >>> frame = pd.DataFrame({"works": [0, 1, 0, 1, 1], "treated": [0, 0, 1, 1, 1]})
    >>> found = LinearProbability(outcome="works", covariates=("treated",)).fit(frame)
    >>> found.values.round(4).tolist()
    [0.5, 0.1667]
    """

    outcome: str
    covariates: tuple[str, ...]
    absorb: tuple[str, ...] = ()
    weights: str | None = None

    def __post_init__(self) -> None:
        for name in ("covariates", "absorb"):
            object.__setattr__(self, name, names_of(getattr(self, name)))

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate, with the inference of :meth:`FixedEffects.fit`.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate

        Raises
        ------
        DesignError
            As :meth:`FixedEffects.fit`, and for an outcome that is not 0 and 1.
        """
        model = FixedEffects(
            outcome=self.outcome, covariates=self.covariates, absorb=self.absorb, weights=self.weights
        )
        found = model.fit(data, inference=inference, carry=carry)
        terms = covariate_terms(data, self.covariates)
        effects = tuple(column for column in self.absorb if column in data.columns)
        chosen = regression_selection(
            data, terms, numeric=(self.outcome,), weights=self.weights, carry=(), factors=effects
        )
        zero_one_outcome(chosen.columns[self.outcome], self.outcome)
        spec = {"estimator": "LinearProbability", **asdict(self)}
        check = _outside_check(found, chosen.columns[self.outcome])
        return replace(found, spec=spec, checks=(*found.checks, *check))


def _outside_check(found: Estimate, outcome: Floats) -> tuple[Check, ...]:
    linear = None if found.fit is None else found.fit.linear
    if linear is None or len(linear.residuals) != len(outcome):
        return ()
    fitted = outcome - linear.residuals
    outside = float(((fitted < -1e-9) | (fitted > 1 + 1e-9)).mean())
    return (Check("probabilities", None, f"{outside:.1%} of fitted values lie outside 0 and 1"),)


def _fit_binary(
    model: Logit | Probit,
    link: str,
    data: DataFrame,
    inference: Inference | None,
    carry: tuple[str, ...],
) -> Estimate:
    require_frame(data)
    chosen_inference = inference or Robust("HC1")
    terms = covariate_terms(data, model.covariates)
    chosen = regression_selection(
        data,
        terms,
        numeric=(model.outcome,),
        weights=model.weights,
        carry=groups_to_carry(chosen_inference, carry),
    )
    outcome = chosen.columns[model.outcome]
    is_one = zero_one_outcome(outcome, model.outcome)
    arrays, labels = covariate_columns(terms, chosen)
    design, names, left_out = usable_design(arrays, labels)
    weights = chosen.weights
    centre, scale = design[:, 1:].mean(axis=0), design[:, 1:].std(axis=0)
    standard = np.column_stack([design[:, 0], (design[:, 1:] - centre) / scale])
    fit = fit_generalised_linear(outcome, tuple(standard.T), FAMILIES[link], weights=weights)
    refuse_separation(fit, is_one, standard[:, 1:], names, link)
    slopes = fit.coefficients[1:] / scale
    coefficients = np.concatenate([[fit.coefficients[0] - centre @ slopes], slopes])
    influence = _coefficient_influence(design, outcome, weights, coefficients, link)
    values, terms_of, influence = _reported(model, design, coefficients, influence, weights, link, names)
    whole = Fit(
        values=values,
        influence=DenseInfluence(influence),
        parameters=len(coefficients),
        groups=chosen.groups,
    )
    return Estimate(
        spec={"estimator": type(model).__name__, **asdict(model)},
        keys={"term": terms_of},
        values=values,
        uncertainty=chosen_inference.infer(whole),
        sample=sample_of(chosen),
        checks=(dropped_columns_check((), left_out), _convergence_check(fit)),
        details=_details(fit, outcome, weights, names, coefficients),
        fit=whole,
        inference=chosen_inference,
    )


def usable_design(arrays: Sequence[Floats], labels: Sequence[str]) -> tuple[Floats, list[str], list[str]]:
    """Return constant and columns that earlier ones do not span, their names, and those left out."""
    design = np.column_stack([np.ones(len(arrays[0])), *arrays]) if arrays else np.zeros((0, 1))
    if not arrays:
        raise DesignError(
            "a regression needs a covariate", where="covariates=()", remedy="name at least one column"
        )
    centred = design.copy()
    centred[:, 1:] -= centred[:, 1:].mean(axis=0)
    # what rounding leaves of a constant column is no column
    centred[:, np.abs(centred).max(axis=0) <= 1e-13 * np.abs(design).max(axis=0)] = 0.0
    kept = independent_columns(centred)
    if kept.sum() < 2:
        raise DesignError(
            "no covariate varies",
            where=f"{', '.join(labels)}; {len(design):,} rows",
            remedy="give covariates that vary in these rows",
        )
    names = [CONSTANT, *labels]
    return (
        design[:, kept],
        [name for name, is_kept in zip(names, kept, strict=True) if is_kept],
        [name for name, is_kept in zip(names, kept, strict=True) if not is_kept],
    )


def _reported(
    model: Logit | Probit,
    design: Floats,
    coefficients: Floats,
    influence: Floats,
    weights: Floats,
    link: str,
    names: Sequence[str],
) -> tuple[Floats, tuple[str, ...], Floats]:
    if model.report == "coefficients":
        return coefficients, tuple(names), influence
    is_binary = np.array(
        [
            set(np.unique(column[:1000])) <= {0.0, 1.0} and bool(((column == 0) | (column == 1)).all())
            for column in design.T
        ]
    )
    effects, derivatives, by_row = average_effects(design, coefficients, FAMILIES[link], weights, is_binary)
    total = influence @ derivatives.T
    if not model.is_conditional:
        total = total + (weights / weights.sum())[:, None] * (by_row - effects)
    return effects, tuple(names[1:]), total


def _coefficient_influence(
    design: Floats, outcome: Floats, weights: Floats, coefficients: Floats, link: str
) -> Floats:
    """Scores times the inverse of the observed information."""
    family, index = FAMILIES[link], design @ coefficients
    mean = family.mean(index)
    slope, variance = family.slope(index), np.maximum(family.variance(mean), 1e-300)
    gap = (outcome - mean) / variance
    scores = (weights * gap * slope)[:, None] * design
    if link == "logit":
        information = slope
    else:
        information = slope**2 / variance + gap * (
            slope**2 * (1.0 - 2.0 * mean) / variance - family.curvature(index)
        )
    hessian = design.T @ (design * (weights * information)[:, None])
    return np.asarray(np.linalg.solve(hessian, scores.T).T)


def _convergence_check(fit: GeneralisedLinear) -> Check:
    detail = f"{'reached' if fit.has_converged else 'not reached'} after {fit.steps} steps"
    return Check("maximum of the likelihood", fit.has_converged, detail)


def _details(
    fit: GeneralisedLinear,
    outcome: Floats,
    weights: Floats,
    names: Sequence[str],
    coefficients: Floats,
) -> dict[str, Any]:
    mean = float(weights @ outcome / weights.sum())
    null = float(weights @ (outcome * np.log(mean) + (1 - outcome) * np.log(1 - mean)))
    return {
        "log_likelihood": -fit.deviance / 2,
        "pseudo_r2": 1.0 - (-fit.deviance / 2) / null,
        "coefficients": dict(zip(names, coefficients.tolist(), strict=True)),
        "steps": fit.steps,
    }
