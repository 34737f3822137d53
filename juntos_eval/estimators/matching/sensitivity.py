r"""How much hidden bias a finding survives: Rosenbaum's bounds for matched sets, and the E-value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from pandas import DataFrame

from juntos_eval.arrays import Floats, FrozenMapping, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimators.matching.adjusted import refuse_other
from juntos_eval.estimators.matching.e_value import EValue, e_value
from juntos_eval.estimators.matching.matched_design import MatchedDesign
from juntos_eval.numerics.distributions import normal_quantile, normal_tail
from juntos_eval.numerics.hidden_bias import (
    MatchedSets,
    aligned_rank_deviate,
    count_tail,
    signed_rank_deviate,
    signed_rank_tail,
)

__all__ = ["EValue", "HiddenBiasBounds", "e_value", "rosenbaum_bounds"]

Alternative = Literal["two-sided", "greater", "less"]

# up to so many pairs the signed rank distribution is exact
EXACT_PAIRS = 100
# where plateaus of the statistic are too short to matter, one end of them is enough
MANY_SETS = 1000
BISECTIONS = 40
LARGEST_GAMMA = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenBiasBounds:
    r"""What matched sets say if hidden bias changes odds of treatment by up to :math:`\Gamma`.

    Attributes
    ----------
    gammas : numpy.ndarray, shape (g,)
    p_lower, p_upper : numpy.ndarray, shape (g,)
        Bounds of the p value of "no effect".
    estimate_low, estimate_high : numpy.ndarray, shape (g,)
        Bounds of the Hodges-Lehmann estimate of an additive effect; NaN for binary outcomes.
    conf_low, conf_high : numpy.ndarray, shape (g,)
        Widest ends of its confidence interval; NaN for binary outcomes.
    critical_gamma : float
        The largest :math:`\Gamma` at which the upper p value stays at or below one minus the level; NaN
        where it is above already without bias, infinity where it never is.
    level : float
    alternative : str
    statistic : str
        Which test, and whether its tail is exact.
    sets : int
        Matched sets used.
    dropped : Mapping of str to int
        Sets and matches left out, by reason.
    notes : tuple of str
        What to keep in mind: weights, shared matches.

    Examples
    --------
    >>> from juntos_eval.estimators.matching.sensitivity import HiddenBiasBounds
    >>> one = [1.0]
    >>> HiddenBiasBounds(gammas=one, p_lower=[0.01], p_upper=[0.01], estimate_low=one, estimate_high=one,
    ...                  conf_low=one, conf_high=one, critical_gamma=1.4, level=0.95, alternative="greater",
    ...                  statistic="by hand", sets=20).tidy()["p_upper"].tolist()
    [0.01]
    """

    gammas: Floats
    p_lower: Floats
    p_upper: Floats
    estimate_low: Floats
    estimate_high: Floats
    conf_low: Floats
    conf_high: Floats
    critical_gamma: float
    level: float
    alternative: str
    statistic: str
    sets: int
    dropped: Mapping[str, int] = field(default_factory=FrozenMapping)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            object.__setattr__(self, name, frozen(getattr(self, name)))
        object.__setattr__(self, "dropped", FrozenMapping(self.dropped))

    def tidy(self) -> DataFrame:
        """Return one row a gamma."""
        names = {"gammas": "gamma"}
        return DataFrame({names.get(name, name): getattr(self, name) for name in _COLUMNS})

    def to_record(self) -> dict[str, Any]:
        """Return everything as JSON can hold it; what is not known as None."""

        def known(value: float) -> float | None:
            return float(value) if np.isfinite(value) else None

        rows = {name: [known(value) for value in getattr(self, name)] for name in _COLUMNS}
        return {
            **rows,
            "critical_gamma": "inf" if np.isposinf(self.critical_gamma) else known(self.critical_gamma),
            "level": self.level,
            "alternative": self.alternative,
            "statistic": self.statistic,
            "sets": self.sets,
            "dropped": dict(self.dropped),
            "notes": list(self.notes),
        }


_COLUMNS = ("gammas", "p_lower", "p_upper", "estimate_low", "estimate_high", "conf_low", "conf_high")


def rosenbaum_bounds(
    design: MatchedDesign,
    data: DataFrame,
    *,
    outcome: str,
    gammas: Sequence[float] = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0),
    alternative: Alternative = "two-sided",
    level: float = 0.95,
) -> HiddenBiasBounds:
    r"""Bound the p value, the estimate and its interval under hidden bias of up to :math:`\Gamma`.

    Two rows of a matched set may differ in their odds of treatment, for reasons that were not measured, by
    a factor of up to :math:`\Gamma`. For each value the p values, estimates and intervals are the smallest
    and largest that such bias can make. Pairs with an outcome that is not binary: Wilcoxon's signed rank
    test, exact up to 100 pairs; sets: the aligned rank test; binary outcomes: McNemar's and
    Mantel-Haenszel's test, exact. Estimates are Hodges and Lehmann's, by inversion of the tests.

    Sets count once each, whatever their sampling weights: the bounds speak of the sample's matched sets,
    and say so. Sets that share rows (matching with replacement) are treated as if they did not.

    Parameters
    ----------
    design : MatchedDesign
        For the ATT or the ATC, by nearest neighbour or radius.
    data : pandas.DataFrame
        The frame that the design was made from.
    outcome : str
        Column; sets whose target, and matches whose outcome, is missing are left out and counted.
    gammas : sequence of float
        From 1.
    alternative : {"two-sided", "greater", "less"}
        Two-sided p values are twice the smaller of the one-sided ones.
    level : float
        Of the confidence intervals; its complement decides on ``critical_gamma``.

    Returns
    -------
    HiddenBiasBounds

    Raises
    ------
    DesignError
        For the ATE, kernel matching, values of gamma below 1, an unusable outcome, or no set left.

    References
    ----------
    Rosenbaum, P. R. (2002). *Observational Studies* (2nd ed.), chapter 4. Springer.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.matching import Matching
    >>> from juntos_eval.estimators.matching.sensitivity import rosenbaum_bounds
    >>> frame = pd.DataFrame({"d": [1, 0] * 8, "age": [x // 2 for x in range(16)],
    ...                       "y": [5.0, 1.0, 6.0, 3.0, 7.0, 2.5, 8.0, 2.0] * 2})
    >>> design = Matching(treatment="d", covariates=("age",), distance="age").design(frame)
    >>> bounds = rosenbaum_bounds(design, frame, outcome="y", gammas=(1.0, 2.0), alternative="greater")
    >>> bounds.p_upper.round(4).tolist()
    [0.0039, 0.039]
    """
    refuse_other("alternative", alternative, get_args(Alternative))
    grid = _usable_gammas(gammas, level)
    sets, dropped = _sets(design, data, outcome)
    tests = _tests(sets)
    p_values = [[tests.p_value(gamma, side, alternative) for gamma in grid] for side in ("lower", "upper")]
    bounds = np.full((4, len(grid)), np.nan)
    if not tests.is_binary:
        z = float(normal_quantile(0.5 + level / 2.0))
        bounds = np.array([_shifts(sets, gamma, z) for gamma in grid]).T
    return HiddenBiasBounds(
        gammas=grid,
        p_lower=np.asarray(p_values[0]),
        p_upper=np.asarray(p_values[1]),
        estimate_low=bounds[0],
        estimate_high=bounds[1],
        conf_low=bounds[2],
        conf_high=bounds[3],
        critical_gamma=_critical(lambda gamma: tests.p_value(gamma, "upper", alternative), 1.0 - level),
        level=level,
        alternative=alternative,
        statistic=tests.name,
        sets=len(sets.odd),
        dropped=dropped,
        notes=_notes(design),
    )


@dataclass(frozen=True, slots=True)
class _Tests:
    """One-sided tail of "the odd unit has more", and of "less", at a gamma."""

    name: str
    is_binary: bool
    more: Callable[[float], float]
    less: Callable[[float], float]

    def p_value(self, gamma: float, side: str, alternative: str) -> float:
        at = gamma if side == "upper" else 1.0 / gamma
        if alternative == "greater":
            return self.more(at)
        if alternative == "less":
            return self.less(at)
        return min(1.0, 2.0 * min(self.more(at), self.less(at)))


def _usable_gammas(gammas: Sequence[float], level: float) -> Floats:
    grid = np.asarray(gammas, dtype=np.float64)
    if not len(grid) or not (np.isfinite(grid) & (grid >= 1.0)).all() or not 0.0 < level < 1.0:
        raise DesignError(
            "gamma is a factor of at least 1, and the level a share between 0 and 1",
            where=f"gammas={tuple(gammas)}, level={level}",
            remedy="give gammas like (1, 1.5, 2) and level=0.95",
        )
    return grid


def _tests(sets: MatchedSets) -> _Tests:
    turned = MatchedSets(odd=-sets.odd, others=-sets.others, owner=sets.owner)
    if np.isin(sets.odd, (0.0, 1.0)).all() and np.isin(sets.others, (0.0, 1.0)).all():
        name = "McNemar, exact" if sets.is_paired else "Mantel-Haenszel, exact"
        other = MatchedSets(odd=1.0 - sets.odd, others=1.0 - sets.others, owner=sets.owner)
        return _Tests(name, True, lambda g: count_tail(sets, g), lambda g: count_tail(other, g))
    if not sets.is_paired:
        return _Tests(
            "aligned rank, large-sample",
            False,
            lambda g: float(normal_tail(aligned_rank_deviate(sets, g))),
            lambda g: float(normal_tail(aligned_rank_deviate(turned, g))),
        )
    pairs = sets.odd - sets.others
    if len(pairs) <= EXACT_PAIRS:
        return _Tests(
            "Wilcoxon signed rank, exact",
            False,
            lambda g: signed_rank_tail(pairs, g),
            lambda g: signed_rank_tail(-pairs, g),
        )
    return _Tests(
        "Wilcoxon signed rank, large-sample",
        False,
        lambda g: float(normal_tail(signed_rank_deviate(pairs, g))),
        lambda g: float(normal_tail(signed_rank_deviate(-pairs, g))),
    )


def _sets(design: MatchedDesign, data: DataFrame, outcome: str) -> tuple[MatchedSets, dict[str, int]]:
    """Return outcomes by matched set, with the sign turned where the odd unit is untreated."""
    if len(design.matches) != 1:
        raise DesignError(
            "bounds need one treated or one untreated row a set",
            where=f"a design for the {design.estimand.upper()}",
            remedy="match for the ATT or the ATC",
        )
    if outcome not in data.columns or len(data) <= design.rows.max():
        raise DesignError(
            f"the data have no column '{outcome}' for the design's rows",
            where=f"{len(data)} rows, {len(data.columns)} columns, a design up to row {design.rows.max()}",
            remedy="give the frame that the design was made from, with the outcome in it",
        )
    values = data[outcome].to_numpy(dtype=np.float64, na_value=np.nan)[design.rows]
    side, links = design.matches[0], design.listed()[0]
    target = np.repeat(np.arange(links.targets), np.diff(links.indptr))
    odd, others = values[side.targets], values[side.pool[links.indices]]
    usable = ~np.isnan(others) & ~np.isnan(odd)[target]
    kept, owner = np.unique(target[usable], return_inverse=True)
    matched = int(side.shares.is_matched.sum())
    dropped = {
        "targets without a match": links.targets - matched,
        "sets without outcomes": matched - len(kept),
        "matches without outcome": int(np.isnan(others).sum()),
    }
    if not len(kept):
        raise DesignError(
            "no matched set has outcomes",
            where=f"column '{outcome}', {links.targets} targets",
            remedy="check the outcome and who has a match",
        )
    turn = 1.0 if design.treated[side.targets[0]] else -1.0
    is_binary = bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all())
    # turned round, a binary outcome stays binary
    shift = 1.0 if is_binary and turn < 0 else 0.0
    sets = MatchedSets(odd=shift + turn * odd[kept], others=shift + turn * others[usable], owner=owner)
    return sets, {reason: count for reason, count in dropped.items() if count}


def _shifts(sets: MatchedSets, gamma: float, z: float) -> tuple[float, float, float, float]:
    """Return the additive effects at which the standardised test is 0 (low, high) and z away from it."""

    def deviate(shift: float, at: float) -> float:
        if sets.is_paired:
            found = signed_rank_deviate(sets.odd - sets.others - shift, at)
        else:
            moved = MatchedSets(odd=sets.odd - shift, others=sets.others, owner=sets.owner)
            found = aligned_rank_deviate(moved, at)
        return 0.0 if np.isnan(found) else found

    values = np.concatenate([sets.odd, sets.others])
    reach = 2.0 * float(np.ptp(values)) + 1.0
    is_long = len(sets.odd) > MANY_SETS

    def crossing(at: float, level: float) -> float:
        ends = [_last(lambda shift: deviate(shift, at) > level, -reach, reach)]
        if not is_long:
            ends.append(_last(lambda shift: deviate(shift, at) >= level, -reach, reach))
        return float(np.mean(ends))

    return (
        crossing(gamma, 0.0),
        crossing(1.0 / gamma, 0.0),
        _last(lambda shift: deviate(shift, gamma) > z, -reach, reach),
        _last(lambda shift: deviate(shift, 1.0 / gamma) >= -z, -reach, reach),
    )


def _last(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Return where a condition that holds at first ceases to; infinite where it never or always holds."""
    if not holds(low):
        return -np.inf
    if holds(high):
        return np.inf
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return 0.5 * (low + high)


def _critical(p_upper: Callable[[float], float], limit: float) -> float:
    if not p_upper(1.0) <= limit:
        return float("nan")
    logarithm = _last(lambda x: p_upper(float(np.exp(x))) <= limit, 0.0, float(np.log(LARGEST_GAMMA)))
    return float(np.exp(logarithm))


def _notes(design: MatchedDesign) -> tuple[str, ...]:
    notes = []
    if np.ptp(design.base_weights) > 0:
        notes.append("matched sets count once each: sampling weights are not used")
    if (
        design.has_replacement
        and float(design.matches[0].shares.spread(np.ones(design.matches[0].shares.links.targets)).max())
        > 1.0
    ):
        notes.append("some rows serve in several sets, which are treated as independent")
    return tuple(notes)
