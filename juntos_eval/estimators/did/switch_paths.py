"""When treatment first leaves what it was: who switches, in which direction, who may be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats, encode, frozen
from juntos_eval.estimators.did.panel_arrays import PanelArrays

__all__ = ["Crossing", "SwitchPaths", "switch_paths"]

Crossing = Literal["drop", "keep"]
NEVER = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchPaths:
    """Paths of treatment of N units over T periods.

    Attributes
    ----------
    baseline : numpy.ndarray, shape (N,)
        Treatment when the unit is first seen.
    stratum : numpy.ndarray of int64, shape (N,)
        Units of one baseline and one level of what is held equal: only these are compared.
    first : numpy.ndarray of int64, shape (N,)
        Position of the first change; -1 where there is none or its date is not known.
    last_unchanged : numpy.ndarray of int64, shape (N,)
        Last position up to which the unit is known to be at its baseline.
    direction : numpy.ndarray, shape (N,)
        1 for a first change upwards, -1 downwards, 0 for none.
    cohort : numpy.ndarray of int64, shape (N,)
        Units of one stratum that change first in one period to one treatment.
    beyond : numpy.ndarray, shape (N, T)
        Treatment above the baseline; gaps have the last one seen.
    crossed : numpy.ndarray of bool, shape (N, T)
        From where on treatment was on both sides of the baseline.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.panel_arrays import read_arrays
    >>> from juntos_eval.estimators.did.panel_frame import Columns
    >>> from juntos_eval.estimators.did.switch_paths import switch_paths
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2], "year": [1, 2, 3] * 2, "d": [1, 0, 0, 1, 1, 1],
    ...                       "y": [1.0, 3.0, 1.0, 2.0, 0.0, 1.0]})
    >>> paths = switch_paths(read_arrays(frame, Columns(outcome="y", unit="id", time="year", treatment="d")))
    >>> paths.first.tolist(), paths.direction.tolist()
    ([1, -1], [-1.0, 0.0])
    """

    baseline: Floats
    stratum: Codes
    first: Codes
    last_unchanged: Codes
    direction: Floats
    cohort: Codes
    beyond: Floats
    crossed: Bools

    def __post_init__(self) -> None:
        for name in ("baseline", "direction", "beyond"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for name in ("stratum", "first", "last_unchanged", "cohort"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))
        object.__setattr__(self, "crossed", frozen(self.crossed, np.bool_))

    @property
    def changes(self) -> Bools:
        """Units with a first change whose date is known."""
        return np.asarray(self.first != NEVER)


def switch_paths(panel: PanelArrays) -> SwitchPaths:
    """Read paths of treatment.

    A unit that was not seen in the period before its treatment is found changed may have changed then: it
    is compared with up to the last period at its baseline, and has no effect of its own.

    Parameters
    ----------
    panel : PanelArrays

    Returns
    -------
    SwitchPaths

    References
    ----------
    de Chaisemartin, C., & D'Haultfœuille, X. (2024). Difference-in-differences estimators of intertemporal
    treatment effects. *Review of Economics and Statistics*. (Section 2: F_g, S_g, design restrictions.)

    Examples
    --------
    See :class:`SwitchPaths`.
    """
    units, periods = panel.treatment.shape
    every = np.arange(units)
    seen = ~np.isnan(panel.treatment)
    filled = _carried_on(panel.treatment, seen)
    baseline = panel.treatment[every, seen.argmax(axis=1)]
    beyond = np.where(np.isnan(filled), 0.0, filled - baseline[:, None])
    changed = seen & (beyond != 0)
    ever = changed.any(axis=1)
    first = np.where(ever, changed.argmax(axis=1), periods)
    unchanged = seen & (np.arange(periods) < first[:, None])
    last = periods - 1 - unchanged[:, ::-1].argmax(axis=1)
    known = ever & (last == first - 1)
    at_first = beyond[every, np.minimum(first, periods - 1)]
    direction = np.where(ever, np.sign(at_first), 0.0)
    stratum = encode(encode(baseline)[0] * (panel.strata.max() + 1) + panel.strata)[0]
    arrival = encode(at_first)[0]
    cohort = encode((stratum * (periods + 1) + first) * (arrival.max() + 1) + arrival)[0]
    wrong = np.cumsum(beyond * direction[:, None] < 0, axis=1) > 0
    return SwitchPaths(
        baseline=baseline,
        stratum=stratum,
        first=np.where(known, first, NEVER),
        last_unchanged=last,
        direction=np.where(known, direction, 0.0),
        cohort=cohort,
        beyond=beyond,
        crossed=wrong,
    )


def _carried_on(treatment: Floats, seen: Bools) -> Floats:
    """Return treatment with gaps filled by the last one seen; NaN before the first."""
    position = np.where(seen, np.arange(treatment.shape[1]), 0)
    latest = np.maximum.accumulate(position, axis=1)
    return np.asarray(np.take_along_axis(treatment, latest, axis=1))
