"""Sumaria 2015-2020, the modules of 2019 and children's work of 2024-2025 on INEI's real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.estimators.means import Mean
from juntos_eval.inference.survey_design import SurveyDesign
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.enaho import (
    clean_child_work,
    clean_deflators,
    clean_education,
    clean_employment,
    clean_health,
    clean_housing,
    clean_members,
    clean_sumaria,
)
from juntos_eval.surveys.provenance import CleanTable

#: Published by INEI, in per cent; ../shared/data/README.md.
POVERTY = {2015: 21.8, 2016: 20.7, 2017: 21.7, 2018: 20.5, 2019: 20.2, 2020: 30.1}


@pytest.fixture(scope="module")
def raw(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RawFolder:
    folder = shared_data / "peru" / "enaho"
    if not (folder / "sumaria").is_dir():
        pytest.skip(f"no ENAHO files at {folder}: poverty of the real survey is not checked")
    modules = {"housing": "01-2019-100", "members": "01-2019-200", "education": "01a-2019-300"}
    modules |= {"health": "01a-2019-400", "employment": "01a-2019-500"}
    lines = ["[geo]", f'deflators = "{folder}/sumaria/deflactores_base2020_new.dta"']
    for year in POVERTY:
        lines += [f"[enaho.{year}]", f'sumaria = "{folder}/sumaria/sumaria-{year}.dta"']
        if year == 2019:
            lines += [f'{table} = "{folder}/2019/enaho{name}.dta"' for table, name in modules.items()]
    for year, names in {2024: ("enaho01-2024-200.dta",), 2025: ("Enaho01-2025-200.csv",)}.items():
        lines += [f"[enaho.{year}]", f'members = "{folder}/{year}/{names[0]}"']
    place = tmp_path_factory.mktemp("real") / "raw.toml"
    place.write_text("\n".join(lines), encoding="utf-8")
    return RawFolder.at(place)


@pytest.fixture(scope="module")
def sumaria(raw: RawFolder) -> dict[int, CleanTable]:
    deflators = clean_deflators(raw)
    return {year: clean_sumaria(raw, year, deflators=deflators) for year in POVERTY}


@pytest.mark.parametrize("year", POVERTY)
def test_weighted_poverty_is_the_published_one(sumaria: dict[int, CleanTable], year: int) -> None:
    frame = sumaria[year].frame
    estimate = Mean(outcome="is_poor", weights="person_weight").fit(frame)
    assert 100 * estimate.tidy()["estimate"].item() == pytest.approx(POVERTY[year], abs=0.05)


@pytest.mark.parametrize("year", POVERTY)
def test_its_standard_error_is_taylor_s_by_hand(sumaria: dict[int, CleanTable], year: int) -> None:
    frame = sumaria[year].frame
    design = SurveyDesign(strata="estrato", psu="psu")
    fitted = Mean(outcome="is_poor", weights="person_weight").fit(frame, inference=design)
    weight, poor = frame["person_weight"].to_numpy(), frame["is_poor"].astype(float).to_numpy()
    share = np.average(poor, weights=weight)
    parts = pd.DataFrame({"h": frame["estrato"].astype("str"), "i": frame["psu"]})
    parts["z"] = weight * (poor - share) / weight.sum()
    totals = parts.groupby(["h", "i"])["z"].sum()
    spread = totals.groupby("h").agg(lambda z: len(z) / (len(z) - 1) * ((z - z.mean()) ** 2).sum())
    row = fitted.tidy().iloc[0]
    assert row["std_error"] == pytest.approx(np.sqrt(spread.sum()), rel=1e-10)
    # a design with clusters knows less than as many households drawn one by one
    assert row["std_error"] > 1.2 * np.sqrt(share * (1 - share) / len(frame))


def test_inei_s_poverty_is_spending_below_the_line_without_exception(sumaria: dict[int, CleanTable]) -> None:
    for table in sumaria.values():
        frame = table.frame
        assert frame["spending_to_line"].lt(1).eq(frame["is_poor"]).all()
        assert (frame["poverty_line"] > frame["extreme_poverty_line"]).all()
        assert frame.attrs["design"] == {"weight": "household_weight", "strata": "stratum", "psu": "psu"}


def test_deflators_cover_every_household_and_are_one_in_2020(sumaria: dict[int, CleanTable]) -> None:
    assert sumaria[2020].frame["time_deflator"].eq(1).all()
    means = [table.frame["time_deflator"].mean() for table in sumaria.values()]
    assert means == sorted(means)
    callao = sumaria[2015].frame["ubigeo"].str[:2].eq("07")
    lima = sumaria[2015].frame["ubigeo"].str[:2].eq("15")
    assert callao.any()
    assert set(sumaria[2015].frame.loc[callao, "time_deflator"]) == set(
        sumaria[2015].frame.loc[lima, "time_deflator"]
    )
    # the extracts lack the spatial deflator: nothing real is made of half a deflator
    assert all(table.frame["real_spending_month"].isna().all() for table in sumaria.values())


def test_dwellings_of_2019_are_the_households_of_sumaria(
    raw: RawFolder, sumaria: dict[int, CleanTable]
) -> None:
    housing = clean_housing(raw, 2019)
    assert dict(housing.provenance.dropped) == {"no interview": 9303}
    assert set(housing.frame["household_id"]) == set(sumaria[2019].frame["household_id"])
    assert housing.frame["altitude_m"].max() > 4000
    merged = housing.frame.merge(sumaria[2019].frame, on="household_id", suffixes=("", "_s"))
    shares = [
        np.average(group["has_piped_water"].astype(float), weights=group["person_weight_"])
        for _, group in merged.assign(person_weight_=merged["person_weight"]).groupby("is_poor")
    ]
    assert shares[0] > shares[1] + 0.1, "the poor have less piped water"


def test_persons_of_2019_belong_to_its_households(raw: RawFolder, sumaria: dict[int, CleanTable]) -> None:
    households = set(sumaria[2019].frame["household_id"])
    for clean_module, rows in ((clean_education, 116_590), (clean_employment, 92_094)):
        frame = clean_module(raw, 2019).frame
        assert len(frame) == rows
        assert set(frame["household_id"]) <= households
    education = clean_education(raw, 2019).frame
    years = education.groupby("education_level", observed=True)["years_of_schooling"]
    assert years.max()[["none", "initial", "primary", "secondary"]].tolist() == [0, 1, 7, 12]
    assert years.max()["primary_incomplete"] <= 6
    assert years.max()["secondary_incomplete"] <= 12
    assert years.mean()["university"] > years.mean()["university_incomplete"] > 12
    assert years.count()["special"] == 0


def test_an_extract_without_what_a_table_is_about_is_refused(raw: RawFolder) -> None:
    with pytest.raises(SchemaError, match=r"had_none \(P4025\)"):
        clean_health(raw, 2019)
    with pytest.raises(SchemaError, match="ubigeo"):
        clean_members(raw, 2019)


@pytest.mark.parametrize("year", [2024, 2025])
def test_hours_are_known_of_every_working_child(raw: RawFolder, year: int) -> None:
    frame = clean_child_work(raw, year).frame
    works = frame["is_working"].astype(bool)
    assert frame.loc[works, "work_hours"].between(1, 98).all()
    assert frame.loc[~works, "work_hours"].eq(0).all()
    labour = frame["is_child_labour"].astype(bool)
    assert (labour <= works).all()
    assert labour[works & frame["age_years"].le(11)].all()
    assert not labour[works & frame["age_years"].ge(15) & frame["work_hours"].le(42)].any()
