"""Designs by weighting: what a score or entropy makes of a raw comparison, without any outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats, FrozenMapping, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check
from juntos_eval.estimators.matching.adjusted import RawDesign
from juntos_eval.estimators.matching.arm_weights import (
    ArmWeights,
    entropy_arm_weights,
    moment_columns,
    score_arm_weights,
)
from juntos_eval.estimators.matching.covariate_balancing import StackedScore, fit_balancing_score
from juntos_eval.estimators.matching.effect import kish
from juntos_eval.estimators.matching.nuisances import FittedScore, KnownScore, ScoreModel, score_model
from juntos_eval.estimators.matching.overlap import overlap_checks
from juntos_eval.estimators.matching.score import Score, fit_score
from juntos_eval.estimators.matching.score_trimming import WeightLimits, trimmed_rows
from juntos_eval.estimators.matching.truncated_weights import clip_score, stabilised_arms, truncated_arms

__all__ = [
    "WeightedDesign",
    "weigh_by_entropy",
    "weigh_by_known_score",
    "weigh_by_score",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedDesign:
    """A comparison adjusted by weights; see :class:`~juntos_eval.estimators.matching.adjusted.Design`.

    Attributes
    ----------
    raw : RawDesign
        The n rows before adjustment.
    method : str
        ``ipw``, ``cbps``, ``overlap``, ``entropy`` or ``cross-fitted``.
    score : Score or None
        Of the n rows; None for entropy balancing, which has a dual instead.
    kept_score : Score or None
        The score that made the weights: fitted again after trimming, else the same.
    model : ScoreModel or StackedScore or None
        That score with the influence of its coefficients.
    is_kept : numpy.ndarray of bool, shape (n,)
        Rows that were not trimmed; m of them.
    arms : ArmWeights
        Weights of the m kept rows, and how they move with what was estimated.
    details : Mapping
        Numbers of the score or of the entropy balance.
    dropped : Mapping of str to int
        Trimmed rows, by reason.
    checks : tuple of Check

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.weighting import Weighting
    >>> frame = pd.DataFrame({"d": [1, 1, 0, 0, 0], "age": [1, 2, 1, 2, 2]})
    >>> design = Weighting(treatment="d", covariates=("age",)).design(frame)
    >>> design.design_weights.round(6).tolist()
    [1.0, 1.0, 1.0, 0.5, 0.5]
    """

    raw: RawDesign
    method: str
    score: Score | None
    kept_score: Score | None
    model: ScoreModel | StackedScore | None
    is_kept: Bools
    arms: ArmWeights
    details: Mapping[str, object]
    dropped: Mapping[str, int]
    checks: tuple[Check, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_kept", frozen(self.is_kept, np.bool_))
        object.__setattr__(self, "details", FrozenMapping(self.details))
        object.__setattr__(self, "dropped", FrozenMapping(self.dropped))

    @property
    def rows(self) -> Codes:
        """Positions of the n rows in the frame."""
        return self.raw.rows

    @property
    def treated(self) -> Bools:
        """Rows that are treated, shape (n,)."""
        return self.raw.treated

    @property
    def covariates(self) -> Floats:
        """Covariates, shape (n, p)."""
        return self.raw.covariates

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the covariates."""
        return self.raw.covariate_names

    @property
    def base_weights(self) -> Floats:
        """Sampling weights, shape (n,)."""
        return self.raw.base_weights

    @property
    def design_weights(self) -> Floats:
        """Sampling weights times the adjustment, shape (n,); zero for trimmed rows."""
        weights = np.zeros(len(self.is_kept))
        weights[self.is_kept] = self.arms.total
        return frozen(weights)

    @property
    def estimand(self) -> str:
        """Whose effect is asked about."""
        return self.raw.estimand


def weigh_by_score(
    raw: RawDesign,
    *,
    link: str,
    weight_score: bool,
    limits: WeightLimits | None = None,
    balancing: str | None = None,
) -> WeightedDesign:
    """Weigh by inverse propensity scores (or overlap weights, for the ATO).

    Parameters
    ----------
    raw : RawDesign
        Its estimand decides on the weights.
    link : {"logit", "probit"}
    weight_score : bool
        Whether sampling weights enter the score's likelihood.
    limits : WeightLimits, optional
        What keeps weights from running away; by default nothing.
    balancing : {"exact", "two_step", "continuous"}, optional
        A covariate balancing score: just identified, or by GMM together with the likelihood.

    Returns
    -------
    WeightedDesign

    Raises
    ------
    DesignError
        For separation, scores next to 0 or 1, or trimming that empties an arm.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.adjusted import raw_design
    >>> from juntos_eval.estimators.matching.weighted_design import weigh_by_score
    >>> frame = pd.DataFrame({"d": [1, 1, 0, 0, 0], "age": [1, 2, 1, 2, 2]})
    >>> raw = raw_design(frame, treatment="d", covariates=("age",))
    >>> weigh_by_score(raw, link="logit", weight_score=True).details["link"]
    'logit'
    """
    limits = limits or WeightLimits()
    everyone = np.ones(len(raw.treated), dtype=np.bool_)
    score, model = _fit(raw, everyone, link, weight_score, balancing)
    kept, reason, bound_check = trimmed_rows(score, raw.treated, raw.base_weights, limits.trim)
    used = score
    if not kept.all():
        used, model = _fit(raw, kept, link, weight_score, balancing)
    base, treated = raw.base_weights[kept], raw.treated[kept]
    arms, limit_checks = _limited(model, treated, base, raw.estimand, limits)
    return WeightedDesign(
        raw=raw,
        method="cbps" if balancing else "overlap" if raw.estimand == "ato" else "ipw",
        score=score,
        kept_score=used,
        model=model,
        is_kept=kept,
        arms=arms,
        details={
            "link": used.link,
            "score_coefficients": dict(zip(used.names, used.coefficients.tolist(), strict=True)),
        },
        dropped={reason: int((~kept).sum())} if not kept.all() else {},
        checks=(
            *used.checks,
            *bound_check,
            *limit_checks,
            *overlap_checks(used, treated, base, raw.estimand),
            _concentration(arms, treated),
        ),
    )


def weigh_by_known_score(raw: RawDesign, score: Score, checks: tuple[Check, ...]) -> WeightedDesign:
    """Weigh by inverse scores that were had elsewhere, and are taken as known.

    Parameters
    ----------
    raw : RawDesign
    score : Score
        Of its rows.
    checks : tuple of Check
        What is to be said of the score.

    Returns
    -------
    WeightedDesign

    Raises
    ------
    DesignError
        For scores next to 0 or 1.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.adjusted import raw_design
    >>> from juntos_eval.estimators.matching.cross_fitting import learned
    >>> from juntos_eval.estimators.matching.weighted_design import weigh_by_known_score
    >>> raw = raw_design(pd.DataFrame({"d": [1, 0], "age": [1, 2]}), treatment="d", covariates=("age",))
    >>> weigh_by_known_score(raw, learned(np.array([0.5, 0.75]), "forest"), ()).design_weights.tolist()
    [1.0, 3.0]
    """
    treated, base = raw.treated, raw.base_weights
    arms = score_arm_weights(KnownScore(probability=score.probability), treated, base, raw.estimand)
    return WeightedDesign(
        raw=raw,
        method="cross-fitted",
        score=score,
        kept_score=score,
        model=None,
        is_kept=np.ones(len(treated), dtype=np.bool_),
        arms=arms,
        details={"link": score.link},
        dropped={},
        checks=(*checks, *overlap_checks(score, treated, base, raw.estimand), _concentration(arms, treated)),
    )


def weigh_by_entropy(raw: RawDesign, *, moments: int, tolerance: float) -> WeightedDesign:
    """Weigh by entropy balancing: exact balance of moments, as close to the sampling weights as can be.

    Parameters
    ----------
    raw : RawDesign
    moments : int
        1 to 3.
    tolerance : float
        Largest imbalance, in standard deviations.

    Returns
    -------
    WeightedDesign

    Raises
    ------
    DesignError
        If no covariate varies or no weights balance.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.adjusted import raw_design
    >>> from juntos_eval.estimators.matching.weighted_design import weigh_by_entropy
    >>> frame = pd.DataFrame({"d": [1, 1, 0, 0, 0], "age": [1, 2, 1, 2, 2]})
    >>> raw = raw_design(frame, treatment="d", covariates=("age",))
    >>> weigh_by_entropy(raw, moments=1, tolerance=1e-12).design_weights.round(6).tolist()
    [1.0, 1.0, 1.0, 0.5, 0.5]
    """
    columns, names = moment_columns(raw.covariates, raw.covariate_names, moments)
    if not names:
        raise DesignError(
            "no covariate varies, so there is nothing to balance",
            where=f"covariates {', '.join(raw.covariate_names) or 'none'}, {len(raw.treated)} rows",
            remedy="give covariates that differ between rows",
        )
    arms, balances = entropy_arm_weights(
        columns, names, raw.treated, raw.base_weights, raw.estimand, tolerance
    )
    constant = [name for name in raw.covariate_names if name not in names]
    redundant = sorted({names[j] for found in balances.values() for j in found.redundant})
    checks = [Check("constant covariates", None, f"left out: {', '.join(constant)}")] if constant else []
    if redundant:
        checks.append(
            Check("collinear covariates", None, f"balanced together with others: {', '.join(redundant)}")
        )
    worst = max(found.imbalance for found in balances.values())
    checks.append(
        Check("entropy balance", True, f"{len(names)} moments balanced to {worst:.1e} standard deviations")
    )
    return WeightedDesign(
        raw=raw,
        method="entropy",
        score=None,
        kept_score=None,
        model=None,
        is_kept=np.ones(len(raw.treated), dtype=np.bool_),
        arms=arms,
        details={
            "moments": list(names),
            "imbalance": worst,
            "iterations": {arm: found.iterations for arm, found in balances.items()},
        },
        dropped={},
        checks=(*checks, _concentration(arms, raw.treated)),
    )


def _fit(
    raw: RawDesign, kept: Bools, link: str, weight_score: bool, balancing: str | None
) -> tuple[Score, ScoreModel | StackedScore]:
    base, treated = raw.base_weights[kept], raw.treated[kept]
    if balancing is not None:
        return fit_balancing_score(
            treated,
            raw.covariates[kept],
            raw.covariate_names,
            base,
            estimand=raw.estimand,
            gmm=None if balancing == "exact" else balancing,
        )
    weights = base if weight_score else np.ones(len(base))
    score = fit_score(treated, raw.covariates[kept], raw.covariate_names, weights, link=link)
    return score, score_model(score, treated, weights)


def _limited(
    model: ScoreModel | StackedScore, treated: Bools, base: Floats, estimand: str, limits: WeightLimits
) -> tuple[ArmWeights, tuple[Check, ...]]:
    """Return the weights of both arms within their limits, and what the limits did."""
    checks: tuple[Check, ...] = ()
    score: FittedScore = model
    if limits.clip is not None:
        score = clip_score(model, limits.clip)
        moved = score.probability != model.probability
        detail = (
            f"scores drawn in to [{limits.clip:g}, {1.0 - limits.clip:g}]: {int((moved & treated).sum())} "
            f"treated and {int((moved & ~treated).sum())} untreated rows"
        )
        checks = (Check("clipped scores", None, detail),)
    arms = score_arm_weights(score, treated, base, estimand)
    if limits.truncate is not None:
        arms, cut = truncated_arms(arms, treated, base, limits.truncate)
        checks = (*checks, *cut)
    return (stabilised_arms(arms, treated, base) if limits.stabilised else arms), checks


def _concentration(arms: ArmWeights, treated: Bools) -> Check:
    parts = []
    for arm, rows, term in (
        ("treated", treated, arms.treated),
        ("untreated", ~treated, arms.untreated),
    ):
        weights = term.value[rows]
        parts.append(
            f"{arm} {kish(weights):,.1f} of {int(rows.sum()):,} rows, "
            f"the heaviest with {weights.max() / weights.sum():.1%} of the weight"
        )
    return Check("effective sample size", None, "; ".join(parts))
