r"""Cross-fitting: what a learner says of a row is learnt from the other folds only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from juntos_eval.arrays import Bools, Codes, Floats, FrozenMapping
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check
from juntos_eval.estimators.matching.learners import Learner, describe, fit_learner, usable_learner
from juntos_eval.estimators.matching.score import Score

__all__ = ["CrossFitting", "assign_folds", "clipped", "learned", "quality", "seeds_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossFitting:
    """The rows, weights and folds that several learners share in one repetition.

    Attributes
    ----------
    columns : numpy.ndarray, shape (n, p)
    weights : numpy.ndarray, shape (n,), optional
        Of learning; None for equal ones.
    folds : numpy.ndarray of int64, shape (n,)
    seed : int
        Of learners that are random.
    unconverged : dict of str to int
        Fits that did not converge, by what was learnt; filled as they are made.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.cross_fitting import CrossFitting
    >>> x, folds = np.arange(6.0)[:, None], np.array([0, 1, 0, 1, 0, 1])
    >>> shared = CrossFitting(columns=x, weights=None, folds=folds, seed=0)
    >>> shared.predict("linear", 3 + 3 * x[:, 0], "outcome").round(9).tolist()
    [3.0, 6.0, 9.0, 12.0, 15.0, 18.0]
    """

    columns: Floats
    weights: Floats | None
    folds: Codes
    seed: int
    unconverged: dict[str, int] = field(default_factory=dict)

    def predict(
        self,
        learner: Learner,
        target: Floats,
        what: str,
        *,
        within: Bools | None = None,
        is_probability: bool = False,
    ) -> Floats:
        """Return predictions of each row from the other folds.

        Parameters
        ----------
        learner : str or estimator
        target : numpy.ndarray, shape (n,)
        what : str
            Name of the target, for what is said of it.
        within : numpy.ndarray of bool, shape (n,), optional
            Learn from these rows only: an arm.
        is_probability : bool

        Returns
        -------
        numpy.ndarray, shape (n,)

        Raises
        ------
        DesignError
            If a fold leaves nothing to learn from, or the learner fails or predicts what is no number.
        """
        out = np.empty(len(target))
        allowed = np.ones(len(target), dtype=np.bool_) if within is None else within
        wants_probability = is_probability or learner in ("logit", "logit_l1")
        for fold in range(int(self.folds.max()) + 1):
            inside, outside = self.folds == fold, (self.folds != fold) & allowed
            made = usable_learner(learner, self.seed, is_probability=wants_probability)
            weights = None if self.weights is None else self.weights[outside]
            try:
                predict, unconverged = fit_learner(made, self.columns[outside], target[outside], weights)
                out[inside] = predict(self.columns[inside])
            except DesignError:
                raise
            except Exception as error:
                raise DesignError(
                    f"the learner of the {what} failed: {error}",
                    where=f"{describe(learner)}, {int(outside.sum())} rows outside fold {fold + 1}",
                    remedy="use fewer folds, another learner or covariates it can take",
                ) from error
            self.unconverged[what] = self.unconverged.get(what, 0) + unconverged
        if not np.isfinite(out).all():
            raise DesignError(
                f"the learner of the {what} predicts what is no number",
                where=f"{describe(learner)}, {int((~np.isfinite(out)).sum())} of {len(out)} rows",
                remedy="use another learner",
            )
        return out

    def checks(self) -> tuple[Check, ...]:
        """Return which learners did not converge, if any did not."""
        stuck = [f"{what} ({count})" for what, count in self.unconverged.items() if count]
        if not stuck:
            return ()
        detail = f"fits that stopped before they converged: {', '.join(stuck)}"
        return (Check("learners converged", False, detail),)


def seeds_of(seed: int, repetitions: int) -> list[int]:
    """Return a seed for each repetition.

    Examples
    --------
    >>> from juntos_eval.estimators.matching.cross_fitting import seeds_of
    >>> len(set(seeds_of(1, 5)))
    5
    """
    return [int(state) for state in np.random.SeedSequence(seed).generate_state(repetitions)]


def assign_folds(arms: Bools | None, clusters: Codes | None, folds: int, seed: int, rows: int) -> Codes:
    """Deal rows, or whole clusters, to folds at random.

    Parameters
    ----------
    arms : numpy.ndarray of bool, shape (n,), optional
        Treated rows: each fold has its share of both arms, as nearly as clusters allow.
    clusters : numpy.ndarray of int64, shape (n,), optional
        Rows that stay together.
    folds, seed, rows : int

    Returns
    -------
    numpy.ndarray of int64, shape (n,)

    Raises
    ------
    DesignError
        If there are fewer rows of an arm, or clusters, than folds, or a fold leaves an arm without rows to
        learn from.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.cross_fitting import assign_folds
    >>> assign_folds(np.array([True, False] * 4), None, 2, 0, 8).tolist().count(0)
    4
    """
    from sklearn import model_selection

    counts = {"rows": rows}
    if arms is not None:
        counts = {"treated rows": int(arms.sum()), "untreated rows": int((~arms).sum())}
    if clusters is not None:
        # numbered as they come, so that their names do not matter
        _, first, codes = np.unique(clusters, return_index=True, return_inverse=True)
        clusters = np.argsort(np.argsort(first))[codes]
        counts = {"clusters": len(first)}
    few = [f"{count} {what}" for what, count in counts.items() if count < folds]
    if few:
        raise DesignError(
            "there are fewer rows or clusters to deal out than folds",
            where=f"{', '.join(few)}, {folds} folds",
            remedy="use fewer folds, or more rows",
        )
    kinds = {
        (True, False): model_selection.StratifiedKFold,
        (True, True): model_selection.StratifiedGroupKFold,
        (False, False): model_selection.KFold,
        (False, True): model_selection.GroupKFold,
    }
    splitter = kinds[arms is not None, clusters is not None](n_splits=folds, shuffle=True, random_state=seed)
    out = np.zeros(rows, dtype=np.int64)
    label = np.zeros(rows) if arms is None else arms.astype(np.int64)
    for fold, (_, held) in enumerate(splitter.split(np.zeros((rows, 1)), label, clusters)):
        out[held] = fold
    if arms is not None:
        left = np.array([[((out != f) & arm).sum() for arm in (arms, ~arms)] for f in range(folds)])
        if left.min() < 2:
            raise DesignError(
                "a fold leaves fewer than two rows of an arm to learn from",
                where=f"{folds} folds of whole clusters, {counts.get('clusters', rows)} clusters",
                remedy="use fewer folds, or smaller clusters",
            )
    return out


def clipped(probability: Floats, clip: float) -> tuple[Floats, Check]:
    """Keep probabilities away from 0 and 1, and say how many were.

    Parameters
    ----------
    probability : numpy.ndarray, shape (n,)
    clip : float

    Returns
    -------
    probability : numpy.ndarray, shape (n,)
    check : Check

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.cross_fitting import clipped
    >>> clipped(np.array([0.0, 0.5]), 0.01)[0].tolist()
    [0.01, 0.5]
    """
    beyond = int(((probability < clip) | (probability > 1.0 - clip)).sum())
    share = beyond / len(probability)
    detail = f"{beyond} of {len(probability)} rows ({share:.1%}) had one outside [{clip:g}, {1 - clip:g}]"
    passed = share <= 0.05 if beyond else True
    if share > 0.5:
        raise DesignError(
            "the learner tells treated and untreated rows apart: there is no overlap",
            where=f"{beyond} of {len(probability)} rows with a score outside [{clip:g}, {1 - clip:g}]",
            remedy="leave out what decides on treatment, or compare more alike rows",
        )
    return np.clip(probability, clip, 1.0 - clip), Check("clipped scores", passed, detail)


def learned(probability: Floats, learner: Learner) -> Score:
    """Return cross-fitted probabilities as a score, which has no coefficients.

    Parameters
    ----------
    probability : numpy.ndarray, shape (n,)
        Strictly between 0 and 1.
    learner : str or estimator

    Returns
    -------
    Score

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.cross_fitting import learned
    >>> learned(np.array([0.5]), "forest").link
    'cross-fitted forest'
    """
    none = np.zeros(0)
    return Score(
        probability=probability,
        linear=special.logit(probability),
        coefficients=none,
        names=(),
        link=f"cross-fitted {describe(learner)}",
        converged=True,
        design=np.zeros((len(probability), 0)),
        information_inverse=np.zeros((0, 0)),
    )


def quality(
    target: Floats, predicted: Floats, weights: Floats, *, is_probability: bool
) -> Mapping[str, float]:
    r"""Return how well rows of other folds are predicted, against their mean alone.

    Parameters
    ----------
    target, predicted, weights : numpy.ndarray, shape (n,)
    is_probability : bool
        By mean log loss; else by squared errors.

    Returns
    -------
    Mapping
        ``r2``: 1 less the ratio of the loss to that of the mean; not positive where nothing was learnt.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.cross_fitting import quality
    >>> y = np.array([0.0, 1.0, 2.0])
    >>> quality(y, y, np.ones(3), is_probability=False)["r2"]
    1.0
    """
    mean = np.full(len(target), np.average(target, weights=weights))

    def loss(guess: Floats) -> float:
        if is_probability:
            each = -special.xlogy(target, guess) - special.xlogy(1.0 - target, 1.0 - guess)
        else:
            each = (target - guess) ** 2
        return float(np.average(each, weights=weights))

    return FrozenMapping({"r2": 1.0 - loss(predicted) / loss(mean)})
