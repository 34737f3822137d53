"""Tables of places: the districts of Peru."""

from juntos_eval.surveys.geo.clean import clean_districts

__all__ = ["clean_districts"]
