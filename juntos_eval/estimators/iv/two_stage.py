r"""Instrumental variables: two-stage least squares, LIML, Fuller and GMM."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import (
    DenseInfluence,
    Estimate,
    Fit,
    Inference,
    Instrumented,
    Linear,
)
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.iv.instrumented_model import Columns, InstrumentedModel, model_from
from juntos_eval.estimators.iv.strength_checks import checks_and_details
from juntos_eval.estimators.panel.regression_checks import singleton_check
from juntos_eval.estimators.panel.regression_frame import sample_of
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.gmm import linear_gmm, moment_covariance
from juntos_eval.numerics.k_class import PartialledOut, k_class, liml_kappa

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["TwoStage"]

Method = Literal["2sls", "liml", "fuller", "gmm", "gmm_iterated", "cue"]
Moments = Literal["robust", "iid", "cluster"]
Singletons = Literal["keep", "drop"]
_STEPS = {"gmm": "two-step", "gmm_iterated": "iterated", "cue": "cue"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStage:
    r"""Effect of endogenous regressors, from what instruments move of them.

    .. math:: y = D\beta + X\gamma + \varepsilon, \qquad
              \hat\theta = (\tilde X'WX_1)^{-1}\tilde X'Wy, \qquad
              \hat\psi_i = (\tilde X'WX_1)^{-1} \tilde x_i w_i \hat\varepsilon_i

    with :math:`X_1 = (D, X)` and :math:`\tilde X` its projection on instruments and covariates (``2sls``),
    :math:`(I - kM_Z)X_1` with LIML's k or Fuller's :math:`k - 1/(n - L)`, or the combination of instruments
    that GMM weights. Residuals are always those of the endogenous regressors themselves. Influence takes k
    and the weights of GMM as given: their error is of smaller order where the model holds.

    ``details`` and ``checks`` say how strong the first stage is (always by the default inference): F,
    effective F
    with critical values, Kleibergen-Paap, Cragg-Donald, conditional F; the Anderson-Rubin set, which holds
    however weak it is; tests of over-identification and of endogeneity. :func:`first_stage`,
    :func:`reduced_form`, :func:`anderson_rubin`, :func:`overidentification`, :func:`endogeneity` give each as
    a value of its own, by the estimate's inference or any other.

    Parameters
    ----------
    outcome : str
    endogenous : str or tuple of str
        Columns of numbers. Rows that miss any column are dropped and counted.
    instruments : str or tuple of str
        The excluded ones: numbers or categories.
    covariates : tuple of str
        Exogenous regressors, which are instruments for themselves; a constant is added.
    absorb : tuple of str
        Factors whose effects are taken out; the constant is one of them then.
    weights : str, optional
        Column of sampling weights.
    method : {"2sls", "liml", "fuller", "gmm", "gmm_iterated", "cue"}
        ``gmm`` is two-step, from 2SLS; ``cue`` updates the weights continuously.
    moments : {"robust", "iid", "cluster"}
        GMM's model of the covariance of moments.
    moments_by : str, optional
        Its clusters, for ``cluster``.
    singletons : {"keep", "drop"}
        Rows alone in a level of an absorbed factor: they move no coefficient, but count.

    Raises
    ------
    DesignError
        For choices that do not exist; from ``fit`` for fewer instruments than endogenous regressors,
        instruments that say nothing beside the covariates, and regressors that do not vary.

    References
    ----------
    Fuller, W. A. (1977). Some properties of a modification of the limited information estimator.
    *Econometrica*
    45(4), 939-953.
    Wooldridge, J. M. (2010). *Econometric Analysis of Cross Section and Panel Data* (2nd ed.), ch. 5 and 8.
    MIT
    Press.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.iv import TwoStage
    >>> columns = {"y": [1, 3, 1, 1, 2, 4], "joined": [0, 1, 0, 0, 0, 1], "offer": [0, 1, 0, 1, 0, 1]}
    >>> frame = pd.DataFrame(columns)
    >>> effect = TwoStage(outcome="y", endogenous=("joined",), instruments=("offer",)).fit(frame)
    >>> effect.keys["term"], effect.values.round(6).tolist()
    (('joined', 'constant'), [2.0, 1.333333])
    """

    outcome: str
    endogenous: str | tuple[str, ...]
    instruments: str | tuple[str, ...]
    covariates: tuple[str, ...] = ()
    absorb: tuple[str, ...] = ()
    weights: str | None = None
    method: Method = "2sls"
    moments: Moments = "robust"
    moments_by: str | None = None
    singletons: Singletons = "keep"

    def __post_init__(self) -> None:
        for name in ("endogenous", "instruments", "covariates", "absorb"):
            object.__setattr__(self, name, _names(getattr(self, name)))
        _refuse_odd_choices(self)

    def _default_inference(self) -> Inference:
        return Cluster(self.absorb[0], kind="CR1S") if self.absorb else Robust("HC1")

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the coefficients.

        Parameters
        ----------
        data : pandas.DataFrame
            Not changed.
        inference : Inference, optional
            By default :class:`~juntos_eval.inference.robust.Robust` ``HC1``; with ``absorb``
            :class:`~juntos_eval.inference.cluster.Cluster` ``CR1S`` by the first absorbed factor.
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Terms: endogenous regressors, covariates, ``constant``.

        Raises
        ------
        DesignError
        """
        chosen_inference = inference or self._default_inference()
        columns = Columns(
            outcome=self.outcome,
            endogenous=_names(self.endogenous),
            instruments=_names(self.instruments),
            covariates=self.covariates,
            absorb=self.absorb,
            weights=self.weights,
            drops_singletons=self.singletons == "drop",
        )
        carried = groups_to_carry(chosen_inference, (*carry, *([self.moments_by] if self.moments_by else [])))
        model, chosen = model_from(data, columns, carried)
        left = model.left()
        coefficients, linear, extra = _estimated(self, model, left)
        fit = _fit_of(model, coefficients, linear)
        checks, details = checks_and_details(model, left, self._default_inference(), linear)
        if self.absorb:
            checks = (singleton_check(model.singletons, is_dropped=self.singletons == "drop"), *checks)
        return Estimate(
            spec={"estimator": "TwoStage", **asdict(self)},
            keys={"term": (*model.endogenous_names, *model.exogenous_names)},
            values=coefficients,
            uncertainty=chosen_inference.infer(fit),
            sample=sample_of(chosen),
            checks=checks,
            details={**extra, **details},
            fit=fit,
            inference=chosen_inference,
        )


def _names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(dict.fromkeys(value))


def _refuse_odd_choices(spec: TwoStage) -> None:
    kinds = {"method": Method, "moments": Moments, "singletons": Singletons}
    for choice, choices in ((name, get_args(kind)) for name, kind in kinds.items()):
        if getattr(spec, choice) not in choices:
            raise DesignError(
                f"there is no {choice} {getattr(spec, choice)!r} of instruments",
                where="TwoStage",
                remedy=f"choose one of {', '.join(choices)}",
            )
    roles = [spec.outcome, *_names(spec.endogenous), *_names(spec.instruments), *spec.covariates]
    twice = sorted({name for name in roles if roles.count(name) > 1})
    if not spec.endogenous or not spec.instruments or twice:
        raise DesignError(
            "an instrumented regression needs endogenous regressors and instruments, each column in one role",
            where=f"endogenous {spec.endogenous}, instruments {spec.instruments}, in two roles: {twice}",
            remedy="name each column once; covariates are instruments for themselves",
        )
    if (spec.moments == "cluster") != (spec.moments_by is not None):
        raise DesignError(
            "moments='cluster' and moments_by go together",
            where=f"moments={spec.moments!r}, moments_by={spec.moments_by!r}",
            remedy="name the column of clusters, or leave both",
        )


def _estimated(
    spec: TwoStage, model: InstrumentedModel, left: PartialledOut
) -> tuple[Floats, Linear, dict[str, Any]]:
    """Return coefficients, the linear model that they amount to, and what the method found."""
    if spec.method in _STEPS:
        return _by_gmm(spec, model, left)
    kappa = 1.0
    if spec.method != "2sls":
        kappa = liml_kappa(left)
    if spec.method == "fuller":
        rest = model.n - left.basis.shape[1] - model.exogenous.shape[1] - model.absorbed_parameters
        kappa -= 1.0 / rest
    found = k_class(model.outcome, model.endogenous, model.exogenous, left, kappa)
    linear = _linear(model, found.design, found.bread, found.residuals)
    return found.coefficients, linear, {"kappa": kappa}


def _by_gmm(
    spec: TwoStage, model: InstrumentedModel, left: PartialledOut
) -> tuple[Floats, Linear, dict[str, Any]]:
    k_class(model.outcome, model.endogenous, model.exogenous, left)  # refuses what has no first stage
    codes = None
    if spec.moments_by is not None:
        codes = np.unique(model.groups[spec.moments_by].codes, return_inverse=True)[1].astype(np.int64)
    regressors = np.column_stack([model.endogenous, model.exogenous])
    weighted = regressors * left.root[:, None]
    basis = np.column_stack([left.exogenous_basis, left.basis])
    found = linear_gmm(
        model.outcome * left.root,
        weighted,
        basis,
        moment_covariance(spec.moments, codes),
        _STEPS[spec.method],
    )
    # instruments that make inner products of design and regressors the same, so that one bread serves all
    inner = found.generated.T @ found.generated
    design = found.generated @ np.linalg.solve(inner, found.generated.T @ weighted)
    scale = np.linalg.norm(design, axis=0)
    bread = np.linalg.inv((design / scale).T @ (design / scale)) / np.outer(scale, scale)
    residuals = model.outcome - regressors @ found.coefficients
    linear = _linear(model, design / left.root[:, None], bread, residuals)
    return found.coefficients, linear, {"objective": found.objective, "steps": found.steps}


def _linear(model: InstrumentedModel, design: Floats, bread: Floats, residuals: Floats) -> Linear:
    return Linear(
        design=design,
        weights=model.weights,
        residuals=residuals,
        bread=bread,
        selection=np.eye(len(bread)),
        absorbed=model.absorbed,
        absorbed_rank=model.absorbed_rank,
    )


def _fit_of(model: InstrumentedModel, coefficients: Floats, linear: Linear) -> Fit:
    scores = linear.design * (linear.weights * linear.residuals)[:, None]
    return Fit(
        values=coefficients,
        influence=DenseInfluence(scores @ linear.bread),
        parameters=len(coefficients) + model.absorbed_parameters,
        groups=model.groups,
        linear=linear,
        instrumented=Instrumented(
            outcome=model.outcome,
            endogenous=model.endogenous,
            exogenous=model.exogenous,
            instruments=model.instruments,
        ),
    )
