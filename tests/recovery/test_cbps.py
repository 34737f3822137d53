"""Covariate balancing scores find a planted effect and cover it, in a short run and in the stored one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.recovery import cbps


@pytest.mark.parametrize("design", ["both right", "survey"])
def test_the_effect_is_found(design: str) -> None:
    for name, seen in cbps.simulate(design, 40, cbps.EXACT, rows=500).items():
        assert abs(seen.bias) < 4 * seen.bias_error, name
        assert seen.coverage >= 0.8, name
        assert seen.mean_std_error == pytest.approx(seen.std_deviation, rel=0.5), name


def test_the_bias_of_two_steps_vanishes_with_rows() -> None:
    """It is of the order of one over n, as that of GMM is where its weights were estimated before."""
    small, large = (
        cbps.simulate("both right", 40, ("cbps ate, over-identified",), rows=rows)[
            "cbps ate, over-identified"
        ]
        for rows in (800, 6400)
    )
    assert abs(large.bias) < 0.5 * abs(small.bias)
    assert abs(large.bias) < 4 * large.bias_error


def test_the_stored_run_covers() -> None:
    rows = json.loads(cbps.RESULT.read_text(encoding="utf-8"))["rows"]
    wanted = {(design, name) for design, _, names in cbps.RUNS for name in names}
    assert {(row["design"], row["estimator"]) for row in rows} == wanted
    for row in rows:
        error = row["std_deviation"] / np.sqrt(row["replications"])
        short = 3 * np.sqrt(0.95 * 0.05 / row["replications"])
        if row["estimator"] in cbps.EXACT:
            assert abs(row["bias"]) < 0.05 * row["std_deviation"] + 3 * error, row
            assert row["coverage"] > 0.935 - short, row
        else:  # two steps in 800 rows: biased, and the page says so
            assert abs(row["bias"]) < 0.6 * row["std_deviation"] + 3 * error, row
            assert row["coverage"] > 0.91 - short, row
