r"""What an effect needs estimated on the way, and how the error of it reaches the effect.

A nuisance has coefficients :math:`\gamma` that enter row j through an index :math:`\eta_j = x_j'\gamma`.
A sum :math:`\sum_j q_j(\eta_j)` built on estimated coefficients then carries, beside its own error,

.. math:: \sum_i c_i, \qquad
          c_i = \Bigl(\sum_j \frac{\partial q_j}{\partial \eta_j} x_j\Bigr)' \psi_{\gamma,i},

with :math:`\psi_{\gamma,i}` the influence of row i on the coefficients. This is the chain rule of stacked
moments (Newey & McFadden 1994, section 6), and all that :class:`Nuisance` promises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import linalg, special

from juntos_eval.arrays import Bools, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimators.matching.score import Score
from juntos_eval.numerics.distributions import normal_log_density

__all__ = [
    "DualModel",
    "FittedScore",
    "KnownScore",
    "Nuisance",
    "ScoreModel",
    "Term",
    "dual_model",
    "information_root",
    "parameters_of",
    "score_model",
    "solve_along",
]


class Nuisance(Protocol):
    """Coefficients estimated on the way."""

    @property
    def parameters(self) -> int:
        """How many coefficients there are."""
        ...

    def propagate(self, slope: Floats) -> Floats:
        r"""Return :math:`c_i`, shape (n,), of a sum with derivatives ``slope`` (n,) in the indices."""
        ...


class FittedScore(Protocol):
    """A propensity score among the coefficients estimated on the way: a nuisance with its probabilities."""

    @property
    def parameters(self) -> int:
        """How many coefficients there are."""
        ...

    def propagate(self, slope: Floats) -> Floats:
        r"""Return :math:`c_i`, shape (n,), of a sum with derivatives ``slope`` (n,) in the indices."""
        ...

    @property
    def probability(self) -> Floats:
        """Probability of treatment, shape (n,)."""
        ...

    @property
    def density(self) -> Floats:
        """Derivative of the probability in the index, shape (n,)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownScore:
    """A score whose error does not matter: known, or learnt for a moment that does not feel it.

    Attributes
    ----------
    probability : numpy.ndarray, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.nuisances import KnownScore
    >>> KnownScore(probability=np.array([0.5])).propagate(np.ones(1)).tolist()
    [0.0]
    """

    probability: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "probability", frozen(self.probability))

    @property
    def density(self) -> Floats:
        """Zero: it does not move."""
        return np.zeros(len(self.probability))

    @property
    def parameters(self) -> int:
        """None were estimated."""
        return 0

    def propagate(self, slope: Floats) -> Floats:
        """Return zeros."""
        return np.zeros(len(slope))


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One number a row that enters a sum, and how it moves with the indices it is built on.

    Attributes
    ----------
    value : numpy.ndarray, shape (n,)
    slopes : tuple of (Nuisance, numpy.ndarray)
        Each nuisance it depends on, with the derivative of each row's value in that nuisance's index.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.nuisances import Term
    >>> Term(value=np.array([1.0, 2.0])).slopes
    ()
    """

    value: Floats
    slopes: tuple[tuple[Nuisance, Floats], ...] = ()

    def times(self, factor: Floats) -> Term:
        """Return the term multiplied by numbers that do not depend on what was estimated."""
        return Term(
            value=self.value * factor,
            slopes=tuple((nuisance, slope * factor) for nuisance, slope in self.slopes),
        )

    def plus(self, other: Term) -> Term:
        """Return the sum of two terms."""
        return Term(value=self.value + other.value, slopes=self.slopes + other.slopes)

    def error(self) -> Floats:
        """Return what each row adds to the error of the sum through the nuisances, shape (n,)."""
        gathered: dict[int, tuple[Nuisance, Floats]] = {}
        for nuisance, slope in self.slopes:
            before = gathered.get(id(nuisance))
            gathered[id(nuisance)] = (nuisance, slope if before is None else before[1] + slope)
        total = np.zeros(len(self.value))
        for nuisance, slope in gathered.values():
            total = total + nuisance.propagate(slope)
        return total


def parameters_of(*terms: Term) -> int:
    """Return how many coefficients these terms are built on, each nuisance counted once.

    Parameters
    ----------
    *terms : Term

    Returns
    -------
    int

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.nuisances import Term, parameters_of
    >>> parameters_of(Term(value=np.ones(3)))
    0
    """
    found = {id(nuisance): nuisance.parameters for term in terms for nuisance, _ in term.slopes}
    return sum(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreModel:
    r"""A propensity score with the influence of its coefficients.

    .. math:: \psi_{\gamma,i} = \Bigl(\sum_j w_j \kappa_j x_j x_j'\Bigr)^{-1} w_i r_i x_i

    with r the derivative of row i's log-likelihood in its index and :math:`-\kappa` the second one, as
    observed (for the probit it is not what is expected).

    Attributes
    ----------
    probability : numpy.ndarray, shape (n,)
    density : numpy.ndarray, shape (n,)
        Derivative of the probability in the index.
    residual : numpy.ndarray, shape (n,)
        :math:`w_i r_i`.
    basis : numpy.ndarray, shape (n, k)
        The score's design, standardised: influence on an index does not depend on the units.
    root : numpy.ndarray, shape (k, k)
        Upper triangle R with R'R the information of the basis.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.nuisances import score_model
    >>> from juntos_eval.estimators.matching.score import fit_score
    >>> treated = np.array([True, False, True, False])
    >>> x = np.array([[1.0], [1.0], [0.0], [0.0]])
    >>> model = score_model(fit_score(treated, x, ("x",), np.ones(4)), treated, np.ones(4))
    >>> model.propagate(np.ones(4)).round(6).tolist()
    [2.0, -2.0, 2.0, -2.0]
    """

    probability: Floats
    density: Floats
    residual: Floats
    basis: Floats
    root: Floats

    def __post_init__(self) -> None:
        for name in ("probability", "density", "residual", "basis", "root"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def parameters(self) -> int:
        """Coefficients of the score, the constant included."""
        return int(self.basis.shape[1])

    def propagate(self, slope: Floats) -> Floats:
        """Return what each row adds to a sum through the score's coefficients."""
        return solve_along(self.root, self.basis, slope) * self.residual


def score_model(score: Score, treated: Bools, weights: Floats) -> ScoreModel:
    """Return the score with the influence of its coefficients.

    Parameters
    ----------
    score : Score
    treated : numpy.ndarray of bool, shape (n,)
    weights : numpy.ndarray, shape (n,)
        Those the score was fitted with.

    Returns
    -------
    ScoreModel

    Raises
    ------
    DesignError
        If the score did not converge: an effect built on it would have no known error.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.nuisances import score_model
    >>> from juntos_eval.estimators.matching.score import fit_score
    >>> treated = np.array([True, False, True, False])
    >>> x = np.array([[1.0], [1.0], [0.0], [0.0]])
    >>> score_model(fit_score(treated, x, ("x",), np.ones(4)), treated, np.ones(4)).density.tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    if not score.converged:
        raise DesignError(
            f"the {score.link} of treatment on the covariates does not converge",
            where=f"{len(treated)} rows, covariates {', '.join(score.names[1:])}",
            remedy="use fewer covariates, or a method that needs no score (entropy, regression adjustment)",
        )
    index, probability = score.linear, score.probability
    if score.link == "logit":
        density = curvature = probability * (1.0 - probability)
        residual = treated - probability
    else:
        density = np.exp(normal_log_density(index))
        side = np.where(treated, 1.0, -1.0)
        # density over tail, by logarithms so that far tails do not become 0 / 0
        residual = side * np.exp(normal_log_density(index) - special.log_ndtr(side * index))
        curvature = residual * (residual + index)
    columns = score.design[:, 1:]
    basis = np.column_stack([np.ones(len(treated)), (columns - columns.mean(axis=0)) / columns.std(axis=0)])
    return ScoreModel(
        probability=probability,
        density=density,
        residual=weights * residual,
        basis=basis,
        root=information_root(basis, weights * curvature, "the score"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DualModel:
    r"""The dual of entropy balancing with its influence, for one arm that is weighted to a target.

    With weights :math:`\omega_i = q_i \exp(x_i'\lambda)` on the arm, total :math:`\Omega`, and target mass
    :math:`\tau_i`, total T, the moments are those of the dual and of the target means m:

    .. math:: \psi_{\lambda,i} = -H^{-1} \Bigl\{\frac{\omega_i}{\Omega} (x_i - m)
              - \frac{\tau_i}{T} (x_i - m)\Bigr\},
              \qquad H = \sum_i \frac{\omega_i}{\Omega} (x_i - m)(x_i - m)'

    Attributes
    ----------
    basis : numpy.ndarray, shape (n, k)
        :math:`x_i - m` of the constraints that bind.
    balance : numpy.ndarray, shape (n,)
        :math:`\omega_i / \Omega - \tau_i / T`.
    root : numpy.ndarray, shape (k, k)
        Upper triangle R with R'R = H.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.nuisances import dual_model
    >>> weights, target = np.array([0.5, 0.5, 0.0]), np.array([0.0, 0.0, 1.0])
    >>> model = dual_model(np.array([[-1.0], [1.0], [0.0]]), weights, target)
    >>> model.propagate(np.array([0.0, 1.0, 0.0])).round(12).tolist()
    [0.5, -0.5, 0.0]
    """

    basis: Floats
    balance: Floats
    root: Floats

    def __post_init__(self) -> None:
        for name in ("basis", "balance", "root"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def parameters(self) -> int:
        """Constraints that bind."""
        return int(self.basis.shape[1])

    def propagate(self, slope: Floats) -> Floats:
        """Return what each row adds to a sum through the dual."""
        if not self.parameters:
            return np.zeros(len(slope))
        return -solve_along(self.root, self.basis, slope) * self.balance


def dual_model(centred: Floats, weights: Floats, target: Floats) -> DualModel:
    """Return the influence of a dual.

    Parameters
    ----------
    centred : numpy.ndarray, shape (n, k)
        Constraints less their targets, without redundant ones.
    weights : numpy.ndarray, shape (n,)
        Entropy weights of the arm, zero outside it.
    target : numpy.ndarray, shape (n,)
        Mass of the rows whose means are the targets.

    Returns
    -------
    DualModel

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.nuisances import dual_model
    >>> dual_model(np.array([[-1.0], [1.0]]), np.array([0.5, 0.5]), np.array([0.5, 0.5])).balance.tolist()
    [0.0, 0.0]
    """
    share = weights / weights.sum()
    return DualModel(
        basis=centred,
        balance=share - target / target.sum(),
        root=information_root(centred, share, "entropy weights"),
    )


def information_root(basis: Floats, curvature: Floats, what: str) -> Floats:
    r"""Return the upper triangle R with :math:`R'R = \sum_i \kappa_i x_i x_i'`, without forming that sum.

    Parameters
    ----------
    basis : numpy.ndarray, shape (n, k)
    curvature : numpy.ndarray, shape (n,)
        :math:`\kappa`, not negative.
    what : str
        For the error.

    Returns
    -------
    numpy.ndarray, shape (k, k)

    Raises
    ------
    DesignError
        If so few rows count that the coefficients have no known error.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.nuisances import information_root
    >>> abs(information_root(np.ones((4, 1)), np.ones(4), "a mean")).tolist()
    [[2.0]]
    """
    root = np.asarray(np.linalg.qr(basis * np.sqrt(curvature)[:, None], mode="r"))
    size = np.abs(np.diag(root))
    if len(root) < basis.shape[1] or (len(size) and size.min() <= 1e-10 * size.max()):
        raise DesignError(
            f"the error of {what} cannot be known: nearly all information lies in a few rows",
            where=f"{len(basis)} rows, {basis.shape[1]} coefficients",
            remedy="use fewer covariates or moments, or trim rows without counterparts",
        )
    return root


def solve_along(root: Floats, basis: Floats, slope: Floats) -> Floats:
    r"""Return :math:`x_i' (R'R)^{-1} \sum_j s_j x_j` for every row i.

    Parameters
    ----------
    root : numpy.ndarray, shape (k, k)
        R, upper triangular.
    basis : numpy.ndarray, shape (n, k)
    slope : numpy.ndarray, shape (n,)

    Returns
    -------
    numpy.ndarray, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.nuisances import solve_along
    >>> solve_along(np.array([[2.0]]), np.ones((2, 1)), np.array([4.0, 4.0])).tolist()
    [2.0, 2.0]
    """
    return np.asarray(basis @ linalg.cho_solve((root, False), basis.T @ slope))
