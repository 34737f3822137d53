"""Cohort by event-time effects from one saturated regression, averaged with weights that are all positive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Block, BlockInfluence, Check, Estimate, Fit, Inference
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.cell_effects import CellInfluence, Cells, regress_on_cells
from juntos_eval.estimators.did.staggered import StaggeredColumns, levels_of
from juntos_eval.estimators.did.timeline import number
from juntos_eval.estimators.did.two_way_frame import TwoWayFrame, two_way_frame, with_keys
from juntos_eval.estimators.panel.regression_frame import names_of
from juntos_eval.inference.cluster import Cluster

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["InteractionWeighted"]

By = Literal["event_time", "group", "cell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionWeighted:
    r"""Event study of Sun & Abraham (2021): cohorts apart, then averaged by their shares.

    .. math:: y_{it} = \alpha_i + \lambda_t + \sum_{g} \sum_{e \ne r} \delta_{g,e} 1\{G_i = g, t - g = e\}
              + x_{it}'\gamma + \varepsilon_{it}, \qquad
              \hat\beta_e = \sum_g \frac{n_{g,e}}{n_e} \hat\delta_{g,e}

    with n rows (by weight). Controls are never treated; where there are none, the last cohort, whose
    treated periods are left out.

    Parameters
    ----------
    outcome, time, first_treated, unit, covariates, absorb, weights, reference
        As in :class:`EventStudy`.
    by : {"event_time", "group", "cell"}
        What is averaged over: cohorts at an event time; event times of a cohort from zero on; or nothing.
    shares : {"fixed", "estimated"}
        Whether the shares' error is part of the uncertainty (as in the paper) or not (as in fixest).

    Raises
    ------
    DesignError
        If nobody is left as a control, and as :class:`FixedEffects`.

    References
    ----------
    Sun, L., & Abraham, S. (2021). Estimating dynamic treatment effects in event studies with heterogeneous
    treatment effects. *Journal of Econometrics*, 225(2), 175-199. (Section 4.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import InteractionWeighted
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [1, 2, 3] * 3,
    ...                       "start": [3] * 3 + [0] * 6, "y": [1.0, 1, 4, 2, 2, 2.5, 3, 4, 4.5]})
    >>> study = InteractionWeighted(outcome="y", unit="id", time="year", first_treated="start").fit(frame)
    >>> study.keys["event_time"], study.values.round(6).tolist()
    ((None, -2, 0), [2.5, 0.5, 2.5])
    """

    outcome: str
    time: str
    first_treated: str
    unit: str | None = None
    covariates: tuple[str, ...] = ()
    absorb: tuple[str, ...] = ()
    weights: str | None = None
    reference: float = -1
    by: By = "event_time"
    shares: Literal["fixed", "estimated"] = "fixed"

    def __post_init__(self) -> None:
        for name in ("covariates", "absorb"):
            object.__setattr__(self, name, names_of(getattr(self, name)))
        for name, value, allowed in (
            ("by", self.by, get_args(By)),
            ("shares", self.shares, ("fixed", "estimated")),
        ):
            if value not in allowed:
                raise DesignError(
                    f"there is no {name} {value!r}",
                    where="InteractionWeighted",
                    remedy=f"choose one of {', '.join(allowed)}",
                )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default clustered by the first absorbed factor, the unit.
        carry : tuple of str

        Returns
        -------
        Estimate
            First ``overall``, the mean of rows after treatment; then ``att`` by event time or cohort. With
            ``by="cell"`` only the cells, by ``group`` and ``event_time``.
        """
        columns = StaggeredColumns(
            outcome=self.outcome,
            time=self.time,
            first_treated=self.first_treated,
            unit=self.unit,
            covariates=self.covariates,
            weights=self.weights,
            carry=groups_to_carry(inference, carry),
        )
        frame, note = _with_controls(two_way_frame(data, columns, self.absorb))
        frame, note = _with_reference(frame, note, self.reference)
        cells = _cells(frame, self.reference)
        chosen = inference or Cluster(frame.absorb[0], kind="CR1S")
        found = regress_on_cells(frame, columns, cells.columns, chosen, carry)
        kept = {term: at for at, term in enumerate(found.keys["term"])}
        averages = _Averages.of(frame, cells, kept, self.by)
        estimate = found.combine(averages.weights, averages.keys)
        fit = estimate.fit
        if fit is not None and self.shares == "estimated" and self.by != "cell":
            estimate = replace(estimate, fit=averages.with_error(fit, found.values, frame.design.weights))
        estimate = replace(
            estimate.with_inference(chosen), checks=(*note, *_lost(cells, kept), *found.checks)
        )
        return with_keys(estimate, {"estimator": "InteractionWeighted", **asdict(self)}, averages.keys, frame)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """Cells of a cohort at an event time, with the weight of their rows."""

    columns: Cells
    cohorts: Floats
    events: Floats
    mass: Floats

    def __post_init__(self) -> None:
        for name in ("cohorts", "events", "mass"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


def _cells(frame: TwoWayFrame, wanted: float) -> _Cells:
    """Return the cells by cohort and event time, without those of the reference."""
    design = frame.design
    reference = float(design.timeline.rounded(np.array(wanted)))
    inside = np.isfinite(frame.event_time) & (frame.event_time != reference)
    cohort, cohorts = levels_of(design.first_treated[inside])
    event, events = levels_of(frame.event_time[inside])
    at, numbers = levels_of((cohort * len(events) + event).astype(np.float64))
    pairs = numbers.astype(np.int64)
    codes = np.full(design.n, -1, dtype=np.int64)
    codes[inside] = at
    found = cohorts[pairs // len(events)], events[pairs % len(events)]
    names = tuple(f"cohort={g:.15g}, event_time={e:.15g}" for g, e in zip(*found, strict=True))
    mass = np.bincount(at, weights=design.weights[inside], minlength=len(pairs))
    return _Cells(
        columns=Cells(names=names, codes=codes),
        cohorts=found[0],
        events=found[1],
        mass=np.asarray(mass, np.float64),
    )


@dataclass(frozen=True, slots=True)
class _Averages:
    """Weights (m, k) of the regression's coefficients in the averages, and which cells each is over."""

    weights: Floats
    keys: dict[str, tuple[Any, ...]]
    sets: tuple[Bools, ...]  # kept cells of each average
    cells: Codes  # of each row, among the kept ones and -1
    places: Codes  # of the kept cells among the coefficients

    @classmethod
    def of(cls, frame: TwoWayFrame, cells: _Cells, kept: dict[str, int], by: By) -> _Averages:
        at = np.array([i for i, name in enumerate(cells.columns.names) if name in kept], np.int64)
        places = np.array([kept[cells.columns.names[i]] for i in at], np.int64)
        groups, events, mass = cells.cohorts[at], cells.events[at], cells.mass[at]
        among = np.full(len(cells.columns.names) + 1, -1, np.int64)
        among[at] = np.arange(len(at))
        rows = among[cells.columns.codes]
        label = frame.design.timeline.label
        if by == "cell":
            weights = np.zeros((len(at), len(kept)))
            weights[np.arange(len(at)), places] = 1.0
            keys: dict[str, tuple[Any, ...]] = {
                "term": ("att",) * len(at),
                "group": tuple(label(one) for one in groups),
                "event_time": tuple(number(one) for one in events),
            }
            return cls(weights, keys, (), rows, places)
        after = events >= 0
        levels = np.unique(events) if by == "event_time" else np.unique(groups[after])
        sets = [
            after,
            *((events == one) if by == "event_time" else (groups == one) & after for one in levels),
        ]
        weights = np.zeros((len(sets), len(kept)))
        for row, here in zip(weights, sets, strict=True):
            row[places[here]] = mass[here] / mass[here].sum()
        named = [label(one) if by == "group" else number(one) for one in levels]
        keys = {"term": ("overall", *["att"] * len(levels)), by: (None, *named)}
        return cls(weights, keys, tuple(sets), rows, places)

    def with_error(self, fit: Fit, values: Floats, weights: Floats) -> Fit:
        r"""Add what the error of shares does: :math:`w_i (\delta_{c(i)} - \hat\beta) / \sum w` by row."""
        inside = np.stack(self.sets)
        mass = np.bincount(self.cells[self.cells >= 0], weights=weights[self.cells >= 0])
        deviation = (values[self.places] - fit.values[:, None]) * inside / (inside @ mass)[:, None]
        if isinstance(fit.influence, CellInfluence):
            # rows of an atom are of one cell
            atoms = fit.influence.deviations.atoms
            own = np.zeros_like(fit.influence.own)
            has_cell = self.cells >= 0
            own[atoms[has_cell]] = deviation.T[self.cells[has_cell]]
            return replace(fit, influence=replace(fit.influence, own=own), linear=None)
        blocks = []
        for at, here in enumerate(self.sets):
            rows = np.flatnonzero(np.append(here, False)[self.cells])
            added = weights[rows] * deviation[at, self.cells[rows]]
            blocks.append(Block(rows, np.array([at]), added[:, None]))
        every = np.arange(fit.n)
        own_block = Block(every, np.arange(len(fit.values)), fit.influence.dense())
        return replace(
            fit, influence=BlockInfluence((own_block, *blocks), fit.n, len(fit.values)), linear=None
        )


def _with_controls(frame: TwoWayFrame) -> tuple[TwoWayFrame, tuple[Check, ...]]:
    """Leave out who is treated from the start on; without never-treated, the last cohort are the controls."""
    design = frame.design
    frame = frame.keep(~frame.is_always, "treated in the first period, without a period before")
    if np.isinf(design.first_treated).any():
        return frame, ()
    last = float(frame.design.cohorts[-1]) if len(frame.design.cohorts) else np.nan
    times = frame.design.timeline.values[frame.design.period]
    frame = frame.keep(times < last, "period in which the last cohort is treated")
    if len(frame.design.cohorts) < 2:
        raise DesignError(
            "there is no cohort to compare with",
            where=f"{frame.design.n} rows, {len(frame.design.cohorts)} cohort",
            remedy="add units that are never treated, or treated later",
        )
    is_last = frame.design.first_treated == last
    never = np.where(is_last, np.inf, frame.design.first_treated)
    note = f"nobody is never treated: the last cohort ({frame.design.timeline.label(last)}) is compared with"
    return (
        replace(
            frame,
            design=replace(frame.design, first_treated=never),
            event_time=np.where(is_last, -np.inf, frame.event_time),
        ),
        (Check("controls", None, note),),
    )


def _with_reference(
    frame: TwoWayFrame, notes: tuple[Check, ...], reference: float
) -> tuple[TwoWayFrame, tuple[Check, ...]]:
    """Leave out cohorts without a row at the reference: nothing says what they are compared with."""
    first, label = frame.design.first_treated, frame.design.timeline.label
    at = float(frame.design.timeline.rounded(np.array(reference)))
    lost = [one for one in frame.design.cohorts if not (frame.event_time[first == one] == at).any()]
    if not lost:
        return frame, notes
    names = ", ".join(str(label(one)) for one in lost)
    if len(lost) == len(frame.design.cohorts):
        seen = ", ".join(
            f"{one:g}" for one in np.unique(frame.event_time[np.isfinite(frame.event_time)])[:12]
        )
        raise DesignError(
            "no row has the event time of reference",
            where=f"reference={reference:g}; there are {seen}",
            remedy="choose an event time that the data have, or use GroupTime, which compares each cohort "
            "with its own last period before treatment",
        )
    check = Check("cohorts left out", False, f"no row at the reference {reference:g}: {names}")
    return frame.keep(~np.isin(first, lost), "cohort without the reference event time"), (*notes, check)


def _lost(cells: _Cells, kept: dict[str, int]) -> Sequence[Check]:
    lost = [name for name in cells.columns.names if name not in kept]
    if not lost:
        return ()
    return (Check("cells left out", False, f"not identified beside the others: {'; '.join(lost)}"),)
