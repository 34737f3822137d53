"""Gaentzsch (2020): kernel matching difference-in-differences on schooling in Young Lives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from pandas import DataFrame

from juntos_eval.paths import RawFolder
from juntos_eval.studies.ask import assumed_effect
from juntos_eval.studies.cited_study import CitedStudy
from juntos_eval.studies.comparison import Text
from juntos_eval.studies.frames.young_lives import BASELINE, children, needs, twin, two_rounds
from juntos_eval.studies.specifications import by_matching_over_time
from juntos_eval.studies.worlds.matched_panel import MatchedPanel
from juntos_eval.surveys import young_lives

__all__ = ["STUDY"]

#: Of the 3,130 children of the abstract: half are of the ages asked about, three in ten of them treated.
_TREATED: Final = 470
_UNTREATED: Final = 1095
_SPECIFICATIONS: Final = by_matching_over_time(BASELINE, method="kernel")


def _share(start: float, trend: float) -> MatchedPanel:
    return MatchedPanel(
        treated=_TREATED,
        untreated=_UNTREATED,
        start=start,
        trend=trend,
        kind="share",
        level=-0.015,
        drift=-0.01,
        gap=0.25,
        covariates=BASELINE,
    )


def _score() -> MatchedPanel:
    return MatchedPanel(
        treated=_TREATED,
        untreated=_UNTREATED,
        start=0.0,
        trend=0.0,
        level=-0.08,
        drift=-0.02,
        gap=0.25,
        covariates=BASELINE,
    )


def _frames(raw: RawFolder) -> Mapping[str, DataFrame]:
    rows = children(raw)
    maths = young_lives.clean_tests(raw).frame.query("test == 'maths'")
    scores = maths.drop_duplicates(["child_id", "round"])[["child_id", "round", "z_within_age"]]
    rows = rows.merge(scores, on=["child_id", "round"], how="left")
    last = rows[rows["round"] == 5].set_index("child_id")
    entry = last["first_round_exposed"]
    never = last["has_ever_joined"].astype("boolean").eq(False).fillna(False).astype(bool)
    arm = pd.Series(np.where(entry.isin([4, 5]), 1.0, np.where(never, 0.0, np.nan)), index=last.index)
    rows = rows.assign(arm=rows["child_id"].map(arm))
    return {
        "enrolment": two_rounds(rows, "is_enrolled", before=3, after=5, treated="arm"),
        "maths": two_rounds(rows, "z_within_age", before=3, after=5, treated="arm"),
    }


STUDY: Final = CitedStudy(
    id="gaentzsch_2020",
    title=Text(
        en="Juntos and educational attainment (Young Lives)",
        es="Juntos y logro educativo (Niños del Milenio)",
    ),
    equation="ATT = sum over treated of w_i [dy_i - sum_j K((p_j - p_i)/h) dy_j / sum_j K((p_j - p_i)/h)]",
    assumptions=(
        (
            "Epanechnikov kernel of bandwidth 0.06 on a logit score (kernel, bandwidth and covariates are "
            "not stated)"
        ),
        f"covariates of round 1: {', '.join(BASELINE)}",
        (
            "real files: younger cohort, round 3 (age 8) to round 5 (age 15); treated first exposed after "
            "round 3, the "
            "others never; the abstract states no rounds"
        ),
        "three in ten of the 3,130 children treated and half of an age that is asked about; no size was seen",
    ),
    questions=(
        assumed_effect(
            Text(en="School enrolment, ages 12-18", es="Matrícula escolar, 12 a 18 años"),
            _share(0.88, -0.05),
            _SPECIFICATIONS,
            id="enrolment",
            effect=5.0,
            units="percentage points",
            scale=100.0,
            finding=("school enrolment", "ages 12-18"),
        ),
        assumed_effect(
            Text(en="Maths test score", es="Puntaje de matemática"),
            _score(),
            _SPECIFICATIONS,
            id="maths",
            effect=0.0,
            units="standard deviations within age",
            finding=("maths test score", "primary and secondary school age"),
        ),
    ),
    would_change=(
        "enrolment of poor children moving otherwise between rounds for reasons the baseline does not show",
        "treated children who entered before the first round used: their earlier level is not untreated",
    ),
    needs=needs(
        (
            ("panel", None),
            ("household_younger", 3),
            ("household_younger", 4),
            ("household_younger", 5),
            ("maths_irt", None),
        )
    ),
    frames=_frames,
    twin=twin,
)
