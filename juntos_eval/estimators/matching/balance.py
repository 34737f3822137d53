r"""Balance: how alike the two arms are in what they brought along, before and after a design."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check
from juntos_eval.estimators.matching.adjusted import Design, fitted_score
from juntos_eval.estimators.matching.arm_comparison import (
    ArmComparison,
    Characteristics,
    characteristics,
    compare_arms,
)

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Balance", "balance", "balance_check"]

LARGEST_DIFFERENCE = 0.1
VARIANCE_RATIOS = (0.5, 2.0)
# Rubin (2001): in standard deviations, and as a ratio
RUBIN_B, RUBIN_R = 0.25, (0.5, 2.0)
RULES = {
    "att": "sd of the treated before adjustment",
    "atc": "sd of the untreated before adjustment",
    "ate": "root mean variance of both arms before adjustment",
    "ato": "root mean variance of both arms before adjustment",
}
_MARKS = {True: "passed", False: "FAILED", None: "note"}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Balance:
    """Balance of q characteristics before and after a design.

    Attributes
    ----------
    names : tuple of str, length q
        The propensity score first, where the design has one, then covariates; a category of three or more
        levels has a line for its reference level too.
    kinds : tuple of str
        ``score``, ``numeric``, or ``share`` for 0/1.
    denominators : numpy.ndarray, shape (q,)
        Standard deviations that differences of means are divided by, the same before and after.
    denominator_rule : str
        Whose standard deviations those are.
    estimand : str
    treated, untreated : int
        Rows.
    before, after : ArmComparison
        With base weights, and with design weights.
    rubin_b, rubin_r : tuple of float
        Before and after: difference of the mean linear score in its pooled standard deviations, and the
        ratio of its variances (treated over untreated); NaN where no score can be had.
    checks : tuple of Check
        ``balance``, ``variance ratios``, ``Rubin's B and R``, ``effective sample size``.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.adjusted import raw_design
    >>> from juntos_eval.estimators.matching.balance import balance
    >>> frame = pd.DataFrame({"d": [1, 1, 0, 0, 0], "age": [1.0, 3.0, 1.0, 2.0, 6.0]})
    >>> balance(raw_design(frame, treatment="d", covariates=("age",))).checks[0].passed
    False
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    denominators: Floats
    denominator_rule: str
    estimand: str
    treated: int
    untreated: int
    before: ArmComparison
    after: ArmComparison
    rubin_b: tuple[float, float]
    rubin_r: tuple[float, float]
    checks: tuple[Check, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "denominators", frozen(self.denominators))

    def standardised_differences(self) -> tuple[Floats, Floats]:
        """Return differences of means in standard deviations, before and after, each of shape (q,)."""
        return self.before.standardised(self.denominators), self.after.standardised(self.denominators)

    def tidy(self) -> DataFrame:
        """Return one row a characteristic.

        The columns are ``covariate kind`` and, for ``before`` and ``after``, ``mean_treated_*
        mean_untreated_* smd_* variance_ratio_* ks_* ecdf_mean_*``.

        Returns
        -------
        pandas.DataFrame
            q rows.
        """
        import pandas as pd

        columns: dict[str, object] = {"covariate": self.names, "kind": self.kinds}
        sides = (("before", self.before), ("after", self.after))
        for (when, side), difference in zip(sides, self.standardised_differences(), strict=True):
            columns |= {
                f"mean_treated_{when}": side.mean_treated,
                f"mean_untreated_{when}": side.mean_untreated,
                f"smd_{when}": difference,
                f"variance_ratio_{when}": _without_shares(side.variance_ratio, self.kinds),
                f"ks_{when}": side.ks,
                f"ecdf_mean_{when}": side.ecdf_mean,
            }
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        checks = [f"[{_MARKS[check.passed]}] {check.name}: {check.detail}" for check in self.checks]
        table = self._shown().to_string(index=False, float_format=_digits, na_rep="")
        return "\n".join([self._title(), table, *checks])

    def _repr_html_(self) -> str:
        table = self._shown().to_html(index=False, float_format=_digits, na_rep="", border=0)
        items = "".join(
            f"<li><b>{_MARKS[check.passed]}</b> {escape(check.name)}: {escape(check.detail)}</li>"
            for check in self.checks
        )
        return f"<div><p><b>{escape(self._title())}</b></p>{table}<ul>{items}</ul></div>"

    def _title(self) -> str:
        return (
            f"Balance for the {self.estimand.upper()}: {self.treated:,} treated, {self.untreated:,} "
            f"untreated rows; smd in units of the {self.denominator_rule}"
        )

    def _shown(self) -> DataFrame:
        frame = self.tidy()
        return frame[[name for name in frame.columns if not name.startswith(("ecdf", "kind"))]]


def balance(design: Design) -> Balance:
    r"""Compare treated and untreated rows before and after a design.

    .. math:: d = \frac{\bar x_1 - \bar x_0}{s}

    with weighted means and s a standard deviation before adjustment: of the treated for the ATT, of the
    untreated for the ATC, the root mean of both variances for the ATE and ATO.

    Parameters
    ----------
    design : Design
        Matched, weighted or raw.

    Returns
    -------
    Balance

    Raises
    ------
    DesignError
        If an arm has no weight left.

    References
    ----------
    Austin, P. C. (2009). Balance diagnostics for comparing the distribution of baseline covariates between
    treatment groups in propensity-score matched samples. *Statistics in Medicine* 28(25), 3083-3107.

    Rubin, D. B. (2001). Using propensity scores to help design observational studies: application to the
    tobacco litigation. *Health Services & Outcomes Research Methodology* 2, 169-188.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.adjusted import raw_design
    >>> from juntos_eval.estimators.matching.balance import balance
    >>> frame = pd.DataFrame({"d": [1, 1, 0, 0, 0], "age": [1.0, 3.0, 1.0, 2.0, 6.0]})
    >>> seen = balance(raw_design(frame, treatment="d", covariates=("age",)))
    >>> seen.tidy()["smd_before"].round(4).tolist()
    [-0.7071]
    """
    seen = characteristics(design)
    before, after = (
        compare_arms(seen, design.treated, weights)
        for weights in (design.base_weights, design.design_weights)
    )
    denominators = _denominators(before, design.estimand)
    rubin_b, rubin_r, rubin_check = _rubin(design)
    return Balance(
        names=seen.names,
        kinds=seen.kinds,
        denominators=denominators,
        denominator_rule=RULES[design.estimand],
        estimand=design.estimand,
        treated=int(design.treated.sum()),
        untreated=int((~design.treated).sum()),
        before=before,
        after=after,
        rubin_b=rubin_b,
        rubin_r=rubin_r,
        checks=(
            _difference_check(seen, before, after, denominators),
            _variance_check(seen, after),
            rubin_check,
            _effective_check(design, after),
        ),
    )


def balance_check(design: Design) -> Check:
    """Return whether all standardised differences are below 0.1 after a design, and which are not.

    Parameters
    ----------
    design : Design

    Returns
    -------
    Check

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.adjusted import raw_design
    >>> from juntos_eval.estimators.matching.balance import balance_check
    >>> frame = pd.DataFrame({"d": [1, 1, 0, 0], "age": [1.0, 3.0, 1.0, 3.0]})
    >>> balance_check(raw_design(frame, treatment="d", covariates=("age",))).passed
    True
    """
    seen = characteristics(design)
    before, after = (
        compare_arms(seen, design.treated, weights, distances=False)
        for weights in (design.base_weights, design.design_weights)
    )
    return _difference_check(seen, before, after, _denominators(before, design.estimand))


def _denominators(before: ArmComparison, estimand: str) -> Floats:
    if estimand == "att":
        return np.sqrt(before.variance_treated)
    if estimand == "atc":
        return np.sqrt(before.variance_untreated)
    return np.sqrt((before.variance_treated + before.variance_untreated) / 2.0)


def _difference_check(
    seen: Characteristics, before: ArmComparison, after: ArmComparison, denominators: Floats
) -> Check:
    counted = np.array([kind != "score" for kind in seen.kinds], dtype=np.bool_)
    names = np.array(seen.names, dtype=object)[counted]
    was, now = (np.abs(side.standardised(denominators)[counted]) for side in (before, after))
    gap = np.abs(after.mean_treated - after.mean_untreated)[counted]
    # without spread a difference cannot be measured in standard deviations; none at all is balance
    unmeasured = np.isnan(now) & (gap > 0)
    large = now >= LARGEST_DIFFERENCE
    parts = [f"{int(large.sum())} of {len(names)} standardised differences at or beyond {LARGEST_DIFFERENCE}"]
    if np.isfinite(now).any():
        worst = int(np.nanargmax(now))
        parts.append(f"largest {now[worst]:.3f} ({names[worst]}), before {np.nanmax(was):.3f}")
    if large.any():
        parts.append("failing: " + ", ".join(f"{names[j]} {now[j]:.3f}" for j in np.flatnonzero(large)))
    if unmeasured.any():
        parts.append("different, but without spread to measure by: " + ", ".join(names[unmeasured]))
    return Check("balance", not (large.any() or unmeasured.any()), "; ".join(parts))


def _variance_check(seen: Characteristics, after: ArmComparison) -> Check:
    ratio = _without_shares(after.variance_ratio, seen.kinds)
    low, high = VARIANCE_RATIOS
    outside = np.flatnonzero((ratio < low) | (ratio > high))
    counted = int(np.isfinite(ratio).sum())
    named = f": {', '.join(f'{seen.names[j]} {ratio[j]:.2f}' for j in outside)}" if len(outside) else ""
    detail = f"{len(outside)} of {counted} numeric characteristics outside [{low}, {high}]{named}"
    return Check("variance ratios", None if not counted else not len(outside), detail)


def _rubin(design: Design) -> tuple[tuple[float, float], tuple[float, float], Check]:
    """Return Rubin's B and R before and after; they need a score, and a design may have none."""
    unknown = (float("nan"), float("nan"))
    try:
        score = fitted_score(design)
    except DesignError as error:
        return unknown, unknown, Check("Rubin's B and R", None, f"not known: {error.what}")
    linear = Characteristics(values=score.linear[:, None], names=("linear score",), kinds=("numeric",))
    sides = [
        compare_arms(linear, design.treated, weights, distances=False)
        for weights in (design.base_weights, design.design_weights)
    ]
    # weights below zero can leave a variance that is none
    sums = [np.maximum(side.variance_treated + side.variance_untreated, 0.0) for side in sides]
    pooled = [np.sqrt(total / 2.0) for total in sums]
    b_before, b_after = (float(abs(side.standardised(sd)[0])) for side, sd in zip(sides, pooled, strict=True))
    r_before, r_after = (float(side.variance_ratio[0]) for side in sides)
    detail = (
        f"B {b_after:.3f} (before {b_before:.3f}; good below {RUBIN_B}), "
        f"R {r_after:.3f} (before {r_before:.3f}; good in [{RUBIN_R[0]}, {RUBIN_R[1]}])"
    )
    known = np.isfinite([b_after, r_after]).all()
    passed = bool(b_after < RUBIN_B and RUBIN_R[0] <= r_after <= RUBIN_R[1]) if known else None
    return (b_before, b_after), (r_before, r_after), Check("Rubin's B and R", passed, detail)


def _effective_check(design: Design, after: ArmComparison) -> Check:
    used = design.design_weights > 0
    treated, untreated = int((used & design.treated).sum()), int((used & ~design.treated).sum())
    detail = (
        f"{after.effective_treated:,.1f} of {treated:,} treated, "
        f"{after.effective_untreated:,.1f} of {untreated:,} untreated rows with weight"
    )
    return Check("effective sample size", None, detail)


def _without_shares(ratio: Floats, kinds: tuple[str, ...]) -> Floats:
    # the variance of a share follows from its mean and says nothing further
    return np.where([kind == "share" for kind in kinds], np.nan, ratio)


def _digits(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:,.1f}"
