"""Inference for independent rows: one error variance for all, or one for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Linear, Uncertainty
from juntos_eval.inference.explicit_effects import explicit_effects
from juntos_eval.inference.small_sample import SmallSample, counted_parameters, residual_df

__all__ = ["Iid", "Robust"]

Kind = Literal["HC0", "HC1", "HC2", "HC3", "HC4"]
_RULES = {
    "HC0": "no small-sample factor",
    "HC1": "n/(n-k)",
    "HC2": "1/(1-h)",
    "HC3": "1/(1-h)²",
    "HC4": "1/(1-h)^min(4, nh/Σh)",
}
_REMEDY = "use fewer covariates or more rows; Robust('HC0') has no such correction"


@dataclass(frozen=True, slots=True)
class Robust:
    r"""Rows are independent, each with its own variance (Huber 1967, Eicker, White 1980).

    .. math:: \hat V = c \sum_i a_i \hat\psi_i \hat\psi_i'

    ========  ===========  ===================  ==================
    kind      c            a_i                  degrees of freedom
    ========  ===========  ===================  ==================
    ``HC0``   1            1                    infinite (normal)
    ``HC1``   n / (n - k)  1                    n - k
    ``HC2``   1            1 / (1 - h_i)        n - k
    ``HC3``   1            1 / (1 - h_i)²       n - k
    ``HC4``   1            1 / (1 - h_i)^d_i    n - k
    ========  ===========  ===================  ==================

    n are the rows, k the coefficients that were estimated on the way (``Fit.parameters``: absorbed effects
    are among them), h_i the leverage of row i in the regression with its absorbed effects, and
    :math:`d_i = \min(4, n h_i / \sum_j h_j)`. HC0 is the influence-function variance, which needs no
    regression behind it; HC2 to HC4 need leverage, hence a fit of weighted least squares.

    Parameters
    ----------
    kind : {"HC1", "HC0", "HC2", "HC3", "HC4"}
    small_sample : SmallSample, optional
        How absorbed effects count in k and whether ``HC1`` has its factor; by default they all do.

    Raises
    ------
    InferenceError
        For another kind; from ``infer`` where n is not larger than k, where the fit has no leverage to
        give, or where a row has leverage one (its residual says nothing of its variance).

    References
    ----------
    MacKinnon, J. G., & White, H. (1985). Some heteroskedasticity-consistent covariance matrix estimators
    with improved finite sample properties. *Journal of Econometrics*, 29(3), 305-325.
    Cribari-Neto, F. (2004). Asymptotic inference under heteroskedasticity of unknown form. *Computational
    Statistics & Data Analysis*, 45(2), 215-233. (HC4.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import DenseInfluence, Fit
    >>> from juntos_eval.inference.robust import Robust
    >>> sample = np.array([1.0, 2.0, 6.0])
    >>> mean = Fit(values=[sample.mean()], influence=DenseInfluence((sample - 3.0) / 3), parameters=1)
    >>> bool(np.isclose(Robust("HC1").infer(mean).std_error[0], sample.std(ddof=1) / np.sqrt(3)))
    True
    """

    kind: Kind = "HC1"
    small_sample: SmallSample | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise InferenceError(
                f"there is no robust inference of kind {self.kind!r}",
                where="Robust(kind)",
                remedy=f"choose one of {', '.join(get_args(Kind))}",
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """No column needs to be carried."""
        return ()

    def infer(self, fit: Fit) -> Uncertainty:
        """Return covariance and degrees of freedom of the fit's values."""
        rule = self.small_sample or SmallSample()
        words = _words(_RULES[self.kind], self.small_sample, fit)
        method = f"heteroskedasticity-robust {self.kind} ({words})"
        if self.kind == "HC0":
            return Uncertainty(method=method, covariance=fit.influence.covariance(), df=np.inf)
        df = residual_df(fit, counted_parameters(fit, rule), _REMEDY)
        shown = np.inf if rule.df == "normal" else df
        if self.kind == "HC1":
            factor = fit.n / df if rule.coefficients else 1.0
            return Uncertainty(method=method, covariance=fit.influence.covariance() * factor, df=shown)
        power = _powers(self.kind, _leverage(_linear_of(fit, f"Robust('{self.kind}')")))
        scaled = fit.influence.dense() * power[:, None]
        return Uncertainty(method=method, covariance=scaled.T @ scaled, df=shown)


@dataclass(frozen=True, slots=True)
class Iid:
    r"""Rows are independent and share one error variance: the textbook formula of least squares.

    .. math:: \hat V = \hat\sigma^2 S (X'WX)^{-1} S', \qquad
              \hat\sigma^2 = \frac{\sum_i w_i \hat e_i^2}{n - k}

    with S the combination of coefficients that makes the values and w_i ones where there are no weights.
    Sampling weights make the error variance unequal by construction: prefer :class:`Robust` or a survey
    design with them. t with n - k degrees of freedom.

    Parameters
    ----------
    small_sample : SmallSample, optional
        How absorbed effects count in k; by default they all do. Without its coefficients the sum of
        squares is divided by n - 1.

    Raises
    ------
    InferenceError
        From ``infer`` where n is not larger than k or the fit is not one of least squares.

    References
    ----------
    Greene, W. H. (2018). *Econometric Analysis* (8th ed.), section 4.4. Pearson.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.robust import Iid
    >>> Iid().columns
    ()
    """

    small_sample: SmallSample | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """No column needs to be carried."""
        return ()

    def infer(self, fit: Fit) -> Uncertainty:
        """Return covariance and degrees of freedom of the fit's values."""
        rule = self.small_sample or SmallSample()
        df = residual_df(fit, counted_parameters(fit, rule), _REMEDY)
        linear = _linear_of(fit, "Iid()")
        variance = float(linear.weights @ linear.residuals**2) / (df if rule.coefficients else fit.n - 1)
        covariance = variance * linear.selection @ linear.bread @ linear.selection.T
        divisor = "n-k" if rule.coefficients else "n-1"
        words = _words(f"residual variance / ({divisor})", self.small_sample, fit)
        shown = np.inf if rule.df == "normal" else df
        return Uncertainty(method=f"homoskedastic ({words})", covariance=covariance, df=shown)


def _words(rule: str, given: SmallSample | None, fit: Fit) -> str:
    if given is None:
        return rule
    has_effects = bool(fit.absorbed)
    counted = given.in_words(has_effects=has_effects, ways=0).split(", ", 1)
    rule = rule if given.coefficients or rule != _RULES["HC1"] else _RULES["HC0"]
    return ", ".join([rule, *counted[1:]]) + (", normal" if given.df == "normal" else "")


def _linear_of(fit: Fit, asked: str) -> Linear:
    if fit.linear is None:
        raise InferenceError(
            "this inference needs a least-squares fit behind the values, and this estimate has none",
            where=f"{asked}, {fit.n} rows, {len(fit.values)} values",
            remedy="FixedEffects, TwoStage, EventStudy, Mean without by and MeanDifference carry it; for "
            "others use Robust('HC1')",
        )
    return fit.linear


def _powers(kind: Kind, leverage: Floats) -> Floats:
    """Return what a residual is multiplied by: the root of a_i."""
    room = 1.0 - leverage
    if kind == "HC4":
        exponent = np.minimum(4.0, leverage * len(leverage) / leverage.sum())
        return np.asarray(room ** (-exponent / 2.0))
    return np.asarray(1.0 / (np.sqrt(room) if kind == "HC2" else room))


def _leverage(linear: Linear) -> Floats:
    leverage = explicit_effects(linear).leverage
    full = leverage > 1.0 - 1e-10
    if full.any():
        raise InferenceError(
            "rows with leverage one fit themselves, so their variance cannot be estimated",
            where=f"{int(full.sum())} of {len(leverage)} rows",
            remedy="drop the covariate that singles them out, or use Robust('HC1')",
        )
    return leverage
