"""Weights that are clipped, truncated or stabilised: by hand, and with errors that know of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.errors import DesignError

ONE: dict[str, Any] = {"outcome": "y", "treatment": "d", "covariates": ("x",)}


def drawn(seed: int, rows: int = 500) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    d = (rng.random(rows) < 1 / (1 + np.exp(-1.2 * x))).astype(float)
    y = 1 + x + d * (1 + x) + rng.normal(size=rows) * (1 + 0.3 * np.abs(x))
    return pd.DataFrame({"x": x, "d": d, "y": y, "w": rng.uniform(0.5, 2.0, rows)})


def test_truncation_by_hand() -> None:
    frame = drawn(1)
    plain = je.Weighting(**ONE, weights="w", estimand="ate").design(frame)
    cut = je.Weighting(**ONE, weights="w", estimand="ate", truncate=0.9).design(frame)
    w, d = frame["w"].to_numpy(), frame["d"].to_numpy() == 1
    expected = np.zeros(len(frame))
    for arm in (d, ~d):
        a = plain.design_weights[arm] / w[arm]
        order = np.argsort(a)
        mass = np.cumsum(w[arm][order])
        cap = a[order][np.searchsorted(mass, 0.9 * mass[-1])]
        expected[arm] = np.minimum(a, cap) * w[arm]
    np.testing.assert_allclose(cut.design_weights, expected, rtol=1e-12)
    effect = je.Weighting(**ONE, weights="w", estimand="ate", truncate=0.9).fit(frame)
    means = [np.average(frame["y"][arm], weights=expected[arm]) for arm in (d, ~d)]
    assert effect.values[0] == pytest.approx(means[0] - means[1], rel=1e-12)
    assert any(check.name == "truncated weights" and "treated at" in check.detail for check in effect.checks)


def test_clipping_by_hand_with_the_derivative_in_each_row_as_influence() -> None:
    """What row i adds is the derivative of the effect in its sampling weight, score included."""
    frame = drawn(2, 200).assign(w=1.0)
    choices = je.Weighting(**ONE, weights="w", estimand="ate", clip=0.15)
    effect = choices.fit(frame)
    assert effect.fit is not None
    influence = effect.fit.influence.dense()[:, 0]
    step = 1e-5
    for i in (0, 7, 31, 120, 199):
        values = []
        for sign in (1.0, -1.0):
            w = frame["w"].to_numpy(copy=True)
            w[i] += sign * step
            values.append(choices.fit(frame.assign(w=w)).values[0])
        assert influence[i] == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5, abs=1e-9)
    p = choices.design(frame).score
    assert p is not None
    q, d = np.clip(p.probability, 0.15, 0.85), frame["d"].to_numpy()
    weights = np.where(d == 1, 1 / q, 1 / (1 - q))
    np.testing.assert_allclose(choices.design(frame).design_weights, weights, rtol=1e-12)


def test_stabilised_weights_change_no_effect() -> None:
    frame = drawn(3)
    plain, steady = (je.Weighting(**ONE, estimand="ate", stabilised=is_so) for is_so in (False, True))
    a, b = plain.fit(frame), steady.fit(frame)
    assert b.values == pytest.approx(a.values, rel=1e-12)
    assert b.uncertainty.std_error == pytest.approx(a.uncertainty.std_error, rel=1e-12)
    weights, d = steady.design(frame).design_weights, frame["d"].to_numpy() == 1
    assert weights[d].mean() == pytest.approx(1.0, abs=0.1)
    assert plain.design(frame).design_weights[d].mean() > 1.5


def test_error_of_truncated_weights_is_their_spread() -> None:
    """Over 150 SIMULATED samples; taking the quantile as known would be a tenth off."""
    found = [je.Weighting(**ONE, truncate=0.95).fit(drawn(1000 + seed)) for seed in range(150)]
    spread = np.std([effect.values[0] for effect in found])
    assert np.mean([effect.uncertainty.std_error[0] for effect in found]) == pytest.approx(spread, rel=0.12)


def test_doubly_robust_estimators_take_limits() -> None:
    frame = drawn(4)
    for kind in (je.AIPW, je.IPWRA):
        plain, cut = kind(**ONE), kind(**ONE, truncate=0.9, clip=0.05)
        assert cut.fit(frame).values[0] != plain.fit(frame).values[0]
        # the outcome model is right, so that weights do not matter for what is estimated
        assert cut.fit(frame).values[0] == pytest.approx(plain.fit(frame).values[0], abs=0.25)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"truncate": 1.2}, "quantile between"),
        ({"truncate": True}, "quantile between"),
        ({"clip": 0.5}, "clip is a score"),
        ({"method": "entropy", "truncate": 0.9}, "not of entropy"),
        ({"method": "overlap", "clip": 0.1}, "between 0 and 1"),
        ({"stabilised": True, "normalised": False}, "are normalised"),
    ],
)
def test_refuses(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        je.Weighting(**ONE, **wrong)


def test_equal_weights_have_nothing_to_cut() -> None:
    frame = pd.DataFrame({"d": [1, 0] * 20, "x": np.repeat(np.arange(20.0), 2), "y": np.arange(40.0)})
    plain, cut = (je.Weighting(**ONE, truncate=at).fit(frame) for at in (None, 0.9))
    assert cut.values == pytest.approx(plain.values)
