"""Replicate variances are those of R's survey."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.estimate import Estimator
from juntos_eval.estimators.means import Mean
from juntos_eval.estimators.survey_statistics import Ratio, Total
from juntos_eval.inference.balanced_replication import BalancedReplication
from juntos_eval.inference.jackknife import Jackknife
from juntos_eval.inference.replicate_weights import ReplicateWeights
from tests.estimators.survey_statistics import golden

KINDS: dict[str, list[Any]] = {
    "mean": [Mean(outcome=name, weights="w") for name in ("y", "x", "b")],
    "total": [Total(outcome=name, weights="w") for name in ("y", "x", "b")],
    "ratio": [Ratio(outcome="y", denominator="x", weights="w")],
    "mean_by": [Mean(outcome="y", by="area", weights="w")],
}
DESIGN: dict[str, Any] = {"strata": "stratum", "psu": "psu"}
NAMES = [name for name in golden.cases() if name.startswith("rep-") and not name.endswith("design")]


def sample() -> pd.DataFrame:
    frame = golden.table("survey_pairs.csv")
    frame = pd.concat([frame, golden.table("replicates.csv")], axis=1)
    return frame.assign(one=frame["stratum"] * 100 + frame["psu"])


def resampled(which: str, estimator: Estimator) -> Any:
    frame = sample()
    columns = tuple(name for name in map(str, frame) if name.startswith(which.removesuffix("_mean")))
    known: dict[str, Any] = {
        "jkn": lambda: Jackknife(estimator, **DESIGN, center="mean"),
        "jkn_mse": lambda: Jackknife(estimator, **DESIGN),
        "jkn_fpc": lambda: Jackknife(estimator, **DESIGN, fpc="psus"),
        "jk1": lambda: Jackknife(estimator, psu="one", center="mean"),
        "jk1_mse": lambda: Jackknife(estimator, psu="one"),
        "brr": lambda: ReplicateWeights(estimator, columns, "brr"),
        "fay": lambda: ReplicateWeights(estimator, columns, "fay", fay=0.3),
        "fay_mean": lambda: ReplicateWeights(estimator, columns, "fay", fay=0.3, center="mean"),
        "boot": lambda: ReplicateWeights(estimator, columns, "bootstrap", center="mean"),
    }
    return known[which]()


@pytest.mark.parametrize("name", NAMES)
def test_replicates(name: str) -> None:
    _, which, kind = name.split("-")
    case = golden.cases()[name]
    fits = [resampled(which, one).fit(sample()) for one in KINDS[kind]]
    values = np.concatenate([fit.values for fit in fits])
    errors = np.concatenate([fit.uncertainty.std_error for fit in fits])
    np.testing.assert_allclose(values, golden.numbers(case, "est"), rtol=1e-9)
    np.testing.assert_allclose(errors, golden.numbers(case, "se"), rtol=1e-9)
    assert fits[0].uncertainty.df == golden.cases()[f"rep-{which}-design"]["est"][0]


def test_there_are_nine_designs_and_four_statistics() -> None:
    assert len(NAMES) == 36


@pytest.mark.parametrize(("which", "fay"), [("brr", 0.0), ("fay", 0.3)])
def test_balanced_replicates_of_linear_statistics(which: str, fay: float) -> None:
    """Which signs are taken does not matter for totals."""
    halves = [BalancedReplication(one, **DESIGN, fay=fay).fit(sample()) for one in KINDS["total"]]
    expected = golden.numbers(golden.cases()[f"rep-{which}-total"], "se")
    np.testing.assert_allclose([one.uncertainty.std_error[0] for one in halves], expected, rtol=1e-9)
    assert halves[0].uncertainty.df == 6


def test_factors_are_weights_over_weights() -> None:
    frame = sample()
    columns = tuple(name for name in map(str, frame) if name.startswith("boot"))
    factors = frame.copy()
    for name in columns:
        factors[name] = frame[name] / frame["w"]
    ratio = KINDS["ratio"][0]
    expected = ReplicateWeights(ratio, columns, "bootstrap").fit(frame)
    found = ReplicateWeights(ratio, columns, "bootstrap", combined=False).fit(factors)
    np.testing.assert_allclose(found.uncertainty.covariance, expected.uncertainty.covariance, rtol=1e-12)
