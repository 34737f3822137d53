"""Summary indices by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimators.means import MeanDifference
from juntos_eval.estimators.summary_index import summary_index


@pytest.fixture
def frame() -> pd.DataFrame:
    """SIMULATED: two outcomes that say nearly the same, one of its own, half the rows treated."""
    rng = np.random.default_rng(3)
    n = 400
    common, d = rng.normal(size=n), np.arange(n) % 2
    return pd.DataFrame(
        {
            "height": common + 0.3 * rng.normal(size=n) + 0.2 * d,
            "weight": 5 * common + rng.normal(size=n) + d,
            "sick": -rng.normal(size=n) - 0.2 * d,
            "d": d,
            "w": rng.uniform(1, 3, n),
        }
    )


NAMES = ("height", "weight", "sick")


def by_hand(frame: pd.DataFrame) -> pd.DataFrame:
    turned = frame[list(NAMES)].assign(sick=-frame["sick"])
    untreated = turned[frame["d"] == 0]
    return (turned - untreated.mean()) / untreated.std(ddof=1)


def test_inverse_covariance_weighting_by_hand(frame: pd.DataFrame) -> None:
    found = summary_index(frame, NAMES, treatment="d", reverse=("sick",))
    scaled = by_hand(frame)
    inverse = np.linalg.inv(scaled.cov().to_numpy())
    weights = inverse.sum(axis=1) / inverse.sum()
    np.testing.assert_allclose(found.weights, weights, rtol=1e-10)
    raw = scaled.to_numpy() @ weights
    untreated = raw[frame["d"] == 0]
    np.testing.assert_allclose(found.index, (raw - untreated.mean()) / untreated.std(ddof=1), rtol=1e-9)
    # the two that say the same share what the third has alone
    assert found.weights[2] > found.weights[0] + found.weights[1] - 0.1
    assert found.index[frame["d"] == 0].std() == pytest.approx(1)


def test_average_of_z_scores_by_hand(frame: pd.DataFrame) -> None:
    found = summary_index(frame, NAMES, treatment="d", reverse=("sick",), method="klk")
    np.testing.assert_allclose(found.index, by_hand(frame).mean(axis=1), rtol=1e-10)


def test_missing_components_are_imputed_by_the_mean_of_the_group(frame: pd.DataFrame) -> None:
    gaps = frame.copy()
    gaps.loc[[0, 1, 10], "height"] = np.nan
    gaps.loc[20, list(NAMES)] = np.nan
    found = summary_index(gaps, NAMES, treatment="d", reverse=("sick",), method="klk")
    scaled = by_hand(gaps)
    means = scaled.groupby(gaps["d"]).transform("mean")
    expected = scaled.fillna(means).mean(axis=1).mask(gaps["height"].isna() & gaps["weight"].isna())
    np.testing.assert_allclose(found.index, expected, rtol=1e-10)
    assert found.missing == (4, 1, 1)
    assert np.isnan(found.index[20])


def test_missing_components_are_left_out_of_the_weighted_mean(frame: pd.DataFrame) -> None:
    gaps = frame.copy()
    gaps.loc[0, "height"] = np.nan
    found = summary_index(gaps, NAMES, treatment="d", reverse=("sick",))
    scaled = by_hand(gaps)
    inverse = np.linalg.inv(scaled.cov().to_numpy())
    weights = inverse.sum(axis=1) / inverse.sum()
    np.testing.assert_allclose(found.weights, weights, rtol=1e-9)
    raw = scaled.fillna(0).to_numpy() @ weights
    raw[0] /= weights[1:].sum()
    untreated = raw[gaps["d"] == 0]
    assert found.index[0] == pytest.approx((raw[0] - untreated.mean()) / untreated.std(ddof=1))


def test_index_goes_into_any_estimator(frame: pd.DataFrame) -> None:
    index = summary_index(frame, NAMES, treatment="d", reverse=("sick",)).index
    gap = MeanDifference(outcome="index", treatment="d").fit(frame.assign(index=index))
    assert gap.values[0] > 2 * gap.uncertainty.std_error[0]


@pytest.mark.parametrize("method", ["icw", "klk"])
def test_scales_and_signs_do_not_matter(frame: pd.DataFrame, method: Any) -> None:
    first = summary_index(frame, NAMES, treatment="d", reverse=("sick",), weights="w", method=method).index
    other = frame.assign(height=frame["height"] * 100 + 3, sick=-7 * frame["sick"])
    np.testing.assert_allclose(
        summary_index(other, NAMES, treatment="d", weights="w", method=method).index, first, rtol=1e-8
    )


def test_weights_of_k_are_k_rows(frame: pd.DataFrame) -> None:
    """Up to n - 1, whose rows are counted and not weighted."""
    counts = np.random.default_rng(1).integers(1, 4, 400)
    weighted = summary_index(frame.assign(k=counts), NAMES, treatment="d", weights="k")
    repeated = summary_index(
        frame.loc[frame.index.repeat(counts)].reset_index(drop=True), NAMES, treatment="d"
    )
    np.testing.assert_allclose(weighted.means, repeated.means, rtol=1e-10)
    np.testing.assert_allclose(weighted.weights, repeated.weights, rtol=0.01)


@pytest.mark.parametrize(
    ("names", "choices", "message"),
    [
        (("height",), {}, "two or more"),
        (("height", "height"), {}, "two or more"),
        (("height", "weight"), {"reverse": ("sick",)}, "reversed is no component"),
        (("height", "weight"), {"method": "pca"}, "no index 'pca'"),
        (("height", "one"), {}, "'one'"),
        (("height", "twice"), {}, "follow from each other"),
        (("height", "treated_only"), {}, "fewer than two untreated"),
        (("height", "nonsense"), {}, "'nonsense'"),
    ],
)
def test_what_cannot_be_an_index(
    frame: pd.DataFrame, names: tuple[str, ...], choices: dict[str, Any], message: str
) -> None:
    bad = frame.assign(
        one=1.0, twice=2 * frame["height"], treated_only=frame["height"].where(frame["d"] == 1)
    )
    with pytest.raises(DesignError, match=message):
        summary_index(bad, names, treatment="d", **choices)


def test_treatment_that_is_none(frame: pd.DataFrame) -> None:
    with pytest.raises(DesignError, match="must be 0 or 1"):
        summary_index(frame.assign(d=2), NAMES, treatment="d")
