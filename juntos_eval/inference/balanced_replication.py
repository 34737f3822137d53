"""Balanced repeated replication: half-samples of strata with two PSUs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate, Estimator, Inference
from juntos_eval.inference.weighted_replicates import (
    Center,
    ReplicateVariance,
    Units,
    replicate_estimate,
    units_in_strata,
)
from juntos_eval.numerics.hadamard import hadamard_matrix

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["BalancedReplication"]


@dataclass(frozen=True, slots=True)
class BalancedReplication:
    r"""One PSU of the two of each stratum in each replicate, balanced over the replicates.

    .. math:: \hat V = \frac{1}{R (1 - \rho)^2} \sum_{r=1}^{R} (\hat\theta_r - c)(\hat\theta_r - c)'

    Weights of the PSU that is in are multiplied by :math:`2 - \rho`, of the other by :math:`\rho`: 2 and 0
    for McCarthy's half-samples (:math:`\rho = 0`), and both more than 0 for Fay's method, which keeps every
    domain in every replicate. Signs are columns of a Hadamard matrix, so for linear statistics
    the variance is that of linearisation exactly. t with as many degrees of freedom as strata.

    Parameters
    ----------
    estimator : Estimator
        With a choice of weights.
    strata, psu : str
        Columns; each stratum must have two PSUs.
    fay : float
        :math:`\rho`, from 0 to less than 1.
    center : {"estimate", "mean"}
    jobs : int
        Processes.

    References
    ----------
    McCarthy, P. J. (1969). Pseudo-replication: half samples. *Review of the International Statistical
    Institute*, 37(3), 239-264.
    Judkins, D. R. (1990). Fay's method for variance estimation. *Journal of Official Statistics*, 6(3),
    223-239.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import Mean
    >>> from juntos_eval.inference.balanced_replication import BalancedReplication
    >>> frame = pd.DataFrame({"y": [1.0, 3.0, 4.0, 8.0], "area": list("aabb"), "village": [1, 2, 1, 2]})
    >>> halves = BalancedReplication(Mean(outcome="y"), strata="area", psu="village")
    >>> halves.fit(frame).uncertainty.covariance.item()
    1.25
    """

    estimator: Estimator
    strata: str
    psu: str
    fay: float = 0.0
    center: Center = "estimate"
    jobs: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.fay < 1:
            raise InferenceError(
                "Fay's factor lies between 0 and less than 1",
                where=f"fay={self.fay}",
                remedy="give 0 for half-samples, or 0.3",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate, with the error from the replicates.

        Parameters
        ----------
        data : pandas.DataFrame
            Every row of the survey; not changed.
        inference : Inference, optional
            For the fit that the estimate keeps.
        carry : tuple of str

        Returns
        -------
        Estimate

        Raises
        ------
        InferenceError
            If a stratum has another number of PSUs than two, a replicate cannot be fitted, or the estimator
            cannot be resampled.
        """
        units = units_in_strata(data, strata=self.strata, psu=self.psu, fpc=None)
        _require_pairs(units)
        halves = _Halves(units, hadamard_matrix(len(units.counts))[:, 1 : len(units.counts) + 1], self.fay)
        kind = f"Fay's balanced replication ({self.fay:g})" if self.fay else "balanced half-samples"
        rule = ReplicateVariance(
            factors=halves,
            scales=np.full(halves.count, 1 / (halves.count * (1 - self.fay) ** 2)),
            df=float(len(units.counts)),
            method=f"{kind} of {self.psu} within {self.strata}",
            center=self.center,
            jobs=self.jobs,
        )
        return replicate_estimate(self, data, rule, inference=inference, carry=carry)


@dataclass(frozen=True, slots=True, eq=False)
class _Halves:
    units: Units
    signs: Floats
    fay: float

    @property
    def count(self) -> int:
        return len(self.signs)

    def of_rows(self, index: int) -> Floats:
        units = self.units
        # the first of each stratum has the sign of its column, the second the other
        is_first = np.zeros(len(units.owners), dtype=np.bool_)
        is_first[np.unique(units.owners, return_index=True)[1]] = True
        sign = np.where(is_first, 1.0, -1.0) * self.signs[index][units.owners]
        return np.asarray((1 + (1 - self.fay) * sign)[units.codes])


def _require_pairs(units: Units) -> None:
    other = np.flatnonzero(units.counts != 2)
    if len(other):
        raise InferenceError(
            "balanced replication needs two PSUs in each stratum",
            where=f"{len(other)} of {len(units.counts)} strata: "
            + ", ".join(f"{units.levels[h]} has {units.counts[h]}" for h in other[:5]),
            remedy="use Jackknife() or SurveyBootstrap()",
        )
