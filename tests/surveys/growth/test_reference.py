"""The tables are WHO's: medians that WHO prints, and their ends."""

from __future__ import annotations

import numpy as np
import pytest

from juntos_eval.errors import SourceError
from juntos_eval.surveys.growth import reference
from juntos_eval.surveys.growth.reference import Sex, Table, who_curve


@pytest.mark.parametrize(
    ("table", "sex", "median"),
    [
        ("lfa_2007", "male", 127.2651),
        ("lfa_2007", "female", 126.5558),
        ("bmifa_2007", "male", 15.7368),
        ("bmifa_2007", "female", 15.681),
    ],
)
def test_medians_at_eight_years(table: Table, sex: Sex, median: float) -> None:
    assert who_curve(table, sex).read(np.array([96.0]))[1][0] == median


@pytest.mark.parametrize("table", ["lfa", "lfa_2007"])
@pytest.mark.parametrize("sex", ["female", "male"])
def test_height_is_normal(table: Table, sex: Sex) -> None:
    # what lets height do without the restricted method
    assert (who_curve(table, sex).skewness == 1.0).all()


def test_a_table_of_another_shape_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reference._ROWS, "wfl", (45, 110, 131))
    who_curve.cache_clear()
    with pytest.raises(SourceError, match="651 rows"):
        who_curve("wfl", "female")


def test_without_the_package_the_error_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(reference, "import_module", absent)
    who_curve.cache_clear()
    with pytest.raises(SourceError, match="cannot be loaded"):
        who_curve("lfa", "male")
    who_curve.cache_clear()
