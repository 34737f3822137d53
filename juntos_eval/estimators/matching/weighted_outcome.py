"""The outcome step: a weighted design, and the outcome and outcome covariates of the rows it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from juntos_eval.arrays import Bools, Floats, FrozenMapping, frozen
from juntos_eval.estimate import Estimate, Groups, Inference
from juntos_eval.estimators.design import select, zero_one
from juntos_eval.estimators.matching.arm_weights import (
    ArmWeights,
    sampling_arm_weights,
    variance_arm_weights,
)
from juntos_eval.estimators.matching.balance import balance_check
from juntos_eval.estimators.matching.effect import Comparison, complete_rows, effect_estimate, refuse_outcome
from juntos_eval.estimators.matching.outcome_model import OutcomeDesign, left_out_check, outcome_design
from juntos_eval.estimators.matching.weighted_design import WeightedDesign

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["WeightedOutcome", "WeightingChoices", "weighted_outcome"]


class WeightingChoices(Protocol):
    """A record of choices that makes weighted designs."""

    @property
    def treatment(self) -> str:
        """Column of the treatment."""
        ...

    @property
    def covariates(self) -> tuple[str, ...]:
        """Columns of the design."""
        ...

    @property
    def weights(self) -> str | None:
        """Column of sampling weights."""
        ...

    def design(self, data: DataFrame) -> WeightedDesign:
        """Return the design of a frame."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedOutcome:
    """An outcome beside the design that was made without it.

    Attributes
    ----------
    design : WeightedDesign
    outcome : numpy.ndarray, shape (m,)
        Of the rows that the design keeps.
    outcome_design : OutcomeDesign
        Covariates of the outcome models, of the same rows.
    groups : Mapping of str to Groups
    dropped : Mapping of str to int
        Before and by the design.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.weighted_outcome import weighted_outcome
    >>> from juntos_eval.estimators.matching.weighting import Weighting
    >>> frame = pd.DataFrame({"y": [5, 7, 1, 2, 4], "d": [1, 1, 0, 0, 0], "age": [1, 2, 1, 2, 2]})
    >>> seen = weighted_outcome(Weighting(treatment="d", covariates=("age",)), frame, "y", None, ())
    >>> seen.outcome_design.names
    ('constant', 'age')
    """

    design: WeightedDesign
    outcome: Floats
    outcome_design: OutcomeDesign
    groups: Mapping[str, Groups]
    dropped: Mapping[str, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "outcome", frozen(self.outcome))
        object.__setattr__(self, "groups", FrozenMapping(self.groups))
        object.__setattr__(self, "dropped", FrozenMapping(self.dropped))

    @property
    def treated(self) -> Bools:
        """Rows that are treated, shape (m,)."""
        return self.design.treated[self.design.is_kept]

    def fitting_weights(self, *, by_variance: bool) -> ArmWeights:
        """Return the weights of outcome models that residuals will correct.

        Parameters
        ----------
        by_variance : bool
            Whether by their share in the variance of the effect, else sampling weights alone.

        Returns
        -------
        ArmWeights
        """
        base = self.design.base_weights[self.design.is_kept]
        if by_variance and self.design.model is not None:
            return variance_arm_weights(self.design.model, self.treated, base, self.design.estimand)
        return sampling_arm_weights(self.treated, base, self.design.estimand)

    def estimate(
        self, comparison: Comparison, spec: Mapping[str, Any], inference: Inference | None
    ) -> Estimate:
        """Return a comparison of these rows as an estimate.

        Parameters
        ----------
        comparison : Comparison
        spec : Mapping
        inference : Inference or None

        Returns
        -------
        Estimate
        """
        return effect_estimate(
            comparison,
            self.groups,
            spec=spec,
            inference=inference,
            dropped=self.dropped,
            checks=(balance_check(self.design), *self.design.checks, *left_out_check(self.outcome_design)),
            details=self.design.details,
        )


def weighted_outcome(
    weighting: WeightingChoices,
    data: DataFrame,
    outcome: str,
    outcome_covariates: tuple[str, ...] | None,
    carry: tuple[str, ...],
) -> WeightedOutcome:
    """Make the design on complete rows, then look at the outcome of those it keeps.

    Parameters
    ----------
    weighting : WeightingChoices
    data : pandas.DataFrame
    outcome : str
    outcome_covariates : tuple of str, optional
        By default those of the design.
    carry : tuple of str

    Returns
    -------
    WeightedOutcome

    Raises
    ------
    DesignError
        For data that cannot answer.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.weighted_outcome import weighted_outcome
    >>> from juntos_eval.estimators.matching.weighting import Weighting
    >>> frame = pd.DataFrame({"y": [5, 7, 1, None, 4], "d": [1, 1, 0, 0, 0], "age": [1, 2, 1, 2, 2]})
    >>> seen = weighted_outcome(Weighting(treatment="d", covariates=("age",)), frame, "y", (), ())
    >>> seen.outcome.tolist(), dict(seen.dropped)
    ([5.0, 7.0, 1.0, 4.0], {'y missing': 1})
    """
    predictors = weighting.covariates if outcome_covariates is None else outcome_covariates
    frame, dropped = complete_rows(
        data,
        outcome=outcome,
        treatment=weighting.treatment,
        others=tuple(dict.fromkeys([*weighting.covariates, *predictors])),
        weights=weighting.weights,
        carry=carry,
    )
    everyone = frame[weighting.treatment].to_numpy(dtype=np.float64)
    refuse_outcome(
        frame[outcome].to_numpy(dtype=np.float64), zero_one(everyone, weighting.treatment), outcome
    )
    design = weighting.design(frame)
    rows = frame.iloc[design.rows[design.is_kept]]
    kept = select(rows, numeric=(outcome,), covariates=predictors, carry=carry)
    refuse_outcome(kept.columns[outcome], design.treated[design.is_kept], outcome)
    return WeightedOutcome(
        design=design,
        outcome=kept.columns[outcome],
        outcome_design=outcome_design(kept.covariates, kept.covariate_names),
        groups=kept.groups,
        dropped={**dropped, **design.dropped},
    )
