"""Effects of changes of treatment in the period in which they happen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats, encode
from juntos_eval.errors import DesignError
from juntos_eval.estimate import DenseInfluence, Estimate, Fit, Inference, Sample
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.panel_arrays import PanelArrays, read_arrays
from juntos_eval.estimators.did.panel_frame import Columns
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["InstantaneousDiD"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstantaneousDiD:
    r"""Effects of changes of treatment in the same period (de Chaisemartin & D'Haultfœuille 2020).

    Each unit whose treatment changes between consecutive periods is compared with those that had the same
    treatment before and keep it,

    .. math:: DID_M = \frac{\sum_{t \ge 2} \sum_{g: D_{gt} \ne D_{g,t-1}} w_{gt} S_{gt} \big(\Delta Y_{gt} -
              \operatorname{mean}(\Delta Y_{g't} : D_{g't} = D_{g',t-1} = D_{g,t-1})\big)}
              {\sum w_{gt} |\Delta D_{gt}|},

    with S the sign of the change. A unit may change many times and back: that past treatment does not move
    present outcomes is assumed. :class:`Intertemporal` does without that, and speaks of first changes only.

    Parameters
    ----------
    outcome, unit, time, treatment : str
        Treatment is any number, the same for all rows of a unit in a period.
    absorb : tuple of str
        Columns that a unit keeps: only units of the same level are compared.
    placebos : int
        How many placebos: changes of the outcome that many periods before, of units (and their controls)
        whose treatment had not changed since.
    panel : bool
        False: several rows of a unit in a period become their mean.
    weights : str, optional

    Raises
    ------
    DesignError
        If no change of treatment has anybody to compare with.

    References
    ----------
    de Chaisemartin, C., & D'Haultfœuille, X. (2020). Two-way fixed effects estimators with heterogeneous
    treatment effects. *American Economic Review*, 110(9), 2964-2996. (Theorem 3; section IV.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import InstantaneousDiD
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [1, 2, 3] * 3,
    ...                       "d": [0, 1, 1, 0, 0, 0, 1, 1, 0], "y": [1.0, 4, 4, 2, 3, 3, 1, 1, 0]})
    >>> found = InstantaneousDiD(outcome="y", unit="id", time="year", treatment="d").fit(frame)
    >>> found.keys["term"], found.values.round(6).tolist()
    (('att', 'joiners', 'leavers'), [1.5, 2.0, 1.0])
    """

    outcome: str
    unit: str
    time: str
    treatment: str
    absorb: tuple[str, ...] = ()
    placebos: int = 1
    panel: bool = True
    weights: str | None = None

    def __post_init__(self) -> None:
        if self.placebos < 0:
            raise DesignError(
                f"a number of placebos is not {self.placebos}",
                where="InstantaneousDiD",
                remedy="give 0 or more",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default units are independent: ``Robust("HC0")``.
        carry : tuple of str

        Returns
        -------
        Estimate
            ``att`` at ``event_time`` 0 and at the placebos' (−2 is the change from two periods before to the
            period before); where there are both, ``joiners`` (increases) and ``leavers``.
        """
        chosen = inference or Robust("HC0")
        columns = Columns(
            outcome=self.outcome,
            time=self.time,
            treatment=self.treatment,
            unit=self.unit,
            weights=self.weights,
            carry=groups_to_carry(chosen, carry),
        )
        panel = read_arrays(data, columns, strata=self.absorb, panel=self.panel)
        rows = [("att", -lag - 1 if lag else 0, _changes(panel, lag)) for lag in range(self.placebos + 1)]
        if not rows[0][2].dose.any():
            raise _nobody_to_compare(panel, self.treatment)
        ways = [(name, 0, _changes(panel, 0, sign)) for name, sign in (("joiners", 1), ("leavers", -1))]
        both = all(one.dose.any() for _, _, one in ways)
        rows = [row for row in (*rows, *(ways if both else ())) if row[2].dose.any()]
        values = np.array([one.total.sum() / one.dose.sum() for _, _, one in rows])
        psi = np.column_stack([one.influence(value) for (_, _, one), value in zip(rows, values, strict=True)])
        fit = Fit(values=values, influence=DenseInfluence(psi), parameters=len(rows), groups=panel.groups)
        return Estimate(
            spec={"estimator": "InstantaneousDiD", **asdict(self)},
            keys={"term": tuple(row[0] for row in rows), "event_time": tuple(row[1] for row in rows)},
            values=values,
            uncertainty=chosen.infer(fit),
            sample=Sample(
                rows=panel.rows,
                units=panel.units,
                treated=int((rows[0][2].dose > 0).sum()),
                dropped=panel.dropped,
            ),
            details={"changes_compared": {"all": rows[0][2].count, **{way[0]: way[2].count for way in ways}}},
            fit=fit,
            inference=chosen,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changes:
    """By unit: sum of signed effects by weight, of changes of treatment, and what controls' means add."""

    total: Floats
    dose: Floats
    by_controls: Floats
    count: int

    def influence(self, value: float) -> Floats:
        """Return what each unit adds to the error of total over dose, (N,)."""
        return np.asarray((self.total - value * self.dose + self.by_controls) / self.dose.sum())


def _changes(panel: PanelArrays, lag: int, sign: int = 0) -> _Changes:
    """Add up all periods: effects on the same period (lag 0), or changes that many periods before."""
    total, dose, by_controls = (np.zeros(panel.units) for _ in range(3))
    count = 0
    for period in range(1 + lag, panel.periods):
        now, before = panel.treatment[:, period], panel.treatment[:, period - 1]
        step = now - before
        target = period if lag == 0 else period - 1 - lag
        moved = panel.outcome[:, target] - panel.outcome[:, period - 1]
        weight = panel.weights[:, period]
        known = np.isfinite(moved) & np.isfinite(step) & (weight > 0)
        known &= (panel.treatment[:, period - 1 - lag : period] == before[:, None]).all(axis=1)
        control = known & (step == 0)
        changing = known & ((np.sign(step) == sign) if sign else (step != 0))
        stratum = _strata(before, panel.strata, known)
        held = np.bincount(stratum[control], weights=weight[control], minlength=panel.units)
        summed = np.bincount(stratum[control], weights=(weight * moved)[control], minlength=panel.units)
        mean = np.divide(summed, held, out=np.zeros(panel.units), where=held > 0)
        changing &= held[stratum] > 0
        pull = np.where(changing, weight * np.sign(step), 0.0)
        apart = np.where(known, moved - mean[stratum], 0.0)
        total += np.where(changing, pull * apart, 0.0)
        dose += np.where(changing, weight * np.abs(step), 0.0)
        share = np.bincount(stratum[changing], weights=pull[changing], minlength=panel.units)
        share = np.divide(share, held, out=np.zeros(panel.units), where=held > 0)
        by_controls -= np.where(control, share[stratum] * weight * apart, 0.0)
        count += int(changing.sum())
    return _Changes(total=total, dose=dose, by_controls=by_controls, count=count)


def _strata(before: Floats, strata: Codes, known: Bools) -> Codes:
    """Return which units had the same treatment before, and the same level of what is held equal."""
    codes = np.zeros(len(before), dtype=np.int64)
    if known.any():
        levels = encode(before[known])[0]
        codes[known] = encode(levels * (strata.max() + 1) + strata[known])[0]
    return codes


def _nobody_to_compare(panel: PanelArrays, treatment: str) -> DesignError:
    changes = int((np.abs(np.diff(panel.treatment, axis=1)) > 0).sum())
    return DesignError(
        "no change of treatment has a unit to compare with",
        where=f"column '{treatment}', {changes} changes between consecutive periods of {panel.units} units",
        remedy="units are needed that had the same treatment before and keep it, seen in both periods",
    )
