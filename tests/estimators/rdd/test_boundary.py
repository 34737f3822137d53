"""Distances from a boundary, effects at it and along it: hand calculations, promises and bad input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from juntos_eval.errors import DesignError
from juntos_eval.estimators.rdd import (
    BoundaryRD,
    RegressionDiscontinuity,
    boundary_lines,
    boundary_points,
    signed_distance,
)
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.multiplier_bootstrap import MultiplierBootstrap
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.geodesic_lines import geodesic_kilometres, kilometres_around, nearest_on_lines
from juntos_eval.numerics.point_polynomial import monomials

WEST = shapely.box(-73, -14, -72, -13)
EAST = shapely.box(-72, -14, -71, -13)
PLACE: dict[str, Any] = {"latitude": "lat", "longitude": "lon"}
BASE: dict[str, Any] = {"outcome": "y", "running": "km", **PLACE}


def simulated(n: int = 1500, seed: int = 7, bend: float = 0.0) -> pd.DataFrame:
    """SIMULATED: the east is treated, by 2 at the south end of the boundary and 3 at the north end."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"lon": rng.uniform(-73, -71, n), "lat": rng.uniform(-14, -13, n)})
    frame["km"] = 108.26 * (frame["lon"] + 72)
    along = frame["lat"] + 14
    level = frame["lon"] + along + bend * (frame["lon"] + 72) ** 2
    frame["y"] = level + (2 + along) * (frame["km"] >= 0) + rng.normal(size=n) * 0.5
    return frame.assign(v=rng.integers(0, 60, n), w=rng.uniform(1, 2, n), s=(along > 0.5) * 1)


def test_nearest_points_are_those_of_a_fine_search() -> None:
    rng = np.random.default_rng(2)
    line = np.cumsum(rng.normal(size=(30, 2)) * 0.2, axis=0) + np.array([-72.0, -14.0])
    east, north = rng.uniform(-74, -70, 25), rng.uniform(-16, -12, 25)
    found = nearest_on_lines(east, north, (line,))
    share = np.linspace(0, 1, 401)[:, None, None]
    fine = (line[None, :-1] + share * np.diff(line, axis=0)[None]).reshape(-1, 2)
    for at in range(25):
        here = np.tile([east[at], north[at]], (len(fine), 1))
        away = geodesic_kilometres(here, fine)
        assert found.distance[at] <= away.min() + 1e-9
        assert found.distance[at] == pytest.approx(away.min(), abs=0.01)
    assert 0 <= found.along.min() <= found.along.max() <= geodesic_kilometres(line[:-1], line[1:]).sum()


def test_signs_segments_and_missing_places() -> None:
    frame = pd.DataFrame({"lat": [-13.9, -13.1, np.nan, -13.5], "lon": [-71.9, -72.1, -72.0, -71.0]})
    frame.index = pd.Index([5, 5, 6, 7])
    before = frame.copy()
    found = signed_distance(frame, **PLACE, treated=[EAST], control=WEST, segments=2, tolerance_km=0.01)
    assert found["distance_km"].round(1).tolist()[:2] == [10.8, -10.8]
    assert np.isnan(found["distance_km"].iloc[2])
    assert found["segment"].tolist()[:2] == [0, 1]
    # the eastern edge is no boundary: nobody was sampled beyond it
    assert found["distance_km"].iloc[3] == pytest.approx(108.26, abs=0.02)
    pd.testing.assert_frame_equal(frame, before)
    alone = signed_distance(frame, **PLACE, treated=EAST)
    assert alone["distance_km"].iloc[3] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"treated": shapely.box(180000, 8450000, 280000, 8550000)}, "degrees"),
        ({"treated": {"type": "Polygon", "crs": {"properties": {"name": "EPSG:32718"}}}}, "reference system"),
        ({"treated": shapely.Point(-72, -13)}, "polygons"),
        ({"treated": []}, "no polygon"),
        ({"treated": 3}, "neither GeoJSON"),
        ({"control": shapely.box(10, 10, 11, 11)}, "no boundary in common"),
        ({"latitude": "lon", "longitude": "lat"}, "lies near"),
        ({"latitude": "km"}, "degrees"),
        ({"segments": 0}, "segments"),
        ({"tolerance_km": -1}, "tolerance"),
    ],
)  # fmt: skip
def test_places_and_areas_that_do_not_belong_together(change: dict[str, Any], match: str) -> None:
    with pytest.raises(DesignError, match=match):
        signed_distance(simulated(50), **{**PLACE, "treated": EAST, **change})
    north = simulated(50).assign(lat=lambda rows: -rows["lat"])
    with pytest.raises(DesignError, match="lies near"):
        signed_distance(north, **PLACE, treated=EAST)


def test_distance_is_a_discontinuity_with_segment_effects() -> None:
    frame = simulated()
    choices: dict[str, Any] = {"outcome": "y", "running": "km", "cluster": "v", "weights": "w"}
    found = BoundaryRD(**choices, segment="s", within=90).fit(frame)
    near = frame[frame["km"].abs() <= 90]
    alone = RegressionDiscontinuity(**choices, covariates=("s",)).fit(near)
    np.testing.assert_allclose(found.values, alone.values, rtol=1e-10)
    np.testing.assert_allclose(found.uncertainty.std_error, alone.uncertainty.std_error, rtol=1e-10)
    assert sum(found.sample.dropped.values()) == len(frame) - len(near)


def test_polynomial_is_dells_regression() -> None:
    frame = simulated()
    found = BoundaryRD(**BASE, method="polynomial", degree=2, segment="s").fit(frame, inference=Robust("HC1"))
    design = np.column_stack(
        [
            frame["km"] >= 0,
            frame["s"],
            monomials(frame[["lat", "lon"]].to_numpy() + np.array([13.5, 72.0]), 2),
        ]
    ).astype(float)
    coefficients, *_ = np.linalg.lstsq(design, frame["y"], rcond=None)
    residual = frame["y"].to_numpy() - design @ coefficients
    bread = np.linalg.inv(design.T @ design)
    meat = (design * residual[:, None] ** 2).T @ design
    n, k = design.shape
    assert found.values[0] == pytest.approx(coefficients[0], rel=1e-8)
    assert found.uncertainty.std_error[0] == pytest.approx(
        np.sqrt((bread @ meat @ bread)[0, 0] * n / (n - k)), rel=1e-8
    )


def test_location_is_two_weighted_planes() -> None:
    frame = simulated()
    design = BoundaryRD(**BASE, method="location", points=((-13.4, -72.0),), bandwidth=40, weights="w")
    found = design.fit(frame)
    level = []
    east = (frame["lon"] + 72).to_numpy() * 108.26
    north = (frame["lat"] + 13.4).to_numpy() * 110.63
    for side in (frame["km"] < 0, frame["km"] >= 0):
        u = np.column_stack([east, north])[side] / 40
        kernel = np.maximum(1 - np.hypot(*u.T), 0) * frame["w"][side]
        root = np.sqrt(kernel.to_numpy())[:, None]
        plane = monomials(u, 1)
        level.append(np.linalg.lstsq(root * plane, root[:, 0] * frame["y"][side], rcond=None)[0][0])
    # flat kilometres of one latitude against those around the point
    assert found.values[0] == pytest.approx(level[1] - level[0], abs=2e-4)
    assert found.fit is not None
    step = 1e-5
    row = int(np.argmin(np.hypot(east - 5, north)))
    up, down = (
        design.fit(frame.assign(w=frame["w"] + sign * step * (np.arange(len(frame)) == row))).values
        for sign in (1, -1)
    )
    slope = (up - down) / (2 * step) * frame["w"].iloc[row]
    np.testing.assert_allclose(found.fit.influence.dense()[row], slope, rtol=1e-4)


def test_effects_along_the_boundary_are_found() -> None:
    """The planted effect grows from 2 to 3; a bent surface needs the bias correction."""
    points = boundary_points(boundary_lines(treated=EAST, control=WEST, tolerance_km=0.001), 3)
    # three points share rows: a joint band is narrower than three intervals made wider one by one
    design = BoundaryRD(**BASE, method="location", points=points, cluster="v")
    covered = []
    for seed in range(12):
        found = design.fit(simulated(seed=seed, bend=1.0))
        low, high = found.interval()[2::3].T
        truth = np.array([2 + point[0] + 14 for point in points] + [2.5])
        covered.append((low <= truth) & (truth <= high))
        assert np.abs(found.values[2::3] - truth).max() < 1.2
    assert np.mean(covered) > 0.8
    rule = MultiplierBootstrap(draws=199, seed=1)
    banded = replace(design, cluster=None, bandwidth="imse").fit(simulated(), inference=rule)
    wide, single = banded.interval(simultaneous=True), banded.interval()
    assert (wide[:, 1] - wide[:, 0] > single[:, 1] - single[:, 0]).all()
    again = design.fit(simulated(), inference=Cluster("v"))
    np.testing.assert_allclose(again.values, design.fit(simulated()).values)
    assert len({design.fit(simulated()).details[name]["h_km"] for name in again.keys["group"][:9]}) == 3


def test_points_by_distance_share_their_rows() -> None:
    design = BoundaryRD(**BASE, points=((-13.7, -72.0), (-13.3, -72.0)), bandwidth=45)
    found = design.fit(simulated())
    assert found.keys["group"][::3] == ("(-13.7, -72)", "(-13.3, -72)", "weighted")
    assert found.uncertainty.covariance[2, 5] > 0
    low, high = found.interval()[2::3].T
    assert (low[:2] < [2.3, 2.7]).all()
    assert (high[:2] > [2.3, 2.7]).all()


@pytest.mark.parametrize(
    ("choices", "match"),
    [
        ({"method": "map"}, "method"),
        ({"method": "location"}, "points"),
        ({"method": "polynomial", "latitude": None}, "latitude"),
        ({"method": "polynomial", "points": ((-13, -72),)}, "one effect"),
        ({"method": "polynomial", "bandwidth": 10}, "within"),
        ({"method": "location", "points": ((-13, -72),), "treatment": "v"}, "fuzzy"),
        ({"method": "location", "points": ((-13, -72),), "bandwidth": "mserd"}, "bandwidth"),
        ({"points": ((-13, -72),), "segment": "s"}, "segment"),
        ({"points": ((-113, -72),)}, "degrees"),
        ({"within": 0}, "within"),
        ({"degree": 0, "method": "polynomial"}, "degree"),
    ],
)
def test_choices_that_make_no_sense(choices: dict[str, Any], match: str) -> None:
    with pytest.raises(DesignError, match=match):
        BoundaryRD(**{**BASE, **choices})


@pytest.mark.parametrize(
    ("choices", "change", "match"),
    [
        ({}, {"km": 3.0}, "one side"),
        ({"within": 0.00001}, {}, "no row lies within"),
        ({"method": "polynomial"}, {"lat": 400.0}, "degrees"),
        ({"method": "location", "points": ((-13.5, -72.0),), "bandwidth": 0.5}, {}, r"at the point \(-13.5"),
        ({"method": "location", "points": ((-13.5, -72.0),)}, {"lat": -13.5}, "too few"),
        ({"cluster": "gone"}, {}, "no column"),
    ],
)
def test_rows_that_cannot_answer(choices: dict[str, Any], change: dict[str, Any], match: str) -> None:
    with pytest.raises(DesignError, match=match):
        BoundaryRD(**{**BASE, **choices}).fit(simulated(300).assign(**change))


def test_flat_kilometres_are_those_of_the_ellipsoid_also_far_from_the_equator() -> None:
    centre = (20.0, 70.0)
    longitude, latitude = np.array([20.0, 20.5, 20.3]), np.array([70.3, 70.0, 69.8])
    flat = np.linalg.norm(kilometres_around(longitude, latitude, centre), axis=1)
    start = np.tile(np.array(centre), (3, 1))
    geodesic = geodesic_kilometres(start, np.column_stack([longitude, latitude]))
    # north alone it is exact to the change of the radius on the way
    assert flat[0] == pytest.approx(geodesic[0], rel=1e-6)
    assert flat == pytest.approx(geodesic, rel=2e-3)
