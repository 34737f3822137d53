"""An estimate with its place in the report, and what was looked at beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from juntos_eval.arrays import Floats, FrozenMapping, frozen
from juntos_eval.errors import SchemaError
from juntos_eval.estimate import Estimate
from juntos_eval.reporting.facts import Label

__all__ = [
    "CHILD_WORK",
    "ENTRANTS",
    "FOOD_INSECURITY",
    "RAW_GAP",
    "BalanceRow",
    "Overlap",
    "ReportedEstimate",
    "Sensitivity",
    "TrendPoint",
]

RAW_GAP: Final = "raw_gap"
#: Studies that have exhibits of their own.
CHILD_WORK: Final = "child_work"
FOOD_INSECURITY: Final = "food_insecurity"
ENTRANTS: Final = "entrants"

Unit = Literal["share", "score"]
Better = Literal["lower", "higher"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRow:
    """How alike both arms are in one covariate, before and after adjustment.

    Attributes
    ----------
    covariate : str
    label : Label
    smd_before, smd_after : float
        Standardised mean differences.
    variance_ratio_before, variance_ratio_after : float
        NaN for binary covariates, whose variance follows from the mean.
    ks_before, ks_after : float
        Largest difference between the distribution functions.

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import BalanceRow, Label
    >>> BalanceRow(covariate="age", label=Label("age", "edad"), smd_before=0.4, smd_after=0.02).smd_after
    0.02
    """

    covariate: str
    label: Label
    smd_before: float
    smd_after: float
    variance_ratio_before: float = float("nan")
    variance_ratio_after: float = float("nan")
    ks_before: float = float("nan")
    ks_after: float = float("nan")

    @property
    def is_score(self) -> bool:
        """Whether it is the propensity score, which is made of the covariates and is none of them."""
        return self.covariate in ("propensity score", "linear score")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    r"""Distribution of the linear score in both arms, as histograms on common edges.

    Attributes
    ----------
    edges : numpy.ndarray, shape (b + 1,)
        On the scale of the linear score, :math:`\log e/(1-e)`.
    treated_before, treated_after, comparison_before, comparison_after : numpy.ndarray, shape (b,)
        Weighted shares of the arm in each bin, each summing to one; before and after adjustment.
    treated_counts, comparison_counts : numpy.ndarray, shape (b,)
        Unweighted rows before adjustment: bins with few rows are merged before anything is drawn.
    range_treated, range_comparison : tuple of float
    share_off_support : float
        Share of treated rows without a comparable row, in [0, 1].
    is_share_bounded : bool
        The share is only a bound from above, because the rows behind it are too few to be told.
    rule : Label
        How support was drawn.

    Raises
    ------
    SchemaError
        If the arrays do not belong together.

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import Label, Overlap
    >>> half = [0.5, 0.5]
    >>> overlap = Overlap(edges=[-1, 0, 1], treated_before=half, treated_after=half, comparison_before=half,
    ...     comparison_after=half, treated_counts=[20, 20], comparison_counts=[50, 50],
    ...     range_treated=(-1, 1), range_comparison=(-1, 1), share_off_support=0.0, rule=Label("a", "b"))
    >>> overlap.edges.tolist()
    [-1.0, 0.0, 1.0]
    """

    edges: Floats
    treated_before: Floats
    treated_after: Floats
    comparison_before: Floats
    comparison_after: Floats
    treated_counts: Floats
    comparison_counts: Floats
    range_treated: tuple[float, float]
    range_comparison: tuple[float, float]
    share_off_support: float
    rule: Label
    is_share_bounded: bool = False

    def __post_init__(self) -> None:
        names = [
            f"{arm}_{part}" for arm in ("treated", "comparison") for part in ("before", "after", "counts")
        ]
        for name in ("edges", *names):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        sizes = {name: len(getattr(self, name)) for name in names}
        if set(sizes.values()) != {len(self.edges) - 1} or np.any(np.diff(self.edges) <= 0):
            raise SchemaError(
                "the histograms of the score do not fit their edges",
                where=f"{len(self.edges)} edges, bins {sizes}",
                remedy="give increasing edges and one value less for each arm",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    r"""How strong hidden bias would have to be, by Rosenbaum's bounds and by the E-value.

    Attributes
    ----------
    gamma : numpy.ndarray, shape (g,)
        Odds ratio :math:`\Gamma` of treatment within a pair, from 1 upwards.
    p_upper, p_lower : numpy.ndarray, shape (g,)
        Bounds of the p value.
    hl_low, hl_high : numpy.ndarray, shape (g,)
        Bounds of the Hodges-Lehmann estimate; NaN where the test has none.
    critical_gamma : float
        Smallest gamma at which ``p_upper`` exceeds ``alpha``; infinity if it never does on the grid,
        1 if it does without any hidden bias.
    method : str
        Name of the test.
    alpha : float
    e_value, e_value_limit : float
        For the estimate and for the limit of its interval nearer to no effect; NaN where not computed.

    Raises
    ------
    SchemaError
        If the curves are not of one length.

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import Sensitivity
    >>> Sensitivity(gamma=[1, 2], p_upper=[0.01, 0.2], p_lower=[0.01, 0], hl_low=[1, 0], hl_high=[1, 2],
    ...             critical_gamma=1.6, method="Wilcoxon signed rank").critical_gamma
    1.6
    """

    gamma: Floats
    p_upper: Floats
    p_lower: Floats
    hl_low: Floats
    hl_high: Floats
    critical_gamma: float
    method: str
    alpha: float = 0.05
    e_value: float = float("nan")
    e_value_limit: float = float("nan")

    def __post_init__(self) -> None:
        for name in ("gamma", "p_upper", "p_lower", "hl_low", "hl_high"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        sizes = {len(getattr(self, name)) for name in ("gamma", "p_upper", "p_lower", "hl_low", "hl_high")}
        if len(sizes) != 1 or 0 in sizes:
            raise SchemaError(
                "the curves of a sensitivity analysis are not of one length",
                where=f"lengths {sorted(sizes)}",
                remedy="give every bound for every gamma, NaN where it is not defined",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """Mean outcome of one arm in one period of a difference-in-differences.

    Attributes
    ----------
    arm : str
        ``treated`` or ``comparison``.
    time : int
    mean, std_error, conf_low, conf_high : float
    n : int

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import TrendPoint
    >>> TrendPoint(arm="treated", time=2024, mean=0.3, std_error=0.02, conf_low=0.26, conf_high=0.34, n=120).n
    120
    """

    arm: Literal["treated", "comparison"]
    time: int
    mean: float
    std_error: float
    conf_low: float
    conf_high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedEstimate:
    """An estimate with its place in the report and what was looked at beside it.

    Attributes
    ----------
    id : str
        Unique, and the name of its record.
    study : str
        ``child_work``, ``food_insecurity``, ``entrants``, or another.
    outcome, population, year, design : str
        Together they say which question is answered and how; ``raw_gap`` is the unadjusted design.
    labels : Mapping of str to Label
        Of ``outcome``, ``population`` and ``design``.
    estimate : Estimate
    term : str, optional
        Row of the estimate that is meant; needed where it has several.
    unit : {"share", "score"}
        A share is shown in percentage points.
    better : {"lower", "higher"}, optional
        The direction that the programme hopes for.
    truth : float, optional
        Planted effect; synthetic runs only.
    balance : tuple of BalanceRow
    overlap : Overlap, optional
    sensitivity : Sensitivity, optional
    trend : tuple of TrendPoint

    Raises
    ------
    SchemaError
        If a label is missing or the term is not among the estimate's.

    Examples
    --------
    >>> from juntos_eval.estimate import Estimate, Sample, Uncertainty
    >>> from juntos_eval.reporting.report_input import Label, ReportedEstimate
    >>> name = Label("x", "x")
    >>> estimate = Estimate(spec={}, keys={"term": ("att",)}, values=[0.1], sample=Sample(rows=9, units=9),
    ...     uncertainty=Uncertainty(method="known", covariance=[[0.01]], df=float("inf")))
    >>> shown = ReportedEstimate(id="a", study="child_work", outcome="works", population="all", year="2024",
    ...     design="ipw", labels={"outcome": name, "population": name, "design": name}, estimate=estimate)
    >>> shown.value, round(shown.std_error, 2)
    (0.1, 0.1)
    """

    id: str
    study: str
    outcome: str
    population: str
    year: str
    design: str
    labels: Mapping[str, Label]
    estimate: Estimate
    term: str | None = None
    unit: Unit = "share"
    better: Better | None = None
    truth: float | None = None
    balance: tuple[BalanceRow, ...] = ()
    overlap: Overlap | None = None
    sensitivity: Sensitivity | None = None
    trend: tuple[TrendPoint, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", FrozenMapping(self.labels))
        missing = {"outcome", "population", "design"} - set(self.labels)
        terms = self.estimate.keys["term"]
        if missing or (self.term is None and len(terms) != 1) or (self.term not in (None, *terms)):
            raise SchemaError(
                f"the report cannot place the estimate {self.id!r}",
                where=f"labels missing: {sorted(missing)}; term {self.term!r} of {terms}",
                remedy="label outcome, population and design, and name the term where there are several",
            )

    @property
    def row(self) -> int:
        """Position of the term in the estimate."""
        return 0 if self.term is None else self.estimate.keys["term"].index(self.term)

    @property
    def value(self) -> float:
        """The number, in the outcome's own unit."""
        return float(self.estimate.values[self.row])

    @property
    def std_error(self) -> float:
        """Its standard error; NaN where it is not known."""
        return float(self.estimate.uncertainty.std_error[self.row])

    @property
    def level(self) -> float:
        """Coverage of the interval."""
        return self.estimate.uncertainty.intervals_level or 0.95

    @property
    def interval(self) -> tuple[float, float]:
        """Confidence limits."""
        low, high = self.estimate.interval(self.level)[self.row]
        return float(low), float(high)

    @property
    def p_value(self) -> float:
        """Two-sided p value of "there is no difference"."""
        return float(self.estimate.p_values()[self.row])
