"""Nothing that leaves tells of fewer than ten households or persons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from juntos_eval.estimate import Check
from juntos_eval.reporting.suppression import coarsened, hidden, is_publishable, publishable, redacted
from tests.reporting.simulated import estimate, overlap, question


@given(st.lists(st.integers(min_value=0, max_value=60), min_size=1, max_size=8))
def test_no_small_part_is_shown_nor_follows_by_subtraction(parts: list[int]) -> None:
    hide = hidden(parts)
    secret = [part for part, is_hidden in zip(parts, hide, strict=True) if is_hidden]
    assert all(is_hidden for part, is_hidden in zip(parts, hide, strict=True) if 0 < part < 10)
    assert all(part > 0 for part in secret)
    if secret and any(part >= 10 for part in parts if part not in secret):
        # whole less what is shown is the sum of at least two parts, and not small
        assert len(secret) > 1
        assert sum(secret) >= 10


def test_nothing_is_hidden_without_need() -> None:
    assert hidden([10, 0, 2000]) == (False, False, False)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("3 treated rows off support", "<10 treated rows off support"),
        ("9 of 1,204 households lost", "<10 of 1,204 households lost"),
        ("5 treated and 7 untreated rows lie outside", "<10 treated and <10 untreated rows lie outside"),
        ("the one has 1 child", "the one has <10 child"),
        ("13 rows, 1,003 rows, 0 rows", "13 rows, 1,003 rows, 0 rows"),
        ("within a caliper of 0.2", "within a caliper of 0.2"),
        ("2 of 16 covariates beyond 0.1", "2 of 16 covariates beyond 0.1"),
        ("logit converged in 7 iterations", "logit converged in 7 iterations"),
        ("effective rows: 4.5 treated", "effective rows: 4.5 treated"),
    ],
)
def test_checks_do_not_tell_of_few(said: str, shown: str) -> None:
    assert redacted(said) == shown


def test_histograms_hold_nobody_or_ten_in_each_bin() -> None:
    before = overlap(3)
    assert any(0 < count < 10 for count in before.treated_counts)
    after = coarsened(before, 900)
    for counts in (after.treated_counts, after.comparison_counts):
        assert not ((counts > 0) & (counts < 10)).any()
    for name in ("treated_before", "treated_after", "comparison_before", "comparison_after"):
        assert getattr(after, name).sum() == pytest.approx(getattr(before, name).sum())
    assert after.edges[0] == before.edges[0]
    assert after.edges[-1] == before.edges[-1]
    assert set(after.edges) <= set(before.edges)


@given(
    st.lists(st.integers(min_value=0, max_value=25), min_size=3, max_size=12),
    st.lists(st.integers(min_value=0, max_value=25), min_size=12, max_size=12),
)
def test_any_histogram_becomes_safe(treated: list[int], others: list[int]) -> None:
    bins = len(treated)
    counts = np.array(treated, float), np.array(others[:bins], float)
    if any(0 < arm.sum() < 10 for arm in counts):
        return
    shares = [arm / max(arm.sum(), 1.0) for arm in counts]
    made = replace(
        overlap(1),
        edges=np.arange(bins + 1.0),
        treated_before=shares[0],
        treated_after=shares[0],
        comparison_before=shares[1],
        comparison_after=shares[1],
        treated_counts=counts[0],
        comparison_counts=counts[1],
    )
    safe = coarsened(made, int(counts[0].sum()) or 10)
    assert not any(0 < count < 10 for arm in (safe.treated_counts, safe.comparison_counts) for count in arm)
    assert safe.treated_counts.sum() == counts[0].sum()


def test_few_rows_off_support_are_only_bounded() -> None:
    safe = coarsened(overlap(1, share_off=4 / 900), 900)
    assert safe.is_share_bounded
    assert safe.share_off_support == pytest.approx(10 / 900)
    assert coarsened(safe, 900).share_off_support == safe.share_off_support
    assert not coarsened(overlap(1, share_off=0.0), 900).is_share_bounded
    assert not coarsened(overlap(1, share_off=0.05), 900).is_share_bounded


@pytest.mark.parametrize(("treated", "rows", "may"), [(9, 500, False), (10, 500, True), (495, 500, False)])
def test_estimates_on_few_are_not_publishable(treated: int, rows: int, *, may: bool) -> None:
    shown = replace(question()[1], estimate=estimate(0.1, 0.1, treated=treated, rows=rows))
    assert is_publishable(shown) is may
    assert (publishable(shown).overlap is not None) is may


def test_records_tell_of_no_few() -> None:
    shown = question()[1]
    made = replace(
        shown,
        estimate=replace(shown.estimate, checks=(Check("matched", False, "3 of 900 rows have no match"),)),
    )
    safe = publishable(made).estimate
    assert safe.checks[0].detail == "<10 of 900 rows have no match"
    assert dict(safe.sample.dropped) == {"outcome missing or head's age missing": 216}
