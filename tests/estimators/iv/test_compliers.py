"""Effects on compliers, who they are, and that the error of the instrument's probability is in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimators.iv import ComplierEffect, ComplierMeans, TwoStage
from juntos_eval.estimators.means import MeanDifference
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust


def encouraged(seed: int, n: int = 3000) -> pd.DataFrame:
    """SIMULATED: 20 % always-takers, 30 % never-takers, compliers gain 1, others 3; x decides the offer."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    kind = rng.choice(["always", "never", "complier"], n, p=[0.2, 0.3, 0.5])
    offer = rng.random(n) < 1 / (1 + np.exp(-0.2 - 0.7 * x))
    joined = np.where(kind == "always", True, np.where(kind == "never", False, offer))
    gain = np.where(kind == "complier", 1.0, 3.0)
    y = x + 0.5 * (kind == "always") + gain * joined + rng.normal(size=n)
    age = 30 + 5 * (kind == "complier") + rng.normal(size=n)
    frame = pd.DataFrame({"y": y, "joined": joined * 1, "offer": offer * 1, "x": x, "age": age})
    return frame.assign(w=rng.uniform(1, 3, n), village=rng.permutation(n) % 50)


SPEC: dict[str, Any] = {"outcome": "y", "treatment": "joined", "instrument": "offer"}


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("method", ["aipw", "kappa"])
def test_without_covariates_it_is_two_stage_least_squares(weights: str | None, method: Any) -> None:
    frame = encouraged(1)
    late = ComplierEffect(**SPEC, weights=weights, method=method).fit(frame)
    iv = TwoStage(outcome="y", endogenous="joined", instruments="offer", weights=weights).fit(
        frame, inference=Robust("HC0")
    )
    assert late.values[0] == pytest.approx(iv.values[0], rel=1e-9)
    assert late.uncertainty.std_error[0] == pytest.approx(iv.uncertainty.std_error[0], rel=1e-9)
    share = MeanDifference(outcome="joined", treatment="offer", weights=weights).fit(frame)
    assert late.values[1] == pytest.approx(share.values[0])
    assert late.values[1:].sum() == pytest.approx(1.0)


@pytest.mark.parametrize("method", ["aipw", "kappa"])
def test_influence_sums_to_zero_and_is_what_a_row_adds(method: Any) -> None:
    frame = encouraged(2, n=600)
    spec = ComplierEffect(**SPEC, covariates=("x",), method=method, weights="w")
    means = ComplierMeans(
        characteristics=("age",), treatment="joined", instrument="offer", covariates=("x",), weights="w"
    )
    for each in (spec, means):
        estimate = each.fit(frame)
        assert estimate.fit is not None
        influence = estimate.fit.influence.dense()
        assert np.abs(influence.sum(axis=0)).max() < 1e-9 * np.abs(influence).sum()
        rows = np.random.default_rng(0).choice(600, 40, replace=False)
        moved = np.array([estimate.values - each.fit(frame.drop(index=row)).values for row in rows])
        for column in range(len(estimate.values)):
            assert np.corrcoef(moved[:, column], influence[rows, column])[0, 1] > 0.98
            assert np.linalg.norm(moved[:, column]) == pytest.approx(
                np.linalg.norm(influence[rows, column]), rel=0.12
            )


@pytest.mark.parametrize("method", ["aipw", "kappa"])
def test_the_truth_is_covered(method: Any) -> None:
    draws, covered = 100, 0
    for seed in range(draws):
        estimate = ComplierEffect(**SPEC, covariates=("x",), method=method).fit(encouraged(seed, n=800))
        low, high = estimate.interval()[0]
        covered += bool(low <= 1.0 <= high)
    assert abs(covered / draws - 0.95) < 0.06


def test_shares_and_characteristics_of_compliers() -> None:
    frame = encouraged(3, n=20_000)
    late = ComplierEffect(**SPEC, covariates=("x",)).fit(frame)
    np.testing.assert_allclose(late.values[1:], [0.5, 0.2, 0.3], atol=0.02)
    means = ComplierMeans(characteristics=("age",), treatment="joined", instrument="offer", covariates=("x",))
    found = means.fit(frame, inference=Cluster("village"))
    np.testing.assert_allclose(found.values, [35.0, 32.5], atol=0.15)
    assert found.keys["group"] == ("compliers", "all")


def test_what_is_refused() -> None:
    frame = encouraged(1, n=300)
    with pytest.raises(DesignError, match="no method"):
        ComplierEffect(**SPEC, method="hope")  # type: ignore[arg-type]
    with pytest.raises(DesignError, match="must be 0 or 1"):
        ComplierEffect(**SPEC).fit(frame.assign(offer=frame["x"]))
    with pytest.raises(DesignError, match="no untreated"):
        ComplierEffect(**SPEC).fit(frame.assign(offer=1))
    balanced = pd.DataFrame({"y": [1, 2, 3, 4.0], "joined": [0, 1, 0, 1], "offer": [0, 0, 1, 1]})
    with pytest.raises(DesignError, match="moves nobody"):
        ComplierEffect(**SPEC).fit(balanced)
