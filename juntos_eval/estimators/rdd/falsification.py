"""What a regression discontinuity should also show: no effects where there can be none, and stable ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Fit, Inference
from juntos_eval.estimate.influence import DenseInfluence
from juntos_eval.estimators.design import require_frame
from juntos_eval.estimators.rdd.regression_discontinuity import RegressionDiscontinuity
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["bandwidth_sensitivity", "covariate_continuity", "donut_sensitivity", "placebo_cutoffs"]

_ROBUST = 2
_LEVEL = 0.05


def placebo_cutoffs(
    design: RegressionDiscontinuity, data: DataFrame, *, cutoffs: Sequence[float]
) -> DataFrame:
    """Estimate jumps where there is no cutoff, each with rows of one side of the true one only.

    Parameters
    ----------
    design : RegressionDiscontinuity
        The design itself; in a fuzzy one the reduced form is estimated.
    data : pandas.DataFrame
    cutoffs : sequence of float
        Other than the true one, which is estimated first and marked.

    Returns
    -------
    pandas.DataFrame
        One row a cutoff, the robust estimate in the columns of ``Estimate.tidy``, with ``cutoff``,
        ``is_placebo``, bandwidths and counts. A cutoff that cannot be estimated has NaN and the ``reason``.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import RegressionDiscontinuity, placebo_cutoffs
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"x": rng.uniform(-1, 1, 900)})
    >>> frame["y"] = 2.0 * (frame["x"] >= 0) + rng.normal(size=900)
    >>> design = RegressionDiscontinuity(outcome="y", running="x")
    >>> placebo_cutoffs(design, frame, cutoffs=(-0.5, 0.5))["is_placebo"].tolist()
    [False, True, True]
    """
    require_frame(data)
    true = design.cutoff
    reduced = replace(design, treatment=None)
    rows = [_row(reduced, data, {"cutoff": true, "is_placebo": False})]
    for cutoff in cutoffs:
        if cutoff == true:
            raise DesignError("a placebo cutoff is the true one", where=f"cutoffs={tuple(cutoffs)!r}")
        here = data[design.running]
        side = data[here >= true] if cutoff > true else data[here < true]
        rows.append(_row(replace(reduced, cutoff=cutoff), side, {"cutoff": cutoff, "is_placebo": True}))
    return pd.DataFrame(rows)


def donut_sensitivity(
    design: RegressionDiscontinuity, data: DataFrame, *, radii: Sequence[float]
) -> DataFrame:
    """Estimate without the rows nearest the cutoff, where sorting would show.

    Parameters
    ----------
    design : RegressionDiscontinuity
    data : pandas.DataFrame
    radii : sequence of float
        Rows with :math:`|x - c|` below the radius are left out; 0 leaves none out.

    Returns
    -------
    pandas.DataFrame
        One row a radius, as of :func:`placebo_cutoffs`, with ``radius`` and ``rows_left_out``.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import RegressionDiscontinuity, donut_sensitivity
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"x": rng.uniform(-1, 1, 900), "age": rng.normal(size=900)})
    >>> frame["y"] = 2.0 * (frame["x"] >= 0) + rng.normal(size=900)
    >>> design = RegressionDiscontinuity(outcome="y", running="x")
    >>> len(donut_sensitivity(design, frame, radii=(0.0, 0.05)))
    2
    """
    require_frame(data)
    distance = (data[design.running] - design.cutoff).abs()
    rows = []
    for radius in radii:
        if not radius >= 0:
            raise DesignError("the radius of a donut is not negative", where=f"radii={tuple(radii)!r}")
        out = distance < radius
        names = {"radius": float(radius), "rows_left_out": int(out.sum())}
        rows.append(_row(design, data[~out], names))
    return pd.DataFrame(rows)


def bandwidth_sensitivity(
    design: RegressionDiscontinuity, data: DataFrame, *, factors: Sequence[float] = (0.5, 0.75, 1.0, 1.5, 2.0)
) -> DataFrame:
    """Estimate at multiples of the design's bandwidths, h and b alike.

    Parameters
    ----------
    design : RegressionDiscontinuity
    data : pandas.DataFrame
    factors : sequence of float

    Returns
    -------
    pandas.DataFrame
        One row a factor, as of :func:`placebo_cutoffs`, with ``factor``.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import RegressionDiscontinuity, bandwidth_sensitivity
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"x": rng.uniform(-1, 1, 900), "age": rng.normal(size=900)})
    >>> frame["y"] = 2.0 * (frame["x"] >= 0) + rng.normal(size=900)
    >>> design = RegressionDiscontinuity(outcome="y", running="x")
    >>> bandwidth_sensitivity(design, frame, factors=(1.0, 2.0))["factor"].tolist()
    [1.0, 2.0]
    """
    details = design.fit(data).details
    rows = []
    for factor in factors:
        pair = tuple(factor * details[key] for key in ("h_left", "h_right"))
        bias = tuple(factor * details[key] for key in ("b_left", "b_right"))
        rows.append(
            _row(replace(design, bandwidth=pair, bias_bandwidth=bias), data, {"factor": float(factor)})
        )
    return pd.DataFrame(rows)


def covariate_continuity(
    design: RegressionDiscontinuity,
    data: DataFrame,
    *,
    covariates: Sequence[str],
    inference: Inference | None = None,
) -> Estimate:
    r"""Estimate the jumps of pre-treatment covariates and test them together.

    Each covariate is the outcome of the reduced form at its own bandwidth; covariances of the robust
    estimates come from the rows' influences, and the joint test is Wald's.

    Parameters
    ----------
    design : RegressionDiscontinuity
        Its own covariates are not used.
    data : pandas.DataFrame
    covariates : sequence of str
        Numbers; rows that miss one of them are left out of all.
    inference : Inference, optional
        By default :class:`~juntos_eval.inference.robust.Robust` ``HC0``.

    Returns
    -------
    Estimate
        One row a covariate (term), with the check ``covariates are continuous`` (failed where p < 0.05).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import RegressionDiscontinuity, covariate_continuity
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"x": rng.uniform(-1, 1, 900), "age": rng.normal(size=900)})
    >>> frame["y"] = 2.0 * (frame["x"] >= 0) + rng.normal(size=900)
    >>> design = RegressionDiscontinuity(outcome="y", running="x")
    >>> covariate_continuity(design, frame, covariates=("age",)).checks[0].passed
    True
    """
    require_frame(data)
    if not covariates:
        raise DesignError("no covariates were given", where="covariate_continuity(covariates=())")
    rule = inference or Robust("HC0")
    complete = data.dropna(subset=[*covariates, design.running])
    single = replace(design, treatment=None, covariates=())
    fitted = [replace(single, outcome=name).fit(complete, inference=rule) for name in covariates]
    fits = [estimate.fit for estimate in fitted if estimate.fit is not None]
    influence = np.column_stack([fit.influence.dense()[:, _ROBUST] for fit in fits])
    joint = Fit(
        values=np.array([estimate.values[_ROBUST] for estimate in fitted]),
        influence=DenseInfluence(influence),
        parameters=fits[0].parameters,
        groups=fits[0].groups,
    )
    estimate = Estimate(
        spec={"estimator": "covariate_continuity", "covariates": list(covariates), "design": fitted[0].spec},
        keys={"term": tuple(covariates)},
        values=joint.values,
        uncertainty=rule.infer(joint),
        sample=fitted[0].sample,
        details={name: dict(each.details) for name, each in zip(covariates, fitted, strict=True)},
        fit=joint,
        inference=rule,
    )
    p_value = float(estimate.test().p_value)
    detail = f"joint Wald test of {len(covariates)} jumps, p = {p_value:.4f}"
    return replace(estimate, checks=(Check("covariates are continuous", p_value >= _LEVEL, detail),))


def _row(design: RegressionDiscontinuity, data: DataFrame, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return names, the robust row of the estimate, its bandwidths and why there is none."""
    keys = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
    counts = ("h_left", "h_right", "n_left", "n_right")
    try:
        estimate = design.fit(data)
    except DesignError as error:
        unknown = dict.fromkeys((*keys, *counts), np.nan)
        return {**names, **unknown, "reason": str(error)}
    robust = estimate.tidy().iloc[_ROBUST]
    found: dict[str, Any] = {key: float(robust[key]) for key in keys}
    found |= {key: estimate.details[key] for key in counts}
    return {**names, **found, "reason": ""}
