"""Synthetic years 2004-2025: margins and what was planted come out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from juntos_eval.errors import DesignError, SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys import enaho
from juntos_eval.surveys.synthetic.history import _size, write_history
from juntos_eval.surveys.synthetic.history_blocks import PANEL_WAVES
from juntos_eval.surveys.synthetic.history_items import RENUMBERED
from juntos_eval.surveys.synthetic.history_model import HistoryModel, poverty_rates
from juntos_eval.surveys.synthetic.history_truth import HistoryTruth


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, HistoryTruth]:
    """Two years, large enough to estimate."""
    folder = tmp_path_factory.mktemp("large")
    return folder, write_history(
        folder, seed=3, households=12_000, years=(2012, 2013), modules=("sumaria", "members", "education")
    )


def test_poverty_comes_out_as_published(large: tuple[Path, HistoryTruth]) -> None:
    for year in (2012, 2013):
        frame = enaho.clean_sumaria(RawFolder.at(large[0]), year).frame
        share = np.average(frame["is_poor"].astype(float), weights=frame["person_weight"])
        assert share == pytest.approx(poverty_rates()[year], abs=0.03)


def test_what_was_planted_is_found_given_the_observables(large: tuple[Path, HistoryTruth]) -> None:
    folder, truth = large
    raw = RawFolder.at(folder)
    pieces = []
    for year in (2012, 2013):
        work = enaho.clean_child_work(raw, year).frame
        home = enaho.clean_sumaria(raw, year).frame.set_index("household_id")
        pieces.append(work.join(home[["spending_to_line", "has_juntos_income"]], on="household_id"))
    frame = pd.concat(pieces)
    columns = pd.DataFrame(
        {
            "juntos": frame["has_juntos_income"].astype(float),
            "ratio": np.log(frame["spending_to_line"]),
            "rural": frame["is_rural"].astype(float),
            "age": frame["age_years"],
            "girl": frame["sex"].eq("female").astype(float),
        }
    )
    outcome = frame["is_working"].astype(float)
    logit = sm.Logit(outcome, sm.add_constant(columns)).fit(disp=0)
    assert logit.params["juntos"] == pytest.approx(
        HistoryModel().child_work_effect, abs=3 * logit.bse["juntos"]
    )
    assert logit.bse["juntos"] < 0.1
    naive = outcome[columns["juntos"].eq(1)].mean() - outcome[columns["juntos"].eq(0)].mean()
    assert naive > 0, "poverty makes children work and brings Juntos: the naive difference has the wrong sign"
    assert truth.effect("child_work", 2013)["att"] < 0 < truth.effect("child_work", 2013)["naive_difference"]
    assert truth.effect("attendance", 2013)["att"] > 0


def test_the_hidden_trait_moves_what_is_found(tmp_path: Path) -> None:
    known, hidden = (
        write_history(
            tmp_path / name, seed=5, households=6_000, years=(2016,), modules=("sumaria",), model=model
        ).effect("child_work", 2016)
        for name, model in (("known", HistoryModel()), ("hidden", HistoryModel(hidden_confounding=0.8)))
    )
    assert hidden["naive_difference"] > known["naive_difference"] + 0.02


def test_large_samples_fit_into_the_keys() -> None:
    for households in (300, 33_700, 1_000_000, 10_000_000):
        size = _size(households, 0.34)
        planned = (PANEL_WAVES * size.of_cohort + size.alone) * size.dwellings
        assert size.dwellings <= 999
        assert min(size.turns(year) for year in (2004, 2011, 2012, 2025)) >= 2
        assert size.numbers + RENUMBERED < 10**6
        assert planned == pytest.approx(households, rel=0.02)
    assert _size(1_000_000, 0.0).numbers < 10_000


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"years": (2003,)}, r"no year \[2003\]"),
        ({"modules": ("income",)}, r"No module is called \['income'\]"),
        ({"households": 10}, "too few"),
        ({"seed": -1}, "negative"),
        ({"years": ()}, "No year or module"),
    ],
)
def test_what_the_model_does_not_know_is_refused(
    tmp_path: Path, choice: dict[str, object], message: str
) -> None:
    with pytest.raises(DesignError, match=message):
        write_history(tmp_path / "x", **({"seed": 1, "households": 600} | choice))  # type: ignore[arg-type]
    assert not (tmp_path / "x").exists()


def test_real_files_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "enaho").mkdir()
    with pytest.raises(SourceError, match="not marked as synthetic"):
        write_history(tmp_path, seed=1, households=600, years=(2015,))
    with pytest.raises(DesignError, match="outside"):
        HistoryModel(attrition=1.0)
