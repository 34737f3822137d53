"""Whose incomes grew: the growth of each part of the distribution between two surveys."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import DenseInfluence, Estimate, Fit, Inference
from juntos_eval.estimators.survey_statistics.domains import sample_of
from juntos_eval.estimators.welfare.incomes import incomes_check, select_incomes
from juntos_eval.estimators.welfare.periods import two_periods
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.ranked_moments import partial_mean, ranking, weighted_mean
from juntos_eval.numerics.welfare_indices import Valued

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["GrowthIncidence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthIncidence:
    r"""Growth of mean income in each part of the population, poorest first, between two periods.

    .. math:: g_b = \frac{\mu_{1b}}{\mu_{0b}} - 1, \qquad
              \mu_{tb} = \frac{GL_t(p_b) - GL_t(p_{b-1})}{p_b - p_{b-1}}

    The people in a part need not be the same in both periods (anonymous curve). Means of parts, unlike
    quantiles, have an error that needs no density.

    Parameters
    ----------
    outcome : str
        Column of real income or spending a head.
    time : str
        Column of two periods.
    parts : int
        Into how many equal parts the population is divided.
    weights : str, optional

    References
    ----------
    Ravallion, M., & Chen, S. (2003). Measuring pro-poor growth. *Economics Letters*, 78(1), 93-99.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.welfare import GrowthIncidence
    >>> frame = pd.DataFrame({"income": [1.0, 2.0, 3.0, 6.0, 2.0, 4.0, 3.0, 6.0], "year": [1] * 4 + [2] * 4})
    >>> GrowthIncidence(outcome="income", time="year", parts=2).fit(frame).values.round(4).tolist()
    [0.6667, 0.1111, 0.25]
    """

    outcome: str
    time: str
    parts: int = 10
    weights: str | None = None

    def __post_init__(self) -> None:
        if not _is_number_of_parts(self.parts):
            raise DesignError(
                "a growth incidence curve has two parts or more",
                where=f"GrowthIncidence(parts={self.parts})",
                remedy="ask for deciles with parts=10, for percentiles with parts=100",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the curve; by default with ``Robust("HC1")``.

        Parameters
        ----------
        data : pandas.DataFrame
            Both surveys, one below the other.
        inference : Inference, optional
            Of two samples: ``SurveyDesign`` with strata and PSUs whose labels differ by period.
        carry : tuple of str

        Returns
        -------
        Estimate
            Terms ``growth`` with key ``part`` (1 the poorest), then ``growth_of_mean`` (part 0).

        Raises
        ------
        DesignError
            For columns that cannot be used, another number of periods, or a part whose mean was not positive.
        """
        rule = inference or Robust()
        chosen = select_incomes(
            data, (self.outcome, self.time), weights=self.weights, inference=rule, carry=carry
        )
        is_later, periods = two_periods(chosen, self.time)
        incomes = chosen.columns[self.outcome]
        was = self._means(incomes, chosen.weights, ~is_later)
        became = self._means(incomes, chosen.weights, is_later)
        values, influence = [], []
        for place, ((first, of_first), (second, of_second)) in enumerate(zip(was, became, strict=True)):
            if not first > 0:
                raise DesignError(
                    "growth from a mean that is not positive has no value",
                    where=f"column '{self.outcome}', period {periods[0]:g}, part {place + 1} of {self.parts}",
                    remedy="use fewer parts",
                )
            values.append(second / first - 1)
            influence.append(of_second / first - second / first**2 * of_first)
        fit = Fit(
            values=np.array(values),
            influence=DenseInfluence(np.column_stack(influence)),
            parameters=2,
            groups=chosen.groups,
        )
        return Estimate(
            spec={"estimator": "GrowthIncidence", **asdict(self)},
            keys={
                "term": ("growth",) * self.parts + ("growth_of_mean",),
                "part": (*range(1, self.parts + 1), 0),
            },
            values=fit.values,
            uncertainty=rule.infer(fit),
            sample=sample_of(chosen),
            checks=(incomes_check(incomes, self.outcome),),
            details={"periods": list(periods), "rows": [int((~is_later).sum()), int(is_later.sum())]},
            fit=fit,
            inference=rule,
        )

    def _means(self, incomes: Floats, weights: Floats, rows: Bools) -> list[Valued]:
        """Return the mean of each part and of all, influence on the rows of both periods."""
        ranks = ranking(incomes[rows], weights[rows])
        own = incomes[rows]
        ends: list[Valued] = [(0.0, np.zeros(len(own)))]
        ends += [partial_mean(own, ranks, part / self.parts, own) for part in range(1, self.parts)]
        ends.append(weighted_mean(own, weights[rows]))
        means = [
            (self.parts * (high[0] - low[0]), self.parts * (high[1] - low[1])) for low, high in pairwise(ends)
        ]
        spread = []
        for value, part in (*means, ends[-1]):
            whole = np.zeros(len(incomes))
            whole[rows] = part
            spread.append((value, whole))
        return spread


def _is_number_of_parts(parts: object) -> bool:
    return isinstance(parts, int) and not isinstance(parts, bool) and parts >= 2
