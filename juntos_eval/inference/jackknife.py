"""The jackknife: each PSU left out once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.estimate import Estimate, Estimator, Inference
from juntos_eval.inference.weighted_replicates import (
    Center,
    ReplicateVariance,
    Units,
    replicate_estimate,
    units_in_strata,
)

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Jackknife"]


@dataclass(frozen=True, slots=True)
class Jackknife:
    r"""Leave each PSU out once, and give its weight to the others of its stratum.

    .. math:: \hat V = \sum_h (1 - f_h) \frac{n_h - 1}{n_h} \sum_{i=1}^{n_h}
              (\hat\theta_{(hi)} - c)(\hat\theta_{(hi)} - c)'

    (JKn; without strata JK1, without PSUs the delete-one jackknife of rows), with
    :math:`\hat\theta_{(hi)}` from weights that are zero in PSU i of stratum h and :math:`n_h/(n_h - 1)` times
    as large in the others of h. t with PSUs less strata degrees of freedom.

    It asks for smooth functions of means: it fails for quantiles, and is refused for matching with
    a fixed number of matches.

    Parameters
    ----------
    estimator : Estimator
        With a choice of weights.
    strata, psu, fpc : str, optional
        Columns, as in :class:`~juntos_eval.inference.survey_design.SurveyDesign`.
    center : {"estimate", "mean"}
        c, the estimate of the whole sample, or the mean of the replicates.
    jobs : int
        Processes.

    References
    ----------
    Rust, K. F., & Rao, J. N. K. (1996). Variance estimation for complex surveys using replication
    techniques. *Statistical Methods in Medical Research*, 5(3), 283-310.
    Wolter, K. M. (2007). *Introduction to Variance Estimation*, ch. 4. Springer.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import Mean
    >>> from juntos_eval.inference.jackknife import Jackknife
    >>> frame = pd.DataFrame({"y": [1.0, 2.0, 6.0]})
    >>> round(float(Jackknife(Mean(outcome="y")).fit(frame).uncertainty.covariance.item()), 6)
    2.333333
    """

    estimator: Estimator
    strata: str | None = None
    psu: str | None = None
    fpc: str | None = None
    center: Center = "estimate"
    jobs: int = 1

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
            If a stratum has one PSU, a replicate cannot be fitted, or the estimator cannot be resampled.
        """
        units = units_in_strata(data, strata=self.strata, psu=self.psu, fpc=self.fpc)
        of_stratum = (1 - units.fractions) * (units.counts - 1) / units.counts
        where = f" within {self.strata}" if self.strata else ""
        rule = ReplicateVariance(
            factors=_LeftOut(units),
            scales=of_stratum[units.owners],
            df=units.df,
            method=f"jackknife of {self.psu or 'rows'}{where}",
            center=self.center,
            jobs=self.jobs,
        )
        return replicate_estimate(self, data, rule, inference=inference, carry=carry)


@dataclass(frozen=True, slots=True, eq=False)
class _LeftOut:
    units: Units

    @property
    def count(self) -> int:
        return len(self.units.owners)

    def of_rows(self, index: int) -> Floats:
        units = self.units
        stratum = units.owners[index]
        size = units.counts[stratum]
        of_unit = np.where(units.owners == stratum, size / (size - 1), 1.0)
        of_unit[index] = 0.0
        return np.asarray(of_unit[units.codes])
