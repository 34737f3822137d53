"""How every figure looks: colours that colour-blind readers tell apart, widths, typeface, watermark."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import Any, Final, Literal, cast

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from juntos_eval.arrays import FrozenMapping
from juntos_eval.reporting.language import Language

__all__ = [
    "COLOURS",
    "GREY",
    "INK",
    "MARKERS",
    "PAPER",
    "RULE",
    "TITLE_INCHES",
    "Drawing",
    "Setting",
    "Width",
    "design_colour",
    "design_marker",
    "drawn",
    "frame_off",
    "house_style",
    "legend_below",
    "new_figure",
    "wrapped",
]

Width = Literal["column", "page"]

#: Presets of journals, which are also a phone's width and that of the report's text, in inches.
_WIDTHS: Final[Mapping[Width, float]] = {"column": 3.6, "page": 7.4}

#: Height of the strip that a page of HTML cuts off, because it says the title itself.
TITLE_INCHES: Final = 0.36

INK: Final = "#1d2630"
GREY: Final = "#66707b"
RULE: Final = "#d5dae0"
PAPER: Final = "#ffffff"

#: Okabe and Ito (2008), less the yellow that is lost on white.
COLOURS: Final[Mapping[str, str]] = FrozenMapping(
    {
        "blue": "#0072b2",
        "vermilion": "#d55e00",
        "green": "#009e73",
        "purple": "#cc79a7",
        "sky": "#56b4e9",
        "orange": "#e69f00",
        "ink": INK,
        "grey": GREY,
    }
)
_DESIGNS: Final[Mapping[str, str]] = {
    "raw_gap": "grey",
    "nearest_1": "blue",
    "nearest_5": "sky",
    "kernel": "green",
    "ipw": "orange",
    "entropy": "vermilion",
    "aipw": "purple",
}
#: A second way to tell designs apart, for print without colour.
MARKERS: Final[Mapping[str, str]] = FrozenMapping(
    {
        "raw_gap": "o",
        "nearest_1": "o",
        "nearest_5": "s",
        "kernel": "^",
        "ipw": "D",
        "entropy": "v",
        "aipw": "P",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """For whom a figure is drawn.

    Attributes
    ----------
    words : Language
    width : {"column", "page"}
    is_synthetic : bool
        Whether the drawing says so across itself.
    title : str
        Stands in a strip above the drawing; none if empty.

    Examples
    --------
    >>> from juntos_eval.reporting.figures import Setting
    >>> from juntos_eval.reporting.language import language
    >>> Setting(words=language("en"), width="page", is_synthetic=True).is_narrow
    False
    """

    words: Language
    width: Width
    is_synthetic: bool
    title: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether it must be read on a phone or in one column."""
        return self.width == "column"

    @property
    def inches(self) -> float:
        """Width of the drawing."""
        return _WIDTHS[self.width]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure and the text that says the same.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
    alt : str

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from juntos_eval.reporting.figures import Drawing
    >>> Drawing(Figure(), "An empty figure.").alt
    'An empty figure.'
    """

    figure: Figure
    alt: str


def house_style() -> AbstractContextManager[None]:
    """Return the context in which figures are made and written, so that nothing else is changed.

    Returns
    -------
    context manager

    Examples
    --------
    >>> import matplotlib
    >>> from juntos_eval.reporting.figures.style import house_style
    >>> with house_style():
    ...     inside = matplotlib.rcParams["svg.fonttype"]
    >>> inside
    'path'
    """
    _register_fonts()
    settings: dict[str, Any] = {
        "font.family": ["Inter", "DejaVu Sans"],
        "font.size": 9.0,
        "axes.titlesize": 9.4,
        "axes.titlelocation": "left",
        "axes.titlecolor": INK,
        "axes.labelsize": 8.5,
        "axes.labelcolor": GREY,
        "axes.edgecolor": GREY,
        "axes.linewidth": 0.7,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 9.0,
        "xtick.color": GREY,
        "ytick.color": INK,
        "xtick.major.size": 2.5,
        "ytick.major.size": 0.0,
        "ytick.alignment": "center",
        "xtick.major.width": 0.7,
        "text.color": INK,
        "legend.frameon": False,
        "legend.fontsize": 8.6,
        "grid.color": RULE,
        "grid.linewidth": 0.7,
        "lines.linewidth": 1.6,
        "lines.markersize": 5.0,
        "figure.facecolor": PAPER,
        "axes.facecolor": "none",
        "savefig.facecolor": PAPER,
        "svg.fonttype": "path",
        # ids in the file come from this and the content, not from chance
        "svg.hashsalt": "juntos_eval",
    }
    # its stub wants every key as a literal
    return mpl.rc_context(cast("Any", settings))


@cache
def _register_fonts() -> None:
    for weight in ("Regular", "SemiBold"):
        with as_file(files("juntos_eval.reporting").joinpath("fonts", f"Inter-{weight}.ttf")) as path:
            font_manager.fontManager.addfont(path)


def new_figure(setting: Setting, height_inches: float) -> Figure:
    """Return an empty figure of the setting's width.

    Parameters
    ----------
    setting : Setting
    height_inches : float

    Returns
    -------
    matplotlib.figure.Figure
        Watermarked if the data are synthetic.

    Examples
    --------
    >>> from juntos_eval.reporting.figures.style import Setting, new_figure
    >>> from juntos_eval.reporting.language import language
    >>> setting = Setting(words=language("es"), width="column", is_synthetic=True)
    >>> new_figure(setting, 2.0).texts[0].get_text()
    'DATOS SINTÉTICOS'
    """
    width = setting.inches
    strip = TITLE_INCHES if setting.title else 0.0
    whole = height_inches + strip
    layout = ConstrainedLayoutEngine(rect=(0.0, 0.0, 1.0, height_inches / whole))
    figure = Figure(figsize=(width, whole), layout=layout)
    if strip:
        height = 1.0 - 0.5 * strip / whole
        figure.text(
            0.012, height, setting.title, va="center", fontsize=10.0, family="Inter SemiBold", in_layout=False
        )
    if setting.is_synthetic:
        _watermark(figure, setting.words.say("word.synthetic"), width, height_inches)
    return figure


def _watermark(figure: Figure, text: str, width: float, height: float) -> None:
    """Write across the drawing, again and again down a tall one."""
    times = max(1, round(height / (1.4 * width)))
    strip_share = height / float(figure.get_size_inches()[1])
    for place in range(times):
        figure.text(
            0.5,
            strip_share * (place + 0.5) / times,
            text,
            ha="center",
            va="center",
            rotation=min(28.0, 60.0 * height / width),
            fontsize=min(6.2 * width, 7.5 * height),
            family="Inter SemiBold",
            color=GREY,
            alpha=0.17,
            zorder=-10,
            in_layout=False,
        )


def drawn(figure: Figure, alt: str) -> Drawing:
    """Return a finished drawing: its layout is computed once, however often it is written.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str

    Returns
    -------
    Drawing

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from juntos_eval.reporting.figures.style import drawn
    >>> figure = Figure(layout="constrained")
    >>> axes = figure.subplots()
    >>> drawn(figure, "empty").alt
    'empty'
    """
    engine = figure.get_layout_engine()
    with house_style():
        if engine is not None:
            engine.execute(figure)
        figure.set_layout_engine("none")
    return Drawing(figure, alt)


def legend_below(figure: Figure, handles: Sequence[Artist], setting: Setting) -> None:
    """Put a legend below the drawing, in as many columns as the width has room for.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    handles : sequence of matplotlib.artist.Artist
        Labelled.
    setting : Setting

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from matplotlib.lines import Line2D
    >>> from juntos_eval.reporting.figures.style import Setting, legend_below
    >>> from juntos_eval.reporting.language import language
    >>> figure = Figure(layout="constrained")
    >>> setting = Setting(words=language("en"), width="column", is_synthetic=False)
    >>> legend_below(figure, [Line2D([], [], label="before adjustment")], setting)
    >>> len(figure.legends)
    1
    """
    # a letter takes about 0.064 inches at this size, a key and its gap about 0.5
    longest = max(len(line) for handle in handles for line in str(handle.get_label()).splitlines())
    columns = max(1, int(setting.inches / (0.064 * longest + 0.5)))
    figure.legend(handles=list(handles), loc="outside lower center", ncols=min(columns, len(handles)))


def wrapped(text: str, inches: float) -> str:
    """Return text in lines that fit a width, at the size of titles and axis labels.

    Parameters
    ----------
    text : str
    inches : float

    Returns
    -------
    str

    Examples
    --------
    >>> from juntos_eval.reporting.figures.style import wrapped
    >>> wrapped("Food insecurity score, 2025", 1.25).splitlines()
    ['Food insecurity', 'score, 2025']
    """
    return textwrap.fill(text, max(12, int(inches / 0.073)))


def design_colour(design: str) -> str:
    """Return the colour of a design, the same in every figure.

    Parameters
    ----------
    design : str

    Returns
    -------
    str
        Ink for designs without a colour of their own.

    Examples
    --------
    >>> from juntos_eval.reporting.figures.style import design_colour
    >>> design_colour("nearest_1")
    '#0072b2'
    """
    return COLOURS[_DESIGNS.get(design, "ink")]


def design_marker(design: str) -> str:
    """Return the marker of a design, the same in every figure.

    Parameters
    ----------
    design : str

    Returns
    -------
    str

    Examples
    --------
    >>> from juntos_eval.reporting.figures.style import design_marker
    >>> design_marker("entropy")
    'v'
    """
    return MARKERS.get(design, "X")


def frame_off(axes: Axes, *keep: str) -> None:
    """Remove the box around the data but for some sides.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    *keep : {"left", "right", "top", "bottom"}

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from juntos_eval.reporting.figures.style import frame_off
    >>> axes = Figure().subplots()
    >>> frame_off(axes, "bottom")
    >>> axes.spines["top"].get_visible()
    False
    """
    for side, spine in axes.spines.items():
        spine.set_visible(side in keep)
