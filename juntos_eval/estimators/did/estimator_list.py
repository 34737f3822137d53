"""How each estimator of a staggered design is asked the same questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate, Estimator, Inference
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.averages import aggregate
from juntos_eval.estimators.did.cell_effects import Cells, regress_on_cells
from juntos_eval.estimators.did.event_study import EventStudy
from juntos_eval.estimators.did.extended_two_way import ExtendedTwoWay
from juntos_eval.estimators.did.group_time import GroupTime
from juntos_eval.estimators.did.imputation import Imputation
from juntos_eval.estimators.did.interaction_weighted import InteractionWeighted
from juntos_eval.estimators.did.local_projections import LocalProjections
from juntos_eval.estimators.did.stacked import Stacked
from juntos_eval.estimators.did.staggered import StaggeredColumns
from juntos_eval.estimators.did.two_stage_imputation import TwoStageImputation
from juntos_eval.estimators.did.two_way_frame import two_way_frame, with_keys
from juntos_eval.estimators.did.untreated_stage import columns_of, lead_effects
from juntos_eval.inference.cluster import Cluster

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Choices", "Pair", "pairs_of", "static_of", "static_two_way"]

Run = Callable[["DataFrame", Inference | None], Estimate]

ROWS = "treated rows"
WINDOW = "event times of the window"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Columns of a staggered design, as all estimators are told them.

    Examples
    --------
    >>> from juntos_eval.estimators.did.estimator_list import Choices
    >>> Choices(outcome="y", time="year", first_treated="start", unit="id").regression["unit"]
    'id'
    """

    outcome: str
    time: str
    first_treated: str
    unit: str | None = None
    covariates: tuple[str, ...] = ()
    weights: str | None = None
    is_panel: bool = True

    @property
    def group_time(self) -> dict[str, Any]:
        """Arguments of GroupTime."""
        own = {name: getattr(self, name) for name in ("outcome", "time", "first_treated", "unit")}
        return own | {"covariates": self.covariates, "weights": self.weights, "panel": self.is_panel}

    @property
    def regression(self) -> dict[str, Any]:
        """Arguments of regressions: rows of cross-sections have no unit of their own."""
        own = {name: value for name, value in self.group_time.items() if name != "panel"}
        return own if self.is_panel else own | {"unit": None}

    def by(self, inference: Inference | None) -> Inference | None:
        """Return the inference that is asked for; in cross-sections of units clustered by these."""
        if inference is None and not self.is_panel and self.unit is not None:
            return Cluster(self.unit, kind="CR1S")
        return inference


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """How an estimator gives effects by event time, an overall effect, and leads to be tested.

    Examples
    --------
    >>> from juntos_eval.estimators.did.estimator_list import Pair
    >>> Pair(event=lambda data, inference: None).target
    'treated rows'
    """

    event: Run
    static: Run | None = None
    leads: Run | None = None
    target: str = ROWS

    @staticmethod
    def of_one(estimator: Estimator) -> Pair:
        """Return the pair of an estimator whose estimate has everything."""
        return Pair(
            event=lambda data, inference: estimator.fit(data, inference=inference),
            target="as the estimator defines it",
        )


def pairs_of(choices: Choices, window: tuple[float, float]) -> Iterator[tuple[str, Pair]]:
    """Yield the name and the questions of each estimator.

    Parameters
    ----------
    choices : Choices
    window : tuple of float
        First and last event time of the regressions that need one.

    Yields
    ------
    tuple of str and Pair
    """

    def fit(estimator: Estimator) -> Run:
        return lambda data, inference: estimator.fit(data, inference=choices.by(inference))

    same = choices.regression
    yield (
        "two-way",
        Pair(
            event=fit(EventStudy(**same)),
            static=lambda data, inference: static_two_way(data, choices, inference),
            target="treated rows, by weights of the regression",
        ),
    )
    for control in ("never", "not_yet"):
        yield f"group-time, {control.replace('_', ' ')}", _group_time(choices, control)
    yield "interaction-weighted", Pair(event=fit(InteractionWeighted(**same)))
    yield (
        "imputation",
        Pair(
            event=fit(Imputation(**same, by="event_time")),
            static=fit(Imputation(**same)),
            leads=lambda data, inference: _leads(data, choices, choices.by(inference)),
        ),
    )
    yield (
        "two-stage",
        Pair(event=fit(TwoStageImputation(**same, by="event_time")), static=fit(TwoStageImputation(**same))),
    )
    for control in ("not_yet", "never"):
        base: dict[str, Any] = {**same, "control": control}
        yield (
            f"extended two-way, {control.replace('_', ' ')}",
            Pair(event=fit(ExtendedTwoWay(**base, by="event_time")), static=fit(ExtendedTwoWay(**base))),
        )
    yield from _windowed(choices, window)


def _windowed(choices: Choices, window: tuple[float, float]) -> Iterator[tuple[str, Pair]]:
    def stacked(data: DataFrame, inference: Inference | None) -> Estimate:
        spec = Stacked(**choices.regression, before=-window[0], after=window[1], aggregate="cohort")
        return spec.fit(data, inference=choices.by(inference))

    yield "stacked", Pair(event=stacked, target=WINDOW)

    def projections(data: DataFrame, inference: Inference | None) -> Estimate:
        if not choices.is_panel or choices.unit is None:
            raise DesignError(
                "local projections need a panel with its unit",
                where=f"unit={choices.unit!r}",
                remedy="name the unit, or leave projections out",
            )
        horizons = tuple(h for h in range(int(np.ceil(window[0])), int(window[1]) + 1) if h != -1)
        spec = LocalProjections(**choices.regression, horizons=horizons, weighting="equal")
        return spec.fit(data, inference=choices.by(inference))

    yield "projections", Pair(event=projections, target=WINDOW)


def _group_time(choices: Choices, control: str) -> Pair:
    spec: Any = GroupTime(**choices.group_time, control=control, base="universal")  # type: ignore[arg-type]

    def averaged(kind: Any) -> Run:
        return lambda data, inference: aggregate(spec.fit(data, inference=inference), kind)

    return Pair(event=averaged("dynamic"), static=averaged("simple"))


def static_two_way(data: DataFrame, choices: Choices, inference: Inference | None) -> Estimate:
    """Regress on being treated, with effects of units (or cohorts) and periods.

    Parameters
    ----------
    data : pandas.DataFrame
    choices : Choices
    inference : Inference or None

    Returns
    -------
    Estimate
        Row ``att``.
    """
    asked = choices.by(inference)
    columns = StaggeredColumns(**choices.regression, carry=groups_to_carry(asked, ()))
    frame = two_way_frame(data, columns, ())
    chosen = asked or Cluster(frame.absorb[0], kind="CR1S")
    cells = Cells(names=("treated",), codes=np.where(frame.event_time >= 0, 0, -1))
    found = regress_on_cells(frame, columns, cells, chosen, ())
    first = np.zeros((1, len(found.values)))
    first[0, found.keys["term"].index("treated")] = 1.0
    keys: dict[str, tuple[Any, ...]] = {"term": ("att",)}
    estimate = found.combine(first, keys).with_inference(chosen)
    return with_keys(estimate, {"estimator": "static two-way", "outcome": choices.outcome}, keys, frame)


def _leads(data: DataFrame, choices: Choices, inference: Inference | None) -> Estimate:
    """Regress untreated rows on all but the earliest event times before treatment."""
    columns = columns_of(Imputation(**choices.regression), groups_to_carry(inference, ()))
    frame = two_way_frame(data, columns, ())
    before = np.unique(frame.event_time[np.isfinite(frame.event_time) & (frame.event_time < 0)])
    return lead_effects(frame, columns, before[1:].tolist(), inference, ())


def static_of(estimate: Estimate) -> Estimate:
    """Return the overall row of an estimate by event time, or the mean of its effects from zero on.

    Parameters
    ----------
    estimate : Estimate

    Returns
    -------
    Estimate
        One row.

    Raises
    ------
    DesignError
        If it has no event time from zero on.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Estimate, Sample, Uncertainty
    >>> from juntos_eval.estimators.did.estimator_list import static_of
    >>> effects = Estimate(
    ...     spec={"estimator": "by hand"}, keys={"term": ("att",) * 3, "event_time": (-2, 0, 1)},
    ...     values=[9.0, 1.0, 3.0], uncertainty=Uncertainty(method="known", covariance=np.eye(3), df=np.inf),
    ...     sample=Sample(rows=10, units=5))
    >>> static_of(effects).values.tolist()
    [2.0]
    """
    terms = estimate.keys["term"]
    if "overall" in terms:
        weights = np.array([[float(term == "overall") for term in terms]])
    else:
        after = np.array([one is not None and float(one) >= 0 for one in estimate.keys["event_time"]])
        if not after.any():
            raise DesignError(
                "the estimate has no effect after treatment",
                where=f"keys {', '.join(estimate.keys)}",
                remedy="widen the window",
            )
        weights = (after / after.sum())[None, :]
    found = estimate.combine(weights, {"term": ("att",)})
    follows = estimate.uncertainty.intervals is None and estimate.uncertainty.p_values is None
    if follows or estimate.inference is None or found.fit is None:
        return found
    return found.with_inference(estimate.inference)
