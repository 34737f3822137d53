r"""Several discontinuities of one sample as one estimate: what rows they share makes errors go together.

Each part is a :class:`RegressionDiscontinuity` on rows and a score of its own. Influence stands in blocks on
the rows of all parts together, so that any inference knows what two parts share. The default one keeps each
part's own standard error :math:`s_a` and takes correlations from the influence,

.. math:: \hat V_{ab} = s_a s_b \, \frac{\sum_g \psi_{ga} \psi_{gb}}
          {\sqrt{\sum_g \psi_{ga}^2 \sum_g \psi_{gb}^2}},

sums over rows or, with a ``cluster``, clusters: exactly zero for parts without a row in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import (
    Block,
    BlockInfluence,
    Check,
    Estimate,
    Fit,
    Groups,
    Inference,
    Influence,
    Sample,
    Uncertainty,
)
from juntos_eval.estimators.design import Selection, groups_to_carry, select
from juntos_eval.estimators.rdd.regression_discontinuity import RegressionDiscontinuity
from juntos_eval.numerics.wald import wald_test

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = [
    "TERMS",
    "JointParts",
    "Part",
    "complete_rows",
    "described",
    "equal_effects",
    "joint_estimate",
    "joint_parts",
    "require_design",
    "scaled_covariance",
]

TERMS = ("conventional", "bias_corrected", "robust")
_LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """One discontinuity: where its rows stand in the sample, ascending, and their score less its cutoff.

    An ``outcome`` of its own stands for the design's.
    """

    label: str
    rows: Codes
    score: Floats
    outcome: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointParts:
    """The fitted parts; values and influence have three columns a part, in the order of the terms."""

    labels: tuple[str, ...]
    estimates: tuple[Estimate, ...]
    influence: BlockInfluence
    cluster: Groups | None

    @property
    def values(self) -> Floats:
        """Of all parts, three each."""
        return np.concatenate([estimate.values for estimate in self.estimates])

    def window_rows(self) -> Floats:
        """Return the rows within each part's main bandwidths."""
        return np.array([each.details["n_left"] + each.details["n_right"] for each in self.estimates], float)

    def covariance(self) -> Floats:
        """Return each part's own variances and the correlations of influence."""
        errors = np.concatenate([estimate.uncertainty.std_error for estimate in self.estimates])
        return scaled_covariance(self.influence, errors, self.cluster)


def scaled_covariance(influence: Influence, errors: Floats, cluster: Groups | None) -> Floats:
    """Return the covariance with given standard errors and the correlations of influence.

    Parameters
    ----------
    influence : Influence
    errors : numpy.ndarray, shape (k,)
    cluster : Groups, optional
        Influence is summed by it first.

    Returns
    -------
    numpy.ndarray, shape (k, k)
    """
    if cluster is None:
        gram = influence.covariance()
    else:
        totals = influence.totals(cluster.codes, cluster.count)
        gram = totals.T @ totals
    size = np.sqrt(np.diag(gram))
    scale = np.divide(errors, size, out=np.full_like(errors, np.nan), where=size > 0)
    return np.asarray(gram * np.outer(scale, scale))


def require_design(design: object, owner: str, *, has_cutoff: bool = False) -> None:
    """Refuse what is no discontinuity, and unless it may have one a cutoff of its own.

    Raises
    ------
    DesignError
    """
    if not isinstance(design, RegressionDiscontinuity):
        raise DesignError(
            f"{owner} takes a RegressionDiscontinuity",
            where=f"design={type(design).__name__}",
            remedy="say there what the outcome is and how it is fitted: design=RegressionDiscontinuity(…)",
        )
    if design.cutoff != 0.0 and not has_cutoff:
        raise DesignError(
            f"the design of {owner} has a cutoff of its own",
            where=f"design.cutoff={design.cutoff:g}",
            remedy=f"leave it at 0: {owner} says itself where the cutoffs are",
        )


def complete_rows(
    design: RegressionDiscontinuity,
    data: DataFrame,
    *,
    numeric: Sequence[str],
    carry: Sequence[str] = (),
    inference: Inference | None,
) -> tuple[Selection, DataFrame]:
    """Return the rows that all parts can use, as arrays and as a frame.

    Parameters
    ----------
    design : RegressionDiscontinuity
    data : pandas.DataFrame
    numeric : sequence of str
        Columns beside outcome and treatment.
    carry : sequence of str
    inference : Inference, optional

    Returns
    -------
    tuple of Selection and pandas.DataFrame
    """
    dependent = (design.outcome, *([design.treatment] if design.treatment else []))
    clusters = (design.cluster,) if design.cluster else ()
    chosen = select(
        data,
        numeric=tuple(dict.fromkeys((*dependent, *numeric))),
        covariates=design.covariates,
        weights=design.weights,
        carry=tuple(dict.fromkeys((*clusters, *groups_to_carry(inference, carry)))),
    )
    used = (*dependent, *design.covariates, *([design.weights] if design.weights else []))
    return chosen, data.iloc[chosen.rows][list(dict.fromkeys((*used, *chosen.groups)))]


def joint_parts(
    design: RegressionDiscontinuity, chosen: Selection, frame: DataFrame, parts: Sequence[Part]
) -> JointParts:
    """Estimate every part by the same design.

    Parameters
    ----------
    design : RegressionDiscontinuity
        Its running variable is the name that scores go by.
    chosen : Selection
    frame : pandas.DataFrame
        As of :func:`complete_rows`.
    parts : sequence of Part

    Returns
    -------
    JointParts

    Raises
    ------
    DesignError
        Where a part cannot be estimated, which it names.
    """
    estimates, blocks = [], []
    for at, part in enumerate(parts):
        rows = frame.iloc[part.rows].assign(**{design.running: part.score})
        if part.outcome is not None:
            rows = rows.assign(**{design.outcome: part.outcome})
        try:
            estimate = design.fit(rows)
        except DesignError as error:
            raise DesignError(
                f"at {part.label}: {error.what}", where=error.where, remedy=error.remedy
            ) from error
        estimates.append(estimate)
        if estimate.fit is not None:
            columns = np.arange(3 * at, 3 * at + 3, dtype=np.int64)
            blocks.append(Block(part.rows, columns, estimate.fit.influence.dense()))
    return JointParts(
        labels=tuple(part.label for part in parts),
        estimates=tuple(estimates),
        influence=BlockInfluence(tuple(blocks), chosen.n, 3 * len(parts)),
        cluster=chosen.groups[design.cluster] if design.cluster else None,
    )


def joint_estimate(
    spec: Mapping[str, Any],
    parts: JointParts,
    rows: Mapping[str, Floats],
    chosen: Selection,
    *,
    inference: Inference | None,
    treated: int,
) -> Estimate:
    """Combine parts into rows of three terms each.

    Parameters
    ----------
    spec : Mapping
    parts : JointParts
    rows : Mapping of str to numpy.ndarray, shape (parts,)
        Label and weights of the parts.
    chosen : Selection
    inference : Inference, optional
    treated : int

    Returns
    -------
    Estimate
        Keys ``term`` and ``group``; ``details`` has those of each part by its label.
    """
    weights = np.kron(np.array(list(rows.values())), np.eye(3))
    influence: Influence = parts.influence.combine(weights)
    fit = Fit(
        values=weights @ parts.values,
        influence=influence,
        parameters=sum(each.fit.parameters for each in parts.estimates if each.fit is not None),
        groups=chosen.groups,
    )
    own = parts.estimates[0].uncertainty.method
    method = f"{own}; correlations by rows' influence" if len(parts.labels) > 1 else own
    default = Uncertainty(method=method, covariance=weights @ parts.covariance() @ weights.T, df=np.inf)
    kish = float(chosen.weights.sum() ** 2 / (chosen.weights**2).sum())
    return Estimate(
        spec=spec,
        keys={
            "term": TERMS * len(rows),
            "group": tuple(label for label in rows for _ in TERMS),
        },
        values=fit.values,
        uncertainty=default if inference is None else inference.infer(fit),
        sample=Sample(rows=chosen.n, units=chosen.n, treated=treated, effective=kish, dropped=chosen.dropped),
        checks=tuple(
            replace(check, name=f"{label}: {check.name}")
            for label, each in zip(parts.labels, parts.estimates, strict=True)
            for check in each.checks
        ),
        details={
            label: dict(each.details) for label, each in zip(parts.labels, parts.estimates, strict=True)
        },
        fit=fit,
        inference=inference,
    )


def described(design: RegressionDiscontinuity) -> dict[str, Any]:
    """Return the design's choices as a record can hold them."""
    return asdict(design)


def equal_effects(estimate: Estimate, labels: Sequence[str]) -> Check:
    """Test by Wald's statistic whether the robust estimates of some rows are equal."""
    at = [
        position
        for position, (term, group) in enumerate(
            zip(estimate.keys["term"], estimate.keys["group"], strict=True)
        )
        if term == "robust" and group in labels
    ]
    contrast = np.eye(len(at))[1:] - np.eye(len(at))[0]
    covariance = estimate.uncertainty.covariance[np.ix_(at, at)]
    found = wald_test(
        estimate.values[at], covariance, estimate.uncertainty.df, contrast, np.zeros(len(contrast))
    )
    p_value = float(found.p_value)
    detail = f"Wald test that {len(at)} robust estimates are equal, p = {p_value:.4f}"
    return Check("equal effects", p_value >= _LEVEL, detail)
