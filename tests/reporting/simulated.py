"""A report's input made of SIMULATED numbers: drawn, not estimated from any household."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

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
    Source,
    SurveyFacts,
    Tally,
    TrendPoint,
)

DESIGNS = {
    "raw_gap": Label("raw gap", "brecha bruta"),
    "nearest_1": Label("nearest neighbour, 1:1", "vecino más cercano, 1:1"),
    "nearest_5": Label("nearest neighbours, 1:5", "vecinos más cercanos, 1:5"),
    "kernel": Label("kernel", "kernel"),
    "ipw": Label("inverse probability", "probabilidad inversa"),
    "entropy": Label("entropy balancing", "balance por entropía"),
    "aipw": Label("AIPW", "AIPW"),
}
POPULATIONS = {
    "age_5_13": Label("children aged 5–13", "niñas y niños de 5 a 13 años"),
    "age_5_13_girls": Label("girls aged 5–13", "niñas de 5 a 13 años"),
    "age_5_13_boys": Label("boys aged 5–13", "niños de 5 a 13 años"),
    "age_14_17": Label("adolescents aged 14–17", "adolescentes de 14 a 17 años"),
    "age_14_17_girls": Label("girls aged 14–17", "mujeres de 14 a 17 años"),
    "age_14_17_boys": Label("boys aged 14–17", "hombres de 14 a 17 años"),
}
CHILD_WORK_LABEL = Label("child work", "trabajo infantil")
RAW_SCORE_LABEL = Label("food insecurity score", "puntaje de inseguridad alimentaria")
MODERATE_LABEL = Label(
    "Moderate or severe food insecurity (Rasch category)",
    "Inseguridad alimentaria moderada o grave (categoría Rasch)",
)
COVARIATES = {
    "household_size": Label("members of the household aged 19 to 64", "miembros del hogar de 19 a 64 años"),
    "children": Label("children under 6", "menores de 6 años"),
    "head_age": Label("head's age", "edad del jefe"),
    "head_is_female": Label("head is a woman", "jefa mujer"),
    "head_cohabits": Label("head cohabits", "jefe conviviente"),
    "is_rural": Label("rural", "rural"),
    "sierra_norte": Label("domain: northern highlands", "dominio: sierra norte"),
    "sierra_centro": Label("domain: central highlands", "dominio: sierra centro"),
    "sierra_sur": Label("domain: southern highlands", "dominio: sierra sur"),
    "selva": Label("domain: rainforest", "dominio: selva"),
    "altitude": Label("altitude", "altitud"),
    "earth_floor": Label("earth floor", "piso de tierra"),
    "adobe_walls": Label("adobe walls", "paredes de adobe"),
    "public_water": Label("public water", "agua de red pública"),
    "sewerage": Label("sewerage", "desagüe"),
    "district_poverty": Label("district poverty", "pobreza del distrito"),
}
FIES = {
    "secure": Label("secure or mild", "segura o leve"),
    "moderate": Label("moderate", "moderada"),
    "severe": Label("severe", "grave"),
}
ARMS = {"juntos": Label("with Juntos", "con Juntos"), "comparison": Label("without Juntos", "sin Juntos")}
METHOD = "survey design: strata, PSU; t(1,380)"


def estimate(
    value: float,
    error: float,
    *,
    treated: int = 900,
    rows: int = 12_000,
    checks: tuple[Check, ...] = (),
    design: str = "ipw",
) -> Estimate:
    """A simulated estimate of one term."""
    return Estimate(
        spec={"estimator": design, "caliper": 0.2, "treatment": "has_juntos"},
        keys={"term": ("att",)},
        values=np.array([value]),
        uncertainty=Uncertainty(method=METHOD, covariance=np.array([[error**2]]), df=1380.0),
        sample=Sample(
            rows=rows,
            units=rows,
            treated=treated,
            effective=None if design == "raw_gap" else rows * 0.31,
            dropped={"outcome missing": 212, "head's age missing": 4},
        ),
        checks=checks,
    )


def balance(seed: int, quality: float = 0.08, design: int = 0) -> tuple[BalanceRow, ...]:
    """Simulated balance: large differences before, within ``quality`` after."""
    draw, after = np.random.default_rng(seed), np.random.default_rng([seed, design])
    rows = []
    for place, (name, label) in enumerate(COVARIATES.items()):
        is_binary = place > 2 and name not in {"altitude", "district_poverty"}
        rows.append(
            BalanceRow(
                covariate=name,
                label=label,
                smd_before=float(draw.normal(0.0, 0.55)),
                smd_after=float(after.uniform(-quality, quality)),
                variance_ratio_before=math.nan if is_binary else float(draw.uniform(0.4, 2.4)),
                variance_ratio_after=math.nan if is_binary else float(draw.uniform(0.8, 1.3)),
                ks_before=float(draw.uniform(0.05, 0.4)),
                ks_after=float(draw.uniform(0.0, 0.06)),
            )
        )
    return tuple(rows)


def overlap(seed: int, share_off: float = 0.021, treated: int = 900) -> Overlap:
    """Simulated histograms of a linear score."""
    draw = np.random.default_rng(seed)
    edges = np.linspace(-8.0, 2.0, 41)

    def histogram(mean: float, spread: float, size: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.histogram(np.clip(draw.normal(mean, spread, size), -7.9, 1.9), edges)[0]

    ours, others = histogram(-1.3, 1.1, treated), histogram(-4.0, 1.7, 11_100)
    after = histogram(-1.35, 1.1, 4_000)
    return Overlap(
        edges=edges,
        treated_before=ours / ours.sum(),
        treated_after=ours / ours.sum(),
        comparison_before=others / others.sum(),
        comparison_after=after / after.sum(),
        treated_counts=ours.astype(float),
        comparison_counts=others.astype(float),
        range_treated=(-5.21, 1.77),
        range_comparison=(-7.93, 1.64),
        share_off_support=share_off,
        rule=Label("caliper of 0.2 standard deviations", "calibre de 0,2 desviaciones estándar"),
    )


def sensitivity(critical: float = 1.42) -> Sensitivity:
    """Simulated bounds that cross 0.05 at the critical value."""
    gamma = np.round(np.arange(1.0, 3.01, 0.1), 2)
    scale = 4.0 if math.isinf(critical) else critical
    p_upper = 1.0 / (1.0 + np.exp(-(gamma - scale) * 9.0 + math.log(19.0)))
    return Sensitivity(
        gamma=gamma,
        p_upper=p_upper,
        p_lower=np.exp(-8.0 * gamma),
        hl_low=0.05 - 0.05 * (gamma - 1.0),
        hl_high=0.05 + 0.05 * (gamma - 1.0),
        critical_gamma=critical,
        method="McNemar",
        e_value=1.9,
        e_value_limit=1.3,
    )


CHECKS = (
    Check("overlap", True, "3 of 900 treated rows off support within a caliper of 0.2"),
    Check("balance", True, "largest |SMD| 0.079 of 16 covariates"),
    Check("score", None, "logit converged in 7 iterations"),
)


def question(
    population: str = "age_5_13",
    year: str = "2025",
    *,
    raw: float = 0.21,
    adjusted: tuple[float, ...] = (0.061, 0.055, 0.058, 0.049, 0.047, 0.051),
    error: float = 0.018,
    truth: float | None = None,
    seed: int = 1,
) -> tuple[ReportedEstimate, ...]:
    """All designs of one question on child work; raw gap first."""
    made = []
    for place, (design, value) in enumerate(zip(DESIGNS, (raw, *adjusted), strict=True)):
        is_raw = design == "raw_gap"
        made.append(
            ReportedEstimate(
                id=f"child_work-{population}-{year}-{design}",
                study="child_work",
                outcome="child_work",
                population=population,
                year=year,
                design=design,
                labels={
                    "outcome": CHILD_WORK_LABEL,
                    "population": POPULATIONS[population],
                    "design": DESIGNS[design],
                },
                estimate=estimate(value, error, checks=() if is_raw else CHECKS, design=design),
                better="lower",
                truth=truth,
                balance=()
                if is_raw
                else balance(seed * 10, 0.0 if design == "entropy" else 0.09, min(place, 4)),
                overlap=None if is_raw else overlap(seed * 10 + place),
                sensitivity=sensitivity() if design == "nearest_1" else None,
            )
        )
    return tuple(made)


def food_insecurity(*, truth: float | None = None) -> tuple[ReportedEstimate, ...]:
    """Estimates of a score and of a category, the latter pointing nowhere."""
    score = [
        replace(
            shown,
            id=f"fies_score-{shown.design}",
            study="food_insecurity",
            outcome="fies_score",
            population="households",
            unit="score",
            labels={**shown.labels, "outcome": RAW_SCORE_LABEL, "population": Label("households", "hogares")},
        )
        for shown in question(
            raw=0.62, adjusted=(0.11, 0.09, 0.12, 0.10, 0.08, 0.10), error=0.09, truth=truth
        )
    ]
    category = [
        replace(
            shown,
            id=f"fies_moderate-{shown.design}",
            study="food_insecurity",
            outcome="fies_moderate",
            population="households",
            labels={**shown.labels, "outcome": MODERATE_LABEL, "population": Label("households", "hogares")},
        )
        for shown in question(
            raw=0.09, adjusted=(0.012, -0.004, 0.006, 0.008, -0.002, 0.004), error=0.016, truth=truth
        )
    ]
    return (*score, *category)


def entrants(*, truth: float | None = None) -> ReportedEstimate:
    """A simulated difference-in-differences of two waves."""
    means = {
        ("treated", 2024): 0.31,
        ("treated", 2025): 0.29,
        ("comparison", 2024): 0.19,
        ("comparison", 2025): 0.185,
    }
    return ReportedEstimate(
        id="entrants-child_work",
        study="entrants",
        outcome="child_work",
        population="age_5_17",
        year="2024-2025",
        design="did",
        labels={
            "outcome": CHILD_WORK_LABEL,
            "population": Label("children aged 5–17", "niñas, niños y adolescentes de 5 a 17 años"),
            "design": Label("difference-in-differences", "diferencias en diferencias"),
        },
        estimate=estimate(-0.015, 0.031, treated=160, rows=4_300, design="did"),
        better="lower",
        truth=truth,
        trend=tuple(
            TrendPoint(
                arm="treated" if arm == "treated" else "comparison",
                time=time,
                mean=mean,
                std_error=0.028 if arm == "treated" else 0.007,
                conf_low=mean - (0.055 if arm == "treated" else 0.014),
                conf_high=mean + (0.055 if arm == "treated" else 0.014),
                n=160 if arm == "treated" else 4_140,
            )
            for (arm, time), mean in means.items()
        ),
    )


def survey() -> SurveyFacts:
    """Simulated shares and counts."""
    shares = [
        Share(
            topic="juntos",
            category="yes",
            labels={
                "topic": Label("Households with Juntos", "Hogares con Juntos"),
                "category": Label("with Juntos", "con Juntos"),
            },
            year=year,
            arm="all",
            share=share,
            std_error=0.0031,
            conf_low=share - 0.006,
            conf_high=share + 0.006,
            count=4_100,
            base=31_000,
        )
        for year, share in ((2024, 0.123), (2025, 0.119))
    ]
    values = {"juntos": (0.46, 0.36, 0.18), "comparison": (0.66, 0.26, 0.08)}
    counts = {"juntos": (1_850, 1_440, 720), "comparison": (17_900, 7_100, 2_100)}
    shares += [
        Share(
            topic="fies_category",
            category=category,
            labels={
                "topic": Label("Food insecurity", "Inseguridad alimentaria"),
                "category": FIES[category],
                "arm": ARMS[arm],
            },
            year=2025,
            arm=arm,
            share=values[arm][place],
            std_error=0.012 if arm == "juntos" else 0.004,
            conf_low=values[arm][place] - (0.024 if arm == "juntos" else 0.008),
            conf_high=values[arm][place] + (0.024 if arm == "juntos" else 0.008),
            count=counts[arm][place],
            base=sum(counts[arm]),
        )
        for arm in ARMS
        for place, category in enumerate(FIES)
    ]
    tallies = [
        Tally(topic=topic, label=label, year=year, count=count)
        for year in ("2024", "2025")
        for topic, label, count in (
            ("rows", Label("households in the file", "hogares en el archivo"), 33_000),
            ("answered", Label("answered", "respondieron"), 31_000),
            ("answered", Label("did not answer", "no respondieron"), 2_000),
            ("dropped", Label("no member under 19", "sin miembros menores de 19 años"), 9_000),
            ("dropped", Label("district unknown", "distrito desconocido"), 6),
            ("dropped", Label("head's age missing", "falta la edad del jefe"), 41),
        )
    ]
    tallies.append(
        Tally(
            topic="linked",
            label=Label("linked and consistent", "enlazados y consistentes"),
            year="2024-2025",
            count=8_200,
        )
    )
    return SurveyFacts(shares=tuple(shares), tallies=tuple(tallies))


def run(*, is_synthetic: bool = True) -> RunFacts:
    """Facts of a run that never took place."""
    files = [
        InputFile(
            survey="enaho",
            year=year,
            name=name,
            rows=rows,
            size_bytes=rows * 61,
            sha256=f"{year}{place:060x}",
        )
        for place, (year, name, rows) in enumerate(
            [
                (2024, "enaho01-2024-200.dta", 117_000),
                (2024, "enaho01-2024-700.dta", 33_000),
                (2025, "Enaho01-2025-200.csv", 115_000),
                (2025, "Enaho01-2025-700.csv", 33_000),
                (2025, "Enaho01-2025-130.csv", 33_000),
            ]
        )
    ]
    return RunFacts(
        name="synthetic-data" if is_synthetic else "real",
        is_synthetic=is_synthetic,
        seed=20240501 if is_synthetic else None,
        started="2026-11-24T10:15:00",
        code_version="0.1.0",
        python="3.11.2",
        packages={"numpy": "2.4.6", "pandas": "3.1.1", "matplotlib": "3.11.2", "scipy": "1.17.0"},
        input_files=tuple(files),
        sources=(
            Source(
                survey="enaho",
                title="Encuesta Nacional de Hogares (ENAHO)",
                producer="Instituto Nacional de Estadística e Informática (INEI)",
                licence="Public microdata of INEI, free of charge; INEI must be cited.",
                citation="INEI. Encuesta Nacional de Hogares (ENAHO), 2024-2025. Lima.",
                seen="2026-05-19",
            ),
        ),
        data_raw=Label(
            "Raw-shaped files were simulated by the package with the seed below.",
            "El paquete simuló archivos con la forma de los originales, con la semilla que sigue.",
        ),
    )


@cache
def report_input(*, is_synthetic: bool = True) -> ReportInput:
    """About ninety simulated estimates of thirteen questions."""
    truth = -0.03 if is_synthetic else None
    estimates: list[ReportedEstimate] = []
    for seed, (population, year) in enumerate(
        [(population, year) for year in ("2024", "2025") for population in POPULATIONS]
    ):
        draw = np.random.default_rng(seed)
        level = 0.2 if population.startswith("age_5") else 0.27
        adjusted = tuple(
            float(x) for x in np.round(draw.normal(-0.02 if is_synthetic else 0.05, 0.008, 6), 4)
        )
        estimates += question(
            population, year, raw=level, adjusted=adjusted, truth=truth, seed=seed + 1,
            error=0.016 if population in ("age_5_13", "age_14_17") else 0.024,
        )  # fmt: skip
    food_truth = -0.1 if is_synthetic else None
    return ReportInput(
        run=run(is_synthetic=is_synthetic),
        estimates=(*estimates, *food_insecurity(truth=food_truth), entrants(truth=truth)),
        survey=survey(),
        headline="child_work-age_5_13-2025-nearest_1",
    )
