"""Yes-or-no outcomes that cannot be fitted: other values, no variation, separation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.numerics.generalised_linear import GeneralisedLinear

__all__ = ["refuse_other_report", "refuse_separation", "zero_one_outcome"]


def zero_one_outcome(outcome: Floats, name: str) -> Bools:
    """Return which rows are one; refuse other values than 0 and 1, and an outcome that is all the same."""
    odd = (outcome != 0) & (outcome != 1)
    if odd.any():
        raise DesignError(
            f"the outcome '{name}' must be 0 or 1",
            where=f"column '{name}', {int(odd.sum()):,} rows with other values",
            remedy="recode it, or use FixedEffects or Poisson",
        )
    is_one = outcome == 1
    if is_one.all() or not is_one.any():
        raise DesignError(
            f"the outcome '{name}' does not vary",
            where=f"column '{name}', {len(outcome):,} rows",
            remedy="look at how it is coded and at the rows that were dropped",
        )
    return np.asarray(is_one)


def refuse_separation(
    fit: GeneralisedLinear, is_one: Bools, columns: Floats, names: Sequence[str], link: str
) -> None:
    """Refuse a fit whose likelihood has no maximum, and name the covariates that are why."""
    far = 12.0 if link == "logit" else 5.0
    extreme = np.abs(fit.index) > far
    if fit.has_converged and not extreme.any():
        return
    # its room brings all of matching along, which most fits have no use for
    from juntos_eval.estimators.matching.separation import separating_direction

    direction = separating_direction(is_one, columns, extreme)
    if direction is None:
        return
    share = np.abs(direction[1:])
    guilty = [name for name, part in zip(names[1:], share, strict=True) if part > 1e-6 * share.max()]
    apart = int((np.abs(direction[0] + columns @ direction[1:]) > 1e-7).sum())
    raise DesignError(
        "covariates tell ones from zeros without error, so that the likelihood has no maximum (separation)",
        where=f"{', '.join(guilty[:12])}; {apart:,} of {len(is_one):,} rows are told apart",
        remedy="leave the covariate out, join levels, or use LinearProbability",
    )


def refuse_other_report(report: str) -> None:
    """Refuse a report that there is not."""
    if report not in ("effects", "coefficients"):
        raise DesignError(
            f"there is no report {report!r}", where="report", remedy="choose 'effects' or 'coefficients'"
        )
