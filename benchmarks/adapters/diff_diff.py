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


STAGGERED = {"outcome": "y", "unit": "unit", "time": "time", "first_treat": "first"}


def _overall(result: Any) -> tuple[float, float]:
    return float(result.overall_att), float(result.overall_se)


def _group_time(frame: Any) -> tuple[float, float]:
    import diff_diff

    estimator = diff_diff.CallawaySantAnna(n_bootstrap=1000, seed=1)
    return _overall(estimator.fit(frame, **STAGGERED, covariates=["x1", "x2", "x3"]))


def _imputation(frame: Any) -> tuple[float, float]:
    import diff_diff

    return _overall(diff_diff.ImputationDiD().fit(frame, **STAGGERED))


def _interaction_weighted(frame: Any) -> tuple[float, float]:
    import diff_diff

    found = diff_diff.SunAbraham(cluster="unit").fit(frame, **STAGGERED).event_study_effects[2]
    return float(found["effect"]), float(found["se"])


def _extended(frame: Any) -> tuple[float, float]:
    import diff_diff

    return _overall(diff_diff.WooldridgeDiD(cluster="unit").fit(frame, **STAGGERED))


def _bacon(frame: Any) -> tuple[float, float]:
    import diff_diff

    found = diff_diff.BaconDecomposition().fit(frame, **STAGGERED)
    return float(found.twfe_estimate), float("nan")


CALLS = {
    "group-time": Call(estimate=_group_time, other="another rule of trimming, 0.01"),
    "imputation": Call(estimate=_imputation),
    "interaction-weighted": Call(estimate=_interaction_weighted),
    "etwfe": Call(estimate=_extended),
    "bacon": Call(estimate=_bacon),
    "did-traditional": Call(
        estimate=lambda frame: _changed(frame, panel=True),
        prepare=_as_group_time,
        other="its doubly robust effect with covariates differs from DRDID's by about 1e-5",
    ),
    "did-cross-sections": Call(
        estimate=lambda frame: _changed(frame, panel=False), prepare=_as_cross_sections
    ),
}
