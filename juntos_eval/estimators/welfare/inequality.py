"""How unequal incomes are, by the indices that are in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.survey_statistics.domains import domain_keys, sample_of
from juntos_eval.estimators.welfare.incomes import (
    fit_by_domain,
    incomes_check,
    refuse_not_positive,
    select_incomes,
)
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.welfare_indices import (
    PARAMETRIC,
    POSITIVE_ONLY,
    Valued,
    generalised_entropy,
    gini,
)

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Inequality"]

Index = str | tuple[str, float]
_PLAIN = ("gini", "theil", "mld")
_LEAST = {"sgini": 1.0, "atkinson": 0.0, "ge": -np.inf}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inequality:
    r"""Inequality indices of all or of each group.

    ====================  =======================================================================
    ``"gini"``            :math:`2E[yF]/\mu - 1`
    ``("sgini", v)``      :math:`1 - vE[y(1 - F)^{v-1}]/\mu`, v > 1
    ``"theil"``           :math:`GE_1 = E[(y/\mu)\ln(y/\mu)]`
    ``"mld"``             :math:`GE_0 = \ln\mu - E[\ln y]`
    ``("ge", a)``         :math:`GE_a`
    ``("atkinson", e)``   :math:`1 - E[y^{1-e}]^{1/(1-e)}/\mu`, e > 0
    ====================  =======================================================================

    F is the middle rank. Influence is the derivative of the index in the weights, ranks included.

    Parameters
    ----------
    outcome : str
        Column of incomes; rows where it is missing are dropped and counted.
    indices : tuple of str or (str, float)
    by, weights : str, optional

    References
    ----------
    Cowell, F. A. (2011). *Measuring Inequality* (3rd ed.). Oxford University Press.
    Davidson, R. (2009). Reliable inference for the Gini index. *Journal of Econometrics*, 150(1), 30-40.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.welfare import Inequality
    >>> frame = pd.DataFrame({"income": [1.0, 2.0, 3.0, 6.0]})
    >>> found = Inequality(outcome="income", indices=("gini", ("atkinson", 1.0))).fit(frame)
    >>> found.keys["term"], found.values.round(4).tolist()
    (('gini', 'atkinson(1)'), [0.3333, 0.1835])
    """

    outcome: str
    indices: str | tuple[Index, ...] = ("gini",)
    by: str | None = None
    weights: str | None = None

    def __post_init__(self) -> None:
        given = (self.indices,) if isinstance(self.indices, str) else tuple(self.indices)
        read = tuple(_read(index) for index in given)
        if not read:
            raise DesignError(
                "no index of inequality was asked for",
                where="Inequality(indices)",
                remedy="give for instance ('gini', 'theil')",
            )
        object.__setattr__(self, "indices", read)

    @property
    def _asked(self) -> tuple[Index, ...]:
        return tuple(_read(index) for index in self.indices)

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the indices; by default with ``Robust("HC1")``.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            The indices as terms; with ``by`` also the key ``group``.

        Raises
        ------
        DesignError
            For columns that cannot be used, a mean income that is not positive, or incomes of zero and below
            with an index that takes their logs.
        """
        rule = inference or Robust()
        chosen = select_incomes(
            data, (self.outcome,), by=self.by, weights=self.weights, inference=rule, carry=carry
        )
        incomes = chosen.columns[self.outcome]
        asked = self._asked
        for index in asked:
            if _name(index) in POSITIVE_ONLY:
                refuse_not_positive(incomes, self.outcome, _label(index))

        def indices(rows: Codes) -> Sequence[Valued]:
            _refuse_mean(incomes[rows], chosen.weights[rows], self.outcome)
            return [_index(index, incomes[rows], chosen.weights[rows]) for index in asked]

        fit, domains = fit_by_domain(chosen, self.by, indices)
        return Estimate(
            spec={"estimator": "Inequality", **asdict(self)},
            keys=domain_keys([_label(index) for index in asked], domains, self.by),
            values=fit.values,
            uncertainty=rule.infer(fit),
            sample=sample_of(chosen),
            checks=(incomes_check(incomes, self.outcome),),
            details={"rows": np.bincount(domains.codes, minlength=domains.count).tolist()},
            fit=fit,
            inference=rule,
        )


def _read(index: Any) -> Index:
    name, parameter = (index, None) if isinstance(index, str) else (index[0], float(index[1]))
    is_plain = parameter is None and name in _PLAIN
    if is_plain or (parameter is not None and name in _LEAST and parameter > _LEAST[name]):
        return name if parameter is None else (str(name), parameter)
    raise DesignError(
        f"there is no index of inequality {index!r}",
        where="Inequality(indices)",
        remedy="choose 'gini', 'theil', 'mld', ('sgini', v > 1), ('ge', a) or ('atkinson', e > 0)",
    )


def _name(index: Index) -> str:
    return index if isinstance(index, str) else index[0]


def _label(index: Index) -> str:
    return index if isinstance(index, str) else f"{index[0]}({index[1]:g})"


def _index(index: Index, incomes: Floats, weights: Floats) -> Valued:
    if index == "gini":
        return gini(incomes, weights)
    if isinstance(index, str):
        return generalised_entropy(incomes, weights, 1.0 if index == "theil" else 0.0)
    return PARAMETRIC[index[0]](incomes, weights, index[1])


def _refuse_mean(incomes: Floats, weights: Floats, column: str) -> None:
    mean = float(weights @ incomes / weights.sum())
    if not mean > 0:
        raise DesignError(
            "inequality is relative to the mean, and the mean income is not positive",
            where=f"column '{column}', mean {mean:.6g} of {len(incomes)} rows",
            remedy="check the incomes, or the group",
        )
