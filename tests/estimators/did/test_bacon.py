"""The decomposition of two-way fixed effects: its parts, their weights, and what they add up to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.errors import DesignError
from tests.estimators.did import staggered

COLUMNS = {"outcome": "y", "unit": "id", "time": "time", "first_treated": "g"}


def test_parts_and_weights_are_those_of_bacondecomp() -> None:
    case = staggered.cases()["bacon-did_bal"]
    expected = case["expected"]
    parts = je.bacon(staggered.table(case), **COLUMNS)
    found = {
        (treated, control): (estimate, weight)
        for treated, control, estimate, weight in zip(
            parts.treated, parts.control, parts.estimates, parts.weights, strict=True
        )
    }
    keys = ("treated", "untreated", "estimate", "weight")
    stored = list(zip(*(expected[key] for key in keys), strict=True))
    assert len(found) == len(stored)
    for treated, untreated, estimate, weight in stored:
        control = "never" if untreated == 99999 else str(untreated)
        np.testing.assert_allclose(found[str(treated), control], (estimate, weight), rtol=1e-9)
    assert parts.coefficient == pytest.approx(expected["twfe"], rel=1e-10)


@pytest.mark.parametrize("starts", [(3, 5, 0), (1, 3, 5), (1, 4, 0, 6)])
def test_parts_add_up_to_the_regression(starts: tuple[int, ...]) -> None:
    """Also where some are always treated, and where nobody is never treated."""
    rng = np.random.default_rng(11)
    units = [(unit, start) for unit, start in enumerate(np.repeat(starts, rng.integers(4, 9, len(starts))))]
    frame = pd.DataFrame(
        [{"id": unit, "g": start, "time": time} for unit, start in units for time in range(1, 7)]
    )
    frame = frame.assign(
        y=rng.normal(size=len(frame)),
        treated=((frame["g"] > 0) & (frame["time"] >= frame["g"])).astype(float),
    )
    regression = je.FixedEffects(outcome="y", covariates=("treated",), absorb=("id", "time")).fit(frame)
    parts = je.bacon(frame, **COLUMNS)
    assert parts.coefficient == pytest.approx(float(regression.values[0]), abs=1e-10)
    assert float(parts.weights.sum()) == pytest.approx(1.0, abs=1e-12)
    assert (parts.weights > 0).all()
    kinds = parts.by_kind()
    assert float((kinds["estimate"] * kinds["weight"]).sum()) == pytest.approx(parts.coefficient, abs=1e-12)
    assert ("always treated as control" in set(kinds["kind"])) == (1 in starts)


def test_incomplete_units_are_counted_and_equal_cohorts_refused() -> None:
    frame = staggered.table(staggered.cases()["bacon-did_bal"])
    assert je.bacon(frame.iloc[1:], **COLUMNS).dropped == 1
    with pytest.raises(DesignError, match="treated alike"):
        je.bacon(frame[frame["g"] == 3], **COLUMNS)
