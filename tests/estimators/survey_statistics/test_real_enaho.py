"""Statistics of the real ENAHO are those of R's survey: Juntos 2024, consumption and poverty 2020."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.estimators.means import Mean
from juntos_eval.estimators.survey_statistics import Proportion, Quantile, Ratio, Total, design_effect
from juntos_eval.inference.survey_design import SurveyDesign
from tests.estimators.survey_statistics import golden

EXPECTED: dict[str, Any] = json.loads((golden.FOLDER / "enaho.json").read_text(encoding="utf-8"))
CLOSE = 1e-9


@pytest.fixture(scope="module")
def columns(shared_data: Path) -> ModuleType:
    if not (shared_data / "peru" / "enaho" / "sumaria" / "sumaria-2020.dta").is_file():
        pytest.skip("no ENAHO files at ../shared/data/peru/enaho: the real survey is not checked")
    spec = importlib.util.spec_from_file_location("enaho_columns", golden.FOLDER / "enaho.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def households(columns: ModuleType) -> pd.DataFrame:
    frame: pd.DataFrame = columns.programmes()
    return frame


@pytest.fixture(scope="module")
def consumption(columns: ModuleType) -> pd.DataFrame:
    frame: pd.DataFrame = columns.consumption()
    return frame


def design(frame: pd.DataFrame) -> SurveyDesign:
    return SurveyDesign.of(frame, strata="stratum", psu="conglome", lonely="adjust")


def holds(estimate: Any, name: str) -> None:
    np.testing.assert_allclose(estimate.values, EXPECTED[name]["est"], rtol=CLOSE)
    np.testing.assert_allclose(estimate.uncertainty.std_error, EXPECTED[name]["se"], rtol=CLOSE)


def test_juntos_share_of_the_households_that_answered(households: pd.DataFrame) -> None:
    rule = design(households)
    share = Proportion(outcome="p710_04", weights="factor07").fit(households, inference=rule)
    holds(share, "juntos-share")
    assert round(100 * share.values[0], 2) == 12.07
    assert share.sample.dropped == {"p710_04 missing": 2302}
    assert share.uncertainty.df == EXPECTED["juntos-share"]["degf"][0]
    mean = Mean(outcome="p710_04", weights="factor07").fit(households, inference=rule)
    answered = households[households["p710_04"].notna()]
    np.testing.assert_allclose(design_effect(mean, answered), EXPECTED["juntos-deff"]["est"], rtol=CLOSE)


@pytest.mark.parametrize("method", ["logit", "beta", "asin"])
def test_intervals_of_the_juntos_share(households: pd.DataFrame, method: Any) -> None:
    share = Proportion(outcome="p710_04", weights="factor07", interval=method)
    # R counts the occupied PSUs of the answering households, and the rows that answered
    rule = SurveyDesign.of(households, strata="stratum", psu="conglome", lonely="adjust", df="occupied")
    found = share.fit(households, inference=rule).interval()[0]
    np.testing.assert_allclose(found, EXPECTED[f"juntos-share-{method}"]["ci"], rtol=1e-7)


def test_juntos_households_and_shares_by_domain(households: pd.DataFrame) -> None:
    rule = design(households)
    holds(Total(outcome="p710_04", weights="factor07").fit(households, inference=rule), "juntos-households")
    by = Mean(outcome="p710_04", by="dominio", weights="factor07").fit(households, inference=rule)
    holds(by, "juntos-by-domain")


def test_poverty_and_consumption(consumption: pd.DataFrame) -> None:
    rule = design(consumption)
    poor = Mean(outcome="poor", weights="persons").fit(consumption, inference=rule)
    holds(poor, "poor-share")
    # published by INEI: 30.1 per cent
    assert round(100 * poor.values[0], 1) == 30.1
    holds(Total(outcome="poor", weights="persons").fit(consumption, inference=rule), "poor-persons")
    ratio = Ratio(outcome="gashog2d", denominator="mieperho", weights="factor07")
    holds(ratio.fit(consumption, inference=rule), "consumption-per-head")
    by = Mean(outcome="poor", by="region", weights="persons").fit(consumption, inference=rule)
    holds(by, "poor-by-region")


def test_quantiles_of_consumption(consumption: pd.DataFrame) -> None:
    asked = Quantile(outcome="per_head_soles", probabilities=(0.1, 0.25, 0.5, 0.75, 0.9), weights="persons")
    found = asked.fit(consumption, inference=design(consumption))
    holds(found, "consumption-quantiles")
    for side, name in enumerate(("low", "high")):
        np.testing.assert_allclose(
            found.interval()[:, side], EXPECTED["consumption-quantiles"][name], rtol=CLOSE
        )
