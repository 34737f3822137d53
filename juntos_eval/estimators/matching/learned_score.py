"""A score learnt out of fold, as a column to match on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from juntos_eval.estimators.design import select, zero_one
from juntos_eval.estimators.matching.adjusted import column_names
from juntos_eval.estimators.matching.cross_fitting import CrossFitting, assign_folds, seeds_of
from juntos_eval.estimators.matching.learners import PROBABILITIES, Learner, refuse_learner
from juntos_eval.estimators.matching.missing_covariates import (
    Missing,
    mark_missing,
    refuse_rule,
    with_indicators,
)
from juntos_eval.estimators.matching.repetitions import refuse_folding

if TYPE_CHECKING:
    from pandas import DataFrame, Series

__all__ = ["learned_score"]


def learned_score(  # noqa: PLR0913
    data: DataFrame,
    *,
    treatment: str,
    covariates: tuple[str, ...],
    score: Learner = "boosted",
    folds: int = 5,
    seed: int = 0,
    fold_by: str | None = None,
    missing: Missing = "drop",
    weights: str | None = None,
) -> Series[float]:
    """Return the probability of treatment of each row, learnt from the other folds.

    Add it to the frame and match on it: ``Matching(distance="score", ...)``. Matching takes a column as
    known; the error of the learner is not in the standard error, and being of slower order than that of a
    logit it may matter. :class:`~juntos_eval.estimators.matching.cross_fitted_aipw.CrossFittedAIPW` does not
    feel it.

    Parameters
    ----------
    data : pandas.DataFrame
    treatment : str
        Column of 0 and 1.
    covariates : tuple of str
    score : {"logit", "logit_l1", "boosted", "forest"} or estimator
    folds, seed : int
    fold_by : str, optional
        Column of clusters that are never split.
    missing : {"drop", "refuse", "indicator"}
        What is done with rows in which a covariate is missing.
    weights : str, optional
        Sampling weights.

    Returns
    -------
    pandas.Series
        With the index of the frame; NaN where a covariate is missing or a weight is zero.

    Raises
    ------
    DesignError

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.learned_score import learned_score
    >>> frame = pd.DataFrame({"d": np.tile([1, 0], 20), "age": np.repeat(np.arange(20.0), 2)})
    >>> score = learned_score(frame, treatment="d", covariates=("age",), score="logit")
    >>> bool(score.between(0.3, 0.7).all())
    True
    """
    names = column_names("covariates", covariates)
    refuse_learner("score", score, PROBABILITIES)
    refuse_folding(names, folds, 1, seed, 0.01)
    refuse_rule(missing)
    data, counts = mark_missing(data, names, missing)
    names = tuple(with_indicators(names, counts))
    chosen = select(
        data,
        required=(treatment,),
        covariates=names,
        weights=weights,
        carry=(fold_by,) if fold_by else (),
    )
    treated = zero_one(chosen.columns[treatment], treatment)
    state = seeds_of(seed, 1)[0]
    shared = CrossFitting(
        columns=chosen.covariates,
        weights=chosen.weights / chosen.weights.mean() if weights else None,
        folds=assign_folds(
            treated, chosen.groups[fold_by].codes if fold_by else None, folds, state, chosen.n
        ),
        seed=state,
    )
    found = np.full(len(data), np.nan)
    target = treated.astype(np.float64)
    found[chosen.rows] = shared.predict(score, target, "score", is_probability=True)
    return pd.Series(found, index=data.index, name="score")
