"""Python's drdid, on which csdid is built: arrays in, an effect and its influence out."""

from __future__ import annotations

from typing import Any

from benchmarks.tasks import Call

PACKAGE, ENVIRONMENT = "drdid", "peers"


def _panel_arrays(frame: Any) -> tuple[Any, ...]:
    import numpy as np

    wide = frame.pivot_table(index="unit", columns="time", values="y")
    first = frame[frame["time"] == frame["time"].min()].set_index("unit").loc[wide.index]
    design = np.column_stack([np.ones(len(first)), first[["x1", "x2", "x3"]].to_numpy()])
    return wide.iloc[:, 1].to_numpy(), wide.iloc[:, 0].to_numpy(), first["d"].to_numpy(), design


def _row_arrays(frame: Any) -> tuple[Any, ...]:
    import numpy as np

    design = np.column_stack([np.ones(len(frame)), frame[["x1", "x2", "x3"]].to_numpy()])
    post = (frame["time"] == frame["time"].max()).to_numpy() * 1
    return frame["y"].to_numpy(), post, frame["d"].to_numpy(), design


def _answer(effect: Any, influence: Any) -> tuple[float, float]:
    return float(effect), float((influence**2).sum() ** 0.5 / len(influence))


def _panel(arrays: Any) -> tuple[float, float]:
    from drdid.drdid import drdid_panel

    return _answer(*drdid_panel(*arrays))


def _cross_sections(arrays: Any) -> tuple[float, float]:
    from drdid.drdid import drdid_rc

    return _answer(*drdid_rc(*arrays))


CALLS = {
    "did-traditional": Call(estimate=_panel, prepare=_panel_arrays),
    "did-cross-sections": Call(estimate=_cross_sections, prepare=_row_arrays),
}
