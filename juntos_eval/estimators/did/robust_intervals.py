"""Effects of an event study when trends need not be parallel, only restricted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from juntos_eval.arrays import Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.did.event_study_vector import EventVector, event_vector
from juntos_eval.estimators.did.honest_sets import SetSearch, Target, accepted, fixed_length, search_set
from juntos_eval.estimators.did.trend_restrictions import TrendRestriction

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["HonestIntervals", "honest"]

METHODS = ("fixed_length", "conditional", "hybrid", "hybrid_fixed_length")
_LARGEST = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class HonestIntervals:
    """Robust intervals of one effect, one a bound on trends.

    Attributes
    ----------
    restriction : str
        In words.
    target : str
    method : str
    level : float
    m : tuple of float
        Bounds.
    low, high : numpy.ndarray, shape (len(m),)
        Ends; NaN where no value of the effect goes with the restriction (which then is itself rejected).
    original : tuple of float
        The interval under parallel trends.
    breakdown : float
        The smallest bound at which zero is in the interval: 0 if it is with the tightest, infinite if it is
        with none.
    outcome : str
    inference : str
        Whose covariance it rests on.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did import honest
    >>> effects = np.array([0.0, 0.1, 1.0]), 0.01 * np.eye(3), (-3, -2, 0)
    >>> honest(effects, m=(0.5, 1.0)).tidy().columns.tolist()
    ['m', 'conf_low', 'conf_high', 'restriction', 'method']
    """

    restriction: str
    target: str
    method: str
    level: float
    m: tuple[float, ...]
    low: Floats
    high: Floats
    original: tuple[float, float]
    breakdown: float
    outcome: str = ""
    inference: str = ""

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def tidy(self) -> DataFrame:
        """Return one row a bound, after a first row with the interval under parallel trends.

        The columns are m (NaN in the first row), conf_low, conf_high, restriction, method.
        """
        count = len(self.m)
        return pd.DataFrame(
            {
                "m": [np.nan, *self.m],
                "conf_low": [self.original[0], *self.low],
                "conf_high": [self.original[1], *self.high],
                "restriction": ["parallel trends", *[self.restriction] * count],
                "method": ["normal", *[self.method] * count],
            }
        )


def honest(
    estimate: Estimate | tuple[Any, Any, Any],
    *,
    restriction: str | TrendRestriction = "relative_magnitudes",
    m: float | Sequence[float] = (0.5, 1.0, 1.5, 2.0),
    target: Any = "first",
    method: str = "auto",
    search: SetSearch | None = None,
) -> HonestIntervals:
    r"""Intervals of an effect that hold if trends differed by no more than a bound.

    An event-study coefficient is :math:`\beta_t = \tau_t + \delta_t`, effect and difference in trends, with
    :math:`\tau_t = 0` before treatment. Under a restriction :math:`\delta \in \Delta` the interval of
    :math:`\theta = l'\tau_{post}` has the values that are not rejected with any :math:`\delta \in \Delta`:

    - ``"fixed_length"``: the shortest interval around a linear estimate, whose largest bias it takes in;
    - ``"conditional"``, ``"hybrid"``: tests of moment inequalities given which of them bind; the hybrid
      first compares with the critical value where all bind, at a tenth of the size;
    - ``"hybrid_fixed_length"``: that first stage is a fixed-length interval.

    Parameters
    ----------
    estimate : Estimate or tuple
        An event study with one reference period left out, or (effects, covariance, event times).
    restriction : str or TrendRestriction
        "relative_magnitudes", "smoothness", "relative_smoothness"; signs and monotone trends by
        :class:`TrendRestriction`.
    m : float or sequence of float
        Bounds: in units of the outcome a period for smoothness, ratios for the others.
    target : {"first", "last", "average"}, float or sequence of float
        Of the effects at event times from zero; an event time; or a weight for each effect after the
        reference.
    method : {"auto", "fixed_length", "conditional", "hybrid", "hybrid_fixed_length"}
        Auto: "fixed_length" for smoothness, "hybrid_fixed_length" for smoothness with a sign or monotone
        trends, else "hybrid".
    search : SetSearch, optional
        Level, grid, draws and seed.

    Returns
    -------
    HonestIntervals

    Raises
    ------
    DesignError
        If the effects are not those of an event study with one reference, or choices do not go together.
    InferenceError
        If their covariance is not known.

    References
    ----------
    Rambachan, A., & Roth, J. (2023). A more credible approach to parallel trends. *Review of Economic
    Studies*, 90(5), 2555-2591. (Sections 2 and 3.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did import honest
    >>> effects = np.array([0.0, 0.1, 1.0]), 0.01 * np.eye(3), (-3, -2, 0)
    >>> found = honest(effects, restriction="smoothness", m=(0.0, 0.2))
    >>> found.low.round(3).tolist(), found.high.round(3).tolist()
    ([0.805, 0.652], [1.235, 1.515])
    """
    chosen = restriction if isinstance(restriction, TrendRestriction) else TrendRestriction(kind=restriction)
    bounds, how = _bounds(m), _method(method, chosen)
    settings = search or SetSearch()
    _check_search(settings)
    effects = _with_periods_before(event_vector(estimate))
    weights, name = effects.target(target)
    one = Target(effects=effects, weights=weights, restriction=chosen, m=0.0)
    ends = np.array([_interval(replace(one, m=bound), how, settings) for bound in bounds])
    plain, spread = one.plain
    margin = float(ndtri((1 + settings.level) / 2)) * spread
    return HonestIntervals(
        restriction=chosen.label,
        target=name,
        method=how.replace("_", " "),
        level=settings.level,
        m=bounds,
        low=ends[:, 0],
        high=ends[:, 1],
        original=(plain - margin, plain + margin),
        breakdown=_breakdown(one, how, settings, max(bounds)),
        outcome=effects.outcome,
        inference=effects.method,
    )


def _with_periods_before(effects: EventVector) -> EventVector:
    if not effects.before:
        raise DesignError(
            "the event study has no effect before its reference period",
            where=f"event times {', '.join(f'{at:g}' for at in effects.event_times)}",
            remedy="estimate effects before treatment too",
        )
    return effects


def _bounds(m: float | Sequence[float]) -> tuple[float, ...]:
    bounds = tuple(float(bound) for bound in np.atleast_1d(np.asarray(m, dtype=np.float64)))
    if not bounds or not all(np.isfinite(bound) and bound >= 0 for bound in bounds):
        raise DesignError(
            "bounds on trends are numbers from zero",
            where=f"m={m!r}",
            remedy="give m= one or more of them",
        )
    return bounds


def _method(method: str, restriction: TrendRestriction) -> str:
    is_plain = restriction.kind == "smoothness" and not restriction.sign and not restriction.monotone
    if method == "auto":
        if restriction.kind != "smoothness":
            return "hybrid"
        return "fixed_length" if is_plain else "hybrid_fixed_length"
    if method not in METHODS:
        raise DesignError(
            f"there is no method {method!r}", where="method=", remedy=f"choose auto, {', '.join(METHODS)}"
        )
    if "fixed_length" in method and restriction.kind != "smoothness":
        raise DesignError(
            "an interval of fixed length has no use where trends are bounded by those before",
            where=f"method={method!r}, restriction {restriction.label}",
            remedy="choose method='hybrid' or 'conditional'",
        )
    return method


def _check_search(search: SetSearch) -> None:
    if not (0 < search.level < 1 and 0 < search.first_stage < 1 and search.draws >= 100):
        raise DesignError(
            "the search of a set needs a level and a first stage between 0 and 1, and 100 draws or more",
            where=f"level={search.level}, first_stage={search.first_stage}, draws={search.draws}",
            remedy="change search=SetSearch(…)",
        )


def _interval(target: Target, method: str, search: SetSearch) -> tuple[float, float]:
    if method == "fixed_length":
        found = fixed_length(target, search.level)
        return found.centre - found.half_length, found.centre + found.half_length
    return search_set(accepted(target, method, search), target, search)


def _breakdown(target: Target, method: str, search: SetSearch, largest: float) -> float:
    """Return the smallest bound that lets zero in, by bisection."""

    def has_zero(bound: float) -> bool:
        at = replace(target, m=bound)
        if method == "fixed_length":
            low, high = _interval(at, method, search)
            return low <= 0 <= high
        return bool(accepted(at, method, search)(np.zeros(1))[0])

    if has_zero(0.0):
        return 0.0
    low, high = 0.0, max(largest, 1e-6)
    while not has_zero(high):
        low, high = high, 4 * high
        if high > _LARGEST * max(largest, 1e-6):
            return float("inf")
    while high - low > 1e-3 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if has_zero(middle) else (middle, high)
    return high
