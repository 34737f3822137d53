r"""From a matched design and an outcome to an effect, its influence and its matched structure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from juntos_eval.arrays import Codes, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Matched
from juntos_eval.estimators.matching.kernel import link_kernel
from juntos_eval.estimators.matching.matched_design import ArmMatches, MatchedDesign
from juntos_eval.estimators.matching.nearest import nearest_of_own_arm
from juntos_eval.estimators.matching.score_error import score_error
from juntos_eval.inference.abadie_imbens import AbadieImbens
from juntos_eval.numerics.kernels import KernelLinks, kernel_at_zero
from juntos_eval.numerics.links import Shares
from juntos_eval.numerics.local_linear_links import LocalLinearLinks

__all__ = ["MatchedEffect", "matched_effect", "matched_structure"]

# the regression behind the influence takes a coefficient more for every so many rows that serve
ROWS_A_COEFFICIENT = 10

# a row that all but determines its own fit tells little of its error: no residual is stretched beyond this
LEAST_ROOM = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedEffect:
    r"""An effect by matching.

    Attributes
    ----------
    value : float
        :math:`\hat\tau = \sum_i t_i \hat\tau_i / \sum_i t_i`.
    effects : numpy.ndarray, shape (n,)
        :math:`\hat\tau_i = \hat y_i(1) - \hat y_i(0)` of each matched target; NaN elsewhere.
    compared : numpy.ndarray, shape (n,)
        The outcome as it was compared: itself, or its weighted deviation where matches count by their own
        weights.
    served : numpy.ndarray, shape (n,)
        What each row gives to those it serves: its outcome, or what a bias adjustment leaves of it.
    influence : numpy.ndarray, shape (n,)
        Summing to zero.
    score_gain : float
        What the error of the estimated score adds to the variance, below zero where it takes away; NaN
        where the score is taken as known.
    parameters : int
        Coefficients of the regressions behind the influence, and one for the effect.
    mean_treated, mean_untreated : float
        Mean outcomes of the target population under treatment and without.
    """

    value: float
    effects: Floats
    compared: Floats
    served: Floats
    influence: Floats
    score_gain: float
    parameters: int
    mean_treated: float
    mean_untreated: float

    def __post_init__(self) -> None:
        for name in ("effects", "compared", "served", "influence"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def details(self, design: MatchedDesign) -> dict[str, Any]:
        """Return means, counts and tuning numbers, as a record can hold them."""
        treated, untreated = design.effective
        found: dict[str, Any] = {
            "targets": int(design.is_target.sum()),
            "matched": int((design.target > 0).sum()),
            "serving": int((design.use != 0).sum()),
            "mean_treated": self.mean_treated,
            "mean_untreated": self.mean_untreated,
            "effective_treated": treated,
            "effective_untreated": untreated,
            **design.bandwidths,
        }
        if design.score is not None:
            coefficients = design.score.coefficients.tolist()
            found["score_coefficients"] = dict(zip(design.score.names, coefficients, strict=True))
        return found


def matched_effect(
    design: MatchedDesign,
    outcome: Floats,
    *,
    adjust: Floats | None = None,
    score_weights: Floats | None = None,
) -> MatchedEffect:
    r"""Return the effect of a matched design, with the linear representation of its error.

    The missing outcome of target i is :math:`\sum_j s_{ij} \{y_j + \hat\mu(x_i) - \hat\mu(x_j)\}`, without
    :math:`\hat\mu` where nothing is adjusted for; with it (Abadie & Imbens 2011), a regression within the
    arm drawn on, weighted by how much each row serves. With :math:`t_i, K_i` as in the design,

    .. math::
        \hat\psi_i = \frac{1}{W} \bigl[ t_i \{\hat m_1(z_i) - \hat m_0(z_i) - \hat\tau\}
                     + (2 D_i - 1)(t_i + K_i) \{y_i - \hat m_{D_i}(z_i)\} \bigr]

    (Otsu & Rai 2017), which for the ATT is :math:`t_i (y_i - \hat m_0(z_i) - \hat\tau)` for the treated and
    :math:`-K_i (y_i - \hat m_0(z_i))` for the others. Here :math:`\hat m_d` is a regression of the outcome
    in arm d, weighted by how much each row serves, on the covariates adjusted for, else on the matching
    variable: cubic on a line, squares in space, and for kernel and local-linear matching that regression
    itself. Residuals of rows that serve are divided by what the fit leaves them, :math:`1 - h_i`, or
    :math:`\sqrt{1 - h_i}` around a smooth fit or a mean. Where ``score_weights`` are
    given, the error of the score is added.

    Where matches count by their own sampling weights w, targets and matches are first matched as if there
    were none, and the effect is the difference of the arms' means weighted by :math:`w_i (t_i + K_i)`. Its
    error is that of matching the deviations :math:`w_i (y_i - \bar y_{D_i}) / \bar w_{D_i}`.

    Parameters
    ----------
    design : MatchedDesign
    outcome : numpy.ndarray, shape (n,)
    adjust : numpy.ndarray, shape (n, q), optional
        Covariates of the bias adjustment.
    score_weights : numpy.ndarray, shape (n,), optional
        Weights that the score was fitted with; None takes it, or whatever was matched on, as known.

    Returns
    -------
    MatchedEffect

    References
    ----------
    Abadie, A. & Imbens, G. W. (2011). Bias-corrected matching estimators for average treatment effects.
    *Journal of Business & Economic Statistics* 29(1), 1–11.

    Otsu, T. & Rai, Y. (2017). Bootstrap inference of matching estimators for average treatment effects.
    *Journal of the American Statistical Association* 112(520), 1720–1732.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.matched_effect import matched_effect
    >>> from juntos_eval.estimators.matching.matching import Matching
    >>> frame = pd.DataFrame({"d": [1, 0, 0, 1, 0], "age": [20.0, 21.0, 30.0, 44.0, 43.0]})
    >>> design = Matching(treatment="d", covariates=("age",), distance="age").design(frame)
    >>> matched_effect(design, np.array([5.0, 4.0, 9.0, 8.0, 3.0])).value
    3.0
    """
    if not design.counts_own:
        return _effect(design, outcome, adjust, score_weights)
    weights = design.design_weights
    level, share = np.zeros(design.n), np.zeros(design.n)
    means = {}
    for arm in (True, False):
        rows = design.treated == arm
        means[arm] = float(np.average(outcome[rows], weights=weights[rows]))
        level[rows] = means[arm]
        share[rows] = design.base_weights[rows] * design.target.sum() / weights[rows].sum()
    effect = _effect(design, share * (outcome - level), adjust, score_weights)
    value = means[True] - means[False]
    return replace(
        effect,
        value=value,
        effects=effect.effects - effect.value + value,
        mean_treated=means[True],
        mean_untreated=means[False],
    )


def _effect(
    design: MatchedDesign, outcome: Floats, adjust: Floats | None, score_weights: Floats | None
) -> MatchedEffect:
    effects, served = np.full(design.n, np.nan), outcome.copy()
    level = np.zeros(design.n)  # what each row contributes to the mean outcome under its own treatment
    fitted, residuals = np.zeros((design.n, 2)), np.zeros(design.n)
    parameters = 1
    for side in design.matches:
        arm = int(design.treated[side.pool[0]])
        missing, model = _missing_outcome(design, side, outcome, adjust)
        sign = 1.0 if design.treated[side.targets[0]] else -1.0
        effects[side.targets] = sign * (outcome[side.targets] - missing)
        level[side.targets] = missing
        fitted[:, arm], parameters = model.fitted, parameters + model.size
        residuals += model.residuals
        if adjust is not None:
            served[side.pool] -= model.fitted[side.pool]
    target, matched = design.target, design.target > 0
    total = float(target.sum())
    value = float(target[matched] @ effects[matched]) / total
    mean = {
        arm: float(target[matched] @ np.where(design.treated == arm, outcome, level)[matched]) / total
        for arm in (True, False)
    }
    psi = _influence(design, outcome, fitted, residuals, value)
    influence = _centred(psi, target)
    gain = float("nan")
    if score_weights is not None and design.score is not None:
        treated = design.treated.astype(np.float64)
        error = score_error(design.score, treated, score_weights, design.use, residuals, total)
        known, influence = influence, _centred(psi + error, target)
        gain = float(influence @ influence - known @ known)
    return MatchedEffect(
        value=value,
        effects=np.where(matched, effects, np.nan),
        compared=outcome,
        served=served,
        influence=influence,
        score_gain=gain,
        parameters=parameters,
        mean_treated=mean[True],
        mean_untreated=mean[False],
    )


def matched_structure(design: MatchedDesign, effect: MatchedEffect, inference: AbadieImbens) -> Matched:
    """Return what Abadie-Imbens inference needs, with the conditional variance prepared by its rule.

    Parameters
    ----------
    design : MatchedDesign
    effect : MatchedEffect
    inference : AbadieImbens

    Returns
    -------
    Matched

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.matched_effect import matched_effect, matched_structure
    >>> from juntos_eval.estimators.matching.matching import Matching
    >>> from juntos_eval.inference.abadie_imbens import AbadieImbens
    >>> frame = pd.DataFrame({"d": [1, 0, 0, 1, 0], "age": [20.0, 21.0, 30.0, 44.0, 43.0]})
    >>> design = Matching(treatment="d", covariates=("age",), distance="age").design(frame)
    >>> effect = matched_effect(design, np.array([5.0, 4.0, 9.0, 8.0, 3.0]))
    >>> matched_structure(design, effect, AbadieImbens(neighbours=1)).use.tolist()
    [0.0, 1.0, 0.0, 0.0, 1.0]
    """
    use_squared = np.zeros(design.n)
    for side in design.matches:
        use_squared[side.pool] = side.shares.spread_squared(design.target[side.targets] ** 2)
    if inference.variance == "homoskedastic":
        variance = np.full(design.n, _common_variance(design, effect))
    else:
        variance = _conditional_variance(design, effect.compared, inference)
    return Matched(
        effects=effect.effects,
        target=design.target,
        use=design.use,
        use_squared=use_squared,
        conditional_variance=variance,
        variance_rule=inference.rule,
        score_gain=effect.score_gain,
    )


@dataclass(frozen=True, slots=True)
class _ArmModel:
    """The outcome in the arm drawn on: its regression at every row, and the residuals of those who serve."""

    fitted: Floats
    residuals: Floats  # each row left out of its own fit
    size: int


def _missing_outcome(
    design: MatchedDesign, side: ArmMatches, outcome: Floats, adjust: Floats | None
) -> tuple[Floats, _ArmModel]:
    """Return the targets' outcome in the other arm, and the model of that arm."""
    links = side.shares.links
    if adjust is None and isinstance(links, KernelLinks | LocalLinearLinks):
        return side.shares.average(outcome[side.pool]), _kernel_regression(design, side, outcome, links)
    rows = np.flatnonzero(design.design_weights > 0)
    if adjust is None and design.is_stratified:
        return side.shares.average(outcome[side.pool]), _stratum_means(design, side, outcome)
    if adjust is None:
        model = _regression(design, side, outcome, rows, _powers(design, side, rows))
        return side.shares.average(outcome[side.pool]), model
    model = _regression(design, side, outcome, rows, adjust[rows])
    rest = side.shares.average((outcome - model.fitted)[side.pool])
    return rest + model.fitted[side.targets], model


def _regression(
    design: MatchedDesign, side: ArmMatches, outcome: Floats, rows: Codes, columns: Floats
) -> _ArmModel:
    """Return the least-squares fit of the arm drawn on, weighted by use, at the rows."""
    basis = np.column_stack([np.ones(len(rows)), columns])
    serving = (design.treated[rows] == design.treated[side.pool[0]]) & (design.use[rows] > 0)
    root = np.sqrt(design.use[rows[serving]])
    left, roots, right = np.linalg.svd(basis[serving] * root[:, None], full_matrices=False)
    kept = roots > 1e-10 * roots.max()
    left, size = left[:, kept], int(kept.sum())
    coefficients = (right[kept].T / roots[kept]) @ (left.T @ (outcome[rows[serving]] * root))
    if size >= len(root):
        raise DesignError(
            "too few rows serve as matches to tell signal from error",
            where=f"{len(root)} rows serve, {size} coefficients",
            remedy="use more matches a target, more rows, or fewer covariates in bias_adjust",
        )
    fitted, residuals = np.zeros((2, design.n))
    fitted[rows] = basis @ coefficients
    room = np.maximum(1.0 - (left**2).sum(axis=1), LEAST_ROOM)
    residuals[rows[serving]] = (outcome - fitted)[rows[serving]] / room
    return _ArmModel(fitted, residuals, size)


def _stratum_means(design: MatchedDesign, side: ArmMatches, outcome: Floats) -> _ArmModel:
    """Return the mean outcome of the arm drawn on in each stratum; residuals leave the row itself out."""
    strata = design.places.blocks
    count = int(strata.max()) + 1
    base = np.zeros(design.n)
    base[side.pool] = side.shares.base
    weight = np.bincount(strata, weights=base, minlength=count)
    mean = np.bincount(strata, weights=base * outcome, minlength=count) / np.where(weight > 0, weight, 1.0)
    fitted, residuals = mean[strata], np.zeros(design.n)
    serving = side.pool[design.use[side.pool] > 0]
    # a row alone in its arm and stratum is its own mean, and shows no spread
    room = np.maximum(1.0 - base[serving] / weight[strata[serving]], LEAST_ROOM)
    residuals[serving] = (outcome - fitted)[serving] / np.sqrt(room)
    return _ArmModel(fitted, residuals, len(np.unique(strata[serving])))


def _powers(design: MatchedDesign, side: ArmMatches, rows: Codes) -> Floats:
    """Return powers of the matching variable: cubic on a line, squares in space, fewer for few rows."""
    points = design.places.points[rows]
    deviation = points.std(axis=0)
    scaled = (points - points.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    affordable = int((design.use[side.pool] > 0).sum()) // (ROWS_A_COEFFICIENT * points.shape[1])
    highest = min(3 if design.places.is_line else 2, affordable)
    return np.column_stack([np.zeros((len(rows), 0)), *(scaled**power for power in range(1, highest + 1))])


def _kernel_regression(
    design: MatchedDesign, side: ArmMatches, outcome: Floats, links: KernelLinks | LocalLinearLinks
) -> _ArmModel:
    """Return the pool's smooth regression at targets and pool rows, and residuals stretched by leverage."""
    pool, values = side.pool, outcome[side.pool]
    fitted, residuals = np.zeros((2, design.n))
    fitted[side.targets] = np.where(side.shares.is_matched, side.shares.average(values), 0.0)
    kernel = link_kernel(design.places, pool, pool, links.kernel, links.bandwidth)
    own: KernelLinks | LocalLinearLinks = kernel
    strength = np.full(len(pool), kernel_at_zero(links.kernel))
    if isinstance(links, LocalLinearLinks):
        own = LocalLinearLinks(kernel_links=kernel, base=side.shares.base, ridge=links.ridge)
        strength *= own.level
    smooth = Shares(links=own, base=side.shares.base)
    room = 1.0 - strength * side.shares.base / np.where(smooth.is_matched, smooth.totals, np.inf)
    is_alone = (room <= LEAST_ROOM) | ~smooth.is_matched
    # a row with nobody of its arm near is compared with the mean of those who serve
    serving = np.average(values, weights=design.use[pool])
    fitted[pool] = np.where(is_alone, serving, smooth.average(values))
    residuals[pool] = (values - fitted[pool]) / np.sqrt(np.where(is_alone, 1.0, room))
    return _ArmModel(fitted, residuals, 1)


def _influence(
    design: MatchedDesign,
    outcome: Floats,
    fitted: Floats,
    residuals: Floats,
    value: float,
) -> Floats:
    target, total = design.target, float(design.target.sum())
    sign = np.where(design.treated, 1.0, -1.0)
    own = np.where(design.treated, fitted[:, 1], fitted[:, 0])
    other = np.where(design.treated, fitted[:, 0], fitted[:, 1])
    if len(design.matches) > 1:
        psi = target * (sign * (own - other) - value) + sign * (target + design.use) * residuals
    else:
        psi = target * (sign * (outcome - other) - value) + sign * design.use * residuals
    return np.asarray(psi / total)


def _centred(psi: Floats, target: Floats) -> Floats:
    # what is left of the sum is of smaller order: matching discrepancy and stretched residuals
    return np.asarray(psi - psi.sum() * target / target.sum())


def _common_variance(design: MatchedDesign, effect: MatchedEffect) -> float:
    """Return half the mean squared deviation of matched differences from the effect."""
    total = 0.0
    for side in design.matches:
        asked = side.targets[side.shares.is_matched]
        served = effect.served[side.pool]
        mean, square = side.shares.average(np.column_stack([served, served**2]))[side.shares.is_matched].T
        of_mean = (effect.effects[asked] - effect.value) ** 2
        total += float(design.target[asked] @ (of_mean + np.maximum(square - mean**2, 0.0)))
    return total / (2.0 * float(design.target.sum()))


def _conditional_variance(design: MatchedDesign, outcome: Floats, inference: AbadieImbens) -> Floats:
    variance = np.full(design.n, np.nan)
    needed = design.design_weights > 0
    for arm in (design.treated, ~design.treated):
        rows, every = np.flatnonzero(arm & needed), np.flatnonzero(arm)
        variance[rows] = _spread_near(design, outcome, rows, every, inference)
    return variance


def _spread_near(
    design: MatchedDesign, outcome: Floats, rows: Codes, every: Codes, inference: AbadieImbens
) -> Floats:
    """Return the variance of the outcome around each row, from its nearest of the same arm."""
    links = nearest_of_own_arm(design.places, rows, every, inference.neighbours, design.tolerance)
    centre = outcome[every].mean()
    values = outcome[every] - centre
    count = links.counts.astype(np.float64)
    sums, squares = links.gather(np.column_stack([values, values**2])).T
    own = outcome[rows] - centre
    others = count - 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        if inference.like == "Matching":
            spread = (squares - sums**2 / count) / others
        else:
            spread = others / count * (own - (sums - own) / others) ** 2
    # a block with a single row of an arm has no neighbour to compare with: the arm's variance stands in
    return np.asarray(np.where(others > 0, np.maximum(spread, 0.0), outcome[every].var()))
