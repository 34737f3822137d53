from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import DenseInfluence, Fit, Groups, record
from juntos_eval.estimators.means import Mean
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust
from juntos_eval.inference.survey_design import SurveyDesign


@pytest.fixture
def sample() -> pd.DataFrame:
    """SIMULATED: 4 strata of 6 PSUs of 8 rows; PSU labels repeat between strata."""
    rng = np.random.default_rng(11)
    frame = pd.DataFrame({"area": np.repeat(list("abcd"), 48), "village": np.tile(np.repeat(range(6), 8), 4)})
    shift = rng.normal(size=24)[np.repeat(range(24), 8)]
    return frame.assign(
        y=rng.normal(size=192) + shift,
        w=rng.uniform(1, 5, 192),
        size=np.repeat([10, 20, 40, 6], 48),
        share=np.repeat([0.6, 0.3, 0.15, 1.0], 48),
        child=rng.random(192) < 0.3,
    )


def error(frame: pd.DataFrame, design: SurveyDesign) -> float:
    return float(Mean(outcome="y", weights="w").fit(frame, inference=design).uncertainty.std_error[0])


def test_equal_strata_by_hand(sample: pd.DataFrame) -> None:
    mean = Mean(outcome="y").fit(sample, inference=SurveyDesign(strata="area", psu="village"))
    means = sample.pivot_table(index="area", columns="village", values="y")
    by_hand = (means.var(axis=1, ddof=1) / 6).sum() / 16
    assert mean.uncertainty.covariance.item() == pytest.approx(by_hand, rel=1e-12)
    assert mean.uncertainty.df == 20


def test_without_strata_it_is_the_cluster_variance(sample: pd.DataFrame) -> None:
    frame = sample.assign(psu=sample["area"] + sample["village"].astype(str))
    fit = Mean(outcome="y", weights="w").fit(frame, carry=("psu",))
    design = fit.with_inference(SurveyDesign(psu="psu")).uncertainty
    cluster = fit.with_inference(Cluster("psu")).uncertainty
    np.testing.assert_allclose(design.covariance, cluster.covariance, rtol=1e-12)
    assert design.df == cluster.df == 23


def test_without_strata_and_psus_it_is_the_robust_variance(sample: pd.DataFrame) -> None:
    mean = Mean(outcome="y", weights="w").fit(sample, inference=SurveyDesign())
    robust = mean.with_inference(Robust("HC1")).uncertainty
    np.testing.assert_allclose(mean.uncertainty.covariance, robust.covariance, rtol=1e-12)
    assert mean.uncertainty.df == robust.df


def test_labels_are_nested_in_strata(sample: pd.DataFrame) -> None:
    named = sample.assign(village=sample["area"] + sample["village"].astype(str))
    design = SurveyDesign(strata="area", psu="village")
    assert error(sample, design) == pytest.approx(error(named, design), rel=1e-12)


def test_a_census_of_psus_adds_nothing_and_sizes_are_shares(sample: pd.DataFrame) -> None:
    by_size = error(sample, SurveyDesign(strata="area", psu="village", fpc="size"))
    by_share = error(sample, SurveyDesign(strata="area", psu="village", fpc="share"))
    assert by_size == pytest.approx(by_share, rel=1e-12)
    assert by_size < error(sample, SurveyDesign(strata="area", psu="village"))
    census = sample.assign(size=6)
    assert error(census, SurveyDesign(strata="area", psu="village", fpc="size")) == 0.0


def test_domain_is_the_full_sample_with_zeros_outside(sample: pd.DataFrame) -> None:
    """The definition: influence zero outside the domain, all PSUs counted."""
    domain = sample[sample["child"] & ~((sample["area"] == "a") & (sample["village"] < 2))]
    design = SurveyDesign.of(sample, strata="area", psu="village")
    mean = Mean(outcome="y", weights="w").fit(domain, inference=design)
    assert mean.fit is not None
    influence = np.zeros(192)
    influence[domain.index] = mean.fit.influence.dense()[:, 0]
    codes = {column: pd.factorize(sample[column], sort=True) for column in ("area", "village")}
    groups = {column: Groups(found, tuple(map(str, levels))) for column, (found, levels) in codes.items()}
    full = Fit(values=mean.values, influence=DenseInfluence(influence), parameters=1, groups=groups)
    expected = SurveyDesign(strata="area", psu="village").infer(full)
    np.testing.assert_allclose(mean.uncertainty.covariance, expected.covariance, rtol=1e-12)
    assert mean.uncertainty.df == expected.df == 20
    assert "5 of them without a row here" in mean.uncertainty.method
    # and the rows alone do not know it
    alone = Mean(outcome="y", weights="w").fit(domain, inference=SurveyDesign(strata="area", psu="village"))
    assert alone.uncertainty.df == 15
    assert alone.uncertainty.std_error[0] != pytest.approx(mean.uncertainty.std_error[0], rel=1e-6)


def test_domain_of_rows_that_are_psus(sample: pd.DataFrame) -> None:
    domain = sample[sample["child"]]
    mean = Mean(outcome="y", weights="w").fit(domain, inference=SurveyDesign.of(sample, strata="area"))
    assert mean.fit is not None
    z = pd.Series(0.0, index=sample.index)
    z[domain.index] = mean.fit.influence.dense()[:, 0]
    by_hand = sum(48 * group.var(ddof=1) for _, group in z.groupby(sample["area"]))
    assert mean.uncertainty.covariance.item() == pytest.approx(by_hand, rel=1e-12)
    assert mean.uncertainty.df == 188


def test_a_stratum_without_a_row_counts_nowhere(sample: pd.DataFrame) -> None:
    design = SurveyDesign.of(sample, strata="area", psu="village", lonely="average")
    part = sample[sample["area"] != "b"]
    rest = SurveyDesign.of(part, strata="area", psu="village", lonely="average")
    assert error(part, design) == pytest.approx(error(part, rest), rel=1e-12)
    assert Mean(outcome="y").fit(part, inference=design).uncertainty.df == 15


@pytest.fixture
def lonely(sample: pd.DataFrame) -> pd.DataFrame:
    return sample[(sample["area"] != "c") | (sample["village"] == 0)]


def test_lonely_psu_is_refused_unless_a_rule_is_named(lonely: pd.DataFrame) -> None:
    with pytest.raises(InferenceError, match=r"1 of 4 strata: 'c'.*SurveyDesign\.of"):
        error(lonely, SurveyDesign(strata="area", psu="village"))
    with pytest.raises(InferenceError, match="one PSU only"):
        error(lonely, SurveyDesign.of(lonely, strata="area", psu="village"))


def test_a_psu_that_is_alone_in_the_domain_only_is_not_lonely(
    sample: pd.DataFrame, lonely: pd.DataFrame
) -> None:
    assert error(lonely, SurveyDesign.of(sample, strata="area", psu="village")) > 0


def test_rules_for_lonely_psus(lonely: pd.DataFrame) -> None:
    found = {
        rule: error(lonely, SurveyDesign(strata="area", psu="village", lonely=rule))
        for rule in ("adjust", "average", "certainty", "remove")
    }
    assert found["certainty"] == found["remove"]
    assert found["average"] ** 2 == pytest.approx(found["remove"] ** 2 * 4 / 3, rel=1e-12)
    mean = Mean(outcome="y", weights="w").fit(lonely)
    assert mean.fit is not None
    total = mean.fit.influence.dense()[(lonely["area"] == "c").to_numpy()].sum()
    assert found["adjust"] ** 2 == pytest.approx(found["remove"] ** 2 + total**2, rel=1e-12)
    uncertainty = Mean(outcome="y").fit(
        lonely, inference=SurveyDesign(strata="area", psu="village", lonely="adjust")
    )
    assert "lonely PSUs (1): adjust" in uncertainty.uncertainty.method


def test_lonely_psu_of_a_census_is_not_lonely(lonely: pd.DataFrame) -> None:
    frame = lonely.assign(size=np.where(lonely["area"] == "c", 1, 10))
    assert error(frame, SurveyDesign(strata="area", psu="village", fpc="size")) > 0


def test_nothing_but_lonely_psus(sample: pd.DataFrame) -> None:
    first = sample[sample["village"] == 0]
    with pytest.raises(InferenceError, match="4 PSUs in 4 strata"):
        error(first, SurveyDesign(strata="area", psu="village", lonely="average"))


def test_design_that_does_not_know_the_rows(sample: pd.DataFrame) -> None:
    without_stratum = SurveyDesign.of(sample[sample["area"] != "d"], strata="area", psu="village")
    with pytest.raises(InferenceError, match="1 strata: d"):
        error(sample, without_stratum)
    without_psu = SurveyDesign.of(sample[sample["village"] != 3], strata="area", psu="village")
    with pytest.raises(InferenceError, match="4 PSUs: a/3, b/3"):
        error(sample, without_psu)
    with pytest.raises(InferenceError, match="more rows in strata"):
        error(sample, SurveyDesign.of(sample[sample["child"]], strata="area"))


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("size", 3, "smaller than the number of PSUs drawn"),
        ("size", range(192), "differ within a stratum"),
        ("size", "many", "not numbers"),
        ("size", 0.0, "larger than zero"),
        ("size", -5.0, "larger than zero"),
        ("size", np.nan, "missing values"),
        ("village", [None, *"x" * 191], "missing values"),
    ],
)
def test_population_sizes_and_labels_that_cannot_be_right(
    sample: pd.DataFrame, column: str, values: Any, message: str
) -> None:
    frame = sample.assign(**{column: values})
    with pytest.raises(InferenceError, match=message):
        SurveyDesign.of(frame, strata="area", psu="village", fpc="size")


def test_columns_that_are_not_there(sample: pd.DataFrame) -> None:
    with pytest.raises(InferenceError, match="no column 'stratum'"):
        SurveyDesign.of(sample, strata="stratum")
    with pytest.raises(InferenceError, match="more than one column 'area'"):
        SurveyDesign.of(pd.concat([sample, sample[["area"]]], axis=1), strata="area")
    with pytest.raises(InferenceError, match="lonely"):
        SurveyDesign(lonely="ignore")  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [{"area": ["a"]}, pd.DataFrame({"area": []})])
def test_full_sample_that_is_none(data: Any) -> None:
    with pytest.raises(InferenceError, match="DataFrame with rows"):
        SurveyDesign.of(data, strata="area")


def test_population_sizes_of_the_full_sample_need_not_be_carried(sample: pd.DataFrame) -> None:
    remembered = SurveyDesign.of(sample, strata="area", psu="village", fpc="size")
    assert remembered.columns == ("area", "village")
    from_rows = SurveyDesign(strata="area", psu="village", fpc="size")
    assert from_rows.columns == ("area", "village", "size")
    assert error(sample, remembered) == pytest.approx(error(sample, from_rows), rel=1e-12)


def test_the_design_is_a_value_and_fits_into_a_record(sample: pd.DataFrame) -> None:
    first = SurveyDesign.of(sample, strata="area", psu="village")
    again = SurveyDesign.of(sample.sample(frac=1, random_state=1), strata="area", psu="village")
    assert first == again
    assert hash(first) == hash(again)
    written = json.loads(json.dumps(record.plain(first)))
    assert written["kind"] == "SurveyDesign"
    assert [stratum["count"] for stratum in written["design"]] == [6, 6, 6, 6]


def test_what_is_not_known_stays_beside_the_rest() -> None:
    influence = DenseInfluence(np.array([[0.5, np.nan], [-0.5, np.nan], [1, np.nan], [-1, np.nan]]))
    groups = {"area": Groups(np.array([0, 0, 1, 1]), ("a", "b"))}
    fit = Fit(values=np.array([0.0, np.nan]), influence=influence, parameters=1, groups=groups)
    found = SurveyDesign(strata="area").infer(fit)
    assert found.std_error[0] == pytest.approx(np.sqrt(5.0))
    assert np.isnan(found.std_error[1])


@pytest.fixture
def stages(sample: pd.DataFrame) -> pd.DataFrame:
    """SIMULATED: four houses of two rows in each village, of 10, and 6 villages of 12 in each area."""
    house = np.tile(np.repeat(range(4), 2), 24)
    return sample.assign(house=house, houses=10, villages=12)


def test_second_stage_by_hand(stages: pd.DataFrame) -> None:
    design = SurveyDesign(strata="area", psu=("village", "house"), fpc=("villages", "houses"))
    mean = Mean(outcome="y").fit(stages, inference=design)
    z = (stages["y"] - stages["y"].mean()) / len(stages)
    psus = z.groupby([stages["area"], stages["village"]]).sum()
    first = (1 - 6 / 12) * 6 * psus.groupby("area").var(ddof=1).sum()
    houses = z.groupby([stages["area"], stages["village"], stages["house"]]).sum()
    second = 6 / 12 * (1 - 4 / 10) * 4 * houses.groupby(["area", "village"]).var(ddof=1).sum()
    assert mean.uncertainty.covariance.item() == pytest.approx(first + second, rel=1e-12)
    assert mean.uncertainty.df == 20
    assert "2 stages (village, house)" in mean.uncertainty.method


def test_without_a_finite_population_later_stages_are_in_the_first(stages: pd.DataFrame) -> None:
    two = SurveyDesign(strata="area", psu=("village", "house"))
    assert error(stages, two) == error(stages, SurveyDesign(strata="area", psu="village"))


def test_a_last_stage_without_a_size_is_drawn_from_a_large_population(stages: pd.DataFrame) -> None:
    last_open = SurveyDesign(strata="area", psu=("village", "house"), fpc="villages")
    large = SurveyDesign(strata="area", psu=("village", "house"), fpc=("villages", "houses"))
    assert error(stages, last_open) == pytest.approx(error(stages.assign(houses=1e12), large), rel=1e-9)


def test_stages_of_the_full_sample_make_a_domain(stages: pd.DataFrame) -> None:
    columns: dict[str, Any] = {
        "strata": "area",
        "psu": ("village", "house"),
        "fpc": ("villages", "houses"),
    }
    domain = stages[stages["child"]]
    mean = Mean(outcome="y", weights="w").fit(domain, inference=SurveyDesign.of(stages, **columns))
    assert mean.fit is not None
    influence = np.zeros(192)
    influence[domain.index] = mean.fit.influence.dense()[:, 0]
    full = Mean(outcome="y").fit(stages, carry=("area", "village", "house", "villages", "houses")).fit
    assert full is not None
    padded = Fit(values=mean.values, influence=DenseInfluence(influence), parameters=1, groups=full.groups)
    expected = SurveyDesign(**columns).infer(padded)
    np.testing.assert_allclose(mean.uncertainty.covariance, expected.covariance, rtol=1e-12)
    with pytest.raises(InferenceError, match="PSUs that the full design does not know"):
        Mean(outcome="y").fit(domain.assign(house=9), inference=SurveyDesign.of(stages, **columns))


def test_a_house_alone_in_its_village_is_lonely_too(stages: pd.DataFrame) -> None:
    alone = stages[(stages["village"] != 2) | (stages["house"] == 0)]
    columns: dict[str, Any] = {"strata": "area", "psu": ("village", "house"), "fpc": ("villages", "houses")}
    with pytest.raises(InferenceError, match="4 of 24 strata: 'a/2'"):
        error(alone, SurveyDesign(**columns))
    found = [
        error(alone, SurveyDesign(**columns, lonely=rule)) for rule in ("certainty", "average", "adjust")
    ]
    assert found[0] < min(found[1:])
    census = alone.assign(houses=np.where(alone["village"] == 2, 1, 10))
    assert error(census, SurveyDesign(**columns)) > 0


def test_more_sizes_than_stages() -> None:
    with pytest.raises(InferenceError, match="more population sizes than stages"):
        SurveyDesign(psu="village", fpc=("villages", "houses"))
    assert SurveyDesign(psu=("village",)) == SurveyDesign(psu="village")


def test_degrees_of_freedom_of_psus_that_have_a_row(sample: pd.DataFrame) -> None:
    part = sample[(sample["area"] != "a") | (sample["village"] < 2)]
    for rule, df in (("design", 20), ("occupied", 16)):
        design = SurveyDesign.of(sample, strata="area", psu="village", df=rule)  # type: ignore[arg-type]
        assert Mean(outcome="y").fit(part, inference=design).uncertainty.df == df
    with pytest.raises(InferenceError, match="degrees of freedom"):
        SurveyDesign(df="many")  # type: ignore[arg-type]
