"""Specifications that several cited studies share: published, naive, and what one does today."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal

from pandas import DataFrame

from juntos_eval.estimate import Estimate, Estimator, Inference
from juntos_eval.estimators.did.doubly_robust import DoublyRobust
from juntos_eval.estimators.did.matched import MatchedDiD
from juntos_eval.estimators.matching.aipw import AIPW
from juntos_eval.estimators.matching.matching import Matching
from juntos_eval.estimators.matching.weighting import Weighting
from juntos_eval.estimators.means import MeanDifference
from juntos_eval.estimators.panel.fixed_effects import FixedEffects
from juntos_eval.inference.abadie_imbens import AbadieImbens
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust
from juntos_eval.studies.cited_study import Role, Specification
from juntos_eval.studies.comparison import Text

__all__ = [
    "by_matching",
    "by_matching_over_time",
    "mean_gap",
    "on_rows",
    "within",
]

Method = Literal["nearest", "kernel"]
_NAMES: Final = {
    "nearest": Text(en="nearest-neighbour matching", es="vecino más cercano"),
    "kernel": Text(en="kernel matching", es="emparejamiento por kernel"),
}


def _fitted(
    id: str,  # noqa: A002
    label: Text,
    role: Role,
    estimator: Estimator,
    *,
    inference: Inference | None = None,
    row: int = 0,
    is_valid: bool = True,
) -> Specification:
    def fit(data: DataFrame) -> Estimate:
        return estimator.fit(data, inference=inference)

    return Specification(id=id, label=label, role=role, fit=fit, row=row, is_valid=is_valid)


def by_matching_over_time(
    covariates: tuple[str, ...], *, method: Method, outcome: str = "y", bandwidth: float = 0.06
) -> tuple[Specification, ...]:
    """Return matched difference-in-differences beside the unmatched one and the doubly robust one.

    Parameters
    ----------
    covariates : tuple of str
    method : {"nearest", "kernel"}
    outcome : str
    bandwidth : float
        Of the kernel, on the probability scale.

    Returns
    -------
    tuple of Specification
        On frames with ``unit wave treated``.
    """
    columns = {"outcome": outcome, "unit": "unit", "time": "wave", "treatment": "treated"}
    matched = MatchedDiD(**columns, covariates=covariates, method=method, bandwidth=bandwidth)  # type: ignore[arg-type]
    name = _NAMES[method]
    return (
        _fitted(
            "published",
            Text(en=f"Matched DiD, {name.en}", es=f"DiD emparejada, {name.es}"),
            "published",
            matched,
        ),
        _fitted(
            "naive",
            Text(en="Plain DiD, no covariates", es="DiD simple, sin covariables"),
            "naive",
            DoublyRobust(**columns),  # type: ignore[arg-type]
            is_valid=False,
        ),
        _fitted(
            "doubly_robust",
            Text(en="Doubly robust DiD", es="DiD doblemente robusta"),
            "modern",
            DoublyRobust(**columns, covariates=covariates),  # type: ignore[arg-type]
        ),
    )


def by_matching(
    covariates: tuple[str, ...], *, method: Method, outcome: str = "y"
) -> tuple[Specification, ...]:
    """Return matching in one wave beside the raw gap, entropy balancing and augmented weighting.

    Parameters
    ----------
    covariates : tuple of str
    method : {"nearest", "kernel"}
    outcome : str

    Returns
    -------
    tuple of Specification
        On frames with ``treated``.
    """
    columns = {"treatment": "treated", "covariates": covariates, "outcome": outcome}
    is_nearest = method == "nearest"
    matching = Matching(**columns, method=method, replace=is_nearest, bias_adjust=False)  # type: ignore[arg-type]
    name = _NAMES[method]
    return (
        _fitted(
            "published",
            Text(en=name.en.capitalize(), es=name.es.capitalize()),
            "published",
            matching,
            inference=AbadieImbens() if is_nearest else None,
        ),
        _fitted(
            "naive",
            Text(en="Raw gap", es="Brecha sin ajustar"),
            "naive",
            MeanDifference(outcome=outcome, treatment="treated"),
            is_valid=False,
        ),
        _fitted(
            "entropy",
            Text(en="Entropy balancing", es="Balance de entropía"),
            "modern",
            Weighting(**columns, method="entropy"),  # type: ignore[arg-type]
        ),
        _fitted(
            "aipw",
            Text(en="Augmented weighting (doubly robust)", es="Ponderación aumentada (doblemente robusta)"),
            "modern",
            AIPW(**columns, estimand="att"),  # type: ignore[arg-type]
        ),
    )


def within(
    regressors: tuple[str, ...],
    *,
    absorb: tuple[str, ...],
    cluster: str | None,
    label: Text,
    role: Role = "published",
    id: str = "published",  # noqa: A002
    is_valid: bool = True,
) -> Specification:
    """Return fixed effects with errors clustered as named; the first regressor answers.

    Parameters
    ----------
    regressors, absorb : tuple of str
    cluster : str, optional
        None: heteroskedasticity-robust errors.
    label : Text
    role, id : str
    is_valid : bool

    Returns
    -------
    Specification
    """
    inference: Inference = Robust("HC1") if cluster is None else Cluster(cluster)
    model = FixedEffects(outcome="y", covariates=regressors, absorb=absorb)
    # without absorbed effects the constant stands first
    row = 0 if absorb else 1
    return _fitted(id, label, role, model, inference=inference, row=row, is_valid=is_valid)


def mean_gap(*, cluster: str) -> Specification:
    """Return the raw gap between treated and untreated rows, shown for its bias.

    Parameters
    ----------
    cluster : str

    Returns
    -------
    Specification
        On frames with ``treated y``.
    """
    return _fitted(
        "naive",
        Text(en="Raw gap", es="Brecha sin ajustar"),
        "naive",
        MeanDifference(outcome="y", treatment="treated"),
        inference=Cluster(cluster),
        is_valid=False,
    )


def on_rows(specification: Specification, rows: Callable[[DataFrame], DataFrame]) -> Specification:
    """Return the specification fitted on part of the frame.

    Parameters
    ----------
    specification : Specification
    rows : callable
        From the whole frame to the rows that are used.

    Returns
    -------
    Specification
    """
    return replace(specification, fit=lambda data: specification.fit(rows(data)))
