"""Bias and coverage of cross-fitted estimators on SIMULATED data, in a short run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

import juntos_eval as je

DRAWS = 120


def sample(seed: int) -> pd.DataFrame:
    """SIMULATED: 600 rows, a constant effect of 1, score and outcome by lines."""
    rng = np.random.default_rng([17, seed])
    x = rng.normal(size=(600, 2))
    d = (rng.random(600) < special.expit(0.5 * x[:, 0] - 0.4 * x[:, 1])) * 1
    y = x @ [1.0, -0.5] + d + rng.normal(size=600)
    return pd.DataFrame({"y": y, "d": d, "x1": x[:, 0], "x2": x[:, 1]})


SPEC: dict[str, Any] = {"outcome": "y", "treatment": "d", "covariates": ("x1", "x2"), "folds": 3}


@pytest.mark.parametrize(
    "estimator",
    [
        je.CrossFittedAIPW(**SPEC, score="logit", outcome_model="linear"),
        je.CrossFittedAIPW(**SPEC, score="logit", outcome_model="linear", estimand="ate"),
        je.PartiallyLinear(**SPEC, treatment_model="linear", outcome_model="linear"),
    ],
    ids=["att", "ate", "partially linear"],
)
def test_intervals_cover(estimator: je.CrossFittedAIPW | je.PartiallyLinear) -> None:
    found = [estimator.fit(sample(seed)) for seed in range(DRAWS)]
    values = np.array([one.values[0] for one in found])
    errors = np.array([one.uncertainty.std_error[0] for one in found])
    assert abs(values.mean() - 1) < 3 * values.std() / np.sqrt(DRAWS)
    assert errors.mean() == pytest.approx(values.std(), rel=0.2)
    covered = np.mean(np.abs(values - 1) < 1.96 * errors)
    assert covered > 0.95 - 3 * np.sqrt(0.95 * 0.05 / DRAWS)
