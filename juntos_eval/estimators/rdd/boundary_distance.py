r"""Signed distance from the boundary of a treated area, on the ellipsoid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimators.design import require_frame, select
from juntos_eval.numerics.geodesic_lines import line_lengths, nearest_on_lines, points_along

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["boundary_lines", "boundary_points", "signed_distance"]

# reference systems that are degrees of longitude and latitude on WGS 84
_DEGREES = ("CRS84", "EPSG::4326", "EPSG:4326")
_KM_A_DEGREE = 110.574


def boundary_lines(
    *, treated: Any, control: Any = None, tolerance_km: float = 2.0
) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Return the boundary between two areas as lines of longitude and latitude.

    Parameters
    ----------
    treated : GeoJSON mapping, shapely geometry, or several of them
        Polygons in degrees of longitude and latitude (WGS 84).
    control : the same, optional
        With it, only the part of the treated area's outline that lies within the tolerance of the control
        area: no coast, no border of the country, no edge of what was sampled.
    tolerance_km : float
        Polygons that were simplified apart do not meet exactly.

    Returns
    -------
    tuple of lines, each a tuple of (longitude, latitude)
        From the western end of each on, in the order of their westernmost points.

    Raises
    ------
    DesignError
        Where shapely is not installed, the coordinates are no degrees, or the areas have no boundary in
        common.

    Examples
    --------
    >>> from juntos_eval.estimators.rdd import boundary_lines
    >>> def square(west):
    ...     corners = [[west, -14], [west + 1, -14], [west + 1, -13], [west, -13], [west, -14]]
    ...     return {"type": "Polygon", "coordinates": [corners]}
    >>> lines = boundary_lines(treated=square(-72), control=square(-73), tolerance_km=0.001)
    >>> [[round(float(value), 3) for value in corner] for corner in (lines[0][0], lines[0][-1])]
    [[-72.0, -14.0], [-72.0, -13.0]]
    """
    if not tolerance_km > 0:
        raise DesignError(
            "a tolerance is a positive number of kilometres", where=f"tolerance_km={tolerance_km}"
        )
    shapely = _shapely()
    area = _area(treated, "treated")
    outline = area.boundary
    if control is not None:
        outline = outline.intersection(_area(control, "control").buffer(tolerance_km / _KM_A_DEGREE))
    merged = shapely.line_merge(outline) if outline.geom_type != "LineString" else outline
    parts = [part for part in shapely.get_parts(merged) if part.geom_type == "LineString" and part.length > 0]
    if not parts:
        raise DesignError(
            "the areas have no boundary in common",
            where=f"treated within {_box(area)}, tolerance {tolerance_km:g} km",
            remedy="check that both areas are in longitude and latitude, and that they touch",
        )
    lines = [tuple((float(x), float(y)) for x, y, *_ in part.coords) for part in parts]
    ordered = [line if line[0] <= line[-1] else line[::-1] for line in lines]
    return tuple(sorted(ordered, key=min))


def boundary_points(
    lines: tuple[tuple[tuple[float, float], ...], ...], count: int
) -> tuple[tuple[float, float], ...]:
    """Return points of a boundary at equal distances, for effects along it.

    Parameters
    ----------
    lines : tuple of lines
        As of :func:`boundary_lines`.
    count : int

    Returns
    -------
    tuple of (latitude, longitude)
        The middle of each of so many stretches of equal length.

    Examples
    --------
    >>> from juntos_eval.estimators.rdd import boundary_points
    >>> [round(latitude, 2) for latitude, _ in boundary_points((((-72, -14), (-72, -13)),), 2)]
    [-13.75, -13.25]
    """
    if int(count) != count or count < 1:
        raise DesignError("count is a positive whole number", where=f"count={count!r}")
    found = points_along(tuple(np.array(line, float) for line in lines), int(count))
    return tuple((float(north), float(east)) for east, north in found)


def signed_distance(
    data: DataFrame,
    *,
    latitude: str,
    longitude: str,
    treated: Any,
    control: Any = None,
    segments: int | None = None,
    tolerance_km: float = 2.0,
) -> DataFrame:
    """Return each row's distance from the boundary of a treated area: positive inside, negative outside.

    Distances are geodesic on WGS 84, from the row's place to the nearest point of the boundary.

    Parameters
    ----------
    data : pandas.DataFrame
        Not changed.
    latitude, longitude : str
        Columns in degrees, south and west negative. A row without them has no distance.
    treated, control, tolerance_km
        As of :func:`boundary_lines`.
    segments : int, optional
        Cut the boundary into so many stretches of equal length and say which is nearest.

    Returns
    -------
    pandas.DataFrame
        On the index of the data: ``distance_km``; ``along_km``, the nearest point's place along the boundary;
        ``nearest_longitude``, ``nearest_latitude``; with ``segments`` also ``segment``, from 0 on.

    Raises
    ------
    DesignError
        For coordinates that are no degrees, polygons in another projection, and where places and boundary lie
        further apart than the boundary is long: then one of the two is somewhere else.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import signed_distance
    >>> corners = [[-72, -14], [-71, -14], [-71, -13], [-72, -13], [-72, -14]]
    >>> square = {"type": "Polygon", "coordinates": [corners]}
    >>> frame = pd.DataFrame({"lat": [-13.5, -13.5], "lon": [-71.9, -72.1]})
    >>> found = signed_distance(frame, latitude="lat", longitude="lon", treated=square)
    >>> found["distance_km"].round(2).tolist()
    [10.83, -10.83]
    """
    require_frame(data)
    if segments is not None and (int(segments) != segments or segments < 1):
        raise DesignError("segments is a positive whole number", where=f"segments={segments!r}")
    shapely = _shapely()
    lines = boundary_lines(treated=treated, control=control, tolerance_km=tolerance_km)
    chosen = select(data, numeric=(latitude, longitude))
    north, east = chosen.columns[latitude], chosen.columns[longitude]
    _require_degrees(north, 90.0, latitude)
    _require_degrees(east, 180.0, longitude)
    found = nearest_on_lines(east, north, tuple(np.array(line) for line in lines))
    length = float(line_lengths(tuple(np.array(line) for line in lines)).sum())
    if found.distance.min() > length:
        raise DesignError(
            "no place lies near the boundary",
            where=f"columns '{latitude}', '{longitude}': nearest {found.distance.min():,.0f} km away, "
            f"places around ({east.mean():.2f}, {north.mean():.2f}), boundary within {_corners(lines)}",
            remedy="check the signs (south and west are negative) and which column is the latitude",
        )
    area = _area(treated, "treated")
    shapely.prepare(area)
    inside = shapely.intersects_xy(area, east, north)
    columns = {
        "distance_km": np.where(inside, found.distance, -found.distance),
        "along_km": found.along,
        "nearest_longitude": found.point[:, 0],
        "nearest_latitude": found.point[:, 1],
    }
    if segments is not None:
        columns["segment"] = np.minimum(np.floor(found.along / length * segments), segments - 1.0)
    frame = pd.DataFrame(columns, index=data.index[chosen.rows])
    if chosen.n < len(data):
        # an index may repeat itself, places in the frame do not
        frame = frame.set_axis(chosen.rows).reindex(range(len(data))).set_axis(data.index)
    return frame


def _shapely() -> Any:
    try:
        import shapely
    except ImportError as error:
        raise DesignError(
            "areas need shapely",
            where="the extra 'geo' is not installed",
            remedy="pip install 'juntos-eval[geo]'",
        ) from error
    return shapely


def _area(given: Any, name: str) -> Any:
    """Return the union of the polygons that were given, in degrees."""
    shapely = _shapely()
    geometries = list(_geometries(given, name))
    if not geometries:
        raise DesignError(f"the {name} area has no polygon", where=f"{name}=")
    other = sorted({one.geom_type for one in geometries} - {"Polygon", "MultiPolygon"})
    if other:
        raise DesignError(
            f"the {name} area is not made of polygons", where=f"{', '.join(other)} among {len(geometries)}"
        )
    broken = [at for at, one in enumerate(geometries) if not one.is_valid]
    fixed = (
        [shapely.make_valid(one) if not one.is_valid else one for one in geometries] if broken else geometries
    )
    area = shapely.union_all(fixed)
    west, south, east, north = area.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise DesignError(
            f"the {name} area is not in degrees of longitude and latitude",
            where=f"coordinates within {_box(area)}",
            remedy="project it to WGS 84 (EPSG:4326) first; UTM coordinates are metres",
        )
    return area


def _geometries(given: Any, name: str) -> Iterable[Any]:
    shapely = _shapely()
    if isinstance(given, shapely.Geometry):
        yield given
    elif isinstance(given, Mapping):
        _require_system(given, name)
        kind = given.get("type")
        if kind == "FeatureCollection":
            for feature in given["features"]:
                yield shapely.geometry.shape(feature["geometry"])
        else:
            yield shapely.geometry.shape(given["geometry"] if kind == "Feature" else given)
    elif isinstance(given, Iterable) and not isinstance(given, str):
        for one in given:
            yield from _geometries(one, name)
    else:
        raise DesignError(
            f"the {name} area is neither GeoJSON nor a shapely geometry", where=type(given).__name__
        )


def _require_system(given: Mapping[str, Any], name: str) -> None:
    """Refuse GeoJSON that says itself that it is in another reference system."""
    system = given.get("crs")
    if not system:
        return
    text = (
        str(system.get("properties", {}).get("name", system)) if isinstance(system, Mapping) else str(system)
    )
    if not text.endswith(_DEGREES):
        raise DesignError(
            f"the {name} area is in another reference system",
            where=f"crs {text}",
            remedy="project it to WGS 84 (EPSG:4326, OGC:CRS84) first",
        )


def _require_degrees(values: Floats, most: float, column: str) -> None:
    out = np.abs(values) > most
    if out.any():
        raise DesignError(
            f"the column '{column}' does not hold degrees",
            where=f"column '{column}', {int(out.sum())} rows beyond {most:g}, "
            f"from {values.min():g} to {values.max():g}",
            remedy="give latitude and longitude in decimal degrees of WGS 84, not UTM metres",
        )


def _corners(lines: tuple[tuple[tuple[float, float], ...], ...]) -> str:
    corners = np.concatenate([np.array(line) for line in lines])
    (west, south), (east, north) = corners.min(axis=0), corners.max(axis=0)
    return f"({west:.2f}, {south:.2f}) to ({east:.2f}, {north:.2f})"


def _box(area: Any) -> str:
    west, south, east, north = area.bounds
    return f"({west:.6g}, {south:.6g}) to ({east:.6g}, {north:.6g})"
