"""Synthetic ENDES: INEI's names, formats and codes, a staggered rollout, planted effects, no real record.

Districts enter Juntos one group after the other, the poorest first (``first_treated``). A household is
eligible if it is poor (the two lowest wealth quintiles) and has a child; an eligible household of a covered
district affiliates with a chance that rises with its poverty. Affiliation shifts

- violence by the partner and his drinking: the logit, by ``physical_effect`` and its siblings;
- the height of children: HAZ, by ``height_effect`` a year of exposure, for at most three years;
- prenatal checks: the log of their mean, for births after the district's entry.

Poverty of the district moves all outcomes and decides who enters first: a comparison of affiliated with
others finds too little of the effect, or the wrong sign. ``hidden_confounding`` adds a trait that no file
shows. ``EndesTruth`` says what an estimator should find.
"""

from __future__ import annotations

from juntos_eval.surveys.synthetic.endes.parameters import DOCUMENTED_YEARS, EndesModel
from juntos_eval.surveys.synthetic.endes.rollout import ROLLOUT_FILE, draw_rollout
from juntos_eval.surveys.synthetic.endes.truth import (
    ENDES_TRUTH_FILE,
    EndesEffect,
    EndesTruth,
    read_endes_truth,
)
from juntos_eval.surveys.synthetic.endes.write import endes_frame, simulate_endes, write_synthetic_endes

__all__ = [
    "DOCUMENTED_YEARS",
    "ENDES_TRUTH_FILE",
    "ROLLOUT_FILE",
    "EndesEffect",
    "EndesModel",
    "EndesTruth",
    "draw_rollout",
    "endes_frame",
    "read_endes_truth",
    "simulate_endes",
    "write_synthetic_endes",
]
