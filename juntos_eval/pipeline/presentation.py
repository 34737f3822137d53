"""From what a study gives to what a report shows: labels, planted truth, and nothing that tells of few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from pandas import DataFrame

from juntos_eval.arrays import FrozenMapping
from juntos_eval.reporting.report_input import (
    CHILD_WORK,
    ENTRANTS,
    FOOD_INSECURITY,
    BalanceRow,
    Label,
    Overlap,
    ReportedEstimate,
    Sensitivity,
    TrendPoint,
)
from juntos_eval.reporting.suppression import publishable
from juntos_eval.studies.comparison import DESIGN_LABELS, Comparison, Text
from juntos_eval.studies.demonstration import EntrantsDemonstration
from juntos_eval.studies.juntos_households import COVARIATE_LABELS
from juntos_eval.studies.result import DesignResult
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.enaho.household_schema import OPTIONAL, households_schema
from juntos_eval.surveys.schema import Field
from juntos_eval.surveys.synthetic.truth import SyntheticTruth

__all__ = ["covariate_label", "present_comparison", "present_demonstration"]

SUPPORT_RULE = Label(
    "treated rows outside the range of scores of the comparison rows",
    "filas tratadas fuera del rango de puntajes de las filas de comparación",
)


def present_comparison(
    comparison: Comparison, results: Sequence[DesignResult], truth: SyntheticTruth | None
) -> tuple[ReportedEstimate, ...]:
    """Return the estimates of a comparison as a report shows them.

    Parameters
    ----------
    comparison : Comparison
    results : sequence of DesignResult
    truth : SyntheticTruth or None
        What was planted; None for real data.

    Returns
    -------
    tuple of ReportedEstimate
    """
    is_food = comparison.people is None
    planted = None if truth is None else truth.effect(comparison.outcome, comparison.year).value
    return tuple(
        publishable(
            ReportedEstimate(
                id=f"{comparison.id}.{result.design}",
                study=FOOD_INSECURITY if is_food else CHILD_WORK,
                outcome=comparison.outcome,
                population=comparison.people or "households",
                year=str(comparison.year),
                design=result.design,
                labels=_labels(comparison.labels, result.design),
                estimate=result.estimate,
                unit=comparison.scale,
                better="lower",
                truth=planted,
                balance=() if result.balance is None else _balance_rows(result.balance),
                overlap=_overlap(result),
                sensitivity=_sensitivity(result),
            )
        )
        for result in results
    )


def present_demonstration(
    demonstration: EntrantsDemonstration, result: DesignResult, truth: SyntheticTruth | None
) -> ReportedEstimate:
    """Return a demonstration as a report shows it.

    Parameters
    ----------
    demonstration : EntrantsDemonstration
    result : DesignResult
    truth : SyntheticTruth or None

    Returns
    -------
    ReportedEstimate
    """
    years = sorted({point.year for point in result.trend})
    planted = None if truth is None else truth.effect(demonstration.outcome, years[-1], "att_entrants").value
    return publishable(
        ReportedEstimate(
            id=demonstration.id,
            study=ENTRANTS,
            outcome=demonstration.outcome,
            population=demonstration.people,
            year="-".join(str(year) for year in years),
            design=result.design,
            labels=_labels(demonstration.labels, result.design),
            estimate=result.estimate,
            better="lower",
            truth=planted,
            trend=tuple(
                TrendPoint(
                    arm="treated" if point.is_treated else "comparison",
                    time=point.year,
                    mean=point.mean,
                    std_error=point.std_error,
                    conf_low=point.interval[0],
                    conf_high=point.interval[1],
                    n=point.n,
                )
                for point in result.trend
            ),
        )
    )


def _label(text: Text) -> Label:
    return Label(text.en, text.es)


def _labels(labels: Mapping[str, Text], design: str) -> FrozenMapping[str, Label]:
    named = {name: _label(text) for name, text in labels.items()}
    return FrozenMapping({**named, "design": _label(DESIGN_LABELS[design])})


def covariate_label(name: str) -> Label:
    """Return the words for a covariate, ``column`` or ``column[level]``.

    Parameters
    ----------
    name : str

    Returns
    -------
    Label
        The name itself where nothing declares it.

    Examples
    --------
    >>> from juntos_eval.pipeline.presentation import covariate_label
    >>> covariate_label("head_sex[female]").en, covariate_label("toilet[latrine_treated]").es
    ('Female head', 'Servicio higiénico: letrina con tratamiento')
    """
    if name in COVARIATE_LABELS:
        return _label(COVARIATE_LABELS[name])
    column, _, level = name.rstrip("]").partition("[")
    words = _label(COVARIATE_LABELS[column]) if column in COVARIATE_LABELS else _declared(column)
    if not level:
        return words
    return Label(f"{words.en}: {level.replace('_', ' ')}", f"{words.es}: {_level_es(column, level)}")


def _declared(column: str) -> Label:
    field = _household_fields().get(column)
    return Label(column, column) if field is None else Label(field.description, field.description_es)


@cache
def _household_fields() -> dict[str, Field]:
    return {field.name: field for field in households_schema(frozenset(OPTIONAL)).fields}


def _level_es(column: str, level: str) -> str:
    """Return INEI's own text of a level, found by the value that stands for it in clean tables."""
    if level == "reference level":
        return "nivel de referencia"
    sought = {"head_sex": "sex", "head_marital_status": "marital_status"}.get(column, column)
    for (_, name), codes in load_codebook("enaho").codes.items():
        if name == sought:
            for code in codes:
                if code.value == level:
                    return code.label_es
    return level.replace("_", " ")


def _balance_rows(frame: DataFrame) -> tuple[BalanceRow, ...]:
    numbers = [name for name in frame.columns if name.endswith(("_before", "_after"))]
    shown = [name for name in numbers if name.startswith(("smd", "variance_ratio", "ks"))]
    return tuple(
        BalanceRow(
            covariate=name,
            label=covariate_label(name),
            **dict(zip(shown, (float(value) for value in values), strict=True)),
        )
        for name, values in zip(
            frame["covariate"].astype(str), frame[shown].to_numpy(dtype=float), strict=True
        )
    )


def _overlap(result: DesignResult) -> Overlap | None:
    seen = result.histograms
    if seen is None or result.overlap is None:
        return None
    return Overlap(
        edges=seen.edges,
        treated_before=seen.treated_before,
        treated_after=seen.treated_after,
        comparison_before=seen.untreated_before,
        comparison_after=seen.untreated_after,
        treated_counts=seen.treated_counts,
        comparison_counts=seen.untreated_counts,
        range_treated=seen.range_treated,
        range_comparison=seen.range_untreated,
        share_off_support=result.overlap.treated_outside,
        rule=SUPPORT_RULE,
    )


def _sensitivity(result: DesignResult) -> Sensitivity | None:
    bounds = result.bounds
    if bounds is None:
        return None
    return Sensitivity(
        gamma=bounds.gammas,
        p_upper=bounds.p_upper,
        p_lower=bounds.p_lower,
        hl_low=bounds.estimate_low,
        hl_high=bounds.estimate_high,
        # not a number: the finding does not stand even without hidden bias
        critical_gamma=1.0 if np.isnan(bounds.critical_gamma) else bounds.critical_gamma,
        method="; ".join((bounds.statistic, *bounds.notes)),
        alpha=1.0 - bounds.level,
        e_value=float("nan") if result.e_value is None else result.e_value.point,
        e_value_limit=float("nan") if result.e_value is None else result.e_value.limit,
    )
