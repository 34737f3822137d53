"""Design-based inference: strata and primary sampling units by Taylor linearisation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Uncertainty
from juntos_eval.inference.stages import Stage, between_units, stages_of_fit
from juntos_eval.inference.strata import Stratum, stages_of
from juntos_eval.inference.total_influence import contributions_of

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["SurveyDesign"]

Lonely = Literal["fail", "adjust", "average", "certainty", "remove"]
Degrees = Literal["design", "occupied"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyDesign:
    r"""PSUs were drawn within strata, and rows within PSUs (Binder 1983).

    With :math:`z_{hi}` the summed influence of PSU i of stratum h, :math:`n_h` PSUs drawn there and
    :math:`f_h` the share of the stratum's PSUs that was drawn,

    .. math:: \hat V = \sum_h (1 - f_h) \frac{n_h}{n_h - 1} \sum_{i=1}^{n_h}
              (z_{hi} - \bar z_h)(z_{hi} - \bar z_h)'

    PSU labels are nested in strata: one label in two strata is two PSUs. t with (PSUs - strata) degrees of
    freedom. Without a finite population correction only the first stage counts: what later ones add is in
    the spread of the PSU totals.

    **Several stages.** With one, the spread of PSU totals misses the part :math:`f_h` of what later stages
    add. Give the units of each stage and the population sizes of each: with :math:`m_{hi}` units drawn in
    PSU i and their share :math:`f_{hi}`, the second stage adds

    .. math:: \sum_h f_h \sum_i (1 - f_{hi}) \frac{m_{hi}}{m_{hi} - 1} \sum_j (z_{hij} - \bar z_{hi})
              (z_{hij} - \bar z_{hi})'

    and so on (Särndal, Swensson & Wretman 1992, sec. 4.3). One size fewer than stages leaves the last
    stage without a correction.

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
    strata : str, optional
        Column of the first stage's strata; without it the sample is one stratum.
    psu : str or tuple of str, optional
        Column of the PSUs, or of the units of each stage; without it each row is a PSU.
    fpc : str or tuple of str, optional
        Column with the number of PSUs in the population of the row's stratum, or in all rows with the
        share drawn (<= 1), or one such column for each stage; by default no finite population correction.
    lonely : {"fail", "adjust", "average", "certainty", "remove"}
        Of every stage: a unit alone in its PSU is lonely too.
    df : {"design", "occupied"}
        Whether PSUs of the full sample without a row in the analysis count in the degrees of freedom (Korn &
        Graubard, Stata) or not (R's survey).
    design : tuple of Stratum, optional
        The strata and PSUs of the full sample; :meth:`of` makes it.
    later : tuple of tuple of Stratum
        The units of its later stages, by PSU.

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
    psu: str | tuple[str, ...] | None = None
    fpc: str | tuple[str, ...] | None = None
    lonely: Lonely = "fail"
    df: Degrees = "design"
    design: tuple[Stratum, ...] | None = None
    later: tuple[tuple[Stratum, ...], ...] = ()

    def __post_init__(self) -> None:
        for name in ("psu", "fpc"):
            columns = _columns(getattr(self, name))
            object.__setattr__(self, name, columns[0] if len(columns) == 1 else columns or None)
        if self.lonely not in get_args(Lonely) or self.df not in get_args(Degrees):
            raise InferenceError(
                f"there is no rule {self.lonely!r} for lonely PSUs, or {self.df!r} for degrees of freedom",
                where="SurveyDesign(lonely=…, df=…)",
                remedy=f"choose of {', '.join(get_args(Lonely))}, and of {', '.join(get_args(Degrees))}",
            )
        if len(_columns(self.fpc)) > max(1, len(_columns(self.psu))):
            raise InferenceError(
                "there are more population sizes than stages",
                where=f"SurveyDesign(psu={self.psu!r}, fpc={self.fpc!r})",
                remedy="name the column of the units of each stage",
            )

    @classmethod
    def of(
        cls,
        data: DataFrame,
        *,
        strata: str | None = None,
        psu: str | tuple[str, ...] | None = None,
        fpc: str | tuple[str, ...] | None = None,
        lonely: Lonely = "fail",
        df: Degrees = "design",
    ) -> SurveyDesign:
        """Return the inference that remembers the full sample, so that every subpopulation is a domain of it.

        Parameters
        ----------
        data : pandas.DataFrame
            Every row of the survey, those outside the analysis too.
        strata, psu : str, optional
            As for the class; where neither is given, those that a clean survey table names in
            ``data.attrs["design"]``.
        fpc, lonely, df
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
        >>> sample.attrs["design"] = {"weight": None, "strata": "area", "psu": "village"}
        >>> SurveyDesign.of(sample).psu
        'village'
        """
        if strata is None and psu is None:
            named = data.attrs.get("design", {})
            strata, psu = named.get("strata"), named.get("psu")
        rule = cls(strata=strata, psu=psu, fpc=fpc, lonely=lonely, df=df)
        first, *later = stages_of(data, strata=strata, units=_columns(psu), sizes=_columns(fpc))
        return replace(rule, design=first, later=tuple(later))

    @property
    def columns(self) -> tuple[str, ...]:
        """Strata and units, and the population sizes where the full sample was not given."""
        strata = () if self.strata is None else (self.strata,)
        units, sizes = _columns(self.psu), _columns(self.fpc)
        # a stage after the first without a correction adds nothing
        used = units[: max(1, len(sizes) + 1)]
        return (*strata, *used, *(sizes if self.design is None else ()))

    def infer(self, fit: Fit) -> Uncertainty:
        """Return covariance and degrees of freedom of the fit's values."""
        stages = stages_of_fit(
            fit,
            strata=self.strata,
            units=_columns(self.psu),
            sizes=_columns(self.fpc),
            design=None if self.design is None else (self.design, *self.later),
        )
        for stage in stages:
            if self.lonely == "fail" and (stage.lonely & (stage.reach > 0)).any():
                raise _lonely_error(stage, known=self.design is not None)
        first = stages[0]
        counted = first.drawn if self.df == "design" else first.seen
        df = float(counted[first.present].sum() - first.present.sum())
        if df <= 0:
            raise InferenceError(
                "no stratum has two PSUs, so nothing tells how PSUs differ",
                where=f"{int(counted[first.present].sum())} PSUs in {int(first.present.sum())} strata",
                remedy="use coarser strata, or Cluster() by the PSU",
            )
        source = contributions_of(fit.influence)
        covariance = np.zeros((source.columns, source.columns))
        for stage in stages:
            totals = source.totals(stage.codes, len(stage.owners))
            covariance += between_units(stage, totals, stage.reach * _scales(self.lonely, stage))
        return Uncertainty(method=self._method(stages), covariance=covariance, df=df)

    def _method(self, stages: list[Stage]) -> str:
        first, units = stages[0], _columns(self.psu)
        strata, psus = int(first.present.sum()), int(first.drawn[first.present].sum())
        parts = [f"{psus:,} PSUs ({units[0] if units else 'rows'})"]
        if absent := int(first.absent.sum()):
            parts[0] += f", {absent:,} of them without a row here"
        if self.strata is not None:
            parts.append(f"{strata:,} strata ({self.strata})")
        if len(stages) > 1:
            parts.append(f"{len(stages)} stages ({', '.join(units[: len(stages)])})")
        if self.fpc is not None:
            parts.append(f"finite population ({', '.join(_columns(self.fpc))})")
        if lonely := int(sum(stage.lonely.sum() for stage in stages)):
            parts.append(f"lonely PSUs ({lonely:,}): {self.lonely}")
        return f"survey design, linearised: {'; '.join(parts)}"


def _columns(named: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if named is None:
        return ()
    return (named,) if isinstance(named, str) else tuple(named)


def _scales(rule: Lonely, stage: Stage) -> Floats:
    """Return the factor of each stratum's sum of squares."""
    drawn, fractions, lonely = stage.drawn, stage.fractions, stage.lonely
    spread = drawn > 1
    scale = np.zeros(len(drawn))
    scale[spread] = (1.0 - fractions[spread]) * drawn[spread] / (drawn[spread] - 1.0)
    others = int((stage.present & ~lonely).sum())
    if rule == "average" and others:
        scale *= (others + int(lonely.sum())) / others
    if rule == "adjust":
        scale[lonely] = 1.0 - fractions[lonely]
    return scale


def _lonely_error(stage: Stage, *, known: bool) -> InferenceError:
    named = ", ".join(repr(stage.strata.levels[code]) for code in np.flatnonzero(stage.lonely)[:5])
    remedy = "merge the stratum with a neighbour, or name a rule: lonely='adjust', 'average', 'certainty'"
    if not known:
        remedy += "; if other PSUs were drawn there, give the full sample by SurveyDesign.of()"
    return InferenceError(
        "a stratum has one PSU only, so its variance cannot be estimated",
        where=f"{int(stage.lonely.sum())} of {stage.strata.count} strata: {named}",
        remedy=remedy,
    )
