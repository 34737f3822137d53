"""Andersen et al. (2015): Juntos and child growth in Young Lives, by length of participation and sex."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from pandas import DataFrame

from juntos_eval.estimators.did.doubly_robust import DoublyRobust
from juntos_eval.evidence.load import load_record
from juntos_eval.paths import RawFolder
from juntos_eval.studies.cited_study import CitedStudy, Planted, Question, Recomputation
from juntos_eval.studies.comparison import Text
from juntos_eval.studies.frames.young_lives import BASELINE, children, needs, twin, two_rounds
from juntos_eval.studies.specifications import by_matching_over_time
from juntos_eval.studies.worlds.matched_panel import MatchedPanel

__all__ = ["STUDY", "rebuilt"]

_ID: Final = "andersen_2015"

#: Candidate controls by the Cochrane extraction.
_CONTROLS: Final = 586

#: Of each question: published row, group, sex, outcome, and the world it is planted in.
_QUESTIONS: Final = (
    ("stunting_lt2", "stunting_all_lt2_y", "under_2_years", None, "is_stunted"),
    ("stunting_ge2", "stunting_all_ge2_y", "2_years_or_more", None, "is_stunted"),
    ("haz_boys_lt2", "haz_boys_lt2_y", "under_2_years", "male", "haz"),
    ("haz_boys_ge2", "haz_boys_ge2_y", "2_years_or_more", "male", "haz"),
    ("baz_girls_ge2", "baz_girls_ge2_y", "2_years_or_more", "female", "baz"),
    ("overweight_girls_ge2", "overweight_girls_ge2_y", "2_years_or_more", "female", "is_overweight"),
)

_LABELS: Final = {
    "is_stunted": Text(en="Stunting", es="Desnutrición crónica"),
    "haz": Text(en="Height for age", es="Talla para la edad"),
    "baz": Text(en="Body mass index for age", es="IMC para la edad"),
    "is_overweight": Text(en="Overweight", es="Sobrepeso"),
}
_WHO: Final = {
    None: Text(en="all", es="todos"),
    "male": Text(en="boys", es="niños"),
    "female": Text(en="girls", es="niñas"),
}
_LENGTH: Final = {
    "under_2_years": Text(en="under 2 years in Juntos", es="menos de 2 años en Juntos"),
    "2_years_or_more": Text(en="2 years or more in Juntos", es="2 años o más en Juntos"),
}


def rebuilt(length: str) -> DataFrame:
    """Return children as the published counts have them: two rows a child, who was stunted in which round.

    The counts are margins: which child changed is not known, and does not move the difference.

    Parameters
    ----------
    length : {"lt2", "ge2"}

    Returns
    -------
    pandas.DataFrame
        ``unit wave treated y``.

    Examples
    --------
    >>> from juntos_eval.studies.cited.andersen_2015 import rebuilt
    >>> len(rebuilt("lt2")) == 2 * 2 * 188
    True
    """
    record = load_record(_ID)
    pieces = []
    for treated, arm in ((1, "treated"), (0, "matched_controls")):
        for wave, when in ((1, "baseline_r1"), (2, "follow_up_r3")):
            row = record.number(f"stunting_prevalence_{arm}_{when}_{length}_y")
            n, count = row.n or 0, row.count or 0
            units = np.arange(n) + 10_000 * treated
            pieces.append(
                DataFrame(
                    {"unit": units, "wave": wave, "treated": treated, "y": (np.arange(n) < count) * 1.0}
                )
            )
    return pd.concat(pieces, ignore_index=True).astype({"y": float})


def _recomputed(length: str) -> float:
    estimate = DoublyRobust(outcome="y", unit="unit", time="wave", treatment="treated").fit(rebuilt(length))
    return 100 * float(estimate.values[0])


def _covariates(sex: str | None) -> tuple[str, ...]:
    return tuple(name for name in BASELINE if sex is None or name != "is_girl")


def _world(row: str, outcome: str, sex: str | None) -> MatchedPanel:
    treated = load_record(_ID).number(row).n or 0
    if outcome == "is_stunted":
        length = "lt2" if row.endswith("lt2_y") else "ge2"
        record = load_record(_ID)
        before, after = (
            (record.number(f"stunting_prevalence_matched_controls_{when}_{length}_y").estimate or 0.0) / 100
            for when in ("baseline_r1", "follow_up_r3")
        )
        # matched controls are as poor as the treated: all others start lower by what covariates explain
        return MatchedPanel(
            treated=treated,
            untreated=_CONTROLS,
            start=before - 0.05,
            trend=after - before,
            kind="share",
            level=0.025,
            drift=0.012,
            gap=0.25,
            covariates=_covariates(sex),
        )
    # about half of the candidate controls have the sex asked for
    is_share = outcome == "is_overweight"
    return MatchedPanel(
        treated=treated,
        untreated=_CONTROLS // 2,
        start={"is_overweight": 0.40, "haz": -1.3, "baz": 0.6}[outcome],
        trend=0.0,
        kind="share" if is_share else "score",
        level=-0.015 if is_share else -0.06,
        drift=0.01 if is_share else 0.04,
        gap=0.25,
        covariates=_covariates(sex),
    )


def _question(id: str, row: str, group: str, sex: str | None, outcome: str) -> Question:  # noqa: A002
    number = load_record(_ID).number(row)
    is_share = outcome.startswith("is_")
    scale = 100.0 if is_share else 1.0
    label, who, length = _LABELS[outcome], _WHO[sex], _LENGTH[group]
    return Question(
        id=id,
        label=Text(en=f"{label.en}, {who.en}, {length.en}", es=f"{label.es}, {who.es}, {length.es}"),
        units=number.units,
        planted=Planted(
            effect=(number.estimate or 0.0) / scale,
            origin=f"published: {row}",
            world=_world(row, outcome, sex),
        ),
        specifications=by_matching_over_time(_covariates(sex), method="nearest"),
        published=(row,),
        scale=scale,
    )


def _frames(raw: RawFolder) -> Mapping[str, DataFrame]:
    rows = children(raw)
    sierra = rows[rows["region_1"] == "sierra"].copy()
    latest = sierra[sierra["round"] == 3].set_index("child_id")
    found = {}
    for id_, _, group, sex, outcome in _QUESTIONS:
        is_treated = latest["exposure_group"].astype("str").eq(group)
        is_control = latest["exposure_group"].astype("str").eq("none") & latest["has_ever_joined"].eq(False)
        status = pd.Series(np.where(is_treated, 1.0, np.where(is_control, 0.0, np.nan)), index=latest.index)
        chosen = sierra.assign(arm=sierra["child_id"].map(status))
        if sex is not None:
            chosen = chosen[chosen["sex"] == sex]
        frame = two_rounds(chosen, outcome, before=1, after=3, treated="arm")
        found[id_] = frame
    return found


STUDY: Final = CitedStudy(
    id=_ID,
    title=Text(
        en="Juntos and child growth, by length of participation and sex (Young Lives)",
        es="Juntos y crecimiento infantil, por tiempo de participación y sexo (Niños del Milenio)",
    ),
    equation="ATT = mean over treated of (y_R3 - y_R1) - mean over matched controls of (y_R3 - y_R1)",
    assumptions=(
        (
            "one nearest neighbour with replacement on a logit score, no caliper (the abstract names no "
            "algorithm; one "
            "control for each treated child is read off the tabulated counts)"
        ),
        (
            f"covariates of round 1 on real files: {', '.join(BASELINE)} (the extraction names age and the "
            f"shares of "
            "members aged 0-5 and 6-14; the rest is ours, and 6-17 stands for 6-14, which the released "
            "panel "
            "lacks)"
        ),
        (
            "treated: exposed at round 3 by length; controls: never joined by round 3; former members "
            "count "
            "as exposed"
        ),
        "overweight on BMI for age by WHO's cut-off (the abstract states none)",
        "errors from the influence of each child; the study's look like bootstrap percentiles",
    ),
    questions=tuple(_question(*row) for row in _QUESTIONS),
    would_change=(
        (
            "unobserved reasons to enrol that also move growth: the doubly robust estimate shares that "
            "assumption"
        ),
        "with 84 to 188 treated children the design sees only large effects: see the exaggeration ratio",
    ),
    needs=needs((("panel", None), ("household_younger", 3), ("household_younger", 4))),
    frames=_frames,
    twin=twin,
    recomputations=(
        Recomputation(
            published="stunting_all_lt2_y",
            how="matched difference-in-differences on children rebuilt from the tabulated counts: "
            "((72-91)-(76-80))/188",
            value=lambda: _recomputed("lt2"),
        ),
        Recomputation(
            published="stunting_all_ge2_y",
            how="matched difference-in-differences on children rebuilt from the tabulated counts: "
            "((67-101)-(81-84))/169",
            value=lambda: _recomputed("ge2"),
        ),
    ),
)
