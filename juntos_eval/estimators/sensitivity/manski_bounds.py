r"""What data say of an average effect without an assumption, or with monotone ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import DenseInfluence, Estimate, Fit, Inference, Sample
from juntos_eval.estimators.design import groups_to_carry, select, zero_one
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["ManskiBounds"]

Assumption = Literal["none", "monotone_response", "monotone_selection", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManskiBounds:
    r"""Bounds of the average effect for all, where nothing says why some are treated.

    Outcomes nobody saw may be anything in :math:`[a, b]`: with :math:`p` the share treated,

    .. math:: p\bar y_1 + (1-p)a - (1-p)\bar y_0 - pb \le \Delta \le p\bar y_1 + (1-p)b - (1-p)\bar y_0 - pa

    Monotone response (treatment hurts nobody) lifts the lower bound to zero; monotone selection (those who
    take
    treatment would do no worse than the others, treated or not) brings the upper down to the gap in means.

    Parameters
    ----------
    outcome, treatment : str
    smallest, largest : float
        a and b, known beforehand.
    assumption : {"none", "monotone_response", "monotone_selection", "both"}
    weights : str, optional

    Raises
    ------
    DesignError
        For another assumption; from ``fit`` for outcomes outside the range.

    References
    ----------
    Manski, C. F. (1990). Nonparametric bounds on treatment effects. *American Economic Review* 80(2),
    319-323.
    Manski, C. F. & Pepper, J. V. (2000). Monotone instrumental variables: with an application to the returns
    to
    schooling. *Econometrica* 68(4), 997-1010.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.sensitivity import ManskiBounds
    >>> frame = pd.DataFrame({"y": [1, 1, 0, 0], "d": [1, 1, 0, 0]})
    >>> ManskiBounds(outcome="y", treatment="d", smallest=0.0, largest=1.0).fit(frame).values.tolist()
    [0.0, 1.0]
    """

    outcome: str
    treatment: str
    smallest: float
    largest: float
    assumption: Assumption = "none"
    weights: str | None = None

    def __post_init__(self) -> None:
        if self.assumption not in get_args(Assumption):
            raise DesignError(
                f"there is no assumption {self.assumption!r} of bounds",
                where="ManskiBounds",
                remedy=f"choose one of {', '.join(get_args(Assumption))}",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Return the bounds; by default with ``Robust("HC0")``.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            Terms ``lower`` and ``upper``; a bound that an assumption sets has no error.

        Raises
        ------
        DesignError
        """
        by = inference or Robust("HC0")
        chosen = select(
            data,
            numeric=(self.outcome,),
            required=(self.treatment,),
            weights=self.weights,
            carry=groups_to_carry(by, carry),
        )
        treated = zero_one(chosen.columns[self.treatment], self.treatment)
        y = chosen.columns[self.outcome]
        if not self.smallest <= y.min() <= y.max() <= self.largest:
            raise DesignError(
                "outcomes lie outside the range that was given",
                where=f"column '{self.outcome}': {y.min():g} to {y.max():g}",
                remedy="give the smallest and the largest value that the outcome can have",
            )
        # each bound is the mean of one number a row: what is seen, less the worst of what is not
        lower = np.where(treated, y - self.largest, self.smallest - y)
        upper = np.where(treated, y - self.smallest, self.largest - y)
        ends = [_mean(lower, chosen.weights), _mean(upper, chosen.weights)]
        if self.assumption in ("monotone_response", "both"):
            ends[0] = (0.0, np.zeros(chosen.n))
        if self.assumption in ("monotone_selection", "both"):
            on, off = _mean(y, chosen.weights * treated), _mean(y, chosen.weights * ~treated)
            ends[1] = (on[0] - off[0], on[1] - off[1])
        fit = Fit(
            values=np.array([value for value, _ in ends]),
            influence=DenseInfluence(np.column_stack([column for _, column in ends])),
            parameters=2,
            groups=chosen.groups,
        )
        return Estimate(
            spec={"estimator": "ManskiBounds", **asdict(self)},
            keys={"term": ("lower", "upper")},
            values=fit.values,
            uncertainty=by.infer(fit),
            sample=Sample(rows=chosen.n, units=chosen.n, treated=int(treated.sum()), dropped=chosen.dropped),
            fit=fit,
            inference=by,
        )


def _mean(values: Floats, weights: Floats) -> tuple[float, Floats]:
    total = weights.sum()
    mean = float(weights @ values / total)
    return mean, np.asarray(weights * (values - mean) / total)
