"""Bad input is refused by one of our errors that names it, or counted; it never gives a number quietly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError, JuntosError
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.survey_design import SurveyDesign
from tests.contract.registry import Case, each_estimator
from tests.contract.test_promises import same

SOME = [3, 57, 200]


def broken(case: Case, column: str, value: Any) -> pd.DataFrame:
    frame = case.frame()
    frame[column] = frame[column].astype(object if isinstance(value, str) else "float64")
    frame.loc[SOME, column] = value
    return frame


@each_estimator()
def test_missing_outcomes_are_dropped_and_counted(case: Case) -> None:
    estimate = case.fit(broken(case, "y", np.nan))
    assert sum(estimate.sample.dropped.values()) >= len(SOME)
    assert any("y" in reason for reason in estimate.sample.dropped)
    lost = case.frame().drop(index=SOME)
    if case.has("unit") and getattr(case.estimator, "balanced", not case.keeps_incomplete):
        seen = lost["unit"].map(lost["unit"].value_counts())
        lost = lost[seen == seen.max()]
    same(estimate, case.fit(lost), tolerance=1e-9)


@each_estimator(having="covariates")
def test_missing_covariates_are_dropped_and_counted(case: Case) -> None:
    estimate = case.fit(broken(case, "x1", np.nan))
    assert sum(estimate.sample.dropped.values()) >= len(SOME)
    assert any("x1" in reason for reason in estimate.sample.dropped)


@each_estimator(having="treatment")
@pytest.mark.parametrize("value", [np.nan, 2.0, -1.0, 0.5])
def test_treatments_that_are_neither_yes_nor_no(case: Case, value: float) -> None:
    with pytest.raises(DesignError, match="treated"):
        case.fit(broken(case, "treated", value))


@each_estimator(having="treatment")
@pytest.mark.parametrize("value", [0, 1])
def test_nobody_or_everybody_treated(case: Case, value: int) -> None:
    with pytest.raises(DesignError, match="treated"):
        case.fit(case.frame().assign(treated=value))


@each_estimator()
@pytest.mark.parametrize("value", [np.nan, -1.0, np.inf])
def test_weights_that_count_nobody(case: Case, value: float) -> None:
    with pytest.raises(DesignError, match="'w'"):
        case.choosing(weights="w").fit(broken(case, "w", value))


@each_estimator()
def test_weights_of_zero_leave_the_row_out_and_are_counted(case: Case) -> None:
    estimate = case.choosing(weights="w").fit(broken(case, "w", 0.0))
    assert sum(estimate.sample.dropped.values()) >= len(SOME)
    assert any("w" in reason for reason in estimate.sample.dropped)


@each_estimator()
def test_weights_that_are_all_zero(case: Case) -> None:
    with pytest.raises(DesignError):
        case.choosing(weights="w").fit(case.frame().assign(w=0.0))


@each_estimator()
@pytest.mark.parametrize(
    "inference", [Cluster("cluster"), SurveyDesign(strata="cluster"), SurveyDesign(psu="cluster")]
)
def test_missing_clusters_strata_and_psus(case: Case, inference: Any) -> None:
    with pytest.raises(DesignError, match="'cluster'"):
        case.fit(broken(case, "cluster", np.nan), inference=inference)


@each_estimator()
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_outcomes(case: Case, value: float) -> None:
    with pytest.raises(DesignError, match="'y'"):
        case.fit(broken(case, "y", value))


@each_estimator()
@pytest.mark.parametrize("column", ["y", "w"])
def test_text_where_a_number_belongs(case: Case, column: str) -> None:
    with pytest.raises(DesignError, match=f"'{column}'"):
        case.choosing(weights="w").fit(broken(case, column, "many"))


@each_estimator()
def test_columns_that_are_not_there(case: Case) -> None:
    named = ("outcome", "treatment", "weights", "by", "unit", "time")
    choices = [choice for choice in named if hasattr(case.estimator, choice)]
    assert {"outcome", "weights"} <= set(choices)
    for choice in choices:
        with pytest.raises(DesignError, match="'nonsense'"):
            case.choosing(**{choice: "nonsense"}).fit()


@each_estimator(having="covariates")
def test_covariates_that_are_not_there(case: Case) -> None:
    with pytest.raises(DesignError, match="'nonsense'"):
        case.choosing(covariates=("x1", "nonsense")).fit()


@each_estimator()
def test_columns_to_carry_that_are_not_there(case: Case) -> None:
    with pytest.raises(DesignError, match="'nonsense'"):
        case.fit(carry=("nonsense",))
    with pytest.raises(DesignError, match="'nonsense'"):
        case.fit(inference=Cluster("nonsense"))


@each_estimator()
def test_a_column_that_stands_twice(case: Case) -> None:
    frame = case.frame()
    with pytest.raises(DesignError, match="more than once"):
        case.fit(pd.concat([frame, frame[["y"]]], axis=1))


@each_estimator()
def test_empty_frames(case: Case) -> None:
    with pytest.raises(JuntosError):
        case.fit(case.frame().iloc[:0])
    with pytest.raises(JuntosError):
        case.fit(case.frame().assign(y=np.nan))


@each_estimator()
def test_what_is_no_frame(case: Case) -> None:
    with pytest.raises(DesignError, match="DataFrame"):
        case.fit({"y": [1.0, 2.0]})  # type: ignore[arg-type]
