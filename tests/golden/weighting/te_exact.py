"""Solve the stacked moments of treatment effects exactly, and print the cases ``te-exact-*`` of this folder.

Nothing of the package is used: scores by Newton, closed forms for the rest, and a sandwich of the joint
moments whose derivatives are fourth-order central differences (about 1e-8 relative).

Usage: python te_exact.py TABLE.csv "OUTCOME ~ ..." "TREATMENT ~ ..."
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

Array = Any
Moments = Callable[[Array], Array]


def score_moments(x: Array, t: Array, gamma: Array, link: str) -> tuple[Array, Array, Array]:
    """Probabilities, scores of the likelihood a row, and its information."""
    index = x @ gamma
    if link == "logit":
        p = 1 / (1 + np.exp(-index))
        return p, x * (t - p)[:, None], (x * (p * (1 - p))[:, None]).T @ x
    side = 2 * t - 1
    ratio = side * norm.pdf(side * index) / norm.cdf(side * index)
    return norm.cdf(index), x * ratio[:, None], (x * (ratio * (ratio + index))[:, None]).T @ x


def fitted_gamma(x: Array, t: Array, link: str) -> Array:
    gamma = np.zeros(x.shape[1])
    for _ in range(50):
        _, score, information = score_moments(x, t, gamma, link)
        gamma = gamma + np.linalg.solve(information, score.sum(0))
    return gamma


def arm_weights(t: Array, p: Array, effect: str) -> tuple[Array, Array]:
    """Weights of the treated and of the untreated."""
    return {
        "ate": (t / p, (1 - t) / (1 - p)),
        "att": (t * 1.0, (1 - t) * p / (1 - p)),
        "atu": (t * (1 - p) / p, (1 - t) * 1.0),
    }[effect]


def solve(y: Array, t: Array, x: Array, z: Array, link: str, method: str, effect: str) -> dict[str, float]:
    """Effect, mean outcomes and standard errors of one estimator."""
    target = {"ate": np.ones_like(y), "att": t * 1.0, "atu": 1.0 - t}[effect]
    gamma, k = fitted_gamma(x, t, link), x.shape[1]

    def ipw_moments(theta: Array) -> Array:
        p, score, _ = score_moments(x, t, theta[:k], link)
        w1, w0 = arm_weights(t, p, effect)
        return np.c_[score, w0 * (y - theta[k]), w1 * (y - theta[k + 1])]

    def regression_weights(p: Array) -> tuple[Array, Array]:
        return arm_weights(t, p, effect) if method == "ipwra" else (t * 1.0, 1.0 - t)

    def predictions(theta: Array) -> tuple[Array, Array, Array]:
        m = z.shape[1]
        p, score, _ = score_moments(x, t, theta[:k], link)
        c0, c1 = theta[k : k + m], theta[k + m : k + 2 * m]
        w1, w0 = regression_weights(p)
        left0, left1, s0, s1 = y - z @ c0, y - z @ c1, z @ c0, z @ c1
        moments = np.c_[score, z * (w0 * left0)[:, None], z * (w1 * left1)[:, None]]
        if method == "aipw":
            s0, s1 = s0 + (1 - t) / (1 - p) * left0, s1 + t / p * left1
        return moments, s0, s1

    def regression_moments(theta: Array) -> Array:
        moments, s0, s1 = predictions(theta)
        return np.c_[moments, target * (s0 - theta[-2]), target * (s1 - theta[-1])]

    p = score_moments(x, t, gamma, link)[0]
    if method == "ipw":
        w1, w0 = arm_weights(t, p, effect)
        theta = np.r_[gamma, np.average(y, weights=w0), np.average(y, weights=w1)]
        return sandwich(ipw_moments, theta)
    w1, w0 = regression_weights(p)
    b1, b0 = (np.linalg.solve((z * w[:, None]).T @ z, z.T @ (w * y)) for w in (w1, w0))
    _, s0, s1 = predictions(np.r_[gamma, b0, b1])
    means = [np.average(s, weights=target) for s in (s0, s1)]
    return sandwich(regression_moments, np.r_[gamma, b0, b1, means])


def sandwich(moments: Moments, theta: Array) -> dict[str, float]:
    jacobian = np.empty((len(theta), len(theta)))
    for j in range(len(theta)):
        step = np.zeros(len(theta))
        step[j] = 1e-5 * max(1, abs(theta[j]))
        near, far = (moments(theta + s * step).mean(0) - moments(theta - s * step).mean(0) for s in (1, 2))
        jacobian[:, j] = (8 * near - far) / (12 * step[j])
    values = moments(theta)
    inverse = np.linalg.inv(jacobian)
    v = inverse @ (values.T @ values / len(values)) @ inverse.T / len(values)
    numbers = {
        "effect": theta[-1] - theta[-2],
        "se": np.sqrt(v[-2, -2] + v[-1, -1] - 2 * v[-2, -1]),
        "pom0": theta[-2],
        "pom0_se": np.sqrt(v[-2, -2]),
        "pom1": theta[-1],
        "pom1_se": np.sqrt(v[-1, -1]),
    }
    return {name: float(f"{float(value):.15g}") for name, value in numbers.items()}


def design(formula: str, frame: pd.DataFrame) -> Array:
    terms = [term.strip() for term in formula.split("~")[1].split("+")]
    return np.c_[np.ones(len(frame)), frame[terms].to_numpy(dtype=float)]


def main(table: Path, outcome: str, treatment: str) -> None:
    frame = pd.read_csv(table)
    y = frame[outcome.split("~", maxsplit=1)[0].strip()].to_numpy(dtype=float)
    t = frame[treatment.split("~", maxsplit=1)[0].strip()].to_numpy(dtype=float)
    x, z = design(treatment, frame), design(outcome, frame)
    found = {
        f"{method}-{effect}-{link}": solve(y, t, x, z, link, method, effect)
        for link in ("logit", "probit")
        for method in ("ra", "ipw", "aipw", "ipwra")
        for effect in (("ate",) if method == "aipw" else ("ate", "att", "atu"))
        if not (method == "ra" and link == "probit")
    }
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
