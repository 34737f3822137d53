"""The boundary of the mining mita on ENAHO 2015-2019, which are not part of the repository.

The shared data's README gives "about -0.39, s.e. 0.07, on 14,454 households in 206 districts as a first look"
and no specification. Ours were settled after several regressions had been looked at: Dell's (2010) polynomial
in latitude and longitude of degree 3 within 100 km with four segments, the plane (degree 1) beside it, survey
weights, clusters by district, and the local polynomial in the distance from the boundary. The first two agree
with the README within a standard error; the last sees no jump at the boundary itself.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.estimators.rdd import BoundaryRD, boundary_lines, boundary_points, signed_distance
from juntos_eval.reporting.figures import Setting
from juntos_eval.reporting.figures.rd_boundary import BoundaryMap, boundary_figure
from juntos_eval.reporting.language import language

PERU = Path(__file__).resolve().parents[4] / "shared" / "data" / "peru"
FIRST_LOOK = -0.39
BASE: dict[str, Any] = {
    "outcome": "log_spending",
    "running": "km",
    "cluster": "ubigeo",
    "weights": "factor07",
}
PLACE: dict[str, Any] = {"latitude": "latitude", "longitude": "longitude"}


def path(name: str) -> Path:
    found = PERU / name
    if not found.exists():
        pytest.skip(f"mita data absent: {found}")
    return found


@cache
def areas() -> dict[str, Any]:
    districts = pd.read_stata(path("mita/HVMell.dta")).astype({"ubigeo": int})
    content = json.loads(path("geo/peru_distrital_simple.geojson").read_text(encoding="utf-8"))
    shapes = {int(each["properties"]["IDDIST"]): each["geometry"] for each in content["features"]}
    inside = districts["pothuan_mita"] == 1
    return {
        "districts": districts,
        "treated": [shapes[ubigeo] for ubigeo in districts.loc[inside, "ubigeo"]],
        "control": [shapes[ubigeo] for ubigeo in districts.loc[~inside, "ubigeo"]],
    }


@cache
def households() -> pd.DataFrame:
    """Households of 2015-2019 in the districts, at the place of their district's capital."""
    made = areas()
    # the file gives degrees south and west as positive numbers
    places = made["districts"].assign(latitude=lambda d: -d["lat"], longitude=lambda d: -d["lon"])
    near = signed_distance(places, **PLACE, treated=made["treated"], control=made["control"], segments=4)
    districts = pd.concat([places, near], axis=1)
    # two capitals lie within 600 m of the simplified boundary, on the other side of it than their district
    side = np.where(districts["pothuan_mita"] == 1, 1, -1)
    assert (districts.loc[side * districts["distance_km"] < 0, "distance_km"].abs() < 0.6).all()
    districts["km"] = side * districts["distance_km"].abs()
    columns = ["ubigeo", "mieperho", "gashog2d", "factor07"]
    years = [
        pd.read_stata(path(f"enaho/sumaria/sumaria-{year}.dta"), columns=columns)
        for year in range(2015, 2020)
    ]
    rows = pd.concat(years).astype({"ubigeo": int}).merge(districts, on="ubigeo")
    return rows.assign(log_spending=np.log(rows["gashog2d"] / rows["mieperho"] / 12))


def test_the_sample_is_the_described_one() -> None:
    rows = households()
    assert (len(rows), rows["ubigeo"].nunique()) == (14_454, 206)


@pytest.mark.parametrize(("degree", "value", "error"), [(3, -0.41512, 0.09062), (1, -0.42454, 0.07049)])
def test_dells_polynomial(degree: int, value: float, error: float) -> None:
    design = BoundaryRD(**BASE, **PLACE, method="polynomial", degree=degree, within=100, segment="segment")
    found = design.fit(households())
    assert found.values[0] == pytest.approx(value, abs=1e-4)
    assert found.uncertainty.std_error[0] == pytest.approx(error, abs=1e-4)
    low, high = found.interval()[0]
    assert low < FIRST_LOOK < high < 0


def test_no_jump_is_seen_at_the_boundary_itself() -> None:
    found = BoundaryRD(**BASE).fit(households())
    assert found.values[2] == pytest.approx(0.0898, abs=1e-3)
    low, high = found.interval()[2]
    assert low < 0 < high
    assert low > FIRST_LOOK  # and the polynomial's number is outside of its interval


def test_effects_along_the_boundary_and_their_map() -> None:
    rows, made = households(), areas()
    lines = boundary_lines(treated=made["treated"], control=made["control"])
    points = boundary_points(lines, 6)
    found = BoundaryRD(**BASE, **PLACE, method="location", points=points).fit(rows)
    northeast, southwest = found.values[17], found.values[2]
    assert northeast == pytest.approx(-0.3307, abs=1e-3)
    assert southwest > 0
    once = rows.drop_duplicates("ubigeo")
    shown = BoundaryMap(
        lines=lines,
        longitude=once["longitude"].to_numpy(),
        latitude=once["latitude"].to_numpy(),
        is_treated=(once["km"] >= 0).to_numpy(),
        estimate=found,
    )
    drawing = boundary_figure(shown, Setting(words=language("es"), width="column", is_synthetic=False))
    assert "206 lugares" in drawing.alt
    assert len(drawing.figure.axes) == 2
