"""Survey intervals cover and tests keep their size, as stored and in a few replications now."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.recovery import survey_and_randomization as recovery

STORED: dict[str, Any] = json.loads(recovery.RESULT.read_text(encoding="utf-8"))
SIZES = {
    "linearised": "survey",
    "jackknife": "replicates",
    "half-samples": "replicates",
    "bootstrap": "replicates",
    "randomization": "randomization",
    "family": "families",
}
WRONG = {"randomization, estimate, effects that average to zero", "family, not adjusted"}


def replications(name: str) -> int:
    scenario = next(kind for word, kind in SIZES.items() if word in name)
    return int(STORED["replications"][scenario])


@pytest.mark.parametrize("name", sorted(STORED["coverage"]))
def test_intervals_cover(name: str) -> None:
    slack = 3.5 * np.sqrt(0.05 * 0.95 / replications(name))
    assert STORED["coverage"][name] == pytest.approx(0.95, abs=max(0.01, slack))


@pytest.mark.parametrize("name", sorted(set(STORED["rejected"]) - WRONG))
def test_true_hypotheses_are_rejected_rarely(name: str) -> None:
    assert STORED["rejected"][name] <= 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / replications(name))


def test_what_is_known_to_fail_does() -> None:
    assert STORED["rejected"]["family, not adjusted"] > 0.1
    dull = STORED["rejected"]["randomization, estimate, effects that average to zero"]
    assert dull > STORED["rejected"]["randomization, studentised, effects that average to zero"]


def test_a_few_replications_now() -> None:
    few = {"survey": 20, "replicates": 2, "randomization": 2, "families": 10}
    covered, rejected = recovery.coverage(few, seed=9), recovery.rejections(few, seed=9)
    assert set(covered) == set(STORED["coverage"])
    assert set(rejected) == set(STORED["rejected"])
    linearised = [share for name, share in covered.items() if name.endswith("linearised")]
    assert min(linearised) >= 0.75
    assert np.mean(linearised) >= 0.88
    assert rejected["family, romano_wolf"] <= 0.3
