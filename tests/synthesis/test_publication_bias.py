"""Funnels, p-curves and selection: against regressions written out, hand counts and planted truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize, stats

from juntos_eval.errors import DesignError
from juntos_eval.inference.cluster import Cluster
from juntos_eval.synthesis import (
    MetaAnalysis,
    SelectionModel,
    egger_test,
    median_unbiased,
    p_curve,
    pet_peese,
    trim_and_fill,
)


def _literature(studies: int, seed: int, *, kept_below: float = 1.0, mean: float = 0.5) -> pd.DataFrame:
    """Simulated studies of which those without significance appear with a chance below one."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"se": rng.uniform(0.1, 0.6, studies)})
    frame["effect"] = rng.normal(mean, np.sqrt(0.04 + frame.se**2))
    frame["article"] = rng.integers(0, studies // 2, studies)
    is_kept = (frame.effect.abs() > 1.96 * frame.se) | (rng.random(studies) < kept_below)
    return frame[is_kept].reset_index(drop=True)


_COLUMNS: dict[str, Any] = {"outcome": "effect", "std_error": "se"}


def test_egger_is_the_regression_of_t_on_precision() -> None:
    studies = _literature(40, 1)
    theirs = sm.OLS(studies.effect / studies.se, sm.add_constant(1 / studies.se)).fit()
    found = egger_test(studies, **_COLUMNS)
    assert found.values == pytest.approx([theirs.params.iloc[1], theirs.params.iloc[0]], rel=1e-9)
    assert found.uncertainty.std_error == pytest.approx([theirs.bse.iloc[1], theirs.bse.iloc[0]], rel=1e-9)
    assert found.p_values()[1] == pytest.approx(theirs.pvalues.iloc[0], rel=1e-9)


def test_egger_sees_selection_and_not_its_absence() -> None:
    selected = egger_test(_literature(400, 2, kept_below=0.05, mean=0.25), **_COLUMNS)
    fair = egger_test(_literature(400, 3, mean=0.25), **_COLUMNS)
    assert [c.passed for c in selected.checks if c.name == "funnel asymmetry"] == [False]
    assert [c.passed for c in fair.checks if c.name == "funnel asymmetry"] == [True]


def test_pet_peese_takes_the_curve_that_its_rule_says() -> None:
    studies = _literature(60, 4)
    precision = 1 / studies.se**2
    pet = sm.WLS(studies.effect, sm.add_constant(studies.se), weights=precision).fit()
    peese = sm.WLS(studies.effect, sm.add_constant(studies.se**2), weights=precision).fit()
    found = pet_peese(studies, **_COLUMNS)
    assert found.values == pytest.approx([pet.params.iloc[0], peese.params.iloc[0]], rel=1e-9)
    assert found.uncertainty.std_error == pytest.approx([pet.bse.iloc[0], peese.bse.iloc[0]], rel=1e-9)
    assert found.details["chosen"] == "peese"
    nothing = pet_peese(_literature(60, 5, mean=0.0), **_COLUMNS)
    assert nothing.details["chosen"] == "pet"


def test_trim_and_fill_counts_by_hand() -> None:
    # six precise studies around zero, and three far on the right that nothing stands against
    effects = [-0.031, -0.02, -0.012, 0.01, 0.022, 0.034, 0.5, 0.6, 0.7]
    studies = pd.DataFrame({"effect": effects, "se": [0.001] * 6 + [0.4] * 3})
    model = MetaAnalysis(**_COLUMNS, method="fixed")
    found = trim_and_fill(model, studies, missing="left")
    centre = float(np.average(effects[:6]))
    centred = np.array(effects) - centre
    ranks = stats.rankdata(np.abs(centred))
    total = ranks[centred > 0].sum()
    assert total == 35
    expected = round((4 * total - 9 * 10) / 17)
    assert found.details["filled"] == expected
    mirrored = sorted(2 * centre - np.array(effects)[-expected:])
    assert sorted(found.details["mirror_effects"]) == pytest.approx(mirrored, abs=2e-4)
    largest = trim_and_fill(model, studies, missing="left", rule="R0")
    assert largest.details["filled"] == 9 - ranks[centred <= 0].max() - 1
    # turned around, the same studies are missing on the other side
    turned = trim_and_fill(model, studies.assign(effect=-studies.effect), missing="right")
    assert turned.values[0] == pytest.approx(-found.values[0])


@pytest.mark.parametrize("seed", range(6))
def test_trim_and_fill_is_its_loop_written_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    studies = pd.DataFrame({"se": rng.uniform(0.05, 0.5, 11 + seed)})
    studies["effect"] = rng.normal(0.2 + studies.se, studies.se)
    ordered = studies.sort_values("effect")
    count, before = 0, -1
    for _ in range(50):
        kept = ordered.iloc[: len(ordered) - count]
        centre = np.average(kept.effect, weights=kept.se**-2)
        ranks = stats.rankdata(np.abs(ordered.effect - centre))
        total, rows = ranks[ordered.effect > centre].sum(), len(ordered)
        count, before = max(0, round((4 * total - rows * (rows + 1)) / (2 * rows - 1))), count
        if count == before:
            break
    found = trim_and_fill(MetaAnalysis(**_COLUMNS, method="fixed"), studies, missing="left")
    assert found.details["filled"] == count
    mirrored = 2 * centre - ordered.effect.to_numpy()[len(ordered) - count :]
    assert found.details["mirror_effects"] == pytest.approx(mirrored)


def test_trim_and_fill_moves_a_selected_mean_towards_the_truth() -> None:
    studies = _literature(300, 6, kept_below=0.05, mean=0.2)
    model = MetaAnalysis(**_COLUMNS)
    plain, filled = model.fit(studies), trim_and_fill(model, studies)
    assert filled.details["side"] == "left"
    assert filled.values[0] < plain.values[0]
    assert filled.sample.rows == len(studies)


def test_selection_model_finds_mean_spread_and_publication() -> None:
    studies = _literature(1500, 7, kept_below=0.3, mean=0.3)
    found = SelectionModel(**_COLUMNS).fit(studies)
    away = (found.values - [0.3, 0.2, 0.3]) / found.uncertainty.std_error
    assert np.abs(away).max() < 3
    assert found.checks[0].passed
    naive = MetaAnalysis(**_COLUMNS).fit(studies)
    assert naive.values[0] > 0.3 + 3 * naive.uncertainty.std_error[0]


def test_selection_model_covers_as_it_says() -> None:
    covered, draws = np.zeros(3), 40
    for seed in range(draws):
        found = SelectionModel(**_COLUMNS).fit(_literature(500, 100 + seed, kept_below=0.4))
        limits = found.interval()
        covered += (limits[:, 0] < [0.5, 0.2, 0.4]) & (limits[:, 1] > [0.5, 0.2, 0.4])
    # 40 replications: three binomial standard errors below 95 percent
    assert (covered / draws >= 0.845).all()


def test_articles_with_several_estimates_are_clusters() -> None:
    studies = _literature(800, 8, kept_below=0.5)
    doubled = pd.concat([studies, studies])
    alone = SelectionModel(**_COLUMNS).fit(studies)
    clustered = SelectionModel(**_COLUMNS).fit(doubled.assign(row=[*range(len(studies))] * 2), carry=("row",))
    by_row = clustered.with_inference(Cluster("row", kind="CR0"))
    assert by_row.values == pytest.approx(alone.values, rel=1e-3)
    assert by_row.uncertainty.std_error == pytest.approx(alone.uncertainty.std_error, rel=1e-2)


def test_a_signed_model_with_equal_chances_says_so() -> None:
    found = SelectionModel(**_COLUMNS, cutoffs=(0.0,), symmetric=False).fit(_literature(3000, 9, mean=0.1))
    assert abs(found.values[2] - 1) < 3 * found.uncertainty.std_error[2]


def test_corrected_effects_are_median_unbiased_among_the_published() -> None:
    selection = SelectionModel(**_COLUMNS).fit(_literature(1000, 10, kept_below=0.2))
    kept = float(selection.values[2])
    rng = np.random.default_rng(11)
    effects = rng.normal(0.15, 0.1, 4000)
    published = effects[(np.abs(effects) > 0.196) | (rng.random(4000) < kept)][:250]
    corrected = np.array([median_unbiased(effect, 0.1, selection) for effect in published])
    # half of 250 lie below the truth, give or take three standard errors, and 95 percent of intervals hold it
    assert 0.405 <= (corrected[:, 1] < 0.15).mean() <= 0.595
    assert ((corrected[:, 0] < 0.15) & (corrected[:, 2] > 0.15)).mean() >= 0.908
    assert (published < 0.15).mean() < 0.4


@pytest.mark.parametrize("cutoffs", [(), (1.96, 1.0), (float("nan"),), (-1.0,)])
def test_cutoffs_that_make_no_steps_are_refused(cutoffs: tuple[float, ...]) -> None:
    with pytest.raises(DesignError, match="cutoffs"):
        SelectionModel(**_COLUMNS, cutoffs=cutoffs)


def test_a_step_without_studies_is_refused_with_its_counts() -> None:
    studies = pd.DataFrame({"effect": [0.5, 0.6], "se": [0.1, 0.1]})
    with pytest.raises(DesignError, match="no studies") as raised:
        SelectionModel(**_COLUMNS).fit(studies)
    assert "[0, 2]" in str(raised.value)


def test_p_curve_is_stouffers_sum_by_hand() -> None:
    sizes = np.array([2.0, 2.5, 3.0, 1.0])
    found = p_curve(pd.DataFrame({"effect": sizes * 0.1, "se": 0.1}), **_COLUMNS)
    p = 2 * stats.norm.sf(sizes[:3])
    assert found.significant == 3
    # under a power of 33 percent: the mean of the statistic at that power, and chances beyond 1.96 given it
    critical = stats.norm.isf(0.025)
    mean = optimize.brentq(lambda m: stats.norm.sf(critical - m) + stats.norm.cdf(-critical - m) - 0.33, 0, 5)
    two_sided = stats.norm.cdf(np.append(sizes[:3], critical), mean)
    two_sided -= stats.norm.cdf(-np.append(sizes[:3], critical), mean)
    chances = (two_sided[:3] - two_sided[3]) / (1 - two_sided[3])
    assert found.flat_z == pytest.approx(stats.norm.ppf(chances).sum() / np.sqrt(3))
    assert found.right_skew_z == pytest.approx(stats.norm.ppf(p / 0.05).sum() / np.sqrt(3))
    assert found.half_z == pytest.approx(stats.norm.ppf(p[1:] / 0.025).sum() / np.sqrt(2))
    assert found.shares.tolist() == pytest.approx([1 / 3, 1 / 3, 0, 0, 1 / 3])


def test_p_curve_knows_power_from_nothing() -> None:
    rng = np.random.default_rng(12)
    strong = pd.DataFrame({"effect": rng.normal(2.8, 1, 600), "se": 1.0})
    null = pd.DataFrame({"effect": rng.normal(0, 1, 20000), "se": 1.0})
    some = p_curve(strong, **_COLUMNS)
    nothing = p_curve(null, **_COLUMNS)
    power = stats.norm.sf(1.96 - 2.8)
    assert some.has_evidence
    assert some.power == pytest.approx(power, abs=0.06)
    assert nothing.flat_p < 0.01
    assert nothing.power < 0.12


def test_a_funnel_of_two_studies_and_a_curve_without_significance_are_refused() -> None:
    two = pd.DataFrame({"effect": [0.1, 0.2], "se": [0.2, 0.3]})
    with pytest.raises(DesignError, match="three studies"):
        egger_test(two, **_COLUMNS)
    with pytest.raises(DesignError, match="significant"):
        p_curve(two, **_COLUMNS)
    with pytest.raises(DesignError, match="another rule or side"):
        trim_and_fill(MetaAnalysis(**_COLUMNS), two, rule="Q0")  # type: ignore[arg-type]
