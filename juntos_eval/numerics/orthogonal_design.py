"""A design of orthonormal columns that spans the same space, with what was linearly dependent left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from juntos_eval.arrays import Floats, frozen

__all__ = ["OrthogonalDesign", "orthogonal_design"]

# a column is spanned by earlier ones when this share of its variance is left after them
COLLINEAR = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class OrthogonalDesign:
    r"""Columns Z with :math:`\sum_i w_i z_i z_i' / \sum_i w_i = I`, the first of ones.

    Attributes
    ----------
    columns : numpy.ndarray, shape (n, r + 1)
    kept : tuple of int, length r
        Positions of the covariates that the columns span together with the constant.
    left_out : tuple of int
        Positions of the covariates that are constant or spanned by earlier ones.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.orthogonal_design import orthogonal_design
    >>> orthogonal_design(np.array([[1.0, 2.0], [3.0, 6.0]]), np.ones(2)).left_out
    (1,)
    """

    columns: Floats
    kept: tuple[int, ...]
    left_out: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", frozen(self.columns))


def orthogonal_design(covariates: Floats, weights: Floats) -> OrthogonalDesign:
    r"""Orthonormalise a constant and the covariates in the order given.

    Fitted values, residuals, scores and balance do not depend on the basis of the design; their accuracy
    does, and products of an orthonormal one are as well conditioned as they can be.

    Parameters
    ----------
    covariates : numpy.ndarray, shape (n, p)
        Without a constant; p may be zero.
    weights : numpy.ndarray, shape (n,)

    Returns
    -------
    OrthogonalDesign

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.orthogonal_design import orthogonal_design
    >>> orthogonal_design(np.array([[1.0], [3.0]]), np.ones(2)).columns.tolist()
    [[1.0, -1.0], [1.0, 1.0]]
    """
    share = weights / weights.sum()
    centred = covariates - share @ covariates
    centred -= share @ centred  # once more, for means that are large against what varies
    scale = np.sqrt(share @ centred**2)
    # what centring leaves of a constant is rounding error of its size
    varies = scale > 1e-12 * np.abs(covariates).max(axis=0, initial=0.0)
    centred = centred[:, varies] / scale[varies]
    positions = np.flatnonzero(varies)
    correlation = (centred * share[:, None]).T @ centred
    chosen = _independent(correlation)
    columns = np.empty((len(covariates), len(chosen) + 1))
    columns[:, 0] = 1.0
    if chosen:
        triangle = linalg.cholesky(correlation[np.ix_(chosen, chosen)], lower=True)
        # the inverse is small and exact enough: any basis serves, if its products are near the identity
        columns[:, 1:] = centred[:, chosen] @ linalg.inv(triangle).T
    columns.flags.writeable = False
    kept = tuple(int(positions[j]) for j in chosen)
    left_out = tuple(j for j in range(covariates.shape[1]) if j not in kept)
    return OrthogonalDesign(columns=columns, kept=kept, left_out=left_out)


def _independent(correlation: Floats) -> list[int]:
    """Positions whose variance is not exhausted by the chosen ones before (a Cholesky that skips)."""
    chosen: list[int] = []
    rows: list[Floats] = []
    for j in range(len(correlation)):
        row = np.zeros(len(chosen))
        for i, other in enumerate(chosen):
            row[i] = (correlation[j, other] - row[:i] @ rows[i][:i]) / rows[i][i]
        rest = float(correlation[j, j] - row @ row)
        if rest > COLLINEAR:
            chosen.append(j)
            rows.append(np.append(row, np.sqrt(rest)))
    return chosen
