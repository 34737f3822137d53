"""Inference for rows whose errors go together within clusters, one-way or multiway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal, get_args

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Groups, Uncertainty
from juntos_eval.inference.cluster_corrections import (
    CorrectedClusters,
    Correction,
    Working,
    corrected_clusters,
)
from juntos_eval.inference.cluster_ways import FEW, crossings, occupied_ways, positive
from juntos_eval.inference.small_sample import SmallSample, counted_parameters, residual_df

__all__ = ["Cluster"]

Kind = Literal["CR0", "CR1", "CR1p", "CR1S", "CR2", "CR3", "CR3J"]
_PLAIN = SmallSample(coefficients=False, clusters=False)
_SATTERTHWAITE = SmallSample(coefficients=False, clusters=False, df="satterthwaite")
_BY_KIND = {
    "CR0": _PLAIN,
    "CR1": SmallSample(coefficients=False),
    "CR1p": _PLAIN,
    "CR1S": SmallSample(),
    "CR2": _SATTERTHWAITE,
    "CR3": _SATTERTHWAITE,
    "CR3J": _PLAIN,
}
_CORRECTIONS: dict[str, Correction] = {"CR2": "CR2", "CR3": "CR3", "CR3J": "CR3"}
_WORDS = {
    "CR1p": "G/(G-k)",
    "CR2": "bias-reduced (I-H)^-1/2",
    "CR3": "(I-H)^-1",
    "CR3J": "cluster jackknife, (G-1)/G (I-H)^-1",
}
_REMEDY = "use kind='CR1', which counts clusters only"


@dataclass(frozen=True, slots=True)
class Cluster:
    r"""Clusters are independent, rows within one are not (Liang & Zeger 1986).

    With :math:`\hat\psi_g = \sum_{i \in g} \hat\psi_i` the influence of cluster g,

    .. math:: \hat V = c \sum_{g=1}^{G} \hat\psi_g \hat\psi_g'

    where c is 1 (``CR0``), G/(G-1) (``CR1``), G/(G-k) (``CR1p``), G/(G-1) · (n-1)/(n-k) (``CR1S``, the rule
    of Stata, of reghdfe and of fixest: k counts absorbed effects unless they are nested in a cluster
    column), or as a :class:`SmallSample` says. Tests and intervals use t with G - 1 degrees of freedom.

    With few or uneven clusters these are too small. Of a least-squares fit, absorbed effects included, the
    residuals of a cluster can be corrected by its part of the hat matrix first: ``CR2`` (Bell & McCaffrey
    2002; unbiased under a working model of equal variances), ``CR3`` (the cluster jackknife, too large if
    anything) and ``CR3J`` (times (G-1)/G). CR2 and CR3 use t with Satterthwaite's degrees of freedom of
    each value, CR3J t with G - 1.

    Several columns make multiway clusters: terms of all combinations of columns are added and subtracted
    (Cameron, Gelbach & Miller 2011). One factor c, that of the column with the fewest clusters, multiplies
    every term, and the degrees of freedom are its G - 1. A sum that is not positive semi-definite
    gets its negative eigenvalues set to zero, ``Uncertainty.method`` says so, and a variance that was
    itself negative becomes NaN.

    Parameters
    ----------
    by : str or tuple of str
        Columns whose values name the clusters. The fit must carry them.
    kind : {"CR1", "CR0", "CR1p", "CR1S", "CR2", "CR3", "CR3J"}
    small_sample : SmallSample, optional
        Instead of the rule of the kind; its ``df`` may ask for Satterthwaite's degrees of freedom of any
        kind.
    working : {"identity", "inverse_weights"}
        The variances under which CR2 is unbiased and degrees of freedom are counted, of a weighted fit: one
        for all rows, as suits sampling weights (clubSandwich), or in inverse proportion to weights
        (estimatr).

    Raises
    ------
    InferenceError
        For another kind or no column; from ``infer`` where a column was not carried or has one cluster
        only, where a correction is asked of a fit that is not one of least squares or of several columns,
        and where the jackknife leaves out a cluster without which a value cannot be estimated. With fewer
        than 30 clusters the method says how few they are.

    References
    ----------
    Liang, K.-Y., & Zeger, S. L. (1986). Longitudinal data analysis using generalized linear models.
    *Biometrika*, 73(1), 13-22. Cameron, A. C., Gelbach, J. B., & Miller, D. L. (2011). Robust inference
    with multiway clustering. *Journal of Business & Economic Statistics*, 29(2), 238-249. Bell, R. M., &
    McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression with multi-stage
    samples. *Survey Methodology*, 28(2), 169-181. Imbens, G. W., & Kolesár, M. (2016). Robust standard
    errors in small samples: Some practical advice. *Review of Economics and Statistics*, 98(4), 701-712.
    MacKinnon, J. G., Nielsen, M. Ø., & Webb, M. D. (2023). Fast and reliable jackknife and bootstrap
    methods for cluster-robust inference. *Journal of Applied Econometrics*, 38(5), 671-694. (CR3, CR3J.)

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
    small_sample: SmallSample | None = None
    working: Working = "identity"

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

    @property
    def rule(self) -> SmallSample:
        """The small-sample rule, given or of the kind."""
        return self.small_sample or _BY_KIND[self.kind]

    def infer(self, fit: Fit) -> Uncertainty:
        """Return covariance and degrees of freedom of the fit's values."""
        ways = occupied_ways(fit, self.columns)
        corrected = self.corrected(fit) if self._needs_least_squares else None
        rule, counts = self.rule, [way.count for way in ways]
        parameters = counted_parameters(fit, rule, ways)
        if rule.coefficients or rule.df == "residual":
            residual_df(fit, parameters, _REMEDY)
        if corrected is None or self.kind not in _CORRECTIONS:
            raw = _multiway(fit, ways, rule, parameters)
        else:
            groups = min(counts)
            raw = corrected.covariance * rule.factor(rows=fit.n, parameters=parameters, groups=groups)
        covariance, repaired = positive(raw * _factor_of_kind(self.kind, min(counts), fit.parameters))
        each = corrected.satterthwaite() if corrected is not None and rule.df == "satterthwaite" else None
        return Uncertainty(
            method=_method(self, fit, counts, repaired),
            covariance=covariance,
            df=_degrees(rule, min(counts), fit.n - parameters) if each is None else float(each.min()),
            df_each=each,
        )

    def corrected(self, fit: Fit) -> CorrectedClusters:
        """Return what clusters contribute after the correction of the kind; none under CR0 and CR1."""
        ways = occupied_ways(fit, self.columns)
        if fit.linear is None or len(ways) > 1:
            raise InferenceError(
                "corrections of clusters need a least-squares fit and one column of clusters",
                where=f"kind={self.kind!r}, {len(ways)} columns, "
                f"{'a' if fit.linear is not None else 'no'} least-squares fit",
                remedy="choose kind='CR1S', or one column",
            )
        return corrected_clusters(fit.linear, ways[0], _CORRECTIONS.get(self.kind, "none"), self.working)

    @property
    def _needs_least_squares(self) -> bool:
        return self.kind in _CORRECTIONS or self.rule.df == "satterthwaite"


def _factor_of_kind(kind: Kind, groups: int, parameters: int) -> float:
    if kind == "CR3J":
        return (groups - 1) / groups
    if kind != "CR1p":
        return 1.0
    if groups <= parameters:
        raise InferenceError(
            "CR1p needs more clusters than coefficients",
            where=f"{groups} clusters, {parameters} coefficients",
            remedy="choose kind='CR1S' or 'CR2'",
        )
    return groups / (groups - parameters)


def _degrees(rule: SmallSample, fewest: int, residual: int) -> float:
    return {"min": fewest - 1.0, "residual": float(residual)}.get(rule.df, np.inf)


def _multiway(fit: Fit, ways: Sequence[Groups], rule: SmallSample, parameters: int) -> Floats:
    """Return the inclusion-exclusion sum of outer products of totals over every combination of ways."""
    total = np.zeros((fit.influence.columns, fit.influence.columns))
    fewest = min(way.count for way in ways)
    for sign, codes, groups in crossings(ways):
        sums = fit.influence.totals(codes, groups)
        counted = fewest if rule.cluster_count == "min" else groups
        total += sign * rule.factor(rows=fit.n, parameters=parameters, groups=counted) * (sums.T @ sums)
    return total


def _method(choice: Cluster, fit: Fit, counts: Sequence[int], repaired: bool) -> str:
    has_effects = bool(fit.absorbed)
    words = choice.rule.in_words(has_effects=has_effects, ways=len(counts))
    if choice.kind in _WORDS:
        words = _WORDS[choice.kind] + (
            f", {words}" if choice.rule.clusters or choice.rule.coefficients else ""
        )
    kind = f"{choice.kind} " if choice.small_sample is None or choice.kind in _WORDS else ""
    text = f"clustered by {' and '.join(choice.columns)}, {kind}({words}), "
    text += f"G = {' and '.join(f'{count:,}' for count in counts)}"
    degrees = {"residual": ", t(n-k)", "normal": ", normal", "satterthwaite": ", Satterthwaite t"}
    text += degrees.get(choice.rule.df, "")
    if min(counts) < FEW and choice.rule.df != "satterthwaite":
        text += ", few clusters: intervals may be too short"
    return text + (", negative eigenvalues set to 0" if repaired else "")
