r"""Difference in discontinuities: what a policy adds to a jump that was there before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Inference
from juntos_eval.estimators.design import Selection, select
from juntos_eval.estimators.rdd.joint_fit import (
    Part,
    complete_rows,
    described,
    joint_estimate,
    joint_parts,
    require_design,
)
from juntos_eval.estimators.rdd.regression_discontinuity import RegressionDiscontinuity

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["DifferenceInDiscontinuities"]

_LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceInDiscontinuities:
    r"""Change of a discontinuity between the periods before and after a policy.

    Where something else jumps at the cutoff too (another rule at the same threshold), the jump before the
    policy is taken off the jump after it,

    .. math:: \hat\tau = (\hat\mu^{+}_{1} - \hat\mu^{-}_{1}) - (\hat\mu^{+}_{0} - \hat\mu^{-}_{0}).

    Repeated cross-sections: two discontinuities, each at its own bandwidth or at a given one. A panel
    (``unit``): the discontinuity of each unit's change, with one bandwidth chosen for the change; with one
    given bandwidth and a balanced panel both are the same number. Of more than two periods each is also
    compared with the last one before the policy, and periods before it tell whether the jump stood still.

    Parameters
    ----------
    design : RegressionDiscontinuity
        Outcome, running variable, cutoff and all choices; without a ``treatment``.
    time : str
        Column of periods, numbers.
    start : float
        First period of the policy.
    unit : str, optional
        Column of units that are seen in every period, each with the running variable of its own throughout: a
        panel. Units that miss a period are dropped and counted; covariates, weights and clusters are those of
        the last period before the policy.

    Raises
    ------
    DesignError
        For a fuzzy design; from ``fit`` where there is no period before or after the start, where a unit is
        seen twice in a period or its running variable moves, and where a discontinuity cannot be estimated.

    References
    ----------
    Grembi, V., Nannicini, T. & Troiano, U. (2016). Do fiscal rules matter? *American Economic Journal:
    Applied Economics* 8(3), 1-30. (Section III: assumptions; equation 3 is the two-period form.)

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import DifferenceInDiscontinuities, RegressionDiscontinuity
    >>> x = np.tile(np.linspace(-1.0, 1.0, 400), 2)
    >>> frame = pd.DataFrame({"x": x, "year": np.repeat([2011, 2012], 400)})
    >>> frame["y"] = x + (x >= 0) * (1.0 + 2.0 * (frame["year"] == 2012))
    >>> design = RegressionDiscontinuity(outcome="y", running="x", bandwidth=0.5)
    >>> found = DifferenceInDiscontinuities(design=design, time="year", start=2012).fit(frame)
    >>> found.values.round(6).tolist()
    [2.0, 2.0, 2.0]
    """

    design: RegressionDiscontinuity
    time: str
    start: float
    unit: str | None = None

    def __post_init__(self) -> None:
        require_design(self.design, "DifferenceInDiscontinuities", has_cutoff=True)
        if self.design.treatment is not None:
            raise DesignError(
                "a difference in discontinuities has no fuzzy form here",
                where=f"design.treatment={self.design.treatment!r}",
                remedy="report the differences of outcome and of treatment (as outcome=) beside each other",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the change of the discontinuity.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit and period; not changed.
        inference : Inference, optional
            By default the design's own standard errors, with the correlations of influence (of the design's
            clusters, which should hold together rows that are seen again).
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Terms ``conventional bias_corrected robust`` by ``group``: ``after less before``, and of more than
            two periods each less the last one before the start. The check ``no earlier difference`` is Wald's
            test of the periods before.
        """
        if self.unit is None:
            chosen, frame, parts, weights = self._sections(data, inference, carry)
        else:
            chosen, frame, parts, weights = self._panel(data, inference, carry)
        design = replace(self.design, cutoff=0.0)
        fitted = joint_parts(design, chosen, frame, parts)
        spec = {
            "estimator": "DifferenceInDiscontinuities",
            "time": self.time,
            "start": float(self.start),
            "unit": self.unit,
            "design": described(self.design),
        }
        treated = int((chosen.columns[self.design.running] >= self.design.cutoff).sum())
        estimate = joint_estimate(spec, fitted, weights, chosen, inference=inference, treated=treated)
        return replace(estimate, checks=(*self._earlier(estimate), *estimate.checks))

    def _sections(
        self, data: DataFrame, inference: Inference | None, carry: tuple[str, ...]
    ) -> tuple[Selection, DataFrame, list[Part], dict[str, Floats]]:
        design = self.design
        numeric = (design.running, self.time)
        chosen, frame = complete_rows(design, data, numeric=numeric, carry=carry, inference=inference)
        when = chosen.columns[self.time]
        periods = self._periods(when)
        score = chosen.columns[design.running] - design.cutoff
        masks = {"before": when < self.start, "after": when >= self.start}
        if len(periods) > 2:
            masks |= {f"{period:g}": when == period for period in periods}
        rows = {label: np.flatnonzero(mask) for label, mask in masks.items()}
        parts = [Part(label=label, rows=here, score=score[here]) for label, here in rows.items()]
        labels = list(rows)
        weights = {"after less before": _contrast(labels, "after", "before")}
        reference = self._reference(periods)
        for period in periods[periods != reference] if len(periods) > 2 else ():
            weights[f"{period:g}"] = _contrast(labels, f"{period:g}", f"{reference:g}")
        return chosen, frame, parts, weights

    def _panel(
        self, data: DataFrame, inference: Inference | None, carry: tuple[str, ...]
    ) -> tuple[Selection, DataFrame, list[Part], dict[str, Floats]]:
        design = self.design
        seen = select(data, numeric=(design.outcome, design.running, self.time), carry=(str(self.unit),))
        periods = self._periods(seen.columns[self.time])
        when = np.searchsorted(periods, seen.columns[self.time])
        units = seen.groups[str(self.unit)]
        table = np.full((units.count, len(periods)), np.nan)
        scores = table.copy()
        if len(np.unique(units.codes * len(periods) + when)) < seen.n:
            raise DesignError(
                "a unit is seen twice in a period",
                where=f"columns '{self.unit}', '{self.time}'",
                remedy="give one row a unit and period, or leave unit= out for repeated cross-sections",
            )
        table[units.codes, when] = seen.columns[design.outcome]
        scores[units.codes, when] = seen.columns[design.running]
        complete = ~np.isnan(table).any(axis=1)
        if complete.any() and np.ptp(scores[complete], axis=1).max() > 0:
            moved = int((np.ptp(scores[complete], axis=1) > 0).sum())
            raise DesignError(
                "the running variable of a unit moves between periods",
                where=f"column '{design.running}', {moved:,} units",
                remedy="give every period the score that decided, or leave unit= out",
            )
        reference = self._reference(periods)
        at = int(np.searchsorted(periods, reference))
        inside = (when == at) & complete[units.codes]
        if not inside.any():
            raise DesignError(
                "no unit is seen in every period", where=f"column '{self.unit}', {units.count:,} units"
            )
        base = data.iloc[seen.rows[inside]]
        numeric = (design.running,)
        chosen, frame = complete_rows(design, base, numeric=numeric, carry=carry, inference=inference)
        own = units.codes[inside][chosen.rows]
        missing = {"period missing": int((~complete).sum())} if not complete.all() else {}
        chosen = replace(chosen, dropped={**seen.dropped, **missing, **chosen.dropped})
        outcomes, score = table[own], chosen.columns[design.running] - design.cutoff
        every = np.arange(chosen.n)
        before, after = outcomes[:, periods < self.start], outcomes[:, periods >= self.start]
        changes = {"after less before": after.mean(axis=1) - before.mean(axis=1)}
        for place, period in enumerate(periods):
            if len(periods) > 2 and place != at:
                changes[f"{period:g}"] = outcomes[:, place] - outcomes[:, at]
        parts = [
            Part(label=label, rows=every, score=score, outcome=change) for label, change in changes.items()
        ]
        return chosen, frame, parts, dict(zip(changes, np.eye(len(parts)), strict=True))

    def _periods(self, when: Floats) -> Floats:
        periods = np.unique(when)
        before = int((periods < self.start).sum())
        if before == 0 or before == len(periods):
            raise DesignError(
                f"there is no period {'before' if before == 0 else 'after'} the start",
                where=f"column '{self.time}' from {periods[0]:g} to {periods[-1]:g}, start {self.start:g}",
            )
        return periods

    def _reference(self, periods: Floats) -> float:
        return float(periods[periods < self.start][-1])

    def _earlier(self, estimate: Estimate) -> tuple[Check, ...]:
        keys = zip(estimate.keys["term"], estimate.keys["group"], strict=True)
        at = [
            place
            for place, (term, group) in enumerate(keys)
            if term == "robust" and group != "after less before" and float(group) < self.start
        ]
        if not at:
            return ()
        found = estimate.test(np.eye(len(estimate.values))[at])
        p_value = float(found.p_value)
        detail = f"Wald test of {len(at)} periods before the last one before the start, p = {p_value:.4f}"
        return (Check("no earlier difference", p_value >= _LEVEL, detail),)


def _contrast(labels: list[str], plus: str, minus: str) -> Floats:
    weights = np.zeros(len(labels))
    weights[labels.index(plus)], weights[labels.index(minus)] = 1.0, -1.0
    return weights
