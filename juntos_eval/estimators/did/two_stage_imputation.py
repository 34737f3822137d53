"""The two-stage estimator: what untreated rows predict is taken out, the rest is regressed on treatment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.estimate import DenseInfluence, Estimate, Fit, Inference
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.timeline import number
from juntos_eval.estimators.did.two_way_frame import TwoWayFrame
from juntos_eval.estimators.did.untreated_stage import (
    columns_of,
    prepare,
    refuse_unknown,
    sample_of,
    stage_checks,
    stage_details,
)
from juntos_eval.estimators.panel.regression_frame import names_of
from juntos_eval.inference.cluster import Cluster

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["TwoStageImputation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStageImputation:
    r"""Two-stage difference-in-differences (Gardner 2022).

    The first stage is that of :class:`Imputation`; the second regresses what it leaves of every row's outcome
    on indicators of treatment. Static effects are those of :class:`Imputation`; the standard error is that
    of the two stages as one system of moments, with residuals around the estimates themselves:

    .. math:: \hat\psi_i = (X_2'WX_2)^{-1} \bigl\{ w_i x_{2i} \hat u_{2i}
              - \text{(what the first stage carries of } X_2) \, \hat u_{1i} \bigr\}

    Parameters
    ----------
    outcome, time, first_treated, unit, covariates, absorb, weights
        As in :class:`Imputation`.
    by : {"static", "event_time"}
        One indicator of treatment, or one for each event time but ``reference``, those before treatment
        included.
    reference : float
        Event time without an indicator, as never-treated rows.

    Raises
    ------
    DesignError
        As :class:`Imputation`.

    References
    ----------
    Gardner, J. (2022). Two-stage differences in differences. Working paper, arXiv:2207.05943. (Section 3.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import TwoStageImputation
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [1, 2, 3] * 3,
    ...                       "start": [3] * 3 + [0] * 6, "y": [1.0, 1, 4, 2, 2, 2.5, 3, 4, 4.5]})
    >>> found = TwoStageImputation(outcome="y", unit="id", time="year", first_treated="start").fit(frame)
    >>> found.values.round(6).tolist()
    [2.25]
    """

    outcome: str
    time: str
    first_treated: str
    unit: str | None = None
    covariates: tuple[str, ...] = ()
    absorb: tuple[str, ...] = ()
    weights: str | None = None
    by: Literal["static", "event_time"] = "static"
    reference: float = -1

    def __post_init__(self) -> None:
        for name in ("covariates", "absorb"):
            object.__setattr__(self, name, names_of(getattr(self, name)))
        refuse_unknown("TwoStageImputation", by=(self.by, ("static", "event_time")))

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default clustered by the first absorbed factor, without a small-sample factor.
        carry : tuple of str

        Returns
        -------
        Estimate
            Row ``att``, or rows by ``event_time``.
        """
        prepared = prepare(data, columns_of(self, groups_to_carry(inference, carry)), self.absorb)
        chosen = inference or Cluster(prepared.frame.absorb[0], kind="CR0")
        stage, frame = prepared.stage, prepared.frame
        indicators, keys = self._indicators(frame, prepared.is_treated)
        indicators = np.where(stage.is_identified[:, None], indicators, 0.0)
        # indicators of event times do not overlap, so the regression is a mean for each
        mass = prepared.weights @ indicators
        shares = indicators * prepared.weights[:, None] / np.where(mass > 0, mass, np.nan)
        rest = np.where(stage.is_identified, stage.rest, 0.0)
        values = shares.T @ rest
        second = rest - indicators @ np.where(mass > 0, values, 0.0)
        psi = shares * second[:, None]
        psi[stage.fitted] -= stage.carried(shares) * stage.rest[stage.fitted, None]
        fit = Fit(
            values=values,
            influence=DenseInfluence(psi),
            parameters=stage.parameters + len(values),
            groups=prepared.groups,
        )
        used = prepared.is_treated & stage.is_identified
        return Estimate(
            spec={"estimator": "TwoStageImputation", **asdict(self)},
            keys=keys,
            values=values,
            uncertainty=chosen.infer(fit),
            sample=sample_of(prepared),
            checks=stage_checks(prepared, used),
            details=stage_details(prepared),
            fit=fit,
            inference=chosen,
        )

    def _indicators(self, frame: TwoWayFrame, is_treated: Bools) -> tuple[Floats, dict[str, tuple[Any, ...]]]:
        if self.by == "static":
            return is_treated.astype(np.float64)[:, None], {"term": ("att",)}
        times = np.unique(frame.event_time[np.isfinite(frame.event_time)])
        times = times[times != self.reference]
        return (frame.event_time[:, None] == times).astype(np.float64), {
            "term": ("att",) * len(times),
            "event_time": tuple(number(one) for one in times),
        }
