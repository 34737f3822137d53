"""What part of all income the poorest have, and what part of a transfer reaches them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.survey_statistics.domains import domain_keys, sample_of
from juntos_eval.estimators.welfare.incomes import fit_by_domain, incomes_check, select_incomes
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.ranked_moments import Ranking, partial_mean, ranking, weighted_mean
from juntos_eval.numerics.welfare_indices import Valued

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["DECILES", "LorenzCurve", "local_means"]

DECILES = tuple(round(0.1 * tenth, 1) for tenth in range(1, 10))


@dataclass(frozen=True, slots=True, kw_only=True)
class LorenzCurve:
    r"""Lorenz, generalised Lorenz and concentration curves at given shares of the population.

    .. math:: L(p) = \frac{E[y\,1\{F_r \le p\}]}{E[y]}, \qquad GL(p) = E[y\,1\{F_r \le p\}]

    Ranked by the outcome itself it is the Lorenz curve; by another column, the concentration curve of the
    outcome (for instance of a transfer, ranked by income before it).

    Parameters
    ----------
    outcome : str
    rank : str, optional
        Column to rank by; by default the outcome.
    shares : tuple of float
        p, between 0 and 1.
    generalised : bool
        GL, in the unit of the outcome.
    by, weights : str, optional

    References
    ----------
    Beach, C. M., & Davidson, R. (1983). Distribution-free statistical inference with Lorenz curves and income
    shares. *Review of Economic Studies*, 50(4), 723-735.
    Bishop, J. A., Chow, K. V., & Formby, J. P. (1994). Testing for marginal changes in income distributions
    with Lorenz and concentration curves. *International Economic Review*, 35(2), 479-488.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.welfare import LorenzCurve
    >>> frame = pd.DataFrame({"income": [1.0, 2.0, 3.0, 6.0]})
    >>> LorenzCurve(outcome="income", shares=(0.25, 0.5)).fit(frame).values.round(4).tolist()
    [0.0833, 0.25]
    """

    outcome: str
    rank: str | None = None
    shares: tuple[float, ...] = DECILES
    generalised: bool = False
    by: str | None = None
    weights: str | None = None

    def __post_init__(self) -> None:
        shares = tuple(float(share) for share in np.atleast_1d(self.shares))
        if not shares or not all(0 < share < 1 for share in shares):
            raise DesignError(
                "shares of the population lie between 0 and 1",
                where=f"LorenzCurve(shares={shares})",
                remedy="give for instance (0.1, 0.2, ..., 0.9)",
            )
        object.__setattr__(self, "shares", shares)

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the curve; by default with ``Robust("HC1")``.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            Term ``lorenz``, ``concentration`` or ``generalised``, key ``share``; with ``by`` the key
            ``group``.

        Raises
        ------
        DesignError
            For columns that cannot be used, or an outcome of mean zero.
        """
        rule = inference or Robust()
        columns = (self.outcome, *((self.rank,) if self.rank else ()))
        chosen = select_incomes(data, columns, by=self.by, weights=self.weights, inference=rule, carry=carry)
        outcome = chosen.columns[self.outcome]
        order = chosen.columns[self.rank or self.outcome]

        def indices(rows: Codes) -> Sequence[Valued]:
            return self._curve(outcome[rows], order[rows], chosen.weights[rows])

        fit, domains = fit_by_domain(chosen, self.by, indices)
        name = "generalised" if self.generalised else "concentration" if self.rank else "lorenz"
        keys = dict(domain_keys([name] * len(self.shares), domains, self.by))
        keys["share"] = self.shares * domains.count
        return Estimate(
            spec={"estimator": "LorenzCurve", **asdict(self)},
            keys=keys,
            values=fit.values,
            uncertainty=rule.infer(fit),
            sample=sample_of(chosen),
            checks=(incomes_check(outcome, self.outcome),),
            details={"rows": np.bincount(domains.codes, minlength=domains.count).tolist()},
            fit=fit,
            inference=rule,
        )

    def _curve(self, outcome: Floats, order: Floats, weights: Floats) -> list[Valued]:
        ranks = ranking(order, weights)
        slope = outcome if self.rank is None else local_means(outcome, ranks)
        parts = [partial_mean(outcome, ranks, share, slope) for share in self.shares]
        if self.generalised:
            return parts
        mean, of_mean = weighted_mean(outcome, weights)
        if mean == 0:
            raise DesignError(
                "shares of a total of zero are not defined",
                where=f"column '{self.outcome}', {len(outcome)} rows",
                remedy="check the column, or ask for the generalised curve",
            )
        return [(value / mean, part / mean - value / mean**2 * of_mean) for value, part in parts]


def local_means(values: Floats, ranks: Ranking) -> Floats:
    r"""Return the mean of a variable around each rank: Gaussian weights of width :math:`n^{-1/3}/2` in ranks.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
    ranks : Ranking

    Returns
    -------
    numpy.ndarray, shape (n,)
        By sums in 2,048 bins of ranks.
    """
    bins = min(2048, len(values))
    place = np.minimum((ranks.rank * bins).astype(np.int64), bins - 1)
    mass = np.bincount(place, ranks.share, minlength=bins)
    total = np.bincount(place, ranks.share * values, minlength=bins)
    width = max(bins * len(values) ** (-1 / 3) / 2, 1e-3)
    reach = int(np.ceil(4 * width))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    around = np.convolve(mass, kernel)[reach : reach + bins]
    smooth = np.convolve(total, kernel)[reach : reach + bins]
    return np.asarray((smooth / np.where(around > 0, around, np.nan))[place])
