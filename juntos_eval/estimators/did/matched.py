r"""Matched difference-in-differences: changes of the treated less changes of those matched to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from juntos_eval.arrays import Bools, Codes, Floats, grouped_sums
from juntos_eval.errors import DesignError
from juntos_eval.estimate import DenseInfluence, Estimate, Fit, Inference, Sample
from juntos_eval.estimators.design import groups_to_carry, require_frame
from juntos_eval.estimators.did.checks import pretrend_check
from juntos_eval.estimators.did.panel_frame import Columns, TwoPeriods, read_cross_sections, read_panel
from juntos_eval.estimators.matching.adjusted import column_names
from juntos_eval.estimators.matching.matched_design import MatchedDesign
from juntos_eval.estimators.matching.matching import Matching
from juntos_eval.estimators.matching.missing_covariates import (
    Missing,
    fit_settled,
    refuse_rule,
    settle_missing,
)
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["MatchedDiD"]

# names of columns that are made here, which no covariate can have: expanded ones hold no such space
_OUTCOME, _TREATED, _WEIGHT = "change of outcome", "treated group", "sampling weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedDiD:
    r"""Effect on the treated by matching on the baseline and differencing outcomes over time.

    In a panel, with :math:`\Delta y_i` the change of unit i, matched on covariates of the first period,

    .. math:: \hat\tau = \frac{\sum_{D_i = 1} t_i \bigl(\Delta y_i - \sum_j s_{ij} \Delta y_j\bigr)}
              {\sum_{D_i = 1} t_i}.

    In repeated cross-sections the treated of each period are matched with the untreated of that period, and
    the effect is the later difference less the earlier one. It identifies the effect if, given covariates,
    untreated outcomes of both groups would have moved alike, and untreated units occur wherever treated ones
    do; in cross-sections also that who is in each group does not change over time.

    Parameters
    ----------
    outcome, time, treatment : str
        Columns. Of two periods, the earlier one comes first in order. The treatment marks the treated group
        in both periods; in a panel it may also mark the treated state (0 before, 1 after).
    unit : str, optional
        Needed in a panel. In cross-sections, units that recur have their influence added up.
    covariates : tuple of str
        Of the first period, in a panel.
    exposure : str, optional
        Column with the group of each treated unit by length of exposure (or anything else that does not
        change within it): each group is matched with all untreated on its own, and has a row of its own.
        What stands there for the untreated does not matter, missing included.
    panel : bool
        False for repeated cross-sections.
    method : {"kernel", "local_linear", "nearest", "radius", "optimal", "full", "subclass"}
        As in :class:`~juntos_eval.estimators.matching.matching.Matching`, like all that follow.
    distance : str
        A score or a distance in space; not a column.
    ratio, replace, caliper, caliper_in_sd, order, ties, seed
        Of nearest neighbours.
    subclasses : int
    kernel : str
    bandwidth : float or {"cv", "undersmoothed"}
    ridge : float
    common_support : {None, "minmax"}
    bias_adjust : bool
        Adjust remaining differences in the covariates by regression (nearest neighbours).
    missing : {"drop", "refuse", "indicator"}
        What is done with rows in which a covariate is missing: left out, refused, or kept, with a constant in
        its place and an indicator beside it. They are counted in each case.
    weights : str, optional
        Sampling weights; of the first period, in a panel.
    weight_score : bool
        Whether the score is fitted with the sampling weights.

    Raises
    ------
    DesignError
        For choices that do not go together; from ``designs`` and ``fit`` for data that cannot answer.

    References
    ----------
    Heckman, J. J., Ichimura, H. & Todd, P. (1997). Matching as an econometric evaluation estimator: evidence
    from evaluating a job training programme. *Review of Economic Studies* 64(4), 605-654.

    Heckman, J. J., Ichimura, H., Smith, J. & Todd, P. (1998). Characterizing selection bias using
    experimental data. *Econometrica* 66(5), 1017-1098.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.matched import MatchedDiD
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "year": [2002, 2006] * 4,
    ...                       "juntos": [1] * 4 + [0] * 4, "age": [5, 5, 9, 9, 5, 5, 9, 9],
    ...                       "y": [1.0, 5.0, 2.0, 4.0, 1.0, 2.0, 3.0, 3.5]})
    >>> effect = MatchedDiD(outcome="y", unit="id", time="year", treatment="juntos", covariates=("age",),
    ...                     method="nearest", distance="mahalanobis").fit(frame)
    >>> effect.values.tolist()
    [2.25]
    """

    outcome: str
    time: str
    treatment: str
    unit: str | None = None
    covariates: tuple[str, ...] = ()
    exposure: str | None = None
    panel: bool = True
    method: Literal["kernel", "local_linear", "nearest", "radius", "optimal", "full", "subclass"] = "kernel"
    distance: str = "logit"
    ratio: int = 1
    replace: bool = True
    caliper: float | None = None
    caliper_in_sd: bool = True
    order: Literal["largest", "smallest", "data", "random", "closest"] = "largest"
    ties: Literal["all", "first", "random", "matching"] = "all"
    seed: int | None = None
    subclasses: int = 6
    kernel: Literal["epanechnikov", "gaussian", "biweight", "tricube", "uniform"] = "epanechnikov"
    bandwidth: float | Literal["cv", "undersmoothed"] = 0.06
    ridge: float = 1.0
    common_support: Literal["minmax"] | None = None
    bias_adjust: bool = False
    missing: Missing = "drop"
    weights: str | None = None
    weight_score: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", column_names("covariates", self.covariates))
        refuse_rule(self.missing)
        if self.panel and self.unit is None:
            raise _refusal("a panel needs its unit", "name the unit's column, or set panel=False")
        if not self.covariates:
            raise _refusal("there is nothing to match on", "name covariates, or use je.DoublyRobust")
        known = ("logit", "probit", "linear_logit", "linear_probit")
        spaces = ("mahalanobis", "scaled_euclidean", "robust_mahalanobis")
        if self.distance not in (*known, *spaces):
            raise _refusal(
                f"there is no distance {self.distance!r}", f"choose one of {', '.join((*known, *spaces))}"
            )
        self._matching(("any",))

    def _matching(self, names: tuple[str, ...]) -> Matching:
        is_paired = self.method in ("nearest", "optimal")
        return Matching(
            treatment=_TREATED,
            covariates=names,
            outcome=_OUTCOME,
            weights=_WEIGHT if self.weights else None,
            method=self.method,
            distance=self.distance,
            ratio=self.ratio,
            replace=self.replace if self.method == "nearest" else False,
            caliper=self.caliper,
            caliper_in_sd=self.caliper_in_sd,
            order=self.order,
            ties=self.ties if is_paired else "all",
            seed=self.seed,
            subclasses=self.subclasses,
            kernel=self.kernel,
            bandwidth=self.bandwidth,
            ridge=self.ridge,
            common_support=self.common_support,
            bias_adjust=self.bias_adjust,
            weight_score=self.weight_score,
        )

    def designs(self, data: DataFrame) -> dict[str, MatchedDesign]:
        """Return the matched designs behind the effect, to look at balance and overlap.

        Parameters
        ----------
        data : pandas.DataFrame

        Returns
        -------
        dict of str to MatchedDesign
            By exposure group, period, or both; ``"all"`` in a panel without exposure groups.

        Raises
        ------
        DesignError
        """
        if self.missing != "drop":
            settled = settle_missing(self, self._of_first_period(data))
            return settled.estimator.designs(settled.frame)  # type: ignore[no-any-return]
        sample = self._read(data, ())
        return {
            cell.name: self._matching(sample.covariate_names).design(_frame(sample, cell.rows))
            for cell in self._cells(sample)
        }

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate from one row a unit and period; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default the sum of squared influence of independent units, ``Robust("HC0")``. A panel without
            exposure groups also suits ``AbadieImbens``, but for kernel and local-linear matching.
        carry : tuple of str
            Groupings to keep for other inference later; a unit's must not change.

        Returns
        -------
        Estimate
            ``att``; with exposure groups one row a group, named by the key ``group``.
        """
        if self.missing != "drop":
            return fit_settled(self, self._of_first_period(data), inference, carry)
        rule = inference or Robust("HC0")
        wanted = groups_to_carry(rule, carry)
        sample = self._read(data, wanted)
        cells = self._cells(sample)
        labels = tuple(dict.fromkeys(cell.group for cell in cells))
        values, influence = np.zeros(len(labels)), np.zeros((len(sample.treated), len(labels)))
        found, checks = [], [pretrend_check(sample.periods[0])]
        for cell in cells:
            effect = self._matching(sample.covariate_names).fit(_frame(sample, cell.rows))
            if effect.fit is None:  # an estimate that was just made has its fit
                raise DesignError("the matched effect has no fit", where=cell.name, remedy="report this")
            column = labels.index(cell.group)
            values[column] += cell.sign * effect.values[0]
            influence[cell.rows, column] += cell.sign * effect.fit.influence.dense()[:, 0]
            found.append(effect)
            prefix = "" if len(cells) == 1 else f"{cell.name}: "
            checks += [replace(check, name=f"{prefix}{check.name}") for check in effect.checks]
        one = found[0].fit if len(found) == 1 else None
        fit = Fit(
            values=values,
            influence=DenseInfluence(_by_unit(influence, sample)),
            parameters=sum(effect.fit.parameters for effect in found if effect.fit is not None),
            groups={name: sample.groups[name] for name in wanted},
            matched=one.matched if one is not None else None,
        )
        terms = {"term": ("att",) * len(labels)}
        return Estimate(
            spec={"estimator": "MatchedDiD", **asdict(self)},
            keys=terms if self.exposure is None else {**terms, "group": labels},
            values=fit.values,
            uncertainty=rule.infer(fit),
            sample=_sample(sample, fit.n),
            checks=tuple(checks),
            details=_details(cells, found, sample),
            fit=fit,
            inference=rule,
        )

    def _of_first_period(self, data: DataFrame) -> DataFrame:
        """Return a panel without gaps in covariates of the later period, which nobody looks at."""
        require_frame(data)
        if not self.panel or self.time not in data:
            return data
        is_later = data[self.time].to_numpy() != data[self.time].min()
        changed = {}
        for name in self.covariates:
            if name in data and data[name].notna().any():
                known = data[name].dropna().iloc[0]
                changed[name] = data[name].where(~(is_later & data[name].isna().to_numpy()), known)
        return data.assign(**changed)

    def _read(self, data: DataFrame, carry: tuple[str, ...]) -> TwoPeriods:
        columns = Columns(
            outcome=self.outcome,
            time=self.time,
            treatment=self.treatment,
            unit=self.unit,
            covariates=self.covariates,
            weights=self.weights,
            carry=tuple(dict.fromkeys([*carry, *((self.exposure,) if self.exposure else ())])),
        )
        if self.exposure is not None and self.exposure in data:
            labels = data[self.exposure].astype("string")
            data = data.assign(**{self.exposure: labels.fillna("").astype(object)})
        return read_panel(data, columns) if self.panel else read_cross_sections(data, columns)

    def _cells(self, sample: TwoPeriods) -> list[_Cell]:
        """Return the comparisons that the effect is made of: exposure groups, in cross-sections by period."""
        groups: dict[str, Bools] = {"all": np.ones(len(sample.treated), dtype=np.bool_)}
        if self.exposure is not None:
            groups = _exposed(sample, self.exposure)
        if sample.after is None:
            return [_Cell(name, name, rows, 1.0) for name, rows in groups.items()]
        sides = ((1.0, sample.after, sample.periods[1]), (-1.0, ~sample.after, sample.periods[0]))
        return [
            _Cell(name, period if self.exposure is None else f"{name}, {period}", rows & here, sign)
            for name, rows in groups.items()
            for sign, here, period in sides
        ]


@dataclass(frozen=True, slots=True)
class _Cell:
    group: str
    name: str
    rows: Bools
    sign: float


def _exposed(sample: TwoPeriods, exposure: str) -> dict[str, Bools]:
    """Return the rows of each exposure group with all untreated ones; the treated must have a group."""
    groups = sample.groups[exposure]
    codes: Codes = groups.codes if sample.units is None else groups.codes[sample.units.codes]
    found = {}
    for code, label in enumerate(groups.levels):
        inside = (codes == code) & sample.treated
        if not inside.any():
            continue
        if not label:
            raise DesignError(
                f"treated units have no group of exposure in '{exposure}'",
                where=f"column '{exposure}', {int(inside.sum())} treated",
                remedy="give each treated unit its group, or leave the units out",
            )
        found[label] = np.asarray(inside | ~sample.treated)
    return found


def _frame(sample: TwoPeriods, rows: Bools) -> DataFrame:
    """Return the rows as a frame for matching; covariates are already numbers."""
    frame = pd.DataFrame(sample.covariates[rows], columns=list(sample.covariate_names))
    return frame.assign(
        **{
            _OUTCOME: sample.outcome[rows],
            _TREATED: sample.treated[rows] * 1.0,
            _WEIGHT: sample.weights[rows],
        }
    )


def _by_unit(influence: Floats, sample: TwoPeriods) -> Floats:
    if sample.units is None:
        return influence
    return grouped_sums(influence, sample.units.codes, sample.units.count)


def _sample(sample: TwoPeriods, units: int) -> Sample:
    in_group = np.flatnonzero(sample.treated)
    if sample.units is not None:
        in_group = np.unique(sample.units.codes[in_group])
    return Sample(rows=sample.rows, units=units, treated=len(in_group), dropped=sample.dropped)


def _details(cells: list[_Cell], found: list[Estimate], sample: TwoPeriods) -> Mapping[str, Any]:
    """Return what each comparison found, and how many it rests on."""
    wanted = ("mean_treated", "mean_untreated", "matched", "targets", "serving")
    return {
        "first_period": sample.periods[0],
        "second_period": sample.periods[1],
        "comparisons": {
            cell.name: {"effect": float(effect.values[0])}
            | {name: effect.details[name] for name in wanted if name in effect.details}
            for cell, effect in zip(cells, found, strict=True)
        },
    }


def _refusal(what: str, remedy: str) -> DesignError:
    return DesignError(what, where="MatchedDiD", remedy=remedy)
