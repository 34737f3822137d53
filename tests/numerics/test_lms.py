"""The LMS formula, its inverse, and the restriction beyond three standard deviations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from juntos_eval.numerics.lms import LmsCurve, lms_quantile, lms_score, restricted_lms_score


@given(
    z=st.floats(-3, 3),
    skewness=st.floats(-2, 2),
    variation=st.floats(0.02, 0.15),
    median=st.floats(2, 130),
)
@settings(max_examples=200, deadline=None)
def test_a_quantile_has_its_score(z: float, skewness: float, variation: float, median: float) -> None:
    parts = (np.array([skewness]), np.array([median]), np.array([variation]))
    y = lms_quantile(np.array([z]), *parts)
    assert lms_score(y, *parts)[0] == pytest.approx(z, abs=1e-8)
    assert restricted_lms_score(y, *parts)[0] == pytest.approx(z, abs=1e-8)


def test_small_skewness_joins_the_logarithm() -> None:
    y, m, s = np.full(2, 12.0), np.full(2, 10.0), np.full(2, 0.1)
    log, near = lms_score(y, np.array([0.0, 1e-9]), m, s)
    assert log == pytest.approx(np.log(1.2) / 0.1, abs=1e-14)
    assert near == pytest.approx(log, abs=1e-7)


def test_beyond_three_the_last_width_counts() -> None:
    l, m, s = np.array([-0.5]), np.array([10.0]), np.array([0.1])  # noqa: E741 - the paper's letters
    edges = [float(lms_quantile(np.array([k]), l, m, s)[0]) for k in (2.0, 3.0)]
    y = edges[1] + 2 * (edges[1] - edges[0])
    assert restricted_lms_score(np.array([y]), l, m, s)[0] == pytest.approx(5.0)
    low = [float(lms_quantile(np.array([k]), l, m, s)[0]) for k in (-3.0, -2.0)]
    y = low[0] - 1.5 * (low[1] - low[0])
    assert restricted_lms_score(np.array([y]), l, m, s)[0] == pytest.approx(-4.5)


def test_what_is_not_positive_has_no_score() -> None:
    one = np.ones(3)
    assert np.isnan(lms_score(np.array([0.0, -1.0, np.nan]), one, 10 * one, 0.1 * one)).all()


def test_no_measurement_has_an_impossible_score() -> None:
    # 1 + L S z is negative
    assert np.isnan(lms_quantile(np.array([-11.0]), np.ones(1), np.ones(1), np.full(1, 0.1))).all()


def test_a_curve_is_linear_between_points_and_silent_beyond() -> None:
    curve = LmsCurve(
        at=np.array([0.0, 1.0]), skewness=np.ones(2), median=np.array([2.0, 4.0]), variation=np.ones(2)
    )
    assert curve.read(np.array([0.25]))[1][0] == 2.5
    assert np.isnan(curve.read(np.array([-0.1, 1.1]))[1]).all()
    assert curve.covers(np.array([0.0, 1.0, 1.01])).tolist() == [True, True, False]
