"""A staggered design as a frame for regressions: rows, indicators, effects to absorb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Inference, Sample
from juntos_eval.estimators.did.staggered import (
    Staggered,
    StaggeredColumns,
    levels_of,
    read_staggered,
    refuse_repeated,
)
from juntos_eval.estimators.panel import FixedEffects

__all__ = ["COHORT", "TwoWayFrame", "absorbed_of", "regress_on", "two_way_frame", "with_keys"]

#: Column that holds the cohort, for effects of cohorts where units are not seen again.
COHORT = "first treated (cohort)"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoWayFrame:
    """Rows of a design with what regressions of it need.

    Attributes
    ----------
    rows : pandas.DataFrame
        The complete rows of the data, with the column ``COHORT``.
    design : Staggered
        Of the same rows.
    event_time : numpy.ndarray, shape (n,)
        Time since the first treatment; minus infinity for never.
    absorb : tuple of str

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.staggered import StaggeredColumns
    >>> from juntos_eval.estimators.did.two_way_frame import two_way_frame
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "year": [1, 2, 1, 2], "start": [2, 2, 0, 0],
    ...                       "y": [1.0, 3.0, 1.0, 2.0]})
    >>> columns = StaggeredColumns(outcome="y", time="year", first_treated="start", unit="id")
    >>> two_way_frame(frame, columns, ()).event_time.tolist()
    [-1.0, 0.0, -inf, -inf]
    """

    rows: DataFrame
    design: Staggered
    event_time: Floats
    absorb: tuple[str, ...]

    @property
    def is_always(self) -> Bools:
        """Rows of cohorts that have no row before their treatment."""
        codes, levels = levels_of(self.design.first_treated)
        before = np.bincount(codes, weights=self.event_time < 0, minlength=len(levels))
        return np.asarray((before == 0)[codes])

    def keep(self, kept: Bools, reason: str) -> TwoWayFrame:
        """Return the rows that are kept; the others are counted under a reason."""
        if kept.all():
            return self
        design = self.design
        units = design.units and replace(design.units, codes=design.units.codes[kept])
        return replace(
            self,
            rows=self.rows[kept].reset_index(drop=True),
            event_time=self.event_time[kept],
            design=replace(
                design,
                outcome=design.outcome[kept],
                period=design.period[kept],
                first_treated=design.first_treated[kept],
                covariates=design.covariates[kept],
                weights=design.weights[kept],
                units=units,
                groups={},
                dropped={**design.dropped, reason: int((~kept).sum())},
            ),
        )


def two_way_frame(data: DataFrame, columns: StaggeredColumns, absorb: tuple[str, ...]) -> TwoWayFrame:
    """Read a design and decide which effects are absorbed.

    Parameters
    ----------
    data : pandas.DataFrame
    columns : StaggeredColumns
    absorb : tuple of str
        Instead of unit and time; in cross-sections without a unit, of cohort and time.

    Returns
    -------
    TwoWayFrame

    Raises
    ------
    DesignError
        As :func:`~juntos_eval.estimators.did.staggered.read_staggered`, and for several rows of a unit in
        a period.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.staggered import StaggeredColumns
    >>> from juntos_eval.estimators.did.two_way_frame import two_way_frame
    >>> frame = pd.DataFrame({"year": [1, 2, 1, 2], "start": [2, 2, 0, 0], "y": [1.0, 3.0, 1.0, 2.0]})
    >>> two_way_frame(frame, StaggeredColumns(outcome="y", time="year", first_treated="start"), ()).absorb
    ('first treated (cohort)', 'year')
    """
    design = read_staggered(data, columns, extra=_columns_of(absorb))
    refuse_repeated(design, columns)
    times = design.timeline.values[design.period]
    elapsed = design.timeline.rounded(times - design.first_treated)
    event_time = np.where(np.isinf(design.first_treated), -np.inf, elapsed)
    rows = data.iloc[design.rows].reset_index(drop=True)
    rows[COHORT] = np.where(np.isinf(design.first_treated), -1.0, design.first_treated)
    return TwoWayFrame(
        rows=rows,
        design=design,
        event_time=event_time,
        absorb=absorb or absorbed_of(columns),
    )


def absorbed_of(columns: StaggeredColumns) -> tuple[str, str]:
    """Return the two ways of a two-way regression: units (or cohorts) and periods.

    Parameters
    ----------
    columns : StaggeredColumns

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from juntos_eval.estimators.did.staggered import StaggeredColumns
    >>> from juntos_eval.estimators.did.two_way_frame import absorbed_of
    >>> absorbed_of(StaggeredColumns(outcome="y", time="year", first_treated="start", unit="id"))
    ('id', 'year')
    """
    return (columns.unit or COHORT, columns.time)


def _columns_of(absorb: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that labels of absorbed effects are made of."""
    found = []
    for label in absorb:
        found += label.replace("[[", "^").replace("]]", "").replace("[", "^").replace("]", "").split("^")
    return tuple(dict.fromkeys(one for one in found if one and one != COHORT))


def regress_on(
    frame: TwoWayFrame,
    columns: StaggeredColumns,
    indicators: Mapping[str, Floats],
    inference: Inference | None,
    carry: tuple[str, ...],
) -> Estimate:
    """Regress the outcome on indicators and covariates, with the frame's effects absorbed.

    Parameters
    ----------
    frame : TwoWayFrame
    columns : StaggeredColumns
    indicators : Mapping of str to numpy.ndarray
        Named columns of the rows.
    inference : Inference or None
    carry : tuple of str

    Returns
    -------
    Estimate
        Of :class:`~juntos_eval.estimators.panel.FixedEffects`.
    """
    taken = [name for name in indicators if name in frame.rows.columns]
    if taken:
        raise DesignError(
            "a column has the name of an indicator that is made here",
            where=f"columns {', '.join(taken)}",
            remedy="rename the column",
        )
    wide = pd.concat([frame.rows, pd.DataFrame(dict(indicators), index=frame.rows.index)], axis=1)
    return FixedEffects(
        outcome=columns.outcome,
        covariates=(*indicators, *columns.covariates),
        absorb=frame.absorb,
        weights=columns.weights,
    ).fit(wide, inference=inference, carry=carry)


def with_keys(
    found: Estimate, spec: Mapping[str, Any], keys: Mapping[str, tuple[Any, ...]], frame: TwoWayFrame
) -> Estimate:
    """Return a regression under another name, with keys for its rows and the whole design's sample.

    Parameters
    ----------
    found : Estimate
    spec : Mapping
    keys : Mapping of str to tuple
    frame : TwoWayFrame

    Returns
    -------
    Estimate
    """
    design = frame.design
    is_treated = np.isfinite(design.first_treated)
    units, treated = design.n, int(is_treated.sum())
    if design.units is not None:
        units, treated = (
            int(np.count_nonzero(np.bincount(codes)))
            for codes in (design.units.codes, design.units.codes[is_treated])
        )
    always = int(frame.is_always.sum())
    checks = list(found.checks)
    if always:
        checks.insert(0, Check("always treated", None, f"{always} rows of units treated from the start on"))
    dropped = {**design.dropped, **found.sample.dropped}
    return replace(
        found,
        spec=spec,
        keys=keys,
        sample=Sample(rows=found.sample.rows, units=units, treated=treated, dropped=dropped),
        checks=tuple(checks),
    )
