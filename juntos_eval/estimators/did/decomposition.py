"""What a two-way fixed-effects coefficient is made of: comparisons of two groups in two periods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats, frozen, grouped_sums
from juntos_eval.errors import DesignError
from juntos_eval.estimators.did.group_time_panel import balanced_panel
from juntos_eval.estimators.did.staggered import StaggeredColumns, read_staggered, refuse_repeated
from juntos_eval.estimators.did.timeline import Timeline

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["BaconDecomposition", "bacon"]

LATER = "later treated as control"
EARLIER = "earlier treated as control"
NEVER = "never treated as control"
ALWAYS = "always treated as control"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaconDecomposition:
    r"""A two-way fixed-effects coefficient as :math:`\sum_c s_c \hat\beta_c` over comparisons of two groups.

    Attributes
    ----------
    treated, control : tuple of str
        Cohort whose treatment switches on, and the one that it is compared with.
    kinds : tuple of str
        Who the control is. In "earlier treated as control" those already treated stand in for the
        untreated: where their effect grows, it is subtracted.
    estimates, weights : numpy.ndarray, shape (c,)
        Weights are positive and sum to one.
    dropped : int
        Units that are not seen in every period, left out.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import bacon
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [1, 2, 3] * 3,
    ...                       "start": [2] * 3 + [3] * 3 + [0] * 3, "y": [1.0, 3, 4, 2, 2, 4, 3, 4, 4]})
    >>> parts = bacon(frame, outcome="y", unit="id", time="year", first_treated="start")
    >>> round(parts.coefficient, 6), round(float(parts.weights.sum()), 12)
    (1.5, 1.0)
    """

    treated: tuple[str, ...]
    control: tuple[str, ...]
    kinds: tuple[str, ...]
    estimates: Floats
    weights: Floats
    dropped: int = 0

    def __post_init__(self) -> None:
        for name in ("estimates", "weights"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def coefficient(self) -> float:
        """The two-way fixed-effects coefficient."""
        return float(self.estimates @ self.weights)

    def tidy(self) -> DataFrame:
        """Return one row a comparison: treated, control, kind, estimate, weight."""
        return pd.DataFrame(
            {
                "treated": self.treated,
                "control": self.control,
                "kind": self.kinds,
                "estimate": self.estimates,
                "weight": self.weights,
            }
        )

    def by_kind(self) -> DataFrame:
        """Return weight and weighted mean of the comparisons of each kind."""
        frame = self.tidy()
        frame["estimate"] = frame["estimate"] * frame["weight"]
        summed = frame.groupby("kind", sort=True)[["estimate", "weight"]].sum()
        return summed.assign(estimate=summed["estimate"] / summed["weight"]).reset_index()


def bacon(data: DataFrame, *, outcome: str, unit: str, time: str, first_treated: str) -> BaconDecomposition:
    r"""Decompose the coefficient of being treated in a regression with unit and period effects.

    For cohorts k and l with shares :math:`n`, treated a share :math:`\bar D` of the periods,
    :math:`n_{kl} = n_k / (n_k + n_l)`, a cohort against one that is never (or always) treated weighs

    .. math:: s_{kU} \propto (n_k + n_U)^2 n_{kU} (1 - n_{kU}) \bar D_k (1 - \bar D_k),

    and two cohorts, k treated before l, weigh by the periods in which only one of them changes,

    .. math:: s_{kl}^k \propto ((n_k + n_l)(1 - \bar D_l))^2 n_{kl} (1 - n_{kl})
              \frac{\bar D_k - \bar D_l}{1 - \bar D_l} \frac{1 - \bar D_k}{1 - \bar D_l}, \qquad
              s_{kl}^l \propto ((n_k + n_l) \bar D_k)^2 n_{kl} (1 - n_{kl})
              \frac{\bar D_l}{\bar D_k} \frac{\bar D_k - \bar D_l}{\bar D_k}.

    Parameters
    ----------
    data : pandas.DataFrame
        A panel; units not seen in every period are left out and counted.
    outcome, unit, time, first_treated : str
        As in :class:`GroupTime`.

    Returns
    -------
    BaconDecomposition

    Raises
    ------
    DesignError
        As :class:`GroupTime`; and where every unit is treated alike.

    References
    ----------
    Goodman-Bacon, A. (2021). Difference-in-differences with variation in treatment timing. *Journal of
    Econometrics*, 225(2), 254-277. (Theorem 1, equations 10a to 10g.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import bacon
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "year": [1, 2] * 2, "start": [2, 2, 0, 0],
    ...                       "y": [1.0, 4.0, 2.0, 3.0]})
    >>> parts = bacon(frame, outcome="y", unit="id", time="year", first_treated="start")
    >>> parts.treated, parts.control, parts.estimates.tolist(), parts.weights.tolist()
    (('2',), ('never',), [2.0], [1.0])
    """
    columns = StaggeredColumns(outcome=outcome, time=time, first_treated=first_treated, unit=unit)
    design = read_staggered(data, columns)
    refuse_repeated(design, columns)
    panel = balanced_panel(design)
    levels, codes = np.unique(panel.first_treated, return_inverse=True)
    size = np.bincount(codes).astype(np.float64)
    means = grouped_sums(panel.outcome, codes, len(levels)) / size[:, None]
    times = design.timeline.values
    parts = [
        part
        for k in range(len(levels))
        for other in range(k + 1, len(levels))
        for part in _pair(k, other, levels, means, size / size.sum(), times)
    ]
    if not parts:
        raise DesignError(
            "every unit is treated alike, so there is nothing to compare",
            where=f"column '{first_treated}', {len(levels)} cohort",
            remedy="add units that are treated at another time, or never",
        )
    weights = np.array([part.weight for part in parts])
    return BaconDecomposition(
        treated=tuple(_name(levels[part.treated], design.timeline) for part in parts),
        control=tuple(_name(levels[part.control], design.timeline) for part in parts),
        kinds=tuple(part.kind for part in parts),
        estimates=np.array([part.estimate for part in parts]),
        weights=weights / weights.sum(),
        dropped=(design.units.count if design.units else 0) - len(panel.kept),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    treated: int
    control: int
    kind: str
    estimate: float
    weight: float


def _pair(early: int, late: int, levels: Floats, means: Floats, share: Floats, times: Floats) -> list[_Part]:
    """Return the comparisons of two cohorts, the one treated first named first."""
    on_early, on_late = times >= levels[early], times >= levels[late]
    time_early, time_late = float(on_early.mean()), float(on_late.mean())
    both = share[early] + share[late]
    within = share[early] / both
    spread = both**2 * within * (1 - within)
    gap = means[early] - means[late]
    found = []
    if time_early > time_late and time_early < 1:
        # until the later cohort is treated, it is the control of the earlier one
        before, between = ~on_early, on_early & ~on_late
        kind = NEVER if np.isinf(levels[late]) else LATER
        weight = spread * (time_early - time_late) * (1 - time_early)
        found.append(_Part(early, late, kind, float(gap[between].mean() - gap[before].mean()), weight))
    if time_late > 0 and time_early > time_late:
        # once the earlier cohort is treated, it is the control of the later one
        between, after = on_early & ~on_late, on_late
        kind = ALWAYS if time_early == 1 else EARLIER
        weight = spread * time_late * (time_early - time_late)
        found.append(_Part(late, early, kind, float(gap[between].mean() - gap[after].mean()), weight))
    return found


def _name(level: float, timeline: Timeline) -> str:
    return "never" if np.isinf(level) else str(timeline.label(level))
