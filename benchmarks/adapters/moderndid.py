"""moderndid: from a frame (polars) in panels, from arrays where its frame interface does not go."""

from __future__ import annotations

from typing import Any

from benchmarks.tasks import Call

PACKAGE, ENVIRONMENT = "moderndid", "peers"


def _to_polars(frame: Any) -> Any:
    import polars as pl

    return pl.from_pandas(frame)


def _changed(frame: Any, method: str, *, panel: bool) -> tuple[float, float]:
    import moderndid

    names = {"yname": "y", "tname": "time", "treatname": "d", "xformla": "~ x1 + x2 + x3"}
    unit = "unit" if panel else None
    result = moderndid.drdid(frame, **names, idname=unit, panel=panel, est_method=method)
    return float(result.att), float(result.se)


def _group_time(frame: Any) -> tuple[float, float]:
    import moderndid

    cells = moderndid.att_gt(
        frame, "y", "time", "unit", "first", xformla="~ x1 + x2 + x3", boot=True, biters=1000, random_state=1
    )
    found = moderndid.aggte(cells, type="simple")
    return float(found.overall_att), float(found.overall_se)


CALLS = {
    "group-time": Call(estimate=_group_time, prepare=_to_polars),
    "did-traditional": Call(estimate=lambda frame: _changed(frame, "trad", panel=True), prepare=_to_polars),
    "did-improved": Call(estimate=lambda frame: _changed(frame, "imp", panel=True), prepare=_to_polars),
    "did-cross-sections": Call(
        estimate=lambda frame: _changed(frame, "trad", panel=False),
        prepare=_to_polars,
        other="standard error as R's DRDID 1.2.3, with a sign of its own",
    ),
}
