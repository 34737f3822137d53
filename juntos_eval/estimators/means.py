"""Weighted means, by group or between treated and untreated: the numbers before any adjustment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.estimate import (
    Block,
    BlockInfluence,
    DenseInfluence,
    Estimate,
    Fit,
    Groups,
    Inference,
    Influence,
    Linear,
    Sample,
)
from juntos_eval.estimators.design import Selection, groups_to_carry, select, zero_one
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Mean", "MeanDifference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    r"""Mean of an outcome, of all rows or of each group; of a 0/1 outcome, the share.

    .. math:: \hat\mu = \frac{\sum_i w_i y_i}{\sum_i w_i}, \qquad
              \hat\psi_i = \frac{w_i (y_i - \hat\mu)}{\sum_j w_j}

    over the rows of the group (Hájek 1971). Influence outside the group is zero, so a group is a domain
    of the sample to every inference.

    Parameters
    ----------
    outcome : str
        Column of numbers or booleans; rows where it is missing are dropped and counted.
    by : str, optional
        Column of groups, one row of the result for each, in sorted order under the key ``group``.
    weights : str, optional
        Column of sampling weights.

    References
    ----------
    Hájek, J. (1971). Comment on "An essay on the logical foundations of survey sampling, part one".
    In *Foundations of Statistical Inference*. Holt, Rinehart and Winston.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import Mean
    >>> frame = pd.DataFrame({"works": [0, 1, 1, 1], "area": ["rural", "rural", "urban", "urban"]})
    >>> Mean(outcome="works", by="area").fit(frame).tidy()[["group", "estimate"]].values.tolist()
    [['rural', 0.5], ['urban', 1.0]]
    """

    outcome: str
    by: str | None = None
    weights: str | None = None

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the means; by default with :class:`~juntos_eval.inference.robust.Robust` ``HC1``.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed.
        inference : Inference, optional
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Term ``mean``; with ``by`` also the key ``group``, and ``details["rows"]`` counts each.

        Raises
        ------
        DesignError
            For columns or weights that cannot be used, or where no complete row is left.
        """
        chosen_inference = inference or Robust()
        carried = groups_to_carry(chosen_inference, carry)
        groups = (self.by,) if self.by else ()
        chosen = select(data, numeric=(self.outcome,), weights=self.weights, carry=(*groups, *carried))
        fit = (
            _mean_of_all(chosen, self.outcome)
            if self.by is None
            else _mean_by_group(chosen, self.outcome, chosen.groups[self.by])
        )
        keys: dict[str, tuple[str, ...]] = {"term": ("mean",) * len(fit.values)}
        details = {}
        if self.by is not None:
            levels = chosen.groups[self.by]
            keys["group"] = levels.levels
            details["rows"] = np.bincount(levels.codes, minlength=levels.count).tolist()
        return Estimate(
            spec={"estimator": "Mean", **asdict(self)},
            keys=keys,
            values=fit.values,
            uncertainty=chosen_inference.infer(fit),
            sample=_sample(chosen),
            details=details,
            fit=fit,
            inference=chosen_inference,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanDifference:
    r"""The raw gap: mean outcome of the treated less that of the untreated, nothing held equal.

    .. math:: \hat\Delta = \hat\mu_1 - \hat\mu_0, \qquad
              \hat\psi_i = \frac{w_i D_i (y_i - \hat\mu_1)}{\sum_j w_j D_j}
              - \frac{w_i (1 - D_i)(y_i - \hat\mu_0)}{\sum_j w_j (1 - D_j)}

    It is the coefficient of the treatment in a weighted regression on a constant and the treatment, and an
    effect only where treatment was as good as random.

    Parameters
    ----------
    outcome : str
        Column of numbers or booleans; rows where it is missing are dropped and counted.
    treatment : str
        Column of 0 and 1; a missing value is an error.
    weights : str, optional
        Column of sampling weights.

    References
    ----------
    Imbens, G. W., & Rubin, D. B. (2015). *Causal Inference for Statistics, Social, and Biomedical
    Sciences*, ch. 6-7. Cambridge University Press.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import MeanDifference
    >>> frame = pd.DataFrame({"works": [0, 1, 1, 1], "has_juntos": [0, 0, 1, 1]})
    >>> gap = MeanDifference(outcome="works", treatment="has_juntos").fit(frame)
    >>> gap.values.tolist(), gap.details["mean_untreated"]
    ([0.5], 0.5)
    """

    outcome: str
    treatment: str
    weights: str | None = None

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the difference; by default with :class:`~juntos_eval.inference.robust.Robust` ``HC1``.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed.
        inference : Inference, optional
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Term ``difference``; ``details`` has ``mean_treated`` and ``mean_untreated``.

        Raises
        ------
        DesignError
            For columns, weights or a treatment that cannot be used, or where one side is empty.
        """
        chosen_inference = inference or Robust()
        chosen = select(
            data,
            numeric=(self.outcome,),
            required=(self.treatment,),
            weights=self.weights,
            carry=groups_to_carry(chosen_inference, carry),
        )
        treated = zero_one(chosen.columns[self.treatment], self.treatment)
        outcome = chosen.columns[self.outcome]
        design = np.column_stack([~treated, treated]).astype(np.float64)
        means, linear = _group_means(design, chosen.weights, outcome, selection=np.array([[-1.0, 1.0]]))
        untreated_mean, treated_mean = means.tolist()
        fit = Fit(
            values=np.array([treated_mean - untreated_mean]),
            influence=_influence_of(linear),
            parameters=2,
            groups=chosen.groups,
            linear=linear,
        )
        return Estimate(
            spec={"estimator": "MeanDifference", **asdict(self)},
            keys={"term": ("difference",)},
            values=fit.values,
            uncertainty=chosen_inference.infer(fit),
            sample=_sample(chosen, treated=int(treated.sum())),
            details={"mean_treated": treated_mean, "mean_untreated": untreated_mean},
            fit=fit,
            inference=chosen_inference,
        )


def _mean_of_all(chosen: Selection, outcome: str) -> Fit:
    one = np.ones((chosen.n, 1))
    mean, linear = _group_means(one, chosen.weights, chosen.columns[outcome], selection=np.eye(1))
    return Fit(
        values=mean, influence=_influence_of(linear), parameters=1, groups=chosen.groups, linear=linear
    )


def _mean_by_group(chosen: Selection, outcome: str, groups: Groups) -> Fit:
    weight, y = chosen.weights, chosen.columns[outcome]
    total = np.bincount(groups.codes, weights=weight, minlength=groups.count)
    means = np.bincount(groups.codes, weights=weight * y, minlength=groups.count) / total
    influence = weight * (y - means[groups.codes]) / total[groups.codes]
    return Fit(
        values=means,
        influence=_by_group(influence, groups),
        parameters=groups.count,
        groups=chosen.groups,
    )


def _by_group(influence: Floats, groups: Groups) -> Influence:
    """Return one block a group: districts by the thousand must not cost a dense matrix."""
    order = np.argsort(groups.codes, kind="stable")
    ends = np.cumsum(np.bincount(groups.codes, minlength=groups.count))[:-1]
    blocks = tuple(
        Block(rows, np.array([group]), influence[rows, None])
        for group, rows in enumerate(np.split(order, ends))
    )
    return BlockInfluence(blocks, rows=len(influence), columns=groups.count)


def _group_means(
    indicators: Floats, weights: Floats, outcome: Floats, *, selection: Floats
) -> tuple[Floats, Linear]:
    """Return the means of groups that exclude each other, and the regression whose coefficients they are."""
    bread = np.diag(1.0 / (weights @ indicators))
    means = bread @ (indicators.T @ (weights * outcome))
    residuals = outcome - indicators @ means
    linear = Linear(design=indicators, weights=weights, residuals=residuals, bread=bread, selection=selection)
    return means, linear


def _influence_of(linear: Linear) -> Influence:
    scores = (linear.weights * linear.residuals)[:, None] * linear.design
    return DenseInfluence(scores @ (linear.selection @ linear.bread).T)


def _sample(chosen: Selection, treated: int | None = None) -> Sample:
    weights = chosen.weights
    return Sample(
        rows=chosen.n,
        units=chosen.n,
        treated=treated,
        effective=float(weights.sum() ** 2 / (weights**2).sum()),
        dropped=chosen.dropped,
    )
