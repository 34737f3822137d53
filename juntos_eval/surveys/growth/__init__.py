"""Child growth and anaemia by the World Health Organization: scores from raw measurements."""

from juntos_eval.surveys.growth.anaemia import anaemia_level, haemoglobin_adjustment
from juntos_eval.surveys.growth.reference import DAYS_A_MONTH, LAST_DAY_2006
from juntos_eval.surveys.growth.scores import GrowthScores, IndexScores, growth_scores

__all__ = [
    "DAYS_A_MONTH",
    "LAST_DAY_2006",
    "GrowthScores",
    "IndexScores",
    "anaemia_level",
    "growth_scores",
    "haemoglobin_adjustment",
]
