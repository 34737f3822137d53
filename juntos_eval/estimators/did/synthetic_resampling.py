"""How sure synthetic comparisons are: other units for the treated, other samples, one unit less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.estimators.did.synthetic_block import Block, Weights, block_effect, block_gaps, block_weights
from juntos_eval.estimators.did.synthetic_cohorts import Cohorts, Part, Solved, solve

__all__ = ["bootstrap_effects", "jackknife_influence", "placebo_effects", "placebo_rank"]


def placebo_effects(cohorts: Cohorts, found: Solved, draws: int, seed: int) -> Floats:
    """Return effects of controls that are drawn to be treated when the treated were; none if too few.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.synthetic_cohorts import Cohorts, solve
    >>> from juntos_eval.estimators.did.synthetic_resampling import placebo_effects
    >>> cohorts = Cohorts(np.arange(12.0).reshape(4, 3), np.array([2.0] + [np.inf] * 3))
    >>> placebo_effects(cohorts, solve(cohorts, "did"), 5, 1).round(9).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0]
    """
    controls = cohorts.outcome[cohorts.never]
    begins = np.concatenate([np.full(len(part.block.treated), part.block.before) for part in found.parts])
    if len(controls) < len(begins) + 1:
        return np.zeros(0)
    rng = np.random.default_rng(seed)
    effects = np.empty(draws)
    for draw in range(draws):
        start = np.full(len(controls), np.inf)
        start[rng.permutation(len(controls))[: len(begins)]] = begins
        effects[draw] = solve(Cohorts(controls, start), found.kind, found).effect
    return effects


def bootstrap_effects(cohorts: Cohorts, found: Solved, draws: int, seed: int) -> Floats:
    """Return effects in samples of units drawn with replacement, which have treated and controls.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.synthetic_cohorts import Cohorts, solve
    >>> from juntos_eval.estimators.did.synthetic_resampling import bootstrap_effects
    >>> cohorts = Cohorts(np.arange(12.0).reshape(4, 3), np.array([2.0, 2.0, np.inf, np.inf]))
    >>> bootstrap_effects(cohorts, solve(cohorts, "did"), 3, 1).round(9).tolist()
    [0.0, 0.0, 0.0]
    """
    rng = np.random.default_rng(seed)
    count, effects = len(cohorts.start), np.full(draws, np.nan)
    for draw in range(draws):
        for _ in range(1000):
            rows = rng.integers(0, count, count)
            drawn = Cohorts(cohorts.outcome[rows], cohorts.start[rows])
            if drawn.never.any() and len(drawn.starts):
                effects[draw] = solve(drawn, found.kind, found).effect
                break
    return np.asarray(effects[np.isfinite(effects)])


def jackknife_influence(cohorts: Cohorts, found: Solved) -> Floats:
    r"""Return :math:`\frac{N-1}{N} (\hat\tau - \hat\tau_{-i})`, centred, with weights held fixed.

    NaN where a cohort has one unit, or all the weight is on one control: without it there is no estimate.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.synthetic_cohorts import Cohorts, solve
    >>> from juntos_eval.estimators.did.synthetic_resampling import jackknife_influence
    >>> cohorts = Cohorts(np.array([[0.0, 0, 1], [0, 0, 3], [0, 0, 0], [1, 1, 1]]),
    ...                   np.array([2.0, 2.0, np.inf, np.inf]))
    >>> jackknife_influence(cohorts, solve(cohorts, "did")).tolist()
    [-0.75, 0.75, 0.0, 0.0]
    """
    never, count = cohorts.never, len(cohorts.start)
    without = np.full(count, found.effect)
    place = np.cumsum(never) - 1
    for unit in range(count):
        if cohorts.start[unit] == 0:
            continue
        parts = [_less(part, cohorts, unit, int(place[unit])) for part in found.parts]
        if any(part is None for part in parts):
            return np.full(count, np.nan)
        without[unit] = Solved(found.kind, tuple(part for part in parts if part is not None)).effect
    change = (count - 1) / count * (found.effect - without)
    return np.asarray(change - change.mean())


def _less(part: Part, cohorts: Cohorts, unit: int, place: int) -> Part | None:
    """Return the comparison without a unit, its weights scaled up to one; None if there is none."""
    block, weights = part.block, part.weights
    if np.isinf(cohorts.start[unit]):
        kept = np.delete(weights.unit, place)
        if kept.sum() <= 1e-9:
            return None
        weights = Weights(kept / kept.sum(), weights.time)
        block = replace(block, controls=np.delete(block.controls, place, axis=0))
    elif cohorts.start[unit] == block.before:
        rows = (cohorts.start == block.before) & (np.arange(len(cohorts.start)) != unit)
        if not rows.any():
            return None
        block = replace(block, treated=cohorts.outcome[rows])
    else:
        return part
    return replace(part, block=block, weights=weights, effect=block_effect(block, weights))


def placebo_rank(found: Solved) -> tuple[float, float] | None:
    """Return the treated's ratio of gaps after and before treatment, and its rank p value among controls.

    None where there is more than one treated unit.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.synthetic_cohorts import Cohorts, solve
    >>> from juntos_eval.estimators.did.synthetic_resampling import placebo_rank
    >>> rng = np.random.default_rng(0)
    >>> outcome = rng.normal(size=(5, 6)) + np.outer([1, 0, 0, 0, 0], [0, 0, 0, 0, 9, 9])
    >>> cohorts = Cohorts(outcome, np.array([4.0] + [np.inf] * 4))
    >>> placebo_rank(solve(cohorts, "sc"))[1]
    0.2
    """
    if len(found.parts) != 1 or len(found.parts[0].block.treated) != 1:
        return None
    part = found.parts[0]
    ratios = [_ratio(part.gaps, part.block.before)]
    controls = part.block.controls
    for at in range(len(controls)):
        block = Block(
            controls=np.delete(controls, at, axis=0), treated=controls[[at]], before=part.block.before
        )
        gaps = block_gaps(block, block_weights(block, found.kind, part.noise))
        ratios.append(_ratio(gaps, block.before))
    return ratios[0], float(np.mean(np.array(ratios) >= ratios[0]))


def _ratio(gaps: Floats, before: int) -> float:
    early, late = np.mean(gaps[:before] ** 2), np.mean(gaps[before:] ** 2)
    return float(np.sqrt(late / early)) if early > 0 else float("inf")
