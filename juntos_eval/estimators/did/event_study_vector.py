"""Event-study coefficients as a vector around their reference period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import Estimate

__all__ = ["EventVector", "event_vector"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventVector:
    """Effects by event time, without the reference, with their covariance.

    Attributes
    ----------
    values : numpy.ndarray, shape (k,)
        In the order of event time.
    covariance : numpy.ndarray, shape (k, k)
    event_times : numpy.ndarray, shape (k,)
    reference : float
    method : str
        The inference that the covariance is of.
    outcome : str

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.event_study_vector import event_vector
    >>> vector = event_vector((np.array([0.1, 0.0, 1.0]), np.eye(3), (-3, -2, 0)))
    >>> vector.before, vector.after, vector.reference
    (2, 1, -1.0)
    """

    values: Floats
    covariance: Floats
    event_times: Floats
    reference: float
    method: str
    outcome: str = ""

    @property
    def is_before(self) -> Bools:
        """Whether each effect lies before the reference."""
        return np.asarray(self.event_times < self.reference)

    @property
    def before(self) -> int:
        """Number of effects before the reference."""
        return int(self.is_before.sum())

    @property
    def after(self) -> int:
        """Number of effects after the reference."""
        return len(self.values) - self.before

    def target(self, wanted: Any) -> tuple[Floats, str]:
        """Return the weights on the effects after the reference (after,), and their name.

        Raises
        ------
        DesignError
            If there is no such effect.
        """
        later = self.event_times[~self.is_before]
        treated = later >= 0
        if isinstance(wanted, str) and wanted in ("first", "last", "average") and treated.any():
            at = np.flatnonzero(treated)
            weights = np.zeros(len(later))
            if wanted == "average":
                weights[at] = 1 / len(at)
                return weights, "average of the periods after treatment"
            wanted = float(later[at[0] if wanted == "first" else at[-1]])
        if not isinstance(wanted, str):
            asked = np.atleast_1d(np.asarray(wanted, dtype=np.float64))
            if len(asked) == 1 and (later == asked[0]).any():
                return (later == asked[0]).astype(np.float64), f"event time {asked[0]:g}"
            if len(asked) == len(later) > 1 and np.isfinite(asked).all() and asked.any():
                return asked, "weighted sum of effects"
        raise DesignError(
            "the target is no effect after the reference",
            where=f"target={wanted!r}, effects at {', '.join(f'{at:g}' for at in later)}",
            remedy="name 'first', 'last', 'average', an event time, or a weight for each of these effects",
        )


def event_vector(source: Estimate | tuple[Any, Any, Any]) -> EventVector:
    """Return the effects by event time of an estimate, or of (effects, covariance, event times).

    Parameters
    ----------
    source : Estimate or tuple
        The one period in the middle that is missing is the reference.

    Returns
    -------
    EventVector

    Raises
    ------
    DesignError
        If the effects are not one a period with one reference left out, or compare with more than one
        period (a varying base).
    InferenceError
        If their covariance is not known.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.event_study_vector import event_vector
    >>> event_vector((np.zeros(2), np.eye(2), (0, -2))).event_times.tolist()
    [-2.0, 0.0]
    """
    values, covariance, times, method, outcome = _parts(source)
    if len({len(values), len(times), *covariance.shape}) != 1:
        raise DesignError(
            "effects, covariance and event times do not belong together",
            where=f"{len(values)} effects, covariance {covariance.shape}, {len(times)} event times",
            remedy="give one event time and one row of the covariance for each effect",
        )
    reference = _reference(times)
    order = np.argsort(times, kind="stable")
    values, covariance, times = values[order], covariance[np.ix_(order, order)], times[order]
    spread = np.diag(covariance)
    if not (np.isfinite(values).all() and np.isfinite(covariance).all() and (spread > 0).all()):
        unknown = times[~(np.isfinite(values) & (spread > 0) & np.isfinite(covariance).all(axis=1))]
        raise InferenceError(
            "the covariance of the event study is not known for every period",
            where=f"event times {', '.join(f'{at:g}' for at in unknown)}",
            remedy="leave these periods out of the event study",
        )
    return EventVector(
        values=values,
        covariance=(covariance + covariance.T) / 2,
        event_times=times,
        reference=reference,
        method=method,
        outcome=outcome,
    )


def _parts(source: Any) -> tuple[Floats, Floats, Floats, str, str]:
    if not isinstance(source, Estimate):
        values, covariance, times = (np.asarray(part, dtype=np.float64) for part in source)
        return np.atleast_1d(values), np.atleast_2d(covariance), np.atleast_1d(times), "given", ""
    labels = source.keys.get("event_time", ())
    rows = [row for row, label in enumerate(labels) if label is not None and not _is_nan(label)]
    if not rows:
        raise DesignError(
            "these effects have no event time",
            where=f"keys {', '.join(source.keys)}",
            remedy="give an event study: EventStudy, InteractionWeighted, or aggregate(…, 'dynamic')",
        )
    if source.spec.get("base") == "varying":
        raise DesignError(
            "effects before treatment that compare with the period before each have no common reference",
            where="base='varying'",
            remedy="estimate with base='universal', so that all effects have one reference",
        )
    covariance = source.uncertainty.covariance[np.ix_(rows, rows)]
    times = np.array([float(labels[row]) for row in rows])
    outcome = str(source.spec.get("outcome", ""))
    return source.values[rows], covariance, times, source.uncertainty.method, outcome


def _is_nan(label: Any) -> bool:
    return isinstance(label, float) and bool(np.isnan(label))


def _reference(times: Floats) -> float:
    """Return the one period that is missing between the first and the last."""
    ordered = np.unique(times)
    if len(ordered) < len(times):
        raise DesignError(
            "an event time has more than one effect",
            where=f"{len(times)} effects at {len(ordered)} event times",
            remedy="average over cohorts first: aggregate(…, 'dynamic')",
        )
    steps = np.diff(ordered)
    step = steps.min() if len(steps) else 0.0
    gap = np.flatnonzero(np.isclose(steps, 2 * step))
    if len(steps) == 1 and ordered[0] < -1 < ordered[1]:
        gap, step = np.array([0]), (ordered[1] - ordered[0]) / 2
    if len(gap) != 1 or not np.isclose(np.delete(steps, gap), step).all():
        raise DesignError(
            "an event study needs evenly spaced periods with one of them, the reference, left out",
            where=f"event times {', '.join(f'{at:g}' for at in ordered)}",
            remedy="use a window without gaps around one reference period",
        )
    return float(ordered[gap[0]] + step)
