r"""Many cutoffs: rows that face different ones, and one score on which treatment steps up at several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Floats, FrozenMapping
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.design import Selection
from juntos_eval.estimators.rdd.choices import one_of
from juntos_eval.estimators.rdd.joint_fit import (
    JointParts,
    Part,
    complete_rows,
    described,
    equal_effects,
    joint_estimate,
    joint_parts,
    require_design,
)
from juntos_eval.estimators.rdd.regression_discontinuity import RegressionDiscontinuity

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["CumulativeRD", "MultiCutoffRD", "with_average"]

WEIGHTINGS = ("window", "rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiCutoffRD:
    r"""Discontinuities of rows that face different cutoffs: of each, their average, and the pooled one.

    Row i faces the cutoff :math:`C_i`. For each value c the rows that face it give :math:`\hat\tau_c`; with
    weights :math:`\omega_c` that sum to one the average is :math:`\sum_c \omega_c \hat\tau_c`. Normalising
    and pooling, a discontinuity in :math:`X_i - C_i` at zero over all rows, estimates an average as well,

    .. math:: \tau^p = \sum_c \tau_c \,
              \frac{f_{X|C}(c|c) \Pr(C = c)}{\sum_{c'} f_{X|C}(c'|c') \Pr(C = c')},

    whose weights are the density of rows at each cutoff: the shares of rows in the windows mimic them.

    Parameters
    ----------
    design : RegressionDiscontinuity
        Outcome, running variable and all choices; its cutoff stays at zero.
    cutoff : str
        Column of the cutoff that each row faces, in units of the running variable: a handful of values.
    average : {"window", "rows"} or Mapping of float to float
        Weights of the average: shares of the rows within each cutoff's bandwidths, of all rows that face it,
        or given ones (they are divided by their sum). They are taken as known in its error.

    Raises
    ------
    DesignError
        For other choices; from ``fit`` where fewer than two cutoffs are faced, or one of them cannot be
        estimated, which is named.

    References
    ----------
    Cattaneo, M. D., Keele, L., Titiunik, R. & Vazquez-Bare, G. (2016). Interpreting regression discontinuity
    designs with multiple cutoffs. *Journal of Politics* 78(4), 1229-1248. (Section 3: the pooled estimand.)

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import MultiCutoffRD, RegressionDiscontinuity
    >>> score = np.tile(np.linspace(0.0, 100.0, 401), 2)
    >>> frame = pd.DataFrame({"score": score, "cut": np.repeat([40.0, 60.0], 401)})
    >>> effect = np.where(frame["cut"] == 40, 1.0, 3.0)
    >>> frame["y"] = frame["score"] + effect * (frame["score"] >= frame["cut"])
    >>> design = RegressionDiscontinuity(outcome="y", running="score", bandwidth=20)
    >>> found = MultiCutoffRD(design=design, cutoff="cut").fit(frame)
    >>> found.keys["group"][::3], found.values[::3].round(3).tolist()
    (('40', '60', 'weighted', 'pooled'), [1.0, 3.0, 2.0, 2.0])
    """

    design: RegressionDiscontinuity
    cutoff: str
    average: str | Mapping[float, float] = "window"

    def __post_init__(self) -> None:
        require_design(self.design, "MultiCutoffRD")
        if isinstance(self.average, Mapping):
            object.__setattr__(self, "average", FrozenMapping(dict(self.average)))
        else:
            one_of("average", self.average, WEIGHTINGS, "MultiCutoffRD")

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate at every cutoff, the average, and pooled.

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
            Terms ``conventional bias_corrected robust`` by ``group``: each cutoff, ``weighted``, ``pooled``.
            ``details`` has bandwidths and counts of each, and ``weights``. The check ``equal effects`` tests
            the cutoffs against each other.
        """
        design = self.design
        chosen, frame = complete_rows(
            design, data, numeric=(design.running, self.cutoff), carry=carry, inference=inference
        )
        faced = chosen.columns[self.cutoff]
        values = np.unique(faced)
        _require_cutoffs(values, faced, self.cutoff)
        score = chosen.columns[design.running] - faced
        labels = [f"{value:g}" for value in values]
        if len(set(labels)) < len(labels):
            labels = [repr(float(value)) for value in values]
        here = [np.flatnonzero(faced == value) for value in values]
        parts = [
            Part(label=label, rows=rows, score=score[rows]) for label, rows in zip(labels, here, strict=True)
        ]
        parts.append(Part(label="pooled", rows=np.arange(chosen.n), score=score))
        fitted = joint_parts(design, chosen, frame, parts)
        counts = np.array([float(len(rows)) for rows in here])
        weights = self._weights(fitted.window_rows()[:-1], counts, values)
        spec = {
            "estimator": "MultiCutoffRD",
            "cutoff": self.cutoff,
            "average": self.average if isinstance(self.average, str) else list(self.average.items()),
            "design": described(design),
        }
        return with_average(
            spec, fitted, weights, chosen, inference=inference, treated=int((score >= 0).sum())
        )

    def _weights(self, window: Floats, rows: Floats, values: Floats) -> Floats:
        if isinstance(self.average, str):
            found = window if self.average == "window" else rows
        else:
            given = {float(cutoff): float(weight) for cutoff, weight in self.average.items()}
            absent = sorted(set(given) ^ set(values.tolist()))
            if absent:
                raise DesignError(
                    "weights and cutoffs do not belong together",
                    where=f"in one of them only: {', '.join(f'{value:g}' for value in absent)}",
                    remedy=f"give one weight to each value of the column '{self.cutoff}'",
                )
            found = np.array([given[value] for value in values.tolist()])
        if not (np.isfinite(found).all() and (found >= 0).all() and found.sum() > 0):
            raise DesignError(
                "weights of cutoffs are numbers from zero on, not all zero", where=f"average={self.average!r}"
            )
        return np.asarray(found / found.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class CumulativeRD:
    r"""One score on which treatment steps up at several cutoffs: the effect of each step.

    At :math:`c_j` treatment moves from level j - 1 to level j. By default the step is estimated with the rows
    between the cutoffs before and after it, :math:`c_{j-1} \le X_i < c_{j+1}`, where no other step is taken:
    bandwidths end there. Neighbouring steps then share rows, and their errors are correlated.

    Parameters
    ----------
    design : RegressionDiscontinuity
        Its cutoff stays at zero. In a fuzzy design the treatment may be the dose.
    cutoffs : tuple of float
        Two or more, in units of the running variable.
    spans : tuple of pair of float, optional
        For each cutoff, from where (included) to where (excluded) rows are used instead.

    Raises
    ------
    DesignError
        For cutoffs that repeat, or spans without their cutoff inside; from ``fit`` where a step cannot be
        estimated, which is named.

    References
    ----------
    Cattaneo, M. D., Keele, L., Titiunik, R. & Vazquez-Bare, G. (2016). Interpreting regression discontinuity
    designs with multiple cutoffs. *Journal of Politics* 78(4), 1229-1248. (Cumulative cutoffs.)

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import CumulativeRD, RegressionDiscontinuity
    >>> x = np.linspace(0.0, 90.0, 901)
    >>> frame = pd.DataFrame({"x": x, "y": x + 1.0 * (x >= 30) + 2.0 * (x >= 60)})
    >>> design = RegressionDiscontinuity(outcome="y", running="x", bandwidth=15)
    >>> found = CumulativeRD(design=design, cutoffs=(30, 60)).fit(frame)
    >>> found.keys["group"][::3], found.values[::3].round(3).tolist()
    (('30', '60', 'weighted'), [1.0, 2.0, 1.5])
    """

    design: RegressionDiscontinuity
    cutoffs: tuple[float, ...]
    spans: tuple[tuple[float, float], ...] | None = None

    def __post_init__(self) -> None:
        require_design(self.design, "CumulativeRD")
        cutoffs = tuple(float(cutoff) for cutoff in self.cutoffs)
        object.__setattr__(self, "cutoffs", cutoffs)
        if len(cutoffs) < 2 or not np.isfinite(cutoffs).all() or not (np.diff(cutoffs) > 0).all():
            raise DesignError(
                "cumulative cutoffs are two or more numbers in ascending order",
                where=f"cutoffs={self.cutoffs!r}",
            )
        given = self.spans
        if given is not None and (
            len(given) != len(cutoffs)
            or not all(low < cutoff < high for (low, high), cutoff in zip(given, cutoffs, strict=True))
        ):
            raise DesignError(
                "each cutoff needs a span that it lies inside of", where=f"cutoffs={cutoffs}, spans={given!r}"
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate every step and their average.

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
            Terms ``conventional bias_corrected robust`` by ``group``: each cutoff, ``weighted`` by the rows
            in the windows (``details["weights"]``).
        """
        design = self.design
        chosen, frame = complete_rows(
            design, data, numeric=(design.running,), carry=carry, inference=inference
        )
        running = chosen.columns[design.running]
        edges = (-np.inf, *self.cutoffs, np.inf)
        spans = self.spans or tuple(zip(edges[:-2], edges[2:], strict=True))
        parts = []
        for cutoff, (low, high) in zip(self.cutoffs, spans, strict=True):
            rows = np.flatnonzero((running >= low) & (running < high))
            parts.append(Part(label=f"{cutoff:g}", rows=rows, score=running[rows] - cutoff))
        fitted = joint_parts(design, chosen, frame, parts)
        weights = fitted.window_rows() / fitted.window_rows().sum()
        spec = {
            "estimator": "CumulativeRD",
            "cutoffs": list(self.cutoffs),
            "spans": None if self.spans is None else [list(span) for span in self.spans],
            "design": described(design),
        }
        treated = int((running >= self.cutoffs[0]).sum())
        return with_average(spec, fitted, weights, chosen, inference=inference, treated=treated)


def _require_cutoffs(values: Floats, faced: Floats, column: str) -> None:
    if len(values) < 2:
        raise DesignError(
            "all rows face the same cutoff",
            where=f"column '{column}', {len(faced):,} rows",
            remedy="use RegressionDiscontinuity(cutoff=…)",
        )
    if len(values) > len(faced) / 4:
        raise DesignError(
            "nearly every row has a cutoff of its own",
            where=f"column '{column}', {len(values):,} values in {len(faced):,} rows",
            remedy="name the column of the cutoff that a row faces, not that of its score",
        )


def with_average(
    spec: Mapping[str, object],
    fitted: JointParts,
    weights: Floats,
    chosen: Selection,
    *,
    inference: Inference | None,
    treated: int,
) -> Estimate:
    """Return the estimate of parts, the weighted average after those that it is of.

    Parameters
    ----------
    spec : Mapping
    fitted : JointParts
        What the average is of first.
    weights : numpy.ndarray
        Of these, summing to one.
    chosen : Selection
    inference : Inference, optional
    treated : int

    Returns
    -------
    Estimate
    """
    count = len(weights)
    every = np.eye(len(fitted.labels))
    rows = {label: every[at] for at, label in enumerate(fitted.labels[:count])}
    rows["weighted"] = np.concatenate([weights, np.zeros(len(fitted.labels) - count)])
    rows |= {label: every[count + at] for at, label in enumerate(fitted.labels[count:])}
    estimate = joint_estimate(spec, fitted, rows, chosen, inference=inference, treated=treated)
    labels: Sequence[str] = fitted.labels[:count]
    return replace(
        estimate,
        checks=(equal_effects(estimate, labels), *estimate.checks),
        details={**estimate.details, "weights": dict(zip(labels, weights.tolist(), strict=True))},
    )
