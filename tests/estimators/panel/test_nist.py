"""Coefficients and standard errors have the digits that NIST certifies."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.arrays import Floats
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.panel import FixedEffects
from juntos_eval.inference.robust import Iid
from tests.estimators.panel.golden import GOLDEN

FOLDER = GOLDEN / "nist"
CERTIFIED: dict[str, dict[str, Any]] = json.loads((FOLDER / "certified.json").read_text(encoding="utf-8"))
# digits asked of coefficients and of standard errors; Filip's columns are collinear to ten digits
DIGITS = dict.fromkeys(CERTIFIED, (9.0, 8.0)) | {"filip": (6.0, 6.0)}


def fitted(name: str) -> Estimate:
    case = CERTIFIED[name]
    frame = pd.read_csv(FOLDER / case["table"])
    if case["degree"]:
        powers = {f"x^{k}": frame["x"].astype(float) ** k for k in range(1, case["degree"] + 1)}
        frame, covariates = frame.assign(**powers), tuple(powers)
    else:
        covariates = tuple(frame.columns[1:])
    model = FixedEffects(outcome=case.get("outcome", "y"), covariates=covariates)
    return model.fit(frame, inference=Iid())


def digits(found: Floats, certified: list[float]) -> float:
    """Log relative error, absolute where the certified value is zero; as NIST counts."""
    expected = np.array(certified, dtype=float)
    error = np.abs(found - expected) / np.where(expected != 0, np.abs(expected), 1.0)
    return float(-np.log10(np.maximum(error, 1e-15)).min())


@pytest.mark.parametrize("name", CERTIFIED)
def test_digits(name: str) -> None:
    found, (of_coefficients, of_errors) = fitted(name), DIGITS[name]
    assert found.details["dropped"] == []
    assert digits(found.values, CERTIFIED[name]["coefficients"]) >= of_coefficients
    assert digits(found.uncertainty.std_error, CERTIFIED[name]["std_errors"]) >= of_errors
    np.testing.assert_allclose(found.details["r2"], CERTIFIED[name]["r2"], rtol=1e-9)
    if "residual_sd" in CERTIFIED[name]:
        sd = np.sqrt(found.details["ssr"] / found.uncertainty.df)
        np.testing.assert_allclose(sd, CERTIFIED[name]["residual_sd"], rtol=1e-12)
