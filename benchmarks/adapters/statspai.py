"""StatsPAI."""

from __future__ import annotations

from typing import Any

from benchmarks.tasks import Call

PACKAGE, ENVIRONMENT = "StatsPAI", "peers"
COVARIATES = ["x1", "x2", "x3", "x4", "x5"]


def _answer(result: Any) -> tuple[float, float]:
    return float(result.estimate), float(result.se)


def _matched(frame: Any, ratio: int) -> tuple[float, float]:
    import statspai as sp

    result = sp.psmatch2(frame, treat="d", covariates=COVARIATES, outcome="y", neighbor=ratio, ai=ratio)
    return float(result.att), float(result.se)


def _kernel(frame: Any) -> tuple[float, float]:
    import statspai as sp

    result = sp.psmatch2(frame, treat="d", covariates=COVARIATES, outcome="y", method="kernel", bwidth=0.06)
    return float(result.att), float(result.se)


def _ipw(frame: Any) -> tuple[float, float]:
    import statspai as sp

    return _answer(sp.ipw(frame, "y", "d", COVARIATES, estimand="ATT", se_method="sandwich"))


def _entropy(frame: Any) -> tuple[float, float]:
    import statspai as sp

    return _answer(sp.ebalance(frame, y="y", treat="d", covariates=COVARIATES))


def _changed(frame: Any, method: str, unit: str | None) -> tuple[float, float]:
    import statspai as sp

    return _answer(
        sp.drdid(frame, y="y", treat="d", time="time", covariates=COVARIATES[:3], method=method, id=unit)
    )


FORMULA = "standard error as Stata's psmatch2 has it, ai(J)"


def _wild(frame: Any) -> tuple[float, float]:
    import statspai as sp

    result = sp.wild_cluster_bootstrap(
        frame, "y", ["d", "x1", "x2", "x3"], "cl", test_var="d", n_boot=9999, seed=1
    )
    p = float(result.get("p_boot", result.get("p_value")))
    return p, (p * (1 - p) / 9999) ** 0.5


STAGGERED = {"y": "y", "group": "unit", "time": "time", "first_treat": "first"}


def _group_time(frame: Any) -> tuple[float, float]:
    import statspai as sp

    result = sp.callaway_santanna(
        frame, "y", "first", "time", "unit", x=COVARIATES[:3], base_period="varying",
        bstrap=True, biters=1000, cband=True, random_state=1,
    )  # fmt: skip
    return _answer(sp.aggte(result, type="simple"))


def _interaction_weighted(frame: Any) -> tuple[float, float]:
    import statspai as sp

    result = sp.sun_abraham(frame, "y", "first", "time", "unit", cluster="unit", share_variance=False)
    row = result.detail.set_index("relative_time").loc[2]
    return float(row["att"]), float(row["se"])


def _imputation(frame: Any) -> tuple[float, float]:
    import statspai as sp

    return _answer(sp.did_imputation(frame, **STAGGERED))


def _extended(frame: Any) -> tuple[float, float]:
    import statspai as sp

    return _answer(sp.etwfe(frame, **STAGGERED, cluster="unit"))


def _bacon(frame: Any) -> tuple[float, float]:
    import statspai as sp

    return float(sp.bacon_decomposition(frame, "y", "d", "time", "unit").beta_twfe), float("nan")


CALLS = {
    "group-time": Call(estimate=_group_time),
    "imputation": Call(estimate=_imputation),
    "interaction-weighted": Call(estimate=_interaction_weighted),
    "etwfe": Call(estimate=_extended),
    "bacon": Call(estimate=_bacon),
    "wild": Call(estimate=_wild),
    "match-1": Call(estimate=lambda frame: _matched(frame, 1), other=FORMULA),
    "match-5": Call(estimate=lambda frame: _matched(frame, 5), other=FORMULA),
    "kernel": Call(estimate=_kernel, largest=10_000, other="standard error as psmatch2's, homoskedastic"),
    "ipw": Call(estimate=_ipw),
    "entropy": Call(estimate=_entropy),
    "did-traditional": Call(estimate=lambda frame: _changed(frame, "trad", "unit")),
    "did-improved": Call(estimate=lambda frame: _changed(frame, "imp", "unit")),
    "did-cross-sections": Call(estimate=lambda frame: _changed(frame, "trad", None)),
}
