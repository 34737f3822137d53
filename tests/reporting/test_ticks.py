"""A tick says where it stands: no number at an axis is rounded to another."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from juntos_eval.reporting.figures.ticks import number_ticks, tick_decimals
from juntos_eval.reporting.language import language


@pytest.mark.parametrize("step", [0.25, 0.125, 0.2, 0.05, 2.5, 20.0, 0.002])
def test_labels_read_back_are_the_ticks(step: float) -> None:
    axes = Figure().subplots()
    axes.set_yticks(np.arange(-3, 4) * step)
    number_ticks(axes.yaxis, language("en"))
    read = [float(label.get_text().replace("−", "-").replace(",", "")) for label in axes.get_yticklabels()]
    assert read == pytest.approx((np.arange(-3, 4) * step).tolist(), abs=1e-12)


def test_no_tick_has_more_decimals_than_it_needs() -> None:
    assert [tick_decimals(places) for places in ([], [0.0], [1e-12, 1.0], [1 / 3])] == [0, 0, 0, 9]
