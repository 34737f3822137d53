"""Planted effects are found and covered where theory promises it, and missed where it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.recovery import doubly_robust as recovery
from tests.recovery.doubly_robust import DESIGNS, METHODS, Performance, simulate

STORED = json.loads(recovery.RESULT.read_text(encoding="utf-8"))


def is_promised(method: str, design: str) -> bool:
    """Whether the method rests on something that is right in the design."""
    regression_right, score_right = DESIGNS[design]
    if method == "Hájek":
        return score_right
    if method == "regression":
        return regression_right
    return regression_right or score_right


def near(seen: Performance) -> bool:
    return abs(seen.bias) < 4 * seen.bias_error


def stored(panel: bool, design: str, method: str) -> dict[str, Any]:
    (row,) = [
        row
        for row in STORED["rows"]
        if (row["panel"], row["design"], row["method"]) == (panel, design, method)
    ]
    return dict(row)


@pytest.mark.parametrize("design", ["both right", "regression right", "score right"])
def test_the_effect_is_found_in_a_panel(design: str) -> None:
    seen = simulate(design, ("improved", "traditional"), panel=True, units=800, replications=60)
    for performance in seen.values():
        assert near(performance)
        assert performance.coverage >= 0.82  # 5.6 standard errors below 0.95 in 60 replications are 0.79
        assert performance.mean_std_error == pytest.approx(performance.std_deviation, rel=0.4)


def test_the_effect_is_found_in_cross_sections() -> None:
    seen = simulate("both right", ("improved",), panel=False, units=800, replications=80)["improved"]
    assert near(seen)
    assert seen.coverage >= 0.82


def test_regression_alone_misses_where_it_is_wrong() -> None:
    seen = simulate("score right", ("regression",), panel=True, units=800, replications=60)["regression"]
    assert not near(seen)
    assert seen.bias < -1.0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("design", DESIGNS)
def test_the_stored_run_shows_what_theory_says(design: str, method: str) -> None:
    row = stored(True, design, method)
    error = row["std_deviation"] / STORED["replications"] ** 0.5
    if is_promised(method, design):
        # finite samples of this design leave some bias, small against the spread
        assert abs(row["bias"]) < max(4 * error, 0.25 * row["std_deviation"])
        assert row["coverage"] > 0.9
    else:
        assert abs(row["bias"]) > 4 * error


def test_the_method_page_shows_the_stored_run(repository: Path) -> None:
    page = (repository / "docs" / "methods" / "doubly_robust_did.md").read_text(encoding="utf-8")
    assert recovery.as_markdown(STORED) in page


@pytest.mark.slow
@pytest.mark.parametrize("panel", [True, False])
def test_the_stored_run_can_be_made_again(panel: bool) -> None:
    seen = simulate(
        "both right", ("improved",), panel=panel, units=STORED["units"], replications=STORED["replications"]
    )["improved"]
    row = stored(panel, "both right", "improved")
    assert seen.bias == pytest.approx(row["bias"], abs=2e-5)
    assert seen.std_deviation == pytest.approx(row["std_deviation"], abs=2e-5)
    assert seen.mean_std_error == pytest.approx(row["mean_std_error"], abs=2e-5)
    assert seen.coverage == pytest.approx(row["coverage"], abs=1.5 / STORED["replications"])
