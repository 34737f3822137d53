"""juntos_eval, as a user calls it: from a frame to an estimate with its default inference."""

from __future__ import annotations

from typing import Any

from benchmarks.data import with_event_dummies
from benchmarks.tasks import Call

PACKAGE, ENVIRONMENT = "juntos-eval", "ours"
COMPARISON = {"outcome": "y", "treatment": "d", "covariates": ("x1", "x2", "x3", "x4", "x5")}
TWO_PERIODS = {"outcome": "y", "time": "time", "treatment": "d", "covariates": ("x1", "x2", "x3")}


def _answer(estimate: Any) -> tuple[float, float]:
    return float(estimate.values[0]), float(estimate.uncertainty.std_error[0])


def _matched(frame: Any, ratio: int) -> tuple[float, float]:
    import juntos_eval as je

    estimator = je.Matching(**COMPARISON, ratio=ratio, replace=True)
    return _answer(estimator.fit(frame, inference=je.AbadieImbens(neighbours=ratio)))


def _kernel(frame: Any) -> tuple[float, float]:
    import juntos_eval as je

    return _answer(je.Matching(**COMPARISON, method="kernel", bandwidth=0.06).fit(frame))


def _weighted(frame: Any, method: str) -> tuple[float, float]:
    import juntos_eval as je

    return _answer(je.Weighting(**COMPARISON, method=method, estimand="att").fit(frame))


def _changed(frame: Any, method: str) -> tuple[float, float]:
    import juntos_eval as je

    return _answer(je.DoublyRobust(**TWO_PERIODS, unit="unit", method=method).fit(frame))


def _changed_in_cross_sections(frame: Any) -> tuple[float, float]:
    import juntos_eval as je

    return _answer(je.DoublyRobust(**TWO_PERIODS, method="traditional", panel=False).fit(frame))


def _wild(frame: Any) -> tuple[float, float]:
    """Interval and p value; the peers that give no interval are asked for less."""
    import juntos_eval as je

    estimate = je.FixedEffects(outcome="y", covariates=("d", "x1", "x2", "x3")).fit(frame, carry=("cl",))
    row = [[float(term == "d") for term in estimate.keys["term"]]]
    effect = estimate.combine(row, {"term": ("d",)})
    drawn = effect.with_inference(je.WildBootstrap(by="cl", draws=9999, seed=1))
    p = float(drawn.p_values()[0])
    return p, (p * (1 - p) / 9999) ** 0.5


def _two_way(frame: Any) -> tuple[float, float]:
    import juntos_eval as je

    return _answer(je.FixedEffects(outcome="y", covariates=("d", "z"), absorb=("unit", "time")).fit(frame))


def _event_dummies(frame: Any) -> tuple[float, float]:
    import juntos_eval as je

    dummies = tuple(name for name in frame.columns if name.startswith("event "))
    found = je.FixedEffects(outcome="y", covariates=dummies, absorb=("unit", "time")).fit(frame)
    place = found.keys["term"].index("event 2")
    return float(found.values[place]), float(found.uncertainty.std_error[place])


def _instrumented(frame: Any, method: str) -> tuple[float, float]:
    """Strength, Anderson-Rubin set and tests of the model come with it."""
    import juntos_eval as je

    estimator = je.TwoStage(
        outcome="y", endogenous="d", instruments=("z1", "z2", "z3"), covariates=("x1", "x2"), method=method
    )
    return _answer(estimator.fit(frame, inference=je.Iid() if method == "liml" else je.Robust("HC1")))


STAGGERED = {"outcome": "y", "unit": "unit", "time": "time", "first_treated": "first"}


def _group_time(frame: Any) -> tuple[float, float]:
    import juntos_eval as je

    drawn = je.MultiplierBootstrap(draws=1000, seed=1)
    cells = je.GroupTime(**STAGGERED, covariates=("x1", "x2", "x3")).fit(frame, inference=drawn)
    return _answer(je.aggregate(cells, "simple"))


def _staggered(frame: Any, name: str) -> tuple[float, float]:
    import juntos_eval as je

    return _answer(getattr(je, name)(**STAGGERED).fit(frame))


def _interaction_weighted(frame: Any) -> tuple[float, float]:
    import juntos_eval as je

    found = je.InteractionWeighted(**STAGGERED).fit(frame)
    place = found.keys["event_time"].index(2)
    return float(found.values[place]), float(found.uncertainty.std_error[place])


def _bacon(frame: Any) -> tuple[float, float]:
    import juntos_eval as je

    found = je.bacon(frame, **STAGGERED)
    return float(found.estimates @ found.weights), float("nan")


CALLS = {
    "group-time": Call(estimate=_group_time),
    "imputation": Call(estimate=lambda frame: _staggered(frame, "Imputation")),
    "interaction-weighted": Call(estimate=_interaction_weighted),
    "etwfe": Call(estimate=lambda frame: _staggered(frame, "ExtendedTwoWay")),
    "bacon": Call(estimate=_bacon),
    "iv": Call(estimate=lambda frame: _instrumented(frame, "2sls")),
    "liml": Call(estimate=lambda frame: _instrumented(frame, "liml")),
    "two-way": Call(estimate=_two_way),
    "event-dummies": Call(estimate=_event_dummies, prepare=with_event_dummies),
    "wild": Call(estimate=_wild),
    "match-1": Call(estimate=lambda frame: _matched(frame, 1)),
    "match-5": Call(estimate=lambda frame: _matched(frame, 5)),
    "kernel": Call(estimate=_kernel),
    "ipw": Call(estimate=lambda frame: _weighted(frame, "ipw")),
    "entropy": Call(estimate=lambda frame: _weighted(frame, "entropy")),
    "did-traditional": Call(estimate=lambda frame: _changed(frame, "traditional")),
    "did-improved": Call(estimate=lambda frame: _changed(frame, "improved")),
    "did-cross-sections": Call(estimate=_changed_in_cross_sections),
}
