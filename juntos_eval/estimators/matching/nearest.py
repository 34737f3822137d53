"""Nearest-neighbour and radius matching: from places and choices to links."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.estimators.matching.distance import Places
from juntos_eval.numerics.closest_pairs import closest_pairs
from juntos_eval.numerics.greedy_pairs import pairs_in_space, pairs_on_line
from juntos_eval.numerics.links import Intervals, Listed
from juntos_eval.numerics.neighbours import Rule, nearest_on_line, sort_line, within_radius
from juntos_eval.numerics.neighbours_in_space import nearest_in_space
from juntos_eval.numerics.windowed_pairs import Windows, windowed_pairs

__all__ = ["NearestChoices", "link_nearest", "link_radius", "link_windowed", "nearest_of_own_arm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestChoices:
    """How nearest neighbours are chosen, in units of the places.

    Attributes
    ----------
    ratio : int
        Matches a target.
    is_replaced : bool
        Whether a pool row may serve several targets.
    caliper : float
        Infinity for none.
    tolerance : float
        Distances that differ by no more do not differ.
    squared_tolerance : float
        Nor do squares of distances that differ by no more.
    ties : str
        ``"all"``, ``"first"`` (as the rows stand) or ``"random"``.
    order : str
        Who chooses first without replacement: ``"largest"``, ``"smallest"``, ``"data"``, ``"random"``, or
        ``"closest"``: the nearest pair of all.
    seed : int or None
        Of what is random.

    Examples
    --------
    >>> from juntos_eval.estimators.matching.nearest import NearestChoices
    >>> NearestChoices(ratio=1, is_replaced=True, caliper=0.1, tolerance=0.0, ties="all",
    ...                order="data", seed=None).ratio
    1
    """

    ratio: int
    is_replaced: bool
    caliper: float
    tolerance: float
    squared_tolerance: float = 0.0
    ties: str
    order: str
    seed: int | None


def link_nearest(places: Places, targets: Codes, pool: Codes, choices: NearestChoices) -> Listed | Intervals:
    """Link targets to their nearest pool rows.

    Parameters
    ----------
    places : Places
        Of all n rows.
    targets, pool : numpy.ndarray of int64
        Rows.
    choices : NearestChoices

    Returns
    -------
    Listed or Intervals

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.distance import on_a_line
    >>> from juntos_eval.estimators.matching.nearest import NearestChoices, link_nearest
    >>> places = on_a_line(np.array([0.0, 0.1, 5.0]), np.zeros(3, dtype=np.int64), "score")
    >>> choices = NearestChoices(ratio=1, is_replaced=True, caliper=np.inf, tolerance=0.0, ties="all",
    ...                          order="data", seed=None)
    >>> link_nearest(places, np.array([0]), np.array([1, 2]), choices).counts.tolist()
    [1]
    """
    rng = np.random.default_rng(choices.seed)
    rule = _rule(choices, len(pool), rng)
    of_pool, of_targets = places.blocks[pool], places.blocks[targets]
    turns = (
        np.zeros(0, dtype=np.int64) if choices.is_replaced else _turns(places, targets, choices.order, rng)
    )
    if places.is_line:
        line = sort_line(places.line[pool], of_pool, rule.rank)
        if choices.is_replaced:
            return nearest_on_line(line, places.line[targets], of_targets, rule)
        if choices.order == "closest":
            return closest_pairs(line, places.line[targets], of_targets, rule)
        return pairs_on_line(line, places.line[targets], of_targets, turns, rule)
    points, blocks = (places.points[pool], places.points[targets]), (of_pool, of_targets)
    if choices.is_replaced:
        return nearest_in_space(*points, blocks, rule)
    return pairs_in_space(*points, blocks, turns, rule)


def link_windowed(
    places: Places, windows: Windows, targets: Codes, pool: Codes, choices: NearestChoices
) -> Listed:
    """Link targets to their nearest pool rows inside the calipers of several columns.

    Parameters
    ----------
    places : Places
        For the order of choosing.
    windows : Windows
        Of all n rows: the distance that decides, and the lines with a caliper.
    targets, pool : numpy.ndarray of int64
    choices : NearestChoices
        Whose caliper is that of the places.

    Returns
    -------
    Listed

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.distance import on_a_line
    >>> from juntos_eval.estimators.matching.nearest import NearestChoices, link_windowed
    >>> from juntos_eval.numerics.windowed_pairs import Windows
    >>> places = on_a_line(np.array([0.0, 0.1, 5.0]), np.zeros(3, dtype=np.int64), "score")
    >>> windows = Windows(points=places.points, lines=np.array([[0.0], [9.0], [1.0]]),
    ...                   calipers=np.array([2.0]), blocks=places.blocks)
    >>> choices = NearestChoices(ratio=1, is_replaced=True, caliper=np.inf, tolerance=0.0, ties="all",
    ...                          order="data", seed=None)
    >>> link_windowed(places, windows, np.array([0]), np.array([1, 2]), choices).indices.tolist()
    [1]
    """
    rng = np.random.default_rng(choices.seed)
    rule = _rule(choices, len(pool), rng)
    # the caliper of the places is one of the windows; that of the distance inside them is none
    inside = replace(rule, caliper=np.inf if places.is_line else rule.caliper)
    turns = np.arange(len(targets)) if choices.is_replaced else _turns(places, targets, choices.order, rng)
    return windowed_pairs(
        windows.of(targets), windows.of(pool), turns, inside, is_replaced=choices.is_replaced
    )


def link_radius(places: Places, targets: Codes, pool: Codes, radius: float) -> Intervals:
    """Link targets to every pool row within a radius, on a line.

    Parameters
    ----------
    places : Places
    targets, pool : numpy.ndarray of int64
    radius : float
        In units of the places.

    Returns
    -------
    Intervals

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.distance import on_a_line
    >>> from juntos_eval.estimators.matching.nearest import link_radius
    >>> places = on_a_line(np.array([0.0, 0.1, 5.0]), np.zeros(3, dtype=np.int64), "score")
    >>> link_radius(places, np.array([0]), np.array([1, 2]), 0.5).counts.tolist()
    [1]
    """
    line = sort_line(places.line[pool], places.blocks[pool])
    return within_radius(line, places.line[targets], places.blocks[targets], radius)


def nearest_of_own_arm(
    places: Places, rows: Codes, arm: Codes, neighbours: int, tolerance: float
) -> Listed | Intervals:
    """Link rows to themselves and to their nearest others of the same arm, ties included.

    Parameters
    ----------
    places : Places
    rows : numpy.ndarray of int64
        Rows of the arm whose neighbours are asked for.
    arm : numpy.ndarray of int64
        All rows of the arm.
    neighbours : int
        How many others.
    tolerance : float

    Returns
    -------
    Listed or Intervals
        Fewer links where the block of a row holds fewer of its arm.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.distance import on_a_line
    >>> from juntos_eval.estimators.matching.nearest import nearest_of_own_arm
    >>> places = on_a_line(np.array([0.0, 0.1, 5.0]), np.zeros(3, dtype=np.int64), "score")
    >>> nearest_of_own_arm(places, np.arange(3), np.arange(3), 1, 0.0).counts.tolist()
    [2, 2, 2]
    """
    rule = Rule(count=neighbours + 1, tolerance=tolerance)
    blocks = (places.blocks[arm], places.blocks[rows])
    if places.is_line:
        return nearest_on_line(sort_line(places.line[arm], blocks[0]), places.line[rows], blocks[1], rule)
    return nearest_in_space(places.points[arm], places.points[rows], blocks, rule)


def _rule(choices: NearestChoices, pool: int, rng: np.random.Generator) -> Rule:
    """Return how neighbours are chosen: by rank among equals, or all of them where they may be shared."""
    rank = np.arange(pool) if choices.ties != "random" else rng.permutation(pool)
    is_shared = choices.is_replaced and choices.ties == "all"
    return Rule(
        count=choices.ratio,
        caliper=choices.caliper,
        tolerance=choices.tolerance,
        squared_tolerance=choices.squared_tolerance if is_shared else 0.0,
        rank=None if is_shared else rank,
    )


def _turns(places: Places, targets: Codes, order: str, rng: np.random.Generator) -> Codes:
    """Return targets in the order in which they choose; equals as the rows stand."""
    if order == "random":
        return np.asarray(rng.permutation(len(targets)), dtype=np.int64)
    if order == "data" or not places.is_line:
        return np.arange(len(targets))
    height: Floats = places.line[targets]
    return np.argsort(-height if order == "largest" else height, kind="stable")
