from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import DenseInfluence, Fit
from juntos_eval.estimators.means import MeanDifference
from juntos_eval.inference import conley as module
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.conley import Conley
from juntos_eval.inference.robust import Robust
from tests.inference.panel import groups_of


@pytest.fixture
def villages() -> pd.DataFrame:
    """SIMULATED: 150 villages of 4 rows along the coast, errors that fade with distance."""
    rng = np.random.default_rng(8)
    lat, lon = rng.uniform(-18, -3, 150), rng.uniform(-81, -70, 150)
    frame = pd.DataFrame({"village": np.repeat(np.arange(150), 4)})
    village = frame["village"].to_numpy()
    return frame.assign(
        lat=lat[village],
        lon=lon[village],
        treated=(rng.random(150) < 0.5)[village] * 1,
        y=np.sin(lat[village]) + rng.normal(size=600),
    )


def fit_of(frame: pd.DataFrame) -> Fit:
    influence = np.random.default_rng(1).normal(size=(len(frame), 2))
    return Fit(
        values=np.zeros(2),
        influence=DenseInfluence(influence - influence.mean(axis=0)),
        parameters=2,
        groups=groups_of(frame, ["village", "lat", "lon"]),
    )


def by_hand(frame: pd.DataFrame, psi: Any, cutoff: float, kernel: str) -> Any:
    """Haversine distances of every pair of rows."""
    phi, theta = np.radians(frame[["lat", "lon"]].to_numpy()).T
    half = np.sin((phi[:, None] - phi) / 2) ** 2
    half = half + np.cos(phi[:, None]) * np.cos(phi) * np.sin((theta[:, None] - theta) / 2) ** 2
    share = 2 * 6378 * np.arcsin(np.sqrt(half)) / cutoff
    weights = (share <= 1) * 1.0 if kernel == "uniform" else np.maximum(0, 1 - share)
    return psi.T @ weights @ psi


@pytest.mark.parametrize("kernel", ["uniform", "bartlett"])
@pytest.mark.parametrize("pairs", [50, 4_000_000])
def test_sum_over_all_pairs(
    villages: pd.DataFrame, kernel: Any, pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAIRS", pairs)
    fit = fit_of(villages)
    found = Conley(lat="lat", lon="lon", cutoff_km=150, kernel=kernel).infer(fit)
    expected = by_hand(villages, fit.influence.dense(), 150, kernel) * 600 / 598
    assert "negative" not in found.method
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-10)


def test_a_hair_s_breadth_is_clusters_of_places(villages: pd.DataFrame) -> None:
    fit = fit_of(villages)
    found = Conley(lat="lat", lon="lon", cutoff_km=1e-4).infer(fit)
    clustered = Cluster("village", kind="CR0").infer(fit).covariance
    np.testing.assert_allclose(found.covariance, clustered * 600 / 598, rtol=1e-10)
    apart = villages.assign(lat=villages["lat"] + np.tile([0, 0.01, 0.02, 0.03], 150))
    alone = Conley(lat="lat", lon="lon", cutoff_km=1e-4).infer(fit_of(apart))
    np.testing.assert_allclose(alone.covariance, Robust("HC1").infer(fit).covariance, rtol=1e-10)


def test_the_date_line_is_no_border() -> None:
    frame = pd.DataFrame({"village": [0, 1, 2], "lat": [0.0, 0.0, 5.0], "lon": [179.9, -179.9, 0.0]})
    influence = DenseInfluence(np.array([1.0, 1.0, -2.0]))
    fit = Fit(
        values=np.zeros(1),
        influence=influence,
        parameters=0,
        groups=groups_of(frame, ["village", "lat", "lon"]),
    )
    assert Conley(lat="lat", lon="lon", cutoff_km=30).infer(fit).covariance.item() == pytest.approx(8.0)


def test_of_an_estimator_with_carried_degrees(villages: pd.DataFrame) -> None:
    rule = Conley(lat="lat", lon="lon", cutoff_km=200)
    estimate = MeanDifference(outcome="y", treatment="treated").fit(villages, inference=rule)
    assert estimate.fit is not None
    psi = estimate.fit.influence.dense()
    expected = by_hand(villages, psi, 200, "uniform") * 600 / 598
    np.testing.assert_allclose(estimate.uncertainty.covariance, expected, rtol=1e-10)
    assert "200 km" in estimate.uncertainty.method
    assert "150 places" in estimate.uncertainty.method


def test_a_cutoff_around_the_world_sums_to_zero_and_is_not_known(villages: pd.DataFrame) -> None:
    """Influence sums to zero: with every pair in, nothing is left that could be called a variance."""
    found = Conley(lat="lat", lon="lon", cutoff_km=30_000).infer(fit_of(villages))
    assert not (found.std_error > 1e-6).any()


@pytest.mark.parametrize("choice", [{"cutoff_km": 0}, {"cutoff_km": np.nan}, {"kernel": "gaussian"}])
def test_choices_that_there_are_not(choice: dict[str, Any]) -> None:
    with pytest.raises(InferenceError, match="Conley"):
        Conley(**{"lat": "lat", "lon": "lon", "cutoff_km": 1.0, **choice})


@pytest.mark.parametrize(("value", "message"), [("south", "decimal degrees"), (8_600_000.0, "no degrees")])
def test_columns_that_hold_no_degrees(villages: pd.DataFrame, value: Any, message: str) -> None:
    wrong = villages.assign(lat=value)
    with pytest.raises(InferenceError, match=message):
        Conley(lat="lat", lon="lon", cutoff_km=10).infer(fit_of(wrong))
