"""How far clusters can be trusted: how many there are, what hangs on the largest, how many are treated."""

from __future__ import annotations

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Check, Estimate, Fit, Groups, Linear
from juntos_eval.inference.cluster_ways import FEW, occupied_ways
from juntos_eval.inference.explicit_effects import explicit_effects
from juntos_eval.numerics.grouped_products import grouped_products

__all__ = ["cluster_checks"]

# treated or untreated clusters below which standard errors of clusters are not to be trusted
FEW_TREATED = 6


def cluster_checks(estimate: Estimate, by: str, *, treatment: str | None = None) -> tuple[Check, ...]:
    r"""Look at the clusters behind an estimate, value by value.

    With :math:`\gamma_g = c' M X_g' W_g \Omega_g W_g X_g M c` the variance that cluster g adds under a
    working model, the effective number of clusters is

    .. math:: G^* = \frac{G}{1 + \frac{1}{G} \sum_g (\gamma_g / \bar\gamma - 1)^2}

    for independent errors (:math:`\Omega = I`). The leverage of a cluster is its share of the trace of the
    hat matrix, its partial leverage of a value :math:`c'\hat\beta` is :math:`c'M X_g'W_gX_g M c / c'Mc`;
    both are 1/G where all clusters weigh the same.

    Parameters
    ----------
    estimate : Estimate
        With its fit, which carries ``by`` and the treatment. Leverage and effective number need least
        squares.
    by : str
        Column of clusters.
    treatment : str, optional
        Column of the treatment, 0 where nobody is treated.

    Returns
    -------
    tuple of Check
        ``clusters``: number and sizes, passed from 30 on. Then, by value, ``effective clusters`` and
        ``partial leverage``, and ``leverage of clusters``, which draw no line; ``treated clusters``, passed
        from six treated and six untreated ones on.

    Raises
    ------
    InferenceError
        If the estimate has no fit, the columns were not carried, or the treatment is not a number.

    References
    ----------
    Carter, A. V., Schnepel, K. T., & Steigerwald, D. G. (2017). Asymptotic behavior of a t-test robust to
    cluster heterogeneity. *Review of Economics and Statistics*, 99(4), 698-709. MacKinnon, J. G., Nielsen,
    M. Ø., & Webb, M. D. (2023). Leverage, influence, and the jackknife in clustered regression models:
    Reliable inference using summclust. *Stata Journal*, 23(4), 942-982.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from juntos_eval.estimators.means import MeanDifference
    >>> from juntos_eval.inference.cluster_checks import cluster_checks
    >>> village = np.repeat(np.arange(8), 5)
    >>> frame = pd.DataFrame({"village": village, "treated": village % 2, "y": np.cos(np.arange(40.0))})
    >>> gap = MeanDifference(outcome="y", treatment="treated").fit(frame, carry=("village", "treated"))
    >>> for check in cluster_checks(gap, "village", treatment="treated"):
    ...     print(check.name, "|", check.passed, "|", check.detail)
    clusters | False | 8 by village, rows 5 to 5 (median 5)
    leverage of clusters | None | largest 0.125 of all ('0'), 1.0 times the mean
    effective clusters: difference | None | 8.0 of 8
    partial leverage: difference | None | largest 0.125 ('0'), 1.0 times the mean
    treated clusters | False | 4 treated at some time, 4 never
    """
    fit = estimate.fit
    if fit is None:
        raise InferenceError(
            "an estimate without its fit cannot be checked for its clusters",
            where=estimate.title,
            remedy="fit it again and carry the column of the clusters",
        )
    clusters = occupied_ways(fit, (by,))[0]
    checks = [_sizes(clusters, by)]
    if fit.linear is not None:
        checks += _leverages(fit.linear, clusters, tuple(map(str, estimate.keys["term"])))
    if treatment is not None:
        checks.append(_treated(fit, clusters, treatment))
    return tuple(checks)


def _sizes(clusters: Groups, by: str) -> Check:
    sizes = clusters.sizes
    detail = (
        f"{clusters.count:,} by {by}, rows {sizes.min():,} to {sizes.max():,} (median {np.median(sizes):g})"
    )
    return Check("clusters", clusters.count >= FEW, detail)


def _leverages(linear: Linear, clusters: Groups, terms: tuple[str, ...]) -> list[Check]:
    model = explicit_effects(linear, clusters.codes)
    weighted = model.design * model.weights[:, None]
    M, codes, count = model.bread, clusters.codes, clusters.count
    grams = grouped_products(model.design, weighted, codes, count)
    squares = grouped_products(weighted, weighted, codes, count)
    leverage = np.einsum("gpq,qp->g", grams, M)
    if model.within is not None:
        leverage = leverage + _levels_by_cluster(model.within, codes, count)
    checks = [Check("leverage of clusters", None, f"largest {_largest(leverage, clusters, ' of all')}")]
    loadings = model.selection @ M
    for term, loading in zip(terms, loadings, strict=True):
        gamma = np.einsum("p,gpq,q->g", loading, squares, loading)
        effective = count / (1.0 + ((gamma / gamma.mean() - 1.0) ** 2).mean())
        checks.append(Check(f"effective clusters: {term}", None, f"{effective:.1f} of {count:,}"))
        partial = np.einsum("p,gpq,q->g", loading, grams, loading)
        checks.append(Check(f"partial leverage: {term}", None, f"largest {_largest(partial, clusters, '')}"))
    return checks


def _levels_by_cluster(within: Groups, codes: Codes, count: int) -> Floats:
    """Return how many levels of a nested factor each cluster has: its trace of their hat matrix."""
    owner = np.zeros(within.count, dtype=np.int64)
    owner[within.codes] = codes
    return np.bincount(owner, minlength=count).astype(np.float64)


def _largest(leverage: Floats, clusters: Groups, of: str) -> str:
    share = leverage / leverage.sum()
    top = int(np.argmax(share.round(12)))
    return f"{share[top]:.3g}{of} ({clusters.levels[top]!r}), {share[top] * len(share):.1f} times the mean"


def _treated(fit: Fit, clusters: Groups, column: str) -> Check:
    treatment = fit.grouping(column)
    try:
        doses = np.array([float(level) for level in treatment.levels])
    except ValueError as error:
        raise InferenceError(
            f"the treatment '{column}' is not a number",
            where=f"column '{column}', {str(error)[:80]}",
            remedy="recode the treatment to 0 and 1",
        ) from error
    reached = np.zeros(clusters.count, dtype=np.bool_)
    reached[clusters.codes[doses[treatment.codes] != 0]] = True
    treated, never = int(reached.sum()), int((~reached).sum())
    always = np.ones(clusters.count, dtype=np.bool_)
    always[clusters.codes[doses[treatment.codes] == 0]] = False
    # within clusters that are treated in part, each one is its own comparison
    divided = int((reached & ~always).sum())
    passed = min(treated, max(never, divided)) >= FEW_TREATED
    return Check("treated clusters", passed, f"{treated:,} treated at some time, {never:,} never")
