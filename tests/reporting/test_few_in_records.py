"""Shares and counts from which fewer than ten rows would follow do not leave."""

from __future__ import annotations

from dataclasses import replace

from juntos_eval.estimate import Check, Sample
from juntos_eval.reporting.example import example_input
from juntos_eval.reporting.suppression import publishable


def test_counts_that_differ_by_few_are_left_out() -> None:
    shown = example_input().headline_estimate
    estimate = replace(
        shown.estimate,
        sample=Sample(rows=5000, units=5000, treated=3674),
        details={"targets": 3674, "matched": 3669, "serving": 2004, "bandwidth": 0.06},
    )
    kept = publishable(replace(shown, estimate=estimate)).estimate.details
    assert dict(kept) == {"serving": 2004, "bandwidth": 0.06}


def test_a_share_of_few_is_a_bound() -> None:
    shown = example_input().headline_estimate
    estimate = replace(
        shown.estimate,
        sample=Sample(rows=5000, units=5000, treated=3674),
        checks=(
            Check("overlap", True, "0.10% of the treated outside the scores of the other arm"),
            Check("extreme scores", None, "below 0.1: 6.2% of the treated, 50.4% of the untreated"),
        ),
    )
    details = [check.detail for check in publishable(replace(shown, estimate=estimate)).estimate.checks]
    assert details == [
        "less than 0.54% of the treated outside the scores of the other arm",
        "below 0.1: 6.2% of the treated, 50.4% of the untreated",
    ]
