"""Effects over time of treatments that may rise, fall, switch off, and take any value."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from juntos_eval.arrays import Floats, encode
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference, Sample
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.panel_arrays import PanelArrays, read_arrays
from juntos_eval.estimators.did.panel_frame import Columns
from juntos_eval.estimators.did.switch_effects import (
    Comparison,
    Lag,
    Slopes,
    adjusted,
    effect_after,
    fit_slopes,
    spread,
)
from juntos_eval.estimators.did.switch_paths import Crossing, SwitchPaths, switch_paths
from juntos_eval.estimators.panel.regression_frame import names_of
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Intertemporal"]

Switchers = Literal["all", "in", "out"]
Control = Literal["not_yet", "never"]
Variance = Literal["conditional", "unconditional"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intertemporal:
    r"""Effects of a first change of treatment, period by period (de Chaisemartin & D'Haultfœuille 2024).

    For units whose treatment first differs from what it was in period :math:`F_g`, upwards
    (:math:`S_g = 1`) or downwards (:math:`S_g = -1`), against units of the same initial treatment that have
    not changed yet (C),

    .. math:: DID_\ell = \frac{1}{N_\ell} \sum_g S_g \Big(Y_{g,F_g-1+\ell} - Y_{g,F_g-1}
              - \operatorname{mean}_C (Y_{g',F_g-1+\ell} - Y_{g',F_g-1})\Big).

    It is the effect of having had the path of treatment for :math:`\ell` periods instead of the initial one;
    normalised, that per unit of treatment received. The average total effect is
    :math:`\sum_\ell N_\ell DID_\ell` over the sum of treatment above (below) the initial one.
    With a binary treatment that stays, the effects are those of ``aggregate(GroupTime(control="not_yet",
    base="universal"), "dynamic")`` in a balanced panel without weights.

    Parameters
    ----------
    outcome, unit, time, treatment : str
        Treatment is any number, the same for all rows of a unit in a period.
    covariates : tuple of str
        Varying over time: changes that they explain among units not changed yet are taken out.
    absorb : tuple of str
        Columns that a unit keeps: only units of the same level are compared, so each has its own trend.
    effects, placebos : int, optional
        How many periods from the change on, and before it; by default all that have a comparison.
    normalised : bool
        Divide by the average treatment received until then.
    switchers : {"all", "in", "out"}
        Ask about increases, decreases, or both.
    same_switchers : bool
        Only units that have all ``effects``, so that effects are of the same units.
    control : {"not_yet", "never"}
        Compare with units that have not changed yet, or that never change.
    linear_trends : bool
        Each unit has a linear trend of its own, drawn through its two last periods before the change.
    crossing : {"drop", "keep"}
        What to do with rows from which on treatment was on both sides of the initial one: their effects
        would be of changes of opposite sign.
    panel : bool
        False: several rows of a unit in a period (people of a district) become their mean.
    weights : str, optional
        Of rows; an effect counts by the weight of its period.
    variance : {"conditional", "unconditional"}
        Given who changes when (the paper's, with its factors n/(n-1) by cohort), or with the error of the
        cohorts' sizes (the derivative of the estimate).

    Raises
    ------
    DesignError
        If nobody's treatment changes, or no change has anybody to compare with.

    References
    ----------
    de Chaisemartin, C., & D'Haultfœuille, X. (2024). Difference-in-differences estimators of intertemporal
    treatment effects. *Review of Economics and Statistics*. (Sections 3 and 4; web appendix on variance,
    covariates and trends.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import Intertemporal
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "year": [1, 2] * 4,
    ...                       "d": [0, 2, 0, 2, 0, 0, 0, 0], "y": [1.0, 5, 2, 4, 1, 2, 3, 3.5]})
    >>> found = Intertemporal(outcome="y", unit="id", time="year", treatment="d").fit(frame)
    >>> found.keys["term"], found.values.round(6).tolist()
    (('average_total', 'att'), [1.125, 2.25])
    """

    outcome: str
    unit: str
    time: str
    treatment: str
    covariates: tuple[str, ...] = ()
    absorb: tuple[str, ...] = ()
    effects: int | None = None
    placebos: int | None = None
    normalised: bool = False
    switchers: Switchers = "all"
    same_switchers: bool = False
    control: Control = "not_yet"
    linear_trends: bool = False
    crossing: Crossing = "drop"
    panel: bool = True
    weights: str | None = None
    variance: Variance = "conditional"

    def __post_init__(self) -> None:
        for name in ("covariates", "absorb"):
            object.__setattr__(self, name, names_of(getattr(self, name)))
        for name, allowed in (
            ("switchers", get_args(Switchers)),
            ("control", get_args(Control)),
            ("crossing", get_args(Crossing)),
            ("variance", get_args(Variance)),
        ):
            if getattr(self, name) not in allowed:
                raise DesignError(
                    f"there is no {name} {getattr(self, name)!r}",
                    where="Intertemporal",
                    remedy=f"choose one of {', '.join(allowed)}",
                )
        counts = (self.effects if self.effects is not None else 1, (self.placebos or 0) + 1)
        if min(counts) < 1:
            raise DesignError(
                "numbers of effects and placebos count periods",
                where=f"Intertemporal: effects={self.effects}, placebos={self.placebos}",
                remedy="give effects 1 or more, placebos 0 or more, or None for all",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default units are independent: ``Robust("HC0")`` of the influence that ``variance`` names.
        carry : tuple of str
            Groupings that a unit keeps.

        Returns
        -------
        Estimate
            First ``average_total``, then ``att`` by ``event_time`` (0 in the period of the change, placebos
            below −1), counted in periods; :func:`pretrend_test` and :func:`equal_effects_test` test them
            jointly. ``details`` has switchers and treatment received by event time.
        """
        chosen = inference or Robust("HC0")
        columns = Columns(
            outcome=self.outcome,
            time=self.time,
            treatment=self.treatment,
            unit=self.unit,
            covariates=self.covariates,
            weights=self.weights,
            carry=groups_to_carry(chosen, carry),
        )
        panel = read_arrays(data, columns, strata=self.absorb, panel=self.panel)
        paths = switch_paths(panel)
        _refuse_constant(paths, self.treatment)
        compared, slopes = self._comparison(panel, paths)
        rows = self._rows(compared, slopes)
        values, psi = _ratios(rows, paths, conditional=self.variance == "conditional")
        fit = Fit(values=values, influence=DenseInfluence(psi), parameters=len(rows), groups=panel.groups)
        switched = rows[0].weighed > 0
        return Estimate(
            spec={"estimator": "Intertemporal", **asdict(self)},
            keys={
                "term": tuple("att" if row.at is not None else "average_total" for row in rows),
                "event_time": tuple(row.at for row in rows),
            },
            values=values,
            uncertainty=chosen.infer(fit),
            sample=Sample(
                rows=panel.rows, units=panel.units, treated=int(switched.sum()), dropped=panel.dropped
            ),
            checks=_checks(rows, panel, paths, compared, slopes),
            details=_details(rows, paths),
            fit=fit,
            inference=chosen,
        )

    def _comparison(self, panel: PanelArrays, paths: SwitchPaths) -> tuple[Comparison, Slopes | None]:
        wanted = {"all": paths.changes, "in": paths.direction > 0, "out": paths.direction < 0}
        never = paths.last_unchanged == panel.periods - 1
        if self.crossing == "drop":
            panel = replace(panel, outcome=np.where(paths.crossed, np.nan, panel.outcome))
        compared = Comparison(
            panel=panel,
            paths=paths,
            eligible=wanted[self.switchers],
            controls=never if self.control == "never" else np.ones(panel.units, np.bool_),
            linear=self.linear_trends,
            degrees=self.variance == "conditional",
        )
        if not self.covariates:
            return compared, None
        slopes = fit_slopes(compared)
        return adjusted(compared, slopes), slopes

    def _rows(self, compared: Comparison, slopes: Slopes | None) -> list[_Row]:
        most = compared.panel.periods - 1
        lags = range(1, min(self.effects or most, most) + 1)
        if self.same_switchers:
            every = [effect_after(lag, compared).mass > 0 for lag in lags]
            has = [one for one in every if self.effects is not None or one.any()]
            compared = replace(compared, eligible=np.logical_and.reduce(has) if has else compared.eligible)
        after = [self._row(lag, compared, slopes, placebo=False) for lag in lags]
        after = [row for row in after if row.lag.mass.any()]
        if not after:
            raise _nobody_to_compare(compared, self)
        before = [
            self._row(lag, compared, slopes, placebo=True)
            for lag in range(1, min(most if self.placebos is None else self.placebos, most) + 1)
        ]
        before = [row for row in before if row.lag.mass.any()]
        return [_average(after, compared.paths), *before[::-1], *after]

    def _row(self, lag: int, compared: Comparison, slopes: Slopes | None, *, placebo: bool) -> _Row:
        found = effect_after(lag, compared, placebo=placebo)
        if slopes is not None:
            found = _with_slopes(found, lag, compared, slopes, placebo)
        paths = compared.paths
        begin = np.maximum(paths.first, 0)[:, None]
        position = np.arange(compared.panel.periods)
        until = (position >= begin) & (position < begin + lag)
        received = paths.direction * np.where(until, paths.beyond, 0.0).sum(axis=1)
        now = np.minimum(begin[:, 0] + lag - 1, compared.panel.periods - 1)
        at = lag - 1 if not placebo else -lag - 1 - compared.linear
        return _Row(
            at=at,
            lag=found,
            weighed=found.mass * (np.abs(received) if self.normalised else 1.0),
            dose=paths.direction * paths.beyond[np.arange(len(now)), now],
            received=np.abs(received),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A ratio: the weighted sum of effects over the sum of ``weighed``."""

    at: int | None
    lag: Lag
    weighed: Floats
    dose: Floats
    received: Floats
    parts: tuple[Lag, ...] = ()


def _average(after: list[_Row], paths: SwitchPaths) -> _Row:
    """Return all effects over all treatment beyond the initial one."""
    weighed = np.sum([row.lag.mass * row.dose for row in after], axis=0)
    if not weighed.sum() > 0:
        raise DesignError(
            "treatment received beyond the initial one adds up to nothing",
            where=f"{int(paths.changes.sum())} units that change",
            remedy="set crossing='drop', so that changes of opposite sign do not cancel",
        )
    lag = Lag(
        effects=np.sum([row.lag.mass * row.lag.effects for row in after], axis=0),
        mass=np.ones(len(weighed)),
        by_controls=np.sum([row.lag.by_controls for row in after], axis=0),
        lonely_controls=max(row.lag.lonely_controls for row in after),
    )
    parts = tuple(row.lag for row in after)
    return _Row(at=None, lag=lag, weighed=weighed, dose=weighed, received=weighed, parts=parts)


def _with_slopes(found: Lag, lag: int, compared: Comparison, slopes: Slopes, placebo: bool) -> Lag:
    """Add what the error of the covariates' coefficients adds."""
    levels, by_controls = len(slopes.values), found.by_controls.copy()
    for at in range(slopes.values.shape[1]):
        covariate = compared.panel.covariates[:, :, at]
        known = np.where(np.isnan(compared.panel.outcome), np.nan, covariate)
        moved = effect_after(
            lag, replace(compared, panel=replace(compared.panel, outcome=known)), placebo=placebo
        )
        by_level = np.bincount(slopes.baseline, weights=moved.mass * moved.effects, minlength=levels)
        by_controls -= by_level[slopes.baseline] * slopes.influence[:, at]
    return replace(found, by_controls=by_controls)


def _ratios(rows: list[_Row], paths: SwitchPaths, *, conditional: bool) -> tuple[Floats, Floats]:
    """Return values and influence, (N, k)."""
    values, columns = [], []
    for row in rows:
        whole = row.weighed.sum()
        value = row.lag.total / whole
        if conditional:
            error = sum(_deviations(lag, paths) for lag in row.parts or (row.lag,))
        else:
            error = row.lag.mass * row.lag.effects - value * row.weighed
        values.append(value)
        columns.append((error + row.lag.by_controls) / whole)
    return np.array(values), np.column_stack(columns)


def _deviations(lag: Lag, paths: SwitchPaths) -> Floats:
    """Return effects less the mean of their cohort; cohorts of one unit are taken together."""
    here = np.flatnonzero(lag.mass > 0)
    cohort = encode(paths.cohort[here])[0]
    alone = np.bincount(cohort)[cohort] == 1
    cohort = np.where(alone, -1, cohort) if alone.sum() > 1 else cohort * (not alone.any())
    cohort = encode(cohort)[0]
    mass = lag.mass[here]
    held = np.bincount(cohort, weights=mass)
    mean = np.bincount(cohort, weights=mass * lag.effects[here]) / held
    deviations = np.zeros(len(lag.mass))
    deviations[here] = spread(np.bincount(cohort))[cohort] * mass * (lag.effects[here] - mean[cohort])
    return deviations


def _refuse_constant(paths: SwitchPaths, treatment: str) -> None:
    if not paths.changes.any():
        raise DesignError(
            f"the treatment '{treatment}' does not change within any unit",
            where=f"column '{treatment}', {len(paths.baseline)} units",
            remedy="give the treatment at each time; without changes there is nothing to compare",
        )


def _nobody_to_compare(compared: Comparison, chosen: Intertemporal) -> DesignError:
    asked = int(compared.eligible.sum())
    return DesignError(
        "no change of treatment has a unit to compare with",
        where=f"column '{chosen.treatment}', {asked} units of {len(compared.eligible)} asked about "
        f"(switchers={chosen.switchers!r}, control={chosen.control!r})",
        remedy="units of the same initial treatment that change later are needed, seen in the same periods",
    )


def _details(rows: list[_Row], paths: SwitchPaths) -> dict[str, Any]:
    named = [(str(row.at), row) for row in rows if row.at is not None]
    return {
        "switchers": {name: int((row.lag.mass > 0).sum()) for name, row in named},
        "treatment_received": {
            name: float(row.lag.mass @ row.received / row.lag.mass.sum()) for name, row in named
        },
        "units_that_change": {
            "upwards": int((paths.direction > 0).sum()),
            "downwards": int((paths.direction < 0).sum()),
        },
    }


def _checks(
    rows: list[_Row],
    panel: PanelArrays,
    paths: SwitchPaths,
    compared: Comparison,
    slopes: Slopes | None,
) -> tuple[Check, ...]:
    lost = int((compared.eligible & (rows[0].weighed <= 0)).sum())
    late = int(np.isnan(panel.treatment[:, 0]).sum())
    unknown = int(((paths.first < 0) & (paths.beyond != 0).any(axis=1)).sum())
    lonely = max(row.lag.lonely_controls for row in rows)
    notes = (
        (lost, "changes without an effect", "units change and have nobody to compare with"),
        (
            int(paths.crossed.any(axis=1).sum()),
            "changes of both signs",
            "units' treatment crosses the initial one",
        ),
        (unknown, "changes of unknown date", "units were not seen just before their treatment had changed"),
        (late, "units seen later", "units are not seen in the first period; the first one seen counts"),
        (lonely, "a single unit to compare with", "comparisons, whose error is not known"),
    )
    found = [Check(name, False, f"{count} {words}") for count, name, words in notes if count]
    if slopes is not None and slopes.left_out:
        names = ", ".join(panel.covariate_names[at] for at in slopes.left_out)
        found.append(Check("covariates left out", None, f"{names}: no change of its own for some baseline"))
    return tuple(found)
