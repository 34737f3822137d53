"""Every estimator of a staggered design on the same rows, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import DesignError, JuntosError
from juntos_eval.estimate import Estimate, Estimator, Inference
from juntos_eval.estimators.did.estimator_list import Choices, Pair, pairs_of, static_of
from juntos_eval.estimators.did.pretrend import pretrend_p_value
from juntos_eval.estimators.did.treatment_timing import Rollout, rollout
from juntos_eval.inference.multiplier_bootstrap import MultiplierBootstrap

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["EstimatorComparison", "compare_estimators"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatorComparison:
    """What each estimator says of one design.

    Attributes
    ----------
    static : Mapping of str to Estimate
        One overall effect by estimator.
    events : Mapping of str to Estimate
        Effects by time since treatment.
    targets : Mapping of str to str
        What the overall effect is a mean of.
    pretrend : Mapping of str to float
        p value of the joint test of effects before treatment; NaN where there is none.
    failures : Mapping of str to str
        Why an estimator gave no number.
    design : Rollout

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import compare_estimators
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [1, 2, 3] * 3,
    ...                       "start": [3] * 3 + [0] * 6, "y": [1.0, 1, 4, 2, 2, 2.5, 3, 4, 4.5]})
    >>> found = compare_estimators(frame, outcome="y", unit="id", time="year", first_treated="start",
    ...                            names=("two-way", "imputation"), draws=99)
    >>> found.tidy()[["estimator", "estimate"]].round(3).values.tolist()
    [['two-way', 2.25], ['imputation', 2.25]]
    """

    static: Mapping[str, Estimate]
    events: Mapping[str, Estimate]
    targets: Mapping[str, str]
    pretrend: Mapping[str, float]
    failures: Mapping[str, str]
    design: Rollout

    def __post_init__(self) -> None:
        for name in ("static", "events", "targets", "pretrend", "failures"):
            object.__setattr__(self, name, FrozenMapping(getattr(self, name)))

    @property
    def names(self) -> tuple[str, ...]:
        """Every estimator that was asked, in order."""
        return tuple(self.targets)

    def tidy(self, level: float = 0.95) -> DataFrame:
        """Return one row an estimator: its overall effect, the test of the periods before, or why not.

        The columns are estimator, estimate, std_error, conf_low, conf_high, pretrend_p, target, n,
        inference, failure.
        """
        rows = []
        for name in self.names:
            row: dict[str, Any] = {"estimator": name}
            if name in self.static:
                (found,) = self.static[name].tidy(level).to_dict("records")
                row |= {key: found[key] for key in ("estimate", "std_error", "conf_low", "conf_high")}
                row |= {"n": found["n"], "inference": found["inference"]}
            row |= {
                "pretrend_p": self.pretrend.get(name, float("nan")),
                "target": self.targets[name],
                "failure": self.failures.get(name, ""),
            }
            rows.append(row)
        columns = ["estimator", "estimate", "std_error", "conf_low", "conf_high", "pretrend_p", "target"]
        return pd.DataFrame(rows).reindex(columns=[*columns, "n", "inference", "failure"])

    def event_study(self, level: float = 0.95) -> DataFrame:
        """Return one row an estimator and event time, with pointwise intervals and simultaneous bands.

        The columns are estimator, event_time, estimate, std_error, conf_low, conf_high, band_low, band_high.
        """
        parts = []
        for name, estimate in self.events.items():
            frame = estimate.tidy(level)[["event_time", "estimate", "std_error", "conf_low", "conf_high"]]
            band = estimate.interval(level, simultaneous=True)
            frame = frame.assign(estimator=name, band_low=band[:, 0], band_high=band[:, 1])
            parts.append(frame)
        columns = ["estimator", "event_time", "estimate", "std_error", "conf_low", "conf_high"]
        columns += ["band_low", "band_high"]
        if not parts:
            return pd.DataFrame(columns=columns)
        return pd.concat(parts, ignore_index=True)[columns]

    def __repr__(self) -> str:
        return self._shown().to_string(index=False, float_format="{:.5g}".format, na_rep="–")

    def _repr_html_(self) -> str:
        return str(self._shown().to_html(index=False, float_format="{:.5g}".format, na_rep="–", border=0))

    def _shown(self) -> DataFrame:
        frame = self.tidy().drop(columns=["inference"])
        return frame if self.failures else frame.drop(columns=["failure"])


def compare_estimators(  # noqa: PLR0913
    data: DataFrame,
    *,
    outcome: str,
    time: str,
    first_treated: str,
    unit: str | None = None,
    covariates: tuple[str, ...] = (),
    weights: str | None = None,
    panel: bool = True,
    window: tuple[float, float] | None = None,
    names: tuple[str, ...] | None = None,
    others: Mapping[str, Estimator] | None = None,
    inference: Inference | None = None,
    draws: int = 999,
    seed: int = 0,
) -> EstimatorComparison:
    """Estimate a staggered design by every estimator that applies to it.

    All are asked for the mean effect over treated rows where they have one (the stacked regression and local
    projections: the mean over event times of the window), and for effects by time since treatment.

    Parameters
    ----------
    data : pandas.DataFrame
    outcome, time, first_treated, unit, covariates, weights
        As in :class:`GroupTime`. Covariates enter each estimator in its own way.
    panel : bool
        False for repeated cross-sections; the unit then is what errors are clustered by.
    window : tuple of float, optional
        First and last event time of the regressions that need a window, such as (-3, 2); by default the
        longest that every cohort has.
    names : tuple of str, optional
        Which of the estimators to run; all by default.
    others : Mapping of str to Estimator, optional
        Further ones; their estimates have rows by ``event_time``, and may have a row ``overall``.
    inference : Inference, optional
        By default each estimator's own, clustered by the unit.
    draws, seed : int
        Of the multiplier draws behind the simultaneous bands, by the unit.

    Returns
    -------
    EstimatorComparison
        An estimator that fails is named with its reason and stops none of the others.

    Raises
    ------
    DesignError
        For a name that is not known, and for a design that cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import compare_estimators
    >>> frame = pd.DataFrame({"year": [1, 2, 3] * 4, "start": ([3] * 3 + [0] * 3) * 2,
    ...                       "y": [1.0, 1, 4, 2, 2, 2.5, 3, 4, 4.5, 2, 1, 1]})
    >>> found = compare_estimators(frame, outcome="y", time="year", first_treated="start", panel=False,
    ...                            names=("group-time, never", "projections"), draws=99)
    >>> found.failures["projections"]
    'local projections need a panel with its unit'
    """
    choices = Choices(
        outcome=outcome,
        time=time,
        first_treated=first_treated,
        unit=unit,
        covariates=tuple(covariates),
        weights=weights,
        is_panel=panel,
    )
    design = rollout(data, time=time, first_treated=first_treated, unit=unit, weights=weights)
    asked = _asked(dict(pairs_of(choices, _window(design, window))), names)
    asked |= {name: Pair.of_one(one) for name, one in (others or {}).items()}
    found = _Found({}, {}, {}, {})
    for name, pair in asked.items():
        try:
            _run(name, pair, data, inference, found)
        except JuntosError as error:
            found.failures[name] = error.what
    bands = MultiplierBootstrap(draws=draws, seed=seed, by=unit if unit is not None else None)
    return EstimatorComparison(
        static=found.static,
        events={name: _with_band(estimate, bands) for name, estimate in found.events.items()},
        targets={name: pair.target for name, pair in asked.items()},
        pretrend=found.pretrend,
        failures=found.failures,
        design=design,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    static: dict[str, Estimate]
    events: dict[str, Estimate]
    pretrend: dict[str, float]
    failures: dict[str, str]


def _run(name: str, pair: Pair, data: DataFrame, inference: Inference | None, found: _Found) -> None:
    event = pair.event(data, inference)
    found.static[name] = static_of(event) if pair.static is None else pair.static(data, inference)
    found.events[name] = event
    leads = event if pair.leads is None else _attempt(pair.leads, data, inference)
    if leads is not None:
        before = np.array([one is not None and float(one) < 0 for one in leads.keys["event_time"]])
        found.pretrend[name] = pretrend_p_value(leads.values, leads.uncertainty, before)


def _attempt(
    leads: Callable[[DataFrame, Inference | None], Estimate], data: DataFrame, inference: Inference | None
) -> Estimate | None:
    """Return the leads, or nothing where no period can be tested."""
    try:
        return leads(data, inference)
    except JuntosError:
        return None


def _window(design: Rollout, given: tuple[float, float] | None) -> tuple[float, float]:
    """Return the event times that every cohort with a period before treatment has."""
    if given is not None:
        return given
    seen = design.rows > 0
    first, last = [], []
    for here, events in zip(seen, design.event_time, strict=True):
        inside = events[here & np.isfinite(events)]
        if len(inside) and inside[0] < 0 <= inside[-1]:
            first.append(inside[0])
            last.append(inside[-1])
    return (max(first), min(last)) if first else (-1.0, 0.0)


def _with_band(estimate: Estimate, bands: MultiplierBootstrap) -> Estimate:
    """Keep the standard errors, and take the critical value of the band from multiplier draws."""
    only = _event_rows(estimate)
    if only.fit is None or any(column not in only.fit.groups for column in bands.columns):
        return only
    drawn = bands.infer(only.fit)
    return replace(only, uncertainty=replace(only.uncertainty, band=drawn.band))


def _event_rows(estimate: Estimate) -> Estimate:
    """Return the rows that have an event time, in its order."""
    times = estimate.keys["event_time"]
    rows = [at for at, one in enumerate(times) if one is not None]
    rows = sorted(rows, key=lambda at: float(times[at]))
    pick = np.eye(len(times))[rows]
    keys = {name: tuple(labels[at] for at in rows) for name, labels in estimate.keys.items()}
    return estimate.combine(pick, keys)


def _asked(pairs: dict[str, Pair], names: tuple[str, ...] | None) -> dict[str, Pair]:
    unknown = [name for name in names or () if name not in pairs]
    if unknown:
        raise DesignError(
            f"there is no estimator {unknown[0]!r}",
            where="names=",
            remedy=f"choose of {', '.join(pairs)}; give others by others=",
        )
    return pairs if names is None else {name: pairs[name] for name in names}
