"""Castle doctrine laws: the two-way coefficient and its decomposition, on public replication data."""

from __future__ import annotations

import lzma

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from tests.estimators.did.staggered import BESIDE, cases
from tests.estimators.did.test_golden import RdaReader


@pytest.fixture(scope="module")
def castle() -> pd.DataFrame:
    path = BESIDE / "shared/data/benchmarks/did/castle.rda"
    if not path.is_file():
        pytest.skip("public replication data are not at ../shared/data/benchmarks/did/castle.rda")
    (content,) = RdaReader(lzma.decompress(path.read_bytes())).item().values()
    frame = pd.DataFrame({name: np.ravel(content[name]) for name in ("state", "year", "post", "l_homicide")})
    begin = frame["year"].where(frame["post"] > 0).groupby(frame["state"]).transform("min")
    return frame.assign(start=begin.fillna(0))


def test_decomposition_is_that_of_bacondecomp(castle: pd.DataFrame) -> None:
    stored = cases()["bacon-castle"]["expected"]
    parts = je.bacon(castle, outcome="l_homicide", unit="state", time="year", first_treated="start")
    found = {
        (treated, control): (estimate, weight)
        for treated, control, estimate, weight in zip(
            parts.treated, parts.control, parts.estimates, parts.weights, strict=True
        )
    }
    rows = list(zip(*(stored[key] for key in ("treated", "untreated", "estimate", "weight")), strict=True))
    assert len(found) == len(rows)
    for treated, untreated, estimate, weight in rows:
        control = "never" if untreated == 99999 else f"{untreated:g}"
        np.testing.assert_allclose(found[f"{treated:g}", control], (estimate, weight), rtol=1e-9)
    assert float(parts.weights.sum()) == pytest.approx(1, abs=1e-10)
    assert parts.coefficient == pytest.approx(stored["twfe"], abs=1e-10)


def test_weights_and_regression_give_the_same_coefficient(castle: pd.DataFrame) -> None:
    regression = je.FixedEffects(outcome="l_homicide", covariates=("post",), absorb=("state", "year"))
    coefficient = float(regression.fit(castle).values[0])
    # data/README.md
    assert coefficient == pytest.approx(0.0818, abs=5e-5)
    found = je.twfe_weights(
        castle.assign(on=(castle["post"] > 0).astype(int)),
        outcome="l_homicide",
        unit="state",
        time="year",
        treatment="on",
    )
    assert found.coefficient == pytest.approx(coefficient, abs=1e-10)
    assert found.weights.sum() == pytest.approx(1, abs=1e-12)
