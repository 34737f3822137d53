"""Pooled effects when what is published depends on the sign and significance of what was found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference, Sample
from juntos_eval.estimators.design import groups_to_carry, select
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.truncated_selection import fit_selection, selected_tail

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["SelectionModel", "median_unbiased"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionModel:
    r"""Mean and spread of true effects together with how likely results of each kind are to be published.

    .. math:: \theta_i \sim N(\mu, \tau^2), \quad y_i \mid \theta_i \sim N(\theta_i, s_i^2), \quad
              P(\text{published} \mid y_i, s_i) \propto p(y_i/s_i)

    where p is a step function with p = 1 in its last step (:mod:`juntos_eval.numerics.truncated_selection`).
    It needs tens of studies in every step to say anything.

    Parameters
    ----------
    outcome, std_error : str
        Columns of estimates and standard errors; rows where one is missing are dropped and counted.
    cutoffs : tuple of float
        Where the probability jumps, ascending.
    symmetric : bool
        Of the absolute t statistic; else of the signed one.

    References
    ----------
    Andrews, I., & Kasy, M. (2019). Identification of and correction for publication bias. *American Economic
    Review*, 109(8), 2766-2794, section II.B (meta-studies).
    Hedges, L. V. (1992). Modeling publication selection effects in meta-analysis. *Statistical Science*,
    7(2), 246-255.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.synthesis import SelectionModel
    >>> rng = np.random.default_rng(2)
    >>> studies = pd.DataFrame({"se": rng.uniform(0.5, 1.5, 3000)})
    >>> studies["effect"] = rng.normal(1.0, np.sqrt(0.25 + studies.se**2))
    >>> kept = studies[(studies.effect.abs() > 1.96 * studies.se) | (rng.random(3000) < 0.3)]
    >>> found = SelectionModel(outcome="effect", std_error="se").fit(kept)
    >>> found.keys["term"], bool(abs(found.values[0] - 1) < 3 * found.uncertainty.std_error[0])
    (('mean', 'spread', 'publication below 1.96'), True)
    """

    outcome: str
    std_error: str
    cutoffs: tuple[float, ...] = (1.959963984540054,)
    symmetric: bool = True

    def __post_init__(self) -> None:
        cutoffs = tuple(float(value) for value in np.atleast_1d(self.cutoffs))
        object.__setattr__(self, "cutoffs", cutoffs)
        is_usable = bool(cutoffs) and bool(np.isfinite(cutoffs).all()) and bool((np.diff(cutoffs) > 0).all())
        if not is_usable or (self.symmetric and cutoffs[0] <= 0):
            raise DesignError(
                "cutoffs of t statistics are finite and ascending, and positive where their size is meant",
                where=f"SelectionModel(cutoffs={cutoffs}, symmetric={self.symmetric})",
                remedy="give for instance (1.96,), or (-1.96, 0, 1.96) with symmetric=False",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Maximise the likelihood; by default ``Robust("HC0")``, cluster by article where it has several.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            Terms ``mean``, ``spread`` (tau) and ``publication below c`` for each cutoff: the probability of
            that step relative to the last. ``details["studies"]`` counts each step.

        Raises
        ------
        DesignError
            For errors that are not positive, or a step without studies: its probability is not identified.
        """
        rule = inference or Robust("HC0")
        chosen = select(data, numeric=(self.outcome, self.std_error), carry=groups_to_carry(rule, carry))
        effects, errors = chosen.columns[self.outcome], chosen.columns[self.std_error]
        cutoffs = np.array(self.cutoffs)
        if (errors <= 0).any():
            raise DesignError(
                "a standard error that is not positive cannot make a t statistic",
                where=f"column '{self.std_error}', {int((errors <= 0).sum())} of {chosen.n} rows",
                remedy="leave it missing where it is not known",
            )
        statistic = np.abs(effects / errors) if self.symmetric else effects / errors
        counts = np.bincount(np.searchsorted(cutoffs, statistic, side="right"), minlength=len(cutoffs) + 1)
        if not counts.all():
            raise DesignError(
                "a step of the publication probability has no studies",
                where=f"studies between the cutoffs {self.cutoffs}: {counts.tolist()}",
                remedy="use fewer cutoffs, or say that selection cannot be looked at",
            )
        found = fit_selection(effects, errors, cutoffs, is_symmetric=self.symmetric)
        fit = Fit(
            values=found.values,
            influence=DenseInfluence(found.influence),
            parameters=len(found.values),
            groups=chosen.groups,
        )
        return Estimate(
            spec={"estimator": "SelectionModel", **asdict(self)},
            keys={"term": ("mean", "spread", *(f"publication below {cut:.4g}" for cut in self.cutoffs))},
            values=found.values,
            uncertainty=rule.infer(fit),
            sample=Sample(rows=chosen.n, units=chosen.n, dropped=chosen.dropped),
            checks=(
                Check(
                    "highest likelihood found", found.converged, f"log likelihood {found.loglikelihood:.6g}"
                ),
                Check(
                    "spread",
                    None if found.values[1] > 1e-3 * np.median(errors) else False,
                    f"tau = {found.values[1]:.4g}; at zero its error, and a normal interval, say nothing",
                ),
                Check(
                    "studies in each step",
                    bool(counts.min() >= 10),
                    f"{counts.tolist()}; a step with fewer than 10 is hardly known",
                ),
            ),
            details={"studies": counts.tolist(), "loglikelihood": found.loglikelihood},
            fit=fit,
            inference=rule,
        )


def median_unbiased(
    effect: float, std_error: float, selection: Estimate, *, level: float = 0.95
) -> list[float]:
    r"""Return the published effect corrected for selection, with its interval.

    Solves :math:`P(Y > y \mid \theta, s, \text{published}) = \alpha` for :math:`\theta` at
    :math:`\alpha = (1 - \gamma)/2`, one half and :math:`(1 + \gamma)/2`; the middle one is median-unbiased.
    The selection is taken as known.

    Parameters
    ----------
    effect, std_error : float
    selection : Estimate
        Of :class:`SelectionModel`.
    level : float
        :math:`\gamma`.

    Returns
    -------
    list of float
        Lower limit, corrected effect, upper limit.

    Raises
    ------
    DesignError
        For an estimate of something else, or an error that is not positive.

    References
    ----------
    Andrews, I., & Kasy, M. (2019). *American Economic Review*, 109(8), section I.C.

    Examples
    --------
    >>> from juntos_eval import Estimate, Sample, Uncertainty
    >>> from juntos_eval.synthesis import median_unbiased
    >>> spec = {"estimator": "SelectionModel", "cutoffs": (1.96,), "symmetric": True}
    >>> selection = Estimate(spec=spec, keys={"term": ("mean", "spread", "publication below 1.96")},
    ...     values=[0.0, 1.0, 0.1], sample=Sample(rows=9, units=9),
    ...     uncertainty=Uncertainty(method="known", covariance=[[0.0] * 3] * 3, df=float("inf")))
    >>> [round(x, 2) for x in median_unbiased(2.1, 1.0, selection)]
    [-0.52, 0.91, 3.54]
    """
    if selection.spec.get("estimator") != "SelectionModel" or not std_error > 0 or not 0 < level < 1:
        raise DesignError(
            "a correction needs an estimate of SelectionModel, a positive error and a level below 1",
            where=f"{selection.spec.get('estimator')}, std_error {std_error}, level {level}",
            remedy="fit SelectionModel to the literature first",
        )
    cutoffs = np.array(selection.spec["cutoffs"], float)
    steps = np.concatenate([selection.values[2:], [1.0]])
    if selection.spec["symmetric"]:
        cutoffs, steps = np.concatenate([-cutoffs[::-1], cutoffs]), np.concatenate([steps[::-1], steps[1:]])
    found = []
    for share in ((1 - level) / 2, 0.5, (1 + level) / 2):

        def excess(truth: float, share: float = share) -> float:
            return selected_tail(effect, std_error, truth, cutoffs, steps) - share

        reach = 10.0 * std_error
        found.append(float(optimize.brentq(excess, effect - reach, effect + reach, xtol=1e-12)))
    return found
