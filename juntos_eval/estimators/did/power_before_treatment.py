"""What a test of trends before treatment would have seen, and what it does to estimates that pass it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import chdtri, chndtr, ndtri

from juntos_eval.arrays import Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.did.event_study_vector import EventVector, event_vector

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["PretrendPower", "pretrend_power"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrendPower:
    """The straight line that a pre-test sees with a chosen power, and its bias in effects after treatment.

    Attributes
    ----------
    slope : float
        A period.
    power : float
    test : str
    event_times : numpy.ndarray, shape (k,)
    trend : numpy.ndarray, shape (k,)
        Bias of each effect, if trends differ by that line.
    after_passing : numpy.ndarray, shape (k,)
        Its mean among samples in which the test passes.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did import pretrend_power
    >>> effects = np.array([0.1, 1.0]), np.eye(2), (-2, 0)
    >>> round(pretrend_power(effects, power=0.8, test="joint").slope, 3)
    2.802
    """

    slope: float
    power: float
    test: str
    event_times: Floats
    trend: Floats
    after_passing: Floats

    def __post_init__(self) -> None:
        for name in ("event_times", "trend", "after_passing"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def tidy(self) -> DataFrame:
        """Return one row an effect: event_time, trend, after_passing."""
        return pd.DataFrame(
            {"event_time": self.event_times, "trend": self.trend, "after_passing": self.after_passing}
        )


def pretrend_power(
    estimate: Estimate | tuple[Any, Any, Any],
    *,
    power: float = 0.5,
    level: float = 0.95,
    test: Literal["individual", "joint"] = "individual",
    draws: int = 50_000,
    seed: int = 0,
) -> PretrendPower:
    r"""Return the slope of a linear difference in trends that a pre-test sees with a given power (Roth 2022).

    With :math:`\hat\beta \sim N(\gamma t, V)` the test rejects if any effect before treatment is significant
    ("individual"), or if the Wald statistic of all is ("joint"). What passes has another mean than what is
    drawn: that mean is of the effects after treatment, given that the test passes.

    Parameters
    ----------
    estimate : Estimate or tuple
        As in :func:`honest`.
    power, level : float
        Strictly between 0 and 1; power above the size of the test.
    test : {"individual", "joint"}
    draws, seed : int
        Of normal draws behind the mean after passing, and behind the power of "individual".

    Returns
    -------
    PretrendPower

    Raises
    ------
    DesignError
        As :func:`honest`; and if a test of no trend has that power already.

    References
    ----------
    Roth, J. (2022). Pretest with caution: event-study estimates after testing for parallel trends.
    *American Economic Review: Insights*, 4(3), 305-322. (Sections 1 and 2.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did import pretrend_power
    >>> effects = np.array([0.1, 1.0]), np.array([[1.0, 0.5], [0.5, 1.0]]), (-2, 0)
    >>> found = pretrend_power(effects, test="joint")
    >>> round(found.slope, 3), found.tidy()["after_passing"].round(1).tolist()
    (1.96, [-1.2, 2.4])
    """
    effects = event_vector(estimate)
    if not (0 < power < 1 and 0 < level < 1 and draws >= 1000) or test not in ("individual", "joint"):
        raise DesignError(
            "a power, a level and a test were expected",
            where=f"power={power}, level={level}, test={test!r}, draws={draws}",
            remedy="give numbers between 0 and 1, test 'individual' or 'joint', and 1,000 draws or more",
        )
    if not effects.before:
        raise DesignError(
            "there is no effect before the reference to test",
            where=f"{len(effects.values)} effects",
            remedy="estimate effects before treatment too",
        )
    root = np.linalg.cholesky(effects.covariance)
    noise = np.random.default_rng(seed).standard_normal((draws // 2, len(effects.values))) @ root.T
    noise = np.vstack([noise, -noise])
    slope = _slope(effects, noise, (power, level), test)
    line = effects.event_times - effects.reference
    drawn = noise + slope * line
    passes = ~_rejects(effects, drawn, level, test)
    return PretrendPower(
        slope=slope,
        power=power,
        test=test,
        event_times=effects.event_times,
        trend=slope * line,
        after_passing=drawn[passes].mean(axis=0) if passes.any() else np.full(len(line), np.nan),
    )


def _slope(effects: EventVector, noise: Floats, wanted: tuple[float, float], test: str) -> float:
    power, level = wanted
    before = effects.before
    line = effects.event_times - effects.reference
    covariance = effects.covariance[:before, :before]
    unit = float(np.sqrt(1 / (line[:before] @ np.linalg.solve(covariance, line[:before]))))

    def excess(slope: float) -> float:
        if test == "joint":
            noncentral = (slope / unit) ** 2
            cut = float(chdtri(before, 1 - level))
            reached = 1 - float(chndtr(cut, before, noncentral)) if noncentral > 0 else 1 - level
        else:
            reached = float(_rejects(effects, noise + slope * line, level, test).mean())
        return reached - power

    if excess(0.0) >= 0:
        raise DesignError(
            "the test rejects as often where trends are parallel",
            where=f"power={power:g}, rejected without a trend {excess(0.0) + power:.3g}",
            remedy="ask for more power",
        )
    high = unit
    while excess(high) < 0:
        high *= 2
    return float(brentq(excess, 0.0, high, xtol=1e-6 * unit))


def _rejects(effects: EventVector, drawn: Floats, level: float, test: str) -> Any:
    before = effects.before
    early, covariance = drawn[:, :before], effects.covariance[:before, :before]
    if test == "joint":
        statistic = np.einsum("ij,ji->i", early, np.linalg.solve(covariance, early.T))
        return statistic > chdtri(before, 1 - level)
    critical = float(ndtri((1 + level) / 2))
    return (np.abs(early) > critical * np.sqrt(np.diag(covariance))).any(axis=1)
