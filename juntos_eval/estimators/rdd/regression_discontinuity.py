"""Regression discontinuity by local polynomials, with robust bias-corrected inference."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.errors import DesignError
from juntos_eval.estimate import (
    Check,
    DenseInfluence,
    Estimate,
    Fit,
    Inference,
    Sample,
    Uncertainty,
)
from juntos_eval.estimators.design import groups_to_carry, select
from juntos_eval.estimators.rdd.choices import bandwidth_pair, checked_choices, variance_kind
from juntos_eval.estimators.rdd.rd_checks import rd_checks
from juntos_eval.estimators.rdd.rd_sample import RdSample, rd_sample
from juntos_eval.numerics.boundary_variance import VarianceRule
from juntos_eval.numerics.rd_bandwidth import LocalDesign, bandwidths_of, with_neighbours
from juntos_eval.numerics.rd_estimate import Discontinuity, discontinuity

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["RegressionDiscontinuity"]

_TERMS = ("conventional", "bias_corrected", "robust")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionDiscontinuity:
    r"""Jump (or kink) of an outcome where a running variable passes a cutoff.

    On each side of the cutoff c a polynomial of order p in :math:`x - c` is fitted with weights
    :math:`w_i K((x_i - c)/h)/h`; the effect is the gap between the two at c,

    .. math:: \hat\tau = \nu! \, (\hat\beta_{+,\nu} - \hat\beta_{-,\nu}), \qquad
              \hat\tau^{bc} = \hat\tau - h^{p+1-\nu} \hat B(b),

    where :math:`\hat B` is the leading bias from an order-q fit within b. A fuzzy design divides by the same
    gap of the treatment, its bias corrected to first order. Three rows: the conventional estimate, the
    bias-corrected one with the conventional standard error, and the bias-corrected one with the robust
    standard error, which counts the error of the correction. Report the last one's interval.

    Parameters
    ----------
    outcome, running : str
        Columns of numbers. Rows at the cutoff belong to the right.
    cutoff : float
    treatment : str, optional
        Treatment actually received: a fuzzy design.
    derivative : int
        0 for a jump, 1 for a kink (then order 2 is usual).
    order : int
        p.
    bias_order : int, optional
        q, by default p + 1.
    kernel : {"triangular", "uniform", "epanechnikov"}
    bandwidth : str, float or pair of float
        A selector (``mserd msetwo msesum msecomb1 msecomb2`` and ``cer…``: smallest mean squared error, or
        smallest coverage error), or h itself, left and right, in units of the running variable.
    bias_bandwidth : float or pair of float, optional
        b; with a given h it is by default h / rho.
    rho : float, optional
        h / b; 1 where h is given.
    covariates : tuple of str
        Pre-treatment covariates with slopes common to both sides: for precision only.
    mass_points : {"adjust", "check", "off"}
        With repeated values of the running variable, pilot bandwidths go by the number of distinct values.
    variance : {"nn", "hc0", "hc1", "hc2", "hc3", "cr1", "cr2", "cr3", "crnn"}
        Of the default inference: residuals from nearest neighbours (all ties included) or from the fit. With
        a ``cluster``, ``nn hc0 hc1`` mean CR1, ``hc2`` CR2, ``hc3`` CR3; ``crnn`` sums neighbour residuals.
    neighbours : int
        J of ``nn``.
    cluster : str, optional
        Column of clusters of the default inference, summed side by side.
    weights : str, optional
        Sampling weights; they multiply the kernel.
    regularisation : float
        Weight of the error of the bias in the selectors; 0 for none.
    least_unique : int, optional
        Pilot windows hold at least so many distinct values (10 with mass points to adjust for).
    is_restricted : bool
        Selected bandwidths end where the data do.
    has_sharp_bandwidth : bool
        Select for the reduced form even in a fuzzy design, as is done anyway where one side's treatment is
        constant.

    Raises
    ------
    DesignError
        From ``fit``, for columns that cannot be used, a cutoff outside the data, a side with too few distinct
        values, covariates that are collinear near the cutoff, a treatment without a first stage.

    References
    ----------
    Calonico, S., Cattaneo, M. D. & Titiunik, R. (2014). Robust nonparametric confidence intervals for
    regression-discontinuity designs. *Econometrica* 82(6), 2295–2326.

    Calonico, S., Cattaneo, M. D., Farrell, M. H. & Titiunik, R. (2019). Regression discontinuity designs
    using covariates. *Review of Economics and Statistics* 101(3), 442–451.

    Calonico, S., Cattaneo, M. D. & Farrell, M. H. (2020). Optimal bandwidth choice for robust bias-corrected
    inference in regression discontinuity designs. *Econometrics Journal* 23(2), 192–210.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import RegressionDiscontinuity
    >>> score = np.linspace(-1.0, 1.0, 400)
    >>> frame = pd.DataFrame({"score": score, "y": score + 2.0 * (score >= 0)})
    >>> jump = RegressionDiscontinuity(outcome="y", running="score", bandwidth=0.5).fit(frame)
    >>> [round(float(value), 6) for value in jump.values], jump.details["n_left"]
    ([2.0, 2.0, 2.0], 100)
    """

    outcome: str
    running: str
    cutoff: float = 0.0
    treatment: str | None = None
    derivative: int = 0
    order: int = 1
    bias_order: int | None = None
    kernel: str = "triangular"
    bandwidth: str | float | tuple[float, float] = "mserd"
    bias_bandwidth: float | tuple[float, float] | None = None
    rho: float | None = None
    covariates: tuple[str, ...] = ()
    mass_points: str = "adjust"
    variance: str = "nn"
    neighbours: int = 3
    cluster: str | None = None
    weights: str | None = None
    regularisation: float = 1.0
    least_unique: int | None = None
    is_restricted: bool = True
    has_sharp_bandwidth: bool = False

    def __post_init__(self) -> None:
        checked_choices(self)

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the discontinuity.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed.
        inference : Inference, optional
            By default the design's own (see ``variance``, ``cluster``). Another one takes the influence of
            each row at the selected bandwidths; the bias-corrected and the robust row are then the same.
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Terms ``conventional``, ``bias_corrected``, ``robust``; ``details`` has ``h_left h_right b_left
            b_right n_left n_right n_bias_left n_bias_right``, the jump and, if fuzzy, the first stage.
        """
        columns = (self.outcome, self.running, *([self.treatment] if self.treatment else []))
        carried = (*groups_to_carry(inference, carry),) if inference else carry
        clusters = (self.cluster,) if self.cluster else ()
        chosen = select(
            data,
            numeric=columns,
            covariates=self.covariates,
            weights=self.weights,
            carry=tuple(dict.fromkeys((*clusters, *carried))),
        )
        sample = rd_sample(self, chosen)
        design = self._design(sample)
        sample = replace(sample, sides=with_neighbours(sample.sides, design.variance))
        try:
            bandwidths = self._bandwidths(sample, design)
            found = discontinuity(sample.sides, design, bandwidths, chosen.n)
        except np.linalg.LinAlgError as error:
            raise DesignError(
                "the local fit is not of full rank",
                where=f"{error}; covariates {', '.join(sample.covariate_names) or 'none'}",
                remedy="leave out covariates that do not vary near the cutoff, or widen the bandwidth",
            ) from error
        fit = Fit(
            values=found.values[[0, 1, 1]],
            influence=DenseInfluence(found.influence[:, [0, 1, 1]]),
            parameters=2 * (self.order + 1),
            groups=chosen.groups,
        )
        return Estimate(
            spec={"estimator": "RegressionDiscontinuity", **asdict(self)},
            keys={"term": _TERMS},
            values=fit.values,
            uncertainty=inference.infer(fit) if inference else self._uncertainty(found),
            sample=_sample(sample, chosen.weights, dict(chosen.dropped)),
            checks=rd_checks(self, sample, found) + self._selection_check(sample),
            details=_details(found, bandwidths),
            fit=fit,
            inference=inference,
        )

    def _design(self, sample: RdSample) -> LocalDesign:
        return LocalDesign(
            order=self.order,
            bias_order=self.order + 1 if self.bias_order is None else self.bias_order,
            derivative=self.derivative,
            kernel=self.kernel,
            variance=VarianceRule(
                kind=variance_kind(self.variance, self.cluster), neighbours=self.neighbours
            ),
            is_fuzzy=sample.is_fuzzy,
            regularisation=self.regularisation,
            mass_points=self.mass_points,
            least_unique=self.least_unique,
            is_restricted=self.is_restricted,
        )

    def _bandwidths(self, sample: RdSample, design: LocalDesign) -> tuple[float, ...]:
        given = self.bias_bandwidth
        if isinstance(self.bandwidth, str):
            sides = sample.sides
            if sample.is_fuzzy and (self.has_sharp_bandwidth or sample.has_constant_side):
                sides, design = sample.without_treatment(), replace(design, is_fuzzy=False)
            selected = bandwidths_of(sides, design, self.bandwidth)
            main, bias = selected[:2], selected[2:]
        else:
            main = bandwidth_pair(self.bandwidth)
            bias = main
        if given is not None:
            bias = bandwidth_pair(given)
        elif self.rho is not None:
            bias = tuple(h / self.rho for h in main)
        return (*main, *bias)

    def _uncertainty(self, found: Discontinuity) -> Uncertainty:
        conventional, robust = found.variances.tolist()
        covariance = np.full((3, 3), np.nan)
        np.fill_diagonal(covariance, (conventional, conventional, robust))
        return Uncertainty(method=self._method(), covariance=covariance, df=np.inf)

    def _method(self) -> str:
        kind = variance_kind(self.variance, self.cluster)
        by = f" by {self.cluster}" if self.cluster else ""
        if kind in {"nn", "crnn"}:
            text = f"{self.neighbours} nearest neighbours with ties"
            return f"{text}, clustered{by} (G/(G-1)·(n-1)/(n-k) a side)" if by else text
        factor = {"hc1": " (n/(n-k) a side)", "cr1": " (G/(G-1)·(n-1)/(n-k) a side)"}.get(kind, "")
        return f"{'clustered' + by if by else 'heteroskedasticity-robust'}, {kind.upper()}{factor}"

    def _selection_check(self, sample: RdSample) -> tuple[Check, ...]:
        if not (sample.is_fuzzy and sample.has_constant_side and isinstance(self.bandwidth, str)):
            return ()
        detail = "treatment is constant on one side: the bandwidth is selected for the reduced form"
        return (Check("bandwidth of a fuzzy design", None, detail),)


def _sample(sample: RdSample, weights: np.ndarray, dropped: dict[str, int]) -> Sample:
    rows = len(weights)
    left, right = sample.sides
    treated = right.n
    if sample.is_fuzzy:
        treated = int(sum(np.count_nonzero(side.columns[1] > 0) for side in (left, right)))
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    return Sample(rows=rows, units=rows, treated=treated, effective=effective, dropped=dropped)


def _details(found: Discontinuity, bandwidths: tuple[float, ...]) -> dict[str, object]:
    details: dict[str, object] = dict(
        zip(("h_left", "h_right", "b_left", "b_right"), bandwidths, strict=True)
    )
    details["n_left"], details["n_right"] = found.counts_h
    details["n_bias_left"], details["n_bias_right"] = found.counts_b
    details["jump_outcome"] = float(found.jumps[0])
    details["boundary_left"], details["boundary_right"] = found.boundary.tolist()
    if len(found.jumps) > 1:
        details["first_stage"] = float(found.treatment[0, 0])
        details["first_stage_bias_corrected"] = float(found.treatment[0, 1])
        details["first_stage_std_error"] = float(np.sqrt(found.treatment[1, 0]))
        details["first_stage_robust_std_error"] = float(np.sqrt(found.treatment[1, 1]))
    return details
