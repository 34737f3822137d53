"""Difference-in-differences with a dose: levels and slopes of the response to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference, Sample
from juntos_eval.estimators.design import groups_to_carry, select
from juntos_eval.estimators.did.cells import Cell, Control, cells_of, controls_of
from juntos_eval.estimators.did.dose_basis import DoseBasis, Kind, chosen_knots, dose_basis
from juntos_eval.estimators.did.group_time_panel import Panel, balanced_panel
from juntos_eval.estimators.did.panel_frame import kept_groups
from juntos_eval.estimators.did.staggered import (
    Staggered,
    StaggeredColumns,
    read_staggered,
    refuse_repeated,
)
from juntos_eval.estimators.did.timeline import number
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.least_squares import least_squares

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["ContinuousDiD"]

Aggregation = Literal["dose", "dynamic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousDiD:
    r"""Difference-in-differences with a dose (Callaway, Goodman-Bacon & Sant'Anna 2024).

    Among those first treated in g with dose d, in period t, against units not treated by then (C),

    .. math:: ATT(d \mid d) = E[\Delta Y \mid D = d] - E[\Delta Y \mid C], \qquad
              ACRT(d) = \frac{\partial}{\partial d} E[\Delta Y \mid D = d],

    by a spline of the dose, and averaged over cohorts and periods. Under parallel trends the level is the
    effect of dose d on those who took it. Comparing doses, as the slope does, needs *strong* parallel trends:
    that those of other doses would have responded to d in the same way. Otherwise a slope mixes the effect of
    more dose with who chose it.

    Parameters
    ----------
    outcome, unit, time, first_treated : str
        A balanced panel; units that are not complete are left out and counted.
    dose : str
        Column that a unit keeps: above zero for the treated; of the never treated it is not read.
    doses : tuple of float, optional
        Where to give level and slope; by default at the deciles of the treated's doses (all of them, with
        levels).
    basis : {"spline", "levels"}
        B-splines, or one mean for each dose (of a dose with few values).
    degree : int
    knots : int or "cv"
        Interior knots, at quantiles of the dose; "cv" takes the number of least leave-one-out error, which
        errors then take as given.
    aggregation : {"dose", "dynamic"}
        Overall level and slope, then both by dose; or overall level and slope by time since treatment.
    control : {"not_yet", "never"}
    anticipation : float
    weights : str, optional

    Raises
    ------
    DesignError
        For doses that are missing, not above zero among the treated, or change within a unit; for too few
        doses for the spline; as :class:`GroupTime`.

    References
    ----------
    Callaway, B., Goodman-Bacon, A., & Sant'Anna, P. H. C. (2024). Difference-in-differences with a continuous
    treatment. NBER Working Paper 32117. (Theorems 1 to 3; sections 4 and 5.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import ContinuousDiD
    >>> first = pd.DataFrame({"id": range(6), "start": [2] * 4 + [0] * 2, "soles": [1.0, 1, 3, 3, 0, 0]})
    >>> frame = pd.concat([first.assign(year=1, y=0.0), first.assign(year=2, y=[2.0, 3, 6, 7, 1, 1])])
    >>> dosed = ContinuousDiD(outcome="y", unit="id", time="year", first_treated="start", dose="soles",
    ...                       basis="levels")
    >>> found = dosed.fit(frame)
    >>> dict(zip(found.keys["term"], found.values.round(6).tolist()))
    {'att': 3.5, 'acrt': 2.0, 'att at 1': 1.5, 'att at 3': 5.5, 'acrt at 3': 2.0}
    """

    outcome: str
    unit: str
    time: str
    first_treated: str
    dose: str
    doses: tuple[float, ...] | None = None
    basis: Kind = "spline"
    degree: int = 3
    knots: int | Literal["cv"] = 0
    aggregation: Aggregation = "dose"
    control: Control = "not_yet"
    anticipation: float = 0
    weights: str | None = None

    def __post_init__(self) -> None:
        if self.doses is not None:
            object.__setattr__(self, "doses", tuple(float(one) for one in self.doses))
        for name, allowed in (("basis", Kind), ("aggregation", Aggregation), ("control", Control)):
            if getattr(self, name) not in get_args(allowed):
                raise DesignError(
                    f"there is no {name} {getattr(self, name)!r}",
                    where="ContinuousDiD",
                    remedy=f"choose one of {', '.join(get_args(allowed))}",
                )
        has_knots = self.knots >= 0 if isinstance(self.knots, int) else self.knots == "cv"
        if self.degree < 1 or not has_knots or self.anticipation < 0:
            raise DesignError(
                "a dose response cannot be asked like this",
                where=f"degree={self.degree}, knots={self.knots!r}, anticipation={self.anticipation}",
                remedy="give a degree of 1 or more, knots 0 or more or 'cv', anticipation 0 or more",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default influence of independent units, ``Robust("HC0")``; :class:`MultiplierBootstrap` gives
            uniform bands over doses.
        carry : tuple of str

        Returns
        -------
        Estimate
            ``att`` and ``acrt``, averages over the treated's doses, then ``att at d`` and ``acrt at d``; or
            both by ``event_time``.
        """
        chosen = inference or Robust("HC0")
        columns = StaggeredColumns(
            outcome=self.outcome,
            time=self.time,
            first_treated=self.first_treated,
            unit=self.unit,
            weights=self.weights,
            carry=groups_to_carry(chosen, carry),
        )
        design = read_staggered(data, columns)
        refuse_repeated(design, columns)
        panel = balanced_panel(design)
        dose = _doses(data, design, panel, self)
        cells = self._cells(panel, design)
        basis = self._basis(panel, dose, cells)
        points = self._points(dose, basis)
        found = [_effects(panel, dose, cell, basis, points, self.control) for cell in cells]
        kept = [(cell, one) for cell, one in zip(cells, found, strict=True) if isinstance(one, _CellDoses)]
        if not kept:
            raise DesignError(
                "no cohort and period has a response to the dose",
                where=f"column '{self.dose}', {len(cells)} cohorts and periods: {found[0]}",
                remedy="set basis='levels', a lower degree or fewer knots; or add controls",
            )
        terms, values, psi, times = self._rows(panel, kept, basis, points, design)
        groups = {name: kept_groups(one, panel.kept) for name, one in design.of_units(columns).items()}
        fit = Fit(values=values, influence=DenseInfluence(psi), parameters=len(values), groups=groups)
        lost = design.n - panel.outcome.size
        return Estimate(
            spec={"estimator": "ContinuousDiD", **asdict(self)},
            keys={"term": terms} | ({"event_time": times} if self.aggregation == "dynamic" else {}),
            values=values,
            uncertainty=chosen.infer(fit),
            sample=Sample(
                rows=panel.outcome.size,
                units=len(panel.kept),
                treated=int(np.isfinite(panel.first_treated).sum()),
                dropped={**design.dropped, **({"unit not complete in every period": lost} if lost else {})},
            ),
            checks=_checks(cells, found, design),
            details={"doses": points.tolist(), "knots": basis.points.tolist(), "cells": len(kept)},
            fit=fit,
            inference=chosen,
        )

    def _cells(self, panel: Panel, design: Staggered) -> tuple[Cell, ...]:
        times = design.timeline.values
        every = cells_of(times, design.cohorts, "universal", self.anticipation)
        cells = [cell for cell in every if self.aggregation == "dynamic" or times[cell.period] >= cell.cohort]
        if not any(times[cell.period] >= cell.cohort for cell in cells):
            raise DesignError(
                "every treated unit is treated from the first period on",
                where=f"column '{self.first_treated}', first period {design.timeline.labels[0]}",
                remedy="add periods before the treatment",
            )
        members = set(panel.first_treated.tolist())
        return tuple(cell for cell in cells if cell.cohort in members)

    def _basis(self, panel: Panel, dose: Floats, cells: tuple[Cell, ...]) -> DoseBasis:
        treated = np.isfinite(panel.first_treated)
        knots = self.knots
        if not isinstance(knots, int):
            cell = max(cells, key=lambda one: int((panel.first_treated == one.cohort).sum()))
            here = panel.first_treated == cell.cohort
            change = panel.outcome[here, cell.period] - panel.outcome[here, cell.base]
            knots = chosen_knots(dose[here], change, panel.weights[here], self.degree)
        return dose_basis(dose[treated], self.basis, degree=self.degree, knots=knots)

    def _points(self, dose: Floats, basis: DoseBasis) -> Floats:
        if self.doses is None:
            given = dose[np.isfinite(dose)]
            return (
                basis.points
                if self.basis == "levels"
                else np.unique(np.quantile(given, np.arange(1, 10) / 10))
            )
        points = np.array(self.doses)
        low, high = basis.ends
        known = (
            np.isin(points, basis.points) if self.basis == "levels" else (points >= low) & (points <= high)
        )
        if not known.all():
            raise DesignError(
                "an effect is asked at a dose that nobody has",
                where=f"doses={points[~known].tolist()}; the treated have {low:g} to {high:g}",
                remedy="ask within the doses of the treated",
            )
        return points

    def _rows(
        self,
        panel: Panel,
        kept: list[tuple[Cell, _CellDoses]],
        basis: DoseBasis,
        points: Floats,
        design: Staggered,
    ) -> tuple[tuple[str, ...], Floats, Floats, tuple[Any, ...]]:
        times = design.timeline.values
        if self.aggregation == "dose":
            values, psi = _averaged(panel, kept)
            terms = [
                "att",
                "acrt",
                *(f"att at {one:g}" for one in points),
                *(f"acrt at {one:g}" for one in points),
            ]
            known = np.ones(len(terms), np.bool_)
            if self.basis == "levels":  # no slope leads to the lowest dose
                known[2 + len(points) :] = points > basis.points[0]
            rows = np.flatnonzero(known)
            return tuple(terms[row] for row in rows), values[rows], psi[:, rows], ()
        by_time: dict[float, list[tuple[Cell, _CellDoses]]] = {}
        for cell, one in kept:
            by_time.setdefault(float(times[cell.period] - cell.cohort), []).append((cell, one))
        ordered = sorted(by_time)
        parts = [_averaged(panel, by_time[at]) for at in ordered]
        named = tuple(number(one) for one in design.timeline.rounded(np.array(ordered)))
        return (
            ("att",) * len(ordered) + ("acrt",) * len(ordered),
            np.array([part[0][which] for which in (0, 1) for part in parts]),
            np.column_stack([part[1][:, which] for which in (0, 1) for part in parts]),
            named + named,
        )


@dataclass(frozen=True, slots=True)
class _CellDoses:
    """Overall level and slope, levels and slopes by dose, with influence (N, k)."""

    values: Floats
    influence: Floats


def _doses(data: DataFrame, design: Staggered, panel: Panel, chosen: ContinuousDiD) -> Floats:
    """Return the dose of each unit, NaN for the never treated."""
    select(data, numeric=(chosen.dose,))
    given = data[chosen.dose].to_numpy(dtype=np.float64, na_value=np.nan)[design.rows]
    codes = design.units.codes if design.units is not None else np.arange(design.n)
    first = np.unique(codes, return_index=True)[1]
    moved = np.isfinite(design.first_treated) & (given != given[first][codes]) & ~np.isnan(given)
    if moved.any():
        raise DesignError(
            f"the dose '{chosen.dose}' changes within units",
            where=f"columns '{chosen.dose}' and '{chosen.unit}', {len(np.unique(codes[moved]))} units",
            remedy="give one dose a unit; doses that change are a matter of Intertemporal",
        )
    dose = np.where(np.isfinite(panel.first_treated), given[first][panel.kept], np.nan)
    wrong = np.isfinite(panel.first_treated) & ~(dose > 0)
    if wrong.any():
        raise DesignError(
            f"treated units have no dose above zero in '{chosen.dose}'",
            where=f"column '{chosen.dose}', {int(wrong.sum())} treated units",
            remedy="give every treated unit its dose; who received none was not treated",
        )
    return dose


def _effects(
    panel: Panel, dose: Floats, cell: Cell, basis: DoseBasis, points: Floats, control: Control
) -> _CellDoses | str:
    """Return the response of a cohort in a period, or why there is none."""
    treated = panel.first_treated == cell.cohort
    controls = controls_of(panel.first_treated, cell, control)
    if not controls.any():
        return "no unit is left as a control"
    change = panel.outcome[:, cell.period] - panel.outcome[:, cell.base]
    weights, own = panel.weights, dose[treated]
    design = basis.values(own)
    fitted = least_squares(design, change[treated], weights[treated])
    if len(fitted.dropped):
        return "too few different doses for the basis"
    held = weights[controls].sum()
    untreated = float(weights[controls] @ change[controls] / held)
    slopes = basis.slopes(own)
    share = weights[treated] / weights[treated].sum()
    if basis.kind == "levels":  # of the lowest dose no slope is known
        share = share * (own > basis.points[0])
        share = share / max(float(share.sum()), 1e-300)
    along = np.vstack([(weights[treated] / weights[treated].sum()) @ design, share @ slopes])
    weigh = np.vstack([along, basis.values(points), basis.slopes(points)])
    is_level = np.concatenate([[1.0, 0.0], np.ones(len(points)), np.zeros(len(points))])
    values = weigh @ fitted.coefficients - is_level * untreated
    psi = np.zeros((len(change), len(values)))
    scores = (weights[treated] * fitted.residuals)[:, None] * design @ fitted.bread
    psi[treated] = scores @ weigh.T
    # that doses are a sample moves their averages
    level = (weights[treated] / weights[treated].sum()) * (
        design @ fitted.coefficients - values[0] - untreated
    )
    psi[treated, 0] += level
    psi[treated, 1] += share * (slopes @ fitted.coefficients - values[1])
    psi[controls] -= ((weights[controls] / held) * (change[controls] - untreated))[:, None] * is_level
    return _CellDoses(values, psi)


def _averaged(panel: Panel, kept: Sequence[tuple[Cell, _CellDoses]]) -> tuple[Floats, Floats]:
    """Average cells by the shares of their cohorts, with the error of the shares."""
    shares = np.array([panel.weights[panel.first_treated == cell.cohort].sum() for cell, _ in kept])
    total = shares.sum()
    values = np.array([one.values for _, one in kept])
    mean = (shares / total) @ values
    psi = np.zeros_like(kept[0][1].influence)
    for (cell, one), share in zip(kept, shares, strict=True):
        psi += (share / total) * one.influence
        member = panel.weights * (panel.first_treated == cell.cohort)
        psi += (member / total)[:, None] * (one.values - mean)
    return mean, psi


def _checks(
    cells: tuple[Cell, ...], found: Sequence[_CellDoses | str], design: Staggered
) -> tuple[Check, ...]:
    lost = [
        f"({design.timeline.label(cell.cohort)}, {design.timeline.labels[cell.period]}): {one}"
        for cell, one in zip(cells, found, strict=True)
        if isinstance(one, str)
    ]
    return (Check("cells left out", False, "; ".join(lost)),) if lost else ()
