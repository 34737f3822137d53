"""Figures: the same bytes for the same numbers, readable at both widths, marked when synthetic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any, get_args

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from juntos_eval.reporting.exhibits import EXHIBITS, Exhibit
from juntos_eval.reporting.figures import Drawing, Setting, Width
from juntos_eval.reporting.figures.output import inline_svg, png_bytes, svg_text
from juntos_eval.reporting.figures.style import COLOURS, house_style
from juntos_eval.reporting.language import LANGUAGES, language
from juntos_eval.reporting.report_input import ReportInput
from tests.reporting.simulated import estimate, question, report_input

FIGURES = [exhibit for exhibit in EXHIBITS if exhibit.figure]
each_figure = pytest.mark.parametrize("exhibit", FIGURES, ids=lambda exhibit: exhibit.id)
SMALLEST_POINTS = 7.5


@cache
def fewer(*, is_synthetic: bool) -> ReportInput:
    """The simulated input without the questions by sex."""
    content = report_input(is_synthetic=is_synthetic)
    kept = tuple(s for s in content.estimates if not s.population.endswith(("girls", "boys")))
    return replace(content, estimates=kept)


@cache
def once(exhibit_id: str, code: str = "en", width: Width = "page", *, is_synthetic: bool = True) -> Drawing:
    """A drawing that several tests look at."""
    exhibit = next(exhibit for exhibit in FIGURES if exhibit.id == exhibit_id)
    return drawn(exhibit, fewer(is_synthetic=is_synthetic), code, width)


@pytest.fixture(scope="module")
def content() -> ReportInput:
    return fewer(is_synthetic=True)


def drawn(exhibit: Exhibit, content: ReportInput, code: str = "en", width: Width = "page") -> Drawing:
    assert exhibit.figure is not None
    mark = content.run.is_synthetic
    return exhibit.figure(
        content, Setting(words=language(code), width=width, is_synthetic=mark, title="Title")
    )


def texts(figure: Figure) -> Iterator[Text]:
    """Every text that is drawn; ticks beyond the limits of their axes are not."""

    def walk(artist: Artist) -> Iterator[Text]:
        for child in artist.get_children():
            if child.get_visible():
                if isinstance(child, Text) and child.get_text().strip():
                    yield child
                yield from walk(child)

    beyond = {id(label) for axes in figure.axes for label in _beyond(axes)}
    return (text for text in walk(figure) if id(text) not in beyond)


def _beyond(axes: Axes) -> Iterator[Text]:
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        for tick in axis.get_major_ticks():
            if not min(low, high) <= tick.get_loc() <= max(low, high):
                yield tick.label1


@each_figure
def test_same_numbers_same_bytes(exhibit: Exhibit, content: ReportInput) -> None:
    first = svg_text(once(exhibit.id).figure)
    assert first == svg_text(drawn(exhibit, content).figure)
    assert "<dc:date>" not in first
    assert "<text" not in first  # letters are paths: no font is asked for
    outside = re.sub(r"<metadata>.*?</metadata>", "", first, flags=re.DOTALL).split("<defs>", 1)[1]
    assert "http" not in outside
    # the repository takes no file beyond 500 kB
    assert len(first) < 450_000


def test_png_repeats_too(content: ReportInput) -> None:
    first, second = (png_bytes(drawn(FIGURES[0], content, width="column").figure) for _ in range(2))
    assert first == second


@each_figure
@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("width", get_args(Width))
def test_no_text_is_cut_off_or_too_small(exhibit: Exhibit, code: str, width: Width) -> None:
    figure = once(exhibit.id, code, width).figure
    with house_style():
        figure.draw_without_rendering()  # legends find their place
        canvas: Any = FigureCanvasAgg(figure)
        renderer = canvas.get_renderer()
        box = figure.bbox
        for text in texts(figure):
            assert float(text.get_fontsize()) >= SMALLEST_POINTS, text.get_text()
            if text.get_text() == language(code).say("word.synthetic"):
                continue
            extent = text.get_window_extent(renderer)
            assert extent.x0 >= box.x0 - 1.5, text.get_text()
            assert extent.x1 <= box.x1 + 1.5, text.get_text()
            assert extent.y0 >= box.y0 - 1.5, text.get_text()
            assert extent.y1 <= box.y1 + 1.5, text.get_text()


@each_figure
@pytest.mark.parametrize("code", LANGUAGES)
def test_only_synthetic_figures_say_so(exhibit: Exhibit, code: str) -> None:
    mark = language(code).say("word.synthetic")
    assert mark in [text.get_text() for text in texts(once(exhibit.id, code).figure)]
    real = once(exhibit.id, code, is_synthetic=False)
    assert mark not in [text.get_text() for text in texts(real.figure)]


@each_figure
def test_the_text_for_those_who_do_not_see_differs_by_language_and_has_numbers(exhibit: Exhibit) -> None:
    english, spanish = (once(exhibit.id, code).alt for code in LANGUAGES)
    assert english != spanish
    assert re.search(r"\d", english)


def test_alt_text_holds_the_numbers(content: ReportInput) -> None:
    by_id = {exhibit.id: once(exhibit.id).alt for exhibit in FIGURES}
    main = content.headline_estimate
    largest = max(abs(row.smd_before) for row in main.balance)
    assert f"{largest:.2f}" in by_id["love-plot"]
    assert "children aged 5–13, 2025: 1.42" in by_id["sensitivity-curve"]
    assert "with Juntos 46.0%, without Juntos 66.0%" in by_id["food-insecurity-shares"]
    assert "Children aged 5–13, 2025: raw gap +20.0" in by_id["child-work-figure"]
    assert "−5.2 and 1.8" in by_id["overlap"]
    assert "−1.5 percentage points" in by_id["demonstration-figure"]


def test_estimates_are_drawn_where_they_are() -> None:
    shown = question("age_14_17", "2024", raw=0.3, adjusted=(0.1, 0.11, 0.12, 0.13, 0.14, 0.15), truth=0.05)
    content = replace(report_input(), estimates=shown, headline=shown[1].id)
    exhibit = next(e for e in FIGURES if e.id == "child-work-figure")
    axes = drawn(exhibit, content).figure.axes[0]
    points = {
        round(float(np.ravel(line.get_ydata())[0])): float(np.ravel(line.get_xdata())[0])
        for line in axes.lines
        if line.get_marker() == "o"
    }
    assert points == pytest.approx({place: 100 * s.value for place, s in enumerate(shown)})
    assert next(tick.get_text() for tick in axes.get_yticklabels()) == "raw gap"
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert [float(np.ravel(line.get_xdata())[0]) for line in dashed] == [5.0]


def test_estimates_on_few_are_not_drawn() -> None:
    shown = question(raw=0.3, adjusted=(0.1,) * 6)
    rare = estimate(0.9, 0.01, treated=5, rows=400)
    few = tuple(replace(s, estimate=rare) if s.design == "kernel" else s for s in shown)
    content = replace(report_input(), estimates=few, headline=few[1].id)
    exhibit = next(e for e in FIGURES if e.id == "child-work-figure")
    axes = drawn(exhibit, content).figure.axes[0]
    assert not any(np.isclose(np.asarray(line.get_xdata(), float), 90.0).any() for line in axes.lines)


def test_settings_outside_are_left_alone() -> None:
    before = dict(mpl.rcParams)
    svg_text(drawn(FIGURES[0], fewer(is_synthetic=True)).figure)
    assert dict(mpl.rcParams) == before


def test_colours_are_told_apart_by_the_colour_blind() -> None:
    """Machado et al. (2009), severity 1: no two design colours become one."""
    matrices = {
        "protanopia": [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        "deuteranopia": [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    }
    # ink and grey never tell designs apart without a form of their own
    names = [name for name in COLOURS if name not in ("ink", "grey")]
    rgb = np.array([mpl.colors.to_rgb(COLOURS[name]) for name in names])
    for matrix in matrices.values():
        seen = rgb @ np.array(matrix).T
        distance = np.linalg.norm(seen[:, None] - seen[None], axis=2) + np.eye(len(names))
        assert distance.min() > 0.12


def test_inline_svg_has_its_own_ids_and_the_pages_colours() -> None:
    svg = svg_text(once(FIGURES[0].id).figure)
    first, second = (inline_svg(svg, name=name, crop_points=26.0) for name in ("a", "b"))
    ids = [re.findall(r'\bid="([^"]+)"', text) for text in (first, second)]
    assert len(ids[0]) == len(set(ids[0]))
    assert not set(ids[0]) & set(ids[1])
    for reference in re.findall(r'(?:href="#|url\(#)([^")]+)', first):
        assert reference in ids[0]
    assert "var(--figure-ink)" in first
    assert "<?xml" not in first
    assert float(first.split('viewBox="0 ')[1].split()[0]) == 26.0
