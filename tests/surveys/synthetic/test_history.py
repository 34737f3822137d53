"""Synthetic years 2004-2025: files read as INEI's would; margins and what was planted come out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from juntos_eval.paths import RawFolder
from juntos_eval.surveys import enaho
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.enaho.exposure import district_exposure
from juntos_eval.surveys.enaho.juntos_status import cross_check, juntos_status
from juntos_eval.surveys.enaho.panel import open_wave, panel_to_long
from juntos_eval.surveys.harmonise import open_table
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.read import RawTable, read_raw
from juntos_eval.surveys.synthetic.history import HISTORY_MODULES, write_history
from juntos_eval.surveys.synthetic.history_model import HISTORY_YEARS, HistoryModel

CLEANERS: dict[str, Callable[[RawFolder, int], CleanTable]] = {
    "sumaria": enaho.clean_sumaria,
    "members": enaho.clean_members,
    "education": enaho.clean_education,
    "employment": enaho.clean_employment,
    "health": enaho.clean_health,
    "housing": enaho.clean_housing,
    "programmes": enaho.clean_programmes,
}
#: Not written: the module has no map in the year.
GAPS = {("health", 2022), *(("programmes", year) for year in range(2004, 2012))}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every year and module, small."""
    folder = tmp_path_factory.mktemp("history")
    write_history(folder, seed=7, households=500)
    return folder


#: Years in which names, codes, keys or formats change; the others are alike and take their time.
TURNS = (2004, 2007, 2011, 2012, 2014, 2018, 2020, 2022, 2025)


@pytest.mark.parametrize(
    "year", [year if year in TURNS else pytest.param(year, marks=pytest.mark.slow) for year in HISTORY_YEARS]
)
def test_every_module_of_every_year_is_cleaned(small: Path, year: int) -> None:
    raw = RawFolder.at(small)
    assert raw.is_synthetic
    households = None
    for table in HISTORY_MODULES:
        if (table, year) in GAPS:
            assert not load_codebook("enaho").maps(table, year)
            continue
        made = CLEANERS[table](raw, year)
        assert made.provenance.is_synthetic
        assert len(made.frame) > 300
        listed = set(made.frame["household_id"])
        households = listed if households is None else households
        assert listed <= households, (table, year)
    assert households is not None


@pytest.mark.parametrize(
    ("year", "name", "start"),
    [
        (2004, "sumaria-2004.dta", bytes([110, 2])),
        (2018, "sumaria-2018.dta", b"<stata_dta>"),
        (2025, "sumaria-2025.csv", "año".encode("latin-1")),
    ],
)
def test_files_have_the_format_of_their_year(small: Path, year: int, name: str, start: bytes) -> None:
    content = (small / "enaho" / str(year) / name).read_bytes()
    assert content.lower().startswith(start.lower())


def test_keys_drift_and_codes_carry_inei_s_texts(small: Path) -> None:
    old = read_raw(small / "enaho" / "2011" / "enaho01-2011-100.dta").frame
    new = read_raw(small / "enaho" / "2012" / "enaho01-2012-100.dta").frame
    old.columns, new.columns = old.columns.str.lower(), new.columns.str.lower()
    assert set(old["conglome"].str.len()) == {4}
    assert set(new["conglome"].str.len()) == {6}
    assert {"p111", "p111a"} & set(old) == {"p111"}
    assert {"p111", "p111a"} & set(new) == {"p111a"}
    labelled = pd.read_stata(small / "enaho" / "2012" / "enaho01-2012-100.dta")
    assert "red pública de desagüe dentro de la vivienda" in set(labelled["p111a"])


def test_the_same_seed_gives_the_same_bytes_whatever_else_is_written(small: Path, tmp_path: Path) -> None:
    write_history(tmp_path / "a", seed=7, households=500, years=(2013,), modules=("members", "programmes"))
    for name in ("enaho01-2013-200.dta", "enaho01-2013-700.dta"):
        assert (tmp_path / "a" / "enaho" / "2013" / name).read_bytes() == (
            small / "enaho" / "2013" / name
        ).read_bytes()
    write_history(tmp_path / "b", seed=8, households=600, years=(2013,), modules=("members",))
    path = Path("enaho") / "2013" / "enaho01-2013-200.dta"
    assert (tmp_path / "a" / path).read_bytes() != (tmp_path / "b" / path).read_bytes()


def test_nobody_has_juntos_before_the_programme_and_ever_more_do_later(small: Path) -> None:
    raw = RawFolder.at(small)
    assert enaho.clean_sumaria(raw, 2004).frame["has_juntos_income"].isna().all()
    shares = [
        np.mean([enaho.clean_sumaria(raw, year).frame["has_juntos_income"].mean() for year in years])
        for years in ((2006, 2007), (2010, 2011), (2016, 2017), (2023, 2024))
    ]
    assert shares == sorted(shares)
    assert 0.03 < shares[1] < shares[3] < 0.25


def test_juntos_sources_agree_but_not_wholly(small: Path) -> None:
    raw = RawFolder.at(small)
    tables = {name: CLEANERS[name](raw, 2014).frame for name in ("sumaria", "employment", "programmes")}
    checked = cross_check(juntos_status(2014, **tables))
    assert len(checked) == 3
    assert checked["agreement"].between(0.95, 0.9999).all()
    assert checked["kappa"].between(0.6, 1).all()


def test_exposure_from_the_invented_rollout_is_what_lets_households_in(small: Path) -> None:
    raw = RawFolder.at(small)
    frame = enaho.clean_sumaria(raw, 2010).frame
    made = district_exposure(frame, small / "synthetic_rollout.csv")
    has_juntos = frame["has_juntos_income"].astype(bool)
    assert (made.loc[has_juntos, "months_of_exposure"] >= HistoryModel().delay_months).all()
    assert made["exposure_basis"].isin(["month", "unknown"]).all()


def test_a_third_of_the_clusters_is_a_panel_that_loses_households(small: Path) -> None:
    raw = RawFolder.at(small)
    seen = {year: set(enaho.clean_sumaria(raw, year).frame["household_id"]) for year in (2015, 2016)}
    again = len(seen[2015] & seen[2016]) / len(seen[2015])
    # 0.34 of the clusters, four of five cohorts come back, a tenth of the households is lost
    assert again == pytest.approx(0.34 * 0.8 * 0.9, abs=0.06)
    heads = [enaho.clean_members(raw, year).frame.query("codperso == '01'") for year in (2015, 2016)]
    both = heads[0].merge(heads[1], on="household_id", suffixes=("", "_later"))
    assert both["sex"].eq(both["sex_later"]).all()
    assert both["age_years_later"].sub(both["age_years"]).eq(1).all()
    assert both["ubigeo"].eq(both["ubigeo_later"]).all()
    two_years_on = set(enaho.clean_sumaria(raw, 2017).frame["household_id"])
    assert len(seen[2015] & two_years_on) / len(seen[2015]) == pytest.approx(0.34 * 0.6 * 0.81, abs=0.06)
    old = enaho.clean_sumaria(raw, 2011).frame["household_id"]
    assert not set(old) & set(enaho.clean_sumaria(raw, 2012).frame["household_id"]), "renumbered in 2012"


def test_a_wide_panel_of_annual_files_gives_back_each_year(small: Path, tmp_path: Path) -> None:
    raw = RawFolder.at(small)
    years = (2015, 2016, 2017)
    wide: pd.DataFrame | None = None
    for year in years:
        annual = read_raw(small / "enaho" / str(year) / f"sumaria-{year}.dta").frame
        key = annual["conglome"] + annual["vivienda"] + annual["hogar"]
        renamed = annual.add_suffix(f"_{year % 100}").assign(numpanh=key.to_numpy())
        wide = renamed if wide is None else wide.merge(renamed, on="numpanh", how="outer")
    assert wide is not None
    path = tmp_path / "wide.parquet"
    wide.to_parquet(path)
    table: RawTable = read_raw(path)
    for year in years:
        wave = open_wave(table, table="sumaria", window=(2015, 2017), year=year).frame
        annual_frame = open_table(raw, survey="enaho", table="sumaria", year=year).frame
        first, second = (
            frame.sort_values(["conglome", "vivienda"], ignore_index=True) for frame in (wave, annual_frame)
        )
        pd.testing.assert_frame_equal(first, second)
    long = panel_to_long(wide, unit="numpanh", window=(2015, 2017), items=["pobreza", "factor07"])
    assert long.groupby("year").size().to_dict() == {
        year: len(read_raw(small / "enaho" / str(year) / f"sumaria-{year}.dta").frame) for year in years
    }
