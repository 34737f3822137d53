"""Peru's national household survey (ENAHO): from raw modules to clean tables and the analysis table."""

from juntos_eval.surveys.enaho.child_work import clean_child_work
from juntos_eval.surveys.enaho.education import clean_education
from juntos_eval.surveys.enaho.employment import clean_employment
from juntos_eval.surveys.enaho.food_security import clean_food_security
from juntos_eval.surveys.enaho.health import clean_health
from juntos_eval.surveys.enaho.households import build_households
from juntos_eval.surveys.enaho.housing import clean_housing
from juntos_eval.surveys.enaho.link import link_households
from juntos_eval.surveys.enaho.panel_attrition import clean_panel_attrition
from juntos_eval.surveys.enaho.panel_tables import clean_panel
from juntos_eval.surveys.enaho.sumaria import clean_deflators, clean_sumaria
from juntos_eval.surveys.enaho.tables import clean_dwellings, clean_members, clean_programmes
from juntos_eval.surveys.geo import clean_districts

__all__ = [
    "build_households",
    "clean_child_work",
    "clean_deflators",
    "clean_districts",
    "clean_dwellings",
    "clean_education",
    "clean_employment",
    "clean_food_security",
    "clean_health",
    "clean_housing",
    "clean_members",
    "clean_panel",
    "clean_panel_attrition",
    "clean_programmes",
    "clean_sumaria",
    "link_households",
]
