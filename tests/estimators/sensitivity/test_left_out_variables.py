"""Oster and Cinelli-Hazlett against what they claim, where the truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimators.iv import TwoStage
from juntos_eval.estimators.panel import FixedEffects
from juntos_eval.estimators.sensitivity import Oster, bias_contours, omitted_variable
from juntos_eval.estimators.sensitivity.left_out_variable import adjusted_for
from juntos_eval.estimators.sensitivity.oster import SelectionMoments, selection_delta, selection_roots


@pytest.mark.parametrize("delta", [0.5, 1.0, 1.7, -0.8])
@pytest.mark.parametrize("effect", [0.7, -0.4])
def test_oster_finds_the_truth_in_a_population(delta: float, effect: float) -> None:
    """Y = bX + W1 + W2, W2 unseen and orthogonal, cov(W2, X)/var(W2) = delta cov(W1, X)/var(W1)."""
    seen, unseen, own = 0.8, 0.5, 1.0
    slope = 0.6
    of_seen, of_unseen = slope * seen, delta * slope * unseen
    treatment = own + of_seen**2 / seen + of_unseen**2 / unseen
    with_outcome = effect * treatment + of_seen + of_unseen
    variance = effect**2 * treatment + seen + unseen + 2 * effect * (of_seen + of_unseen)
    inner = np.array([[treatment, of_seen], [of_seen, seen]])
    right = np.array([with_outcome, effect * of_seen + seen])
    full = np.linalg.solve(inner, right)
    moments = SelectionMoments(
        short=with_outcome / treatment,
        full=full[0],
        r2_short=with_outcome**2 / treatment / variance,
        r2_full=full @ right / variance,
        r_max=1.0,
        outcome_variance=variance,
        treatment_variance=treatment,
        residual_variance=treatment - of_seen**2 / seen,
    )
    assert min(abs(root - effect) for root in selection_roots(moments, delta)) < 1e-9
    assert selection_delta(moments, effect) == pytest.approx(delta, rel=1e-9)


def simulated(seed: int = 3, n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    d = x @ [0.5, 0.3, 0.1] + rng.normal(size=n)
    y = 0.8 * d + x @ [0.6, -0.2, 0.4] + rng.normal(size=n)
    frame = pd.DataFrame({"y": y, "d": d, "x1": x[:, 0], "x2": x[:, 1], "x3": x[:, 2]})
    return frame.assign(village=rng.permutation(n) % 20, w=rng.uniform(0.5, 2, n))


def test_oster_reads_the_two_regressions() -> None:
    frame = simulated()
    spec = Oster(outcome="y", treatment="d", covariates=("x1", "x2"), always=("x3",), weights="w")
    found = spec.compare(frame)
    short = FixedEffects(outcome="y", covariates=("d", "x3"), weights="w").fit(frame)
    full = FixedEffects(outcome="y", covariates=("d", "x1", "x2", "x3"), weights="w").fit(frame)
    assert found.moments.short == pytest.approx(dict(zip(short.keys["term"], short.values, strict=True))["d"])
    assert found.moments.full == pytest.approx(dict(zip(full.keys["term"], full.values, strict=True))["d"])
    assert found.bounds == (
        min(found.moments.full, found.coefficient),
        max(found.moments.full, found.coefficient),
    )
    assert found.altonji_ratio == pytest.approx(
        found.moments.full / (found.moments.short - found.moments.full)
    )
    assert selection_delta(found.moments, found.coefficient) == pytest.approx(1.0)


def test_oster_with_effects_is_oster_within() -> None:
    frame = simulated()
    within = frame - frame.groupby("village").transform("mean").assign(village=0)
    first = Oster(outcome="y", treatment="d", covariates=("x1", "x2"), absorb=("village",)).compare(frame)
    second = Oster(outcome="y", treatment="d", covariates=("x1", "x2")).compare(within)
    assert first.delta == pytest.approx(second.delta, rel=1e-9)
    assert first.moments.r2_full == pytest.approx(second.moments.r2_full, rel=1e-9)


def test_oster_says_why_it_has_no_answer() -> None:
    frame = simulated().assign(noise=0.0)
    found = Oster(outcome="y", treatment="d", covariates=("noise",)).compare(frame)
    assert np.isnan(found.delta)
    assert "nothing to compare" in found.reason
    with pytest.raises(DesignError, match="r_max"):
        Oster(outcome="y", treatment="d", covariates=("x1",), r_max=0.01).compare(frame)
    with pytest.raises(DesignError, match="does not vary"):
        Oster(outcome="y", treatment="d", covariates=("x1",)).compare(frame.assign(d=2.0))
    with pytest.raises(DesignError, match="does not vary"):
        Oster(outcome="y", treatment="d", covariates=("x1",)).compare(frame.assign(d=frame["x1"]))
    with pytest.raises(DesignError, match="'nope'"):
        Oster(outcome="y", treatment="d", covariates=("nope",)).compare(frame)


# --------------------------------------------------------------------------------- Cinelli and Hazlett


def regression(frame: pd.DataFrame, *more: str, **choices: Any) -> Any:
    return FixedEffects(outcome="y", covariates=("d", "x1", "x2", *more), **choices).fit(frame)


@pytest.mark.parametrize("choices", [{}, {"weights": "w"}, {"absorb": ("village",)}])
def test_a_confounder_moves_the_estimate_as_the_formula_says(choices: dict[str, Any]) -> None:
    """With the left-out variable at hand, estimate and error are those of the longer regression."""
    frame = simulated()
    short, long = regression(frame, **choices), regression(frame, "x3", **choices)
    found = omitted_variable(short, "d")
    of_long = omitted_variable(long, "d")
    of_confounder = omitted_variable(long, "x3")

    other = FixedEffects(outcome="d", covariates=("x1", "x2", "x3"), **choices).fit(frame)
    with_treatment = omitted_variable(other, "x3").partial_r2
    adjusted = adjusted_for(
        with_treatment, of_confounder.partial_r2, (found.estimate, found.std_error, found.df, 0.05)
    )
    sign = np.sign(found.estimate - of_long.estimate)
    moved = sign * (adjusted.estimate - found.estimate)
    assert found.estimate - abs(moved) * sign == pytest.approx(of_long.estimate, rel=1e-9)
    assert adjusted.std_error == pytest.approx(of_long.std_error, rel=1e-9)


def test_robustness_values_are_where_the_estimate_ends() -> None:
    found = omitted_variable(regression(simulated()), "d")
    numbers = (found.estimate, found.std_error, found.df, found.alpha)
    rv = found.robustness_value
    assert adjusted_for(rv, rv, numbers).estimate == pytest.approx(0.0, abs=1e-12)
    assert found.partial_r2 == pytest.approx(
        (found.estimate / found.std_error) ** 2 / ((found.estimate / found.std_error) ** 2 + found.df)
    )
    # of all confounders up to that strength with both, none takes significance, and one just above does
    critical = stats.t.ppf(0.975, found.df - 1)
    edge = found.robustness_value_significance
    assert 0 < edge < rv

    def weakest(limit: float) -> float:
        grid = np.linspace(0, limit, 201)
        return min(adjusted_for(a, b, numbers).statistic for a in grid for b in grid)

    assert weakest(edge) == pytest.approx(critical, rel=1e-6)
    assert weakest(edge * 1.01) < critical


def test_what_is_not_significant_has_no_robustness() -> None:
    frame = simulated().assign(d=np.random.default_rng(8).normal(size=400))
    found = omitted_variable(regression(frame), "d")
    if abs(found.estimate / found.std_error) < stats.t.ppf(0.975, found.df - 1):
        assert found.robustness_value_significance == 0.0
    assert found.robustness_value < 0.15


def test_a_copy_of_a_covariate_is_as_strong_as_it() -> None:
    """The benchmark's own strength, by the definition: partial R² of a variable like x1, orthogonal to it."""
    frame = simulated()
    fit = regression(frame)
    found = omitted_variable(fit, "d", benchmarks=("x1", ("x1", "x2")))
    first = found.benchmarks["x1"]
    assert not isinstance(first, str)
    other = FixedEffects(outcome="d", covariates=("x1", "x2")).fit(frame)
    of_treatment = omitted_variable(other, "x1").partial_r2
    assert first.r2_treatment == pytest.approx(of_treatment / (1 - of_treatment), rel=1e-9)
    of_outcome = omitted_variable(fit, "x1").partial_r2
    shared = of_treatment**2 / (1 - of_treatment) ** 2
    expected = ((1 + np.sqrt(shared)) / np.sqrt(1 - shared)) ** 2 * of_outcome / (1 - of_outcome)
    assert first.r2_outcome == pytest.approx(min(expected, 1.0), rel=1e-9)
    both = found.benchmarks["x1 and x2"]
    assert not isinstance(both, str)
    assert both.r2_treatment > first.r2_treatment
    strong = omitted_variable(fit, "d", benchmarks=("x1", "d"), strength=50.0).benchmarks
    assert "all of the treatment" in str(strong["x1"])
    assert "its own benchmark" in str(strong["d"])


def test_contours_and_refusals() -> None:
    frame = simulated()
    found = omitted_variable(regression(frame), "d")
    grid = bias_contours(found, points=5)
    assert grid.estimate[0, 0] == pytest.approx(found.estimate)
    assert (np.diff(grid.estimate[1:], axis=1) < 0).all()
    with pytest.raises(DesignError, match="no term"):
        omitted_variable(regression(frame), "zz")
    with pytest.raises(DesignError, match="must be positive"):
        omitted_variable(regression(frame), "d", q=-1.0)
    with pytest.raises(DesignError, match="contours"):
        bias_contours(found, largest=1.0)
    instrumented = TwoStage(outcome="y", endogenous="d", instruments="x3").fit(frame)
    with pytest.raises(InferenceError, match="least squares"):
        omitted_variable(instrumented, "d")
