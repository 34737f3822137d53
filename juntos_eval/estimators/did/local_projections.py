"""Local projections: at each horizon, the long difference of who is newly treated against clean controls."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
from pandas import DataFrame

from juntos_eval.arrays import Codes
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Block, BlockInfluence, Check, Estimate, Fit, Groups, Inference
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.staggered import StaggeredColumns
from juntos_eval.estimators.did.timeline import number
from juntos_eval.estimators.did.two_way_frame import TwoWayFrame, two_way_frame, with_keys
from juntos_eval.estimators.did.untreated_stage import refuse_unknown
from juntos_eval.estimators.panel import FixedEffects
from juntos_eval.estimators.panel.regression_frame import names_of
from juntos_eval.inference.cluster import Cluster

__all__ = ["LocalProjections"]

CHANGE, NEW, POSITION = "change of the outcome", "newly treated", "position"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalProjections:
    r"""Local-projections difference-in-differences (Dube, Girardi, Jordà & Taylor 2025).

    At horizon h, among rows that are newly treated in t or still untreated at t + h,

    .. math:: y_{i,t+h} - y_{i,t-1} = \beta_h \Delta D_{it} + \lambda_t^h + x_{it}'\gamma^h
              + \varepsilon_{it}^h.

    Cohorts are weighted by the variance of treatment in the regression; ``weighting="equal"`` weights each
    newly treated row alike, by regression adjustment on the clean controls' means of each period.

    Parameters
    ----------
    outcome, time, first_treated, unit, covariates, weights
        As in :class:`EventStudy`; covariates are those of period t.
    horizons : tuple of int
        Event times to estimate, in positions of the timeline; -1 is the reference.
    controls : {"not_yet", "never"}
    weighting : {"variance", "equal"}

    Raises
    ------
    DesignError
        If no horizon has newly treated rows and controls, and as :class:`GroupTime`.

    References
    ----------
    Dube, A., Girardi, D., Jordà, Ò., & Taylor, A. M. (2025). A local projections approach to
    difference-in-differences. *Journal of Applied Econometrics*. (Equations 8 to 12.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import LocalProjections
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [1, 2, 3] * 3,
    ...                       "start": [3] * 3 + [0] * 6, "y": [1.0, 1, 4, 2, 2, 2.5, 3, 4, 4.5]})
    >>> found = LocalProjections(outcome="y", unit="id", time="year", first_treated="start", horizons=(0,))
    >>> found.fit(frame).values.round(6).tolist()
    [2.5]
    """

    outcome: str
    time: str
    first_treated: str
    unit: str
    horizons: tuple[int, ...]
    covariates: tuple[str, ...] = ()
    weights: str | None = None
    controls: Literal["not_yet", "never"] = "not_yet"
    weighting: Literal["variance", "equal"] = "variance"

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))
        object.__setattr__(self, "horizons", tuple(sorted(set(self.horizons))))
        refuse_unknown(
            "LocalProjections",
            controls=(self.controls, ("not_yet", "never")),
            weighting=(self.weighting, ("variance", "equal")),
        )
        if -1 in self.horizons or not self.horizons:
            raise DesignError(
                "horizons are event times other than the reference, -1",
                where=f"horizons={self.horizons}",
                remedy="leave -1 out",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default clustered by the unit, each horizon with the small-sample factor of its own regression.
        carry : tuple of str

        Returns
        -------
        Estimate
            Rows ``att`` by ``event_time``; the fit's rows are those of the data.
        """
        chosen = inference or Cluster(self.unit, kind="CR1S")
        columns = StaggeredColumns(
            outcome=self.outcome,
            time=self.time,
            first_treated=self.first_treated,
            unit=self.unit,
            covariates=self.covariates,
            weights=self.weights,
            carry=groups_to_carry(chosen, carry),
        )
        frame = two_way_frame(data, columns, ())
        parts = [(h, self._horizon(frame, h)) for h in self.horizons]
        kept = [(h, part) for h, part in parts if not isinstance(part, str)]
        lost = [f"{h}: {part}" for h, part in parts if isinstance(part, str)]
        if not kept:
            raise DesignError(
                "no horizon has newly treated rows and controls",
                where="; ".join(lost),
                remedy="choose horizons within the periods of the data",
            )
        fits = [self._regress(rows) for _, rows in kept]
        fit = _joined(frame, fits, [rows for _, rows in kept], columns)
        joint = chosen.infer(fit)
        if inference is None:
            # a horizon is a regression of its own, whose variance has a small-sample factor of its own
            scale = np.array([float(one.uncertainty.std_error[0]) for one in fits]) / joint.std_error
            joint = replace(joint, covariance=joint.covariance * np.outer(scale, scale))
        keys = {"term": ("att",) * len(kept), "event_time": tuple(number(float(h)) for h, _ in kept)}
        estimate = Estimate(
            spec={},
            keys=keys,
            values=fit.values,
            uncertainty=joint,
            sample=fits[0].sample,
            checks=(Check("horizons left out", None, "; ".join(lost)),) if lost else (),
            details={"rows": {str(h): len(rows) for h, rows in kept}},
            fit=fit,
            inference=chosen,
        )
        shown = with_keys(estimate, {"estimator": "LocalProjections", **asdict(self)}, keys, frame)
        return replace(shown, sample=replace(shown.sample, rows=frame.design.n))

    def _horizon(self, frame: TwoWayFrame, horizon: int) -> DataFrame | str:
        """Return the rows of a horizon: changes, who is newly treated; or why there are none."""
        design = frame.design
        if design.units is None:
            return "no unit"
        periods = design.timeline.count
        at = np.full(design.units.count * periods, -1, dtype=np.int64)
        place = design.units.codes * periods + design.period
        at[place] = np.arange(design.n)

        def shifted(steps: int) -> Codes:
            target = design.period + steps
            inside = (target >= 0) & (target < periods)
            found = np.full(design.n, -1, dtype=np.int64)
            found[inside] = at[place[inside] + steps]
            return found

        before, later = shifted(-1), shifted(horizon)
        state = shifted(max(horizon, 0))
        treated = frame.event_time >= 0
        new = treated & (before >= 0) & ~treated[before]
        clean = (state >= 0) & ~treated[state] & ~treated
        if self.controls == "never":
            clean &= np.isinf(design.first_treated)
        usable = (before >= 0) & (later >= 0) & (state >= 0) & (new | clean)
        if not (usable & new).any() or not (usable & ~new).any():
            return "no newly treated row or no control"
        rows = frame.rows[usable].copy()
        rows[CHANGE] = (design.outcome[later] - design.outcome[before])[usable]
        rows[NEW] = new[usable].astype(np.float64)
        rows[POSITION] = np.flatnonzero(usable)
        if self.weighting == "equal":
            rows = rows[rows.groupby(self.time)[NEW].transform("nunique") == 2]
        return rows

    def _regress(self, rows: DataFrame) -> Estimate:
        weights = self.weights
        if self.weighting == "equal":
            rows, weights = _reweighted(rows, self.time, weights), "weight of the horizon"
        found = FixedEffects(
            outcome=CHANGE, covariates=(NEW, *self.covariates), absorb=(self.time,), weights=weights
        ).fit(rows, inference=Cluster(self.unit, kind="CR1S"), carry=(self.unit,))
        first = np.zeros((1, len(found.values)))
        first[0, found.keys["term"].index(NEW)] = 1.0
        combined = found.combine(first, {"term": ("att",)})
        return replace(combined, inference=found.inference)


def _reweighted(rows: DataFrame, time: str, weights: str | None) -> DataFrame:
    """Weight controls so that each period counts by its newly treated rows."""
    base = rows[weights] if weights is not None else rows[NEW] * 0.0 + 1.0
    treated = (base * rows[NEW]).groupby(rows[time]).transform("sum")
    control = (base * (1 - rows[NEW])).groupby(rows[time]).transform("sum")
    return rows.assign(**{"weight of the horizon": base.where(rows[NEW] == 1, base * treated / control)})


def _joined(
    frame: TwoWayFrame, fits: list[Estimate], rows: list[DataFrame], columns: StaggeredColumns
) -> Fit:
    """Put the horizons' influence side by side, on the rows of the data."""
    blocks, values, parameters = [], [], 0
    for at, (estimate, part) in enumerate(zip(fits, rows, strict=True)):
        fit = estimate.fit
        if fit is None:
            raise DesignError("a regression came without its fit", where="LocalProjections")
        blocks.append(Block(part[POSITION].to_numpy(), np.array([at]), fit.influence.dense()))
        values.append(float(estimate.values[0]))
        parameters = max(parameters, fit.parameters)
    units = frame.design.units
    groups = dict(frame.design.groups)
    if units is not None:
        groups[str(columns.unit)] = Groups(units.codes, tuple(str(one) for one in units.labels))
    return Fit(
        values=np.array(values),
        influence=BlockInfluence(tuple(blocks), frame.design.n, len(values)),
        parameters=parameters,
        groups=groups,
    )
