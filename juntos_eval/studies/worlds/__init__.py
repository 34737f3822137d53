"""Simulated data in the shape of the cited studies, each with a planted effect. SYNTHETIC."""
