"""Remedies for few clusters and few treated ones cover as often as they say; the usual errors do not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.recovery import few_clusters as recovery

STORED: dict[str, Any] = json.loads(recovery.RESULT.read_text(encoding="utf-8"))
FOUND: dict[str, float] = STORED["coverage"]
# three standard errors of 500 replications around 95 %
LOW, HIGH = 0.92, 0.98
PROMISED = (
    "5 of 10 clusters treated, CR2, Satterthwaite",
    "5 of 10 clusters treated, wild, restricted",
    "15 of 30 clusters treated, CR2, Satterthwaite",
    "15 of 30 clusters treated, CR3J",
    "15 of 30 clusters treated, wild, restricted",
    "1 of 30 districts treated in a panel, Conley-Taber",
    "8 areas, treatment within, changes of sign",
)


@pytest.mark.parametrize("question", PROMISED)
def test_stored_coverage_is_what_was_asked_for(question: str) -> None:
    assert STORED["replications"] == recovery.REPLICATIONS
    assert LOW <= FOUND[question] <= HIGH


def test_what_is_known_to_fail_does_and_its_remedy_is_better() -> None:
    assert FOUND["1 of 20 clusters treated, CR1S"] < 0.5
    assert FOUND["1 of 20 clusters treated, wild, unrestricted"] < 0.5
    assert FOUND["1 of 20 clusters treated, wild, restricted"] > 0.99
    assert FOUND["1 of 30 districts treated in a panel, CR1S"] < 0.5
    assert FOUND["3 of 20 clusters treated, CR1S"] < 0.86
    assert FOUND["3 of 20 clusters treated, wild, restricted"] > 0.93
    assert FOUND["8 areas, treatment within, HC1"] < 0.92
    assert FOUND["shocks by period, clustered by unit"] < 0.5
    assert FOUND["shocks by period, Newey-West by unit"] < 0.5
    # 40 periods are few for Driscoll-Kraay, and a cutoff at the edge of a cell for Conley
    assert 0.84 < FOUND["shocks by period, Driscoll-Kraay"] < 0.95
    assert FOUND["shocks by place, HC1"] < 0.88 < FOUND["shocks by place, Conley"]


def test_a_few_replications_now() -> None:
    found = recovery.coverage(8, seed=8)
    assert set(found) == set(FOUND)
    for question in PROMISED:
        assert found[question] >= 0.5  # five misses of eight have a chance of one in 60,000


@pytest.mark.slow
def test_all_replications_again() -> None:
    assert recovery.coverage(STORED["replications"], STORED["seed"]) == pytest.approx(FOUND, abs=1e-3)
