r"""Weights that are kept from running away: scores drawn in from 0 and 1, or weights cut at a quantile.

Both trade bias for variance, and change whose effect it is: rows with few likes of the other arm count for
less than they stand for. Influence knows that the quantile was estimated, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Floats, frozen
from juntos_eval.estimate import Check
from juntos_eval.estimators.matching.arm_weights import ArmWeights
from juntos_eval.estimators.matching.nuisances import FittedScore, Term

__all__ = ["ClippedScore", "WeightCap", "clip_score", "stabilised_arms", "truncated_arms"]

# Silverman's rule for a density near one place, on the logarithms of weights
SILVERMAN = 1.06


@dataclass(frozen=True, slots=True, kw_only=True)
class ClippedScore:
    """A fitted score drawn in to [bound, 1 - bound]; where it was drawn in it does not move.

    Attributes
    ----------
    model : FittedScore
    bound : float
    probability, density : numpy.ndarray, shape (n,)
        After drawing in.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.nuisances import KnownScore
    >>> from juntos_eval.estimators.matching.truncated_weights import clip_score
    >>> clip_score(KnownScore(probability=np.array([0.01, 0.5])), 0.1).probability.tolist()
    [0.1, 0.5]
    """

    model: FittedScore
    bound: float
    probability: Floats
    density: Floats

    def __post_init__(self) -> None:
        for name in ("probability", "density"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def parameters(self) -> int:
        """Coefficients of the score."""
        return self.model.parameters

    def propagate(self, slope: Floats) -> Floats:
        """Return what each row adds to a sum through the score's coefficients."""
        return self.model.propagate(slope)


def clip_score(model: FittedScore, bound: float) -> ClippedScore:
    """Draw scores in to [bound, 1 - bound].

    Parameters
    ----------
    model : FittedScore
    bound : float

    Returns
    -------
    ClippedScore
    """
    p = model.probability
    inside = (p >= bound) & (p <= 1.0 - bound)
    return ClippedScore(
        model=model,
        bound=bound,
        probability=np.clip(p, bound, 1.0 - bound),
        density=np.where(inside, model.density, 0.0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightCap:
    r"""A quantile of the weights of an arm, as a nuisance of one number.

    With weights :math:`a_i(\gamma)` built on a score, sampling weights s and the q-quantile c,

    .. math:: \psi_{c,i} = \frac{s_i \{q - 1(a_i \le c)\}}{S \, f(c)}
              + E\Bigl[\frac{\partial a}{\partial \gamma} \Bigm| a = c\Bigr]' \psi_{\gamma,i}

    with the density f and the conditional mean by a Gaussian kernel on the logarithm of the weights.

    Attributes
    ----------
    value : float
        c.
    influence : numpy.ndarray, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.truncated_weights import WeightCap
    >>> WeightCap(value=3.0, influence=np.array([0.5, -0.5])).propagate(np.array([2.0, 1.0])).tolist()
    [1.5, -1.5]
    """

    value: float
    influence: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "influence", frozen(self.influence))

    @property
    def parameters(self) -> int:
        """One number."""
        return 1

    def propagate(self, slope: Floats) -> Floats:
        """Return what each row adds to a sum through the quantile."""
        return np.asarray(float(slope.sum()) * self.influence)


def truncated_arms(
    arms: ArmWeights, treated: Bools, base: Floats, quantile: float
) -> tuple[ArmWeights, tuple[Check, ...]]:
    """Cut the weights of each arm at a quantile of them (Cole & Hernán 2008).

    Parameters
    ----------
    arms : ArmWeights
    treated : numpy.ndarray of bool, shape (n,)
    base : numpy.ndarray, shape (n,)
        Sampling weights: quantiles are of the weights beside them.
    quantile : float

    Returns
    -------
    arms : ArmWeights
    checks : tuple of Check
        At what weight, and how many rows.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.arm_weights import ArmWeights
    >>> from juntos_eval.estimators.matching.nuisances import Term
    >>> from juntos_eval.estimators.matching.truncated_weights import truncated_arms
    >>> one, other = Term(value=np.array([1.0, 2.0, 9.0, 0.0])), Term(value=np.array([0.0, 0.0, 0.0, 1.0]))
    >>> arms = ArmWeights(treated=one, untreated=other, target=one)
    >>> cut, _ = truncated_arms(arms, np.array([True, True, True, False]), np.ones(4), 0.6)
    >>> cut.treated.value.tolist()
    [1.0, 2.0, 2.0, 0.0]
    """
    terms, told = {}, []
    for arm, rows, term in (("treated", treated, arms.treated), ("untreated", ~treated, arms.untreated)):
        terms[arm], cap, cut = _truncated(term, rows, base, quantile)
        told.append(f"{arm} at {cap:.4g} ({cut} of {int(rows.sum())} rows)")
    detail = (
        f"weights beyond their {quantile:g} quantile set to it: {', '.join(told)}; the effect is that on a "
        "target in which rows of that kind count for less"
    )
    return ArmWeights(**terms, target=arms.target), (Check("truncated weights", None, detail),)


def stabilised_arms(arms: ArmWeights, treated: Bools, base: Floats) -> ArmWeights:
    r"""Multiply the weights of each arm by its share of rows, so that they vary around the sampling weights.

    .. math:: \omega_{1i} \frac{\sum_j s_j D_j}{\sum_j s_j}, \qquad
              \omega_{0i} \frac{\sum_j s_j (1 - D_j)}{\sum_j s_j}

    Normalised means do not notice (Robins, Hernán & Brumback 2000).

    Parameters
    ----------
    arms : ArmWeights
    treated : numpy.ndarray of bool, shape (n,)
    base : numpy.ndarray, shape (n,)

    Returns
    -------
    ArmWeights
    """
    share = float(base[treated].sum() / base.sum())
    return ArmWeights(
        treated=arms.treated.times(np.full(len(base), share)),
        untreated=arms.untreated.times(np.full(len(base), 1.0 - share)),
        target=arms.target,
    )


def _truncated(term: Term, rows: Bools, base: Floats, quantile: float) -> tuple[Term, float, int]:
    weight = term.value[rows] / base[rows]
    order = np.argsort(weight, kind="stable")
    mass = np.cumsum(base[rows][order])
    position = int(np.searchsorted(mass, quantile * mass[-1] * (1.0 - 1e-12)))
    cap = float(weight[order][min(position, len(order) - 1)])
    inside = np.zeros(len(rows))
    inside[rows] = term.value[rows] / base[rows]
    above = rows & (inside > cap * (1.0 + 1e-12))
    if not above.any():
        return term, cap, 0
    found = WeightCap(value=cap, influence=_cap_influence(term, rows, base, cap, quantile))
    kept = tuple((nuisance, np.where(above, 0.0, slope)) for nuisance, slope in term.slopes)
    value = np.where(above, cap * base, term.value)
    return Term(value=value, slopes=(*kept, (found, np.where(above, base, 0.0)))), cap, int(above.sum())


def _cap_influence(term: Term, rows: Bools, base: Floats, cap: float, quantile: float) -> Floats:
    total = float(base[rows].sum())
    logs = np.zeros(len(rows))
    logs[rows] = np.log(np.maximum(term.value[rows] / base[rows], np.finfo(np.float64).tiny) / cap)
    spread = float(np.sqrt(np.cov(logs[rows], aweights=base[rows])))
    width = max(SILVERMAN * spread * int(rows.sum()) ** -0.2, 1e-6)
    near = np.where(rows, base * np.exp(-0.5 * (logs / width) ** 2), 0.0)
    density = float(near.sum()) / (total * width * np.sqrt(2.0 * np.pi) * cap)
    reached = np.where(logs <= 1e-12, 1.0, 0.0)
    influence = np.where(rows, base * (quantile - reached) / total, 0.0) / density
    influence -= np.where(rows, base, 0.0) * influence.sum() / total
    for nuisance, slope in term.slopes:
        # the slope of a row holds its sampling weight already
        influence = influence + nuisance.propagate(np.where(rows, slope / base, 0.0) * near / near.sum())
    return np.asarray(influence)
