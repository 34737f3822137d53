from __future__ import annotations

import numpy as np
import pytest

from juntos_eval.estimate import Check, Estimate, Sample, Uncertainty

COLUMNS = [
    "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "n", "inference",
]  # fmt: skip


@pytest.fixture
def estimate() -> Estimate:
    return Estimate(
        spec={"estimator": "<b>Mean</b>", "outcome": "works & rests"},
        keys={"term": ("mean", "mean"), "group": ("<script>", "urban")},
        values=np.array([0.123456, np.nan]),
        uncertainty=Uncertainty(method="known <i>", covariance=np.diag([0.01, np.nan]), df=12),
        sample=Sample(rows=1234, units=617, treated=300, effective=512.4, dropped={"<y> missing": 7}),
        checks=(Check("overlap", False, "a < b"), Check("balance", None, "seen")),
    )


def test_tidy_has_keys_and_fixed_columns(estimate: Estimate) -> None:
    frame = estimate.tidy()
    assert list(frame.columns) == ["term", "group", *COLUMNS]
    assert frame["n"].tolist() == [1234, 1234]
    assert frame["inference"].tolist() == ["known <i>"] * 2
    assert frame.loc[0, "estimate"] == 0.123456
    assert frame.loc[0, "std_error"] == pytest.approx(0.1)
    unknown = frame.loc[1, ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]]
    assert unknown.isna().all()


def test_tidy_at_another_level_is_wider(estimate: Estimate) -> None:
    narrow, wide = estimate.tidy(0.9), estimate.tidy(0.99)
    assert wide["conf_low"].iloc[0] < narrow["conf_low"].iloc[0]
    np.testing.assert_allclose(estimate.interval(0.9)[0], narrow.loc[0, ["conf_low", "conf_high"]])


def test_text_says_who_and_how(estimate: Estimate) -> None:
    text = repr(estimate)
    for part in (
        "0.1235", "NaN", "1,234 rows, 617 units", "300 treated", "effective n 512", "dropped 7",
        "known <i>; t(12)", "[FAILED] overlap: a < b", "[note] balance",
    ):  # fmt: skip
        assert part in text


def test_html_escapes_every_text(estimate: Estimate) -> None:
    html = estimate._repr_html_()
    for raw in ("<script>", "<b>Mean", "<i>", "<y>", "a < b", "works & rests"):
        assert raw not in html
    for escaped in ("&lt;script&gt;", "works &amp; rests", "a &lt; b", "0.1235"):
        assert escaped in html
    assert html.count("<tr>") == 3


def test_stored_intervals_are_shown_at_their_level() -> None:
    estimate = Estimate(
        spec={},
        keys={"term": ("att",)},
        values=np.array([1.0]),
        uncertainty=Uncertainty(
            method="randomization",
            covariance=np.array([[np.nan]]),
            df=np.inf,
            intervals=np.array([[0.25, 1.75]]),
            intervals_level=0.9,
        ),
        sample=Sample(rows=8, units=8),
    )
    assert "0.25" in repr(estimate)
    assert "1.75" in estimate._repr_html_()
    assert "normal" in repr(estimate)
