r"""The E-value: how strong an unmeasured confounder must be to explain an effect away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NoReturn, get_args

import numpy as np
from pandas import DataFrame

from juntos_eval.arrays import Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.matching.adjusted import refuse_other

__all__ = ["EValues", "e_value"]

Scale = Literal["risk_difference", "risk_ratio", "log_risk_ratio", "mean_difference"]

# a standardised mean difference d is taken for a log risk ratio of 0.91 d (VanderWeele & Ding 2017)
LOG_RATIO_PER_SD = 0.91


@dataclass(frozen=True, slots=True, kw_only=True)
class EValues:
    """E-values of the k values of an estimate.

    Attributes
    ----------
    terms : tuple of str, length k
    risk_ratio, conf_low, conf_high : numpy.ndarray, shape (k,)
        The effect as a risk ratio, with its interval.
    e_value : numpy.ndarray, shape (k,)
        Of the estimate.
    e_value_limit : numpy.ndarray, shape (k,)
        Of the end of the interval next to one: 1 where the interval holds one.
    conversion : str
        How the effect became a risk ratio.

    Examples
    --------
    >>> from juntos_eval.estimators.matching.e_value import EValues
    >>> EValues(terms=("att",), risk_ratio=[2.0], conf_low=[1.5], conf_high=[2.7], e_value=[3.41],
    ...         e_value_limit=[2.37], conversion="none").tidy().shape
    (1, 6)
    """

    terms: tuple[str, ...]
    risk_ratio: Floats
    conf_low: Floats
    conf_high: Floats
    e_value: Floats
    e_value_limit: Floats
    conversion: str

    def __post_init__(self) -> None:
        for name in ("risk_ratio", "conf_low", "conf_high", "e_value", "e_value_limit"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def tidy(self) -> DataFrame:
        """Return one row a value."""
        names = ("risk_ratio", "conf_low", "conf_high", "e_value", "e_value_limit")
        return DataFrame({"term": list(self.terms), **{name: getattr(self, name) for name in names}})

    def to_record(self) -> dict[str, Any]:
        """Return everything as JSON can hold it; what is not known as None."""
        rows = self.tidy().to_dict(orient="list")
        known = {
            name: [x if isinstance(x, str) or np.isfinite(x) else None for x in column]
            for name, column in rows.items()
        }
        return {**{str(name): column for name, column in known.items()}, "conversion": self.conversion}


def e_value(
    estimate: Estimate,
    *,
    scale: Scale = "risk_difference",
    baseline: float | None = None,
    sd: float | None = None,
    level: float = 0.95,
) -> EValues:
    r"""Return how strongly a confounder must go with treatment and with outcome to explain an effect away.

    .. math:: E = RR + \sqrt{RR (RR - 1)}, \qquad RR \ge 1, \text{ else of } 1 / RR

    on the scale of risk ratios, beyond the covariates that were adjusted for.

    Parameters
    ----------
    estimate : Estimate
    scale : {"risk_difference", "risk_ratio", "log_risk_ratio", "mean_difference"}
        What the values are. A risk difference becomes :math:`(p_0 + \hat\tau) / p_0`, a mean difference
        approximately :math:`\exp(0.91 \, \hat\tau / sd)`.
    baseline : float, optional
        :math:`p_0`, the risk without treatment, taken as known; by default ``mean_untreated`` of the
        estimate's details, as matching and weighting leave it.
    sd : float, optional
        Standard deviation of the outcome, for mean differences.
    level : float
        Of the interval.

    Returns
    -------
    EValues
        NaN where the estimate or its interval is not known.

    Raises
    ------
    DesignError
        If the baseline or standard deviation is missing or impossible, or a value is no possible effect on
        the scale.

    References
    ----------
    VanderWeele, T. J. & Ding, P. (2017). Sensitivity analysis in observational research: introducing the
    E-value. *Annals of Internal Medicine* 167(4), 268–274.

    Examples
    --------
    >>> from juntos_eval.estimate import Estimate, Sample, Uncertainty
    >>> from juntos_eval.estimators.matching.e_value import e_value
    >>> effect = Estimate(spec={}, keys={"term": ("att",)}, values=[0.1], sample=Sample(rows=9, units=9),
    ...                   uncertainty=Uncertainty(method="known", covariance=[[0.0004]], df=float("inf")))
    >>> e_value(effect, baseline=0.1).e_value.round(3).tolist()
    [3.414]
    """
    refuse_other("scale", scale, get_args(Scale))
    values = np.column_stack([estimate.values, estimate.interval(level)])
    if scale == "risk_ratio":
        ratios, conversion = values, "none"
    elif scale == "log_risk_ratio":
        ratios, conversion = np.exp(values), "exponential"
    elif scale == "mean_difference":
        spread = _positive(sd, "a mean difference needs the outcome's standard deviation", "sd")
        ratios, conversion = np.exp(LOG_RATIO_PER_SD * values / spread), f"exp(0.91 x / {spread:.6g})"
    else:
        known = estimate.details.get("mean_untreated") if baseline is None else baseline
        risk = _positive(known, "a risk difference needs the risk without treatment", "baseline")
        if risk >= 1.0:
            _refuse("a risk without treatment lies between 0 and 1", f"baseline={risk}")
        # an interval may reach beyond what is possible; a ratio cannot
        ratios = np.column_stack(
            [(risk + values[:, :1]) / risk, np.maximum(risk + values[:, 1:], 0.0) / risk]
        )
        conversion = f"(x + {risk:.6g}) / {risk:.6g}"
    if (ratios[:, 0] <= 0).any():
        _refuse("an effect is impossible on this scale", f"risk ratio {ratios[:, 0].min():g}")
    middle, low, high = ratios.T
    near = np.where(middle >= 1.0, np.maximum(low, 1.0), np.minimum(high, 1.0))
    near = np.where(np.isnan(low) | np.isnan(high), np.nan, near)
    return EValues(
        terms=tuple(str(term) for term in estimate.keys["term"]),
        risk_ratio=middle,
        conf_low=low,
        conf_high=high,
        e_value=_strength(middle),
        e_value_limit=_strength(near),
        conversion=conversion,
    )


def _strength(ratio: Floats) -> Floats:
    above = np.where(ratio < 1.0, 1.0 / ratio, ratio)
    return np.asarray(above + np.sqrt(above * (above - 1.0)))


def _positive(value: Any, what: str, name: str) -> float:
    if value is None or not np.isfinite(value) or value <= 0:
        _refuse(what, f"{name}={value}")
    return float(value)


def _refuse(what: str, where: str) -> NoReturn:
    raise DesignError(what, where=where, remedy="see the docstring of e_value for what each scale needs")
