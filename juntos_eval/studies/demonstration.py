"""A difference-in-differences on two waves: a demonstration, for nothing before it can test its trends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from pandas import DataFrame

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimator
from juntos_eval.estimators.did.doubly_robust import DoublyRobust
from juntos_eval.studies.comparison import Text

__all__ = ["EntrantsDemonstration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrantsDemonstration:
    """Households that entered between two waves against households in neither, before and after.

    Attributes
    ----------
    id : str
    outcome : str
    people : str
        Column that counts the people whom the outcome speaks of.
    treatment : str
        Status in each wave; entrants are 0 then 1, the others 0 and 0.
    covariates : tuple of str
        As of the first wave.
    weights : str
    labels : Mapping of str to Text

    Examples
    --------
    >>> from juntos_eval.studies.juntos_households import STUDY
    >>> STUDY.demonstrations[0].treatment
    'has_juntos'
    """

    id: str
    outcome: str
    people: str
    treatment: str
    covariates: tuple[str, ...]
    weights: str
    labels: Mapping[str, Text] = field(default_factory=FrozenMapping)

    def sample(self, linked: DataFrame) -> tuple[DataFrame, dict[str, int]]:
        """Return two rows a household with ``is_entrant`` and ``analysis_weight``, and who was left out.

        Parameters
        ----------
        linked : pandas.DataFrame
            Two rows a linked household.

        Returns
        -------
        pandas.DataFrame
        dict of str to int
            Households left out, by reason.

        Raises
        ------
        DesignError
            If nobody entered, or nobody stayed out.
        """
        years = sorted(linked["year"].unique())
        if len(years) != 2:
            raise DesignError(
                "the demonstration needs exactly two waves",
                where=f"{self.id}: years {', '.join(map(str, years)) or 'none'}",
                remedy="link two years of the survey",
            )
        first, second = (
            linked[linked["year"] == year].set_index("household_id").sort_index() for year in years
        )
        status = {"before": first[self.treatment], "after": second[self.treatment].reindex(first.index)}
        known = status["before"].notna() & status["after"].notna()
        outside_before = known & (status["before"] == 0).fillna(False)
        answered = (
            first[self.outcome].notna() & second[self.outcome].reindex(first.index).notna()
        ).to_numpy()
        dropped = {
            "status not known in both waves": int((~known).sum()),
            "in the programme in the first wave": int((known & ~outside_before).sum()),
            "nobody of the group who was asked in both waves": int((outside_before & ~answered).sum()),
        }
        kept = first.index[outside_before.to_numpy() & answered]
        entrant = (status["after"].loc[kept] == 1).astype("int8")
        if entrant.nunique() < 2:
            raise DesignError(
                "the demonstration needs entrants and households that stayed out",
                where=f"{self.id}: {int(entrant.sum())} entrants of {len(entrant)} linked households",
                remedy="check the linked table and the module of social programmes of both years",
            )
        weight = first.loc[kept, self.weights] * first.loc[kept, self.people]
        rows = linked[linked["household_id"].isin(kept)]
        return (
            rows.assign(
                is_entrant=rows["household_id"].map(entrant).to_numpy(np.int8),
                analysis_weight=rows["household_id"].map(weight).to_numpy(np.float64),
            ),
            dropped,
        )

    def estimator(self) -> Estimator:
        """Return the doubly robust difference-in-differences of entrants."""
        return DoublyRobust(
            outcome=self.outcome,
            unit="household_id",
            time="year",
            treatment="is_entrant",
            covariates=self.covariates,
            weights="analysis_weight",
        )
