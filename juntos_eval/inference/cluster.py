"""Inference for rows whose errors go together within clusters, one-way or multiway."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Groups, Uncertainty

__all__ = ["Cluster"]

Kind = Literal["CR0", "CR1", "CR1S"]
_RULES = {"CR0": "no small-sample factor", "CR1": "G/(G-1)", "CR1S": "G/(G-1)·(n-1)/(n-k)"}
FEW = 30


@dataclass(frozen=True, slots=True)
class Cluster:
    r"""Clusters are independent, rows within one are not (Liang & Zeger 1986).

    With :math:`\hat\psi_g = \sum_{i \in g} \hat\psi_i` the influence of cluster g,

    .. math:: \hat V = c \sum_{g=1}^{G} \hat\psi_g \hat\psi_g'

    where c is 1 (``CR0``), G/(G-1) (``CR1``) or G/(G-1) · (n-1)/(n-k) (``CR1S``, the rule of Stata and
    of fixest). Tests and intervals use t with G - 1 degrees of freedom.

    Several columns make multiway clusters: terms of all combinations of columns are added and subtracted
    (Cameron, Gelbach & Miller 2011). One factor c, that of the column with the fewest clusters, multiplies
    every term, and the degrees of freedom are its G - 1. A sum that is not positive semi-definite
    gets its negative eigenvalues set to zero, ``Uncertainty.method`` says so, and a variance that was
    itself negative becomes NaN.

    Parameters
    ----------
    by : str or tuple of str
        Columns whose values name the clusters. The fit must carry them.
    kind : {"CR1", "CR0", "CR1S"}

    Raises
    ------
    InferenceError
        For another kind or no column; from ``infer`` where a column was not carried or has one cluster
        only. With fewer than 30 clusters the method says how few they are.

    References
    ----------
    Liang, K.-Y., & Zeger, S. L. (1986). Longitudinal data analysis using generalized linear models.
    *Biometrika*, 73(1), 13-22.
    Cameron, A. C., Gelbach, J. B., & Miller, D. L. (2011). Robust inference with multiway clustering.
    *Journal of Business & Economic Statistics*, 29(2), 238-249.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import DenseInfluence, Fit, Groups
    >>> from juntos_eval.inference.cluster import Cluster
    >>> influence = DenseInfluence(np.array([1.0, 1.0, -1.0, -1.0]) / 4)
    >>> villages = Groups([0, 0, 1, 1], ("a", "b"))
    >>> mean = Fit(values=[3.0], influence=influence, parameters=1, groups={"village": villages})
    >>> Cluster("village", kind="CR0").infer(mean).covariance.item()
    0.5
    """

    by: str | tuple[str, ...]
    _: KW_ONLY
    kind: Kind = "CR1"

    def __post_init__(self) -> None:
        if not isinstance(self.by, str):
            columns = tuple(dict.fromkeys(self.by))
            object.__setattr__(self, "by", columns[0] if len(columns) == 1 else columns)
        if not self.by or self.kind not in get_args(Kind):
            raise InferenceError(
                "clusters need at least one column and a kind that there is",
                where=f"by={self.by!r}, kind={self.kind!r}",
                remedy=f"name the column of the clusters and one of {', '.join(get_args(Kind))}",
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the clusters."""
        return (self.by,) if isinstance(self.by, str) else self.by

    def infer(self, fit: Fit) -> Uncertainty:
        """Return covariance and degrees of freedom of the fit's values."""
        ways = [fit.grouping(column) for column in self.columns]
        counts = [_occupied(way) for way in ways]
        for column, count in zip(self.columns, counts, strict=True):
            _refuse_single(column, count, fit.n)
        fewest = min(counts)
        covariance = _factor(self.kind, fewest, fit) * _multiway(fit, ways)
        covariance, repaired = _positive(covariance)
        return Uncertainty(
            method=_method(self.columns, counts, self.kind, repaired),
            covariance=covariance,
            df=float(fewest - 1),
        )


def _occupied(way: Groups) -> int:
    """Clusters with a row of the sample: a level without one is no cluster."""
    return len(np.unique(way.codes))


def _refuse_single(column: str, count: int, rows: int) -> None:
    if count < 2:
        raise InferenceError(
            "one cluster says nothing of how clusters differ",
            where=f"column '{column}', {count} cluster in {rows} rows",
            remedy="cluster by a finer grouping, or use Robust()",
        )


def _factor(kind: Kind, groups: int, fit: Fit) -> float:
    if kind == "CR0":
        return 1.0
    factor = groups / (groups - 1)
    if kind == "CR1":
        return factor
    if fit.n <= fit.parameters:
        raise InferenceError(
            "there are not more rows than estimated coefficients",
            where=f"{fit.n} rows, {fit.parameters} coefficients",
            remedy="use kind='CR1', which counts clusters only",
        )
    return factor * (fit.n - 1) / (fit.n - fit.parameters)


def _multiway(fit: Fit, ways: list[Groups]) -> Floats:
    """Return the inclusion-exclusion sum of outer products of totals over every combination of ways."""
    total = np.zeros((fit.influence.columns, fit.influence.columns))
    for sign, codes, groups in _combinations(ways):
        sums = fit.influence.totals(codes, groups)
        total += sign * (sums.T @ sums)
    return total


def _combinations(ways: list[Groups]) -> Iterator[tuple[int, Codes, int]]:
    for size in range(1, len(ways) + 1):
        for chosen in combinations(ways, size):
            codes, groups = chosen[0].codes, chosen[0].count
            for way in chosen[1:]:
                pairs, joined = np.unique(codes * way.count + way.codes, return_inverse=True)
                codes, groups = joined.astype(np.int64), len(pairs)
            yield (1 if size % 2 else -1), codes, groups


def _positive(covariance: Floats) -> tuple[Floats, bool]:
    """Return the covariance with negative eigenvalues set to zero, and whether there were any."""
    known = np.flatnonzero(np.isfinite(np.diag(covariance)))
    block = np.ix_(known, known)
    roots, vectors = np.linalg.eigh(covariance[block])
    if not len(roots) or roots[0] >= -1e-12 * max(roots[-1], 0.0):
        return covariance, False
    repaired = covariance.copy()
    repaired[block] = (vectors * np.maximum(roots, 0.0)) @ vectors.T
    # a variance that came out negative is not known; zero would claim certainty
    unknown = np.diag(covariance) < 0
    repaired[unknown, :] = repaired[:, unknown] = np.nan
    return repaired, True


def _method(columns: tuple[str, ...], counts: list[int], kind: Kind, repaired: bool) -> str:
    text = f"clustered by {' and '.join(columns)}, {kind} ({_RULES[kind]}), "
    text += f"G = {' and '.join(f'{count:,}' for count in counts)}"
    if min(counts) < FEW:
        text += ", few clusters: intervals may be too short"
    return text + (", negative eigenvalues set to 0" if repaired else "")
