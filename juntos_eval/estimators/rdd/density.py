"""Manipulation test: whether the running variable is as dense on both sides of the cutoff."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binomtest, norm

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Sample, Uncertainty
from juntos_eval.estimators.design import select
from juntos_eval.estimators.rdd.choices import bandwidth_pair, one_of
from juntos_eval.numerics.boundary_density import (
    LEAST,
    DensityDesign,
    DensityFit,
    density_bandwidths,
    density_fit,
)
from juntos_eval.numerics.local_polynomial import KERNELS

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["DensityChoices", "density_test"]

_SELECTORS = ("comb", "each", "diff", "sum")
# binomial windows: this many, each with so many more of the nearest rows
_WINDOWS, _STEP = 10, 20
_LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityChoices:
    """How densities at a cutoff are estimated.

    Parameters
    ----------
    order : int
        p of the bandwidths; the test has p + 1.
    fit : {"unrestricted", "restricted"}
        Restricted: only the density itself may jump, none of its derivatives.
    kernel : {"triangular", "uniform", "epanechnikov"}
    variance : {"jackknife", "plugin"}
    bandwidth : {"comb", "each", "diff", "sum"}, float or pair of float
        Best for each density, their difference, their sum, or (comb) the median of the three, in the
        restricted fit the smaller of the last two.
    has_mass_points : bool
        Rows with the same value share the distribution function's highest value there.

    Raises
    ------
    DesignError
        For other choices.

    Examples
    --------
    >>> from juntos_eval.estimators.rdd import DensityChoices
    >>> DensityChoices(fit="restricted").order
    2
    """

    order: int = 2
    fit: str = "unrestricted"
    kernel: str = "triangular"
    variance: str = "jackknife"
    bandwidth: str | float | tuple[float, float] = "comb"
    has_mass_points: bool = True

    def __post_init__(self) -> None:
        one_of("fit", self.fit, ("unrestricted", "restricted"), "DensityChoices")
        one_of("kernel", self.kernel, KERNELS, "DensityChoices")
        one_of("variance", self.variance, ("jackknife", "plugin"), "DensityChoices")
        if isinstance(self.bandwidth, str):
            one_of("bandwidth", self.bandwidth, _SELECTORS, "DensityChoices")
        else:
            bandwidth_pair(self.bandwidth)
        if int(self.order) != self.order or self.order < 1:
            raise DesignError(
                "the order of a density test is a positive whole number", where=f"order={self.order!r}"
            )

    @property
    def design(self) -> DensityDesign:
        """The same, as the numbers' layer has it."""
        return DensityDesign(
            order=self.order,
            test_order=self.order + 1,
            kernel=self.kernel,
            is_restricted=self.fit == "restricted",
            has_jackknife=self.variance == "jackknife",
            has_mass_points=self.has_mass_points,
        )


DEFAULT = DensityChoices()


def density_test(
    data: DataFrame, *, running: str, cutoff: float = 0.0, choices: DensityChoices = DEFAULT
) -> Estimate:
    r"""Test for manipulation by local polynomial densities (Cattaneo, Jansson & Ma 2020).

    The empirical distribution function is regressed on powers of :math:`x - c`; the first slopes on either
    side are the densities :math:`\hat f_-, \hat f_+`, and

    .. math:: T = \frac{\hat f_+ - \hat f_-}{\hat\sigma} \to N(0, 1)

    if nobody sorts across the cutoff. Bandwidths are best for polynomials of the order, the test takes the
    next order, so that its bias is negligible at them.

    Parameters
    ----------
    data : pandas.DataFrame
        Not changed; rows without a running variable are dropped and counted.
    running : str
        Rows at the cutoff belong to the right.
    cutoff : float
    choices : DensityChoices

    Returns
    -------
    Estimate
        Terms ``left``, ``right``, ``difference``, with the check ``manipulation`` (failed where p < 0.05).
        ``details``: bandwidths, rows in the windows, and ``binomial``: exact tests that among the nearest 20,
        40, … 200 rows, ties included, either side is as likely.

    Raises
    ------
    DesignError
        For a side with too few distinct values.

    References
    ----------
    Cattaneo, M. D., Jansson, M. & Ma, X. (2020). Simple local polynomial density estimators. *Journal of the
    American Statistical Association* 115(531), 1449–1455.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import density_test
    >>> score = np.random.default_rng(5).normal(size=2000)
    >>> density_test(pd.DataFrame({"score": score}), running="score").checks[0].passed
    True
    """
    chosen = select(data, numeric=(running,))
    values = np.sort(chosen.columns[running] - cutoff)
    design = choices.design
    _require_values(values, running, cutoff, choices.order + 4)
    widths = _widths(values, design, choices.bandwidth)
    found = density_fit(values, widths, design, design.test_order)
    matrix = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]])
    covariance = matrix @ found.covariance @ matrix.T
    densities = matrix @ found.values
    middle = int(np.searchsorted(values, 0.0))
    spec = {"running": running, "cutoff": cutoff, **asdict(choices)}
    return Estimate(
        spec={"estimator": "density_test", **spec},
        keys={"term": ("left", "right", "difference")},
        values=densities,
        uncertainty=Uncertainty(
            method=f"local polynomial density, {choices.fit}, {choices.variance}",
            covariance=covariance,
            df=np.inf,
        ),
        sample=Sample(rows=chosen.n, units=chosen.n, treated=chosen.n - middle, dropped=dict(chosen.dropped)),
        checks=(_verdict(densities[2], covariance[2, 2]),),
        details=_details(found, widths, values),
    )


def _widths(
    values: Floats, design: DensityDesign, bandwidth: str | float | tuple[float, float]
) -> tuple[float, float]:
    if not isinstance(bandwidth, str):
        return bandwidth_pair(bandwidth)
    return density_bandwidths(values, design)[bandwidth]


def _require_values(values: Floats, running: str, cutoff: float, needed: int) -> None:
    middle = int(np.searchsorted(values, 0.0))
    for name, side in (("left", values[:middle]), ("right", values[middle:])):
        distinct = len(np.unique(side))
        if distinct < needed:
            raise DesignError(
                f"too few distinct values {name} of the cutoff for a density",
                where=f"column '{running}', cutoff {cutoff:g}: {len(side)} rows, {distinct} distinct values, "
                f"{needed} needed",
                remedy="check the cutoff; for a running variable with few values test its frequencies",
            )


def _verdict(difference: float, variance: float) -> Check:
    statistic = float(difference / np.sqrt(variance))
    p_value = 2.0 * float(norm.sf(abs(statistic)))
    detail = f"density right less left {difference:.4g}, T = {statistic:.3f}, p = {p_value:.4f}"
    return Check("manipulation", p_value >= _LEVEL, detail)


def _details(found: DensityFit, widths: tuple[float, float], values: Floats) -> dict[str, Any]:
    return {
        "h_left": widths[0],
        "h_right": widths[1],
        "n_left": found.counts[0],
        "n_right": found.counts[1],
        "least_rows_in_pilot_windows": LEAST,
        "binomial": _binomial(values),
    }


def _binomial(values: Floats) -> list[dict[str, float]]:
    distance = np.sort(np.abs(values))
    rows = []
    for step in range(1, _WINDOWS + 1):
        if step * _STEP > len(values):
            break
        window = float(distance[step * _STEP - 1])
        left = int(np.count_nonzero((values < 0) & (values >= -window)))
        right = int(np.count_nonzero((values >= 0) & (values <= window)))
        p_value = float(binomtest(right, left + right, 0.5).pvalue)
        rows.append({"window": window, "left": left, "right": right, "p_value": p_value})
    return rows
