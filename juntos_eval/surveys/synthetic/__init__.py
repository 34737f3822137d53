"""Synthetic raw files: INEI's names, formats and codes, a planted effect, and no real record.

``write_synthetic`` writes a folder that reads as the real one does; ``SyntheticTruth`` says what an estimator
should find in it.
"""

from __future__ import annotations

from juntos_eval.surveys.synthetic.history import history_modules, write_history
from juntos_eval.surveys.synthetic.history_model import HISTORY_YEARS, HistoryModel
from juntos_eval.surveys.synthetic.history_truth import HistoryTruth
from juntos_eval.surveys.synthetic.panel_files import PanelTruth, write_panel
from juntos_eval.surveys.synthetic.parameters import SURVEY_YEARS, StructuralModel
from juntos_eval.surveys.synthetic.population import Population, Wave, simulate_population
from juntos_eval.surveys.synthetic.truth import PlantedEffect, SyntheticTruth, read_truth
from juntos_eval.surveys.synthetic.write import write_synthetic

__all__ = [
    "HISTORY_YEARS",
    "SURVEY_YEARS",
    "HistoryModel",
    "HistoryTruth",
    "PanelTruth",
    "PlantedEffect",
    "Population",
    "StructuralModel",
    "SyntheticTruth",
    "Wave",
    "history_modules",
    "read_truth",
    "simulate_population",
    "write_history",
    "write_panel",
    "write_synthetic",
]
