"""One outcome in one population: who is compared with whom, on what, by which designs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
from pandas import DataFrame

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimator
from juntos_eval.estimators.matching.aipw import AIPW
from juntos_eval.estimators.matching.matching import Matching
from juntos_eval.estimators.matching.weighting import Weighting
from juntos_eval.estimators.means import MeanDifference

__all__ = ["DESIGN_LABELS", "HEADLINE", "Comparison", "Text", "designs"]

#: The design that is named first, whatever the numbers say; the others stand beside it.
HEADLINE = "aipw"

#: Caliper in standard deviations of the linear score (Austin 2011 recommends 0.2).
CALIPER = 0.2

#: Households with as many people of a group or more are matched to one another.
MOST_PEOPLE = 4

#: Bandwidth of kernel matching on the probability scale.
BANDWIDTH = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text in English and Spanish.

    Attributes
    ----------
    en, es : str

    Examples
    --------
    >>> from juntos_eval.studies.comparison import Text
    >>> Text(en="girls", es="niñas").es
    'niñas'
    """

    en: str
    es: str


DESIGN_LABELS: Mapping[str, Text] = FrozenMapping(
    {
        "raw_gap": Text(en="Raw gap", es="Brecha sin ajustar"),
        "nearest_1": Text(en="Nearest neighbour 1:1", es="Vecino más cercano 1:1"),
        "nearest_5": Text(en="Nearest neighbour 1:5", es="Vecino más cercano 1:5"),
        "kernel": Text(en="Kernel matching", es="Emparejamiento por kernel"),
        "ipw": Text(en="Inverse-probability weights", es="Ponderación por probabilidad inversa"),
        "entropy": Text(en="Entropy balancing", es="Balance de entropía"),
        "aipw": Text(en="Augmented IPW", es="IPW aumentada (doblemente robusta)"),
        "entrants_did": Text(
            en="Difference-in-differences of entrants",
            es="Diferencia en diferencias de nuevos hogares",
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Treated against untreated households of one population on one outcome.

    Attributes
    ----------
    id : str
        ``<outcome>_<year>``.
    year : int
    outcome : str
        Column of the analysis table.
    treatment : str
    covariates : tuple of str
    dwelling, instead : tuple of str
        Further covariates where the table has every one of ``dwelling``; else ``instead``.
    weights : str
        Column of sampling weights.
    exact : tuple of str
        Columns in which nearest neighbours must agree. The number of people a household counts for is
        added: weights differ by it.
    people : str, optional
        Column that counts the people whom a household's outcome speaks of: the weight of a row is then
        weight times people, so that the effect is a mean over people.
    scale : {"share", "score"}
        Whether the outcome is a share (0 to 1), or a score whose unit is its own.
    labels : Mapping of str to Text
        ``outcome`` and ``population``.

    Examples
    --------
    >>> from juntos_eval.studies.comparison import Comparison
    >>> Comparison(id="y_2025", year=2025, outcome="y", treatment="d", covariates=("x",), weights="w").year
    2025
    """

    id: str
    year: int
    outcome: str
    treatment: str
    covariates: tuple[str, ...]
    weights: str
    dwelling: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    people: str | None = None
    scale: Literal["share", "score"] = "share"
    labels: Mapping[str, Text] = field(default_factory=FrozenMapping)

    def adjusted_for(self, households: DataFrame) -> Comparison:
        """Return the comparison with the covariates that the table can give.

        Parameters
        ----------
        households : pandas.DataFrame

        Returns
        -------
        Comparison
            Without optional covariates.
        """
        has_dwelling = bool(self.dwelling) and set(self.dwelling) <= set(households.columns)
        further = self.dwelling if has_dwelling else self.instead
        return replace(self, covariates=self.covariates + further, dwelling=(), instead=())

    def sample(self, households: DataFrame) -> tuple[DataFrame, dict[str, int]]:
        """Return the rows to compare with their weight ``analysis_weight``, and who was left out.

        Parameters
        ----------
        households : pandas.DataFrame
            The analysis table of the year.

        Returns
        -------
        pandas.DataFrame
        dict of str to int
            Households left out, by reason, in the order of the rules.

        Raises
        ------
        DesignError
            If the treatment or a household is left with nobody to compare.
        """
        rules = {
            "did not answer the module of social programmes": households[self.treatment].isna(),
            "no member under 19": ~households["has_member_under_19"].astype(bool),
        }
        if self.people is not None:
            rules["nobody of the group who was asked"] = households[self.people].fillna(0) == 0
        rules["outcome not known"] = households[self.outcome].isna()
        # the raw gap is of the same households as the adjusted differences
        rules["a covariate not known"] = households[list(self.covariates)].isna().any(axis=1)
        kept = pd.Series(True, index=households.index)
        dropped: dict[str, int] = {}
        for reason, gone in rules.items():
            dropped[reason] = int((kept & gone).sum())
            kept &= ~gone
        if not kept.any():
            raise DesignError(
                "no household is left to compare",
                where=f"{self.id}; " + "; ".join(f"{reason}: {count}" for reason, count in dropped.items()),
                remedy="check the outcome and the module of social programmes of that year",
            )
        people = 1.0 if self.people is None else households.loc[kept, self.people]
        chosen = households.loc[kept].assign(
            analysis_weight=households.loc[kept, self.weights] * people,
            people_band=np.minimum(people, MOST_PEOPLE),
            **{self.treatment: households.loc[kept, self.treatment].astype("int8")},
        )
        return chosen, dropped


def designs(comparison: Comparison) -> dict[str, Estimator]:
    """Return the designs of a comparison, in the order of the tables.

    The score is that of the surveyed population (weighted), so matches count by their own sampling weights;
    else covariates would differ between arms that agree in the score.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    dict of str to Estimator
        ``raw_gap nearest_1 nearest_5 kernel ipw entropy aipw``; each an average effect on the treated but
        the raw gap, which is no effect.

    Examples
    --------
    >>> from juntos_eval.studies.comparison import Comparison, designs
    >>> about = Comparison(id="y_2025", year=2025, outcome="y", treatment="d", covariates=("x",), weights="w")
    >>> list(designs(about))
    ['raw_gap', 'nearest_1', 'nearest_5', 'kernel', 'ipw', 'entropy', 'aipw']
    """
    outcome, treatment, covariates = comparison.outcome, comparison.treatment, comparison.covariates
    weights = "analysis_weight"

    def nearest(ratio: int) -> Matching:
        return Matching(
            treatment=treatment,
            covariates=covariates,
            outcome=outcome,
            distance="linear_logit",
            ratio=ratio,
            replace=True,
            caliper=CALIPER,
            exact=(*comparison.exact, "people_band"),
            weights=weights,
        )

    return {
        "raw_gap": MeanDifference(outcome=outcome, treatment=treatment, weights=weights),
        "nearest_1": nearest(1),
        "nearest_5": nearest(5),
        "kernel": Matching(
            treatment=treatment,
            covariates=covariates,
            outcome=outcome,
            distance="logit",
            method="kernel",
            kernel="epanechnikov",
            bandwidth=BANDWIDTH,
            weights=weights,
        ),
        "ipw": Weighting(
            treatment=treatment, covariates=covariates, outcome=outcome, method="ipw", weights=weights
        ),
        "entropy": Weighting(
            treatment=treatment, covariates=covariates, outcome=outcome, method="entropy", weights=weights
        ),
        "aipw": AIPW(
            treatment=treatment, covariates=covariates, outcome=outcome, estimand="att", weights=weights
        ),
    }
