"""What stands beside an estimate speaks of the estimate's own rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from juntos_eval.arrays import FrozenMapping
from juntos_eval.studies.comparison import Comparison, Text
from juntos_eval.studies.run import run_comparison


@pytest.fixture
def households() -> pd.DataFrame:
    """Simulated; half of the treated have no covariate, and all of their children work."""
    generator = np.random.default_rng(7)
    n = 600
    x = generator.normal(size=n)
    treated = generator.random(n) < 1 / (1 + np.exp(-x))
    is_incomplete = treated & (generator.random(n) < 0.5)
    works = generator.random(n) < 0.2 + 0.1 * treated
    return pd.DataFrame(
        {
            "has_juntos": pd.array(treated, dtype="boolean"),
            "has_member_under_19": True,
            "children": 1,
            "working_share": np.where(is_incomplete, 1.0, works),
            "weight": generator.uniform(1.0, 3.0, n),
            "x": np.where(is_incomplete, np.nan, x),
            "stratum": np.arange(n) % 3,
            "psu": np.arange(n) % 60,
        }
    )


def test_the_e_value_starts_from_the_matches_of_the_rows_compared(households: pd.DataFrame) -> None:
    comparison = Comparison(
        id="works_2025",
        year=2025,
        outcome="working_share",
        treatment="has_juntos",
        covariates=("x",),
        weights="weight",
        people="children",
        labels=FrozenMapping({"outcome": Text(en="a", es="b"), "population": Text(en="c", es="d")}),
    )
    results = {result.design: result for result in run_comparison(comparison, households)}
    matched = results["nearest_1"]
    means = matched.estimate.details
    assert matched.estimate.sample.dropped["a covariate not known"] > 0
    assert matched.e_value is not None
    assert matched.e_value.risk_ratio == pytest.approx(means["mean_treated"] / means["mean_untreated"])
    assert [name for name, result in results.items() if result.bounds is not None] == ["nearest_1"]


def test_the_scale_of_an_outcome_is_declared_and_not_guessed_from_its_largest_value(
    households: pd.DataFrame,
) -> None:
    """A score that happens to stay below one in the sample is still no share."""
    comparison = Comparison(
        id="score_2025",
        year=2025,
        outcome="working_share",
        treatment="has_juntos",
        covariates=("x",),
        weights="weight",
        people="children",
        scale="score",
        labels=FrozenMapping({"outcome": Text(en="a", es="b"), "population": Text(en="c", es="d")}),
    )
    by_score, by_share = (
        next(r for r in run_comparison(one, households) if r.design == "nearest_1").e_value
        for one in (comparison, replace(comparison, scale="share"))
    )
    assert by_score is not None
    assert by_share is not None
    assert by_score.risk_ratio != pytest.approx(by_share.risk_ratio, rel=0.01)
