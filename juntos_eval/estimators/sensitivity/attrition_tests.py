r"""Whether those who were lost differ by treatment, by baseline or by both, and balance with a joint test."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference, Linear, Sample
from juntos_eval.estimators.design import Selection, groups_to_carry, select, zero_one
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.least_squares import least_squares
from juntos_eval.numerics.wald import WaldTest

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Attrition", "BaselineBalance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attrition:
    r"""Regression of a lost outcome on treatment, baseline, and their interactions.

    .. math:: A_i = \alpha + \tau D_i + (x_i - \bar x)'\beta + D_i (x_i - \bar x)'\gamma + e_i

    :math:`\tau` is differential attrition; :math:`\gamma` says whether treatment changes who is lost, which
    can
    bias an effect even where as many are lost in both arms. Joint tests are in ``details`` and ``checks``.

    Parameters
    ----------
    outcome : str
        Missing where it was lost.
    treatment : str
    covariates : tuple of str
        Baseline; rows where they are missing are dropped and counted.
    weights : str, optional

    References
    ----------
    Duflo, E., Glennerster, R. & Kremer, M. (2007). Using randomization in development economics research: a
    toolkit. *Handbook of Development Economics* 4, ch. 61, section 6.4.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.sensitivity import Attrition
    >>> frame = pd.DataFrame({"y": [1, None, 3, 4, 5, None, None, 8], "d": [0, 0, 0, 0, 1, 1, 1, 1]})
    >>> Attrition(outcome="y", treatment="d").fit(frame).values.tolist()
    [0.25]
    """

    outcome: str
    treatment: str
    covariates: tuple[str, ...] = ()
    weights: str | None = None

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; by default with ``Robust("HC1")``.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            Terms: treatment, covariates, and ``treatment × covariate``.

        Raises
        ------
        DesignError
        """
        by = inference or Robust("HC1")
        chosen = select(
            data,
            required=(self.treatment,),
            covariates=self.covariates,
            weights=self.weights,
            carry=groups_to_carry(by, carry),
        )
        treated = zero_one(chosen.columns[self.treatment], self.treatment).astype(np.float64)
        rows = data.iloc[chosen.rows]
        if self.outcome not in data.columns:
            raise DesignError(
                f"the data have no column '{self.outcome}'",
                where=f"{len(data.columns)} columns",
                remedy="check the spelling",
            )
        lost = rows[self.outcome].isna().to_numpy().astype(np.float64)
        x = chosen.covariates - np.average(chosen.covariates, axis=0, weights=chosen.weights)
        names = (
            self.treatment,
            *chosen.covariate_names,
            *(f"{self.treatment} × {name}" for name in chosen.covariate_names),
        )
        design = np.column_stack([treated, x, x * treated[:, None]])
        estimate = _regressed(design, names, lost, chosen, by, {"estimator": "Attrition", **asdict(self)})
        k = x.shape[1]
        groups = {"baseline": slice(1, 1 + k), "interactions": slice(1 + k, 1 + 2 * k)} if k else {}
        tests = {"treatment": slice(0, 1), **groups}
        return _with_tests(estimate, {name: np.eye(len(names))[part] for name, part in tests.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineBalance:
    r"""Regression of treatment on baseline covariates, with the test that none tells who is treated.

    Parameters
    ----------
    treatment : str
    covariates : tuple of str
    weights : str, optional

    References
    ----------
    Bruhn, M. & McKenzie, D. (2009). In pursuit of balance: randomization in practice in development field
    experiments. *American Economic Journal: Applied Economics* 1(4), 200-232. (On what such tests can say.)

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from juntos_eval.estimators.sensitivity import BaselineBalance
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"d": rng.integers(0, 2, 200), "x": rng.normal(size=200)})
    >>> BaselineBalance(treatment="d", covariates=("x",)).fit(frame).details["joint"]["df"]
    1
    """

    treatment: str
    covariates: tuple[str, ...]
    weights: str | None = None

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; by default with ``Robust("HC1")``.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            A term each covariate; ``details["joint"]`` is the test of all.

        Raises
        ------
        DesignError
        """
        by = inference or Robust("HC1")
        chosen = select(
            data,
            required=(self.treatment,),
            covariates=self.covariates,
            weights=self.weights,
            carry=groups_to_carry(by, carry),
        )
        treated = zero_one(chosen.columns[self.treatment], self.treatment).astype(np.float64)
        names = chosen.covariate_names
        spec = {"estimator": "BaselineBalance", "outcome": self.treatment, **asdict(self)}
        estimate = _regressed(chosen.covariates, names, treated, chosen, by, spec)
        return _with_tests(estimate, {"joint": np.eye(len(names))})


def _regressed(
    columns: Floats,
    names: tuple[str, ...],
    target: Floats,
    chosen: Selection,
    inference: Inference,
    spec: dict[str, object],
) -> Estimate:
    design = np.column_stack([np.ones(chosen.n), columns])
    found = least_squares(design, target, chosen.weights)
    if found.dropped.size:
        raise DesignError(
            "covariates are collinear, so they cannot be tested together",
            where=", ".join(names[place - 1] for place in found.dropped),
            remedy="leave them out",
        )
    scores = design * (chosen.weights * found.residuals)[:, None]
    selection = np.eye(design.shape[1])[1:]
    linear = Linear(
        design=design,
        weights=chosen.weights,
        residuals=found.residuals,
        bread=found.bread,
        selection=selection,
    )
    fit = Fit(
        values=found.coefficients[1:],
        influence=DenseInfluence(scores @ found.bread[:, 1:]),
        parameters=design.shape[1],
        groups=chosen.groups,
        linear=linear,
    )
    return Estimate(
        spec=spec,
        keys={"term": names},
        values=fit.values,
        uncertainty=inference.infer(fit),
        sample=Sample(rows=chosen.n, units=chosen.n, dropped=chosen.dropped),
        fit=fit,
        inference=inference,
    )


def _with_tests(estimate: Estimate, restrictions: dict[str, Floats]) -> Estimate:
    details: dict[str, object] = {}
    checks = []
    for name, matrix in restrictions.items():
        found = _tested(estimate, matrix)
        if isinstance(found, str):
            details[name] = {"reason": found}
            checks.append(Check(name, None, found))
            continue
        details[name] = asdict(found)
        words = f"F({found.df}, {found.df_denominator:g}) = {found.statistic:.4g}, p {found.p_value:.4g}"
        checks.append(Check(name, found.p_value > 0.05, f"{words} ({estimate.uncertainty.method})"))
    return replace(estimate, details=details, checks=tuple(checks))


def _tested(estimate: Estimate, matrix: Floats) -> WaldTest | str:
    try:
        return estimate.test(matrix)
    except InferenceError as error:
        return error.what
