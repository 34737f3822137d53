"""Treated against untreated rows under one set of weights: means, spreads and whole distributions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimators.matching.adjusted import Design
from juntos_eval.estimators.matching.effect import kish

__all__ = ["ArmComparison", "Characteristics", "characteristics", "compare_arms", "distribution_distances"]

SCORE = "propensity score"


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristics:
    """What arms are compared in.

    Attributes
    ----------
    values : numpy.ndarray, shape (n, q)
    names : tuple of str, length q
    kinds : tuple of str, length q
        ``score``, ``numeric``, or ``share`` for 0/1.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.arm_comparison import Characteristics
    >>> rural = np.array([[1.0], [0.0]])
    >>> Characteristics(values=rural, names=("is_rural",), kinds=("share",)).is_share.tolist()
    [True]
    """

    values: Floats
    names: tuple[str, ...]
    kinds: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))

    @property
    def is_share(self) -> Bools:
        """Characteristics whose mean is a share, shape (q,)."""
        return np.array([kind == "share" for kind in self.kinds], dtype=np.bool_)


def characteristics(design: Design) -> Characteristics:
    """Return the score, the covariates, and the reference level of categories of three or more levels.

    Parameters
    ----------
    design : Design

    Returns
    -------
    Characteristics

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.adjusted import raw_design
    >>> from juntos_eval.estimators.matching.arm_comparison import characteristics
    >>> frame = pd.DataFrame({"d": [1, 0, 0], "area": ["coast", "forest", "highlands"]})
    >>> characteristics(raw_design(frame, treatment="d", covariates=("area",))).names
    ('area[forest]', 'area[highlands]', 'area[reference level]')
    """
    columns, names, kinds = [], [], []
    if design.score is not None:
        columns, names, kinds = [design.score.probability], [SCORE], ["score"]
    for name, column in zip(design.covariate_names, design.covariates.T, strict=True):
        columns.append(column)
        names.append(name)
        kinds.append("share" if ((column == 0) | (column == 1)).all() else "numeric")
    for category, members in _categories(design.covariate_names).items():
        if len(members) > 1:
            columns.append(1.0 - design.covariates[:, members].sum(axis=1))
            names.append(f"{category}[reference level]")
            kinds.append("share")
    values = np.column_stack(columns) if columns else np.zeros((len(design.treated), 0))
    return Characteristics(values=values, names=tuple(names), kinds=tuple(kinds))


def _categories(names: tuple[str, ...]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        if name.endswith("]") and "[" in name:
            found.setdefault(name[: name.index("[")], []).append(position)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmComparison:
    """Treated against untreated rows, with one set of weights, in q characteristics.

    Attributes
    ----------
    mean_treated, mean_untreated : numpy.ndarray, shape (q,)
    variance_treated, variance_untreated : numpy.ndarray, shape (q,)
    ks : numpy.ndarray, shape (q,)
        Largest distance of the two weighted distribution functions (Kolmogorov-Smirnov).
    ecdf_mean : numpy.ndarray, shape (q,)
        Their mean distance over the distinct values.
    effective_treated, effective_untreated : float
        Kish's effective number of rows.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.arm_comparison import Characteristics, compare_arms
    >>> age = np.array([[1.0], [3.0], [2.0], [6.0]])
    >>> seen = Characteristics(values=age, names=("age",), kinds=("numeric",))
    >>> sides = compare_arms(seen, np.array([True, True, False, False]), np.ones(4))
    >>> sides.mean_untreated.tolist(), sides.variance_ratio.tolist(), sides.ks.tolist()
    ([4.0], [0.25], [0.5])
    """

    mean_treated: Floats
    mean_untreated: Floats
    variance_treated: Floats
    variance_untreated: Floats
    ks: Floats
    ecdf_mean: Floats
    effective_treated: float
    effective_untreated: float

    def __post_init__(self) -> None:
        names = (
            "mean_treated",
            "mean_untreated",
            "variance_treated",
            "variance_untreated",
            "ks",
            "ecdf_mean",
        )
        for name in names:
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def variance_ratio(self) -> Floats:
        """Variance of the treated over that of the untreated; NaN where the latter is zero or unknown."""
        known = self.variance_untreated > 0
        empty = np.full(len(known), np.nan)
        return np.asarray(np.divide(self.variance_treated, self.variance_untreated, out=empty, where=known))

    def standardised(self, denominators: Floats) -> Floats:
        """Return differences of means over given standard deviations; NaN where those are zero."""
        known = denominators > 0
        empty = np.full(len(known), np.nan)
        difference = self.mean_treated - self.mean_untreated
        return np.asarray(np.divide(difference, denominators, out=empty, where=known))


def compare_arms(
    seen: Characteristics, treated: Bools, weights: Floats, *, distances: bool = True
) -> ArmComparison:
    r"""Compare treated and untreated rows.

    .. math::
        \bar x_a = \sum_{i \in a} q_i x_i, \qquad
        v_a = \frac{\sum_{i \in a} q_i (x_i - \bar x_a)^2}{1 - \sum_{i \in a} q_i^2}, \qquad
        \sum_{i \in a} q_i = 1

    and :math:`v_a = \bar x_a (1 - \bar x_a)` for a share.

    Parameters
    ----------
    seen : Characteristics
    treated : numpy.ndarray of bool, shape (n,)
    weights : numpy.ndarray, shape (n,)
        Of any scale in each arm; zero leaves a row out.
    distances : bool
        Whether distribution functions are compared too, which sorts each characteristic; else NaN.

    Returns
    -------
    ArmComparison

    Raises
    ------
    DesignError
        If an arm has no weight.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.arm_comparison import Characteristics, compare_arms
    >>> seen = Characteristics(values=np.array([[1.0], [0.0], [0.0]]), names=("x",), kinds=("share",))
    >>> compare_arms(seen, np.array([True, False, False]), np.ones(3)).ks.tolist()
    [1.0]
    """
    shares = {}
    for arm, rows in (("treated", treated), ("untreated", ~treated)):
        total = float(weights[rows].sum())
        if total <= 0:
            raise DesignError(
                f"the design leaves no {arm} rows",
                where=f"{int(rows.sum())} {arm} rows, all with a design weight of zero",
                remedy="loosen the caliper or the trimming",
            )
        shares[arm] = np.where(rows, weights / total, 0.0)
    mean_1, variance_1 = _moments(seen, shares["treated"])
    mean_0, variance_0 = _moments(seen, shares["untreated"])
    signed = shares["treated"] - shares["untreated"]
    size = len(seen.names)
    far, near = np.full(size, np.nan), np.full(size, np.nan)
    for j in range(size if distances else 0):
        far[j], near[j] = distribution_distances(seen.values[:, j], signed)
    return ArmComparison(
        mean_treated=mean_1,
        mean_untreated=mean_0,
        variance_treated=variance_1,
        variance_untreated=variance_0,
        ks=far,
        ecdf_mean=near,
        effective_treated=kish(weights[treated]),
        effective_untreated=kish(weights[~treated]),
    )


def distribution_distances(values: Floats, signed: Floats) -> tuple[float, float]:
    r"""Return the largest and the mean distance of two weighted distribution functions.

    .. math:: \max_v |\hat F_1(v) - \hat F_0(v)|, \qquad
              \frac{1}{|V|} \sum_{v \in V} |\hat F_1(v) - \hat F_0(v)|

    over the distinct values V, of which a share has but one where the functions can differ.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
    signed : numpy.ndarray, shape (n,)
        Weights of the first sample, summing to one, less those of the second.

    Returns
    -------
    tuple of float

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.arm_comparison import distribution_distances
    >>> distribution_distances(np.array([1.0, 2.0, 3.0]), np.array([1.0, -0.5, -0.5]))
    (1.0, 0.5)
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    last_of_value = np.append(ordered[1:] != ordered[:-1], True)
    gap = np.abs(np.cumsum(signed[order])[last_of_value])
    largest = float(gap.max())
    return largest, largest if len(gap) == 2 else float(gap.mean())


def _moments(seen: Characteristics, share: Floats) -> tuple[Floats, Floats]:
    present = seen.values[share != 0]
    low = present.min(axis=0)
    # rounding would give a constant some spread, and difference to another arm's constant
    is_flat = low == present.max(axis=0)
    mean = np.where(is_flat, low, share @ seen.values)
    # a single row has no variance to show
    room = 1.0 - float(share @ share)
    spread = np.where(is_flat, 0.0, share @ (seen.values - mean) ** 2)
    variance = spread / room if room > 1e-12 else np.full(len(mean), np.nan)
    return mean, np.where(seen.is_share, mean * (1.0 - mean), variance)
