"""From the input to files: everything is made before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from juntos_eval.errors import SchemaError
from juntos_eval.paths import RunPaths, write_atomically
from juntos_eval.reporting.csv import csv_text
from juntos_eval.reporting.exhibits import Exhibit, FigureMaker, Numbered, numbered
from juntos_eval.reporting.figures import Setting
from juntos_eval.reporting.figures.output import inline_svg, png_bytes, svg_text
from juntos_eval.reporting.figures.style import TITLE_INCHES
from juntos_eval.reporting.html import Link, ShownFigure, ShownTable, page
from juntos_eval.reporting.language import LANGUAGES, language
from juntos_eval.reporting.latex import latex_text
from juntos_eval.reporting.markup import html_table
from juntos_eval.reporting.report_input import ReportInput
from juntos_eval.reporting.table import Table, grid

__all__ = ["write_report"]

_POINTS_PER_INCH = 72.0


@dataclass(frozen=True, slots=True)
class _Made:
    """Content of a file that is still to be written."""

    path: Path
    content: bytes | str


def write_report(
    content: ReportInput, paths: RunPaths, *, progress: Callable[[str], None] | None = None
) -> tuple[Path, ...]:
    """Write tables, figures and the page of a run.

    Parameters
    ----------
    content : ReportInput
    paths : RunPaths
        Of the same run. Tables and figures go below ``reports/<run>``, the page to ``reports/index.html``.
    progress : callable, optional
        Told the id of each exhibit before it is made.

    Returns
    -------
    tuple of Path
        What was written, the page last.

    Raises
    ------
    SchemaError
        If the paths belong to another run.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RunPaths
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.write import write_report
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_report(example_input(), RunPaths(root=Path(folder), run="synthetic-data"))
    ...     written[0].relative_to(folder).as_posix(), written[-1].name
    ('reports/synthetic-data/figures/synthetic-data-raw-and-adjusted-en.svg', 'index.html')
    """
    if paths.run != content.run.name:
        raise SchemaError(
            "a report cannot be written where another run belongs",
            where=f"run {content.run.name!r}, paths of {paths.run!r}",
            remedy="give the paths of the run",
        )
    shown: list[ShownTable | ShownFigure] = []
    made: list[_Made] = []
    for entry in numbered(content):
        if progress is not None:
            progress(entry.exhibit.id)
        exhibit, files = _exhibit(entry, content, paths)
        shown.append(exhibit)
        made += files
    made.append(_Made(paths.index, page(content, shown)))
    return tuple(write_atomically(file.path, file.content) for file in made)


def _links(files: list[tuple[str, Path]], paths: RunPaths) -> tuple[Link, ...]:
    return tuple(Link(name, path.relative_to(paths.index.parent).as_posix()) for name, path in files)


def _exhibit(
    entry: Numbered, content: ReportInput, paths: RunPaths
) -> tuple[ShownTable | ShownFigure, list[_Made]]:
    if entry.exhibit.table is not None:
        return _table(entry, entry.exhibit.table(content), content, paths)
    if entry.exhibit.figure is not None:
        return _figure(entry, entry.exhibit.figure, content, paths)
    raise SchemaError(
        "an exhibit has nothing that makes it", where=entry.exhibit.id, remedy="give it a table or a figure"
    )


def _table(
    entry: Numbered, table: Table, content: ReportInput, paths: RunPaths
) -> tuple[ShownTable, list[_Made]]:
    exhibit, is_synthetic = entry.exhibit, content.run.is_synthetic
    csv = paths.report_file("tables", f"{exhibit.id}.csv")
    made = [_Made(csv, csv_text(table, is_synthetic=is_synthetic))]
    links = {}
    for code in LANGUAGES:
        tex = paths.report_file("tables", f"{exhibit.id}-{code}.tex")
        title = exhibit.title.of(code)
        text = latex_text(table, language(code), title=title, label=exhibit.id, is_synthetic=is_synthetic)
        made.append(_Made(tex, text))
        links[code] = _links([("CSV", csv), ("LaTeX", tex)], paths)
    grids = {code: grid(table, language(code)) for code in LANGUAGES}
    shown = ShownTable(
        entry=entry,
        captions=_captions(exhibit, content),
        html={code: html_table(table, language(code), name=f"{exhibit.id}-{code}") for code in LANGUAGES},
        footnotes={code: grids[code].footnotes for code in LANGUAGES},
        notes={code: grids[code].notes for code in LANGUAGES},
        links=links,
        rows=len(table.rows),
        columns=len(grids["en"].columns),
    )
    return shown, made


def _figure(
    entry: Numbered, draw: FigureMaker, content: ReportInput, paths: RunPaths
) -> tuple[ShownFigure, list[_Made]]:
    exhibit, is_synthetic = entry.exhibit, content.run.is_synthetic
    drawings, alts, links = {}, {}, {}
    made: list[_Made] = []
    for code in LANGUAGES:
        words = language(code)
        mark = f" · {words.say('word.synthetic')}" if is_synthetic else ""
        title = exhibit.title.of(code) + mark
        wide = draw(content, Setting(words=words, width="page", is_synthetic=is_synthetic, title=title))
        narrow = draw(content, Setting(words=words, width="column", is_synthetic=is_synthetic))
        svg = svg_text(wide.figure)
        files = [
            _Made(paths.report_file("figures", f"{exhibit.id}-{code}.svg"), svg),
            _Made(paths.report_file("figures", f"{exhibit.id}-{code}.png"), png_bytes(wide.figure)),
        ]
        # short names: they stand before every letter
        name = f"f{entry.number}{code}"
        strip = TITLE_INCHES * _POINTS_PER_INCH
        drawings[code] = {
            "page": inline_svg(svg, name=f"{name}w", crop_points=strip),
            "column": inline_svg(svg_text(narrow.figure), name=f"{name}n"),
        }
        alts[code] = wide.alt
        links[code] = _links([(file.path.suffix[1:].upper(), file.path) for file in files], paths)
        made += files
    captions = _captions(exhibit, content)
    shown = ShownFigure(entry=entry, captions=captions, drawings=drawings, alts=alts, links=links)
    return shown, made


def _captions(exhibit: Exhibit, content: ReportInput) -> dict[str, str]:
    return {code: exhibit.caption(content, language(code)) for code in LANGUAGES}
