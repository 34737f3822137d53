"""Linear regression with any number of absorbed fixed effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Groups, Inference
from juntos_eval.estimators.design import Selection, groups_to_carry, require_frame
from juntos_eval.estimators.panel.absorbed_fit import absorbed_fit
from juntos_eval.estimators.panel.regression_checks import (
    condition_check,
    dropped_columns_check,
    level_checks,
    leverage_check,
    singleton_check,
)
from juntos_eval.estimators.panel.regression_frame import (
    CONSTANT,
    names_of,
    regression_selection,
    sample_of,
    without,
)
from juntos_eval.estimators.panel.terms import (
    AbsorbedTerm,
    absorbed_terms,
    covariate_columns,
    covariate_terms,
    factor_of,
)
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.absorb import Absorber, Factor, absorber, in_singletons
from juntos_eval.numerics.within_least_squares import WithinLeastSquares, within_least_squares

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["FixedEffects"]

Singletons = Literal["keep", "drop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedEffects:
    r"""Least squares with fixed effects of any number of factors, which are taken out and not reported.

    .. math:: y_i = x_i'\beta + \sum_f \alpha_{f, g_f(i)} + e_i, \qquad
              \hat\beta = (\tilde X'W\tilde X)^{-1}\tilde X'W\tilde y

    where a tilde says that the effects were taken out, exactly (Frisch-Waugh-Lovell). The influence of row i
    is :math:`w_i \hat e_i (\tilde X'W\tilde X)^{-1}\tilde x_i`. Without ``absorb`` it is least squares with a
    constant.

    Parameters
    ----------
    outcome : str
        Column of numbers or booleans.
    covariates : tuple of str
        Columns of numbers, booleans or categories (one indicator a level but the first), or products such as
        ``"age:area"``. Columns that effects or earlier columns span are left out and named in a check.
    absorb : tuple of str
        ``"unit"``; ``"region^year"``, a level for each pair; ``"unit[x]"``, levels and a slope of x in each;
        ``"unit[[x]]"``, the slopes alone. Rows where one is missing are dropped and counted.
    weights : str, optional
        Column of sampling or analytic weights.
    singletons : {"keep", "drop"}
        What is done with rows alone in a level of a factor: they are counted in either case. Kept as in
        fixest, plm and linearmodels; dropping them (reghdfe) leaves coefficients as they are and usually
        makes standard errors a little larger.

    References
    ----------
    Correia, S. (2017). Linear models with high-dimensional fixed effects: an efficient and feasible
    estimator. Working paper. Wooldridge, J. M. (2010). *Econometric Analysis of Cross Section and Panel
    Data* (2nd ed.), section 10.5. MIT Press.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.panel import FixedEffects
    >>> frame = pd.DataFrame({
    ...     "unit": [1, 1, 2, 2, 3, 3], "year": [1, 2] * 3, "treated": [0, 1, 0, 0, 0, 1],
    ...     "y": [1.0, 4.0, 2.0, 3.0, 5.0, 9.0]})
    >>> found = FixedEffects(outcome="y", covariates=("treated",), absorb=("unit", "year")).fit(frame)
    >>> found.values.round(6).tolist(), found.fit.parameters
    ([2.5], 5)
    """

    outcome: str
    covariates: tuple[str, ...]
    absorb: tuple[str, ...] = ()
    weights: str | None = None
    singletons: Singletons = "keep"

    def __post_init__(self) -> None:
        for name in ("covariates", "absorb"):
            object.__setattr__(self, name, names_of(getattr(self, name)))
        if self.singletons not in ("keep", "drop"):
            raise DesignError(
                f"there is no way {self.singletons!r} to treat singletons",
                where="FixedEffects(singletons)",
                remedy="choose 'keep' or 'drop'",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the coefficients.

        Parameters
        ----------
        data : pandas.DataFrame
            Not changed.
        inference : Inference, optional
            By default clustered by the first absorbed factor (``Cluster(first, kind="CR1S")``, as fixest),
            and ``Robust("HC1")`` where none is absorbed.
        carry : tuple of str
            Groupings to keep for another inference later; absorbed factors are always kept.

        Returns
        -------
        Estimate
            A row a covariate that was kept, under its name; without ``absorb`` the first is ``constant``.
            ``details`` has ``r2``, ``r2_within``, ``ssr``, ``absorbed`` (levels of each factor),
            ``absorbed_rank`` and ``dropped``.

        Raises
        ------
        DesignError
            For columns or weights that cannot be used, where no row is left, and where the outcome or no
            covariate varies beside the effects.
        """
        require_frame(data)
        terms, effects = covariate_terms(data, self.covariates), absorbed_terms(data, self.absorb)
        chosen_inference = inference or _default_inference(effects)
        own = {effect.label for effect in effects}
        wanted = tuple(name for name in groups_to_carry(chosen_inference, carry) if name not in own)
        chosen = regression_selection(
            data,
            terms,
            numeric=(self.outcome, *(column for effect in effects for column in effect.slopes)),
            weights=self.weights,
            carry=wanted,
            factors=tuple(column for effect in effects for column in effect.columns),
        )
        alone, chosen, prepared = self._prepare(chosen, effects)
        groups = {name: chosen.groups[name] for name in wanted} | {
            effect.label: levels for effect, (levels, _) in zip(effects, prepared, strict=True)
        }
        factors = tuple(factor for _, factor in prepared)
        weights = chosen.weights if self.weights is not None else None
        within = absorber(factors, weights)
        arrays, names = covariate_columns(terms, chosen, as_stored=True)
        if not effects:
            arrays, names = [np.ones(chosen.n), *arrays], [CONSTANT, *names]
        regression = within_least_squares(
            chosen.columns[self.outcome], arrays, within=within, weights=weights
        )
        fit = absorbed_fit(regression, within, groups, effects, weights)
        return Estimate(
            spec={"estimator": "FixedEffects", **asdict(self)},
            keys={"term": tuple(names[place] for place in regression.kept)},
            values=fit.values,
            uncertainty=chosen_inference.infer(fit),
            sample=sample_of(chosen),
            checks=(
                *self._checks(regression, names, alone, weights),
                *level_checks({effect.label: groups[effect.label] for effect in effects}),
            ),
            details=_details(regression, names, within, effects),
            fit=fit,
            inference=chosen_inference,
        )

    def _prepare(
        self, chosen: Selection, effects: Sequence[AbsorbedTerm]
    ) -> tuple[int, Selection, list[tuple[Groups, Factor]]]:
        """Return the number of singletons, the selection without them if so chosen, and its factors."""
        prepared = [factor_of(effect, chosen) for effect in effects]
        alone = in_singletons([factor for _, factor in prepared])
        count = int(alone.sum())
        if not count or self.singletons == "keep":
            return count, chosen, prepared
        if alone.all():
            raise DesignError(
                "every row is alone in a level of an absorbed factor",
                where=f"{chosen.n:,} rows, absorb={self.absorb}",
                remedy="absorb factors whose levels have several rows",
            )
        chosen = without(chosen, alone, "singleton of an absorbed factor")
        return count, chosen, [factor_of(effect, chosen) for effect in effects]

    def _checks(
        self, regression: WithinLeastSquares, names: Sequence[str], alone: int, weights: Floats | None
    ) -> tuple[Check, ...]:
        dropped = [
            [names[place] for place in places] for places in (regression.absorbed, regression.collinear)
        ]
        checks = [dropped_columns_check(*dropped), condition_check(regression.condition)]
        if self.absorb:
            checks.insert(1, singleton_check(alone, is_dropped=self.singletons == "drop"))
        leverage = leverage_check(regression.design, regression.bread, weights)
        return (*checks, *([leverage] if leverage else []))


def _default_inference(effects: Sequence[AbsorbedTerm]) -> Inference:
    return Cluster(effects[0].label, kind="CR1S") if effects else Robust("HC1")


def _details(
    regression: WithinLeastSquares,
    names: Sequence[str],
    within: Absorber,
    effects: Sequence[AbsorbedTerm],
) -> dict[str, Any]:
    residuals, weights = regression.residuals, within.weights
    weighted = residuals if weights is None else weights * residuals
    ssr = float(np.einsum("i,i->", residuals, weighted))
    spanned = sorted([*regression.absorbed.tolist(), *regression.collinear.tolist()])
    return {
        "r2": 1.0 - ssr / regression.total,
        "r2_within": 1.0 - ssr / regression.within,
        "ssr": ssr,
        "absorbed": {e.label: f.count for e, f in zip(effects, within.factors, strict=True)},
        "absorbed_rank": within.rank,
        "is_absorbed_rank_exact": within.is_rank_exact,
        "dropped": [names[place] for place in spanned],
    }
