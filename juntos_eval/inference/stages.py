"""The stages of a sample as the rows of a fit show them, and as the full design knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Groups
from juntos_eval.inference.strata import Stratum, nested, sampling_fractions, units_of

__all__ = ["Stage", "between_units", "stages_of_fit"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    r"""One stage: units drawn within strata, or within the units of the stage before.

    Attributes
    ----------
    strata : Groups
        What the units of this stage were drawn from, by row.
    codes : numpy.ndarray of int64, shape (n,)
        Unit of each row.
    owners : numpy.ndarray of int64, shape (units,)
        Stratum of each unit that has a row.
    drawn, seen : numpy.ndarray of int64, shape (strata,)
        Units drawn, and units that have a row.
    fractions : numpy.ndarray, shape (strata,)
        Share of the units that was drawn.
    reach : numpy.ndarray, shape (strata,)
        Product of the shares drawn at the stages before: how much of this stage's spread is not yet in the
        spread of the stages before.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.inference.stages import Stage
    >>> stage = Stage(strata=Groups([0, 0], ("a",)), codes=np.array([0, 1]), owners=np.array([0, 0]),
    ...       drawn=np.array([2]), seen=np.array([2]), fractions=np.zeros(1), reach=np.ones(1))
    >>> stage.lonely.tolist()
    [False]
    """

    strata: Groups
    codes: Codes
    owners: Codes
    drawn: Codes
    seen: Codes
    fractions: Floats
    reach: Floats

    @property
    def present(self) -> Bools:
        """Strata that have a row."""
        return np.asarray(self.seen > 0)

    @property
    def lonely(self) -> Bools:
        """Strata with a row of which one unit was drawn, and not all."""
        return np.asarray(self.present & (self.drawn == 1) & (self.fractions < 1))

    @property
    def absent(self) -> Codes:
        """Units that were drawn in each stratum present, and have no row."""
        return np.where(self.present, self.drawn - self.seen, 0)


def stages_of_fit(
    fit: Fit,
    *,
    strata: str | None,
    units: Sequence[str],
    sizes: Sequence[str],
    design: Sequence[tuple[Stratum, ...]] | None,
) -> list[Stage]:
    """Return the stages that a variance needs: one more than have a finite population, at least one.

    Parameters
    ----------
    fit : Fit
        It carries the columns; those of the sizes only where there is no design.
    strata : str or None
    units : sequence of str
        Columns of the units, stage by stage; without any each row is one.
    sizes : sequence of str
        Columns of the population sizes, stage by stage.
    design : sequence of tuple of Stratum, optional
        The full sample, stage by stage.

    Returns
    -------
    list of Stage

    Raises
    ------
    InferenceError
        If the rows and the design do not belong together, or sizes cannot be right.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import DenseInfluence, Fit
    >>> from juntos_eval.inference.stages import stages_of_fit
    >>> fit = Fit(values=[0.0], influence=DenseInfluence(np.array([1.0, -1.0])), parameters=1)
    >>> [stage.drawn.tolist() for stage in stages_of_fit(fit, strata=None, units=(), sizes=(), design=None)]
    [[2]]
    """
    owner = Groups(np.zeros(fit.n, np.int64), ("",)) if strata is None else fit.grouping(strata)
    reach = np.ones(owner.count)
    stages: list[Stage] = []
    for number in range(max(1, min(len(units), len(sizes) + 1))):
        members = fit.grouping(units[number]) if units else None
        codes, owners = nested(owner.codes, np.arange(fit.n) if members is None else members.codes)
        seen = np.bincount(owners, minlength=owner.count)
        drawn, fractions = seen, np.zeros(owner.count)
        if design is not None:
            drawn, fractions = _from_design(design[number], owner, members, codes, seen)
        elif number < len(sizes):
            fractions = sampling_fractions(fit.grouping(sizes[number]), owner, seen, sizes[number])
        stages.append(
            Stage(
                strata=owner,
                codes=codes,
                owners=owners,
                drawn=drawn,
                seen=seen,
                fractions=fractions,
                reach=reach,
            )
        )
        reach = (reach * fractions)[owners]
        if members is not None:
            owner = units_of(owner, members, codes)
    return stages


def between_units(stage: Stage, totals: Floats, scale: Floats) -> Floats:
    """Sum the squares of unit totals around the means of their strata; units without a row have zero.

    Parameters
    ----------
    stage : Stage
    totals : numpy.ndarray, shape (units, k)
        Of the units that have a row.
    scale : numpy.ndarray, shape (strata,)
        Factor of each stratum's sum of squares.

    Returns
    -------
    numpy.ndarray, shape (k, k)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.inference.stages import Stage, between_units
    >>> stage = Stage(strata=Groups([0, 0], ("a",)), codes=np.array([0, 1]), owners=np.array([0, 0]),
    ...       drawn=np.array([2]), seen=np.array([2]), fractions=np.zeros(1), reach=np.ones(1))
    >>> between_units(stage, np.array([[1.0], [3.0]]), np.array([2.0])).item()
    4.0
    """
    means = np.zeros((len(stage.drawn), totals.shape[1]))
    np.add.at(means, stage.owners, totals)
    spread = stage.drawn > 1
    means[spread] /= stage.drawn[spread, None]
    # a lonely unit is measured from zero, the overall mean of influence
    means[~spread] = 0.0
    gaps = totals - means[stage.owners]
    seen = (gaps * scale[stage.owners, None]).T @ gaps
    return np.asarray(seen + (means * (scale * stage.absent)[:, None]).T @ means)


def _from_design(
    design: tuple[Stratum, ...], strata: Groups, members: Groups | None, codes: Codes, seen: Codes
) -> tuple[Codes, Floats]:
    """Return units drawn and their share, by stratum of the fit, as the full design has them."""
    known = {stratum.label: stratum for stratum in design}
    found = [known.get(label) for label in strata.levels]
    foreign = (seen > 0) & np.array([stratum is None for stratum in found])
    _refuse_unknown("strata", [strata.levels[h] for h in np.flatnonzero(foreign)])
    drawn = np.array([stratum.count if stratum else 0 for stratum in found], dtype=np.int64)
    fractions = np.array([stratum.fraction if stratum else 0.0 for stratum in found])
    if members is None:
        _refuse_unknown("more rows in strata", [strata.levels[h] for h in np.flatnonzero(seen > drawn)])
        return drawn, fractions
    listed = {(stratum.label, unit) for stratum in design for unit in stratum.psus}
    first = np.unique(codes, return_index=True)[1]
    pairs = [(strata.levels[strata.codes[i]], members.levels[members.codes[i]]) for i in first]
    _refuse_unknown("PSUs", [f"{area}/{unit}" for area, unit in pairs if (area, unit) not in listed])
    return drawn, fractions


def _refuse_unknown(kind: str, strange: list[str]) -> None:
    if strange:
        raise InferenceError(
            f"the analysis has {kind} that the full design does not know",
            where=f"{len(strange)} {kind}: {', '.join(strange[:5])}",
            remedy="make the design from the sample that the analysis was cut from, with the same columns",
        )
