"""Replicate weights that a survey delivers with its data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate, Estimator, Inference
from juntos_eval.inference.refit import weights_column
from juntos_eval.inference.strata import require_sample
from juntos_eval.inference.weighted_replicates import Center, ReplicateVariance, replicate_estimate

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["ReplicateWeights"]

Kind = Literal["jk1", "jkn", "brr", "fay", "bootstrap", "successive_difference", "other"]


@dataclass(frozen=True, slots=True)
class ReplicateWeights:
    r"""Fit once with each column of replicate weights.

    .. math:: \hat V = s \sum_{r=1}^{R} s_r (\hat\theta_r - c)(\hat\theta_r - c)'

    with :math:`s` by the kind: (R - 1)/R for ``jk1``, 1 for ``jkn`` (whose :math:`s_r` must be given), 1/R
    for ``brr``, :math:`1/(R (1 - \rho)^2)` for ``fay``, 1/(R - 1) for ``bootstrap``, 4/R for
    ``successive_difference``.

    Parameters
    ----------
    estimator : Estimator
        With a choice of weights: those of the whole sample.
    columns : tuple of str
        Replicate weights, in the data.
    kind : {"jk1", "jkn", "brr", "fay", "bootstrap", "successive_difference", "other"}
    scale : float, optional
        :math:`s`, instead of that of the kind.
    replicate_scales : tuple of float, optional
        :math:`s_r`; ones by default.
    fay : float
        :math:`\rho` of Fay's method.
    combined : bool
        Columns are weights; else factors of the sample's weights.
    center : {"estimate", "mean"}
    df : float, optional
        Degrees of freedom; by default the rank of the replicate weights less one.
    jobs : int
        Processes.

    References
    ----------
    Wolter, K. M. (2007). *Introduction to Variance Estimation*, ch. 3-5. Springer.
    Fay, R. E., & Train, G. F. (1995). Aspects of survey and model-based postcensal estimation of income and
    poverty characteristics. *Proceedings of the Government Statistics Section*, ASA, 154-159.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import Mean
    >>> from juntos_eval.inference.replicate_weights import ReplicateWeights
    >>> frame = pd.DataFrame({"y": [1.0, 2.0, 6.0]})
    >>> frame = frame.assign(r1=[0, 1.5, 1.5], r2=[1.5, 0, 1.5], r3=[1.5, 1.5, 0])
    >>> jackknifed = ReplicateWeights(Mean(outcome="y"), columns=("r1", "r2", "r3"), kind="jk1").fit(frame)
    >>> round(jackknifed.uncertainty.covariance.item(), 6), jackknifed.uncertainty.df
    (2.333333, 2.0)
    """

    estimator: Estimator
    columns: tuple[str, ...]
    kind: Kind
    scale: float | None = None
    replicate_scales: tuple[float, ...] | None = None
    fay: float = 0.0
    combined: bool = True
    center: Center = "estimate"
    df: float | None = None
    jobs: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        known = self.kind in get_args(Kind) and len(self.columns) > 1 and 0 <= self.fay < 1
        scaled = self.kind not in ("jkn", "other") or (self.scale, self.replicate_scales) != (None, None)
        fitting = self.replicate_scales is None or len(self.replicate_scales) == len(self.columns)
        if not (known and scaled and fitting):
            raise InferenceError(
                "replicate weights need a kind, at least two columns, and for 'jkn' and 'other' their scales",
                where=f"kind={self.kind!r}, {len(self.columns)} columns, scale={self.scale}, fay={self.fay}",
                remedy=f"kinds are {', '.join(get_args(Kind))}; give a scale for each column or for none",
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
            If a column is not there, missing or negative, a replicate cannot be fitted, or the estimator
            cannot be resampled.
        """
        matrix = _matrix(data, self.columns)
        # an error of the estimator's own columns is the estimator's to tell
        self.estimator.fit(data, inference=inference)
        weights = weights_column(self.estimator, data)
        factors = matrix
        if self.combined:
            factors = np.divide(
                matrix, weights[:, None], out=np.zeros_like(matrix), where=weights[:, None] > 0
            )
        rank = np.linalg.matrix_rank(matrix if self.combined else matrix * weights[:, None])
        given = self.replicate_scales
        scales = np.ones(len(self.columns)) if given is None else np.array(given)
        rule = ReplicateVariance(
            factors=_Columns(factors),
            scales=scales * self._scale(),
            df=float(rank - 1) if self.df is None else self.df,
            method=f"replicate weights ({self.kind})",
            center=self.center,
            jobs=self.jobs,
        )
        return replicate_estimate(self, data, rule, inference=inference, carry=carry)

    def _scale(self) -> float:
        if self.scale is not None:
            return self.scale
        R = len(self.columns)
        by_kind = {
            "jk1": (R - 1) / R,
            "brr": 1 / R,
            "fay": 1 / (R * (1 - self.fay) ** 2),
            "bootstrap": 1 / (R - 1),
            "successive_difference": 4 / R,
        }
        return by_kind.get(self.kind, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    factors: Floats

    @property
    def count(self) -> int:
        return int(self.factors.shape[1])

    def of_rows(self, index: int) -> Floats:
        return np.asarray(self.factors[:, index])


def _matrix(data: DataFrame, columns: tuple[str, ...]) -> Floats:
    require_sample(data)
    absent = [name for name in columns if int((data.columns == name).sum()) != 1]
    if absent:
        raise InferenceError(
            "the data do not have each replicate weight once",
            where=f"{len(absent)} columns: {', '.join(map(str, absent[:5]))}",
            remedy="check the spelling, or drop duplicates",
        )
    try:
        matrix = data[list(columns)].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InferenceError(
            "replicate weights are not numbers", where=str(error)[:80], remedy="convert them to numbers"
        ) from error
    wrong = ~(np.isfinite(matrix) & (matrix >= 0)).all(axis=1)
    if wrong.any():
        raise InferenceError(
            "replicate weights are missing, negative or infinite",
            where=f"{int(wrong.sum())} of {len(data)} rows",
            remedy="give every row its replicate weights",
        )
    return np.asarray(matrix)
