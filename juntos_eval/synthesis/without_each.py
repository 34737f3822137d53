"""The pooled effect again and again: without each study or source, and as studies came in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Inference, Sample, Uncertainty
from juntos_eval.estimators.design import require_frame
from juntos_eval.synthesis.meta_analysis import MetaAnalysis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

__all__ = ["as_they_came", "without_each"]


def without_each(
    analysis: MetaAnalysis, data: DataFrame, *, by: str, inference: Inference | None = None
) -> Estimate:
    """Pool without each study, or without each data source, in turn.

    Parameters
    ----------
    analysis : MetaAnalysis
        Without covariates.
    data : pandas.DataFrame
    by : str
        Column of studies or of sources: studies on the same survey leave together.
    inference : Inference, optional

    Returns
    -------
    Estimate
        Term ``pooled``, key ``without`` (sorted); the covariances between the rows are not known (NaN).
        ``details["between_variance"]`` has one a row; a check says whether the sign ever changes.

    Raises
    ------
    DesignError
        With covariates, or fewer than two levels.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.synthesis import MetaAnalysis, without_each
    >>> studies = pd.DataFrame({"effect": [0.1, 0.3, 0.5], "se": [0.1] * 3, "source": list("aab")})
    >>> pooled = MetaAnalysis(outcome="effect", std_error="se")
    >>> without_each(pooled, studies, by="source").tidy()[["without", "estimate"]].round(3).values.tolist()
    [['a', 0.5], ['b', 0.2]]
    """
    levels = _levels(analysis, data, by)
    parts = [analysis.fit(data[data[by] != level], inference=inference) for level in levels]
    whole = analysis.fit(data, inference=inference)
    signs = {float(np.sign(part.values[0])) for part in (*parts, whole)}
    check = Check(
        "sign of the pooled effect",
        len(signs) == 1,
        f"pooled {whole.values[0]:.4g}; without one of {len(levels)} levels of '{by}' between "
        f"{min(part.values[0] for part in parts):.4g} and {max(part.values[0] for part in parts):.4g}",
    )
    return _stacked(parts, {"without": tuple(str(level) for level in levels)}, (check,))


def as_they_came(
    analysis: MetaAnalysis, data: DataFrame, *, order: str, inference: Inference | None = None
) -> Estimate:
    """Pool the studies up to each year (or other order) in turn.

    Parameters
    ----------
    analysis : MetaAnalysis
        Without covariates.
    data : pandas.DataFrame
    order : str
        Column, as the year of publication; studies of one value come together.
    inference : Inference, optional

    Returns
    -------
    Estimate
        Term ``pooled``, key ``up_to``; covariances between the rows are not known (NaN).

    Raises
    ------
    DesignError
        With covariates, or fewer than two levels.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.synthesis import MetaAnalysis, as_they_came
    >>> studies = pd.DataFrame({"effect": [0.1, 0.3], "se": [0.1, 0.1], "year": [2009, 2012]})
    >>> pooled = MetaAnalysis(outcome="effect", std_error="se")
    >>> as_they_came(pooled, studies, order="year").values.round(3).tolist()
    [0.1, 0.2]
    """
    levels = _levels(analysis, data, order)
    parts = [analysis.fit(data[data[order] <= level], inference=inference) for level in levels]
    return _stacked(parts, {"up_to": tuple(str(level) for level in levels)}, ())


def _levels(analysis: MetaAnalysis, data: DataFrame, by: str) -> list[object]:
    require_frame(data)
    if by not in data.columns or data[by].isna().any():
        raise DesignError(
            "the column that studies are taken out by is not there, or is missing in some rows",
            where=f"column '{by}'",
            remedy="give each study its level",
        )
    levels = sorted(data[by].unique().tolist())
    if analysis.covariates or len(levels) < 2:
        raise DesignError(
            "taking studies out in turn is for a pooled effect of at least two levels",
            where=f"covariates {analysis.covariates}, {len(levels)} levels of '{by}'",
            remedy="leave the covariates out, or give another column",
        )
    return levels


def _stacked(
    parts: Sequence[Estimate],
    key: dict[str, tuple[str, ...]],
    checks: tuple[Check, ...],
) -> Estimate:
    variances = np.array([part.uncertainty.covariance[0, 0] for part in parts])
    covariance = np.full((len(parts), len(parts)), np.nan)
    np.fill_diagonal(covariance, variances)
    degrees = np.array([part.uncertainty.df for part in parts])
    methods = {part.uncertainty.method.split(" (")[0] for part in parts}
    return Estimate(
        spec={**parts[0].spec, "estimator": "MetaAnalysis, in turn", "by": next(iter(key))},
        keys={"term": ("pooled",) * len(parts), **key},
        values=np.array([part.values[0] for part in parts]),
        uncertainty=Uncertainty(
            method=" / ".join(sorted(methods)),
            covariance=covariance,
            df=float(degrees.min()),
            df_each=degrees,
        ),
        sample=Sample(
            rows=max(part.sample.rows for part in parts), units=max(part.sample.units for part in parts)
        ),
        checks=checks,
        details={
            "between_variance": [part.details["between_variance"] for part in parts],
            "studies": [part.sample.rows for part in parts],
        },
    )
