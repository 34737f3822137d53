"""Faults of what files hold: names, codes, keys, weights, joins, designs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from juntos_eval.errors import DesignError, InferenceError, SchemaError
from juntos_eval.estimators.means import Mean
from juntos_eval.inference.survey_design import SurveyDesign
from juntos_eval.surveys.codebook import parse_codebook
from juntos_eval.surveys.enaho import build_households, clean_food_security
from juntos_eval.surveys.enaho.schema import MEMBERS
from juntos_eval.surveys.harmonise import open_table
from juntos_eval.surveys.provenance import Provenance
from juntos_eval.surveys.schema import finish
from tests.surveys.bad_input.scene import Fault, Scene
from tests.surveys.invented import YEAR, invent

Ask = Callable[[], Any]
Change = Callable[[pd.DataFrame], pd.DataFrame]


def _members(change: Change) -> Callable[[Scene], Ask]:
    def prepare(scene: Scene) -> Ask:
        scene.survey.members = change(scene.survey.members.copy())
        scene.write()
        return scene.members

    return prepare


def _programmes(change: Change) -> Callable[[Scene], Ask]:
    def prepare(scene: Scene) -> Ask:
        scene.survey.programmes = change(scene.survey.programmes.copy())
        scene.write()
        return scene.programmes

    return prepare


def _set(column: str, value: str, row: int = 2) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.index[row], column] = value
        return frame

    return change


def _all(column: str, value: str) -> Change:
    return lambda frame: frame.assign(**{column: value})


def _two_years(scene: Scene) -> Ask:
    scene.survey.encoding = "utf-8"
    return _programmes(lambda frame: frame.rename(columns={YEAR: "a—o"}).assign(apo="1"))(scene)


def _year_without_map(scene: Scene) -> Ask:
    raw = scene.write().raw()
    return lambda: open_table(raw, survey="enaho", table="members", year=1999)


def _two_heads(scene: Scene) -> Ask:
    scene.survey.members = _set("P203", "1", 1)(scene.survey.members.copy())
    scene.write()
    return scene.households


def _tables_of_two_years(scene: Scene) -> Ask:
    members = scene.write().members()
    other = Scene(folder=scene.folder / "other", survey=invent(2024)).write().programmes()
    return lambda: build_households(members, other)


def _merge_explosion(scene: Scene) -> Ask:
    scene.write()
    food = clean_food_security(scene.raw(), 2025)
    doubled = replace(food, frame=pd.concat([food.frame, food.frame.head(7)], ignore_index=True))
    members, programmes = scene.members(), scene.programmes()
    return lambda: build_households(members, programmes, food_security=doubled)


def _districts_of_another_coding(scene: Scene) -> Ask:
    shifted = [
        f"{int(code) + 130000:06d}" if code != "NA" else code for code in scene.survey.districts["inei"]
    ]
    scene.survey.districts = scene.survey.districts.assign(inei=shifted)
    scene.write()
    return scene.households


def _districts_twice(scene: Scene) -> Ask:
    scene.survey.districts = pd.concat([scene.survey.districts, scene.survey.districts.head(2)])
    scene.write()
    return scene.households


def _rows_unaccounted(scene: Scene) -> Ask:
    made = scene.write().members()
    account = Provenance(survey="enaho", table="", year=2025, rows_in=len(made.frame) + 3, rows_out=0)
    return lambda: finish(made.frame, MEMBERS, account)


def _codebook(columns: str, codes: str = "") -> Callable[[Scene], Ask]:
    head = "table,name,kind,is_needed,width,unit,label_en,label_es,note,2025\n"
    return lambda _scene: (
        lambda: parse_codebook("x", head + columns, "table,name,code,value,status,label_es\n" + codes)
    )


def _design(frame: pd.DataFrame, weights: str | None = None) -> Callable[[Scene], Ask]:
    design = SurveyDesign(strata="stratum", psu="psu")
    return lambda _scene: lambda: Mean(outcome="y", weights=weights).fit(frame, inference=design)


def _drawn(**columns: Any) -> pd.DataFrame:
    base = {"y": np.arange(6.0), "stratum": [1, 1, 1, 1, 2, 2], "psu": [1, 1, 2, 2, 3, 4], "w": 1.0}
    return pd.DataFrame(base | columns)


CONTENT = [
    Fault(
        name="a year without a map",
        prepare=_year_without_map,
        error=SchemaError,
        says="has no map of columns",
    ),
    Fault(
        name="a needed column that is not there",
        error=SchemaError,
        says="needed columns are not in the file",
        prepare=_members(lambda frame: frame.drop(columns="P208A")),
    ),
    Fault(
        name="two columns that could be the year",
        prepare=_two_years,
        error=SchemaError,
        says="2 columns could be year",
    ),
    Fault(
        name="a year column of two years",
        prepare=_members(_set(YEAR, "2019")),
        error=SchemaError,
        says="its year column says 2019",
    ),
    Fault(
        name="a code that nobody declared",
        prepare=_members(_set("P207", "7")),
        error=SchemaError,
        says="codes are unknown: 7 (1 rows)",
    ),
    Fault(
        name="a text where a code stands",
        prepare=_members(_set("P207", "hombre")),
        error=SchemaError,
        says="are no numbers",
    ),
    Fault(
        name="a decimal comma",
        prepare=_members(_set("FACPOB07", "87,5")),
        error=SchemaError,
        says="are no numbers",
    ),
    Fault(
        name="an infinite number",
        prepare=_members(_set("P208A", "inf")),
        error=SchemaError,
        says="are no numbers",
    ),
    Fault(
        name="an age of 200",
        prepare=_members(_set("P208A", "200")),
        error=SchemaError,
        says="breaks its schema: age_years",
    ),
    Fault(
        name="a negative weight",
        prepare=_members(_set("FACPOB07", "-3.5")),
        error=SchemaError,
        says="1 negative",
    ),
    Fault(
        name="a weight of zero", prepare=_programmes(_set("FACTOR07", "0")), error=SchemaError, says="1 zero"
    ),
    Fault(
        name="a missing weight",
        prepare=_programmes(_set("FACTOR07", "")),
        error=SchemaError,
        says="1 missing",
    ),
    Fault(
        name="a file concatenated twice",
        error=SchemaError,
        says="stand in more than one row",
        prepare=_members(lambda frame: pd.concat([frame, frame])),
    ),
    Fault(
        name="one household key twice",
        error=SchemaError,
        says="stand in more than one row",
        prepare=_programmes(lambda frame: pd.concat([frame, frame.head(1)])),
    ),
    Fault(
        name="keys wider than declared",
        prepare=_members(_set("CONGLOME", "99015000")),
        error=SchemaError,
        says="Keys have up to 8 characters",
    ),
    Fault(
        name="a key that a spreadsheet rounded",
        prepare=_members(_set("CONGLOME", "1.5E+4")),
        error=SchemaError,
        says="other than digits",
    ),
    Fault(
        name="a missing key",
        prepare=_members(_set("CONGLOME", "")),
        error=SchemaError,
        says="A key is missing",
    ),
    Fault(
        name="a negative key",
        prepare=_members(_set("HOGAR", "-1")),
        error=SchemaError,
        says="other than digits",
    ),
    Fault(
        name="a household with two heads", prepare=_two_heads, error=SchemaError, says="more than one head"
    ),
    Fault(
        name="nobody has Juntos",
        prepare=_programmes(_all("P710$04", "0")),
        error=SchemaError,
        says="No household has Juntos",
    ),
    Fault(
        name="tables of two years",
        prepare=_tables_of_two_years,
        error=SchemaError,
        says="of different years: 2024, 2025",
    ),
    Fault(
        name="a join that would multiply households",
        prepare=_merge_explosion,
        error=SchemaError,
        says="the join would multiply households",
    ),
    Fault(
        name="districts of another coding",
        prepare=_districts_of_another_coding,
        error=SchemaError,
        says="60 of 60 households lie in no district",
    ),
    Fault(
        name="a district twice",
        prepare=_districts_twice,
        error=SchemaError,
        says="stand in more than one row",
    ),
    Fault(
        name="rows that nobody accounts for",
        prepare=_rows_unaccounted,
        error=SchemaError,
        says="3 rows of members are unaccounted for",
    ),
    Fault(
        name="a key without width in columns.csv",
        error=SchemaError,
        says="is a key without width",
        prepare=_codebook("t,id,key,1,,,Id,Id,,ID\n"),
    ),
    Fault(
        name="a code twice in codes.csv",
        error=SchemaError,
        says="twice",
        prepare=_codebook("t,sex,code,1,,,Sex,Sexo,,P207\n", "t,sex,1,male,good,h\nt,sex,1,female,good,m\n"),
    ),
    Fault(
        name="a code column without codes",
        error=SchemaError,
        says="has no codes",
        prepare=_codebook("t,sex,code,1,,,Sex,Sexo,,P207\n"),
    ),
    Fault(
        name="strata with one PSU",
        error=InferenceError,
        says="PSU",
        prepare=_design(_drawn(psu=[1, 1, 2, 2, 3, 3])),
    ),
    Fault(
        name="a missing stratum",
        error=DesignError,
        says="stratum",
        prepare=_design(_drawn(stratum=[1, 1, 1, 1, 2, np.nan])),
    ),
    Fault(
        name="negative weights in an estimate",
        error=DesignError,
        says="negative",
        prepare=_design(_drawn(w=[1, 1, 1, 1, 1, -1.0]), weights="w"),
    ),
]
