"""Peru's national household survey (ENAHO): from raw modules to clean tables and the analysis table."""

from juntos_eval.surveys.enaho.food_security import clean_food_security
from juntos_eval.surveys.enaho.households import build_households
from juntos_eval.surveys.enaho.link import link_households
from juntos_eval.surveys.enaho.tables import clean_dwellings, clean_members, clean_programmes
from juntos_eval.surveys.geo import clean_districts

__all__ = [
    "build_households",
    "clean_districts",
    "clean_dwellings",
    "clean_food_security",
    "clean_members",
    "clean_programmes",
    "link_households",
]
