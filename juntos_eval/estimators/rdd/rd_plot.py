"""What a regression-discontinuity plot shows: binned means, and a global polynomial a side."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats, FrozenMapping, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Sample
from juntos_eval.estimators.design import select
from juntos_eval.estimators.rdd.choices import bandwidth_pair, one_of
from juntos_eval.estimators.rdd.rd_sample import RdSample, rd_sample
from juntos_eval.estimators.rdd.regression_discontinuity import RegressionDiscontinuity
from juntos_eval.numerics.local_polynomial import KERNELS, Side, local_fit
from juntos_eval.numerics.rd_bandwidth import covariate_slopes, has_mass_points
from juntos_eval.numerics.rd_bins import BIN_RULES, BinCounts, BinnedSide, bin_counts, bin_edges, binned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pandas import DataFrame

__all__ = ["BinChoices", "RdPlot", "rd_plot_bins"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BinChoices:
    """How an RD plot is binned and what curve is drawn through it.

    Parameters
    ----------
    rule : str
        ``es`` evenly spaced or ``qs`` quantile-spaced bins; with ``mv`` as many as mimic the outcome's
        variability, else as many as have the least integrated squared error; with ``pr`` variances by
        polynomials instead of spacings (as is done anyway where a fifth of a side's rows repeat a value).
    count : int or pair of int, optional
        Bins left and right, instead of the rule's number.
    scale : float or pair of float
        Multiplies the rule's number.
    order : int
        Of the polynomial drawn on each side.
    kernel : {"uniform", "triangular", "epanechnikov"}
    bandwidth : float or pair of float, optional
        Of the polynomial; by default the whole side.
    means : {"weighted", "plain"}
        Whether means in bins take the sampling weights.
    level : float
        Of the bars.

    Raises
    ------
    DesignError
        For other choices.

    Examples
    --------
    >>> from juntos_eval.estimators.rdd import BinChoices
    >>> BinChoices(count=10).pair_of_counts
    (10, 10)
    """

    rule: str = "esmv"
    count: int | tuple[int, int] | None = None
    scale: float | tuple[float, float] = 1.0
    order: int = 4
    kernel: str = "uniform"
    bandwidth: float | tuple[float, float] | None = None
    means: str = "weighted"
    level: float = 0.95

    def __post_init__(self) -> None:
        one_of("rule", self.rule, BIN_RULES, "BinChoices")
        one_of("kernel", self.kernel, KERNELS, "BinChoices")
        one_of("means", self.means, ("weighted", "plain"), "BinChoices")
        bandwidth_pair(self.scale, "scale")
        if self.bandwidth is not None:
            bandwidth_pair(self.bandwidth)
        if not 0 < self.level < 1:
            raise DesignError("the level of the bars lies between 0 and 1", where=f"level={self.level!r}")
        if self.order < 0 or int(self.order) != self.order:
            raise DesignError(
                "the order of a polynomial is a whole number from 0", where=f"order={self.order!r}"
            )
        if self.count is not None:
            _checked_counts(self.pair_of_counts)

    @property
    def pair_of_counts(self) -> tuple[int, int]:
        """Return the given numbers of bins, left and right."""
        if isinstance(self.count, tuple):
            return self.count[0], self.count[-1]
        return (0, 0) if self.count is None else (self.count, self.count)


def _checked_counts(pair: tuple[int, int]) -> None:
    if any(not isfinite(count) or count < 1 or int(count) != count for count in pair):
        raise DesignError("numbers of bins are positive whole numbers", where=f"count={pair!r}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RdPlot:
    """Bins and curves of an RD plot.

    Attributes
    ----------
    spec : Mapping
        Columns and choices.
    sides : tuple of BinnedSide
        Left and right.
    coefficients : numpy.ndarray, shape (2, order + 1)
        Of powers of x - c, left and right, covariates at zero.
    shift : float
        What covariates at their mean add to the curves.
    bandwidths : tuple of float
    counts, least_error, mimicking : tuple of int
        Bins chosen, and those of the two rules; 0 where a rule cannot tell.
    lengths, median_lengths : tuple of float
        Mean and median length of the bins.
    sample : Sample
    checks : tuple of Check

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import BinChoices, rd_plot_bins
    >>> frame = pd.DataFrame({"score": range(-50, 50), "y": range(100)})
    >>> plot = rd_plot_bins(frame, outcome="y", running="score", choices=BinChoices(count=2, order=1))
    >>> plot.counts
    (2, 2)
    """

    spec: Mapping[str, Any]
    sides: tuple[BinnedSide, BinnedSide]
    coefficients: Floats
    shift: float
    bandwidths: tuple[float, float]
    counts: tuple[int, int]
    least_error: tuple[int, int]
    mimicking: tuple[int, int]
    lengths: tuple[float, float]
    median_lengths: tuple[float, float]
    sample: Sample
    checks: tuple[Check, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "spec", FrozenMapping(self.spec))
        object.__setattr__(self, "coefficients", frozen(self.coefficients))

    def table(self) -> DataFrame:
        """Return one row a bin with rows: side, ends, rows, mean running, mean outcome, error, interval."""
        names = ("low", "high", "rows", "running", "outcome", "error", "conf_low", "conf_high")
        parts = [
            pd.DataFrame({name: getattr(side, name) for name in names}).assign(side=label)
            for label, side in zip(("left", "right"), self.sides, strict=True)
        ]
        table = pd.concat(parts, ignore_index=True)
        return table[["side", *names]].rename(columns={"error": "std_error"})

    def curve(self, points: int = 200) -> DataFrame:
        """Return the polynomials, covariates at their mean, at evenly spaced places within the data."""
        cutoff = float(self.spec["cutoff"])
        parts = []
        for at, label in enumerate(("left", "right")):
            side = self.sides[at]
            end = float(side.low[0]) if at == 0 else float(side.high[-1])
            reach = min(abs(end - cutoff), self.bandwidths[at])
            place = np.linspace(0.0 if at else -reach, reach if at else 0.0, points)
            fitted = self.shift + np.polynomial.polynomial.polyval(place, self.coefficients[at])
            parts.append(pd.DataFrame({"side": label, "running": cutoff + place, "fitted": fitted}))
        return pd.concat(parts, ignore_index=True)


DEFAULT = BinChoices()


def rd_plot_bins(
    data: DataFrame,
    *,
    outcome: str,
    running: str,
    cutoff: float = 0.0,
    covariates: tuple[str, ...] = (),
    weights: str | None = None,
    choices: BinChoices = DEFAULT,
) -> RdPlot:
    r"""Bin an outcome on both sides of a cutoff, with a number of bins that the data choose.

    The number of bins has the least integrated squared error, or makes the scatter of bin means as large as
    that of the outcome itself, which shows noise as it is (Calonico, Cattaneo & Titiunik 2015). The curves
    are global polynomials: they describe, and are **not** what the effect is estimated by.

    Parameters
    ----------
    data : pandas.DataFrame
        Not changed.
    outcome, running : str
        Rows at the cutoff belong to the right.
    cutoff : float
    covariates : tuple of str
        Of the curves, with slopes common to both sides.
    weights : str, optional
        Sampling weights: of the curves and, by ``choices.means``, of the bin means.
    choices : BinChoices

    Returns
    -------
    RdPlot
        ``je.plot`` or ``reporting.figures.rd_plot_figure`` draw it.

    Raises
    ------
    DesignError
        Where the cutoff lies outside the data, a side has too few distinct values, or a rule cannot tell how
        many bins there should be.

    References
    ----------
    Calonico, S., Cattaneo, M. D. & Titiunik, R. (2015). Optimal data-driven regression discontinuity plots.
    *Journal of the American Statistical Association* 110(512), 1753–1769.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import BinChoices, rd_plot_bins
    >>> score = np.linspace(-1.0, 0.99, 200)
    >>> frame = pd.DataFrame({"score": score, "y": score + 2.0 * (score >= 0)})
    >>> plot = rd_plot_bins(frame, outcome="y", running="score", choices=BinChoices(count=5, order=1))
    >>> plot.counts, round(float(plot.coefficients[1, 0] - plot.coefficients[0, 0]), 9)
    ((5, 5), 2.0)
    """
    chosen = select(data, numeric=(outcome, running), covariates=covariates, weights=weights)
    design = RegressionDiscontinuity(outcome=outcome, running=running, cutoff=cutoff, order=0)
    sample = rd_sample(design, chosen)
    sides = sample.sides
    rule = choices.rule
    if any(has_mass_points(side) for side in sides) and not rule.endswith("pr"):
        rule += "pr"
    asked = [bin_counts(side, side.columns[0], chosen.n, rule) for side in sides]
    counts = _counts(asked, rule, choices)
    edges = [bin_edges(side, cutoff, count, rule) for side, count in zip(sides, counts, strict=True)]
    parts = [_binned(side, ends, choices) for side, ends in zip(sides, edges, strict=True)]
    coefficients, shift, bandwidths = _curves(sides, choices)
    names = {"outcome": outcome, "running": running, "cutoff": cutoff, "covariates": list(covariates)}
    return RdPlot(
        spec={"estimator": "rd_plot_bins", **names, "weights": weights, **asdict(choices), "rule_used": rule},
        sides=(parts[0], parts[1]),
        coefficients=coefficients,
        shift=shift,
        bandwidths=bandwidths,
        counts=counts,
        least_error=_whole(asked[0].least_error, asked[1].least_error),
        mimicking=_whole(asked[0].mimicking, asked[1].mimicking),
        lengths=(float(np.diff(edges[0]).mean()), float(np.diff(edges[1]).mean())),
        median_lengths=(float(np.median(np.diff(edges[0]))), float(np.median(np.diff(edges[1])))),
        sample=Sample(rows=chosen.n, units=chosen.n, treated=sides[1].n, dropped=dict(chosen.dropped)),
        checks=_checks(sample, choices.rule, rule),
    )


def _binned(side: Side, ends: Floats, choices: BinChoices) -> BinnedSide:
    weights = side.weights if choices.means == "weighted" else np.ones(side.n)
    return binned(side, side.columns[0], ends, weights, choices.level)


def _counts(asked: list[BinCounts], rule: str, choices: BinChoices) -> tuple[int, int]:
    if choices.count is not None:
        return choices.pair_of_counts
    numbers = [each.mimicking if "mv" in rule else each.least_error for each in asked]
    if not all(isfinite(number) for number in numbers):
        raise DesignError(
            "no number of bins can be chosen: on a side the outcome has no variance",
            where=f"rule {rule}",
            remedy="give the number of bins by BinChoices(count=…)",
        )
    scale = bandwidth_pair(choices.scale, "scale")
    left, right = (max(ceil(factor * ceil(n)), 1) for factor, n in zip(scale, numbers, strict=True))
    return left, right


def _whole(left: float, right: float) -> tuple[int, int]:
    first, second = (ceil(value) if isfinite(value) else 0 for value in (left, right))
    return first, second


def _curves(sides: tuple[Side, Side], choices: BinChoices) -> tuple[Floats, float, tuple[float, float]]:
    whole = (float(sides[0].distance[-1]), float(sides[1].distance[-1]))
    widths = whole if choices.bandwidth is None else bandwidth_pair(choices.bandwidth)
    fits = [
        local_fit(side, width, choices.order, choices.kernel)
        for side, width in zip(sides, widths, strict=True)
    ]
    try:
        slopes = covariate_slopes(fits, 1)[:, 0]
    except np.linalg.LinAlgError as error:
        raise DesignError(
            "the curves are not of full rank",
            where=str(error),
            remedy="leave out covariates that do not vary near the cutoff, or widen the bandwidth",
        ) from error
    coefficients, covered, mass = [], np.zeros(len(slopes)), 0.0
    for fit in fits:
        columns = fit.side.columns
        outcome = columns[0, : fit.n] - slopes @ columns[1:, : fit.n]
        coefficients.append(fit.coefficients(outcome) * fit.bandwidth ** -np.arange(choices.order + 1.0))
        covered += columns[1:] @ fit.side.weights
        mass += float(fit.side.weights.sum())
    return np.array(coefficients), float(slopes @ (covered / mass)), widths


def _checks(sample: RdSample, asked: str, used: str) -> tuple[Check, ...]:
    checks = []
    if used != asked:
        detail = f"a fifth of a side's rows or more repeat a value: {used} instead of {asked}"
        checks.append(Check("mass points", None, detail))
    if sample.collinear:
        detail = f"left out as combinations of the others: {', '.join(sample.collinear)}"
        checks.append(Check("collinear covariates", None, detail))
    return tuple(checks)
