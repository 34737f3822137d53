"""Bounds hold what they promise: by hand, against the truth, and row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimators.means import MeanDifference
from juntos_eval.estimators.sensitivity import HorowitzManskiBounds, LeeBounds, ManskiBounds, bounds_interval
from juntos_eval.inference.cluster import Cluster


def trial(
    seed: int, n: int = 800, keep: tuple[float, float] = (0.0, 0.6), effect: float = 0.5
) -> pd.DataFrame:
    """SIMULATED trial: who is strong stays, and treatment makes more of them stay."""
    rng = np.random.default_rng(seed)
    d, strong, area = rng.integers(0, 2, n), rng.normal(size=n), rng.integers(0, 3, n)
    stays = strong + 0.5 * area + keep[0] + (keep[1] - keep[0]) * d + rng.normal(size=n) > 0
    y = 1 + effect * d + 0.7 * strong + 0.5 * area + rng.normal(size=n)
    frame = pd.DataFrame({"y": np.where(stays, y, np.nan), "d": d, "area": area, "w": rng.uniform(1, 3, n)})
    return frame.assign(village=rng.permutation(n) % 40)


LEE: dict[str, Any] = {"outcome": "y", "treatment": "d"}


def test_lee_by_hand() -> None:
    treated = [5.0, 1.0, 4.0, 2.0, 3.0, 6.0, np.nan, np.nan]  # 6 of 8 seen
    untreated = [1.0, 2.0, 3.0, np.nan, np.nan, np.nan, np.nan, 2.0]  # 4 of 8: a third is cut
    frame = pd.DataFrame({"y": treated + untreated, "d": [1] * 8 + [0] * 8})
    found = LeeBounds(**LEE).fit(frame)
    np.testing.assert_allclose(found.values, [2.5 - 2.0, 4.5 - 2.0])
    np.testing.assert_allclose(found.details["share_cut"], [1 / 3])
    other = LeeBounds(**LEE).fit(frame.assign(d=1 - frame["d"]))
    np.testing.assert_allclose(other.values, -found.values[::-1])


def test_lee_without_differential_attrition_is_the_gap_in_means() -> None:
    frame = trial(1)
    frame["y"] = frame["y"].fillna(0.3)
    found = LeeBounds(**LEE).fit(frame)
    gap = MeanDifference(**LEE).fit(frame)
    np.testing.assert_allclose(found.values, gap.values[0].repeat(2), rtol=1e-12)


@pytest.mark.parametrize(
    "choices", [{}, {"weights": "w"}, {"cells": "area"}, {"cells": "area", "weights": "w"}]
)
@pytest.mark.parametrize("keep", [(0.0, 0.6), (0.5, -0.2)])
def test_influence_is_what_a_row_adds(choices: dict[str, Any], keep: tuple[float, float]) -> None:
    frame = trial(2, keep=keep)
    spec = LeeBounds(**LEE, **choices)
    estimate = spec.fit(frame)
    assert estimate.fit is not None
    influence = estimate.fit.influence.dense()
    assert np.abs(influence.sum(axis=0)).max() < 1e-9 * np.abs(influence).sum()
    rows = np.random.default_rng(0).choice(len(frame), 60, replace=False)
    moved = np.array([estimate.values - spec.fit(frame.drop(index=row)).values for row in rows])
    for column in (0, 1):
        assert np.corrcoef(moved[:, column], influence[rows, column])[0, 1] > 0.97
        assert np.linalg.norm(moved[:, column]) == pytest.approx(
            np.linalg.norm(influence[rows, column]), rel=0.15
        )


def test_cells_make_bounds_no_wider_in_a_large_sample() -> None:
    frame = trial(3, n=20_000)
    wide, narrow = LeeBounds(**LEE).fit(frame), LeeBounds(**LEE, cells="area").fit(frame)
    assert narrow.values[1] - narrow.values[0] < wide.values[1] - wide.values[0]
    assert sum(narrow.details["share_of_cells"]) == pytest.approx(1.0)


def test_ties_are_cut_in_part_whatever_the_order() -> None:
    frame = trial(4)
    frame["y"] = np.where(frame["y"].isna(), np.nan, (frame["y"] > 1) * 1.0)
    first = LeeBounds(**LEE, weights="w").fit(frame)
    again = LeeBounds(**LEE, weights="w").fit(frame.sample(frac=1, random_state=1))
    np.testing.assert_allclose(again.values, first.values, rtol=1e-12)
    np.testing.assert_allclose(again.uncertainty.std_error, first.uncertainty.std_error, rtol=1e-9)


def test_lee_covers_the_truth_and_its_errors_are_those_of_repetition() -> None:
    draws, covered, values, errors = 300, 0, [], []
    for seed in range(draws):
        estimate = LeeBounds(**LEE).fit(trial(100 + seed))
        low, high = bounds_interval(estimate)
        covered += low <= 0.5 <= high
        values.append(estimate.values)
        errors.append(estimate.uncertainty.std_error)
    assert covered / draws > 0.93
    spread = np.std(values, axis=0, ddof=1)
    np.testing.assert_allclose(np.mean(errors, axis=0), spread, rtol=0.1)


def test_naive_difference_of_who_stayed_is_off_and_the_bounds_are_not() -> None:
    """Known failure beside its remedy."""
    frame = trial(9, n=40_000, keep=(-0.5, 1.0))
    naive = MeanDifference(**LEE).fit(frame).values[0]
    low, high = LeeBounds(**LEE).fit(frame).values
    assert naive < 0.4
    assert low < 0.5 < high


def test_clusters_and_intervals() -> None:
    estimate = LeeBounds(**LEE).fit(trial(5), inference=Cluster("village"))
    assert "village" in estimate.uncertainty.method
    narrow, wide = bounds_interval(estimate, 0.9), bounds_interval(estimate, 0.99)
    assert wide[0] < narrow[0] < estimate.values[0]
    two_sided = estimate.interval()
    assert two_sided[0, 0] < bounds_interval(estimate)[0]
    with pytest.raises(InferenceError, match="lower and upper"):
        bounds_interval(MeanDifference(**LEE).fit(trial(5)))


def test_what_lee_refuses() -> None:
    frame = trial(1)
    with pytest.raises(DesignError, match="no treated row has an outcome"):
        LeeBounds(**LEE).fit(frame.assign(y=frame["y"].where(frame["d"] == 0)))
    with pytest.raises(DesignError, match="one of the arms"):
        LeeBounds(**LEE, cells="one").fit(frame.assign(one=np.where(frame.index == 0, "alone", "all")))
    with pytest.raises(DesignError, match="missing"):
        LeeBounds(**LEE).fit(frame.assign(d=np.where(frame.index == 0, np.nan, frame["d"])))
    with pytest.raises(DesignError, match="'y'"):
        LeeBounds(**LEE).fit(frame.assign(y="text"))


def test_horowitz_manski_by_hand_and_refusals() -> None:
    frame = pd.DataFrame({"y": [1, 0, None, 1, None, 0], "d": [1, 1, 1, 0, 0, 0]})
    found = HorowitzManskiBounds(**LEE, smallest=0.0, largest=1.0).fit(frame)
    np.testing.assert_allclose(found.values, [1 / 3 - 2 / 3, 2 / 3 - 1 / 3])
    with pytest.raises(DesignError, match="outside the range"):
        HorowitzManskiBounds(**LEE, smallest=0.5, largest=1.0).fit(frame)


def test_manski_by_hand() -> None:
    rng = np.random.default_rng(1)
    d = rng.integers(0, 2, 500)
    y = rng.integers(0, 2, 500) * 1.0
    frame = pd.DataFrame({"y": y, "d": d})
    p, on, off = d.mean(), y[d == 1].mean(), y[d == 0].mean()
    lower = p * on + (1 - p) * 0 - (1 - p) * off - p * 1
    upper = p * on + (1 - p) * 1 - (1 - p) * off - p * 0
    options: dict[str, Any] = {**LEE, "smallest": 0.0, "largest": 1.0}
    chosen: Any
    np.testing.assert_allclose(ManskiBounds(**options).fit(frame).values, [lower, upper])
    assert upper - lower == pytest.approx(1.0)  # the width is the range, whatever the data
    expected = {
        "monotone_response": [0.0, upper],
        "monotone_selection": [lower, on - off],
        "both": [0.0, on - off],
    }
    for chosen, values in expected.items():
        found = ManskiBounds(**options, assumption=chosen).fit(frame)
        np.testing.assert_allclose(found.values, values)
    gap = MeanDifference(**LEE).fit(frame)
    both = ManskiBounds(**options, assumption="both").fit(frame)
    assert both.uncertainty.std_error[0] == 0.0
    assert both.uncertainty.std_error[1] == pytest.approx(gap.uncertainty.std_error[0], rel=0.01)
    chosen = "hope"
    with pytest.raises(DesignError, match="no assumption"):
        ManskiBounds(**options, assumption=chosen)
