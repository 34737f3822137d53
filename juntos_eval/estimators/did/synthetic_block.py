"""Synthetic comparisons of treated units with weighted controls, on matrices of units × periods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.numerics.simplex_weights import simplex_weights

__all__ = ["Block", "Weights", "block_effect", "block_gaps", "block_weights", "noise_level"]

NO_RIDGE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """Controls and the treated of one cohort.

    Attributes
    ----------
    controls : numpy.ndarray, shape (N0, T)
    treated : numpy.ndarray, shape (N1, T)
    before : int
        Periods before treatment.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.synthetic_block import Block
    >>> Block(controls=np.zeros((3, 4)), treated=np.zeros((1, 4)), before=2).after
    2
    """

    controls: Floats
    treated: Floats
    before: int

    @property
    def after(self) -> int:
        """Periods from the treatment on."""
        return int(self.controls.shape[1] - self.before)


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Weights of controls (N0,) and of periods before treatment (T0,).

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.synthetic_block import Weights
    >>> Weights(np.ones(1), np.ones(1)).unit.tolist()
    [1.0]
    """

    unit: Floats
    time: Floats


def noise_level(block: Block) -> float:
    """Return the standard deviation of controls' changes from period to period before treatment.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.synthetic_block import Block, noise_level
    >>> noise_level(Block(controls=np.array([[1.0, 2, 5]]), treated=np.zeros((1, 3)), before=3)).__round__(6)
    1.414214
    """
    changes = np.diff(block.controls[:, : block.before], axis=1)
    return float(changes.std(ddof=1)) if changes.size > 1 else 0.0


def block_weights(block: Block, kind: str, noise: float) -> Weights:
    r"""Return the weights of a kind of comparison.

    Parameters
    ----------
    block : Block
    kind : {"sdid", "sc", "did"}
        Synthetic difference-in-differences: both, with an intercept, and :math:`\zeta = (N_1 T_1)^{1/4}
        \hat\sigma` for units, :math:`10^{-6} \hat\sigma` for periods. Synthetic control: units without an
        intercept, no periods. Difference-in-differences: all alike.
    noise : float
        :math:`\hat\sigma`.

    Returns
    -------
    Weights

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.synthetic_block import Block, block_weights
    >>> block = Block(controls=np.array([[0.0, 0, 0], [4, 4, 4]]), treated=np.array([[1.0, 1, 5]]), before=2)
    >>> block_weights(block, "sc", 1.0).unit.round(4).tolist()
    [0.75, 0.25]
    """
    early, late = block.controls[:, : block.before], block.controls[:, block.before :]
    count, before = early.shape
    target = block.treated[:, : block.before].mean(axis=0)
    if kind == "did":
        return Weights(np.full(count, 1 / count), np.full(before, 1 / before))
    if kind == "sc":
        return Weights(simplex_weights(early.T, target, NO_RIDGE * noise, intercept=False), np.zeros(before))
    ridge = (len(block.treated) * block.after) ** 0.25 * noise
    return Weights(
        simplex_weights(early.T, target, ridge, intercept=True),
        simplex_weights(early, late.mean(axis=1), NO_RIDGE * noise, intercept=True),
    )


def block_gaps(block: Block, weights: Weights) -> Floats:
    """Return the treated's mean less the controls', less the same before treatment, by period (T,).

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.synthetic_block import Block, Weights, block_gaps
    >>> block = Block(controls=np.array([[0.0, 1.0]]), treated=np.array([[2.0, 5.0]]), before=1)
    >>> block_gaps(block, Weights(np.ones(1), np.ones(1))).tolist()
    [0.0, 2.0]
    """
    gap = block.treated.mean(axis=0) - weights.unit @ block.controls
    return np.asarray(gap - weights.time @ gap[: block.before])


def block_effect(block: Block, weights: Weights) -> float:
    """Return the mean of the gaps after treatment.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.synthetic_block import Block, Weights, block_effect
    >>> block = Block(controls=np.array([[0.0, 1.0]]), treated=np.array([[2.0, 5.0]]), before=1)
    >>> block_effect(block, Weights(np.ones(1), np.ones(1)))
    2.0
    """
    return float(block_gaps(block, weights)[block.before :].mean())
