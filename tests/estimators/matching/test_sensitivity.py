"""Rosenbaum's bounds from a design, and E-values, against formulas worked out here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate, Sample, Uncertainty
from juntos_eval.estimators.matching.e_value import e_value
from juntos_eval.estimators.matching.matching import Matching
from juntos_eval.estimators.matching.sensitivity import HiddenBiasBounds, rosenbaum_bounds


def simulated(n: int = 300, *, binary: bool = False, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    d = rng.random(n) < 1 / (1 + np.exp(1.2 - 0.5 * x))
    y = x + 0.7 * d + rng.normal(size=n)
    if binary:
        y = (y > 0.5).astype(float)
    return pd.DataFrame({"d": d.astype(int), "x": x, "y": y, "w": rng.uniform(1, 5, n)})


def bounds_of(frame: pd.DataFrame, matching: dict[str, Any], **options: Any) -> HiddenBiasBounds:
    design = Matching(treatment="d", covariates=("x",), **{"distance": "x", **matching}).design(frame)
    return rosenbaum_bounds(design, frame, outcome="y", **options)


def paired(frame: pd.DataFrame, matching: dict[str, Any]) -> np.ndarray[Any, Any]:
    pairs = Matching(treatment="d", covariates=("x",), **{"distance": "x", **matching}).design(frame).pairs()
    y = frame["y"].to_numpy()
    return np.asarray(y[pairs["target"]] - y[pairs["match"]])


@pytest.mark.parametrize("gamma", [1.0, 1.4, 2.5])
def test_pairs_of_a_design_give_the_signed_rank_bounds(gamma: float) -> None:
    frame = simulated(900)
    differences = paired(frame, {})
    assert len(differences) > 100
    ranks = stats.rankdata(np.abs(differences))
    statistic, n = ranks[differences > 0].sum(), len(ranks)
    for alternative, value in (("greater", statistic), ("less", ranks.sum() - statistic)):
        found = bounds_of(frame, {}, gammas=(gamma,), alternative=alternative)
        for p_value, chance in ((found.p_upper, gamma / (1 + gamma)), (found.p_lower, 1 / (1 + gamma))):
            mean = chance * n * (n + 1) / 2
            variance = chance * (1 - chance) * n * (n + 1) * (2 * n + 1) / 6
            np.testing.assert_allclose(p_value, stats.norm.sf((value - mean) / np.sqrt(variance)), rtol=1e-9)
    two_sided = bounds_of(frame, {}, gammas=(gamma,))
    more = bounds_of(frame, {}, gammas=(gamma,), alternative="greater")
    np.testing.assert_allclose(two_sided.p_upper, np.minimum(1, 2 * more.p_upper))


def test_hodges_lehmann_bounds_are_quantiles_of_walsh_averages() -> None:
    frame = simulated(300)
    differences = paired(frame, {})
    n = len(differences)
    i, j = np.triu_indices(n)
    walsh = np.sort((differences[i] + differences[j]) / 2)
    gammas = (1.0, 1.5, 2.0)
    found = bounds_of(frame, {}, gammas=gammas)
    assert found.estimate_low[0] == pytest.approx(np.median(walsh), abs=1e-8)
    for k, gamma in enumerate(gammas):
        for ends, chance in (
            (found.estimate_low, gamma / (1 + gamma)),
            (found.estimate_high, 1 / (1 + gamma)),
        ):
            # so many Walsh averages lie above the shift at which the statistic meets its expectation
            above = chance * len(walsh)
            low = walsh[len(walsh) - int(np.ceil(above + 1e-9))]
            high = walsh[min(len(walsh) - int(np.floor(above - 1e-9)) - 1, len(walsh) - 1)]
            assert min(low, high) - 1e-8 <= ends[k] <= max(low, high) + 1e-8
    assert (found.conf_low < found.estimate_low).all()
    assert (found.conf_high > found.estimate_high).all()
    assert (np.diff(found.estimate_low) < 0).all()


def test_the_interval_holds_what_the_test_does_not_reject() -> None:
    frame = simulated(900)
    found = bounds_of(frame, {}, gammas=(1.3,))
    for shift, alternative in ((found.conf_low[0], "greater"), (found.conf_high[0], "less")):
        moved = frame.assign(y=frame["y"] - shift * frame["d"])
        at_end = bounds_of(moved, {}, gammas=(1.3,), alternative=alternative)
        assert at_end.p_upper[0] == pytest.approx(0.025, abs=1e-3)


def test_critical_gamma_is_where_the_bound_meets_the_level() -> None:
    frame = simulated(900)
    found = bounds_of(frame, {})
    assert found.critical_gamma > 1.2
    at = bounds_of(frame, {}, gammas=(found.critical_gamma * 0.999, found.critical_gamma * 1.001))
    assert at.p_upper[0] <= 0.05 <= at.p_upper[1]
    nothing = bounds_of(frame.assign(y=np.random.default_rng(8).normal(size=900)), {})
    assert np.isnan(nothing.critical_gamma)


def test_sets_of_several_matches_and_untreated_targets() -> None:
    frame = simulated(600)
    sets = bounds_of(frame, {"ratio": 2, "caliper": 0.3}, alternative="greater")
    assert sets.statistic.startswith("aligned rank")
    assert sets.p_upper[0] < 0.001
    assert (np.diff(sets.p_upper) > 0).all()
    assert sets.estimate_low[0] == pytest.approx(0.7, abs=0.2)
    turned = frame.assign(d=1 - frame["d"], y=-frame["y"])
    options = {"estimand": "atc", "ratio": 2, "caliper": 0.3}
    other = bounds_of(turned, options, alternative="greater")
    np.testing.assert_allclose(other.tidy(), sets.tidy(), atol=1e-8)


@pytest.mark.parametrize("ratio", [1, 2])
def test_binary_outcomes_use_counts(ratio: int) -> None:
    frame = simulated(600, binary=True)
    found = bounds_of(frame, {"ratio": ratio}, alternative="greater")
    assert found.statistic == ("McNemar, exact" if ratio == 1 else "Mantel-Haenszel, exact")
    assert np.isnan(found.estimate_low).all()
    if ratio == 1:
        differences = paired(frame, {})
        positive, mixed = (differences > 0).sum(), (differences != 0).sum()
        expected = stats.binom.sf(positive - 1, mixed, found.gammas / (1 + found.gammas))
        np.testing.assert_allclose(found.p_upper, expected, rtol=1e-9)
    turned = frame.assign(d=1 - frame["d"], y=1 - frame["y"])
    other = bounds_of(turned, {"estimand": "atc", "ratio": ratio}, alternative="greater")
    np.testing.assert_allclose(other.p_upper, found.p_upper)


def test_missing_outcomes_are_counted_and_conventions_are_said() -> None:
    frame = simulated(300)
    frame.loc[frame.index[frame["d"] == 1][:3], "y"] = np.nan
    found = bounds_of(frame, {"replace": True, "weights": "w"})
    assert found.dropped["sets without outcomes"] == 3
    assert any("sampling weights are not used" in note for note in found.notes)
    assert any("several sets" in note for note in found.notes)
    assert found.sets + 3 == int((frame["d"] == 1).sum())
    record = found.to_record()
    assert record["p_upper"] == found.p_upper.tolist()
    assert record["sets"] == found.sets


def test_bad_requests_are_refused() -> None:
    frame = simulated()
    with pytest.raises(DesignError, match="at least 1"):
        bounds_of(frame, {}, gammas=(0.5,))
    with pytest.raises(DesignError, match="ATE"):
        bounds_of(frame, {"estimand": "ate", "replace": True})
    with pytest.raises(DesignError, match="kernel"):
        bounds_of(frame, {"method": "kernel"})
    with pytest.raises(DesignError, match="no column 'z'"):
        rosenbaum_bounds(Matching(treatment="d", covariates=("x",)).design(frame), frame, outcome="z")
    with pytest.raises(DesignError, match="no matched set has outcomes"):
        bounds_of(frame.assign(y=np.nan), {})


def estimate_of(value: float, se: float, **details: float) -> Estimate:
    return Estimate(
        spec={},
        keys={"term": ("att",)},
        values=np.array([value]),
        uncertainty=Uncertainty(method="given", covariance=np.array([[se**2]]), df=np.inf),
        sample=Sample(rows=10, units=10),
        details=details,
    )


def strength(ratio: float) -> float:
    ratio = max(ratio, 1 / ratio)
    return float(ratio + np.sqrt(ratio * (ratio - 1)))


@pytest.mark.parametrize(("value", "ends_at"), [(0.10, "low"), (-0.05, "high")])
def test_e_value_of_a_risk_difference(value: float, ends_at: str) -> None:
    found = e_value(estimate_of(value, 0.01, mean_untreated=0.2))
    z = float(stats.norm.ppf(0.975))
    limit = (0.2 + value + (-z if ends_at == "low" else z) * 0.01) / 0.2
    assert found.point == pytest.approx(strength((0.2 + value) / 0.2))
    assert found.limit == pytest.approx(strength(limit))


def test_e_value_on_other_scales() -> None:
    two = 2 + np.sqrt(2)
    assert e_value(estimate_of(2.0, 0.1), scale="risk_ratio").point == pytest.approx(two)
    assert e_value(estimate_of(np.log(2.0), 0.1), scale="log_risk_ratio").point == pytest.approx(two)
    mean = e_value(estimate_of(1.5, 0.1), outcome_sd=3.0)
    assert mean.risk_ratio == pytest.approx(np.exp(0.91 * 0.5))


def test_an_interval_that_holds_no_effect_needs_no_confounder() -> None:
    found = e_value(estimate_of(0.02, 0.05), baseline=0.3)
    assert found.limit == 1.0
    assert found.point > 1.0
    unknown = e_value(estimate_of(0.02, float("nan")), baseline=0.3)
    assert np.isnan(unknown.limit)
    assert unknown.to_record()["limit"] is None


@pytest.mark.parametrize(
    "options",
    [{}, {"baseline": 1.2}, {"baseline": -0.1}, {"outcome_sd": 0.0}, {"baseline": 0.01}, {"term": "ate"}],
)
def test_e_value_refuses_what_it_cannot_convert(options: dict[str, Any]) -> None:
    with pytest.raises(DesignError):
        e_value(estimate_of(-0.05, 0.01), **options)
