"""The invented survey that the tests of this folder damage."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.surveys.invented import RawSurvey, invent


@pytest.fixture
def survey() -> RawSurvey:
    """Invented households of 2025, in INEI's CSV."""
    return invent()


@pytest.fixture
def make_survey() -> Callable[..., RawSurvey]:
    """The maker of invented surveys, for another year or size."""
    return invent
