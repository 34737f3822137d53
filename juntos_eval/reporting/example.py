"""A small report's input of SIMULATED numbers, for examples: nothing in it was estimated from households."""

from __future__ import annotations

import numpy as np

from juntos_eval.estimate import Check, Estimate, Sample, Uncertainty
from juntos_eval.reporting.report_input import (
    BalanceRow,
    InputFile,
    Label,
    Overlap,
    ReportedEstimate,
    ReportInput,
    RunFacts,
    Sensitivity,
    Share,
    SurveyFacts,
    Tally,
    TrendPoint,
)

__all__ = ["example_input"]

_CHILD_WORK = Label("child work", "trabajo infantil")
_CHILDREN = Label("children aged 5–13", "niñas y niños de 5 a 13 años")


def example_input() -> ReportInput:
    """Return the input of a report on one question, with a raw gap, two designs and a demonstration.

    Returns
    -------
    ReportInput
        Of a synthetic run: whatever is made of it says SYNTHETIC DATA.

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.example import example_input
    >>> [shown.id for shown in example_input().estimates]
    ['raw_gap', 'nearest_1', 'ipw', 'did']
    """
    run = RunFacts(
        name="synthetic-data",
        is_synthetic=True,
        seed=1,
        started="2026-01-01T00:00:00",
        code_version="0.1.0",
        python="3.11",
        packages={"numpy": "2.4"},
        input_files=(
            InputFile(
                survey="enaho", year=2024, name="members.dta", rows=900, size_bytes=9000, sha256="ab" * 32
            ),
        ),
        data_raw=Label("Simulated for this example.", "Simulado para este ejemplo."),
    )
    estimates = (
        _estimate("raw_gap", Label("raw gap", "brecha bruta"), 0.2, 0.02),
        _estimate("nearest_1", Label("nearest neighbour", "vecino más cercano"), -0.02, 0.015),
        _estimate("ipw", Label("inverse probability", "probabilidad inversa"), -0.035, 0.012),
        _entrants(),
    )
    survey = SurveyFacts(
        shares=(_share("juntos", 0.12), *(_share("fies_category", x, arm) for arm, x in _FIES.items())),
        tallies=(
            Tally(topic="answered", label=Label("answered", "respondieron"), year="2024", count=894),
            Tally(topic="answered", label=Label("did not answer", "no respondieron"), year="2024", count=6),
        ),
    )
    return ReportInput(run=run, estimates=estimates, survey=survey, headline="nearest_1")


_FIES = {"juntos": 0.5, "comparison": 0.3}


def _estimate(design: str, name: Label, value: float, error: float) -> ReportedEstimate:
    is_raw = design == "raw_gap"
    return ReportedEstimate(
        id=design,
        study="child_work",
        outcome="child_work",
        population="age_5_13",
        year="2024",
        design=design,
        labels={"outcome": _CHILD_WORK, "population": _CHILDREN, "design": name},
        estimate=Estimate(
            spec={"estimator": design},
            keys={"term": ("att",)},
            values=np.array([value]),
            uncertainty=Uncertainty(method="simulated", covariance=np.array([[error**2]]), df=float("inf")),
            sample=Sample(rows=900, units=900, treated=110, effective=None if is_raw else 410.0),
            checks=() if is_raw else (Check("overlap", True, "4 of 110 treated rows off support"),),
        ),
        better="lower",
        truth=-0.03,
        balance=() if is_raw else _balance(),
        overlap=None if is_raw else _overlap(),
        sensitivity=_sensitivity() if design == "nearest_1" else None,
    )


def _balance() -> tuple[BalanceRow, ...]:
    return (
        BalanceRow(covariate="age", label=Label("age", "edad"), smd_before=0.4, smd_after=0.03),
        BalanceRow(covariate="rural", label=Label("rural", "rural"), smd_before=-0.7, smd_after=-0.06),
    )


def _overlap() -> Overlap:
    return Overlap(
        edges=np.array([-4.0, -2.0, 0.0, 2.0]),
        treated_before=np.array([0.2, 0.5, 0.3]),
        treated_after=np.array([0.2, 0.5, 0.3]),
        comparison_before=np.array([0.7, 0.2, 0.1]),
        comparison_after=np.array([0.25, 0.45, 0.3]),
        treated_counts=np.array([22.0, 55.0, 33.0]),
        comparison_counts=np.array([553.0, 158.0, 79.0]),
        range_treated=(-3.6, 1.4),
        range_comparison=(-3.9, 1.2),
        share_off_support=0.036,
        rule=Label("caliper", "calibre"),
    )


def _sensitivity() -> Sensitivity:
    return Sensitivity(
        gamma=np.array([1.0, 1.5, 2.0]),
        p_upper=np.array([0.01, 0.06, 0.4]),
        p_lower=np.array([0.01, 0.001, 0.0]),
        hl_low=np.array([-0.02, -0.05, -0.08]),
        hl_high=np.array([-0.02, 0.01, 0.04]),
        critical_gamma=1.45,
        method="simulated test",
    )


def _entrants() -> ReportedEstimate:
    means = {
        ("treated", 2024): 0.3,
        ("treated", 2025): 0.27,
        ("comparison", 2024): 0.2,
        ("comparison", 2025): 0.19,
    }
    return ReportedEstimate(
        id="did",
        study="entrants",
        outcome="child_work",
        population="age_5_17",
        year="2024-2025",
        design="did",
        labels={
            "outcome": _CHILD_WORK,
            "population": Label("children aged 5–17", "menores de 5 a 17 años"),
            "design": Label("difference-in-differences", "diferencias en diferencias"),
        },
        estimate=Estimate(
            spec={"estimator": "did"},
            keys={"term": ("att",)},
            values=np.array([-0.02]),
            uncertainty=Uncertainty(method="simulated", covariance=np.array([[0.0009]]), df=float("inf")),
            sample=Sample(rows=600, units=300, treated=40),
        ),
        better="lower",
        trend=tuple(
            TrendPoint(
                arm="treated" if arm == "treated" else "comparison",
                time=time,
                mean=mean,
                std_error=0.02,
                conf_low=mean - 0.04,
                conf_high=mean + 0.04,
                n=40,
            )
            for (arm, time), mean in means.items()
        ),
    )


def _share(topic: str, share: float, arm: str = "all") -> Share:
    return Share(
        topic=topic,
        category="severe" if topic == "fies_category" else "yes",
        labels={
            "topic": Label("Food insecurity", "Inseguridad alimentaria")
            if topic == "fies_category"
            else Label("Households with Juntos", "Hogares con Juntos"),
            "category": Label("severe", "grave") if topic == "fies_category" else Label("yes", "sí"),
        },
        year=2024,
        arm=arm,
        share=share,
        std_error=0.01,
        conf_low=share - 0.02,
        conf_high=share + 0.02,
        count=round(894 * share),
        base=894,
    )
