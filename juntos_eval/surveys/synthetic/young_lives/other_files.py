"""Files of every round or of places: abilities comparable across rounds, and community questionnaires."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from juntos_eval.surveys.synthetic.young_lives.children import Cohort
from juntos_eval.surveys.synthetic.young_lives.outcomes import Outcomes, Siblings

__all__ = ["ability_values", "community_values", "sibling_ability_values"]

#: Rounds by cohort that a test's abilities cover, by the codebook.
_COVERED: Final[dict[str, dict[str, tuple[int, ...]]]] = {
    "ppvt_irt": {"older": (2, 3), "younger": (2, 3, 4, 5)},
    "maths_irt": {"older": (2, 3, 4), "younger": (3, 4, 5)},
    "reading_irt": {"older": (4, 5), "younger": (4, 5)},
}
_PERU: Final = 3.0
_MID_YEAR: Final = {3: 2009.8, 5: 2016.6}


def ability_values(
    table: str, cohorts: dict[str, tuple[Cohort, Outcomes]], rng: np.random.Generator
) -> dict[str, Any]:
    """Give the rows of one test: Peru's children, and some of another country, to be left out."""
    parts = []
    places = [(name, one) for name, rounds in _COVERED[table].items() for one in rounds]
    for name, survey_round in places:
        cohort, made = cohorts[name]
        rows = np.flatnonzero(cohort.is_seen[:, survey_round - 1])
        theta = (made.maths if table == "maths_irt" else made.theta)[rows, survey_round - 1]
        parts.append(
            pd.DataFrame(
                {
                    "child_id": cohort.children["child_id"].to_numpy()[rows],
                    "country": _PERU,
                    "round": float(survey_round),
                    "cohort": 1.0 if name == "younger" else 0.0,
                    "irt": np.round(theta + 0.6 * survey_round - 1.8 + rng.normal(0, 0.2, len(rows)), 4),
                    "raw": np.clip(np.round(60 + 15 * theta), 0, 125),
                    "test_group": 1.0,
                    "language": 5.0,
                }
            )
        )
    abroad = (
        parts[0].head(20).assign(country=2.0, child_id=[f"IN{one:06d}" for one in range(20)][: len(parts[0])])
    )
    whole = pd.concat([abroad, *parts], ignore_index=True)
    return {str(name): whole[name].to_numpy() for name in whole}


def sibling_ability_values(cohort: Cohort, siblings: Siblings) -> dict[str, Any]:
    """Give the siblings' abilities by round; Ethiopia's are beside Peru's."""
    frame = siblings.frame
    ids = cohort.children["child_id"].to_numpy()[frame["child"]]
    parts = []
    for survey_round in (3, 4, 5):
        is_seen = cohort.is_seen[frame["child"], survey_round - 1]
        theta = frame[f"theta_{survey_round}"].to_numpy()
        rows = {"child_id": ids, "country": _PERU, "round": float(survey_round), "irt": np.round(theta, 4)}
        parts.append(pd.DataFrame(rows)[is_seen])
    abroad = (
        parts[0].head(5).assign(country=1.0, child_id=[f"ET{one:06d}" for one in range(5)][: len(parts[0])])
    )
    whole = pd.concat([abroad, *parts], ignore_index=True)
    return {str(name): whole[name].to_numpy() for name in whole}


def community_values(sites: pd.DataFrame, survey_round: int, *, is_mini: bool) -> dict[str, Any]:
    """Give the communities of a round: whether Juntos operates, and did three years before."""
    now = _MID_YEAR[survey_round]
    if is_mini:
        return {
            "community_id": np.asarray([f"PE{site:02d}C9{site % 10}" for site in (1, 2, 3)], dtype=object),
            "juntos_operates": np.asarray([1.0, 0.0, 88.0]),
            "juntos_operated_before": np.asarray([1.0, 0.0, 88.0]),
        }
    columns = [f"entry_{one}" for one in range(1, 5)]
    entry = sites[columns].to_numpy().ravel()
    ids = [f"PE{site:02d}C{one:02d}" for site in sites["site"] for one in range(1, 5)]
    return {
        "community_id": np.asarray(ids, dtype=object),
        "juntos_operates": (entry < now).astype(float),
        "juntos_operated_before": (entry < now - 3).astype(float),
    }
