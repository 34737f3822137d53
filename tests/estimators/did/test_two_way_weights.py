"""Weights of effects in two-way coefficients: R's TwoWayFEWeights, and the identity that defines them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimators.did import TwoWayWeights, twfe_weights
from tests.estimators.did.staggered import cases, table

COLUMNS: dict[str, Any] = {"outcome": "y", "unit": "id", "time": "time", "treatment": "D"}


def weights_of(name: str, regression: str) -> TwoWayWeights:
    return twfe_weights(table(cases()[name]), **COLUMNS, regression=regression)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "regression"),
    [("did_switch-feTR", "levels"), ("did_unb-feTR", "levels"), ("did_switch-fdTR", "differences")],
)
def test_weights_are_those_of_twowayfeweights(name: str, regression: str) -> None:
    case = f"twowayfeweights-{name}"
    found, stored = weights_of(case, regression), cases()[case]["expected"]
    positive = found.weights[found.weights > 0]
    assert len(positive) == stored["nr_plus"]
    assert round(found.negative_share * len(found.weights)) == stored["nr_minus"]
    assert float(positive.sum()) == pytest.approx(stored["sum_plus"], rel=1e-9)
    assert found.negative_sum == pytest.approx(stored["sum_minus"], rel=1e-9)
    # R divides the spread of weights by one less than the cells; its case in differences takes y in levels
    small_sample = np.sqrt(1 - 1 / len(found.weights))
    factor = stored["beta"] / found.coefficient
    if regression == "levels":
        assert factor == pytest.approx(1, rel=1e-9)
    assert found.zero_spread * small_sample * factor == pytest.approx(stored["sensibility"], rel=1e-9)
    assert found.opposite_spread * factor == pytest.approx(stored["sensibility2"], rel=1e-9)


@pytest.mark.parametrize("regression", ["levels", "differences"])
@pytest.mark.parametrize("name", ["did_switch", "did_unb"])
def test_coefficient_is_the_weighted_sum_of_effects(name: str, regression: str) -> None:
    """Outcomes are effects of units, of periods, and known ones of cells (SIMULATED, also with gaps)."""
    data = table(cases()[f"twowayfeweights-{name}-feTR"]).sample(frac=1, random_state=1)
    rng = np.random.default_rng(8)
    effects = rng.normal(size=len(data))
    # in differences effects of periods must not differ by the length of a gap
    periods = data["time"] ** 2 if regression == "levels" else 0.0
    known = data.assign(effect=effects, y=data["id"] + periods + effects * data["D"])
    found = twfe_weights(known, **COLUMNS, regression=regression)  # type: ignore[arg-type]
    cells = found.tidy().astype({"unit": int, "period": int})
    merged = cells.merge(known, left_on=["unit", "period"], right_on=["id", "time"])
    assert len(merged) == len(cells)
    assert float((merged["weight"] * merged["effect"]).sum()) == pytest.approx(found.coefficient, abs=1e-9)
    assert found.weights.sum() == pytest.approx(1, abs=1e-12)


def test_what_has_no_weights_is_named() -> None:
    data = pd.DataFrame({"id": [1, 1, 2, 2], "time": [1, 2] * 2, "D": [0, 1, 0, 0], "y": [0.0, 3, 0, 1]})
    with pytest.raises(DesignError, match="several rows"):
        twfe_weights(pd.concat([data, data.head(1)]), **COLUMNS)
    with pytest.raises(DesignError, match="above zero"):
        twfe_weights(data.assign(D=0), **COLUMNS)
    with pytest.raises(DesignError, match="explain the treatment"):
        twfe_weights(data.assign(D=[0, 1, 0, 1]), **COLUMNS)
    with pytest.raises(DesignError, match="no regression"):
        twfe_weights(data, **COLUMNS, regression="both")  # type: ignore[arg-type]
