"""Poverty, inequality and redistribution: test vectors, derivatives in the weights, coverage, bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate, Estimator

# the methods page of the evidence base, section 2: vectors C and D (made up there, not data)
BEFORE = np.array([40.0, 80.0, 120.0, 200.0, 560.0])
PEOPLE = np.array([1.0, 2.0, 1.0, 3.0, 1.0])


def _paid(transfer: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"income": BEFORE + transfer, "transfer": transfer, "people": PEOPLE})


def _named(found: Estimate) -> dict[str, float]:
    return dict(zip(found.keys["term"], found.values.tolist(), strict=True))


def test_poverty_and_redistribution_of_the_vector_come_out() -> None:
    found = _named(
        je.Redistribution(outcome="income", transfer="transfer", line=100.0, weights="people").fit(
            _paid([30, 25, 10, 5, 0])
        )
    )
    expected = {
        "headcount_before": 0.375, "headcount_after": 0.125, "headcount_change": -0.25,
        "gap_before": 0.125, "gap_after": 0.0375, "gap_change": -0.0875,
        "severity_before": 0.055, "severity_after": 0.01125, "severity_change": -0.04375,
    }  # fmt: skip
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-12), name
    rounded = {
        "gini_before": 0.395270, "gini_after": 0.339511, "concentration_transfer": -0.446429,
        "transfer_share": 0.070946, "reynolds_smolensky": 0.055759, "kakwani": 0.841699, "reranking": 0.0,
    }  # fmt: skip
    for name, value in rounded.items():
        assert found[name] == pytest.approx(value, abs=1e-6), name


def test_reranking_of_the_vector_comes_out_and_the_identities_hold() -> None:
    estimate = je.Redistribution(outcome="income", transfer="transfer", weights="people").fit(
        _paid([0, 90, 0, 0, 0])
    )
    found = _named(estimate)
    rounded = {
        "gini_after": 0.313253, "concentration_after": 0.298193, "reynolds_smolensky": 0.097077,
        "reranking": 0.015060, "kakwani": 0.895270, "transfer_share": 0.121622,
    }  # fmt: skip
    for name, value in rounded.items():
        assert found[name] == pytest.approx(value, abs=1e-6), name
    fallen = found["gini_before"] - found["gini_after"]
    assert fallen == pytest.approx(found["reynolds_smolensky"] - found["reranking"], abs=1e-14)
    share = found["transfer_share"]
    assert found["reynolds_smolensky"] == pytest.approx(share / (1 + share) * found["kakwani"], abs=1e-12)


def _population(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"income": np.round(rng.lognormal(0.3, 0.7, rows), 2) + 0.01})
    frame["line"] = rng.choice([0.9, 1.1, 1.3], rows)
    frame["transfer"] = np.where(rng.random(rows) < 0.4, 0.3, 0.0) * (frame.income < 2)
    frame["income"] += frame.transfer
    frame["year"] = np.arange(rows) % 2
    frame["area"] = np.where(np.arange(rows) % 3 == 0, "urban", "rural")
    frame["w"] = rng.uniform(0.5, 2.0, rows)
    return frame


_ALL: dict[str, Estimator] = {
    "poverty": je.Poverty(
        outcome="income",
        line="line",
        measures=("headcount", "gap", "severity", "watts", "sst"),
        by="area",
        weights="w",
    ),
    "inequality": je.Inequality(
        outcome="income",
        indices=(
            *("gini", "theil", "mld", ("sgini", 3.0), ("ge", 2.0), ("ge", -1.0)),
            *(("atkinson", 0.5), ("atkinson", 1.0), ("atkinson", 2.0)),
        ),
        by="area",
        weights="w",
    ),
    "lorenz": je.LorenzCurve(outcome="income", shares=(0.137, 0.5, 0.9), by="area", weights="w"),
    "redistribution": je.Redistribution(outcome="income", transfer="transfer", line="line", weights="w"),
    "growth": je.GrowthIncidence(outcome="income", time="year", parts=3, weights="w"),
    "change, gap": je.PovertyChange(outcome="income", line="line", time="year", order=1, weights="w"),
    "change, severity": je.PovertyChange(
        outcome="income", line="line", time="year", order=2, decomposition="datt_ravallion", weights="w"
    ),
    "dominance": je.Dominance(outcome="income", by="area", lines=(0.8, 1.2), order=2, weights="w"),
}


@pytest.mark.parametrize("name", list(_ALL))
def test_influence_is_the_derivative_in_each_weight(name: str) -> None:
    frame = _population(40, 1)
    estimator = _ALL[name]
    found = estimator.fit(frame)
    assert found.fit is not None
    influence = found.fit.influence.dense()
    assert np.abs(influence.sum(axis=0)).max() < 1e-12
    for row in (0, 7, 18, 39):
        one = np.arange(40) == row
        sides = [estimator.fit(frame.assign(w=frame.w + one * step)).values for step in (1e-5, -1e-5)]
        slope = (sides[0] - sides[1]) / 2e-5 * frame.w[row]
        assert influence[row] == pytest.approx(slope, abs=2e-8)


@pytest.mark.parametrize("name", list(_ALL))
def test_copies_of_a_row_are_its_weight_and_units_do_not_matter(name: str) -> None:
    frame = _population(30, 2)
    frame["w"] = np.tile([1.0, 2.0, 3.0], 10)
    copied = frame.loc[frame.index.repeat(frame.w.astype(int))].assign(w=1.0)
    estimator = _ALL[name]
    assert estimator.fit(copied).values == pytest.approx(estimator.fit(frame).values, abs=1e-12)
    if name != "dominance":
        in_cents = frame.assign(**{c: frame[c] * 100 for c in ("income", "line", "transfer")})
        assert estimator.fit(in_cents).values == pytest.approx(estimator.fit(frame).values, abs=1e-12)


def test_the_gini_is_the_mean_difference_of_all_pairs() -> None:
    frame = _population(60, 3)
    y, w = frame.income.to_numpy(), frame.w.to_numpy() / frame.w.sum()
    pairs = (np.abs(y[:, None] - y[None, :]) * w[:, None] * w[None, :]).sum() / (2 * (w @ y))
    found = je.Inequality(outcome="income", indices=("gini", ("sgini", 2.0)), weights="w").fit(frame)
    assert found.values == pytest.approx([pairs, pairs], abs=1e-12)


def test_errors_are_those_of_the_bootstrap() -> None:
    frame = _population(400, 4)
    estimators = [_ALL["inequality"], _ALL["redistribution"], _ALL["change, gap"]]
    rng = np.random.default_rng(5)
    draws: list[list[Any]] = [[] for _ in estimators]
    for _ in range(250):
        drawn = frame.iloc[rng.integers(0, 400, 400)]
        for place, estimator in enumerate(estimators):
            draws[place].append(estimator.fit(drawn).values)
    for found, estimator in zip(draws, estimators, strict=True):
        ratio = np.std(found, axis=0) / estimator.fit(frame, inference=je.Robust("HC0")).uncertainty.std_error
        # the standard deviation of 250 draws has an error of 4.5 percent
        assert np.abs(ratio - 1).max() < 0.2


def test_concentration_curves_have_the_error_of_the_bootstrap() -> None:
    frame = _population(1500, 6)
    frame["before"] = frame.income - frame.transfer
    curve = je.LorenzCurve(outcome="transfer", rank="before", shares=(0.2, 0.5), weights="w")
    rng = np.random.default_rng(7)
    draws = [curve.fit(frame.iloc[rng.integers(0, 1500, 1500)]).values for _ in range(200)]
    error = curve.fit(frame).uncertainty.std_error
    assert np.std(draws, axis=0) / error == pytest.approx([1, 1], abs=0.2)


def test_headcounts_of_change_need_a_density_and_have_the_right_size() -> None:
    model = je.PovertyChange(outcome="income", line=1.0, time="year")
    rng = np.random.default_rng(8)
    found, errors = [], []
    for _ in range(150):
        frame = pd.DataFrame({"income": rng.lognormal(0.2, 0.7, 800), "year": np.arange(800) % 2})
        frame.loc[frame.year == 1, "income"] *= 1.2
        one = model.fit(frame)
        found.append(one.values)
        errors.append(one.uncertainty.std_error)
    ratio = np.mean(errors, axis=0) / np.std(found, axis=0)
    assert ratio == pytest.approx([1, 1, 1], abs=0.2)


def test_growth_alone_and_redistribution_alone_are_told_apart() -> None:
    rng = np.random.default_rng(9)
    base = pd.DataFrame({"income": rng.lognormal(0, 0.6, 2000), "year": 1})
    grown = base.assign(income=base.income * 1.3, year=2)
    model = je.PovertyChange(outcome="income", line=1.0, time="year", order=1)
    found = _named(model.fit(pd.concat([base, grown])))
    assert found["growth"] == pytest.approx(found["change"])
    assert found["redistribution"] == pytest.approx(0, abs=1e-12)
    mean = base.income.mean()
    shared = base.assign(income=mean + 0.5 * (base.income - mean), year=2)
    found = _named(model.fit(pd.concat([base, shared])))
    assert found["redistribution"] == pytest.approx(found["change"])


def test_dominance_is_shown_only_where_all_lines_agree() -> None:
    rng = np.random.default_rng(10)
    shown = 0
    for _ in range(100):
        # the curves cross at the line of 1: neither dominates over lines on both sides of it
        frame = pd.DataFrame({"income": rng.lognormal(0, 0.5, 600), "area": ["a", "b"] * 300})
        frame.loc[frame.area == "b", "income"] **= 1.3
        found = je.Dominance(outcome="income", by="area", lines=(0.6, 0.8, 1.2, 1.5)).fit(frame)
        shown += min(found.details["p_first_dominates"], found.details["p_second_dominates"]) < 0.05
    assert shown <= 5
    above = frame.assign(income=np.where(frame.area == "b", frame.income + 0.4, frame.income))
    found = je.Dominance(outcome="income", by="area", lines=(0.8, 1.0, 1.2)).fit(above)
    assert found.details["p_second_dominates"] < 0.05
    assert found.checks[0].detail.startswith("'b' dominates 'a'")


def test_groups_are_domains_of_the_sample() -> None:
    frame = _population(300, 11).assign(psu=np.arange(300) // 5, stratum=np.arange(300) // 100)
    design = je.SurveyDesign(strata="stratum", psu="psu")
    whole = je.Poverty(outcome="income", line="line", by="area", weights="w").fit(frame, inference=design)
    # R's survey: a domain keeps all PSUs, those without its members too; so the error is not the subsample's
    rural = frame[frame.area == "rural"]
    own = je.Poverty(outcome="income", line="line", weights="w").fit(rural)
    assert whole.values[:3] == pytest.approx(own.values)
    y = ((frame.income < frame.line) - own.values[0]) * (frame.area == "rural") * frame.w
    z = (y / (frame.w * (frame.area == "rural")).sum()).groupby([frame.stratum, frame.psu]).sum()
    by_hand = sum(20 / 19 * ((part - part.mean()) ** 2).sum() for _, part in z.groupby("stratum"))
    assert whole.uncertainty.covariance[0, 0] == pytest.approx(by_hand, rel=1e-10)


_UNKNOWN: Any = ("fgt",)
_HALVES: Any = 2.5


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda f: je.Poverty(outcome="income", line=0.0).fit(f), "line is not positive"),
        (lambda f: je.Poverty(outcome="income", line="income").fit(f.assign(income=-1.0)), "not positive"),
        (lambda _: je.Poverty(outcome="income", line=1.0, measures=_UNKNOWN), "no poverty measures"),
        (
            lambda f: je.Poverty(outcome="income", line=1.0, measures=("watts",)).fit(f.assign(income=0.0)),
            "zero or below",
        ),
        (lambda f: je.Inequality(outcome="income", indices=("theil",)).fit(f.assign(income=0.0)), "zero or"),
        (lambda f: je.Inequality(outcome="income").fit(f.assign(income=-f.income)), "mean income is not"),
        (lambda _: je.Inequality(outcome="income", indices=(("atkinson", 0.0),)), "no index"),
        (lambda _: je.Inequality(outcome="income", indices=()), "no index"),
        (
            lambda _: je.Redistribution(outcome="income", transfer="transfer", measures=_UNKNOWN),
            "no poverty measures",
        ),
        (lambda _: je.GrowthIncidence(outcome="income", time="year", parts=_HALVES), "two parts"),
        (lambda _: je.LorenzCurve(outcome="income", shares=(0.0, 0.5)), "between 0 and 1"),
        (lambda f: je.LorenzCurve(outcome="income").fit(f.assign(income=0.0)), "total of zero"),
        (
            lambda f: je.Redistribution(outcome="income", transfer="transfer").fit(f.assign(transfer=0.0)),
            "nobody receives",
        ),
        (
            lambda f: je.Redistribution(outcome="income", transfer="transfer").fit(f.assign(transfer=-1.0)),
            "transfer is negative",
        ),
        (lambda f: je.GrowthIncidence(outcome="income", time="year").fit(f.assign(year=1)), "two periods"),
        (lambda _: je.GrowthIncidence(outcome="income", time="year", parts=1), "two parts"),
        (lambda _: je.PovertyChange(outcome="income", line=1.0, time="year", order=-1.0), "order"),
        (lambda _: je.Dominance(outcome="income", by="area", lines=(2.0, 1.0)), "ascending"),
        (
            lambda f: je.Dominance(outcome="income", by="year", lines=(1.0,)).fit(f.assign(year=1)),
            "two groups",
        ),
    ],
    ids=[f"case {number}" for number in range(19)],
)
def test_what_has_no_value_is_refused(call: Any, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        call(_population(30, 12))


def test_negative_incomes_are_counted_and_can_be_raised_to_a_floor() -> None:
    frame = _population(50, 13)
    frame.loc[0, "income"] = -0.5
    found = je.Inequality(outcome="income").fit(frame)
    assert found.checks[0].passed is None
    assert "1 negative" in found.checks[0].detail
    frame.loc[0, "transfer"] = 0.1
    floored = je.Redistribution(outcome="income", transfer="transfer", floor=0.0).fit(frame)
    assert floored.checks[1].detail.startswith("1 of 50 incomes")
    raised = (frame.income - frame.transfer).clip(lower=0.0)
    alone = je.Inequality(outcome="before").fit(frame.assign(before=raised))
    assert floored.values[0] == pytest.approx(alone.values[0])
