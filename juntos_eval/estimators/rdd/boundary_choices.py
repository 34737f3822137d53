"""The choices of a geographic discontinuity, checked before any data are seen."""

from __future__ import annotations

from math import isfinite
from typing import Any

from juntos_eval.errors import DesignError
from juntos_eval.estimators.rdd.choices import bandwidth_pair, one_of
from juntos_eval.numerics.local_polynomial import KERNELS
from juntos_eval.numerics.rd_bandwidth import SELECTORS

__all__ = ["checked_boundary"]

METHODS = ("distance", "location", "polynomial")


def checked_boundary(choices: Any) -> None:
    """Raise for choices of :class:`BoundaryRD` that no data could make sense of.

    Raises
    ------
    DesignError
    """
    one_of("method", choices.method, METHODS, "BoundaryRD")
    one_of("kernel", choices.kernel, KERNELS, "BoundaryRD")
    needs_place = choices.method != "distance" or bool(choices.points)
    if needs_place and (choices.latitude is None or choices.longitude is None):
        _refuse(choices, "latitude= and longitude= are needed")
    if choices.method == "location" and not choices.points:
        _refuse(choices, "points= of the boundary are needed")
    if choices.method == "polynomial" and choices.points:
        _refuse(choices, "a polynomial has one effect and no points=")
    if choices.treatment is not None and choices.method != "distance":
        _refuse(choices, f"a fuzzy design (treatment={choices.treatment!r}) takes method='distance'")
    if choices.segment is not None and (choices.method == "location" or choices.points):
        _refuse(choices, "points say where along the boundary they lie: leave out segment=")
    if choices.covariates and choices.method == "location":
        _refuse(choices, "local polynomials in the plane take no covariates")
    _checked_numbers(choices)
    _checked_bandwidth(choices)
    for point in choices.points:
        if not (abs(point[0]) <= 90 and abs(point[1]) <= 180):
            _refuse(choices, f"the point {point} is no latitude and longitude in degrees")


def _checked_numbers(choices: Any) -> None:
    for name, least in (("degree", 1), ("order", 0)):
        value = getattr(choices, name)
        if int(value) != value or value < least:
            _refuse(choices, f"{name} is a whole number from {least} on, not {value!r}")
    if choices.within is not None and not (isfinite(choices.within) and choices.within > 0):
        _refuse(choices, f"within is a positive number of kilometres, not {choices.within!r}")
    if not isfinite(choices.cutoff):
        _refuse(choices, "the cutoff is not a number")


def _checked_bandwidth(choices: Any) -> None:
    given = choices.bandwidth
    if given is None:
        return
    if choices.method == "polynomial":
        _refuse(choices, "a polynomial takes within=, no bandwidth=")
    if isinstance(given, str):
        allowed = SELECTORS if choices.method == "distance" else ("mse", "imse")
        one_of("bandwidth", given, allowed, "BoundaryRD")
    elif choices.method == "location" and not isinstance(given, int | float):
        _refuse(choices, "a bandwidth in the plane is one number of kilometres")
    else:
        bandwidth_pair(given)


def _refuse(choices: Any, what: str) -> None:
    raise DesignError(what, where=f"BoundaryRD(method={choices.method!r})")
