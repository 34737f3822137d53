"""csdid: a port of R's did."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np

from benchmarks.tasks import Call

PACKAGE, ENVIRONMENT = "csdid", "peers"


def _group_time(frame: Any) -> tuple[float, float]:
    from csdid.att_gt import ATTgt

    # it prints its tables
    with contextlib.redirect_stdout(io.StringIO()):
        cells = ATTgt(
            yname="y",
            tname="time",
            idname="unit",
            gname="first",
            data=frame,
            control_group=["nevertreated"],
            xformla="y~x1+x2+x3",
            cband=True,
            biters=1000,
        ).fit(est_method="dr")
        found = cells.aggte("simple", na_rm=True).atte
    return float(found["overall_att"]), float(np.ravel(found["overall_se"])[0])


CALLS = {
    "group-time": Call(
        estimate=_group_time,
        other="gives the last cohort no number and averages the rest; its other cells are ours to 1e-11",
    )
}
