"""Synthetic comparisons cohort by cohort, and their average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.estimators.did.synthetic_block import (
    Block,
    Weights,
    block_effect,
    block_gaps,
    block_weights,
    noise_level,
)

__all__ = ["Cohorts", "Part", "Solved", "solve"]


@dataclass(frozen=True, slots=True, eq=False)
class Cohorts:
    """Outcomes (N, T), and the position of the first treated period of each unit; infinite for never.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.synthetic_cohorts import Cohorts
    >>> Cohorts(np.zeros((2, 3)), np.array([2.0, np.inf])).starts.tolist()
    [2]
    """

    outcome: Floats
    start: Floats

    @property
    def never(self) -> Bools:
        """Units that are never treated."""
        return np.isinf(self.start)

    @property
    def starts(self) -> np.ndarray:
        """First treated periods, without those of units that are always treated."""
        return np.unique(self.start[np.isfinite(self.start) & (self.start > 0)]).astype(np.int64)

    def block(self, start: int) -> Block:
        """Return the controls and the treated of a cohort."""
        return Block(
            controls=self.outcome[self.never], treated=self.outcome[self.start == start], before=start
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """The comparison of a cohort.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.synthetic_cohorts import Cohorts, solve
    >>> found = solve(Cohorts(np.array([[0.0, 0, 1], [0, 0, 0], [1, 1, 1]]),
    ...                       np.array([2.0, np.inf, np.inf])), "did")
    >>> found.parts[0].effect
    1.0
    """

    block: Block
    weights: Weights
    noise: float
    effect: float
    gaps: Floats

    @property
    def cells(self) -> int:
        """Treated unit-periods."""
        return len(self.block.treated) * self.block.after


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """Comparisons of all cohorts.

    Examples
    --------
    >>> from juntos_eval.estimators.did.synthetic_cohorts import Solved
    >>> Solved("did", ()).parts
    ()
    """

    kind: str
    parts: tuple[Part, ...]

    @property
    def effect(self) -> float:
        """Mean of the cohorts' effects by treated unit-periods."""
        return float(
            np.average([part.effect for part in self.parts], weights=[part.cells for part in self.parts])
        )


def solve(cohorts: Cohorts, kind: str, given: Solved | None = None, *, fixed: bool = False) -> Solved:
    """Return the comparison of every cohort.

    Parameters
    ----------
    cohorts : Cohorts
    kind : {"sdid", "sc", "did"}
    given : Solved, optional
        An earlier solution whose noise levels are used, as resampling does.
    fixed : bool
        Use its weights too; they must fit the controls.

    Returns
    -------
    Solved

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.synthetic_cohorts import Cohorts, solve
    >>> solve(Cohorts(np.array([[0.0, 0, 1], [0, 0, 0], [1, 1, 1]]), np.array([2.0, np.inf, np.inf])),
    ...       "sdid").effect
    1.0
    """
    known = {part.block.before: part for part in given.parts} if given else {}
    parts = []
    for start in cohorts.starts:
        block = cohorts.block(int(start))
        earlier = known.get(int(start))
        noise = earlier.noise if earlier else noise_level(block)
        weights = earlier.weights if earlier and fixed else block_weights(block, kind, noise)
        parts.append(
            Part(
                block=block,
                weights=weights,
                noise=noise,
                effect=block_effect(block, weights),
                gaps=block_gaps(block, weights),
            )
        )
    return Solved(kind, tuple(parts))
