"""Inference: from a fit to its uncertainty, each a frozen record of choices."""
