"""Honest intervals for a regression discontinuity: bias counted at its largest, not assumed away."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference, Sample, Uncertainty
from juntos_eval.estimators.design import Selection, groups_to_carry, select
from juntos_eval.estimators.rdd.honest_choices import checked_honest_choices
from juntos_eval.estimators.rdd.honest_sample import HonestSample, honest_sample, jumps_of
from juntos_eval.numerics.distributions import normal_quantile, t_quantile
from juntos_eval.numerics.honest_estimate import BiasedNormal, HonestJumps
from juntos_eval.numerics.misspecified_cells import cell_side, union_over_cells

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["HonestRD"]

# Armstrong & Kolesár (2020) ask for a share "well below" this for the normal law to be near
MOST_LEVERAGE = 0.1
STRONG_F = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HonestRD:
    r"""Jump at a cutoff with an interval that covers under every curvature up to a bound.

    A local linear estimate :math:`\hat\tau = \sum_i w_i y_i` has a bias of at most :math:`\bar b` (below) if
    the second derivative of the mean outcome is at most M on either side. The interval

    .. math:: \hat\tau \pm cv_{1-\alpha}(\bar b / se) \, se, \qquad
              cv_{1-\alpha}(t) = \text{quantile of } |N(t, 1)|,

    has length fixed by the design and covers, in finite samples with normal errors, whatever function of the
    class is true: also with few distinct values of the running variable, where no bandwidth is small
    (Kolesár & Rothe 2018, bounded second derivative). A fuzzy effect is the ratio of jumps, with
    :math:`M = (M_y + |\tau| M_t) / \tau_t`; with a weak first stage use :func:`bias_aware_set`.

    Parameters
    ----------
    outcome, running : str
        Columns of numbers. Rows at the cutoff belong to the right.
    cutoff : float
    treatment : str, optional
        Treatment actually received: a fuzzy design.
    bound : float or pair of float, optional
        M, in units of the outcome over squared units of the running variable; in fuzzy designs the pair of
        outcome and treatment. By default the rule of thumb: the largest second derivative of a quartic fitted
        to each side. No rule can be right for all functions of the class: report several bounds.
    smoothness : {"hoelder", "taylor", "misspecification"}
        The second derivative is bounded everywhere, or only the error of the linear expansion at the cutoff;
        or (for a given bandwidth and few distinct values) the polynomial errs at the cutoff by no more than
        at the values within the window, and no M is needed.
    criterion : {"mse", "flci", "oci"}
        The bandwidth has least largest mean squared error, the shortest two-sided interval, or the least
        quantile ``power`` of one-sided excess length.
    kernel : {"triangular", "uniform", "epanechnikov"}
    bandwidth : float, optional
        By default the best for the criterion, given variances of a first fit.
    order : int
        Of the polynomial, with ``smoothness="misspecification"``; else 1.
    covariates : tuple of str
        With slopes common to both sides, for precision.
    variance : {"nn", "ehw"}
        Residuals from nearest neighbours within the window (all ties) or from the fit.
    neighbours : int
    cluster : str, optional
        Residuals of the fit are summed by cluster, across the cutoff too, without a small-sample factor.
    weights : str, optional
        Sampling weights; they multiply the kernel.
    level : float
        Of the interval.
    power : float
        Of ``oci``.

    Raises
    ------
    DesignError
        For choices that make no sense, and from ``fit`` for data that cannot be used.

    References
    ----------
    Armstrong, T. B. & Kolesár, M. (2018). Optimal inference in a class of regression models. *Econometrica*
    86(2), 655–683.

    Armstrong, T. B. & Kolesár, M. (2020). Simple and honest confidence intervals in nonparametric regression.
    *Quantitative Economics* 11(1), 1–39 (sections 2 and 3; rule of thumb: 4.2).

    Kolesár, M. & Rothe, C. (2018). Inference in regression discontinuity designs with a discrete running
    variable. *American Economic Review* 108(8), 2277–2304 (section IV).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import HonestRD
    >>> score = np.linspace(-1.0, 1.0, 400)
    >>> frame = pd.DataFrame({"score": score, "y": score**2 + 2.0 * (score >= 0)})
    >>> jump = HonestRD(outcome="y", running="score", bound=2.0, bandwidth=0.2).fit(frame)
    >>> round(jump.details["maximum_bias"], 4), bool(jump.interval()[0, 0] < 2.0 < jump.interval()[0, 1])
    (0.008, True)
    """

    outcome: str
    running: str
    cutoff: float = 0.0
    treatment: str | None = None
    bound: float | tuple[float, float] | None = None
    smoothness: str = "hoelder"
    criterion: str = "mse"
    kernel: str = "triangular"
    bandwidth: float | None = None
    order: int = 1
    covariates: tuple[str, ...] = ()
    variance: str = "nn"
    neighbours: int = 3
    cluster: str | None = None
    weights: str | None = None
    level: float = 0.95
    power: float = 0.8

    def __post_init__(self) -> None:
        checked_honest_choices(self)

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the jump and its honest interval.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed.
        inference : Inference, optional
            Gives the standard error instead of ``variance``; the largest bias is added to it all the same.
        carry : tuple of str
            Accepted for the contract; the estimate keeps no fit (see Returns).

        Returns
        -------
        Estimate
            Term ``effect``, with stored intervals at ``level``. ``details``: ``maximum_bias h n_left n_right
            bound_outcome bound_treatment critical_value conf_low_one_sided conf_high_one_sided
            effective_rows leverage``, in fuzzy designs ``first_stage first_stage_std_error``. There is no
            ``fit`` in it, so that no other inference is put in place of this one without the bias.
        """
        names = (self.outcome, self.running, *([self.treatment] if self.treatment else []))
        chosen = select(
            data,
            numeric=names,
            covariates=self.covariates,
            weights=self.weights,
            carry=tuple(
                dict.fromkeys((*([self.cluster] if self.cluster else []), *groups_to_carry(inference, carry)))
            ),
        )
        sample = honest_sample(self, chosen)
        if self.smoothness == "misspecification":
            return self._misspecified(chosen, sample, inference)
        found = jumps_of(sample, chosen.n)
        linear = self._direction(found)
        bias = float(found.bias * self._curvature(found, sample) * np.abs(linear[0]))
        value = found.jumps[0] if not self.treatment else found.jumps[0] / found.jumps[1]
        fit = Fit(
            values=np.array([value]),
            influence=DenseInfluence((found.influence @ linear)[:, None]),
            parameters=4,
            groups=chosen.groups,
        )
        spread = (
            inference.infer(fit)
            if inference
            else self._own_uncertainty(float(linear @ found.covariance @ linear))
        )
        law = BiasedNormal(value=float(value), bias=bias, error=float(spread.std_error[0]))
        return Estimate(
            spec={"estimator": "HonestRD", **asdict(self)},
            keys={"term": ("effect",)},
            values=fit.values,
            uncertainty=self._honest(law, spread),
            sample=_sample(chosen, sample),
            checks=(*sample.checks, *self._checks(found)),
            details=self._details(found, sample, law),
            inference=inference,
        )

    def _direction(self, found: HonestJumps) -> Floats:
        """Return the derivative of the effect with respect to the jumps."""
        if not self.treatment:
            return np.array([1.0])
        outcome, first = found.jumps
        if first == 0:
            raise DesignError(
                "the treatment does not jump at the cutoff: there is no first stage",
                where=f"column '{self.treatment}', bandwidth {self.bandwidth or 'selected'}",
                remedy="report the reduced form without treatment=, or the set of bias_aware_set",
            )
        return np.array([1.0 / first, -outcome / first**2])

    def _curvature(self, found: HonestJumps, sample: HonestSample) -> float:
        bound = sample.bounds[0]
        if self.treatment:
            bound += abs(float(found.jumps[0] / found.jumps[1])) * sample.bounds[1]
        return bound

    def _own_uncertainty(self, variance: float) -> Uncertainty:
        return Uncertainty(method=self._method(), covariance=np.array([[variance]]), df=np.inf)

    def _method(self) -> str:
        if self.cluster:
            return f"clustered by {self.cluster}, CR0"
        if self.variance == "nn":
            return f"{self.neighbours} nearest neighbours with ties"
        return "heteroskedasticity-robust, HC0"

    def _honest(self, law: BiasedNormal, spread: Uncertainty) -> Uncertainty:
        # few degrees of freedom stretch the interval as they do one without bias
        half = 0.5 + self.level / 2.0
        stretch = float(t_quantile(half, spread.df) / normal_quantile(half))
        return replace(
            spread,
            method=f"honest, {self.smoothness} class, largest bias {law.bias:.4g}; {spread.method}",
            p_values=np.array([law.p_value()]),
            intervals=np.array([law.interval(self.level, stretch)]),
            intervals_level=self.level,
            band=None,
        )

    def _checks(self, found: HonestJumps) -> tuple[Check, ...]:
        detail = f"largest share of a row in the squared weights {found.leverage:.3g}"
        checks = [Check("leverage", found.leverage <= MOST_LEVERAGE, detail)]
        if self.treatment:
            strength = (
                float(found.jumps[1] ** 2 / found.covariance[1, 1]) if found.covariance[1, 1] > 0 else np.inf
            )
            detail = f"treatment jumps by {found.jumps[1]:.4g}, F = {strength:.1f}"
            if strength < STRONG_F:
                detail += ": use bias_aware_set, which needs no strong first stage"
            checks.append(Check("first stage", strength >= STRONG_F, detail))
        return tuple(checks)

    def _details(self, found: HonestJumps, sample: HonestSample, law: BiasedNormal) -> dict[str, Any]:
        low, high = law.one_sided(self.level)
        details: dict[str, Any] = {
            "maximum_bias": law.bias,
            "h": sample.bandwidth,
            "n_left": found.counts[0],
            "n_right": found.counts[1],
            "bound": self._curvature(found, sample) / (abs(float(found.jumps[1])) if self.treatment else 1.0),
            "bound_outcome": sample.bounds[0],
            "critical_value": law.critical_value(self.level),
            "conf_low_one_sided": low,
            "conf_high_one_sided": high,
            "effective_rows": found.effective,
            "leverage": found.leverage,
        }
        if self.treatment:
            details["bound_treatment"] = sample.bounds[1]
            details["jump_outcome"] = float(found.jumps[0])
            details["first_stage"] = float(found.jumps[1])
            details["first_stage_std_error"] = float(np.sqrt(found.covariance[1, 1]))
        return details

    def _misspecified(self, chosen: Selection, sample: HonestSample, inference: Inference | None) -> Estimate:
        if inference is not None:
            raise DesignError(
                "bounded misspecification has its own variance: that within cells",
                where=f"inference={type(inference).__name__}",
                remedy="leave inference out, or use smoothness='hoelder'",
            )
        left, right = (cell_side(side, sample.bandwidth, self.order) for side in sample.sides)
        low, high, misfit = union_over_cells(left, right, self.level)
        value = right.level - left.level
        return Estimate(
            spec={"estimator": "HonestRD", **asdict(self)},
            keys={"term": ("effect",)},
            values=np.array([value]),
            uncertainty=Uncertainty(
                method="honest, bounded misspecification; variance within cells",
                covariance=np.array([[left.variance + right.variance]]),
                df=np.inf,
                p_values=np.array([np.nan]),
                intervals=np.array([[low, high]]),
                intervals_level=self.level,
            ),
            sample=_sample(chosen, sample),
            checks=sample.checks,
            details={
                "maximum_bias": misfit,
                "h": sample.bandwidth,
                "n_left": left.n,
                "n_right": right.n,
                "values_left": len(left.misfits),
                "values_right": len(right.misfits),
            },
        )


def _sample(chosen: Selection, sample: HonestSample) -> Sample:
    weights = chosen.weights
    return Sample(
        rows=chosen.n,
        units=chosen.n,
        treated=sample.sides[1].n,
        effective=float(weights.sum() ** 2 / (weights**2).sum()),
        dropped=dict(chosen.dropped),
    )
