"""Strata in which treated and untreated rows are compared: exact, coarsened, by the score, or full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats, encode
from juntos_eval.errors import DesignError

__all__ = ["Cutpoints", "coarsened", "strata_of", "subclasses"]

Cutpoints = Mapping[str, Any]


def strata_of(columns: Floats, blocks: Codes) -> Codes:
    """Return the number of each row's combination of values and block.

    Parameters
    ----------
    columns : numpy.ndarray, shape (n, p)
    blocks : numpy.ndarray of int64, shape (n,)

    Returns
    -------
    numpy.ndarray of int64, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.strata import strata_of
    >>> strata_of(np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 1.0]]), np.zeros(3, dtype=np.int64)).tolist()
    [0, 1, 0]
    """
    strata = encode(blocks)[0]
    for column in columns.T:
        codes, levels = encode(column)
        strata = encode(strata * len(levels) + codes)[0]
    return strata


def coarsened(covariates: Floats, names: Sequence[str], cutpoints: Cutpoints) -> Floats:
    r"""Replace numbers by the bin that they fall into.

    Parameters
    ----------
    covariates : numpy.ndarray, shape (n, p)
        Indicators of categories stay as they are.
    names : sequence of str, length p
    cutpoints : Mapping of str to int or sequence of float
        For a covariate the number of bins of equal width between its extremes, or the inner limits of
        its bins (a value at a limit belongs to the bin above). By default as many as Sturges' rule says,
        :math:`\lceil \log_2 n + 1 \rceil`.

    Returns
    -------
    numpy.ndarray, shape (n, p)

    Raises
    ------
    DesignError
        If a covariate with cutpoints is not there, or its cutpoints are no numbers in order.

    References
    ----------
    Iacus, S. M., King, G. & Porro, G. (2012). Causal inference without balance checking: coarsened exact
    matching. *Political Analysis* 20(1), 1-24.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.strata import coarsened
    >>> coarsened(np.array([[0.0], [4.0], [10.0]]), ("age",), {"age": (4, 8)}).ravel().tolist()
    [0.0, 1.0, 2.0]
    """
    unknown = [name for name in cutpoints if name not in names]
    if unknown:
        raise DesignError(
            f"cutpoints for what is no numeric covariate: {', '.join(unknown)}",
            where=f"covariates {', '.join(names)}",
            remedy="name covariates that hold numbers",
        )
    binned = np.empty_like(covariates)
    for position, name in enumerate(names):
        column = covariates[:, position]
        is_indicator = name.endswith("]") and name not in cutpoints
        binned[:, position] = column if is_indicator else _bins(column, cutpoints.get(name), name)
    return binned


def _bins(column: Floats, cuts: Any, name: str) -> Codes:
    if cuts is None:
        cuts = int(np.ceil(np.log2(len(column)) + 1))
    if isinstance(cuts, (int, np.integer)) and not isinstance(cuts, bool):
        if cuts < 1:
            raise _bad_cuts(name, cuts)
        limits = np.linspace(column.min(), column.max(), int(cuts) + 1)[1:-1]
        return np.searchsorted(limits, column, side="right")
    limits = np.asarray(cuts, dtype=np.float64)
    if limits.ndim != 1 or not np.isfinite(limits).all() or (np.diff(limits) <= 0).any():
        raise _bad_cuts(name, cuts)
    return np.searchsorted(limits, column, side="right")


def _bad_cuts(name: str, cuts: object) -> DesignError:
    return DesignError(
        f"the cutpoints of '{name}' are neither a number of bins nor limits in ascending order",
        where=f"{cuts!r}",
        remedy="give a whole number of at least 1, or numbers such as (5, 12, 18)",
    )


def subclasses(score: Floats, treated: Bools, estimand: str, count: int) -> Codes:
    """Cut a score into subclasses at quantiles of the rows asked about.

    Quantiles are those of the treated (ATT), the untreated (ATC) or all rows (ATE). A subclass in which an
    arm has nobody is joined with the next one.

    Parameters
    ----------
    score : numpy.ndarray, shape (n,)
    treated : numpy.ndarray of bool, shape (n,)
    estimand : {"att", "atc", "ate"}
    count : int
        Subclasses asked for.

    Returns
    -------
    numpy.ndarray of int64, shape (n,)
        Numbered from the lowest score.

    References
    ----------
    Rosenbaum, P. R. & Rubin, D. B. (1984). Reducing bias in observational studies using subclassification on
    the propensity score. *Journal of the American Statistical Association* 79(387), 516-524.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.strata import subclasses
    >>> score = np.array([0.1, 0.2, 0.8, 0.9])
    >>> subclasses(score, np.array([False, True, False, True]), "ate", 2).tolist()
    [0, 0, 1, 1]
    """
    among = {"att": treated, "atc": ~treated, "ate": np.ones(len(score), np.bool_)}[estimand]
    limits = np.quantile(score[among], np.linspace(0, 1, count + 1))
    found = np.clip(np.searchsorted(limits, score, side="right") - 1, 0, count - 1)
    return _joined(found, treated, count)


def _joined(found: Codes, treated: Bools, count: int) -> Codes:
    arms = np.stack([np.bincount(found[arm], minlength=count) for arm in (treated, ~treated)])
    number, held = np.zeros(count, dtype=np.int64), np.zeros(2, dtype=np.int64)
    current = 0
    for at in range(count):
        number[at] = current
        held += arms[:, at]
        if held.min() > 0:
            current, held = current + 1, np.zeros(2, dtype=np.int64)
    # what is left at the top without one of the arms goes to the subclass below
    number[number == current] = max(current - 1, 0)
    return number[found]
