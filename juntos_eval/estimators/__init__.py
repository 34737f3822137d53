"""Estimators: frozen records of choices with one method, ``fit``."""
