"""Event studies, interaction-weighted, imputation and two-stage effects against fixest and the packages."""

from __future__ import annotations

import re
from typing import Any

import pytest

import juntos_eval as je
from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.did.two_way_frame import two_way_frame
from juntos_eval.estimators.did.untreated_stage import columns_of, lead_effects
from tests.estimators.did import staggered
from tests.estimators.did.staggered import close

EVENT_STUDIES = staggered.names("twfe-es-.*")
SUNAB = staggered.names("sunab-.*")
IMPUTED = staggered.names("did_imputation-.*")
EXACT = staggered.names("imputation-exact-.*")
TWO_STAGE = staggered.names("did2s-.*")
EXTENDED = staggered.names("etwfe-.*")
STACKED = staggered.names("stacked-.*")
PROJECTIONS = staggered.names("lpdid-.*")
MPDTA = {"outcome": "lemp", "unit": "countyreal", "time": "year", "first_treated": "first_treat"}
SIMULATED = {"outcome": "y", "unit": "id", "time": "time", "first_treated": "g"}


def choices(name: str) -> dict[str, Any]:
    chosen: dict[str, Any] = dict(MPDTA if "mpdta" in name else SIMULATED)
    if re.search(r"-w(-|$)", name):
        chosen["weights"] = "w"
    if "-xt" in name:
        chosen["covariates"] = ("xt",)
    return chosen


def clusters(case: dict[str, Any], kind: Any) -> Inference | None:
    by_cl = re.search(r"clustered by cl\b", case["call"]["options"])
    return je.Cluster("cl", kind=kind) if by_cl else None


def of_event(estimate: Estimate, event: int) -> tuple[float, float]:
    at = estimate.keys["event_time"].index(event)
    return float(estimate.values[at]), float(estimate.uncertainty.std_error[at])


def event_of(label: str) -> int:
    return int(label.rpartition("::")[2].partition(":")[0])


def test_every_case_is_there() -> None:
    every = (EVENT_STUDIES, SUNAB, IMPUTED, EXACT, TWO_STAGE, EXTENDED, STACKED, PROJECTIONS)
    assert [len(names) for names in every] == [2, 9, 12, 7, 10, 20, 2, 10]


@pytest.mark.parametrize("name", EVENT_STUDIES)
def test_two_way_event_studies(name: str) -> None:
    case = staggered.cases()[name]
    estimate = je.EventStudy(**choices(name)).fit(staggered.table(case))
    for label, value in case["expected"]["coef"].items():
        found = of_event(estimate, event_of(label))
        close(found, [value, case["expected"]["se"][label]], 1e-9)


@pytest.mark.parametrize("name", SUNAB)
def test_interaction_weighted(name: str) -> None:
    case = staggered.cases()[name]
    expected, frame = case["expected"], staggered.table(case)
    inference = clusters(case, "CR1S")
    fits = {
        by: je.InteractionWeighted(**choices(name), by=by).fit(frame, inference=inference)
        for by in ("event_time", "group", "cell")
    }
    study = fits["event_time"]
    close([study.values[0], study.uncertainty.std_error[0]], [expected["att"], expected["att_se"]], 1e-9)
    for label, value in expected["event"].items():
        if "::" in label:
            close(of_event(study, event_of(label)), [value, expected["event_se"][label]], 1e-9)
    cohorts, cells = fits["group"], fits["cell"]
    for label, value in (expected["cohort"] or {}).items():
        if "::" in label:
            at = cohorts.keys["group"].index(event_of(label))
            found = [cohorts.values[at], cohorts.uncertainty.std_error[at]]
            close(found, [value, expected["cohort_se"][label]], 1e-9)
    place = list(zip(cells.keys["group"], cells.keys["event_time"], strict=True))
    for label, value in expected["disaggregated"].items():
        if pair := re.fullmatch(r"\w+::(-?\d+):cohort::(\d+)", label):
            at = place.index((int(pair[2]), int(pair[1])))
            found = [cells.values[at], cells.uncertainty.std_error[at]]
            close(found, [value, expected["disaggregated_se"][label]], 1e-9)


@pytest.mark.parametrize("name", EXACT)
def test_imputation_is_dense_least_squares(name: str) -> None:
    case = staggered.cases()[name]
    expected, frame = case["expected"], staggered.table(case)
    estimate = je.Imputation(**choices(name)).fit(frame)
    close(estimate.values, [expected["static"]], 1e-9)
    events = je.Imputation(**choices(name), by="event_time").fit(frame)
    for event, value in expected["by_event"].items():
        close(of_event(events, int(event))[0], [value], 1e-9)


@pytest.mark.parametrize("name", IMPUTED)
def test_imputation_and_its_errors(name: str) -> None:
    """R stops its first stage early: estimates agree to 1e-6 absolutely, errors to 2e-8."""
    case = staggered.cases()[name]
    expected, frame, inference = case["expected"], staggered.table(case), clusters(case, "CR0")
    stored = dict(zip(expected["term"], zip(expected["estimate"], expected["se"], strict=True), strict=True))
    # with sampling weights R's error follows another convention, up to 1.2 percent larger on these tables
    tolerance = 0.013 if "weights" in choices(name) else 2e-7
    if "treat" in stored:
        estimate = je.Imputation(**choices(name)).fit(frame, inference=inference)
        assert estimate.values[0] == pytest.approx(stored["treat"][0], abs=1e-6)
        close(estimate.uncertainty.std_error, [stored["treat"][1]], tolerance)
        return
    estimate = je.Imputation(**choices(name), by="event_time").fit(frame, inference=inference)
    for event, (value, error) in stored.items():
        if int(event) >= 0:
            found = of_event(estimate, int(event))
            assert found[0] == pytest.approx(value, abs=1e-6)
            close(found[1], [error], tolerance)
    columns = columns_of(je.Imputation(**choices(name)), () if inference is None else ("cl",))
    leads = [int(event) for event in stored if int(event) < 0]
    by_unit = inference or je.Cluster(str(columns.unit), kind="CR1S")
    carry = () if inference is None else ("cl",)
    frame_of = two_way_frame(frame, columns, ())
    found_leads = lead_effects(frame_of, columns, leads, by_unit, carry)
    for event in leads:
        assert of_event(found_leads, event)[0] == pytest.approx(stored[str(event)][0], abs=1e-6)


@pytest.mark.parametrize("name", TWO_STAGE)
def test_two_stage(name: str) -> None:
    case = staggered.cases()[name]
    expected, frame, inference = case["expected"], staggered.table(case), clusters(case, "CR0")
    by: Any = "event_time" if "event" in name else "static"
    estimate = je.TwoStageImputation(**choices(name), by=by).fit(frame, inference=inference)
    for label, value in expected["coef"].items():
        found = (
            (float(estimate.values[0]), float(estimate.uncertainty.std_error[0]))
            if by == "static"
            else of_event(estimate, event_of(label))
        )
        assert found[0] == pytest.approx(value, abs=1e-6)
        close(found[1], [expected["se"][label]], 1e-7)


@pytest.mark.parametrize("name", EXTENDED)
def test_extended_two_way(name: str) -> None:
    """With covariates etwfe counts one coefficient less: slopes by cohort and by period share one."""
    case = staggered.cases()[name]
    expected = case["expected"]
    _, _, control, kind, covariate = name.split("-")
    estimate = je.ExtendedTwoWay(
        **choices(name),
        control={"notyet": "not_yet", "never": "never"}[control],  # type: ignore[arg-type]
        by={"event": "event_time"}.get(kind, kind),  # type: ignore[arg-type]
        covariates=("x1",) if covariate == "x1" else (),
    ).fit(staggered.table(case))
    tolerance = 3e-4 if covariate == "x1" else 3e-7
    if kind == "simple":
        close(estimate.values, expected["estimate"], 1e-9)
        close(estimate.uncertainty.std_error, expected["se"], tolerance)
        return
    (key,) = set(estimate.keys) - {"term"}
    ours = {level: at for at, level in enumerate(estimate.keys[key])}
    stored = zip(expected["by"], expected["estimate"], expected["se"], strict=True)
    # etwfe shows periods before treatment, which have no effect of their own, as zero or next to it
    for level, value, error in stored:
        if level in ours:
            close(estimate.values[ours[level]], [value], 1e-9)
            close(estimate.uncertainty.std_error[ours[level]], [error], tolerance)
        else:
            assert kind == "event"
            assert level < 0
    assert set(ours) <= set(expected["by"])


@pytest.mark.parametrize("name", STACKED)
def test_stacked(name: str) -> None:
    case = staggered.cases()[name]
    expected = case["expected"]
    estimate = je.Stacked(**choices(name), before=1, after=1).fit(staggered.table(case))
    assert estimate.details["stacked_rows"] == expected["nobs"]
    for label, value in expected["coef"].items():
        close(of_event(estimate, event_of(label.removesuffix(":tr"))), [value, expected["se"][label]], 1e-9)


@pytest.mark.parametrize("name", PROJECTIONS)
def test_local_projections(name: str) -> None:
    case = staggered.cases()[name]
    expected, mark = case["expected"], name.rpartition("-")[2]
    horizon = -int(mark[1:]) if mark.startswith("m") else int(mark)
    estimate = je.LocalProjections(**choices(name), horizons=(horizon,)).fit(staggered.table(case))
    close(of_event(estimate, horizon), [expected["coef"]["dD"], expected["se"]["dD"]], 1e-9)
    assert estimate.details["rows"][str(horizon)] == expected["nobs"]


def test_equally_weighted_projections_are_group_time_effects_of_the_moment() -> None:
    """At horizon 0 the newly treated of each period against its clean controls, by their number."""
    frame = staggered.table(staggered.cases()["lpdid-did_bal-0"])
    columns: Any = choices("lpdid-did_bal-0")
    equal = je.LocalProjections(**columns, horizons=(0,), weighting="equal").fit(frame)
    cells = je.GroupTime(**columns, control="not_yet").fit(frame)
    assert equal.values[0] == pytest.approx(of_event(je.aggregate(cells, "dynamic"), 0)[0], rel=1e-9)


def test_corrective_weights_of_stacks_give_the_mean_of_cohorts() -> None:
    frame = staggered.table(staggered.cases()["stacked-did_bal"])
    columns: Any = choices("stacked-did_bal")
    found = je.Stacked(**columns, before=1, after=0, aggregate="cohort", controls="never").fit(frame)
    cells = je.GroupTime(**columns).fit(frame)
    whole = {
        group: (float(value), int((frame["g"] == group).sum()))
        for group, event, value in zip(
            cells.keys["group"], cells.keys["event_time"], cells.values, strict=True
        )
        if event == 0
    }
    average = sum(value * size for value, size in whole.values()) / sum(size for _, size in whole.values())
    assert of_event(found, 0)[0] == pytest.approx(average, rel=1e-9)
