"""Robust intervals: R's HonestDiD on a public event study, and what must hold on SIMULATED ones."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import ncx2

from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimators.did import (
    GroupTime,
    InteractionWeighted,
    SetSearch,
    TrendRestriction,
    aggregate,
    honest,
)
from juntos_eval.estimators.did.event_study_vector import event_vector
from juntos_eval.estimators.did.honest_sets import Target, accepted, fixed_length
from juntos_eval.numerics.linear_programmes import SharedProgrammes
from tests.estimators.did.staggered import BESIDE, cases, table
from tests.estimators.did.test_golden import RdaReader

Published = tuple[np.ndarray, np.ndarray, np.ndarray]
RM = SetSearch(grid=tuple(np.linspace(-0.3, 0.8, 1000)))


@pytest.fixture(scope="module")
def published() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    path = BESIDE / "shared/data/benchmarks/did/BCdata_EventStudy.rda"
    if not path.is_file():
        pytest.skip("public replication data are not at ../shared/data/benchmarks/did")
    (content,) = RdaReader(gzip.decompress(path.read_bytes())).item().values()
    effects = np.ravel(content["betahat"])
    return effects, np.reshape(content["sigma"], (len(effects), -1)), np.array([-5, -4, -3, -2, 0, 1, 2, 3])


@pytest.mark.parametrize(("name", "target"), [("post1", "first"), ("post4", "last"), ("average", "average")])
def test_fixed_length_is_that_of_honestdid(published: Published, name: str, target: str) -> None:
    stored = cases()[f"honest-sd-flci-{name}"]["expected"]
    found = honest(published, restriction="smoothness", m=stored["M"], target=target)
    np.testing.assert_allclose(found.low, stored["lb"], atol=1e-3)
    np.testing.assert_allclose(found.high, stored["ub"], atol=1e-3)


@pytest.mark.parametrize(("name", "method"), [("post1", "hybrid"), ("conditional", "conditional")])
def test_relative_magnitudes_are_those_of_honestdid(published: Published, name: str, method: str) -> None:
    stored = cases()[f"honest-rm-{name}"]["expected"]
    found = honest(published, m=stored["M"], method=method, search=RM)
    step = 1.1 / 999 + 1e-9
    np.testing.assert_allclose(found.low, stored["lb"], atol=step)
    np.testing.assert_allclose(found.high, stored["ub"], atol=step)


@pytest.mark.parametrize(
    ("name", "method", "sign"),
    [
        ("sd-clf-post1", "hybrid", None),
        ("sdb-positive", "auto", "positive"),
        ("sdb-negative", "auto", "negative"),
    ],
)
def test_smoothness_sets_are_those_of_honestdid(
    published: Published, name: str, method: str, sign: str | None
) -> None:
    stored = cases()[f"honest-{name}"]["expected"]
    restriction = TrendRestriction(kind="smoothness", sign=sign)
    found = honest(published, restriction=restriction, m=stored["M"], method=method)
    # R's grid has 1,000 points over 40 standard errors and the identified set
    step = 40 * np.sqrt(published[1][4, 4]) / 999
    np.testing.assert_allclose(found.low, stored["lb"], atol=step)
    np.testing.assert_allclose(found.high, stored["ub"], atol=step)


def test_the_interval_under_parallel_trends(published: Published) -> None:
    stored = cases()["honest-original"]["expected"]
    found = honest(published, restriction="smoothness", m=0.0)
    assert found.original == pytest.approx((stored["lb"], stored["ub"]), rel=1e-9)


def simulated(before: int = 3, after: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    draws = rng.normal(size=(50, before + after))
    covariance = 0.01 * (draws.T @ draws / 50)
    times = np.concatenate([np.arange(-before - 1, -1), np.arange(after)])
    return rng.multivariate_normal(np.where(times < 0, 0.0, 1.0), covariance), covariance, times


def test_programmes_are_solved_as_by_highs() -> None:
    rng = np.random.default_rng(2)
    nuisance = np.vstack([np.eye(3), -np.eye(3), rng.normal(size=(4, 3))])
    equalities = np.vstack([nuisance.T, np.ones(10)])
    totals = np.array([0.0, 0, 0, 1])
    objectives = rng.normal(size=(60, 10))
    values, weights = SharedProgrammes(equalities, totals).solve(objectives)
    for objective, value, weight in zip(objectives, values, weights, strict=True):
        found = linprog(-objective, A_eq=equalities, b_eq=totals)
        assert found.fun is not None
        assert value == pytest.approx(-found.fun, abs=1e-9)
        np.testing.assert_allclose(equalities @ weight, totals, atol=1e-9)
        assert weight.min() >= 0


def test_no_other_weights_are_shorter() -> None:
    effects = event_vector(simulated(4, 1))
    target = Target(
        effects=effects, weights=np.ones(1), restriction=TrendRestriction(kind="smoothness"), m=0.05
    )
    best = fixed_length(target, 0.95)
    # takes the slope of any straight line away
    line = effects.event_times - effects.reference
    assert best.weights @ line == pytest.approx(0, abs=1e-10)
    rng = np.random.default_rng(1)
    for _ in range(200):
        # other weights that take a line away: along the null space of the line on the periods before
        step = np.append(rng.normal(size=4), 0.0)
        step -= step @ line / (line[:4] @ line[:4]) * np.append(line[:4], 0.0)
        assert _length(effects.covariance, best.weights + 0.02 * step, line) >= best.half_length - 1e-9


def _length(covariance: np.ndarray, weights: np.ndarray, line: np.ndarray) -> float:
    """Half-length by a linear programme for the bias and draws for the quantile of |N(b, 1)|."""
    positions = np.arange(line.min(), line.max() + 1)
    changes = np.delete(np.diff(np.eye(len(positions)), 2, axis=0), int(-line.min()), axis=1)
    found = linprog(
        -weights,
        A_ub=np.vstack([changes, -changes]),
        b_ub=np.full(2 * len(changes), 0.05),
        bounds=[(None, None)] * len(weights),
    )
    spread = np.sqrt(weights @ covariance @ weights)
    return float(spread * np.sqrt(ncx2.ppf(0.95, 1, (found.fun / spread) ** 2)))


def test_sets_grow_with_the_bound_and_shrink_with_what_is_known() -> None:
    effects = simulated()
    wide = honest(effects, m=(0.0, 0.5, 1.0, 2.0))
    assert (np.diff(wide.high - wide.low) > 0).all()
    assert wide.low[0] <= wide.original[1]
    assert wide.high[0] >= wide.original[0]
    positive = honest(effects, restriction=TrendRestriction(sign="positive"), m=(1.0,))
    assert positive.high[0] < wide.high[2]


def test_breakdown_is_where_zero_enters() -> None:
    effects = simulated()
    for restriction in ("relative_magnitudes", "smoothness"):
        found = honest(effects, restriction=restriction, m=1.0)
        at = honest(effects, restriction=restriction, m=(0.98 * found.breakdown, 1.02 * found.breakdown))
        assert at.low[0] > 0 > at.low[1]


@pytest.mark.parametrize(("kind", "m"), [("relative_magnitudes", 1.0), ("smoothness", 0.1)])
def test_coverage_at_the_worst_trend(kind: str, m: float) -> None:
    """SIMULATED at a trend that is just allowed: 400 draws, three standard errors."""
    before, after = 3, 2
    _, covariance, times = simulated(before, after)
    # a kink in the trend after the reference, as large as the bound says
    trend = (
        np.array([-0.3, -0.2, -0.1, 0.1, 0.2])
        if kind == "relative_magnitudes"
        else np.array([0.0, 0, 0, 0.1, 0.3])
    )
    rng = np.random.default_rng(9)
    method = "conditional" if kind == "relative_magnitudes" else "fixed_length"
    covered = 0
    for _ in range(400):
        drawn = trend + rng.multivariate_normal(np.zeros(before + after), covariance)
        target = Target(
            effects=event_vector((drawn, covariance, times)),
            weights=np.array([1.0, 0.0]),
            restriction=TrendRestriction(kind=kind),
            m=m,
        )
        if method == "fixed_length":
            found = fixed_length(target, 0.95)
            covered += abs(found.centre) <= found.half_length
        else:
            covered += accepted(target, method, SetSearch())(np.zeros(1))[0]
    assert covered / 400 > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 400)


def test_event_studies_of_ours_are_taken_as_they_are() -> None:
    data = table({"data": "../did/did_bal.csv"})
    design: dict[str, Any] = {"outcome": "y", "unit": "id", "time": "time", "first_treated": "g"}
    cells = GroupTime(**design, base="universal").fit(data)
    found = honest(aggregate(cells, "dynamic"), m=1.0)
    assert found.low[0] < found.original[0] < found.original[1] < found.high[0]
    regression = honest(InteractionWeighted(**design).fit(data), m=1.0, target=1)
    assert (regression.target, regression.outcome) == ("event time 1", "y")
    assert len(regression.tidy()) == 2
    with pytest.raises(DesignError, match="no common reference"):
        honest(aggregate(GroupTime(**design).fit(data), "dynamic"))


def test_what_cannot_be_asked_is_named() -> None:
    effects, covariance, times = simulated()
    given = (effects, covariance, times)
    with pytest.raises(DesignError, match="more than one effect"):
        honest((effects, covariance, np.array([-3, -3, -2, 0, 1])))
    with pytest.raises(DesignError, match="one of them, the reference"):
        honest((effects, covariance, np.array([-3, -2, -1, 0, 1])))
    with pytest.raises(DesignError, match="no effect after"):
        honest(given, target=7)
    with pytest.raises(DesignError, match="numbers from zero"):
        honest(given, m=-1.0)
    with pytest.raises(DesignError, match="no restriction"):
        honest(given, restriction="linear")
    with pytest.raises(DesignError, match="no use"):
        honest(given, method="fixed_length")
    with pytest.raises(DesignError, match="do not belong together"):
        honest((effects[:-1], covariance, times))
    unknown = covariance.copy()
    unknown[1, 1] = np.nan
    with pytest.raises(InferenceError, match="not known"):
        honest((effects, unknown, times))
    with pytest.raises(DesignError, match="level"):
        honest(given, search=replace(RM, level=1.5))
