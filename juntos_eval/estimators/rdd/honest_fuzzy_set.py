"""Effects of a fuzzy discontinuity that no honest test rejects, whatever the first stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from juntos_eval.errors import DesignError
from juntos_eval.estimate import DenseInfluence, Fit, Inference
from juntos_eval.estimators.design import groups_to_carry, select
from juntos_eval.estimators.iv.weak_instrument_sets import ConfidenceSet
from juntos_eval.estimators.rdd.honest_rd import HonestRD
from juntos_eval.estimators.rdd.honest_sample import HonestSample, honest_sample, jumps_of, selected_bandwidth
from juntos_eval.numerics.honest_bandwidth import BandwidthTable, bandwidth_table
from juntos_eval.numerics.honest_estimate import BiasedNormal, HonestJumps

if TYPE_CHECKING:
    from pandas import DataFrame

    from juntos_eval.estimators.design import Selection

__all__ = ["bias_aware_set"]

# values that are tried on the line of effects, bent into a half circle
_ANGLES = 121


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Test:
    """The honest test of one effect after the other."""

    design: HonestRD
    sample: HonestSample
    chosen: Selection
    inference: Inference | None
    fixed: HonestJumps | None  # where one bandwidth serves all effects
    table: BandwidthTable | None

    def gap(self, effect: float) -> float:
        """Return how far the jump lies outside its acceptance region; negative inside."""
        return self._gap(np.array([1.0, -effect]) / np.hypot(1.0, effect), effect)

    def gap_at_infinity(self) -> float:
        """Return the same for an effect beyond all bounds: the test that treatment does not jump."""
        return self._gap(np.array([0.0, 1.0]), np.inf)

    def _gap(self, mix: np.ndarray, effect: float) -> float:
        found = self.fixed or self._at(effect)
        bias = found.bias * float(np.abs(mix) @ np.asarray(self.sample.bounds))
        law = BiasedNormal(value=float(mix @ found.jumps), bias=bias, error=self._error(found, mix))
        low, high = law.interval(self.design.level)
        return max(low, -high)

    def _at(self, effect: float) -> HonestJumps:
        steep = float(np.clip(effect, -1e8, 1e8))
        bandwidth = selected_bandwidth(self.design, self.sample, steep, self.table)
        return jumps_of(self.sample, self.chosen.n, bandwidth)

    def _error(self, found: HonestJumps, mix: np.ndarray) -> float:
        if self.inference is None:
            return float(np.sqrt(mix @ found.covariance @ mix))
        fit = Fit(
            values=np.array([mix @ found.jumps]),
            influence=DenseInfluence((found.influence @ mix)[:, None]),
            parameters=4,
            groups=self.chosen.groups,
        )
        return float(self.inference.infer(fit).std_error[0])


def bias_aware_set(design: HonestRD, data: DataFrame, *, inference: Inference | None = None) -> ConfidenceSet:
    r"""Return all effects of a fuzzy design that the honest Anderson-Rubin test does not reject.

    If the effect is :math:`\theta`, the outcome less :math:`\theta` times the treatment does not jump. Its
    jump :math:`\hat\tau_Y - \theta \hat\tau_T` has a bias of at most
    :math:`\bar b (M_y + |\theta| M_t)` whatever the first stage, so that the set

    .. math:: \{\theta : |\hat\tau_Y - \theta\hat\tau_T| \le cv_{1-\alpha}(\bar b_\theta / se_\theta)\,
              se_\theta\}

    covers also where treatment hardly jumps, where the ratio's own interval does not (Noack & Rothe 2024).
    It may be an interval, two rays or the whole line.

    Parameters
    ----------
    design : HonestRD
        Fuzzy. Without ``bandwidth`` each :math:`\theta` has the best of 200 for its own jump.
    data : pandas.DataFrame
    inference : Inference, optional
        Gives the standard errors; by default the design's ``variance``.

    Returns
    -------
    ConfidenceSet
        At the design's ``level``.

    Raises
    ------
    DesignError
        For a sharp design, and as of the design's own fit.

    References
    ----------
    Noack, C. & Rothe, C. (2024). Bias-aware inference in fuzzy regression discontinuity designs.
    *Econometrica* 92(3), 687–711 (section 3).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import HonestRD, bias_aware_set
    >>> rng = np.random.default_rng(2)
    >>> frame = pd.DataFrame({"x": rng.uniform(-1, 1, 800)})
    >>> frame["t"] = (rng.random(800) < 0.2 + 0.6 * (frame["x"] >= 0)) * 1.0
    >>> frame["y"] = 1.0 * frame["t"] + rng.normal(size=800) * 0.3
    >>> design = HonestRD(outcome="y", running="x", treatment="t", bound=(0.5, 0.5), bandwidth=0.5)
    >>> found = bias_aware_set(design, frame)
    >>> found.shape, 1.0 in found
    ('bounded', True)
    """
    if design.treatment is None:
        raise DesignError(
            "a bias-aware set is of a fuzzy design",
            where="HonestRD(treatment=None)",
            remedy="name the treatment received, or use HonestRD.fit for a sharp design",
        )
    test = _test_of(design, data, inference)
    angles = np.linspace(-np.pi / 2, np.pi / 2, _ANGLES + 2)[1:-1]
    centre, unit = _place(test)

    def gap(angle: float) -> float:
        return test.gap(centre + unit * float(np.tan(angle)))

    gaps = np.array([gap(angle) for angle in angles])
    at_infinity = test.gap_at_infinity()
    angles = np.concatenate([[-np.pi / 2], angles, [np.pi / 2]])
    gaps = np.concatenate([[at_infinity], gaps, [at_infinity]])
    ends: list[float] = [-np.inf] if at_infinity <= 0 else []
    for left, right in zip(range(len(angles) - 1), range(1, len(angles)), strict=True):
        if (gaps[left] <= 0) != (gaps[right] <= 0):
            inner = (max(angles[left], -np.pi / 2 + 1e-9), min(angles[right], np.pi / 2 - 1e-9))
            ends.append(_crossing(gap, inner, centre, unit))
    ends += [np.inf] if at_infinity <= 0 else []
    rule = design.variance if inference is None else type(inference).__name__
    return ConfidenceSet(
        intervals=tuple((low, high) for low, high in zip(ends[::2], ends[1::2], strict=True)),
        level=design.level,
        method=f"bias-aware Anderson-Rubin, {design.smoothness} class, {rule}",
    )


def _crossing(gap: Callable[[float], float], inner: tuple[float, float], centre: float, unit: float) -> float:
    low, high = (gap(angle) for angle in inner)
    if (low <= 0) == (high <= 0):
        # the crossing lies beyond a billion units
        return centre + unit * float(np.tan(inner[0] if abs(inner[0]) > abs(inner[1]) else inner[1]))
    return centre + unit * float(np.tan(brentq(gap, *inner, xtol=1e-12)))


def _test_of(design: HonestRD, data: DataFrame, inference: Inference | None) -> _Test:
    names = (design.outcome, design.running, str(design.treatment))
    clusters = (design.cluster,) if design.cluster else ()
    chosen = select(
        data,
        numeric=names,
        covariates=design.covariates,
        weights=design.weights,
        carry=tuple(dict.fromkeys((*clusters, *groups_to_carry(inference, ())))),
    )
    sample = honest_sample(design, chosen)
    fixed = table = None
    if design.bandwidth is not None:
        fixed = jumps_of(sample, chosen.n)
    else:
        table = bandwidth_table(sample.sides, design.kernel, design.smoothness)
    return _Test(design=design, sample=sample, chosen=chosen, inference=inference, fixed=fixed, table=table)


def _place(test: _Test) -> tuple[float, float]:
    """Return the ratio of jumps and a length on its scale, so that the tried values lie where it matters."""
    found = test.fixed or test._at(0.0)  # noqa: SLF001 - a function of this module
    outcome, treatment = found.jumps
    errors = np.sqrt(np.diag(found.covariance))
    strength = max(abs(float(treatment)), float(errors[1]), 1e-12)
    centre = float(outcome * treatment) / strength**2
    return centre, max(float(errors[0]), abs(float(outcome)) * 1e-3, 1e-12) * 2.0 / strength
