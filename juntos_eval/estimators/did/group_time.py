"""Effects by cohort and period under staggered treatment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from juntos_eval.arrays import Codes, Floats, grouped_sums
from juntos_eval.errors import DesignError
from juntos_eval.estimate import (
    Block,
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
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.cells import Base, Cell, Control, cells_of
from juntos_eval.estimators.did.changes import Method
from juntos_eval.estimators.did.drdid_cross_sections import Variance
from juntos_eval.estimators.did.group_time_panel import CellEffects, balanced_panel, panel_effects
from juntos_eval.estimators.did.group_time_sections import section_effects
from juntos_eval.estimators.did.panel_frame import kept_groups
from juntos_eval.estimators.did.staggered import (
    Staggered,
    StaggeredColumns,
    read_staggered,
    refuse_repeated,
)
from juntos_eval.estimators.did.timeline import number
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["GroupTime"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTime:
    r"""Effects of staggered treatment, one for each cohort and period (Callaway & Sant'Anna 2021).

    For the cohort first treated in :math:`g` and period :math:`t`, with :math:`s` the base period and
    :math:`C` the controls,

    .. math:: ATT(g, t) = E[Y_t - Y_s \mid G = g] - E[Y_t - Y_s \mid C],

    made comparable in covariates by a propensity score, an outcome regression, or both
    (:class:`DoublyRobust` has the formulas). :func:`aggregate` averages the effects over cohorts, periods
    or time since treatment, with the error of the cohorts' sizes. By default units (rows, in
    cross-sections without a unit) are independent.

    Parameters
    ----------
    outcome, time, first_treated : str
        Columns. ``first_treated`` is in the unit of ``time``; missing, infinite, zero (where no period is)
        or later than the last period mean never. It may not change within a unit.
    unit : str, optional
        Needed in a panel. In cross-sections, units that recur have their influence added up.
    covariates : tuple of str
        Those that change over time are taken from the earlier of a cell's two periods.
    control : {"never", "not_yet"}
        Compare with units that are never treated, or with all that are not treated yet.
    method : {"dr", "ipw", "reg"}
        Doubly robust (logit by likelihood and least squares), weights that sum to one, or regression.
    base : {"varying", "universal"}
        Base of periods before treatment: the period before each, or the last one before treatment for all.
    anticipation : float
        Units of time before the first treatment in which it may already have effects.
    panel : bool
        False for repeated cross-sections.
    balanced : bool
        Leave out units without a complete row in every period; otherwise each cell uses the rows it has,
        as cross-sections whose influence is added up by unit.
    weights : str, optional
        Sampling weights; in a panel those of the unit's first period.
    trim : float
        Controls with at least this score get no odds.
    variance : {"exact", "drdid"}
        In cross-sections, influence as the derivative of the estimator, or as R's DRDID has it.

    Raises
    ------
    DesignError
        For choices that do not go together; from ``fit`` for data that cannot answer. A single cell
        without overlap or controls is NaN, named in a check, and stops nothing.

    References
    ----------
    Callaway, B., & Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time periods.
    *Journal of Econometrics*, 225(2), 200-230. (Equations 2.5 to 2.7; theorem 1.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import GroupTime
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "year": [2019, 2020] * 4,
    ...                       "start": [2020] * 4 + [0] * 4, "y": [1.0, 5.0, 2.0, 4.0, 1.0, 2.0, 3.0, 3.5]})
    >>> estimate = GroupTime(outcome="y", unit="id", time="year", first_treated="start").fit(frame)
    >>> estimate.keys["group"], round(float(estimate.values[0]), 6)
    ((2020,), 2.25)
    """

    outcome: str
    time: str
    first_treated: str
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
    variance: Variance = "exact"

    def __post_init__(self) -> None:
        covariates: Any = self.covariates
        if isinstance(covariates, str):
            raise _refusal("covariates is a tuple of columns", f"write ({covariates!r},)")
        object.__setattr__(self, "covariates", tuple(covariates))
        for name, value, allowed in (
            ("control", self.control, get_args(Control)),
            ("method", self.method, get_args(Method)),
            ("base", self.base, get_args(Base)),
            ("variance", self.variance, get_args(Variance)),
        ):
            if value not in allowed:
                raise _refusal(f"there is no {name} {value!r}", f"choose one of {', '.join(allowed)}")
        if self.panel and self.unit is None:
            raise _refusal("a panel needs its unit", "name the unit's column, or set panel=False")
        if not self.anticipation >= 0:
            raise _refusal(f"anticipation is a time, not {self.anticipation!r}", "give 0 or more")
        if not 0.0 < self.trim <= 1.0:
            raise _refusal(f"trim is a probability, not {self.trim!r}", "give 0.995, or 1 to trim nobody")

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate every cohort and period; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default the influence-function variance of independent units, ``Robust("HC0")``;
            :class:`MultiplierBootstrap` gives simultaneous bands.
        carry : tuple of str
            Groupings to keep for other inference later; a unit's must not change.

        Returns
        -------
        Estimate
            Rows ``att`` by ``group``, ``time`` and ``event_time``.
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
        design = read_staggered(data, columns)
        found = self._panel(design, columns) if self.panel and self.balanced else self._rows(design, columns)
        fit = Fit(
            values=found.effects.values,
            influence=BlockInfluence(found.effects.blocks, found.n, len(found.cells)),
            parameters=len(found.cells),
            groups=found.groups,
            shares=_shares(found.first_treated, found.weights, design.cohorts),
        )
        return Estimate(
            spec={"estimator": "GroupTime", **asdict(self)},
            keys=_keys(found.cells, design),
            values=fit.values,
            uncertainty=chosen.infer(fit),
            sample=_sample(found, design),
            checks=_checks(found, design, self.anticipation),
            details={
                "first_period": float(design.timeline.values[0]),
                "last_period": float(design.timeline.values[-1]),
                "periods": design.timeline.count,
                "cohort_sizes": _sizes(found.first_treated, design),
                "cohort_shares": {
                    str(design.timeline.label(level)): float(share)
                    for level, share in zip(fit.shares.levels, fit.shares.values, strict=True)
                }
                if fit.shares is not None
                else {},
            },
            fit=fit,
            inference=chosen,
        )

    def _cells(self, design: Staggered) -> tuple[Cell, ...]:
        if self.control == "never" and not np.isinf(design.first_treated).any():
            raise DesignError(
                "there is no unit that is never treated",
                where=f"column '{self.first_treated}', {design.n} rows in {len(design.cohorts)} cohorts",
                remedy="set control='not_yet', or leave out the periods in which the last cohort is treated "
                "and make it the never-treated one",
            )
        cells = cells_of(design.timeline.values, design.cohorts, self.base, self.anticipation)
        if not cells:
            raise DesignError(
                "every treated unit is treated from the first period on",
                where=f"column '{self.first_treated}', first period {design.timeline.labels[0]}",
                remedy="add periods before the treatment; always-treated units identify no effect",
            )
        return cells

    def _panel(self, design: Staggered, columns: StaggeredColumns) -> _Found:
        refuse_repeated(design, columns)
        cells = self._cells(design)
        panel = balanced_panel(design)
        groups = design.of_units(columns)
        return _Found(
            cells=cells,
            effects=panel_effects(panel, cells, self.method, self.control, self.trim),
            n=len(panel.kept),
            rows=panel.outcome.size,
            groups={name: kept_groups(one, panel.kept) for name, one in groups.items()},
            first_treated=panel.first_treated,
            weights=panel.weights,
        )

    def _rows(self, design: Staggered, columns: StaggeredColumns) -> _Found:
        if self.panel:
            refuse_repeated(design, columns)
        cells = self._cells(design)
        effects = section_effects(design, cells, self.method, self.control, self.trim, self.variance)
        first_treated, weights, n, units = design.first_treated, design.weights, design.n, design.units
        if units is not None:
            n = units.count
            effects = _by_unit(effects, units.codes)
            first_treated = np.empty(n)
            first_treated[units.codes] = design.first_treated
            # a unit of a panel counts once; of cross-sections its people do, each by its weight
            times_seen = np.bincount(units.codes, minlength=n) if self.panel else np.ones(n)
            weights = np.bincount(units.codes, weights=design.weights, minlength=n) / times_seen
        return _Found(
            cells=cells,
            effects=effects,
            n=n,
            rows=design.n,
            groups=design.of_units(columns),
            first_treated=first_treated,
            weights=weights / weights.mean(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The cells, on n units or rows, with what they are of."""

    cells: tuple[Cell, ...]
    effects: CellEffects
    n: int
    rows: int
    groups: dict[str, Groups]
    first_treated: Floats
    weights: Floats


def _refusal(what: str, remedy: str) -> DesignError:
    return DesignError(what, where="GroupTime", remedy=remedy)


def _by_unit(effects: CellEffects, codes: Codes) -> CellEffects:
    """Add up the influence of each unit's rows."""
    blocks = []
    for block in effects.blocks:
        here, at = np.unique(codes[block.rows], return_inverse=True)
        blocks.append(Block(here, block.columns, grouped_sums(block.values, at, len(here))))
    return CellEffects(
        values=effects.values,
        blocks=tuple(blocks),
        failures=effects.failures,
        left_out=effects.left_out,
        trimmed=effects.trimmed,
    )


def _shares(first_treated: Floats, weights: Floats, cohorts: Floats) -> Shares:
    r"""Return :math:`p_g = E_n[w 1\{G = g\}]` and its influence."""
    indicators = (first_treated[:, None] == cohorts) * weights[:, None]
    shares = indicators.mean(axis=0)
    return Shares(
        levels=tuple(float(one) for one in cohorts),
        values=shares,
        influence=DenseInfluence((indicators - shares) / len(weights)),
    )


def _keys(cells: Sequence[Cell], design: Staggered) -> dict[str, tuple[Any, ...]]:
    scale = design.timeline
    times = scale.values
    elapsed = np.array([times[cell.period] - cell.cohort for cell in cells])
    return {
        "term": ("att",) * len(cells),
        "group": tuple(scale.label(cell.cohort) for cell in cells),
        "time": tuple(scale.label(times[cell.period]) for cell in cells),
        "event_time": tuple(number(one) for one in scale.rounded(elapsed)),
    }


def _sizes(first_treated: Floats, design: Staggered) -> dict[str, int]:
    sizes = {
        str(design.timeline.label(level)): int((first_treated == level).sum()) for level in design.cohorts
    }
    return sizes | {"never": int(np.isinf(first_treated).sum())}


def _sample(found: _Found, design: Staggered) -> Sample:
    dropped = dict(design.dropped)
    lost = design.n - found.rows
    if lost:
        dropped["unit not complete in every period"] = lost
    treated = int(np.isfinite(found.first_treated).sum())
    return Sample(rows=found.rows, units=found.n, treated=treated, dropped=dropped)


def _checks(found: _Found, design: Staggered, anticipation: float) -> tuple[Check, ...]:
    checks = []
    with_cells = {cell.cohort for cell in found.cells}
    always = [level for level in design.cohorts if level not in with_cells]
    if always:
        units = int(np.isin(found.first_treated, always).sum())
        names = ", ".join(str(design.timeline.label(level)) for level in always)
        checks.append(
            Check(
                "cohorts without a period before treatment",
                None,
                f"{names}: {units} units have no effect here",
            )
        )
    effects = found.effects
    if effects.failures:
        by_reason: dict[str, list[str]] = {}
        for at, reason in effects.failures.items():
            cell = found.cells[at]
            name = f"({design.timeline.label(cell.cohort)}, {design.timeline.labels[cell.period]})"
            by_reason.setdefault(reason, []).append(name)
        said = "; ".join(f"{reason}: {', '.join(names)}" for reason, names in by_reason.items())
        checks.append(Check("cells without a number or an error", False, said))
    if effects.left_out:
        checks.append(
            Check(
                "covariates left out",
                None,
                f"constant or collinear in some cells: {', '.join(effects.left_out)}",
            )
        )
    if effects.trimmed:
        checks.append(
            Check(
                "trimmed controls",
                False,
                f"up to {effects.trimmed} controls in a cell have a score of trim or more",
            )
        )
    if anticipation:
        checks.append(Check("anticipation", None, f"{anticipation:g} before the first treatment"))
    return tuple(checks)
