"""Random timing: stored numbers, what its errors promise, and what is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimators.did import GroupTime, RandomTiming, aggregate
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust
from tests.estimators.did.golden import table
from tests.estimators.did.staggered import cases, close

COLUMNS: dict[str, Any] = {"outcome": "y", "unit": "id", "time": "time", "first_treated": "g"}
KINDS = {"simple": "simple", "cohort": "group", "calendar": "calendar"}


@pytest.mark.parametrize("name", sorted(name for name in cases() if name.startswith("staggered")))
def test_stored_numbers(name: str) -> None:
    expected = cases()[name]["expected"]
    function, kind, *rest = name.split("-")
    choices: dict[str, Any] = {"estimand": KINDS.get(kind, "dynamic")}
    choices["adjust"] = "efficient" if rest == ["efficient"] or kind == "event" else "did"
    choices["control"] = "last" if function == "staggered_sa" else "not_yet"
    found = RandomTiming(**COLUMNS, **choices).fit(table("did_bal.csv"))
    rows = [0] if kind != "event" else [found.keys["event_time"].index(at) for at in expected["eventTime"]]
    close(found.values[rows], expected["estimate"], 1e-9)
    close(found.uncertainty.std_error[rows], expected["se"], 1e-9)
    close(np.array(found.details["std_error_neyman"])[rows], expected["se_neyman"], 1e-9)


def test_beta_of_one_is_difference_in_differences() -> None:
    frame = table("did_bal.csv")
    for kind in ("simple", "group", "calendar"):
        found = RandomTiming(**COLUMNS, estimand=kind, adjust="did").fit(frame)
        cells = GroupTime(**COLUMNS, control="not_yet").fit(frame)
        expected = aggregate(cells, kind)
        np.testing.assert_allclose(found.values, expected.values, rtol=1e-10)
        assert found.keys == expected.keys


def small(seed: int = 1, effect: float = 0.0, units: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    paths = rng.normal(size=(units, 4)) + 2 * rng.normal(size=(units, 1))
    start = rng.permutation(np.repeat([2.0, 3.0, np.inf], units // 3))
    outcome = paths + effect * (np.arange(1, 5) >= start[:, None])
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(units), 4),
            "time": np.tile(np.arange(1, 5), units),
            "g": np.repeat(start, 4),
            "y": outcome.ravel(),
        }
    )


def test_influence_adds_up_to_the_variance_of_neyman() -> None:
    frame = small().assign(region=lambda rows: rows["id"] % 7)
    found = RandomTiming(**COLUMNS, estimand="dynamic").fit(frame, carry=("region",))
    again = found.with_inference(Robust("HC0"))
    np.testing.assert_allclose(again.uncertainty.std_error, found.details["std_error_neyman"], rtol=1e-12)
    assert found.with_inference(Cluster("region")).uncertainty.df == 6


def test_efficient_weights_are_at_least_as_precise() -> None:
    frame = small(units=300)
    errors = {
        adjust: RandomTiming(**COLUMNS, adjust=adjust, variance="neyman").fit(frame).uncertainty.std_error[0]
        for adjust in ("none", "did", "efficient", "efficient_all")
    }
    assert errors["efficient"] < min(errors["none"], errors["did"])
    assert errors["efficient_all"] < errors["efficient"]


def test_fisher_test_of_no_effect() -> None:
    choices: dict[str, Any] = {"permutations": 199, "seed": 4}
    found = RandomTiming(**COLUMNS, **choices).fit(small(effect=5.0))
    assert found.p_values()[0] == pytest.approx(1 / 200)
    again = RandomTiming(**COLUMNS, **choices).fit(small(effect=5.0))
    assert found.to_record() == again.to_record()
    none = RandomTiming(**COLUMNS, **choices).fit(small())
    assert none.p_values()[0] > 0.01
    assert "199 permutations" in none.uncertainty.method


def test_a_balance_check_sees_timing_that_is_not_random() -> None:
    frame = small(units=300)
    (check,) = RandomTiming(**COLUMNS).fit(frame).checks
    assert check.passed
    (check,) = RandomTiming(**COLUMNS).fit(frame.assign(y=frame["y"] + 3 * (frame["g"] == 3))).checks
    assert not check.passed


def test_units_that_cannot_be_compared_are_left_out_and_counted() -> None:
    frame = small()
    odd = frame.assign(g=frame["g"].mask(frame["id"] == 0, 1).mask(frame["id"] == 1, 4))
    found = RandomTiming(**COLUMNS).fit(odd)
    assert found.sample.dropped == {"treated from the first period on": 4, "alone in its cohort": 4}
    lost = RandomTiming(**COLUMNS).fit(frame.drop(index=9))
    assert lost.sample.dropped == {"unit not complete in every period": 3}
    assert lost.sample.units == 59


def test_what_cannot_be_answered_is_refused() -> None:
    frame = small()
    with pytest.raises(DesignError, match="several rows in one period"):
        RandomTiming(**COLUMNS).fit(pd.concat([frame, frame.head(1)]))
    with pytest.raises(DesignError, match="nobody is treated"):
        RandomTiming(**COLUMNS).fit(frame.assign(g=0))
    with pytest.raises(DesignError, match="not two of two units"):
        RandomTiming(**COLUMNS).fit(frame.assign(g=2))
    for choice in ({"estimand": "all"}, {"adjust": "best"}, {"control": "never"}, {"permutations": -1}):
        with pytest.raises(DesignError):
            RandomTiming(**COLUMNS, **choice)


def test_the_frame_is_not_touched_and_choices_are_kept() -> None:
    frame = small()
    before = frame.copy(deep=True)
    found = RandomTiming(**COLUMNS).fit(frame.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(frame, before)
    np.testing.assert_allclose(found.values, RandomTiming(**COLUMNS).fit(frame).values, rtol=1e-12)
    choices = {field.name for field in dataclasses.fields(RandomTiming)}
    assert choices <= set(found.to_record()["spec"])
