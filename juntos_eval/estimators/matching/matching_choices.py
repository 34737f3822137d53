"""What Matching may be asked for, and what contradicts itself."""

from __future__ import annotations

import math
from typing import Any, NoReturn, get_args

import numpy as np

from juntos_eval.errors import DesignError
from juntos_eval.estimators.matching.distance import SCORES, SPACES
from juntos_eval.estimators.matching.missing_covariates import Missing
from juntos_eval.numerics.kernels import KERNELS

__all__ = ["OPTIONS", "PAIRED", "SMOOTHED", "STRATIFIED", "refuse", "refuse_contradictions"]

#: Methods that pair rows one by one.
PAIRED = ("nearest", "optimal")
#: Methods that smooth over all rows near.
SMOOTHED = ("kernel", "local_linear")
#: Methods that compare rows within strata.
STRATIFIED = ("full", "subclass", "cem", "exact")

OPTIONS: dict[str, tuple[Any, ...]] = {
    "estimand": ("att", "atc", "ate"),
    "method": (*PAIRED, "radius", *SMOOTHED, *STRATIFIED),
    "order": ("largest", "smallest", "data", "random", "closest"),
    "ties": ("all", "first", "random", "matching"),
    "kernel": KERNELS,
    "covariance": ("within", "overall"),
    "weight_matches": (None, "own", "share", "target"),
    "missing": get_args(Missing),
}


def refuse_contradictions(choices: Any) -> None:
    """Refuse numbers that are none, what would have no effect, and what is not defined.

    Parameters
    ----------
    choices : Matching
        Typed loosely: Matching imports this module.

    Raises
    ------
    DesignError
        That names the contradiction.

    Examples
    --------
    >>> from juntos_eval.estimators.matching.matching import Matching
    >>> Matching(treatment="d", covariates=("x",), method="radius")
    Traceback (most recent call last):
        ...
    juntos_eval.errors.DesignError: a radius needs its caliper [...]. Remedy: ...
    """
    where = f"method={choices.method!r}, distance={choices.distance!r}"
    for contradictions in (_bad_numbers, _in_general, _of_distances, _of_nearest):
        for sentence, is_so in contradictions(choices):
            if is_so:
                refuse(sentence, where)


def refuse(what: str, where: str) -> NoReturn:
    """Raise the error of choices that do not go together.

    Parameters
    ----------
    what, where : str

    Raises
    ------
    DesignError

    Examples
    --------
    >>> from juntos_eval.estimators.matching.matching_choices import refuse
    >>> refuse("an effect needs an outcome", "outcome=None")
    Traceback (most recent call last):
        ...
    juntos_eval.errors.DesignError: an effect needs an outcome [outcome=None]. Remedy: see the docstring ...
    """
    raise DesignError(what, where=where, remedy="see the docstring of Matching for what goes together")


def _bad_numbers(choices: Any) -> tuple[tuple[str, bool], ...]:
    is_bandwidth = choices.bandwidth in {"cv", "undersmoothed"} or _is_positive(choices.bandwidth)
    return (
        ("ratio is a whole number of at least 1", not _is_whole(choices.ratio) or choices.ratio < 1),
        (
            "subclasses is a whole number of at least 2",
            not _is_whole(choices.subclasses) or choices.subclasses < 2,
        ),
        ("caliper is a positive number", choices.caliper is not None and not _is_positive(choices.caliper)),
        (
            "calipers are positive numbers",
            not all(_is_positive(caliper) for caliper in choices.calipers.values()),
        ),
        ("bandwidth is a positive number, 'cv' or 'undersmoothed'", not is_bandwidth),
        ("ridge is a number, not negative", choices.ridge != 0 and not _is_positive(choices.ridge)),
        (
            "common_support is None, 'minmax', 'crump' or a score between 0 and 0.5",
            not (choices.common_support in (None, "minmax", "crump") or _is_bound(choices.common_support)),
        ),
        ("tie_tolerance is a small number, not negative", not 0 <= choices.tie_tolerance < 0.01),
    )


def _in_general(choices: Any) -> tuple[tuple[str, bool], ...]:
    is_column = choices.distance not in SPACES and choices.distance not in SCORES
    adjust = choices.bias_adjust if isinstance(choices.bias_adjust, tuple) else ()
    others = {*choices.covariates, *choices.exact, *choices.mahalanobis, *choices.calipers, *adjust}
    is_random = choices.order == "random" or choices.ties == "random"
    needs_covariates = not is_column or choices.method in {"cem", "exact"}
    return (
        ("covariates are missing", not choices.covariates and needs_covariates),
        (
            "the ATE needs replace=True: every row is matched",
            choices.estimand == "ate" and not choices.has_replacement,
        ),
        ("what is random needs a seed", is_random and choices.seed is None),
        (
            "matches count by weights, and there are none",
            choices.weights is None and choices.weight_matches is not None,
        ),
        ("a bias adjustment needs 'share' or 'target'", bool(adjust) and choices.weight_matches == "own"),
        (
            "strata count their rows by 'share' or 'target'",
            choices.method in STRATIFIED and choices.weight_matches == "own",
        ),
        (
            "treatment or outcome stands among the covariates",
            bool({choices.treatment, choices.outcome} & others),
        ),
        ("cutpoints belong to method='cem'", bool(choices.cutpoints) and choices.method != "cem"),
    )


def _of_distances(choices: Any) -> tuple[tuple[str, bool], ...]:
    is_space, method = choices.distance in SPACES, choices.method
    return (
        (
            "trimming by the score needs a score: distance='logit' or alike, and no strata of covariates",
            choices.common_support not in (None, "minmax")
            and (choices.distance not in SCORES or method in {"cem", "exact"}),
        ),
        ("a radius needs its caliper", method == "radius" and choices.caliper is None),
        ("a kernel has a bandwidth, not a caliper", method in SMOOTHED and choices.caliper is not None),
        (
            "a local-linear fit has no bias adjustment: its slope is one",
            method == "local_linear" and bool(choices.bias_adjust),
        ),
        (
            "strata of subclass, cem and exact have no caliper",
            method in {"subclass", "cem", "exact"} and choices.caliper is not None,
        ),
        (
            "only nearest neighbours and optimal pairs have a ratio",
            method not in PAIRED and choices.ratio != 1,
        ),
        (
            "radius, kernel and subclasses need a distance on a line",
            method in {"radius", *SMOOTHED, "subclass"} and is_space,
        ),
        ("common support needs a distance on a line", choices.common_support is not None and is_space),
        (
            "common support has no meaning where the distance is not used",
            choices.common_support is not None and method in {"cem", "exact"},
        ),
        ("a caliper in space is in its own units", is_space and not choices.caliper_in_sd),
    )


def _of_nearest(choices: Any) -> tuple[tuple[str, bool], ...]:
    is_space = choices.distance in SPACES
    is_windowed = bool(choices.mahalanobis or choices.calipers)
    return (
        (
            "ratio_range belongs to optimal pairs, and ratio lies between its two whole numbers",
            choices.ratio_range is not None and not _is_range(choices),
        ),
        ("optimal pairs are without replacement", choices.method == "optimal" and choices.replace),
        (
            "calipers of covariates and mahalanobis belong to nearest neighbours",
            is_windowed and choices.method != "nearest",
        ),
        (
            "mahalanobis chooses inside the caliper of a distance on a line",
            bool(choices.mahalanobis) and (is_space or choices.caliper is None),
        ),
        (
            "order='closest' is for nearest neighbours on a line, without replacement, one caliper at most",
            choices.order == "closest"
            and (choices.method != "nearest" or choices.replace or is_space or is_windowed),
        ),
    )


def _is_range(choices: Any) -> bool:
    given = choices.ratio_range
    if choices.method != "optimal" or not isinstance(given, tuple) or len(given) != 2:
        return False
    return all(map(_is_whole, given)) and 1 <= given[0] <= choices.ratio <= given[1]


def _is_bound(value: object) -> bool:
    return isinstance(value, float) and 0.0 < value < 0.5


def _is_whole(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_positive(value: object) -> bool:
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value > 0  # type: ignore[arg-type,operator]
