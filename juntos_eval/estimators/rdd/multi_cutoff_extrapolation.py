r"""Effects away from a cutoff where others, who face a higher one, show what no treatment would have been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import (
    Block,
    BlockInfluence,
    Check,
    Estimate,
    Fit,
    Groups,
    Inference,
    Sample,
    Uncertainty,
)
from juntos_eval.estimators.design import Selection, groups_to_carry, select
from juntos_eval.estimators.rdd.choices import bandwidth_pair, one_of
from juntos_eval.estimators.rdd.joint_fit import TERMS, scaled_covariance
from juntos_eval.numerics.local_polynomial import KERNELS
from juntos_eval.numerics.point_polynomial import Arm, gap_bandwidth, point_fit

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["MultiCutoffExtrapolation"]

_LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiCutoffExtrapolation:
    r"""Effect on those who face the lower of two cutoffs, at scores between the two.

    Among rows that face l all scores :math:`\bar x \in (l, h)` are treated, among those that face h none. If
    the two groups' outcomes without treatment differ by the same :math:`B` at l and at :math:`\bar x`
    (parallel regression functions),

    .. math:: \hat\tau_l(\bar x) = \hat\mu_{1,l}(\bar x) - \hat\mu_{0,h}(\bar x) -
              \{\hat\mu_{0,l}(l) - \hat\mu_{0,h}(l)\}.

    Each level is a local polynomial at its point with its own bandwidth, the best for its mean squared error
    unless one is given, and ``robust`` rows take the next order in the same windows. As in
    difference-in-differences the assumption speaks of what is not seen; where neither group is treated, below
    l, it can be looked at: ``earlier`` points ask whether the difference there is that at l.

    Parameters
    ----------
    outcome, running : str
    cutoff : str
        Column of the cutoff that each row faces; rows at their cutoff are treated.
    low, high : float
        l and h. Rows that face another cutoff are dropped and counted.
    points : tuple of float
        Scores from l on, below h. At l itself it is the discontinuity, by this route.
    earlier : tuple of float
        Scores below l.
    order : int
    kernel : {"triangular", "uniform", "epanechnikov"}
    bandwidth : float, optional
        Of all levels; by default each has its own.
    weights : str, optional
    cluster : str, optional
        Column of clusters of the default inference.

    Raises
    ------
    DesignError
        For points out of place; from ``fit`` where a level cannot be estimated, which is named.

    References
    ----------
    Cattaneo, M. D., Keele, L., Titiunik, R. & Vazquez-Bare, G. (2021). Extrapolating treatment effects in
    multi-cutoff regression discontinuity designs. *Journal of the American Statistical Association* 116(536),
    1941-1952. (Section 3: constant bias.)

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import MultiCutoffExtrapolation
    >>> x = np.tile(np.linspace(-1.0, 1.0, 801), 2)
    >>> c = np.repeat([-0.4, 0.4], 801)
    >>> frame = pd.DataFrame({"x": x, "c": c, "y": x + 0.5 * (c > 0) + (2.0 + x) * (x >= c)})
    >>> design = MultiCutoffExtrapolation(
    ...     outcome="y", running="x", cutoff="c", low=-0.4, high=0.4, points=(0.0,), bandwidth=0.3)
    >>> design.fit(frame).values.round(6).tolist()
    [2.0, 2.0, 2.0]
    """

    outcome: str
    running: str
    cutoff: str
    low: float
    high: float
    points: tuple[float, ...]
    earlier: tuple[float, ...] = ()
    order: int = 1
    kernel: str = "triangular"
    bandwidth: float | None = None
    weights: str | None = None
    cluster: str | None = None

    def __post_init__(self) -> None:
        one_of("kernel", self.kernel, KERNELS, "MultiCutoffExtrapolation")
        if self.bandwidth is not None:
            bandwidth_pair(self.bandwidth)
        if int(self.order) != self.order or self.order < 0:
            raise DesignError("order is a whole number from 0 on", where=f"order={self.order!r}")
        if not self.low < self.high:
            raise DesignError("low is below high", where=f"low={self.low:g}, high={self.high:g}")
        if not self.points or not all(self.low <= point < self.high for point in self.points):
            raise DesignError(
                "points lie from the low cutoff on and below the high one",
                where=f"points={self.points!r}, cutoffs {self.low:g} and {self.high:g}",
            )
        if not all(point < self.low for point in self.earlier):
            raise DesignError("earlier points lie below the low cutoff", where=f"earlier={self.earlier!r}")

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate at every point.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed. Rows that lack anything are dropped and counted.
        inference : Inference, optional
            By default residuals with n/(n-k) a level, or clusters, with the correlations of influence.
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Terms ``conventional bias_corrected robust`` by ``group``: points, then earlier points, where it
            is the difference's change. ``details`` has bandwidth and rows of each level.
        """
        own = (self.cluster,) if self.cluster else ()
        wanted = tuple(dict.fromkeys((*own, *groups_to_carry(inference, carry))))
        chosen = self._chosen(data, wanted)
        cluster = chosen.groups[self.cluster] if self.cluster else None
        levels = _Levels.of(self, chosen, cluster)
        rows: dict[str, dict[tuple[str, float], float]] = {}
        bias = {("low untreated", self.low): 1.0, ("high untreated", self.low): -1.0}
        for point in self.points:
            terms = {("low treated", point): 1.0, ("high untreated", point): -1.0}
            rows[f"{point:g}"] = _added(terms, {key: -weight for key, weight in bias.items()})
        for point in self.earlier:
            terms = {("low untreated", point): 1.0, ("high untreated", point): -1.0}
            rows[f"{point:g}"] = _added(terms, {key: -weight for key, weight in bias.items()})
        values, errors, influence, mix, details = levels.estimated(rows)
        fit = Fit(
            values=mix @ values,
            influence=influence.combine(mix),
            parameters=(self.order + 1) * len(details),
            groups=chosen.groups,
        )
        by = (
            f"clustered by {self.cluster} (G/(G-1)·(n-1)/(n-k) a level)"
            if cluster
            else "HC1 (n/(n-k) a level)"
        )
        default = Uncertainty(
            method=f"{by}; correlations by rows' influence",
            covariance=mix @ scaled_covariance(influence, errors, cluster) @ mix.T,
            df=np.inf,
        )
        estimate = Estimate(
            spec={"estimator": "MultiCutoffExtrapolation", **asdict(self)},
            keys={"term": TERMS * len(rows), "group": tuple(label for label in rows for _ in TERMS)},
            values=fit.values,
            uncertainty=default if inference is None else inference.infer(fit),
            sample=Sample(rows=chosen.n, units=chosen.n, treated=levels.treated, dropped=chosen.dropped),
            details=details,
            fit=fit,
            inference=inference,
        )
        return estimate if not self.earlier else _with_check(estimate, len(self.points))

    def _chosen(self, data: DataFrame, wanted: tuple[str, ...]) -> Selection:
        columns = (self.outcome, self.running, self.cutoff)
        first = select(data, numeric=columns, weights=self.weights, carry=wanted)
        faced = first.columns[self.cutoff]
        inside = (faced == self.low) | (faced == self.high)
        for value in (self.low, self.high):
            if not (faced == value).any():
                raise DesignError(
                    f"no row faces the cutoff {value:g}",
                    where=f"column '{self.cutoff}': {', '.join(f'{x:g}' for x in np.unique(faced)[:8])}",
                )
        if inside.all():
            return first
        chosen = select(data.iloc[first.rows[inside]], numeric=columns, weights=self.weights, carry=wanted)
        dropped = {**first.dropped, "other cutoff": int((~inside).sum())}
        return replace(chosen, rows=first.rows[inside], dropped=dropped)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Levels:
    """Rows by the group that they belong to, and how a level of a group at a point is fitted."""

    design: MultiCutoffExtrapolation
    running: Floats
    outcome: Floats
    weights: Floats
    masks: Mapping[str, Bools]
    codes: Codes
    clusters: Codes | None
    treated: int

    @staticmethod
    def of(design: MultiCutoffExtrapolation, chosen: Selection, cluster: Groups | None) -> _Levels:
        running, faced = chosen.columns[design.running], chosen.columns[design.cutoff]
        passed = running >= faced
        return _Levels(
            design=design,
            running=running,
            outcome=chosen.columns[design.outcome],
            weights=chosen.weights,
            masks={
                "low treated": (faced == design.low) & passed,
                "low untreated": (faced == design.low) & ~passed,
                "high untreated": (faced == design.high) & ~passed,
            },
            codes=np.unique(running, return_inverse=True)[1],
            clusters=None if cluster is None else cluster.codes,
            treated=int(passed.sum()),
        )

    def estimated(
        self, rows: Mapping[str, Mapping[tuple[str, float], float]]
    ) -> tuple[Floats, Floats, BlockInfluence, Floats, dict[str, Any]]:
        """Return values, errors and influence of levels, three each, how rows mix them, and details."""
        needed = list(dict.fromkeys(key for terms in rows.values() for key in terms))
        values, errors, blocks, details = [], [], [], {}
        for at, (name, point) in enumerate(needed):
            arm = self._arm(name, point)
            width, fits = self._fits(arm, name, point)
            plain, higher = fits
            values += [plain.value, higher.value, higher.value]
            errors += [np.sqrt(plain.variance)] * 2 + [np.sqrt(higher.variance)]
            moved = np.column_stack([plain.influence, higher.influence, higher.influence])
            blocks.append(Block(arm.rows[plain.inside], np.arange(3 * at, 3 * at + 3), moved))
            details[f"{name} at {point:g}"] = {
                "h": float(width),
                "n": len(plain.inside),
                "level": plain.value,
            }
        small = np.array([[terms.get(key, 0.0) for key in needed] for terms in rows.values()])
        influence = BlockInfluence(tuple(blocks), len(self.running), 3 * len(needed))
        return np.array(values), np.array(errors), influence, np.kron(small, np.eye(3)), details

    def _arm(self, name: str, point: float) -> Arm:
        here = np.flatnonzero(self.masks[name])
        return Arm(
            place=(self.running[here] - point)[:, None],
            outcome=self.outcome[here],
            weights=self.weights[here],
            codes=self.codes[here],
            rows=here,
            clusters=None if self.clusters is None else self.clusters[here],
        )

    def _fits(self, arm: Arm, name: str, point: float) -> tuple[float, tuple[Any, Any]]:
        design = self.design
        try:
            width = design.bandwidth or gap_bandwidth((arm,), design.order, design.kernel)[0]
            plain, higher = (
                point_fit(arm, width, order, design.kernel) for order in (design.order, design.order + 1)
            )
        except DesignError as error:
            raise DesignError(
                f"{name} at {point:g}: {error.what}", where=error.where, remedy=error.remedy
            ) from error
        return width, (plain, higher)


def _added(
    first: Mapping[tuple[str, float], float], second: Mapping[tuple[str, float], float]
) -> dict[tuple[str, float], float]:
    keys: Sequence[tuple[str, float]] = list(dict.fromkeys([*first, *second]))
    return {key: first.get(key, 0.0) + second.get(key, 0.0) for key in keys}


def _with_check(estimate: Estimate, points: int) -> Estimate:
    at = list(range(3 * points + 2, len(estimate.values), 3))
    p_value = float(estimate.test(np.eye(len(estimate.values))[at]).p_value)
    detail = f"Wald test that the groups differ by as much at {len(at)} earlier points, p = {p_value:.4f}"
    return replace(estimate, checks=(Check("parallel below the cutoffs", p_value >= _LEVEL, detail),))
