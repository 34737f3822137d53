from __future__ import annotations

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.means import Mean, MeanDifference
from juntos_eval.inference.approximate_randomization import approximate_randomization

GAP = MeanDifference(outcome="y", treatment="treated")


@pytest.fixture
def frame() -> pd.DataFrame:
    """SIMULATED: 7 areas of 40 rows, effects that differ by area."""
    rng = np.random.default_rng(3)
    area = np.repeat(np.arange(7), 40)
    treated = rng.integers(0, 2, 280)
    y = rng.normal(size=7)[area] + treated * (0.5 + rng.normal(size=7) / 2)[area] + rng.normal(size=280)
    return pd.DataFrame({"area": area, "treated": treated, "y": y})


def by_hand(values: np.ndarray, null: float) -> float:
    def statistic(gaps: np.ndarray) -> float:
        return float(abs(gaps.mean()) / gaps.std(ddof=1))

    gaps = values - null
    observed = statistic(gaps)
    draws = [statistic(gaps * np.array(signs)) for signs in product((-1, 1), repeat=len(gaps))]
    return float(np.mean(np.array(draws) >= observed * (1 - 1e-9)))


def test_every_change_of_sign(frame: pd.DataFrame) -> None:
    found = approximate_randomization(GAP, frame, by="area", null=0.1)
    treated = frame["treated"] == 1
    means = [frame[rows].groupby("area")["y"].mean() for rows in (treated, ~treated)]
    effects = (means[0] - means[1]).to_numpy()
    assert found.values[0] == pytest.approx(effects.mean())
    assert found.uncertainty.std_error[0] == pytest.approx(effects.std(ddof=1) / np.sqrt(7))
    assert found.uncertainty.df == 6
    assert found.p_values()[0] == by_hand(effects, 0.1)
    low, high = found.interval()[0]
    assert low < found.values[0] < high
    assert by_hand(effects, low + 1e-7) > 0.05 >= by_hand(effects, low - 1e-7)
    assert by_hand(effects, high - 1e-7) > 0.05 >= by_hand(effects, high + 1e-7)
    assert "all 128 changes of sign" in found.uncertainty.method


def test_five_clusters_cannot_reject(frame: pd.DataFrame) -> None:
    """With q clusters p is at least 2 to the 1 - q: of five, 0.0625."""
    found = approximate_randomization(
        GAP, frame[frame["area"] < 5].assign(y=lambda f: f["treated"]), by="area"
    )
    assert found.p_values()[0] == 2 / 32
    found = approximate_randomization(GAP, frame[frame["area"] < 5], by="area")
    assert np.isinf(found.interval()).all()
    assert "1 of 1 confidence sets unbounded" in found.uncertainty.method


def test_drawn_signs_and_records(frame: pd.DataFrame) -> None:
    many = frame.assign(area=np.arange(280) // 14)
    found = approximate_randomization(GAP, many, by="area", draws=999, seed=4)
    again = approximate_randomization(GAP, many, by="area", draws=999, seed=4)
    assert found.to_record() == again.to_record()
    read = Estimate.from_record(json.loads(json.dumps(found.to_record())))
    np.testing.assert_array_equal(read.interval(), found.interval())
    assert found.sample.rows == 280
    assert len(found.details["clusters"]) == 20


def test_what_cannot_be_tested(frame: pd.DataFrame) -> None:
    with pytest.raises(DesignError, match="'elsewhere'"):
        approximate_randomization(GAP, frame, by="elsewhere")
    with pytest.raises(DesignError, match="cluster 0 cannot be estimated alone"):
        approximate_randomization(GAP, frame.assign(treated=(frame["area"] > 0) * 1), by="area")
    with pytest.raises(InferenceError, match="2 clusters"):
        approximate_randomization(GAP, frame[frame["area"] < 2], by="area")
    groups = Mean(outcome="y", by="treated")
    uneven = frame.assign(treated=np.where(frame["area"] == 0, 0, frame["treated"]))
    with pytest.raises(InferenceError, match="2 kinds"):
        approximate_randomization(groups, uneven, by="area")
