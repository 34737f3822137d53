"""Matched difference-in-differences against matching on changes by hand, and its planted effects."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

import juntos_eval as je

SPEC: dict[str, Any] = {
    "outcome": "y",
    "unit": "id",
    "time": "year",
    "treatment": "d",
    "covariates": ("x1", "x2"),
}


@cache
def simulated(seed: int = 6, units: int = 500) -> pd.DataFrame:
    """SIMULATED: trends by covariates, effects 1 (short exposure) and 2 (long)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(units, 2))
    d = (rng.random(units) < special.expit(-0.6 + 0.5 * x[:, 0] - 0.4 * x[:, 1])) * 1
    length = np.where(d == 1, rng.choice(["long", "short"], units), "")
    level = x @ [1.0, 0.5] + rng.normal(size=units)
    first = pd.DataFrame({"id": np.arange(units), "year": 2002, "d": d, "x1": x[:, 0], "x2": x[:, 1]})
    first = first.assign(y=level, w=rng.uniform(1, 3, units), village=np.arange(units) // 10)
    first = first.assign(length=pd.Series(length).where(first["d"] == 1))
    effect = np.where(length == "long", 2.0, np.where(length == "short", 1.0, 0.0))
    later = level + 1 + 0.8 * x[:, 0] + effect + rng.normal(size=units)
    return pd.concat([first, first.assign(year=2009, y=later, x1=99.0)], ignore_index=True)


@cache
def changes() -> pd.DataFrame:
    frame = simulated()
    first, later = (frame[frame["year"] == year].reset_index(drop=True) for year in (2002, 2009))
    return first.assign(change=later["y"] - first["y"])


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"kernel": "gaussian", "bandwidth": "cv"},
        {"method": "nearest", "ratio": 3},
        {"method": "nearest", "replace": False, "caliper": 0.2},
        {"method": "nearest", "distance": "mahalanobis", "bias_adjust": True},
        {"method": "radius", "caliper": 0.1, "common_support": "minmax"},
        {"method": "subclass", "subclasses": 5},
        {"weights": "w"},
    ],
)
def test_a_panel_is_matching_on_changes(choices: dict[str, Any]) -> None:
    found = je.MatchedDiD(**SPEC, **choices).fit(simulated())
    own: dict[str, Any] = {"method": "kernel", **choices}
    if own["method"] == "nearest":
        own.setdefault("replace", True)
    by_hand = je.Matching(outcome="change", treatment="d", covariates=("x1", "x2"), **own).fit(
        changes(), inference=je.Robust("HC0")
    )
    assert found.values[0] == pytest.approx(by_hand.values[0], rel=1e-12)
    assert found.uncertainty.std_error[0] == pytest.approx(by_hand.uncertainty.std_error[0], rel=1e-12)
    assert found.sample.rows == 1000
    assert found.sample.units == 500


def test_abadie_imbens_is_offered_where_it_stands() -> None:
    spec = je.MatchedDiD(**SPEC, method="nearest", ratio=2)
    found = spec.fit(simulated(), inference=je.AbadieImbens())
    by_hand = je.Matching(
        outcome="change", treatment="d", covariates=("x1", "x2"), replace=True, ratio=2
    ).fit(changes())
    assert found.uncertainty.std_error == pytest.approx(by_hand.uncertainty.std_error, rel=1e-12)
    with pytest.raises(je.InferenceError):
        je.MatchedDiD(**SPEC, exposure="length").fit(simulated(), inference=je.AbadieImbens())


def test_cross_sections_are_two_differences() -> None:
    frame = simulated().assign(x1=np.tile(changes()["x1"], 2))
    spec = je.MatchedDiD(**SPEC | {"unit": None}, panel=False)
    found = spec.fit(frame)
    each = {}
    for year in (2002, 2009):
        matching = je.Matching(outcome="y", treatment="d", covariates=("x1", "x2"), method="kernel")
        each[year] = matching.fit(frame[frame["year"] == year])
    assert found.values[0] == pytest.approx(each[2009].values[0] - each[2002].values[0], rel=1e-12)
    apart = sum(one.uncertainty.covariance[0, 0] for one in each.values())
    assert found.uncertainty.covariance[0, 0] == pytest.approx(apart, rel=1e-9)
    # the same units twice: their rows' influence is added, which takes out what is fixed in them
    paired = je.MatchedDiD(**SPEC, panel=False).fit(frame)
    panel = je.MatchedDiD(**SPEC).fit(frame)
    assert paired.values[0] == pytest.approx(panel.values[0], rel=1e-9)
    assert paired.uncertainty.std_error[0] == pytest.approx(panel.uncertainty.std_error[0], rel=1e-9)
    assert paired.uncertainty.std_error[0] < found.uncertainty.std_error[0]


def test_exposure_groups_are_effects_of_their_own_and_joint() -> None:
    frame = simulated()
    found = je.MatchedDiD(**SPEC, exposure="length", bandwidth=0.1).fit(frame, carry=("village",))
    assert found.keys["group"] == ("long", "short")
    errors = found.uncertainty.std_error
    assert np.abs(found.values - [2.0, 1.0]).max() < 3 * errors.max()
    for at, label in enumerate(found.keys["group"]):
        alone = frame[(frame["d"] == 0) | (frame["length"] == label)]
        one = je.MatchedDiD(**SPEC, bandwidth=0.1).fit(alone)
        assert found.values[at] == pytest.approx(one.values[0], rel=1e-12)
        assert errors[at] == pytest.approx(one.uncertainty.std_error[0], rel=1e-12)
    # shared controls make them correlate
    assert found.uncertainty.covariance[0, 1] > 0
    assert found.test([[1, -1]]).p_value < 0.05
    clustered = found.with_inference(je.Cluster("village"))
    assert (clustered.uncertainty.std_error > 0).all()


def test_designs_show_balance() -> None:
    designs = je.MatchedDiD(**SPEC, exposure="length").designs(simulated())
    assert set(designs) == {"long", "short"}
    for design in designs.values():
        before, after = (np.abs(side) for side in je.balance(design).standardised_differences())
        assert after[0] < before[0]
    sections = je.MatchedDiD(**SPEC | {"unit": None}, panel=False).designs(simulated())
    assert set(sections) == {"2002", "2009"}


def test_a_treated_state_is_the_treated_group() -> None:
    frame = simulated()
    state = frame.assign(d=frame["d"] * (frame["year"] == 2009))
    assert je.MatchedDiD(**SPEC).fit(state).values == pytest.approx(je.MatchedDiD(**SPEC).fit(frame).values)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"unit": None}, "needs its unit"),
        ({"covariates": ()}, "nothing to match on"),
        ({"covariates": "x1"}, "tuple of names"),
        ({"distance": "x1"}, "no distance"),
        ({"method": "spline"}, "no method"),
        ({"method": "radius"}, "caliper"),
        ({"bandwidth": -1.0}, "bandwidth"),
    ],
)
def test_choices_that_do_not_go_together(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(je.DesignError, match=message):
        je.MatchedDiD(**{**SPEC, **choices})


def test_data_that_cannot_answer() -> None:
    frame = simulated()
    with pytest.raises(je.DesignError, match="no group of exposure"):
        je.MatchedDiD(**SPEC, exposure="length").fit(
            frame.assign(length=frame["length"].replace("long", None))
        )
    with pytest.raises(je.DesignError, match="no column 'months'"):
        je.MatchedDiD(**SPEC, exposure="months").fit(frame)
    with pytest.raises(je.DesignError):
        je.MatchedDiD(**SPEC).fit(frame[frame["year"] == 2002])
    with pytest.raises(je.DesignError, match="does not vary"):
        je.MatchedDiD(**SPEC).fit(frame.assign(y=frame["year"] * 1.0))
    one = frame[(frame["d"] == 0) | (frame["id"] == frame.loc[frame["d"] == 1, "id"].iloc[0])]
    with pytest.raises(je.DesignError, match="single treated row"):
        je.MatchedDiD(**SPEC, distance="mahalanobis", method="nearest").fit(one)


def test_intervals_cover() -> None:
    """100 SIMULATED panels: the effect 1.5 on average over the treated, given who they are."""
    inside, values, errors = [], [], []
    for seed in range(100):
        frame = simulated(3000 + seed, 400)
        truth = frame.loc[frame["year"] == 2009, "length"].map({"long": 2.0, "short": 1.0}).mean()
        found = je.MatchedDiD(**SPEC, method="nearest", ratio=2, bias_adjust=True).fit(frame)
        values.append(found.values[0] - truth)
        errors.append(found.uncertainty.std_error[0])
        inside.append(abs(values[-1]) < 1.96 * errors[-1])
    simulated.cache_clear()
    assert abs(np.mean(values)) < 3.5 * np.std(values) / 10
    assert np.mean(inside) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 100)
