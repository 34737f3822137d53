"""Staggered treatment whose timing is random: efficient estimators and design-based errors."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference, Sample, Uncertainty
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.group_time_panel import Panel, balanced_panel
from juntos_eval.estimators.did.panel_frame import kept_groups
from juntos_eval.estimators.did.staggered import (
    Staggered,
    StaggeredColumns,
    read_staggered,
    refuse_repeated,
)
from juntos_eval.estimators.did.timeline import number
from juntos_eval.estimators.did.timing_comparisons import (
    Adjust,
    Estimand,
    Moments,
    TimingRow,
    balance_contrasts,
    moments_of,
    refuse_estimand,
    timing_rows,
)
from juntos_eval.numerics.wald import wald_test

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["RandomTiming"]

Control = Literal["not_yet", "last"]
_KEY = {"group": "group", "calendar": "time", "dynamic": "event_time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomTiming:
    r"""Effects of staggered treatment whose timing is (as good as) random (Roth & Sant'Anna 2023).

    With :math:`\bar Y_g` the mean path of the units first treated in g,

    .. math:: \hat\theta_\beta = \sum_g A_{\theta,g} \bar Y_g - \hat X'\beta, \qquad
              \hat X = \sum_g A_{0,g} \bar Y_g,

    where :math:`\hat X` compares cohorts before either is treated, so that its expectation is zero under
    random timing. :math:`\beta = 1` is difference-in-differences, 0 a difference of means after treatment;
    the most precise is :math:`\beta^* = V_X^{-1} V_{X,\theta}`, here with sample covariances. That timing
    is random is more than parallel trends, and buys precision. Errors are of the assignment of timing to
    these units: Neyman's, less a bound on how much effects vary.

    Parameters
    ----------
    outcome, unit, time, first_treated : str
        A balanced panel; units that are not complete are left out and counted, so are cohorts of one unit
        and units treated from the first period on.
    estimand : {"simple", "group", "calendar", "dynamic"}
        Averages as of :func:`aggregate`; event times from 0 on.
    adjust : {"efficient", "efficient_all", "did", "none"}
        :math:`\beta`: efficient for the one comparison before treatment that difference-in-differences
        subtracts; efficient for all comparisons of cohorts before treatment (for many units and few
        cohorts and periods); 1; 0.
    control : {"not_yet", "last"}
        Compare with all cohorts not treated yet (Callaway & Sant'Anna), or the last one only (Sun & Abraham).
    variance : {"adjusted", "neyman"}
        With or without the bound on the variance of effects.
    permutations : int
        Of the timing among units, for Fisher's test that treatment has no effect on anybody, by the
        studentised statistic; its p values then replace those of the normal law.
    seed : int

    Raises
    ------
    DesignError
        If no cohort of two units has a later one to compare with.

    References
    ----------
    Roth, J., & Sant'Anna, P. H. C. (2023). Efficient estimation for staggered rollout designs. *Journal of
    Political Economy Microeconomics*, 1(4), 669-709. (Equations 4 and 8 to 10; sections 2.3 to 2.6.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import RandomTiming
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "year": [2019, 2020] * 4,
    ...                       "start": [2020] * 4 + [0] * 4, "y": [1.0, 5.0, 2.0, 4.0, 1.0, 2.0, 3.0, 3.5]})
    >>> timing = RandomTiming(outcome="y", unit="id", time="year", first_treated="start", adjust="did")
    >>> timing.fit(frame).values.round(6).tolist()
    [2.25]
    """

    outcome: str
    unit: str
    time: str
    first_treated: str
    estimand: Estimand = "simple"
    adjust: Adjust = "efficient"
    control: Control = "not_yet"
    variance: Literal["adjusted", "neyman"] = "adjusted"
    permutations: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        refuse_estimand(self.estimand, self.adjust)
        if self.control not in ("not_yet", "last") or self.variance not in ("adjusted", "neyman"):
            raise DesignError(
                "random timing cannot be given these choices",
                where=f"control={self.control!r}, variance={self.variance!r}",
                remedy="choose control 'not_yet' or 'last', variance 'adjusted' or 'neyman'",
            )
        if self.permutations < 0:
            raise DesignError(
                f"a number of permutations is not {self.permutations}",
                where="RandomTiming",
                remedy="give 0, or 500 or more",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        r"""Estimate; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default the design-based error; another one takes the influence of units, whose squares add
            up to Neyman's variance.
        carry : tuple of str
            Groupings that a unit keeps.

        Returns
        -------
        Estimate
            Row ``overall``, then ``att`` by ``group``, ``time`` or ``event_time``. A check tests whether
            cohorts were alike before treatment; ``details`` has :math:`\beta` and both errors.
        """
        columns = StaggeredColumns(
            outcome=self.outcome,
            time=self.time,
            first_treated=self.first_treated,
            unit=self.unit,
            carry=groups_to_carry(inference, carry),
        )
        design = read_staggered(data, columns)
        refuse_repeated(design, columns)
        panel = balanced_panel(design)
        used, left_out = _usable(panel, design.timeline.values)
        outcome, first_treated = panel.outcome[used], panel.first_treated[used]
        times = design.timeline.values
        found = _Found.of(self, outcome, first_treated, times)
        groups = {
            name: kept_groups(kept_groups(one, panel.kept), used)
            for name, one in design.of_units(columns).items()
        }
        fit = Fit(
            values=found.values,
            influence=DenseInfluence(_influence(found, outcome, first_treated)),
            parameters=len(found.values),
            groups=groups,
        )
        uncertainty = self._uncertainty(found, outcome, first_treated, times)
        estimate = Estimate(
            spec={"estimator": "RandomTiming", **asdict(self)},
            keys=self._keys(found.rows, design),
            values=found.values,
            uncertainty=uncertainty,
            sample=Sample(
                rows=outcome.size,
                units=len(outcome),
                treated=int(np.isfinite(first_treated).sum()),
                dropped={**design.dropped, **left_out, **_incomplete(design, panel)},
            ),
            checks=(_balance(found.moments, times),),
            details={
                "beta": [[float(one) for one in row] for row in found.beta],
                "std_error_neyman": np.sqrt(np.diag(found.neyman)).tolist(),
                "std_error_adjusted": np.sqrt(np.diag(found.adjusted)).tolist(),
            },
            fit=fit,
        )
        return estimate if inference is None else estimate.with_inference(inference)

    def _keys(self, rows: tuple[TimingRow, ...], design: Staggered) -> dict[str, tuple[Any, ...]]:
        keys: dict[str, tuple[Any, ...]] = {"term": tuple(row.term for row in rows)}
        if self.estimand == "simple":
            return keys
        label = number if self.estimand == "dynamic" else design.timeline.label
        return keys | {
            _KEY[self.estimand]: tuple(None if np.isnan(row.at) else label(row.at) for row in rows)
        }

    def _uncertainty(
        self, found: _Found, outcome: Floats, first_treated: Floats, times: Floats
    ) -> Uncertainty:
        covariance = found.adjusted if self.variance == "adjusted" else found.neyman
        method, p_values = f"design-based, random timing ({self.variance})", None
        if self.permutations:
            p_values = self._fisher(found, outcome, first_treated, times)
            method += f"; p by {self.permutations} permutations of timing"
        return Uncertainty(method=method, covariance=covariance, df=np.inf, p_values=p_values)

    def _fisher(self, found: _Found, outcome: Floats, first_treated: Floats, times: Floats) -> Floats:
        """Return the share of permutations, the one seen among them, with as large a statistic."""
        rng = np.random.default_rng(self.seed)
        seen = found.statistics(self.variance)
        larger = np.ones(len(seen))
        for _ in range(self.permutations):
            other = _Found.of(self, outcome, rng.permutation(first_treated), times)
            # equal statistics may differ by rounding
            larger += other.statistics(self.variance) >= seen * (1 - 1e-12)
        return larger / (self.permutations + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Averages with their weights on cohort means and both covariances."""

    rows: tuple[TimingRow, ...]
    moments: Moments
    values: Floats
    beta: tuple[Floats, ...]
    weights: Floats
    neyman: Floats
    adjusted: Floats

    @staticmethod
    def of(chosen: RandomTiming, outcome: Floats, first_treated: Floats, times: Floats) -> _Found:
        """Estimate on these units."""
        moments = moments_of(outcome, first_treated)
        rows = timing_rows(moments, times, chosen.estimand, last=chosen.control == "last")
        if chosen.adjust == "efficient_all":
            every = balance_contrasts(moments, times)
            rows = tuple(replace(row, zeros=every) for row in rows)
        beta = tuple(_beta(moments, row, chosen.adjust) for row in rows)
        weights = np.array(
            [row.effect - np.tensordot(one, row.zeros, 1) for row, one in zip(rows, beta, strict=True)]
        )
        neyman = moments.covariance(weights, weights)
        return _Found(
            rows=rows,
            moments=moments,
            values=moments.value(weights),
            beta=beta,
            weights=weights,
            neyman=neyman,
            adjusted=neyman - _variance_of_effects(moments, rows, times),
        )

    def statistics(self, variance: str) -> Floats:
        """Return absolute studentised values."""
        covariance = self.adjusted if variance == "adjusted" else self.neyman
        return np.asarray(np.abs(self.values) / np.sqrt(np.diag(covariance)))


def _beta(moments: Moments, row: TimingRow, adjust: Adjust) -> Floats:
    if adjust in ("did", "none"):
        return np.full(len(row.zeros), 1.0 if adjust == "did" else 0.0)
    within = moments.covariance(row.zeros, row.zeros)
    across = moments.covariance(row.zeros, row.effect[None])[:, 0]
    return np.asarray(np.linalg.pinv(within, rcond=1e-10, hermitian=True) @ across)


def _variance_of_effects(moments: Moments, rows: tuple[TimingRow, ...], times: Floats) -> Floats:
    r"""Return the part of :math:`N^{-1} S_\theta` that outcomes before any treatment explain, (k, k)."""
    before = times < moments.cohorts[0]
    effect = np.array([row.effect for row in rows])
    early = moments.covariances[:, before][:, :, before]
    slopes = np.zeros((int(before.sum()), len(rows)))
    for cohort in range(len(moments.cohorts)):
        along = moments.covariances[cohort][before] @ effect[:, cohort].T
        slopes += np.linalg.pinv(early[cohort], rcond=1e-12, hermitian=True) @ along
    explained = slopes.T @ early.mean(axis=0) @ slopes
    return np.asarray(explained / moments.sizes.sum())


def _influence(found: _Found, outcome: Floats, first_treated: Floats) -> Floats:
    """Return deviations from cohort means by weight, whose squares add up to Neyman's variance."""
    moments = found.moments
    cohort = np.searchsorted(moments.cohorts, first_treated)
    size = moments.sizes[cohort]
    apart = (outcome - moments.means[cohort]) / np.sqrt(size * (size - 1))[:, None]
    return np.column_stack([(apart * weights[cohort]).sum(axis=1) for weights in found.weights])


def _usable(panel: Panel, times: Floats) -> tuple[Codes, dict[str, int]]:
    """Leave out units treated from the first period on, and cohorts of one unit."""
    first = panel.first_treated
    always = first <= times[0]
    _, codes, counts = np.unique(first, return_inverse=True, return_counts=True)
    alone = (counts[codes] < 2) & ~always
    used = np.flatnonzero(~always & ~alone)
    if len(np.unique(first[used])) < 2:
        raise DesignError(
            "random timing compares cohorts, and there are not two of two units or more",
            where=f"{len(first)} units, {int(always.sum())} treated from the first period on, "
            f"{int(alone.sum())} alone in their cohort",
            remedy="add units, or join cohorts into longer periods",
        )
    reasons = {"treated from the first period on": always, "alone in its cohort": alone}
    periods = panel.outcome.shape[1]
    return used, {name: int(gone.sum()) * periods for name, gone in reasons.items() if gone.any()}


def _incomplete(design: Staggered, panel: Panel) -> dict[str, int]:
    lost = design.n - panel.outcome.size
    return {"unit not complete in every period": lost} if lost else {}


def _balance(moments: Moments, times: Floats) -> Check:
    """Test that cohorts were alike before either is treated."""
    name, contrasts = "cohorts alike before treatment", balance_contrasts(moments, times)
    if not len(contrasts):
        return Check(name, None, "no period before treatment")
    values, covariance = moments.value(contrasts), moments.covariance(contrasts, contrasts)
    try:
        test = wald_test(values, covariance, np.inf, np.eye(len(values)), np.zeros(len(values)))
    except InferenceError as error:
        return Check(name, None, error.what)
    statistic = test.statistic * test.df
    detail = f"{len(values)} comparisons: {statistic:.4g}, chi-squared({test.df}), p = {test.p_value:.3g}"
    return Check(name, bool(test.p_value >= 0.05), detail + " (Neyman's covariance)")
