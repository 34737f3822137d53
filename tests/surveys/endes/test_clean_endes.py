"""Rules of single variables, where the doctest's one example does not show the edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys import endes
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.endes import clean
from juntos_eval.surveys.endes.join import attach, without_match
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.source import load_source
from juntos_eval.surveys.synthetic.endes import EndesTruth
from tests.surveys.endes.conftest import YEAR


@pytest.fixture(scope="module")
def raw(sound: tuple[Path, EndesTruth]) -> RawFolder:
    return RawFolder.at(sound[0])


def test_modules_are_renumbered_from_2020_on() -> None:
    source = load_source("endes")
    assert source.address("households", 2019, "SPSS").endswith("691-Modulo64.zip")
    assert source.address("households", 2020, "SPSS").endswith("739-Modulo1629.zip")
    assert source.address("programmes", 2014, "SPSS").endswith("441-Modulo569.zip")
    assert source.address("programmes", 2024, "STATA").endswith("968-Modulo1641.zip")
    assert source.address("violence", 2022, "CSV").endswith("786-Modulo1637.zip")
    assert "módulo 1638" in source.cite("children", 2021)


def test_every_year_from_2004_to_2024_has_the_core_tables() -> None:
    codebook = load_codebook("endes")
    for year in range(2004, 2025):
        for table in ("households", "persons", "dwellings", "children", "women", "violence", "births"):
            assert codebook.maps(table, year), (table, year)
    assert [year for year in range(2004, 2026) if codebook.maps("programmes", year)] == [
        *(2014, 2015),
        *range(2017, 2025),
    ]
    assert not codebook.maps("households", 2025)


def test_juntos_item_by_year() -> None:
    codebook = load_codebook("endes")
    assert dict(codebook.column("dwellings", "has_juntos").raw) == {"2013": "QH90"}
    assert dict(codebook.column("women_local", "has_juntos").raw) == {"2013": "S484"}
    assert set(codebook.column("programmes", "has_juntos").raw.values()) == {"QH95"}


@pytest.mark.parametrize(
    ("answers", "lately", "ever"),
    [
        (("no", "no"), False, False),
        (("often", "no"), True, True),
        (("not_last_12_months", "no"), False, True),
        (("frequency_missing", None), False, True),
        ((None, "sometimes"), True, True),
        ((None, None), None, None),
    ],
)
def test_acts(answers: tuple[str | None, ...], lately: bool | None, ever: bool | None) -> None:
    from juntos_eval.surveys.endes.violence import EVER, LAST_12_MONTHS

    acts = pd.DataFrame({str(place): [act] for place, act in enumerate(answers)}, dtype="object")
    for wanted, expected in ((LAST_12_MONTHS, lately), (EVER, ever)):
        found = clean.any_act(acts, wanted)[0]
        assert (found is pd.NA) if expected is None else (found == expected)


def test_scores_at_the_edge() -> None:
    z = clean.inei_score(pd.Series([-600.0, -601.0, 600.0, 9996.0, np.nan]))
    np.testing.assert_array_equal(z.to_numpy(), [-6.0, np.nan, 6.0, np.nan, np.nan])
    assert clean.flag_counts(pd.Series([-601.0, 9996.0, 9997.0, 9999.0]), "waz") == {
        "waz: height out of plausible limits": 1,
        "waz: age out of limits": 1,
        "waz: missing": 1,
        "waz: beyond six standard deviations": 1,
    }


def test_a_join_never_multiplies_rows() -> None:
    left, right = pd.DataFrame({"h": ["a", "b"]}), pd.DataFrame({"h": ["a", "a"], "x": [1, 2]})
    with pytest.raises(SchemaError, match="would multiply rows"):
        attach(left, right, on="h", what="households", where="a.csv")
    with pytest.raises(SchemaError, match="Both tables have x"):
        attach(left.assign(x=0), right.head(1), on="h", what="households", where="a.csv")


def test_few_without_a_partner_are_told_and_many_refused() -> None:
    known = pd.Series([str(number) for number in range(200)])
    one = pd.concat([known.head(199), pd.Series(["?"])], ignore_index=True)
    assert without_match(one, known, what="x", where="y").sum() == 1
    with pytest.raises(SchemaError, match="different years"):
        without_match(one.replace({"0": "!", "1": "!!"}), known, what="x", where="y")


def test_every_row_carries_its_design(raw: RawFolder) -> None:
    homes = endes.clean_households(raw, YEAR)
    children = endes.clean_children(raw, YEAR, households=homes)
    for table in (homes, children):
        assert {"strata", "psu", "weight"} <= set(table.provenance.details)
        assert table.frame[table.provenance.details["strata"]].notna().all()
        assert (table.frame[table.provenance.details["weight"]] > 0).all()
        # a cluster lies in one stratum
        assert table.frame.groupby("psu")["stratum"].nunique().eq(1).all()
        assert table.provenance.is_synthetic
    names = {file.name for file in children.provenance.inputs}
    assert names == {f"{stem}_2018.csv" for stem in ("RECH0", "RECH1", "RECH23", "RECH6")} | {
        "Programas Sociales x Hogar_2018.csv"
    }


def test_tables_given_are_tables_used(raw: RawFolder) -> None:
    homes = endes.clean_households(raw, YEAR)
    people = endes.clean_persons(raw, YEAR, households=homes)
    pd.testing.assert_frame_equal(
        endes.clean_children(raw, YEAR).frame,
        endes.clean_children(raw, YEAR, households=homes, persons=people).frame,
    )


def test_anaemia_recomputed_is_that_of_inei(raw: RawFolder) -> None:
    children = endes.clean_children(raw, YEAR).frame
    both = children[children["is_anaemic"].notna() & children["is_anaemic_who_1968"].notna()]
    assert len(both) > 300
    assert (both["is_anaemic"] == both["is_anaemic_who_1968"]).mean() > 0.995
    # the rule of 2024 asks for less of the youngest and takes off more at low altitude
    assert (children["is_anaemic_who_2024"] != children["is_anaemic_who_1968"]).any()


def test_recomputed_scores_are_near_those_of_exact_ages(raw: RawFolder) -> None:
    children = endes.clean_children(raw, YEAR).frame
    older = children[children["age_months"] >= 12]
    gap = (older["haz"] - older["recomputed_haz"]).abs()
    assert gap.count() > 300
    assert gap.max() < 0.25
    whz = (children["whz"] - children["recomputed_whz"]).abs()
    assert whz.max() <= 0.0101


def test_exposure_is_no_longer_than_life_nor_than_the_programme(raw: RawFolder) -> None:
    children = endes.clean_children(raw, YEAR).frame
    inside = children[children["has_juntos"].fillna(value=False)]
    assert len(inside) > 30
    assert (inside["juntos_exposure_months"] <= inside["age_months"]).all()
    assert (inside["juntos_exposure_months"] <= inside["juntos_months"]).all()
    outside = children[(~children["has_juntos"]).fillna(value=False)]
    assert (outside["juntos_exposure_months"] == 0).all()
    assert children.loc[children["has_juntos"].isna(), "juntos_exposure_months"].isna().all()


def test_districts_are_dated_by_their_second_household(raw: RawFolder) -> None:
    homes = endes.clean_households(raw, YEAR)
    every, second = (endes.infer_district_entry([homes], at_least=least) for least in (1, 2))
    assert set(second["ubigeo"]) < set(every["ubigeo"])
    both = second.merge(every, on="ubigeo", suffixes=("_second", "_first"))
    assert (both["entry_month_second"] >= both["entry_month_first"]).all()
    # nobody entered before the first planted year, recall being exact here
    assert every["entry_month"].min() >= "2005-01"
    without = homes.frame.assign(juntos_entry=np.nan)
    with pytest.raises(SchemaError, match="No household says"):
        endes.infer_district_entry([CleanTable(frame=without, provenance=homes.provenance)])
