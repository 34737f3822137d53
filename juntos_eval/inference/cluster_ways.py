"""Clusters by one or several columns: counted, crossed, and their sums of squares made a covariance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Groups

__all__ = ["FEW", "Crossing", "crossings", "occupied_ways", "positive"]

FEW = 30
# sign of the term, codes of its clusters, how many there are
Crossing = tuple[int, Codes, int]


def occupied_ways(fit: Fit, columns: Sequence[str]) -> list[Groups]:
    """Return the clusters of each column, those without a row of the sample left out.

    Parameters
    ----------
    fit : Fit
    columns : sequence of str

    Raises
    ------
    InferenceError
        If a column was not carried or has one cluster only.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import DenseInfluence, Fit, Groups
    >>> from juntos_eval.inference.cluster_ways import occupied_ways
    >>> groups = {"g": Groups([0, 2, 2], ("a", "never seen", "b"))}
    >>> fit = Fit(values=[0.0], influence=DenseInfluence(np.zeros((3, 1))), parameters=1, groups=groups)
    >>> occupied_ways(fit, ("g",))[0].levels
    ('a', 'b')
    """
    ways = []
    for column in columns:
        way = fit.grouping(column)
        seen = way.sizes > 0
        if seen.sum() < 2:
            raise InferenceError(
                "one cluster says nothing of how clusters differ",
                where=f"column '{column}', {int(seen.sum())} cluster in {fit.n} rows",
                remedy="cluster by a finer grouping, or use Robust()",
            )
        if not seen.all():
            codes = (np.cumsum(seen) - 1)[way.codes]
            way = Groups(codes, tuple(np.array(way.levels, dtype=object)[seen]))
        ways.append(way)
    return ways


def crossings(ways: Sequence[Groups]) -> Iterator[Crossing]:
    """Yield the terms of inclusion and exclusion: each combination of columns with its sign.

    Parameters
    ----------
    ways : sequence of Groups

    Examples
    --------
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.inference.cluster_ways import crossings
    >>> ways = [Groups([0, 0, 1], ("a", "b")), Groups([0, 1, 1], ("c", "d"))]
    >>> [(sign, count) for sign, _, count in crossings(ways)]
    [(1, 2), (1, 2), (-1, 3)]
    """
    for size in range(1, len(ways) + 1):
        for chosen in combinations(ways, size):
            codes, groups = chosen[0].codes, chosen[0].count
            for way in chosen[1:]:
                pairs, joined = np.unique(codes * way.count + way.codes, return_inverse=True)
                codes, groups = joined.astype(np.int64), len(pairs)
            yield (1 if size % 2 else -1), codes, groups


def positive(covariance: Floats) -> tuple[Floats, bool]:
    """Return the covariance with negative eigenvalues set to zero, and whether there were any.

    Parameters
    ----------
    covariance : numpy.ndarray, shape (k, k)
        NaN where not known.

    Returns
    -------
    numpy.ndarray, shape (k, k)
        NaN also where a variance was itself negative: zero would claim certainty.
    bool

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.cluster_ways import positive
    >>> positive(np.diag([1.0, -1.0]))[0].tolist()
    [[1.0, nan], [nan, nan]]
    """
    known = np.flatnonzero(np.isfinite(np.diag(covariance)))
    block = np.ix_(known, known)
    roots, vectors = np.linalg.eigh(covariance[block])
    if not len(roots) or roots[0] >= -1e-12 * max(roots[-1], 0.0):
        return covariance, False
    repaired = covariance.copy()
    repaired[block] = (vectors * np.maximum(roots, 0.0)) @ vectors.T
    unknown = np.diag(covariance) < 0
    repaired[unknown, :] = repaired[:, unknown] = np.nan
    return repaired, True
