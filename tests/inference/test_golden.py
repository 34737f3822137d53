"""Our standard errors are those of sandwich, clubSandwich, estimatr, fixest and survey."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from scipy import stats

from juntos_eval.estimate import Fit, Inference, Uncertainty
from juntos_eval.estimators.means import Mean
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Iid, Robust
from juntos_eval.inference.survey_design import SurveyDesign
from tests.inference import golden

REGRESSIONS = sorted(name for name in golden.cases() if not name.startswith("survey"))
SURVEYS = sorted(
    name
    for name in golden.cases()
    if re.fullmatch(r"survey-\w+-\w+-(mean|total|glm|domainmean|ratio)", name) and "domainadjust" not in name
)
CLOSE = 1e-9


def close(found: Any, expected: Any, tolerance: float = CLOSE) -> None:
    np.testing.assert_allclose(found, expected, rtol=tolerance)


def regression(case: dict[str, Any]) -> Fit:
    frame = golden.table(case["data"])
    covariates = ("x1", "x2", "x3") if "panel" in case["data"] else ("tr", "x1", "x2", "x3")
    weights = frame["w"].to_numpy() if "w" in weight_marks(case) else np.ones(len(frame))
    return golden.least_squares(frame, "y", golden.with_constant(frame, *covariates), weights)


def weight_marks(case: dict[str, Any]) -> set[str]:
    return set(re.findall(r"weights = ~?(w)", case["call"]["code"]))


def inference_of(name: str) -> tuple[Inference, float]:
    """The inference that a case asks for, and the factor between its small-sample rule and ours."""
    robust: dict[str, Inference] = {"const": Iid(), "iid": Iid(), "hetero": Robust("HC1")}
    if found := re.search(r"vcovHC-(\w+)|lm_robust-(HC\d)|fe0-(iid|hetero)", name):
        kind = next(filter(None, found.groups()))
        return robust.get(kind) or Robust(kind), 1.0
    clusters: dict[str, str | tuple[str, ...]] = {"tw": ("id", "year"), "tw_rg": ("region", "grp")}
    if found := re.search(r"fe0-(?:cl_(\w+?)|(tw_rg|tw))-default", name):
        return Cluster(clusters.get(found[2] or "", found[1]), kind="CR1S"), 1.0
    kinds = {"HC0-nocadj": "CR0", "HC0-cadj": "CR1", "HC1-cadj": "CR1S", "stata": "CR1S"}
    if found := re.search(r"(HC0-nocadj|HC0-cadj|HC1-cadj|stata|CR0|CR1S|CR1)", name):
        return Cluster("cl", kind=kinds.get(found[1], found[1])), 1.0  # type: ignore[arg-type]
    # sandwich's HC1 without cadjust: (n-1)/(n-k) alone
    return Cluster("cl", kind="CR0"), np.nan


@pytest.mark.parametrize("name", REGRESSIONS)
def test_regression(name: str) -> None:
    case = golden.cases()[name]
    fit = regression(case)
    inference, factor = inference_of(name)
    if np.isnan(factor):
        factor = np.sqrt((fit.n - 1) / (fit.n - fit.parameters))
    found = inference.infer(fit)
    expected = case["expected"]
    close(fit.values, golden.numbers(expected["coef"]))
    close(found.std_error * factor, golden.numbers(expected["se"]))
    if "vcov" in expected:
        np.testing.assert_allclose(
            found.covariance * factor**2,
            np.array(expected["vcov"]["values"]),
            rtol=CLOSE,
            atol=1e-11,
        )
    if "df_t" in expected:
        assert found.df == expected["df_t"]
    if "p" in expected and "df_t" in expected:
        p_values = 2 * stats.t.sf(np.abs(fit.values / found.std_error), found.df)
        np.testing.assert_allclose(p_values, golden.numbers(expected["p"]), rtol=1e-7, atol=1e-200)


def test_every_regression_case_was_given_its_inference() -> None:
    asked = {name: inference_of(name)[0] for name in REGRESSIONS}
    assert len(REGRESSIONS) == 52
    assert {type(inference) for inference in asked.values()} == {Iid, Robust, Cluster}
    kinds = {inference.kind for inference in asked.values() if isinstance(inference, Robust | Cluster)}
    assert kinds == {"HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR1S"}


def survey_design(name: str) -> SurveyDesign:
    found = re.fullmatch(r"survey-(\w+)-(\w+)-(\w+)", name)
    assert found
    columns = {
        "fpc": {"strata": "stratum", "psu": "psu", "fpc": "npsu"},
        "nofpc": {"strata": "stratum", "psu": "psu"},
        "nostrata": {"psu": "stratum_psu"},
        "noclus": {"strata": "stratum"},
    }
    frame = golden.table("reg_survey.csv")
    frame = frame.assign(stratum_psu=frame["stratum"] * 1000 + frame["psu"])
    return SurveyDesign.of(frame, **columns[found[1]], lonely=found[2])  # type: ignore[arg-type]


def survey_fit(name: str) -> Fit:
    frame = golden.table("reg_survey.csv")
    kind = name.rsplit("-", 1)[1]
    if kind == "domainmean":
        frame = frame[frame["dom"] == 2]
    weights, one = frame["w"].to_numpy(), np.ones(len(frame))
    if kind == "glm":
        design = np.column_stack([one, frame["x"], frame["dom"] == 2, frame["dom"] == 3]).astype(float)
        fit = golden.least_squares(frame, "y", design, weights)
    elif kind == "total":
        fit = golden.totals(frame, ["y", "size"], weights)
    elif kind == "ratio":
        fit = golden.ratio(frame, frame[["y"]].to_numpy(), frame["size"].to_numpy(float), weights)
    else:
        columns = ["y", "b"] if kind == "domainmean" else ["y", "x", "b"]
        fit = golden.ratio(frame, frame[columns].to_numpy(float), one, weights)
    both = golden.groups_of(frame.assign(id=frame["stratum"] * 1000 + frame["psu"]))
    groups = {**both, "stratum_psu": both["id"]}
    return Fit(values=fit.values, influence=fit.influence, parameters=fit.parameters, groups=groups)


@pytest.mark.parametrize("name", SURVEYS)
def test_survey_design(name: str) -> None:
    expected = golden.cases()[name]["expected"]
    fit = survey_fit(name)
    found = survey_design(name).infer(fit)
    close(fit.values, golden.numbers(expected.get("coef", expected.get("est"))))
    close(found.std_error, golden.numbers(expected["se"]))


def test_there_are_46_survey_cases_and_each_design_and_rule_is_among_them() -> None:
    assert len(SURVEYS) == 46
    parts = {tuple(name.split("-")[1:3]) for name in SURVEYS}
    assert parts >= {(d, r) for d in ("fpc", "nofpc") for r in ("adjust", "average", "certainty", "remove")}
    assert parts >= {("nostrata", "adjust"), ("noclus", "adjust")}


@pytest.mark.parametrize(("fpc", "id_"), [("npsu", "fpc"), (None, "nofpc")])
@pytest.mark.parametrize("rule", ["adjust", "average", "certainty", "remove"])
def test_mean_estimator_with_survey_design(fpc: str | None, id_: str, rule: Any) -> None:
    expected = golden.cases()[f"survey-{id_}-{rule}-mean"]["expected"]
    design = SurveyDesign(strata="stratum", psu="psu", fpc=fpc, lonely=rule)
    for outcome in ("y", "x", "b"):
        mean = Mean(outcome=outcome, weights="w").fit(golden.table("reg_survey.csv"), inference=design)
        close(mean.values[0], expected["est"][outcome])
        close(mean.uncertainty.std_error[0], expected["se"][outcome])


def test_means_by_group_are_domains() -> None:
    expected = golden.cases()["survey-by"]["expected"]
    design = SurveyDesign(strata="stratum", psu="psu", lonely="adjust")
    means = Mean(outcome="y", by="dom", weights="w").fit(golden.table("reg_survey.csv"), inference=design)
    assert means.keys["group"] == tuple(expected["est"])
    close(means.values, golden.numbers(expected["est"]))
    close(means.uncertainty.std_error, expected["se"])


def test_subsample_with_its_full_design_is_the_domain_of_the_full_sample() -> None:
    frame = golden.table("reg_survey.csv")
    expected = golden.cases()["survey-fpc-adjust-domainadjust-mean"]["expected"]
    design = SurveyDesign.of(frame, strata="stratum", psu="psu", fpc="npsu", lonely="adjust")
    mean = Mean(outcome="y", weights="w").fit(frame[frame["dom"] == 2], inference=design)
    close(mean.uncertainty.std_error[0], expected["se"]["y"])


def test_interval_of_a_share_on_the_logit_scale_uses_our_error_and_degrees_of_freedom() -> None:
    expected = golden.cases()["survey-ciprop"]["expected"]
    design = SurveyDesign(strata="stratum", psu="psu", fpc="npsu", lonely="adjust")
    share = Mean(outcome="b", weights="w").fit(golden.table("reg_survey.csv"), inference=design)
    p, drawn = float(share.values[0]), share.uncertainty
    half = stats.t.ppf(0.975, drawn.df) * drawn.std_error[0] / (p * (1 - p))
    ends = np.log(p / (1 - p)) + np.array([-half, half])
    close(p, expected["est"])
    close(1 / (1 + np.exp(-ends)), expected["ci"], 1e-7)


def test_survey_logit() -> None:
    frame = golden.table("reg_survey.csv")
    expected = golden.cases()["survey-logit"]["expected"]
    fit = golden.logit(frame, "b", golden.with_constant(frame, "x"), frame["w"].to_numpy())
    found: Uncertainty = SurveyDesign(strata="stratum", psu="psu", fpc="npsu", lonely="adjust").infer(fit)
    close(fit.values, golden.numbers(expected["coef"]), 1e-7)
    close(found.std_error, golden.numbers(expected["se"]), 1e-6)
    assert found.df == expected["degf"]
