"""Run the parts of a study on clean tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from pandas import DataFrame

from juntos_eval.arrays import FrozenMapping
from juntos_eval.estimate import Estimate, Inference, Sample
from juntos_eval.estimators.matching.aipw import AIPW
from juntos_eval.estimators.matching.balance import balance
from juntos_eval.estimators.matching.matched_design import MatchedDesign
from juntos_eval.estimators.matching.matching import Matching
from juntos_eval.estimators.matching.overlap import overlap
from juntos_eval.estimators.matching.sensitivity import EValue, HiddenBiasBounds, e_value, rosenbaum_bounds
from juntos_eval.estimators.matching.weighting import Weighting
from juntos_eval.estimators.means import Mean
from juntos_eval.inference.survey_design import SurveyDesign
from juntos_eval.studies.comparison import Comparison, designs
from juntos_eval.studies.demonstration import EntrantsDemonstration
from juntos_eval.studies.result import DesignResult, TrendMean, score_histograms

__all__ = ["run_comparison", "run_demonstration", "survey_design"]

#: Odds ratios of hidden bias at which the bounds are drawn.
GAMMAS: Final = tuple(round(1.0 + 0.05 * step, 2) for step in range(41))


def survey_design(households: DataFrame) -> SurveyDesign:
    """Return the inference of the survey's own design.

    Strata are domain by size of place, PSUs the clusters of dwellings. The design is that of every
    household interviewed, so that a subpopulation is a domain of it; a stratum with one PSU is centred at
    the mean of all.

    Parameters
    ----------
    households : pandas.DataFrame
        The analysis table of one year, every row.

    Returns
    -------
    SurveyDesign
    """
    return SurveyDesign.of(households, strata="stratum", psu="psu", lonely="adjust")


def run_comparison(comparison: Comparison, households: DataFrame) -> tuple[DesignResult, ...]:
    """Estimate a comparison by every design, with balance, overlap and sensitivity beside it.

    Parameters
    ----------
    comparison : Comparison
    households : pandas.DataFrame
        The analysis table of its year, every row.

    Returns
    -------
    tuple of DesignResult
        In the order of :func:`designs`.

    Raises
    ------
    DesignError
        If nobody is left to compare, or the covariates tell the arms apart.
    """
    inference = survey_design(households)
    adjusted = comparison.adjusted_for(households)
    sample, dropped = adjusted.sample(households)
    return tuple(_run_design(adjusted, name, sample, dropped, inference) for name in designs(adjusted))


def _run_design(
    comparison: Comparison, name: str, sample: DataFrame, dropped: dict[str, int], inference: Inference
) -> DesignResult:
    estimator = designs(comparison)[name]
    estimate = _with_dropped(estimator.fit(sample, inference=inference), dropped)
    if not isinstance(estimator, (Matching, Weighting, AIPW)):
        return DesignResult(part=comparison.id, design=name, estimate=estimate)
    design = estimator.design(sample)
    score = design.score
    is_paired = name == "nearest_1"
    return DesignResult(
        part=comparison.id,
        design=name,
        estimate=estimate,
        balance=balance(design).tidy(),
        overlap=overlap(design),
        histograms=None if score is None else score_histograms(design, score.linear),
        bounds=_bounds(comparison, design, sample)
        if isinstance(design, MatchedDesign) and is_paired
        else None,
        e_value=_e_value(comparison, estimate, sample) if is_paired else None,
    )


def _bounds(comparison: Comparison, design: MatchedDesign, sample: DataFrame) -> HiddenBiasBounds:
    return rosenbaum_bounds(design, sample, outcome=comparison.outcome, gammas=GAMMAS)


def _e_value(comparison: Comparison, estimate: Estimate, sample: DataFrame) -> EValue:
    """Return the E-value: of shares at the mean of the estimate's own matches, of scores by their spread."""
    if comparison.scale == "share":
        return e_value(estimate)
    outcome = sample[comparison.outcome].to_numpy(dtype=np.float64)
    weights = sample["analysis_weight"].to_numpy(dtype=np.float64)
    centre = np.average(outcome, weights=weights)
    return e_value(estimate, outcome_sd=float(np.sqrt(np.average((outcome - centre) ** 2, weights=weights))))


def run_demonstration(demonstration: EntrantsDemonstration, linked: DataFrame) -> DesignResult:
    """Estimate the difference-in-differences of entrants.

    Parameters
    ----------
    demonstration : EntrantsDemonstration
    linked : pandas.DataFrame
        Two rows a linked household.

    Returns
    -------
    DesignResult
        With a check that says that no period before tests the trends.

    Raises
    ------
    DesignError
        If nobody entered or nobody stayed out.
    """
    sample, dropped = demonstration.sample(linked)
    # every linked household, as interviewed first: the sample is a domain of them
    inference = survey_design(linked[linked["year"] == linked["year"].min()])
    estimate = _with_dropped(demonstration.estimator().fit(sample, inference=inference), dropped)
    return DesignResult(
        part=demonstration.id,
        design="entrants_did",
        estimate=estimate,
        trend=_trend(demonstration, sample, inference),
    )


def _trend(
    demonstration: EntrantsDemonstration, sample: DataFrame, inference: Inference
) -> tuple[TrendMean, ...]:
    means = []
    for year in sorted(sample["year"].unique()):
        rows = sample[sample["year"] == year]
        estimate = Mean(outcome=demonstration.outcome, by="is_entrant", weights="analysis_weight").fit(
            rows, inference=inference
        )
        limits = estimate.interval()
        for position, group in enumerate(estimate.keys["group"]):
            means.append(
                TrendMean(
                    is_treated=str(group) == "1",
                    year=int(year),
                    mean=float(estimate.values[position]),
                    std_error=float(estimate.uncertainty.std_error[position]),
                    interval=(float(limits[position, 0]), float(limits[position, 1])),
                    n=int((rows["is_entrant"].astype(str) == str(group)).sum()),
                )
            )
    return tuple(means)


def _with_dropped(estimate: Estimate, dropped: dict[str, int]) -> Estimate:
    """Return the estimate with those left out before it in its sample, the first rule first."""
    sample: Sample = replace(
        estimate.sample, dropped=FrozenMapping({**dropped, **dict(estimate.sample.dropped)})
    )
    return replace(estimate, sample=sample)
