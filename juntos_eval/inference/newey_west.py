"""Inference for errors that go together over time within a unit, or over time and across all units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Groups, Uncertainty
from juntos_eval.inference.cluster_ways import occupied_ways, positive
from juntos_eval.inference.small_sample import SmallSample, counted_parameters, residual_df

__all__ = ["DriscollKraay", "NeweyWest"]

_RULE = SmallSample()
_REMEDY = "use fewer covariates, or SmallSample(coefficients=False)"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeweyWest:
    r"""Errors of a unit go together over time, units are independent (Newey & West 1987).

    .. math:: \hat V = c \sum_u \sum_{l=-L}^{L} \Big(1 - \frac{|l|}{L + 1}\Big)
              \sum_t \hat\psi_{ut} \hat\psi_{u,t-l}'

    with :math:`\hat\psi_{ut}` the influence of unit u in period t, summed if it has several rows there.
    Periods are numbered in the order in which they are seen in the data; a period that a unit misses has no
    influence. t with T - 1 degrees of freedom, and c = T/(T-1) · (n-1)/(n-k) unless a :class:`SmallSample`
    says otherwise.

    Parameters
    ----------
    time : str
        Column of periods; numbers and dates are put in their order, text in that of the alphabet.
    unit : str, optional
        Column of units; without it the data are one series.
    lags : int, optional
        L; by default the whole part of :math:`4 (T/100)^{2/9}` (Newey & West 1994).
    small_sample : SmallSample, optional

    Raises
    ------
    InferenceError
        For a negative number of lags; from ``infer`` if it is not smaller than the number of periods, or
        there is one period only.

    References
    ----------
    Newey, W. K., & West, K. D. (1987). A simple, positive semi-definite, heteroskedasticity and
    autocorrelation consistent covariance matrix. *Econometrica*, 55(3), 703-708.
    Newey, W. K., & West, K. D. (1994). Automatic lag selection in covariance matrix estimation. *Review of
    Economic Studies*, 61(4), 631-653.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import DenseInfluence, Fit, Groups
    >>> from juntos_eval.inference.newey_west import NeweyWest
    >>> from juntos_eval.inference.small_sample import SmallSample
    >>> years = Groups([0, 1, 2], ("2001", "2002", "2003"))
    >>> fit = Fit(values=[0.0], influence=DenseInfluence(np.array([1.0, 1.0, -2.0])), parameters=0,
    ...           groups={"year": years})
    >>> plain = SmallSample(coefficients=False, clusters=False)
    >>> NeweyWest(time="year", lags=1, small_sample=plain).infer(fit).covariance.item()
    5.0
    """

    time: str
    unit: str | None = None
    lags: int | None = None
    small_sample: SmallSample | None = None

    def __post_init__(self) -> None:
        _refuse_negative(self.lags)

    @property
    def columns(self) -> tuple[str, ...]:
        """Time and unit."""
        return (self.time,) if self.unit is None else (self.time, self.unit)

    def infer(self, fit: Fit) -> Uncertainty:
        """Return covariance and degrees of freedom of the fit's values."""
        time = occupied_ways(fit, (self.time,))[0]
        lags = _checked_lags(self.lags, time.count, self.time)
        units = np.zeros(fit.n, np.int64) if self.unit is None else fit.grouping(self.unit).codes
        # room for the lags between two units, so that a lag never reaches into the next one
        cells, codes = np.unique(units * (time.count + lags) + time.codes, return_inverse=True)
        totals = fit.influence.totals(codes.astype(np.int64), len(cells))
        where = "one series" if self.unit is None else f"within {self.unit}"
        name = f"Newey-West over {self.time} {where}, Bartlett, {lags} lags"
        return _uncertainty(fit, name, _bartlett(cells, totals, lags), time, self.small_sample)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriscollKraay:
    r"""Errors go together across units within a period, and over time (Driscoll & Kraay 1998).

    .. math:: \hat V = c \sum_{l=-L}^{L} \Big(1 - \frac{|l|}{L + 1}\Big) \sum_t \hat\psi_t \hat\psi_{t-l}'

    with :math:`\hat\psi_t` the influence of all rows of period t. It rests on many periods: units may be
    many or few. t with T - 1 degrees of freedom, and c = T/(T-1) · (n-1)/(n-k) unless a
    :class:`SmallSample` says otherwise.

    Parameters
    ----------
    time : str
        Column of periods; numbers and dates are put in their order, text in that of the alphabet.
    lags : int, optional
        L; by default the whole part of :math:`4 (T/100)^{2/9}`.
    small_sample : SmallSample, optional

    Raises
    ------
    InferenceError
        For a negative number of lags; from ``infer`` if it is not smaller than the number of periods, or
        there is one period only.

    References
    ----------
    Driscoll, J. C., & Kraay, A. C. (1998). Consistent covariance matrix estimation with spatially dependent
    panel data. *Review of Economics and Statistics*, 80(4), 549-560.

    Examples
    --------
    >>> from juntos_eval.inference.newey_west import DriscollKraay
    >>> DriscollKraay(time="year", lags=2).columns
    ('year',)
    """

    time: str
    lags: int | None = None
    small_sample: SmallSample | None = None

    def __post_init__(self) -> None:
        _refuse_negative(self.lags)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column of periods."""
        return (self.time,)

    def infer(self, fit: Fit) -> Uncertainty:
        """Return covariance and degrees of freedom of the fit's values."""
        time = occupied_ways(fit, (self.time,))[0]
        lags = _checked_lags(self.lags, time.count, self.time)
        totals = fit.influence.totals(time.codes, time.count)
        total = _bartlett(np.arange(time.count), totals, lags)
        name = f"Driscoll-Kraay over {self.time}, Bartlett, {lags} lags"
        return _uncertainty(fit, name, total, time, self.small_sample)


def _bartlett(cells: Codes, totals: Floats, lags: int) -> Floats:
    """Return the weighted sum of products of cells whose sorted numbers are up to ``lags`` apart."""
    total = totals.T @ totals
    for lag in range(1, lags + 1):
        place = np.searchsorted(cells, cells + lag)
        later = np.minimum(place, len(cells) - 1)
        pairs = cells[later] == cells + lag
        cross = totals[later[pairs]].T @ totals[pairs]
        total += (1.0 - lag / (lags + 1.0)) * (cross + cross.T)
    return np.asarray(total)


def _uncertainty(fit: Fit, name: str, total: Floats, time: Groups, given: SmallSample | None) -> Uncertainty:
    rule = given or _RULE
    parameters = counted_parameters(fit, rule)
    if rule.coefficients or rule.df == "residual":
        residual_df(fit, parameters, _REMEDY)
    factor = rule.factor(rows=fit.n, parameters=parameters, groups=time.count)
    covariance, repaired = positive(factor * total)
    words = rule.in_words(has_effects=bool(fit.absorbed), ways=0)
    text = f"{name} ({words.replace('G', 'T')}), T = {time.count:,}"
    degrees = {"min": time.count - 1.0, "residual": float(fit.n - parameters)}
    return Uncertainty(
        method=text + (", negative eigenvalues set to 0" if repaired else ""),
        covariance=covariance,
        df=degrees.get(rule.df, np.inf),
    )


def _refuse_negative(lags: int | None) -> None:
    if lags is not None and lags < 0:
        raise InferenceError(
            "the number of lags is negative",
            where=f"lags={lags}",
            remedy="give 0 or more, or None for a rule",
        )


def _checked_lags(lags: int | None, periods: int, column: str) -> int:
    chosen = int(4.0 * (periods / 100.0) ** (2.0 / 9.0)) if lags is None else lags
    if chosen >= periods:
        raise InferenceError(
            "there are not more periods than lags",
            where=f"column '{column}', {periods} periods, {chosen} lags",
            remedy="use fewer lags, or cluster by unit",
        )
    return chosen
