"""Tables as HTML by great-tables; how they look is the page's business."""

from __future__ import annotations

import re
from typing import Any, Final

from juntos_eval.reporting.language import Language
from juntos_eval.reporting.table import Grid, Shown, Table, grid

__all__ = ["html_table"]

# private characters that great-tables leaves alone; they become markup once its escaping is done
_MARK_OPENS: Final = "\ue000"
_MARK_CLOSES: Final = "\ue001"
_STRONG_OPENS: Final = "\ue002"
_STRONG_CLOSES: Final = "\ue003"
_MARKUP: Final = {
    _MARK_OPENS: "<sup>",
    _MARK_CLOSES: "</sup>",
    _STRONG_OPENS: "<strong>",
    _STRONG_CLOSES: "</strong>",
}
_GROUP: Final = "\ue010group"


def html_table(table: Table, words: Language, *, name: str) -> str:
    """Return a table as an HTML ``<table>`` without style.

    Parameters
    ----------
    table : Table
    words : Language
    name : str
        Prefix of the ids within the page.

    Returns
    -------
    str
        Everything that stands in a cell is escaped.

    Examples
    --------
    >>> from juntos_eval.reporting.language import language
    >>> from juntos_eval.reporting.markup import html_table
    >>> from juntos_eval.reporting.table import Column, Row, Table, both
    >>> table = Table(columns=(Column(id="a", header=both("column.what")),), rows=(Row(("<b>",)),))
    >>> "&lt;b&gt;" in html_table(table, language("en"), name="t")
    True
    """
    shown = grid(table, words)
    html = _great_table(shown, name).as_raw_html()
    inner = re.search(r"<table.*</table>", html, flags=re.DOTALL)
    text = inner.group() if inner else html
    # a group's name stays in sight where the table scrolls sideways
    text = re.sub(
        r'(<th class="gt_group_heading"[^>]*>)(.*?)(</th>)', r'\1<span class="group">\2</span>\3', text
    )
    for private, markup in _MARKUP.items():
        text = text.replace(private, markup)
    return text


def _great_table(shown: Grid, name: str) -> Any:
    import pandas as pd
    from great_tables import GT

    ids = [column.id for column in shown.columns]
    frame = pd.DataFrame(
        [
            [_cell(cell, is_strong=is_strong) for cell in row]
            for row, is_strong in zip(shown.rows, shown.strong, strict=True)
        ],
        columns=ids,
        dtype=object,
    )
    has_groups = any(shown.groups)
    if has_groups:
        frame[_GROUP] = list(shown.groups)
    made = GT(frame, rowname_col=ids[0], groupname_col=_GROUP if has_groups else None, id=name)
    made = made.cols_label(cases=dict(zip(ids, shown.headers, strict=True)))
    if len(ids) > 1:
        made = made.tab_stubhead(label=shown.headers[0])
    for kind, align in (("text", "left"), ("number", "right"), ("interval", "right")):
        columns = [column.id for column in shown.columns[1:] if column.kind == kind]
        made = made.cols_align(align=align, columns=columns) if columns else made
    for place, spanner in enumerate(dict.fromkeys(filter(None, shown.spanners))):
        members = [i for i, above in zip(ids, shown.spanners, strict=True) if above == spanner]
        made = made.tab_spanner(label=spanner, columns=members, id=f"spanner{place}")
    return made


def _cell(cell: Shown, *, is_strong: bool) -> str:
    text = f"{_STRONG_OPENS}{cell.text}{_STRONG_CLOSES}" if is_strong else cell.text
    return f"{text}{_MARK_OPENS}{cell.mark}{_MARK_CLOSES}" if cell.mark else text
