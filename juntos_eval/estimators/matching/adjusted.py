"""What every design offers, matched or weighted: rows, arms and the weights that make them alike.

A design is made without the outcome. Balance and overlap are read from it by anybody who holds one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args, runtime_checkable

import numpy as np
from pandas import DataFrame

from juntos_eval.arrays import Bools, Codes, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimators.design import select, zero_one
from juntos_eval.estimators.matching.missing_covariates import (
    Missing,
    mark_missing,
    refuse_rule,
    with_indicators,
)
from juntos_eval.estimators.matching.score import Score, fit_score

__all__ = ["Design", "Estimand", "RawDesign", "column_names", "fitted_score", "raw_design", "refuse_other"]

Estimand = Literal["att", "ate", "atc", "ato"]


@runtime_checkable
class Design(Protocol):
    """An adjusted comparison of n rows, before any outcome is looked at.

    Rows that the design leaves out (unmatched, trimmed) stay in the arrays with a design weight of zero,
    so that balance before and after speak of the same rows.
    """

    @property
    def treated(self) -> Bools:
        """Rows that are treated, shape (n,)."""
        ...

    @property
    def covariates(self) -> Floats:
        """Covariates to be balanced, shape (n, p)."""
        ...

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the p covariates; ``column[level]`` for the levels of a category but the first."""
        ...

    @property
    def base_weights(self) -> Floats:
        """Sampling weights before any adjustment, shape (n,); ones where none were given."""
        ...

    @property
    def design_weights(self) -> Floats:
        """Weights after the adjustment, sampling weights included, shape (n,); scale is free by arm."""
        ...

    @property
    def estimand(self) -> str:
        """Whose effect is asked about: ``att``, ``ate``, ``atc`` or ``ato``."""
        ...

    @property
    def score(self) -> Score | None:
        """The propensity score of the n rows, where the design has one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RawDesign:
    """The comparison before any adjustment: base weights and design weights are the same.

    Attributes
    ----------
    rows : numpy.ndarray of int64, shape (n,)
        Positions of the rows in the frame.
    treated, covariates, covariate_names, base_weights, estimand
        As in :class:`Design`.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.adjusted import RawDesign
    >>> RawDesign(rows=[0, 1], treated=[True, False], covariates=np.zeros((2, 1)), covariate_names=("age",),
    ...           base_weights=[1.0, 2.0], estimand="att").design_weights.tolist()
    [1.0, 2.0]
    """

    rows: Codes
    treated: Bools
    covariates: Floats
    covariate_names: tuple[str, ...]
    base_weights: Floats
    estimand: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", frozen(self.rows, np.int64))
        object.__setattr__(self, "treated", frozen(self.treated, np.bool_))
        object.__setattr__(self, "covariates", frozen(self.covariates))
        object.__setattr__(self, "base_weights", frozen(self.base_weights))

    @property
    def design_weights(self) -> Floats:
        """The base weights: nothing was adjusted."""
        return self.base_weights

    @property
    def score(self) -> Score | None:
        """None: no score was fitted."""
        return None


def raw_design(
    data: DataFrame,
    *,
    treatment: str,
    covariates: tuple[str, ...],
    weights: str | None = None,
    estimand: Estimand = "att",
    missing: Missing = "drop",
) -> RawDesign:
    """Return the unadjusted comparison, to see how far apart the arms lie at the start.

    Parameters
    ----------
    data : pandas.DataFrame
    treatment : str
        Column of 0 and 1.
    covariates : tuple of str
        Numbers, booleans or categories.
    weights : str, optional
        Sampling weights.
    estimand : {"att", "ate", "atc", "ato"}
        Decides by whose standard deviation differences are measured.
    missing : {"drop", "refuse", "indicator"}
        What is done with rows in which a covariate is missing.

    Returns
    -------
    RawDesign

    Raises
    ------
    DesignError
        For columns that are missing or unusable, or an estimand of another name.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.adjusted import raw_design
    >>> frame = pd.DataFrame({"has_juntos": [1, 0, 0], "age": [30, 40, 50]})
    >>> raw_design(frame, treatment="has_juntos", covariates=("age",)).treated.tolist()
    [True, False, False]
    """
    refuse_other("estimand", estimand, get_args(Estimand))
    refuse_rule(missing)
    data, counts = mark_missing(data, covariates, missing)
    covariates = tuple(with_indicators(covariates, counts))
    chosen = select(data, required=(treatment,), covariates=covariates, weights=weights)
    return RawDesign(
        rows=chosen.rows,
        treated=zero_one(chosen.columns[treatment], treatment),
        covariates=chosen.covariates,
        covariate_names=chosen.covariate_names,
        base_weights=chosen.weights,
        estimand=estimand,
    )


def fitted_score(design: Design) -> Score:
    """Return the score of a design, or where it has none a logit of its covariates, to see overlap by.

    Parameters
    ----------
    design : Design

    Returns
    -------
    Score
        Of the n rows, fitted with base weights where the design has none of its own.

    Raises
    ------
    DesignError
        If treated and untreated rows are told apart without error.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.adjusted import fitted_score, raw_design
    >>> frame = pd.DataFrame({"d": [1, 0, 1, 0], "age": [1.0, 1.0, 2.0, 2.0]})
    >>> fitted_score(raw_design(frame, treatment="d", covariates=("age",))).probability.round(6).tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    if design.score is not None:
        return design.score
    return fit_score(design.treated, design.covariates, design.covariate_names, design.base_weights)


def column_names(option: str, given: object) -> tuple[str, ...]:
    """Return names of columns as a tuple; a bare string would fall apart into letters.

    Parameters
    ----------
    option : str
        Name of the choice.
    given : sequence of str

    Returns
    -------
    tuple of str

    Raises
    ------
    DesignError

    Examples
    --------
    >>> from juntos_eval.estimators.matching.adjusted import column_names
    >>> column_names("covariates", ["age", "area"])
    ('age', 'area')
    """
    if not isinstance(given, (tuple, list)) or not all(isinstance(name, str) for name in given):
        raise DesignError(
            f"{option} is not a tuple of names of columns",
            where=f"{option}={given!r}",
            remedy=f"write {option}=('age', 'area'), with the comma even for one",
        )
    return tuple(given)


def refuse_other(option: str, given: object, allowed: tuple[object, ...]) -> None:
    """Raise if a choice is none of those that exist.

    Parameters
    ----------
    option : str
        Name of the choice.
    given : object
    allowed : tuple

    Raises
    ------
    DesignError

    Examples
    --------
    >>> from juntos_eval.estimators.matching.adjusted import refuse_other
    >>> refuse_other("estimand", "att", ("att", "ate"))
    """
    if given not in allowed:
        raise DesignError(
            f"there is no {option} {given!r}",
            where=f"option '{option}'",
            remedy=f"choose one of {', '.join(map(str, allowed))}",
        )
