"""Panel models of changes within units, and of differences between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Groups, Inference
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.panel.regression_checks import condition_check, dropped_columns_check
from juntos_eval.estimators.panel.regression_frame import (
    CONSTANT,
    PanelFrame,
    names_of,
    panel_frame,
    plain_regression,
)
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Between", "FirstDifference"]

Gaps = Literal["bridge", "skip"]
TREND = "trend"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstDifference:
    r"""Least squares of changes on changes: what does not change in a unit drops out.

    .. math:: y_{it} - y_{i,t-1} = a + (x_{it} - x_{i,t-1})'\beta + e_{it}

    where t - 1 is the row of the unit before; a, the term ``trend``, is what the outcome changes by anyway.

    Parameters
    ----------
    outcome : str
    covariates : tuple of str
        As of :class:`FixedEffects`.
    unit, time : str
        ``time`` holds numbers; a unit and time that stand twice are an error.
    constant : bool
        Whether there is a.
    gaps : {"bridge", "skip"}
        Whether a row is compared with the unit's row before however long ago (as plm), or only where one step
        of time lies between, the smallest in the data.
    weights : str, optional
        The weight of the later row.

    References
    ----------
    Wooldridge, J. M. (2010). *Econometric Analysis of Cross Section and Panel Data* (2nd ed.), section 10.6.
    MIT Press.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.panel import FirstDifference
    >>> frame = pd.DataFrame({"unit": [1, 1, 2, 2, 3, 3], "year": [1, 2] * 3, "x": [0, 1, 0, 0, 2, 5.0],
    ...                       "y": [1, 3, 5, 6, 7, 14.0]})
    >>> found = FirstDifference(outcome="y", covariates=("x",), unit="unit", time="year").fit(frame)
    >>> found.values.round(6).tolist()
    [0.571429, 2.071429]
    """

    outcome: str
    covariates: tuple[str, ...]
    unit: str
    time: str
    constant: bool = True
    gaps: Gaps = "bridge"
    weights: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))
        if self.gaps not in get_args(Gaps):
            raise DesignError(
                f"there is no way {self.gaps!r} to treat gaps",
                where="FirstDifference(gaps)",
                remedy="choose 'bridge' or 'skip'",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the coefficients; by default clustered by unit (``CR1S``).

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str
            Groupings; a change has that of its later row.

        Returns
        -------
        Estimate
            ``details["changes"]`` counts the rows of the regression.

        Raises
        ------
        DesignError
            For columns that cannot be used, and where no unit has two rows.
        """
        chosen_inference = inference or Cluster(self.unit, kind="CR1S")
        panel = panel_frame(
            data,
            outcome=self.outcome,
            covariates=self.covariates,
            unit=self.unit,
            time=self.time,
            weights=self.weights,
            carry=groups_to_carry(chosen_inference, carry),
        )
        earlier, later, gapped = self._pairs(panel)
        groups = {name: Groups(way.codes[later], way.levels) for name, way in panel.groups.items()}
        columns = [column[later] - column[earlier] for column in panel.columns]
        names = panel.names
        if self.constant:
            columns, names = [np.ones(len(later)), *columns], (TREND, *names)
        weights = None if panel.weights is None else panel.weights[later]
        change = panel.outcome[later] - panel.outcome[earlier]
        regression, fit = plain_regression(change, columns, weights, groups)
        left_out = [
            [names[place] for place in places] for places in (regression.absorbed, regression.collinear)
        ]
        words = "were bridged" if self.gaps == "bridge" else "were left out"
        return Estimate(
            spec={"estimator": "FirstDifference", **asdict(self)},
            keys={"term": tuple(names[place] for place in regression.kept)},
            values=fit.values,
            uncertainty=chosen_inference.infer(fit),
            sample=panel.sample,
            checks=(
                dropped_columns_check(*left_out),
                condition_check(regression.condition),
                Check(
                    "gaps", None if gapped else True, f"{gapped:,} changes over more than one step {words}"
                ),
            ),
            details={"changes": len(later)},
            fit=fit,
            inference=chosen_inference,
        )

    def _pairs(self, panel: PanelFrame) -> tuple[Codes, Codes, int]:
        """Return the rows that are compared, and how many lie more than one step apart."""
        times = panel.time if panel.time is not None else np.zeros(len(panel.outcome))
        order = np.lexsort((times, panel.unit.codes))
        pairs = np.flatnonzero(np.diff(panel.unit.codes[order]) == 0)
        if not len(pairs):
            raise DesignError(
                "no unit has two rows to compare",
                where=f"{panel.sample.rows:,} rows, {panel.unit.count:,} units",
                remedy="check the column of units, and which rows were dropped",
            )
        steps = np.diff(times[order])[pairs]
        is_gap = steps > steps.min() * (1 + 1e-9)
        if self.gaps == "skip":
            pairs = pairs[~is_gap]
        return order[pairs], order[pairs + 1], int(is_gap.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    r"""Least squares of unit means on unit means: what sets units apart, whatever changes within them.

    .. math:: \bar y_i = a + \bar x_i'\beta + e_i

    Parameters
    ----------
    outcome, covariates, unit
        As of :class:`RandomEffects`.
    time : str, optional
        Where given, a unit and time that stand twice are refused.
    weights : str, optional
        Means are weighted by it; a unit counts with its mean weight.

    References
    ----------
    Baltagi, B. H. (2021). *Econometric Analysis of Panel Data* (6th ed.), section 2.3. Springer.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.panel import Between
    >>> frame = pd.DataFrame({"unit": [1, 1, 2, 2, 3, 3], "x": [0, 2, 2, 2, 2, 4.0]})
    >>> frame["y"] = [2, 4, 5, 5, 6, 8.0]
    >>> Between(outcome="y", covariates=("x",), unit="unit").fit(frame).values.round(6).tolist()
    [1.0, 2.0]
    """

    outcome: str
    covariates: tuple[str, ...]
    unit: str
    time: str | None = None
    weights: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the coefficients; by default ``Robust("HC1")``, a row being a unit.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str
            Groupings, constant within units.

        Returns
        -------
        Estimate

        Raises
        ------
        DesignError
            For columns that cannot be used, and groupings that vary within units.
        """
        chosen_inference = inference or Robust("HC1")
        panel = panel_frame(
            data,
            outcome=self.outcome,
            covariates=self.covariates,
            unit=self.unit,
            time=self.time,
            weights=self.weights,
            carry=groups_to_carry(chosen_inference, carry),
        )
        codes = panel.unit.codes
        sizes = np.bincount(codes)
        mass = (
            sizes.astype(np.float64)
            if panel.weights is None
            else np.bincount(codes, panel.weights).astype(np.float64)
        )
        outcome, *columns = (
            _means(column, codes, panel.weights, mass) for column in (panel.outcome, *panel.columns)
        )
        columns, names = [np.ones(len(sizes)), *columns], (CONSTANT, *panel.names)
        weights = None if panel.weights is None else mass / sizes
        regression, fit = plain_regression(outcome, columns, weights, _of_units(panel.groups, codes))
        left_out = [
            [names[place] for place in places] for places in (regression.absorbed, regression.collinear)
        ]
        return Estimate(
            spec={"estimator": "Between", **asdict(self)},
            keys={"term": tuple(names[place] for place in regression.kept)},
            values=fit.values,
            uncertainty=chosen_inference.infer(fit),
            sample=panel.sample,
            checks=(dropped_columns_check(*left_out), condition_check(regression.condition)),
            details={"rows_smallest": int(sizes.min()), "rows_largest": int(sizes.max())},
            fit=fit,
            inference=chosen_inference,
        )


def _means(column: Floats, codes: Codes, weights: Floats | None, mass: Floats) -> Floats:
    weighted = column if weights is None else column * weights
    return np.asarray(np.bincount(codes, weights=weighted) / mass, dtype=np.float64)


def _of_units(groups: Mapping[str, Groups], codes: Codes) -> dict[str, Groups]:
    """Return the group of each unit, where all its rows have the same."""
    found = {}
    for name, way in groups.items():
        first = np.zeros(int(codes.max()) + 1, dtype=np.int64)
        first[codes] = way.codes
        varies = first[codes] != way.codes
        if varies.any():
            raise DesignError(
                f"the grouping '{name}' varies within units, and a between regression has one row a unit",
                where=f"column '{name}', {len(np.unique(codes[varies])):,} units",
                remedy="carry groupings that contain whole units",
            )
        found[name] = Groups(first, way.levels)
    return found
