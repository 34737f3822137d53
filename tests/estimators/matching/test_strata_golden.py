"""Strata, optimal pairs and pairs inside calipers against MatchIt and the assignment problem."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.arrays import Floats
from juntos_eval.estimators.matching.distance import place_in_space
from juntos_eval.estimators.matching.matched_design import MatchedDesign
from juntos_eval.estimators.matching.matching import Matching

GOLDEN = Path(__file__).parents[2] / "golden" / "matching"
CASES: dict[str, Any] = {case["id"]: case for case in json.loads((GOLDEN / "strata.json").read_text())}
SCORE = ("x1", "x2", "x3", "x4", "b1")
STRATA = sorted(name for name in CASES if any(word in name for word in ("subclass", "cem", "exact")))
CUTS = {"cem": {"x1": 5, "x2": 4}, "cem-sturges": {}, "cem-ATE": {"x1": 4, "x2": 4}}


@cache
def table(name: str) -> pd.DataFrame:
    frame = pd.read_csv(GOLDEN / name)
    return frame.assign(cat=frame["cat"].astype(str)) if "cat" in frame else frame


def choices(name: str) -> dict[str, Any]:
    """Return our choices for a case, read off its name."""
    _, _, kind, *rest = name.split("-")
    estimand = "ate" if name.endswith("ATE") else "att"
    if kind == "subclass":
        return {"covariates": SCORE, "method": kind, "subclasses": int(rest[0]), "estimand": estimand}
    if kind == "exact":
        return {"covariates": ("b1", "cat", "x2"), "method": kind, "estimand": estimand}
    cuts = CUTS["-".join([kind, *rest])]
    return {"covariates": ("x1", "x2", "b1"), "method": kind, "estimand": estimand, "cutpoints": cuts}


def of_arms(weights: Floats, treated: Any) -> Floats:
    shares = np.where(treated, weights / weights[treated].sum(), weights / weights[~treated].sum())
    return np.asarray(shares)


def numbers(values: list[float | None]) -> Floats:
    return np.array([value or 0.0 for value in values])


def kept(design: MatchedDesign) -> tuple[int, int]:
    serving = design.design_weights > 0
    return int((serving & design.treated).sum()), int((serving & ~design.treated).sum())


def test_every_case_is_there() -> None:
    assert (len(STRATA), len(CASES)) == (16, 22)


@pytest.mark.parametrize("name", STRATA)
def test_weights_and_members_of_strata(name: str) -> None:
    expected = CASES[name]["expected"]
    design = Matching(treatment="d", **choices(name)).design(table(CASES[name]["data"]))
    treated = design.treated
    np.testing.assert_allclose(
        of_arms(design.design_weights, treated), of_arms(numbers(expected["weights"]), treated), rtol=1e-9
    )
    assert kept(design) == (expected["n_treated_kept"], expected["n_control_kept"])
    # the same rows are together, whatever the strata are called
    theirs = np.array([stratum if stratum is not None else -1 for stratum in expected["subclass"]])
    inside = theirs >= 0
    pairs = np.unique(np.column_stack([theirs[inside], design.places.blocks[inside]]), axis=0)
    assert len(pairs) == len(np.unique(theirs[inside])) == len(np.unique(design.places.blocks[inside]))


def found_pairs(design: MatchedDesign) -> list[list[int]]:
    found: dict[int, list[int]] = {}
    for target, match in (design.pairs()[["target", "match"]] + 1).to_numpy().tolist():
        found.setdefault(target, []).append(match)
    return [[target, *matches] for target, matches in sorted(found.items())]


@pytest.mark.parametrize("name", ["mt_cont", "mt_disc"])
def test_the_closest_pair_first(name: str) -> None:
    case = CASES[f"matchit-{name}-nn-glm-order-closest"]
    design = Matching(treatment="d", covariates=SCORE, order="closest").design(table(case["data"]))
    assert found_pairs(design) == sorted(case["expected"]["pairs"])


def inside_caliper(name: str) -> MatchedDesign:
    chosen = Matching(treatment="d", covariates=SCORE, caliper=0.25, mahalanobis=("x1", "x2"))
    return chosen.design(table(name))


def test_mahalanobis_distance_inside_a_score_caliper() -> None:
    case = CASES["matchit-mt_cont-nn-mahvars"]
    design = inside_caliper(case["data"])
    assert found_pairs(design) == sorted(case["expected"]["pairs"])
    assert 0.25 * design.places.unit == pytest.approx(case["expected"]["caliper"][0], rel=1e-9)


def test_mahalanobis_distance_among_many_ties() -> None:
    """Each pair is as near as any that was still free; MatchIt keeps as many."""
    case = CASES["matchit-mt_disc-nn-mahvars"]
    frame = table(case["data"])
    design = inside_caliper(case["data"])
    assert kept(design) == (case["expected"]["n_treated_kept"], case["expected"]["n_control_kept"])
    score = design.places.line
    columns = frame[["x1", "x2"]].to_numpy(dtype=np.float64)
    points = place_in_space(
        columns, design.treated, design.places.blocks, distance="mahalanobis", covariance="within"
    ).points
    free = ~design.treated
    chosen = {target - 1: match - 1 for target, match in found_pairs(design)}
    for target in np.argsort(-np.where(design.treated, score, -np.inf), kind="stable")[: len(chosen) + 1]:
        near = np.flatnonzero(free & (np.abs(score - score[target]) <= 0.25 * design.places.unit))
        if target not in chosen:
            assert not len(near)
            continue
        distances = np.linalg.norm(points[near] - points[target], axis=1)
        own = np.linalg.norm(points[chosen[target]] - points[target])
        assert own <= distances.min() + 1e-9
        free[chosen[target]] = False


@pytest.mark.parametrize("name", ["mt_cont", "mt_disc"])
def test_optimal_pairs(name: str) -> None:
    case = CASES[f"optimal-pairs-{name}"]
    design = Matching(treatment="d", covariates=SCORE, method="optimal").design(table(f"{name}.csv"))
    pairs = design.pairs()
    at = design.places.line
    total = np.abs(at[pairs["target"]] - at[pairs["match"]]).sum()
    assert total == pytest.approx(case["expected"]["total_distance"], rel=1e-9)
    assert len(pairs) == case["expected"]["n_pairs"]
    greedy = Matching(treatment="d", covariates=SCORE).design(table(f"{name}.csv")).pairs()
    assert total <= np.abs(at[greedy["target"]] - at[greedy["match"]]).sum()
