"""Haemoglobin and altitude: the vectors of the codebook, the levels and their edges."""

from __future__ import annotations

import numpy as np
import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.growth import anaemia_level, haemoglobin_adjustment


@pytest.mark.parametrize(
    ("reading", "altitude", "factor", "adjusted"),
    [
        (11.5, 3200.0, 0.0032808, 9.4111),
        (11.5, 3200.0, 0.0033, 9.3846),
        (12.0, 1000.0, 0.0032808, 11.8682),
        (12.0, 1000.0, 0.0033, 11.8660),
        (10.5, 4000.0, 0.0032808, 7.1311),
        (10.5, 4000.0, 0.0033, 7.0891),
    ],
)
def test_the_old_correction(reading: float, altitude: float, factor: float, adjusted: float) -> None:
    found = reading - haemoglobin_adjustment([altitude], feet_factor=factor)
    assert found[0] == pytest.approx(adjusted, abs=5e-5)


def test_the_floor_of_the_old_correction() -> None:
    assert haemoglobin_adjustment([400.0, 999.9]).tolist() == [0.0, 0.0]
    assert haemoglobin_adjustment([400.0], floor_m=0.0)[0] < 0
    # the curve crosses zero here
    assert abs(haemoglobin_adjustment([443.35], floor_m=0.0)[0]) < 1e-5


def test_the_new_correction_grows_with_altitude_and_is_nothing_at_the_sea() -> None:
    found = haemoglobin_adjustment([-5.0, 0.0, 1000.0, 4000.0, np.nan], rule="who_2024")
    np.testing.assert_allclose(found[:4], [0.0, 0.0, 0.59384, 2.73536], atol=1e-9)
    assert np.isnan(found[4])


@pytest.mark.parametrize(
    ("reading", "code"),
    [(6.9, 1), (7.0, 2), (9.9, 2), (10.0, 3), (10.9, 3), (10.94, 3), (10.95, 4), (11.0, 4)],
)
def test_levels_of_the_old_rule(reading: float, code: int) -> None:
    assert anaemia_level([reading], age_months=[30.0])[0] == code


@pytest.mark.parametrize(("months", "code"), [(6.0, 4.0), (23.0, 4.0), (24.0, 3.0), (59.0, 3.0)])
def test_the_new_rule_asks_for_less_under_two(months: float, code: float) -> None:
    assert anaemia_level([10.5], age_months=[months], rule="who_2024")[0] == code
    assert anaemia_level([10.5], age_months=[months])[0] == 3


@pytest.mark.parametrize("months", [5.0, 60.0, np.nan])
def test_other_ages_have_no_level(months: float) -> None:
    assert np.isnan(anaemia_level([9.0], age_months=[months])[0])


def test_a_rule_must_be_named() -> None:
    with pytest.raises(SchemaError, match="no rule of anaemia"):
        anaemia_level([9.0], age_months=[12.0], rule="who")  # type: ignore[arg-type]
