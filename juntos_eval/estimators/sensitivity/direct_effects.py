r"""Instruments that may act on the outcome directly, a little: Conley, Hansen and Rossi."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import DenseInfluence, Estimate, Inference, Uncertainty
from juntos_eval.estimators.iv.instrumented_model import InstrumentedModel, instrumented_parts, model_of
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.distributions import t_quantile

__all__ = ["UnionInterval", "plausibly_exogenous", "union_of_intervals"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnionInterval:
    """Union of confidence intervals over direct effects of the instruments.

    Attributes
    ----------
    term : str
    conf_low, conf_high : float
    level : float
    at_low, at_high : Mapping of str to float
        The direct effects at which the ends lie.

    Examples
    --------
    >>> UnionInterval(term="d", conf_low=0.0, conf_high=1.0, level=0.95, at_low={}, at_high={}).term
    'd'
    """

    term: str
    conf_low: float
    conf_high: float
    level: float
    at_low: Mapping[str, float]
    at_high: Mapping[str, float]


def union_of_intervals(
    estimate: Estimate,
    term: str,
    direct: Mapping[str, tuple[float, float]],
    *,
    level: float = 0.95,
    points: int = 11,
) -> UnionInterval:
    r"""Return the union of intervals of a coefficient, over a range of direct effects of the instruments.

    For each :math:`\gamma` on a grid, :math:`y - Z\gamma` is instrumented by Z, with the inference of the
    estimate.

    Parameters
    ----------
    estimate : Estimate
        Of :class:`~juntos_eval.estimators.iv.two_stage.TwoStage` by 2SLS.
    term : str
    direct : mapping of str to (float, float)
        Range of the direct effect of each instrument named; zero for the others.
    level : float
    points : int
        Of the grid, for each instrument.

    Returns
    -------
    UnionInterval

    Raises
    ------
    DesignError
        For another estimate, unknown instruments, or ranges that are none.

    References
    ----------
    Conley, T. G., Hansen, C. B. & Rossi, P. E. (2012). Plausibly exogenous. *Review of Economics and
    Statistics*
    94(1), 260-272. (Section III.A.)

    Examples
    --------
    >>> import numpy as np, pandas as pd, juntos_eval as je
    >>> rng = np.random.default_rng(3)
    >>> frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=["z", "d", "y"])
    >>> frame["d"] += frame["z"]
    >>> effect = je.TwoStage(outcome="y", endogenous="d", instruments="z").fit(frame)
    >>> found = je.union_of_intervals(effect, "d", {"z": (-0.1, 0.1)})
    >>> bool(found.conf_low < effect.interval()[0, 0])
    True
    """
    model, effects = _pieces(estimate, term, list(direct))
    if points < 2 or not 0 < level < 1 or any(not low <= high for low, high in direct.values()):
        raise DesignError(
            "direct effects need a range from low to high, two points and a level between 0 and 1",
            where=f"{dict(direct)}, points={points}, level={level}",
            remedy="give (low, high) for each instrument",
        )
    row = estimate.keys["term"].index(term)
    columns = [model.instrument_names.index(name) for name in direct]
    grids = np.meshgrid(*(np.linspace(low, high, points) for low, high in direct.values()), indexing="ij")
    ends = []
    for gamma in np.column_stack([grid.ravel() for grid in grids]):
        value = float(estimate.values[row] - effects[row, columns] @ gamma)
        uncertainty = _moved(estimate, model.instruments[:, columns] @ gamma, effects[:, columns] @ gamma)
        half = float(t_quantile(0.5 + level / 2, uncertainty.df)) * float(uncertainty.std_error[row])
        ends.append((value - half, value + half, dict(zip(direct, gamma.tolist(), strict=True))))
    lowest, highest = min(ends, key=lambda end: end[0]), max(ends, key=lambda end: end[1])
    return UnionInterval(
        term=term,
        conf_low=lowest[0],
        conf_high=highest[1],
        level=level,
        at_low=lowest[2],
        at_high=highest[2],
    )


def plausibly_exogenous(
    estimate: Estimate, mean: Mapping[str, float], spread: Mapping[str, float]
) -> Estimate:
    r"""Return the estimate where direct effects of instruments are uncertain ("local to zero").

    .. math:: \hat\theta - A\mu, \qquad \hat V + A\Omega A', \qquad A = (\hat X'WX)^{-1}\hat X'WZ

    for :math:`\gamma \sim N(\mu, \Omega)` with independent effects.

    Parameters
    ----------
    estimate : Estimate
        Of :class:`~juntos_eval.estimators.iv.two_stage.TwoStage` by 2SLS.
    mean : mapping of str to float
        Mean of the direct effect of instruments; zero for those not named.
    spread : mapping of str to float
        Its standard deviation.

    Returns
    -------
    Estimate
        Without a fit: the covariance has a part that no data give.

    Raises
    ------
    DesignError
        For another estimate, unknown instruments, or negative spreads.

    References
    ----------
    Conley, T. G., Hansen, C. B. & Rossi, P. E. (2012). Plausibly exogenous. *Review of Economics and
    Statistics*
    94(1), 260-272. (Section III.C, equation 12.)

    Examples
    --------
    >>> import numpy as np, pandas as pd, juntos_eval as je
    >>> rng = np.random.default_rng(3)
    >>> frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=["z", "d", "y"])
    >>> frame["d"] += frame["z"]
    >>> effect = je.TwoStage(outcome="y", endogenous="d", instruments="z").fit(frame)
    >>> doubtful = je.plausibly_exogenous(effect, {}, {"z": 0.1})
    >>> bool(doubtful.uncertainty.std_error[0] > effect.uncertainty.std_error[0])
    True
    """
    model, effects = _pieces(estimate, str(estimate.keys["term"][0]), [*mean, *spread])
    mu = np.array([mean.get(name, 0.0) for name in model.instrument_names])
    omega = np.array([spread.get(name, 0.0) for name in model.instrument_names]) ** 2
    if any(not value >= 0 for value in spread.values()):
        raise DesignError(
            "standard deviations of direct effects cannot be negative",
            where=str(dict(spread)),
            remedy="give zero or more",
        )
    moved = _moved(estimate, model.instruments @ mu, effects @ mu)
    return replace(
        estimate,
        spec={**estimate.spec, "direct_mean": dict(mean), "direct_spread": dict(spread)},
        values=estimate.values - effects @ mu,
        uncertainty=Uncertainty(
            method=f"{moved.method}, direct effects of instruments normal",
            covariance=moved.covariance + (effects * omega) @ effects.T,
            df=moved.df,
        ),
        fit=None,
    )


def _pieces(estimate: Estimate, term: str, named: Sequence[str]) -> tuple[InstrumentedModel, Floats]:
    """Return the model, and what a direct effect of one of each instrument adds to each coefficient."""
    model = model_of(estimate)
    unknown = [name for name in named if name not in model.instrument_names]
    if estimate.spec.get("method") != "2sls" or term not in estimate.keys["term"] or unknown:
        raise DesignError(
            "direct effects are of instruments of an estimate by 2SLS, on one of its terms",
            where=f"method {estimate.spec.get('method')}, term '{term}', not instruments: {unknown}",
            remedy=f"instruments: {', '.join(model.instrument_names)}",
        )
    _, linear, _ = instrumented_parts(estimate)
    return model, linear.bread @ (linear.design * linear.weights[:, None]).T @ model.instruments


def _moved(estimate: Estimate, direct: Floats, change: Floats) -> Uncertainty:
    """Return the uncertainty with the outcome less the direct part."""
    fit, linear, _ = instrumented_parts(estimate)
    by: Inference = estimate.inference or Robust()
    model = model_of(estimate)
    regressors = np.column_stack([model.endogenous, model.exogenous])
    residuals = linear.residuals - direct + regressors @ change
    scores = linear.design * (linear.weights * residuals)[:, None]
    moved = replace(
        fit,
        values=fit.values - change,
        influence=DenseInfluence(scores @ linear.bread),
        linear=replace(linear, residuals=residuals),
    )
    return by.infer(moved)
