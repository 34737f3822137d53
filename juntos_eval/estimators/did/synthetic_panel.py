"""From a frame with a treatment that begins and stays to a balanced panel for synthetic comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Groups
from juntos_eval.estimators.design import require_frame, select, zero_one
from juntos_eval.estimators.did.group_time_panel import balanced_panel
from juntos_eval.estimators.did.panel_frame import kept_groups
from juntos_eval.estimators.did.staggered import StaggeredColumns, read_staggered, refuse_repeated
from juntos_eval.estimators.did.synthetic_cohorts import Cohorts
from juntos_eval.estimators.did.timeline import read_timeline

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["SyntheticPanel", "read_synthetic"]

START = "first period of treatment"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticPanel:
    """Outcomes of units × periods, when each unit is first treated, and what was left out.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.synthetic_cohorts import Cohorts
    >>> from juntos_eval.estimators.did.synthetic_panel import SyntheticPanel
    >>> SyntheticPanel(cohorts=Cohorts(np.zeros((1, 2)), np.array([np.inf])), units=("a",),
    ...                periods=("1", "2"), groups={}, dropped={}).units
    ('a',)
    """

    cohorts: Cohorts
    units: tuple[str, ...]
    periods: tuple[str, ...]
    groups: Mapping[str, Groups]
    dropped: Mapping[str, int]


def read_synthetic(
    data: DataFrame, outcome: str, names: tuple[str, str, str], carry: tuple[str, ...]
) -> SyntheticPanel:
    """Read, check and lay out a panel.

    Parameters
    ----------
    data : pandas.DataFrame
    outcome : str
    names : tuple of str
        Unit, time, treatment.
    carry : tuple of str

    Returns
    -------
    SyntheticPanel

    Raises
    ------
    DesignError
        For a treatment that switches off, no unit that is never treated, or fewer than two periods before.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.synthetic_panel import read_synthetic
    >>> frame = pd.DataFrame({"id": [1] * 3 + [2] * 3 + [3] * 3, "year": [1, 2, 3] * 3,
    ...                       "d": [0, 0, 1] + [0] * 6, "y": [1.0, 3, 4, 1, 2, 2, 0, 0, 1]})
    >>> read_synthetic(frame, "y", ("id", "year", "d"), ()).cohorts.start.tolist()
    [2.0, inf, inf]
    """
    unit, time, treatment = names
    require_frame(data)
    select(data, numeric=(outcome, treatment), carry=(unit, time, *carry))
    treated = zero_one(data[treatment].to_numpy(dtype=np.float64, na_value=np.nan), treatment)
    timeline, period = read_timeline(data[time])
    by_unit = data[unit].to_numpy()
    begin = np.where(treated, period, np.inf)
    start = data.assign(**{START: begin}).groupby(unit, sort=False, dropna=False)[START].transform("min")
    stops = ~treated & (period >= start.to_numpy())
    if stops.any():
        raise DesignError(
            f"'{treatment}' switches off",
            where=f"column '{treatment}', {int(stops.sum())} rows, e.g. {unit} {by_unit[stops][0]}",
            remedy="a synthetic comparison is of treatment that stays; use Intertemporal, or cut the periods",
        )
    position = "position of the period"
    placed = data.assign(**{START: start.to_numpy() + 1.0, position: np.asarray(period) + 1.0})
    columns = StaggeredColumns(
        outcome=outcome, time=position, first_treated=START, unit=unit, carry=tuple(dict.fromkeys(carry))
    )
    design = read_staggered(placed, columns)
    refuse_repeated(design, columns)
    panel = balanced_panel(design)
    begins = panel.first_treated - 1
    _refuse_unanswerable(begins, treatment)
    labels = design.units.labels if design.units else ()
    groups = {name: kept_groups(one, panel.kept) for name, one in design.of_units(columns).items()}
    lost = len(labels) - len(panel.kept)
    return SyntheticPanel(
        cohorts=Cohorts(panel.outcome, begins),
        units=tuple(str(labels[at]) for at in panel.kept),
        periods=tuple(str(label) for label in timeline.labels),
        groups=FrozenMapping(groups),
        dropped={**design.dropped, **({"units not seen in every period": lost} if lost else {})},
    )


def _refuse_unanswerable(start: np.ndarray, treatment: str) -> None:
    never, later = np.isinf(start).sum(), start[np.isfinite(start) & (start > 0)]
    if never < 2:
        raise DesignError(
            "there are too few units that are never treated",
            where=f"column '{treatment}', {never} of {len(start)} units complete in every period",
            remedy="give two or more controls",
        )
    if not len(later) or later.min() < 2:
        raise DesignError(
            "a synthetic comparison needs two or more periods before treatment",
            where=f"column '{treatment}', first treated in period {int(start.min()) + 1}",
            remedy="add earlier periods, or leave out the cohort",
        )
