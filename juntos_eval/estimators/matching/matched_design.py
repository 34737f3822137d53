r"""A matched design: who stands for whom, made without the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from pandas import DataFrame

from juntos_eval.arrays import Bools, Codes, Floats, FrozenMapping, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check
from juntos_eval.estimators.matching.distance import Places
from juntos_eval.estimators.matching.effect import kish
from juntos_eval.estimators.matching.score import Score
from juntos_eval.numerics.kernels import KernelLinks
from juntos_eval.numerics.links import Intervals, Listed, Shares
from juntos_eval.numerics.local_linear_links import LocalLinearLinks

__all__ = ["ArmMatches", "MatchedDesign", "matched_weights"]

# listing the pairs of a wide radius would fill the memory
LONGEST_LIST = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmMatches:
    """Targets of one arm and what they draw on from the other.

    Attributes
    ----------
    targets : numpy.ndarray of int64, shape (m,)
        Rows, 0 … n-1.
    pool : numpy.ndarray of int64, shape (c,)
        Rows of the other arm.
    shares : Shares
        Of the m targets in the c pool rows.
    """

    targets: Codes
    pool: Codes
    shares: Shares

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", frozen(self.targets, np.int64))
        object.__setattr__(self, "pool", frozen(self.pool, np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedDesign:
    r"""Rows, arms, and for each target row the rows of the other arm that stand for it.

    Attributes
    ----------
    rows : numpy.ndarray of int64, shape (n,)
        Positions in the frame.
    treated : numpy.ndarray of bool, shape (n,)
    covariates : numpy.ndarray, shape (n, p)
    covariate_names : tuple of str
    base_weights : numpy.ndarray, shape (n,)
        Sampling weights; ones where there are none.
    estimand : str
        ``"att"``, ``"atc"`` or ``"ate"``.
    score : Score or None
    places : Places
        What distances are measured on.
    matches : tuple of ArmMatches
        One for the ATT and the ATC, both for the ATE.
    target : numpy.ndarray, shape (n,)
        Sampling weight of each matched target (1 where matches count by their own), 0 for other rows.
    use : numpy.ndarray, shape (n,)
        Weight of the targets that each row stands for.
    is_supported : numpy.ndarray of bool, shape (n,)
        Rows on the common support; all where none was asked for.
    counts_own : bool
        Whether matches count by their own sampling weights: matching itself is then done without weights.
    is_stratified : bool
        Whether rows are compared within strata, the blocks of the places.
    has_replacement : bool
        Whether a row may serve several targets.
    tolerance : float
        Differences of distances up to this are ties, in units of the places.
    dropped : Mapping of str to int
        Rows of the frame that were left out, by reason.
    checks : tuple of Check

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.matching import Matching
    >>> frame = pd.DataFrame({"d": [1, 0, 0, 1, 0], "age": [20.0, 21.0, 30.0, 44.0, 43.0]})
    >>> design = Matching(treatment="d", covariates=("age",), distance="age").design(frame)
    >>> design.pairs()[["target", "match"]].to_numpy().tolist(), design.design_weights.tolist()
    ([[0, 1], [3, 4]], [1.0, 1.0, 0.0, 1.0, 1.0])
    """

    rows: Codes
    treated: Bools
    covariates: Floats
    covariate_names: tuple[str, ...]
    base_weights: Floats
    estimand: str
    score: Score | None
    places: Places
    matches: tuple[ArmMatches, ...]
    target: Floats
    use: Floats
    is_supported: Bools
    counts_own: bool
    has_replacement: bool
    tolerance: float
    is_stratified: bool = False
    dropped: Mapping[str, int] = field(default_factory=FrozenMapping)
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", frozen(self.rows, np.int64))
        for name in ("treated", "is_supported"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.bool_))
        for name in ("covariates", "base_weights", "target", "use"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        object.__setattr__(self, "dropped", FrozenMapping(self.dropped))

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.rows)

    @property
    def design_weights(self) -> Floats:
        r"""Weight of each row after matching, shape (n,): its own as a matched target, plus what it serves.

        .. math:: t_i + K_i, \qquad K_i = \sum_k t_k s_{ki}

        with :math:`t_i` the sampling weight of a matched target (0 for others) and :math:`s_{ki}` the share
        of row i in the match of target k: in each arm they sum to the weight of the matched targets. Where
        matches count by their own sampling weights, :math:`w_i (t_i + K_i)` with :math:`t_i` 0 or 1.
        """
        weights = self.target + self.use
        return weights * self.base_weights if self.counts_own else weights

    @property
    def is_target(self) -> Bools:
        """Rows whose match was sought, shape (n,)."""
        asked = np.zeros(self.n, dtype=np.bool_)
        for side in self.matches:
            asked[side.targets] = True
        return asked

    @property
    def bandwidths(self) -> dict[str, float]:
        """Bandwidth of each arm drawn on by a kernel; ``bandwidth`` alone where one arm is."""
        found = {
            "treated" if self.treated[side.pool[0]] else "untreated": side.shares.links.bandwidth
            for side in self.matches
            if isinstance(side.shares.links, KernelLinks | LocalLinearLinks)
        }
        if len(found) == 1:
            return {"bandwidth": next(iter(found.values()))}
        return {f"bandwidth_{arm}": value for arm, value in found.items()}

    @property
    def effective(self) -> tuple[float, float]:
        """Kish's effective number of treated and of untreated rows."""
        return kish(self.design_weights[self.treated]), kish(self.design_weights[~self.treated])

    def listed(self) -> tuple[Listed, ...]:
        """Return the matches of each arm's targets one by one.

        Raises
        ------
        DesignError
            For kernel matching, where everybody near is a match, and where the list would be too long.
        """
        return tuple(_listed(side) for side in self.matches)

    def pairs(self) -> DataFrame:
        """Return one row a match: positions in the frame of target and match, and the share.

        Returns
        -------
        pandas.DataFrame
            Columns ``target``, ``match`` (positions in the frame), ``share`` (adding to one a target) and
            ``weight`` (that of the target times the share).

        Raises
        ------
        DesignError
            As :meth:`listed`.
        """
        parts = []
        for side, links in zip(self.matches, self.listed(), strict=True):
            owner = np.repeat(np.arange(links.targets), np.diff(links.indptr))
            with np.errstate(divide="ignore", invalid="ignore"):
                share = side.shares.base[links.indices] / side.shares.totals[owner]
            frame = DataFrame(
                {
                    "target": self.rows[side.targets[owner]],
                    "match": self.rows[side.pool[links.indices]],
                    "share": share,
                    "weight": share * self.target[side.targets[owner]],
                }
            )
            parts.append(frame[side.shares.is_matched[owner]])
        import pandas as pd

        return pd.concat(parts, ignore_index=True)


def matched_weights(matches: tuple[ArmMatches, ...], base_weights: Floats) -> tuple[Floats, Floats]:
    r"""Return the weight of each row as a matched target, and of the targets that it stands for.

    Parameters
    ----------
    matches : tuple of ArmMatches
    base_weights : numpy.ndarray, shape (n,)

    Returns
    -------
    target, use : numpy.ndarray, shape (n,)
        :math:`t_i` and :math:`K_i`.

    Raises
    ------
    DesignError
        If no target has a match.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.matched_design import ArmMatches, matched_weights
    >>> from juntos_eval.numerics.links import Listed, Shares
    >>> shares = Shares(links=Listed(indptr=[0, 2], indices=[0, 1], pool=2), base=np.ones(2))
    >>> side = ArmMatches(targets=[0], pool=[1, 2], shares=shares)
    >>> [x.tolist() for x in matched_weights((side,), np.array([4.0, 1.0, 1.0]))]
    [[4.0, 0.0, 0.0], [0.0, 2.0, 2.0]]
    """
    target, use = np.zeros((2, len(base_weights)))
    for side in matches:
        target[side.targets] = np.where(side.shares.is_matched, base_weights[side.targets], 0.0)
        use[side.pool] = side.shares.spread(target[side.targets])
    if not target.any():
        raise DesignError(
            "no row has a match",
            where=f"{sum(len(side.targets) for side in matches)} rows to be matched, "
            f"{sum(len(side.pool) for side in matches)} to choose from",
            remedy="widen the caliper or the bandwidth, or ask for fewer exact columns",
        )
    return target, use


def _listed(side: ArmMatches) -> Listed:
    links = side.shares.links
    if not isinstance(links, (Listed, Intervals)):
        raise DesignError(
            "kernel matching has no list of matches: every row near enough is one",
            where=f"{len(side.targets)} targets, {len(side.pool)} rows to draw on",
            remedy="use design_weights, or match by nearest neighbour or radius",
        )
    total = int(links.counts.sum())
    if total > LONGEST_LIST:
        raise DesignError(
            "there are too many matches to list",
            where=f"{total} matches of {len(side.targets)} targets",
            remedy="use design_weights, a narrower radius, or ties='first'",
        )
    return links.rows()
