"""pyfixest: regression with absorbed effects by formula."""

from __future__ import annotations

from typing import Any

from benchmarks.tasks import Call

PACKAGE, ENVIRONMENT = "pyfixest", "peers"


def _fitted(frame: Any, formula: str, term: str) -> tuple[float, float]:
    import pyfixest

    found = pyfixest.feols(formula, frame, vcov={"CRV1": "unit"}, copy_data=False, store_data=False)
    row = found.tidy().loc[term]
    return float(row["Estimate"]), float(row["Std. Error"])


def _dummies(frame: Any) -> Any:
    from benchmarks.data import with_event_dummies

    wide = with_event_dummies(frame)
    return wide.rename(columns=lambda name: name.replace("event -", "before").replace("event ", "after"))


def _event_dummies(frame: Any) -> tuple[float, float]:
    names = [name for name in frame.columns if name.startswith(("before", "after"))]
    return _fitted(frame, f"y ~ {' + '.join(names)} | unit + time", "after2")


CALLS = {
    "two-way": Call(estimate=lambda frame: _fitted(frame, "y ~ d + z | unit + time", "d")),
    "event-dummies": Call(estimate=_event_dummies, prepare=_dummies),
}
