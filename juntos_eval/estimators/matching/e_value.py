r"""The E-value: how strong an unmeasured confounder must be to explain an effect away."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, NoReturn, get_args

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.matching.adjusted import refuse_other

__all__ = ["EValue", "e_value"]

Scale = Literal["risk_difference", "mean_difference", "risk_ratio", "log_risk_ratio"]

# a standardised mean difference d is taken for a log risk ratio of 0.91 d (VanderWeele & Ding 2017)
LOG_RATIO_PER_SD = 0.91


@dataclass(frozen=True, slots=True, kw_only=True)
class EValue:
    """How strong a confounder must be, as a risk ratio with treatment and with outcome.

    Attributes
    ----------
    point : float
        To explain the estimate away.
    limit : float
        To move the nearer end of the interval to no effect; 1 where the interval holds none already.
    risk_ratio, conf_low, conf_high : float
        The effect as a risk ratio, with its interval.
    conversion : str
        How the effect became a risk ratio.

    Examples
    --------
    >>> from juntos_eval.estimators.matching.e_value import EValue
    >>> EValue(point=3.41, limit=2.37, risk_ratio=2.0, conf_low=1.5, conf_high=2.7, conversion="none").limit
    2.37
    """

    point: float
    limit: float
    risk_ratio: float
    conf_low: float
    conf_high: float
    conversion: str

    def to_record(self) -> dict[str, Any]:
        """Return everything as JSON can hold it; what is not known as None."""
        return {
            name: value if isinstance(value, str) or math.isfinite(value) else None
            for name, value in asdict(self).items()
        }


def e_value(
    estimate: Estimate,
    *,
    baseline: float | None = None,
    outcome_sd: float | None = None,
    scale: Scale | None = None,
    level: float = 0.95,
    term: str | None = None,
) -> EValue:
    r"""Return how strongly a confounder must go with treatment and with outcome to explain an effect away.

    .. math:: E = RR + \sqrt{RR (RR - 1)}, \qquad RR \ge 1, \text{ else of } 1 / RR

    on the scale of risk ratios, beyond the covariates that were adjusted for.

    Parameters
    ----------
    estimate : Estimate
    baseline : float, optional
        :math:`p_0`, the risk without treatment, taken as known; by default ``mean_untreated`` of the
        estimate's details, as matching and weighting leave it.
    outcome_sd : float, optional
        Standard deviation of the outcome, for mean differences.
    scale : {"risk_difference", "mean_difference", "risk_ratio", "log_risk_ratio"}, optional
        What the value is; by default a mean difference where ``outcome_sd`` is given, else a risk
        difference. A risk difference becomes :math:`(p_0 + \hat\tau) / p_0`, a mean difference approximately
        :math:`\exp(0.91 \, \hat\tau / sd)`.
    level : float
        Of the interval.
    term : str, optional
        Which value, where the estimate has several.

    Returns
    -------
    EValue
        NaN where the estimate or its interval is not known.

    Raises
    ------
    DesignError
        If the baseline or standard deviation is missing or impossible, the value is no possible effect on
        the scale, or the term is not there once.

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
    >>> round(e_value(effect, baseline=0.1).point, 3)
    3.414
    """
    if scale is None:
        scale = "risk_difference" if outcome_sd is None else "mean_difference"
    refuse_other("scale", scale, get_args(Scale))
    row = _row(estimate, term)
    values = np.append(estimate.values[row], estimate.interval(level)[row])
    if scale == "risk_ratio":
        ratios, conversion = values, "none"
    elif scale == "log_risk_ratio":
        ratios, conversion = np.exp(values), "exp(x)"
    elif scale == "mean_difference":
        spread = _positive(
            outcome_sd, "a mean difference needs the outcome's standard deviation", "outcome_sd"
        )
        ratios, conversion = np.exp(LOG_RATIO_PER_SD * values / spread), f"exp(0.91 x / {spread:.6g})"
    else:
        ratios, conversion = _ratio_of_risks(estimate, values, baseline)
    middle, low, high = (float(ratio) for ratio in ratios)
    if middle <= 0:
        _refuse("the effect is impossible on this scale", f"risk ratio {middle:g}")
    near = max(low, 1.0) if middle >= 1.0 else min(high, 1.0)
    return EValue(
        point=_strength(middle),
        limit=_strength(near) if math.isfinite(low + high) else math.nan,
        risk_ratio=middle,
        conf_low=low,
        conf_high=high,
        conversion=conversion,
    )


def _row(estimate: Estimate, term: str | None) -> int:
    terms = [str(name) for name in estimate.keys["term"]]
    found = [row for row, name in enumerate(terms) if term is None or name == term]
    if len(found) != 1:
        _refuse("an E-value is of one value", f"term={term!r} among {', '.join(terms)}")
    return found[0]


def _ratio_of_risks(estimate: Estimate, values: Floats, baseline: float | None) -> tuple[Floats, str]:
    known = estimate.details.get("mean_untreated") if baseline is None else baseline
    risk = _positive(known, "a risk difference needs the risk without treatment", "baseline")
    if risk >= 1.0:
        _refuse("a risk without treatment lies between 0 and 1", f"baseline={risk}")
    ratios = (risk + values) / risk
    # an interval may reach beyond what is possible; a ratio cannot
    ratios[1:] = np.maximum(ratios[1:], 0.0)
    return ratios, f"(x + {risk:.6g}) / {risk:.6g}"


def _strength(ratio: float) -> float:
    above = max(ratio, 1.0 / ratio) if ratio > 0 else math.inf
    return above + math.sqrt(above * (above - 1.0)) if math.isfinite(above) else above


def _positive(value: Any, what: str, name: str) -> float:
    if value is None or not math.isfinite(value) or value <= 0:
        _refuse(what, f"{name}={value}")
    return float(value)


def _refuse(what: str, where: str) -> NoReturn:
    raise DesignError(what, where=where, remedy="see the docstring of e_value for what each scale needs")
