"""Triple differences: what changed for the eligible of enabled places beyond both comparisons."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import (
    BlockInfluence,
    Check,
    DenseInfluence,
    Estimate,
    Fit,
    Groups,
    Inference,
    Sample,
    Shares,
)
from juntos_eval.estimators.design import groups_to_carry, select, zero_one
from juntos_eval.estimators.did.cells import Base, Cell, Control, cells_of
from juntos_eval.estimators.did.changes import Method
from juntos_eval.estimators.did.group_time_panel import balanced_panel, panel_effects
from juntos_eval.estimators.did.group_time_sections import section_effects
from juntos_eval.estimators.did.panel_frame import kept_groups
from juntos_eval.estimators.did.staggered import (
    Staggered,
    StaggeredColumns,
    read_staggered,
    refuse_repeated,
)
from juntos_eval.estimators.did.timeline import number
from juntos_eval.estimators.did.triple_comparisons import Arms3, Compare, TripleCells, triple_cells
from juntos_eval.estimators.panel.regression_frame import names_of
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["TripleDifference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TripleDifference:
    r"""Triple differences by cohort and period (Gruber 1994; Ortiz-Villavicencio & Sant'Anna 2025).

    Places are enabled at some time or never; within them some are eligible. With two periods and no
    covariates it is the coefficient of enabled × eligible × after in the saturated regression,

    .. math:: (\Delta_{1,1} - \Delta_{1,0}) - (\Delta_{0,1} - \Delta_{0,0}),

    with :math:`\Delta_{s,q}` the mean change in places enabled (s) of people eligible (q). With covariates a
    difference of two differences-in-differences is biased, for each compares people of another kind; here
    three, each at the covariates of the enabled and eligible, are put together:

    .. math:: ATT(g, t) = DiD(g, 1; g, 0) + DiD(g, 1; g_c, 1) - DiD(g, 1; g_c, 0).

    Cohorts enabled later are not pooled as controls, which would need more than parallel gaps; each gives
    an estimate, and they are weighted by the inverse of their covariance.

    Parameters
    ----------
    outcome, time : str
    first_treated : str
        When the unit's place is enabled, as in :class:`GroupTime`, for the eligible and the others alike.
    eligible : str
        Column of 0 and 1; a unit's may not change.
    unit : str, optional
        Needed in a panel.
    covariates : tuple of str
    control : {"never", "not_yet"}
        Places never enabled, or every cohort not enabled yet.
    method : {"dr", "ipw", "reg"}
        As in :class:`GroupTime`.
    base : {"varying", "universal"}
    anticipation : float
    panel : bool
        False for repeated cross-sections.
    balanced : bool
        Leave out units without a complete row in every period.
    weights : str, optional
    trim : float

    Raises
    ------
    DesignError
        For an eligibility that is not 0 or 1 or changes within a unit, and as :class:`GroupTime`. A cell that
        cannot be estimated is NaN and named in a check.

    References
    ----------
    Ortiz-Villavicencio, M., & Sant'Anna, P. H. C. (2025). Better understanding triple differences
    estimators. arXiv:2505.09942.
    Gruber, J. (1994). The incidence of mandated maternity benefits. *American Economic Review*, 84(3),
    622-641.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import TripleDifference
    >>> frame = pd.DataFrame({"id": range(8), "start": [2] * 4 + [0] * 4, "poor": [1, 1, 0, 0] * 2})
    >>> frame = pd.concat([frame.assign(year=1, y=0.0), frame.assign(year=2, y=[5.0, 6, 2, 2, 1, 1, 0, 0])])
    >>> triple = TripleDifference(outcome="y", unit="id", time="year", first_treated="start", eligible="poor")
    >>> triple.fit(frame).values.round(6).tolist()
    [2.5]
    """

    outcome: str
    time: str
    first_treated: str
    eligible: str
    unit: str | None = None
    covariates: tuple[str, ...] = ()
    control: Control = "never"
    method: Method = "dr"
    base: Base = "varying"
    anticipation: float = 0
    panel: bool = True
    balanced: bool = True
    weights: str | None = None
    trim: float = 0.995

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))
        for name, allowed in (("control", Control), ("method", Method), ("base", Base)):
            if getattr(self, name) not in get_args(allowed):
                raise DesignError(
                    f"there is no {name} {getattr(self, name)!r}",
                    where="TripleDifference",
                    remedy=f"choose one of {', '.join(get_args(allowed))}",
                )
        if (self.panel and self.unit is None) or self.anticipation < 0 or not 0 < self.trim <= 1:
            raise DesignError(
                "triple differences cannot be asked like this",
                where=f"unit={self.unit!r}, panel={self.panel}, anticipation={self.anticipation}, "
                f"trim={self.trim}",
                remedy="a panel needs its unit; anticipation is 0 or more, trim a probability",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate every cohort and period; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default units (rows, in cross-sections without a unit) are independent, ``Robust("HC0")``.
        carry : tuple of str

        Returns
        -------
        Estimate
            Rows ``att`` by ``group``, ``time`` and ``event_time``, which :func:`aggregate` averages by the
            shares of the eligible of each cohort.
        """
        chosen = inference or Robust("HC0")
        columns = StaggeredColumns(
            outcome=self.outcome,
            time=self.time,
            first_treated=self.first_treated,
            unit=self.unit,
            covariates=self.covariates,
            weights=self.weights,
            carry=groups_to_carry(chosen, carry),
        )
        select(data, required=(self.eligible,))
        design = read_staggered(data, columns)
        eligible = _eligible(data, design, self)
        laid = self._lay_out(design, eligible, columns)
        cells = self._cells(design, laid.arms)
        found = triple_cells(laid.arms, cells, self.control, laid.compare, (laid.codes, laid.n))
        fit = Fit(
            values=found.values,
            influence=BlockInfluence(tuple(found.blocks), laid.n, len(cells)),
            parameters=len(cells),
            groups=laid.groups,
            shares=_shares(laid, design.cohorts),
        )
        return Estimate(
            spec={"estimator": "TripleDifference", **asdict(self)},
            keys=_keys(cells, design),
            values=fit.values,
            uncertainty=chosen.infer(fit),
            sample=Sample(
                rows=laid.rows,
                units=laid.n,
                treated=int((np.isfinite(laid.of_units.first_treated) & laid.of_units.eligible).sum()),
                dropped=_dropped(design, laid.rows),
            ),
            checks=_checks(found, cells, design),
            details={
                "first_period": float(design.timeline.values[0]),
                "last_period": float(design.timeline.values[-1]),
                "cohort_sizes": _sizes(laid.of_units, design),
            },
            fit=fit,
            inference=chosen,
        )

    def _cells(self, design: Staggered, arms: Arms3) -> tuple[Cell, ...]:
        if self.control == "never" and not np.isinf(arms.first_treated).any():
            raise DesignError(
                "there is no place that is never enabled",
                where=f"column '{self.first_treated}', {design.n} rows in {len(design.cohorts)} cohorts",
                remedy="set control='not_yet'",
            )
        cells = cells_of(design.timeline.values, design.cohorts, self.base, self.anticipation)
        if not cells:
            raise DesignError(
                "every enabled place is enabled from the first period on",
                where=f"column '{self.first_treated}', first period {design.timeline.labels[0]}",
                remedy="add periods before",
            )
        return cells

    def _lay_out(self, design: Staggered, eligible: Bools, columns: StaggeredColumns) -> _Laid:
        if self.panel:
            refuse_repeated(design, columns)
        groups = design.of_units(columns)
        by_unit = eligible
        if design.units is not None:
            by_unit = np.zeros(design.units.count, np.bool_)
            by_unit[design.units.codes] = eligible
        if self.panel and self.balanced:
            panel = balanced_panel(design)
            arms = Arms3(first_treated=panel.first_treated, eligible=by_unit[panel.kept])

            def of_panel(first: Floats, cells: tuple[Cell, ...]) -> Any:
                return panel_effects(
                    replace(panel, first_treated=first), cells, self.method, "never", self.trim
                )

            return _Laid(
                arms=arms,
                of_units=arms,
                weights=panel.weights,
                compare=of_panel,
                codes=np.arange(len(panel.kept)),
                n=len(panel.kept),
                rows=panel.outcome.size,
                groups={name: kept_groups(one, panel.kept) for name, one in groups.items()},
            )
        return self._of_rows(design, eligible, by_unit, groups)

    def _of_rows(
        self, design: Staggered, eligible: Bools, by_unit: Bools, groups: dict[str, Groups]
    ) -> _Laid:
        def of_rows(first: Floats, cells: tuple[Cell, ...]) -> Any:
            rows = replace(design, first_treated=first)
            return section_effects(rows, cells, self.method, "never", self.trim, "exact")

        arms = Arms3(first_treated=design.first_treated, eligible=eligible)
        of_units, weights, codes, n = arms, design.weights, np.arange(design.n), design.n
        if design.units is not None:
            codes, n = design.units.codes, design.units.count
            first = np.empty(n)
            first[codes] = design.first_treated
            of_units = Arms3(first_treated=first, eligible=by_unit)
            seen = np.bincount(codes, minlength=n) if self.panel else np.ones(n)
            weights = np.bincount(codes, weights=design.weights, minlength=n) / seen
        return _Laid(
            arms=arms,
            of_units=of_units,
            weights=weights / weights.mean(),
            compare=of_rows,
            codes=codes,
            n=n,
            rows=design.n,
            groups=groups,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Laid:
    """Rows in their arms, how they are compared, and the units whose influence is added up."""

    arms: Arms3
    of_units: Arms3
    weights: Floats
    compare: Compare
    codes: Codes
    n: int
    rows: int
    groups: dict[str, Groups]


def _eligible(data: DataFrame, design: Staggered, chosen: TripleDifference) -> Bools:
    values = data[chosen.eligible].to_numpy(dtype=np.float64, na_value=np.nan)[design.rows]
    eligible = zero_one(values, chosen.eligible)
    if design.units is not None:
        by_unit = np.zeros(design.units.count, np.bool_)
        by_unit[design.units.codes] = eligible
        moved = by_unit[design.units.codes] != eligible
        if moved.any():
            first = design.units.labels[design.units.codes[np.flatnonzero(moved)[0]]]
            raise DesignError(
                f"'{chosen.eligible}' changes within units",
                where=f"columns '{chosen.eligible}' and '{chosen.unit}', e.g. {first}",
                remedy="give the eligibility before the programme, which the programme cannot have moved",
            )
    return eligible


def _shares(laid: _Laid, cohorts: Floats) -> Shares:
    """Return shares of the eligible of each cohort among all, by weight."""
    member = (laid.of_units.first_treated[:, None] == cohorts) & laid.of_units.eligible[:, None]
    weighted = member * laid.weights[:, None]
    shares = weighted.mean(axis=0)
    return Shares(
        levels=tuple(float(one) for one in cohorts),
        values=shares,
        influence=DenseInfluence((weighted - shares) / laid.n),
    )


def _keys(cells: tuple[Cell, ...], design: Staggered) -> dict[str, tuple[Any, ...]]:
    scale, times = design.timeline, design.timeline.values
    elapsed = scale.rounded(np.array([times[cell.period] - cell.cohort for cell in cells]))
    return {
        "term": ("att",) * len(cells),
        "group": tuple(scale.label(cell.cohort) for cell in cells),
        "time": tuple(scale.label(times[cell.period]) for cell in cells),
        "event_time": tuple(number(one) for one in elapsed),
    }


def _sizes(arms: Arms3, design: Staggered) -> dict[str, dict[str, int]]:
    sizes = {}
    for level in (*design.cohorts, np.inf):
        member = arms.first_treated == level
        name = "never" if np.isinf(level) else str(design.timeline.label(level))
        eligible = int((member & arms.eligible).sum())
        sizes[name] = {"eligible": eligible, "others": int(member.sum()) - eligible}
    return sizes


def _dropped(design: Staggered, rows: int) -> dict[str, int]:
    lost = {"unit not complete in every period": design.n - rows} if design.n > rows else {}
    return {**design.dropped, **lost}


def _checks(found: TripleCells, cells: tuple[Cell, ...], design: Staggered) -> tuple[Check, ...]:
    checks = []
    if found.failures:
        by_reason: dict[str, list[str]] = {}
        for at, reason in found.failures.items():
            cell = cells[at]
            name = f"({design.timeline.label(cell.cohort)}, {design.timeline.labels[cell.period]})"
            by_reason.setdefault(reason, []).append(name)
        said = "; ".join(f"{reason}: {', '.join(names)}" for reason, names in by_reason.items())
        checks.append(Check("cells without a number", False, said))
    if found.left_out:
        names = ", ".join(found.left_out)
        checks.append(
            Check("covariates left out", None, f"constant or collinear in some comparisons: {names}")
        )
    if found.trimmed:
        checks.append(Check("trimmed controls", False, f"up to {found.trimmed} in a comparison"))
    return tuple(checks)
