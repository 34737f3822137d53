"""Bootstraps that fit again: rows, clusters or blocks of time drawn again, and weights rescaled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate, Estimator, Groups, Inference, Uncertainty, record
from juntos_eval.inference.bootstrap_intervals import (
    BootstrapInterval,
    bootstrap_interval,
    bootstrap_p_value,
)
from juntos_eval.inference.drawn_rows import DrawnBlocks, DrawnUnits
from juntos_eval.inference.refit import (
    Plan,
    Refits,
    columns_of,
    fit_refusing_matches,
    refit,
    weights_column,
    with_weights,
)
from juntos_eval.inference.robust import Robust
from juntos_eval.inference.strata import grouping_of
from juntos_eval.inference.weighted_replicates import Units, WeightedReplicates, units_in_strata

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Bootstrap", "SurveyBootstrap"]

FEWEST = 39


@dataclass(frozen=True, slots=True)
class Bootstrap:
    r"""Draw the sample again from itself, and fit again (Efron 1979).

    Each draw takes as many units as there are, with replacement: rows (the pairs bootstrap); clusters of
    ``by`` with all their rows; within each of ``strata``; or overlapping blocks of
    ``block_length`` consecutive periods of ``time``, with all rows of each period (Künsch 1989). Copies of
    a cluster, and of the estimator's ``unit``, are units of their own. Standard errors are the spread of the
    draws, intervals are as in
    :func:`~juntos_eval.inference.bootstrap_intervals.bootstrap_interval`, p values are those of equal
    tails that belong to them.

    It fails where the estimate is not smooth in the data: it is refused for matching with a fixed number
    of matches (Abadie & Imbens 2008). With few clusters prefer ``studentised`` intervals, or
    ``WildBootstrap``.

    Parameters
    ----------
    estimator : Estimator
    seed : int
        Draw b hangs on the seed and b alone; without ``by`` on the order of the rows.
    draws : int
    by : str, optional
        Column of clusters.
    strata : str, optional
        Column within whose values units are drawn.
    time : str, optional
        Column of periods, for blocks; not together with ``by`` or ``strata``.
    block_length : int, optional
    interval : {"percentile", "basic", "bca", "studentised", "normal"}
    level : float
    jobs : int
        Processes.

    References
    ----------
    Efron, B. (1979). Bootstrap methods: another look at the jackknife. *Annals of Statistics*, 7(1), 1-26.
    Davison, A. C., & Hinkley, D. V. (1997). *Bootstrap Methods and their Application*. Cambridge
    University Press.
    Künsch, H. R. (1989). The jackknife and the bootstrap for general stationary observations. *Annals of
    Statistics*, 17(3), 1217-1241.
    Abadie, A., & Imbens, G. W. (2008). On the failure of the bootstrap for matching estimators.
    *Econometrica*, 76(6), 1537-1557.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import Mean
    >>> from juntos_eval.inference.bootstrap import Bootstrap
    >>> frame = pd.DataFrame({"y": np.random.default_rng(1).normal(size=200)})
    >>> mean = Bootstrap(Mean(outcome="y"), seed=2, draws=399).fit(frame)
    >>> bool(abs(mean.uncertainty.std_error[0] / (frame["y"].std() / 200**0.5) - 1) < 0.1)
    True
    """

    estimator: Estimator
    seed: int
    draws: int = 999
    by: str | None = None
    strata: str | None = None
    time: str | None = None
    block_length: int | None = None
    interval: BootstrapInterval = "percentile"
    level: float = 0.95
    jobs: int = 1

    def __post_init__(self) -> None:
        _require_choices(self.interval, self.level, self.draws)
        if (self.time is None) != (self.block_length is None) or (self.time and (self.by or self.strata)):
            raise InferenceError(
                "blocks of time need the column of periods and their length, and no other units",
                where=f"time={self.time!r}, block_length={self.block_length}, by={self.by!r}",
                remedy="give time= and block_length=, or by= and strata=",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate, with errors and intervals from the draws.

        Parameters
        ----------
        data : pandas.DataFrame
            Not changed.
        inference : Inference, optional
            For the standard errors of ``studentised`` intervals, in the sample and in each draw.
        carry : tuple of str

        Returns
        -------
        Estimate

        Raises
        ------
        InferenceError
            If a column cannot be used, no draw could be fitted, or the estimator cannot be resampled.
        """
        carried = (*carry, *((self.by,) if self.by else ()))
        full = fit_refusing_matches(self.estimator, data, inference=inference, carry=carried)
        kept = data[columns_of(self.estimator, inference, data)]
        plan, what = self._plan(data, kept)
        # but for studentised intervals nobody asks for the errors of draws
        rule = inference if self.interval == "studentised" else Robust("HC0")
        found = refit(self.estimator, plan, full, inference=rule, jobs=self.jobs)
        method = f"bootstrap of {what} ({self.draws:,} draws, seed {self.seed})"
        return _with_draws(self, full, found, _influence_of_units(full, self.by), method)

    def _plan(self, data: DataFrame, kept: DataFrame) -> tuple[Plan, str]:
        if self.time is not None and self.block_length is not None:
            periods = grouping_of(data, self.time)
            if not 1 <= self.block_length <= periods.count:
                raise InferenceError(
                    "a block cannot be longer than the sample, nor empty",
                    where=f"block_length={self.block_length}, {periods.count} periods",
                    remedy="give a length such as the cube root of the number of periods",
                )
            blocks = DrawnBlocks(
                data=kept, periods=periods, length=self.block_length, draws=self.draws, seed=self.seed
            )
            return blocks, f"blocks of {self.block_length} periods ({self.time})"
        units = units_in_strata(data, strata=self.strata, psu=self.by, fpc=None)
        named: list[str | None] = [self.by, getattr(self.estimator, "unit", None)]
        relabel: dict[str, Groups] = {
            name: grouping_of(data, name) for name in named if name is not None and name in kept.columns
        }
        plan = DrawnUnits(data=kept, units=units, relabel=relabel, draws=self.draws, seed=self.seed)
        where = f" within {self.strata}" if self.strata else ""
        return plan, f"{f'clusters ({self.by}, G = {len(units.owners):,})' if self.by else 'rows'}{where}"


@dataclass(frozen=True, slots=True)
class SurveyBootstrap:
    r"""Rescaled bootstrap of a stratified sample of PSUs (Rao & Wu 1988; Rao, Wu & Yue 1992).

    In each draw :math:`m_h = n_h - 1` of the :math:`n_h` PSUs of a stratum are drawn with replacement, and
    the weights of PSU i, drawn :math:`r_{hi}` times, are multiplied by

    .. math:: 1 - \lambda_h + \lambda_h \frac{n_h}{m_h} r_{hi}, \qquad
              \lambda_h = \sqrt{\frac{m_h (1 - f_h)}{n_h - 1}}

    so that for linear statistics the variance of the draws is that of linearisation; without a finite
    population the factor is :math:`r_{hi} n_h / (n_h - 1)`. Unlike the jackknife it is right for quantiles.

    Parameters
    ----------
    estimator : Estimator
        With a choice of weights.
    seed : int
    draws : int
    strata, psu, fpc : str, optional
        Columns, as in :class:`~juntos_eval.inference.survey_design.SurveyDesign`.
    interval : {"percentile", "basic", "normal"}
    level : float
    jobs : int
        Processes.

    References
    ----------
    Rao, J. N. K., & Wu, C. F. J. (1988). Resampling inference with complex survey data. *Journal of the
    American Statistical Association*, 83(401), 231-241.
    Rao, J. N. K., Wu, C. F. J., & Yue, K. (1992). Some recent work on resampling methods for complex
    surveys. *Survey Methodology*, 18(2), 209-217.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import Mean
    >>> from juntos_eval.inference.bootstrap import SurveyBootstrap
    >>> frame = pd.DataFrame({"y": np.random.default_rng(1).normal(size=200), "area": [0, 1] * 100})
    >>> mean = SurveyBootstrap(Mean(outcome="y"), seed=2, strata="area", draws=199).fit(frame)
    >>> mean.uncertainty.df
    198.0
    """

    estimator: Estimator
    seed: int
    draws: int = 999
    strata: str | None = None
    psu: str | None = None
    fpc: str | None = None
    interval: BootstrapInterval = "percentile"
    level: float = 0.95
    jobs: int = 1

    def __post_init__(self) -> None:
        _require_choices(self.interval, self.level, self.draws)
        if self.interval in ("studentised", "bca"):
            raise InferenceError(
                f"the survey bootstrap has no {self.interval} interval",
                where=f"interval={self.interval!r}",
                remedy="use 'percentile', 'basic' or 'normal'",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate, with errors and intervals from the draws.

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
            If a stratum has one PSU, no draw could be fitted, or the estimator cannot be resampled.
        """
        full = fit_refusing_matches(self.estimator, data, inference=inference, carry=carry)
        units = units_in_strata(data, strata=self.strata, psu=self.psu, fpc=self.fpc)
        plan = WeightedReplicates(
            data=data,
            weights=weights_column(self.estimator, data),
            factors=_Rescaled(units=units, count=self.draws, seed=self.seed),
        )
        found = refit(with_weights(self.estimator), plan, full, inference=Robust("HC0"), jobs=self.jobs)
        where = f" within {self.strata}" if self.strata else ""
        method = f"rescaled bootstrap of {self.psu or 'rows'}{where} ({self.draws:,} draws, seed {self.seed})"
        return _with_draws(self, full, found, None, method, df=units.df)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rescaled:
    units: Units
    count: int
    seed: int

    def of_rows(self, index: int) -> Floats:
        units = self.units
        rng = np.random.default_rng([self.seed, index])
        times = np.zeros(len(units.owners))
        for stratum, size in enumerate(units.counts):
            drawn = rng.multinomial(size - 1, np.full(size, 1 / size))
            times[units.owners == stratum] = drawn
        size = units.counts[units.owners]
        root = np.sqrt(1 - units.fractions)[units.owners]
        return np.asarray((1 - root + root * size / (size - 1) * times)[units.codes])


def _require_choices(interval: str, level: float, draws: int) -> None:
    if interval not in get_args(BootstrapInterval) or not 0 < level < 1 or draws < FEWEST:
        raise InferenceError(
            f"a bootstrap needs a known interval, a level and at least {FEWEST} draws",
            where=f"interval={interval!r}, level={level}, draws={draws}",
            remedy=f"intervals are {', '.join(get_args(BootstrapInterval))}",
        )


def _influence_of_units(full: Estimate, by: str | None) -> Floats | None:
    if full.fit is None:
        return None
    if by is None:
        return full.fit.influence.dense()
    groups = full.fit.grouping(by)
    return full.fit.influence.totals(groups.codes, groups.count)


def _with_draws(
    choice: Any, full: Estimate, found: Refits, influence: Floats | None, method: str, df: float = np.inf
) -> Estimate:
    """Return the estimate with what its draws say."""
    k, errors = len(full.values), full.uncertainty.std_error
    intervals, p_values = np.full((k, 2), np.nan), np.full(k, np.nan)
    whole = found.values[np.isfinite(found.values).all(axis=1)]
    covariance = np.atleast_2d(np.cov(whole, rowvar=False)) if len(whole) > 1 else np.full((k, k), np.nan)
    for one in range(k):
        draws = found.values[:, one]
        if np.isfinite(draws).sum() < FEWEST:
            continue
        spread: dict[str, Any] = {"errors": found.errors[:, one], "error": float(errors[one])}
        value = float(full.values[one])
        intervals[one] = bootstrap_interval(
            draws,
            value,
            kind=choice.interval,
            level=choice.level,
            influence=None if influence is None else influence[:, one],
            **spread,
        )
        p_values[one] = bootstrap_p_value(draws, value, kind=choice.interval, **spread)
    return replace(
        full,
        spec={**full.spec, "resampling": record.plain(choice)},
        uncertainty=Uncertainty(
            method=f"{method}, {choice.interval} intervals",
            covariance=covariance,
            df=df,
            p_values=p_values,
            intervals=intervals,
            intervals_level=choice.level,
        ),
        checks=(*full.checks, found.check()),
        inference=None,
    )
