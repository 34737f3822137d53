"""Randomization inference: what the estimate would have been had the treatment fallen on others."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate, Estimator, Inference, Uncertainty, record
from juntos_eval.inference.assignments import Assignments, assignments_of
from juntos_eval.inference.joint_draws import JointDraws
from juntos_eval.inference.randomization_interval import Responses, invert
from juntos_eval.inference.refit import Refits, columns_of, refit

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Randomization"]

Statistic = Literal["studentised", "estimate"]
Alternative = Literal["two-sided", "greater", "less"]
_SIDE = {"greater": 1.0, "less": -1.0}


@dataclass(frozen=True, slots=True)
class Randomization:
    r"""Deal the treatment again as it was dealt, and fit again (Fisher 1935; Young 2019).

    Under the sharp null that the treatment changed nobody's outcome, every assignment would have left the
    outcomes as they are. With T the statistic and :math:`\mathcal A` the assignments,

    .. math:: p = \frac{\#\{a \in \mathcal A : |T_a| \ge |T|\}}{\# \mathcal A}

    exactly where all assignments can be tried (there are no more than ``draws``), else with (1 + #)/(draws +
    1) over drawn ones (Phipson & Smyth 2010), so that the test keeps its size with any number of draws.
    Ties count. ``studentised`` takes the estimate over its standard error: the test is then
    also right, in large samples, for the weak null of no effect on average (Chung & Romano 2013; Wu & Ding
    2021); ``estimate`` is for the sharp null only.

    **Intervals** by inversion hold all effects :math:`\tau`, the same for everybody, that the test does not
    reject: outcomes less :math:`\tau D`. They need an estimator that is linear in the outcome, which is
    tried.

    Parameters
    ----------
    estimator : Estimator
    treatment : str
        Column that was randomized: 0 and 1, or any values, missing too.
    seed : int
    draws : int
        Assignment r hangs on the seed and r alone, and on the order of the units' first rows.
    strata : str, optional
        Column within whose values the treatment was dealt.
    cluster : str, optional
        Column of units that were treated as a whole: villages, or the unit of a panel.
    statistic : {"studentised", "estimate"}
    alternative : {"two-sided", "greater", "less"}
    interval : bool
        Invert the (two-sided) test; three fits an assignment instead of one.
    level : float
    jobs : int
        Processes.

    References
    ----------
    Fisher, R. A. (1935). *The Design of Experiments*. Oliver & Boyd.
    Young, A. (2019). Channeling Fisher: randomization tests and the statistical insignificance of seemingly
    significant experimental results. *Quarterly Journal of Economics*, 134(2), 557-598.
    Wu, J., & Ding, P. (2021). Randomization tests for weak null hypotheses in randomized experiments.
    *Journal of the American Statistical Association*, 116(536), 1898-1913.
    Phipson, B., & Smyth, G. K. (2010). Permutation p-values should never be zero. *Statistical Applications
    in Genetics and Molecular Biology*, 9(1), article 39.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import MeanDifference
    >>> from juntos_eval.inference.randomization import Randomization
    >>> cups = [1, 1, 1, 1, 0, 0, 0, 0]
    >>> tea = pd.DataFrame({"milk_first": cups, "says_milk": cups})
    >>> gap = MeanDifference(outcome="says_milk", treatment="milk_first")
    >>> lady = Randomization(
    ...     gap, treatment="milk_first", seed=1, statistic="estimate", alternative="greater")
    >>> round(70 * lady.fit(tea).p_values().item(), 9)
    1.0
    """

    estimator: Estimator
    _: KW_ONLY
    treatment: str
    seed: int
    draws: int = 1999
    strata: str | None = None
    cluster: str | None = None
    statistic: Statistic = "studentised"
    alternative: Alternative = "two-sided"
    interval: bool = False
    level: float = 0.95
    jobs: int = 1

    def __post_init__(self) -> None:
        known = self.statistic in get_args(Statistic) and self.alternative in get_args(Alternative)
        if not known or self.draws < 99 or not 0 < self.level < 1:
            raise InferenceError(
                "a randomization test needs a known statistic and alternative, and at least 99 draws",
                where=f"statistic={self.statistic!r}, alternative={self.alternative!r}, draws={self.draws}",
                remedy=f"statistics are {', '.join(get_args(Statistic))}; "
                f"alternatives {', '.join(get_args(Alternative))}",
            )
        if self.interval and self.alternative != "two-sided":
            raise InferenceError(
                "intervals invert the two-sided test",
                where=f"alternative={self.alternative!r}",
                remedy="set alternative='two-sided' or interval=False",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate, with p values (and intervals) of the randomization.

        Parameters
        ----------
        data : pandas.DataFrame
            The experiment's units; not changed.
        inference : Inference, optional
            For the standard errors that studentise, and that the estimate reports.
        carry : tuple of str

        Returns
        -------
        Estimate
            With the covariance of the inference. Without ``interval`` intervals are those of the inference.

        Raises
        ------
        InferenceError
            If the design cannot be used, or for an interval of an estimator that is not linear in the
            outcome.
        """
        full = self.estimator.fit(data, inference=inference, carry=carry)
        plan = self._plan(data, inference)
        found = refit(self.estimator, plan, full, inference=inference, jobs=self.jobs)
        joint = self._joint(full, found, plan)
        p_values = np.array([self._p_value(joint, one) for one in range(len(full.values))])
        intervals = self._intervals(plan, full, found, inference, joint) if self.interval else None
        old = full.uncertainty
        uncertainty = Uncertainty(
            method=f"{joint.method}; standard errors: {old.method}",
            covariance=old.covariance,
            df=old.df,
            p_values=p_values,
            intervals=intervals,
            intervals_level=None if intervals is None else self.level,
        )
        return replace(
            full,
            spec={**full.spec, "randomization": record.plain(self)},
            uncertainty=uncertainty,
            checks=(*full.checks, found.check()),
            inference=None,
        )

    def null_draws(self, data: DataFrame, *, inference: Inference | None = None) -> JointDraws:
        """Return the statistics under every assignment tried, to be joined with those of other outcomes.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        """
        full = self.estimator.fit(data, inference=inference)
        plan = self._plan(data, inference)
        return self._joint(full, refit(self.estimator, plan, full, inference=inference, jobs=self.jobs), plan)

    def _plan(self, data: DataFrame, inference: Inference | None) -> _Reassigned:
        known, values = assignments_of(
            data, treatment=self.treatment, strata=self.strata, cluster=self.cluster
        )
        kept = data[[*dict.fromkeys([*columns_of(self.estimator, inference, data), self.treatment])]]
        every = tuple(islice(known.all(), known.number)) if known.number <= self.draws else None
        return _Reassigned(
            data=kept,
            treatment=self.treatment,
            known=known,
            values=values,
            every=every,
            draws=self.draws,
            seed=self.seed,
        )

    def _joint(self, full: Estimate, found: Refits, plan: _Reassigned) -> JointDraws:
        exact = plan.every is not None
        text = f"all {plan.count:,} assignments" if exact else f"{plan.count:,} assignments, seed {self.seed}"
        where = "".join(
            f" {word} {column}" for word, column in (("by", self.cluster), ("within", self.strata)) if column
        )
        values, drawn = full.values, found.values
        if self.statistic == "studentised":
            values = _ratio(values, full.uncertainty.std_error)
            drawn = _ratio(drawn, found.errors)
        method = f"randomization of {self.treatment}{where} ({self.statistic}, {self.alternative}, {text})"
        return JointDraws(statistics=values, draws=drawn, exact=exact, method=method)

    def _p_value(self, joint: JointDraws, column: int) -> float:
        seen, drawn = float(joint.statistics[column]), joint.draws[:, column]
        if not np.isfinite(seen):
            return float("nan")
        if self.alternative == "two-sided":
            return joint.share(np.abs(drawn), abs(seen))
        side = _SIDE[self.alternative]
        return joint.share(side * drawn, side * seen)

    def _intervals(
        self,
        plan: _Reassigned,
        full: Estimate,
        found: Refits,
        inference: Inference | None,
        joint: JointDraws,
    ) -> Floats:
        """Refit with outcomes moved by two effects more: values are linear in it, variances quadratic."""
        outcome: Any = getattr(self.estimator, "outcome", None)
        if not isinstance(outcome, str):
            raise InferenceError(
                "an interval by inversion needs an estimator of one outcome",
                where=type(self.estimator).__name__,
                remedy="set interval=False",
            )
        step = float(np.nanmax(np.abs(full.uncertainty.std_error)))
        moved = []
        for effect in (step, -step):
            shifted = plan.shifted(outcome, effect)
            whole = self.estimator.fit(shifted.data, inference=inference)
            moved.append((whole, refit(self.estimator, shifted, full, inference=inference, jobs=self.jobs)))
        (up, ups), (down, downs) = moved
        seen = Responses.of(
            full.values,
            (up.values, down.values),
            full.uncertainty.std_error,
            (up.uncertainty.std_error, down.uncertainty.std_error),
            step,
        )
        drawn = Responses.of(
            found.values, (ups.values, downs.values), found.errors, (ups.errors, downs.errors), step
        )
        studentised = self.statistic == "studentised"
        ends = [
            invert(seen, drawn, column, joint=joint, level=self.level, studentised=studentised)
            for column in range(len(full.values))
        ]
        return np.array(ends)


def _ratio(values: Floats, errors: Floats) -> Floats:
    usable = np.isfinite(errors) & (errors > 0)
    # a draw that moves nothing is as far from zero as its value is
    still = np.isfinite(errors) & (errors == 0)
    limit = np.where(still & (values != 0), np.copysign(np.inf, values), np.where(still, 0.0, np.nan))
    return np.divide(values, errors, out=limit, where=usable)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reassigned:
    data: DataFrame
    treatment: str
    known: Assignments
    values: Any
    every: tuple[Codes, ...] | None
    draws: int
    seed: int

    @property
    def count(self) -> int:
        return self.draws if self.every is None else len(self.every)

    def frame(self, index: int) -> DataFrame:
        if self.every is None:
            arms = self.known.drawn(np.random.default_rng([self.seed, index]))
        else:
            arms = self.every[index]
        dealt = self.values.take(arms[self.known.codes])
        return self.data.assign(**{self.treatment: dealt})

    def shifted(self, outcome: str, effect: float) -> _Reassigned:
        """Return the same assignments, of outcomes less an effect of the treatment as it was."""
        as_was = self.data[self.treatment].to_numpy(dtype=np.float64)
        return replace(self, data=self.data.assign(**{outcome: self.data[outcome] - effect * as_was}))
