"""Why poverty changed: incomes grew, or were shared otherwise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import DenseInfluence, Estimate, Fit, Inference
from juntos_eval.estimators.survey_statistics.domains import sample_of
from juntos_eval.estimators.welfare.incomes import incomes_check, lines_of, select_incomes
from juntos_eval.estimators.welfare.periods import two_periods
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.ranked_moments import weighted_mean
from juntos_eval.numerics.welfare_indices import Valued, fgt, less

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["PovertyChange"]

Decomposition = Literal["shapley", "datt_ravallion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PovertyChange:
    r"""The change of a poverty measure split into growth and redistribution.

    Incomes are first divided by their own line, so that :math:`P(\mu_s, L_t)` is poverty with the
    distribution of period t and the mean of period s (each income times :math:`\mu_s/\mu_t`).

    .. math:: \text{growth} = P(\mu_1, L_0) - P(\mu_0, L_0), \quad
              \text{redistribution} = P(\mu_0, L_1) - P(\mu_0, L_0), \quad
              \text{residual} = \text{the rest (Datt and Ravallion)}

    Shapley's value takes the mean over both orders, which leaves no rest.

    Parameters
    ----------
    outcome : str
    line : str or float
    time : str
        Column of two periods.
    order : float
        :math:`\alpha` of the FGT measure. At 0 the error needs the density of incomes at the line, by a
        Gaussian kernel with Silverman's width.
    decomposition : {"shapley", "datt_ravallion"}
    weights : str, optional

    References
    ----------
    Datt, G., & Ravallion, M. (1992). Growth and redistribution components of changes in poverty measures.
    *Journal of Development Economics*, 38(2), 275-295.
    Shorrocks, A. F. (2013). Decomposition procedures for distributional analysis: a unified framework based
    on the Shapley value. *Journal of Economic Inequality*, 11(1), 99-126.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.welfare import PovertyChange
    >>> frame = pd.DataFrame({"income": [50.0, 150.0, 80.0, 240.0], "year": [2015, 2015, 2020, 2020]})
    >>> found = PovertyChange(outcome="income", line=100.0, time="year", order=1).fit(frame)
    >>> dict(zip(found.keys["term"], found.values.round(4).tolist()))
    {'change': -0.15, 'growth': -0.15, 'redistribution': 0.0}
    """

    outcome: str
    line: str | float
    time: str
    order: float = 0.0
    decomposition: Decomposition = "shapley"
    weights: str | None = None

    def __post_init__(self) -> None:
        if self.decomposition not in get_args(Decomposition) or not self.order >= 0:
            raise DesignError(
                "a decomposition or an order is not one that there is",
                where=f"PovertyChange(order={self.order}, decomposition={self.decomposition!r})",
                remedy=f"choose one of {', '.join(get_args(Decomposition))}; orders are not below zero",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Decompose; by default with ``Robust("HC1")``.

        Parameters
        ----------
        data : pandas.DataFrame
            Both surveys, one below the other.
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            Terms ``change``, ``growth``, ``redistribution`` and, for Datt and Ravallion, ``residual``.

        Raises
        ------
        DesignError
            For columns that cannot be used, another number of periods, or a mean that is not positive.
        """
        rule = inference or Robust()
        chosen = select_incomes(
            data,
            (self.outcome, self.time),
            line=self.line,
            weights=self.weights,
            inference=rule,
            carry=carry,
        )
        is_later, periods = two_periods(chosen, self.time)
        incomes = chosen.columns[self.outcome] / lines_of(chosen, self.line)
        sides = [_Side.of(incomes, chosen.weights, rows, self.order) for rows in (~is_later, is_later)]
        if min(side.mean[0] for side in sides) <= 0:
            raise DesignError(
                "a mean income is not positive, so that no income can be scaled to it",
                where=f"column '{self.outcome}', means {[side.mean[0] for side in sides]} in lines",
                remedy="check the incomes of the two periods",
            )
        named = self._parts(sides)
        fit = Fit(
            values=np.array([value for value, _ in named.values()]),
            influence=DenseInfluence(np.column_stack([part for _, part in named.values()])),
            parameters=2,
            groups=chosen.groups,
        )
        return Estimate(
            spec={"estimator": "PovertyChange", **asdict(self)},
            keys={"term": tuple(named)},
            values=fit.values,
            uncertainty=rule.infer(fit),
            sample=sample_of(chosen),
            checks=(incomes_check(incomes, self.outcome),),
            details={
                "periods": list(periods),
                "poverty": [side.poverty[0] for side in sides],
                "mean_in_lines": [side.mean[0] for side in sides],
            },
            fit=fit,
            inference=rule,
        )

    def _parts(self, sides: list[_Side]) -> dict[str, Valued]:
        first, second = sides
        change = less(second.poverty, first.poverty)
        grown, shared = first.scaled_to(second.mean), second.scaled_to(first.mean)
        growth, redistribution = less(grown, first.poverty), less(shared, first.poverty)
        if self.decomposition == "datt_ravallion":
            parts = {"change": change, "growth": growth, "redistribution": redistribution}
            return {**parts, "residual": less(less(change, growth), redistribution)}
        # the other order: incomes are shared anew first, and grow then
        growth_last, redistribution_last = less(second.poverty, shared), less(second.poverty, grown)
        return {
            "change": change,
            "growth": _middle(growth, growth_last),
            "redistribution": _middle(redistribution, redistribution_last),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One period: its incomes in lines, and its poverty and mean with influence on the rows of both."""

    incomes: Floats
    weights: Floats
    rows: Bools
    order: float
    mean: Valued
    poverty: Valued

    @classmethod
    def of(cls, incomes: Floats, weights: Floats, rows: Bools, order: float) -> _Side:
        own, mass = incomes[rows], weights[rows]
        return cls(
            incomes=own,
            weights=mass,
            rows=rows,
            order=order,
            mean=_whole(weighted_mean(own, mass), rows),
            poverty=_whole(fgt(own, np.ones(len(own)), mass, order), rows),
        )

    def scaled_to(self, mean: Valued) -> Valued:
        """Return poverty with this period's distribution and the other's mean."""
        factor = mean[0] / self.mean[0]
        one = np.ones(len(self.incomes))
        value, own = _whole(fgt(factor * self.incomes, one, self.weights, self.order), self.rows)
        of_factor = mean[1] / self.mean[0] - mean[0] / self.mean[0] ** 2 * self.mean[1]
        return value, own + self._slope(factor) * of_factor

    def _slope(self, factor: float) -> float:
        """Return the derivative of poverty in the factor that all incomes are multiplied by."""
        share = self.weights / self.weights.sum()
        scaled = factor * self.incomes
        if self.order == 0:
            return -float(_density(scaled, share, 1.0) / factor)
        gap = np.where(scaled < 1, np.maximum(1 - scaled, 0.0), 0.0)
        steep = np.where(scaled < 1, gap ** (self.order - 1), 0.0) if self.order != 1 else (scaled < 1) * 1.0
        return -float(self.order * (share @ (self.incomes * steep)))


def _density(values: Floats, share: Floats, at: float) -> float:
    """Return a Gaussian kernel's density at a point, with Silverman's width."""
    centre = share @ values
    spread = float(np.sqrt(share @ (values - centre) ** 2))
    low, high = np.quantile(values, [0.25, 0.75])
    robust = min(spread, float(high - low) / 1.349) or spread
    width = 0.9 * robust * float((share**2).sum()) ** 0.2
    if width == 0:
        return 0.0
    away = (values - at) / width
    return float(share @ np.exp(-0.5 * away**2) / (width * np.sqrt(2 * np.pi)))


def _whole(valued: Valued, rows: Bools) -> Valued:
    influence = np.zeros(len(rows))
    influence[rows] = valued[1]
    return valued[0], influence


def _middle(first: Valued, second: Valued) -> Valued:
    return (first[0] + second[0]) / 2, (first[1] + second[1]) / 2
