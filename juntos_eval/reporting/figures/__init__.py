"""One function a figure: from a report's input to a drawing with its text for those who cannot see it."""

from juntos_eval.reporting.figures.demonstration import demonstration_figure
from juntos_eval.reporting.figures.estimates import estimates_figure, raw_and_adjusted_figure
from juntos_eval.reporting.figures.love import love_figure
from juntos_eval.reporting.figures.overlap import overlap_figure
from juntos_eval.reporting.figures.sensitivity import sensitivity_figure
from juntos_eval.reporting.figures.shares import food_insecurity_figure
from juntos_eval.reporting.figures.style import Drawing, Setting, Width

__all__ = [
    "Drawing",
    "Setting",
    "Width",
    "demonstration_figure",
    "estimates_figure",
    "food_insecurity_figure",
    "love_figure",
    "overlap_figure",
    "raw_and_adjusted_figure",
    "sensitivity_figure",
]
