"""Changes-in-changes: what the whole distribution of outcomes would have become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Groups, Inference, Sample
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.distribution_changes import (
    Cells,
    DistributionEffects,
    continuous_effects,
    discrete_effects,
    quantile_did,
)
from juntos_eval.estimators.did.distributions import distribution_of
from juntos_eval.estimators.did.panel_arrays import read_arrays
from juntos_eval.estimators.did.panel_frame import Columns, read_cross_sections, read_panel
from juntos_eval.estimators.panel.regression_frame import names_of
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.least_squares import LeastSquares, least_squares

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["ChangesInChanges"]

Method = Literal["cic", "quantile_did"]
Support = Literal["continuous", "discrete"]
# distinct outcomes up to which discrete effects lay out rows × outcomes
MANY = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesInChanges:
    r"""Changes-in-changes of two groups and two periods (Athey & Imbens 2006).

    With :math:`F_{gt}` the distribution of outcomes, the treated without treatment would have had

    .. math:: F_{Y^N,11}(y) = F_{10}\big(F_{00}^{-1}(F_{01}(y))\big),

    if outcomes rise in something unobserved whose distribution does not change within a group: each
    treated unit moves as a control that stood at the same outcome did. Unlike difference-in-differences it
    gives the same answer whatever the scale of the outcome (logs, say).

    Parameters
    ----------
    outcome, time, treatment : str
        Treatment marks the treated group in both periods, or the treated state (0, then 1; panel only).
    unit : str, optional
        Needed in a panel. In cross-sections, units that recur have their influence added up.
    covariates : tuple of str
        What a linear regression with effects of group and period attributes to them is taken out.
    quantiles : tuple of float
        Effects on quantiles of the treated's outcomes, besides the mean.
    method : {"cic", "quantile_did"}
        Changes-in-changes, or difference-in-differences of each quantile.
    support : {"continuous", "discrete"}
        Discrete outcomes have bounds, and an effect between them if what sets units of one outcome apart is
        alike in both groups (no quantiles).
    panel : bool
        False for repeated cross-sections.
    weights : str, optional
        Sampling weights; in a panel those of the unit's first period.

    Raises
    ------
    DesignError
        As :class:`DoublyRobust`, and for choices that do not go together.

    References
    ----------
    Athey, S., & Imbens, G. W. (2006). Identification and inference in nonlinear difference-in-differences
    models. *Econometrica*, 74(2), 431-497.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import ChangesInChanges
    >>> frame = pd.DataFrame({"year": [0] * 5 + [1] * 5, "d": [0, 0, 0, 1, 1] * 2,
    ...                       "y": [1.0, 2, 3, 2, 3, 2, 4, 9, 6, 10]})
    >>> changes = ChangesInChanges(outcome="y", time="year", treatment="d", panel=False, quantiles=(0.5,))
    >>> changes.fit(frame).values.tolist()
    [1.5, 2.0]
    """

    outcome: str
    time: str
    treatment: str
    unit: str | None = None
    covariates: tuple[str, ...] = ()
    quantiles: tuple[float, ...] = (0.25, 0.5, 0.75)
    method: Method = "cic"
    support: Support = "continuous"
    panel: bool = True
    weights: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))
        object.__setattr__(self, "quantiles", tuple(float(one) for one in self.quantiles))
        if self.method not in get_args(Method) or self.support not in get_args(Support):
            raise DesignError(
                f"there is no method {self.method!r} with support {self.support!r}",
                where="ChangesInChanges",
                remedy="choose method 'cic' or 'quantile_did', support 'continuous' or 'discrete'",
            )
        if self.support == "discrete" and (self.method != "cic" or self.covariates):
            raise DesignError(
                "bounds of discrete outcomes are those of changes-in-changes without covariates",
                where=f"method={self.method!r}, covariates={self.covariates}",
                remedy="fit within cells of the covariates, or set support='continuous'",
            )
        if not all(0 < one < 1 for one in self.quantiles):
            raise DesignError(
                "quantiles lie between 0 and 1", where=f"quantiles={self.quantiles}", remedy="give shares"
            )
        if self.panel and self.unit is None:
            raise DesignError(
                "a panel needs its unit",
                where="ChangesInChanges: unit=None",
                remedy="name the unit's column, or set panel=False",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default the paper's analytic variance, ``Robust("HC0")`` of its influence (units in a panel,
            whose two periods belong together). :class:`MultiplierBootstrap` gives bands over quantiles;
            ``Bootstrap(ChangesInChanges(...))`` fits again.
        carry : tuple of str

        Returns
        -------
        Estimate
            ``att``, then ``quantile q``; with discrete support ``att``, ``lower`` and ``upper``.
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
        rows = _panel_rows(data, columns) if self.panel else _section_rows(data, columns)
        found, psi = self._effects(rows)
        fit = Fit(
            values=found.values,
            influence=DenseInfluence(psi),
            parameters=len(found.values) + len(self.covariates),
            groups=rows.groups,
        )
        return Estimate(
            spec={"estimator": "ChangesInChanges", **asdict(self)},
            keys={"term": found.terms, "outcome": (self.outcome,) * len(found.terms)},
            values=found.values,
            uncertainty=chosen.infer(fit),
            sample=Sample(
                rows=len(rows.outcome), units=rows.units, treated=rows.treated_units, dropped=rows.dropped
            ),
            checks=self._checks(rows),
            details={"periods": list(rows.periods), "treatment_rule": rows.rule},
            fit=fit,
            inference=chosen,
        )

    def _effects(self, rows: _Rows) -> tuple[DistributionEffects, Floats]:
        if not rows.covariates.shape[1]:
            found = self._of(rows, rows.outcome)
            return found, rows.by_unit(found)
        fitted, design = _regression(rows)
        slopes = np.nan_to_num(fitted.coefficients[4:])
        residual = rows.outcome - rows.covariates @ slopes
        found = self._of(rows, residual)
        psi = rows.by_unit(found)
        kept = fitted.kept
        scores = (rows.weights * fitted.residuals)[:, None] * design[:, kept] @ fitted.bread
        for at, column in enumerate(kept):
            if column < 4:
                continue
            # distributions are steps, so that the derivative is taken over a standard error
            step = float(np.linalg.norm(scores[:, at]))
            moved = rows.covariates[:, column - 4] * step
            if not step > 0:
                continue
            ahead, behind = self._of(rows, residual - moved), self._of(rows, residual + moved)
            along = (ahead.values - behind.values) / (2 * step)
            summed = np.bincount(rows.codes, weights=scores[:, at], minlength=rows.units)
            psi = psi + summed[:, None] * along
        return found, psi

    def _of(self, rows: _Rows, outcome: Floats) -> DistributionEffects:
        cells = Cells(
            **{
                name: distribution_of(outcome[here], rows.weights[here])
                for name, here in zip(_NAMES, rows.cells, strict=True)
            }
        )
        if self.support == "discrete":
            distinct = len(np.unique(outcome[rows.treated]))
            if distinct > MANY:
                raise DesignError(
                    "the outcome has too many values for bounds of a discrete one",
                    where=f"column '{self.outcome}', {distinct} values among the treated",
                    remedy="set support='continuous', or round the outcome",
                )
            return discrete_effects(cells)
        return (continuous_effects if self.method == "cic" else quantile_did)(cells, self.quantiles)

    def _checks(self, rows: _Rows) -> tuple[Check, ...]:
        before = rows.outcome[rows.cells[0]]
        treated = rows.outcome[rows.cells[2]]
        outside = (treated < before.min()) | (treated > before.max())
        checks = []
        if self.method == "cic":
            share = float(outside.mean())
            detail = f"{int(outside.sum())} treated ({share:.1%}) start outside the outcomes of the controls"
            checks.append(Check("support", bool(share <= 0.05), detail))
        distinct = len(np.unique(rows.outcome))
        if self.support == "continuous" and distinct < 0.5 * len(rows.outcome):
            detail = f"{distinct} distinct outcomes of {len(rows.outcome)}: support='discrete' gives bounds"
            checks.append(Check("ties", False, detail))
        return tuple(checks)


_NAMES = ("control_before", "control_after", "treated_before", "treated_after")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Rows of four cells, with the unit of each."""

    outcome: Floats
    after: Bools
    treated: Bools
    covariates: Floats
    weights: Floats
    codes: Codes
    units: int
    groups: Mapping[str, Groups]
    dropped: Mapping[str, int]
    periods: tuple[str, str]
    rule: str

    @property
    def cells(self) -> tuple[Codes, ...]:
        """Rows of controls before and after, of treated before and after."""
        cell = 2 * self.treated + self.after
        return tuple(np.flatnonzero(cell == at) for at in range(4))

    @property
    def treated_units(self) -> int:
        """Number of treated units."""
        return len(np.unique(self.codes[self.treated]))

    def by_unit(self, found: DistributionEffects) -> Floats:
        """Add up the influence of the rows of each unit, (units, k)."""
        psi = np.zeros((self.units, len(found.values)))
        for rows, influence in zip(self.cells, found.influence, strict=True):
            np.add.at(psi, self.codes[rows], influence)
        return psi


def _regression(rows: _Rows) -> tuple[LeastSquares, Floats]:
    """Regress outcomes on groups, periods and covariates."""
    cell = 2 * rows.treated + rows.after
    design = np.column_stack([cell == at for at in range(4)] + [rows.covariates]).astype(np.float64)
    return least_squares(design, rows.outcome, rows.weights), design


def _panel_rows(data: DataFrame, columns: Columns) -> _Rows:
    pairs, panel = read_panel(data, columns), read_arrays(data, columns)
    complete = np.isfinite(panel.outcome).all(axis=1)
    n = int(complete.sum())
    levels = panel.covariates[complete]
    return _Rows(
        outcome=panel.outcome[complete].T.ravel(),
        after=np.repeat([False, True], n),
        treated=np.tile(pairs.treated, 2),
        covariates=np.vstack([levels[:, 0], levels[:, 1]]),
        weights=np.tile(pairs.weights, 2),
        codes=np.tile(np.arange(n), 2),
        units=n,
        groups=pairs.groups,
        dropped=pairs.dropped,
        periods=pairs.periods,
        rule=pairs.rule,
    )


def _section_rows(data: DataFrame, columns: Columns) -> _Rows:
    found = read_cross_sections(data, columns)
    after = found.after if found.after is not None else np.zeros(len(found.outcome), np.bool_)
    units = found.units
    return _Rows(
        outcome=found.outcome,
        after=after,
        treated=found.treated,
        covariates=found.covariates,
        weights=found.weights,
        codes=np.arange(len(after)) if units is None else units.codes,
        units=len(after) if units is None else units.count,
        groups=found.groups,
        dropped=found.dropped,
        periods=found.periods,
        rule=found.rule,
    )
