"""Opposite numbers make opposite sentences: nothing on results was written before the numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from juntos_eval.estimate import Check
from juntos_eval.reporting.language import LANGUAGES, language
from juntos_eval.reporting.questions import Question
from juntos_eval.reporting.report_input import ReportedEstimate
from juntos_eval.reporting.text import Sentence, brief, demonstration_findings, findings
from tests.reporting.simulated import balance, entrants, estimate, overlap, question, sensitivity

UP = (0.061, 0.055, 0.058, 0.049, 0.047, 0.051)
DOWN = tuple(-value for value in UP)


def asked(estimates: Sequence[ReportedEstimate], design: str = "nearest_1") -> Question:
    first = estimates[0]
    return Question(
        study=first.study,
        outcome=first.outcome,
        population=first.population,
        year=first.year,
        estimates=tuple(estimates),
        headline_design=design,
    )


def said(estimates: Sequence[ReportedEstimate], *, is_synthetic: bool = False) -> dict[str, list[Sentence]]:
    """Sentences by subject; in English, after both languages were asked to choose the same rules."""
    english, spanish = (
        findings(asked(estimates), language(code), is_synthetic=is_synthetic) for code in LANGUAGES
    )
    assert [sentence.rule for sentence in english] == [sentence.rule for sentence in spanish]
    assert all("{" not in sentence.text for sentence in (*english, *spanish))
    by_subject: dict[str, list[Sentence]] = {}
    for sentence in english:
        by_subject.setdefault(sentence.subject, []).append(sentence)
    return by_subject


def changed(
    estimates: Sequence[ReportedEstimate], design: str = "nearest_1", **fields: object
) -> list[ReportedEstimate]:
    return [replace(shown, **fields) if shown.design == design else shown for shown in estimates]  # type: ignore[arg-type]


def test_signs_are_said_as_they_are() -> None:
    up, down = said(question(raw=0.2, adjusted=UP)), said(question(raw=-0.2, adjusted=DOWN))
    assert up["raw"][0].rule == "finding.raw.positive"
    assert down["raw"][0].rule == "finding.raw.negative"
    assert "20.0 percentage points higher" in up["raw"][0].text
    assert "20.0 percentage points lower" in down["raw"][0].text
    assert "6.1 percentage points higher" in up["adjusted"][0].text
    assert "6.1 percentage points lower" in down["adjusted"][0].text
    assert "All 6 adjusted estimates are positive, from +4.7 to +6.1" in up["agreement"][0].text
    assert "All 6 adjusted estimates are negative, from −6.1 to −4.7" in down["agreement"][0].text


def test_an_interval_with_zero_claims_no_direction() -> None:
    shown = said(question(adjusted=UP, error=0.2))
    assert shown["adjusted"][0].rule == "finding.adjusted.unclear"
    assert "includes zero" in shown["adjusted"][0].text
    assert [sentence.rule for sentence in shown["reading"]] == ["finding.reading.unclear"]
    assert "higher" not in " ".join(s.text for s in shown["adjusted"] + shown["reading"])


def test_designs_that_disagree_are_said_to() -> None:
    shown = said(question(adjusted=(0.05, -0.01, 0.02, 0.03, -0.02, 0.01)))
    assert shown["agreement"][0].rule == "finding.agreement.mixed"
    assert "4 are positive and 2 negative" in shown["agreement"][0].text
    assert "the designs disagree in sign" in shown["reading"][-1].text


def test_one_design_cannot_agree_with_itself() -> None:
    shown = said(question()[:2])
    assert shown["agreement"][0].rule == "finding.agreement.single"
    assert "no second design" in shown["reading"][-1].text


@pytest.mark.parametrize(
    ("raw", "main", "rule"),
    [
        (0.2, 0.06, "smaller"),
        (0.05, 0.09, "larger"),
        (-0.05, -0.09, "larger"),
        (0.2, -0.06, "reversed"),
        (0.2, -0.01, "gone"),
    ],
)
def test_what_adjustment_does_to_the_raw_gap(raw: float, main: float, rule: str) -> None:
    shown = said(question(raw=raw, adjusted=(main,) * 6))
    assert shown["change"][0].rule == f"finding.change.{rule}"


def test_the_share_taken_away_is_computed() -> None:
    assert "takes away 70% of the raw gap" in said(question(raw=0.2, adjusted=(0.06,) * 6))["change"][0].text


def test_balance_passes_and_fails() -> None:
    good = said(question())
    bad = said(changed(question(), balance=balance(1, quality=0.4)))
    assert good["balance"][0].mark == "good"
    assert bad["balance"][0].mark == "bad"
    assert "beyond the limit of 0.10" in bad["balance"][0].text
    assert "still differ in measured covariates" in bad["reading"][-1].text
    assert said(changed(question(), balance=()))["balance"][0].rule == "finding.balance.unknown"


def test_a_covariate_whose_difference_is_not_known_is_not_balanced() -> None:
    rows = balance(1)
    unknown = (replace(rows[0], smd_after=math.nan), *rows[1:])
    assert said(changed(question(), balance=unknown))["balance"][0].mark == "bad"


def test_a_difference_just_beyond_the_limit_is_not_printed_as_the_limit() -> None:
    rows = (replace(balance(1)[0], smd_after=0.1004),)
    shown = said(changed(question(), balance=rows))["balance"][0]
    assert shown.mark == "bad"
    assert "0.100 after" in shown.text


def test_overlap_passes_and_fails() -> None:
    assert said(question())["overlap"][0].mark == "good"
    bad = said(changed(question(), overlap=overlap(1, share_off=0.31)))
    assert bad["overlap"][0].mark == "bad"
    assert "31.0%" in bad["overlap"][0].text
    assert "no comparable household" in bad["reading"][-1].text
    assert said(changed(question(), overlap=None))["overlap"][0].rule == "finding.overlap.unknown"


def test_failed_checks_are_named() -> None:
    shown = question()[1]
    checks = (Check("pre-trend", False, "p 0.01"), Check("matched", True, "all"))
    failed = said(changed(question(), estimate=replace(shown.estimate, checks=checks)))
    assert failed["checks"][0].rule == "finding.checks.failed"
    assert "that failed, 1 of 2: pre-trend" in failed["checks"][0].text
    assert "pre-trend" in failed["reading"][-1].text
    none = said(changed(question(), estimate=replace(shown.estimate, checks=())))
    assert none["checks"][0].rule == "finding.checks.missing"


@pytest.mark.parametrize(
    ("critical", "rule", "number"),
    [
        (1.1, "weak", "1.10"),
        (1.42, "moderate", "1.42"),
        (2.6, "strong", "2.60"),
        (math.inf, "beyond", "3.00"),
    ],
)
def test_hidden_bias_is_said_with_its_number(critical: float, rule: str, number: str) -> None:
    shown = said(changed(question(), sensitivity=sensitivity(critical)))["bias"][0]
    assert shown.rule == f"finding.bias.{rule}"
    assert f"Γ = {number}" in shown.text


def test_no_finding_has_no_hidden_bias_to_fear() -> None:
    nothing = replace(sensitivity(1.0), p_upper=sensitivity(1.0).p_upper * 0.0 + 0.4)
    assert said(changed(question(), sensitivity=nothing))["bias"][0].rule == "finding.bias.none"
    assert said(changed(question(), sensitivity=None))["bias"][0].rule == "finding.bias.unknown"
    unclear = said(question(error=0.2))["bias"][0]
    assert unclear.rule == "finding.bias.unclear"
    assert "no finding for it to overturn" in unclear.text


def test_bounds_of_another_design_are_said_to_be() -> None:
    estimates = question()
    english = findings(asked(estimates, "aipw"), language("en"), is_synthetic=False)
    assert "nearest neighbour, 1:1" in next(s.text for s in english if s.rule == "finding.bias.elsewhere")


def test_more_child_work_is_read_as_confounding_until_shown_otherwise() -> None:
    shown = said(question(raw=0.2, adjusted=UP))["reading"]
    assert [s.rule for s in shown] == ["finding.reading.harm", "finding.reading.harm_supported"]
    assert "residual confounding until shown otherwise" in shown[0].text
    doubtful = said(changed(question(), overlap=overlap(1, share_off=0.3)))["reading"]
    assert doubtful[1].rule == "finding.reading.harm_unsupported"


def test_less_child_work_is_hoped_for_and_not_taken_as_shown() -> None:
    shown = said(question(raw=-0.2, adjusted=DOWN))["reading"]
    assert [s.rule for s in shown] == ["finding.reading.hoped", "finding.reading.hoped_supported"]
    assert "only if" in shown[0].text
    doubtful = said(changed(question(adjusted=DOWN), balance=balance(1, quality=0.4)))["reading"]
    assert doubtful[1].rule == "finding.reading.hoped_unsupported"


def test_where_more_is_better_a_loss_asks_for_the_same_caution() -> None:
    estimates = [replace(shown, better="higher") for shown in question(adjusted=DOWN)]
    assert said(estimates)["reading"][0].rule == "finding.reading.harm_negative"
    estimates = [replace(shown, better=None) for shown in question(adjusted=UP)]
    assert [s.rule for s in said(estimates)["reading"]] == ["finding.reading.neutral"]


def test_synthetic_runs_say_whether_the_truth_was_found() -> None:
    hit, missed = question(adjusted=UP, truth=0.06), question(adjusted=UP, truth=-0.03)
    assert said(hit, is_synthetic=True)["truth"][0].rule == "finding.truth.covered"
    assert said(missed, is_synthetic=True)["truth"][0].rule == "finding.truth.missed"
    assert said(question(), is_synthetic=True)["truth"][0].rule == "finding.truth.unknown"
    assert "truth" not in said(hit)


def test_few_households_say_nothing() -> None:
    few = [replace(shown, estimate=estimate(0.3, 0.1, treated=7, rows=400)) for shown in question()]
    shown = said(few)
    assert shown["raw"][0].rule == "finding.raw.missing"
    assert shown["adjusted"][0].rule == "finding.adjusted.missing"
    assert "reading" not in shown
    line = brief(asked(few), language("en"))[0]
    assert line.rule == "finding.brief.missing"
    assert "30.0" not in line.text


def test_unknown_uncertainty_claims_nothing() -> None:
    estimates = [replace(shown, estimate=estimate(0.3, math.nan)) for shown in question()]
    shown = said(estimates)
    assert shown["raw"][0].rule == "finding.raw.unknown"
    assert shown["adjusted"][0].rule == "finding.adjusted.unknown"
    assert shown["reading"][0].rule == "finding.reading.neutral"


def test_a_line_holds_both_numbers() -> None:
    line = brief(asked(question(raw=0.2, adjusted=UP)), language("en"))[0].text
    assert line.startswith("Child work, children aged 5–13, 2025: +20.0 before adjustment, +6.1 after")
    mixed = brief(asked(question(adjusted=(0.05, -0.01, 0.02, 0.03, -0.02, 0.01))), language("es"))
    assert mixed[-1].text == "Los diseños no concuerdan en el signo."


def test_the_demonstration_is_never_more_than_one() -> None:
    shown = entrants()
    sentences = demonstration_findings(shown, language("en"))
    assert sentences[0].rule == "finding.demonstration.unclear"
    assert "between 2024 and 2025" in sentences[0].text
    assert "demonstration" in sentences[1].text
    for value, rule in ((0.2, "positive"), (-0.2, "negative")):
        made = replace(shown, estimate=estimate(value, 0.01))
        assert demonstration_findings(made, language("es"))[0].rule == f"finding.demonstration.{rule}"
        assert demonstration_findings(made, language("es"))[1].rule == "finding.demonstration.caveat"


def test_all_some_or_no_intervals_exclude_zero() -> None:
    texts = [said(question(adjusted=UP, error=error))["agreement"][0].text for error in (0.001, 0.0262, 0.5)]
    assert "every interval excludes zero" in texts[0]
    assert "the interval excludes zero in 3 of them" in texts[1]
    assert "no interval excludes zero" in texts[2]


def test_the_score_is_no_covariate() -> None:
    score = replace(balance(1)[0], covariate="propensity score", smd_before=3.0, smd_after=0.4)
    shown = said(changed(question(), balance=(score, *balance(1))))["balance"][0]
    assert shown.mark == "good"
    assert "16 covariates" in shown.text


def test_a_failed_balance_is_not_told_twice() -> None:
    shown = question()[1]
    checks = (Check("balance", False, "beyond"),)
    made = replace(shown.estimate, checks=checks)
    doubtful = said(changed(question(), balance=balance(1, quality=0.4), estimate=made))
    assert doubtful["reading"][-1].text.count("balance") == 0
    assert "measured covariates" in doubtful["reading"][-1].text
