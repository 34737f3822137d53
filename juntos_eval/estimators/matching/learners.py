"""Learners by name or as scikit-learn estimators: a probability or a mean, predicted from covariates."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError

__all__ = ["MEANS", "PROBABILITIES", "Learner", "describe", "fit_learner", "refuse_learner", "usable_learner"]

# a name, or an unfitted estimator of scikit-learn or alike
Learner = Any

PROBABILITIES = ("logit", "logit_l1", "boosted", "forest")
MEANS = ("linear", "lasso", "logit", "logit_l1", "boosted", "forest")
_REMEDY = "give one of the names, or an unfitted scikit-learn estimator with fit and predict"


def refuse_learner(option: str, learner: Learner, names: tuple[str, ...]) -> None:
    """Raise if a learner is neither a name that exists nor an estimator.

    Parameters
    ----------
    option : str
        Name of the choice.
    learner : str or estimator
    names : tuple of str

    Raises
    ------
    DesignError

    Examples
    --------
    >>> from juntos_eval.estimators.matching.learners import MEANS, refuse_learner
    >>> refuse_learner("outcome_model", "forest", MEANS)
    """
    if isinstance(learner, str):
        if learner not in names:
            _refuse(f"there is no {option} {learner!r}; there are {', '.join(names)}", f"option '{option}'")
        return
    needed = ("fit", "predict", "get_params")
    if isinstance(learner, type) or not all(callable(getattr(learner, name, None)) for name in needed):
        _refuse(f"{option} is no learner", f"{option}={learner!r}")
    if names == PROBABILITIES and not callable(getattr(learner, "predict_proba", None)):
        _refuse(f"{option} predicts no probabilities", f"{option}={describe(learner)}")


def describe(learner: Learner) -> str:
    """Return a learner in words, as a record keeps it.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from juntos_eval.estimators.matching.learners import describe
    >>> describe("forest"), describe(Ridge(alpha=2.0))
    ('forest', 'Ridge(alpha=2.0)')
    """
    return learner if isinstance(learner, str) else " ".join(repr(learner).split())


def usable_learner(learner: Learner, seed: int, *, is_probability: bool) -> Learner:
    """Return an unfitted estimator whose every seed is set.

    Parameters
    ----------
    learner : str or estimator
    seed : int
        Goes to each ``random_state`` that is None.
    is_probability : bool
        Whether a name stands for a classifier.

    Returns
    -------
    estimator

    Examples
    --------
    >>> from juntos_eval.estimators.matching.learners import usable_learner
    >>> usable_learner("forest", 3, is_probability=True).random_state
    3
    """
    from sklearn.base import clone

    made = _named(learner, is_probability=is_probability) if isinstance(learner, str) else clone(learner)
    free = {
        name: seed
        for name, value in made.get_params(deep=True).items()
        if (name == "random_state" or name.endswith("__random_state")) and value is None
    }
    return made.set_params(**free)


def fit_learner(learner: Learner, columns: Floats, target: Floats, weights: Floats | None) -> tuple[Any, int]:
    """Fit an estimator and return what predicts, with the count of warnings that it did not converge.

    Parameters
    ----------
    learner : estimator
        As of :func:`usable_learner`; not fitted before.
    columns : numpy.ndarray, shape (n, p)
    target : numpy.ndarray, shape (n,)
    weights : numpy.ndarray, shape (n,), optional

    Returns
    -------
    predict : callable
        From columns (m, p) to a probability or mean, (m,).
    unconverged : int

    Raises
    ------
    DesignError
        If a classifier is asked for an outcome other than 0 and 1, or the estimator takes no weights.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.learners import fit_learner, usable_learner
    >>> x = np.arange(4.0)[:, None]
    >>> predict, _ = fit_learner(usable_learner("linear", 0, is_probability=False), x, 2 * x[:, 0], None)
    >>> predict(np.array([[10.0]])).round(9).tolist()
    [20.0]
    """
    from sklearn.base import is_classifier
    from sklearn.exceptions import ConvergenceWarning

    classifies = is_classifier(learner)
    if classifies and not np.isin(target, (0.0, 1.0)).all():
        _refuse("a classifier needs an outcome of 0 and 1", f"{describe(learner)}, {len(target)} rows")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ConvergenceWarning)
        learner.fit(columns, target, **_weighted(learner, weights))
    unconverged = sum(issubclass(one.category, ConvergenceWarning) for one in said)
    if not classifies:
        return (
            lambda rows: np.asarray(learner.predict(rows), dtype=np.float64).reshape(len(rows))
        ), unconverged
    ones = np.flatnonzero(np.asarray(learner.classes_) == 1)

    def probability(rows: Floats) -> Floats:
        if not len(ones):
            return np.zeros(len(rows))
        return np.asarray(learner.predict_proba(rows)[:, ones[0]], dtype=np.float64)

    return probability, unconverged


def _weighted(learner: Learner, weights: Floats | None) -> Mapping[str, Floats]:
    """Return the argument by which the estimator, or the last step of a pipeline, takes weights."""
    from sklearn.utils.validation import has_fit_parameter

    if weights is None:
        return {}
    steps = getattr(learner, "steps", None)
    last = steps[-1][1] if steps else learner
    # a search over choices hands weights on to what it searches for
    if not has_fit_parameter(getattr(last, "estimator", last), "sample_weight"):
        _refuse("the learner takes no sampling weights", describe(learner))
    return {f"{steps[-1][0]}__sample_weight" if steps else "sample_weight": weights}


def _named(name: str, *, is_probability: bool) -> Learner:
    """Return the estimator of a name, with choices that suit some hundreds to a million rows."""
    from sklearn import ensemble, linear_model, model_selection
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if name == "boosted":
        boosted = (
            ensemble.HistGradientBoostingClassifier
            if is_probability
            else ensemble.HistGradientBoostingRegressor
        )
        return boosted(learning_rate=0.05, max_iter=150, max_leaf_nodes=8, early_stopping=False)
    if name == "forest":
        forest = ensemble.RandomForestClassifier if is_probability else ensemble.RandomForestRegressor
        return forest(n_estimators=300, min_samples_leaf=5, max_features=0.5)
    penalties = {
        # so weak a penalty is none, and a separated fold still has an answer
        "logit": lambda: linear_model.LogisticRegression(C=1e6, max_iter=1000, tol=1e-8),
        "logit_l1": lambda: model_selection.GridSearchCV(
            linear_model.LogisticRegression(l1_ratio=1.0, solver="liblinear"),
            {"C": np.geomspace(1e-3, 1e2, 11)},
            scoring="neg_log_loss",
        ),
        "linear": linear_model.LinearRegression,
        "lasso": lambda: linear_model.LassoCV(cv=5, max_iter=10_000),
    }
    return make_pipeline(StandardScaler(), penalties[name]())


def _refuse(what: str, where: str) -> NoReturn:
    raise DesignError(what, where=where, remedy=_REMEDY)
