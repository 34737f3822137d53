"""Wide panel releases to long: every shape of name, key widths, attrition, and the real extracts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.enaho.panel import (
    HOUSEHOLD_UNITS,
    attrition,
    panel_layout,
    panel_to_long,
    panel_wave,
    poverty_transition,
)


@pytest.mark.parametrize(
    ("names", "window", "expected"),
    [
        (["COD_HOGPAN", "AÑO07", "P10107", "MES08"], (2007, 2010), {2007: {"año", "p101"}, 2008: {"mes"}}),
        (["num_hog", "con_07", "hpan0711", "domionio_07"], (2007, 2011), {2007: {"conglome", "dominio"}}),
        (["Num_hog", "AÑO_11", "tipenc_2011"], (2011, 2015), {2011: {"año", "tipenc"}}),
        (["cenl", "pobreza_16", "facpanel1617"], (2013, 2017), {2016: {"pobreza"}}),
        (
            ["numper", "numpanh15", "mes_15", "p400a3_19"],
            (2015, 2019),
            {2015: {"numpanh", "mes"}, 2019: {"p400a3"}},
        ),
        (["numpanh", "hpanel_19_21s", "ingtpu01_23"], (2019, 2023), {2023: {"ingtpu01"}}),
    ],
)
def test_items_are_found_in_every_release_s_spelling(
    names: list[str], window: tuple[int, int], expected: dict[int, set[str]]
) -> None:
    layout = panel_layout(names, window=window)
    assert {year: set(wave) for year, wave in layout.waves.items() if wave} == expected
    assert not [
        name for name in layout.fixed if "pan1" in name or "pan0" in name or "pan_" in name.lower()[:5]
    ]


def test_an_item_name_that_ends_in_digits_is_not_a_year_outside_the_window() -> None:
    layout = panel_layout(["numpanh", "nbi1_18", "p710_04_18", "p710_04_19"], window=(2018, 2022))
    assert set(layout.waves[2018]) == {"nbi1", "p710_04"}
    assert layout.fixed == ("numpanh",)


def test_every_release_names_its_units() -> None:
    assert set(HOUSEHOLD_UNITS) == {2010, 2011, *range(2015, 2025)}


def test_keys_of_every_width_are_padded_and_absent_waves_left_out() -> None:
    wide = pd.DataFrame(
        {
            "NUM_HOG": [1, 2, 3],
            "con_10": ["0153", "", None],
            "viv_10": [12.0, np.nan, np.nan],
            "con_11": [153.0, 99.0, np.nan],
            "viv_11": [12.0, 7.0, np.nan],
            "pobreza_11": [1, 3, np.nan],
        }
    )
    long = panel_to_long(wide, unit="num_hog", window=(2010, 2011))
    assert long[["unit", "year", "conglome", "vivienda"]].to_numpy().tolist() == [
        [1, 2010, "000153", "012"],
        [1, 2011, "000153", "012"],
        [2, 2011, "000099", "007"],
    ]
    assert list(panel_wave(wide, window=(2010, 2011), year=2010).index) == [0]


@pytest.mark.parametrize(
    ("wide", "unit", "message"),
    [
        ({"a": [1], "mes_18": [1]}, "numpanh", "No column numpanh"),
        ({"numpanh": [1, 1], "mes_18": [1, 2]}, "numpanh", "2 repeated"),
        ({"numpanh": [1, None], "mes_18": [1, 2]}, "numpanh", "1 missing"),
        ({"numpanh": [1], "mes_11": [1]}, "numpanh", "No column bears a year"),
        ({"numpanh": [1], "mes_18": [1], "MES_18": [1]}, "numpanh", "both the mes of 2018"),
    ],
)
def test_files_that_are_no_panel_are_refused(wide: dict[str, list[float]], unit: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        panel_to_long(pd.DataFrame(wide), unit=unit, window=(2018, 2019))


def test_an_item_no_wave_has_is_named() -> None:
    wide = pd.DataFrame({"numpanh": [1], "mes_18": [1]})
    with pytest.raises(SchemaError, match="No wave has pobreza"):
        panel_to_long(wide, unit="numpanh", window=(2018, 2019), items=["pobreza"])


def test_attrition_counts_entry_stay_and_return() -> None:
    seen = {1: (2018, 2019, 2020), 2: (2018, 2020), 3: (2018,), 4: (2019, 2020)}
    long = pd.DataFrame(
        [{"unit": unit, "year": year, "w": float(unit)} for unit in seen for year in seen[unit]]
    )
    table = attrition(long, weight="w").set_index(["entered", "year"])
    counts = table[["units", "present", "returned"]].T.to_dict("list")
    assert counts[2018, 2019] == [3, 1, 0]
    assert counts[2018, 2020] == [3, 2, 1]
    assert table.loc[(2018, 2020), "retained"] == pytest.approx((1 + 2) / (1 + 2 + 3))
    assert table.loc[(2019, 2020), "retained"] == 1
    with pytest.raises(SchemaError, match="1 interviews stand twice"):
        attrition(pd.concat([long, long.iloc[:1]]))


@pytest.fixture(scope="module")
def extracts(shared_data: Path) -> Path:
    folder = shared_data / "peru" / "enaho" / "panel"
    if not folder.is_dir():
        pytest.skip(f"no panel extracts at {folder}: the real panel is not checked")
    return folder


def test_the_real_extract_of_2015_2019_becomes_five_rows_a_person(extracts: Path) -> None:
    wide = pd.read_stata(extracts / "enaho-panel-2015-2019-modulo400-extract.dta", convert_categoricals=False)
    long = panel_to_long(wide, unit="numper", window=(2015, 2019))
    assert len(long) == 5 * 5546
    assert set(long.columns) == {"unit", "year", "numpanh", "mes", "ubigeo", "dominio", "p400a3", "p4022"}
    assert set(attrition(long)["retained"]) == {1.0}
    born = long.groupby("unit")["p400a3"].nunique()
    assert 0.5 < born.eq(1).mean() <= 1, "most give one year of birth in all five waves"
    back = long.pivot_table(index="unit", columns="year", values="p4022")
    assert back[2017].dropna().tolist() == wide.set_index("numper")["p4022_17"].sort_index().dropna().tolist()


@pytest.mark.parametrize("pair", ["1718", "1819", "1920", "2021"])
def test_real_poverty_transitions_are_those_of_their_own_code(extracts: Path, pair: str) -> None:
    frame = pd.read_stata(extracts / f"data_vul_{pair}.dta", convert_categoricals=False)
    assert frame["numpanh"].is_unique
    was_poor = frame["rpobre"].eq(1).astype("boolean")
    became_poor = frame["rvul"].isin([1, 2]).astype("boolean")
    codes = {"falls_into_poverty": 1, "stays_poor": 2, "stays_out": 3, "leaves_poverty": 4}
    assert (
        poverty_transition(was_poor, became_poor).map(codes).astype(int).eq(frame["rvul"].astype(int)).all()
    )


def test_real_households_leave_the_panel(extracts: Path) -> None:
    frames = [
        pd.read_stata(extracts / f"data_vul_{pair}.dta", columns=["numpanh"]).assign(
            year=2000 + int(pair[:2])
        )
        for pair in ("1718", "1819", "1920", "2021")
    ]
    table = attrition(pd.concat(frames).rename(columns={"numpanh": "unit"}))
    first = table[table["entered"].eq(2017)].sort_values("year")
    assert first["retained"].is_monotonic_decreasing
    assert 0.4 < first["retained"].iloc[1] < 0.9
