"""What a discontinuity cannot be made of is said in our own words, or answered rightly (SIMULATED)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimators.rdd import RegressionDiscontinuity


def simulated(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(9)
    x = rng.uniform(-1, 1, n)
    y = 2.0 * (x >= 0) + rng.normal(size=n)
    return pd.DataFrame({"x": x, "y": y, "t": (x >= 0) * 1.0, "z": rng.normal(size=n), "one": 1.0})


@pytest.mark.parametrize(
    ("choices", "change", "match"),
    [
        pytest.param({"cutoff": 5.0}, {}, "right of the cutoff", id="cutoff above the data"),
        pytest.param({"cutoff": -5.0}, {}, "left of the cutoff", id="cutoff below the data"),
        pytest.param({}, {"x": "0.3"}, "does not hold numbers", id="running as text"),
        pytest.param({}, {"x": pd.Timestamp("2012-01-01")}, "does not hold numbers", id="running as dates"),
        pytest.param({}, {"y": np.inf}, "infinite", id="infinite outcome"),
        pytest.param({}, {"y": np.nan}, "no complete row", id="no outcome"),
        pytest.param({}, {"x": np.tile([-1.0, 1.0], 150)}, "too few distinct", id="two values"),
        pytest.param({"treatment": "t"}, {"t": 1.0}, "no first stage", id="constant treatment"),
        pytest.param({"weights": "w"}, {"w": -1.0}, "negative", id="negative weights"),
        pytest.param({"weights": "w"}, {"w": 0.0}, "no complete row", id="no weight"),
        pytest.param({"bandwidth": 1e-6}, {}, "too few", id="empty window"),
        pytest.param({}, {"y": 1.0}, "no bandwidth", id="constant outcome"),
        pytest.param({"cluster": "c"}, {"c": np.nan}, "missing", id="missing cluster"),
    ],
)
def test_bad_input_is_refused(choices: dict[str, Any], change: dict[str, Any], match: str) -> None:
    design = RegressionDiscontinuity(**{"outcome": "y", "running": "x", **choices})
    with pytest.raises(DesignError, match=match):
        design.fit(simulated().assign(**change))


def test_collinear_covariates_are_named_and_straddling_clusters_counted() -> None:
    frame = simulated().assign(z2=lambda rows: 3 * rows["z"], c=np.arange(300) % 20)
    design = RegressionDiscontinuity(outcome="y", running="x", covariates=("z", "z2"), cluster="c")
    checks = {check.name: check.detail for check in design.fit(frame).checks}
    assert "z2" in checks["collinear covariates"]
    assert "20 on both sides" in checks["clusters across the cutoff"]
