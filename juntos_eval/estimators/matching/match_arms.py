"""The steps of a matched design: where rows stand, who is on the common support, who is matched."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats, encode
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Groups
from juntos_eval.estimators.design import Selection
from juntos_eval.estimators.matching.distance import SCORES, SPACES, Places, on_a_line, place_in_space
from juntos_eval.estimators.matching.matched_design import ArmMatches, MatchedDesign
from juntos_eval.estimators.matching.score import Score, fit_score
from juntos_eval.numerics.links import Links, Shares

__all__ = ["common_support", "exact_blocks", "match_arms", "matching_checks", "place_rows"]


def exact_blocks(groups: Mapping[str, Groups], exact: tuple[str, ...], rows: int) -> Codes:
    """Return the block of each row: rows that agree in all exact columns share one.

    Parameters
    ----------
    groups : Mapping of str to Groups
    exact : tuple of str
    rows : int

    Returns
    -------
    numpy.ndarray of int64, shape (rows,)

    Examples
    --------
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.estimators.matching.match_arms import exact_blocks
    >>> exact_blocks({"area": Groups([0, 1, 0], ("rural", "urban"))}, ("area",), 3).tolist()
    [0, 1, 0]
    """
    blocks = np.zeros(rows, dtype=np.int64)
    for name in exact:
        blocks = encode(blocks * groups[name].count + groups[name].codes)[0]
    return blocks


def place_rows(
    chosen: Selection, treated: Bools, blocks: Codes, *, distance: str, covariance: str, weight_score: bool
) -> tuple[Places, Score | None]:
    """Return where the rows stand by a distance, and the score where it is one of a score.

    Parameters
    ----------
    chosen : Selection
    treated : numpy.ndarray of bool, shape (n,)
    blocks : numpy.ndarray of int64, shape (n,)
    distance : str
        A score, a distance in space, or the name of a column.
    covariance : str
        As in :func:`~juntos_eval.estimators.matching.distance.place_in_space`.
    weight_score : bool
        Whether the score is fitted with the sampling weights.

    Returns
    -------
    Places, Score or None

    Raises
    ------
    DesignError
        If the score does not exist or nothing varies.
    """
    if distance in SCORES:
        link, is_linear = SCORES[distance]
        weights = chosen.weights if weight_score else np.ones(chosen.n)
        score = fit_score(treated, chosen.covariates, chosen.covariate_names, weights, link=link)
        return on_a_line(score.linear if is_linear else score.probability, blocks, distance), score
    if distance in SPACES:
        places = place_in_space(chosen.covariates, treated, blocks, distance=distance, covariance=covariance)
        return places, None
    return on_a_line(chosen.columns[distance], blocks, distance), None


def common_support(places: Places, treated: Bools) -> Bools:
    """Return the rows between the larger minimum and the smaller maximum of the two arms.

    Parameters
    ----------
    places : Places
        On a line.
    treated : numpy.ndarray of bool, shape (n,)

    Returns
    -------
    numpy.ndarray of bool, shape (n,)

    Raises
    ------
    DesignError
        If the arms do not overlap.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.distance import on_a_line
    >>> from juntos_eval.estimators.matching.match_arms import common_support
    >>> places = on_a_line(np.array([0.1, 0.5, 0.4, 0.9]), np.zeros(4, dtype=np.int64), "score")
    >>> common_support(places, np.array([False, False, True, True])).tolist()
    [False, True, True, False]
    """
    one, other = places.line[treated], places.line[~treated]
    lowest, highest = max(one.min(), other.min()), min(one.max(), other.max())
    inside = (places.line >= lowest) & (places.line <= highest)
    if not (inside[treated].any() and inside[~treated].any()):
        raise DesignError(
            "treated and untreated rows have no common support",
            where=f"treated from {one.min():g} to {one.max():g}, "
            f"untreated from {other.min():g} to {other.max():g}",
            remedy="use covariates in which the arms overlap, or another comparison group",
        )
    return np.asarray(inside)


def match_arms(
    treated: Bools,
    supported: Bools,
    base: Floats,
    estimand: str,
    link: Callable[[Codes, Codes], Links],
) -> tuple[ArmMatches, ...]:
    """Return the matches of the arm that the estimand asks about, or of both.

    Parameters
    ----------
    treated, supported : numpy.ndarray of bool, shape (n,)
    base : numpy.ndarray, shape (n,)
        What a row's share in a match is proportional to, beside its link.
    estimand : str
    link : callable
        From rows of the targets and of the pool to links.

    Returns
    -------
    tuple of ArmMatches
    """
    found = []
    for arm, asked in ((treated, ("att", "ate")), (~treated, ("atc", "ate"))):
        if estimand in asked:
            targets, pool = np.flatnonzero(arm & supported), np.flatnonzero(~arm & supported)
            shares = Shares(links=link(targets, pool), base=base[pool])
            found.append(ArmMatches(targets=targets, pool=pool, shares=shares))
    return tuple(found)


def matching_checks(design: MatchedDesign, ratio: int) -> tuple[Check, ...]:
    """Return what is to be said of a matched design: who has no match, and who serves how much.

    Parameters
    ----------
    design : MatchedDesign
    ratio : int
        Matches asked for without replacement; what follows from too few rows is said.

    Returns
    -------
    tuple of Check
    """
    return (
        *_support_check(design),
        _matched_check(design),
        *_supply_check(design, ratio),
        _reuse_check(design),
    )


def _support_check(design: MatchedDesign) -> tuple[Check, ...]:
    outside = ~design.is_supported
    if not outside.any():
        return ()
    arms = (int((outside & design.treated).sum()), int((outside & ~design.treated).sum()))
    return (
        Check(
            "common support", None, f"{arms[0]} treated and {arms[1]} untreated rows lie outside, left out"
        ),
    )


def _matched_check(design: MatchedDesign) -> Check:
    asked, found = int(design.is_target.sum()), int((design.target > 0).sum())
    detail = f"{found} of {asked} rows have a match"
    if found < asked:
        detail += f"; the effect is that of the {found}"
    return Check("matched", found == asked, detail)


def _supply_check(design: MatchedDesign, ratio: int) -> tuple[Check, ...]:
    if design.has_replacement:
        return ()
    side = design.matches[0]
    if len(side.pool) >= ratio * len(side.targets):
        return ()
    detail = f"{len(side.targets)} targets ask for {ratio} each, {len(side.pool)} rows are there to serve"
    return (Check("enough rows without replacement", False, detail),)


def _reuse_check(design: MatchedDesign) -> Check:
    serving = design.use != 0
    below = -float(design.use[design.use < 0].sum()) / float(np.abs(design.use).sum())
    negative = f" ({below:.1%} of it below zero)" if below > 0 else ""
    busiest = 100.0 * float(design.use.max()) / float(design.use.sum())
    effective = design.effective
    return Check(
        "reuse",
        None,
        f"{int(serving.sum())} rows serve as matches, the busiest with {busiest:.1f} % of the weight"
        f"{negative}; effective rows: {effective[0]:.1f} treated, {effective[1]:.1f} untreated",
    )
