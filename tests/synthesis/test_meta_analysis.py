"""Pooled effects against the vectors of the methods page, statsmodels and formulas written out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.inference.cluster import Cluster
from juntos_eval.synthesis import KnappHartung, KnownVariance, MetaAnalysis, as_they_came, without_each

VECTORS = json.loads((Path(__file__).parent / "pooled_vectors.json").read_text())
CASES = [(name, rule) for name, vector in VECTORS["vectors"].items() for rule in vector["by_rule"]]


def _studies(name: str) -> pd.DataFrame:
    vector = VECTORS["vectors"][name]
    return pd.DataFrame({"effect": vector["effects"], "se": np.sqrt(vector["variances"])})


def _model(**choices: object) -> MetaAnalysis:
    return MetaAnalysis(outcome="effect", std_error="se", **choices)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "rule"), CASES)
def test_every_number_of_the_vectors_comes_out(name: str, rule: str) -> None:
    expected = VECTORS["vectors"][name]["by_rule"][rule]
    found = _model(method=rule).fit(_studies(name))
    normal = found.with_inference(KnownVariance())
    seen = {
        "tau2": found.details["between_variance"],
        "mu": found.values[0],
        "se": normal.uncertainty.std_error[0],
        "se_hk": found.uncertainty.std_error[0],
        "hk_low": found.interval()[0, 0],
        "hk_high": found.interval()[0, 1],
        "prediction_low": found.details["prediction_interval"][0],
        "prediction_high": found.details["prediction_interval"][1],
        "normal_low": normal.interval()[0, 0],
        "normal_high": normal.interval()[0, 1],
    }
    for quantity, value in expected.items():
        assert seen[quantity] == pytest.approx(value, abs=1e-6), quantity


@pytest.mark.parametrize("name", list(VECTORS["vectors"]))
def test_the_common_effect_and_its_heterogeneity_come_out(name: str) -> None:
    expected = VECTORS["vectors"][name]["common"]
    details = _model().fit(_studies(name)).details
    assert details["common_effect"] == pytest.approx(expected["mu"], abs=1e-6)
    assert details["common_effect_std_error"] == pytest.approx(expected["se"], abs=1e-6)
    assert details["q"] == pytest.approx(expected["q"], abs=1e-6)
    assert details["heterogeneity_share"] == pytest.approx(expected["i2"], abs=1e-6)


@pytest.mark.parametrize(("rule", "theirs"), [("dl", "dl"), ("pm", "pm"), ("eb", "pm")])
def test_moments_and_paule_mandel_are_those_of_statsmodels(rule: str, theirs: str) -> None:
    rng = np.random.default_rng(3)
    studies = pd.DataFrame({"se": rng.uniform(0.05, 0.4, 12)})
    studies["effect"] = rng.normal(0.2, np.sqrt(0.04 + studies.se**2))
    found = _model(method=rule).fit(studies)
    peer = combine_effects(
        studies.effect.to_numpy(), studies.se.to_numpy() ** 2, method_re=theirs, use_t=True, atol=1e-14
    )
    assert found.details["between_variance"] == pytest.approx(peer.tau2, rel=1e-6)
    assert found.values[0] == pytest.approx(peer.mean_effect_re, rel=1e-7)
    assert found.uncertainty.std_error[0] == pytest.approx(peer.sd_eff_w_re_hksj, rel=1e-6)


@pytest.mark.parametrize("rule", ["ml", "reml"])
def test_no_other_spread_has_a_higher_likelihood(rule: str) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=15)
    studies = pd.DataFrame({"se": rng.uniform(0.05, 0.3, 15), "x": x})
    studies["effect"] = rng.normal(0.2 + 0.1 * x, np.sqrt(0.03 + studies.se**2))
    found = _model(method=rule, covariates=("x",)).fit(studies)
    design = np.column_stack([np.ones(15), x])

    def likelihood(between: float) -> float:
        total = studies.se.to_numpy() ** 2 + between
        inner = design.T @ (design / total[:, None])
        rest = studies.effect - design @ np.linalg.solve(inner, design.T @ (studies.effect / total))
        value = -0.5 * np.log(total).sum() - 0.5 * (rest**2 / total).sum()
        return float(value - 0.5 * np.linalg.slogdet(inner)[1] * (rule == "reml"))

    best = likelihood(found.details["between_variance"])
    assert best >= max(likelihood(t) for t in np.linspace(0, 0.5, 401))


def test_two_step_and_simple_rules_are_their_formulas() -> None:
    studies = _studies("B")
    y, v = studies.effect.to_numpy(), studies.se.to_numpy() ** 2
    k, w = len(y), 1 / v
    mean = (w * y).sum() / w.sum()
    hunter = ((w * (y - mean) ** 2).sum() - k) / w.sum()
    assert _model(method="hs").fit(studies).details["between_variance"] == pytest.approx(hunter, rel=1e-12)
    hedges = y.var(ddof=1) - v.mean()
    assert _model(method="he").fit(studies).details["between_variance"] == pytest.approx(hedges, rel=1e-12)
    first = y.var()
    ratio = 1 / (v / first + 1)
    centre = (ratio * y).sum() / ratio.sum()
    sidik = (ratio * (y - centre) ** 2).sum() / (k - 1)
    assert _model(method="sj").fit(studies).details["between_variance"] == pytest.approx(sidik, rel=1e-12)


def test_robust_variance_with_one_estimate_a_source_is_its_formula() -> None:
    # Tipton (2015), every cluster of one estimate: squared residuals over one less the leverage
    studies = _studies("B").assign(source=list("abcdef"))
    found = _model().fit(studies, inference=Cluster("source", kind="CR2"))
    w = 1 / (studies.se**2 + found.details["between_variance"])
    rest = studies.effect - found.values[0]
    expected = (w**2 * rest**2 / (1 - w / w.sum())).sum() / w.sum() ** 2
    assert found.uncertainty.covariance[0, 0] == pytest.approx(expected, rel=1e-10)


def test_a_modified_spread_is_never_below_one() -> None:
    studies = pd.DataFrame({"effect": [0.10, 0.11, 0.12], "se": [0.1, 0.1, 0.1]})
    plain = _model().fit(studies)
    kept = plain.with_inference(KnappHartung(at_least_one=True))
    assert plain.uncertainty.std_error[0] < 0.01
    assert kept.uncertainty.std_error[0] == pytest.approx(0.1 / np.sqrt(3))


def test_studies_without_an_error_are_counted_and_those_with_a_false_one_refused() -> None:
    studies = _studies("A")
    with_gap = pd.concat([studies, pd.DataFrame({"effect": [9.0], "se": [np.nan]})])
    found = _model().fit(with_gap)
    assert found.sample.dropped == {"se missing": 1}
    assert found.values == pytest.approx(_model().fit(studies).values)
    for false in (0.0, -0.1):
        with pytest.raises(DesignError, match="not positive"):
            _model().fit(studies.assign(se=[false, 0.1, 0.1, 0.1, 0.1]))


def test_the_interval_of_the_spread_ends_where_the_residual_sum_is_a_quantile() -> None:
    studies = _studies("B")
    low, high = _model().fit(studies).details["between_variance_interval"]
    for between, share in ((low, 0.975), (high, 0.025)):
        weights = 1 / (studies.se**2 + between)
        mean = (weights * studies.effect).sum() / weights.sum()
        found = (weights * (studies.effect - mean) ** 2).sum()
        assert found == pytest.approx(stats.chi2.ppf(share, 5), rel=1e-9)


def test_studies_that_agree_to_the_last_digit_have_no_heterogeneity() -> None:
    found = _model().fit(pd.DataFrame({"effect": [0.2, 0.2, 0.2], "se": [0.1, 0.2, 0.3]}))
    assert found.details["heterogeneity_share"] == 0.0
    assert found.details["between_variance"] == 0.0


def test_one_study_is_itself_and_says_that_nothing_is_known_of_others() -> None:
    found = _model().fit(_studies("A").head(1))
    assert found.values[0] == 0.1
    assert found.uncertainty.std_error[0] == pytest.approx(0.1)
    assert np.isnan(found.details["prediction_interval"]).all()
    assert np.isnan(found.details["q_p_value"])
    assert [check.passed for check in found.checks if check.name == "number of studies"] == [False]
    with pytest.raises(InferenceError, match="spread of the studies"):
        found.with_inference(KnappHartung())


def test_collinear_covariates_are_named() -> None:
    studies = _studies("A").assign(same=1.0)
    with pytest.raises(DesignError, match="collinear") as raised:
        _model(covariates=("same",)).fit(studies)
    assert "same" in str(raised.value)


@pytest.mark.parametrize("choice", [{"method": "best"}, {"level": 95}])
def test_choices_that_there_are_not_are_refused(choice: dict[str, object]) -> None:
    with pytest.raises(DesignError, match="method or a level"):
        _model(**choice)


def test_without_each_source_is_the_pooled_effect_of_the_rest() -> None:
    studies = _studies("B").assign(source=list("aabbcc"), year=[3, 1, 2, 2, 1, 3])
    found = without_each(_model(), studies, by="source")
    rest = _model().fit(studies[studies.source != "b"])
    assert found.keys["without"] == ("a", "b", "c")
    assert found.values[1] == pytest.approx(rest.values[0])
    assert found.interval()[1] == pytest.approx(rest.interval()[0])
    grown = as_they_came(_model(), studies, order="year")
    assert grown.details["studies"] == [2, 4, 6]
    assert grown.values[-1] == pytest.approx(_model().fit(studies).values[0])
    with pytest.raises(DesignError, match="at least two levels"):
        without_each(_model(), studies.assign(source="a"), by="source")


def test_pooled_intervals_cover_as_they_say() -> None:
    rng = np.random.default_rng(5)
    covered, normal, draws = 0, 0, 150
    for _ in range(draws):
        studies = pd.DataFrame({"se": rng.uniform(0.1, 0.4, 8)})
        studies["effect"] = rng.normal(0.3, np.sqrt(0.09 + studies.se**2))
        found = _model().fit(studies)
        low, high = found.interval()[0]
        covered += low < 0.3 < high
        low, high = found.with_inference(KnownVariance()).interval()[0]
        normal += low < 0.3 < high
    # 95 percent give or take three standard errors; the normal interval is known to fall short
    assert covered / draws >= 0.896
    assert normal < covered
