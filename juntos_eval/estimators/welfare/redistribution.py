"""What a transfer does to poverty and inequality, by accounting: incomes with it and without it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference
from juntos_eval.estimators.survey_statistics.domains import sample_of
from juntos_eval.estimators.welfare.incomes import (
    incomes_check,
    lines_of,
    refuse_not_positive,
    select_incomes,
)
from juntos_eval.estimators.welfare.poverty import PovertyMeasure, known_measures, poverty_indices
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.ranked_moments import ranking, weighted_mean
from juntos_eval.numerics.welfare_indices import Valued, concentration, less

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Redistribution"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redistribution:
    r"""Incomes before and after a transfer: Gini, Reynolds-Smolensky, reranking, Kakwani, and poverty.

    With :math:`y_1` the income that has the transfer T in it and :math:`y_0 = y_1 - T`,

    .. math:: RS = G(y_0) - C(y_1 \mid y_0), \qquad RR = G(y_1) - C(y_1 \mid y_0), \qquad
              G(y_0) - G(y_1) = RS - RR, \qquad K = G(y_0) - C(T \mid y_0), \qquad RS = \tfrac{b}{1+b} K

    C is the concentration coefficient by the rank before, b the transfer as a share of income before. Nobody
    is assumed to have acted otherwise without the transfer: this is accounting, not an effect.

    Parameters
    ----------
    outcome : str
        Column of income a head, the transfer in it.
    transfer : str
        Column of the transfer a head, in the same unit; zero for who has none.
    line : str or float, optional
        Poverty line: adds each measure before, after and their difference (after less before).
    measures : tuple of str
        Of :class:`Poverty`.
    floor : float, optional
        Incomes before are not let below it (zero, say), as reports do; how many are is checked.
    weights : str, optional

    References
    ----------
    Reynolds, M., & Smolensky, E. (1977). *Public Expenditures, Taxes, and the Distribution of Income*.
    Academic Press.
    Kakwani, N. C. (1977). Measurement of tax progressivity: an international comparison. *Economic Journal*,
    87(345), 71-80.
    Atkinson, A. B. (1980). Horizontal equity and the distribution of the tax burden. In *The Economics of
    Taxation*. Brookings. (Reranking, with Plotnick 1981.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.welfare import Redistribution
    >>> frame = pd.DataFrame({"income": [70.0, 105.0, 130.0, 205.0, 560.0], "transfer": [30, 25, 10, 5, 0],
    ...                       "people": [1, 2, 1, 3, 1]})
    >>> found = Redistribution(outcome="income", transfer="transfer", weights="people").fit(frame)
    >>> dict(zip(found.keys["term"], found.values.round(6).tolist()))["kakwani"]
    0.841699
    """

    outcome: str
    transfer: str
    line: str | float | None = None
    measures: tuple[PovertyMeasure, ...] = ("headcount", "gap", "severity")
    floor: float | None = None
    weights: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "measures", known_measures(self.measures))

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate all of them at once; by default with ``Robust("HC1")``.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            Terms ``gini_before gini_after concentration_after concentration_transfer reynolds_smolensky
            reranking kakwani transfer_share``, and with a line ``<measure>_before``, ``_after``, ``_change``.

        Raises
        ------
        DesignError
            For columns that cannot be used, a negative transfer, none at all, or a mean income before that is
            not positive.
        """
        rule = inference or Robust()
        chosen = select_incomes(
            data,
            (self.outcome, self.transfer),
            line=self.line,
            weights=self.weights,
            inference=rule,
            carry=carry,
        )
        transfer, weights = chosen.columns[self.transfer], chosen.weights
        _refuse_transfer(transfer, self.transfer)
        before = chosen.columns[self.outcome] - transfer
        floored = 0
        if self.floor is not None:
            floored = int((before < self.floor).sum())
            before = np.maximum(before, self.floor)
        after = before + transfer
        named = _progressivity(before, after, transfer, weights, self.outcome)
        if self.line is not None:
            lines = lines_of(chosen, self.line)
            if "watts" in self.measures:
                refuse_not_positive(before, f"{self.outcome} less {self.transfer}", "watts")
            pairs = zip(
                self.measures,
                poverty_indices(before, lines, weights, self.measures),
                poverty_indices(after, lines, weights, self.measures),
                strict=True,
            )
            for measure, (was, of_was), (became, of_became) in pairs:
                named[f"{measure}_before"] = (was, of_was)
                named[f"{measure}_after"] = (became, of_became)
                named[f"{measure}_change"] = (became - was, of_became - of_was)
        fit = Fit(
            values=np.array([value for value, _ in named.values()]),
            influence=DenseInfluence(np.column_stack([part for _, part in named.values()])),
            parameters=1,
            groups=chosen.groups,
        )
        words = f"{floored:,} of {chosen.n:,} incomes before the transfer raised to {self.floor}"
        return Estimate(
            spec={"estimator": "Redistribution", **asdict(self)},
            keys={"term": tuple(named)},
            values=fit.values,
            uncertainty=rule.infer(fit),
            sample=sample_of(chosen),
            checks=(
                incomes_check(before, f"{self.outcome} less {self.transfer}"),
                *((Check("floor", None, words),) if self.floor is not None else ()),
            ),
            details={"receiving_rows": int((transfer > 0).sum())},
            fit=fit,
            inference=rule,
        )


def _progressivity(
    before: Floats, after: Floats, transfer: Floats, weights: Floats, column: str
) -> dict[str, Valued]:
    mean, of_mean = weighted_mean(before, weights)
    if not mean > 0:
        raise DesignError(
            "the mean income before the transfer is not positive",
            where=f"column '{column}' less the transfer, mean {mean:.6g}",
            remedy="check that income and transfer are in the same unit",
        )
    ranks = ranking(before, weights)
    was, became = concentration(before, ranks), concentration(after, ranking(after, weights))
    kept, reached = concentration(after, ranks), concentration(transfer, ranks)
    paid, of_paid = weighted_mean(transfer, weights)
    return {
        "gini_before": was,
        "gini_after": became,
        "concentration_after": kept,
        "concentration_transfer": reached,
        "reynolds_smolensky": less(was, kept),
        "reranking": less(became, kept),
        "kakwani": less(was, reached),
        "transfer_share": (paid / mean, of_paid / mean - paid / mean**2 * of_mean),
    }


def _refuse_transfer(transfer: Floats, column: str) -> None:
    negative = int((transfer < 0).sum())
    if negative or not transfer.any():
        raise DesignError(
            "a transfer is negative" if negative else "nobody receives the transfer",
            where=f"column '{column}', {negative or len(transfer)} of {len(transfer)} rows",
            remedy="give the amount a head in the unit of the income, zero for who has none",
        )
