r"""Distances from places to lines on the ellipsoid (WGS 84), and places as kilometres around a point.

The nearest point of a line is looked for among its nearest stretches, as a plane around the place shows them,
and then found on each by a golden section of the geodesic distance (Karney 2013, through PROJ).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError

__all__ = [
    "NearestOnLines",
    "geodesic_kilometres",
    "kilometres_around",
    "line_lengths",
    "nearest_on_lines",
    "points_along",
]

# axis in kilometres and squared eccentricity of WGS 84
_AXIS, _ECCENTRICITY = 6378.137, 0.0066943799901413165
_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
# halvings that bring a stretch of 100 km below a centimetre
_STEPS = 36
_CANDIDATES = 4
_PAIRS = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NearestOnLines:
    """The nearest point of the lines to each place.

    Attributes
    ----------
    distance : numpy.ndarray, shape (n,)
        In kilometres.
    along : numpy.ndarray, shape (n,)
        Kilometres from the start of the first line, all lines one after the other.
    point : numpy.ndarray, shape (n, 2)
        Longitude and latitude.
    """

    distance: Floats
    along: Floats
    point: Floats


def geodesic() -> Any:
    """Return the ellipsoid.

    Raises
    ------
    DesignError
        Where pyproj is not installed.
    """
    try:
        from pyproj import Geod
    except ImportError as error:
        raise DesignError(
            "distances on the ellipsoid need pyproj",
            where="the extra 'geo' is not installed",
            remedy="pip install 'juntos-eval[geo]'",
        ) from error
    return Geod(ellps="WGS84")


def geodesic_kilometres(start: Floats, end: Floats) -> Floats:
    """Return distances between places (n, 2), longitude before latitude.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.geodesic_lines import geodesic_kilometres
    >>> geodesic_kilometres(np.array([[-72.0, 0.0]]), np.array([[-73.0, 0.0]])).round(3).tolist()
    [111.319]
    """
    metres = geodesic().inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])[2]
    return np.asarray(metres, dtype=np.float64) / 1000.0


def kilometres_around(longitude: Floats, latitude: Floats, centre: tuple[float, float]) -> Floats:
    """Return places as kilometres east and north of a centre, (n, 2).

    Radii of curvature are those half-way in latitude: within 100 km, in the latitudes of Peru, lengths are
    right to some parts in ten thousand.

    Parameters
    ----------
    longitude, latitude : numpy.ndarray, shape (n,)
        Degrees.
    centre : tuple of float
        Longitude and latitude.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.geodesic_lines import kilometres_around
    >>> kilometres_around(np.array([-72.0]), np.array([1.0]), (-72.0, 0.0)).round(3).tolist()
    [[0.0, 110.574]]
    """
    half = np.radians((latitude + centre[1]) / 2.0)
    shape = 1.0 - _ECCENTRICITY * np.sin(half) ** 2
    east = _AXIS / np.sqrt(shape) * np.cos(half) * np.radians(longitude - centre[0])
    north = _AXIS * (1.0 - _ECCENTRICITY) / shape**1.5 * np.radians(latitude - centre[1])
    return np.column_stack([east, north])


def line_lengths(lines: tuple[Floats, ...]) -> Floats:
    """Return the length of each line (m, 2) in kilometres."""
    return np.array([geodesic_kilometres(line[:-1], line[1:]).sum() for line in lines])


def points_along(lines: tuple[Floats, ...], count: int) -> Floats:
    """Return the middles of so many stretches of equal length, (count, 2), longitude before latitude.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.geodesic_lines import points_along
    >>> points_along((np.array([[-72.0, -14.0], [-72.0, -13.0]]),), 2).round(2).tolist()
    [[-72.0, -13.75], [-72.0, -13.25]]
    """
    starts = np.concatenate([line[:-1] for line in lines])
    ends = np.concatenate([line[1:] for line in lines])
    length = geodesic_kilometres(starts, ends)
    reached = np.cumsum(length)
    at = (np.arange(count) + 0.5) / count * reached[-1]
    stretch = np.minimum(np.searchsorted(reached, at), len(length) - 1)
    share = 1.0 - (reached[stretch] - at) / length[stretch]
    return np.asarray(starts[stretch] + share[:, None] * (ends - starts)[stretch])


def nearest_on_lines(longitude: Floats, latitude: Floats, lines: tuple[Floats, ...]) -> NearestOnLines:
    """Find the nearest point of lines to each place.

    Parameters
    ----------
    longitude, latitude : numpy.ndarray, shape (n,)
        Degrees.
    lines : tuple of numpy.ndarray, shape (m, 2)
        Longitude and latitude of their corners, straight in degrees between them.

    Returns
    -------
    NearestOnLines

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.geodesic_lines import nearest_on_lines
    >>> line = np.array([[-72.0, -14.0], [-72.0, -13.0]])
    >>> found = nearest_on_lines(np.array([-71.0]), np.array([-13.5]), (line,))
    >>> found.distance.round(2).tolist(), found.point.round(2).tolist()
    ([108.26], [[-72.0, -13.5]])
    """
    starts = np.concatenate([line[:-1] for line in lines])
    ends = np.concatenate([line[1:] for line in lines])
    before = np.concatenate([[0.0], np.cumsum(geodesic_kilometres(starts, ends))])
    places, which = np.unique(np.column_stack([longitude, latitude]), axis=0, return_inverse=True)
    distance, along = np.empty(len(places)), np.empty(len(places))
    point = np.empty((len(places), 2))
    stretch = max(1, _PAIRS // len(starts))
    for first in range(0, len(places), stretch):
        here = slice(first, first + stretch)
        near = _candidates(places[here], starts, ends)
        distance[here], point[here], along[here] = _refined(places[here], (starts, ends, before), near)
    which = which.reshape(-1)
    return NearestOnLines(distance=distance[which], along=along[which], point=point[which])


def _candidates(places: Floats, starts: Floats, ends: Floats) -> Codes:
    """Return the nearest stretches of each place, in a plane scaled by its latitude, (n, candidates)."""
    scale = np.cos(np.radians(places[:, 1]))[:, None]
    step = ends - starts
    east, north = step[None, :, 0] * scale, step[None, :, 1]
    from_east = (places[:, None, 0] - starts[None, :, 0]) * scale
    from_north = places[:, None, 1] - starts[None, :, 1]
    length = east**2 + north**2
    share = (from_east * east + from_north * north) / np.where(length > 0, length, 1.0)
    share = np.clip(share, 0.0, 1.0)
    squared = (from_east - share * east) ** 2 + (from_north - share * north) ** 2
    count = min(_CANDIDATES, len(starts))
    return np.asarray(np.argpartition(squared, count - 1, axis=1)[:, :count])


def _refined(
    places: Floats, stretches: tuple[Floats, Floats, Floats], near: Codes
) -> tuple[Floats, Floats, Floats]:
    starts, ends, before = stretches
    n, count = near.shape
    here = np.repeat(places, count, axis=0)
    first, step = starts[near.ravel()], (ends - starts)[near.ravel()]

    def away(share: Floats) -> Floats:
        return geodesic_kilometres(here, first + share[:, None] * step)

    low, high = np.zeros(n * count), np.ones(n * count)
    inner, outer = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_inner, at_outer = away(inner), away(outer)
    for _ in range(_STEPS):
        left = at_inner <= at_outer
        high, low = np.where(left, outer, high), np.where(left, low, inner)
        fresh = np.where(left, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        value = away(fresh)
        inner, outer = np.where(left, fresh, outer), np.where(left, inner, fresh)
        at_inner, at_outer = np.where(left, value, at_outer), np.where(left, at_inner, value)
    # the ends themselves, which a section only comes close to
    shares = np.column_stack([(low + high) / 2.0, np.zeros(n * count), np.ones(n * count)])
    lengths = np.column_stack([away(share) for share in shares.T])
    pick = lengths.argmin(axis=1)
    every = np.arange(n * count)
    length, share = lengths[every, pick].reshape(n, count), shares[every, pick]
    best = length.argmin(axis=1)
    flat = np.arange(n) * count + best
    stretch = near.ravel()[flat]
    point = first[flat] + share[flat, None] * step[flat]
    along = before[stretch] + share[flat] * (before[stretch + 1] - before[stretch])
    return length[np.arange(n), best], point, along
