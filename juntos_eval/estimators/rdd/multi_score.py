r"""Several scores that decide together: each one's frontier, the binding score, points of the boundary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.rdd.choices import one_of
from juntos_eval.estimators.rdd.joint_fit import (
    Part,
    complete_rows,
    described,
    joint_parts,
    require_design,
)
from juntos_eval.estimators.rdd.multi_cutoff import with_average
from juntos_eval.estimators.rdd.regression_discontinuity import RegressionDiscontinuity

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["MultiScoreRD"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiScoreRD:
    r"""Discontinuities where several scores decide on treatment together.

    With centred scores :math:`Z_{ij} = (X_{ij} - c_j) / s_j` treatment is :math:`1[\min_j Z_{ij} \ge 0]`
    (``rule="all"``) or :math:`1[\max_j Z_{ij} \ge 0]` (``"any"``). Three kinds of effect:

    - on the *frontier* of score j, among rows for which it alone decides (``"all"``: all others passed;
      ``"any"``: none of them), a discontinuity in :math:`X_{ij} - c_j`; ``weighted`` is their average by rows
      in the windows;
    - of the *binding* score, :math:`\min_j Z_{ij}` or :math:`\max_j Z_{ij}` over all rows: an average along
      the whole boundary;
    - at a *point* b of the boundary, a discontinuity in the distance to it,
      :math:`\pm \lVert (X_i - b) / s \rVert`, positive for the treated.

    Parameters
    ----------
    design : RegressionDiscontinuity
        Outcome and all choices; ``running`` is the name that the made score goes by (not one of the data's
        columns), its cutoff stays at zero.
    scores : tuple of str
        Two columns or more; a row at a cutoff passes. For a score that must be low, give its negative.
    cutoffs : tuple of float
        One for each score.
    rule : {"all", "any"}
        Which scores must pass.
    scale : {"sd", "none"} or tuple of float
        :math:`s_j`: standard deviations of the rows used, ones, or given. Frontiers stay in units of their
        score.
    points : tuple of tuple of float
        Points of the boundary, in units of the scores.

    Raises
    ------
    DesignError
        For choices that do not belong together, a point that is not on the boundary; from ``fit`` where a
        frontier or a point cannot be estimated, which is named.

    Notes
    -----
    A distance has no second dimension: near a kink of the boundary its local polynomial is biased however
    small the bandwidth (Cattaneo, Titiunik & Yu 2025, section 3). :class:`BoundaryRD` fits both dimensions.

    References
    ----------
    Papay, J. P., Willett, J. B. & Murnane, R. J. (2011). Extending the regression-discontinuity approach to
    multiple assignment variables. *Journal of Econometrics* 161(2), 203-207. Reardon, S. F. & Robinson, J. P.
    (2012). Regression discontinuity designs with multiple rating-score variables. *Journal of Research on
    Educational Effectiveness* 5(1), 83-104 (frontier and binding score).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import MultiScoreRD, RegressionDiscontinuity
    >>> side = np.linspace(-1.0, 1.0, 41)
    >>> a, b = (each.ravel() for each in np.meshgrid(side, side))
    >>> frame = pd.DataFrame({"a": a, "b": b, "y": a - b + 2.0 * ((a >= 0) & (b >= 0))})
    >>> design = RegressionDiscontinuity(outcome="y", running="score", bandwidth=0.5)
    >>> found = MultiScoreRD(design=design, scores=("a", "b"), cutoffs=(0, 0)).fit(frame)
    >>> found.keys["group"][::3], found.values[::3].round(3).tolist()[:3]
    (('a', 'b', 'weighted', 'binding'), [2.0, 2.0, 2.0])
    """

    design: RegressionDiscontinuity
    scores: tuple[str, ...]
    cutoffs: tuple[float, ...]
    rule: str = "all"
    scale: str | tuple[float, ...] = "sd"
    points: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self) -> None:
        require_design(self.design, "MultiScoreRD")
        one_of("rule", self.rule, ("all", "any"), "MultiScoreRD")
        count = len(self.scores)
        if count < 2 or len(set(self.scores)) < count or len(self.cutoffs) != count:
            raise DesignError(
                "several scores need a cutoff each",
                where=f"scores={self.scores!r}, cutoffs={self.cutoffs!r}",
                remedy="name two columns or more, each once, and as many cutoffs",
            )
        if self.design.running in self.scores:
            raise DesignError(
                "the name of the made score is that of one of the scores",
                where=f"design.running={self.design.running!r}",
                remedy="give the design another running=",
            )
        if isinstance(self.scale, str):
            one_of("scale", self.scale, ("sd", "none"), "MultiScoreRD")
        elif len(self.scale) != count or not all(np.isfinite(s) and s > 0 for s in self.scale):
            raise DesignError("scales are positive numbers, one a score", where=f"scale={self.scale!r}")
        for point in self.points:
            self._require_on_boundary(point)

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate on every frontier, by the binding score, and at the points.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed. Rows that lack anything are dropped and counted.
        inference : Inference, optional
            By default the design's own standard errors, with the correlations of influence.
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Terms ``conventional bias_corrected robust`` by ``group``: each score's frontier, ``weighted``,
            ``binding``, and each point.
        """
        design = self.design
        if design.running in getattr(data, "columns", ()):
            raise DesignError(
                "the data have a column of the name that the made score goes by",
                where=f"column '{design.running}'",
                remedy="give the design another running=",
            )
        chosen, frame = complete_rows(design, data, numeric=self.scores, carry=carry, inference=inference)
        raw = np.column_stack([chosen.columns[name] for name in self.scores]) - np.asarray(
            self.cutoffs, float
        )
        scale = self._scales(raw)
        passes = raw >= 0
        treated = passes.all(axis=1) if self.rule == "all" else passes.any(axis=1)
        bound = (raw / scale).min(axis=1) if self.rule == "all" else (raw / scale).max(axis=1)
        parts = [self._frontier(at, raw, passes) for at in range(len(self.scores))]
        parts.append(Part(label="binding", rows=np.arange(chosen.n), score=bound))
        parts += [self._point(point, raw, scale, treated) for point in self.points]
        fitted = joint_parts(design, chosen, frame, parts)
        window = fitted.window_rows()[: len(self.scores)]
        spec = {
            "estimator": "MultiScoreRD",
            "scores": list(self.scores),
            "cutoffs": [float(cutoff) for cutoff in self.cutoffs],
            "rule": self.rule,
            "scale": self.scale if isinstance(self.scale, str) else list(self.scale),
            "points": [list(point) for point in self.points],
            "design": described(design),
        }
        return with_average(
            spec, fitted, window / window.sum(), chosen, inference=inference, treated=int(treated.sum())
        )

    def _frontier(self, at: int, raw: Floats, passes: Bools) -> Part:
        others = np.delete(passes, at, axis=1)
        rows = np.flatnonzero(others.all(axis=1) if self.rule == "all" else ~others.any(axis=1))
        return Part(label=self.scores[at], rows=rows, score=raw[rows, at])

    def _point(self, point: Sequence[float], raw: Floats, scale: Floats, treated: Bools) -> Part:
        away = (raw - (np.asarray(point, float) - np.asarray(self.cutoffs, float))) / scale
        distance = np.sqrt((away**2).sum(axis=1))
        # an untreated row is never at the point itself: the boundary belongs to the treated
        label = f"({', '.join(f'{value:g}' for value in point)})"
        return Part(label=label, rows=np.arange(len(raw)), score=np.where(treated, distance, -distance))

    def _scales(self, raw: Floats) -> Floats:
        if not isinstance(self.scale, str):
            return np.asarray(self.scale, float)
        if self.scale == "none":
            return np.ones(len(self.scores))
        spread = raw.std(axis=0, ddof=1)
        for name, value in zip(self.scores, spread.tolist(), strict=True):
            if not value > 0:
                raise DesignError(
                    "a score is the same in all rows", where=f"column '{name}', {len(raw):,} rows"
                )
        return np.asarray(spread)

    def _require_on_boundary(self, point: Sequence[float]) -> None:
        count = len(self.scores)
        away = np.asarray(point, float) - np.asarray(self.cutoffs, float) if len(point) == count else None
        if away is None or not np.isfinite(away).all():
            raise DesignError("a point has one number for each score", where=f"points=({tuple(point)!r}, …)")
        nearest = away.min() if self.rule == "all" else away.max()
        if nearest != 0:
            raise DesignError(
                "a point does not lie on the boundary between treated and untreated",
                where=f"point {tuple(point)}, cutoffs {tuple(self.cutoffs)}, rule {self.rule!r}",
                remedy="one score must be at its cutoff, the others where it decides",
            )
