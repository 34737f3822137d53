"""The stored cases, and the fits behind them: least squares, means, totals and ratios written out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats
from juntos_eval.estimate import DenseInfluence, Fit, Groups, Linear

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "inference"
GROUPINGS = ("stratum", "psu", "npsu", "cl", "id", "year", "region", "grp")


@cache
def cases() -> dict[str, dict[str, Any]]:
    content = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in content}


@cache
def table(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / name)


def groups_of(frame: pd.DataFrame) -> dict[str, Groups]:
    groups = {}
    for name in GROUPINGS:
        if name in frame:
            codes, levels = pd.factorize(frame[name], sort=True)
            groups[name] = Groups(codes, tuple(map(str, levels)))
    return groups


def least_squares(frame: pd.DataFrame, outcome: str, design: Floats, weights: Floats) -> Fit:
    root = np.sqrt(weights)
    q, r = np.linalg.qr(design * root[:, None])
    inverse = np.linalg.inv(r)
    y = frame[outcome].to_numpy(np.float64)
    coefficients = inverse @ (q.T @ (y * root))
    residuals = y - design @ coefficients
    bread = inverse @ inverse.T
    scores = design * (weights * residuals)[:, None]
    return Fit(
        values=coefficients,
        influence=DenseInfluence(scores @ bread),
        parameters=design.shape[1],
        groups=groups_of(frame),
        linear=Linear(
            design=design,
            weights=weights,
            residuals=residuals,
            bread=bread,
            selection=np.eye(design.shape[1]),
        ),
    )


def with_constant(frame: pd.DataFrame, *columns: str) -> Floats:
    return np.column_stack([np.ones(len(frame)), frame[list(columns)].to_numpy(np.float64)])


def ratio(frame: pd.DataFrame, numerators: Floats, denominator: Floats, weights: Floats) -> Fit:
    total = weights @ denominator
    values = weights @ numerators / total
    influence = weights[:, None] * (numerators - np.outer(denominator, values)) / total
    return Fit(values=values, influence=DenseInfluence(influence), parameters=1, groups=groups_of(frame))


def totals(frame: pd.DataFrame, columns: list[str], weights: Floats) -> Fit:
    influence = weights[:, None] * frame[columns].to_numpy(np.float64)
    return Fit(
        values=influence.sum(axis=0),
        influence=DenseInfluence(influence),
        parameters=0,
        groups=groups_of(frame),
    )


def logit(frame: pd.DataFrame, outcome: str, design: Floats, weights: Floats) -> Fit:
    y = frame[outcome].to_numpy(np.float64)
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        share = 1 / (1 + np.exp(-design @ beta))
        bread = np.linalg.inv(design.T @ (design * (weights * share * (1 - share))[:, None]))
        beta = beta + bread @ (design.T @ (weights * (y - share)))
    share = 1 / (1 + np.exp(-design @ beta))
    scores = design * (weights * (y - share))[:, None]
    return Fit(values=beta, influence=DenseInfluence(scores @ bread), parameters=2, groups=groups_of(frame))


def numbers(expected: Mapping[str, float] | float) -> Floats:
    return np.array(list(expected.values()) if isinstance(expected, Mapping) else [expected])
