"""Every stored case of weighting, regression adjustment and balance, within its tolerance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.arrays import Bools, Floats
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.matching.score import Score, fit_score
from juntos_eval.numerics.entropy_balancing import entropy_balance
from juntos_eval.numerics.least_squares import least_squares
from tests.estimators.matching import weighting_cases as golden
from tests.estimators.matching.weighting_cases import COVARIATES, LALONDE, SQUARES, cases, expected

EXACT = [name for name in cases() if name.startswith("te-exact-")]
STATSMODELS = [name for name in cases() if name.startswith("te-") and name not in EXACT]
CONTROLS = ("nsw", "psid", "cps")


def frame_of(name: str, request: pytest.FixtureRequest) -> pd.DataFrame:
    if "cattaneo" in name:
        return golden.birth_weights(request.getfixturevalue("shared_data"))
    return golden.simulated("mt_cont")


def assert_close(estimate: Estimate, numbers: dict[str, float], value: float, error: float) -> None:
    rows = {"effect": 0, "pom1": 1, "pom0": 2}
    for name, row in rows.items():
        if name in numbers:
            assert estimate.values[row] == pytest.approx(numbers[name], rel=value), name
    std_error = estimate.uncertainty.std_error
    for name, row in {"se": 0, "pom1_se": 1, "pom0_se": 2}.items():
        if name in numbers:
            assert std_error[row] == pytest.approx(numbers[name], rel=error), name


def test_no_case_is_left_out() -> None:
    named = {*EXACT, *STATSMODELS, "matchit-summary", "matchit-mt_cont-nn-glm-repl-1"}
    named |= {f"ebal-{kind}-{table}" for kind in ("mean", "moment2", "base") for table in TABLES}
    kinds = ("diff", "ols", "logit", "ipw-att", "ebal")
    named |= {f"lalonde-{controls}-{kind}" for controls in CONTROLS for kind in kinds}
    assert named == set(cases())
    assert (len(EXACT), len(STATSMODELS), len(cases())) == (34, 38, 95)


@pytest.mark.parametrize("name", EXACT)
def test_exact_solutions(name: str, request: pytest.FixtureRequest) -> None:
    estimate = golden.treatment_effect(name, frame_of(name, request))
    assert_close(estimate, expected(name), value=1e-9, error=1e-8)


@pytest.mark.parametrize("name", STATSMODELS)
def test_statsmodels(name: str, request: pytest.FixtureRequest) -> None:
    is_real, is_probit = "cattaneo" in name, name.endswith("probit")
    value = 2e-5 if is_real and is_probit else 1e-9
    error = {(False, False): 1e-7, (False, True): 1e-7, (True, False): 1e-4, (True, True): 1e-3}
    estimate = golden.treatment_effect(name, frame_of(name, request))
    assert_close(estimate, expected(name), value=value, error=error[is_real, is_probit])


def test_stata_prints_this_effect_of_smoking(shared_data: Path) -> None:
    # Stata's manual of teffects ipw, in the README of the shared data: -230.6886
    estimate = golden.treatment_effect("te-exact-cattaneo-ipw-ate-probit", golden.birth_weights(shared_data))
    assert round(float(estimate.values[0]), 4) == -230.6886


TABLES = ("mt_cont", "mt_disc")


@dataclass(frozen=True)
class Arms:
    """Rows of a simulated table by arm."""

    frame: pd.DataFrame
    treated: Bools

    @staticmethod
    def of(table: str) -> Arms:
        frame = golden.simulated(table)
        return Arms(frame, (frame["d"] == 1).to_numpy())

    def columns(self, kind: str) -> tuple[Floats, tuple[str, ...]]:
        plain = self.frame[list(COVARIATES)].to_numpy()
        if kind != "moment2":
            return plain, COVARIATES
        names = tuple(f"{name}^2" for name in COVARIATES[:4])
        return np.column_stack([plain, plain[:, :4] ** 2]), (*COVARIATES, *names)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kind", ["mean", "moment2", "base"])
def test_entropy_weights_and_dual(table: str, kind: str) -> None:
    arms, numbers = Arms.of(table), expected(f"ebal-{kind}-{table}")
    columns, names = arms.columns(kind)
    base = arms.frame["w"].to_numpy()[~arms.treated] if kind == "base" else np.ones((~arms.treated).sum())
    found = entropy_balance(columns[~arms.treated], columns[arms.treated].mean(axis=0), base, names=names)
    np.testing.assert_allclose(found.weights, numbers["weights_controls"], rtol=0, atol=1e-12)
    # the stored dual has the squares before b1
    order = [0, 1, 2, 3, 5, 6, 7, 8, 4] if kind == "moment2" else [0, 1, 2, 3, 4]
    np.testing.assert_allclose(found.dual[order], numbers["lambda"], rtol=0, atol=1e-10)
    assert found.imbalance < 1e-12
    assert 1 / (found.weights @ found.weights) == pytest.approx(numbers["ess"], rel=1e-10)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(("kind", "moments"), [("mean", 1), ("moment2", 2)])
def test_the_design_has_the_same_entropy_weights(table: str, kind: str, moments: int) -> None:
    design = je.Weighting(treatment="d", covariates=COVARIATES, method="entropy", moments=moments).design(
        golden.simulated(table)
    )
    weights = design.design_weights[~design.treated]
    stored = np.array(expected(f"ebal-{kind}-{table}")["weights_controls"])
    np.testing.assert_allclose(weights / weights.sum(), stored, rtol=0, atol=1e-12)


@pytest.mark.parametrize("controls", CONTROLS)
def test_lalonde_entropy_balancing(controls: str, shared_data: Path) -> None:
    weighting = je.Weighting(outcome="re78", treatment="treat", covariates=LALONDE, method="entropy")
    estimate, numbers = (
        weighting.fit(golden.lalonde(shared_data, controls)),
        expected(f"lalonde-{controls}-ebal"),
    )
    assert estimate.values[0] == pytest.approx(numbers["est"], rel=1e-9)
    assert estimate.details["effective_untreated"] == pytest.approx(numbers["ess"], rel=1e-9)
    assert estimate.details["imbalance"] < 1e-12


@pytest.mark.parametrize("controls", CONTROLS)
def test_lalonde_inverse_probability_weighting(controls: str, shared_data: Path) -> None:
    covariates = (*LALONDE, *(f"{name}_squared" for name in SQUARES))
    weighting = je.Weighting(outcome="re78", treatment="treat", covariates=covariates)
    estimate = weighting.fit(golden.lalonde(shared_data, controls))
    assert estimate.values[0] == pytest.approx(expected(f"lalonde-{controls}-ipw-att")["est"], rel=1e-6)


@pytest.mark.parametrize("controls", CONTROLS)
def test_lalonde_score(controls: str, shared_data: Path) -> None:
    frame, numbers = golden.lalonde(shared_data, controls), expected(f"lalonde-{controls}-logit")
    names = (*LALONDE, *(f"{name}_squared" for name in SQUARES))
    treated = (frame["treat"] == 1).to_numpy()
    score: Score = fit_score(treated, frame[list(names)].to_numpy(), names, np.ones(len(frame)))
    np.testing.assert_allclose(score.coefficients, list(numbers["coef"].values()), rtol=2e-5)
    likelihood = np.log(np.where(treated, score.probability, 1 - score.probability)).sum()
    assert likelihood == pytest.approx(numbers["loglik"], rel=1e-9)
    # the score equations themselves, which R's iterations miss by more
    gap = (treated - score.probability) @ (
        (score.design - score.design.mean(0)) / score.design.std(0).clip(1e-9)
    )
    assert np.abs(gap).max() < 1e-8
    assert score.probability[~treated].sum() == pytest.approx(numbers["score_sum_controls"], rel=1e-6)


@pytest.mark.parametrize("kind", ["diff", "ols"])
@pytest.mark.parametrize("controls", CONTROLS)
def test_lalonde_least_squares_with_leverage(controls: str, kind: str, shared_data: Path) -> None:
    frame, numbers = golden.lalonde(shared_data, controls), expected(f"lalonde-{controls}-{kind}")
    covariates = frame[list(LALONDE)].to_numpy() if kind == "ols" else np.zeros((len(frame), 0))
    design = np.column_stack([np.ones(len(frame)), frame["treat"], covariates])
    fit = least_squares(design, frame["re78"].to_numpy())
    assert fit.coefficients[1] == pytest.approx(numbers["est"], rel=1e-9)
    scores = design @ fit.bread[1]
    hc2 = np.sqrt((scores**2 * fit.residuals**2 / (1 - fit.leverage)).sum())
    assert hc2 == pytest.approx(numbers["se"], rel=1e-9)
    assert fit.leverage.sum() == pytest.approx(fit.rank, rel=1e-10)


@dataclass(frozen=True)
class StoredMatch:
    """A design whose weights and scores are those that MatchIt stored."""

    treated: Bools
    covariates: Floats
    covariate_names: tuple[str, ...]
    base_weights: Floats
    design_weights: Floats
    estimand: str
    score: Score | None


def test_balance_of_a_matched_design() -> None:
    frame, stored = golden.simulated("mt_cont"), expected("matchit-mt_cont-nn-glm-repl-1")
    treated, covariates = (frame["d"] == 1).to_numpy(), frame[list(COVARIATES)].to_numpy()
    design = StoredMatch(
        treated=treated,
        covariates=covariates,
        covariate_names=COVARIATES,
        base_weights=np.ones(len(frame)),
        design_weights=np.array(stored["weights"], dtype=float),
        estimand="att",
        score=fit_score(treated, covariates, COVARIATES, np.ones(len(frame))),
    )
    numbers = expected("matchit-summary")
    shown = je.balance(design).tidy().set_index("covariate")
    measures = ["mean_treated", "mean_untreated", "smd", "variance_ratio", "ecdf_mean", "ks"]
    for when, part in (("before", "all"), ("after", "matched")):
        for name, row in numbers[part].items():
            line = shown.loc["propensity score" if name == "distance" else name]
            ours = [line[f"{measure}_{when}"] for measure in measures]
            theirs = [np.nan if value is None else value for value in row[:6]]
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10, err_msg=f"{name} {when}")
    found = je.balance(design)
    assert found.after.effective_untreated == pytest.approx(numbers["nn"]["Matched (ESS)"][0], rel=1e-12)
    assert found.before.effective_untreated == pytest.approx(numbers["nn"]["All (ESS)"][0])
