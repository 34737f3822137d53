"""diff-diff: its group-time estimator on one group and two periods."""

from __future__ import annotations

from typing import Any

from benchmarks.tasks import Call

PACKAGE, ENVIRONMENT = "diff-diff", "peers"


def _as_group_time(frame: Any) -> Any:
    return frame.assign(first=frame["d"] * frame["time"].max())


def _as_cross_sections(frame: Any) -> Any:
    return _as_group_time(frame).assign(unit=range(len(frame)))


def _changed(frame: Any, *, panel: bool) -> tuple[float, float]:
    import diff_diff

    estimator = diff_diff.CallawaySantAnna(control_group="never_treated", estimation_method="dr", panel=panel)
    result = estimator.fit(
        frame, outcome="y", unit="unit", time="time", first_treat="first", covariates=["x1", "x2", "x3"]
    )
    (cell,) = result.group_time_effects.values()
    return float(cell["effect"]), float(cell["se"])


CALLS = {
    "did-traditional": Call(
        estimate=lambda frame: _changed(frame, panel=True),
        prepare=_as_group_time,
        other="its doubly robust effect with covariates differs from DRDID's by about 1e-5",
    ),
    "did-cross-sections": Call(
        estimate=lambda frame: _changed(frame, panel=False), prepare=_as_cross_sections
    ),
}
