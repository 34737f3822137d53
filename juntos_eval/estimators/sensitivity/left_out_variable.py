r"""How strong a left-out variable must be to explain an estimate away: Cinelli and Hazlett."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Floats, FrozenMapping, frozen
from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import Estimate, Linear
from juntos_eval.numerics.distributions import t_quantile
from juntos_eval.numerics.least_squares import least_squares

__all__ = ["Adjusted", "Contours", "OmittedVariable", "adjusted_for", "bias_contours", "omitted_variable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """An estimate as it would be with a confounder of so much strength.

    Attributes
    ----------
    r2_treatment, r2_outcome : float
        Partial R² of the confounder with the treatment, and with the outcome given the treatment.
    estimate, std_error, statistic, conf_low, conf_high : float

    Examples
    --------
    >>> Adjusted(r2_treatment=0.0, r2_outcome=0.0, estimate=1.0, std_error=1.0, statistic=1.0, conf_low=-1.0,
    ...          conf_high=3.0).estimate
    1.0
    """

    r2_treatment: float
    r2_outcome: float
    estimate: float
    std_error: float
    statistic: float
    conf_low: float
    conf_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OmittedVariable:
    """Sensitivity of one coefficient of a regression.

    Attributes
    ----------
    term : str
    estimate, std_error, df : float
        Standard error under equal independent errors, which these measures are made of.
    partial_r2 : float
        Of the treatment with the outcome: a confounder that explains all the rest of the outcome would have
        to
        explain this much of the rest of the treatment.
    robustness_value : float
        Partial R² with both that brings the estimate down by the share ``q``.
    robustness_value_significance : float
        The same, until the estimate is no more significantly different from what is left of it.
    q, alpha : float
    benchmarks : Mapping of str to Adjusted
        Confounders as strong as covariates that are in the regression, times ``strength``; a text says why
        there
        can be none.

    Examples
    --------
    >>> OmittedVariable.__slots__[0]
    'term'
    """

    term: str
    estimate: float
    std_error: float
    df: float
    partial_r2: float
    robustness_value: float
    robustness_value_significance: float
    q: float
    alpha: float
    benchmarks: Mapping[str, Adjusted | str]


def omitted_variable(
    estimate: Estimate,
    term: str,
    *,
    benchmarks: Sequence[str | tuple[str, ...]] = (),
    strength: float = 1.0,
    q: float = 1.0,
    alpha: float = 0.05,
) -> OmittedVariable:
    r"""Return the robustness values of a coefficient of least squares.

    .. math:: RV_q = \tfrac12\left(\sqrt{f_q^4 + 4 f_q^2} - f_q^2\right), \qquad f_q = q\,|t| / \sqrt{df}

    Parameters
    ----------
    estimate : Estimate
        Of a regression by (weighted) least squares, in memory.
    term : str
        The treatment.
    benchmarks : sequence of str or tuple of str
        Terms of the regression, or groups of terms taken together.
    strength : float
        How many times as strong as the benchmark the confounder is, with treatment and outcome.
    q : float
        Share of the estimate to be explained away.
    alpha : float

    Returns
    -------
    OmittedVariable

    Raises
    ------
    InferenceError
        If the estimate is not one of least squares in memory.
    DesignError
        For terms that the regression does not have, or choices out of range.

    References
    ----------
    Cinelli, C. & Hazlett, C. (2020). Making sense of sensitivity: extending omitted variable bias. *Journal
    of the
    Royal Statistical Society B* 82(1), 39-67. (Sections 4.2 to 4.4.)

    Examples
    --------
    >>> import numpy as np, pandas as pd, juntos_eval as je
    >>> rng = np.random.default_rng(2)
    >>> frame = pd.DataFrame(rng.normal(size=(100, 3)), columns=["x", "d", "y"])
    >>> frame["y"] += frame["d"] + frame["x"]
    >>> fit = je.FixedEffects(outcome="y", covariates=("d", "x")).fit(frame)
    >>> found = je.omitted_variable(fit, "d", benchmarks=("x",))
    >>> 0 < found.robustness_value_significance < found.robustness_value < 1
    True
    """
    _refuse_odd_choices(q, alpha, strength)
    linear, terms = _regression_of(estimate)
    position = _position(terms, term)
    df = float(len(linear.residuals) - estimate.fit.parameters)  # type: ignore[union-attr]
    variance = float(linear.weights @ linear.residuals**2) / df
    error = float(np.sqrt(variance * linear.bread[position, position]))
    value = float(estimate.values[position])
    f = abs(value / error) / np.sqrt(df)
    found: dict[str, Adjusted | str] = {}
    for benchmark in benchmarks:
        group = (benchmark,) if isinstance(benchmark, str) else benchmark
        found[" and ".join(group)] = _benchmark(
            linear,
            estimate.values,
            position,
            [_position(terms, name) for name in group],
            (value, error, df, alpha),
            strength,
        )
    return OmittedVariable(
        term=term,
        estimate=value,
        std_error=error,
        df=df,
        partial_r2=f**2 / (1.0 + f**2),
        robustness_value=_robustness(q * f),
        robustness_value_significance=_significant(q * f, df, alpha),
        q=q,
        alpha=alpha,
        benchmarks=FrozenMapping(found),
    )


def _refuse_odd_choices(q: float, alpha: float, strength: float) -> None:
    if q <= 0 or not 0 < alpha < 1 or strength <= 0:
        raise DesignError(
            "q and strength must be positive, alpha between 0 and 1",
            where=f"q={q}, strength={strength}, alpha={alpha}",
            remedy="leave the defaults",
        )


def _regression_of(estimate: Estimate) -> tuple[Linear, tuple[str, ...]]:
    fit = estimate.fit
    is_plain = (
        fit is not None
        and fit.linear is not None
        and fit.instrumented is None
        and fit.linear.selection.shape == fit.linear.bread.shape
        and np.array_equal(fit.linear.selection, np.eye(len(fit.linear.bread)))
    )
    if not is_plain:
        raise InferenceError(
            "this sensitivity needs a regression by least squares in memory, with all its coefficients",
            where=str(estimate.spec.get("estimator", "estimate")),
            remedy="fit je.FixedEffects(...) and hand over its estimate",
        )
    return fit.linear, tuple(map(str, estimate.keys["term"]))  # type: ignore[union-attr, return-value]


def _position(terms: tuple[str, ...], term: str) -> int:
    if term not in terms:
        raise DesignError(
            f"the regression has no term '{term}'",
            where=f"terms: {', '.join(terms)}",
            remedy="name one of these",
        )
    return terms.index(term)


def _robustness(f: float) -> float:
    return float((np.sqrt(f**4 + 4 * f**2) - f**2) / 2.0)


def _significant(f: float, df: float, alpha: float) -> float:
    critical = float(t_quantile(1 - alpha / 2, df - 1)) / np.sqrt(df - 1)
    if f <= critical:
        return 0.0
    # a confounder may do more harm by what it explains of the treatment alone
    if f > 1.0 / critical:
        return float((f**2 - critical**2) / (1.0 + f**2))
    return _robustness(f - critical)


def adjusted_for(
    r2_treatment: float, r2_outcome: float, regression: tuple[float, float, float, float]
) -> Adjusted:
    r"""Return what an estimate becomes with a confounder that works against it.

    .. math:: |bias| = se\,\sqrt{df}\,\sqrt{\frac{R^2_{Y\sim Z|D,X}\,R^2_{D\sim Z|X}}{1 - R^2_{D\sim Z|X}}},
              \qquad se' = se\,\sqrt{\frac{1 - R^2_{Y\sim Z|D,X}}{1 - R^2_{D\sim Z|X}}}\sqrt{\frac{df}{df -
              1}}

    Parameters
    ----------
    r2_treatment, r2_outcome : float
        Partial R² of the confounder, below one for the treatment.
    regression : tuple of float
        Estimate, standard error, degrees of freedom, alpha.

    Returns
    -------
    Adjusted

    Examples
    --------
    >>> from juntos_eval.estimators.sensitivity.left_out_variable import adjusted_for
    >>> adjusted_for(0.5, 0.5, (2.0, 0.1, 100.0, 0.05)).estimate.__round__(6)
    1.292893
    """
    value, error, df, alpha = regression
    bias = error * np.sqrt(df * r2_outcome * r2_treatment / (1.0 - r2_treatment))
    left = value - np.sign(value) * bias
    spread = error * np.sqrt((1.0 - r2_outcome) / (1.0 - r2_treatment) * df / (df - 1.0))
    half = float(t_quantile(1 - alpha / 2, df - 1.0)) * spread
    return Adjusted(
        r2_treatment=float(r2_treatment),
        r2_outcome=float(r2_outcome),
        estimate=float(left),
        std_error=float(spread),
        statistic=float(left / spread) if spread else np.nan,
        conf_low=float(left - half),
        conf_high=float(left + half),
    )


def _benchmark(
    linear: Linear,
    coefficients: Floats,
    treatment: int,
    group: list[int],
    regression: tuple[float, float, float, float],
    strength: float,
) -> Adjusted | str:
    """Return the estimate with a confounder so many times as strong as a group of covariates."""
    if treatment in group:
        return "the treatment cannot be its own benchmark"
    root = np.sqrt(linear.weights)
    design = linear.design * root[:, None]
    outcome = design @ coefficients + linear.residuals * root
    others = np.delete(design, [treatment, *group], axis=1)
    beside = np.column_stack([others, design[:, treatment]])
    of_treatment = _partial_r2(design[:, treatment], design[:, group], others)
    of_outcome = _partial_r2(outcome, design[:, group], beside)
    explained = strength * of_treatment / (1.0 - of_treatment)
    if explained >= 1.0:
        return f"a confounder {strength:g} times as strong would explain all of the treatment"
    shared = strength * of_treatment**2 / ((1.0 - strength * of_treatment) * (1.0 - of_treatment))
    factor = (np.sqrt(strength) + np.sqrt(shared)) / np.sqrt(1.0 - shared)
    reached = min(float(factor**2 * of_outcome / (1.0 - of_outcome)), 1.0)
    return adjusted_for(explained, reached, regression)


def _partial_r2(target: Floats, columns: Floats, others: Floats) -> float:
    """Return the share of what others leave of the target that the columns explain."""
    rest = least_squares(others, target).residuals if others.shape[1] else target
    left = least_squares(np.column_stack([others, columns]), target).residuals
    return 1.0 - float(left @ left) / float(rest @ rest)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contours:
    """An estimate over a grid of strengths of a confounder.

    Attributes
    ----------
    r2_treatment : numpy.ndarray, shape (a,)
    r2_outcome : numpy.ndarray, shape (b,)
    estimate, statistic : numpy.ndarray, shape (b, a)

    Examples
    --------
    >>> Contours(r2_treatment=[0.0], r2_outcome=[0.0], estimate=[[1.0]], statistic=[[2.0]]).estimate.item()
    1.0
    """

    r2_treatment: Floats
    r2_outcome: Floats
    estimate: Floats
    statistic: Floats

    def __post_init__(self) -> None:
        for name in ("r2_treatment", "r2_outcome", "estimate", "statistic"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


def bias_contours(sensitivity: OmittedVariable, *, largest: float = 0.5, points: int = 51) -> Contours:
    """Return the estimate that is left over a grid of strengths, for a contour plot.

    Parameters
    ----------
    sensitivity : OmittedVariable
    largest : float
        Largest partial R², below one.
    points : int

    Returns
    -------
    Contours

    Examples
    --------
    >>> from juntos_eval.estimators.sensitivity.left_out_variable import OmittedVariable, bias_contours
    >>> known = OmittedVariable(term="d", estimate=1.0, std_error=0.1, df=99.0, partial_r2=0.5,
    ...     robustness_value=0.6, robustness_value_significance=0.5, q=1.0, alpha=0.05, benchmarks={})
    >>> bias_contours(known, points=3).estimate.shape
    (3, 3)
    """
    if not 0 < largest < 1 or points < 2:
        raise DesignError(
            "contours need a largest partial R² between 0 and 1, and two points",
            where=f"largest={largest}, points={points}",
            remedy="leave the defaults",
        )
    s, grid = sensitivity, np.linspace(0.0, largest, points)
    regression = (s.estimate, s.std_error, s.df, s.alpha)
    cells = [[adjusted_for(a, b, regression) for a in grid] for b in grid]
    return Contours(
        r2_treatment=grid,
        r2_outcome=grid,
        estimate=np.array([[cell.estimate for cell in row] for row in cells]),
        statistic=np.array([[cell.statistic for cell in row] for row in cells]),
    )
