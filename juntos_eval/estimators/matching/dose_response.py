r"""Dose-response by the generalised propensity score: mean outcomes if all had the same dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference, Sample
from juntos_eval.estimators.design import groups_to_carry, select
from juntos_eval.estimators.matching.adjusted import column_names
from juntos_eval.estimators.matching.effect import kish
from juntos_eval.estimators.matching.missing_covariates import Missing, fit_settled, refuse_rule
from juntos_eval.estimators.matching.outcome_model import left_out_check, outcome_design
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["DoseResponse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseResponse:
    r"""Mean outcome at each dose, adjusted by the generalised propensity score.

    The dose is normal given covariates; its density at the dose received, and the dose, are regressors of the
    outcome; means are taken over everyone at a given dose and the density each has there:

    .. math::
        T_i | x_i \sim N(x_i'b, \sigma^2), \qquad R_i(t) = \frac{1}{\sigma} \phi\Bigl(\frac{t - x_i'b}{\sigma}
        \Bigr), \qquad E[y_i | T_i, R_i] = a_0 + a_1 T_i + a_2 T_i^2 + a_3 R_i + a_4 R_i^2 + a_5 T_i R_i,

    .. math:: \hat\mu(t) = \frac{\sum_i s_i \hat E[y | t, \hat R_i(t)]}{\sum_i s_i}.

    It identifies mean outcomes if, given covariates, the dose is as good as random and each dose can happen
    to everyone, the dose is normal and the regression right. Influence is that of the stacked moments of all
    steps. For length of exposure among the treated: leave the untreated out, a spike at zero is not normal.

    Parameters
    ----------
    outcome, dose : str
        Columns of numbers; a missing dose is an error.
    covariates : tuple of str
        Numbers, booleans or categories; rows with missing values are dropped and counted.
    doses : sequence of float
        Where the response is wanted; inside the range of the doses received.
    missing : {"drop", "refuse", "indicator"}
        What is done with rows in which a covariate is missing: left out, refused, or kept, with a constant in
        its place and an indicator beside it. They are counted in each case.
    weights : str, optional
        Column of sampling weights.

    Raises
    ------
    DesignError
        For doses that nobody is near, a dose that does not vary or that covariates determine.

    References
    ----------
    Hirano, K. & Imbens, G. W. (2004). The propensity score with continuous treatments. In A. Gelman & X.-L.
    Meng (eds.), *Applied Bayesian Modeling and Causal Inference from Incomplete-Data Perspectives*, 73-84.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.dose_response import DoseResponse
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=500)
    >>> months = 20 + 2 * x + 4 * rng.normal(size=500)
    >>> frame = pd.DataFrame({"y": 0.1 * months + x + rng.normal(size=500), "months": months, "x": x})
    >>> curve = DoseResponse(outcome="y", dose="months", covariates=("x",), doses=(16.0, 24.0)).fit(frame)
    >>> curve.keys["dose"], bool(curve.values[1] > curve.values[0])
    ((16.0, 24.0), True)
    """

    outcome: str
    dose: str
    covariates: tuple[str, ...]
    doses: tuple[float, ...]
    missing: Missing = "drop"
    weights: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", column_names("covariates", self.covariates))
        refuse_rule(self.missing)
        object.__setattr__(self, "doses", _doses(self.doses))
        if not self.covariates:
            _refuse("a generalised score needs covariates", "covariates=()")

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the response; by default with the sandwich of the stacked moments, ``Robust("HC0")``.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Term ``mean``, one row a dose, named by the key ``dose``; ``.combine`` makes differences.

        Raises
        ------
        DesignError
        """
        if self.missing != "drop":
            return fit_settled(self, data, inference, carry)
        rule = inference or Robust("HC0")
        wanted = groups_to_carry(rule, carry)
        chosen = select(
            data,
            numeric=(self.outcome,),
            required=(self.dose,),
            covariates=self.covariates,
            weights=self.weights,
            carry=wanted,
        )
        y, dose, weights = chosen.columns[self.outcome], chosen.columns[self.dose], chosen.weights
        low, high = float(dose.min()), float(dose.max())
        if min(self.doses) < low or max(self.doses) > high:
            _refuse("a dose lies outside those received", f"received {low:g} to {high:g}, asked {self.doses}")
        design = outcome_design(chosen.covariates, chosen.covariate_names)
        score = _score(dose, design.columns, weights / weights.sum())
        values, influence = _response(y, dose, score, np.array(self.doses))
        fit = Fit(
            values=values,
            influence=DenseInfluence(influence),
            parameters=design.columns.shape[1] + 7,
            groups={name: chosen.groups[name] for name in wanted},
        )
        return Estimate(
            spec={"estimator": "DoseResponse", **asdict(self)},
            keys={"term": ("mean",) * len(values), "dose": self.doses},
            values=fit.values,
            uncertainty=rule.infer(fit),
            sample=Sample(rows=chosen.n, units=chosen.n, effective=kish(weights), dropped=chosen.dropped),
            checks=(_normality(score), *left_out_check(design)),
            details={"dose_sd": float(np.sqrt(score.variance)), "dose_low": low, "dose_high": high},
            fit=fit,
            inference=rule,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Score:
    """A normal dose: index and variance with their influence, and each row's share of the weights."""

    index: Floats
    variance: float
    residual: Floats
    columns: Floats
    share: Floats
    index_influence: Floats  # (n, p): on the coefficients
    variance_influence: Floats  # (n,)

    def density(self, dose: Floats | float) -> tuple[Floats, Floats, Floats]:
        """Return the density at a dose, with its derivatives in the index and in the variance."""
        gap = dose - self.index
        value = np.exp(-0.5 * gap**2 / self.variance) / np.sqrt(2.0 * np.pi * self.variance)
        bend = 0.5 * (gap**2 / self.variance**2 - 1.0 / self.variance)
        return value, value * gap / self.variance, value * bend

    def through(self, by_index: Floats, by_variance: Floats) -> Floats:
        """Return what each row adds to k sums with given derivatives, (n, k)."""
        moved = self.columns.T @ by_index
        spread = self.variance_influence[:, None] * by_variance.sum(axis=0)
        return np.asarray(self.index_influence @ moved + spread)


def _score(dose: Floats, columns: Floats, share: Floats) -> _Score:
    gram = (columns * share[:, None]).T @ columns
    coefficients = np.linalg.solve(gram, columns.T @ (share * dose))
    residual = dose - columns @ coefficients
    variance = float(share @ residual**2)
    if variance <= 1e-12 * float(np.ptp(dose)) ** 2 or np.ptp(dose) == 0:
        _refuse("the dose does not vary, or covariates determine it", f"{len(dose)} rows")
    return _Score(
        index=columns @ coefficients,
        variance=variance,
        residual=residual,
        columns=columns,
        share=share,
        index_influence=(share * residual)[:, None] * np.linalg.solve(gram, columns.T).T,
        # the mean residual times covariates is zero, so that coefficients do not move the variance
        variance_influence=share * (residual**2 - variance),
    )


def _regressors(dose: Floats | float, density: Floats) -> tuple[Floats, Floats]:
    """Return the outcome's regressors and their derivative in the density."""
    t, one, zero = np.broadcast_to(dose, density.shape), np.ones(len(density)), np.zeros(len(density))
    return (
        np.column_stack([one, t, t**2, density, density**2, t * density]),
        np.column_stack([zero, zero, zero, one, 2.0 * density, t]),
    )


def _response(outcome: Floats, dose: Floats, score: _Score, asked: Floats) -> tuple[Floats, Floats]:
    """Return mean outcomes at the doses asked for and their influence."""
    # centred and in standard deviations, so that squares are no longer nearly collinear
    centre, unit = float(score.share @ dose), float(np.sqrt(score.variance))
    received = _regressors((dose - centre) / unit, unit * score.density(dose)[0])
    z, slope = received
    gram = (z * score.share[:, None]).T @ z
    if np.linalg.cond(gram) > 1e13:
        _refuse("dose and density do not vary apart", f"{len(dose)} rows")
    coefficients = np.linalg.solve(gram, z.T @ (score.share * outcome))
    error = outcome - z @ coefficients
    _, by_index, by_variance = (unit * part for part in score.density(dose))
    moved = score.share[:, None] * (slope * error[:, None] - z * (slope @ coefficients)[:, None])
    own = (score.share * error)[:, None] * z
    of_coefficients = np.linalg.solve(
        gram, (own + score.through(moved * by_index[:, None], moved * by_variance[:, None])).T
    ).T
    values, influence = np.empty(len(asked)), np.empty((len(dose), len(asked)))
    for at, level in enumerate(asked):
        density, in_index, in_variance = (unit * part for part in score.density(float(level)))
        there, tilt = _regressors((level - centre) / unit, density)
        mean = there @ coefficients
        values[at] = score.share @ mean
        pull = (score.share * (tilt @ coefficients))[:, None]
        influence[:, at] = (
            score.share * (mean - values[at])
            + of_coefficients @ (score.share @ there)
            + score.through(pull * in_index[:, None], pull * in_variance[:, None])[:, 0]
        )
    return values, influence


def _normality(score: _Score) -> Check:
    z = score.residual / np.sqrt(score.variance)
    skewness, kurtosis = float(score.share @ z**3), float(score.share @ z**4)
    passed = abs(skewness) < 1.0 and 1.5 < kurtosis < 6.0
    detail = f"skewness {skewness:.2f} (normal 0), kurtosis {kurtosis:.2f} (normal 3) given covariates"
    return Check("normal dose", passed, detail)


def _doses(given: Sequence[float]) -> tuple[float, ...]:
    try:
        found = tuple(float(dose) for dose in given)
    except (TypeError, ValueError):
        found = ()
    if not found or not np.isfinite(found).all():
        _refuse("doses are numbers where the response is wanted", f"doses={given!r}")
    return found


def _refuse(what: str, where: str) -> NoReturn:
    raise DesignError(what, where=where, remedy="see the docstring of DoseResponse")
