"""The two-way fixed-effects event study, as it was run before its faults were known."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.cell_effects import Cells, regress_on_cells
from juntos_eval.estimators.did.staggered import StaggeredColumns, levels_of
from juntos_eval.estimators.did.timeline import number
from juntos_eval.estimators.did.two_way_frame import TwoWayFrame, two_way_frame, with_keys
from juntos_eval.estimators.panel.regression_frame import names_of
from juntos_eval.inference.cluster import Cluster

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["EventStudy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStudy:
    r"""Two-way fixed effects with an indicator for each time since treatment.

    .. math:: y_{it} = \alpha_i + \lambda_t + \sum_{e \ne r} \beta_e 1\{t - g_i = e\} + x_{it}'\gamma
              + \varepsilon_{it}

    with r the reference. Where effects differ between cohorts, :math:`\beta_e` mixes effects of other event
    times into its own, with weights that may be negative (Sun & Abraham 2021): it is here to be compared with
    :class:`GroupTime`, :class:`InteractionWeighted` and :class:`Imputation`.

    Parameters
    ----------
    outcome, time, first_treated : str
        As in :class:`GroupTime`.
    unit : str, optional
        Without it, cross-sections: effects of cohorts instead of units.
    covariates : tuple of str
    absorb : tuple of str
        Effects instead of unit and time, such as ``("district", "region^year")``.
    weights : str, optional
    reference : float
        Event time that others are compared with.
    window : tuple of float, optional
        First and last event time with an indicator of its own; earlier and later ones are joined with these
        ends.

    Raises
    ------
    DesignError
        For a reference outside the window or not in the data, and as :class:`FixedEffects`.

    References
    ----------
    Sun, L., & Abraham, S. (2021). Estimating dynamic treatment effects in event studies with heterogeneous
    treatment effects. *Journal of Econometrics*, 225(2), 175-199. (Section 3.)
    Schmidheiny, K., & Siegloch, S. (2023). On event studies and distributed-lags in two-way fixed effects
    models: identification, equivalence, and generalization. *Journal of Applied Econometrics*, 38(5),
    695-713.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import EventStudy
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [1, 2, 3] * 3,
    ...                       "start": [3] * 3 + [0] * 6, "y": [1.0, 1, 4, 2, 2, 2.5, 3, 4, 4.5]})
    >>> study = EventStudy(outcome="y", unit="id", time="year", first_treated="start").fit(frame)
    >>> study.keys["event_time"], study.values.round(6).tolist()
    ((-2, 0), [0.5, 2.5])
    """

    outcome: str
    time: str
    first_treated: str
    unit: str | None = None
    covariates: tuple[str, ...] = ()
    absorb: tuple[str, ...] = ()
    weights: str | None = None
    reference: float = -1
    window: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name in ("covariates", "absorb"):
            object.__setattr__(self, name, names_of(getattr(self, name)))
        if self.window is not None and not self.window[0] <= self.reference <= self.window[1]:
            raise DesignError(
                "the reference lies outside the window of event times",
                where=f"reference={self.reference:g}, window={self.window}",
                remedy="choose a reference that has an indicator of its own",
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
            Rows ``att`` by ``event_time``, then those of covariates.
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
        frame = two_way_frame(data, columns, self.absorb)
        cells = self._cells(frame)
        chosen = inference or Cluster(frame.absorb[0], kind="CR1S")
        found = regress_on_cells(frame, columns, cells, chosen, carry).with_inference(chosen)
        at = {name: number(float(name.partition("=")[2])) for name in cells.names}
        terms = found.keys["term"]
        keys = {
            "term": tuple("att" if term in at else term for term in terms),
            "event_time": tuple(at.get(term) for term in terms),
        }
        return with_keys(found, {"estimator": "EventStudy", **asdict(self)}, keys, frame)

    def _cells(self, frame: TwoWayFrame) -> Cells:
        event = frame.event_time
        if self.window is not None:
            ends = frame.design.timeline.rounded(np.array(self.window))
            event = np.where(np.isinf(event), event, np.clip(event, *ends))
        level, levels = levels_of(event)
        times = levels[np.isfinite(levels)]
        reference = float(frame.design.timeline.rounded(np.array(self.reference)))
        if reference not in times:
            seen = ", ".join(f"{one:g}" for one in times[:12])
            raise DesignError(
                "no row has the event time of reference",
                where=f"reference={self.reference:g}; there are {seen}",
                remedy="choose an event time that the data have",
            )
        own = times[times != reference]
        of_level = np.full(len(levels), -1, dtype=np.int64)
        of_level[np.isin(levels, own)] = np.arange(len(own))
        codes = of_level[level]
        return Cells(names=tuple(f"event_time={one:.15g}" for one in own), codes=codes)
