r"""A confounder made up: what an effect becomes if something unseen is related to treatment and outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
from pandas import DataFrame

from juntos_eval.arrays import Bools, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.design import select, zero_one
from juntos_eval.estimators.matching.missing_covariates import settle_missing
from juntos_eval.estimators.matching.score import fit_score

__all__ = ["SimulatedConfounder", "simulated_confounder"]

_UNSEEN = "simulated confounder"
_CELLS = ("p11", "p10", "p01", "p00")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedConfounder:
    r"""An effect with a simulated binary confounder among the covariates.

    Attributes
    ----------
    baseline : float
        The effect without it.
    effect : float
        Mean over draws with it.
    std_error : float
        Root of the mean variance within draws plus :math:`1 + 1/M` times the variance between them.
    effects : numpy.ndarray, shape (m,)
        Of the draws that could be estimated.
    outcome_odds : float
        :math:`\Gamma`: mean odds ratio of the confounder on a high outcome among the untreated, given
        covariates.
    selection_odds : float
        :math:`\Lambda`: its mean odds ratio on treatment, given covariates.
    probabilities : Mapping of str to float
        ``p11 p10 p01 p00``: chance of a one, by treatment and by high outcome.
    failed : int
        Draws in which the estimator refused.

    Examples
    --------
    >>> from juntos_eval.estimators.matching.simulated_confounder import SimulatedConfounder
    >>> SimulatedConfounder(baseline=2.0, effect=1.0, std_error=0.5, effects=[1.0], outcome_odds=2.0,
    ...                     selection_odds=2.0, probabilities={}, failed=0).share_explained
    0.5
    """

    baseline: float
    effect: float
    std_error: float
    effects: Floats
    outcome_odds: float
    selection_odds: float
    probabilities: Mapping[str, float]
    failed: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "effects", frozen(self.effects))

    @property
    def share_explained(self) -> float:
        """How much of the effect the confounder takes away; NaN where there was none."""
        return 1.0 - self.effect / self.baseline if self.baseline else float("nan")


def simulated_confounder(
    estimator: Any,
    data: DataFrame,
    *,
    like: str | None = None,
    probabilities: Sequence[float] | None = None,
    draws: int = 100,
    seed: int = 0,
) -> SimulatedConfounder:
    r"""Estimate again with a binary confounder drawn with chances :math:`p_{ij} = P(U = 1 | D = i, Y = j)`.

    Y is the outcome where it is 0/1, else whether it exceeds its mean. Given i and j, U has nothing to do
    with the covariates; :math:`p_{01} > p_{00}` makes it matter for the untreated outcome, and a
    larger share of ones among the treated for selection.

    Parameters
    ----------
    estimator : Matching, Weighting, AIPW, IPWRA or RegressionAdjustment
        With an outcome.
    data : pandas.DataFrame
    like : str, optional
        A column of 0 and 1 whose shares by treatment and outcome are taken.
    probabilities : sequence of four floats, optional
        :math:`p_{11}, p_{10}, p_{01}, p_{00}`.
    draws : int
    seed : int

    Returns
    -------
    SimulatedConfounder

    Raises
    ------
    DesignError
        If neither or both of ``like`` and ``probabilities`` are given, and where no draw can be estimated.

    References
    ----------
    Ichino, A., Mealli, F. & Nannicini, T. (2008). From temporary help jobs to permanent employment: what can
    we learn from matching estimators and their sensitivity? *Journal of Applied Econometrics* 23(3),
    305-327.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.simulated_confounder import simulated_confounder
    >>> from juntos_eval.estimators.matching.weighting import Weighting
    >>> rng = np.random.default_rng(0)
    >>> age, d = rng.normal(size=400), np.tile([1, 0], 200)
    >>> frame = pd.DataFrame({"age": age, "d": d, "y": d + age + rng.normal(size=400)})
    >>> found = simulated_confounder(Weighting(outcome="y", treatment="d", covariates=("age",)), frame,
    ...                              probabilities=(0.8, 0.6, 0.4, 0.1), draws=5)
    >>> bool(found.effect < found.baseline), bool(found.selection_odds > 1)
    (True, True)
    """
    _refuse_arguments(estimator, like, probabilities, draws)
    if getattr(estimator, "missing", "drop") != "drop":
        settled = settle_missing(estimator, data)
        estimator, data = settled.estimator, settled.frame
    extra = (like,) if like is not None else ()
    chosen = select(
        data,
        numeric=(estimator.outcome, *extra),
        required=(estimator.treatment,),
        covariates=estimator.covariates,
        weights=estimator.weights,
    )
    rows = data.iloc[chosen.rows]
    treated = zero_one(chosen.columns[estimator.treatment], estimator.treatment)
    outcome = chosen.columns[estimator.outcome]
    high = outcome == 1 if np.isin(outcome, (0.0, 1.0)).all() else outcome > outcome.mean()
    chances = _chances(chosen.columns[like] if like else None, probabilities, treated, high, like)
    each = np.array([chances[f"p{int(d)}{int(y)}"] for d, y in zip(treated, high, strict=True)])
    found, odds = _drawn(
        estimator, rows, each, draws, seed, (chosen.covariates, chosen.weights, treated, high)
    )
    if not found:
        _refuse("no draw of the confounder can be estimated with", f"{draws} draws, {dict(chances)}")
    return _summary(found, odds, chances, float(estimator.fit(rows).values[0]))


def _summary(
    found: list[Estimate], odds: Floats, chances: Mapping[str, float], baseline: float
) -> SimulatedConfounder:
    """Average the draws, by the rule of multiple imputation for their error."""
    effects = np.array([one.values[0] for one in found])
    within = float(np.mean([one.uncertainty.covariance[0, 0] for one in found]))
    between = float(effects.var(ddof=1)) if len(effects) > 1 else 0.0
    gamma, selection = (
        float(np.exp(np.nanmean(side))) if np.isfinite(side).any() else float("nan") for side in odds.T
    )
    return SimulatedConfounder(
        baseline=baseline,
        effect=float(effects.mean()),
        std_error=float(np.sqrt(within + (1.0 + 1.0 / len(effects)) * between)),
        effects=effects,
        outcome_odds=gamma,
        selection_odds=selection,
        probabilities=chances,
        failed=len(odds) - len(found),
    )


def _drawn(
    estimator: Any,
    rows: DataFrame,
    chances: Floats,
    draws: int,
    seed: int,
    sample: tuple[Floats, Floats, Bools, Bools],
) -> tuple[list[Estimate], Floats]:
    """Return the estimates that each drawn confounder allows, and its log odds in each draw."""
    rng, wider = np.random.default_rng(seed), replace(estimator, covariates=(*estimator.covariates, _UNSEEN))
    found: list[Estimate] = []
    odds = []
    for _ in range(draws):
        unseen = np.asarray((rng.random(len(rows)) < chances) * 1.0, dtype=np.float64)
        odds.append(_odds(unseen, *sample))
        try:
            found.append(wider.fit(rows.assign(**{_UNSEEN: unseen})))
        except DesignError:
            continue
    return found, np.array(odds)


def _refuse_arguments(estimator: Any, like: str | None, given: Sequence[float] | None, draws: Any) -> None:
    needed = ("outcome", "treatment", "covariates", "weights", "fit")
    if not all(hasattr(estimator, name) for name in needed) or not estimator.outcome:
        _refuse("the estimator has no outcome, treatment and covariates", f"{type(estimator).__name__}")
    if (like is None) == (given is None):
        _refuse("give either like or probabilities", f"like={like!r}, probabilities={given!r}")
    if not isinstance(draws, int) or isinstance(draws, bool) or draws < 1:
        _refuse("draws is a whole number of at least 1", f"draws={draws!r}")
    if given is not None:
        values = np.asarray(given, dtype=np.float64)
        if values.shape != (4,) or not ((values >= 0) & (values <= 1)).all():
            _refuse("probabilities are p11, p10, p01 and p00 between 0 and 1", f"probabilities={given!r}")


def _chances(
    column: Floats | None, given: Sequence[float] | None, treated: Bools, high: Bools, name: str | None
) -> Mapping[str, float]:
    if given is not None:
        return dict(zip(_CELLS, map(float, given), strict=True))
    if column is None or not np.isin(column, (0.0, 1.0)).all():
        _refuse("a confounder can be like a column of 0 and 1 only", f"column '{name}'")
    cells = {
        "p11": treated & high,
        "p10": treated & ~high,
        "p01": ~treated & high,
        "p00": ~treated & ~high,
    }
    empty = [cell for cell, rows in cells.items() if not rows.any()]
    if empty:
        _refuse("a cell of treatment and outcome has no row", f"{', '.join(empty)}, column '{name}'")
    return {cell: float(column[rows].mean()) for cell, rows in cells.items()}


def _odds(
    unseen: Floats, covariates: Floats, weights: Floats, treated: Bools, high: Bools
) -> tuple[float, float]:
    """Return log odds ratios of the confounder on a high outcome of the untreated, and on treatment."""
    columns = np.column_stack([unseen, covariates])
    names = (_UNSEEN, *(f"x{j}" for j in range(covariates.shape[1])))

    def log_odds(target: Bools, rows: Bools) -> float:
        try:
            score = fit_score(target[rows], columns[rows], names, weights[rows])
        except DesignError:  # the draw decides the target, or does not vary
            return float("nan")
        return float(score.coefficients[1]) if score.names[1] == _UNSEEN else float("nan")

    return log_odds(high, ~treated), log_odds(treated, np.ones(len(treated), dtype=np.bool_))


def _refuse(what: str, where: str) -> NoReturn:
    raise DesignError(what, where=where, remedy="see the docstring of simulated_confounder")
