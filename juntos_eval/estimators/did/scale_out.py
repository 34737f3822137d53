"""Estimates of tables too large for memory: the same numbers, from sums that an engine makes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from juntos_eval.arrays import Codes, Floats
from juntos_eval.engine import Engine, MomentColumns, UnitMoments, unit_moments
from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import (
    Check,
    DenseInfluence,
    Estimate,
    Estimator,
    Fit,
    Groups,
    Inference,
    Sample,
    Shares,
    Uncertainty,
)
from juntos_eval.estimators.did.event_study import EventStudy
from juntos_eval.estimators.did.extended_two_way import ExtendedTwoWay
from juntos_eval.estimators.did.group_time import GroupTime
from juntos_eval.estimators.did.interaction_weighted import InteractionWeighted
from juntos_eval.estimators.did.moment_influence import MomentInfluence
from juntos_eval.estimators.panel import FixedEffects
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust
from juntos_eval.inference.small_sample import SmallSample

__all__ = ["fit_at_scale"]

# columns of the stand-in table that are not the data's
UNIT, WEIGHT = "stand-in unit", "stand-in weight"
_KEPT = (
    "cells without a number or an error",
    "covariates left out",
    "cells left out",
    "controls",
    "cohorts left out",
    "columns",
)
Regression = FixedEffects | EventStudy | InteractionWeighted | ExtendedTwoWay


def fit_at_scale(
    estimator: GroupTime | Regression,
    engine: Engine,
    *,
    unit: str | None = None,
    inference: Inference | None = None,
) -> Estimate:
    r"""Fit an estimator to a table that an engine sums, to the digits of the fit in memory.

    Units that are alike in all columns but the outcome, in every period, are a group. The estimator is run on
    stand-ins of each group, whose outcomes lie around its mean by a known step in one period after another:
    values are those of all units, since they depend on means only, and the differences of the stand-ins'
    influence say by how much an outcome moves it, :math:`\psi_i = w_i (a_g + b_g'y_i)`. Variances follow from
    the groups' second moments.

    Parameters
    ----------
    estimator : GroupTime, FixedEffects, EventStudy, InteractionWeighted or ExtendedTwoWay
        With discrete covariates, or none; two groups in two periods are a GroupTime or FixedEffects of these.
    engine : Engine
        :class:`~juntos_eval.engine.DuckDB` on Parquet files, or :class:`~juntos_eval.engine.Spark`.
    unit : str, optional
        The unit of FixedEffects' rows; the other estimators name their own. Without one each row is alone.
    inference : Inference, optional
        For GroupTime units (rows) are independent by default, else ``Cluster(column, kind="CR0")`` or a rule
        without a count of coefficients. For regressions by default ``Cluster(unit, kind="CR1S")``; CR0, CR1
        and CR1S can be had.

    Returns
    -------
    Estimate
        Of GroupTime, to be averaged by :func:`aggregate`. Checks and counts are of the whole table.

    Raises
    ------
    DesignError
        For estimators that are not linear in this way, and as :func:`~juntos_eval.engine.unit_moments`.
    InferenceError
        For an inference that needs rows.

    Examples
    --------
    >>> import pandas as pd, pathlib, tempfile
    >>> from juntos_eval.engine import DuckDB
    >>> from juntos_eval.estimators.did import GroupTime, fit_at_scale
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "year": [2019, 2020] * 4,
    ...                       "start": [2020] * 4 + [0] * 4, "y": [1.0, 5.0, 2.0, 4.0, 1.0, 2.0, 3.0, 3.5]})
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name) / "panel.parquet"
    >>> frame.to_parquet(path)
    >>> spec = GroupTime(outcome="y", unit="id", time="year", first_treated="start")
    >>> large, small = fit_at_scale(spec, DuckDB(source=path)), spec.fit(frame)
    >>> bool(abs(large.uncertainty.std_error[0] - small.uncertainty.std_error[0]) < 1e-12)
    True
    >>> folder.cleanup()
    """
    plan = _plan(estimator, unit, inference)
    moments = unit_moments(engine, plan.columns)
    stand_ins = _stand_ins(moments, plan)
    found = plan.estimator.fit(stand_ins.frame, inference=Cluster(plan.unit, kind="CR0"), carry=(plan.unit,))
    if found.fit is None:
        raise InferenceError("the fit is not known", where="fit_at_scale", remedy="estimate in memory")
    spread = _coefficients(found.fit, moments, stand_ins, plan.unit)
    counts = _counts(found, moments, spread)
    shown = replace(
        found,
        spec={**found.spec, **asdict(estimator)},
        sample=Sample(
            rows=counts.rows, units=counts.units, treated=found.sample.treated and counts.treated,
            dropped={**moments.dropped, **counts.dropped},
        ),
        checks=(
            *(check for check in found.checks if check.name in _KEPT),
            Check("from sums", None, f"{len(moments.count):,} groups of units that are alike"),
        ),
        details=_details(found, counts),
    )  # fmt: skip
    if isinstance(estimator, GroupTime):
        return _of_cells(shown, found.fit, moments, spread, counts, plan)
    return _of_regression(shown, found.fit, moments, spread, counts, plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is asked of the engine, and the estimator for the stand-ins."""

    estimator: Estimator
    columns: MomentColumns
    unit: str
    has_units: bool
    inference: Inference


def _plan(estimator: Any, unit: str | None, inference: Inference | None) -> _Plan:
    if not isinstance(estimator, GroupTime | Regression):
        raise DesignError(
            f"{type(estimator).__name__} cannot be had from sums",
            where="fit_at_scale",
            remedy="give GroupTime, FixedEffects, EventStudy, InteractionWeighted or ExtendedTwoWay",
        )
    is_panel = not isinstance(estimator, GroupTime) or estimator.panel
    named = unit if isinstance(estimator, FixedEffects) else estimator.unit
    if isinstance(estimator, GroupTime):
        refused = None if estimator.balanced or not is_panel else "balanced=False"
        refused = "panel=False with a unit: cluster by it instead" if not is_panel and named else refused
        if refused:
            raise DesignError(refused, where="fit_at_scale", remedy="estimate in memory, or change it")
    own = {one.name: getattr(estimator, one.name) for one in fields(estimator)}
    time, absorbed = own.get("time"), tuple(own.get("absorb", ()))
    if isinstance(estimator, FixedEffects):
        others = [name for name in absorbed if name != named]
        if len(others) != 1 or "^" in others[0] or "[" in others[0]:
            raise DesignError(
                "from sums a regression absorbs its unit and its period",
                where=f"absorb={absorbed}, unit={unit!r}",
                remedy="give absorb=(unit, time) and unit=…, or estimate in memory",
            )
        time = others[0]
    chosen = inference or (Robust("HC0") if isinstance(estimator, GroupTime) else None)
    chosen = chosen or (Cluster(named, kind="CR1S") if named else None)
    _refuse_inference(chosen, is_cells=isinstance(estimator, GroupTime))
    cluster = chosen.columns[0] if chosen is not None and chosen.columns else None
    covariates = tuple(own["covariates"])
    first = (own["first_treated"],) if "first_treated" in own else ()
    return _Plan(
        estimator=replace(estimator, weights=WEIGHT),
        columns=MomentColumns(
            outcome=own["outcome"],
            time=str(time),
            keys=(*first, *covariates),
            needed=covariates,
            unit=named,
            weights=own["weights"],
            cluster=None if cluster == named else cluster,
        ),
        unit=named or UNIT,
        has_units=named is not None,
        inference=chosen or Robust("HC0"),
    )


def _refuse_inference(chosen: Inference | None, *, is_cells: bool) -> None:
    is_known = isinstance(chosen, Robust) and chosen.kind == "HC0" and is_cells
    if isinstance(chosen, Cluster) and isinstance(chosen.by, str):
        is_known = chosen.kind in ("CR0", "CR1", "CR1S") and not (is_cells and chosen.rule.coefficients)
    if not is_known:
        raise InferenceError(
            "from sums there is clustering by one column, CR0, CR1 or CR1S, and for cells independent units",
            where=f"inference={chosen!r}",
            remedy="choose one of these (for cells CR0 or CR1), or estimate in memory",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _StandIns:
    """Rows that stand for groups: who each unit of theirs stands for, and where its outcome was moved."""

    frame: DataFrame
    group: Codes
    period: Codes
    sign: Floats
    step: float
    weight: Floats


def _stand_ins(moments: UnitMoments, plan: _Plan) -> _StandIns:
    groups, periods = moments.present.shape
    variance = _variance(moments)
    step = float(np.sqrt(variance)) if variance > 0 else 1.0
    owner, moved = np.nonzero(moments.present)
    group = np.repeat(owner, 2)
    period = np.repeat(moved, 2)
    sign = np.tile([1.0, -1.0], len(owner))
    copies = 2 * moments.present.sum(axis=1)
    weight = (moments.weight / copies)[group]
    # one row for each stand-in and period in which its group is seen
    unit, at = np.nonzero(moments.present[group])
    outcome = moments.mean[group[unit], at] + np.where(period[unit] == at, sign[unit] * step, 0.0)
    columns: dict[str, Any] = {name: values[group[unit], at] for name, values in moments.keys.items()}
    columns[plan.columns.time] = moments.periods[at]
    columns[plan.columns.outcome] = outcome + moments.centre
    columns[WEIGHT] = weight[unit] * groups * periods / moments.weight.sum()
    columns[plan.unit] = unit
    return _StandIns(
        frame=DataFrame(columns).infer_objects(),
        group=group,
        period=period,
        sign=sign,
        step=step,
        weight=weight,
    )


def _variance(moments: UnitMoments) -> float:
    squares = np.einsum("gtt->gt", moments.second[:, 2:, 2:]).sum()
    weights = moments.second[:, 1, 1] @ moments.present.sum(axis=1)
    return float(squares / weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spread:
    """Coefficients of z in the influence of each group (G, T + 2, k), and which groups were used."""

    coefficients: Floats
    is_used: Any


def _coefficients(fit: Fit, moments: UnitMoments, stand_ins: _StandIns, unit: str) -> _Spread:
    """Read from the stand-ins' influence what an outcome and a unit's weight add to it."""
    way = fit.groups[unit]
    totals = np.zeros((len(stand_ins.group), len(fit.values)))
    at = np.array([int(float(level)) for level in way.levels], np.int64)
    totals[at] = fit.influence.totals(way.codes, way.count)
    groups, periods = moments.present.shape
    slopes = np.zeros((groups, periods, len(fit.values)))
    per = totals / stand_ins.weight[:, None]
    np.add.at(
        slopes, (stand_ins.group, stand_ins.period), stand_ins.sign[:, None] * per / (2 * stand_ins.step)
    )
    summed = np.zeros((groups, len(fit.values)))
    np.add.at(summed, stand_ins.group, totals)
    level = summed / moments.weight[:, None] - np.einsum("gt,gtk->gk", moments.mean, slopes)
    coefficients = np.concatenate([np.zeros((groups, 1, len(fit.values))), level[:, None], slopes], axis=1)
    used = np.zeros(groups, dtype=np.bool_)
    used[stand_ins.group[at]] = True
    return _Spread(coefficients=np.where(used[:, None, None], coefficients, 0.0), is_used=used)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    rows: int
    units: int
    treated: int
    dropped: dict[str, int]
    sizes: dict[str, int]


def _counts(found: Estimate, moments: UnitMoments, spread: _Spread) -> _Counts:
    used = spread.is_used
    rows = int((moments.count * moments.present.sum(axis=1))[used].sum())
    first = found.spec.get("first_treated")
    sizes: dict[str, int] = {}
    treated = 0
    if first is not None:
        start = _first_seen(moments, str(first))
        shown = found.details.get("cohort_sizes", {})
        last = pd.to_numeric(pd.Series(moments.periods), errors="coerce").max()
        never = np.isnan(start) | np.isinf(start) | (start == 0) | (start > last)
        treated = int(moments.count[used & ~never].sum())
        for name in shown:
            here = never if name == "never" else np.array([_same(one, name) for one in start]) & ~never
            sizes[name] = int(moments.count[used & here].sum())
    lost = moments.rows - rows
    return _Counts(
        rows=rows,
        units=int(moments.count[used].sum()),
        treated=treated,
        dropped={"left out by the estimator": lost} if lost else {},
        sizes=sizes,
    )


def _first_seen(moments: UnitMoments, name: str) -> Floats:
    """Return when each group is first treated, as its first row says."""
    first = [values[here][0] for values, here in zip(moments.keys[name], moments.present, strict=True)]
    try:
        return np.array([np.nan if one is None else float(one) for one in first])
    except (TypeError, ValueError) as error:
        raise DesignError(
            f"'{name}' is not a number",
            where=f"e.g. {first[0]!r}",
            remedy="give periods and first treatments as numbers, or estimate in memory",
        ) from error


def _same(value: float, name: str) -> bool:
    return bool(np.isfinite(value)) and f"{value:g}" == name


def _details(found: Estimate, counts: _Counts) -> dict[str, Any]:
    kept = {name: value for name, value in found.details.items() if name in ("first_period", "last_period")}
    kept |= {name: found.details[name] for name in ("periods", "cohort_shares") if name in found.details}
    return kept | ({"cohort_sizes": counts.sizes} if counts.sizes else {})


def _of_cells(
    shown: Estimate, fit: Fit, moments: UnitMoments, spread: _Spread, counts: _Counts, plan: _Plan
) -> Estimate:
    """Give cells their influence by unit or by cluster, and their cohorts' shares."""
    alone = [name for name, size in counts.sizes.items() if size == 1]
    if alone:
        raise DesignError(
            "a cohort of one unit has no error",
            where=f"cohort {', '.join(alone)}",
            remedy="leave it out of the table, or estimate in memory, where its cells say so",
        )
    shares = fit.shares
    known = np.isfinite(shown.values)
    coefficients = np.where(known, spread.coefficients, np.nan)
    size = coefficients.shape[1]
    by_share = np.zeros((len(moments.count), size, 0))
    if shares is not None:
        total = moments.weight[spread.is_used].sum()
        by_share = np.zeros((len(moments.count), size, len(shares.levels)))
        inside = _first_seen(moments, str(shown.spec["first_treated"]))[:, None] == np.array(shares.levels)
        by_share[:, 0, :] = -shares.values / counts.units
        by_share[:, 1, :] = inside / total
        by_share[~spread.is_used] = 0.0
    if not plan.inference.columns:
        influence: Any = MomentInfluence(units=counts.units, second=moments.second, coefficients=coefficients)
        of_shares: Any = replace(influence, coefficients=by_share)
        groups: dict[str, Groups] = {}
    else:
        labels, codes, sums = _by_cluster(moments, plan)
        influence = DenseInfluence(_totals(sums, codes, coefficients, len(labels)))
        of_shares = DenseInfluence(_totals(sums, codes, by_share, len(labels)))
        groups = {plan.inference.columns[0]: Groups(np.arange(len(labels)), tuple(map(str, labels)))}
    fresh = Fit(
        values=shown.values,
        influence=influence,
        # no rule that counts coefficients can be right: rows are not known any more
        parameters=influence.rows,
        groups=groups,
        shares=None
        if shares is None
        else Shares(levels=shares.levels, values=shares.values, influence=of_shares),
    )
    return replace(shown, fit=fresh, uncertainty=plan.inference.infer(fresh), inference=plan.inference)


def _by_cluster(moments: UnitMoments, plan: _Plan) -> tuple[Any, tuple[Codes, Codes], Floats]:
    if moments.clusters is None or moments.cluster_group is None or moments.cluster_sums is None:
        raise InferenceError(
            "each unit is its own cluster",
            where=f"Cluster({plan.unit!r})",
            remedy="leave inference out: units are independent by default",
        )
    codes, labels = pd.factorize(moments.clusters, sort=True)
    return labels, (codes.astype(np.int64), moments.cluster_group), moments.cluster_sums


def _totals(sums: Floats, codes: tuple[Codes, Codes], coefficients: Floats, clusters: int) -> Floats:
    cluster, group = codes
    totals = np.zeros((clusters, coefficients.shape[2]))
    np.add.at(totals, cluster, np.einsum("mq,mqk->mk", sums, coefficients[group]))
    return totals


def _of_regression(
    shown: Estimate, fit: Fit, moments: UnitMoments, spread: _Spread, counts: _Counts, plan: _Plan
) -> Estimate:
    """Give coefficients their covariance, with the small-sample factor of all rows."""
    cluster: Any = plan.inference
    rule: SmallSample = cluster.rule
    if cluster.by == plan.columns.unit:
        meat = MomentInfluence(
            units=counts.units, second=moments.second, coefficients=spread.coefficients
        ).covariance()
        clusters = counts.units
    else:
        labels, codes, sums = _by_cluster(moments, plan)
        totals = _totals(sums, codes, spread.coefficients, len(labels))
        meat, clusters = totals.T @ totals, len(labels)
    parameters = _parameters(fit, counts, plan, rule)
    factor = rule.factor(rows=counts.rows, parameters=parameters, groups=clusters)
    words = rule.in_words(has_effects=True, ways=1)
    uncertainty = Uncertainty(
        method=f"clustered by {cluster.by}, {cluster.kind} ({words}), G = {clusters:,}",
        covariance=meat * factor,
        df=float(clusters - 1) if rule.df == "min" else np.inf,
    )
    return replace(shown, fit=None, uncertainty=uncertainty, inference=plan.inference)


def _parameters(fit: Fit, counts: _Counts, plan: _Plan, rule: SmallSample) -> int:
    """Return k as the rule counts it: the stand-ins' units are replaced by the table's."""
    stand_ins = [way for way in fit.absorbed if way.count == len(fit.groups[plan.unit].levels)]
    others = sum(int(np.count_nonzero(way.sizes)) - 1 for way in fit.absorbed if way not in stand_ins)
    levels = sum(int(np.count_nonzero(way.sizes)) for way in fit.absorbed)
    slopes = fit.parameters - (levels - len(fit.absorbed) + 1)
    if rule.effects == "none":
        return slopes
    of_units = counts.units if stand_ins and rule.effects == "full" else 1
    return slopes + others + of_units
