"""Peru's demographic and health survey (ENDES): from raw recode files to clean tables."""

from juntos_eval.surveys.endes.births import clean_births
from juntos_eval.surveys.endes.children import clean_children
from juntos_eval.surveys.endes.entry import infer_district_entry
from juntos_eval.surveys.endes.health import clean_health
from juntos_eval.surveys.endes.households import clean_households
from juntos_eval.surveys.endes.persons import clean_persons
from juntos_eval.surveys.endes.violence import clean_violence
from juntos_eval.surveys.endes.women import clean_women

__all__ = [
    "clean_births",
    "clean_children",
    "clean_health",
    "clean_households",
    "clean_persons",
    "clean_violence",
    "clean_women",
    "infer_district_entry",
]
