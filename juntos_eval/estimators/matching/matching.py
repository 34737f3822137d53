r"""Matching: the effect of a treatment by comparing each row with its likes in the other arm."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from juntos_eval.arrays import Floats, FrozenMapping
from juntos_eval.errors import DesignError
from juntos_eval.estimate import DenseInfluence, Estimate, Fit, Inference, Sample, Uncertainty
from juntos_eval.estimators.design import Selection, groups_to_carry, select, zero_one
from juntos_eval.estimators.matching.adjusted import refuse_other
from juntos_eval.estimators.matching.balance import balance_check
from juntos_eval.estimators.matching.distance import SCORES, SPACES
from juntos_eval.estimators.matching.effect import refuse_outcome
from juntos_eval.estimators.matching.linker import Linker, in_strata
from juntos_eval.estimators.matching.match_arms import (
    common_support,
    exact_blocks,
    match_arms,
    matching_checks,
    place_rows,
)
from juntos_eval.estimators.matching.matched_design import MatchedDesign, matched_weights
from juntos_eval.estimators.matching.matched_effect import matched_effect, matched_structure
from juntos_eval.estimators.matching.matching_choices import (
    OPTIONS,
    PAIRED,
    SMOOTHED,
    STRATIFIED,
    refuse,
    refuse_contradictions,
)
from juntos_eval.estimators.matching.missing_covariates import Missing, fit_settled, settle_missing
from juntos_eval.estimators.matching.score_trimming import rows_between
from juntos_eval.estimators.matching.strata import coarsened, strata_of
from juntos_eval.inference.abadie_imbens import AbadieImbens
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Matching"]

Method = Literal["nearest", "optimal", "full", "radius", "kernel", "local_linear", "subclass", "cem", "exact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    r"""Effect of a treatment by nearest-neighbour, radius or kernel matching.

    With :math:`t_i` the sampling weight of target i (1 without weights), :math:`s_{ij}` the share of row j
    of the other arm in the match of i, and the sum over the targets that have a match,

    .. math::
        \hat\tau = \frac{\sum_i t_i \, (2 D_i - 1) \bigl( y_i - \sum_j s_{ij} y_j \bigr)}{\sum_i t_i}.

    Targets are the treated (ATT), the untreated (ATC) or both (ATE). It identifies the effect if, given the
    covariates, treatment is as good as random, and both arms occur wherever targets do.

    Parameters
    ----------
    treatment : str
        Column of 0 and 1.
    covariates : tuple of str
        Numbers, booleans or categories.
    outcome : str, optional
        Needed to ``fit``. A design never looks at its values; rows where it is missing are left out.
    distance : str
        ``"logit"`` or ``"probit"``: the propensity score; ``"linear_logit"``, ``"linear_probit"``: its
        linear predictor; ``"mahalanobis"``, ``"scaled_euclidean"``, ``"robust_mahalanobis"``: all covariates
        at once; else the name of a numeric column, a score fitted elsewhere, say.
    estimand : {"att", "atc", "ate"}
    method : {"nearest", "optimal", "full", "radius", "kernel", "local_linear", "subclass", "cem", "exact"}
        ``"optimal"`` pairs without replacement so that all distances sum to the least. ``"radius"`` takes
        every row within the caliper, ``"kernel"`` all rows near, weighted by the kernel, ``"local_linear"``
        the line through them, read at the target, which has no bias from a slope nor at the ends of the
        distance (Heckman, Ichimura & Todd 1998); all three need a distance on a line and always let rows
        serve several targets. The others compare rows within strata:
        ``"full"`` makes sets of one row with one or several of the other arm, with the least sum of
        distances; ``"subclass"`` cuts the distance at its quantiles; ``"exact"`` takes rows that agree in
        all covariates, ``"cem"`` those that agree in their bins.
    ratio : int
        Matches a target, for ``"nearest"`` and ``"optimal"``. Without replacement all targets choose once
        before any chooses again.
    ratio_range : tuple of int, optional
        For ``"optimal"``: fewest and most matches of a target, as serves the sum of distances best, with
        ``ratio`` their mean (Ming & Rosenbaum 2001).
    replace : bool
        Whether a row may serve several targets.
    caliper : float, optional
        No match is farther: in standard deviations (n - 1) of the distance over all rows, or in units of
        the Mahalanobis or Euclidean distance itself.
    caliper_in_sd : bool
        False: the caliper is in units of the distance on a line, as probabilities.
    calipers : Mapping of str to float
        For numeric covariates, how far a nearest neighbour may lie in each, in the standard deviations or
        units of ``caliper_in_sd``.
    mahalanobis : tuple of str
        Covariates by whose Mahalanobis distance the nearest neighbour is chosen among the rows inside the
        caliper of the score.
    exact : tuple of str
        Columns in which a match must agree.
    subclasses : int
        How many, for ``"subclass"``.
    cutpoints : Mapping of str to int or tuple of float
        For ``"cem"``: number of equally wide bins of a covariate, or the limits between its bins; by default
        Sturges' number.
    order : {"largest", "smallest", "data", "random", "closest"}
        Who chooses first without replacement; in space, where nothing is largest, "largest" and "smallest"
        are "data". Equals choose as the rows stand. "closest" makes the nearest pair of all first.
    seed : int, optional
        For what is random.
    ties : {"all", "first", "random", "matching"}
        With replacement: all rows as near as the k-th share the match, or k are taken, as the rows stand or
        at random. ``"matching"`` is "all" with distances counted as equal whose squares differ by no more
        than 1e-5 (in standard deviations), as R's Matching does. Without replacement a row cannot be
        shared, and "all" is "first".
    tie_tolerance : float
        Distances that differ by no more are equal, in the units of the caliper.
    kernel : {"epanechnikov", "gaussian", "biweight", "tricube", "uniform"}
    bandwidth : float or {"cv", "undersmoothed"}
        In units of the distance. ``"cv"``: what best predicts outcomes of the comparison arm from one
        another, which is too wide for their mean; ``"undersmoothed"``: that times :math:`n^{1/5 - 1/3}`, so
        that bias vanishes faster than the error. Both designs do look at those outcomes.
    ridge : float
        For ``"local_linear"``, how much the line is drawn towards the mean where few rows are near: a
        multiple of Seifert & Gasser's (2000) rule; 0 is the plain local-linear fit.
    common_support : {None, "minmax", "crump"} or float
        Leave out rows, of both arms: beyond the range of the other arm; or with a score outside
        [a, 1 - a], with a given (0.1, say) or that of Crump et al. (2009), which makes the effect on the rest
        known best. The score is not fitted again.
    bias_adjust : tuple of str or bool
        Covariates whose remaining differences are adjusted by regression; True: the covariates.
    covariance : {"within", "overall"}
        Around the means of the arms (as MatchIt) or of all rows (as Matching and Stata), in space.
    missing : {"drop", "refuse", "indicator"}
        What is done with rows in which a covariate is missing: left out, refused, or kept, with a constant in
        its place and an indicator beside it. They are counted in each case.
    weights : str, optional
        Sampling weights: targets count by them.
    weight_score : bool
        Whether the score is fitted with the sampling weights.
    weight_matches : {"own", "share", "target"}, optional
        How matches count where there are sampling weights: each by its own weight in its arm's mean; by
        the weight of its target, and within a match by its own; or by the weight of its target alone. By
        default "own" for nearest neighbours, "share" for radius, kernel and bias adjustment. "target"
        is biased where weights vary with covariates among rows of the same score.
    estimated_score : bool
        Whether the error of the estimated score is part of the influence, hence of every inference but
        Abadie-Imbens, which takes the score as known.

    Raises
    ------
    DesignError
        For choices that do not exist or contradict each other.

    References
    ----------
    Rosenbaum, P. R. & Rubin, D. B. (1983). The central role of the propensity score in observational studies
    for causal effects. *Biometrika* 70(1), 41–55.

    Abadie, A. & Imbens, G. W. (2006). Large sample properties of matching estimators for average treatment
    effects. *Econometrica* 74(1), 235–267.

    Heckman, J. J., Ichimura, H. & Todd, P. (1997). Matching as an econometric evaluation estimator: evidence
    from evaluating a job training programme. *Review of Economic Studies* 64(4), 605–654.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.matching import Matching
    >>> frame = pd.DataFrame({"d": [1, 0, 0, 1, 0], "age": [20.0, 21.0, 30.0, 44.0, 43.0],
    ...                       "y": [5.0, 4.0, 9.0, 8.0, 3.0]})
    >>> effect = Matching(treatment="d", covariates=("age",), outcome="y", distance="age").fit(frame)
    >>> effect.values.tolist()
    [3.0]
    """

    treatment: str
    covariates: tuple[str, ...]
    outcome: str | None = None
    distance: str = "logit"
    estimand: Literal["att", "atc", "ate"] = "att"
    method: Method = "nearest"
    ratio: int = 1
    ratio_range: tuple[int, int] | None = None
    replace: bool = False
    caliper: float | None = None
    caliper_in_sd: bool = True
    calipers: Mapping[str, float] = field(default_factory=FrozenMapping)
    mahalanobis: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    subclasses: int = 6
    cutpoints: Mapping[str, Any] = field(default_factory=FrozenMapping)
    order: Literal["largest", "smallest", "data", "random", "closest"] = "largest"
    seed: int | None = None
    ties: Literal["all", "first", "random", "matching"] = "all"
    tie_tolerance: float = 1e-10
    kernel: Literal["epanechnikov", "gaussian", "biweight", "tricube", "uniform"] = "epanechnikov"
    bandwidth: float | Literal["cv", "undersmoothed"] = 0.06
    ridge: float = 1.0
    common_support: Literal["minmax", "crump"] | float | None = None
    bias_adjust: tuple[str, ...] | bool = ()
    covariance: Literal["within", "overall"] = "within"
    missing: Missing = "drop"
    weights: str | None = None
    weight_score: bool = True
    weight_matches: Literal["own", "share", "target"] | None = None
    estimated_score: bool = True

    def __post_init__(self) -> None:
        adjust: Any = self.bias_adjust
        adjust = self.covariates if adjust is True else () if adjust is False else adjust
        lists: dict[str, Any] = {
            "covariates": self.covariates,
            "exact": self.exact,
            "mahalanobis": self.mahalanobis,
            "bias_adjust": adjust,
        }
        for name, columns in lists.items():
            if isinstance(columns, str):
                refuse(f"{name} is a tuple of columns", f"{name}={columns!r}")
            object.__setattr__(self, name, tuple(columns))
        for name, allowed in OPTIONS.items():
            refuse_other(name, getattr(self, name), allowed)
        for name in ("cutpoints", "calipers"):
            object.__setattr__(self, name, FrozenMapping(getattr(self, name)))
        refuse_contradictions(self)

    @property
    def has_replacement(self) -> bool:
        """Whether a row may serve several targets."""
        return self.replace or self.method not in PAIRED

    def design(self, data: DataFrame) -> MatchedDesign:
        """Return who is matched with whom, without looking at an outcome.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed.

        Returns
        -------
        MatchedDesign

        Raises
        ------
        DesignError
            For columns that are missing or unusable, a treatment other than 0 and 1, arms that do not
            overlap, and where nobody has a match.
        """
        if self.missing != "drop":
            settled = settle_missing(self, data)
            return settled.estimator.design(settled.frame)  # type: ignore[no-any-return]
        if isinstance(self.bandwidth, str) and self.outcome is None:
            refuse("a bandwidth by cross-validation needs the outcome of the comparison arm", "outcome=None")
        return self._match(self._selected(data, ())[0])

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the effect.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed. Rows without outcome are left out before the design is made.
        inference : Inference, optional
            By default ``AbadieImbens()``, and for kernel and local-linear matching the sum of squared
            influence.
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Term ``att``, ``atc`` or ``ate``.

        Raises
        ------
        DesignError
            As :meth:`design`; also for an outcome that does not vary and where a single row has a match.
        """
        if self.missing != "drop":
            return fit_settled(self, data, inference, carry)
        name = self.outcome or refuse("an effect needs an outcome", f"outcome={self.outcome!r}")
        chosen, adjust = self._selected(data, groups_to_carry(inference, carry))
        outcome = chosen.columns[name]
        refuse_outcome(outcome, zero_one(chosen.columns[self.treatment], self.treatment), name)
        design = self._match(chosen)
        matched = int((design.target > 0).sum())
        if matched < 2:
            raise DesignError(
                "a single matched row has no known error",
                where=f"{matched} of {int(design.is_target.sum())} rows have a match",
                remedy="widen the caliper; the design itself can be looked at without an effect",
            )
        # strata are taken as they came out
        with_score = self.estimated_score and design.score is not None and not design.is_stratified
        score_weights = chosen.weights if self.weight_score else np.ones(chosen.n)
        effect = matched_effect(
            design, outcome, adjust=adjust, score_weights=score_weights if with_score else None
        )
        prepared = inference if isinstance(inference, AbadieImbens) else AbadieImbens()
        is_kernel = self.method in SMOOTHED
        fit = Fit(
            values=np.array([effect.value]),
            influence=DenseInfluence(effect.influence),
            parameters=effect.parameters,
            groups={key: chosen.groups[key] for key in groups_to_carry(inference, carry)},
            matched=None if is_kernel else matched_structure(design, effect, prepared),
        )
        default = partial(_squared_influence, with_score=with_score) if is_kernel else AbadieImbens().infer
        return Estimate(
            spec={"estimator": "Matching", **self._choices()},
            keys={"term": (self.estimand,)},
            values=fit.values,
            uncertainty=default(fit) if inference is None else inference.infer(fit),
            sample=Sample(
                rows=design.n,
                units=design.n,
                treated=int(design.treated.sum()),
                effective=sum(design.effective),
                dropped=chosen.dropped,
            ),
            checks=(balance_check(design), *design.checks),
            details=effect.details(design),
            fit=fit,
            inference=inference or (Robust("HC0") if is_kernel else AbadieImbens()),
        )

    @property
    def smoothing_ridge(self) -> float | None:
        """Ridge of a local-linear fit; None for all else."""
        return self.ridge if self.method == "local_linear" else None

    @property
    def _matches_count_by(self) -> str | None:
        if self.weights is None or self.weight_matches is not None:
            return self.weight_matches
        return "own" if self.method in PAIRED and not self._adjust else "share"

    @property
    def _adjust(self) -> tuple[str, ...]:
        return self.bias_adjust if isinstance(self.bias_adjust, tuple) else ()

    def _choices(self) -> dict[str, Any]:
        """Return the choices with what they come to: ties, order and replacement as they were done."""
        shown = asdict(self)
        shown |= {"replace": self.has_replacement, "weight_matches": self._matches_count_by}
        if not self.has_replacement and self.ties in {"all", "matching"}:
            shown["ties"] = "first"
        if self.distance in SPACES and self.order in {"largest", "smallest"}:
            shown["order"] = "data"
        return shown

    def _selected(self, data: DataFrame, carry: tuple[str, ...]) -> tuple[Selection, Floats | None]:
        """Return the complete rows as arrays, and the covariates of the bias adjustment."""
        column = () if self.distance in SCORES or self.distance in SPACES else (self.distance,)
        asked = partial(
            select,
            numeric=(*((self.outcome,) if self.outcome else ()), *column),
            required=(self.treatment,),
            weights=self.weights,
            carry=(*self.exact, *carry),
        )
        if not self._adjust:
            return asked(data, covariates=self.covariates), None
        every = asked(data, covariates=(*self.covariates, *self._adjust))
        columns = [*self.covariates, *self._adjust, *every.columns, *every.groups]
        columns += [self.weights] if self.weights else []
        rows = data[list(dict.fromkeys(columns))].iloc[every.rows]
        chosen = asked(rows, covariates=self.covariates)
        adjust = select(rows, covariates=self._adjust).covariates
        return dataclasses.replace(chosen, rows=every.rows, dropped=every.dropped), adjust

    def _match(self, chosen: Selection) -> MatchedDesign:
        treated = zero_one(chosen.columns[self.treatment], self.treatment)
        blocks = exact_blocks(chosen.groups, self.exact, chosen.n)
        if self.method in {"exact", "cem"}:
            columns = chosen.covariates
            if self.method == "cem":
                columns = coarsened(columns, chosen.covariate_names, self.cutpoints)
            places, score = in_strata(strata_of(columns, blocks)), None
        else:
            places, score = place_rows(
                chosen,
                treated,
                blocks,
                distance=self.distance,
                covariance=self.covariance,
                weight_score=self.weight_score,
            )
        supported = np.ones(chosen.n, dtype=np.bool_)
        if self.common_support == "minmax":
            supported = common_support(places, treated)
        elif self.common_support is not None and score is not None:
            supported, _ = rows_between(score, treated, chosen.weights, self.common_support)
        counts, ones = self._matches_count_by, np.ones(chosen.n)
        base = chosen.weights if counts == "share" else ones
        linker = Linker(choices=self, chosen=chosen, treated=treated, supported=supported, base=base)
        places = linker.places(places)
        matches = match_arms(treated, supported, base, self.estimand, linker.links(places))
        target, use = matched_weights(matches, ones if counts == "own" else chosen.weights)
        design = MatchedDesign(
            rows=chosen.rows,
            treated=treated,
            covariates=chosen.covariates,
            covariate_names=chosen.covariate_names,
            base_weights=chosen.weights,
            estimand=self.estimand,
            score=score,
            places=places,
            matches=matches,
            target=target,
            use=use,
            is_supported=supported,
            counts_own=counts == "own",
            is_stratified=self.method in STRATIFIED and self.method != "full",
            has_replacement=self.has_replacement,
            tolerance=self.tie_tolerance * places.unit,
            dropped=chosen.dropped,
        )
        checks = () if score is None else score.checks
        return dataclasses.replace(design, checks=(*checks, *matching_checks(design, self.ratio)))


def _squared_influence(fit: Fit, *, with_score: bool) -> Uncertainty:
    score = "error of the score included" if with_score else "matching variable known"
    return dataclasses.replace(Robust("HC0").infer(fit), method=f"squared influence ({score})")
