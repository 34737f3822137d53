"""What was planted in a folder of synthetic Young Lives files, and what a naive reader would report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from juntos_eval.arrays import Bools, Floats, FrozenMapping
from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.surveys.synthetic.young_lives.children import Cohort
from juntos_eval.surveys.synthetic.young_lives.outcomes import Outcomes, Siblings
from juntos_eval.surveys.synthetic.young_lives.parameters import YoungLivesModel

__all__ = ["TRUTH_FILE", "PlantedExposure", "YoungLivesTruth", "find_truth", "read_young_lives_truth"]

TRUTH_FILE: Final = "young_lives_truth.json"
VERSION: Final = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedExposure:
    """One planted effect of length of exposure.

    Attributes
    ----------
    outcome : str
        ``haz is_stunted ppvt maths is_working is_enrolled``; siblings: ``sibling_haz sibling_is_stunted``.
    cohort : str
    round : int
    group : str
        ``exposed``, ``under_2_years`` or ``2_years_or_more``, by years in Juntos at the interview.
    value : float
        Mean over the exposed children seen of outcome less untreated outcome of the same child.
    naive_gap : float
        Mean of the exposed less that of the never exposed, both seen.
    naive_did : float or None
        The same of changes since round 1; None where there is no round 1.
    exposed, comparison : int
        Children behind them.
    """

    outcome: str
    cohort: str
    round: int
    group: str
    value: float
    naive_gap: float
    naive_did: float | None
    exposed: int
    comparison: int


@dataclass(frozen=True, slots=True, kw_only=True)
class YoungLivesTruth:
    """Everything planted in one folder.

    Attributes
    ----------
    seed : int
    version : str
    share : float
        Of the published number of children.
    parameters : FrozenMapping
        Of the model.
    seen : FrozenMapping of str to list of int
        Children seen by cohort, rounds 1 to 5.
    older_round_3_beneficiary_code : int or None
        What the check of the coding must find; None where it must not decide.
    effects : tuple of PlantedExposure

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.synthetic.young_lives import write_young_lives
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     truth = write_young_lives(Path(folder), seed=1, share=0.1, studies=(7483,))
    >>> truth.effect("maths", cohort="younger", survey_round=3).value
    0.0
    """

    seed: int
    version: str
    share: float
    parameters: FrozenMapping[str, Any]
    seen: FrozenMapping[str, list[int]]
    older_round_3_beneficiary_code: int | None
    effects: tuple[PlantedExposure, ...]

    def effect(
        self, outcome: str, *, cohort: str, survey_round: int, group: str = "exposed"
    ) -> PlantedExposure:
        """Return one planted effect.

        Raises
        ------
        SchemaError
            If nothing like it was planted.
        """
        for one in self.effects:
            if (one.outcome, one.cohort, one.round, one.group) == (outcome, cohort, survey_round, group):
                return one
        raise SchemaError(
            f"No effect on {outcome} was planted: {cohort} cohort, round {survey_round}, group {group}",
            remedy=f"planted: {', '.join(sorted({one.outcome for one in self.effects}))}",
        )

    def to_json(self) -> str:
        """Return it as JSON."""
        record = {name: getattr(self, name) for name in self.__dataclass_fields__}
        record |= {name: dict(record[name]) for name in ("parameters", "seen")}
        record["effects"] = [asdict(one) for one in self.effects]
        return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_young_lives_truth(folder: Path) -> YoungLivesTruth:
    """Read back what ``write_young_lives`` planted.

    Raises
    ------
    SourceError
        If the folder holds no truth, or one of another version.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.synthetic.young_lives import read_young_lives_truth, write_young_lives
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     truth = write_young_lives(Path(folder), seed=1, share=0.05, studies=(7483,))
    ...     read_young_lives_truth(Path(folder)) == truth
    True
    """
    path = folder / TRUTH_FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        record["effects"] = tuple(PlantedExposure(**one) for one in record["effects"])
        record |= {name: FrozenMapping(record[name]) for name in ("parameters", "seen")}
        return YoungLivesTruth(**record)
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise SourceError(
            f"There is no readable truth: {error}", where=str(path), remedy="write the synthetic files again"
        ) from error


def find_truth(
    cohorts: dict[str, tuple[Cohort, Outcomes]],
    siblings: Siblings,
    *,
    seed: int,
    share: float,
    model: YoungLivesModel,
) -> YoungLivesTruth:
    """Work out every planted effect from the potential outcomes that no file holds."""
    effects = [one for cohort, made in cohorts.values() for one in _effects(cohort, made)]
    effects += _sibling_effects(cohorts["younger"][0], siblings)
    codes = {"label_right": 2, "label_wrong": 1, "mixed": None}
    return YoungLivesTruth(
        seed=seed,
        version=VERSION,
        share=share,
        parameters=FrozenMapping(model.record()),
        seen=FrozenMapping(
            {name: cohort.is_seen.sum(axis=0).tolist() for name, (cohort, _) in cohorts.items()}
        ),
        older_round_3_beneficiary_code=codes[model.older_coding],
        effects=tuple(effects),
    )


def _effects(cohort: Cohort, made: Outcomes) -> Iterator[PlantedExposure]:
    pairs: dict[str, tuple[Floats, Floats]] = {
        "haz": (made.haz, made.haz_0),
        "is_stunted": ((made.haz < -2).astype(float), (made.haz_0 < -2).astype(float)),
        "ppvt": (made.theta, made.theta_0),
        "maths": (made.maths, made.maths_0),
        "is_working": (made.works.astype(float), made.works_0.astype(float)),
        "is_enrolled": (made.enrolled.astype(float), made.enrolled_0.astype(float)),
    }
    never = cohort.children["start"].isna().to_numpy()
    for place in (2, 3, 4):
        years = cohort.years_exposed[:, place]
        for group, is_in in _groups(years).items():
            rows = is_in & cohort.is_seen[:, place]
            others = never & cohort.is_seen[:, place]
            if not rows.any() or not others.any():
                continue
            for outcome, (real, untreated) in pairs.items():
                change = real[:, place] - real[:, 0]
                yield PlantedExposure(
                    outcome=outcome,
                    cohort=cohort.name,
                    round=place + 1,
                    group=group,
                    value=_mean(real[:, place] - untreated[:, place], rows),
                    naive_gap=_mean(real[:, place], rows) - _mean(real[:, place], others),
                    naive_did=_mean(change, rows) - _mean(change, others)
                    if outcome in {"haz", "is_stunted"}
                    else None,
                    exposed=int(rows.sum()),
                    comparison=int(others.sum()),
                )


def _groups(years: Floats) -> dict[str, Bools]:
    return {
        "exposed": years > 0,
        "under_2_years": (years > 0) & (years < 2),
        "2_years_or_more": years >= 2,
    }


def _sibling_effects(cohort: Cohort, siblings: Siblings) -> Iterator[PlantedExposure]:
    frame = siblings.frame
    never = cohort.children["start"].isna().to_numpy()[frame["child"]]
    for survey_round in (3, 4, 5):
        early, late = frame[f"early_{survey_round}"].to_numpy(), frame[f"late_{survey_round}"].to_numpy()
        is_seen = cohort.is_seen[frame["child"], survey_round - 1]
        rows, others = (early + late > 0) & is_seen, never & is_seen
        if not rows.any() or not others.any():
            continue
        real, untreated = frame[f"haz_{survey_round}"].to_numpy(), frame[f"haz_0_{survey_round}"].to_numpy()
        pairs = {
            "sibling_haz": (real, untreated),
            "sibling_is_stunted": ((real < -2).astype(float), (untreated < -2).astype(float)),
        }
        for outcome, (one, zero) in pairs.items():
            yield PlantedExposure(
                outcome=outcome,
                cohort="younger",
                round=survey_round,
                group="exposed",
                value=_mean(one - zero, rows),
                naive_gap=_mean(one, rows) - _mean(one, others),
                naive_did=None,
                exposed=int(rows.sum()),
                comparison=int(others.sum()),
            )


def _mean(values: Floats, rows: Bools) -> float:
    return float(np.mean(values[rows]))
