"""Every estimator and every inference that the contract suite asks; a new one is an entry here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pandas as pd
import pytest

from juntos_eval.estimate import Estimate, Estimator, Inference
from juntos_eval.estimators.did import (
    ContinuousDiD,
    DoublyRobust,
    EventStudy,
    ExtendedTwoWay,
    GroupTime,
    Imputation,
    InstantaneousDiD,
    InteractionWeighted,
    Intertemporal,
    LocalProjections,
    Stacked,
    TripleDifference,
    TwoStageImputation,
)
from juntos_eval.estimators.did.matched import MatchedDiD
from juntos_eval.estimators.iv import TwoStage
from juntos_eval.estimators.matching import (
    AIPW,
    IPWRA,
    CrossFittedAIPW,
    Matching,
    RegressionAdjustment,
    Weighting,
)
from juntos_eval.estimators.means import Mean, MeanDifference
from juntos_eval.estimators.panel import Between, FirstDifference, FixedEffects, Mundlak, RandomEffects
from juntos_eval.estimators.rdd import BoundaryRD, CovariateExtrapolation, RegressionDiscontinuity
from juntos_eval.inference.abadie_imbens import AbadieImbens
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.conley import Conley
from juntos_eval.inference.conley_taber import ConleyTaber
from juntos_eval.inference.multiplier_bootstrap import MultiplierBootstrap
from juntos_eval.inference.newey_west import DriscollKraay, NeweyWest
from juntos_eval.inference.robust import Iid, Robust
from juntos_eval.inference.survey_design import SurveyDesign
from juntos_eval.inference.wild_bootstrap import WildBootstrap
from tests.contract import frames


@dataclass(frozen=True, kw_only=True)
class Case:
    """An estimator with the frame it is asked on.

    Columns are named alike in every frame: y (or works) treated x1 x2 area w one stratum psu cluster
    district, and where there are periods unit year.
    """

    estimator: Estimator
    frame: Callable[[], pd.DataFrame]
    offers: frozenset[str] = frozenset()  # what else than influence its fit has for inference
    order: str = ""  # the documented rule by which the order of rows matters, if it does
    keeps_incomplete: bool = False  # units that miss a period stay
    refuses: frozenset[str] = frozenset()  # inferences that refit another model than this
    own_error: str = ""  # what its default error has that no inference gives
    takes_doses: bool = False  # its treatment may be any number, and is not the column "treated"
    is_level: bool = False  # moves with the outcome, as a mean does and an effect does not

    def fit(self, frame: pd.DataFrame | None = None, **arguments: Any) -> Estimate:
        """Fit on a frame; on the case's own frame once only, for an estimate cannot be changed."""
        if frame is None:
            return _fit_once(self, tuple(arguments.items()))
        return self.estimator.fit(frame, **arguments)

    def choosing(self, **choices: Any) -> Case:
        """The case with other choices of its estimator."""
        return replace(self, estimator=replace(self.estimator, **choices))  # type: ignore[type-var]

    def has(self, choice: str) -> bool:
        """Whether the estimator has the choice, and something is chosen there."""
        if choice == "treatment" and self.takes_doses:
            return False
        return getattr(self.estimator, choice, None) not in (None, ())

    @property
    def is_smooth(self) -> bool:
        """Whether influence is the derivative of the estimate, and not of a model of it."""
        if isinstance(self.estimator, Intertemporal):
            return self.estimator.variance == "unconditional"
        return not isinstance(self.estimator, Matching | MatchedDiD | RandomEffects | CrossFittedAIPW)


@cache
def _fit_once(case: Case, arguments: tuple[tuple[str, Any], ...]) -> Estimate:
    return case.estimator.fit(case.frame(), **dict(arguments))


@dataclass(frozen=True, kw_only=True)
class Rule:
    """An inference, what of a fit it needs, and how it hangs on the order of rows or labels."""

    inference: Inference
    needs: str = ""
    order: str = ""
    labels: str = ""
    error_of: str = ""  # the inference whose standard error it reports beside p values of its own

    def suits(self, case: Case) -> bool:
        refused = type(self.inference).__name__ in case.refuses
        return not refused and (not self.needs or self.needs in case.offers)


_leverage, _matched = frozenset({"leverage"}), frozenset({"matched"})
_alone = _leverage | {"one value of least squares"}


def _on(frame: Callable[[], pd.DataFrame], estimator: Estimator, **rest: Any) -> Case:
    return Case(estimator=estimator, frame=frame, **rest)


_adjusted: dict[str, Any] = {
    "outcome": "y",
    "treatment": "treated",
    "covariates": ("x1", "x2", "area"),
    "weights": "w",
}
_panel: dict[str, Any] = {"outcome": "y", "unit": "unit", "time": "year", "treatment": "treated"}
_staggered: dict[str, Any] = {"outcome": "y", "unit": "unit", "time": "year", "first_treated": "start"}
_switching: dict[str, Any] = {"outcome": "y", "unit": "unit", "time": "year", "treatment": "status"}
_repeated: dict[str, Any] = {"outcome": "y", "time": "year", "treatment": "treated", "panel": False}

ESTIMATORS: dict[str, Case] = {
    "Mean": _on(frames.cross_section, Mean(outcome="y"), is_level=True, offers=_alone),
    "Mean by group": _on(frames.cross_section, Mean(outcome="y", by="area", weights="w"), is_level=True),
    "MeanDifference": _on(
        frames.cross_section,
        MeanDifference(outcome="y", treatment="treated", weights="w"),
        offers=_alone,
    ),
    "Matching, 1:1 without replacement": _on(
        frames.cross_section, Matching(**_adjusted, caliper=0.3), offers=_matched
    ),
    "Matching, 1:3 with replacement, ATE": _on(
        frames.cross_section,
        Matching(**_adjusted, estimand="ate", ratio=3, replace=True),
        offers=_matched,
    ),
    "Matching, Mahalanobis, bias-adjusted": _on(
        frames.cross_section,
        Matching(**_adjusted, distance="mahalanobis", replace=True, bias_adjust=True),
        offers=_matched,
    ),
    "Matching, optimal pairs": _on(
        frames.cross_section, Matching(**_adjusted, method="optimal", caliper=0.3), offers=_matched
    ),
    "Matching, full": _on(frames.cross_section, Matching(**_adjusted, method="full"), offers=_matched),
    "Matching, subclasses": _on(
        frames.cross_section,
        Matching(**_adjusted, method="subclass", subclasses=5, estimand="ate"),
        offers=_matched,
    ),
    "Matching, coarsened": _on(
        frames.cross_section, Matching(**_adjusted, method="cem", cutpoints={"x1": 3}), offers=_matched
    ),
    "Matching, kernel": _on(frames.cross_section, Matching(**_adjusted, method="kernel")),
    "Matching, local-linear": _on(
        frames.cross_section, Matching(**_adjusted, method="local_linear", bandwidth=0.15)
    ),
    "Weighting, ipw": _on(frames.cross_section, Weighting(**_adjusted)),
    "Weighting, cbps": _on(frames.cross_section, Weighting(**_adjusted, method="cbps")),
    "Weighting, cbps, over-identified": _on(
        frames.cross_section,
        Weighting(**_adjusted, method="cbps", estimand="ate", over_identified=True, gmm="continuous"),
    ),
    "Weighting, entropy": _on(frames.cross_section, Weighting(**_adjusted, method="entropy")),
    "Weighting, overlap": _on(frames.cross_section, Weighting(**_adjusted, method="overlap")),
    "RegressionAdjustment": _on(frames.cross_section, RegressionAdjustment(**_adjusted)),
    "AIPW": _on(frames.cross_section, AIPW(**_adjusted, estimand="ate")),
    "CrossFittedAIPW": _on(
        frames.cross_section,
        CrossFittedAIPW(
            **_adjusted, score="logit", outcome_model="linear", folds=3, repetitions=2, fold_by="cluster"
        ),
        order="folds are dealt to rows in the order of the data",
    ),
    "IPWRA": _on(frames.cross_section, IPWRA(**_adjusted)),
    "FixedEffects, one absorbed": _on(
        frames.cross_section,
        FixedEffects(outcome="y", covariates=("treated", "x1", "area"), absorb=("stratum",), weights="w"),
        offers=_leverage,
    ),
    "FixedEffects, two absorbed": _on(
        frames.cross_section,
        FixedEffects(outcome="y", covariates=("treated", "x1", "x2:treated"), absorb=("area", "stratum")),
        offers=_leverage,
    ),
    "RandomEffects": _on(
        frames.panel,
        RandomEffects(outcome="y", covariates=("x3", "x1", "treated"), unit="unit", time="year"),
        offers=_leverage,
        keeps_incomplete=True,
    ),
    "Mundlak": _on(
        frames.panel,
        Mundlak(outcome="y", covariates=("x1", "x3"), unit="unit", time="year", weights="w"),
        offers=_leverage,
        keeps_incomplete=True,
    ),
    "Between": _on(
        frames.panel,
        Between(outcome="y", covariates=("x1", "x3"), unit="unit", time="year"),
        offers=_leverage,
        keeps_incomplete=True,
    ),
    "FirstDifference": _on(
        frames.panel,
        FirstDifference(outcome="y", covariates=("x3", "x1:year"), unit="unit", time="year"),
        offers=_leverage,
        keeps_incomplete=True,
    ),
    "TwoStage": _on(
        frames.cross_section,
        TwoStage(
            outcome="y", endogenous=("treated",), instruments=("offer",), covariates=("x1",), absorb=("area",)
        ),
        offers=_leverage,
    ),
    "TwoStage, LIML": _on(
        frames.cross_section,
        TwoStage(
            outcome="y",
            endogenous=("treated",),
            instruments=("offer", "x2"),
            covariates=("x1",),
            absorb=("stratum",),
            weights="w",
            method="liml",
        ),
        offers=_leverage,
        refuses=frozenset({"WildBootstrap"}),
    ),
    "RegressionDiscontinuity": _on(
        frames.cross_section,
        RegressionDiscontinuity(
            outcome="y",
            running="x1",
            bandwidth=(1.2, 1.0),
            bias_bandwidth=1.6,
            covariates=("x2", "area"),
            weights="w",
        ),
        own_error="residuals by nearest neighbours",
    ),
    "CovariateExtrapolation": _on(
        frames.cross_section,
        CovariateExtrapolation(outcome="y", running="x1", covariates=("x2", "area"), window=9, weights="w"),
    ),
    "BoundaryRD, location": _on(
        frames.cross_section,
        BoundaryRD(
            outcome="y",
            running="x1",
            latitude="x1",
            longitude="x2",
            method="location",
            order=0,
            points=((0, 0), (0, 1)),
            bandwidth=160,
        ),
        own_error="small-sample factors of each side",
    ),
    "BoundaryRD, polynomial": _on(
        frames.cross_section,
        BoundaryRD(
            outcome="y",
            running="x1",
            latitude="x1",
            longitude="x2",
            method="polynomial",
            degree=1,
            segment="area",
            weights="w",
        ),
        offers=_leverage,
    ),
    "DoublyRobust": _on(
        frames.two_periods, DoublyRobust(**_panel, covariates=("x1", "x2", "area"), weights="w")
    ),
    "DoublyRobust, traditional": _on(
        frames.two_periods, DoublyRobust(**_panel, covariates=("x1", "x2"), method="traditional")
    ),
    "DoublyRobust, ipw": _on(
        frames.two_periods, DoublyRobust(**_panel, covariates=("x1", "x2"), method="ipw")
    ),
    "DoublyRobust, reg": _on(
        frames.two_periods, DoublyRobust(**_panel, covariates=("x1", "area"), method="reg")
    ),
    "DoublyRobust, repeated cross-sections": _on(
        frames.two_periods, DoublyRobust(**_repeated, covariates=("x1", "x2"), weights="w")
    ),
    "MatchedDiD": _on(
        frames.two_periods, MatchedDiD(**_panel, covariates=("x1", "x2", "area"), weights="w", bandwidth=0.2)
    ),
    "MatchedDiD, repeated cross-sections": _on(
        frames.two_periods, MatchedDiD(**_repeated, covariates=("x1", "x2"), bandwidth=0.2)
    ),
    "GroupTime": _on(frames.staggered, GroupTime(**_staggered, covariates=("x1", "area"), weights="w")),
    "GroupTime, not yet, ipw, universal": _on(
        frames.staggered,
        GroupTime(**_staggered, covariates=("x1",), control="not_yet", method="ipw", base="universal"),
    ),
    "EventStudy": _on(
        frames.staggered,
        EventStudy(**_staggered, weights="w", window=(-2, 1)),
        offers=_leverage,
        keeps_incomplete=True,
    ),
    "EventStudy, cross-sections": _on(
        frames.staggered,
        EventStudy(outcome="y", time="year", first_treated="start", covariates=("x1",)),
        offers=_leverage,
    ),
    "InteractionWeighted": _on(
        frames.staggered,
        InteractionWeighted(**_staggered, weights="w"),
        offers=_leverage,
        keeps_incomplete=True,
    ),
    "InteractionWeighted, shares estimated": _on(
        frames.staggered,
        InteractionWeighted(**_staggered, shares="estimated"),
        keeps_incomplete=True,
    ),
    "Imputation": _on(frames.staggered, Imputation(**_staggered, by="event_time"), keeps_incomplete=True),
    "InstantaneousDiD": _on(
        frames.staggered,
        InstantaneousDiD(**_switching, weights="w"),
        keeps_incomplete=True,
        takes_doses=True,
    ),
    "Intertemporal": _on(
        frames.staggered,
        Intertemporal(**_switching, weights="w", absorb=("area",)),
        keeps_incomplete=True,
        takes_doses=True,
    ),
    "Intertemporal, unconditional, covariates": _on(
        frames.staggered,
        Intertemporal(**_switching, covariates=("x3", "x1"), variance="unconditional", normalised=True),
        keeps_incomplete=True,
        takes_doses=True,
    ),
    "ExtendedTwoWay": _on(
        frames.staggered,
        ExtendedTwoWay(**_staggered, covariates=("x1",), weights="w", by="event_time"),
        offers=_leverage,
        keeps_incomplete=True,
    ),
    "Stacked": _on(
        frames.staggered,
        Stacked(**_staggered, before=2, after=0, weights="w", aggregate="cohort"),
        own_error="rows of the stacks count, and not those of the data",
        keeps_incomplete=True,
    ),
    "LocalProjections": _on(
        frames.staggered,
        LocalProjections(**_staggered, horizons=(-2, 0, 1), weights="w"),
        own_error="each horizon has the small-sample factor of its own regression",
        keeps_incomplete=True,
    ),
    "ContinuousDiD": _on(
        frames.staggered,
        ContinuousDiD(**_staggered, dose="dose", degree=2, doses=(0.75, 1.0, 1.5), weights="w"),
    ),
    "TripleDifference": _on(
        frames.staggered,
        TripleDifference(**_staggered, eligible="x2", covariates=("x1",), weights="w"),
    ),
    "TripleDifference, unbalanced": _on(
        frames.staggered,
        TripleDifference(**_staggered, eligible="x2", method="reg", base="universal", balanced=False),
        keeps_incomplete=True,
    ),
    "TwoStageImputation": _on(
        frames.staggered, TwoStageImputation(**_staggered, weights="w"), keeps_incomplete=True
    ),
    "GroupTime, unbalanced": _on(
        frames.staggered, GroupTime(**_staggered, covariates=("x1",), method="reg", balanced=False)
    ),
}

# Estimators whose outcome cannot be any number, or whose values are not free of the scale of weights, and
# those that fit another estimator again: their own tests ask them the promises that they can keep.
ASKED_IN_THEIR_OWN_TESTS = frozenset(
    {"Proportion", "Quantile", "Ratio", "Total"}
    | {"LinearProbability", "Logit", "Poisson", "Probit"}
    | {"BalancedReplication", "Bootstrap", "Jackknife", "ReplicateWeights", "SurveyBootstrap"}
    | {"Randomization"}
    | {"PartiallyLinear"}  # its treatment may be a dose
    | {"DoseResponse", "EffectsBy"}
    | {
        "Dominance",
        "GrowthIncidence",
        "Inequality",
        "LorenzCurve",
        "Poverty",
        "PovertyChange",
        "Redistribution",
    }
    | {"BayesianShrinkage", "MetaAnalysis", "SelectionModel"}  # rows are studies, weighed by their own errors
    | {"CumulativeRD", "MultiCutoffRD", "MultiScoreRD", "DifferenceInDiscontinuities"}
    | {"MultiCutoffExtrapolation"}  # its rows must face two cutoffs
    | {"ChangesInChanges"}  # quantiles change places when the outcome changes its sign
    | {"RandomTiming"}  # no sampling weights: the error is of who is treated when
    | {"SyntheticControl", "SyntheticDiD"}  # no sampling weights; influence is the jackknife's, weights held
    | {"HonestRD"}  # its intervals know a largest bias, which another inference of a fit would not
    | {"ComplierEffect", "ComplierMeans", "HorowitzManskiBounds", "LeeBounds", "ManskiBounds"}
)
# of pooled studies, whose errors are known: no other fit can be asked with them
OF_STUDIES = frozenset({"KnappHartung", "KnownVariance"})

_DRAWS = "draws go to rows in the order of the data"
_LABELS = "draws go to clusters in the order of their labels"

INFERENCES: dict[str, Rule] = {
    "Iid": Rule(inference=Iid(), needs="leverage"),
    "Robust HC0": Rule(inference=Robust("HC0")),
    "Robust HC1": Rule(inference=Robust("HC1")),
    "Robust HC2": Rule(inference=Robust("HC2"), needs="leverage"),
    "Robust HC3": Rule(inference=Robust("HC3"), needs="leverage"),
    "Cluster CR0": Rule(inference=Cluster("cluster", kind="CR0")),
    "Cluster CR1": Rule(inference=Cluster("cluster")),
    "Cluster CR1S": Rule(inference=Cluster("cluster", kind="CR1S")),
    "Cluster, two ways": Rule(inference=Cluster(("cluster", "district"))),
    "Cluster CR2": Rule(inference=Cluster("cluster", kind="CR2"), needs="leverage"),
    "Cluster CR3": Rule(inference=Cluster("cluster", kind="CR3"), needs="leverage"),
    "WildBootstrap": Rule(
        inference=WildBootstrap(by="cluster", draws=199, seed=3, level=None),
        needs="leverage",
        error_of="Cluster CR1S",
    ),
    "NeweyWest": Rule(
        inference=NeweyWest(unit="district", time="stratum", lags=1), labels="labels of periods have an order"
    ),
    "DriscollKraay": Rule(
        inference=DriscollKraay(time="district", lags=2), labels="labels of periods have an order"
    ),
    "ConleyTaber": Rule(
        inference=ConleyTaber(by="district", time="stratum", treatment="policy", draws=199),
        needs="one value of least squares",
        labels=_LABELS,
    ),
    "Conley": Rule(inference=Conley(lat="x1", lon="x2", cutoff_km=30, kernel="bartlett")),
    "SurveyDesign": Rule(inference=SurveyDesign(strata="stratum", psu="psu")),
    "SurveyDesign, full sample": Rule(
        inference=SurveyDesign.of(frames.cross_section(), strata="stratum", psu="psu"),
        labels="the full sample is remembered by its labels",
    ),
    "AbadieImbens": Rule(inference=AbadieImbens(), needs="matched"),
    "MultiplierBootstrap": Rule(inference=MultiplierBootstrap(draws=199, seed=3), order=_DRAWS),
    "MultiplierBootstrap by cluster": Rule(
        inference=MultiplierBootstrap(draws=199, seed=3, by="cluster", weights="mammen"), labels=_LABELS
    ),
}


def each_estimator(*, having: str = "", smooth: bool = False) -> pytest.MarkDecorator:
    """Parametrise a test by the estimators, or by those that have something chosen there."""
    chosen = {
        name: case
        for name, case in ESTIMATORS.items()
        if (not having or case.has(having)) and (not smooth or case.is_smooth)
    }
    return pytest.mark.parametrize("case", chosen.values(), ids=chosen)


def each_pair(*, free_of: str = "") -> pytest.MarkDecorator:
    """Parametrise a test by the pairs that suit, or by those without a rule on the order or labels."""
    pairs = {
        f"{name}-{other}": (case, rule)
        for name, case in ESTIMATORS.items()
        for other, rule in INFERENCES.items()
        if rule.suits(case) and not (free_of and getattr(rule, free_of))
        if not (free_of == "order" and case.order)
    }
    return pytest.mark.parametrize(("case", "rule"), pairs.values(), ids=pairs)
