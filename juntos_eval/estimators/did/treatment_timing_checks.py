"""What a rollout does not allow, with the estimators that do without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.estimate import Check
from juntos_eval.estimators.did.panel_frame import Units
from juntos_eval.estimators.did.timeline import Timeline

__all__ = ["Timing", "timing_checks"]

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Rows with their period, treatment, and when their unit is first treated.

    Examples
    --------
    >>> from juntos_eval.estimators.did.treatment_timing_checks import Timing
    >>> Timing.__name__
    'Timing'
    """

    start: Floats
    period: Codes
    is_treated: Bools
    dose: Floats
    units: Units | None
    timeline: Timeline
    after_last: int


def timing_checks(
    timing: Timing, starts: Floats, rows: Codes, sizes: Codes
) -> tuple[tuple[Check, ...], dict[str, Any]]:
    """Return what is to be known of a rollout, and the counts behind it.

    Parameters
    ----------
    timing : Timing
    starts : numpy.ndarray, shape (G,)
        Of the cohorts; infinite for never.
    rows : numpy.ndarray of int64, shape (G, T)
    sizes : numpy.ndarray of int64, shape (G,)

    Returns
    -------
    tuple of Check
    dict
    """
    times, label = timing.timeline.values, timing.timeline.label
    finite = np.isfinite(starts)
    names = {at: "never" if np.isinf(one) else str(label(one)) for at, one in enumerate(starts)}
    seen = rows > 0
    before = seen & (times < starts[:, None])
    always = np.flatnonzero(finite & ~before.any(axis=1))
    alone = np.flatnonzero(finite & (sizes == 1))
    once = np.flatnonzero(finite & (before.sum(axis=1) == 1))
    empty = [f"{names[int(g)]} in {timing.timeline.labels[t]}" for g, t in np.argwhere(~seen)]
    has_never = bool(np.isinf(starts).any())
    what = "units" if timing.units is not None else "rows"
    checks = [
        Check(
            "never treated",
            has_never,
            f"{int(sizes[~finite].sum()):,} {what}"
            if has_never
            else "none: compare with control='not_yet'; InteractionWeighted takes the last cohort as control",
        ),
        _named(
            "always treated", always, names, sizes, f"{what} without a period before treatment say nothing"
        ),
        _named("single-unit cohorts", alone, names, sizes, "no error is known for their own effects"),
        Check(
            "periods before treatment",
            None if len(once) else True,
            f"a single one for {_listed([names[int(g)] for g in once])}: no pre-trend can be tested there"
            if len(once)
            else "two or more for every cohort",
        ),
        Check(
            "cells without rows",
            not empty,
            f"{len(empty)}: {_listed(empty)}" if empty else "every cohort is seen in every period",
        ),
        *_spacing(timing.timeline),
    ]
    if timing.after_last:
        detail = f"{timing.after_last:,} rows name a period after the last one: taken as never treated"
        checks.append(Check("treated after the last period", None, detail))
    found, details = _of_units(timing)
    details |= {"always_treated": int(sizes[always].sum()), "cells_without_rows": len(empty)}
    return (*checks, *found, *_doses(timing)), details


def _named(name: str, cohorts: Codes, names: dict[int, str], sizes: Codes, why: str) -> Check:
    if not len(cohorts):
        return Check(name, True, "none")
    listed = _listed([f"{names[int(g)]} ({sizes[g]:,})" for g in cohorts])
    return Check(name, False, f"cohorts {listed}: {why}")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _spacing(timeline: Timeline) -> tuple[Check, ...]:
    if not timeline.has_numbers or timeline.count < 3:
        return ()
    steps = np.diff(timeline.values)
    wide = np.flatnonzero(steps > 1.5 * steps.min())
    if not len(wide):
        return (Check("gaps in time", True, "periods are evenly spaced"),)
    gaps = _listed([f"{timeline.labels[at]} to {timeline.labels[at + 1]}" for at in wide])
    detail = f"{gaps}: event times are lengths of time, and 'one period before' is not everywhere the same"
    return (Check("gaps in time", None, detail),)


def _of_units(timing: Timing) -> tuple[list[Check], dict[str, Any]]:
    """Say whether units are followed, completely, and whether treatment stays."""
    units, periods = timing.units, timing.timeline.count
    if units is None:
        detail = "no unit: rows are taken as independent, cohorts take the place of units"
        return [Check("panel", None, detail)], {"is_panel": False}
    counts = np.bincount(units.codes * periods + timing.period, minlength=units.count * periods)
    table = counts.reshape(units.count, periods)
    several = int((table > 1).sum())
    complete = int((table > 0).all(axis=1).sum())
    details: dict[str, Any] = {"is_panel": several == 0, "complete_units": complete, "units": units.count}
    if several:
        text = f"{several:,} pairs of unit and period have several rows: cross-sections, so panel=False"
        checks = [Check("panel", None, text)]
    else:
        text = f"{complete:,} of {units.count:,} units are seen in every period"
        less = (
            "" if complete == units.count else "; GroupTime(balanced=False) uses the rows of the others too"
        )
        checks = [Check("panel", True if complete == units.count else None, text + less)]
    off = _switching_off(timing, units)
    details["switching_off"] = len(off)
    if len(off):
        examples = _listed([str(units.labels[one]) for one in off[:3]])
        text = (
            f"{len(off):,} of {units.count:,} units, e.g. {examples}: Intertemporal and twfe_weights "
            "allow it; GroupTime, imputation and the regressions answer as if treatment had stayed"
        )
        checks.append(Check("treatment switches off", False, text))
    mixed = _mixed(timing, units)
    details["mixed_cells"] = mixed
    if mixed:
        text = (
            f"{mixed:,} pairs of unit and period have treated and untreated rows: FuzzyDiD is for such shares"
        )
        checks.append(Check("treatment within units", False, text))
    return checks, details


def _switching_off(timing: Timing, units: Units) -> Codes:
    """Return units with an untreated row after a treated one."""
    after = timing.timeline.values[timing.period] > timing.start
    return np.unique(units.codes[after & ~timing.is_treated])


def _mixed(timing: Timing, units: Units) -> int:
    place = units.codes * timing.timeline.count + timing.period
    total = np.bincount(place)
    treated = np.bincount(place, weights=timing.is_treated)
    return int(((treated > 0) & (treated < total)).sum())


def _doses(timing: Timing) -> tuple[Check, ...]:
    values = np.unique(timing.dose)
    if np.isin(values, (0.0, 1.0)).all():
        return ()
    detail = (
        f"{len(values)} values from {values[0]:g} to {values[-1]:g}: cohorts are of any treatment above none"
    )
    return (Check("doses", None, detail),)
