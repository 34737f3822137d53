"""Synthetic Young Lives files: the study's names, formats and codes, planted effects, and no real child."""

from __future__ import annotations

from juntos_eval.surveys.synthetic.young_lives.parameters import FORMATS, SEEN, YoungLivesModel
from juntos_eval.surveys.synthetic.young_lives.truth import (
    PlantedExposure,
    YoungLivesTruth,
    read_young_lives_truth,
)
from juntos_eval.surveys.synthetic.young_lives.write import write_young_lives

__all__ = [
    "FORMATS",
    "SEEN",
    "PlantedExposure",
    "YoungLivesModel",
    "YoungLivesTruth",
    "read_young_lives_truth",
    "write_young_lives",
]
