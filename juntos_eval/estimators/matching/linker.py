"""From choices and places to links: which rows each target draws on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimators.design import Selection
from juntos_eval.estimators.matching.distance import Places, place_in_space
from juntos_eval.estimators.matching.kernel import cross_validated_bandwidth, link_kernel
from juntos_eval.estimators.matching.matching_choices import SMOOTHED, STRATIFIED
from juntos_eval.estimators.matching.nearest import (
    NearestChoices,
    link_nearest,
    link_radius,
    link_windowed,
)
from juntos_eval.estimators.matching.strata import subclasses
from juntos_eval.numerics.links import Links, Listed
from juntos_eval.numerics.local_linear_links import LocalLinearLinks
from juntos_eval.numerics.optimal_matching import full_sets, optimal_pairs, stretches
from juntos_eval.numerics.windowed_pairs import Windows

__all__ = ["Linker", "in_strata"]

# squares of standardised distances that R's Matching takes for equal
SQUARES_ALIKE = 1e-5

# from the rate that predicts best to one at which the bias of a mean vanishes faster than its error
UNDERSMOOTHING = 1 / 5 - 1 / 3


def in_strata(strata: Codes) -> Places:
    """Return places at which rows of a stratum stand together, apart from all others.

    Parameters
    ----------
    strata : numpy.ndarray of int64, shape (n,)

    Returns
    -------
    Places

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.linker import in_strata
    >>> in_strata(np.array([0, 1, 0])).blocks.tolist()
    [0, 1, 0]
    """
    return Places(points=np.zeros((len(strata), 1)), blocks=strata, unit=1.0, is_line=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linker:
    """What links targets to the rows that stand for them.

    Attributes
    ----------
    choices : Matching
        Typed loosely: Matching imports this module.
    chosen : Selection
    treated, supported : numpy.ndarray of bool, shape (n,)
    base : numpy.ndarray, shape (n,)
        What a row's share in a match is proportional to, beside its link.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.design import select
    >>> from juntos_eval.estimators.matching.linker import Linker
    >>> from juntos_eval.estimators.matching.matching import Matching
    >>> rows = select(pd.DataFrame({"d": [1, 0], "x": [1.0, 2.0]}), required=("d",), covariates=("x",))
    >>> both = np.ones(2, dtype=np.bool_)
    >>> choices = Matching(treatment="d", covariates=("x",))
    >>> Linker(choices=choices, chosen=rows, treated=both, supported=both, base=np.ones(2)).choices.method
    'nearest'
    """

    choices: Any
    chosen: Selection
    treated: Bools
    supported: Bools
    base: Floats

    def places(self, places: Places) -> Places:
        """Return the places that are matched on: subclasses of the distance, where the method makes them."""
        choices = self.choices
        if choices.method == "subclass":
            found = np.full(self.chosen.n, -1, dtype=np.int64)
            for block in np.unique(places.blocks):
                here = np.flatnonzero((places.blocks == block) & self.supported)
                if len(here):
                    arm = self.treated[here]
                    cut = subclasses(places.line[here], arm, choices.estimand, choices.subclasses)
                    found[here] = found.max() + 1 + cut
            return in_strata(_apart(found))
        return places

    def links(self, places: Places) -> Callable[[Codes, Codes], Links]:
        """Return what links targets to the rows they draw on."""
        choices = self.choices
        if choices.method == "full":
            # the sets say who stands for whom; how outcomes vary is still read along the distance
            sets = in_strata(_apart(self._full(places)))
            return lambda targets, pool: link_radius(sets, targets, pool, 0.0)
        if choices.method in STRATIFIED:
            return lambda targets, pool: link_radius(places, targets, pool, 0.0)
        if choices.method in SMOOTHED:
            return partial(self._kernel, places)
        caliper = self._caliper(places)
        if choices.method == "radius":
            return lambda targets, pool: link_radius(places, targets, pool, caliper)
        if choices.method == "optimal":
            return partial(self._optimal, places, caliper)
        return self._nearest(places, caliper)

    def _nearest(self, places: Places, caliper: float) -> Callable[[Codes, Codes], Links]:
        choices = self.choices
        nearest = NearestChoices(
            ratio=choices.ratio,
            is_replaced=choices.replace,
            caliper=caliper,
            tolerance=choices.tie_tolerance * places.unit,
            squared_tolerance=SQUARES_ALIKE * places.unit**2 if choices.ties == "matching" else 0.0,
            ties="all" if choices.ties == "matching" else choices.ties,
            order=choices.order,
            seed=choices.seed,
        )
        if choices.mahalanobis or choices.calipers:
            windows = self._windows(places, caliper)
            return lambda targets, pool: link_windowed(places, windows, targets, pool, nearest)
        return lambda targets, pool: link_nearest(places, targets, pool, nearest)

    def _caliper(self, places: Places) -> float:
        unit = places.unit if self.choices.caliper_in_sd else 1.0
        return np.inf if self.choices.caliper is None else self.choices.caliper * unit

    def _full(self, places: Places) -> Codes:
        one = np.flatnonzero(self.treated & self.supported)
        other = np.flatnonzero(~self.treated & self.supported)
        caliper = self._caliper(places)
        parts = _parts(places, caliper)
        sets = full_sets(_distance(places, one, other), (parts[one], parts[other]), caliper=caliper)
        found = np.full(self.chosen.n, -1, dtype=np.int64)
        found[one], found[other] = sets
        return found

    def _optimal(self, places: Places, caliper: float, targets: Codes, pool: Codes) -> Listed:
        parts = _parts(places, caliper)
        return optimal_pairs(
            _distance(places, targets, pool),
            (parts[targets], parts[pool]),
            count=self.choices.ratio,
            between=self.choices.ratio_range,
            caliper=caliper,
        )

    def _kernel(self, places: Places, targets: Codes, pool: Codes) -> Links:
        choices, chosen = self.choices, self.chosen
        if isinstance(choices.bandwidth, str):
            outcome = chosen.columns[str(choices.outcome)][pool]
            bandwidth = cross_validated_bandwidth(
                places, pool, outcome, chosen.weights[pool], choices.kernel, ridge=choices.smoothing_ridge
            )
            if choices.bandwidth == "undersmoothed":
                bandwidth *= len(pool) ** UNDERSMOOTHING
        else:
            bandwidth = float(choices.bandwidth)
        links = link_kernel(places, targets, pool, choices.kernel, bandwidth)
        if choices.smoothing_ridge is None:
            return links
        return LocalLinearLinks(kernel_links=links, base=self.base[pool], ridge=choices.smoothing_ridge)

    def _windows(self, places: Places, caliper: float) -> Windows:
        """Return the distance that decides among rows, and the lines on which calipers are kept."""
        choices = self.choices
        lines, calipers, points = [], [], places.points
        if choices.mahalanobis:
            columns = self._columns(choices.mahalanobis)
            inside = place_in_space(
                columns, self.treated, places.blocks, distance="mahalanobis", covariance=choices.covariance
            )
            points = inside.points
        if places.is_line:
            lines.append(places.line)
            calipers.append(caliper)
        for name, width in choices.calipers.items():
            column = self._columns((name,))[:, 0]
            lines.append(column)
            calipers.append(width * (float(column.std(ddof=1)) if choices.caliper_in_sd else 1.0))
        return Windows(
            points=points,
            lines=np.column_stack(lines),
            calipers=np.array(calipers),
            blocks=places.blocks,
        )

    def _columns(self, names: tuple[str, ...]) -> Floats:
        known = self.chosen.covariate_names
        positions = [
            at for at, column in enumerate(known) if column.partition("[")[0] in names or column in names
        ]
        absent = [name for name in names if not any(name in (one, one.partition("[")[0]) for one in known)]
        if absent:
            raise DesignError(
                f"mahalanobis and calipers are about covariates, and {', '.join(absent)} is none",
                where=f"covariates {', '.join(known)}",
                remedy="name it among the covariates",
            )
        return self.chosen.covariates[:, positions]


def _apart(strata: Codes) -> Codes:
    """Give each row outside all strata one of its own."""
    outside = np.flatnonzero(strata < 0)
    numbers = strata.copy()
    numbers[outside] = strata.max(initial=-1) + 1 + np.arange(len(outside))
    return numbers


def _parts(places: Places, caliper: float) -> Codes:
    return stretches(places.line, places.blocks, caliper) if places.is_line else places.blocks


def _distance(places: Places, one: Codes, other: Codes) -> Callable[[Codes, Codes], Floats]:
    def distance(here: Codes, there: Codes) -> Floats:
        from scipy.spatial.distance import cdist

        return np.asarray(cdist(places.points[one[here]], places.points[other[there]]))

    return distance
