"""Least squares with absorbed effects, by the dummies themselves: slow, and exact to rounding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats
from juntos_eval.estimate import DenseInfluence, Fit, Groups, Linear


def groups_of(frame: pd.DataFrame, columns: Sequence[str]) -> dict[str, Groups]:
    groups = {}
    for name in columns:
        codes, levels = pd.factorize(frame[name], sort=True)
        groups[name] = Groups(codes, tuple(map(str, levels)))
    return groups


def dummies_of(groups: Sequence[Groups]) -> Floats:
    return np.hstack([np.eye(group.count)[group.codes] for group in groups])


def absorbed_fit(
    frame: pd.DataFrame,
    covariates: Sequence[str],
    absorb: Sequence[str] = (),
    weights: Floats | None = None,
    carry: Sequence[str] = (),
) -> Fit:
    """The fit of y on covariates, effects taken out; a constant where there are none."""
    weight = np.ones(len(frame)) if weights is None else weights
    root = np.sqrt(weight)[:, None]
    x = frame[list(covariates)].to_numpy(np.float64)
    y = frame[["y"]].to_numpy(np.float64)
    absorbed = tuple(groups_of(frame, absorb).values())
    rank = 0
    if absorbed:
        u, s, _ = np.linalg.svd(dummies_of(absorbed) * root, full_matrices=False)
        basis = u[:, s > 1e-9 * s[0]]
        rank = basis.shape[1]
        both = np.hstack([x, y]) * root
        both = both - basis @ (basis.T @ both)
        both = (both - basis @ (basis.T @ both)) / root
        x, y = both[:, :-1], both[:, -1:]
    else:
        x = np.column_stack([np.ones(len(frame)), x])
    return fit_of(x, y[:, 0], weight, groups_of(frame, carry), absorbed, rank)


def fit_of(
    x: Floats,
    y: Floats,
    weight: Floats,
    groups: dict[str, Groups],
    absorbed: tuple[Groups, ...] = (),
    rank: int = 0,
) -> Fit:
    root = np.sqrt(weight)[:, None]
    q, r = np.linalg.qr(x * root)
    inverse = np.linalg.inv(r)
    beta = inverse @ (q.T @ (y * root[:, 0]))
    residuals = y - x @ beta
    bread = inverse @ inverse.T
    by_levels = sum(factor.count for factor in absorbed) - max(len(absorbed) - 1, 0)
    return Fit(
        values=beta,
        influence=DenseInfluence((x * (weight * residuals)[:, None]) @ bread),
        parameters=x.shape[1] + by_levels,
        groups=groups,
        linear=Linear(
            design=x,
            weights=weight,
            residuals=residuals,
            bread=bread,
            selection=np.eye(x.shape[1]),
            absorbed=absorbed,
            absorbed_rank=rank,
        ),
    )
