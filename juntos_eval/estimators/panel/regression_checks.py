"""What a regression says about itself beside its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.estimate import Check, Groups

__all__ = ["condition_check", "dropped_columns_check", "level_checks", "leverage_check", "singleton_check"]

_ILL = 1e6
# entries of a design up to which leverage is looked at
_LOOKED_AT = 1_000_000


def dropped_columns_check(absorbed: Sequence[str], collinear: Sequence[str]) -> Check:
    """Name the columns that were left out, and why.

    Examples
    --------
    >>> from juntos_eval.estimators.panel.regression_checks import dropped_columns_check
    >>> dropped_columns_check((), ("age2",)).detail
    'left out: age2 (other covariates span it)'
    """
    parts = [f"{name} (the absorbed effects span it)" for name in absorbed]
    parts += [f"{name} (other covariates span it)" for name in collinear]
    return Check("columns", None if parts else True, "left out: " + ", ".join(parts) if parts else "all kept")


def singleton_check(count: int, *, is_dropped: bool) -> Check:
    """Count the rows that are alone in a level of an absorbed factor.

    Examples
    --------
    >>> from juntos_eval.estimators.panel.regression_checks import singleton_check
    >>> singleton_check(0, is_dropped=False).passed
    True
    """
    if not count:
        return Check("singletons", True, "no row is alone in a level of an absorbed factor")
    done = (
        "they were dropped"
        if is_dropped
        else "they were kept: they move no coefficient but count as rows and clusters"
    )
    return Check("singletons", None, f"{count:,} rows are alone in a level of an absorbed factor; {done}")


def condition_check(condition: float) -> Check:
    """Say how far from collinear the columns are.

    Examples
    --------
    >>> from juntos_eval.estimators.panel.regression_checks import condition_check
    >>> condition_check(12.0).passed
    True
    """
    return Check("condition number", condition < _ILL, f"{condition:.3g} of columns of length one")


def leverage_check(design: Floats, bread: Floats, weights: Floats | None) -> Check | None:
    """Name the largest share a row has in its own fitted value, beside the absorbed effects.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.panel.regression_checks import leverage_check
    >>> leverage_check(np.ones((4, 1)), np.array([[0.25]]), None).detail
    'largest 0.25, mean 0.25 (beside absorbed effects)'
    """
    if design.size > _LOOKED_AT:
        return None
    leverage = np.einsum("ij,ij->i", design @ bread, design)
    if weights is not None:
        leverage *= weights
    largest = float(leverage.max())
    detail = f"largest {largest:.3g}, mean {leverage.mean():.3g} (beside absorbed effects)"
    return Check("leverage", largest < 0.5 or len(leverage) < 10, detail)


def level_checks(factors: Mapping[str, Groups]) -> tuple[Check, ...]:
    """Count the levels of absorbed factors, by which rows usually cluster, and their sizes.

    Examples
    --------
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.estimators.panel.regression_checks import level_checks
    >>> level_checks({"village": Groups([0, 0, 1], ("a", "b"))})[0].detail
    '2 of village, of 1 to 2 rows (median 1.5)'
    """
    found = []
    for label, groups in factors.items():
        sizes = groups.sizes[groups.sizes > 0]
        detail = f"{len(sizes):,} of {label}, of {sizes.min():,} to {sizes.max():,} rows "
        found.append(Check("levels", None, detail + f"(median {_median(sizes):g})"))
    return tuple(found)


def _median(sizes: Codes) -> float:
    """Return the median of whole numbers, of which there may be millions and few that differ."""
    if sizes.max() > len(sizes):
        return float(np.median(sizes))
    below = np.cumsum(np.bincount(sizes))
    middle = np.searchsorted(below, [(len(sizes) - 1) // 2, len(sizes) // 2], side="right")
    return float(middle.mean())
