r"""Specification curve: the effect under every defensible design at once, and a joint test of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from pandas import DataFrame

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError, JuntosError
from juntos_eval.estimators.design import select, zero_one
from juntos_eval.numerics.distributions import normal_quantile

__all__ = ["SpecificationCurve", "specification_curve", "specification_grid"]

STATISTICS = ("median effect", "share significant in one direction", "mean z")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecificationCurve:
    """Effects of many specifications, sorted, with joint tests.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row a specification, by size of effect: ``specification``, its choices, ``estimate std_error
        p_value conf_low conf_high n refused``; NaN with the reason in ``refused`` where it cannot be had.
    tests : pandas.DataFrame
        ``statistic observed p_value draws``: each against reassigned treatments; no rows without draws.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.specification_curve import SpecificationCurve
    >>> SpecificationCurve(frame=pd.DataFrame({"estimate": [1.0, 2.0]}), tests=pd.DataFrame()).median
    1.5
    """

    frame: DataFrame
    tests: DataFrame

    @property
    def median(self) -> float:
        """Median effect of those that could be had."""
        return float(self.frame["estimate"].median())


def specification_grid(base: Any, **choices: Sequence[Any]) -> dict[str, Any]:
    """Return an estimator for each combination of choices that go together.

    Parameters
    ----------
    base : estimator
    **choices : sequence
        Values of its arguments, to be crossed.

    Returns
    -------
    dict of str to estimator
        By the choices in words; combinations that the estimator refuses are left out.

    Raises
    ------
    DesignError
        If no combination goes together, or an argument does not exist.

    Examples
    --------
    >>> from juntos_eval.estimators.matching.specification_curve import specification_grid
    >>> from juntos_eval.estimators.matching.matching import Matching
    >>> base = Matching(outcome="y", treatment="d", covariates=("age",))
    >>> list(specification_grid(base, ratio=(1, 3), replace=(True,)))
    ['ratio=1, replace=True', 'ratio=3, replace=True']
    """
    unknown = [name for name in choices if not hasattr(base, name)]
    if unknown:
        _refuse(f"there is no choice {', '.join(unknown)}", type(base).__name__)
    found = {}
    for values in itertools.product(*choices.values()):
        chosen = dict(zip(choices, values, strict=True))
        try:
            made = replace(base, **chosen)
        except DesignError:
            continue
        found[", ".join(f"{name}={value!r}" for name, value in chosen.items())] = made
    if not found:
        _refuse(
            "no combination of these choices goes together", f"{ {k: list(v) for k, v in choices.items()} }"
        )
    return found


def specification_curve(
    specifications: Mapping[str, Any],
    data: DataFrame,
    *,
    draws: int = 0,
    seed: int = 0,
    within: str | None = None,
    by: str | None = None,
) -> SpecificationCurve:
    r"""Estimate every specification, and compare the whole curve with those of reassigned treatments.

    Treatment is shuffled between rows (or clusters) and all specifications are estimated again, so that
    their dependence is kept. The joint null is that treatment, however it was assigned, has nothing to do
    with outcomes or covariates: the three statistics of Simonsohn, Simmons and Nelson (2020) are the median
    effect, the share of effects of the dominant sign significant at 5 % and the mean z, each two-sided with
    :math:`p = (1 + \#\{|T^*| \ge |T|\}) / (1 + R)`.

    Parameters
    ----------
    specifications : Mapping of str to estimator
        Of one outcome and treatment; :func:`specification_grid` makes them.
    data : pandas.DataFrame
    draws : int
        Reassignments R; 0 leaves the tests out.
    seed : int
    within : str, optional
        Column of strata inside which treatment is shuffled.
    by : str, optional
        Column of clusters that were treated as a whole, and are shuffled as such.

    Returns
    -------
    SpecificationCurve

    Raises
    ------
    DesignError
        If no specification can be estimated, they are of several treatments, or treatment varies within
        ``by``.

    References
    ----------
    Simonsohn, U., Simmons, J. P. & Nelson, L. D. (2020). Specification curve analysis. *Nature Human
    Behaviour* 4, 1208-1214.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.regression_adjustment import RegressionAdjustment
    >>> from juntos_eval.estimators.matching.specification_curve import (
    ...     specification_curve, specification_grid)
    >>> frame = pd.DataFrame({"y": [3, 4, 6, 1, 2, 2], "d": [1, 1, 1, 0, 0, 0], "x": [1, 2, 3, 1, 2, 3]})
    >>> base = RegressionAdjustment(outcome="y", treatment="d", covariates=("x",))
    >>> curve = specification_curve(specification_grid(base, estimand=("att", "ate")), frame)
    >>> curve.frame["estimate"].round(6).tolist()
    [2.666667, 2.666667]
    """
    treatments = {getattr(each, "treatment", None) for each in specifications.values()}
    if len(treatments) != 1 or None in treatments:
        _refuse("a curve needs specifications of one treatment", f"{len(specifications)} specifications")
    treatment = str(treatments.pop())
    frame = pd.DataFrame([_row(name, each, data) for name, each in specifications.items()])
    for choice, values in _choices(specifications).items():
        frame.insert(1, choice, pd.Series(values, dtype=object))
    if frame["estimate"].isna().all():
        _refuse("no specification can be estimated", str(frame["refused"].iloc[0]))
    ordered = frame.sort_values("estimate", kind="stable", ignore_index=True)
    if not draws:
        return SpecificationCurve(
            frame=ordered, tests=pd.DataFrame(columns=["statistic", "observed", "p_value", "draws"])
        )
    return SpecificationCurve(
        frame=ordered,
        tests=_joint(specifications, data, frame, _Shuffle.of(data, treatment, within, by), (draws, seed)),
    )


def _row(name: str, estimator: Any, data: DataFrame) -> dict[str, Any]:
    row: dict[str, Any] = {"specification": name}
    try:
        tidy = estimator.fit(data).tidy().iloc[0]
    except JuntosError as error:
        empty = dict.fromkeys(("estimate", "std_error", "p_value", "conf_low", "conf_high", "n"), np.nan)
        return {**row, **empty, "refused": error.what}
    wanted = ("estimate", "std_error", "p_value", "conf_low", "conf_high", "n")
    return {**row, **{column: float(tidy[column]) for column in wanted}, "refused": ""}


def _choices(specifications: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the arguments in which the specifications differ, each with its value in all of them."""
    made = list(specifications.values())
    if len({type(each) for each in made}) > 1:
        return {"estimator": [type(each).__name__ for each in made]}
    names = [field.name for field in fields(made[0])] if is_dataclass(made[0]) else []
    told = {name: [getattr(each, name) for each in made] for name in reversed(names)}
    return {name: values for name, values in told.items() if any(one != values[0] for one in values)}


def _statistics(values: Floats, errors: Floats) -> Floats:
    known = np.isfinite(values) & np.isfinite(errors) & (errors > 0)
    if not known.any():
        return np.full(3, np.nan)
    z = values[known] / errors[known]
    limit = float(normal_quantile(0.975))
    up, down = float((z > limit).mean()), float((z < -limit).mean())
    return np.array([np.median(values[known]), up if up >= down else -down, z.mean()])


@dataclass(frozen=True, slots=True)
class _Shuffle:
    """Treatment by cluster, and the strata in which clusters exchange it."""

    treatment: str
    rows: Codes
    cluster: Codes
    value: Floats
    stratum: Codes

    @classmethod
    def of(cls, data: DataFrame, treatment: str, within: str | None, by: str | None) -> _Shuffle:
        carry = tuple(name for name in (within, by) if name is not None)
        chosen = select(data, required=(treatment,), carry=carry)
        d = chosen.columns[treatment]
        zero_one(d, treatment)
        cluster = chosen.groups[by].codes if by else np.arange(chosen.n)
        stratum = chosen.groups[within].codes if within else np.zeros(chosen.n, dtype=np.int64)
        _, first = np.unique(cluster, return_index=True)
        if (d != d[first][cluster]).any() or (stratum != stratum[first][cluster]).any():
            _refuse("treatment or stratum varies within clusters", f"columns '{treatment}', '{by}'")
        return cls(treatment, chosen.rows, cluster, d[first], stratum[first])

    def draw(self, data: DataFrame, rng: np.random.Generator) -> DataFrame:
        value = self.value.copy()
        for stratum in np.unique(self.stratum):
            here = np.flatnonzero(self.stratum == stratum)
            value[here] = rng.permutation(value[here])
        return data.iloc[self.rows].assign(**{self.treatment: value[self.cluster]})


def _joint(
    specifications: Mapping[str, Any],
    data: DataFrame,
    frame: DataFrame,
    shuffle: _Shuffle,
    draws: tuple[int, int],
) -> DataFrame:
    count, seed = draws
    rng = np.random.default_rng(seed)
    observed = _statistics(frame["estimate"].to_numpy(), frame["std_error"].to_numpy())
    null = np.empty((count, len(observed)))
    for draw in range(count):
        moved = shuffle.draw(data, rng)
        rows = [_row(name, each, moved) for name, each in specifications.items()]
        values, errors = (np.array([row[key] for row in rows]) for key in ("estimate", "std_error"))
        null[draw] = _statistics(values, errors)
    # a draw that no specification can use counts against the finding
    extreme = np.isnan(null) | (np.abs(null) >= np.abs(observed) - 1e-12)
    return pd.DataFrame(
        {
            "statistic": STATISTICS,
            "observed": observed,
            "p_value": (1.0 + extreme.sum(axis=0)) / (1.0 + count),
            "draws": count,
        }
    )


def _refuse(what: str, where: str) -> NoReturn:
    raise DesignError(what, where=where, remedy="see the docstring of specification_curve")
