r"""The wild restricted efficient bootstrap of one instrumented variable, from cluster sums.

Davidson & MacKinnon (2010): with X taken out of everything, the null :math:`\alpha = r` gives structural
residuals :math:`\tilde u = y - rD`, and :math:`\tilde u` beside the instruments makes the first stage
efficient: :math:`\tilde v = D - Z\tilde\pi`. Draws are :math:`D^* = Z\tilde\pi + v_g \tilde v` and
:math:`y^* = rD^* + v_g \tilde u`, with one weight a cluster for both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Groups, Instrumented, Linear
from juntos_eval.inference.explicit_effects import explicit_effects
from juntos_eval.inference.wild_statistics import Curve, Observed
from juntos_eval.numerics.grouped_products import grouped_products

__all__ = ["instrumented_curves"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sums:
    """Products of Z, w = (y, D) and X by cluster, X taken out of Z and w."""

    zz: Floats  # (G, m, m)
    zw: Floats  # (G, m, 2)
    zx: Floats  # (G, m, p)
    xz: Floats  # (G, p, m)
    xw: Floats  # (G, p, 2)
    ww: Floats  # (2, 2)
    bread: Floats  # (p, p)
    factor: float

    @property
    def inverse(self) -> Floats:
        return np.asarray(linalg.inv(self.zz.sum(axis=0)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InstrumentedCurve:
    """p values of nulls on a multiple ``scale`` of the coefficient of the instrumented variable."""

    std_error: float
    observed: Observed
    sums: _Sums
    estimate: float
    scale: float

    def p_of(self, gaps: Floats) -> Floats:
        """Return p values at gaps between estimate and null."""
        nulls = self.estimate - gaps / self.scale
        sign = np.sign(self.scale)
        return np.array(
            [
                self.observed.p_values(sign * self._drawn(float(null)), np.array(gap / self.std_error))
                for null, gap in zip(nulls, gaps, strict=True)
            ]
        )

    def _drawn(self, null: float) -> Floats:
        return np.concatenate([_statistics(self.sums, null, w) for w in self.observed.draws.tiles()])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _NoCurve:
    """A value that the bootstrap does not speak of."""

    std_error: float = 1.0

    def p_of(self, gaps: Floats) -> Floats:
        """Not known."""
        return np.full(len(gaps), np.nan)


def instrumented_curves(
    fit: Fit, clusters: Groups, variance: Groups, observed: Observed, factor: float
) -> list[Curve]:
    """Return the bootstrap of each value that is a multiple of the instrumented coefficient.

    Of others it has nothing to say: their p values are NaN.

    Parameters
    ----------
    fit : Fit
        With its instrumented model of one endogenous variable, by two-stage least squares.
    clusters, variance : Groups
        Of the weights and of the variance; they must be the same.
    observed : Observed
    factor : float
        Small-sample factor of the variance.

    Raises
    ------
    InferenceError
        For several endogenous variables, another estimator than two-stage least squares, or other clusters.
    """
    model, linear = fit.instrumented, fit.linear
    if model is None or linear is None or model.endogenous.shape[1] != 1:
        raise InferenceError(
            "the wild bootstrap of instrumental variables is for one endogenous variable",
            where=f"{0 if model is None else model.endogenous.shape[1]} endogenous variables",
            remedy="use Cluster(), or the Anderson-Rubin set",
        )
    if (clusters.codes != variance.codes).any():
        raise InferenceError(
            "the wild bootstrap of instrumental variables draws weights for the clusters of the variance",
            where=f"{clusters.count} and {variance.count} clusters",
            remedy="leave bootstrap_by out",
        )
    sums = _sums(model, linear, clusters, factor)
    z = sums.zw.sum(axis=0)
    fitted = sums.inverse @ z[:, 1]
    estimate = float(fitted @ z[:, 0] / (fitted @ z[:, 1]))
    made: list[Curve] = []
    for value, row in zip(fit.values, linear.selection, strict=True):
        if row[1:].any() or not row[0]:
            made.append(_NoCurve())
            continue
        if abs(value - row[0] * estimate) > 1e-6 * max(abs(value), 1e-12):
            raise InferenceError(
                "the wild bootstrap of instrumental variables is for two-stage least squares",
                where=f"estimate {value:g}, by two-stage least squares {row[0] * estimate:g}",
                remedy="fit with method='2sls', or use Cluster()",
            )
        scale = float(row[0])
        error = abs(scale) * _error(sums, estimate)
        made.append(
            InstrumentedCurve(std_error=error, observed=observed, sums=sums, estimate=estimate, scale=scale)
        )
    return made


def _sums(model: Instrumented, linear: Linear, clusters: Groups, factor: float) -> _Sums:
    exogenous, weights = model.exogenous, linear.weights
    gram = exogenous.T @ (exogenous * weights[:, None])
    first = replace(
        linear,
        design=exogenous,
        bread=linalg.inv(gram) if len(gram) else np.zeros((0, 0)),
        selection=np.zeros((1, exogenous.shape[1])),
    )
    full = explicit_effects(first, clusters.codes)
    x = full.design

    def left_over(columns: Floats) -> Floats:
        return np.asarray(columns - x @ (full.bread @ (x.T @ (columns * weights[:, None]))))

    z = left_over(model.instruments)
    w = left_over(np.column_stack([model.outcome, model.endogenous[:, 0]]))
    weighted_z, weighted_w = z * weights[:, None], w * weights[:, None]

    def by_cluster(left: Floats, right: Floats) -> Floats:
        return grouped_products(left, right, clusters.codes, clusters.count)

    return _Sums(
        zz=by_cluster(z, weighted_z),
        zw=by_cluster(z, weighted_w),
        zx=by_cluster(weighted_z, x),
        xz=by_cluster(x, weighted_z),
        xw=by_cluster(x, weighted_w),
        ww=w.T @ weighted_w,
        bread=full.bread,
        factor=factor,
    )


def _error(sums: _Sums, estimate: float) -> float:
    """Return the clustered standard error of two-stage least squares."""
    z = sums.zw.sum(axis=0)
    fitted = sums.inverse @ z[:, 1]
    scores = (sums.zw[:, :, 0] - estimate * sums.zw[:, :, 1]) @ fitted
    return float(np.sqrt(sums.factor * scores @ scores) / abs(fitted @ z[:, 1]))


def _first_stage(sums: _Sums, null: float) -> Floats:
    """Return the coefficients of the instruments, structural residuals under the null held beside them."""
    u = np.array([1.0, -null])
    zz, z = sums.zz.sum(axis=0), sums.zw.sum(axis=0)
    own = float(u @ sums.ww @ u)
    # the residuals partialled out, for which they need not be known row by row
    left = zz - np.outer(z @ u, z @ u) / own
    right = z[:, 1] - (z @ u) * float(u @ sums.ww[:, 1]) / own
    return np.asarray(linalg.solve(left, right, assume_a="sym"))


def _statistics(sums: _Sums, null: float, weights: Floats) -> Floats:
    """Return t of draws (G, draws) under a null."""
    u, pi = np.array([1.0, -null]), _first_stage(sums, null)
    inverse = sums.inverse
    zu, xu = sums.zw @ u, sums.xw @ u
    zv, xv = sums.zw[:, :, 1] - sums.zz @ pi, sums.xw[:, :, 1] - sums.xz @ pi
    first = (sums.zz.sum(axis=0) @ pi)[:, None] + zv.T @ weights
    fitted = inverse @ first
    moved = zu.T @ weights
    slope = np.einsum("mb,mb->b", fitted, first)
    gap = np.einsum("mb,mb->b", fitted, moved) / slope
    through_u, through_v = sums.bread @ (xu.T @ weights), sums.bread @ (xv.T @ weights)
    scores = np.zeros_like(weights)
    for m in range(len(first)):
        of_u = zu[:, [m]] * weights - sums.zx[:, m] @ through_u
        of_d = (sums.zz[:, m] @ pi)[:, None] + zv[:, [m]] * weights - sums.zx[:, m] @ through_v
        scores += fitted[m] * (of_u - gap * of_d)
    variance = sums.factor * np.einsum("gb,gb->b", scores, scores) / slope**2
    return np.asarray(gap / np.sqrt(variance))
