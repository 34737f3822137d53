"""How many are poor, how far below the line, and how unequally so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.panel.regression_frame import names_of
from juntos_eval.estimators.survey_statistics.domains import domain_keys, sample_of
from juntos_eval.estimators.welfare.incomes import (
    fit_by_domain,
    incomes_check,
    lines_of,
    refuse_not_positive,
    select_incomes,
)
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.welfare_indices import Valued, fgt, sen_shorrocks_thon, watts

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Poverty", "PovertyMeasure", "known_measures", "poverty_indices"]

PovertyMeasure = Literal["headcount", "gap", "severity", "watts", "sst"]
_ORDERS = {"headcount": 0.0, "gap": 1.0, "severity": 2.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Poverty:
    r"""Poverty measures of all or of each group.

    =============  ============================================================================
    ``headcount``  :math:`P_0`, the share of people below the line
    ``gap``        :math:`P_1`, the mean of the gap as a share of the line, zero if not poor
    ``severity``   :math:`P_2`, the mean of its square (Foster, Greer and Thorbecke 1984)
    ``watts``      the mean of :math:`\ln(z/y)`, zero if not poor (positive incomes only)
    ``sst``        Sen, Shorrocks and Thon's :math:`P_1(1 + G(\text{gaps}))`
    =============  ============================================================================

    An income at the line is not poor. To count people with a file of households, weights are the household's
    factor times its members.

    Parameters
    ----------
    outcome : str
        Column of income or spending a head; rows where it is missing are dropped and counted.
    line : str or float
        Column of poverty lines in the same unit, or one line for all.
    measures : tuple of str
    by : str, optional
        Column of groups, one set of rows for each under the key ``group``.
    weights : str, optional

    References
    ----------
    Foster, J., Greer, J., & Thorbecke, E. (1984). A class of decomposable poverty measures. *Econometrica*,
    52(3), 761-766.
    Kakwani, N. (1993). Statistical inference in the measurement of poverty. *Review of Economics and
    Statistics*, 75(4), 632-639.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.welfare import Poverty
    >>> frame = pd.DataFrame({"spending": [50.0, 80.0, 150.0, 400.0]})
    >>> found = Poverty(outcome="spending", line=100.0).fit(frame)
    >>> found.keys["term"], found.values.round(4).tolist()
    (('headcount', 'gap', 'severity'), [0.5, 0.175, 0.0725])
    """

    outcome: str
    line: str | float
    measures: tuple[PovertyMeasure, ...] = ("headcount", "gap", "severity")
    by: str | None = None
    weights: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "measures", known_measures(self.measures))

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the measures; by default with ``Robust("HC1")``.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            Of a survey: ``SurveyDesign``.
        carry : tuple of str

        Returns
        -------
        Estimate
            The measures as terms; with ``by`` also the key ``group``.

        Raises
        ------
        DesignError
            For columns that cannot be used, lines that are not positive, or incomes that a measure cannot
            take.
        """
        rule = inference or Robust()
        chosen = select_incomes(
            data,
            (self.outcome,),
            line=self.line,
            by=self.by,
            weights=self.weights,
            inference=rule,
            carry=carry,
        )
        incomes, lines = chosen.columns[self.outcome], lines_of(chosen, self.line)
        if "watts" in self.measures:
            refuse_not_positive(incomes, self.outcome, "watts")

        def indices(rows: Codes) -> Sequence[Valued]:
            return poverty_indices(incomes[rows], lines[rows], chosen.weights[rows], self.measures)

        fit, domains = fit_by_domain(chosen, self.by, indices)
        return Estimate(
            spec={"estimator": "Poverty", **asdict(self)},
            keys=domain_keys(self.measures, domains, self.by),
            values=fit.values,
            uncertainty=rule.infer(fit),
            sample=sample_of(chosen),
            checks=(incomes_check(incomes, self.outcome),),
            details={
                "rows": np.bincount(domains.codes, minlength=domains.count).tolist(),
                "poor_rows": np.bincount(domains.codes, incomes < lines, minlength=domains.count).tolist(),
            },
            fit=fit,
            inference=rule,
        )


def known_measures(given: str | Sequence[str]) -> tuple[str, ...]:
    """Return measures of poverty as a tuple.

    Parameters
    ----------
    given : str or sequence of str

    Returns
    -------
    tuple of str

    Raises
    ------
    DesignError
        For one that there is not, or none at all.
    """
    measures = names_of(given)
    unknown = [name for name in measures if name not in get_args(PovertyMeasure)]
    if unknown or not measures:
        raise DesignError(
            f"there are no poverty measures {unknown}",
            where="measures",
            remedy=f"choose of {', '.join(get_args(PovertyMeasure))}",
        )
    return measures


def poverty_indices(
    incomes: Floats, lines: Floats, weights: Floats, measures: Sequence[PovertyMeasure]
) -> list[Valued]:
    """Return value and influence of each measure.

    Parameters
    ----------
    incomes, lines, weights : numpy.ndarray, shape (n,)
    measures : sequence of str

    Returns
    -------
    list of tuple
    """
    found: list[Valued] = []
    for name in measures:
        if name == "watts":
            found.append(watts(incomes, lines, weights))
        elif name == "sst":
            found.append(sen_shorrocks_thon(incomes, lines, weights))
        else:
            found.append(fgt(incomes, lines, weights, _ORDERS[name]))
    return found
