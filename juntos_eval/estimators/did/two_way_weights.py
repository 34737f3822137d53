"""What a two-way coefficient weighs the effects of treated cells by, and how much of it is negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from juntos_eval.arrays import Bools, Codes, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimators.design import require_frame, select
from juntos_eval.estimators.did.panel_frame import units_of
from juntos_eval.estimators.did.timeline import read_timeline
from juntos_eval.numerics.absorb import Factor, absorber

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["TwoWayWeights", "twfe_weights"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoWayWeights:
    r"""A two-way coefficient as a weighted sum of effects of treated cells.

    Attributes
    ----------
    coefficient : float
    units, periods : tuple of str
        Of each treated cell.
    weights : numpy.ndarray, shape (c,)
        Sum to one.
    zero_spread : float
        Smallest standard deviation of effects over cells with which the average effect on the treated may be
        zero while the coefficient is what it is.
    opposite_spread : float
        Smallest one with which all effects may be of the other sign; NaN where no weight is negative.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import twfe_weights
    >>> frame = pd.DataFrame({"id": [1] * 3 + [2] * 3, "year": [1, 2, 3] * 2, "d": [0, 1, 1, 0, 0, 1],
    ...                       "y": [0.0, 1, 5, 0, 0, 1]})
    >>> found = twfe_weights(frame, outcome="y", unit="id", time="year", treatment="d")
    >>> found.weights.round(6).tolist(), found.negative_share
    ([1.0, -0.5, 0.5], 0.3333333333333333)
    """

    coefficient: float
    units: tuple[str, ...]
    periods: tuple[str, ...]
    weights: Floats
    zero_spread: float
    opposite_spread: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", frozen(self.weights))

    @property
    def negative_share(self) -> float:
        """Share of treated cells with a negative weight."""
        return float(np.mean(self.weights < 0))

    @property
    def negative_sum(self) -> float:
        """Sum of the negative weights."""
        return float(self.weights[self.weights < 0].sum())

    def tidy(self) -> DataFrame:
        """Return one row a treated cell: unit, period, weight."""
        return pd.DataFrame({"unit": self.units, "period": self.periods, "weight": self.weights})


def twfe_weights(
    data: DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    treatment: str,
    regression: Literal["levels", "differences"] = "levels",
) -> TwoWayWeights:
    r"""Weights of treated cells in a two-way coefficient (de Chaisemartin & D'Haultfœuille 2020).

    With :math:`\tilde D` the residual of treatment on effects of units and periods, the coefficient in levels
    weighs the effect of a treated cell by :math:`D \tilde D / \sum D \tilde D`. In first differences, with
    :math:`\tilde{\Delta D}` the residual of its change on periods, by
    :math:`D (\tilde{\Delta D}_t - \tilde{\Delta D}_{t+1})`, likewise divided; a change is from the unit's
    row before, and the last term zero in its last row.

    Parameters
    ----------
    data : pandas.DataFrame
        One row a unit and period, also unbalanced, where treatment may switch off or be a dose from zero.
    outcome, unit, time, treatment : str
    regression : {"levels", "differences"}

    Returns
    -------
    TwoWayWeights

    Raises
    ------
    DesignError
        For units with several rows in a period, negative doses, or a treatment that is fully explained.

    References
    ----------
    de Chaisemartin, C., & D'Haultfœuille, X. (2020). Two-way fixed effects estimators with heterogeneous
    treatment effects. *American Economic Review*, 110(9), 2964-2996. (Theorems 1 and 2, corollary 1.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import twfe_weights
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "year": [1, 2] * 2, "d": [0, 1, 0, 0], "y": [0.0, 3, 0, 1]})
    >>> twfe_weights(frame, outcome="y", unit="id", time="year", treatment="d").coefficient
    2.0
    """
    if regression not in ("levels", "differences"):
        raise DesignError(
            f"there is no regression {regression!r}",
            where="regression=",
            remedy="choose levels or differences",
        )
    require_frame(data)
    chosen = select(data, numeric=(outcome, treatment), carry=(unit, time))
    rows = data.iloc[chosen.rows]
    timeline, period = read_timeline(rows[time])
    units = units_of(rows[unit])
    order = np.lexsort((period, units.codes))
    code, at = units.codes[order], np.asarray(period)[order]
    y, dose = chosen.columns[outcome][order], chosen.columns[treatment][order]
    follows = code[1:] == code[:-1]
    _refuse(code, at, dose, (unit, time, treatment))
    if regression == "levels":
        score, coefficient = _levels(code, at, y, dose)
    else:
        score, coefficient = _differences(at, y, dose, follows)
    treated = dose != 0
    weights = score[treated] * dose[treated]
    weights = weights / weights.sum()
    return TwoWayWeights(
        coefficient=coefficient,
        units=tuple(str(units.labels[one]) for one in code[treated]),
        periods=tuple(str(timeline.labels[one]) for one in at[treated]),
        weights=weights,
        zero_spread=_zero_spread(coefficient, weights, dose[treated]),
        opposite_spread=_opposite_spread(coefficient, weights, dose[treated]),
    )


def _levels(code: Codes, at: Codes, y: Floats, dose: Floats) -> tuple[Floats, float]:
    factors = tuple(Factor(codes=one, count=int(one.max()) + 1) for one in (code, at))
    left = absorber(factors).residuals(dose[:, None]).ravel()
    length = float(left @ dose)
    _refuse_explained(length, dose)
    return left, float(left @ y) / length


def _differences(at: Codes, y: Floats, dose: Floats, follows: Bools) -> tuple[Floats, float]:
    change: Floats = np.where(follows, np.diff(dose), 0.0)
    later = at[1:][follows]
    sums = np.bincount(later, weights=change[follows], minlength=at.max() + 1)
    means = sums / np.maximum(np.bincount(later, minlength=at.max() + 1), 1)
    left = np.where(follows, change - means[at[1:]], 0.0)
    length = float(left @ change)
    _refuse_explained(length, dose)
    score = np.append(0.0, left) - np.append(left, 0.0)
    return score, float(left @ np.where(follows, np.diff(y), 0.0)) / length


def _zero_spread(coefficient: float, weights: Floats, share: Floats) -> float:
    """|β| over the standard deviation of weights relative to the cells' shares of treatment."""
    share = share / share.sum()
    spread = float(np.sqrt(share @ (weights / share - 1) ** 2))
    return abs(coefficient) / spread if spread > 0 else float("inf")


def _opposite_spread(coefficient: float, weights: Floats, share: Floats) -> float:
    if not (weights < 0).any():
        return float("nan")
    share = share / share.sum()
    ratio = weights / share
    order = np.argsort(-ratio, kind="stable")
    ratio, share, weights = ratio[order], share[order], weights[order]
    # sums from each cell on: those from which effects of the other sign would be
    p, s, t = (np.cumsum(one[::-1])[::-1] for one in (share, weights, share * ratio**2))
    # the first cell whose ratio is below -S/(1 - P); at the very first P is one, but for rounding
    first = 1 + int(np.argmax(ratio[1:] < -s[1:] / (1 - p[1:])))
    return float(abs(coefficient) / np.sqrt(t[first] + s[first] ** 2 / (1 - p[first])))


def _refuse(code: Codes, at: Codes, dose: Floats, names: tuple[str, str, str]) -> None:
    twice = int(((code[1:] == code[:-1]) & (at[1:] == at[:-1])).sum())
    if twice:
        raise DesignError(
            "units have several rows in one period",
            where=f"columns '{names[0]}' and '{names[1]}', {twice} rows too many",
            remedy="make a unit's row in a period unique",
        )
    if (dose < 0).any() or not (dose > 0).any():
        raise DesignError(
            "weights are of cells with a treatment above zero, against none",
            where=f"column '{names[2]}', rows above {int((dose > 0).sum())}, below {int((dose < 0).sum())}",
            remedy="give a treatment of 0 and 1, or a dose from zero",
        )


def _refuse_explained(length: float, dose: Floats) -> None:
    if length <= 1e-12 * float(dose @ dose):
        raise DesignError(
            "units and periods explain the treatment",
            where=f"{len(dose)} rows",
            remedy="add units that are treated at another time, or never",
        )
