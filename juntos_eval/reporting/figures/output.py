"""From a figure to bytes that are the same whenever the figure is."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Final

from matplotlib.figure import Figure

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError
from juntos_eval.reporting.figures.style import COLOURS, GREY, INK, PAPER, RULE, house_style

__all__ = ["inline_svg", "png_bytes", "svg_text"]

_DPI: Final = 150
#: Colours that a page in the dark replaces by its own.
_VARIABLES: Final[Mapping[str, str]] = FrozenMapping(
    {
        INK: "--figure-ink",
        GREY: "--figure-grey",
        RULE: "--figure-rule",
        PAPER: "--figure-paper",
        COLOURS["blue"]: "--figure-blue",
        COLOURS["green"]: "--figure-green",
    }
)


def svg_text(figure: Figure) -> str:
    """Return a figure as SVG with its letters as paths and without date.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    str

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from juntos_eval.reporting.figures.output import svg_text
    >>> svg_text(Figure(figsize=(1, 1))) == svg_text(Figure(figsize=(1, 1)))
    True
    """
    buffer = io.StringIO()
    with house_style():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "juntos_eval"})
    return buffer.getvalue()


def png_bytes(figure: Figure) -> bytes:
    """Return a figure as PNG.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    bytes

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from juntos_eval.reporting.figures.output import png_bytes
    >>> png_bytes(Figure(figsize=(1, 1)))[1:4]
    b'PNG'
    """
    buffer = io.BytesIO()
    with house_style():
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": "juntos_eval"})
    return buffer.getvalue()


def _shortened(path: re.Match[str]) -> str:
    """Return a path to a hundredth of a point, which no eye tells from a millionth."""
    return re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number.group()):.2f}", path.group())


def inline_svg(svg: str, *, name: str, crop_points: float = 0.0) -> str:
    """Return an SVG to stand in a page beside others: own ids, the page's colours, no prologue.

    Parameters
    ----------
    svg : str
    name : str
        Prefix of its ids.
    crop_points : float
        Height of the strip to leave out at the top.

    Returns
    -------
    str
        An ``<svg>`` element hidden from screen readers, whose text stands beside it.

    Raises
    ------
    SchemaError
        If the SVG does not say how large it is.

    Examples
    --------
    >>> from juntos_eval.reporting.figures.output import inline_svg
    >>> inline_svg('<svg width="1pt" viewBox="0 0 1 2"><path id="a" fill="#1d2630"/></svg>', name="f")
    '<svg aria-hidden="true" ... viewBox="0 0 1 2"><path id="f-a" fill="var(--figure-ink)"/></svg>'
    """
    body = svg[svg.index("<svg") :].strip()
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"\s*\n\s*", "\n", body)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", body)
    opening, rest = body.split(">", 1)
    view = re.search(r'viewBox="0 0 (\S+) ([^"]+)"', opening)
    if view is None:
        raise SchemaError("an SVG has no viewBox that begins at its corner", where=f"{opening}>"[:200])
    width, height = float(view.group(1)), float(view.group(2)) - crop_points
    rest = re.sub(r'\bd="[^"]*"', _shortened, rest)
    for colour, variable in _VARIABLES.items():
        rest = rest.replace(colour, f"var({variable})")
    shown = f'viewBox="0 {crop_points:g} {width:g} {height:g}"'
    return f'<svg aria-hidden="true" focusable="false" {shown}>{rest}'
