"""Effects of a first change of treatment after so many periods, each against units not changed yet."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.estimators.did.panel_arrays import PanelArrays
from juntos_eval.estimators.did.switch_paths import SwitchPaths
from juntos_eval.numerics.least_squares import least_squares

__all__ = ["Comparison", "Lag", "Slopes", "adjusted", "contrast_of", "effect_after", "fit_slopes", "spread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    r"""What is compared with what.

    Attributes
    ----------
    panel : PanelArrays
    paths : SwitchPaths
    eligible : numpy.ndarray of bool, shape (N,)
        Units whose effects are asked about.
    controls : numpy.ndarray of bool, shape (N,)
        Units that may be compared with, as long as they are at their baseline.
    linear : bool
        Each unit has a linear trend of its own.
    degrees : bool
        Deviations of controls carry the factor :math:`\sqrt{n/(n-1)}` of their number.

    Examples
    --------
    See :func:`effect_after`.
    """

    panel: PanelArrays
    paths: SwitchPaths
    eligible: Bools
    controls: Bools
    linear: bool = False
    degrees: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """Effects of units after so many periods, with what their controls add to the error.

    Attributes
    ----------
    effects : numpy.ndarray, shape (N,)
        Signed by the direction of the change; zero where there is none.
    mass : numpy.ndarray, shape (N,)
        Weight of the unit in the average; zero where it has no effect.
    by_controls : numpy.ndarray, shape (N,)
        Error of the weighted sum of effects that comes from the controls' means.
    lonely_controls : int
        Comparisons with a single unit.

    Examples
    --------
    See :func:`effect_after`.
    """

    effects: Floats
    mass: Floats
    by_controls: Floats
    lonely_controls: int

    @property
    def total(self) -> float:
        """Weighted sum of effects."""
        return float(self.mass @ self.effects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slopes:
    """Coefficients of changes of covariates by baseline, with their influence.

    Attributes
    ----------
    values : numpy.ndarray, shape (B, p)
        Zero for covariates that do not change.
    influence : numpy.ndarray, shape (N, p)
        Of a unit on the coefficients of its own baseline.
    baseline : numpy.ndarray of int64, shape (N,)
    left_out : tuple of int
        Covariates without a coefficient for some baseline.

    Examples
    --------
    See :func:`fit_slopes`.
    """

    values: Floats
    influence: Floats
    baseline: Codes
    left_out: tuple[int, ...]


def contrast_of(lag: int, base: int, *, placebo: bool, linear: bool) -> dict[int, float]:
    r"""Return the weight of each period in the change that is compared.

    After :math:`\ell` periods it is :math:`Y_{b+\ell} - Y_b`, of a placebo :math:`Y_{b-\ell} - Y_b`; with
    linear trends, the distance from the line through the two last periods before the change.

    Parameters
    ----------
    lag : int
    base : int
        Position of the last period before the change.
    placebo, linear : bool

    Returns
    -------
    dict of int to float
        By position, which may lie outside the data.

    Examples
    --------
    >>> from juntos_eval.estimators.did.switch_effects import contrast_of
    >>> contrast_of(2, 3, placebo=False, linear=True)
    {5: 1.0, 3: -3.0, 2: 2.0}
    """
    if not placebo:
        return {base + lag: 1.0, base: -1.0 - lag * linear, **({base - 1: float(lag)} if linear else {})}
    if not linear:
        return {base - lag: 1.0, base: -1.0}
    return {base - 1 - lag: 1.0, base: float(lag), base - 1: -1.0 - lag}


def effect_after(lag: int, compared: Comparison, *, placebo: bool = False) -> Lag:
    r"""Compare the change of each unit with those of its stratum that have not changed yet.

    .. math:: DID_{g,\ell} = S_g \Big(Y_{g,F_g-1+\ell} - Y_{g,F_g-1} - \frac{\sum_{g' \in C} w_{g'}
              (Y_{g',F_g-1+\ell} - Y_{g',F_g-1})}{\sum_{g' \in C} w_{g'}}\Big)

    with C the units of the same baseline whose first change is after :math:`F_g - 1 + \ell`.

    Parameters
    ----------
    lag : int
        1 for the period of the change itself.
    compared : Comparison
    placebo : bool
        Compare changes before treatment, of the units that have an effect of this lag.

    Returns
    -------
    Lag

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.panel_arrays import read_arrays
    >>> from juntos_eval.estimators.did.panel_frame import Columns
    >>> from juntos_eval.estimators.did.switch_effects import Comparison, effect_after
    >>> from juntos_eval.estimators.did.switch_paths import switch_paths
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "year": [1, 2] * 3, "d": [1, 0, 1, 1, 1, 1],
    ...                       "y": [1.0, 3.0, 1.0, 2.0, 0.0, 1.0]})
    >>> panel = read_arrays(frame, Columns(outcome="y", unit="id", time="year", treatment="d"))
    >>> every = np.ones(3, bool)
    >>> lag = effect_after(1, Comparison(panel=panel, paths=switch_paths(panel), eligible=every,
    ...                                  controls=every))
    >>> lag.effects.tolist(), lag.by_controls.tolist()
    ([-1.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    """
    panel, paths = compared.panel, compared.paths
    effects, mass, by_controls = (np.zeros(panel.units) for _ in range(3))
    lonely = 0
    for period in range(lag, panel.periods):
        base = period - lag
        change = _change(panel.outcome, contrast_of(lag, base, placebo=placebo, linear=compared.linear))
        if change is None:
            continue
        reachable = _change(panel.outcome, contrast_of(lag, base, placebo=False, linear=compared.linear))
        if reachable is None:
            continue
        known = np.isfinite(change) & np.isfinite(reachable) & (panel.weights[:, period] > 0)
        control = compared.controls & (paths.last_unchanged >= period) & known
        switching = compared.eligible & (paths.first == base + 1) & known
        weight = panel.weights[:, period]
        count = paths.stratum.max() + 1
        at = paths.stratum[control]
        held = np.bincount(at, weights=weight[control], minlength=count)
        switching &= held[paths.stratum] > 0
        if not switching.any():
            continue
        summed = np.bincount(at, weights=weight[control] * change[control], minlength=count)
        mean = np.divide(summed, held, out=np.zeros(count), where=held > 0)
        here = np.flatnonzero(switching)
        effects[here] = paths.direction[here] * (change[here] - mean[paths.stratum[here]])
        mass[here] = weight[here]
        pull = np.bincount(paths.stratum[here], weights=weight[here] * paths.direction[here], minlength=count)
        members = np.bincount(at, minlength=count)
        lonely += int(((members == 1) & (pull != 0)).sum())
        factor = spread(members) if compared.degrees else np.ones(count)
        share = np.divide(pull * factor, held, out=np.zeros(count), where=held > 0)
        by_controls[control] -= share[at] * weight[control] * (change[control] - mean[at])
    return Lag(effects=effects, mass=mass, by_controls=by_controls, lonely_controls=lonely)


def _change(outcome: Floats, contrast: dict[int, float]) -> Floats | None:
    if min(contrast) < 0 or max(contrast) >= outcome.shape[1]:
        return None
    return np.asarray(sum(weight * outcome[:, at] for at, weight in contrast.items()))


def spread(members: Codes) -> Floats:
    r"""Return :math:`\sqrt{n / (n - 1)}`, one where there is one member.

    Parameters
    ----------
    members : numpy.ndarray of int64

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.switch_effects import spread
    >>> spread(np.array([1, 2])).round(4).tolist()
    [1.0, 1.4142]
    """
    return np.sqrt(np.where(members > 1, members / np.maximum(members - 1, 1), 1.0))


def fit_slopes(compared: Comparison) -> Slopes:
    r"""Regress changes of the outcome on those of covariates among units that have not changed.

    .. math:: \Delta Y_{gt} = \Delta X_{gt}'\theta_d + \lambda_{s,t} + e_{gt}, \qquad t < F_g,

    for each baseline d, with effects of stratum and period.

    Parameters
    ----------
    compared : Comparison
        With covariates.

    Returns
    -------
    Slopes

    References
    ----------
    de Chaisemartin, C., & D'Haultfœuille, X. (2024). Difference-in-differences estimators of intertemporal
    treatment effects. *Review of Economics and Statistics*. (Web appendix: covariates.)

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.panel_arrays import read_arrays
    >>> from juntos_eval.estimators.did.panel_frame import Columns
    >>> from juntos_eval.estimators.did.switch_effects import Comparison, fit_slopes
    >>> from juntos_eval.estimators.did.switch_paths import switch_paths
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "year": [1, 2] * 3, "d": [0, 1, 0, 0, 0, 0],
    ...                       "x": [0.0, 1, 0, 1, 0, 3], "y": [1.0, 3.0, 1.0, 2.0, 0.0, 5.0]})
    >>> panel = read_arrays(frame, Columns(outcome="y", unit="id", time="year", treatment="d",
    ...                                    covariates=("x",)))
    >>> every = np.ones(3, bool)
    >>> fit_slopes(Comparison(panel=panel, paths=switch_paths(panel), eligible=every, controls=every)
    ...            ).values.round(12).tolist()
    [[2.0]]
    """
    panel, paths = compared.panel, compared.paths
    p = panel.covariates.shape[2]
    step_y, step_x = np.diff(panel.outcome, axis=1), np.diff(panel.covariates, axis=1)
    untouched = np.arange(1, panel.periods) <= paths.last_unchanged[:, None]
    used = untouched & np.isfinite(step_y) & np.isfinite(step_x).all(axis=2) & (panel.weights[:, 1:] > 0)
    unit, period = np.nonzero(used)
    weight = panel.weights[unit, period + 1]
    cell = np.unique(paths.stratum[unit] * panel.periods + period, return_inverse=True)[1]
    columns = np.column_stack([step_y[unit, period], step_x[unit, period]])
    held = np.bincount(cell, weights=weight)
    for at in range(p + 1):
        columns[:, at] -= (np.bincount(cell, weights=weight * columns[:, at]) / held)[cell]
    levels, baseline = np.unique(paths.baseline, return_inverse=True)
    values, influence, left_out = np.zeros((len(levels), p)), np.zeros((panel.units, p)), set[int]()
    for level in range(len(levels)):
        rows = baseline[unit] == level
        design = columns[rows, 1:]
        if not rows.any() or not (np.abs(design) > 1e-12).any():
            left_out |= set(range(p))
            continue
        fitted = least_squares(design, columns[rows, 0], weight[rows])
        values[level, fitted.kept] = fitted.coefficients[fitted.kept]
        left_out |= set(fitted.dropped.tolist())
        scores = (weight[rows] * fitted.residuals)[:, None] * design[:, fitted.kept] @ fitted.bread
        for at, column in enumerate(fitted.kept):
            influence[:, column] += np.bincount(unit[rows], weights=scores[:, at], minlength=panel.units)
    return Slopes(values=values, influence=influence, baseline=baseline, left_out=tuple(sorted(left_out)))


def adjusted(compared: Comparison, slopes: Slopes) -> Comparison:
    """Return the comparison of outcomes less what covariates explain of them.

    Parameters
    ----------
    compared : Comparison
    slopes : Slopes

    Returns
    -------
    Comparison

    Examples
    --------
    See :func:`fit_slopes`.
    """
    explained = np.einsum("ntp,np->nt", compared.panel.covariates, slopes.values[slopes.baseline])
    return replace(compared, panel=replace(compared.panel, outcome=compared.panel.outcome - explained))
