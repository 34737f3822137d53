"""Young Lives Peru (Niños del Milenio): from the files of the UK Data Service to clean tables."""

from juntos_eval.surveys.young_lives.achievement import clean_tests
from juntos_eval.surveys.young_lives.attrition import clean_attrition
from juntos_eval.surveys.young_lives.availability import availability, unanswered_reason
from juntos_eval.surveys.young_lives.community import clean_community_exposure
from juntos_eval.surveys.young_lives.juntos import JuntosStatus, build_juntos_status, clean_juntos_status
from juntos_eval.surveys.young_lives.juntos_coding import CodingFinding
from juntos_eval.surveys.young_lives.locate import missing_files
from juntos_eval.surveys.young_lives.panel import clean_children_panel
from juntos_eval.surveys.young_lives.siblings import clean_siblings
from juntos_eval.surveys.young_lives.study_files import load_deposit
from juntos_eval.surveys.young_lives.wealth import compare_wealth
from juntos_eval.surveys.young_lives.work import clean_child_work

__all__ = [
    "CodingFinding",
    "JuntosStatus",
    "availability",
    "build_juntos_status",
    "clean_attrition",
    "clean_child_work",
    "clean_children_panel",
    "clean_community_exposure",
    "clean_juntos_status",
    "clean_siblings",
    "clean_tests",
    "compare_wealth",
    "load_deposit",
    "missing_files",
    "unanswered_reason",
]
