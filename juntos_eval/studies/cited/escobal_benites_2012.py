"""Escobal & Benites (2012): children's work and chores in Young Lives, participants against like children."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pandas import DataFrame

from juntos_eval.paths import RawFolder
from juntos_eval.studies.ask import assumed_effect
from juntos_eval.studies.cited_study import CitedStudy
from juntos_eval.studies.comparison import Text
from juntos_eval.studies.frames.young_lives import BASELINE, children, needs, twin
from juntos_eval.studies.specifications import by_matching
from juntos_eval.studies.worlds.cross_section import CrossSection

__all__ = ["STUDY"]

_SPECIFICATIONS: Final = by_matching(BASELINE, method="nearest")
_TREATED: Final = 420
_UNTREATED: Final = 1480


def _frames(raw: RawFolder) -> Mapping[str, DataFrame]:
    rows = children(raw)
    seen = rows[rows["round"] == 3]
    known = seen[seen["is_juntos"].notna()]
    columns = (
        known[list(BASELINE)]
        .astype("float64")
        .assign(
            treated=known["is_juntos"].astype(int),
            paid=(known["paid_work_hours"] > 0).astype("float64").where(known["paid_work_hours"].notna()),
            chores=known["chore_hours"],
        )
    )
    return {
        name: columns.rename(columns={name: "y"}).dropna(subset=["y", *BASELINE]).reset_index(drop=True)
        for name in ("paid", "chores")
    }


STUDY: Final = CitedStudy(
    id="escobal_benites_2012",
    title=Text(
        en="Juntos and children's work and chores (Young Lives)",
        es="Juntos y el trabajo y las tareas del hogar de los niños (Niños del Milenio)",
    ),
    equation="ATT = mean over participants of y_i - mean over like non-participants of y_j, round 3",
    assumptions=(
        "nearest neighbour on a logit score of round-1 covariates; the texts consulted state no estimator",
        f"covariates: {', '.join(BASELINE)}; younger cohort only; participants by the answer of round 3",
        "paid work as any hour a day; effects planted and numbers of participants and others are ours",
    ),
    questions=(
        assumed_effect(
            Text(en="Paid work", es="Trabajo remunerado"),
            CrossSection(
                treated=_TREATED,
                untreated=_UNTREATED,
                mean=0.13,
                slope=0.008,
                gap=0.25,
                kind="share",
                covariates=BASELINE,
            ),
            _SPECIFICATIONS,
            id="paid",
            effect=-4.0,
            units="percentage points",
            scale=100.0,
            finding=("paid child work", None),
        ),
        assumed_effect(
            Text(en="Hours of chores a day", es="Horas diarias de tareas del hogar"),
            CrossSection(
                treated=_TREATED,
                untreated=_UNTREATED,
                mean=0.9,
                slope=0.05,
                spread=0.8,
                gap=0.25,
                covariates=BASELINE,
            ),
            _SPECIFICATIONS,
            id="chores",
            effect=0.15,
            units="hours a day",
            finding=("hours in domestic tasks", None),
        ),
    ),
    would_change=("rural sites where Juntos and children's work go together beyond what round 1 shows",),
    needs=needs((("panel", None), ("household_younger", 3))),
    frames=_frames,
    twin=twin,
)
