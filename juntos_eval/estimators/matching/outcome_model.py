r"""Regressions of the outcome in one arm, and the outcome they predict for everyone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import linalg, special

from juntos_eval.arrays import Bools, Codes, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check
from juntos_eval.estimators.matching.nuisances import Term, information_root, solve_along
from juntos_eval.estimators.matching.separation import separating_direction
from juntos_eval.numerics.convex_newton import minimise_convex
from juntos_eval.numerics.least_squares import independent_columns, least_squares

__all__ = [
    "OutcomeDesign",
    "OutcomeKind",
    "OutcomeModel",
    "fit_outcome",
    "left_out_check",
    "outcome_design",
]

OutcomeKind = Literal["linear", "logit"]

# share of a standardised covariate that earlier ones must leave, as R's lm asks
COLLINEAR = 1e-7
# mean score of the likelihood, in standard deviations of covariates, that counts as zero
TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeDesign:
    """The covariates of an outcome model, standardised, without those that others span.

    Attributes
    ----------
    columns : numpy.ndarray, shape (n, m)
        A column of ones, then the covariates that were kept.
    names : tuple of str, length m
    left_out : tuple of str
        Constant or collinear among all rows: they change no prediction.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.outcome_model import outcome_design
    >>> outcome_design(np.array([[1.0, 5.0], [3.0, 5.0]]), ("age", "year")).left_out
    ('year',)
    """

    columns: Floats
    names: tuple[str, ...]
    left_out: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", frozen(self.columns))


def outcome_design(covariates: Floats, names: tuple[str, ...]) -> OutcomeDesign:
    """Return a constant and standardised covariates; prediction does not depend on their units.

    Parameters
    ----------
    covariates : numpy.ndarray, shape (n, p)
    names : tuple of str, length p

    Returns
    -------
    OutcomeDesign

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.outcome_model import outcome_design
    >>> outcome_design(np.array([[1.0], [3.0]]), ("age",)).columns.tolist()
    [[1.0, -1.0], [1.0, 1.0]]
    """
    varying = np.ptp(covariates, axis=0) > 0
    used = covariates[:, varying]
    standard = (used - used.mean(axis=0)) / used.std(axis=0)
    columns = np.column_stack([np.ones(len(covariates)), standard])
    free = independent_columns(columns, COLLINEAR)
    every = ("constant", *(name for name, is_used in zip(names, varying, strict=True) if is_used))
    kept = tuple(name for name, is_free in zip(every, free, strict=True) if is_free)
    return OutcomeDesign(
        columns=columns[:, free], names=kept, left_out=tuple(name for name in names if name not in kept)
    )


def left_out_check(design: OutcomeDesign) -> tuple[Check, ...]:
    """Return what was left out of an outcome model, for the estimate to say.

    Parameters
    ----------
    design : OutcomeDesign

    Returns
    -------
    tuple of Check
        Empty where nothing was.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.outcome_model import left_out_check, outcome_design
    >>> left_out_check(outcome_design(np.array([[1.0, 5.0], [3.0, 5.0]]), ("age", "year")))[0].detail
    'constant or spanned by others, left out of the outcome models: year'
    """
    if not design.left_out:
        return ()
    names = ", ".join(design.left_out)
    detail = f"constant or spanned by others, left out of the outcome models: {names}"
    return (Check("outcome covariates", None, detail),)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeModel:
    r"""An outcome regression of one arm with the influence of its coefficients.

    Coefficients solve :math:`\sum_i \omega_i z_i (y_i - \mu(z_i'\beta)) = 0` with :math:`\mu` the identity or
    the logistic function, and weights :math:`\omega` that may themselves depend on a nuisance.

    Attributes
    ----------
    prediction : numpy.ndarray, shape (n,)
        :math:`\mu(z_i'\hat\beta)`, of all rows.
    slope : numpy.ndarray, shape (n,)
        Derivative of the prediction in the index.
    residual : numpy.ndarray, shape (n,)
        :math:`y_i - \mu_i`, of all rows.
    weights : Term
        :math:`\omega`, zero outside the arm.
    basis : numpy.ndarray, shape (n, m)
    root : numpy.ndarray, shape (m, m)
        Upper triangle R with :math:`R'R = \sum_i \omega_i \mu'_i z_i z_i'`.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.nuisances import Term
    >>> from juntos_eval.estimators.matching.outcome_model import fit_outcome, outcome_design
    >>> design = outcome_design(np.array([[0.0], [1.0], [2.0], [3.0]]), ("age",))
    >>> arm = Term(value=np.array([1.0, 1.0, 1.0, 0.0]))
    >>> model = fit_outcome(np.array([0.0, 1.0, 2.0, 9.0]), design, arm, "linear", "untreated")
    >>> model.prediction.round(9).tolist()
    [0.0, 1.0, 2.0, 3.0]
    """

    prediction: Floats
    slope: Floats
    residual: Floats
    weights: Term
    basis: Floats
    root: Floats

    def __post_init__(self) -> None:
        for name in ("prediction", "slope", "residual", "basis", "root"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def parameters(self) -> int:
        """Coefficients, the constant included."""
        return int(self.basis.shape[1])

    @property
    def predicted(self) -> Term:
        """The prediction as a term that moves with this model's index."""
        return Term(value=self.prediction, slopes=((self, self.slope),))

    def propagate(self, slope: Floats) -> Floats:
        """Return what each row adds to a sum through the regression, and through its weights."""
        moved = self.weights.times(self.residual * solve_along(self.root, self.basis, slope))
        return moved.value + moved.error()


def fit_outcome(
    outcome: Floats, design: OutcomeDesign, weights: Term, kind: OutcomeKind, arm: str
) -> OutcomeModel:
    """Regress the outcome on covariates in the rows that have weight.

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
        Between 0 and 1 for a logit.
    design : OutcomeDesign
    weights : Term
        Zero outside the arm.
    kind : {"linear", "logit"}
    arm : str
        Name of these rows, for errors.

    Returns
    -------
    OutcomeModel

    Raises
    ------
    DesignError
        If the arm has too few rows, a covariate that varies elsewhere is collinear in it (its effect, and
        so the prediction for the others, is not identified), or a logit's outcome is outside [0, 1] or
        predicted without error.

    References
    ----------
    Papke, L. E. & Wooldridge, J. M. (1996). Econometric methods for fractional response variables.
    *Journal of Applied Econometrics* 11(6), 619-632.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.nuisances import Term
    >>> from juntos_eval.estimators.matching.outcome_model import fit_outcome, outcome_design
    >>> design = outcome_design(np.array([[0.0], [0.0], [1.0], [1.0], [1.0]]), ("age",))
    >>> outcome, every = np.array([0.0, 1.0, 0.25, 0.5, 0.75]), Term(value=np.ones(5))
    >>> fit_outcome(outcome, design, every, "logit", "untreated").prediction.round(9).tolist()
    [0.5, 0.5, 0.5, 0.5, 0.5]
    """
    rows = np.flatnonzero(weights.value > 0).astype(np.int64)
    _refuse_unidentified(design, rows, weights.value[rows], arm)
    if kind == "linear":
        coefficients = least_squares(design.columns[rows], outcome[rows], weights.value[rows]).coefficients
        prediction = design.columns @ coefficients
        slope = np.ones(len(outcome))
    else:
        coefficients = _logit(outcome[rows], design, rows, weights.value[rows], arm)
        prediction = special.expit(design.columns @ coefficients)
        slope = prediction * (1.0 - prediction)
    return OutcomeModel(
        prediction=prediction,
        slope=slope,
        residual=outcome - prediction,
        weights=weights,
        basis=design.columns,
        root=information_root(design.columns, weights.value * slope, f"the outcome model of {arm} rows"),
    )


def _refuse_unidentified(design: OutcomeDesign, rows: Codes, weights: Floats, arm: str) -> None:
    size = design.columns.shape[1]
    if len(rows) <= size:
        raise DesignError(
            f"the outcome model of the {arm} rows has no more rows than coefficients",
            where=f"{len(rows)} rows, {size} coefficients",
            remedy="use fewer outcome covariates, or weighting without an outcome model",
        )
    free = independent_columns(design.columns[rows] * np.sqrt(weights)[:, None], COLLINEAR)
    if not free.all():
        stuck = [name for name, is_free in zip(design.names, free, strict=True) if not is_free]
        raise DesignError(
            f"the outcome model cannot tell what some covariates do among the {arm} rows",
            where=f"{', '.join(stuck)}: constant or collinear in these {len(rows)} rows, not in all",
            remedy="leave them out, join levels, or keep to rows where both arms occur",
        )


def _logit(outcome: Floats, design: OutcomeDesign, rows: Codes, weights: Floats, arm: str) -> Floats:
    columns = design.columns[rows]
    if outcome.min() < 0 or outcome.max() > 1:
        raise DesignError(
            "a logit outcome model needs an outcome between 0 and 1",
            where=f"{arm} rows: outcome in [{outcome.min():g}, {outcome.max():g}]",
            remedy="use outcome_model='linear', or a share or a 0/1 outcome",
        )
    share = weights / weights.sum()

    def deviance(coefficients: Floats) -> tuple[float, Floats, Floats]:
        index = columns @ coefficients
        mean = special.expit(index)
        value = float(share @ (np.logaddexp(0.0, index) - outcome * index))
        gradient = (share * (mean - outcome)) @ columns
        return value, gradient, (columns * (share * mean * (1.0 - mean))[:, None]).T @ columns

    minimum = minimise_convex(deviance, np.zeros(columns.shape[1]), tolerance=TOLERANCE)
    mean = special.expit(columns @ minimum.argument)
    extreme = np.minimum(mean, 1.0 - mean) < 1e-5
    if not minimum.is_reached or extreme.any():
        _refuse_perfect(outcome, design, columns, extreme, arm)
    if not minimum.is_reached:
        raise DesignError(
            f"the logit of the outcome does not converge among the {arm} rows",
            where=f"{len(rows)} rows, {columns.shape[1]} coefficients",
            remedy="use outcome_model='linear' or fewer outcome covariates",
        )
    # full steps take what is left, where the deviance itself no longer shows it
    argument = minimum.argument
    for _ in range(2):
        _, gradient, hessian = deviance(argument)
        argument = argument - np.asarray(linalg.solve(hessian, gradient, assume_a="pos"))
    return np.asarray(argument)


def _refuse_perfect(
    outcome: Floats, design: OutcomeDesign, columns: Floats, extreme: Bools, arm: str
) -> None:
    """Raise if covariates predict some outcomes of 0 and 1 without error: no logit fits them best."""
    if np.ptp(outcome) == 0:
        direction, names = None, ["the outcome is the same in all of them"]
    elif ((outcome > 0) & (outcome < 1)).any():
        return
    else:
        direction = separating_direction(outcome == 1, columns[:, 1:], extreme)
        if direction is None:
            return
        size = np.abs(direction[1:])
        names = [design.names[1 + j] for j in np.flatnonzero(size > 1e-6 * size.max())]
    raise DesignError(
        f"the outcome of {arm} rows is predicted without error, so that its logit does not exist",
        where=f"{', '.join(names)}; {len(outcome)} rows",
        remedy="use outcome_model='linear', leave the covariate out or join levels",
    )
