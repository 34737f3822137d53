"""Whether one distribution has less poverty than another at every line, and not at one line only."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference
from juntos_eval.estimators.design import Selection
from juntos_eval.estimators.survey_statistics.domains import rows_by_domain, sample_of
from juntos_eval.estimators.welfare.incomes import select_incomes
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.ranked_moments import weighted_mean

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Dominance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dominance:
    r"""Difference of two dominance curves at each line, and the test of dominance over all of them.

    .. math:: D^s(z) = \frac{1}{(s-1)!} E[(z - y)^{s-1} 1\{y \le z\}], \qquad
              \Delta(z) = D^s_B(z) - D^s_A(z)

    A, the first group in sorted order, dominates B where :math:`\Delta(z) > 0` at every line: poverty is
    lower in A for all lines and all additive measures of order s. The null is that it does **not**: it is
    refused only if the smallest t statistic is beyond the one-sided critical value, whose p value is the
    largest of all lines (intersection-union test of Davidson and Duclos 2013). Not to refuse is no evidence
    of the contrary.

    Parameters
    ----------
    outcome, by : str
        Incomes, and a column of two groups.
    lines : tuple of float
        Over which dominance is asked: with lines in the far tails it can never be shown.
    order : {1, 2, 3}
        s: 1 of distribution functions, 2 of poverty gaps.
    weights : str, optional

    References
    ----------
    Davidson, R., & Duclos, J.-Y. (2000). Statistical inference for stochastic dominance and for the
    measurement of poverty and inequality. *Econometrica*, 68(6), 1435-1464.
    Davidson, R., & Duclos, J.-Y. (2013). Testing for restricted stochastic dominance. *Econometric Reviews*,
    32(1), 84-125.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.welfare import Dominance
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"income": rng.lognormal(0, 0.5, 4000), "area": ["rural", "urban"] * 2000})
    >>> frame.loc[frame.area == "urban", "income"] *= 1.5
    >>> found = Dominance(outcome="income", by="area", lines=(0.6, 0.8, 1.0, 1.2)).fit(frame)
    >>> found.details["p_second_dominates"] < 0.01 < 0.99 < found.details["p_first_dominates"]
    True
    """

    outcome: str
    by: str
    lines: tuple[float, ...]
    order: int = 1
    weights: str | None = None

    def __post_init__(self) -> None:
        lines = tuple(float(line) for line in np.atleast_1d(self.lines))
        object.__setattr__(self, "lines", lines)
        is_rising = all(low < high for low, high in pairwise(lines)) and all(np.isfinite(lines))
        if self.order not in (1, 2, 3) or not lines or not is_rising:
            raise DesignError(
                "dominance is asked at lines in ascending order, of order 1, 2 or 3",
                where=f"Dominance(order={self.order}, lines={lines[:6]})",
                remedy="give for instance lines=tuple(range(100, 601, 20))",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the differences; by default with ``Robust("HC1")``.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            Term ``difference`` with key ``line``: D of the second group less that of the first. ``details``
            has ``p_first_dominates``, ``p_second_dominates``; a check tells what was shown.

        Raises
        ------
        DesignError
            For columns that cannot be used, or unless there are two groups.
        """
        rule = inference or Robust()
        chosen = select_incomes(
            data, (self.outcome,), by=self.by, weights=self.weights, inference=rule, carry=carry
        )
        groups = chosen.groups[self.by]
        if groups.count != 2:
            raise DesignError(
                "dominance is between two groups",
                where=f"column '{self.by}', {groups.count} groups",
                remedy="keep the rows of the two that are to be compared",
            )
        fit = self._differences(chosen)
        uncertainty = rule.infer(fit)
        errors = uncertainty.std_error
        statistics = np.divide(fit.values, errors, out=np.zeros(len(errors)), where=errors > 0)
        p_values = [float(stats.t.sf(end, uncertainty.df)) for end in (statistics.min(), -statistics.max())]
        return Estimate(
            spec={"estimator": "Dominance", **asdict(self)},
            keys={"term": ("difference",) * len(self.lines), "line": self.lines},
            values=fit.values,
            uncertainty=uncertainty,
            sample=sample_of(chosen),
            checks=(Check("dominance", None, self._words(groups.levels, p_values)),),
            details={
                "p_first_dominates": p_values[0],
                "p_second_dominates": p_values[1],
                "groups": list(groups.levels),
            },
            fit=fit,
            inference=rule,
        )

    def _differences(self, chosen: Selection) -> Fit:
        incomes = chosen.columns[self.outcome]
        values = np.zeros(len(self.lines))
        influence = np.zeros((chosen.n, len(self.lines)))
        for sign, rows in zip((-1.0, 1.0), rows_by_domain(chosen.groups[self.by]), strict=True):
            own = incomes[rows]
            for place, line in enumerate(self.lines):
                gap = np.where(own <= line, np.abs(line - own) ** (self.order - 1), 0.0)
                value, part = weighted_mean(gap / factorial(self.order - 1), chosen.weights[rows])
                values[place] += sign * value
                influence[rows, place] = sign * part
        return Fit(values=values, influence=DenseInfluence(influence), parameters=2, groups=chosen.groups)

    def _words(self, levels: tuple[str, ...], p_values: list[float]) -> str:
        span = f"at order {self.order} over lines {self.lines[0]:g} to {self.lines[-1]:g}"
        for level, other, p_value in zip(levels, levels[::-1], p_values, strict=True):
            if p_value < 0.05:
                return f"'{level}' dominates '{other}' {span} (p = {p_value:.3f})"
        return f"neither was shown to dominate {span} (p = {p_values[0]:.3f} and {p_values[1]:.3f})"
