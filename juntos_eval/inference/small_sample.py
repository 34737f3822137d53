"""The rules by which small samples are allowed for, each by its own name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from juntos_eval.arrays import Codes
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Groups

__all__ = ["SmallSample", "counted_parameters", "is_nested", "residual_df"]

Effects = Literal["nonnested", "full", "none"]
Rank = Literal["levels", "exact"]
Count = Literal["min", "each"]
Degrees = Literal["min", "residual", "normal", "satterthwaite"]
_CHOICES = {"effects": Effects, "rank": Rank, "cluster_count": Count, "df": Degrees}
_SOON = 4096  # rows that are looked at before all are
_EFFECTS = {
    "nonnested": "k without effects nested in clusters",
    "full": "k with all effects",
    "none": "k without any effect",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallSample:
    r"""What multiplies a sum of squared scores, and the t distribution that its ratio is held against.

    .. math:: c = \frac{G}{G - 1} \cdot \frac{n - 1}{n - k}

    with n rows, G clusters and k coefficients; the two factors and what k counts are chosen apart. Without
    clusters (``Robust``, ``Iid``) the factor is n/(n - k), no effect is nested, and ``min`` means n - k.

    Parameters
    ----------
    coefficients : bool
        Whether (n - 1)/(n - k) is there (fixest's ``K.adj``).
    effects : {"nonnested", "full", "none"}
        Which absorbed effects k counts (fixest's ``K.fixef``): a factor that is nested in a cluster column
        counts one (reghdfe, fixest), all its levels (Stata's areg), or no factor counts.
    rank : {"levels", "exact"}
        All effects are the levels of the factors less one for each factor after the first, or the rank of
        their dummies (fixest's ``K.exact``).
    clusters : bool
        Whether G/(G - 1) is there (``G.adj``).
    cluster_count : {"min", "each"}
        With several columns: the factor of the column with the fewest clusters for every term, or each term
        its own (``G.df``, ``min`` and ``conventional``).
    df : {"min", "residual", "normal", "satterthwaite"}
        t with the fewest clusters less one, with n - k, the normal (``t.df``), or t with Satterthwaite's
        degrees of freedom of each value.

    Raises
    ------
    InferenceError
        For a choice that there is not.

    References
    ----------
    Cameron, A. C., & Miller, D. L. (2015). A practitioner's guide to cluster-robust inference. *Journal of
    Human Resources*, 50(2), 317-372. (Sections II.B and III.B.)

    Examples
    --------
    >>> from juntos_eval.inference.small_sample import SmallSample
    >>> SmallSample(effects="full").factor(rows=100, parameters=10, groups=5)
    1.375
    """

    coefficients: bool = True
    effects: Effects = "nonnested"
    rank: Rank = "levels"
    clusters: bool = True
    cluster_count: Count = "min"
    df: Degrees = "min"

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in get_args(choices):
                raise InferenceError(
                    f"there is no small-sample rule {name}={getattr(self, name)!r}",
                    where="SmallSample",
                    remedy=f"choose one of {', '.join(get_args(choices))}",
                )

    def factor(self, *, rows: int, parameters: int, groups: int) -> float:
        """Return c for so many rows, counted coefficients and clusters."""
        value = groups / (groups - 1) if self.clusters else 1.0
        return value * ((rows - 1) / (rows - parameters) if self.coefficients else 1.0)

    def in_words(self, *, has_effects: bool, ways: int = 1) -> str:
        """Return the rule as every table prints it; without clusters, ways = 0, no effect is nested."""
        parts = ["G/(G-1)"] * self.clusters + ["(n-1)/(n-k)"] * self.coefficients
        text = "·".join(parts) or "no small-sample factor"
        uses_parameters = self.coefficients or self.df == "residual"
        if has_effects and uses_parameters:
            counted = "full" if not ways and self.effects == "nonnested" else self.effects
            text += f", {_EFFECTS[counted]}"
            text += " by exact rank" if self.rank == "exact" and self.effects != "none" else ""
        if ways > 1 and self.clusters:
            text += ", fewest clusters" if self.cluster_count == "min" else ", each term its own G"
        return text


def is_nested(inner: Codes, outer: Codes) -> bool:
    """Say whether no group of the inner grouping has rows in two groups of the outer.

    Parameters
    ----------
    inner, outer : numpy.ndarray of int64, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.small_sample import is_nested
    >>> inner, outer = np.array([0, 0, 1]), np.array([0, 0, 0])
    >>> is_nested(inner, outer), is_nested(outer, inner)
    (True, False)
    """
    if not len(inner) or inner is outer:
        return True
    first = np.zeros(int(inner.max()) + 1, dtype=np.int64)
    # most that are not nested show it soon
    for rows in (slice(_SOON), slice(None)):
        first[inner[rows]] = outer[rows]
        if (first[inner[rows]] != outer[rows]).any():
            return False
    return True


def counted_parameters(fit: Fit, rule: SmallSample, ways: Sequence[Groups] = ()) -> int:
    """Return k as the rule counts it.

    Parameters
    ----------
    fit : Fit
    rule : SmallSample
    ways : sequence of Groups
        The clusters, one grouping a column.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import DenseInfluence, Fit
    >>> from juntos_eval.inference.small_sample import SmallSample, counted_parameters
    >>> fit = Fit(values=[0.0], influence=DenseInfluence(np.zeros((3, 1))), parameters=2)
    >>> counted_parameters(fit, SmallSample())
    2
    """
    absorbed = fit.absorbed
    if not absorbed:
        return fit.parameters
    levels = [int(np.count_nonzero(factor.sizes)) for factor in absorbed]
    by_levels = sum(levels) - len(levels) + 1
    if rule.effects == "none":
        return fit.parameters - by_levels
    counted = fit.parameters
    if rule.rank == "exact":
        counted += fit.absorbed_rank - by_levels
    if rule.effects == "full":
        return counted
    return counted - sum(
        count - 1
        for factor, count in zip(absorbed, levels, strict=True)
        if any(is_nested(factor.codes, way.codes) for way in ways)
    )


def residual_df(fit: Fit, parameters: int, remedy: str) -> float:
    """Return n - k, or say that nothing is left.

    Parameters
    ----------
    fit : Fit
    parameters : int
        k as counted.
    remedy : str

    Raises
    ------
    InferenceError
        If n is not larger than k.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import DenseInfluence, Fit
    >>> from juntos_eval.inference.small_sample import residual_df
    >>> residual_df(Fit(values=[0.0], influence=DenseInfluence(np.zeros((3, 1))), parameters=2), 2, "")
    1.0
    """
    if fit.n <= parameters:
        raise InferenceError(
            "there are not more rows than estimated coefficients",
            where=f"{fit.n} rows, {parameters} coefficients",
            remedy=remedy,
        )
    return float(fit.n - parameters)
