"""Inference for a policy in one group, or very few, beside many groups that never had it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Groups, Linear, Uncertainty
from juntos_eval.inference.cluster_ways import occupied_ways

__all__ = ["ConleyTaber"]

# doubles held at once
CELLS = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ConleyTaber:
    r"""Learn from untreated groups how far treated ones may be off by chance (Conley & Taber 2011).

    With few treated groups the effect is not consistent, however many untreated ones there are: its error
    is what happened in the treated groups. With :math:`\omega_{jt}` the weight of treated group j in period
    t on the effect,

    .. math:: \hat\alpha - \alpha \approx \sum_{j \text{ treated}} \sum_t \omega_{jt}\eta_{jt}, \qquad
              W_b = \sum_{j \text{ treated}} \sum_t \omega_{jt} \bar e_{\ell_b(j)t}

    and the mean residuals :math:`\bar e` of untreated groups :math:`\ell_b(j)`, drawn without replacement,
    stand in for the shocks of treated ones. The p value is :math:`(1 + \#\{|W_b| \ge |\hat\alpha - r|\})/(B
    + 1)`: the sample is one of the assignments. With one treated group every untreated one is taken once.
    It rests on shocks that are distributed alike in treated and untreated groups, of like size above all.

    Parameters
    ----------
    by, time : str
        Columns of groups and periods.
    treatment : str
        Column that is 0 where a group is not treated; a group is treated if it ever is.
    draws, seed : int
        Assignments, where there are several treated groups.
    null : float
        r of the p value.
    level : float
        Of the interval.

    Raises
    ------
    InferenceError
        From ``infer`` for another fit than least squares with one value, columns that were not carried, no
        treated group, or fewer untreated groups with the periods of the treated ones than treated groups.

    References
    ----------
    Conley, T. G., & Taber, C. R. (2011). Inference with "difference in differences" with a small number of
    policy changes. *Review of Economics and Statistics*, 93(1), 113-125.

    Examples
    --------
    >>> from juntos_eval.inference.conley_taber import ConleyTaber
    >>> ConleyTaber(by="district", time="year", treatment="treated").columns
    ('district', 'year', 'treated')
    """

    by: str
    time: str
    treatment: str
    draws: int = 9999
    seed: int = 0
    null: float = 0.0
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.draws < 99 or not 0.0 < self.level < 1.0 or not np.isfinite(self.null):
            raise InferenceError(
                "Conley-Taber needs 99 draws or more, a level between 0 and 1, and a finite null",
                where=f"draws={self.draws}, level={self.level}, null={self.null}",
                remedy="take 999 draws or more",
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """Groups, periods and treatment."""
        return (self.by, self.time, self.treatment)

    def infer(self, fit: Fit) -> Uncertainty:
        """Return the spread of stand-ins, p value and interval of the fit's one value."""
        if fit.linear is None or len(fit.values) != 1 or fit.instrumented is not None:
            raise InferenceError(
                "Conley-Taber needs one value, of a least-squares fit",
                where=f"{len(fit.values)} values, {'no ' if fit.linear is None else ''}least-squares fit",
                remedy="take the effect alone: estimate.combine([[1, 0, …]], {'term': ('effect',)})",
            )
        groups, time = (occupied_ways(fit, (column,))[0] for column in (self.by, self.time))
        reached = _reached(fit.grouping(self.treatment), groups, self.treatment)
        pattern, residuals, seen = _cells(fit.linear, groups, time)
        needed = (np.abs(pattern[reached]) > 0).any(axis=0)
        usable = ~reached & seen[:, needed].all(axis=1)
        treated, controls = int(reached.sum()), int(usable.sum())
        if not treated or controls < max(treated, 2):
            raise InferenceError(
                "Conley-Taber needs a treated group, and more untreated ones seen in all of its periods",
                where=f"column '{self.by}': {treated} treated, {controls} untreated of {groups.count}",
                remedy="use periods that most groups have, or Cluster() if most groups are treated",
            )
        drawn = np.abs(self._stand_ins(pattern[reached], residuals[usable]))
        return self._uncertainty(float(fit.values[0]), drawn, treated, controls)

    def _stand_ins(self, pattern: Floats, residuals: Floats) -> Floats:
        every = pattern @ residuals.T  # (treated, controls)
        if len(pattern) == 1:
            return np.asarray(every[0])
        rng = np.random.default_rng(self.seed)
        found = np.empty(self.draws)
        step = max(1, CELLS // every.shape[1])
        for start in range(0, self.draws, step):
            size = min(step, self.draws - start)
            order = np.argsort(rng.random((size, every.shape[1])), axis=1)[:, : len(pattern)]
            found[start : start + size] = every[np.arange(len(pattern)), order].sum(axis=1)
        return found

    def _uncertainty(self, value: float, drawn: Floats, treated: int, controls: int) -> Uncertainty:
        count = len(drawn)
        room = 1e-12 * max(1.0, abs(value - self.null))
        p = (1.0 + float((drawn >= abs(value - self.null) - room).sum())) / (count + 1.0)
        # p above 1 - level as long as so many stand-ins are at least as far
        inside = int(np.floor((1.0 - self.level) * (count + 1.0) + 1e-9))
        half = float(np.sort(drawn)[::-1][inside - 1]) if inside else np.inf
        method = f"Conley-Taber: {treated} treated of {treated + controls} groups ({self.by}), "
        method += f"{count:,} stand-ins" + (f", seed {self.seed}" if treated > 1 else "")
        return Uncertainty(
            method=method + ("" if inside else ", too few for an interval"),
            covariance=[[float((drawn**2).mean())]],  # type: ignore[arg-type]
            df=np.inf,
            p_values=np.array([p]),
            intervals=np.array([[value - half, value + half]]),
            intervals_level=self.level,
        )


def _reached(treatment: Groups, groups: Groups, column: str) -> Bools:
    try:
        doses = np.array([float(level) for level in treatment.levels])
    except ValueError as error:
        raise InferenceError(
            f"the treatment '{column}' is not a number",
            where=f"column '{column}', {str(error)[:80]}",
            remedy="recode the treatment to 0 and 1",
        ) from error
    reached = np.zeros(groups.count, dtype=np.bool_)
    reached[groups.codes[doses[treatment.codes] != 0]] = True
    return reached


def _cells(linear: Linear, groups: Groups, time: Groups) -> tuple[Floats, Floats, Bools]:
    """Return weights on the value, mean residuals and whether there are rows, by group and period."""
    codes: Codes = groups.codes * time.count + time.codes
    shape, size = (groups.count, time.count), groups.count * time.count
    loading = linear.weights * (linear.design @ (linear.bread @ linear.selection[0]))
    weight = np.bincount(codes, weights=linear.weights, minlength=size)
    total = np.bincount(codes, weights=linear.weights * linear.residuals, minlength=size)
    mean = np.divide(total, weight, out=np.zeros(size), where=weight > 0)
    pattern: Floats = np.bincount(codes, weights=loading, minlength=size).astype(np.float64)
    return pattern.reshape(shape), mean.reshape(shape), (weight > 0).reshape(shape)
