"""How sure we are of a number, who it speaks of, and what was checked on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from juntos_eval.arrays import Floats, FrozenMapping, frozen

__all__ = ["Check", "Sample", "Uncertainty"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Uncertainty:
    """How sure we are of k values, and by which rule.

    Attributes
    ----------
    method : str
        Name of the inference with its small-sample rule, as every table prints it.
    covariance : numpy.ndarray, shape (k, k)
        NaN where it is not known.
    df : float
        Degrees of freedom of the t distribution; infinity for the normal. Of tests of several values too.
    p_values : numpy.ndarray, shape (k,), optional
        Where they do not follow from the covariance (randomization, wild bootstrap).
    intervals : numpy.ndarray, shape (k, 2), optional
        Where they do not follow from the covariance; valid at ``intervals_level`` only.
    intervals_level : float, optional
    band : numpy.ndarray, shape (draws,), optional
        Draws of the largest absolute studentised deviation, for simultaneous intervals.
    df_each : numpy.ndarray, shape (k,), optional
        Degrees of freedom of each value, where they differ (Satterthwaite's); ``df`` is then their smallest.

    Examples
    --------
    >>> from juntos_eval.estimate import Uncertainty
    >>> Uncertainty(method="by hand", covariance=[[4.0]], df=float("inf")).std_error.tolist()
    [2.0]
    """

    method: str
    covariance: Floats
    df: float
    p_values: Floats | None = None
    intervals: Floats | None = None
    intervals_level: float | None = None
    band: Floats | None = None
    df_each: Floats | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariance", frozen(np.atleast_2d(np.asarray(self.covariance, float))))
        for name in ("p_values", "intervals", "band", "df_each"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def std_error(self) -> Floats:
        """Standard errors (k,); NaN where the variance is not known."""
        variance = np.diag(self.covariance)
        return np.sqrt(np.where(variance >= 0, variance, np.nan))


@dataclass(frozen=True, slots=True)
class Check:
    """One assumption looked at, printed beside the number.

    Attributes
    ----------
    name : str
    passed : bool or None
        None: the check speaks, but draws no line between good and bad.
    detail : str
        What was seen, with its numbers.

    Examples
    --------
    >>> from juntos_eval.estimate import Check
    >>> Check("overlap", True, "all treated on the common support").passed
    True
    """

    name: str
    passed: bool | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    r"""Who the number speaks of.

    Attributes
    ----------
    rows : int
        Rows used.
    units : int
        Distinct units among them.
    treated : int, optional
        Treated units among them.
    effective : float, optional
        Kish's effective number of units, :math:`(\sum w)^2 / \sum w^2`, after weighting or matching.
    dropped : Mapping of str to int
        Rows left out, by reason.

    Examples
    --------
    >>> from juntos_eval.estimate import Sample
    >>> Sample(rows=10, units=5, dropped={"outcome missing": 2}).dropped["outcome missing"]
    2
    """

    rows: int
    units: int
    treated: int | None = None
    effective: float | None = None
    dropped: Mapping[str, int] = field(default_factory=FrozenMapping)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dropped", FrozenMapping(self.dropped))
