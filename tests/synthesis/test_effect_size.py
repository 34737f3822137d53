"""Effects in common units against formulas of the textbook written out, and their limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from juntos_eval.errors import DesignError
from juntos_eval.synthesis import (
    EffectSize,
    log_odds_ratio,
    log_risk_ratio,
    odds_to_standardised,
    risk_difference,
    standardised_difference,
    std_error_from_interval,
    std_error_from_p_value,
    std_error_from_t,
)


def test_the_small_sample_factor_takes_the_bias_away() -> None:
    rng = np.random.default_rng(1)
    treated, untreated = rng.normal(0.8, 1, (20000, 6)), rng.normal(0, 1, (20000, 5))
    found = [
        standardised_difference((a.mean(), b.mean()), (a.std(ddof=1), b.std(ddof=1)), (6, 5)).value
        for a, b in zip(treated[:3000], untreated[:3000], strict=True)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=4 * np.std(found) / np.sqrt(3000))


def test_the_error_of_a_standardised_difference_is_its_formula() -> None:
    found = standardised_difference((3.0, 1.0), (2.0, 1.0), (8, 12))
    spread = math.sqrt((7 * 4 + 11 * 1) / 18)
    factor = math.gamma(9) / (math.sqrt(9) * math.gamma(8.5))
    assert found.value == pytest.approx(factor * 2 / spread)
    assert found.std_error == pytest.approx(math.sqrt(20 / 96 + found.value**2 / 40))


def test_odds_and_risks_are_their_textbook_formulas() -> None:
    odds = log_odds_ratio((12, 30), (80, 90))
    assert odds.value == pytest.approx(math.log((12 / 68) / (30 / 60)))
    assert odds.std_error == pytest.approx(math.sqrt(1 / 12 + 1 / 68 + 1 / 30 + 1 / 60))
    risk = log_risk_ratio((12, 30), (80, 90))
    assert risk.value == pytest.approx(math.log((12 / 80) / (30 / 90)))
    assert risk.std_error == pytest.approx(math.sqrt(1 / 12 - 1 / 80 + 1 / 30 - 1 / 90))
    gap = risk_difference((12, 30), (80, 90))
    assert gap.value == pytest.approx(12 / 80 - 30 / 90)
    assert gap.std_error == pytest.approx(math.sqrt(0.15 * 0.85 / 80 + (1 / 3) * (2 / 3) / 90))


def test_an_empty_cell_gets_a_half_everywhere() -> None:
    assert log_odds_ratio((0, 5), (10, 10)).value == pytest.approx(math.log((0.5 / 10.5) / (5.5 / 5.5)))
    assert np.isfinite(log_risk_ratio((0, 5), (10, 10)).std_error)


def test_errors_come_back_from_what_was_printed() -> None:
    effect, error = 0.31, 0.12
    low, high = effect - 1.959964 * error, effect + 1.959964 * error
    assert std_error_from_interval(low, high) == pytest.approx(error, rel=1e-6)
    assert std_error_from_interval(math.exp(low), math.exp(high), is_ratio=True) == pytest.approx(
        error, rel=1e-6
    )
    p_value = 2 * stats.t.sf(effect / error, 20)
    assert std_error_from_p_value(effect, p_value, df=20) == pytest.approx(error, rel=1e-9)
    assert std_error_from_t(effect, effect / error) == pytest.approx(error)
    assert math.isnan(std_error_from_t(effect, 0.0))
    assert math.isnan(std_error_from_p_value(effect, 1.0))


def test_log_odds_become_standard_deviations_and_nothing_else_does() -> None:
    found = odds_to_standardised(EffectSize(value=1.0, std_error=0.5, unit="log odds ratio"))
    assert (found.value, found.std_error) == pytest.approx(
        (math.sqrt(3) / math.pi, math.sqrt(3) / math.pi / 2)
    )
    with pytest.raises(DesignError, match="log odds"):
        odds_to_standardised(EffectSize(value=1.0, std_error=0.5, unit="share"))


@pytest.mark.parametrize(
    "call",
    [
        lambda: log_odds_ratio((11, 5), (10, 10)),
        lambda: risk_difference((-1, 5), (10, 10)),
        lambda: standardised_difference((1.0, 0.0), (1.0, 1.0), (1, 10)),
        lambda: standardised_difference((1.0, 0.0), (0.0, 0.0), (10, 10)),
        lambda: std_error_from_interval(0.3, 0.1),
        lambda: std_error_from_interval(-0.3, 0.1, is_ratio=True),
        lambda: std_error_from_p_value(0.1, 0.0),
        lambda: std_error_from_t(0.1, -2.0),
    ],
    ids=["events", "negative", "one row", "no spread", "order", "ratio", "p of zero", "signs"],
)
def test_numbers_that_no_table_can_have_are_refused(call: object) -> None:
    with pytest.raises(DesignError):
        call()  # type: ignore[operator]
