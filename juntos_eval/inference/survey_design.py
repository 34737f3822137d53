"""Design-based inference: strata and primary sampling units by Taylor linearisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Groups, Uncertainty
from juntos_eval.inference.strata import Stratum, nested, sampling_fractions, strata_of

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["SurveyDesign"]

Lonely = Literal["fail", "adjust", "average", "certainty", "remove"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyDesign:
    r"""PSUs were drawn within strata, and rows within PSUs (Binder 1983).

    With :math:`z_{hi}` the summed influence of PSU i of stratum h, :math:`n_h` PSUs drawn there and
    :math:`f_h` the share of the stratum's PSUs that was drawn,

    .. math:: \hat V = \sum_h (1 - f_h) \frac{n_h}{n_h - 1} \sum_{i=1}^{n_h}
              (z_{hi} - \bar z_h)(z_{hi} - \bar z_h)'

    PSU labels are nested in strata: one label in two strata is two PSUs. Only the first stage counts:
    later ones are in the PSU totals. t with (PSUs - strata) degrees of freedom.

    **Subpopulations.** An analysis of some of the survey's rows is an analysis of a domain. A PSU that was
    drawn but has no row in it has the total zero, and still counts in :math:`n_h` and in the degrees of
    freedom. The rows of the analysis cannot tell: give the full sample by :meth:`of`. Strata
    without any row in the analysis count nowhere.

    **A lonely PSU**, the only one drawn in its stratum, leaves :math:`\bar z_h` without a spread around
    it. ``fail`` refuses; ``adjust`` takes its deviation from zero, the overall mean of influence;
    ``average`` gives its stratum the mean variance of the other strata; ``certainty`` and ``remove``
    let it add nothing, as right for a PSU that was drawn with certainty, and too small for any other.
    A stratum whose every PSU was drawn (:math:`f_h = 1`) is not lonely.

    Parameters
    ----------
    strata, psu : str, optional
        Columns. Without strata the sample is one stratum; without PSUs each row is one.
    fpc : str, optional
        Column with the number of PSUs in the population of the row's stratum, or in all rows with the
        share drawn (<= 1); by default no finite population correction.
    lonely : {"fail", "adjust", "average", "certainty", "remove"}
    design : tuple of Stratum, optional
        The strata and PSUs of the full sample; :meth:`of` makes it.

    Raises
    ------
    InferenceError
        For another rule for lonely PSUs; from ``infer`` for a lonely PSU under ``fail``, for a stratum or
        PSU that the full design does not know, and where no degree of freedom is left.

    References
    ----------
    Binder, D. A. (1983). On the variances of asymptotically normal estimators from complex surveys.
    *International Statistical Review*, 51(3), 279-292.
    Korn, E. L., & Graubard, B. I. (1999). *Analysis of Health Surveys*. Wiley. (Subpopulations: ch. 5.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import DenseInfluence, Fit, Groups
    >>> from juntos_eval.inference.survey_design import SurveyDesign
    >>> groups = {"area": Groups([0, 0, 1, 1], ("a", "b")), "village": Groups([0, 1, 0, 1], ("1", "2"))}
    >>> influence = DenseInfluence(np.array([0.5, -0.5, 1.0, -1.0]))
    >>> fit = Fit(values=[1.0], influence=influence, parameters=1, groups=groups)
    >>> drawn = SurveyDesign(strata="area", psu="village").infer(fit)
    >>> drawn.covariance.item(), drawn.df
    (5.0, 2.0)
    """

    strata: str | None = None
    psu: str | None = None
    fpc: str | None = None
    lonely: Lonely = "fail"
    design: tuple[Stratum, ...] | None = None

    def __post_init__(self) -> None:
        if self.lonely not in get_args(Lonely):
            raise InferenceError(
                f"there is no rule {self.lonely!r} for lonely PSUs",
                where="SurveyDesign(lonely=…)",
                remedy=f"choose one of {', '.join(get_args(Lonely))}",
            )

    @classmethod
    def of(
        cls,
        data: DataFrame,
        *,
        strata: str | None = None,
        psu: str | None = None,
        fpc: str | None = None,
        lonely: Lonely = "fail",
    ) -> SurveyDesign:
        """Return the inference that remembers the full sample, so that every subpopulation is a domain of it.

        Parameters
        ----------
        data : pandas.DataFrame
            Every row of the survey, those outside the analysis too.
        strata, psu, fpc, lonely
            As for the class.

        Raises
        ------
        InferenceError
            If a column is not there or has missing values, or population sizes cannot be right.

        Examples
        --------
        >>> import pandas as pd
        >>> from juntos_eval.inference.survey_design import SurveyDesign
        >>> sample = pd.DataFrame({"area": ["a", "a", "b", "b"], "village": [1, 2, 1, 2]})
        >>> [stratum.count for stratum in SurveyDesign.of(sample, strata="area", psu="village").design]
        [2, 2]
        """
        design = strata_of(data, strata=strata, psu=psu, fpc=fpc)
        return cls(strata=strata, psu=psu, fpc=fpc, lonely=lonely, design=design)

    @property
    def columns(self) -> tuple[str, ...]:
        """Strata and PSU, and the population sizes where the full sample was not given."""
        named = (self.strata, self.psu, self.fpc if self.design is None else None)
        return tuple(name for name in named if name is not None)

    def infer(self, fit: Fit) -> Uncertainty:
        """Return covariance and degrees of freedom of the fit's values."""
        every = Groups(np.zeros(fit.n, np.int64), ("",))
        strata = every if self.strata is None else fit.grouping(self.strata)
        members = None if self.psu is None else fit.grouping(self.psu)
        codes, owners = nested(strata.codes, np.arange(fit.n) if members is None else members.codes)
        seen = np.bincount(owners, minlength=strata.count)
        drawn, fractions = seen, np.zeros(strata.count)
        if self.design is not None:
            drawn, fractions = _from_design(self.design, strata, members, codes, seen)
        elif self.fpc is not None:
            fractions = sampling_fractions(fit.grouping(self.fpc), strata, seen, self.fpc)
        present = seen > 0
        lonely = present & (drawn == 1) & (fractions < 1)
        if self.lonely == "fail" and lonely.any():
            raise _lonely_error(strata, lonely, known=self.design is not None)
        df = float(drawn[present].sum() - present.sum())
        if df <= 0:
            raise InferenceError(
                "no stratum has two PSUs, so nothing tells how PSUs differ",
                where=f"{int(drawn[present].sum())} PSUs in {int(present.sum())} strata",
                remedy="use coarser strata, or Cluster() by the PSU",
            )
        scale = _scales(self.lonely, drawn, fractions, present, lonely)
        totals = fit.influence.totals(codes, len(owners))
        absent = np.where(present, drawn - seen, 0)
        return Uncertainty(
            method=self._method(int(present.sum()), int(drawn[present].sum()), int(absent.sum()), lonely),
            covariance=_between(totals, owners, drawn, absent, scale),
            df=df,
        )

    def _method(self, strata: int, psus: int, absent: int, lonely: Bools) -> str:
        parts = [f"{psus:,} PSUs ({self.psu or 'rows'})"]
        if absent:
            parts[0] += f", {absent:,} of them without a row here"
        if self.strata is not None:
            parts.append(f"{strata:,} strata ({self.strata})")
        if self.fpc is not None:
            parts.append(f"finite population ({self.fpc})")
        if lonely.any():
            parts.append(f"lonely PSUs ({int(lonely.sum()):,}): {self.lonely}")
        return f"survey design, linearised: {'; '.join(parts)}"


def _scales(rule: Lonely, drawn: Codes, fractions: Floats, present: Bools, lonely: Bools) -> Floats:
    """Return the factor of each stratum's sum of squares."""
    spread = drawn > 1
    scale = np.zeros(len(drawn))
    scale[spread] = (1.0 - fractions[spread]) * drawn[spread] / (drawn[spread] - 1.0)
    if rule == "average":
        others = int((present & ~lonely).sum())
        scale *= (others + int(lonely.sum())) / others
    if rule == "adjust":
        scale[lonely] = 1.0 - fractions[lonely]
    return scale


def _between(totals: Floats, owners: Codes, drawn: Codes, absent: Codes, scale: Floats) -> Floats:
    """Sum the squares of PSU totals around the means of their strata; PSUs without a row have zero."""
    means = np.zeros((len(drawn), totals.shape[1]))
    np.add.at(means, owners, totals)
    spread = drawn > 1
    means[spread] /= drawn[spread, None]
    # a lonely PSU is measured from zero, the overall mean of influence
    means[~spread] = 0.0
    gaps = totals - means[owners]
    return np.asarray((gaps * scale[owners, None]).T @ gaps + (means * (scale * absent)[:, None]).T @ means)


def _from_design(
    design: tuple[Stratum, ...], strata: Groups, members: Groups | None, codes: Codes, seen: Codes
) -> tuple[Codes, Floats]:
    """Return PSUs drawn and their share, by stratum of the fit, as the full design has them."""
    known = {stratum.label: stratum for stratum in design}
    found = [known.get(label) for label in strata.levels]
    present = seen > 0
    foreign = present & np.array([stratum is None for stratum in found])
    _refuse_unknown("strata", [strata.levels[h] for h in np.flatnonzero(foreign)])
    drawn = np.array([stratum.count if stratum else 0 for stratum in found], dtype=np.int64)
    fractions = np.array([stratum.fraction if stratum else 0.0 for stratum in found])
    if members is None:
        _refuse_unknown("more rows in strata", [strata.levels[h] for h in np.flatnonzero(seen > drawn)])
        return drawn, fractions
    listed = {(stratum.label, psu) for stratum in design for psu in stratum.psus}
    first = np.unique(codes, return_index=True)[1]
    pairs = [(strata.levels[strata.codes[i]], members.levels[members.codes[i]]) for i in first]
    _refuse_unknown("PSUs", [f"{area}/{psu}" for area, psu in pairs if (area, psu) not in listed])
    return drawn, fractions


def _refuse_unknown(kind: str, strange: list[str]) -> None:
    if strange:
        raise InferenceError(
            f"the analysis has {kind} that the full design does not know",
            where=f"{len(strange)} {kind}: {', '.join(strange[:5])}",
            remedy="make the design from the sample that the analysis was cut from, with the same columns",
        )


def _lonely_error(strata: Groups, lonely: Bools, *, known: bool) -> InferenceError:
    named = ", ".join(repr(strata.levels[code]) for code in np.flatnonzero(lonely)[:5])
    remedy = "merge the stratum with a neighbour, or name a rule: lonely='adjust', 'average', 'certainty'"
    if not known:
        remedy += "; if other PSUs were drawn there, give the full sample by SurveyDesign.of()"
    return InferenceError(
        "a stratum has one PSU only, so its variance cannot be estimated",
        where=f"{int(lonely.sum())} of {strata.count} strata: {named}",
        remedy=remedy,
    )
