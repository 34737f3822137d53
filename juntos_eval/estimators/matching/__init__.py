"""Matching and weighting: comparisons of treated and untreated rows that look alike."""
