"""Matching against MatchIt (pairs, weights, scores) and Matching (effects, Abadie-Imbens errors)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.estimators.matching.matching import Matching
from juntos_eval.estimators.matching.score import fit_score
from juntos_eval.inference.abadie_imbens import AbadieImbens

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests/golden/matching"
SHARED = ROOT.parent / "shared"
CASES: dict[str, Any] = {case["id"]: case for case in json.loads((GOLDEN / "cases.json").read_text())}

SCORE = ("x1", "x2", "x3", "x4", "b1")
FIRST: dict[str, Any] = {"replace": True, "ties": "first"}
EXACT: dict[str, Any] = {"exact": ("b1", "cat")}
RAW: dict[str, Any] = {"caliper": 0.02, "caliper_in_sd": False}
MATCHIT: dict[str, dict[str, Any]] = {
    "nn-glm-repl-1": FIRST,
    "nn-glm-repl-2": {**FIRST, "ratio": 2},
    "nn-glm-repl-5": {**FIRST, "ratio": 5},
    "nn-glm-norepl-1": {},
    "nn-glm-norepl-2": {"ratio": 2},
    "nn-glm-order-largest": {"order": "largest"},
    "nn-glm-order-smallest": {"order": "smallest"},
    "nn-glm-order-data": {"order": "data"},
    "nn-mahal-repl": {**FIRST, "distance": "mahalanobis"},
    "nn-mahal-norepl": {"distance": "mahalanobis"},
    "nn-robmahal-repl": {**FIRST, "distance": "robust_mahalanobis"},
    "nn-robmahal-norepl": {"distance": "robust_mahalanobis"},
    "nn-euclid-repl": {**FIRST, "distance": "scaled_euclidean"},
    "nn-euclid-norepl": {"distance": "scaled_euclidean"},
    "nn-caliper-repl": {**FIRST, "caliper": 0.1},
    "nn-caliper-norepl": {"caliper": 0.1},
    "nn-caliper-raw-repl": {**FIRST, **RAW},
    "nn-caliper-raw-norepl": RAW,
    "nn-exact-repl": {**FIRST, **EXACT},
    "nn-exact-norepl": EXACT,
    "nn-linear": {"distance": "linear_logit", "caliper": 0.2},
    "nn-probit": {**FIRST, "distance": "probit"},
    "nn-atc": {**FIRST, "estimand": "atc"},
    "nn-discard-both": {**FIRST, "common_support": "minmax"},
    "nn-sw": {**FIRST, "weights": "w"},
}


@cache
def table(name: str) -> pd.DataFrame:
    frame = pd.read_csv(GOLDEN / name)
    treated = frame["d"].to_numpy() == 1
    frame["score"] = fit_score(
        treated, frame[list(SCORE)].to_numpy(dtype=float), SCORE, np.ones(len(frame))
    ).probability
    return frame


@pytest.mark.parametrize("name", ["mt_cont", "mt_disc"])
@pytest.mark.parametrize("kind", MATCHIT)
def test_pairs_and_weights_are_those_of_matchit(name: str, kind: str) -> None:
    case = CASES[f"matchit-{name}-{kind}"]
    expected = case["expected"]
    design = Matching(treatment="d", covariates=SCORE, **MATCHIT[kind]).design(table(case["data"]))
    found: dict[int, list[int]] = {}
    for target, match in (design.pairs()[["target", "match"]] + 1).to_numpy().tolist():
        found.setdefault(target, []).append(match)
    assert found == {target: matches for target, *matches in expected["pairs"]}
    serving = design.use > 0
    is_treated_kept = design.treated & (design.design_weights > 0)
    assert int(is_treated_kept.sum()) == expected["n_treated_kept"]
    assert int((~design.treated & (design.design_weights > 0)).sum()) == expected["n_control_kept"]
    if kind != "nn-sw":
        scale = serving.sum() / design.use.sum()
        weights = np.where(serving, design.use * scale, design.target)
        theirs = np.array([weight or 0.0 for weight in expected["weights"]])
        np.testing.assert_allclose(weights, theirs, rtol=1e-9)
    if "distance" in expected and design.score is not None:
        tolerance = 5e-6 if kind == "nn-probit" else 1e-9
        np.testing.assert_allclose(design.score.probability, expected["distance"], rtol=tolerance)


def match_options(name: str) -> tuple[dict[str, Any], AbadieImbens]:
    """Return our choices for a case of Match, read off its name."""
    parts = name.split("-")
    options: dict[str, Any] = {"replace": True, "ties": "matching", "distance": "score", "covariates": ()}
    inference = AbadieImbens(variance="homoskedastic")
    if parts[1] in {"mt_cont", "mt_disc", "varcalc", "mahalanobis", "exact"}:
        options["distance"] = "mahalanobis" if parts[1] == "mahalanobis" else "scaled_euclidean"
        options["covariance"] = "overall"
        options["covariates"] = ("x1", "x2", "b1") if parts[1] in {"mt_disc", "exact"} else SCORE[:4]
    if parts[1] in {"mt_cont", "mt_disc"}:
        options |= {
            "estimand": parts[2].lower(),
            "ratio": int(parts[3]),
            "bias_adjust": parts[4] == "biasadj",
        }
    elif parts[1] == "varcalc":
        options |= {"estimand": parts[3].lower(), "bias_adjust": parts[4] == "biasadj"}
        inference = AbadieImbens(neighbours=int(parts[2]), like="Matching")
    elif parts[1] == "ps" and parts[2] == "notolerance":
        options |= {"ratio": int(parts[4]), "ties": "all"}
    elif parts[1] == "ps":
        options |= {"estimand": parts[2].lower(), "ratio": int(parts[3])}
    elif parts[1] == "caliper":
        options["caliper"] = 0.1
    elif parts[1] == "exact":
        options |= {"exact": ("b1",), "ratio": 2}
    return options, inference


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("Match-")])
def test_effects_and_errors_are_those_of_matching(name: str) -> None:
    case = CASES[name]
    options, inference = match_options(name)
    effect = Matching(treatment="d", outcome="y", **options).fit(table(case["data"]), inference=inference)
    expected = case["expected"]
    np.testing.assert_allclose(effect.values, expected["est"], rtol=1e-9)
    targets, dropped = effect.details["targets"], int(expected["ndrops"])
    assert targets - effect.details["matched"] == dropped
    # Matching lets targets beyond the caliper count in its error as if their effect were found to be zero
    sums = effect.uncertainty.covariance[0, 0] * (targets - dropped) ** 2 + dropped * effect.values[0] ** 2
    np.testing.assert_allclose(np.sqrt(sums) / targets, expected["se"], rtol=1e-9)


def test_every_case_kept_is_compared() -> None:
    compared = {f"matchit-{name}-{kind}" for name in ("mt_cont", "mt_disc") for kind in MATCHIT}
    assert compared | {name for name in CASES if name.startswith("Match-")} == set(CASES)
    assert len(CASES) == 91


LALONDE = ("age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75")


@cache
def lalonde(controls: str) -> pd.DataFrame:
    folder = SHARED / "data/benchmarks/matching"
    if not folder.is_dir():
        pytest.skip(f"LaLonde's data are not at {folder.relative_to(ROOT.parent)} beside the checkout")
    columns = ["treat", *LALONDE, "re78"]
    nsw = pd.read_stata(folder / "nsw_mixtape.dta")[columns].astype(float)
    if controls == "nsw":
        return nsw
    if controls == "cps":
        others = pd.read_stata(folder / "cps_mixtape.dta")[columns].astype(float)
    else:
        others = pd.read_csv(folder / "psid_controls.csv").iloc[:, 1:].set_axis(columns, axis=1).astype(float)
    return pd.concat([nsw[nsw["treat"] == 1], others], ignore_index=True)


@pytest.mark.parametrize("controls", ["nsw", "psid", "cps"])
@pytest.mark.parametrize("kind", ["match1-noadj", "match1-biasadj", "psm"])
def test_lalonde(controls: str, kind: str) -> None:
    frame = lalonde(controls)
    cases = {case["id"]: case for case in json.loads((SHARED / "reference/matching.json").read_text())}
    case = cases.get(f"lalonde-{controls}-{kind}")
    if case is None:
        assert (controls, kind[:6]) == ("cps", "match1")
        pytest.skip("Matching was not run on the 16,177 rows with all covariates")
    options: dict[str, Any] = {"distance": "scaled_euclidean", "covariance": "overall", "covariates": LALONDE}
    if kind == "psm":
        squares = {f"{name}_squared": frame[name] ** 2 for name in ("age", "re74", "re75")}
        frame = frame.assign(**squares)
        options = {"distance": "logit", "covariates": (*LALONDE, *squares)}
    effect = Matching(
        treatment="treat",
        outcome="re78",
        replace=True,
        ties="matching",
        bias_adjust=kind == "match1-biasadj",
        **options,
    ).fit(frame, inference=AbadieImbens(variance="homoskedastic"))
    np.testing.assert_allclose(effect.values, case["expected"]["est"], rtol=1e-9)
    np.testing.assert_allclose(effect.uncertainty.std_error, case["expected"]["se"], rtol=1e-9)
