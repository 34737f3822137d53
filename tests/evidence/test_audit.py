"""What can be recomputed is, and what does not agree comes out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.evidence.audit import audit_record, audit_records, audit_row
from juntos_eval.evidence.load import load_record, load_records
from juntos_eval.evidence.pooled import load_reviews
from juntos_eval.evidence.published import as_estimate, standard_error
from juntos_eval.evidence.record import PublishedNumber


def number(**values: object) -> PublishedNumber:
    plain = {
        "id": "a", "kind": "impact", "table": "t", "outcome": "o", "effect_measure": "difference",
        "units": "points", "source": "s", "seen": "full_text",
    }  # fmt: skip
    return PublishedNumber(**(plain | values))  # type: ignore[arg-type]


def checks(**values: object) -> list[str]:
    return [found.check for found in audit_row(number(**values), "x")]


def test_the_five_stars_of_one_table_come_out_and_no_other() -> None:
    stars = [found for found in audit_records(load_records()) if found.check == "stars"]
    assert {(found.row, found.printed, found.implied.split(" ")[0]) for found in stars} == {
        ("t14_b_c3_before_ge7", "**", "***"),
        ("t14_b_c3_before_5_6", "*", "**"),
        ("t14_b_c4_before_5_6", "*", "**"),
        ("t14_b_c1_before_3_4", "**", "*"),
        ("t14_b_c4_after_2", "**", "*"),
    }
    assert {found.study for found in stars} == {"fernandez_saldarriaga_2014"}


def test_the_two_pooled_rows_known_to_disagree_come_out() -> None:
    found = {
        (review.id, row.id, one.check)
        for review in load_reviews()
        for row in review.results
        for one in audit_row(row, review.id)
    }
    assert found == {
        ("manley_2020", "waz", "p value"),
        ("manley_2022", "wasting", "p value"),
        ("manley_2022", "wasting", "interval off its estimate"),
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"estimate": 0.30, "se": 0.10, "stars": "***"}, []),
        ({"estimate": 0.30, "se": 0.10, "stars": "*"}, ["stars"]),
        ({"estimate": 0.30, "se": 0.10, "p": 0.5, "p_rel": "="}, ["p value"]),
        ({"estimate": 0.30, "se": 0.10, "p": 0.01, "p_rel": "<"}, []),
        ({"estimate": 0.31, "se": 0.11, "ci_low": 0.21, "ci_high": 0.41}, ["interval and standard error"]),
        ({"estimate": 0.30, "ci_low": 0.25, "ci_high": 0.85}, ["interval off its estimate"]),
        ({"estimate": 0.30, "direction": "-"}, ["direction"]),
        ({"estimate": 0.30, "se": 0.01, "direction": "0"}, ["direction"]),
        ({"effect_measure": "prevalence", "units": "%", "estimate": 38.3, "n": 188, "count": 72}, []),
        ({"effect_measure": "prevalence", "units": "%", "estimate": 38.9, "n": 188, "count": 72}, ["share and count"]),  # noqa: E501
        ({"kind": "descriptive", "effect_measure": "share", "units": "%", "estimate": 38.3, "n": 188}, []),
        (
            {"kind": "descriptive", "effect_measure": "share", "units": "%", "estimate": 38.0, "n": 19, "sd": 70.0},  # noqa: E501
            ["share no count can give", "standard deviation"],
        ),
        ({"estimate": 0.1, "extra": {"r2": 1.2}}, ["r squared"]),
    ],
)  # fmt: skip
def test_each_check_finds_its_own(values: dict[str, object], expected: list[str]) -> None:
    assert checks(**values) == expected


def test_rounding_that_can_explain_stars_is_said() -> None:
    (near,) = audit_row(number(estimate=0.16, se=0.10, stars="*"), "x")
    assert near.rounding  # 0.165 / 0.095 passes 1.645
    # 0.25 of 0.50 wide is an error of 0.128 by the interval; ends of one decimal can hide 0.12, of two cannot
    assert checks(estimate=0.25, se=0.12, ci_low=0.0, ci_high=0.5) == []
    assert checks(estimate=0.25, se=0.12, ci_low=-0.01, ci_high=0.51) == ["interval and standard error"]
    (far,) = audit_row(number(estimate=0.11, se=0.11, stars="***"), "x")
    assert not far.rounding


def test_subgroups_that_do_not_add_up_come_out() -> None:
    record = load_record("andersen_2015")
    assert [one for one in audit_record(record) if one.check == "subgroup sizes"] == []
    sizes = dict(record.data.n_detail) | {"anthropometry_ge2y_boys": 80}
    changed = replace(record, data=replace(record.data, n_detail=sizes))
    assert [one.implied for one in audit_record(changed) if one.check == "subgroup sizes"] == [
        "girls and boys give 164"
    ]


@pytest.mark.parametrize(
    ("values", "se", "rule"),
    [
        ({"estimate": 2.0, "se": 0.5, "t": 9.0}, 0.5, "printed"),
        ({"estimate": -2.0, "t": -4.0}, 0.5, "t"),
        ({"estimate": 0.0, "ci_low": -1.959963984540054, "ci_high": 1.959963984540054}, 1.0, "interval"),
        ({"estimate": 1.959963984540054, "p": 0.05, "p_rel": "="}, 1.0, "p value"),
        ({"estimate": 2.0, "p": 0.05, "p_rel": "<"}, math.nan, "only a bound"),
        ({"estimate": 2.0, "stars": "**"}, math.nan, "only stars"),
        ({"estimate": 2.0}, math.nan, "no standard error"),
        ({"range_low": 1.0, "range_high": 2.0}, math.nan, "a range"),
    ],
)
def test_standard_errors_come_from_what_was_printed(values: dict[str, object], se: float, rule: str) -> None:
    found, said = standard_error(number(**values))
    assert (math.isnan(found) and math.isnan(se)) or found == pytest.approx(se, rel=1e-9)
    assert rule in said


def test_an_odds_ratio_is_on_the_log_scale_as_stored() -> None:
    for review in load_reviews():
        for row in review.results:
            if "se_log_or" in row.extra:
                assert standard_error(row)[0] == pytest.approx(row.extra["se_log_or"], abs=1e-3)


def test_every_published_number_is_an_estimate_with_a_reason_where_it_has_no_error() -> None:
    for record in load_records():
        for row in record.results:
            estimate = as_estimate(row, record)
            said = estimate.checks[0]
            assert said.passed == bool(math.isfinite(estimate.uncertainty.std_error[0]))
            assert said.detail
            assert estimate.fit is None
            assert len(estimate.tidy()) == 1
    with pytest.raises(SchemaError, match="not one of the record"):
        as_estimate(number(estimate=1.0), load_record("andersen_2015"))
