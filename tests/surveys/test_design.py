"""Every clean table of persons or households says how it was drawn, and inference reads it there."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.paths import RawFolder
from juntos_eval.surveys import enaho, endes, young_lives
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import SampleDesign
from juntos_eval.surveys.store import read_table, write_table
from juntos_eval.surveys.synthetic import write_history
from juntos_eval.surveys.synthetic.endes import write_synthetic_endes
from juntos_eval.surveys.synthetic.young_lives import write_young_lives

ENDES_WEIGHTS = {
    "households": "household_weight",
    "persons": "household_weight",
    "children": "child_weight",
    "women": "woman_weight",
    "births": "woman_weight",
    "violence": "violence_weight",
    "health": "adult_weight",
}


@pytest.fixture(scope="module")
def endes_tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CleanTable]:
    folder = tmp_path_factory.mktemp("endes")
    write_synthetic_endes(folder, seed=2, households=600, years=(2020,))
    raw = RawFolder.at(folder)
    return {name: getattr(endes, f"clean_{name}")(raw, 2020) for name in ENDES_WEIGHTS}


def test_each_table_of_endes_names_its_weight_strata_and_psu(endes_tables: dict[str, CleanTable]) -> None:
    for name, weight in ENDES_WEIGHTS.items():
        frame = endes_tables[name].frame
        design = {"weight": weight, "strata": "stratum", "psu": "psu"}
        assert frame.attrs["design"] == design, name
        assert set(design.values()) <= set(frame.columns), name


def test_the_design_survives_storing(endes_tables: dict[str, CleanTable], tmp_path: Path) -> None:
    table = endes_tables["children"]
    path = write_table(table.frame, tmp_path / "children.parquet", table.provenance)
    assert read_table(path).frame.attrs["design"]["weight"] == "child_weight"


def test_violence_without_a_weight_of_its_own_takes_the_next_best(tmp_path: Path) -> None:
    write_synthetic_endes(tmp_path, seed=2, households=300, years=(2019,))
    folder = tmp_path / "endes" / "2019"
    (folder / "REC0111.SAV").unlink()
    table = endes.clean_violence(RawFolder.at(tmp_path), 2019)
    assert table.frame.attrs["design"]["weight"] == table.provenance.details["weight"]


def test_one_call_gives_the_inference_of_a_table(endes_tables: dict[str, CleanTable]) -> None:
    children = endes_tables["children"].frame
    read = je.SurveyDesign.of(children, lonely="adjust")
    named = je.SurveyDesign.of(children, strata="stratum", psu="psu", lonely="adjust")
    assert read == named
    mean = je.Mean(outcome="is_stunted", weights=children.attrs["design"]["weight"])
    known = children[children["is_stunted"].notna()]
    first, second = (mean.fit(known, inference=design).tidy() for design in (read, named))
    pd.testing.assert_frame_equal(first, second)
    # what is named wins over what the table says
    assert je.SurveyDesign.of(children, psu="psu", lonely="adjust").strata is None


def test_young_lives_has_sites_and_no_weights(tmp_path: Path) -> None:
    write_young_lives(tmp_path, seed=1, share=0.05)
    raw = RawFolder.at(tmp_path)
    for name in ("children_panel", "juntos_status", "child_work", "tests", "siblings"):
        frame = getattr(young_lives, f"clean_{name}")(raw).frame
        assert frame.attrs["design"] == {"weight": None, "strata": None, "psu": "site_drawn"}, name
        assert frame["site_drawn"].between(1, 20).all()
        assert frame["site_drawn"].eq(pd.to_numeric(frame["child_id"].str[2:4])).all()
    panel = young_lives.clean_children_panel(raw).frame
    design = je.SurveyDesign.of(panel)
    fit = je.Mean(outcome="haz").fit(panel[panel["haz"].notna()], inference=design)
    assert fit.uncertainty.df == panel["site_drawn"].nunique() - 1


def test_enaho_designs(tmp_path: Path) -> None:
    write_history(tmp_path, seed=1, households=300, years=(2015,))
    raw = RawFolder.at(tmp_path)
    of_households = ("sumaria", "housing", "programmes", "health")
    of_persons = ("members", "child_work", "education", "employment")
    for name in (*of_households, *of_persons):
        frame = getattr(enaho, f"clean_{name}")(raw, 2015).frame
        weight = "household_weight" if name in of_households else "person_weight"
        design = SampleDesign(weight=weight, strata="stratum", psu="psu").record()
        assert frame.attrs["design"] == design, name
        assert set(design.values()) <= set(frame.columns), name
        assert je.SurveyDesign.of(frame, lonely="adjust").strata == "stratum"
