"""Surveys declared as data, cleaned by small pure functions: read, harmonise, clean, validate, store."""
