"""Totals, ratios, shares, quantiles and regressions of samples are those of R's survey."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from juntos_eval.arrays import Floats
from juntos_eval.estimate import Estimate, Fit
from juntos_eval.estimators.means import Mean
from juntos_eval.estimators.panel import FixedEffects, Logit
from juntos_eval.estimators.survey_statistics import Proportion, Quantile, Ratio, Total, design_effect
from juntos_eval.inference.survey_design import SurveyDesign
from tests.estimators.survey_statistics import golden
from tests.inference import golden as first_golden

CLOSE = 1e-9
NAMED = {"xlogit": "logit"}
COLUMNS: dict[str, dict[str, Any]] = {
    "one": {"psu": "psu"},
    "fpc": {"psu": "psu", "fpc": "psus"},
    "two": {"psu": ("psu", "household"), "fpc": ("psus", "households")},
}
BY_KIND: dict[str, Any] = {
    "mean": [Mean(outcome=name, weights="w") for name in ("y", "x", "b")],
    "total": [Total(outcome=name, weights="w") for name in ("y", "x", "b")],
    "ratio": [Ratio(outcome="y", denominator="x", weights="w")],
    "mean_by": [Mean(outcome="y", by="area", weights="w")],
    "total_by": [Total(outcome="y", by="area", weights="w")],
    "ratio_by": [Ratio(outcome="y", denominator="x", by="area", weights="w")],
    "shares": [Proportion(outcome="area", weights="w")],
    "domain": [Mean(outcome=name, weights="w") for name in ("y", "b")],
}


def close(found: Any, expected: Any, tolerance: float = CLOSE) -> None:
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=1e-14)


def design(name: str, rule: str = "adjust", **rest: Any) -> SurveyDesign:
    sample = golden.table("survey_stages.csv")
    return SurveyDesign.of(sample, strata="stratum", lonely=rule, **COLUMNS[name], **rest)  # type: ignore[arg-type]


def of_kind(kind: str) -> list[str]:
    return sorted(
        name
        for name in golden.cases()
        if name.split("-")[0] in COLUMNS
        and name.count("-") == 2
        and name.endswith(f"-{kind}")
        and "-ciprop-" not in name
    )


STATISTICS = [name for kind in BY_KIND for name in of_kind(kind)]
QUANTILES = [name for name in golden.cases() if "-quantile-" in name]
SHARES = [name for name in golden.cases() if "-ciprop-" in name]
EFFECTS = [name for name in golden.cases() if "-deff" in name]
MODELS = [name for name in golden.cases() if name.endswith(("-glm", "-logit")) and "ciprop" not in name]


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics(name: str) -> None:
    which, rule, kind = name.split("-")
    frame = golden.table("survey_stages.csv")
    if kind == "domain":
        frame = frame[frame["area"] == "jungle"]
    fits: list[Estimate] = [one.fit(frame, inference=design(which, rule)) for one in BY_KIND[kind]]
    case = golden.cases()[name]
    close(np.concatenate([fit.values for fit in fits]), golden.numbers(case, "est"))
    close(np.concatenate([fit.uncertainty.std_error for fit in fits]), golden.numbers(case, "se"))


@pytest.mark.parametrize("name", QUANTILES)
def test_quantiles(name: str) -> None:
    which, _, outcome, interval, rule = name.split("-")
    asked = Quantile(
        outcome=outcome,
        probabilities=(0.1, 0.25, 0.5, 0.75, 0.9),
        weights="w",
        rule=rule,  # type: ignore[arg-type]
        interval=NAMED.get(interval, interval),  # type: ignore[arg-type]
    )
    found = asked.fit(golden.table("survey_stages.csv"), inference=design(which))
    case = golden.cases()[name]
    close(found.values, golden.numbers(case, "est"))
    close(found.interval()[:, 0], golden.numbers(case, "low"))
    close(found.interval()[:, 1], golden.numbers(case, "high"))
    close(found.uncertainty.std_error, golden.numbers(case, "se"))


@pytest.mark.parametrize("name", SHARES)
def test_intervals_of_shares(name: str) -> None:
    which, _, method = name.split("-")
    share = Proportion(outcome="b", weights="w", interval=method)  # type: ignore[arg-type]
    found = share.fit(golden.table("survey_stages.csv"), inference=design(which))
    case = golden.cases()[name]
    close(found.values, golden.numbers(case, "est"))
    close(found.interval()[0], golden.numbers(case, "ci"), 1e-7 if method == "logit" else CLOSE)


@pytest.mark.parametrize("name", EFFECTS)
def test_design_effects(name: str) -> None:
    which, kind = name.split("-")
    statistic = Total if kind == "deff_total" else Mean
    frame = golden.table("survey_stages.csv")
    fits = [statistic(outcome=y, weights="w").fit(frame, inference=design(which)) for y in ("y", "x", "b")]
    found = [design_effect(fit, frame, replacement=kind == "deff_replace")[0] for fit in fits]
    close(found, golden.numbers(golden.cases()[name], "est"))


@pytest.mark.parametrize("name", MODELS)
def test_regressions(name: str) -> None:
    which, kind = name.split("-")
    frame, case = golden.table("survey_stages.csv"), golden.cases()[name]
    fit = fitted(kind)
    close(fit.values, golden.numbers(case, "est"))
    columns = ["stratum", "psu", "household"]
    means = Mean(outcome="y", weights="w").fit(frame, carry=tuple(columns))
    assert means.fit is not None
    carried = Fit(
        values=fit.values, influence=fit.influence, parameters=fit.parameters, groups=means.fit.groups
    )
    close(design(which).infer(carried).std_error, golden.numbers(case, "se"))


def fitted(kind: str) -> Fit:
    """Weighted least squares, or a weighted logit at its solution, written out."""
    frame = golden.table("survey_stages.csv")
    weights: Floats = frame["w"].to_numpy()
    if kind == "logit":
        return first_golden.logit(frame, "b", first_golden.with_constant(frame, "x"), weights)
    dummies = [(frame["area"] == area).to_numpy(np.float64) for area in ("highland", "jungle")]
    matrix = np.column_stack([first_golden.with_constant(frame, "x"), *dummies])
    return first_golden.least_squares(frame, "y", matrix, weights)


@pytest.mark.parametrize("which", COLUMNS)
def test_degrees_of_freedom(which: str) -> None:
    frame = golden.table("survey_stages.csv")
    parts = [frame, frame[frame["area"] == "jungle"], frame[(frame["stratum"] < 4) & (frame["y"] > 2)]]
    occupied = design(which, df="occupied")
    found = [Mean(outcome="y", weights="w").fit(part, inference=occupied).uncertainty.df for part in parts]
    assert found == golden.cases()[f"{which}-adjust-degf"]["est"]
    # by default the PSUs that were drawn count, whether they have a row or not
    last = Mean(outcome="y", weights="w").fit(parts[2], inference=design(which)).uncertainty.df
    assert last == 4 + 6 + 5 - 3


def test_no_case_is_left_out() -> None:
    degrees = [name for name in golden.cases() if name.endswith("degf")]
    replicates = [name for name in golden.cases() if name.startswith("rep-")]
    kept = [*STATISTICS, *QUANTILES, *SHARES, *EFFECTS, *MODELS, *degrees, *replicates]
    assert sorted(kept) == sorted(golden.cases())
    assert (len(STATISTICS), len(QUANTILES), len(SHARES), len(EFFECTS), len(MODELS)) == (64, 54, 12, 9, 6)


def test_quantiles_of_the_reference_table() -> None:
    frame = first_golden.table("reg_survey.csv")
    rule = SurveyDesign(strata="stratum", psu="psu", lonely="adjust")
    found = Quantile(outcome="y", probabilities=(0.1, 0.5, 0.9), weights="w").fit(frame, inference=rule)
    expected = golden.reference()["survey-quantile"]["expected"]
    close(found.values, expected["est"])
    close(found.interval(), np.column_stack([expected["ci_lower"], expected["ci_upper"]]))
    close(found.uncertainty.std_error, expected["se"])


def test_design_effect_of_the_reference_table() -> None:
    frame = first_golden.table("reg_survey.csv")
    rule = SurveyDesign(strata="stratum", psu="psu", lonely="adjust")
    mean = Mean(outcome="y", weights="w").fit(frame, inference=rule)
    expected = golden.reference()["survey-deff"]["expected"]
    close(mean.uncertainty.std_error[0], expected["se"])
    close(design_effect(mean, frame)[0], expected["deff"])


@pytest.mark.parametrize("id_", ["fpc", "nofpc", "nostrata", "noclus"])
def test_totals_of_the_reference_table(id_: str) -> None:
    frame = first_golden.table("reg_survey.csv").assign(both=lambda d: d["stratum"] * 1000 + d["psu"])
    columns: dict[str, Any] = {
        "fpc": {"strata": "stratum", "psu": "psu", "fpc": "npsu"},
        "nofpc": {"strata": "stratum", "psu": "psu"},
        "nostrata": {"psu": "both"},
        "noclus": {"strata": "stratum"},
    }[id_]
    expected = first_golden.cases()[f"survey-{id_}-adjust-total"]["expected"]
    for outcome in ("y", "size"):
        total = Total(outcome=outcome, weights="w").fit(
            frame, inference=SurveyDesign(**columns, lonely="adjust")
        )
        close(total.values[0], expected["est"][outcome])
        close(total.uncertainty.std_error[0], expected["se"][outcome])


@pytest.mark.parametrize("name", MODELS)
def test_estimators_of_regressions(name: str) -> None:
    """`FixedEffects` and `Logit` with the design are R's svyglm."""
    which, kind = name.split("-")
    case, frame = golden.cases()[name], golden.table("survey_stages.csv")
    asked: Any = FixedEffects(outcome="y", covariates=("x", "area"), weights="w")
    if kind == "logit":
        asked = Logit(outcome="b", covariates=("x",), weights="w", report="coefficients")
    found = asked.fit(frame, inference=design(which))
    order = [found.keys["term"].index(term) for term in ("constant", "x")] + list(range(2, len(found.values)))
    close(found.values[order], golden.numbers(case, "est"), 1e-8)
    close(found.uncertainty.std_error[order], golden.numbers(case, "se"), 1e-8)
