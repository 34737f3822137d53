r"""How sure a pooled effect is, when the errors of the studies are known and their spread is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Linear, Uncertainty

__all__ = ["KnappHartung", "KnownVariance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnappHartung:
    r"""The spread of the studies around the pooled effect scales its error (Hartung, Knapp, Sidik, Jonkman).

    .. math:: \hat V = q (X'WX)^{-1}, \qquad q = \frac{1}{k - p} \sum_i W_i (y_i - x_i'\hat\beta)^2,
              \qquad W_i = \frac{1}{v_i + \hat\tau^2}

    with k studies and p coefficients; t with k - p degrees of freedom.

    Parameters
    ----------
    at_least_one : bool
        Use :math:`\max(1, q)`, so that studies closer together than their errors allow do not make the pooled
        effect surer than those errors (Röver, Knapp and Friede 2015).

    References
    ----------
    Hartung, J., & Knapp, G. (2001). A refined method for the meta-analysis of controlled clinical trials with
    binary outcome. *Statistics in Medicine*, 20(24), 3875-3889.
    Sidik, K., & Jonkman, J. N. (2002). A simple confidence interval for meta-analysis. *Statistics in
    Medicine*, 21(21), 3153-3159.
    Röver, C., Knapp, G., & Friede, T. (2015). Hartung-Knapp-Sidik-Jonkman approach and its modification for
    random-effects meta-analysis with few studies. *BMC Medical Research Methodology*, 15, 99.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.synthesis import KnappHartung, MetaAnalysis
    >>> studies = pd.DataFrame({"effect": [0.1, 0.3, 0.5], "se": [0.1, 0.1, 0.1]})
    >>> pooled = MetaAnalysis(outcome="effect", std_error="se")
    >>> round(float(pooled.fit(studies, inference=KnappHartung()).uncertainty.std_error[0]), 6)
    0.11547
    """

    at_least_one: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """No column needs to be carried."""
        return ()

    def infer(self, fit: Fit) -> Uncertainty:
        """Return covariance and degrees of freedom of the pooled effects.

        Raises
        ------
        InferenceError
            With no study more than coefficients, or for a fit that is not one of least squares.
        """
        linear = _linear_of(fit)
        df = fit.n - fit.parameters
        if df < 1:
            raise InferenceError(
                "the spread of the studies cannot be had from as many studies as coefficients",
                where=f"{fit.n} studies, {fit.parameters} coefficients",
                remedy="use KnownVariance(), which takes the errors of the studies as they are",
            )
        spread = float(linear.weights @ linear.residuals**2) / df
        factor = max(1.0, spread) if self.at_least_one else spread
        words = ", q at least 1" if self.at_least_one else ""
        return Uncertainty(
            method=f"Hartung-Knapp-Sidik-Jonkman (q = {spread:.4g}{words})",
            covariance=factor * _bread(linear),
            df=df,
        )


@dataclass(frozen=True, slots=True)
class KnownVariance:
    r"""The errors of the studies and the variance between them are taken as known: the normal interval.

    .. math:: \hat V = (X'WX)^{-1}, \qquad W_i = \frac{1}{v_i + \hat\tau^2}

    With few studies it is too sure of itself, for the variance between them is estimated.

    Attributes
    ----------
    columns : tuple of str
        None: no column needs to be carried.

    References
    ----------
    DerSimonian, R., & Laird, N. (1986). Meta-analysis in clinical trials. *Controlled Clinical Trials*, 7(3),
    177-188.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.synthesis import KnownVariance, MetaAnalysis
    >>> studies = pd.DataFrame({"effect": [0.1, 0.1], "se": [0.1, 0.1]})
    >>> pooled = MetaAnalysis(outcome="effect", std_error="se", method="fixed")
    >>> round(float(pooled.fit(studies, inference=KnownVariance()).uncertainty.std_error[0]), 6)
    0.070711
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """No column needs to be carried."""
        return ()

    def infer(self, fit: Fit) -> Uncertainty:
        """Return the covariance of the pooled effects, normal."""
        return Uncertainty(
            method="known variances of the studies", covariance=_bread(_linear_of(fit)), df=np.inf
        )


def _bread(linear: Linear) -> np.ndarray:
    return np.asarray(linear.selection @ linear.bread @ linear.selection.T)


def _linear_of(fit: Fit) -> Linear:
    if fit.linear is None:
        raise InferenceError(
            "this inference is of pooled studies, and there is no weighted regression behind the values",
            where=f"{fit.n} rows, {len(fit.values)} values",
            remedy="use it with MetaAnalysis",
        )
    return fit.linear
