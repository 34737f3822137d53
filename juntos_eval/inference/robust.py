"""Inference for independent rows: one error variance for all, or one for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Linear, Uncertainty

__all__ = ["Iid", "Robust"]

Kind = Literal["HC0", "HC1", "HC2", "HC3"]
_RULES = {"HC0": "no small-sample factor", "HC1": "n/(n-k)", "HC2": "1/(1-h)", "HC3": "1/(1-h)²"}


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
    ========  ===========  ===================  ==================

    n are the rows, k the coefficients that were estimated on the way (``Fit.parameters``) and h_i the
    leverage of row i. HC0 is the influence-function variance, which needs no regression behind it; HC2
    and HC3 need leverage, hence a fit of weighted least squares.

    Parameters
    ----------
    kind : {"HC1", "HC0", "HC2", "HC3"}

    Raises
    ------
    InferenceError
        For another kind; from ``infer`` where n is not larger than k, where the fit has no leverage to
        give, or where a row has leverage one (its residual says nothing of its variance).

    References
    ----------
    MacKinnon, J. G., & White, H. (1985). Some heteroskedasticity-consistent covariance matrix estimators
    with improved finite sample properties. *Journal of Econometrics*, 29(3), 305-325.

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
        method = f"heteroskedasticity-robust {self.kind} ({_RULES[self.kind]})"
        if self.kind == "HC0":
            return Uncertainty(method=method, covariance=fit.influence.covariance(), df=np.inf)
        df = _residual_df(fit)
        if self.kind == "HC1":
            return Uncertainty(method=method, covariance=fit.influence.covariance() * fit.n / df, df=df)
        room = 1.0 - _leverage(_linear_of(fit, f"Robust('{self.kind}')"))
        scaled = fit.influence.dense() / (np.sqrt(room) if self.kind == "HC2" else room)[:, None]
        return Uncertainty(method=method, covariance=scaled.T @ scaled, df=df)


@dataclass(frozen=True, slots=True)
class Iid:
    r"""Rows are independent and share one error variance: the textbook formula of least squares.

    .. math:: \hat V = \hat\sigma^2 S (X'WX)^{-1} S', \qquad
              \hat\sigma^2 = \frac{\sum_i w_i \hat e_i^2}{n - k}

    with S the combination of coefficients that makes the values and w_i ones where there are no weights.
    Sampling weights make the error variance unequal by construction: prefer :class:`Robust` or a survey
    design with them. t with n - k degrees of freedom.

    Attributes
    ----------
    columns : tuple of str
        Empty: rows need no grouping.

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

    @property
    def columns(self) -> tuple[str, ...]:
        """No column needs to be carried."""
        return ()

    def infer(self, fit: Fit) -> Uncertainty:
        """Return covariance and degrees of freedom of the fit's values."""
        df = _residual_df(fit)
        linear = _linear_of(fit, "Iid()")
        variance = float(linear.weights @ linear.residuals**2) / df
        covariance = variance * linear.selection @ linear.bread @ linear.selection.T
        return Uncertainty(method="homoskedastic (residual variance / (n-k))", covariance=covariance, df=df)


def _residual_df(fit: Fit) -> float:
    df = float(fit.n - fit.parameters)
    if df <= 0:
        raise InferenceError(
            "there are not more rows than estimated coefficients",
            where=f"{fit.n} rows, {fit.parameters} coefficients",
            remedy="use fewer covariates or more rows; Robust('HC0') has no such correction",
        )
    return df


def _linear_of(fit: Fit, asked: str) -> Linear:
    if fit.linear is None:
        raise InferenceError(
            "this inference needs a least-squares fit behind the values, and this estimate has none",
            where=f"{asked}, {fit.n} rows, {len(fit.values)} values",
            remedy="Mean (without by) and MeanDifference carry it; for others use Robust('HC1')",
        )
    return fit.linear


def _leverage(linear: Linear) -> Floats:
    leverage = linear.leverage
    full = leverage > 1.0 - 1e-10
    if full.any():
        raise InferenceError(
            "rows with leverage one fit themselves, so their variance cannot be estimated",
            where=f"{int(full.sum())} of {len(leverage)} rows",
            remedy="drop the covariate that singles them out, or use Robust('HC1')",
        )
    return leverage
